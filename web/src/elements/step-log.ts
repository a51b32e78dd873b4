import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { alone } from "../account.ts";
import {
	capital,
	clockOrDay,
	count,
	counted,
	duration,
	elapsed,
	found,
	instant,
	onlyHere,
	stopwatch,
	timeOfDay,
} from "../format.ts";
import { formatFragment } from "../fragment.ts";
import { Highlights } from "../highlights.ts";
import { Keys } from "../keys.ts";
import { seen } from "../line.ts";
import { Lines } from "../lines.ts";
import { listening, returning } from "../listening.ts";
import { LogText } from "../log-text.ts";
import { LogView } from "../log-view.ts";
import { type Build, ended, nameOf, type Step, stepPath, stepURL } from "../model.ts";
import { followPrefs, type Preferences, prefs } from "../prefs.ts";
import { type Match, type Query, Search } from "../search.ts";
import { StepNotes } from "../step-notes.ts";
import { Ticking } from "../ticking.ts";
import "./copy-button.ts";
import "./log-search.ts";
import type { LogSearch } from "./log-search.ts";
import { logStyles } from "./log-styles.ts";
import "./match-list.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";

/** How near to its end, in pixels, a log counts as being read at its end. */
const nearEnd = 24;
/** How long after a key, a turn of the wheel or the like a scroll may be the reader's, in milliseconds. */
const handed = 250;
/** How often a screen reader is told of new lines, in milliseconds. */
const quiet = 5_000;
/** How long what was done stays in sight, in milliseconds. */
const saying = 4_000;
/** How long a running step may be silent without a word, in milliseconds. */
const mostSilent = 30_000;
/** How long a server may be away without a word here, where on its side a phone shows nothing but the log. */
const mostAway = 5_000;
/** Bytes of a log that are copied as one. */
const mostCopied = 32 << 20;

/**
 * The log of a step: a window of it that goes wherever the reader goes, following its end while it is
 * read there.
 *
 * @fires lines - the reader marked lines, or none; detail: [first, last] or undefined
 * @fires step - a match in another step's log is wanted; detail: its Match
 */
export class StepLog extends LitElement {
	static override properties = {
		build: { attribute: false },
		step: { attribute: false },
		text: { attribute: false },
		notes: { attribute: false },
		marked: { attribute: false },
		told: { attribute: false },
		over: { attribute: false },
		asof: { type: Number },
		following: { state: true },
		atEnd: { state: true },
		only: { state: true },
		position: { state: true },
		going: { state: true },
		failed: { state: true },
		heard: { state: true },
		said: { state: true },
	};
	declare build: Build | undefined;
	declare step: Step | undefined;
	declare text: LogText;
	declare notes: StepNotes;
	/** The lines that the address names. */
	declare marked: readonly [first: number, last: number] | undefined;
	/** Whether the text is told. Until it is, nobody knows whether there is any. */
	declare told: boolean;
	/** Whether nothing more will come, whatever the step's status: access has ended. */
	declare over: boolean;
	/** When what is here was last true, in milliseconds since 1970; 0: now. Then nobody knows what is silent. */
	declare asof: number;
	/** Whether the newest line is kept in view. */
	declare following: boolean;
	/** Whether the end of the log is in view, because it was scrolled to or because all of it fits. */
	declare private atEnd: boolean;
	/** Whether only the lines that match are shown. */
	declare private only: boolean;
	/** The current match; -1: none is. */
	declare private position: number;
	/** Whether the reader is asked for a line to go to. */
	declare private going: boolean;
	declare private failed: string;
	/** What a screen reader hears next. */
	declare private heard: string;
	/** What was just done, to be seen for a while. */
	declare private said: string;

	readonly #search = new Search(
		this,
		() => this.build?.id ?? "",
		() => this.#searched(),
	);
	readonly #ticking = new Ticking(this);
	/** Whether the logs of all steps are searched. */
	#everywhere = false;
	/** Whether something has come that is not shown yet. */
	#grown = false;
	/** The marks that the lines which are drawn carry. */
	#marks: StepNotes["marks"] = [];
	#view: LogView | undefined;
	#lines: Lines | undefined;
	#shown: { key: string; text: LogText } | undefined;
	/** Whether where to begin still depends on the groups and on what went wrong: the reader has not moved. */
	#opening = false;
	/** Whether the first match of a new search is still to be gone to, or the one after what is loaded. */
	#seeking: "first" | "next" | undefined;
	/** The group that was folded by key last. */
	#toggled: number | undefined;
	#silence: ReturnType<typeof setTimeout> | undefined;
	#top = 0;
	/** How long the log was when the reader left its end. */
	#left = 0;
	/** How much of it a screen reader was told of, and when. */
	#said = { lines: 0, at: 0 };
	/** Runs while a reader has the key, the wheel or the like in hand. */
	#moving: number | undefined;
	/** Whether the pointer has marked lines on its way, so that the click at its end marks none. */
	#dragged = false;
	/** Whether it is a finger, which has no Shift, and scrolls when it drags. */
	#finger = false;
	/** The line, if any, that a finger's next one goes on from. */
	#begun = 0;
	/** Whether all of the log was selected, by the key for that. */
	#all = false;
	/** How much of the log there was when it last grew before this page's eyes, and when that was. */
	#heard = 0;
	#spoke = Date.now();
	/** What the reader marked here, and so is in view. */
	#own: readonly [first: number, last: number] | undefined;
	readonly #highlights = new Highlights();
	readonly #resized = new ResizeObserver(() => this.#view?.resized());

	constructor() {
		super();
		this.text = new LogText();
		this.notes = new StepNotes();
		this.told = false;
		this.over = false;
		this.asof = 0;
		this.following = true;
		this.atEnd = true;
		this.only = false;
		this.position = -1;
		this.going = false;
		this.failed = "";
		this.heard = "";
		this.said = "";
		followPrefs(this);
		returning(this, () => {
			this.#lines?.retry();
			if (this.#search.state !== "failed") return;
			// Whoever has gone on reading stays where they are.
			this.#seeking = undefined;
			this.#search.retry();
		});
		listening(this, "keydown", this.#arrived);
		listening(this, "change", this.#rendered, small);
		listening(this, "change", this.#turned, low);
		new Keys(this, "Log", [
			{ keys: ["/"], help: "Search the logs", run: () => this.#field?.focus() },
			{
				keys: ["Mod+f"],
				help: "Search the logs, from a log; again: the page",
				// Also for whoever has just come and not touched anything yet.
				when: () => this.#reads && !this.#field?.matches(":focus-within"),
				run: () => this.#field?.focus(),
			},
			{ keys: ["n", "Enter"], help: "Go to the next match", run: () => this.#step(1) },
			{ keys: ["N"], help: "Go to the previous match", run: () => this.#step(-1) },
			{ keys: ["e"], help: "Go to the next error or warning", run: () => this.#toMark(1) },
			{ keys: ["E"], help: "Go to the previous error or warning", run: () => this.#toMark(-1) },
			{
				keys: ["f"],
				help: "Follow the end, or not",
				run: () => this.#follow(!this.following),
			},
			{ keys: ["G", "End"], help: "Go to the end", run: () => this.#follow(true) },
			{ keys: ["g g", "Home"], help: "Go to the start", run: () => this.#goTo(1) },
			{ keys: [":"], help: "Go to a line", run: () => this.#ask() },
			{ keys: ["t"], help: "Show times, or other ones", run: () => prefs.next("times") },
			{
				keys: ["w"],
				help: "Wrap long lines, or not",
				run: () => prefs.next("wrap"),
			},
			{ keys: ["x"], help: "Fold or unfold the group in view", run: () => this.#foldHere() },
			{ keys: ["X"], help: "Fold or unfold all groups", run: () => this.#foldAll() },
			{ keys: ["y"], help: "Copy a link to the marked lines", run: () => this.#copyLink() },
			{ keys: ["c"], help: "Copy the marked lines", run: () => this.#copyMarked() },
			{
				keys: ["r"],
				help: "Open the raw log",
				run: () => window.open(this.#raw, "_blank", "noopener"),
			},
			{ keys: ["Escape"], help: "Clear the search and what is marked", run: () => this.#clear() },
		]);
	}

	static override styles = [
		shared,
		...logStyles,
		css`
			:host {
				position: relative;
				display: flex;
				flex-direction: column;
				min-width: 0;
				min-height: 0;
				background: var(--page);
			}

			.bar,
			.goto,
			.trouble {
				display: flex;
				align-items: center;
				gap: 0.25rem 0.75rem;
				margin: 0;
				padding: 0.375rem 0.75rem;
				font-size: 0.875rem;
			}

			.bar {
				flex-wrap: wrap;
				background: var(--panel);
			}

			.trouble {
				color: var(--stale);
			}

			h2 {
				display: -webkit-box;
				flex: 0 1 auto;
				min-width: 0;
				margin: 0;
				overflow: hidden;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
				font-size: 0.9375rem;
				overflow-wrap: anywhere;
			}

			.tools {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.25rem;
				margin-left: auto;
			}

			select {
				padding: 0;
				color: var(--link);
			}

			details {
				position: relative;
			}

			summary {
				list-style: none;
			}

			summary::-webkit-details-marker {
				display: none;
			}

			.menu {
				position: absolute;
				right: 0;
				z-index: 3;
				display: flex;
				flex-direction: column;
				min-width: 14rem;
				max-height: 60vh;
				overflow-y: auto;
				margin-top: 0.25rem;
				padding: 0.25rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--page);
				box-shadow: 0 4px 16px #0004;
			}

			.menu :is(a, button) {
				display: flex;
				align-items: center;
				min-height: 2rem;
				padding: 0.25rem 0.625rem;
				border: 0;
				background: none;
				color: var(--text);
				text-align: left;
				text-decoration: none;
			}

			.menu :is(label, select) {
				width: 100%;
			}

			.menu :is(a, button):hover {
				background: var(--panel);
			}

			@media (pointer: coarse) {
				summary,
				.menu :is(a, button, select) {
					min-height: 2.75rem;
				}

				summary {
					padding-block: 0.625rem;
				}
			}

			.goto input {
				width: 9rem;
			}

			.stuck {
				position: absolute;
				inset: 0 0 auto;
				z-index: 2;
				border-bottom: 1px solid var(--line);
			}

			/* Lines above and below, whatever is there. */
			.window {
				position: relative;
				box-shadow: 0 0 0 1px var(--line);
				display: flex;
				flex: 1;
				flex-direction: column;
				min-height: 0;
			}

			[role="region"] {
				flex: 1;
				min-height: 0;
				overflow: auto;
				overflow-anchor: none;
				overscroll-behavior: contain;
				background: var(--page);
				outline-offset: -2px;
			}

			match-list {
				flex: 1;
				min-height: 0;
			}

			.note {
				margin: 0;
				padding: 0.25rem 0.75rem 0.75rem calc(var(--digits, 4) * 0.5rem + 2rem);
				color: var(--muted);
				font-size: 0.875rem;
			}

			.said {
				position: absolute;
				right: 1.25rem;
				bottom: 4rem;
				z-index: 4;
				max-width: 80%;
				margin: 0;
				padding: 0.375rem 0.75rem;
				border-radius: 0.375rem;
				background: var(--text);
				color: var(--page);
				font-size: 0.875rem;
			}

			.end {
				position: absolute;
				right: 1.25rem;
				bottom: 1rem;
				z-index: 2;
				box-shadow: 0 1px 4px #0005;
			}

			/* Where the page scrolls too, it does at the ends of the log. */
			@media (max-height: 30em) {
				[role="region"] {
					overscroll-behavior: auto;
				}
			}

			@media (max-width: 640px) {
				.bar {
					padding: 0.25rem 0.5rem;
				}

				/* The name and the tools in one row, the search in another. */
				log-search {
					order: 1;
				}

				h2 {
					flex: 1;
					-webkit-line-clamp: 1;
				}

				.tools {
					flex-wrap: nowrap;
				}

				.note {
					padding-left: 0.75rem;
				}
			}
		`,
	];

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		clearTimeout(this.#silence);
		this.#close();
	}

	/** Something of the log, or of its notes, has come. However much comes at once, it is shown once. */
	grew(): void {
		this.#grown = true;
		this.requestUpdate();
	}

	/** Goes to a line that the reader asked for, and also if it is in sight already, always. */
	reveal(line: number, always = true): void {
		this.only = false;
		this.#stay();
		this.notes.unfold(line);
		this.#show();
		this.#fill();
		this.#view?.reveal(line, always);
	}

	/** In a window too low for the page it is the window that the log is to fill, for whom it has something to show. */
	#fill(): void {
		if (this.following || this.marked) this.scrollIntoView({ block: "end" });
	}

	/** The window is low now, or no more: a marked line that was in sight is again. */
	readonly #turned = (): void => {
		this.#fill();
		const [line = 0] = this.marked ?? [];
		if (this.#view?.element(line)) this.#view.reveal(line);
	};

	/** Whether the reader is at work here, so that another step's log must not take its place. */
	get busy(): boolean {
		return !this.following || this.#search.query.q !== "" || this.marked !== undefined;
	}

	override render() {
		const step = this.step;
		if (!step) return nothing;
		const name = nameOf(step);
		this.#ticking.wanted = step.status === "queued" || step.status === "running";
		if (this.text.bytes !== this.#heard) {
			this.#heard = this.text.bytes;
			this.#spoke = Date.now();
		}
		return html`
			<div class="bar">
				<h2><bdi>${name}</bdi></h2>
				<log-search
					.position=${this.position}
					.only=${this.only}
					.brief=${small.matches}
					.query=${this.#search.query}
					.found=${this.#found()}
					@query=${(event: CustomEvent<Query>) => this.#want(event.detail)}
					@move=${(event: CustomEvent<1 | -1>) => this.#step(event.detail)}
					@only=${() => {
						this.only = !this.only;
					}}
					@leave=${() => this.#region?.focus()}
				></log-search>
				${this.#tools(step)}
			</div>
			${
				this.#search.state === "failed"
					? this.#trouble(this.#search.failed, () => this.#search.retry(), this.#search.signedOut)
					: nothing
			}
			${this.going ? this.#goto() : nothing}
			<div class="window" @click=${this.#clicked}>
				<div
					role="region"
					tabindex="0"
					aria-label="Log of step ${name}"
					?hidden=${this.only}
					@scroll=${this.#scrolled}
					@keydown=${this.#moved}
					@copy=${this.#copied}
					@wheel=${this.#moved}
					@touchmove=${this.#moved}
					@pointerdown=${this.#pressed}
				>
					<div class="foot">${this.#note(step)}</div>
				</div>
				<div class="stuck group" hidden></div>
				${
					this.only
						? html`<match-list
								.found=${this.#search.matches}
								.total=${this.#search.total}
								.more=${this.#search.more}
								@more=${() => this.#search.load()}
							></match-list>`
						: nothing
				}
				${
					this.only || this.following || this.atEnd || this.text.lines === 0
						? nothing
						: html`<button class="end" @click=${this.#toEnd}>${this.#news()}</button>`
				}
				${this.said ? html`<p class="said" aria-hidden="true">${this.said}</p>` : nothing}
			</div>
			${
				this.failed
					? this.#trouble(`Some lines could not be loaded. ${this.failed}`, () =>
							this.#lines?.retry(),
						)
					: nothing
			}
			${
				this.marked && coarse.matches
					? html`<div class="trouble">
							<button @click=${this.#copyMarked}>Copy ${linesOf(this.marked)}</button>
							<button @click=${this.#copyLink}>Copy link</button>
						</div>`
					: nothing
			}
			<span class="unseen" role="status">${this.heard}</span>
		`;
	}

	/** "3 of 1,922" */
	#found(): string {
		const { atLeast, state, total } = this.#search;
		if (state === "searching") return "Searching…";
		if (state !== "found") return "";
		if (total === 0) return "No matches";
		const all = `${count(total)}${atLeast ? "+" : ""}`;
		return this.position < 0
			? `${all} ${total === 1 ? "line" : "lines"}`
			: `${count(this.position + 1)} of ${all}`;
	}

	#trouble(words: string, again: () => void, signedOut = false) {
		return html`<p class="trouble" role="alert">
			<span>${words} ${signedOut ? html`<a href="/sign-in">Sign in</a>` : nothing}</span>
			<button @click=${again}>Try again</button>
		</p>`;
	}

	#tools(step: Step) {
		const marks = this.notes.marks.length;
		return html`
			<div class="tools">
				${
					marks > 0
						? html`
								<button title="Previous error or warning (E)" aria-label="Previous error or warning" @click=${() => this.#toMark(-1)}>✗ ↑</button>
								<button title="Next error or warning (e)" aria-label="Next error or warning, of ${marks}" @click=${() => this.#toMark(1)}>✗ ↓</button>
							`
						: nothing
				}
				${small.matches ? nothing : this.#rare()}
				${
					ended(step.status) || this.over
						? nothing
						: html`<button title="Keep the end in view (f)" aria-pressed=${this.following} @click=${() => this.#follow(!this.following)}>Follow</button>`
				}
				<details @keydown=${this.#menuKey} @focusout=${this.#menuLeft} @toggle=${this.#rendered}>
					<summary class="button">More</summary>
					<div class="menu" @click=${this.#chosen}>
						${small.matches ? [this.#rare(), this.#field?.options()] : nothing}
						<a href=${this.#raw} target="_blank">Raw log</a>
						<a href="${this.#raw}?ansi=strip" target="_blank">Text without colours</a>
						<a href="${this.#raw}?download=true" download>Download</a>
						<a href="/plain/builds/${this.build?.id ?? ""}/steps/${stepPath(step.key)}?line=${this.#view?.first?.line ?? 1}">Accessible view</a>
						<button @click=${this.#copyAll}>Copy all</button>
						<button @click=${this.#copyLink}>Copy a link to here</button>
						<button @click=${this.#ask}>Go to a line…</button>
						${this.notes.groups.length > 0 ? html`<button @click=${this.#foldAll}>Fold or unfold all groups</button>` : nothing}
						<button aria-pressed=${prefs.get("exact")} @click=${() => prefs.next("exact")}>
							${prefs.get("exact") ? "Readable colours" : "Exact colours"}
						</button>
						<button @click=${this.#fullScreen}>Full screen</button>
					</div>
				</details>
			</div>
		`;
	}

	/** What is chosen once and for all, and so is in the menu where there is no room. */
	#rare() {
		const wrap = prefs.get("wrap");
		return html`
			<label>
				<span class="unseen">Times</span>
				<select title="Times (t)" @change=${this.#chooseTimes}>
					${[
						["off", "No times"],
						["absolute", "Time of day"],
						["build", "Since the build began"],
						["step", "Since the step began"],
					].map(
						([value, label]) =>
							html`<option value=${value} .selected=${value === prefs.get("times")}>${label}</option>`,
					)}
				</select>
			</label>
			<button title="Wrap long lines (w)" aria-pressed=${wrap} @click=${() => prefs.next("wrap")}>Wrap</button>
		`;
	}

	#goto() {
		return html`<form class="goto" @submit=${this.#went} @keydown=${this.#formKey}>
			<label for="line">Go to line</label>
			<input id="line" type="number" min="1" max=${Math.max(1, this.text.lines)} required />
			<button>Go</button>
			<span class="muted">of ${count(this.text.lines)}</span>
		</form>`;
	}

	#note(step: Step) {
		const words = [this.#beyond(step), this.#words(step), found(step)].filter(Boolean).join(" ");
		return words === "" ? nothing : html`<p class="note ${this.told ? "" : "slow"}">${words}</p>`;
	}

	/** What is said of a line in the address that the log does not have. */
	#beyond(step: Step): string {
		const [first] = this.marked ?? [0];
		if (first <= this.text.lines || !ended(step.status)) return "";
		return `There is no line ${count(first)}: the log has ${counted(this.text.lines, "line")}.`;
	}

	#words(step: Step): string {
		const quiet = this.text.bytes === 0;
		const code = step.exit_code ?? undefined;
		switch (step.status) {
			case "queued": {
				const since = instant(this.build?.created_at);
				const waited =
					since === undefined || this.asof ? "" : ` Queued for ${elapsed(Date.now() - since)}.`;
				return `The step has not started.${waited}`;
			}
			case "skipped":
				return "The step was skipped.";
			case "running": {
				if (this.asof && !this.over && Date.now() - this.asof > mostAway) {
					return `Not heard from the server since ${clockOrDay(this.asof, Date.now())}.`;
				}
				if (quiet) return this.told ? "No output yet." : "Loading…";
				const silent = Date.now() - this.#spoke;
				return silent > mostSilent && !this.asof ? `Nothing new for ${elapsed(silent)}.` : "";
			}
			case "lost":
				return "The reporter went silent. If it comes back, the log goes on.";
			default: {
				const [from, to] = [instant(step.started_at), instant(step.finished_at)];
				const took = from === undefined || to === undefined ? "" : ` after ${duration(to - from)}`;
				const exit = code === undefined ? "" : ` with exit code ${code}`;
				return `${quiet ? "No output. " : ""}${capital(step.status)}${exit}${took}.`;
			}
		}
	}

	#news(): string {
		const lines = this.text.lines - this.#left;
		return lines > 0 ? `↓ ${counted(lines, "new line")}` : "↓ To the end";
	}

	protected override updated(changed: PropertyValues): void {
		if (!this.step || !this.build) return;
		if (this.step.key !== this.#shown?.key || this.text !== this.#shown.text) this.#open(this.step);
		if (this.#grown) {
			this.#grown = false;
			this.#show();
			this.#search.grow();
			this.#tell();
		}
		this.#look();
		if (changed.has("marked")) {
			this.#view?.decorate();
			if (this.marked && this.marked !== this.#own) this.reveal(this.marked[0]);
		}
		if (this.going && changed.has("going")) this.#fieldForLine?.focus();
	}

	/** Begins with the log of another step. */
	#open(step: Step): void {
		const region = this.#region;
		if (!region) return;
		// The same log, asked for anew: whoever reads it stays where they are.
		const here = step.key === this.#shown?.key && !this.following ? this.#view?.first : undefined;
		const begins = !this.#shown;
		this.#close();
		this.#shown = { key: step.key, text: this.text };
		this.#own = this.marked;
		// Who follows reads at the end: in the group that ends with the step, or with a line that says so.
		this.notes.reads = ({ line, last = 0 }) => {
			const here = this.#view?.first?.line ?? 0;
			return this.following ? last >= this.text.lines - 1 : line <= here && here <= last;
		};
		this.only = false;
		this.failed = "";
		const lines = new Lines(stepURL(this.build?.id ?? "", step.key), this.text, () => {
			this.failed = lines.failed;
			this.#show();
		});
		this.#lines = lines;
		const view = new LogView(region, this.#source(), {
			need: (from, to, end) => lines.need(from, to, end),
			href: (line) => formatFragment(step.key, [line, line]),
			decorate: (element, line) => this.#decorate(element, line),
			moved: () => this.#drawn(),
		});
		this.#view = view;
		this.#resized.disconnect();
		this.#resized.observe(region);
		// What is said below the log comes and goes by itself, and belongs to its end.
		const foot = region.querySelector(".foot");
		if (foot) this.#resized.observe(foot);
		if (!this.#everywhere && this.#search.query.step !== step.key) {
			this.position = -1;
			this.#search.want({ ...this.#search.query, step: step.key });
		}
		this.#left = this.text.lines;
		this.#said = { lines: this.text.lines, at: Date.now() };
		if (here) {
			view.goTo(here.line, here.y);
		} else if (this.marked) {
			this.reveal(this.marked[0]);
		} else if (/passed|skipped/.test(step.status) && (location.hash || this.build?.finished_at)) {
			// But while the build runs, and nobody has asked for this step, the next one is waited for at its end.
			this.following = false;
			view.goTo(1);
		} else {
			this.following = true;
		}
		this.#opening = !here;
		// Later the page may have been scrolled by hand.
		if (begins) this.#fill();
		this.#show();
	}

	#close(): void {
		this.#view?.stop();
		this.#view = undefined;
		this.#lines?.stop();
		this.#lines = undefined;
		this.#shown = undefined;
		this.#opening = false;
		this.#resized.disconnect();
		this.#highlights.show([]);
	}

	/** Shows what there is now. */
	#show(): void {
		const view = this.#view;
		if (!view) return;
		if (this.#opening && this.notes.loaded) {
			this.#opening = false;
			// What failed is read from what went wrong first.
			const { status = "queued" } = this.step ?? {};
			const wrong = ended(status) && status !== "passed";
			const first = wrong ? this.notes.marks.find(({ level }) => level === "error") : undefined;
			const line = this.marked?.[0] ?? first?.line;
			if (line !== undefined) {
				this.reveal(line);
				return;
			}
		}
		view.following = this.following;
		view.show(this.#source());
		// What is drawn already may have been marked since.
		if (this.#marks !== this.notes.marks) view.decorate();
		this.#marks = this.notes.marks;
	}

	#source() {
		const { groups, folded, folds } = this.notes;
		return { text: this.text, groups, folded, folds };
	}

	/** Whether what is typed is meant for the log: nothing else of the page has the focus. */
	get #reads(): boolean {
		return this.matches(":focus-within") || document.activeElement === document.body;
	}

	get #region(): HTMLElement | null {
		return this.renderRoot.querySelector<HTMLElement>("[role=region]");
	}

	get #stuck(): HTMLElement | null {
		return this.renderRoot.querySelector<HTMLElement>(".stuck");
	}

	get #field(): LogSearch | null {
		return this.renderRoot.querySelector("log-search");
	}

	get #raw(): string {
		return this.step && this.build ? `${stepURL(this.build.id, this.step.key)}/log` : "";
	}

	// What lines look like beside their text.

	/** Takes over the preferences, and everything that depends on the width of a number. */
	#look(): void {
		const region = this.#region;
		const view = this.#view;
		if (!region || !view) return;
		region.style.setProperty("--digits", String(Math.max(3, String(this.text.lines).length)));
		view.mode({
			unwrapped: !prefs.get("wrap"),
			exact: prefs.get("exact"),
			times: prefs.get("times"),
		});
	}

	#decorate(element: HTMLElement, line: number): void {
		const mark = this.notes.marks[indexOf(this.notes.marks, line)];
		if (mark?.line === line) {
			element.dataset.level = mark.level;
			element.title = mark.message.slice(0, 500);
		} else if (element.dataset.level) {
			delete element.dataset.level;
			element.removeAttribute("title");
		}
		const [first, last] = this.marked ?? [0, 0];
		element.classList.toggle("selected", line >= first && line <= last);
		const mode = prefs.get("times");
		const number = element.firstElementChild;
		if (mode === "off" || !(number instanceof HTMLElement)) return;
		number.dataset.time = this.#time(this.text.line(line)?.at ?? 0, mode);
	}

	#time(at: number, mode: Preferences["times"]): string {
		if (mode === "absolute") return timeOfDay(at);
		const since = mode === "build" ? this.build?.started_at : this.step?.started_at;
		const start = instant(since ?? this.build?.created_at) ?? at;
		return stopwatch(at - start);
	}

	/** Something was drawn: what lies over the lines follows. */
	#drawn(): void {
		const view = this.#view;
		const region = this.#region;
		if (!view || !region) return;
		this.atEnd = this.following || view.atEnd(nearEnd);
		this.#highlight();
		const stuck = this.#stuck;
		const first = view.first?.line;
		const group = first === undefined ? undefined : this.notes.around(first);
		// The group's own heading may be in sight.
		const shown = group && group.line < (first ?? 0) && !this.notes.folded.has(group.number);
		if (!stuck) return;
		if (!shown && stuck.matches(":focus-within")) region.focus({ preventScroll: true });
		stuck.hidden = !shown;
		if (shown) view.heading(stuck, group);
	}

	#highlight(): void {
		const { matches } = this.#search;
		const current = matches[this.position];
		this.#highlights.show(
			(matches.length > 0 && this.#view?.lines()) || [],
			(line) => this.#matchAt(line),
			current?.step === this.step?.key ? current?.line : undefined,
		);
	}

	#matchAt(line: number): Match | undefined {
		const key = this.step?.key;
		const { matches } = this.#search;
		if (this.#byLine?.matches !== matches || this.#byLine.key !== key) {
			const here = matches.filter(({ step }) => step === key);
			this.#byLine = { matches, key, lines: new Map(here.map((match) => [match.line, match])) };
		}
		return this.#byLine.lines.get(line);
	}

	#byLine:
		| { matches: readonly Match[]; key: string | undefined; lines: ReadonlyMap<number, Match> }
		| undefined;

	// Moving.

	/** Where the reader scrolled, up from the end or back down to it. */
	#scrolled(): void {
		const region = this.#region;
		const view = this.#view;
		if (!region || !view) return;
		const { scrollTop } = region;
		if (view.byReader) {
			if (view.atEnd(nearEnd)) this.following ||= scrollTop > this.#top;
			else if (scrollTop < this.#top) this.#leave();
			view.following = this.following;
		}
		this.#top = scrollTop;
		view.scrolled();
	}

	/** The keys that scroll mean the log for whoever has just come and not touched anything yet. */
	readonly #arrived = (event: KeyboardEvent): void => {
		const region = this.#region;
		const pages = { PageDown: 0.9, " ": 0.9, PageUp: -0.9, ArrowDown: 0.1, ArrowUp: -0.1 }[
			event.key
		];
		const modified = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
		if (!region || !pages || modified || event.defaultPrevented) return;
		if (this.only || document.activeElement !== document.body) return;
		event.preventDefault();
		region.focus({ preventScroll: true });
		if (pages < 0) this.#leave();
		this.#inHand();
		region.scrollTop += pages * region.clientHeight;
	};

	/** All of a log is more than what is drawn of it. */
	#copied(event: ClipboardEvent): void {
		if (!this.#all) return;
		event.preventDefault();
		this.#copyAll();
	}

	/**
	 * A reader does what may scroll the log. Where that says by itself which way, it is done at once;
	 * else #scrolled sees it, and until then nothing else moves the log: that would stop the reader's
	 * own movement before it began.
	 */
	readonly #moved = {
		passive: true,
		handleEvent: (event: Event): void => {
			if (event instanceof KeyboardEvent) {
				const modified = event.ctrlKey || event.metaKey;
				if (modified && event.key === "a") this.#all = true;
				else if (!modified) this.#all = false;
				if (!scrolls(event)) return;
			}
			if (goesUp(event)) this.#leave();
			this.#inHand();
		},
	};

	#inHand(): void {
		clearTimeout(this.#moving);
		this.#view?.release();
		if (this.#view) this.#view.moving = true;
		this.#opening = false;
		this.#moving = window.setTimeout(() => {
			this.#moving = undefined;
			if (this.#view) this.#view.moving = false;
		}, handed);
	}

	/** Leaves the end to those who read something else, if there is anything else. */
	#leave(): void {
		const region = this.#region;
		if (!this.following || !region || region.scrollHeight <= region.clientHeight) return;
		this.following = false;
		this.#left = this.text.lines;
		if (this.#view) this.#view.following = false;
	}

	#follow(on: boolean): void {
		this.#opening = false;
		clearTimeout(this.#moving);
		this.#moving = undefined;
		this.#view?.release();
		this.following = on;
		this.#left = this.text.lines;
		if (this.#view) this.#view.moving = false;
		this.#show();
	}

	#toEnd(): void {
		this.#follow(true);
		this.#region?.focus();
	}

	/** Stays with what is in view, whatever is asked of this log or comes at its end. */
	#stay(): void {
		this.#opening = false;
		this.following = false;
		this.#left = this.text.lines;
	}

	#goTo(line: number, y = 0): void {
		this.#stay();
		this.#show();
		this.#view?.goTo(line, y);
	}

	#ask(): void {
		this.going = true;
		this.#fieldForLine?.focus();
	}

	get #fieldForLine(): HTMLInputElement | null {
		return this.renderRoot.querySelector<HTMLInputElement>(".goto input");
	}

	#went(event: SubmitEvent): void {
		const line = this.#fieldForLine?.valueAsNumber ?? 0;
		this.#leaveForm(event);
		if (line >= 1) this.#mark([line, line], true);
	}

	#formKey(event: KeyboardEvent): void {
		if (event.key === "Escape") this.#leaveForm(event);
	}

	#leaveForm(event: Event): void {
		event.preventDefault();
		this.going = false;
		this.#region?.focus();
	}

	/** To the next or previous line in which something went wrong. */
	#toMark(by: 1 | -1): void {
		const { marks } = this.notes;
		if (marks.length === 0) return;
		const here = this.marked?.[0] ?? this.#view?.first?.line ?? 1;
		const at = indexOf(marks, here);
		const exact = marks[at]?.line === here && this.marked !== undefined;
		const next = by > 0 ? (exact ? at + 1 : at) : at - 1;
		const mark = marks[(next + marks.length) % marks.length];
		if (!mark) return;
		this.#mark([mark.line, mark.line], true);
		this.heard = `${capital(mark.level)} in line ${mark.line}: ${mark.message.slice(0, 200)}`;
	}

	// Marking and copying.

	#pressed(event: PointerEvent): void {
		this.#all = false;
		const line = numberUnder(event);
		this.#dragged = false;
		this.#finger = event.pointerType === "touch";
		if (line === undefined || event.button !== 0 || event.shiftKey) {
			this.#inHand();
			return;
		}
		const drag = (moved: PointerEvent) => {
			const over = numberUnder(moved);
			if (over === undefined || (over === line && !this.#dragged)) return;
			this.#dragged = true;
			this.#mark([Math.min(line, over), Math.max(line, over)]);
		};
		const dragging = new AbortController();
		const { signal } = dragging;
		const done = () => dragging.abort();
		addEventListener("pointermove", drag, { signal });
		addEventListener("pointerup", done, { signal });
		addEventListener("pointercancel", done, { signal });
	}

	#clicked(event: MouseEvent): void {
		const group = inPath(event, "[data-group]");
		if (group?.dataset.group) {
			this.#fold(Number(group.dataset.group), !this.notes.folded.has(Number(group.dataset.group)));
			return;
		}
		const line = numberUnder(event);
		if (line === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
		event.preventDefault();
		if (this.#dragged) return;
		// A finger's second line is the other end of what its first one began; its third begins anew.
		const [first] = this.marked ?? [];
		const from =
			(event.shiftKey || (this.#finger && first === this.#begun)) && first ? first : line;
		this.#begun = from === line ? line : 0;
		this.#mark([Math.min(from, line), Math.max(from, line)]);
	}

	/** Marks lines, as the address will say too, and goes there if that is asked. */
	#mark(lines: readonly [number, number] | undefined, go = false): void {
		this.#own = lines;
		this.marked = lines;
		this.dispatchEvent(new CustomEvent("lines", { detail: lines }));
		if (go && lines) this.reveal(lines[0]);
		this.#view?.decorate();
	}

	#clear(): void {
		if (this.only) this.only = false;
		else if (this.#search.query.q !== "") this.#want({ ...this.#search.query, q: "" });
		else if (this.marked) this.#mark(undefined);
	}

	async #copy(text: string | Promise<string>, what: string, hint = ""): Promise<void> {
		if (typeof text !== "string") this.#say("Copying…");
		// How far it comes.
		let said = "Not copied: the server did not give it.";
		try {
			const given = await text;
			said = "Not copied: the browser refused.";
			await navigator.clipboard.writeText(given);
			said = `Copied ${what}${hint}.`;
		} catch {}
		this.#say(said);
	}

	/** Says what was done, to see and to hear. */
	#say(words: string): void {
		this.heard = this.said = words;
		clearTimeout(this.#silence);
		this.#silence = setTimeout(() => {
			this.said = "";
		}, saying);
	}

	#copyLink(): void {
		const first = this.#view?.first?.line;
		const lines = this.marked ?? (first === undefined ? undefined : ([first, first] as const));
		const link = new URL(formatFragment(this.step?.key ?? "", lines), location.href);
		void this.#copy(link.href, "the link", onlyHere(link.href, alone));
	}

	#copyMarked(): void {
		if (!this.marked) {
			this.#say("No lines are marked: click a number, another with Shift.");
			return;
		}
		const [first, last] = this.marked;
		// What is here needs no server, which may be away.
		const here = this.text.whole(first, last);
		const text = here ? seen(here) : read(`${this.#raw}?lines=${first}-${last}`);
		void this.#copy(text, linesOf(this.marked));
	}

	#copyAll(): void {
		if (this.text.bytes > mostCopied) {
			this.#say("Not copied: the log is too long. Download it.");
			return;
		}
		void this.#copy(read(this.#raw), "the log");
	}

	// Folding.

	#fold(number: number, folded: boolean): void {
		const group = this.notes.groups.find((one) => one.number === number);
		const above = group && (this.#view?.first?.line ?? 0) > group.line;
		this.notes.fold(number, folded);
		// Whose heading was stuck finds it there, or below that of the group around it.
		if (folded && above) this.#goTo(group.line, group.level > 1 ? this.#stuck?.offsetHeight : 0);
		else {
			// Who unfolds a group reads on in it, also who followed the end.
			if (!folded) this.#stay();
			this.#show();
		}
		this.requestUpdate();
	}

	/**
	 * The group in view: the one whose heading has the focus; the one that was folded so just now, while its
	 * heading is the first in sight; that of the marked line, or of the first one in sight; the first below.
	 */
	#foldHere(): void {
		const focused = this.shadowRoot?.activeElement?.closest<HTMLElement>("[data-group]");
		const heading = this.#view?.firstHeading;
		const line = this.marked?.[0] ?? this.#view?.first?.line;
		const number = focused
			? Number(focused.dataset.group)
			: heading !== undefined && heading === this.#toggled
				? heading
				: ((line === undefined ? undefined : this.notes.around(line)?.number) ?? heading);
		if (number === undefined) return;
		this.#toggled = number;
		this.#fold(number, !this.notes.folded.has(number));
	}

	readonly #foldAll = (): void => {
		this.notes.foldAll(this.notes.folded.size === 0);
		this.#show();
		this.requestUpdate();
	};

	// Searching.

	#want(query: Query): void {
		this.position = -1;
		this.#seeking = "first";
		if (query.q === "") this.only = false;
		this.#everywhere = query.step === undefined;
		this.#search.want({ ...query, step: this.#everywhere ? undefined : this.step?.key });
		this.#highlight();
	}

	#searched(): void {
		this.#highlight();
		if (this.#search.state !== "found") return;
		const seeking = this.#seeking;
		const { matches, more } = this.#search;
		const last = this.position + 1 >= matches.length;
		// This answer was another one's.
		if (seeking === "next" && last && more) return;
		// The first one from here on may be on a later page of the answer.
		if (seeking === "first" && more && this.#matchFrom() < 0) {
			this.#search.load();
			return;
		}
		this.#seeking = undefined;
		if (seeking === "next" && !last) this.#step(1);
		if (seeking !== "first") return;
		// The first match at or after what is in view is the current one, else the first in this log. Who
		// reads on in the log of another step, where none is, or in the list of matches, is left there.
		this.position = Math.max(this.#matchFrom(), this.#matchFrom(1));
		const match = matches[this.position];
		if (match && !this.only) this.#toMatch(match);
	}

	/** The place of the first match in this log, in what is in view or below; -1: none is here. */
	#matchFrom(here = this.#view?.first?.line ?? 1): number {
		const key = this.step?.key;
		return this.#search.matches.findIndex((m) => m.step === key && m.line >= here);
	}

	#step(by: 1 | -1): void {
		const { matches } = this.#search;
		// Who goes on before the answer is here does so then.
		if (this.#everywhere && this.#search.state === "searching") {
			if (by > 0) this.#seeking = "next";
			return;
		}
		if (matches.length === 0) return;
		if (this.position + by >= matches.length && this.#search.more) {
			this.#seeking = "next";
			this.#search.load();
			return;
		}
		// Without a current match, that is the first one from here on, or the one before it.
		const from =
			this.position < 0 ? Math.max(0, this.#matchFrom()) - (by > 0 ? 1 : 0) : this.position;
		this.position = (from + by + matches.length) % matches.length;
		const match = matches[this.position];
		if (!match) return;
		// As in the log of another step, the address and the mark go along.
		if (this.#everywhere && match.step === this.step?.key) this.#mark([match.line, match.line]);
		this.#toMatch(match);
	}

	#toMatch(match: Match): void {
		if (match.step !== this.step?.key) {
			this.dispatchEvent(new CustomEvent("step", { detail: match }));
			return;
		}
		this.reveal(match.line, false);
	}

	// The rest.

	#tell(): void {
		if (!this.following || Date.now() - this.#said.at < quiet) return;
		const lines = this.text.lines - this.#said.lines;
		if (lines > 0) this.heard = counted(lines, "new line");
		this.#said = { lines: this.text.lines, at: Date.now() };
	}

	#chooseTimes(event: Event): void {
		prefs.set("times", (event.target as HTMLSelectElement).value as Preferences["times"]);
	}

	#fullScreen(): void {
		if (document.fullscreenElement) void document.exitFullscreen();
		else void this.requestFullscreen?.().catch(() => {});
	}

	readonly #rendered = (): void => this.requestUpdate();

	/** Closes the menu; who was in it is at its button then. */
	#closeMenu(): void {
		const menu = this.renderRoot.querySelector("details");
		if (!menu?.open) return;
		if (menu.matches(":focus-within")) menu.querySelector("summary")?.focus();
		menu.open = false;
	}

	/** But who opens a list in it has chosen nothing yet. */
	#chosen({ target }: Event): void {
		if ((target as Element).matches("a, button")) this.#closeMenu();
	}

	#menuKey(event: KeyboardEvent): void {
		if (event.key !== "Escape" || !(event.currentTarget as HTMLDetailsElement).open) return;
		this.#closeMenu();
		event.stopPropagation();
	}

	#menuLeft(event: FocusEvent): void {
		const to = event.relatedTarget as Node | null;
		if (to && !(event.currentTarget as Node).contains(to)) this.#closeMenu();
	}
}

const small = matchMedia("(max-width: 640px), (max-height: 30em)");
const low = matchMedia("(max-height: 30em)");
const coarse = matchMedia("(pointer: coarse)");

function linesOf([first, last]: readonly [first: number, last: number]): string {
	return first === last ? `line ${first}` : `lines ${first} to ${last}`;
}

/** Text of a log, as it is seen. It throws when the server does not give it. */
async function read(path: string): Promise<string> {
	// A long text may take its time, its beginning may not.
	const late = new AbortController();
	const timer = setTimeout(() => late.abort(), 15_000);
	const answer = await fetch(path, { signal: late.signal });
	clearTimeout(timer);
	if (!answer.ok) throw answer;
	return seen(await answer.text());
}

/** The place of the first mark at or after a line. */
function indexOf(marks: readonly { readonly line: number }[], line: number): number {
	let [low, high] = [0, marks.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((marks[middle]?.line ?? 0) < line) low = middle + 1;
		else high = middle;
	}
	return low;
}

function inPath(event: Event, selector: string): HTMLElement | undefined {
	return event
		.composedPath()
		.find((one): one is HTMLElement => one instanceof HTMLElement && one.matches(selector));
}

/** The line whose number a pointer is on. */
function numberUnder(event: MouseEvent): number | undefined {
	const number = inPath(event, "a[data-n]")?.dataset.n;
	return number === undefined ? undefined : Number(number);
}

const upwards = ["Home", "PageUp", "ArrowUp"];

function scrolls(event: KeyboardEvent): boolean {
	return [...upwards, "End", "PageDown", "ArrowDown", " "].includes(event.key);
}

/** Whether a key or a turn of the wheel asks for what is above. */
function goesUp(event: Event): boolean {
	if (event instanceof KeyboardEvent) return upwards.includes(event.key);
	return event instanceof WheelEvent && event.deltaY < 0;
}

customElements.define("step-log", StepLog);
