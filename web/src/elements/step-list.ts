import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Step } from "../model.ts";
import "./run-time.ts";
import { shared } from "./shared-styles.ts";
import "./status-mark.ts";

/** The steps of a build as links to their logs. */
export class StepList extends LitElement {
	static override properties = {
		steps: { attribute: false },
		selected: {},
		asof: { type: Number },
	};
	declare steps: readonly Step[];
	declare selected: string;
	declare asof: number;

	constructor() {
		super();
		this.steps = [];
		this.selected = "";
		this.asof = 0;
	}

	static override styles = [
		shared,
		css`
			:host {
				display: block;
			}

			ol {
				margin: 0;
				padding: 0;
				list-style: none;
			}

			a {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 2rem;
				padding: 0.25rem 0.5rem;
				border-radius: 0.375rem;
				color: var(--text);
				text-decoration: none;
				outline-offset: -2px;
			}

			a:hover {
				background: var(--panel);
			}

			a[aria-current] {
				background: var(--panel);
				box-shadow: inset 3px 0 0 var(--link);
				font-weight: 600;
			}

			bdi {
				display: -webkit-box;
				flex: 1;
				min-width: 0;
				overflow: hidden;
				overflow-wrap: anywhere;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
			}

			run-time {
				flex: none;
				color: var(--muted);
				font-size: 0.8125rem;
				font-weight: 400;
				font-variant-numeric: tabular-nums;
			}

			@media (pointer: coarse) {
				a {
					min-height: 2.75rem;
				}
			}
		`,
	];

	override render() {
		return html`
			<ol role="list">
				${repeat(
					this.steps,
					(step) => step.key,
					(step) => html`
						<li>
							<a
								href="#${encodeURIComponent(step.key)}"
								aria-current=${step.key === this.selected ? "true" : nothing}
							>
								<status-mark brief .status=${step.status}></status-mark>
								<bdi title=${step.name || step.key}>${step.name || step.key}</bdi>
								<run-time
									.started=${step.started_at}
									.finished=${step.finished_at}
									.asof=${this.asof}
								></run-time>
							</a>
						</li>
					`,
				)}
			</ol>
		`;
	}
}

customElements.define("step-list", StepList);
