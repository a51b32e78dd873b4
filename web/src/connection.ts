import { session } from "./account.ts";
import type { FromHub, FromPage, HubState } from "./hub.ts";
import worker from "./hub-worker.ts?sharedworker&url";
import { buildURL, type StreamEvent } from "./model.ts";
import { get, Refusal, refused } from "./request.ts";
import type { Wanted } from "./subscriber.ts";
import { tokenQuery } from "./token.ts";

/** What a person is told about the connection. Times are in milliseconds since 1970. */
export type Connection =
	| HubState
	/** Open, but without a word for longer than a server is silent whose database answers. */
	| { readonly name: "stale"; readonly news: number }
	| { readonly name: "offline" };

/** The server sends a ping after 15 s of silence: one that is 5 s late is said to be. */
const staleAfter = 20_000;
/** How often a page asks whether its hub is there. */
const askEvery = 3_000;
/** Questions without an answer, after which the hub is dead. Counted, not timed: a page may sleep. */
const maxUnanswered = 3;
/** How often a page whose log has ended, or is gone, asks whether that is still so, while somebody looks. */
const doubtEvery = 60_000;

/** Fired at the window when the server has other pages than this one. */
export const upgraded = "stepcast-upgraded";

/** What one session may see is not for the pages of another, nor what it may not: the hub asks by its name. */
const sessionQuery = session ? `&session=${session}` : "";

const workerAddress = worker + tokenQuery.replace("&", "?");
/** The worker of this page alone, where none can be shared. */
let own: Worker | undefined;
/** Whether a shared worker is worth trying. */
let sharing = "SharedWorker" in globalThis;
/** How many workers have never said a word. */
let mute = 0;

/**
 * The worker's address, after one that never said a word another: a browser lets nobody ask for what it
 * waits for itself, perhaps on a connection that is dead.
 */
const workerName = () => workerAddress + (mute ? `${tokenQuery ? "&" : "?"}again=${mute}` : "");

/** Turns an address into one that the page's policy lets become a worker: the worker's own, and no other. */
const trusted = (() => {
	const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
	return types?.createPolicy("stepcast", {
		createScriptURL(address) {
			if (address !== workerName()) throw new TypeError(`${address} is no script of ours.`);
			return address;
		},
	});
})();

interface TrustedTypes {
	createPolicy(
		name: string,
		rules: { createScriptURL(address: string): string },
	): { createScriptURL(address: string): string };
}

/**
 * One thing that a page follows, through the hub that all pages of the browser share.
 *
 * The hub is watched: one that does not answer is replaced, by another worker, or by one of this page
 * alone when none that is shared starts. So is the page: what it shows as live was vouched for within 20 s, by its own
 * clock, whatever froze it.
 */
export class Subscription {
	#wanted: Wanted;
	readonly #receive: (events: readonly StreamEvent[]) => void;
	readonly #changed: (connection: Connection) => void;

	#port: MessagePort | undefined;
	#connection: Connection = { name: "connecting" };
	#state: HubState = { name: "connecting" };
	/** When the server was last heard of. */
	#news = 0;
	/** The id of the last state that the page was told, or of the end. */
	#known: string | undefined;
	/** When the browser lost its network; undefined while it has one. */
	#lost: number | undefined;
	#onlineOnce = navigator.onLine !== false;
	#unanswered = 0;
	/** Whether the hub at the other end has ever said a word. */
	#answered = false;
	#ticks: ReturnType<typeof setInterval> | undefined;
	/** Whether it is being asked if an ended log may still be seen. */
	#doubting = false;
	/** Whether the browser has brought the page back, and the server has not said yet that it may be seen. */
	#back = false;
	#closed = new AbortController();

	constructor(
		wanted: Wanted,
		receive: (events: readonly StreamEvent[]) => void,
		changed: (connection: Connection) => void,
	) {
		this.#wanted = wanted;
		this.#receive = receive;
		this.#changed = changed;
	}

	open(): void {
		this.#closed = new AbortController();
		const until = { signal: this.#closed.signal };
		addEventListener("online", this.#online, until);
		addEventListener("offline", this.#offline, until);
		addEventListener("pagehide", this.#hidden, until);
		addEventListener("pageshow", this.#shown, until);
		addEventListener("focus", this.#seen, until);
		addEventListener(refused, this.#doubt, until);
		document.addEventListener("visibilitychange", this.#seen, until);
		document.addEventListener("resume", this.#seen, until);
		this.#dial();
	}

	close(): void {
		this.#closed.abort();
		this.#hangUp();
	}

	/** The same log, another step. */
	want(wanted: Wanted): void {
		this.#wanted = wanted;
		this.#say({ say: "want", wanted });
	}

	/** Does not wait for the next attempt. */
	retryNow(): void {
		this.#say({ say: "hurry", doubt: true });
	}

	#dial(): void {
		this.#hangUp();
		if (this.#over()) {
			this.#ticks = setInterval(this.#doubt, doubtEvery);
			return;
		}
		const port = this.#hub();
		this.#port = port;
		this.#unanswered = 0;
		this.#answered = false;
		port.addEventListener("message", (message: MessageEvent<FromHub>) => {
			if (port === this.#port) this.#hear(message.data);
		});
		port.start();
		this.#say({ say: "want", wanted: this.#wanted, known: this.#known });
		this.#ticks = setInterval(this.#tick, askEvery);
		this.#judge();
	}

	#hub(): MessagePort {
		const name = workerName();
		const address = (trusted?.createScriptURL(name) ?? name) as string;
		if (sharing) {
			try {
				const shared = new SharedWorker(address, { name: sessionQuery });
				shared.addEventListener("error", () => {
					if (shared.port === this.#port) this.#replace();
				});
				return shared.port;
			} catch {
				sharing = false;
			}
		}
		const { port1, port2 } = new MessageChannel();
		own ??= new Worker(address, { name: sessionQuery });
		own.postMessage(undefined, [port1]);
		return port2;
	}

	#hangUp(): void {
		clearInterval(this.#ticks);
		this.#say({ say: "bye" });
		this.#port?.close();
		this.#port = undefined;
	}

	/** The hub is dead. One that never lived will not live the next time either. */
	#replace(): void {
		if (!this.#answered) {
			sharing = false;
			mute++;
			void lookForWorker();
		}
		own?.terminate();
		own = undefined;
		if (this.#state.name !== "connecting") this.#state = { name: "reconnecting", at: undefined };
		this.#dial();
	}

	#say(message: FromPage): void {
		this.#port?.postMessage(message);
	}

	#hear(said: FromHub): void {
		this.#answered = true;
		this.#unanswered = 0;
		this.#state = said.state;
		this.#news = said.news;
		if (this.#lost !== undefined && said.news > this.#lost) this.#lost = undefined;
		for (const { kind, id } of said.events) {
			if (kind === "whole" || kind === "snapshot" || kind === "end") this.#known = id;
		}
		if (said.events.length > 0) this.#receive(said.events);
		this.#say({ say: "took", number: said.number });
		if (said.scripts !== undefined && said.scripts !== ownScripts())
			dispatchEvent(new Event(upgraded));
		this.#judge();
		if (this.#over()) this.#dial();
	}

	/**
	 * Nothing comes of a log that has ended, not even that it may be seen no more, or has not ended; nor of one
	 * that is gone, which a runner may create again: that is asked for.
	 */
	readonly #doubt = async (): Promise<void> => {
		const gone =
			this.#state.name === "refused" && this.#state.status === 404 && this.#wanted.log !== "feed";
		if (!(gone || this.#state.name === "finished") || document.hidden || this.#doubting) return;
		this.#doubting = true;
		try {
			const { reset } = await get<{ readonly reset?: string }>(
				`${buildURL(this.#wanted.log)}/events?limit=1&after=${this.#known ?? ""}${sessionQuery}`,
			);
			this.#back = false;
			if ((reset || gone) && this.#over() && !this.#closed.signal.aborted) {
				this.#state = { name: "reconnecting", at: undefined };
				this.#dial();
			}
		} catch (error) {
			// A server that is away says nothing of whether one may.
			if (error instanceof Refusal && error.gone) {
				this.#state = { name: "refused", status: error.status };
				this.#judge();
			}
		}
		this.#doubting = false;
	};

	readonly #tick = (): void => {
		if (this.#unanswered >= maxUnanswered) {
			this.#replace();
			return;
		}
		this.#unanswered++;
		this.#say({ say: "here" });
		this.#judge();
	};

	/** What is true now, as far as this page can know. */
	#judge(): void {
		let connection: Connection = this.#state;
		// A browser that is offline says so; trying goes on underneath.
		if (!this.#over() && this.#lost !== undefined) connection = { name: "offline" };
		else if (connection.name === "live" && Date.now() - this.#news > staleAfter) {
			connection = { name: "stale", news: this.#news };
		}
		if (same(connection, this.#connection)) return;
		if (connection.name === "refused" && this.#back) location.reload();
		if (connection.name === "live") this.#back = false;
		this.#connection = connection;
		this.#changed(connection);
	}

	#over(): boolean {
		return this.#state.name === "finished" || this.#state.name === "refused";
	}

	readonly #online = (): void => {
		this.#onlineOnce = true;
		this.#lost = undefined;
		this.retryNow();
		this.#judge();
	};

	readonly #offline = (): void => {
		// What the browser says means nothing for a server that it reached while offline: one on this machine.
		if (this.#onlineOnce) this.#lost = Date.now();
		this.#judge();
	};

	/** A page that goes may come back from the browser's back/forward cache, but not if it leaves anything open. */
	readonly #hidden = (): void => {
		this.#hangUp();
		own?.terminate();
		own = undefined;
	};

	readonly #shown = (event: PageTransitionEvent): void => {
		if (!event.persisted) return;
		// Who goes back to it may be another person than who has seen it.
		if (this.#state.name === "refused") location.reload();
		this.#back = true;
		if (this.#state.name === "live") this.#state = { name: "reconnecting", at: undefined };
		this.#dial();
		this.#seen();
	};

	/** Somebody looks, perhaps after a sleep. */
	readonly #seen = (): void => {
		if (document.hidden) return;
		this.#judge();
		this.#say({ say: "hurry", doubt: false });
		void this.#doubt();
	};
}

/** A server that has the worker of this page no more has other pages. */
async function lookForWorker(): Promise<void> {
	const answer = await fetch(workerAddress, { method: "HEAD" }).catch(() => undefined);
	if (answer?.status === 404) dispatchEvent(new Event(upgraded));
}

function same(a: Connection, b: Connection): boolean {
	return JSON.stringify(a) === JSON.stringify(b);
}

/** The scripts that this page was loaded with. */
function ownScripts(): string {
	const scripts = document.querySelectorAll("script[src]");
	return [...scripts].map((script) => script.getAttribute("src")).join(" ");
}
