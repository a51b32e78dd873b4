import { css, html, LitElement, type PropertyValues } from "lit";
import { refusal, signIn } from "../account.ts";
import { type Connection, upgraded } from "../connection.ts";
import { clockOrDay, elapsed } from "../format.ts";
import { listening } from "../listening.ts";
import { Ticking } from "../ticking.ts";
import { shared } from "./shared-styles.ts";

/**
 * The state of the page's connection, in words. Figures that change every second are for the eyes
 * alone: a screen reader hears each change of state once.
 *
 * @csspart retry - the button for that
 * @fires stepcast-retry - someone does not want to wait for the next attempt
 */
export class StreamState extends LitElement {
	static override properties = {
		connection: { attribute: false },
		slow: { state: true },
		old: { state: true },
	};
	declare connection: Connection;
	/** Whether the first connection takes long enough to be worth a word. */
	declare private slow: boolean;
	/** Whether the server has newer pages than this one. */
	declare private old: boolean;

	readonly #ticking = new Ticking(this);
	#slowly: ReturnType<typeof setTimeout> | undefined;

	constructor() {
		super();
		this.connection = { name: "connecting" };
		this.slow = false;
		this.old = false;
		listening(this, upgraded, this.#upgraded);
		listening(this, "visibilitychange", this.#unseen, document);
	}

	static override styles = [
		shared,
		css`
			:host {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 1.75rem;
				font-size: 0.875rem;
				color: var(--muted);
				white-space: nowrap;
			}

			button {
				flex: none;
				padding-inline: 0.375rem;
				font-size: inherit;
			}

			.live {
				color: var(--passed);
			}

			.stale,
			.offline,
			.reconnecting {
				color: var(--stale);
			}

			@media (max-width: 640px) {
				:host {
					gap: 0.375rem;
					font-size: 0.75rem;
					line-height: 1.2;
					text-align: right;
					white-space: normal;
					overflow-wrap: anywhere;
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		this.#slowly = setTimeout(() => {
			this.slow = true;
		}, 1_000);
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		clearTimeout(this.#slowly);
	}

	protected override willUpdate(_changed: PropertyValues): void {
		this.#ticking.wanted = this.#waiting;
	}

	override render() {
		const [words, shown] = this.#words();
		return html`
			<span class=${this.connection.name}>
				<span role="status" class="unseen">${words}</span>
				<span aria-hidden="true">${shown}</span>
			</span>
			${signIn(this.connection)}
			<button part="retry" ?hidden=${!this.#waiting || this.old} @click=${this.#retry}>Retry now</button>
			<button ?hidden=${!this.old} @click=${() => location.reload()}>
				New version · Reload
			</button>
		`;
	}

	/** Whether the page waits for the server, which somebody may hurry. */
	get #waiting(): boolean {
		return this.connection.name === "stale" || this.connection.name === "reconnecting";
	}

	/** What is spoken, and what is shown. */
	#words(): readonly [string, string] {
		const connection = this.connection;
		switch (connection.name) {
			case "connecting":
				return this.slow ? ["Connecting", "Connecting…"] : ["", ""];
			case "live":
				return ["Live", "● Live"];
			case "stale":
				return [
					"No news from the server",
					`! No news for ${elapsed(Date.now() - connection.news)}`,
				];
			case "reconnecting": {
				if (connection.at === undefined) return ["Reconnecting", "Reconnecting…"];
				const seconds = Math.max(0, Math.ceil((connection.at - Date.now()) / 1_000));
				return ["Reconnecting", `Reconnecting in ${seconds} s`];
			}
			case "offline":
				return ["Offline", "Offline: showing what was loaded"];
			case "finished":
				return [
					"Finished",
					`Finished ${connection.at === undefined ? "" : clockOrDay(connection.at, Date.now())}`,
				];
			case "refused": {
				const [words] = refusal(connection.status, "");
				return [words, `! ${words}`];
			}
		}
	}

	readonly #upgraded = (): void => {
		this.old = true;
		this.#unseen();
	};

	/**
	 * What nobody sees is loaded anew by itself. Not within its first minute: while servers of two
	 * versions answer in turn, it would never stop.
	 */
	readonly #unseen = (): void => {
		if (this.old && document.hidden && performance.now() > 60_000) location.reload();
	};

	#retry(): void {
		this.dispatchEvent(new Event("stepcast-retry", { bubbles: true, composed: true }));
	}
}

customElements.define("stream-state", StreamState);
