import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { accessEnded, alone, noneToSee, refusal, without } from "../account.ts";
import { apply, type BuildState, emptyBuild } from "../build-state.ts";
import { showResult } from "../favicon.ts";
import { Following } from "../following.ts";
import { buildTitle, count } from "../format.ts";
import { formatFragment, type Place, parseFragment } from "../fragment.ts";
import { Keys } from "../keys.ts";
import { listening } from "../listening.ts";
import { LogText } from "../log-text.ts";
import {
	type Build,
	type BuildsPage,
	ended,
	nameOf,
	type Step,
	type StreamEvent,
} from "../model.ts";
import { annotationsOf, testsOf } from "../notes.ts";
import { get } from "../request.ts";
import { buildPath } from "../route.ts";
import type { Match } from "../search.ts";
import { type AnyNote, StepNotes } from "../step-notes.ts";
import { stepOrder } from "../tree.ts";
import "./annotation-list.ts";
import "./copy-button.ts";
import "./notify-button.ts";
import "./stepcast-time.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";
import "./step-log.ts";
import type { StepLog } from "./step-log.ts";
import "./stepcast-tree.ts";
import "./stepcast-waterfall.ts";
import "./test-results.ts";
import "./time-ago.ts";

/** Steps whose text is kept in the page, the newest ones looked at. */
const keptLogs = 4;

const views = ["log", "waterfall", "tests", "problems"] as const;
type View = (typeof views)[number];

interface Log {
	readonly text: LogText;
	readonly notes: StepNotes;
}

/**
 * One build, live: its facts, its steps, and the log of one step, or another view of the whole. The
 * address names all that is shown: its fragment the step and the lines, its query the view.
 */
export class BuildPage extends LitElement {
	static override properties = {
		build: {},
		place: { state: true },
		selected: { state: true },
		view: { state: true },
		heard: { state: true },
		beside: { state: true },
		result: { state: true },
	};
	/** The build's id. It does not change during the life of the element. */
	declare build: string;
	/** What the address names. */
	declare private place: Place;
	/** The step whose log is shown. */
	declare private selected: string;
	declare private view: View;
	/** What a screen reader hears next, and, at once, of the build's end. */
	declare private heard: string;
	declare private result: string;
	/** Why there is no build to go to before this one, or after. */
	declare private beside: string;

	#following: Following<BuildState> | undefined;
	#wanted = "";
	/** The step whose text is told, or was all told: a state has come since it was wanted. */
	#told = "";
	readonly #logs = new Map<string, Log>();
	/** The statuses that were spoken of. */
	#spoken: BuildState = emptyBuild;

	constructor() {
		super();
		this.build = "";
		this.place = parseFragment(location.hash);
		this.selected = this.place.step;
		this.view = viewOf(location.search);
		this.heard = "";
		this.beside = "";
		this.result = "";
		this.addEventListener("click", this.#clicked);
		listening(this, "hashchange", this.#moved);
		listening(this, "popstate", this.#moved);
		new Keys(this, "Build", [
			{ keys: ["j"], help: "Go to the next step", run: () => this.#walk(1) },
			{ keys: ["k"], help: "Go to the previous step", run: () => this.#walk(-1) },
			{ keys: ["]"], help: "Go to the project's next build", run: () => void this.#neighbour(1) },
			{
				keys: ["["],
				help: "Go to the project's previous build",
				run: () => void this.#neighbour(-1),
			},
		]);
	}

	static override styles = [
		shared,
		css`
			:host {
				display: grid;
				grid-template-columns: 20rem minmax(0, 1fr);
				grid-template-rows: auto minmax(0, 1fr);
				height: calc(100dvh - var(--header));
			}

			.facts {
				grid-column: 1 / -1;
				padding: 0.625rem 1rem;
				border-bottom: 1px solid var(--line);
			}

			h1 {
				display: flex;
				flex: 1 1 16rem;
				flex-wrap: wrap;
				align-items: baseline;
				min-width: 0;
				gap: 0.125rem 0.75rem;
				margin: 0;
				font-size: 1.125rem;
				overflow-wrap: anywhere;
			}

			/* A title of a thousand letters is all there for who points at it, or listens. */
			h1 .title {
				display: -webkit-box;
				overflow: hidden;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
				font-weight: 400;
			}

			li {
				display: flex;
				align-items: baseline;
				gap: 0.3em;
				min-width: 0;
			}

			li code {
				max-width: min(40rem, 70vw);
				overflow: hidden;
				line-height: 1.45;
				text-overflow: ellipsis;
				white-space: nowrap;
			}

			ul {
				display: flex;
				flex-wrap: wrap;
				gap: 0.125rem 1rem;
				margin: 0.25rem 0 0;
				padding: 0;
				list-style: none;
				color: var(--muted);
				font-size: 0.875rem;
				overflow-wrap: anywhere;
			}

			code {
				font: 0.8125rem var(--mono);
			}

			nav {
				overflow-y: auto;
				/* The heading lies over what is scrolled to. */
				scroll-padding-top: 2.75rem;
				padding: 0 0.5rem 0.5rem;
				border-right: 1px solid var(--line);
			}

			summary {
				position: sticky;
				z-index: 1;
				top: 0;
				background: var(--page);
				padding: 0.75rem 0.5rem 0.25rem;
				font-weight: 600;
				cursor: pointer;
			}

			.message {
				grid-column: 1 / -1;
				padding: 1rem;
			}

			.heading {
				display: flex;
				flex-wrap: wrap;
				align-items: flex-start;
				justify-content: space-between;
				gap: 0.25rem 1rem;
			}

			h1 a {
				color: inherit;
				text-decoration: none;
			}

			h1 a:hover {
				text-decoration: underline;
			}

			.actions {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.375rem;
			}

			/* Where there is no room, the log's menu does the same, and phones show no page's notifications. */
			@media (max-width: 640px) {
				.roomy {
					display: none;
				}

				h1 {
					flex-basis: 12rem;
					font-size: 1rem;
				}

				ul {
					font-size: 0.8125rem;
				}
			}

			.main {
				display: flex;
				flex-direction: column;
				min-width: 0;
				min-height: 0;
			}

			.tabs {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25rem;
				padding: 0.25rem 0.75rem 0;
				border-bottom: 1px solid var(--line);
			}

			.tabs button {
				min-height: 2rem;
				border: 0;
				border-bottom: 3px solid transparent;
				border-radius: 0;
				background: none;
				color: var(--muted);
				outline-offset: -2px;
			}

			.tabs button[aria-selected="true"] {
				border-color: var(--link);
				color: var(--text);
				font-weight: 600;
			}

			.panel {
				flex: 1;
				min-height: 0;
				padding: 0.75rem 1rem;
				overflow: auto;
			}

			.panel.log {
				display: grid;
				padding: 0;
				overflow: hidden;
			}

			:host([over]) notify-button {
				display: none;
			}

			/* A phone on its side: all but the log scrolls out of sight. */
			@media (max-height: 30em) {
				:host {
					height: auto;
				}

				.main {
					height: 100dvh;
				}
			}

			@media (max-width: 900px) {
				:host {
					grid-template-columns: minmax(0, 1fr);
					grid-template-rows: auto auto minmax(0, 1fr);
				}

				nav {
					max-height: 35vh;
					border-right: 0;
					border-bottom: 1px solid var(--line);
				}

				.facts {
					padding: 0.375rem 0.75rem;
				}

				.tabs {
					flex-wrap: nowrap;
					overflow-x: auto;
					padding: 0 0.25rem;
				}

				.tabs button {
					flex: none;
					padding: 0.125rem 0.5rem;
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		this.#shown();
	}

	protected override willUpdate(_changed: PropertyValues): void {
		this.#following ??= new Following(this, { log: this.build }, emptyBuild, (state, event) => {
			this.#take(event);
			return apply(state, event);
		});
		const { state } = this.#following;
		if (this.place.step === "") this.selected = this.#choice(state.steps);
		if (this.selected !== this.#wanted && this.selected !== "") {
			this.#wanted = this.selected;
			this.#told = "";
			this.#following.want({ log: this.build, step: this.selected });
		}
	}

	override render() {
		const following = this.#following;
		if (!following) return nothing;
		const { state, connection } = following;
		if (connection.name === "refused" && !state.build) {
			const [heading, sentence] = [400, 404].includes(connection.status)
				? ["No such build", noneToSee]
				: refusal(connection.status, "build");
			return html`<div class="message">
				<h1>${heading}</h1>
				<p>${sentence} <a href="/">All builds</a></p>
			</div>`;
		}
		const build = state.build;
		if (!build) return html`<p class="message muted slow">Loading…</p>`;

		const asOf = connection.name === "live" ? 0 : following.asOf;
		return html`
			${this.#facts(build, asOf, accessEnded(connection, asOf, true))}
			<nav aria-label="Steps">
				<details ?open=${!narrow.matches} @toggle=${this.#opened}>
					<summary>Steps <span class="muted">${count(state.steps.length)}</span></summary>
					<stepcast-tree .steps=${state.steps} .selected=${this.selected} .asof=${asOf}></stepcast-tree>
				</details>
			</nav>
			<div class="main">
				${this.#tabs(state.steps)}
				${this.#panel(build, state, asOf)}
			</div>
			<span class="unseen" role="status">${this.heard}</span>
			<span class="unseen" role="alert">${this.result}</span>
		`;
	}

	#tabs(steps: readonly Step[]) {
		const failed = testsOf(steps, "failed");
		const tests = failed + testsOf(steps, "passed") + testsOf(steps, "skipped");
		const problems =
			annotationsOf(steps, "error") +
			annotationsOf(steps, "warning") +
			annotationsOf(steps, "notice");
		const labels: Readonly<Record<View, string>> = {
			log: "Log",
			waterfall: "Waterfall",
			tests: failed > 0 ? `Tests: ${count(failed)} failed` : `Tests: ${count(tests)}`,
			problems: `Problems: ${count(problems)}`,
		};
		const shown = views.filter(
			(view) =>
				view === this.view ||
				(view === "tests" ? tests > 0 : view === "problems" ? problems > 0 : true),
		);
		return html`<div class="tabs" role="tablist" aria-label="Views" @keydown=${this.#tabKey}>
			${shown.map(
				(view) => html`<button
					role="tab"
					id="tab-${view}"
					aria-controls="panel"
					aria-selected=${view === this.view}
					tabindex=${view === this.view ? 0 : -1}
					@click=${(event: MouseEvent) => this.#show(view, event.detail)}
				>
					${labels[view]}
				</button>`,
			)}
		</div>`;
	}

	#panel(build: Build, state: BuildState, asOf: number) {
		return html`<div id="panel" class="panel ${this.view}" role="tabpanel" aria-labelledby="tab-${this.view}">
			${this.#content(build, state, asOf)}
		</div>`;
	}

	#content(build: Build, state: BuildState, asOf: number) {
		if (this.view !== "waterfall" && without.includes("logs")) {
			return html`<p class="message muted">You may see how this build stands, but not its logs.</p>`;
		}
		switch (this.view) {
			case "log":
				return this.#log(build, state, asOf);
			case "waterfall":
				return html`<stepcast-waterfall
					.build=${build}
					.steps=${state.steps}
					.selected=${this.selected}
					.asof=${asOf}
				></stepcast-waterfall>`;
			case "tests":
				return html`<test-results .build=${this.build} .steps=${state.steps}></test-results>`;
			case "problems":
				return html`<annotation-list .build=${this.build} .steps=${state.steps}></annotation-list>`;
		}
	}

	#log(build: Build, state: BuildState, asOf: number) {
		const place = state.places.get(this.selected);
		const step = place === undefined ? undefined : state.steps[place];
		if (!step) {
			if (state.steps.length === 0) {
				return html`<p class="message muted">
					${ended(build.status) ? "This build has no steps." : "This build has no steps yet."}
				</p>`;
			}
			return html`<p class="message muted">
				This build has no step “<bdi>${this.selected}</bdi>”. Choose one from the list of steps.
			</p>`;
		}
		const { text, notes } = this.#logOf(step.key);
		return html`<step-log
			.build=${build}
			.step=${step}
			.text=${text}
			.notes=${notes}
			.told=${this.#told === step.key || state.ended || this.hasAttribute("over")}
			.over=${this.hasAttribute("over")}
			.asof=${asOf}
			.marked=${this.place.step === step.key ? this.place.lines : undefined}
			@lines=${(event: CustomEvent<Place["lines"]>) => this.#address(step.key, event.detail)}
			@step=${(event: CustomEvent<Match>) => this.#goTo(event.detail.step, event.detail.line)}
		></step-log>`;
	}

	protected override updated(_changed: PropertyValues): void {
		const state = this.#following?.state;
		showResult(
			state?.build && !this.hasAttribute("over")
				? { status: state.build.status, title: buildTitle(state.build) }
				: { title: "Build · Stepcast" },
		);
		if (state) this.#speak(state);
	}

	#facts(build: Build, asOf: number, over: unknown) {
		const link = /^https?:\/\//i.test(build.url ?? "") ? build.url : undefined;
		return html`
			<div class="facts">
				${over}
				<div class="heading">
					<h1>
						<stepcast-mark .status=${build.status}></stepcast-mark>
						<span><a href="/?project=${encodeURIComponent(build.project)}"><bdi>${build.project}</bdi></a> #${build.number}</span>
						${build.title ? html`<bdi class="title" title=${build.title}>${build.title}</bdi>` : nothing}
					</h1>
					<span class="actions">
						<span role="status">${this.beside}</span>
						${
							alone
								? nothing
								: html`
										<button aria-label="Previous build of the project" title="Previous build ([)" ?disabled=${build.number <= 1} @click=${() => this.#neighbour(-1)}>‹</button>
										<button aria-label="Next build of the project" title="Next build (])" @click=${() => this.#neighbour(1)}>›</button>
									`
						}
						<copy-button class="roomy" .text=${location.href} label="Copy link"></copy-button>
						<notify-button class="roomy" .build=${build}></notify-button>
					</span>
				</div>
				<ul role="list">
					${build.branch ? html`<li>on <code title=${build.branch}><bdi>${build.branch}</bdi></code></li>` : nothing}
					${build.commit ? html`<li>at <code title=${build.commit}>${build.commit.slice(0, 12)}</code></li>` : nothing}
					${build.author ? html`<li>by <bdi>${build.author}</bdi></li>` : nothing}
					${build.trigger ? html`<li><bdi>${build.trigger}</bdi></li>` : nothing}
					<li>
						${build.started_at ? "started" : "created"}
						<time-ago .time=${build.started_at ?? build.created_at}></time-ago>
					</li>
					${
						build.started_at
							? html`<li>
									${ended(build.status) ? "took" : "running for"}
									<stepcast-time
										.started=${build.started_at}
										.finished=${build.finished_at}
										.expected=${build.expected_s}
										.asof=${asOf}
									></stepcast-time>
									${asOf && !ended(build.status) ? "when last heard of" : nothing}
								</li>`
							: nothing
					}
					${link ? html`<li><a href=${link} rel="noreferrer">Where it ran</a></li>` : nothing}
					<li>${alone ? "You may see this build only" : html`<a href="/embed?build=${build.id}">Embed</a>`}</li>
					${without.includes("share") ? nothing : html`<li><a href="/builds/${build.id}/share">Share</a></li>`}
				</ul>
			</div>
		`;
	}

	/** What an event says of the logs; the state of the build is apply's. */
	#take(event: StreamEvent): void {
		switch (event.kind) {
			case "whole":
				// What is of a history that was rewound is shown until then, and goes now.
				if (this.#following?.state.rewound) this.#forget(0);
				this.#told = this.#wanted;
				for (const step of event.data.steps ?? []) this.#extend(step);
				// The notes of before that, which the stream does not tell.
				for (const [key, { notes }] of this.#logs) this.#loadNotes(key, notes);
				break;
			case "step":
				this.#extend(event.data);
				break;
			case "log":
				this.#logOf(event.data.step).text.append(event.data);
				break;
			case "note":
				this.#logs.get(event.data.step)?.notes.add(event.data as AnyNote);
				break;
			default:
				return;
		}
		this.#shownLog?.grew();
	}

	#extend({ key, log_lines: lines = 0, log_bytes: bytes = 0 }: Step): void {
		this.#logs.get(key)?.text.extend(lines, bytes);
	}

	/** The text and the notes of a step, as far as they are here. */
	#logOf(key: string): Log {
		const known = this.#logs.get(key);
		if (known) return known;
		const log = { text: new LogText(), notes: new StepNotes() };
		this.#logs.set(key, log);
		const state = this.#following?.state;
		const step = state?.steps[state.places.get(key) ?? -1];
		if (step) this.#extend(step);
		this.#loadNotes(key, log.notes);
		this.#forget(keptLogs);
		return log;
	}

	/** Forgets the logs that were not asked for the longest, but so many. */
	#forget(kept: number): void {
		for (const [key, { notes }] of this.#logs) {
			if (this.#logs.size <= kept) break;
			notes.stop();
			this.#logs.delete(key);
		}
	}

	#loadNotes(step: string, notes: StepNotes): void {
		void notes.load(this.build, step, () => this.#shownLog?.grew());
	}

	/** What was not in sight while its list was closed is now. */
	#opened(): void {
		this.renderRoot.querySelector<LitElement>("stepcast-tree")?.requestUpdate("selected");
	}

	get #shownLog(): StepLog | null {
		return this.renderRoot.querySelector<StepLog>("step-log");
	}

	/**
	 * The step to show when the address names none: what failed, else what runs, else the one that is
	 * shown, else the first that said something. Who is busy in a log is left there.
	 */
	#choice(steps: readonly Step[]): string {
		const current = steps.find((step) => step.key === this.selected);
		if (current && (current.status === "running" || this.#shownLog?.busy)) return current.key;
		const choice =
			steps.find((step) => step.status === "failed") ??
			steps.find((step) => step.status === "lost") ??
			steps.find((step) => step.status === "running") ??
			current ??
			steps.find((step) => (step.log_bytes ?? 0) > 0) ??
			steps[0];
		return choice?.key ?? "";
	}

	/** Shows what the address names now. */
	readonly #moved = (): void => {
		const place = parseFragment(location.hash);
		if (place.step !== "") this.selected = place.step;
		// A link to a step or a line leads to the log, from whatever view. What was shown before is again.
		if (history.state) this.view = viewOf(location.search);
		else this.#show("log");
		this.#shown();
		const again = place.step === this.place.step && place.lines?.[0] === this.place.lines?.[0];
		this.place = place;
		// The same line once more: it may be out of sight.
		if (again && place.lines) this.#shownLog?.reveal(place.lines[0]);
	};

	/** Writes into the address what is shown, without a new entry in the history. */
	#address(step: string, lines: Place["lines"]): void {
		this.place = { step, lines };
		history.replaceState(history.state, "", location.search + formatFragment(step, lines));
	}

	#goTo(step: string, line?: number): void {
		location.hash = formatFragment(step, line === undefined ? undefined : [line, line]);
	}

	/** Shows another view, after a click in an entry of its own of the history: who walks through the tabs by keys makes none. */
	#show(view: View, clicks = 0): void {
		if (view === this.view) return;
		this.view = view;
		const query = new URLSearchParams(location.search);
		if (view === "log") query.delete("view");
		else query.set("view", view);
		const write = clicks ? "pushState" : "replaceState";
		history[write]("shown", "", (query.size ? `?${query}` : location.pathname) + location.hash);
	}

	/** A link to what the address names already moves nothing, and leads to the log all the same. */
	#clicked(event: MouseEvent): void {
		const path = event.composedPath();
		const link = path.find((one) => one instanceof HTMLAnchorElement);
		if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
		if (link.hash !== "" && link.href === location.href) this.#show("log", 1);
		const list = this.renderRoot.querySelector("details");
		if (!narrow.matches || !list || !path.includes(list)) return;
		// Where there is no room for both, the list makes way for the log.
		list.open = false;
		list.querySelector("summary")?.focus({ preventScroll: true });
		this.renderRoot.querySelector(".main")?.scrollIntoView();
	}

	/** Marks the entry in the history as one that was shown. Those that links make are not. */
	#shown(): void {
		if (!history.state) history.replaceState("shown", "");
	}

	#tabKey(event: KeyboardEvent): void {
		const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		if (!by) return;
		const tabs = [...this.renderRoot.querySelectorAll<HTMLElement>("[role=tab]")];
		const at = tabs.indexOf(event.target as HTMLElement);
		const next = tabs[(at + by + tabs.length) % tabs.length];
		next?.focus();
		next?.click();
		event.preventDefault();
	}

	#walk(by: 1 | -1): void {
		const order = stepOrder(this.#following?.state.steps ?? []);
		const next = order[order.indexOf(this.selected) + by];
		if (next !== undefined) this.#goTo(next);
	}

	/** Goes to another build of the project, and there to the step and the view that the address names. */
	async #neighbour(by: 1 | -1): Promise<void> {
		const build = this.#following?.state.build;
		if (!build || alone || build.number + by < 1) return;
		const query = new URLSearchParams({
			project: build.project,
			number: String(build.number + by),
			limit: "1",
		});
		try {
			const page = await get<BuildsPage>(`/api/v1/builds?${query}`);
			const other = page.builds[0];
			const step = other?.steps?.find(({ key }) => key === this.place.step);
			const there = location.search + (step ? formatFragment(step.key) : "");
			if (other) location.assign(buildPath(other.id) + there);
			else this.beside = `There is no ${by > 0 ? "later" : "earlier"} build.`;
		} catch {
			this.beside = "The other build could not be found.";
		}
	}

	/** Says what has changed, to those who do not see it. */
	#speak(state: BuildState): void {
		const before = this.#spoken;
		this.#spoken = state;
		if (before === state || !before.build || !state.build) return;
		const changes = state.steps
			.filter(({ key, status }) => before.steps[before.places.get(key) ?? -1]?.status !== status)
			.map((step) => `Step ${nameOf(step)}: ${step.status}.`);
		if (changes.length > 0) this.heard = changes.slice(0, 5).join(" ");
		if (before.build.status !== state.build.status && ended(state.build.status)) {
			this.result = `The build ended: ${state.build.status}.`;
		}
	}
}

const narrow = matchMedia("(max-width: 900px)");

function viewOf(search: string): View {
	const named = new URLSearchParams(search).get("view");
	return views.find((view) => view === named) ?? "log";
}

customElements.define("build-page", BuildPage);
