import { kinds, type StreamEvent } from "./model.ts";

/** One log in a stream: a build's id or "feed", the cursor it goes on after, and whose text comes along. */
export interface Followed {
	readonly log: string;
	readonly after: string;
	/** Keys of steps. Without one there is no text, only what happens to the build and its steps. */
	readonly steps: readonly string[];
	/** What else the address says of this log: of the feed, which projects and branches. */
	readonly filter?: readonly (readonly [name: string, value: string])[];
}

/** What the server takes in one stream. */
export const maxLogs = 32;
/** Steps that one log is asked for by name, and their length in the address; beyond that it is asked for all. */
const maxSteps = 100;
const maxStepsLength = 2_000;

/** The address that carries several logs in one connection. */
export function streamAddress(followed: readonly Followed[]): string {
	const logs = followed.map(({ log, after, steps, filter = [] }) => {
		const fields: (readonly string[])[] = [["log", log], ...filter];
		if (after) fields.push(["after", after]);
		if (log !== "feed" && steps.length === 0) fields.push(["logs", "none"]);
		const address = fields.map(([name, value = ""]) => `${name}=${encodeURIComponent(value)}`);
		const named = steps.map((step) => `step=${encodeURIComponent(step)}`);
		if (named.length <= maxSteps && named.join().length <= maxStepsLength) address.push(...named);
		return address.join(";");
	});
	return `/api/v1/streams?${logs.join("&")}`;
}

/**
 * The cursors that an event's id is made of, in the order of the address. One that is not known yet is
 * empty. Nothing when it is the id of some other stream.
 */
export function cursors(id: string, logs: number): readonly string[] {
	const parts = id.split(".");
	return parts.length === logs ? parts.map((part) => (part === "?" ? "" : part)) : [];
}

/** How the connection is. At is when the next attempt starts, in milliseconds since 1970; undefined while one is under way. */
export type StreamState =
	| { readonly name: "connecting" }
	| { readonly name: "live" }
	| { readonly name: "reconnecting"; readonly at: number | undefined };

/** What a stream tells the hub. */
export interface Listener {
	/** An event of one log; size is about what it takes, in characters. */
	heard(log: string, event: StreamEvent, size: number): void;
	/** Where the stream is now in each of its logs, by the names of the logs. */
	moved(log: string, cursor: string): void;
	/** The state, or a ping, which is news though nothing happened. Recovered: live after a break. */
	changed(recovered: boolean): void;
	/** The server, or something before it, answered with no stream. Nothing says why: see `later`. */
	closed(): void;
	/** It is time for the next attempt. */
	due(): void;
}

/** The server pings after 15 s of silence: two missing pings, and the connection is given up. */
const giveUpAfter = 40_000;
/**
 * The server answers at once. An attempt without any answer was mostly made over a connection that the
 * browser had kept, and that is dead; over HTTP/1.1 it keeps a few, and tries one after the other.
 */
const answerWithin = 10_000;
/** Longer silence than a ping allows is enough for doubt, when somebody looks. */
const doubtAfter = 20_000;
/** How long an attempt is left alone by those who are in a hurry. */
const patience = 2_000;
/** The server asks for no longer pause either. */
const maxBackoff = 30_000;

/**
 * How long to wait before an attempt, after some that failed: full jitter, so that not all come back at
 * once. Growing by half each time, it is a third of how long the server was away, on average: nobody
 * wants to wait for as long again once it is back.
 */
export function backoff(failures: number, random = Math.random()): number {
	return 100 + random * Math.min(maxBackoff, 1_000 * 1.5 ** failures);
}

/**
 * One connection that carries several logs, and its attempts. It holds no cursor: each attempt of its
 * own is told where to go on.
 *
 * After a break the EventSource comes back by itself, once, at the pace that the server has given it;
 * when that fails too, the pace is ours.
 */
export class Stream {
	readonly #listener: Listener;
	readonly #address: (followed: readonly Followed[]) => string;
	#state: StreamState = { name: "connecting" };
	#source: EventSource | undefined;
	#logs: readonly string[] = [];
	#opened = 0;
	#news = 0;
	/** Whether the server has said a word since the last break. */
	#spoke = false;
	#failures = 0;
	#pausing = false;
	/** Ends the present attempt, or the pause before the next. */
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(listener: Listener, address: (followed: readonly Followed[]) => string) {
		this.#listener = listener;
		this.#address = address;
	}

	get state(): StreamState {
		return this.#state;
	}

	/** When the server was last heard of, in milliseconds since 1970. */
	get news(): number {
		return this.#news;
	}

	/** Whether the next attempt waits for its time, or for the reason of the last failure. */
	get pausing(): boolean {
		return this.#pausing;
	}

	/** Connects anew. Who was live stays so: it is the hub that wants other logs. */
	open(followed: readonly Followed[]): void {
		this.close();
		this.#pausing = false;
		this.#logs = followed.map(({ log }) => log);
		this.#opened = Date.now();
		if (this.#state.name !== "live") this.#news = this.#opened;
		if (this.#state.name === "reconnecting") this.#become({ name: "reconnecting", at: undefined });
		const source = new EventSource(this.#address(followed));
		this.#source = source;
		for (const kind of kinds) {
			source.addEventListener(kind, (message) => {
				if (source === this.#source) this.#hear(kind, message);
			});
		}
		source.addEventListener("error", () => {
			if (source === this.#source) this.#broken(source);
		});
		// A server that is slow gets more time when it was given up a few times.
		this.#watch(Math.max(answerWithin, Math.min(maxBackoff, 1_000 * 1.5 ** this.#failures)));
	}

	/** Ends the connection, and plans no other. */
	close(): void {
		this.#source?.close();
		this.#source = undefined;
		this.#spoke = false;
		clearTimeout(this.#timer);
	}

	/** Plans the next attempt. What was waited for an answer, in milliseconds, is part of the pause. */
	later(waited = 0): void {
		this.close();
		this.#pausing = true;
		const delay = Math.max(backoff(0), backoff(this.#failures++) - waited);
		this.#become({ name: "reconnecting", at: Date.now() + delay });
		this.#timer = setTimeout(() => this.#listener.due(), delay);
	}

	/**
	 * Somebody does not want to wait. In doubt an open connection is made anew too: the network may
	 * have changed below it. Else only one that is silent for too long is.
	 */
	hurry(doubt: boolean): void {
		const now = Date.now();
		const young = now - this.#opened < patience;
		if (this.#source && (young || (!doubt && now - this.#news < doubtAfter))) return;
		if (this.#state.name === "live" && now - this.#news >= doubtAfter)
			this.#become({ name: "reconnecting", at: undefined });
		this.#listener.due();
	}

	#hear(kind: StreamEvent["kind"], message: MessageEvent<string>): void {
		this.#news = Date.now();
		this.#spoke = true;
		if (kind === "unavailable") {
			// The server answers, and asks for patience: it closes, and the EventSource comes back later.
			this.#become({ name: "reconnecting", at: undefined });
			return;
		}
		this.#failures = 0;
		const data = JSON.parse(message.data) as { readonly log?: string };
		const at = cursors(message.lastEventId, this.#logs.length);
		if (data.log) {
			const id = at[this.#logs.indexOf(data.log)] ?? "";
			this.#listener.heard(data.log, { kind, id, data } as StreamEvent, message.data.length);
		}
		for (const [i, cursor] of at.entries()) {
			const log = this.#logs[i];
			if (log && cursor) this.#listener.moved(log, cursor);
		}
		if (this.#state.name !== "live") this.#become({ name: "live" });
		else if (kind === "ping") this.#listener.changed(false);
	}

	#broken({ readyState }: EventSource): void {
		const spoke = this.#spoke;
		this.#spoke = false;
		if (readyState === EventSource.CLOSED) {
			this.close();
			this.#pausing = true;
			this.#become({ name: "reconnecting", at: undefined });
			this.#listener.closed();
		} else if (spoke) {
			// It comes back, after a pause that only the EventSource knows.
			this.#become({ name: "reconnecting", at: undefined });
			this.#watch(maxBackoff + answerWithin);
		} else {
			this.later();
		}
	}

	/**
	 * Looks after so many milliseconds: what has no answer by then is given up, and what has one when it has
	 * been silent for too long. It looks again when that may be, and is not set anew with every event.
	 */
	#watch(time: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			const left = giveUpAfter + Math.max(this.#news, this.#opened) - Date.now();
			if (left > 0 && this.#source?.readyState === EventSource.OPEN) this.#watch(left);
			else this.later(time);
		}, time);
	}

	#become(state: StreamState): void {
		const recovered = this.#state.name === "reconnecting" && state.name === "live";
		this.#state = state;
		this.#listener.changed(recovered);
	}
}
