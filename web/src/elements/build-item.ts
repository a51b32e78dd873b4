import { css, html, LitElement, nothing } from "lit";
import type { ListedBuild } from "../builds-state.ts";
import { ended, nameOf, type Step } from "../model.ts";
import { buildPath } from "../route.ts";
import "./stepcast-time.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";
import "./step-strip.ts";
import "./time-ago.ts";

/** Names of steps that stand for a title. */
const maxNames = 4;

/** One build in the list: a row, whose cells stand in the columns of the table's grid. */
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
				grid-template-columns: var(--columns);
				align-items: center;
				contain: layout style paint;
				content-visibility: auto;
				contain-intrinsic-size: auto none auto 3.5rem;
				padding: 0.5rem 0;
				font-size: 0.875rem;
			}

			:host(:hover),
			:host(:focus-within) {
				background: var(--panel);
			}

			[role] {
				min-width: 0;
				padding: 0 0.75rem;
				overflow-wrap: anywhere;
			}

			a {
				display: block;
				overflow: hidden;
				color: inherit;
				text-decoration: none;
			}

			/* A name that is written from the right stands where the others do. */
			bdi {
				text-align: left;
			}

			.name {
				display: -webkit-box;
				overflow: hidden;
				color: var(--link);
				font-weight: 600;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
			}

			a:hover .name {
				text-decoration: underline;
			}

			.nameless {
				font-weight: 400;
			}

			.which {
				font-size: 0.8125rem;
			}

			.branch {
				font: 0.8125rem var(--mono);
			}

			.branch bdi,
			.author bdi {
				display: -webkit-box;
				overflow: hidden;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
			}

			time-ago {
				white-space: nowrap;
			}

			@media (max-width: 640px) {
				:host {
					position: relative;
					display: flex;
					flex-wrap: wrap;
					align-items: baseline;
					gap: 0.25rem 0.75rem;
					padding: 0.625rem 0.75rem;
				}

				[role] {
					padding: 0;
				}

				[role]:empty {
					display: none;
				}

				.status {
					flex: 1;
				}

				.took {
					align-self: start;
				}

				.what,
				.steps {
					flex: 0 0 100%;
					order: 1;
				}

				.branch,
				.author {
					order: 2;
				}

				.steps {
					order: 3;
				}

				/* All of a card is its link. */
				a::after {
					position: absolute;
					inset: 0;
					content: "";
				}

				a:focus-visible {
					outline: 0;
				}

				a:focus-visible::after {
					outline: 2px solid var(--link);
					outline-offset: -2px;
				}
			}
		`,
	];

	override render() {
		if (!this.listed) return nothing;
		const { build, steps } = this.listed;
		// Of builds of one commit, a step alone tells which is which.
		const [step] = steps;
		const only =
			build.title && step && steps.length === 1 ? html` · <bdi>${nameOf(step)}</bdi>` : nothing;
		return html`
			<div role="cell" class="status"><stepcast-mark .status=${build.status}></stepcast-mark></div>
			<div role="rowheader" class="what">
				<a href=${buildPath(build.id)}>
					${
						build.title
							? html`<bdi class="name" title=${build.title}>${build.title}</bdi>`
							: html`<bdi class="name nameless">${names(steps)}</bdi>`
					}
					<span class="which"><bdi>${build.project}</bdi> #${build.number}${only}</span>
				</a>
			</div>
			<div role="cell" class="branch">${build.branch ? html`<bdi title=${build.branch}>${build.branch}</bdi>` : nothing}</div>
			<div role="cell" class="author">${build.author ? html`<bdi title=${build.author}>${build.author}</bdi>` : nothing}</div>
			<div role="cell" class="steps">${steps.length > 0 ? html`<step-strip .steps=${steps}></step-strip>` : nothing}</div>
			<div role="cell" class="when muted">${build.started_at ? nothing : "created "}<time-ago .time=${build.started_at ?? build.created_at}></time-ago></div>
			<div role="cell" class="took">${
				build.started_at
					? html`<stepcast-time
							.started=${build.started_at}
							.finished=${build.finished_at}
							.expected=${ended(build.status) ? null : build.expected_s}
							.asof=${this.asof}
						></stepcast-time>`
					: nothing
			}</div>
		`;
	}

	/** What a click would open gets the focus. */
	override focus(): void {
		this.renderRoot.querySelector("a")?.focus();
	}
}

/** "lint, test, deploy and 3 more": builds without a title do not all look alike. */
function names(steps: readonly Step[]): string {
	if (steps.length === 0) return "No title, no steps yet";
	const first = steps.slice(0, maxNames).map(nameOf);
	const more = steps.length - first.length;
	return `${first.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

customElements.define("build-item", BuildItem);
