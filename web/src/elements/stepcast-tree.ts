import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { counted } from "../format.ts";
import { formatFragment } from "../fragment.ts";
import { keyed } from "../keyed.ts";
import type { Step } from "../model.ts";
import { elided, stepTree, type TreeRow } from "../tree.ts";
import "./stepcast-time.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";

/**
 * The steps of a build as links to their logs, in folders where their keys have a slash. A folder
 * shows the worst of its steps and can be folded; the one that holds the selected step opens when
 * that becomes selected.
 */
export class StepcastTree extends LitElement {
	static override properties = {
		steps: { attribute: false },
		selected: {},
		asof: { type: Number },
		folded: { state: true },
	};
	declare steps: readonly Step[];
	/** A step's key. */
	declare selected: string;
	/** As of when, in milliseconds since 1970; 0: now. */
	declare asof: number;
	/** The paths of folded rows. */
	declare private folded: ReadonlySet<string>;

	constructor() {
		super();
		this.steps = [];
		this.selected = "";
		this.asof = 0;
		this.folded = new Set();
	}

	static override styles = [
		shared,
		css`
			ul {
				margin: 0;
				padding: 0;
				list-style: none;
			}

			ul ul {
				margin-left: 0.6875rem;
				padding-left: 0.5rem;
				border-left: 1px solid var(--line);
			}

			.row {
				display: flex;
				align-items: stretch;
			}

			a,
			button {
				display: flex;
				gap: 0.5rem;
				min-height: 2rem;
				padding: 0.3125rem 0.5rem;
				border: 0;
				border-radius: 0.375rem;
				background: none;
				color: var(--text);
				text-align: start;
				text-decoration: none;
				outline-offset: -2px;
			}

			a,
			.folder {
				flex: 1;
				min-width: 0;
			}

			.fold {
				flex: none;
				align-items: center;
				justify-content: center;
				width: 1.75rem;
				padding: 0;
			}

			a:hover {
				background: var(--panel);
			}

			a[aria-current] {
				background: var(--panel);
				box-shadow: inset 3px 0 0 var(--link);
				font-weight: 600;
			}

			stepcast-mark,
			.sign {
				flex: none;
				height: 1.45em;
				align-items: center;
			}

			.sign {
				width: 0.75em;
				color: var(--muted);
			}

			.sign::before {
				content: "▾";
			}

			[aria-expanded="false"] .sign::before {
				content: "▸";
			}

			.what {
				flex: 1;
				min-width: 0;
				overflow-wrap: anywhere;
			}

			.name {
				display: block;
			}

			.folder .name {
				font-weight: 600;
			}

			.key,
			.found,
			.of {
				display: block;
				color: var(--muted);
				font-size: 0.75rem;
				font-weight: 400;
			}

			.key {
				font-family: var(--mono);
			}

			.before {
				color: var(--muted);
			}

			.found {
				color: var(--failed);
			}

			stepcast-time {
				flex: none;
				color: var(--muted);
				font-size: 0.8125rem;
				font-weight: 400;
				line-height: 1.675;
			}

			@media (pointer: coarse) {
				a,
				button {
					min-height: 2.75rem;
					padding-block: 0.625rem;
				}

				.fold {
					width: 2.75rem;
				}
			}
		`,
	];

	protected override willUpdate(changed: PropertyValues<this>): void {
		if (!changed.has("selected")) return;
		const open = [...this.folded].filter((path) => !this.selected.startsWith(`${path}/`));
		if (open.length < this.folded.size) this.folded = new Set(open);
	}

	override render() {
		return this.#rows(stepTree(this.steps));
	}

	protected override updated(changed: PropertyValues<this>): void {
		if (!changed.has("selected")) return;
		this.renderRoot.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
	}

	#rows(rows: readonly TreeRow[]): unknown {
		return html`
			<ul role="list">
				${keyed(
					rows,
					(row) => row.path,
					(row) => html`<li>${this.#row(row)}</li>`,
				)}
			</ul>
		`;
	}

	#row(row: TreeRow) {
		const { path, step, rows } = row;
		if (step && rows.length === 0) return this.#link(row, step);
		const open = !this.folded.has(path);
		return html`
			<div class="row">
				${
					step
						? html`
								<button
									class="fold"
									aria-expanded=${open}
									aria-label="Steps below ${row.label}"
									@click=${() => this.#fold(path, open)}
								>
									<span class="sign"></span>
								</button>
								${this.#link(row, step)}
							`
						: html`
								<button class="folder" aria-expanded=${open} @click=${() => this.#fold(path, open)}>
									<span class="sign" aria-hidden="true"></span>
									<stepcast-mark brief .status=${row.sum.status}></stepcast-mark>
									${this.#what(row)}
								</button>
							`
				}
			</div>
			${open ? this.#rows(rows) : nothing}
		`;
	}

	#link(row: TreeRow, step: Step) {
		return html`
			<a
				href=${formatFragment(step.key)}
				aria-current=${step.key === this.selected ? "true" : nothing}
			>
				<stepcast-mark brief .status=${step.status}></stepcast-mark>
				${this.#what(row)}
			</a>
		`;
	}

	#what({ label, key, step, sum }: TreeRow) {
		const { failures, errors } = step
			? { failures: step.tests?.failed ?? 0, errors: step.annotations?.error ?? 0 }
			: sum;
		const found = [
			failures > 0 && counted(failures, "failed test"),
			errors > 0 && counted(errors, "error"),
		];
		const words = found.filter(Boolean).join(", ");
		// A name needs its key on a line of its own; a part of the key only what comes before it.
		const before = step?.name ? undefined : key?.slice(0, -label.length);
		return html`
			<span class="what">
				<bdi class="name" title=${key ?? label}>
					${before ? html`<span class="before">${elided(before)}</span>` : nothing}${elided(label)}
				</bdi>
				${key === undefined || before ? nothing : html`<bdi class="key" title=${key}>${elided(key)}</bdi>`}
				${step ? nothing : html`<span class="of">${counted(sum.steps, "step")}</span>`}
				${words === "" ? nothing : html`<span class="found">${words}</span>`}
			</span>
			<stepcast-time
				.started=${step ? step.started_at : sum.started}
				.finished=${step ? step.finished_at : sum.finished}
				.asof=${this.asof}
			></stepcast-time>
		`;
	}

	#fold(path: string, open: boolean): void {
		const folded = new Set(this.folded);
		if (open) folded.add(path);
		else folded.delete(path);
		this.folded = folded;
	}
}

customElements.define("stepcast-tree", StepcastTree);
