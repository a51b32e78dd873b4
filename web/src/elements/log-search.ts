import { css, html, LitElement, nothing } from "lit";
import { count } from "../format.ts";
import type { Match, Query, Search } from "../search.ts";
import { shared } from "./shared-styles.ts";

/**
 * The field of a search through logs, with its options, its count, and the way from match to match.
 *
 * @fires query - what to look for has changed; detail: Query
 * @fires move - to the next match (detail 1) or the previous one (-1)
 * @fires only - the list of matches is wanted, or the log again; detail: boolean
 */
export class LogSearch extends LitElement {
	static override properties = {
		search: { attribute: false },
		step: {},
		position: { type: Number },
		only: { type: Boolean },
		brief: { type: Boolean },
		// The search changes in itself; what is new of it makes this element look again.
		query: { attribute: false },
		state: {},
		total: { type: Number },
	};
	declare search: Search | undefined;
	/** The step whose log is on the page. */
	declare step: string;
	/** The place of the current match, from 0; -1: none is. */
	declare position: number;
	declare only: boolean;
	/** Whether there is no room for the options: then they are somewhere else. */
	declare brief: boolean;
	declare query: Query | undefined;
	declare state: string;
	declare total: number;

	constructor() {
		super();
		this.step = "";
		this.position = -1;
		this.only = false;
		this.brief = false;
		this.state = "";
		this.total = 0;
	}

	static override styles = [
		shared,
		css`
			:host {
				display: flex;
				flex: 1 1 20rem;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.25rem;
				max-width: 44rem;
			}

			input[type="search"] {
				flex: 1 1 10rem;
				min-width: 6rem;
			}

			button {
				min-width: 1.75rem;
				padding: 0.125rem 0.375rem;
			}

			.count {
				min-width: 5.5rem;
				text-align: right;
				white-space: nowrap;
			}

			.count:empty {
				min-width: 0;
			}

			.failed {
				color: var(--stale);
				white-space: normal;
			}
		`,
	];

	/** Puts the focus into the field. */
	override focus(): void {
		const field = this.renderRoot.querySelector("input");
		field?.focus();
		field?.select();
	}

	override render() {
		const query = this.search?.query;
		if (!query) return nothing;
		const some = query.q !== "";
		return html`
			<input
				type="search"
				aria-label="Search the logs"
				placeholder="Search"
				autocomplete="off"
				spellcheck="false"
				maxlength="1000"
				.value=${query.q}
				@input=${(event: InputEvent) => this.#want({ q: (event.target as HTMLInputElement).value })}
				@keydown=${this.#pressed}
			/>
			${this.brief ? nothing : this.options()}
			${
				some
					? html`
							<button aria-label="Previous match" title="Previous match (N)" @click=${() => this.#move(-1)}>↑</button>
							<button aria-label="Next match" title="Next match (n)" @click=${() => this.#move(1)}>↓</button>
						`
					: nothing
			}
			<span class="count ${this.search?.state === "failed" ? "failed" : ""}" role="status">${this.#count()}</span>
			${
				this.search?.state === "failed"
					? html`<button @click=${() => this.search?.retry()}>Try again</button>`
					: nothing
			}
		`;
	}

	/** Buttons that say how to search. */
	options() {
		const query = this.search?.query;
		if (!query) return nothing;
		const all = query.step === undefined;
		return [
			this.#toggle("Aa", "Match case", query.case, () => this.#want({ case: !query.case })),
			this.#toggle(".*", "Regular expression", query.regex, () =>
				this.#want({ regex: !query.regex }),
			),
			this.#toggle("All steps", "Search the logs of all steps", all, () =>
				this.#want({ step: all ? this.step : undefined }),
			),
			query.q === ""
				? nothing
				: this.#toggle("Only matches", "Only matches, without the other lines", this.only, () =>
						this.dispatchEvent(new CustomEvent("only", { detail: !this.only })),
					),
		];
	}

	#toggle(label: string, title: string, pressed: boolean, act: () => void) {
		return html`<button title=${title} aria-label=${title} aria-pressed=${pressed} @click=${act}>
			${this.brief ? title : label}
		</button>`;
	}

	/** "3 of 1,922" */
	#count(): string {
		const search = this.search;
		switch (search?.state) {
			case "searching":
				return "Searching…";
			case "failed":
				return search.failed;
			case "found": {
				if (search.total === 0) return "No matches";
				const total = `${count(search.total)}${search.atLeast ? "+" : ""}`;
				return this.position < 0
					? `${total} ${search.total === 1 ? "line" : "lines"}`
					: `${count(this.position + 1)} of ${total}`;
			}
			default:
				return "";
		}
	}

	#want(change: Partial<Query>): void {
		if (!this.search) return;
		const query = { ...this.search.query, ...change };
		this.dispatchEvent(new CustomEvent<Query>("query", { detail: query }));
	}

	#move(by: 1 | -1): void {
		this.dispatchEvent(new CustomEvent("move", { detail: by }));
	}

	#pressed(event: KeyboardEvent): void {
		// Where the keyboard is on the screen, it lies over the match that was found.
		if (event.key === "Enter" && this.brief) this.dispatchEvent(new Event("leave"));
		else if (event.key === "Enter") this.#move(event.shiftKey ? -1 : 1);
		else if (event.key === "Escape") {
			this.#want({ q: "" });
			this.dispatchEvent(new Event("leave"));
		} else return;
		event.preventDefault();
		event.stopPropagation();
	}
}

/** A match in two kinds of pieces: what matched, and what stands around it. */
export function marked(match: Match): { text: string; hit: boolean }[] {
	const pieces: { text: string; hit: boolean }[] = [];
	let from = 0;
	for (const [start, end] of match.ranges) {
		const [a, b] = [start - match.at, end - match.at];
		if (a < from || b > match.text.length) continue;
		if (a > from) pieces.push({ text: match.text.slice(from, a), hit: false });
		pieces.push({ text: match.text.slice(a, b), hit: true });
		from = b;
	}
	if (from < match.text.length) pieces.push({ text: match.text.slice(from), hit: false });
	return pieces;
}

customElements.define("log-search", LogSearch);
