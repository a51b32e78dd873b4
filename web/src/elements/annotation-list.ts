import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { count, counted } from "../format.ts";
import type { Step } from "../model.ts";
import { type Annotation, annotationsOf, type Level, Notes, placeOf } from "../notes.ts";
import { listEnd, listStyles, rowsAtOnce } from "./note-lists.ts";
import "./note-message.ts";
import { shared } from "./shared-styles.ts";
import { stepName, stepNameStyles } from "./step-name.ts";

const levels = ["error", "warning", "notice"] as const satisfies readonly Level[];
const signs: Readonly<Record<Level, string>> = { error: "✗", warning: "!", notice: "i" };

/** Errors, warnings and notices that a build's logs told of, by step, with links to where they stand. */
export class AnnotationList extends LitElement {
	static override properties = {
		build: {},
		steps: { attribute: false },
		wanted: { state: true },
		rows: { state: true },
	};
	/** The build's id. */
	declare build: string;
	declare steps: readonly Step[];
	declare private wanted: ReadonlySet<Level>;
	/** How many rows of each list are shown at most. */
	declare private rows: Readonly<Record<Level, number>>;

	readonly #lists: Readonly<Record<Level, Notes<Annotation>>> = {
		error: new Notes(this, "kind=annotation&level=error"),
		warning: new Notes(this, "kind=annotation&level=warning"),
		notice: new Notes(this, "kind=annotation&level=notice"),
	};

	constructor() {
		super();
		this.build = "";
		this.steps = [];
		this.wanted = new Set(["error", "warning"]);
		this.rows = { error: rowsAtOnce, warning: rowsAtOnce, notice: rowsAtOnce };
	}

	static override styles = [
		shared,
		listStyles,
		stepNameStyles,
		css`
			.warning {
				color: var(--running);
			}

			.notice {
				color: var(--link);
			}

			.sign {
				flex: none;
				width: 1em;
				font-weight: 700;
				text-align: center;
			}

			.where {
				font: 0.8125rem var(--mono);
				overflow-wrap: anywhere;
			}
		`,
	];

	protected override willUpdate(_changed: PropertyValues): void {
		for (const level of levels) {
			if (this.wanted.has(level))
				this.#lists[level].want(this.build, annotationsOf(this.steps, level));
		}
	}

	override render() {
		const all = levels.reduce((sum, level) => sum + annotationsOf(this.steps, level), 0);
		if (all === 0) {
			return html`<p class="muted">No errors, warnings or notices were found in this build.</p>`;
		}
		return html`
			<div class="bar" role="group" aria-label="What to show">
				${levels.map((level) => this.#toggle(level))}
			</div>
			${levels.filter((level) => this.wanted.has(level)).map((level) => this.#list(level))}
			${this.wanted.size === 0 ? html`<p class="muted">Choose above what to show.</p>` : nothing}
		`;
	}

	#toggle(level: Level) {
		return html`<button
			aria-pressed=${this.wanted.has(level)}
			@click=${() => {
				const wanted = new Set(this.wanted);
				if (!wanted.delete(level)) wanted.add(level);
				this.wanted = wanted;
			}}
		>
			<span class=${level} aria-hidden="true">${signs[level]}</span>
			${counted(annotationsOf(this.steps, level), level)}
		</button>`;
	}

	#list(level: Level) {
		const total = annotationsOf(this.steps, level);
		if (total === 0) return nothing;
		const list = this.#lists[level];
		const shown = list.notes.slice(0, this.rows[level]);
		const steps = this.steps.filter(({ key }) => shown.some(({ step }) => step === key));
		return html`
			<section aria-label=${titles[level]}>
				<h2>${titles[level]} <span class="muted">${count(total)}</span></h2>
				${repeat(
					steps,
					({ key }) => key,
					(step) => html`
						<h3><a href="#${encodeURIComponent(step.key)}">${stepName(step)}</a></h3>
						<ul role="list">
							${repeat(
								shown.filter((note) => note.step === step.key),
								({ number }) => number,
								(note) => html`<li>${this.#annotation(note)}</li>`,
							)}
						</ul>
					`,
				)}
				${listEnd(list, shown.length, list.notes.length, () => {
					this.rows = { ...this.rows, [level]: this.rows[level] + rowsAtOnce };
				})}
			</section>
		`;
	}

	/** The head has what fits a line: the title, else the message's first line. The rest stands below, as printed. */
	#annotation(note: Annotation) {
		const { level, title, message, file, file_line, file_column } = note.annotation;
		const [first = "", ...others] = message.split("\n");
		const brief = first.length <= 300 && (!title || others.length === 0);
		const rest = brief ? others.join("\n") : message;
		const place = [file, file_line, file_line && file_column].filter(Boolean).join(":");
		return html`
			<div class="head">
				<span class="sign ${level}" aria-hidden="true">${signs[level]}</span>
				<span class="name">
					<span class="unseen">${level}:</span>
					${title ? html`<bdi><strong>${title}</strong></bdi>` : nothing}
					${brief ? html`<bdi>${first}</bdi>` : nothing}
				</span>
				${place === "" ? nothing : html`<bdi class="where">${place}</bdi>`}
				${
					note.line === null
						? nothing
						: html`<a href=${placeOf(note)}><span class="unseen">${note.step}, </span>line ${count(note.line)}</a>`
				}
			</div>
			${rest.trim() === "" ? nothing : html`<note-message .text=${rest}></note-message>`}
		`;
	}
}

const titles: Readonly<Record<Level, string>> = {
	error: "Errors",
	warning: "Warnings",
	notice: "Notices",
};

customElements.define("annotation-list", AnnotationList);
