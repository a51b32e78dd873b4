import {
	type CSSResultGroup,
	css,
	html,
	LitElement,
	nothing,
	type PropertyDeclarations,
	type PropertyValues,
} from "lit";
import { count } from "../format.ts";
import type { Step } from "../model.ts";
import { mostNotes, type Note, Notes } from "../notes.ts";
import { shared } from "./shared-styles.ts";
import { stepNameStyles } from "./step-name.ts";

/** What the lists look like, whatever is in them. */
const listStyles = css`
	:host {
		font-size: 0.875rem;
	}

	.bar,
	.bar [role="group"] {
		display: flex;
		flex-wrap: wrap;
		align-items: center;
		gap: 0.5rem;
	}

	.bar {
		margin-bottom: 0.75rem;
	}

	.bar label {
		display: flex;
		flex: 1 1 14rem;
		align-items: center;
		gap: 0.5rem;
		max-width: 26rem;
	}

	.bar input {
		flex: 1;
		min-width: 0;
	}

	h2 {
		margin: 1rem 0 0.25rem;
		font-size: 0.9375rem;
	}

	h3 {
		margin: 0.75rem 0 0;
		font-size: 0.875rem;
		overflow-wrap: anywhere;
	}

	ul {
		margin: 0;
		padding: 0;
		list-style: none;
	}

	li {
		padding: 0.4375rem 0;
		border-bottom: 1px solid var(--line);
		content-visibility: auto;
		contain-intrinsic-size: auto 2.25rem;
	}

	.head {
		display: flex;
		flex-wrap: wrap;
		align-items: baseline;
		gap: 0.125rem 0.75rem;
	}

	.head stepcast-mark {
		flex: none;
		translate: 0 0.125em;
	}

	.name {
		flex: 1 1 16rem;
		min-width: 0;
		overflow-wrap: anywhere;
	}

	.took {
		color: var(--muted);
		white-space: nowrap;
	}

	.head a,
	td a,
	th a,
	h3 a {
		display: inline-block;
		min-height: 1.5rem;
		overflow-wrap: anywhere;
	}

	.failed,
	.error {
		color: var(--failed);
	}

	@media (pointer: coarse) {
		.head a,
		td a,
		th a,
		h3 a {
			min-height: 2.75rem;
		}

		.head a,
		h3 a {
			padding-block: 0.625rem;
		}
	}
`;

/** Rows that a list shows at first, and more each time that someone asks. */
const rowsAtOnce = 100;

/**
 * Lists of a build's notes, one of each kind, of which the reader chooses those to see. What nobody
 * looks at is not loaded.
 */
export abstract class NoteLists<Kind extends string, N extends Note> extends LitElement {
	static override properties: PropertyDeclarations = {
		build: {},
		steps: { attribute: false },
		wanted: { state: true },
		rows: { state: true },
	};
	/** The build's id. */
	declare build: string;
	declare steps: readonly Step[];
	declare private wanted: ReadonlySet<Kind>;
	/** How many rows of a list are shown at most, where somebody wanted more. */
	declare private rows: ReadonlyMap<Kind, number>;

	readonly #kinds: readonly Kind[];
	readonly #lists: ReadonlyMap<Kind, Notes<N>>;

	/** The filter, with the kind after it, is a query of the list of notes. */
	constructor(kinds: readonly Kind[], wanted: readonly Kind[], filter: string) {
		super();
		this.build = "";
		this.steps = [];
		this.wanted = new Set(wanted);
		this.rows = new Map();
		this.#kinds = kinds;
		this.#lists = new Map(kinds.map((kind) => [kind, new Notes<N>(this, filter + kind)]));
	}

	static override styles: CSSResultGroup = [shared, listStyles, stepNameStyles];

	/** How many notes of a kind the build has. */
	protected abstract count(kind: Kind): number;

	/** What stands where there is nothing of any kind. */
	protected abstract readonly nothing: string;

	/** What the button says that shows a list, or hides it. */
	protected abstract label(kind: Kind): unknown;

	/** A list under its heading. */
	protected abstract list(kind: Kind, list: Notes<N>): unknown;

	/** What stands beside the buttons, and what above the lists. */
	protected beside(): unknown {
		return nothing;
	}
	protected above(): unknown {
		return nothing;
	}

	protected override willUpdate(_changed: PropertyValues): void {
		for (const [kind, list] of this.shown) list.want(this.build, this.count(kind));
	}

	override render() {
		if (this.#kinds.every((kind) => this.count(kind) === 0)) {
			return html`<p class="muted">${this.nothing}</p>`;
		}
		return html`
			<div class="bar">
				<span role="group" aria-label="What to show">
					${this.#kinds.map(
						(kind) => html`<button
							aria-pressed=${this.wanted.has(kind)}
							@click=${() => {
								const wanted = new Set(this.wanted);
								if (!wanted.delete(kind)) wanted.add(kind);
								this.wanted = wanted;
							}}
						>
							${this.label(kind)}
						</button>`,
					)}
				</span>
				${this.beside()}
			</div>
			${this.above()}
			${this.shown.map(([kind, list]) => this.list(kind, list))}
			${this.wanted.size === 0 ? html`<p class="muted">Choose above what to show.</p>` : nothing}
		`;
	}

	/** The lists that the reader wants to see. */
	protected get shown() {
		return [...this.#lists].filter(([kind]) => this.wanted.has(kind));
	}

	/** Of what fits in a list, the rows that are shown now. */
	protected first(kind: Kind, fitting: readonly N[]): readonly N[] {
		return fitting.slice(0, this.rows.get(kind) ?? rowsAtOnce);
	}

	/** What stands below the rows of a list: what it does, and how to get more of it. */
	protected end(kind: Kind, list: Notes<N>, fitting: readonly N[]) {
		if (list.state === "failed") {
			return html`<p role="alert">
				The list could not be loaded. <button @click=${() => list.load()}>Try again</button>
			</p>`;
		}
		const loading = list.state === "loading";
		if (loading && list.notes.length === 0) return html`<p class="muted">Loading…</p>`;
		const rows = this.rows.get(kind) ?? rowsAtOnce;
		if (rows < fitting.length || list.more) {
			return html`<p>
				<button
					?disabled=${loading}
					@click=${() => {
						this.rows = new Map(this.rows).set(kind, rows + rowsAtOnce);
						if (rows + rowsAtOnce > fitting.length && list.more) list.load();
					}}
				>
					${loading ? "Loading…" : "Show more"}
				</button>
			</p>`;
		}
		if (list.full) {
			return html`<p class="muted">
				The first ${count(mostNotes)} are here; the API has all of them.
			</p>`;
		}
		return nothing;
	}
}
