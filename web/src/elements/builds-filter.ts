import { css, html, LitElement, nothing } from "lit";
import { everything, type Filter, isEverything, same } from "../filter.ts";
import { type Status, statuses } from "../model.ts";
import { followPrefs, prefs } from "../prefs.ts";
import { shared } from "./shared-styles.ts";

/** Suggestions of a field; more could not be read. */
const maxSuggestions = 200;

/**
 * The filter of the list of builds: project, branch, status, author, and whether that is the reader.
 *
 * @prop filter - the filter that is in force
 * @prop known - what to suggest
 * @fires filter - somebody chose another one: a CustomEvent<Filter>
 */
export class BuildsFilter extends LitElement {
	static override properties = {
		filter: { attribute: false },
		known: { attribute: false },
		asking: { state: true },
	};
	declare filter: Filter;
	declare known: Readonly<Record<"project" | "branch" | "author", readonly string[]>>;
	/** Whether the reader is asked who they are. */
	declare private asking: boolean;

	constructor() {
		super();
		this.filter = everything;
		this.known = { project: [], branch: [], author: [] };
		this.asking = false;
		followPrefs(this);
	}

	static override styles = [
		shared,
		css`
			:host {
				margin-bottom: 0.75rem;
			}

			form {
				display: flex;
				flex-wrap: wrap;
				align-items: end;
				gap: 0.5rem 0.75rem;
			}

			label {
				display: grid;
				flex: 0 1 13rem;
				gap: 0.125rem;
				min-width: 8rem;
				color: var(--muted);
				font-size: 0.8125rem;
			}

			label.status {
				flex-basis: 8rem;
			}

			input,
			select {
				width: 100%;
				min-height: 2rem;
				font: 0.875rem var(--font);
			}

			button {
				min-height: 2rem;
				font-size: 0.875rem;
			}

			a {
				font: 0.875rem / 2rem var(--font);
			}

			p {
				margin: 0.375rem 0 0;
				font-size: 0.875rem;
			}

			p:empty {
				display: none;
			}

			@media (max-width: 640px) {
				form {
					gap: 0.375rem 0.5rem;
				}

				label,
				label.status {
					flex: 1 1 6rem;
					min-width: 6rem;
				}

				label.project {
					flex-basis: 55%;
				}

				label.status {
					order: -1;
				}

				label.project {
					order: -2;
				}
			}
		`,
	];

	override render() {
		const { filter } = this;
		const me = prefs.get("me");
		const mine = me !== "" && filter.author === me;
		return html`
			<form role="search" aria-label="Builds" @submit=${this.#submit} @change=${this.#chosen}>
				${this.#field("project", "Project", "All, or acme/*")}
				${this.#field("branch", "Branch", "All")}
				<label class="status">
					Status
					<select name="status" .value=${filter.status}>
						<option value="" ?selected=${filter.status === ""}>Any</option>
						${statuses.map(
							(status) =>
								html`<option value=${status} ?selected=${filter.status === status}>${status}</option>`,
						)}
					</select>
				</label>
				${this.#field("author", "Author", "All")}
				<button type="button" aria-pressed=${mine} @click=${this.#mine}>Mine</button>
				${
					filter.author !== "" && !mine
						? html`<button type="button" @click=${this.#thisIsMe}>This is me</button>`
						: nothing
				}
				${
					!isEverything(filter)
						? html`<button type="button" @click=${() => this.#choose(everything)}>Clear</button>`
						: nothing
				}
				${filter.project && html`<a href="/embed${location.search}">Embed</a>`}
			</form>
			<p role="status">${
				this.asking
					? "Who are you? Write your name as author, as builds show it, then press “This is me”."
					: ""
			}</p>
		`;
	}

	override focus(): void {
		this.renderRoot.querySelector("input")?.focus();
	}

	#field(name: "project" | "branch" | "author", label: string, placeholder: string) {
		return html`
			<label class=${name}>
				${label}
				<input
					name=${name}
					list="known-${name}"
					dir="auto"
					placeholder=${placeholder}
					maxlength="500"
					autocomplete="off"
					autocapitalize="off"
					spellcheck="false"
					.value=${this.filter[name]}
				/>
				<datalist id="known-${name}">
					${this.known[name].slice(0, maxSuggestions).map((one) => html`<option value=${one}></option>`)}
				</datalist>
			</label>
		`;
	}

	#submit(event: Event): void {
		event.preventDefault();
		this.#chosen();
	}

	/** A field was left, or a suggestion or a status taken. */
	#chosen(): void {
		const form = this.renderRoot.querySelector("form");
		if (!form) return;
		const word = (name: string) => String(new FormData(form).get(name) ?? "").trim();
		this.#choose({
			project: word("project"),
			branch: word("branch"),
			author: word("author"),
			status: word("status") as Status | "",
		});
	}

	#mine(): void {
		const me = prefs.get("me");
		if (me !== "") {
			this.#choose({ ...this.filter, author: this.filter.author === me ? "" : me });
			return;
		}
		this.asking = true;
		this.renderRoot.querySelector<HTMLElement>("[name=author]")?.focus();
	}

	#thisIsMe(): void {
		prefs.set("me", this.filter.author);
		this.asking = false;
		this.renderRoot.querySelector<HTMLElement>("[aria-pressed]")?.focus();
	}

	#choose(filter: Filter): void {
		if (!same(filter, this.filter))
			this.dispatchEvent(new CustomEvent<Filter>("filter", { detail: filter }));
	}
}

customElements.define("builds-filter", BuildsFilter);
