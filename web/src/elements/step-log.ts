import { css, html, LitElement, nothing, type PropertyValues, unsafeCSS } from "lit";
import { count, counted, found } from "../format.ts";
import { emptyLog, firstLine, type StepLog as Log, lastLine, maxRows } from "../log.ts";
import { LogRows } from "../log-rows.ts";
import { ended, type Step } from "../model.ts";
import { shared } from "./shared-styles.ts";

/** How near to its end, in pixels, a log counts as being read at its end. */
const nearEnd = 24;

/** How long after a key, a turn of the wheel or the like a scroll may be the reader's, in milliseconds. */
const handed = 250;

/**
 * The log of a step, following its end while it is read there.
 *
 * @csspart line - none; lines are `.line` elements whose textContent is exactly the line
 */
export class StepLog extends LitElement {
	static override properties = {
		step: { attribute: false },
		log: { attribute: false },
		raw: {},
		caughtup: { type: Boolean },
		following: { state: true },
		atEnd: { state: true },
	};
	declare step: Step | undefined;
	declare log: Log;
	/** The address of the whole log. */
	declare raw: string;
	/** Whether all that was written before the page was opened is here. */
	declare caughtup: boolean;
	/** Whether the newest line is kept in view. */
	declare following: boolean;
	/** Whether the end of the log is in view, because it was scrolled to or because all of it fits. */
	declare private atEnd: boolean;

	#rows: LogRows | undefined;
	#top = 0;
	#height = 0;
	/** The last line when the reader left the end. */
	#left = 0;
	/** Runs while a reader has the key, the wheel or the like in hand. */
	#moving: number | undefined;
	readonly #resized = new ResizeObserver(() => {
		this.#stay();
		this.#look();
	});

	constructor() {
		super();
		this.log = emptyLog;
		this.raw = "";
		this.caughtup = false;
		this.following = true;
		this.atEnd = true;
	}

	static override styles = [
		shared,
		css`
			:host {
				position: relative;
				display: flex;
				flex-direction: column;
				min-height: 0;
			}

			.bar {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				justify-content: space-between;
				gap: 0.25rem 1rem;
				padding: 0.375rem 0.75rem;
				border-bottom: 1px solid var(--line);
				background: var(--panel);
				font-size: 0.875rem;
			}

			h2 {
				display: -webkit-box;
				margin: 0;
				overflow: hidden;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
				font-size: 0.9375rem;
				overflow-wrap: anywhere;
			}

			.bar p {
				margin: 0;
			}

			.bar a {
				display: inline-flex;
				align-items: center;
				min-height: 1.5rem;
			}

			[role="region"] {
				flex: 1;
				min-height: 0;
				overflow-y: auto;
				overscroll-behavior: contain;
				padding: 0.5rem 0;
				background: var(--page);
				outline-offset: -2px;
			}

			.rows {
				font: 0.8125rem / 1.5 var(--mono);
				tab-size: 8;
			}

			/* What is out of sight costs no layout: 10,000 lines would take a second. */
			.block {
				content-visibility: auto;
				contain-intrinsic-size: auto 300rem;
			}

			.line {
				position: relative;
				min-height: 1.5em;
				padding: 0 0.75rem 0 5.5rem;
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			.line:hover {
				background: var(--panel);
			}

			.line::before {
				content: attr(data-line);
				position: absolute;
				left: 0;
				width: 4.5rem;
				color: var(--muted);
				text-align: right;
				user-select: none;
			}

			.cut::after {
				content: " (this line goes on in the raw log)";
				color: var(--stale);
			}

			.hole,
			.note {
				margin: 0.25rem 0.75rem 0.25rem 5.5rem;
				padding: 0.125rem 0.5rem;
				border-left: 3px solid currentColor;
				color: var(--stale);
				font-family: var(--font);
			}

			.note {
				border: 0;
				padding-left: 0;
				color: var(--muted);
				font-size: 0.875rem;
			}

			.escape {
				display: none;
			}

			.control::before {
				content: attr(data-caret);
				color: var(--muted);
			}

			.bold {
				font-weight: 700;
			}

			.dim {
				color: var(--muted);
			}

			.italic {
				font-style: italic;
			}

			.underline {
				text-decoration: underline;
			}

			.strike {
				text-decoration: line-through;
			}

			.overline {
				text-decoration: overline;
			}

			.underline.strike {
				text-decoration: underline line-through;
			}

			.underline.overline {
				text-decoration: underline overline;
			}

			.strike.overline {
				text-decoration: line-through overline;
			}

			.underline.strike.overline {
				text-decoration: underline line-through overline;
			}

			.exact {
				color: var(--fg-light);
			}

			.inverse {
				background: var(--text);
				color: var(--page);
			}

			.inverse.exact {
				color: var(--fg-light);
			}

			.on {
				background: var(--bg);
				color: var(--fg);
			}

			@media (prefers-color-scheme: dark) {
				.exact,
				.inverse.exact {
					color: var(--fg-dark);
				}
			}

			.conceal {
				color: transparent;
			}

			.end {
				position: absolute;
				right: 1.25rem;
				bottom: 1rem;
				box-shadow: 0 1px 4px rgb(0 0 0 / 30%);
			}

			@media (max-width: 640px) {
				.line {
					padding-left: 3.5rem;
				}

				.line::before {
					width: 3rem;
					font-size: 0.6875rem;
					line-height: 1.77;
				}

				.hole,
				.note {
					margin-left: 3.5rem;
				}
			}
		`,
		unsafeCSS(
			Array.from({ length: 16 }, (_, i) => `.fg-${i} { color: var(--ansi-${i}); }`).join("\n"),
		),
	];

	override render() {
		const step = this.step;
		if (!step) return nothing;
		const name = step.name || step.key;
		return html`
			<div class="bar">
				<h2><bdi>${name}</bdi></h2>
				${this.#window()}
				<a href=${this.raw}>Raw log</a>
			</div>
			<div
				role="region"
				tabindex="0"
				aria-label="Log of step ${name}"
				@scroll=${this.#scrolled}
				@keydown=${this.#moved}
				@wheel=${this.#moved}
				@touchmove=${this.#moved}
				@pointerdown=${this.#moved}
			>
				<div class="rows"></div>
				${this.#note(step)}
			</div>
			${
				this.following || this.atEnd || this.log.rows === 0
					? nothing
					: html`<button class="end" @click=${this.#toEnd}>${this.#news()}</button>`
			}
		`;
	}

	/** Says what of the log is on the page, when that is not all of it. */
	#window() {
		const first = firstLine(this.log);
		if (first === undefined || first <= 1) return nothing;
		const last = lastLine(this.log);
		return html`<p class="window">
			The newest ${counted(Math.min(maxRows, last - first + 1), "line")} of ${count(last)} are here; lines
			1 to ${count(first - 1)} are in the <a href=${this.raw}>raw log</a>.
		</p>`;
	}

	#note(step: Step) {
		const words = [this.#words(step), found(step)].filter(Boolean).join(" ");
		return words === "" ? nothing : html`<p class="note">${words}</p>`;
	}

	#words(step: Step): string {
		const quiet = this.log.rows === 0;
		const code = step.exit_code ?? undefined;
		switch (step.status) {
			case "queued":
				return "The step has not started.";
			case "skipped":
				return "The step was skipped.";
			case "running":
				return quiet && this.caughtup ? "No output yet." : "";
			case "lost":
				return "The reporter of this step went silent. If it comes back, the log goes on here.";
			default:
				return `${quiet && this.caughtup ? "No output. " : ""}${capital(step.status)}${
					code === undefined ? "" : ` with exit code ${code}`
				}.`;
		}
	}

	#news(): string {
		const lines = lastLine(this.log) - this.#left;
		return lines > 0 ? `↓ ${counted(lines, "new line")}` : "↓ To the end";
	}

	protected override willUpdate(changed: PropertyValues<this>): void {
		const before = changed.get("step");
		if (changed.has("step") && before?.key !== this.step?.key) {
			// A log that is over is read from its start; one that grows or failed, at its end.
			this.following = !this.step || !ended(this.step.status) || this.step.status !== "passed";
			this.#left = lastLine(this.log);
			this.#top = 0;
			this.#rows?.stop();
			this.#rows = undefined;
		}
	}

	protected override updated(changed: PropertyValues<this>): void {
		const parent = this.renderRoot.querySelector<HTMLElement>(".rows");
		if (!parent) return;
		if (!this.#rows) {
			parent.replaceChildren();
			this.#rows = new LogRows(parent);
			this.#resized.disconnect();
			this.#resized.observe(parent);
			this.#resized.observe(this.#region);
			if (!this.following) this.#region.scrollTop = 0;
			this.#rows.show(this.log.blocks, this.following);
		} else if (changed.has("log")) {
			this.#rows.show(this.log.blocks, this.following);
		}
		this.#stay();
	}

	get #region(): HTMLElement {
		const region = this.renderRoot.querySelector<HTMLElement>("[role=region]");
		if (!region) throw new Error("a log with a step has a region");
		return region;
	}

	#stay(): void {
		if (!this.following || !this.step || this.#moving !== undefined) return;
		const region = this.#region;
		region.scrollTop = region.scrollHeight;
		this.#top = region.scrollTop;
		this.#height = region.scrollHeight;
	}

	/**
	 * Looks whether there is an end to go to. A log that is followed is at its end by definition: a
	 * render while a reader begins to scroll away would pull them back.
	 */
	#look(): void {
		if (this.step) this.atEnd = this.following || nearItsEnd(this.#region);
	}

	/**
	 * Scrolling up leaves the end, coming back down to it follows again. A log that shrank did neither,
	 * unless a reader has the key or the wheel in hand: what comes into view on the way up gets its real
	 * height, which may be less than the one assumed.
	 */
	#scrolled(): void {
		const region = this.#region;
		const { scrollTop, scrollHeight } = region;
		const up = scrollTop < this.#top;
		if (nearItsEnd(region)) {
			this.following ||= scrollTop > this.#top;
		} else if (up && (this.#moving !== undefined || scrollHeight >= this.#height)) {
			this.#leave();
		}
		this.#look();
		this.#top = scrollTop;
		this.#height = scrollHeight;
	}

	/**
	 * A reader does what may scroll the log. Where that says by itself which way, it is done at once;
	 * else #scrolled sees it, and until then nothing else moves the log: that would stop the reader's
	 * own movement before it began.
	 */
	readonly #moved = {
		passive: true,
		handleEvent: (event: Event): void => {
			clearTimeout(this.#moving);
			if (event instanceof KeyboardEvent && event.key === "End") {
				// In a log that grows fast, the end has moved on when a scroll has come to it.
				this.#moving = undefined;
				this.following = true;
				return;
			}
			if (goesUp(event)) this.#leave();
			this.#moving = window.setTimeout(() => {
				this.#moving = undefined;
				this.#stay();
				this.#look();
			}, handed);
		},
	};

	/** Leaves the end to those who read something else, if there is anything else. */
	#leave(): void {
		const region = this.#region;
		if (!this.following || region.scrollHeight <= region.clientHeight) return;
		this.following = false;
		this.#left = lastLine(this.log);
	}

	#toEnd(): void {
		this.following = true;
		this.#region.focus();
	}
}

function nearItsEnd({ scrollTop, scrollHeight, clientHeight }: HTMLElement): boolean {
	return scrollHeight - scrollTop - clientHeight <= nearEnd;
}

/** Whether a key or a turn of the wheel asks for what is above. */
function goesUp(event: Event): boolean {
	if (event instanceof KeyboardEvent) return ["Home", "PageUp", "ArrowUp"].includes(event.key);
	return event instanceof WheelEvent && event.deltaY < 0;
}

function capital(word: string): string {
	return word.slice(0, 1).toUpperCase() + word.slice(1);
}

customElements.define("step-log", StepLog);
