import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { StreamEvent } from "../model.ts";
import { type Connection, follow } from "./page-hub.ts";
import type { Wanted } from "./wishes.ts";

/** An element that watches, and where: the origin of a server, and a status token or none. */
export interface Watcher extends ReactiveControllerHost {
	readonly isConnected: boolean;
	readonly origin: string;
	readonly token: string | undefined;
}

/** Who is moved within a page, or taken out and put in again, has not gone. */
const patience = 1_000;

/**
 * Ties a log to an element: a reducer's state, the state of the connection, and a render in 16 ms at
 * most, however many events arrive.
 *
 * What is wanted is asked of the element before each of its renders; undefined is nothing. The feed
 * begins with `snapshot`; then come `build` and `step` events of what is wanted, and perhaps steps of
 * other builds of these projects. A build begins with its first event; of the text of the steps that are
 * wanted, `log` and `note` events, it tells the last lines only, where `tail` says how many. When more
 * of the same log is wanted, it begins anew with the state that there is: a reducer ignores what it has
 * seen. After `reset` it begins anew with the initial state. After `end` nothing comes.
 */
export class Watching<State> implements ReactiveController {
	state: State;
	connection: Connection = { name: "connecting" };
	/** When the state was last known to be true, in milliseconds since 1970; undefined until it was. */
	asOf: number | undefined;

	readonly #host: Watcher;
	readonly #wanted: () => Wanted | undefined;
	readonly #initial: State;
	readonly #reduce: (state: State, event: StreamEvent) => State;
	/** What is followed, and where, as one text. */
	#followed: string | undefined;
	#log: string | undefined;
	#leave: (() => void) | undefined;
	#leaving: ReturnType<typeof setTimeout> | undefined;
	#due: ReturnType<typeof setTimeout> | undefined;

	constructor(
		host: Watcher,
		wanted: () => Wanted | undefined,
		initial: State,
		reduce: (state: State, event: StreamEvent) => State,
	) {
		this.#host = host;
		this.#wanted = wanted;
		this.#initial = initial;
		this.#reduce = reduce;
		this.state = initial;
		host.addController(this);
	}

	hostConnected(): void {
		clearTimeout(this.#leaving);
		this.#host.requestUpdate();
	}

	hostDisconnected(): void {
		this.#leaving = setTimeout(() => {
			this.#leave?.();
			this.#followed = undefined;
		}, patience);
	}

	hostUpdate(): void {
		const { origin, token } = this.#host;
		const wanted = this.#wanted();
		// Of the feed, other projects and branches are as another log.
		const log =
			wanted && JSON.stringify([origin, token, wanted.log, wanted.projects, wanted.branches]);
		const followed = log && log + JSON.stringify(wanted);
		// Also who has gone is drawn, when an attribute changes.
		if (followed === this.#followed || !this.#host.isConnected) return;
		if (log !== this.#log) {
			this.state = this.#initial;
			this.connection = { name: "connecting" };
			this.asOf = undefined;
		}
		const leave = this.#leave;
		this.#followed = followed;
		this.#log = log;
		this.#leave =
			wanted &&
			follow(origin, token, {
				wanted,
				receive: (events) => {
					if (followed === this.#followed) this.#receive(events);
				},
				changed: (connection, news) => {
					if (followed === this.#followed) this.#changed(connection, news);
				},
			});
		leave?.();
	}

	/** When what is shown was true, in milliseconds since 1970: now, while the server is heard. */
	get now(): number {
		const { name } = this.connection;
		return name === "live" || this.asOf === undefined ? Date.now() : this.asOf;
	}

	/** One after the other, because the reducer may look at the state. */
	#receive(events: readonly StreamEvent[]): void {
		for (const event of events) {
			if (event.kind === "reset") this.state = this.#initial;
			this.state = this.#reduce(this.state, event);
		}
		this.asOf = Date.now();
		this.#schedule();
	}

	#changed(connection: Connection, news: number): void {
		if (this.connection.name === "live") this.asOf = news;
		this.connection = connection;
		this.#schedule();
	}

	#schedule(): void {
		// Not with a frame of the browser's: a page that nobody sees has none, and its scripts are told all the same.
		this.#due ??= setTimeout(() => {
			this.#due = undefined;
			this.#host.requestUpdate();
		}, 16);
	}
}
