import { type BuildWithSteps, buildURL, final, type Snapshot, type StreamEvent } from "./model.ts";
import { backoff, maxLogs, Stream, streamAddress } from "./stream.ts";
import { Subscriber, type Wanted } from "./subscriber.ts";
import { tokenQuery } from "./token.ts";

/** Who asks, in the addresses of a hub: by the token that its own has, or in the session of its name. */
const whose = tokenQuery || ((globalThis as { name?: string }).name ?? "");

/** How the hub is connected on behalf of one page. Times are in milliseconds since 1970. */
export type HubState =
	| { readonly name: "connecting" }
	| { readonly name: "live" }
	/** At is when the next attempt starts; undefined while one is under way. */
	| { readonly name: "reconnecting"; readonly at: number | undefined }
	/** The log has ended, and all of it was told. At is when the build finished. */
	| { readonly name: "finished"; readonly at: number | undefined }
	/** The server refuses this log: the HTTP status. There is no retry. */
	| { readonly name: "refused"; readonly status: number };

/** What a page says to the hub. */
export type FromPage =
	/**
	 * Follow this. The first message, and again when another step of the same log is wanted. Known is
	 * the id of the last state that a page was told that comes back.
	 */
	| { readonly say: "want"; readonly wanted: Wanted; readonly known?: string | undefined }
	/** It has taken this message and those before it. */
	| { readonly say: "took"; readonly number: number }
	/** Is anybody there? Answered at once, with a message that may have no events. */
	| { readonly say: "here" }
	/** Do not wait for the next attempt; in doubt, connect anew even if the connection seems to be open. */
	| { readonly say: "hurry"; readonly doubt: boolean }
	/** It goes, and will take nothing more. */
	| { readonly say: "bye" };

/** What the hub says to a page, in one kind of message. */
export interface FromHub {
	/** To be handed back in `took`. */
	readonly number: number;
	readonly events: readonly StreamEvent[];
	readonly state: HubState;
	/** When the server was last heard of. */
	readonly news: number;
	/** The scripts that the server's pages have now, as `scriptsOf` has it; known after a connection was lost. */
	readonly scripts: string | undefined;
}

/** A log without subscribers stays in its stream for so long: a page that is loaded anew finds it there. */
const linger = 5_000;
/** Wishes that come at the same time become one connection. */
const gather = 10;
/** How long an answer may take, in milliseconds. */
const patience = 10_000;

/** A log that somebody follows. */
interface Log {
	readonly name: string;
	readonly pages: Set<Page>;
	/** Where its stream goes on. Undefined until a snapshot says where to begin: there is no replay. */
	cursor: string | undefined;
	stream: Stream | undefined;
	/**
	 * The steps whose text the stream's address asks for; undefined while the log is in no such address,
	 * or in one of a history that is past: then the stream is not listened to.
	 */
	steps: ReadonlySet<string> | undefined;
	/** Whether its stream has caught up. */
	live: boolean;
	/** Whether it had, before the connection broke. */
	behind: boolean;
	/** Whether it has ended, and all of it was told. */
	over: boolean;
	/** When the build finished, as the server says it. */
	finished: string | null | undefined;
	/** Whether its stream has yet to be live since a snapshot said where to begin. */
	fresh: boolean;
	/** Whether a snapshot is on its way. */
	asking: boolean;
	/** Snapshots in a row that could not be had. */
	failures: number;
	/** When a snapshot is asked for again. */
	at: number | undefined;
	retry: ReturnType<typeof setTimeout> | undefined;
	/** Runs while nobody follows it. */
	idle: ReturnType<typeof setTimeout> | undefined;
}

/** A page's end of its port. */
interface Page {
	readonly port: MessagePort;
	subscriber: Subscriber | undefined;
	/** Undefined while it is behind: for the hub it is gone then, and only its port holds it. */
	log: Log | undefined;
	refused: number | undefined;
}

/**
 * Follows the logs that pages want, over as few connections as possible, and tells each page what it
 * wants of them. It runs in a SharedWorker, one for all pages of a browser, or in a page for itself.
 *
 * A log that is new to the hub begins with a snapshot, and its stream goes on from there; so whoever
 * asks for a log that is refused does not disturb the others. A page that comes later gets a snapshot
 * of its own. The snapshot is always asked for after the stream's address carries what the page wants,
 * so that nothing falls between the two.
 *
 * A page that takes nothing (frozen, or gone without a word) costs nothing: see Subscriber.
 */
export class Hub {
	readonly #logs = new Map<string, Log>();
	readonly #streams = new Set<Stream>();
	/** Streams that are opened anew in a moment. */
	readonly #opening = new Map<Stream, ReturnType<typeof setTimeout>>();
	/** Pages that are sent a message in a moment. */
	readonly #due = new Set<Page>();
	#sending = false;
	#scripts: string | undefined;

	/** Takes a page's port. */
	attach(port: MessagePort): void {
		const page: Page = { port, subscriber: undefined, log: undefined, refused: undefined };
		port.addEventListener("message", (message: MessageEvent<FromPage>) => {
			this.#listen(page, message.data);
		});
		port.start();
	}

	#listen(page: Page, said: FromPage): void {
		switch (said.say) {
			case "want":
				this.#want(page, said.wanted, said.known);
				return;
			case "took":
				page.subscriber?.took(said.number);
				if (page.log) this.#settle(page.log);
				else if (page.subscriber?.phase === "waiting") this.#enter(page, page.subscriber);
				return;
			case "here":
				this.#send(page);
				return;
			case "hurry":
				if (page.log) this.#hurry(page.log, said.doubt);
				return;
			case "bye":
				this.#leave(page);
				page.port.close();
		}
	}

	#want(page: Page, wanted: Wanted, known: string | undefined): void {
		if (page.subscriber) {
			page.subscriber.want(wanted);
			if (page.log) this.#settle(page.log);
		} else {
			page.subscriber = new Subscriber(wanted, known);
			this.#enter(page, page.subscriber);
			this.#send(page);
		}
	}

	#enter(page: Page, subscriber: Subscriber): void {
		const name = subscriber.wanted.log.toLowerCase();
		const log = this.#logs.get(name) ?? this.#newLog(name);
		log.pages.add(page);
		clearTimeout(log.idle);
		page.log = log;
		this.#settle(log);
	}

	#leave(page: Page): void {
		const log = page.log;
		page.log = undefined;
		this.#due.delete(page);
		log?.pages.delete(page);
		if (log?.pages.size === 0) log.idle = setTimeout(() => this.#drop(log), linger);
	}

	/** Lets go of a log that nobody follows. */
	#drop(log: Log): void {
		const stream = log.stream;
		if (stream && !stream.pausing) this.#open(stream);
		else this.#forget(log);
	}

	#newLog(name: string): Log {
		const log: Log = {
			name,
			pages: new Set(),
			cursor: undefined,
			stream: undefined,
			steps: undefined,
			live: false,
			behind: false,
			fresh: false,
			over: false,
			finished: undefined,
			asking: false,
			failures: 0,
			at: undefined,
			retry: undefined,
			idle: undefined,
		};
		this.#logs.set(name, log);
		return log;
	}

	#forget(log: Log): void {
		clearTimeout(log.retry);
		clearTimeout(log.idle);
		log.stream = undefined;
		if (this.#logs.get(log.name) === log) this.#logs.delete(log.name);
	}

	/** Does what the log's subscribers wait for. May be called at any time. */
	#settle(log: Log): void {
		if (log.asking || log.at !== undefined) return;
		const waiting = [...log.pages].filter((page) => page.subscriber?.phase === "waiting");
		const carried = waiting.filter((page) => carries(log, page));
		if (carried.length < waiting.length && log.stream) this.#reopen(log.stream);
		if (carried.length > 0) void this.#ask(log, carried);
	}

	/** Asks for the state, on behalf of some pages. */
	async #ask(log: Log, pages: readonly Page[]): Promise<void> {
		log.asking = true;
		for (const page of pages) page.subscriber?.asked();
		const [answer, ...forget] = await Promise.all([
			snapshot(log.name),
			...pages.map(({ subscriber }) => unresumable(log.name, subscriber?.missing)),
		]);
		log.asking = false;
		if (this.#logs.get(log.name) !== log) return;
		if (answer === "passing") {
			for (const page of log.pages) if (page.subscriber?.phase === "asked") page.subscriber.again();
			const delay = backoff(log.failures++);
			log.at = Date.now() + delay;
			log.retry = setTimeout(() => this.#askAgain(log), delay);
			this.#announce(log);
			return;
		}
		if ("refused" in answer) {
			this.#refuse(log, answer.refused);
			return;
		}
		log.failures = 0;
		log.finished = answer.finished;
		const fresh = log.cursor === undefined && !log.over;
		if (fresh) log.cursor = answer.cursor;
		log.fresh ||= fresh;
		const now = Date.now();
		for (const [i, { subscriber }] of pages.entries()) {
			if (subscriber?.phase !== "asked") continue;
			subscriber.join(answer.state, forget[i] ?? true, now);
			if (log.live) subscriber.hear(signal("live", answer.cursor), 0, now);
			if (log.over) subscriber.hear(signal("end", answer.cursor), 0, now);
		}
		this.#announce(log);
		if (fresh) {
			// What is final has most probably ended, and need not be followed at all.
			if (answer.final && (await outcome(log)) === "over") this.#end(log);
			else if (this.#logs.get(log.name) === log) this.#carry(log);
		}
		this.#settle(log);
	}

	#askAgain(log: Log): void {
		clearTimeout(log.retry);
		log.at = undefined;
		this.#announce(log);
		this.#settle(log);
	}

	/** Gives a log a place in a stream. */
	#carry(log: Log): void {
		log.stream ??= [...this.#streams].find((stream) => this.#carriedBy(stream).length < maxLogs);
		log.stream ??= this.#newStream();
		this.#reopen(log.stream);
	}

	#carriedBy(stream: Stream): Log[] {
		return [...this.#logs.values()].filter((log) => log.stream === stream);
	}

	#newStream(): Stream {
		const stream: Stream = new Stream(
			{
				heard: (name, event, size) => {
					const log = this.#logs.get(name);
					if (log?.stream === stream && log.steps) this.#hear(log, event, size);
				},
				moved: (name, cursor) => {
					const log = this.#logs.get(name);
					if (log?.stream === stream && log.steps) log.cursor = cursor;
				},
				changed: (recovered) => {
					for (const log of this.#carriedBy(stream)) {
						// What was missed comes first: until it is here, what a page shows is old.
						if (stream.state.name === "reconnecting") {
							log.behind ||= log.live;
							log.live = false;
						}
						this.#announce(log);
					}
					if (recovered) void this.#look();
				},
				closed: () => void this.#closed(stream),
				due: () => this.#open(stream),
			},
			(followed) => streamAddress(followed) + whose,
		);
		this.#streams.add(stream);
		return stream;
	}

	/** Opens a stream anew in a moment, unless it waits for its time: then it has all wishes anyway. */
	#reopen(stream: Stream): void {
		if (stream.pausing || this.#opening.has(stream)) return;
		this.#opening.set(
			stream,
			setTimeout(() => this.#open(stream), gather),
		);
	}

	/** Opens a stream for all that is wanted of it now. */
	#open(stream: Stream): void {
		clearTimeout(this.#opening.get(stream));
		this.#opening.delete(stream);
		for (const log of this.#carriedBy(stream)) {
			log.steps = undefined;
			if (log.pages.size === 0) this.#forget(log);
		}
		const logs = this.#carriedBy(stream).filter((log) => log.cursor !== undefined);
		if (logs.length === 0) {
			stream.close();
			if (this.#carriedBy(stream).length === 0) this.#streams.delete(stream);
			return;
		}
		for (const log of logs) log.steps = wantedSteps(log);
		stream.open(
			logs.map((log) => ({
				log: log.name,
				after: log.cursor ?? "",
				steps: [...(log.steps ?? [])],
			})),
		);
		for (const log of logs) this.#settle(log);
	}

	#hear(log: Log, event: StreamEvent, size: number): void {
		switch (event.kind) {
			case "end":
				this.#end(log);
				return;
			case "reset":
				// Who sees not everything is told so at each connect for a while after somebody made a project public,
				// or private. What was asked for a moment ago is of no other sight, and the stream tells it once more.
				if (log.fresh && event.data.reason === "access") return;
				// Its history is another one now. The rest of this replay is not listened to.
				log.cursor = undefined;
				log.steps = undefined;
				log.live = false;
				break;
			case "live":
				log.live = true;
				log.behind = false;
				log.fresh = false;
				break;
			case "build":
				log.finished = event.data.finished_at;
				break;
		}
		const now = Date.now();
		for (const page of log.pages) page.subscriber?.hear(event, size, now);
		this.#announce(log);
		if (event.kind === "reset") this.#settle(log);
	}

	#end(log: Log): void {
		const stream = log.stream;
		log.over = true;
		log.stream = undefined;
		const end = signal("end", log.cursor ?? "");
		for (const page of log.pages) page.subscriber?.hear(end, 0, Date.now());
		this.#announce(log);
		if (stream && this.#carriedBy(stream).length === 0) this.#open(stream);
		this.#settle(log);
	}

	#refuse(log: Log, status: number): void {
		for (const page of log.pages) {
			page.subscriber?.close();
			page.refused = status;
		}
		this.#announce(log);
		this.#forget(log);
	}

	/** A stream was answered with something else: asks of each log what has become of it. */
	async #closed(stream: Stream): Promise<void> {
		const logs = this.#carriedBy(stream).filter((log) => log.cursor !== undefined);
		const outcomes = await Promise.all(logs.map(outcome));
		if (!this.#streams.has(stream) || !stream.pausing) return;
		let settled = false;
		for (const [i, log] of logs.entries()) {
			const what = outcomes[i];
			if (what === undefined || what === "passing" || log.stream !== stream) continue;
			settled = true;
			if (what === "over") this.#end(log);
			else this.#refuse(log, what.refused);
		}
		// What kept the stream from being opened may be gone with these.
		if (settled) this.#open(stream);
		else stream.later();
	}

	#hurry(log: Log, doubt: boolean): void {
		if (log.at !== undefined) this.#askAgain(log);
		log.stream?.hurry(doubt);
	}

	/** Sees whether the server is still the one whose pages these are. */
	async #look(): Promise<void> {
		try {
			const response = await fetch("/", {
				cache: "no-store",
				signal: AbortSignal.timeout(patience),
			});
			if (!response.ok) return;
			const scripts = scriptsOf(await response.text());
			if (scripts === this.#scripts) return;
			this.#scripts = scripts;
			for (const log of this.#logs.values()) this.#announce(log);
		} catch {
			// There will be a next time.
		}
	}

	/** Has all pages of a log told what there is to say. */
	#announce(log: Log): void {
		for (const page of log.pages) this.#due.add(page);
		if (this.#sending) return;
		this.#sending = true;
		// All that arrives in one go is one message.
		setTimeout(() => {
			this.#sending = false;
			for (const page of this.#due) this.#send(page);
		}, 0);
	}

	#send(page: Page): void {
		this.#due.delete(page);
		const batch = page.subscriber?.batch(Date.now());
		if (!batch) {
			this.#leave(page);
			return;
		}
		const message: FromHub = {
			...batch,
			state: stateOf(page),
			news: page.log?.stream?.news ?? Date.now(),
			scripts: this.#scripts,
		};
		page.port.postMessage(message);
	}
}

/** Whether the stream's address has what a page wants. One that is still to be opened will, and nothing is missed after the end. */
function carries(log: Log, page: Page): boolean {
	const step = page.subscriber?.wanted.step;
	return step === undefined || log.over || log.steps === undefined || log.steps.has(step);
}

function wantedSteps(log: Log): Set<string> {
	const steps = new Set<string>();
	for (const { subscriber } of log.pages) {
		if (subscriber?.wanted.step !== undefined) steps.add(subscriber.wanted.step);
	}
	return steps;
}

function stateOf({ log, subscriber, refused }: Page): HubState {
	if (refused !== undefined) return { name: "refused", status: refused };
	if (!log || !subscriber) return { name: "connecting" };
	if (log.over && subscriber.phase === "over") {
		const at = log.finished ? Date.parse(log.finished) : undefined;
		return { name: "finished", at };
	}
	if (log.at !== undefined) return { name: "reconnecting", at: log.at };
	const state = log.stream?.state;
	if (log.live && subscriber.told && state) return state;
	if (state?.name === "reconnecting") return state;
	return log.failures > 0 || log.behind
		? { name: "reconnecting", at: undefined }
		: { name: "connecting" };
}

/**
 * The addresses of a page's scripts, which change with their content; undefined for what is no page of
 * ours, as what a network shows to those who have not signed in to it.
 */
export function scriptsOf(page: string): string | undefined {
	if (!page.includes("<stepcast-app")) return undefined;
	const scripts = page.matchAll(/<script\b[^>]*\ssrc="([^"]+)"/g);
	return [...scripts].map(([, address]) => address).join(" ");
}

function signal(kind: "live" | "end", id: string): StreamEvent {
	return { kind, id };
}

interface State {
	readonly state: StreamEvent;
	/** What happens after this state is after this cursor. */
	readonly cursor: string;
	readonly final: boolean;
	readonly finished: string | null | undefined;
}

interface Refused {
	readonly refused: number;
}

/** The state of a log, or why there is none. */
async function snapshot(log: string): Promise<State | Refused | "passing"> {
	if (log === "feed") {
		const answer = await ask<EventsPage>(firstEvent("feed"));
		if (answer === undefined || "refused" in answer) return answer ?? "passing";
		const { events, next } = answer.body;
		const first = events[0];
		if (first?.kind !== "snapshot") return "passing";
		const state = { kind: "snapshot", id: next, data: first.data as Snapshot } as const;
		return { state, cursor: next, final: false, finished: undefined };
	}
	const answer = await ask<BuildWithSteps & { readonly last_event_id: string }>(
		buildURL(log) + whose.replace("&", "?"),
	);
	if (answer === undefined || "refused" in answer) return answer ?? "passing";
	const { last_event_id: cursor, ...data } = answer.body;
	const state = { kind: "whole", id: cursor, data } as const;
	return { state, cursor, final: final(data.status), finished: data.finished_at };
}

/** What has become of a log that there is no stream of. It is over when nothing is left, text included. */
async function outcome(log: Log): Promise<"over" | "passing" | Refused> {
	const answer = await ask<EventsPage>(firstEvent(log.name, log.cursor));
	if (answer === undefined) return "passing";
	if ("refused" in answer) return answer;
	return answer.body.end && answer.body.events.length === 0 ? "over" : "passing";
}

/**
 * Whether a page that was away has to forget what it knows: a build's log where its history was
 * rewound, as far as is known, and the feed always, because its snapshot does not have every build.
 */
async function unresumable(log: string, cursor: string | undefined): Promise<boolean> {
	if (cursor === undefined || log === "feed") return cursor !== undefined;
	const answer = await ask<EventsPage>(firstEvent(log, cursor));
	return answer === undefined || "refused" in answer || answer.body.reset !== undefined;
}

/** The address of a log's first event after a cursor, or of all. */
function firstEvent(log: string, after = ""): string {
	const path = log === "feed" ? "/api/v1" : buildURL(log);
	return `${path}/events?limit=1&after=${encodeURIComponent(after)}${whose}`;
}

interface EventsPage {
	readonly events: readonly { readonly kind: string; readonly data: unknown }[];
	readonly next: string;
	readonly end: boolean;
	readonly reset?: string;
}

/** The JSON at an address, or the status of a refusal; undefined for what will pass. */
async function ask<T>(address: string): Promise<{ readonly body: T } | Refused | undefined> {
	try {
		const response = await fetch(address, {
			headers: { Accept: "application/json" },
			cache: "no-store",
			signal: AbortSignal.timeout(patience),
		});
		if (refuses(response.status)) return { refused: response.status };
		return response.ok ? { body: (await response.json()) as T } : undefined;
	} catch {
		return undefined;
	}
}

/** Whether the same request would be refused again: all that is the asker's fault, but for its timing. */
function refuses(status: number): boolean {
	return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
