import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type Connection, Subscription } from "./connection.ts";
import { listening } from "./listening.ts";
import type { StreamEvent } from "./model.ts";
import type { Wanted } from "./subscriber.ts";

/**
 * Ties a log to an element: a reducer's state, the state of the connection, and one render a frame
 * however many events arrive in it.
 *
 * The feed begins with `snapshot`, a build with `whole`; then come `build` and `step` events, and `log`
 * and `note` events of the one step that is wanted. Text is told from `whole` on: what lies before it,
 * the reader asks for after `whole` has come. That holds for every `whole`: one comes first, after each
 * `reset`, when another step is wanted, and when the page was away or too slow. Who was away gets
 * `reset` before it where what it has is of no use: a build whose history was rewound meanwhile, and the
 * feed always. After `end` nothing comes, and all text can be asked for.
 */
export class Following<State> implements ReactiveController {
	state: State;
	connection: Connection = { name: "connecting" };
	/** When the state was last known to be true: now while live, else the last change of connection. */
	asOf = Date.now();

	readonly #host: ReactiveControllerHost & HTMLElement;
	readonly #subscription: Subscription;
	#scheduled = false;

	constructor(
		host: ReactiveControllerHost & HTMLElement,
		wanted: Wanted,
		initial: State,
		reduce: (state: State, event: StreamEvent) => State,
	) {
		this.#host = host;
		this.state = initial;
		this.#subscription = new Subscription(
			wanted,
			(events) => {
				// One after the other, because the reducer may look at the state or update it.
				for (const event of events) this.update(reduce(this.state, event));
			},
			(connection) => {
				if (this.connection.name === "live") this.asOf = Date.now();
				if (connection.name === "stale") this.asOf = connection.news;
				this.connection = connection;
				host.toggleAttribute("over", connection.name === "refused");
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
		listening(host, "stepcast-retry", () => this.#subscription.retryNow());
	}

	hostConnected(): void {
		this.#subscription.open();
	}

	hostDisconnected(): void {
		this.#subscription.close();
	}

	/** Wants the same log, with the text of another step. */
	want(wanted: Wanted): void {
		this.#subscription.want(wanted);
	}

	update(state: State): void {
		if (state === this.state) return;
		this.state = state;
		this.#schedule();
	}

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
