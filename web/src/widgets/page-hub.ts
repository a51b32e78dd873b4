import { buildURL, type StreamEvent } from "../model.ts";
import { backoff, maxLogs, Stream, streamAddress } from "../stream.ts";
import { covers, isPattern, toldOf, union, type Wanted, type Wishes } from "./wishes.ts";

/** What a person is told about the connection of one element. Times are in milliseconds since 1970. */
export type Connection =
	| { readonly name: "connecting" }
	| { readonly name: "live" }
	/** Open, but without a word for longer than the server is ever silent. */
	| { readonly name: "stale"; readonly news: number }
	/** At is when the next attempt starts; undefined while one is under way. */
	| { readonly name: "reconnecting"; readonly at: number | undefined }
	| { readonly name: "offline" }
	/** The log has ended, and all of it was told. */
	| { readonly name: "finished" }
	/** The server refuses what is wanted: the HTTP status. There is no retry. */
	| { readonly name: "refused"; readonly status: number };

/** The server sends a ping after 15 s of silence, so three missing ones mean that something is wrong. */
export const staleAfter = 45_000;
/** A log that nobody follows stays in its stream for so long: elements come and go together. */
const linger = 5_000;
/** How long an answer may take, in milliseconds. */
const patience = 10_000;
/** Events that are kept for somebody who waits for the past. */
const maxHeld = 10_000;

/** Somebody who follows a log. */
export interface Follower {
	readonly wanted: Wanted;
	receive(events: readonly StreamEvent[]): void;
	changed(connection: Connection): void;
}

/**
 * A follower's place. It is told the past first, what it wants of it, then what happens. Who waits wants
 * what it has not been told from its beginning; who has asked for it is not told what happens meanwhile
 * until it is here: that is held back.
 */
interface Seat {
	readonly follower: Follower;
	readonly log: Log;
	phase: "waiting" | "asked" | "joined";
	held: StreamEvent[];
	connection: Connection;
}

interface Log {
	readonly name: string;
	readonly seats: Set<Seat>;
	/** Where its stream goes on. Undefined until the past says where to begin. */
	cursor: string | undefined;
	stream: Stream | undefined;
	/** What the stream's address asks of it; undefined while it is in none: then it is not listened to. */
	asked: Wishes | undefined;
	/** Whether it has ended, and all of it was told. */
	over: boolean;
	/** The HTTP status of a refusal. */
	refused: number | undefined;
	/** Whether its past is on its way. */
	asking: boolean;
	/** Times in a row that it could not be had. */
	failures: number;
	/** When it is asked for again. */
	at: number | undefined;
	/** Since when nobody follows it. */
	idle: number;
}

/**
 * Follows what all elements of a page want of one server, with one token, over one connection, or as
 * many as it takes when they want more logs than one carries.
 *
 * What an element wants begins with the past, by requests of its own: so whoever is refused does not
 * disturb the others, and who comes later does not make them hear again what they know. The past is
 * always asked for after the stream's address carries what is wanted, at a cursor that was known
 * before: so nothing falls between the two, and what is in both is told once.
 */
class PageHub {
	readonly #server: string;
	readonly #token: string;
	readonly #logs = new Map<string, Log>();
	readonly #streams = new Set<Stream>();
	#settling = false;

	constructor(server: string, token: string) {
		this.#server = server;
		this.#token = token;
	}

	get empty(): boolean {
		return this.#logs.size === 0;
	}

	enter(follower: Follower): Seat {
		const name = follower.wanted.log.toLowerCase();
		let log = this.#logs.get(name);
		if (!log || log.refused !== undefined) {
			log = {
				name,
				seats: new Set(),
				cursor: undefined,
				stream: undefined,
				asked: undefined,
				over: false,
				refused: undefined,
				asking: false,
				failures: 0,
				at: undefined,
				idle: 0,
			};
			this.#logs.set(name, log);
		}
		const seat: Seat = {
			follower,
			log,
			phase: "waiting",
			held: [],
			connection: { name: "connecting" },
		};
		if ((follower.wanted.projects ?? []).every(isPattern)) {
			log.seats.add(seat);
			this.#settle();
		} else {
			seat.connection = { name: "refused", status: 400 };
			follower.changed(seat.connection);
		}
		return seat;
	}

	leave(seat: Seat): void {
		seat.log.seats.delete(seat);
		seat.log.idle = Date.now();
	}

	/** Once a second: lets go of what nobody wants, and says what is true now. */
	tick(): void {
		const now = Date.now();
		for (const log of this.#logs.values()) {
			if (log.seats.size === 0 && now - log.idle > linger) this.#drop(log);
			if (log.at !== undefined && log.at <= now) {
				log.at = undefined;
				this.#settle();
			}
		}
		this.judge();
	}

	judge(): void {
		for (const { seats } of this.#logs.values()) for (const seat of seats) tell(seat);
	}

	/** Somebody looks, or the network has changed: then even an open connection is in doubt. */
	hurry(doubt: boolean): void {
		for (const log of this.#logs.values()) if (log.at !== undefined) log.at = 0;
		for (const stream of this.#streams) stream.hurry(doubt);
		this.tick();
	}

	/** The page goes to sleep, and may come back with all that it knows. */
	sleep(): void {
		for (const stream of this.#streams) stream.close();
	}

	wake(): void {
		for (const stream of this.#streams) this.#open(stream);
		this.tick();
	}

	/** Does what the followers wait for, once for all that come in one go. */
	#settle(): void {
		if (this.#settling) return;
		this.#settling = true;
		queueMicrotask(() => {
			this.#settling = false;
			const narrow = new Set<Stream>();
			for (const log of this.#logs.values()) {
				const waiting = [...log.seats].filter(({ phase }) => phase === "waiting");
				if (waiting.length === 0 || log.asking || log.at !== undefined) continue;
				const { asked } = log;
				if (log.stream && asked && !waiting.every((seat) => covers(asked, seat.follower.wanted))) {
					narrow.add(log.stream);
				}
			}
			for (const stream of narrow) if (!stream.pausing) this.#open(stream);
			for (const log of this.#logs.values()) {
				const { asked } = log;
				const waiting = [...log.seats].filter(
					({ phase, follower }) =>
						phase === "waiting" && (asked === undefined || covers(asked, follower.wanted)),
				);
				if (waiting.length > 0 && !log.asking && log.at === undefined) void this.#ask(log, waiting);
			}
		});
	}

	/** Asks for the past on behalf of some. */
	async #ask(log: Log, seats: readonly Seat[]): Promise<void> {
		log.asking = true;
		for (const seat of seats) seat.phase = "asked";
		const wishes = union(seats.map(({ follower }) => follower.wanted));
		const past = await this.#past(log.name, wishes);
		log.asking = false;
		if (this.#logs.get(log.name) !== log) return;
		if (typeof past === "number") {
			this.#refuse(log, past);
			return;
		}
		if (!past) {
			for (const seat of seats) again(seat);
			log.at = Date.now() + backoff(log.failures++);
			this.judge();
			return;
		}
		log.failures = 0;
		if (log.cursor === undefined) {
			log.cursor = past.next;
			log.over = past.end;
		}
		const told = new Set(past.events.map(({ id }) => id));
		for (const seat of seats) {
			if (seat.phase !== "asked") continue;
			seat.phase = "joined";
			const missed = seat.held.filter(({ id }) => !told.has(id));
			seat.held = [];
			hear(seat, [...past.events, ...missed]);
			if (log.over) hear(seat, [{ kind: "end", id: past.next }]);
		}
		if (!log.over && !log.stream) this.#carry(log);
		this.judge();
		this.#settle();
	}

	/** Gives a log a place in a stream. */
	#carry(log: Log): void {
		log.stream = [...this.#streams].find((stream) => this.#carriedBy(stream).length < maxLogs);
		log.stream ??= this.#newStream();
		if (!log.stream.pausing) this.#reopen(log.stream);
	}

	/** Logs that get their pasts at the same time come into the stream together. */
	#reopen(stream: Stream): void {
		setTimeout(() => {
			if (this.#carriedBy(stream).some(({ asked }) => !asked)) this.#open(stream);
		}, 10);
	}

	#carriedBy(stream: Stream): Log[] {
		return [...this.#logs.values()].filter((log) => log.stream === stream);
	}

	#newStream(): Stream {
		const listened = (name: string) => {
			const log = this.#logs.get(name);
			return log?.stream === stream && log.asked ? log : undefined;
		};
		const stream: Stream = new Stream(
			{
				heard: (name, event) => {
					const log = listened(name);
					if (log) this.#hear(log, event);
				},
				moved: (name, cursor) => {
					const log = listened(name);
					if (log) log.cursor = cursor;
				},
				changed: () => this.judge(),
				closed: () => void this.#closed(stream),
				due: () => this.#open(stream),
			},
			(followed) => this.#address(streamAddress(followed)),
		);
		this.#streams.add(stream);
		return stream;
	}

	/** Opens a stream for all that is wanted of it now. */
	#open(stream: Stream): void {
		const logs = this.#carriedBy(stream).filter(({ cursor }) => cursor !== undefined);
		if (logs.length === 0) {
			stream.close();
			this.#streams.delete(stream);
			return;
		}
		for (const log of logs)
			log.asked = union([...log.seats].map(({ follower }) => follower.wanted));
		stream.open(
			logs.map(({ name, cursor = "", asked }) => ({
				log: name,
				after: cursor,
				steps: asked?.steps ?? [],
				filter: name === "feed" && asked ? filterOf(asked) : [],
			})),
		);
		this.#settle();
	}

	#hear(log: Log, event: StreamEvent): void {
		if (event.kind === "end") {
			log.over = true;
			this.#uncarry(log);
		}
		for (const seat of log.seats) {
			if (event.kind === "reset") again(seat);
			if (seat.phase === "asked") {
				if (seat.held.push(event) > maxHeld) again(seat);
			} else if (seat.phase === "joined" || event.kind === "reset") hear(seat, [event]);
		}
		if (event.kind === "reset") {
			// Its history is another one now. What follows in this stream is not listened to.
			this.#uncarry(log);
			log.cursor = undefined;
			this.#settle();
		}
	}

	/** Takes a log out of its stream, which goes on without it when there are others. */
	#uncarry(log: Log): void {
		const { stream } = log;
		log.stream = undefined;
		log.asked = undefined;
		if (stream && this.#carriedBy(stream).length === 0) this.#open(stream);
	}

	#drop(log: Log): void {
		const { stream } = log;
		this.#logs.delete(log.name);
		if (stream && !stream.pausing) this.#open(stream);
	}

	#refuse(log: Log, status: number): void {
		log.refused = status;
		this.#uncarry(log);
		this.judge();
	}

	/** A stream was answered with something else: asks of each log what has become of it. */
	async #closed(stream: Stream): Promise<void> {
		const logs = this.#carriedBy(stream);
		const answers = await Promise.all(logs.map((log) => this.#page(log.name, log.cursor ?? "")));
		if (!this.#streams.has(stream) || !stream.pausing) return;
		let settled = false;
		for (const [i, log] of logs.entries()) {
			const answer = answers[i];
			if (log.stream !== stream || answer === undefined) continue;
			if (typeof answer === "number") this.#refuse(log, answer);
			else if (answer.end && answer.events.length === 0)
				this.#hear(log, { kind: "end", id: answer.next });
			else continue;
			settled = true;
		}
		// What kept the stream from being opened may be gone with these.
		if (settled) this.#open(stream);
		else stream.later();
	}

	/**
	 * All that happened to a log, as far as anybody wants it, and where it goes on; the status of a
	 * refusal; undefined for what will pass.
	 */
	async #past(
		name: string,
		{ steps, tail, ...filter }: Wishes,
	): Promise<Page | number | undefined> {
		const fields =
			name === "feed"
				? filterOf(filter)
				: steps.length > 0
					? [...steps.map((step) => ["step", step]), ...(tail > 0 ? [["tail", String(tail)]] : [])]
					: [["logs", "none"]];
		const query = fields
			.map(([key, value = ""]) => `&${key}=${encodeURIComponent(value)}`)
			.join("");
		let page = await this.#page(name, "", query);
		const events: StreamEvent[] = [];
		while (typeof page === "object") {
			events.push(...page.events);
			if (name === "feed" || page.end || page.events.length === 0) return { ...page, events };
			page = await this.#page(name, page.next, query);
		}
		return page;
	}

	/** Events of a log after a cursor. */
	async #page(name: string, after: string, query = ""): Promise<Page | number | undefined> {
		const path = name === "feed" ? "/api/v1" : buildURL(name);
		const range = after ? `&after=${encodeURIComponent(after)}` : "";
		try {
			const response = await fetch(this.#address(`${path}/events?limit=10000${range}${query}`), {
				headers: { Accept: "application/json" },
				cache: "no-store",
				credentials: "omit",
				signal: AbortSignal.timeout(patience),
			});
			const { status } = response;
			if (status >= 400 && status < 500 && status !== 408 && status !== 429) return status;
			return response.ok ? ((await response.json()) as Page) : undefined;
		} catch {
			return undefined;
		}
	}

	#address(path: string): string {
		return this.#server + path + (this.#token && `&token=${encodeURIComponent(this.#token)}`);
	}
}

interface Page {
	readonly events: readonly StreamEvent[];
	readonly next: string;
	readonly end: boolean;
}

function filterOf({ projects, branches }: Pick<Wishes, "projects" | "branches">) {
	return [
		...projects.map((one) => ["project", one] as const),
		...branches.map((one) => ["branch", one] as const),
	];
}

function again(seat: Seat): void {
	seat.phase = "waiting";
	seat.held = [];
}

function hear({ follower }: Seat, events: readonly StreamEvent[]): void {
	follower.receive(events.flatMap((event) => toldOf(follower.wanted, event) ?? []));
}

function tell(seat: Seat): void {
	const connection = connectionOf(seat);
	if (JSON.stringify(connection) === JSON.stringify(seat.connection)) return;
	seat.connection = connection;
	seat.follower.changed(connection);
}

function connectionOf({ log, phase }: Seat): Connection {
	const { stream, at, refused } = log;
	if (refused !== undefined) return { name: "refused", status: refused };
	if (log.over && phase === "joined") return { name: "finished" };
	const news = stream?.news ?? 0;
	// A browser that is offline says so; trying goes on underneath.
	if (lost !== undefined && news <= lost) return { name: "offline" };
	if (at !== undefined) return { name: "reconnecting", at };
	const state = stream?.state ?? { name: "connecting" };
	if (state.name !== "live") return state;
	if (Date.now() - news > staleAfter) return { name: "stale", news };
	return phase === "joined" ? state : { name: "connecting" };
}

/** One hub for each server and token. */
const hubs = new Map<string, PageHub>();
let started = false;
/** When the browser lost its network; undefined while it has one. */
let lost: number | undefined;
let onlineOnce = navigator.onLine;

/** Follows a log of a server until the answer is called. */
export function follow(server: string, token: string, follower: Follower): () => void {
	if (!started) start();
	const key = `${server} ${token}`;
	const hub = hubs.get(key) ?? new PageHub(server, token);
	hubs.set(key, hub);
	const seat = hub.enter(follower);
	return () => hub.leave(seat);
}

function start(): void {
	started = true;
	const each = (what: (hub: PageHub) => void) => {
		for (const hub of hubs.values()) what(hub);
	};
	addEventListener("online", () => {
		onlineOnce = true;
		lost = undefined;
		each((hub) => hub.hurry(true));
	});
	addEventListener("offline", () => {
		// What the browser says means nothing for a server that it reached while offline: one on this machine.
		if (onlineOnce) lost = Date.now();
		each((hub) => hub.judge());
	});
	// A page may come back from the browser's back/forward cache, but not if it leaves anything open.
	addEventListener("pagehide", () => each((hub) => hub.sleep()));
	addEventListener("pageshow", ({ persisted }) => persisted && each((hub) => hub.wake()));
	const seen = () => document.hidden || each((hub) => hub.hurry(false));
	document.addEventListener("visibilitychange", seen);
	document.addEventListener("resume", seen);
	setInterval(() => {
		for (const [key, hub] of hubs) {
			hub.tick();
			if (hub.empty) hubs.delete(key);
		}
	}, 1_000);
}
