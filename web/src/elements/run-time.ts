import { html, LitElement, type PropertyValues } from "lit";
import { duration, elapsed, instant } from "../format.ts";
import { Ticking } from "../ticking.ts";

/**
 * How long something took, or has been running. `asof`, in milliseconds since 1970, stops the clock
 * at what was last known; 0 lets it tick.
 */
export class RunTime extends LitElement {
	static override properties = { started: {}, finished: {}, asof: { type: Number } };
	declare started: string | null | undefined;
	declare finished: string | null | undefined;
	declare asof: number;

	readonly #ticking = new Ticking(this);

	constructor() {
		super();
		this.asof = 0;
	}

	protected override willUpdate(_changed: PropertyValues): void {
		this.#ticking.wanted = Boolean(this.started) && !this.finished && this.asof === 0;
	}

	override render() {
		const from = instant(this.started);
		if (from === undefined) return html``;
		const to = instant(this.finished);
		return html`${to === undefined ? elapsed((this.asof || Date.now()) - from) : duration(to - from)}`;
	}
}

customElements.define("run-time", RunTime);
