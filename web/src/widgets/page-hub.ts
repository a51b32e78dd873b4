import type { StreamEvent } from "../model.ts";
import { type Followed, maxLogs, Stream, streamAddress } from "../stream.ts";
import { isTaken, toldOf, union, type Wanted } from "./wishes.ts";

/** What a person is told about the connection of one element. Times are in milliseconds since 1970. */
export type Connection =
	| { readonly name: "connecting" }
	/** Without the token, if that was refused. */
	| { readonly name: "live"; readonly without?: boolean }
	/** Open, but without a word for longer than a server is silent whose database answers. */
	| { readonly name: "stale" }
	/** At is when the next attempt starts; undefined while one is under way. */
	| { readonly name: "reconnecting"; readonly at: number | undefined }
	| { readonly name: "offline" }
	/** The log has ended, and all of it was told. */
	| { readonly name: "finished" }
	/** The server refuses what is wanted: the HTTP status. There is no retry. */
	| { readonly name: "refused"; readonly status: number };

/** The server sends a ping after 15 s of silence: one that is 5 s late is said to be. */
export const staleAfter = 20_000;
/** How long an answer may take, in milliseconds. */
const patience = 10_000;
/** Events of a replay that are told together at most. */
const maxHeld = 5_000;

/** Somebody who follows a log. */
export interface Follower {
	readonly wanted: Wanted;
	receive(events: readonly StreamEvent[]): void;
	/** News is when the server was last heard of, in milliseconds since 1970. */
	changed(connection: Connection, news: number): void;
}

/** What of a log begins anew when it is told from its beginning. */
interface Replay {
	/** Where the stream goes on; empty: at the beginning. */
	cursor: string;
	/** Whether the replay is over. */
	live: boolean;
	/** What was replayed until now, after the reset that came before. */
	held: StreamEvent[];
	/** Whether it has ended, and all of it was told. */
	over: boolean;
}

interface Log extends Replay {
	readonly name: string;
	/** Who follows it, and what they were told the connection is. */
	readonly followers: Map<Follower, string>;
	/** Whether the stream's address has all that is wanted of it. Until it has, what comes is not listened to. */
	listened: boolean;
	/** The HTTP status of a refusal; 0: there was none. */
	refused: number;
}

/**
 * One connection, for what elements of a page want of a server with one token.
 *
 * When somebody begins to follow a log, that log alone begins anew, while the others go on at their
 * cursors. It is told anew to all who follow it, who ignore what they have seen; and it is told at once,
 * so that nobody is shown how things were on the way.
 */
class PageHub {
	readonly server: string;
	readonly token: string | undefined;
	readonly logs = new Map<string, Log>();
	readonly #stream: Stream;
	/** What the server is shown: the token; once it has refused that, "none", which sees what a stranger does. */
	#shown: string | undefined;
	#opening = false;

	constructor(server: string, token: string | undefined) {
		this.server = server;
		this.token = this.#shown = token;
		this.#stream = new Stream(
			{
				heard: (name, event) => {
					const log = this.logs.get(name);
					if (log?.listened) this.#hear(log, event);
				},
				moved: (name, cursor) => {
					const log = this.logs.get(name);
					if (log?.listened && log.live) log.cursor = cursor;
				},
				changed: () => this.judge(),
				closed: () => void this.#closed(),
				due: () => this.open(),
			},
			(followed) => this.#address(followed),
		);
	}

	enter(name: string, follower: Follower): void {
		let log = this.logs.get(name);
		if (!log || log.refused) {
			log = begin({ name, followers: new Map(), listened: false, refused: 0, held: [] });
			this.logs.set(name, log);
		}
		log.followers.set(follower, "");
		log.listened = false;
		begin(log);
		this.#openSoon();
	}

	leave(name: string, follower: Follower): void {
		const log = this.logs.get(name);
		if (!log?.followers.delete(follower) || log.followers.size > 0) return;
		this.logs.delete(name);
		this.#openSoon();
	}

	/** Says what is true now. */
	judge(): void {
		for (const log of this.logs.values()) {
			const connection = this.#connection(log);
			for (const [follower, before] of log.followers) {
				if (before === connection.name) continue;
				log.followers.set(follower, connection.name);
				follower.changed(connection, this.#stream.news);
			}
		}
	}

	/** Somebody looks; in doubt, because the network has changed, even an open connection is made anew. */
	hurry(doubt: boolean): void {
		if (this.#followed.length > 0) this.#stream.hurry(doubt);
		this.judge();
	}

	sleep(): void {
		this.#stream.close();
	}

	/** Opens the stream for all that is wanted now. */
	open(): void {
		const logs = this.#followed;
		if (logs.length === 0) {
			this.sleep();
			return;
		}
		for (const log of logs) {
			log.listened = true;
			if (!log.live) begin(log);
		}
		this.#stream.open(logs.map(asked));
	}

	/** All that come in one go become one connection. One that waits for its time has all wishes anyway. */
	#openSoon(): void {
		if (this.#opening) return;
		this.#opening = true;
		setTimeout(() => {
			this.#opening = false;
			if (!this.#stream.pausing) this.open();
		});
	}

	get #followed(): Log[] {
		return [...this.logs.values()].filter(({ over, refused }) => !over && !refused);
	}

	#hear(log: Log, event: StreamEvent): void {
		// The stream goes on from the beginning, by itself.
		if (event.kind === "reset") begin(log);
		log.held.push(event);
		log.over = event.kind === "end";
		const complete = log.over || event.kind === "live";
		if (!log.live && !complete && log.held.length < maxHeld) return;
		log.live = true;
		tell(log, log.held);
		log.held = [];
		if (complete) this.judge();
		if (log.over && this.#followed.length === 0) this.sleep();
	}

	/** The stream was answered with something else: asks of each log what has become of it. */
	async #closed(): Promise<void> {
		const logs = this.#followed;
		const outcomes = await Promise.all(logs.map((log) => this.#outcome(log)));
		if (!this.#stream.pausing) return;
		const refused = this.#shown && this.#shown !== "none" && outcomes.includes(401);
		if (refused) {
			console.warn(
				"Stepcast shows what is public, for it refuses the token: make one of scope status.",
			);
			this.#shown = "none";
		}
		for (const [i, log] of logs.entries()) {
			const outcome = outcomes[i] ?? 0;
			// What others see begins anew.
			if (refused) this.#hear(log, { kind: "reset", id: "", data: {} });
			else if (outcome === 204) this.#hear(log, { kind: "end", id: log.cursor });
			else log.refused = outcome;
		}
		// What kept the stream from being opened may be gone with these.
		if (outcomes.some(Boolean)) this.open();
		else this.#stream.later();
		this.judge();
	}

	/** The HTTP status of a stream of this log alone, where there is none: refused, or 204, over; else 0. */
	async #outcome(log: Log): Promise<number> {
		try {
			const { body, status } = await fetch(this.#address([asked(log)]), {
				cache: "no-store",
				signal: AbortSignal.timeout(patience),
			});
			void body?.cancel();
			return status === 200 || status === 408 || status === 429 || status >= 500 ? 0 : status;
		} catch {
			return 0;
		}
	}

	#address(followed: readonly Followed[]): string {
		const token = this.#shown ? `&token=${encodeURIComponent(this.#shown)}` : "";
		return this.server + streamAddress(followed) + token;
	}

	#connection({ over, refused }: Log): Connection {
		const { state, news } = this.#stream;
		if (refused) return { name: "refused", status: refused };
		if (over) return { name: "finished" };
		// A browser that is offline says so, until a server is heard all the same: one on this machine.
		if (lost !== undefined && news <= lost) return { name: "offline" };
		if (state.name !== "live") return state;
		return Date.now() - news > staleAfter
			? { name: "stale" }
			: { ...state, without: this.#shown !== this.token };
	}
}

/** What the address says of a log. */
function asked({ name, cursor, followers }: Log): Followed {
	const wanted = [...followers.keys()].map((follower) => follower.wanted);
	return { log: name, after: cursor, ...union(wanted) };
}

function begin(log: Omit<Log, keyof Replay> & Pick<Replay, "held">): Log {
	const held = log.held.filter(({ kind }) => kind === "reset");
	return Object.assign(log, { cursor: "", held, live: false, over: false });
}

function tell({ followers }: Log, events: readonly StreamEvent[]): void {
	for (const { wanted, receive } of followers.keys()) {
		receive(events.flatMap((event) => toldOf(wanted, event) ?? []));
	}
}

const hubs: PageHub[] = [];
/** When the browser lost its network; undefined while it has one. */
let lost: number | undefined;

/** Follows a log of a server, from its beginning, until the answer is called. */
export function follow(server: string, token: string | undefined, follower: Follower): () => void {
	const { log } = follower.wanted;
	if (!isTaken(follower.wanted)) {
		follower.changed({ name: "refused", status: 400 }, 0);
		return () => {};
	}
	const name = log.toLowerCase();
	let hub = hubs.find(
		({ server: origin, token: key, logs }) =>
			origin === server && key === token && (logs.has(name) || logs.size < maxLogs),
	);
	if (!hub) {
		if (hubs.length === 0) watch();
		hub = new PageHub(server, token);
		hubs.push(hub);
	}
	hub.enter(name, follower);
	return () => hub.leave(name, follower);
}

/** Tells the hubs what happens to the page, and lets them look at the clock once a second. */
function watch(): void {
	const each = (what: (hub: PageHub) => void) => () => hubs.forEach(what);
	const judge = each((hub) => hub.judge());
	const seen = () => document.hidden || each((hub) => hub.hurry(false))();
	addEventListener("online", () => {
		lost = undefined;
		each((hub) => hub.hurry(true))();
	});
	addEventListener("offline", () => {
		lost = Date.now();
		judge();
	});
	// A page may come back from the browser's back/forward cache, but not if it leaves anything open.
	addEventListener(
		"pagehide",
		each((hub) => hub.sleep()),
	);
	addEventListener("pageshow", ({ persisted }) => persisted && each((hub) => hub.open())());
	document.addEventListener("visibilitychange", seen);
	setInterval(judge, 1_000);
}
