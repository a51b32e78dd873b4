import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { StreamEvent } from "./model.ts";
import { type Connection, Stream } from "./stream.ts";

/**
 * Ties a stream to an element: a reducer's state, the state of the connection, and one render a frame
 * however many events arrive in it.
 */
export class Following<State> implements ReactiveController {
	state: State;
	connection: Connection = { name: "connecting" };
	/** When the state was last known to be true: now while live, else the last change of connection. */
	asOf = Date.now();

	readonly #host: ReactiveControllerHost & HTMLElement;
	readonly #reduce: (state: State, event: StreamEvent) => State;
	readonly #stream: Stream;
	#scheduled = false;

	constructor(
		host: ReactiveControllerHost & HTMLElement,
		address: string,
		initial: State,
		reduce: (state: State, event: StreamEvent) => State,
	) {
		this.#host = host;
		this.state = initial;
		this.#reduce = reduce;
		this.#stream = new Stream(
			new URL(address, location.origin),
			(event) => this.update(this.#reduce(this.state, event)),
			(connection) => {
				if (this.connection.name === "live") this.asOf = Date.now();
				if (connection.name === "stale") this.asOf = connection.news;
				this.connection = connection;
				host.dispatchEvent(
					new CustomEvent<Connection>("connection", {
						detail: connection,
						bubbles: true,
						composed: true,
					}),
				);
				this.#schedule();
			},
		);
		host.addController(this);
	}

	hostConnected(): void {
		this.#stream.open();
		addEventListener("stepcast-retry", this.#retry);
	}

	hostDisconnected(): void {
		this.#stream.close();
		removeEventListener("stepcast-retry", this.#retry);
	}

	update(state: State): void {
		if (state === this.state) return;
		this.state = state;
		this.#schedule();
	}

	readonly #retry = (): void => this.#stream.retryNow();

	#schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		const render = () => {
			cancelAnimationFrame(frame);
			clearTimeout(timer);
			this.#scheduled = false;
			this.#host.requestUpdate();
		};
		// A hidden page gets no frames, and its title is still read.
		const frame = requestAnimationFrame(render);
		const timer = setTimeout(render, 250);
	}
}
