import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { about, duration, elapsed, instant } from "../format.ts";
import { Ticking } from "../ticking.ts";
import { shared } from "./shared-styles.ts";

/**
 * How long something took, or has been running: then, where an end is expected, with a bar that is full
 * when it has run so long. `asof`, in milliseconds since 1970, stops the clock at what was last known; 0 lets it tick.
 *
 * @prop expected - in seconds; without it there is no bar
 */
export class StepcastTime extends LitElement {
	static override properties = {
		started: {},
		finished: {},
		expected: { type: Number },
		asof: { type: Number },
	};
	declare started: string | null | undefined;
	declare finished: string | null | undefined;
	declare expected: number | null | undefined;
	declare asof: number;

	readonly #ticking = new Ticking(this);

	constructor() {
		super();
		this.asof = 0;
	}

	static override styles = [
		shared,
		css`
			:host {
				display: inline-block;
				vertical-align: top;
			}

			progress {
				display: block;
				width: 100%;
				min-width: 6rem;
				height: 0.375rem;
				margin-top: 0.25rem;
				border: 1px solid var(--running);
				border-radius: 0.25rem;
				overflow: hidden;
				appearance: none;
				forced-color-adjust: none;
				background: transparent;
			}

			progress::-webkit-progress-bar {
				background: transparent;
			}

			progress::-webkit-progress-value {
				background: var(--running);
			}

			progress::-moz-progress-bar {
				background: var(--running);
			}
		`,
	];

	protected override willUpdate(_changed: PropertyValues): void {
		this.#ticking.wanted = Boolean(this.started) && !this.finished && this.asof === 0;
	}

	override render() {
		const from = instant(this.started);
		if (from === undefined) return nothing;
		const to = instant(this.finished);
		if (to !== undefined) return html`${duration(to - from)}`;
		const ran = (this.asof || Date.now()) - from;
		const expected = this.expected ?? 0;
		if (expected <= 0) return html`${elapsed(ran)}`;
		const over = ran > expected * 1_000;
		return html`
			${elapsed(ran)}
			<span class="muted">${over ? `(usually ${about(expected)})` : `of about ${about(expected)}`}</span>
			<progress aria-hidden="true" max=${expected} .value=${ran / 1_000}></progress>
		`;
	}
}

customElements.define("stepcast-time", StepcastTime);
