import { css, html, LitElement, nothing } from "lit";
import type { ListedBuild } from "../builds-state.ts";
import type { Step } from "../model.ts";
import "./run-time.ts";
import { shared } from "./shared-styles.ts";
import "./status-mark.ts";
import "./time-ago.ts";

const maxMarks = 12;

/** One build in the list; its cells stand in the columns of the list's grid. */
export class BuildItem extends LitElement {
	static override properties = { listed: { attribute: false }, asof: { type: Number } };
	declare listed: ListedBuild | undefined;
	declare asof: number;

	constructor() {
		super();
		this.asof = 0;
	}

	static override styles = [
		shared,
		css`
			:host {
				display: grid;
				grid-column: 1 / -1;
				grid-template-columns: subgrid;
				align-items: center;
				padding: 0.5rem 0;
				font-size: 0.875rem;
			}

			:host > * {
				min-width: 0;
				padding: 0 0.75rem;
				overflow-wrap: anywhere;
			}

			.what a {
				display: block;
				font-weight: 600;
				text-decoration: none;
			}

			.what a:hover {
				text-decoration: underline;
			}

			.branch {
				font-family: var(--mono);
				font-size: 0.8125rem;
			}

			.steps {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25rem;
				font-size: 0.75rem;
			}

			.took {
				font-variant-numeric: tabular-nums;
				text-align: right;
				white-space: nowrap;
			}

			@media (max-width: 640px) {
				:host {
					display: flex;
					flex-wrap: wrap;
					gap: 0.25rem 0.75rem;
					padding: 0.5rem 0.75rem;
				}

				:host > * {
					padding: 0;
				}

				:host > :empty {
					display: none;
				}

				:host > .status {
					flex: 1;
				}

				:host > .what {
					flex: 0 0 100%;
					order: 1;
				}

				:host > .branch,
				:host > .author,
				:host > .steps {
					order: 2;
				}
			}
		`,
	];

	override render() {
		if (!this.listed) return nothing;
		const { build, steps } = this.listed;
		return html`
			<span class="status"><status-mark .status=${build.status}></status-mark></span>
			<span class="what">
				<a href="/builds/${build.id}">
					<bdi>${build.project}</bdi> #${build.number}
				</a>
				${build.title ? html`<bdi class="muted">${build.title}</bdi>` : nothing}
			</span>
			<span class="branch">${build.branch ? html`<bdi>${build.branch}</bdi>` : nothing}</span>
			<span class="author">${build.author ? html`<bdi>${build.author}</bdi>` : nothing}</span>
			<span class="steps">${this.#marks(steps)}</span>
			<span class="when muted"><time-ago .time=${build.started_at ?? build.created_at}></time-ago></span>
			<span class="took">${
				build.started_at
					? html`<run-time
							.started=${build.started_at}
							.finished=${build.finished_at}
							.asof=${this.asof}
						></run-time>`
					: nothing
			}</span>
		`;
	}

	#marks(steps: readonly Step[]) {
		const more = steps.length - maxMarks;
		return html`
			${steps
				.slice(0, maxMarks)
				.map(
					(step) =>
						html`<status-mark brief .status=${step.status} .label=${step.name || step.key}></status-mark>`,
				)}
			${more > 0 ? html`<span class="muted">and ${more} more</span>` : nothing}
		`;
	}
}

customElements.define("build-item", BuildItem);
