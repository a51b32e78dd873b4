import { css, html, nothing } from "lit";
import { count, counted } from "../format.ts";
import { formatFragment } from "../fragment.ts";
import { keyed } from "../keyed.ts";
import { type Annotation, annotationsOf, type Level, type Notes, placeOf } from "../notes.ts";
import { NoteLists } from "./note-lists.ts";
import "./note-message.ts";
import { stepName } from "./step-name.ts";

const signs: Readonly<Record<Level, string>> = { error: "✗", warning: "!", notice: "i" };

/** Errors, warnings and notices that a build's logs told of, by step, with links to where they stand. */
export class AnnotationList extends NoteLists<Level, Annotation> {
	protected readonly nothing = "No errors, warnings or notices in this build.";

	constructor() {
		super(["error", "warning", "notice"], ["error", "warning"], "kind=annotation&level=");
	}

	static override styles = [
		super.styles,
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

	protected override count(level: Level): number {
		return annotationsOf(this.steps, level);
	}

	protected override label(level: Level) {
		return html`<span class=${level} aria-hidden="true">${signs[level]}</span>
			${counted(this.count(level), level)}`;
	}

	protected override list(level: Level, list: Notes<Annotation>) {
		const total = this.count(level);
		if (total === 0) return nothing;
		const shown = this.first(level, list.notes);
		const steps = this.steps.filter(({ key }) => shown.some(({ step }) => step === key));
		return html`
			<section aria-label=${titles[level]}>
				<h2>${titles[level]} <span class="muted">${count(total)}</span></h2>
				${keyed(
					steps,
					({ key }) => key,
					(step) => html`
						<h3><a href=${formatFragment(step.key)}>${stepName(step)}</a></h3>
						<ul role="list">
							${keyed(
								shown.filter((note) => note.step === step.key),
								({ number }) => number,
								(note) => html`<li>${this.#annotation(note)}</li>`,
							)}
						</ul>
					`,
				)}
				${this.end(level, list, list.notes)}
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
