import { css, html, LitElement } from "lit";
import type { Status } from "../model.ts";
import { shapes } from "../shapes.ts";
import { shared } from "./shared-styles.ts";

/**
 * A status as a shape and its word. With the attribute `brief` the word is only for screen readers
 * and the tooltip.
 */
export class StepcastMark extends LitElement {
	static override properties = {
		status: { reflect: true },
		brief: { type: Boolean },
	};
	declare status: Status;
	declare brief: boolean;

	constructor() {
		super();
		this.status = "queued";
		this.brief = false;
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

	protected override willUpdate(): void {
		this.style.setProperty("--colour", `var(--${this.status})`);
		if (this.brief) this.title = this.status;
		else this.removeAttribute("title");
	}

	override render() {
		const { line, solid } = shapes[this.status] ?? shapes.queued;
		return html`
			<svg viewBox="0 0 16 16" aria-hidden="true">
				<path d=${line} />
				<path class="solid" d=${solid} />
			</svg>
			<span class=${this.brief ? "unseen" : ""}>${this.status}</span>
		`;
	}
}

customElements.define("stepcast-mark", StepcastMark);
