import { css, html, LitElement, nothing } from "lit";
import type { Match, Query } from "../search.ts";
import { straight } from "../turning.ts";
import { shared } from "./shared-styles.ts";

/**
 * The field of a search through logs, with its options, its count, and the way from match to match.
 *
 * @fires query - what to look for has changed; detail: Query, of whose step only counts whether there is one
 * @fires move - to the next match (detail 1) or the previous one (-1)
 * @fires only - the list of matches is wanted, or the log again
 */
export class LogSearch extends LitElement {
	static override properties = {
		position: { type: Number },
		only: { type: Boolean },
		brief: { type: Boolean },
		query: { attribute: false },
		found: {},
	};
	/** The place of the current match, from 0; -1: none is. */
	declare position: number;
	declare only: boolean;
	/** Whether there is no room for the options: then they are somewhere else. */
	declare brief: boolean;
	declare query: Query;
	/** What was found, in words: "3 of 1,922". */
	declare found: string;

	constructor() {
		super();
		this.position = -1;
		this.only = false;
		this.brief = false;
		this.found = "";
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
		`,
	];

	/** Puts the focus into the field. */
	override focus(): void {
		const field = this.renderRoot.querySelector("input");
		field?.focus();
		field?.select();
	}

	override render() {
		const { query } = this;
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
				query.q
					? html`
							<button aria-label="Previous match" title="Previous match (N)" @click=${() => this.#move(-1)}>↑</button>
							<button aria-label="Next match" title="Next match (n)" @click=${() => this.#move(1)}>↓</button>
						`
					: nothing
			}
			<span class="count" role="status">${this.found}</span>
		`;
	}

	/** Buttons that say how to search. */
	options() {
		const { query } = this;
		const all = query.step === undefined;
		return [
			this.#toggle("Aa", "Match case", query.case, { case: !query.case }),
			this.#toggle(".*", "Regular expression", query.regex, { regex: !query.regex }),
			this.#toggle("All steps", "Search the logs of all steps", all, {
				step: all ? "" : undefined,
			}),
			query.q
				? this.#toggle("Only matches", "Only matches, without the other lines", this.only)
				: nothing,
		];
	}

	/** A button that changes what is looked for, or else what is shown of it. */
	#toggle(label: string, title: string, pressed: boolean, change?: Partial<Query>) {
		const act = () => (change ? this.#want(change) : this.dispatchEvent(new Event("only")));
		return html`<button title=${title} aria-label=${title} aria-pressed=${pressed} @click=${act}>
			${this.brief ? title : label}
		</button>`;
	}

	#want(change: Partial<Query>): void {
		const detail = { ...this.query, ...change };
		this.dispatchEvent(new CustomEvent("query", { detail }));
	}

	#move(by: 1 | -1): void {
		this.dispatchEvent(new CustomEvent("move", { detail: by }));
	}

	#pressed(event: KeyboardEvent): void {
		if (event.key === "Enter") {
			// Where the keyboard is on the screen, it lies over the match that was found, if one was in this log.
			if (this.brief) this.dispatchEvent(new Event("leave"));
			if (!this.brief || this.position < 0) this.#move(event.shiftKey ? -1 : 1);
		} else if (event.key === "Escape") {
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
		pieces.push(
			{ text: match.text.slice(from, a), hit: false },
			{ text: match.text.slice(a, b), hit: true },
		);
		from = b;
	}
	pieces.push({ text: match.text.slice(from), hit: false });
	return pieces.map(({ text, hit }) => ({ text: straight(text), hit }));
}

customElements.define("log-search", LogSearch);
