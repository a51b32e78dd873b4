import { css, html, type PropertyValues } from "lit";
import { lineStyles } from "../elements/line-styles.ts";
import { capital, duration, instant } from "../format.ts";
import { stepFragment } from "../fragment.ts";
import type { Row } from "../line.ts";
import { drawHole, drawLine } from "../log-rows.ts";
import { type Build, ended, nameOf, type Step } from "../model.ts";
import { elided } from "../tree.ts";
import { vars } from "../vars.ts";
import { apply, chosen, noBuild } from "./build-steps.ts";
import { ShownBuild } from "./shown-build.ts";
import { append, emptyTail, maxRows } from "./tail.ts";
import { Watching } from "./watching.ts";

/**
 * The last lines of a step's log, live, and while it grows up to 1,000 of them. The end stays in view until
 * the reader scrolls up. What links a log has are text here: a page shows what a build prints, and leads nowhere.
 *
 * @attr step - key of the step; without it, the one that runs, else the first that failed, else the last that ran
 * @attr {number} lines - how many lines there are at first, and in view: 20, at most 1,000
 * @csspart log - the lines
 * @csspart foot - what there is to say below them: that there is no output yet, or how the step ended
 * @cssprop --stepcast-ansi-0 - the first of a terminal's sixteen colours, up to --stepcast-ansi-15
 */
export class StepcastLog extends ShownBuild {
	static override properties = { ...ShownBuild.properties, step: {}, lines: {} };
	declare step: string | undefined;
	declare lines: string | undefined;

	/** The step whose text is asked for. Until one is, that a build is live says nothing of its text. */
	#asked: string | undefined;

	protected readonly watching = new Watching(
		this,
		() => {
			const { log, step = this.#step?.key } = this;
			this.#asked = step;
			return log ? { log, steps: step ? [step] : [], tail: this.#lines } : undefined;
		},
		{ ...noBuild, tail: emptyTail },
		(state, event) => ({
			...apply(state, event),
			tail: this.#asked ? append(state.tail, event, this.#lines) : state.tail,
		}),
	);

	/** What is drawn of each row, in order. */
	readonly #drawn = new Map<Row, HTMLElement>();
	#follows = true;

	static override styles = [
		ShownBuild.styles,
		lineStyles,
		css`
			.log {
				max-height: var(--stepcast-height, calc(var(--lines) * 1.5em));
				overflow: auto;
				outline-offset: -2px;
				font: 0.9286em / 1.5 var(--mono);
				tab-size: 8;
			}

			.foot {
				border-top: 1px solid var(--line);
			}

			.foot:empty {
				display: none;
			}
		`,
	];

	get #lines(): number {
		const lines = Math.trunc(Number(this.lines));
		return lines > 0 ? Math.min(lines, maxRows) : 20;
	}

	get #step(): Step | undefined {
		const { steps } = this.watching.state;
		return this.step ? steps.find(({ key }) => key === this.step) : chosen(steps);
	}

	protected override shown(build: Build) {
		const step = this.#step;
		const name = elided(step ? nameOf(step) : build.project);
		return html`
			${this.head(step?.status ?? build.status, name, this.#address, `#${build.number}`)}
			<div
				part="log"
				class="log"
				role="region"
				tabindex="0"
				aria-label="Log of step ${name}"
				@scroll=${this.#scrolled}
				${vars({ "--lines": this.#lines })}
			></div>
			<p part="foot" class="foot muted">${this.#foot(step)}</p>
		`;
	}

	/** The address of the step on the server. */
	get #address(): string {
		return this.address + stepFragment(this.#step?.key ?? "");
	}

	/** What there is of the step's text. */
	get #rows(): readonly Row[] {
		const { step, rows } = this.watching.state.tail;
		return step === this.#step?.key ? rows : [];
	}

	/** What there is to say beside the text. */
	#foot(step: Step | undefined): string {
		if (!step) return `This build has no ${this.step ? `step ${this.step}` : "steps yet"}.`;
		const { status, started_at, finished_at, exit_code, log_bytes } = step;
		if (status === "queued") return "Not started yet.";
		const over = ended(status);
		const nothing =
			!this.watching.state.tail.live || this.#rows.length > 0
				? ""
				: this.token?.startsWith("stp_") && (log_bytes || !over)
					? "This token shows no logs. "
					: over
						? "No output. "
						: "No output yet.";
		if (!over) return nothing;
		const [from, to] = [instant(started_at), instant(finished_at)];
		const code = exit_code ? ` with exit code ${exit_code}` : "";
		const time = from && to ? ` after ${duration(to - from)}` : "";
		return `${nothing}${capital(status)}${code}${time}.`;
	}

	/** Draws what is new, and takes away what is no longer here: rows come at the end, and go at the beginning. */
	protected override updated(changed: PropertyValues): void {
		super.updated(changed);
		const log = this.renderRoot.querySelector(".log");
		if (!log || !this.watching.state.build) return;
		const rows = new Set(this.#rows);
		for (const [row, element] of this.#drawn) {
			// Where the log itself was not shown for a while, it is another one.
			if (element.parentNode === log && rows.delete(row)) continue;
			element.remove();
			this.#drawn.delete(row);
		}
		for (const row of rows) {
			const element =
				row.kind === "hole" ? drawHole(row) : drawLine(row, `${this.#address}:L${row.number}`);
			this.#drawn.set(row, element);
			log.append(element);
		}
		if (this.#follows) log.scrollTop = log.scrollHeight;
	}

	#scrolled({ target }: { target: HTMLElement }): void {
		this.#follows = target.scrollTop + target.clientHeight > target.scrollHeight - 4;
	}
}

customElements.define("stepcast-log", StepcastLog);
