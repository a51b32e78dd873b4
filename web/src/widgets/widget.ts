import { html, LitElement, nothing, type PropertyDeclarations, type PropertyValues } from "lit";
import { clockOrDay } from "../format.ts";
import type { Build } from "../model.ts";
import { Ticking } from "../ticking.ts";
import { type Connection, staleAfter } from "./page-hub.ts";
import type { Watcher, Watching } from "./watching.ts";

/** Where this script came from: the server, where an element names none. A module has to look for itself. */
const home = new URL(
	(
		(document.currentScript ??
			document.querySelector('script[type=module][src$="/widgets.js"]')) as HTMLScriptElement | null
	)?.src ?? location.href,
).origin;

/**
 * What all widgets are: an element on somebody's page that follows the scheme of the page around it, and
 * says when what it shows may be old. Its children are what is seen without JavaScript and until there
 * is something to show.
 *
 * @slot - a link, for where there is no JavaScript
 * @csspart frame - all of it
 * @csspart alarm - the words that say that what is shown may be old
 * @fires {CustomEvent<{ build: Build; previous: Status | undefined }>} stepcast-change - a build is new, or its status: `{ build, previous }`, the build as the API has it, and the status before, if any was known
 * @fires {CustomEvent<{ state: ConnectionState }>} stepcast-connection - the state of the connection is another: `{ state }`, one of connecting, live, stale, reconnecting, offline, finished, refused
 * @cssprop --stepcast-font - font of words
 * @cssprop --stepcast-font-size - size of words; 14px without it, and 1em is that of the words around
 * @cssprop --stepcast-mono - font of logs
 * @cssprop --stepcast-text - colour of words
 * @cssprop --stepcast-muted - colour of words that matter less
 * @cssprop --stepcast-background - colour of the ground
 * @cssprop --stepcast-panel - colour of the ground of what stands out
 * @cssprop --stepcast-line - colour of borders
 * @cssprop --stepcast-link - colour of links, and of the focus
 * @cssprop --stepcast-radius - how round corners are
 * @cssprop --stepcast-control - colour of the borders of what can be used
 * @cssprop --stepcast-highlight - colour of the ground of what is marked
 * @cssprop --stepcast-passed - colour of what passed
 * @cssprop --stepcast-failed - colour of what failed
 * @cssprop --stepcast-running - colour of what runs
 * @cssprop --stepcast-queued - colour of what waits
 * @cssprop --stepcast-canceled - colour of what was canceled
 * @cssprop --stepcast-skipped - colour of what was skipped
 * @cssprop --stepcast-lost - colour of what nobody reports any more
 * @cssprop --stepcast-stale - colour of the words that say that what is shown may be old
 * @attr server - origin of the Stepcast server; by default that which the script came from
 * @attr token - a token with the scope status, for projects that are not public; whoever sees the page can read it
 * @attr {"auto" | "light" | "dark"} theme - auto (the scheme of the page around it), light or dark
 */
export abstract class Widget extends LitElement implements Watcher {
	static override properties: PropertyDeclarations = {
		server: {},
		token: {},
		theme: {},
		scheme: {},
	};
	declare server: string | undefined;
	declare token: string | undefined;
	declare theme: string | undefined;
	/** The scheme of the page around it, where that does not declare one. */
	declare private scheme: "" | "light" | "dark" | undefined;

	#told: Connection["name"] = "connecting";
	#warned = false;
	readonly #builds = new Map<string, Build>();
	protected readonly ticking = new Ticking(this);

	/** What it shows comes from there. */
	protected abstract readonly watching: Pick<Watching<unknown>, "connection" | "asOf">;

	/** What says whether that is still so. */
	protected get source(): Pick<Watching<unknown>, "connection" | "asOf"> {
		return this.watching;
	}

	/** What it shows; undefined as long as there is nothing to show. */
	protected abstract view(): unknown;

	get origin(): string {
		try {
			return this.server ? new URL(this.server, location.href).origin : home;
		} catch {
			return "";
		}
	}

	override connectedCallback(): void {
		super.connectedCallback();
		// Once there is something to look at.
		queueMicrotask(this.#look);
		// While a stylesheet keeps the page from being drawn, no transition tells what it changes.
		addEventListener("load", this.#look, { once: true });
	}

	override render() {
		const refused = this.source.connection.name === "refused";
		const view = refused ? this.unknown() : this.view();
		const scheme = /^(light|dark)$/.test(this.theme ?? "") ? this.theme : this.scheme;
		return html`<i class="probe" @transitionend=${this.#look}></i>${
			view === undefined
				? html`<slot></slot>`
				: html`<div lang="en" part="frame" class="frame ${scheme} ${this.stale ? "stale" : ""}">${view}</div>`
		}`;
	}

	protected override updated(_changed: PropertyValues): void {
		const { name } = this.source.connection;
		if (name === this.#told) return;
		this.#told = name;
		this.tell("stepcast-connection", { state: name });
	}

	/** Whether what it shows may be old: nobody should rely on it. */
	protected get stale(): boolean {
		const { connection, asOf = Infinity } = this.source;
		const { name } = connection;
		if (name === "stale" || name === "offline") return true;
		return name === "reconnecting" && Date.now() - asOf > staleAfter;
	}

	/** What nobody here may know, or what there is not. */
	protected unknown(what?: unknown) {
		if (!this.#warned) {
			console.warn("No such public build: check names and token.", this);
		}
		this.#warned = true;
		return html`<span class="muted">? unknown</span> ${what}`;
	}

	/** What there is to say about the connection; nothing while all is well. */
	protected warning() {
		const { connection, asOf = Date.now() } = this.source;
		const { name } = connection;
		const words = this.stale
			? `${name === "offline" ? name : "no news"} since ${clockOrDay(asOf, Date.now())}`
			: name === "live"
				? connection.without && "token refused"
				: name === "reconnecting" && name;
		return words ? html`<span part="alarm" class="alarm">! ${words}</span>` : nothing;
	}

	/** Says what became of a build, or of a branch, by its key. */
	protected tellChange(key: string, build: Build): void {
		const before = this.#builds.get(key);
		if (before?.id === build.id && before.status === build.status) return;
		this.#builds.set(key, build);
		this.tell("stepcast-change", { build, previous: before?.status });
	}

	protected tell(name: string, detail: unknown): void {
		this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
	}

	/**
	 * Where the page declares no scheme, its text tells: light text is on a dark ground. That it has another
	 * colour the probe tells, by its transition.
	 */
	readonly #look = (): void => {
		const { colorScheme, backgroundColor } = getComputedStyle(
			this.renderRoot.querySelector(".probe") ?? this,
		);
		const [red = 0, green = 0, blue = 0] = (backgroundColor.match(/ [\d.]+/g) ?? []).map(Number);
		const light = 3 * red + 6 * green + blue > 5.5;
		this.scheme = colorScheme !== "normal" ? "" : light ? "dark" : "light";
	};
}
