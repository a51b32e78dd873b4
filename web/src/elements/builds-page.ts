import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { accessEnded, account, noneToSee, without } from "../account.ts";
import { apply, type BuildsState, emptyList, shown, waiting } from "../builds-state.ts";
import { showResult } from "../favicon.ts";
import { everything, type Filter, filterFrom, filterQuery, isEverything } from "../filter.ts";
import { Following } from "../following.ts";
import { counted } from "../format.ts";
import { keyed } from "../keyed.ts";
import { Keys } from "../keys.ts";
import { listening } from "../listening.ts";
import {
	type BuildWithSteps,
	buildURL,
	type BuildsPage as Page,
	type ProjectsPage,
	type StreamEvent,
} from "../model.ts";
import { get, reason } from "../request.ts";
import "./build-item.ts";
import type { BuildItem } from "./build-item.ts";
import "./builds-filter.ts";
import type { BuildsFilter } from "./builds-filter.ts";
import "./first-build.ts";
import { shared } from "./shared-styles.ts";

const pageSize = 50;
/** How long a page may take, in milliseconds, before something is shown in its place. */
const patience = 300;
/** How often a screen reader is told how many builds there are now, in milliseconds. */
const quiet = 5_000;

/** Whether there is a pointer that rests; a finger leaves its last place hovered. */
const hovering = matchMedia("(hover: hover)");

const columns = ["Status", "Build", "Branch", "Author", "Steps", "Started", "Took"] as const;

/** All builds, newest first, live: a page of the list, and the feed from before that page was asked for. */
export class BuildsPage extends LitElement {
	static override properties = {
		failed: { state: true },
		loading: { state: true },
		slow: { state: true },
		said: { state: true },
		known: { state: true },
	};
	/** Why a page did not come, in a sentence; empty when it did. */
	declare private failed: string;
	declare private loading: boolean;
	declare private slow: boolean;
	/** What a screen reader hears when a page has come, and when there are more builds, or fewer. */
	declare private said: string;
	/** What the filter's fields suggest. */
	declare private known: BuildsFilter["known"];

	readonly #feed = new Following<BuildsState>(
		this,
		{ log: "feed" },
		apply(emptyList, { kind: "filter", data: filterFrom(new URLSearchParams(location.search)) }),
		(state, event) => {
			const after = apply(state, event);
			this.#since?.push(event);
			// A reset forgets the list too, and each reconnect is a chance to load what could not be loaded.
			if (event.kind === "live" && (!after.loaded || this.failed !== "")) void this.#load();
			// Told anew from the beginning, as after a sleep: what happened in between is in no event.
			if (event.kind === "snapshot" && this.#told && after.loaded) void this.#load();
			this.#told ||= event.kind === "snapshot";
			return after;
		},
	);
	/** What the feed said while a page was on the way: the page may be older than that. */
	#since: StreamEvent[] | undefined;
	/** The request of a page that is on the way. */
	#request: AbortController | undefined;
	/** Runs until that is said again. */
	#quiet: ReturnType<typeof setTimeout> | undefined;
	/** Whether the feed has begun. */
	#told = false;
	/** Whether the projects were asked for. */
	#learned = false;
	/** The builds that were asked for because the feed brought them without their steps. */
	readonly #asked = new Set<string>();

	constructor() {
		super();
		this.failed = "";
		this.loading = false;
		this.slow = false;
		this.said = "";
		this.known = { project: [], branch: [], author: [] };
		listening(this, "scroll", this.#settle);
		listening(this, "popstate", this.#went);
		new Keys(this, "Builds", [
			{ keys: ["/"], help: "Go to the filter", run: () => this.#filterBar?.focus() },
			{ keys: ["j"], help: "Go to the next build; Enter opens it", run: () => this.#move(1) },
			{ keys: ["k"], help: "Go to the previous build", run: () => this.#move(-1) },
		]);
	}

	static override styles = [
		shared,
		css`
			:host {
				max-width: 100rem;
				margin: 0 auto;
				padding: 1rem;
			}

			/* Each row lays itself out, by columns that no content changes: a second's ticks cost what is in view. */
			[role="table"] {
				--columns: 7rem minmax(12rem, 3fr) minmax(0, 1.2fr) minmax(0, 1fr) minmax(7rem, 1.3fr) 7rem 12rem;
			}

			[role="table"],
			.skeleton {
				border: 1px solid var(--line);
				border-radius: 0.5rem;
			}

			.head {
				display: grid;
				grid-template-columns: var(--columns);
				padding: 0.375rem 0;
				border-radius: 0.5rem 0.5rem 0 0;
				background: var(--panel);
				color: var(--muted);
				font-size: 0.8125rem;
				font-weight: 600;
			}

			.head > * {
				padding: 0 0.75rem;
			}

			build-item {
				border-top: 1px solid var(--line);
			}

			build-item:last-of-type {
				border-radius: 0 0 0.5rem 0.5rem;
			}

			.new {
				position: sticky;
				top: 0.5rem;
				z-index: 1;
				display: block;
				margin: 0 auto 0.5rem;
				box-shadow: 0 1px 4px #0005;
			}

			.below,
			.message {
				margin: 0.75rem 0 0;
			}

			.message {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.5rem 0.75rem;
				padding: 0.75rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--panel);
				overflow-wrap: anywhere;
			}

			.failed {
				border-left: 4px solid var(--failed);
			}

			.skeleton > * {
				height: 3.5rem;
				padding: 1.25rem 0.75rem;
			}

			.skeleton > * + * {
				border-top: 1px solid var(--line);
			}

			.skeleton > *::before {
				display: block;
				width: 60%;
				height: 1rem;
				border-radius: 0.25rem;
				background: var(--line);
				content: "";
			}

			@media (max-width: 1100px) {
				[role="table"] {
					--columns: 7rem minmax(9rem, 3fr) minmax(0, 1.2fr) minmax(0, 1fr) minmax(5rem, 1.3fr) 6.5rem 8.5rem;
				}
			}

			@media (max-width: 640px) {
				:host {
					padding: 0.75rem;
				}

				.head {
					position: absolute;
					width: 1px;
					height: 1px;
					overflow: hidden;
					clip-path: inset(50%);
				}

				.head + build-item {
					border-top: 0;
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		showResult({ title: "Builds · Stepcast" });
		void this.#load();
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.#request?.abort();
	}

	override render() {
		const { state, connection } = this.#feed;
		const { loaded, next, filter } = state;
		const builds = loaded || this.failed !== "" ? shown(state) : [];
		const asOf = connection.name === "live" ? 0 : this.#feed.asOf;
		const news = waiting(state);
		const none = loaded && !this.loading && this.failed === "" && builds.length === 0 && news === 0;
		return html`
			<h1 class="unseen">Builds</h1>
			${loaded ? accessEnded(connection, asOf) : nothing}
			<builds-filter
				.filter=${filter}
				.known=${this.known}
				@filter=${this.#filtered}
				@focusin=${this.#learn}
			></builds-filter>
			<p role="status" class="unseen">${this.said}</p>
			${
				news > 0
					? html`<button class="new" @click=${this.#let}>${counted(news, "new build")}</button>`
					: nothing
			}
			${builds.length > 0 ? this.#table(builds, asOf) : nothing}
			${none ? this.#none(filter) : nothing}
			${this.failed === "" ? nothing : this.#failure(next)}
			${
				next !== undefined && this.failed === ""
					? html`<button class="below" ?disabled=${this.loading} @click=${() => this.#load(next)}>
							Older builds
						</button>`
					: nothing
			}
			${this.slow && builds.length === 0 ? this.#skeleton() : nothing}
		`;
	}

	#table(builds: ReturnType<typeof shown>, asOf: number) {
		return html`
			<div
				role="table"
				aria-label="Builds"
				aria-busy=${this.loading}
				@pointerenter=${this.#settle}
				@pointerleave=${this.#settle}
			>
				<div class="head" role="row">
					${columns.map((name) => html`<div role="columnheader">${name}</div>`)}
				</div>
				${keyed(
					builds,
					({ build }) => build.id,
					(one) => html`<build-item role="row" .listed=${one} .asof=${asOf}></build-item>`,
				)}
			</div>
		`;
	}

	#none(filter: Filter) {
		if (isEverything(filter)) {
			return without.includes("start")
				? html`<p>${noneToSee}</p>`
				: html`<first-build></first-build>`;
		}
		return html`<p class="message">
			<span>${account === "Sign in" ? noneToSee : "No builds match."}</span>
			<button @click=${() => this.#choose(everything)}>Clear the filter</button>
		</p>`;
	}

	#failure(next: string | undefined) {
		return html`<p role="alert" class="message failed">
			<span>The builds could not be loaded. ${this.failed}</span>
			<button @click=${() => this.#load(next)}>Try again</button>
		</p>`;
	}

	#skeleton() {
		return html`
			<p role="status" class="unseen">Loading…</p>
			<div class="skeleton" aria-hidden="true">
				${Array.from({ length: 8 }, () => html`<div></div>`)}
			</div>
		`;
	}

	protected override willUpdate(_changed: PropertyValues): void {
		this.#settle();
	}

	protected override updated(_changed: PropertyValues): void {
		const { builds } = this.#feed.state;
		if (this.said !== this.#words) {
			this.#quiet ??= setTimeout(() => {
				this.#quiet = undefined;
				this.said = this.#words;
			}, quiet);
		}
		const partial = builds.find(({ build, partial }) => partial && !this.#asked.has(build.id));
		if (partial) void this.#complete(partial.build.id);
	}

	/** How many builds there are, as far as that is known. */
	get #words(): string {
		const { state } = this.#feed;
		if (!state.loaded) return this.said;
		return `${counted(shown(state).length, "build")}${state.next === undefined ? "" : ", and older ones"}`;
	}

	get #filterBar(): BuildsFilter | null {
		return this.renderRoot.querySelector("builds-filter");
	}

	/** Suggests what the list shows, and all projects, when somebody goes to the filter. */
	async #learn(): Promise<void> {
		const { builds } = this.#feed.state;
		const all = (words: readonly (string | null | undefined)[]) =>
			[...new Set(words)].filter((word) => word !== null && word !== undefined).sort();
		this.known = {
			project: all([...this.known.project, ...builds.map(({ build }) => build.project)]),
			branch: all(builds.map(({ build }) => build.branch)),
			author: all(builds.map(({ build }) => build.author)),
		};
		if (this.#learned) return;
		this.#learned = true;
		try {
			const { projects } = await get<ProjectsPage>("/api/v1/projects");
			const project = all([...this.known.project, ...projects.map(({ name }) => name)]);
			this.known = { ...this.known, project };
		} catch {
			// Without suggestions a name can still be typed.
		}
	}

	async #load(before?: string): Promise<void> {
		this.#request?.abort();
		const request = new AbortController();
		this.#request = request;
		this.loading = true;
		this.failed = "";
		const slowly = setTimeout(() => {
			this.slow = true;
		}, patience);
		this.#since = [];
		try {
			const query = filterQuery(this.#feed.state.filter);
			query.set("limit", String(pageSize));
			if (before !== undefined) query.set("before", before);
			const data = await get<Page>(`/api/v1/builds?${query}`, request.signal);
			if (request !== this.#request) return;
			const page = apply(this.#feed.state, { kind: "page", data });
			const now = this.#since.reduce(apply, page);
			this.#feed.update(now);
			this.said = this.#words;
		} catch (error) {
			if (request === this.#request) this.failed = reason(error);
		} finally {
			clearTimeout(slowly);
			if (request === this.#request) {
				this.#request = undefined;
				this.#since = undefined;
				this.loading = false;
				this.slow = false;
			}
		}
	}

	/** Asks for a build that the feed brought in midst of its life, whose steps it did not tell. */
	async #complete(id: string): Promise<void> {
		this.#asked.add(id);
		try {
			const whole = await get<BuildWithSteps>(buildURL(id));
			const snapshot = { kind: "snapshot", id: "", data: { builds: [whole] } } as const;
			this.#feed.update(apply(this.#feed.state, snapshot));
		} catch {
			// The row is true without its steps.
		}
	}

	#filtered(event: CustomEvent<Filter>): void {
		this.#choose(event.detail);
	}

	#choose(filter: Filter): void {
		const query = String(filterQuery(filter));
		history.pushState(null, "", query === "" ? "/" : `/?${query}`);
		this.#use(filter);
	}

	readonly #went = (): void => this.#use(filterFrom(new URLSearchParams(location.search)));

	#use(filter: Filter): void {
		this.#feed.update(apply(this.#feed.state, { kind: "filter", data: filter }));
		void this.#load();
	}

	#move(by: 1 | -1): void {
		const items = [...this.renderRoot.querySelectorAll<BuildItem>("build-item")];
		const here = items.findIndex((item) => item.matches(":focus-within"));
		items[here < 0 ? 0 : Math.min(items.length - 1, Math.max(0, here + by))]?.focus();
	}

	/** No row moves away under a pointer, nor while somebody reads below. */
	readonly #settle = (): void => {
		const { state } = this.#feed;
		const pointed = this.renderRoot.querySelector("[role=table]")?.matches(":hover") ?? false;
		const still = state.loaded && (scrollY > 0 || (pointed && hovering.matches));
		if (still === (state.frozen !== undefined)) return;
		this.#feed.update(apply(state, { kind: still ? "freeze" : "thaw" }));
	};

	/** Lets in what waits. */
	#let(): void {
		this.#feed.update(apply(this.#feed.state, { kind: "freeze" }));
	}
}

customElements.define("builds-page", BuildsPage);
