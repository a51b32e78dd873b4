import { css, html, LitElement, type PropertyValues } from "lit";
import type { Status } from "../model.ts";
import { shapes } from "../shapes.ts";
import { shared } from "./shared-styles.ts";

/**
 * A status as a shape and its word. With the attribute `brief` the word is only for screen readers
 * and the tooltip; `label` goes before it there.
 */
export class StepcastMark extends LitElement {
	static override properties = {
		status: { reflect: true },
		brief: { type: Boolean, reflect: true },
		label: {},
	};
	declare status: Status;
	declare brief: boolean;
	declare label: string;

	constructor() {
		super();
		this.status = "queued";
		this.brief = false;
		this.label = "";
	}

	static override styles = [
		shared,
		css`
			:host {
				display: inline-flex;
				align-items: baseline;
				gap: 0.375em;
				color: var(--colour, var(--muted));
				font-weight: 600;
				white-space: nowrap;
			}

			svg {
				flex: none;
				align-self: center;
				width: 1em;
				height: 1em;
				fill: none;
				stroke: currentColor;
				stroke-width: 2.25;
				stroke-linecap: round;
				stroke-linejoin: round;
			}

			.solid {
				fill: currentColor;
			}

			@media (prefers-reduced-motion: no-preference) {
				:host([status="running"]) svg {
					animation: pulse 2s ease-in-out infinite var(--pulse, running);
				}
			}

			@keyframes pulse {
				50% {
					opacity: 0.45;
				}
			}
		`,
	];

	protected override willUpdate(changed: PropertyValues): void {
		if (changed.has("status")) this.style.setProperty("--colour", `var(--${this.status})`);
		if (changed.has("brief") || changed.has("label") || changed.has("status")) {
			if (this.brief) this.title = this.#words();
			else this.removeAttribute("title");
		}
	}

	#words(): string {
		return this.label ? `${this.label}: ${this.status}` : this.status;
	}

	override render() {
		const { line, solid } = shapes[this.status] ?? shapes.queued;
		return html`
			<svg viewBox="0 0 16 16" aria-hidden="true">
				<path d=${line} />
				<path class="solid" d=${solid} />
			</svg>
			<span class=${this.brief ? "unseen" : ""}>${this.brief ? this.#words() : this.status}</span>
		`;
	}
}

customElements.define("stepcast-mark", StepcastMark);
