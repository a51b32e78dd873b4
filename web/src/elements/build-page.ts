import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { apply, type BuildState, emptyBuild } from "../build-state.ts";
import { showResult } from "../favicon.ts";
import { Following } from "../following.ts";
import { buildTitle } from "../format.ts";
import { emptyLog, maxRows } from "../log.ts";
import {
	type Build,
	ended,
	type Step,
	type StreamEvent,
	stepLogURL,
} from "../model.ts";
import "./notify-button.ts";
import "./run-time.ts";
import { shared } from "./shared-styles.ts";
import "./status-mark.ts";
import "./step-list.ts";
import "./step-log.ts";
import type { StepLog } from "./step-log.ts";
import "./time-ago.ts";

/** One build, live: its facts, its steps, and the log of one step. The address' fragment names the step. */
export class BuildPage extends LitElement {
	static override properties = { build: {}, selected: { state: true } };
	/** The build's id. It does not change during the life of the element. */
	declare build: string;
	declare private selected: string;
	#wanted = "";

	#following: Following<BuildState> | undefined;
	/** What came of the text that follows the text that is on its way. */
	#held: StreamEvent[] | undefined;
	/** The steps whose text was loaded. */
	readonly #loaded = new Set<string>();

	constructor() {
		super();
		this.build = "";
		this.selected = fragment();
	}

	static override styles = [
		shared,
		css`
			:host {
				display: grid;
				grid-template-columns: 20rem minmax(0, 1fr);
				grid-template-rows: auto minmax(0, 1fr);
				height: calc(100vh - 3rem - 1px);
				height: calc(100dvh - 3rem - 1px);
			}

			.facts {
				grid-column: 1 / -1;
				padding: 0.625rem 1rem;
				border-bottom: 1px solid var(--line);
			}

			h1 {
				display: flex;
				flex-wrap: wrap;
				align-items: baseline;
				gap: 0.125rem 0.75rem;
				margin: 0;
				font-size: 1.125rem;
				overflow-wrap: anywhere;
			}

			h1 .title {
				font-weight: 400;
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
				padding: 0.5rem;
				border-right: 1px solid var(--line);
			}

			summary {
				padding: 0.25rem 0.5rem;
				font-weight: 600;
				cursor: pointer;
			}

			.message {
				grid-column: 1 / -1;
				padding: 1rem;
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
					padding: 0.5rem 0.75rem;
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		addEventListener("hashchange", this.#chosen);
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		removeEventListener("hashchange", this.#chosen);
	}

	protected override willUpdate(_changed: PropertyValues): void {
		this.#following ??= new Following(this, { log: this.build }, emptyBuild, (state, event) => {
			if (event.kind === "whole") this.#loaded.clear();
			if (event.kind === "whole" || event.kind === "end") queueMicrotask(() => this.#load());
			if (event.kind !== "log" || !this.#held) return apply(state, event);
			this.#held.push(event);
			return state;
		});
		if (fragment() === "") this.selected = this.#choice(this.#following.state.steps);
		if (this.selected !== this.#wanted && this.selected !== "") {
			this.#wanted = this.selected;
			this.#following.want({ log: this.build, step: this.selected });
			if (this.#following.state.ended) void this.#load();
		}
	}

	/** Loads the text that the stream does not tell: what was written before the page joined it. */
	async #load(again = false): Promise<void> {
		const following = this.#following;
		const step = this.#wanted;
		if (!following || step === "" || this.#held || (this.#loaded.has(step) && !again)) return;
		const held: StreamEvent[] = [];
		this.#held = held;
		const text: StreamEvent[] = [];
		try {
			const query = new URLSearchParams({ step, tail: String(maxRows) });
			for (;;) {
				const response = await fetch(
					`/api/v1/builds/${encodeURIComponent(this.build)}/events?${query}`,
					{ headers: { Accept: "application/json" } },
				);
				if (!response.ok) throw new Error(`the log: ${response.status}`);
				const page = (await response.json()) as { events: StreamEvent[]; next: string };
				text.push(...page.events.filter(({ kind }) => kind === "log"));
				if (page.events.length === 0) break;
				query.delete("tail");
				query.set("after", page.next);
			}
			this.#loaded.add(step);
		} catch {
			setTimeout(() => this.#load(true), 1_000);
		}
		this.#held = undefined;
		following.update([...text, ...held].reduce(apply, following.state));
		this.requestUpdate();
		if (step !== this.#wanted) void this.#load();
	}

	override render() {
		const following = this.#following;
		if (!following) return nothing;
		const { state, connection } = following;
		if (connection.name === "refused" && !state.build) {
			const [heading, sentence] = refusal(connection.status);
			return html`<div class="message">
				<h1>${heading}</h1>
				<p>${sentence} <a href="/">All builds</a></p>
			</div>`;
		}
		if (!state.build) return html`<p class="message muted">Loading…</p>`;

		const asOf = connection.name === "live" ? 0 : following.asOf;
		const place = state.places.get(this.selected);
		const step = place === undefined ? undefined : state.steps[place];
		return html`
			${this.#facts(state.build, asOf)}
			<nav aria-label="Steps">
				<details open>
					<summary>Steps</summary>
					<step-list .steps=${state.steps} .selected=${this.selected} .asof=${asOf}></step-list>
				</details>
			</nav>
			${
				step && !this.#loaded.has(step.key)
					? html`<p class="message muted">Loading…</p>`
					: step
						? html`<step-log
							.step=${step}
							.log=${place === undefined ? emptyLog : (state.logs[place] ?? emptyLog)}
							.raw=${stepLogURL(this.build, step.key)}
							.caughtup=${state.caughtUp}
						></step-log>`
						: html`<p class="message muted">
							${
								state.steps.length === 0
									? "This build has no steps yet."
									: `This build has no step “${this.selected}”.`
							}
						</p>`
			}
		`;
	}

	protected override updated(_changed: PropertyValues): void {
		const build = this.#following?.state.build;
		showResult(
			build ? { status: build.status, title: buildTitle(build) } : { title: "Build · Stepcast" },
		);
	}

	#facts(build: Build, asOf: number) {
		const link = /^https?:\/\//i.test(build.url ?? "") ? build.url : undefined;
		return html`
			<div class="facts">
				<h1>
					<status-mark .status=${build.status}></status-mark>
					<span><bdi>${build.project}</bdi> #${build.number}</span>
					${build.title ? html`<bdi class="title">${build.title}</bdi>` : nothing}
				</h1>
				<ul role="list">
					${build.branch ? html`<li>on <code><bdi>${build.branch}</bdi></code></li>` : nothing}
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
									<run-time
										.started=${build.started_at}
										.finished=${build.finished_at}
										.asof=${asOf}
									></run-time>
								</li>`
							: nothing
					}
					<li><notify-button .build=${build}></notify-button></li>
					${link ? html`<li><a href=${link} rel="noreferrer">Where it ran</a></li>` : nothing}
				</ul>
			</div>
		`;
	}

	/**
	 * The step to show when the address names none: what failed, else what runs, else the last that
	 * has begun. Who has scrolled away from the end of a log is left there.
	 */
	#choice(steps: readonly Step[]): string {
		const shown = this.renderRoot.querySelector<StepLog>("step-log");
		if (this.selected !== "" && shown && !shown.following) return this.selected;
		const current = steps.find((step) => step.key === this.selected);
		if (current?.status === "running") return current.key;
		const choice =
			steps.find((step) => step.status === "failed" || step.status === "lost") ??
			steps.find((step) => step.status === "running") ??
			steps.findLast((step) => ended(step.status) && step.status !== "skipped") ??
			steps[0];
		return choice?.key ?? "";
	}

	readonly #chosen = (): void => {
		const named = fragment();
		if (named !== "") this.selected = named;
	};
}

/** What a refusal means to the reader of a build's page. */
function refusal(status: number): [heading: string, sentence: string] {
	switch (status) {
		case 400:
		case 404:
			return ["No such build", "There is no build at this address."];
		case 401:
			return ["Not signed in", "Sign in to see this build."];
		default:
			return ["Not available", `The server refused to show this build (HTTP status ${status}).`];
	}
}

/** The step that the address names. */
function fragment(): string {
	try {
		return decodeURIComponent(location.hash.slice(1));
	} catch {
		return "";
	}
}

customElements.define("build-page", BuildPage);
