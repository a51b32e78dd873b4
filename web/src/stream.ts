import { kinds, type StreamEvent } from "./model.ts";

/** What a person is told about the connection. Times are in milliseconds since 1970. */
export type Connection =
	| { readonly name: "connecting" }
	| { readonly name: "live" }
	/** Open, but without a word for longer than the server is ever silent. */
	| { readonly name: "stale"; readonly news: number }
	/** At is when the next attempt starts; undefined while one is under way. */
	| { readonly name: "reconnecting"; readonly at: number | undefined }
	| { readonly name: "offline" }
	| { readonly name: "finished" }
	/** Not signed in (401), no such build (404, or 400 if this is no id), or refused otherwise. There is no retry. */
	| { readonly name: "refused"; readonly status: number };

/** The server sends a ping after 15 s of silence, so three missing ones mean that something is wrong. */
export const staleAfter = 45_000;
/** A connection that stays silent is given up a little later, and made anew. */
const giveUpAfter = 60_000;
const maxBackoff = 30_000;

/**
 * Follows one stream of the server to its end, across any number of broken connections.
 *
 * The EventSource resumes by itself while it may: it honours the server's pace (`retry:`) and sends
 * `Last-Event-ID`. Any answer but 200 closes it for good, without telling why; then one JSON page of
 * the same address tells apart what is over, what is refused and what will pass, and a new
 * EventSource goes on from the cursor.
 */
export class Stream {
	readonly #address: URL;
	readonly #receive: (event: StreamEvent) => void;
	readonly #changed: (connection: Connection) => void;

	#source: EventSource | undefined;
	#connection: Connection = { name: "connecting" };
	/** The last cursor seen: where a new EventSource goes on. */
	#cursor = "";
	#attempts = 0;
	#news = 0;
	#watchdog: ReturnType<typeof setTimeout> | undefined;
	#retry: ReturnType<typeof setTimeout> | undefined;
	#probe: AbortController | undefined;
	#onlineOnce = navigator.onLine !== false;

	/** The address may ask for a tail; that holds until there is a cursor. */
	constructor(
		address: URL,
		receive: (event: StreamEvent) => void,
		changed: (connection: Connection) => void,
	) {
		this.#address = address;
		this.#receive = receive;
		this.#changed = changed;
	}

	open(): void {
		addEventListener("online", this.#online);
		addEventListener("offline", this.#offline);
		addEventListener("pageshow", this.#shown);
		this.#connect({ name: "connecting" });
	}

	close(): void {
		removeEventListener("online", this.#online);
		removeEventListener("offline", this.#offline);
		removeEventListener("pageshow", this.#shown);
		this.#stop();
	}

	/** Does not wait for the next attempt. */
	retryNow(): void {
		if (this.#over()) return;
		this.#connect({ name: "reconnecting", at: undefined });
	}

	#connect(as: Connection): void {
		this.#stop();
		this.#become(as);
		const source = new EventSource(this.#resumeAt(this.#address));
		this.#source = source;
		for (const kind of kinds) {
			source.addEventListener(kind, (message) => {
				if (source === this.#source) this.#hear(kind, message);
			});
		}
		source.addEventListener("error", () => {
			if (source === this.#source) this.#broken(source);
		});
		this.#heard();
	}

	#hear(kind: StreamEvent["kind"], message: MessageEvent<string>): void {
		this.#cursor = message.lastEventId || this.#cursor;
		this.#heard();
		if (kind === "unavailable") {
			// The server answers, and asks for patience: it closes, and the EventSource comes back later.
			this.#become({ name: "reconnecting", at: undefined });
			return;
		}
		this.#attempts = 0;
		this.#receive({ kind, id: message.lastEventId, data: JSON.parse(message.data) } as StreamEvent);
		if (kind === "end") this.#finish();
		else this.#become({ name: "live" });
	}

	#broken(source: EventSource): void {
		if (source.readyState === EventSource.CLOSED) {
			this.#stop();
			this.#ask();
		} else {
			this.#become({ name: "reconnecting", at: undefined });
		}
	}

	/** Asks why the stream was closed for good. */
	async #ask(): Promise<void> {
		this.#become({ name: "reconnecting", at: undefined });
		const probe = new AbortController();
		this.#probe = probe;
		const timeout = setTimeout(() => probe.abort(), 10_000);
		let answer: "over" | "passing" | number = "passing";
		try {
			const page = this.#resumeAt(this.#address);
			page.searchParams.delete("tail");
			page.searchParams.set("limit", "1");
			const response = await fetch(page, {
				headers: { Accept: "application/json" },
				cache: "no-store",
				signal: probe.signal,
			});
			if (final(response.status)) answer = response.status;
			if (response.ok) {
				const { events, end } = (await response.json()) as { events?: unknown[]; end?: boolean };
				if (end && !events?.length) answer = "over";
			}
		} catch {
			// No answer at all will pass too.
		} finally {
			clearTimeout(timeout);
		}
		if (probe !== this.#probe) return;
		this.#probe = undefined;
		if (answer === "over") {
			this.#receive({ kind: "end", id: this.#cursor });
			this.#finish();
		} else if (answer === "passing") {
			this.#retryLater();
		} else {
			this.#become({ name: "refused", status: answer });
		}
	}

	/** Full jitter: after a fault that hit every reader at once, they do not all come back at once. */
	#retryLater(): void {
		const longest = Math.min(maxBackoff, 1_000 * 2 ** this.#attempts++);
		const delay = 100 + Math.random() * longest;
		this.#become({ name: "reconnecting", at: Date.now() + delay });
		this.#retry = setTimeout(() => this.retryNow(), delay);
	}

	#finish(): void {
		this.#stop();
		this.#become({ name: "finished" });
	}

	#heard(): void {
		this.#news = Date.now();
		// Armed once and moved on when it fires: a busy stream does not set a timer per event.
		this.#watchdog ??= setTimeout(this.#check, staleAfter);
	}

	readonly #check = (): void => {
		const silent = Date.now() - this.#news;
		const due = silent < staleAfter ? staleAfter : giveUpAfter;
		if (silent >= giveUpAfter) {
			this.#watchdog = undefined;
			this.#stop();
			this.#retryLater();
			return;
		}
		if (due === giveUpAfter && this.#connection.name === "live") {
			this.#become({ name: "stale", news: this.#news });
		}
		this.#watchdog = setTimeout(this.#check, due - silent);
	};

	#stop(): void {
		this.#source?.close();
		this.#source = undefined;
		this.#probe?.abort();
		this.#probe = undefined;
		clearTimeout(this.#watchdog);
		this.#watchdog = undefined;
		clearTimeout(this.#retry);
		this.#retry = undefined;
	}

	#become(connection: Connection): void {
		if (connection.name === "live" && this.#connection.name === "live") return;
		// A browser that is offline says so; trying goes on underneath.
		if (connection.name === "reconnecting" && this.#offlineNow()) connection = { name: "offline" };
		this.#connection = connection;
		this.#changed(connection);
	}

	/** What the browser says means nothing for a server that it reached while offline: one on this machine. */
	#offlineNow(): boolean {
		return this.#onlineOnce && navigator.onLine === false;
	}

	#over(): boolean {
		return this.#connection.name === "finished" || this.#connection.name === "refused";
	}

	#resumeAt(address: URL): URL {
		const url = new URL(address);
		if (this.#cursor !== "") {
			url.searchParams.delete("tail");
			url.searchParams.set("after", this.#cursor);
		}
		return url;
	}

	readonly #online = (): void => {
		this.#onlineOnce = true;
		this.retryNow();
	};

	readonly #offline = (): void => {
		if (!this.#over() && this.#offlineNow()) this.#become({ name: "offline" });
	};

	/** A page that comes back from the browser's back/forward cache has lost its connection. */
	readonly #shown = (event: PageTransitionEvent): void => {
		if (event.persisted) this.retryNow();
	};
}

/** Whether the same request would be refused again: all that is the asker's fault, but for its timing. */
function final(status: number): boolean {
	return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
