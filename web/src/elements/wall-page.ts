import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { maybeSignIn, noneToSee, refusal, without } from "../account.ts";
import { Following } from "../following.ts";
import { clock, clockOrDay, count, counted } from "../format.ts";
import { keyed } from "../keyed.ts";
import { listening } from "../listening.ts";
import type { ProjectsPage, StreamEvent } from "../model.ts";
import { get } from "../request.ts";
import { Ticking } from "../ticking.ts";
import { tokenQuery } from "../token.ts";
import { vars } from "../vars.ts";
import { askForPast } from "../wall-past.ts";
import { apply, emptyWall, pastIsUnknown, type Tile, type WallState } from "../wall-state.ts";
import { calm, configOf, grid, missing, problem, shift, wanted } from "../wall-view.ts";
import { shared } from "./shared-styles.ts";
import "./stream-state.ts";
import "./stepcast-tile.ts";

/** How long a page of tiles stays when there are several. */
const turnAfter = 20_000;
/** Without news for so long nobody should rely on a board. */
const staleAfter = 45_000;
/** A pointer that rests so long is hidden. */
const hideAfter = 5_000;
/** Requests about the past that are under way at once. */
const mostRequests = 4;
/** A page of no more pixels, a phone's, is scrolled and not turned; the stylesheet has the same. */
const narrow = 640;
const tooMany = "Too many: name projects.";

interface View {
	/** All branches that the address asks for. */
	readonly all: readonly Tile[];
	/** How many tiles somebody should look at, those without a build among them. */
	readonly problems: number;
	/** What is to be shown, on all pages: a tile, or the name of a project that has none. */
	readonly shown: readonly (Tile | string)[];
	readonly pages: number;
	readonly cols: number;
	readonly rows: number;
}

/**
 * A board for a screen on the wall: the newest build of each project and branch that the address
 * names, problems first. It never shows as news what may be old: without a word from the server for
 * 45 s, offline, or after the page itself was asleep, it says since when it knows nothing.
 */
export class WallPage extends LitElement {
	static override properties = {
		size: { state: true },
		page: { state: true },
		paused: { state: true },
		still: { type: Boolean, reflect: true },
		projects: { state: true },
	};
	/** Of the board, in CSS pixels. */
	declare private size: { readonly width: number; readonly height: number };
	declare private page: number;
	/** Whether pages of tiles turn only when somebody turns them. */
	declare private paused: boolean;
	/** Whether the pointer rests, and is hidden. */
	declare private still: boolean;
	/** All projects of the server; undefined until somebody had to know. */
	declare private projects: ReadonlySet<string> | undefined;

	readonly #config = configOf(location.search);
	/** The whole feed, which pages share. The board looks at what it names only. */
	readonly #following = new Following<WallState>(
		this,
		{ log: "feed" },
		emptyWall,
		(state, event) => {
			this.#doubted = undefined;
			if (event.kind === "reset") this.#asked.clear();
			return apply(state, event);
		},
	);
	/** What the board shows, as of the last render. */
	#view: View = { all: [], problems: 0, shown: [], pages: 1, cols: 1, rows: 1 };
	/** When the board was last known to be true; undefined until it was. */
	#true: number | undefined;
	/** When the page woke up; undefined once something was heard since. */
	#doubted: number | undefined;
	#ticked = Date.now();
	#turned = Date.now();
	/** The branches whose past was asked for, and how many requests are under way. */
	readonly #asked = new Set<string>();
	#requests = 0;
	#gone = new AbortController();
	#rest: ReturnType<typeof setTimeout> | undefined;
	#lock: WakeLockSentinel | undefined;
	readonly #calmly = matchMedia("(prefers-reduced-motion: reduce)");
	readonly #resized = new ResizeObserver(([entry]) => {
		if (entry) this.size = entry.contentRect;
	});

	constructor() {
		super();
		this.size = { width: innerWidth, height: innerHeight };
		this.page = 0;
		this.paused = this.#calmly.matches;
		this.still = false;
		new Ticking(this);
		for (const kind of ["pointermove", "pointerdown", "keydown"]) {
			listening(this, kind, this.#moved);
		}
		listening(this, "visibilitychange", this.#stayAwake, document);
		this.addEventListener("connection", () => {
			const { connection, state } = this.#following;
			// A connection that says itself that it is not live leaves nothing to doubt.
			if (connection.name !== "live") this.#doubted = undefined;
			// Where nobody signs in, the server says in place of the board what became of the token.
			if (connection.name === "refused" && tokenQuery && state.loaded) location.reload();
		});
	}

	static override styles = [
		shared,
		css`
			:host {
				display: grid;
				grid-template-rows: minmax(0, 1fr) auto;
				gap: 0.5rem;
				height: 100vh;
				height: 100dvh;
				/* Moves by a few pixels now and then, so that no screen keeps its edges. */
				padding: calc(0.75rem + var(--y) * 1px) calc(0.75rem - var(--x) * 1px)
					calc(0.5rem - var(--y) * 1px) calc(0.75rem + var(--x) * 1px);
			}

			:host([still]) {
				cursor: none;
			}

			.board.stale {
				position: relative;
				padding: 1.25rem;
				background: repeating-linear-gradient(
					-45deg,
					#333b44 0 1rem,
					#e3b341 1rem 2rem
				);
			}

			.board {
				display: grid;
				grid-template-rows: auto minmax(0, 1fr);
				min-height: 0;
				min-width: 0;
			}

			.stale .tiles,
			.stale .calm {
				background: var(--page);
			}

			/* What may be old is no colour to go by. */
			.stale stepcast-tile,
			.stale stepcast-mark {
				filter: grayscale(1);
			}

			.alarm {
				margin: 0;
				padding: 0.25em 0.5em;
				background: #333b44;
				color: #ffffff;
				font-size: clamp(1.25rem, 4vw, 4rem);
				font-weight: 700;
				text-align: center;
			}

			.alarm:empty {
				display: none;
			}

			.tiles {
				display: grid;
				grid-template-columns: repeat(var(--cols), minmax(0, 1fr));
				grid-template-rows: repeat(var(--rows), minmax(0, 1fr));
				grid-row: 2;
				gap: 0.5rem;
				min-height: 0;
				margin: 0;
				padding: 0;
				list-style: none;
			}

			li {
				display: grid;
				min-width: 0;
				min-height: 0;
			}

			.absent {
				align-content: center;
				padding: 0.5rem 1rem;
				border: 2px dashed var(--control);
				border-radius: 0.375rem;
				font-size: clamp(1rem, 1.5vw, 4rem);
				overflow-wrap: anywhere;
			}

			.calm {
				display: grid;
				grid-row: 2;
				place-content: center;
				justify-items: center;
				gap: 1rem;
				padding: 1rem;
				font-size: clamp(1.5rem, 5vw, 5rem);
				font-weight: 700;
				text-align: center;
			}

			.calm stepcast-mark {
				font-size: 2em;
			}

			.calm p {
				margin: 0;
			}

			.calm .why {
				font-size: clamp(1rem, 2vw, 2rem);
				font-weight: 400;
			}

			footer {
				display: flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0 1.25rem;
				min-height: 2rem;
				color: var(--muted);
				font-size: clamp(0.875rem, 1.1vw, 1.75rem);
			}

			stream-state {
				font-size: inherit;
			}

			/* What is wrong is read from as far away as the time. */
			.clock,
			stream-state:not(.live) {
				font-size: 1.5em;
				font-weight: 700;
			}

			.clock {
				margin-left: auto;
				color: var(--text);
			}

			/* Nobody is there to press it. */
			:host([still]) stream-state::part(retry):not(:focus) {
				display: none;
			}

			@media (max-width: 640px) {
				:host {
					height: auto;
					min-height: 100dvh;
				}

				.tiles {
					grid-template-rows: none;
					grid-auto-rows: 9rem;
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		this.#gone = new AbortController();
		this.#moved();
		this.#stayAwake();
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.#gone.abort();
		this.#resized.disconnect();
		clearTimeout(this.#rest);
		void this.#lock?.release();
	}

	protected override firstUpdated(): void {
		this.#resized.observe(this.renderRoot.querySelector(".board") as Element);
	}

	protected override willUpdate(_changed: PropertyValues): void {
		const now = Date.now();
		this.#lookAtClock(now);
		this.#view = this.#look(this.#following.state);
		const [x, y] = shift(now);
		this.style.setProperty("--x", String(x));
		this.style.setProperty("--y", String(y));
		if (now - this.#turned >= turnAfter) {
			this.#turned = now;
			if (!this.paused && !this.shadowRoot?.activeElement) this.page++;
		}
	}

	/** A page whose clock has jumped was asleep: what it shows is as old as its last tick, until it hears. */
	#lookAtClock(now: number): void {
		const { connection } = this.#following;
		const slept = now - this.#ticked > staleAfter && document.visibilityState === "visible";
		this.#ticked = now;
		if (connection.name !== "live") this.#asked.clear();
		if (slept && this.#true !== undefined) {
			this.#doubted = now;
			dispatchEvent(new Event("stepcast-retry"));
			return;
		}
		// A connection that is live for longer than it may be silent has been heard.
		if (this.#doubted !== undefined && now - this.#doubted > staleAfter) this.#doubted = undefined;
		if (connection.name === "live" && this.#doubted === undefined) this.#true = now;
		if (connection.name === "stale") {
			this.#true = Math.min(this.#true ?? connection.news, connection.news);
		}
	}

	/** Whether the board may be old: nobody should rely on it. */
	get #stale(): boolean {
		const { name } = this.#following.connection;
		if (this.#true === undefined) return false;
		if (name === "live") return this.#doubted !== undefined;
		return (
			(!name.endsWith("connecting") && name !== "stale") || Date.now() - this.#true > staleAfter
		);
	}

	override render() {
		const { state } = this.#following;
		const stale = this.#stale;
		const now = this.#true ?? Date.now();
		return html`
			<h1 class="unseen">Wallboard</h1>
			<div class="board ${stale ? "stale" : ""}">
				<p role="alert" class="alarm">${
					stale
						? `${this.#following.connection.name === "refused" ? "SIGNED OUT" : "NO DATA"} SINCE ${clockOrDay(now, Date.now())}`
						: nothing
				}</p>
				${this.#board(state, now)}
			</div>
			${this.#footer(state)}
		`;
	}

	#look(state: WallState): View {
		const all = wanted(state, this.#config);
		const problems = all.filter(problem);
		// Nobody would miss what is on no page: what the address names and nobody knows has a place too.
		const absent = state.loaded ? missing(all, this.#config) : [];
		const shown = [...(this.#config.problems ? problems : all), ...absent];
		const { width, height } = this.size;
		const { cols } = this.#config;
		const layout =
			innerWidth <= narrow
				? { cols: cols ?? 1, rows: shown.length, pages: 1 }
				: grid(shown.length, width, height, cols);
		return { all, problems: problems.length + absent.length, shown, ...layout };
	}

	#board(state: WallState, now: number) {
		const { all, shown, pages, cols, rows } = this.#view;
		if (!state.loaded) return this.#empty(...this.#waiting());
		if (shown.length === 0 && all.length === 0) {
			return this.#empty(
				"No builds yet",
				without.includes("start")
					? noneToSee
					: "Waiting for the first one, which appears here by itself.",
			);
		}
		if (shown.length === 0) {
			return state.truncated
				? this.#empty("No problems here", tooMany)
				: html`<div class="calm">
						<stepcast-mark brief .status=${"passed"}></stepcast-mark>
						<p>${calm(all)}</p>
					</div>`;
		}
		const from = (this.page % pages) * cols * rows;
		return html`
			<ul role="list" class="tiles" ${vars({ "--cols": cols, "--rows": rows })}>
				${keyed(
					shown.slice(from, from + cols * rows),
					(one) => (typeof one === "string" ? one : one.key),
					(one) =>
						typeof one === "string"
							? html`<li class="absent">
									<strong><bdi>${one}</bdi></strong>
									<span>${this.#absence(one)}</span>
								</li>`
							: html`<li>
									<stepcast-tile .tile=${one} .now=${now} .coarse=${this.#calmly.matches}></stepcast-tile>
								</li>`,
				)}
			</ul>
		`;
	}

	#empty(head: string, why: unknown) {
		return html`<div class="calm">
			<p>${head}</p>
			<p class="why">${why}</p>
		</div>`;
	}

	#waiting(): [head: string, why: string] {
		const { connection } = this.#following;
		if (connection.name === "connecting" || connection.name === "live") return ["Loading…", ""];
		if (connection.name !== "refused") {
			return ["No data yet", "The server could not be reached. It is tried again."];
		}
		return refusal(connection.status, "board");
	}

	#absence(project: string) {
		if (this.projects?.has(project) === false) {
			const perhaps = tokenQuery ? " The token may be for others." : maybeSignIn;
			return html`There is no such project.${perhaps}`;
		}
		const branches = this.#config.branches.join(" or ");
		return `No build ${branches && `on ${branches} `}yet.`;
	}

	#footer(state: WallState) {
		const { all, problems, pages } = this.#view;
		const { connection } = this.#following;
		return html`
			<footer>
				${state.loaded ? html`<span>${problems === 0 ? "No problems" : counted(problems, "problem")}, ${count(all.length)} watched</span>` : nothing}
				${state.truncated ? html`<span>${tooMany}</span>` : nothing}
				${pages > 1 ? this.#pages(pages) : nothing}
				<stream-state class=${connection.name} .connection=${connection}></stream-state>
				<span class="clock">${clock(Date.now())}</span>
			</footer>
		`;
	}

	#pages(pages: number) {
		const turn = (by: number) => () => {
			this.paused = true;
			this.page = (this.page + by + pages) % pages;
		};
		return html`<span class="pages">
			<button aria-label="Previous page" @click=${turn(-1)}>‹</button>
			Page ${(this.page % pages) + 1} of ${pages}
			<button aria-label="Next page" @click=${turn(1)}>›</button>
			<button
				@click=${() => {
					this.paused = !this.paused;
					this.#turned = Date.now();
				}}
			>
				${this.paused ? "Turn pages" : "Stay on this page"}
			</button>
		</span>`;
	}

	protected override updated(_changed: PropertyValues): void {
		const { state, connection } = this.#following;
		const { all, problems, shown } = this.#view;
		const sign = this.#stale
			? "! no data"
			: problems > 0
				? `✗ ${problems}`
				: state.truncated
					? "!"
					: "✓";
		document.title = `${state.loaded ? `${sign} · ` : ""}Wallboard · Stepcast`;
		if (connection.name !== "live") return;
		if (state.truncated && !this.#asked.has("")) void this.#askForNamed();
		for (const tile of all) {
			if (pastIsUnknown(tile) && !this.#asked.has(tile.key)) void this.#askForPast(tile);
		}
		if (this.projects === undefined && shown.some((one) => typeof one === "string")) {
			void this.#askForProjects();
		}
	}

	/** One that fails is asked again when the connection has been made anew. */
	async #askForPast(tile: Tile): Promise<void> {
		if (this.#requests >= mostRequests) return;
		this.#asked.add(tile.key);
		this.#requests++;
		try {
			const past = await askForPast(tile, this.#gone.signal);
			this.#following.update(apply(this.#following.state, past));
		} catch {
			// The tile does without: it does not say since when.
		} finally {
			this.#requests--;
			this.requestUpdate();
		}
	}

	/** What the board names, of more builds than the feed begins with. Until then it says that it has not all. */
	async #askForNamed(): Promise<void> {
		this.#asked.add("");
		const named = [...new URLSearchParams(location.search)].filter(
			([name]) => /^[pb]/.test(name), // project and branch
		);
		if (!named[0]) return;
		try {
			const { events } = await get<{ readonly events: readonly StreamEvent[] }>(
				`/api/v1/events?limit=1&${new URLSearchParams(named)}${tokenQuery}`,
				this.#gone.signal,
			);
			this.#following.update(events.reduce(apply, this.#following.state));
		} catch {}
	}

	async #askForProjects(): Promise<void> {
		this.projects = new Set();
		try {
			const { projects } = await get<ProjectsPage>(
				`/api/v1/projects?${tokenQuery}`,
				this.#gone.signal,
			);
			this.projects = new Set(projects.map(({ name }) => name));
		} catch {
			this.projects = undefined;
		}
	}

	readonly #moved = (): void => {
		this.still = false;
		clearTimeout(this.#rest);
		this.#rest = setTimeout(() => {
			this.still = true;
		}, hideAfter);
	};

	/** Keeps the screen on, where the browser can, and asks anew whenever the page is shown again. */
	readonly #stayAwake = async (): Promise<void> => {
		if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
		try {
			this.#lock = await navigator.wakeLock.request("screen");
			if (this.#gone.signal.aborted) await this.#lock.release();
		} catch {
			// A device that saves its battery refuses.
		}
	};
}

customElements.define("wall-page", WallPage);
