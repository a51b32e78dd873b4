import { css, html, LitElement, nothing } from "lit";
import { count } from "../format.ts";
import { formatFragment } from "../fragment.ts";
import type { Match } from "../search.ts";
import { marked } from "./log-search.ts";
import { shared } from "./shared-styles.ts";

/** How many matches are drawn at once. */
const drawn = 500;

/**
 * The lines that match a search, and no others, each a link to its place.
 *
 * @fires more - the end of what is here is wanted, and there are more matches on the server
 */
export class MatchList extends LitElement {
	static override properties = {
		found: { attribute: false },
		total: { type: Number },
		more: { type: Boolean },
		shown: { state: true },
	};
	declare found: readonly Match[];
	declare total: number;
	/** Whether the server has matches that are not here. */
	declare more: boolean;
	declare private shown: number;

	constructor() {
		super();
		this.found = [];
		this.total = 0;
		this.more = false;
		this.shown = drawn;
	}

	static override styles = [
		shared,
		css`
			:host {
				overflow-y: auto;
				padding: 0.5rem 0;
			}

			h3 {
				margin: 0.5rem 0.75rem 0.25rem;
				font-size: 0.875rem;
				overflow-wrap: anywhere;
			}

			ol {
				margin: 0;
				padding: 0;
				list-style: none;
				font: 0.8125rem / 1.5 var(--mono);
			}

			a {
				display: flex;
				gap: 1rem;
				padding: 0 0.75rem;
				color: var(--text);
				text-decoration: none;
				outline-offset: -2px;
			}

			a:hover {
				background: var(--panel);
			}

			.number {
				flex: none;
				min-width: 5ch;
				color: var(--muted);
				text-align: right;
			}

			.text {
				min-width: 0;
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			mark {
				background: #ffd33d;
				color: #1f2328;
			}

			p {
				margin: 0.75rem;
			}

			@media (pointer: coarse) {
				a {
					padding: 0.5rem 0.75rem;
				}
			}
		`,
	];

	override render() {
		const shown = this.found.slice(0, this.shown);
		const steps = new Map<string, Match[]>();
		for (const match of shown) {
			const list = steps.get(match.step);
			if (list) list.push(match);
			else steps.set(match.step, [match]);
		}
		const rest = this.found.length > shown.length || this.more;
		return html`
			${[...steps].map(
				([step, matches]) => html`
					<h3><bdi>${step}</bdi></h3>
					<ol role="list" aria-label="Matches in ${step}">
						${matches.map(
							(match) => html`<li>
								<a href=${formatFragment(step, [match.line, match.line])}>
									<span class="number">${match.line}</span>
									<span class="text"
										>${match.at > 0 ? "…" : nothing}${marked(match).map(({ text, hit }) =>
											hit ? html`<mark>${text}</mark>` : text,
										)}</span
									>
								</a>
							</li>`,
						)}
					</ol>
				`,
			)}
			${
				shown.length < this.total
					? html`<p>
							${rest ? html`<button @click=${this.#more}>Show more</button>` : nothing}
							<span class="muted">${count(shown.length)} of ${count(this.total)} lines are shown.</span>
						</p>`
					: nothing
			}
		`;
	}

	#more(): void {
		this.shown += drawn;
		if (this.shown >= this.found.length && this.more) this.dispatchEvent(new Event("more"));
	}
}

customElements.define("match-list", MatchList);
