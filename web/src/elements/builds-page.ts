import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { apply, type BuildsState, emptyList } from "../builds-state.ts";
import { Following } from "../following.ts";
import { counted } from "../format.ts";
import type { BuildsPage as Page, StreamEvent } from "../model.ts";
import "./build-item.ts";
import { shared } from "./shared-styles.ts";

const pageSize = 50;

/** All builds, newest first, live: a page of the list, and the feed from before that page was asked for. */
export class BuildsPage extends LitElement {
	static override properties = { failed: { state: true }, loading: { state: true } };
	declare private failed: boolean;
	declare private loading: boolean;

	readonly #feed = new Following<BuildsState>(this, { log: "feed" }, emptyList, (state, event) => {
		const after = apply(state, event);
		this.#since?.push(event);
		if (event.kind === "build") this.#holdBack(state, event.data.id);
		// A reset forgets the list too, and each reconnect is a chance to load what could not be loaded.
		if (event.kind === "live" && !after.loaded) void this.#load();
		return after;
	});
	/** What the feed said while a page was on the way: the page may be older than that. */
	#since: StreamEvent[] | undefined;
	/** New builds that wait for a click, so that no row moves away under a pointer. */
	readonly #held = new Set<string>();

	constructor() {
		super();
		this.failed = false;
		this.loading = false;
	}

	static override styles = [
		shared,
		css`
			:host {
				display: block;
				max-width: 90rem;
				margin: 0 auto;
				padding: 1rem;
			}

			h1 {
				margin: 0 0 0.75rem;
				font-size: 1.25rem;
			}

			ol {
				display: grid;
				grid-template-columns: max-content minmax(12rem, 1fr) fit-content(14rem) fit-content(12rem) max-content max-content max-content;
				margin: 0;
				padding: 0;
				list-style: none;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
			}

			li {
				display: grid;
				grid-column: 1 / -1;
				grid-template-columns: subgrid;
			}

			li + li {
				border-top: 1px solid var(--line);
			}

			.new {
				position: sticky;
				top: 0.5rem;
				z-index: 1;
				display: block;
				margin: 0 auto 0.5rem;
			}

			.more {
				margin-top: 0.75rem;
			}

			pre {
				padding: 0.75rem 1rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--panel);
				font: 0.875rem / 1.5 var(--mono);
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			@media (max-width: 640px) {
				:host {
					padding: 0.75rem;
				}

				ol {
					grid-template-columns: minmax(0, 1fr);
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		document.title = "Builds · Stepcast";
		addEventListener("scroll", this.#scrolled, { passive: true });
		void this.#load();
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		removeEventListener("scroll", this.#scrolled);
	}

	override render() {
		const { builds, loaded, next } = this.#feed.state;
		const shown = builds.filter(({ build }) => !this.#held.has(build.id));
		const asOf = this.#feed.connection.name === "live" ? 0 : this.#feed.asOf;
		return html`
			<h1>Builds</h1>
			${
				this.#held.size > 0
					? html`<button class="new" @click=${this.#release}>${counted(this.#held.size, "new build")}</button>`
					: nothing
			}
			${
				shown.length > 0
					? html`<ol role="list">
							${repeat(
								shown,
								({ build }) => build.id,
								(one) => html`<li><build-item .listed=${one} .asof=${asOf}></build-item></li>`,
							)}
						</ol>`
					: nothing
			}
			${loaded && builds.length === 0 ? this.#empty() : nothing}
			${
				this.failed
					? html`<p role="alert">
							The list could not be loaded.
							<button @click=${() => this.#load(next)}>Try again</button>
						</p>`
					: nothing
			}
			${
				next !== undefined && !this.failed
					? html`<button class="more" ?disabled=${this.loading} @click=${() => this.#load(next)}>
							Older builds
						</button>`
					: nothing
			}
			${!loaded && !this.failed && builds.length === 0 ? html`<p class="muted">Loading…</p>` : nothing}
		`;
	}

	#empty() {
		return html`
			<p>No builds yet. This one would be the first, and appears here by itself:</p>
			<pre>stepcast run --project hello -- echo "Hello, Stepcast"</pre>
		`;
	}

	protected override updated(_changed: PropertyValues): void {
		const gone = this.#feed.connection.name === "refused" && !this.#feed.state.loaded;
		if (gone) this.failed = true;
	}

	async #load(before?: string): Promise<void> {
		if (this.loading) return;
		this.loading = true;
		this.failed = false;
		this.#since = [];
		try {
			const query = new URLSearchParams({ limit: String(pageSize) });
			if (before !== undefined) query.set("before", before);
			const response = await fetch(`/api/v1/builds?${query}`, {
				headers: { Accept: "application/json" },
				signal: AbortSignal.timeout(15_000),
			});
			if (!response.ok) throw new Error(`the list of builds: ${response.status}`);
			const data = (await response.json()) as Page;
			const page = apply(this.#feed.state, { kind: "page", data });
			this.#feed.update(this.#since.reduce(apply, page));
		} catch {
			this.failed = true;
		} finally {
			this.#since = undefined;
			this.loading = false;
		}
	}

	#holdBack(before: BuildsState, id: string): void {
		if (scrollY <= 0 || !before.loaded) return;
		if (!before.builds.some(({ build }) => build.id === id)) this.#held.add(id);
	}

	readonly #scrolled = (): void => {
		if (scrollY <= 0 && this.#held.size > 0) this.#release();
	};

	#release(): void {
		this.#held.clear();
		this.requestUpdate();
	}
}

customElements.define("builds-page", BuildsPage);
