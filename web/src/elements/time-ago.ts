import { html, LitElement } from "lit";
import { ago, instant, moment } from "../format.ts";
import { Ticking } from "../ticking.ts";

/** A moment in the past, told from now; the title has it in full. */
export class TimeAgo extends LitElement {
	static override properties = { time: {} };
	declare time: string | null | undefined;

	constructor() {
		super();
		new Ticking(this);
	}

	override render() {
		const time = instant(this.time);
		if (time === undefined) return html``;
		return html`<time datetime=${this.time ?? ""} title=${moment(time)}>${ago(time, Date.now())}</time>`;
	}
}

customElements.define("time-ago", TimeAgo);
