import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { shared } from "../elements/shared-styles.ts";
import { keyed } from "../keyed.ts";
import {
	type Build,
	type BuildsPage,
	type BuildWithSteps,
	buildURL,
	nameOf,
	type ProjectsPage,
} from "../model.ts";
import { get, reason } from "../request.ts";
import { vars } from "../vars.ts";
import "./answer-text.ts";
import {
	type Choice,
	choiceFrom,
	choiceQuery,
	choose,
	type Format,
	framed,
	hosts,
	mainOf,
	newestOf,
	widths,
} from "./choice.ts";
import "./embed-card.ts";
import {
	around,
	badgePath,
	beside,
	branches,
	type Embed,
	embeds,
	framePath,
	heights,
	type Policy,
	policyLines,
	type Source,
	target,
	tokenPlace,
} from "./embeds.ts";
import { hostStyles } from "./host-styles.ts";

const recentBuilds = 100;

const words = {
	theme: { auto: "As the page", light: "Light", dark: "Dark" },
	host: { auto: "As this one", light: "Light", dark: "Dark", hostile: "With a hostile stylesheet" },
	frame: { status: "Status", board: "Board", steps: "Steps", log: "Log" },
} as const;

/** What is embedded, how it looks, and the text that embeds it. What is chosen is in the address. */
export class EmbedGallery extends LitElement {
	static override properties = {
		choice: { state: true },
		projects: { state: true },
		builds: { state: true },
		failed: { state: true },
		changes: { state: true },
	};
	declare private choice: Choice;
	/** Undefined until they are known. */
	declare private projects: ProjectsPage["projects"] | undefined;
	/** The newest builds of the project; undefined until they are known. */
	declare private builds: readonly BuildWithSteps[] | undefined;
	/** Why something did not come, in a sentence; empty when all did. */
	declare private failed: string;
	/** How many changes the live previews have told: the others are then asked for again. */
	declare private changes: number;

	#request = new AbortController();
	#settling: ReturnType<typeof setTimeout> | undefined;

	constructor() {
		super();
		this.choice = choiceFrom(new URLSearchParams(location.search));
		this.failed = "";
		this.changes = 0;
	}

	static override styles = [
		shared,
		hostStyles,
		css`
			:host {
				display: grid;
				grid-template-columns: 17rem minmax(0, 1fr);
				align-items: start;
				gap: 0 2rem;
			}

			form {
				position: sticky;
				top: 1rem;
				display: grid;
				gap: 0.75rem;
			}

			label {
				display: grid;
				gap: 0.125rem;
				color: var(--muted);
				font-size: 0.8125rem;
			}

			select {
				width: 100%;
				min-height: 2rem;
				font-size: 0.875rem;
			}

			nav {
				margin-top: 0.25rem;
				padding-top: 0.75rem;
				border-top: 1px solid var(--line);
				font-size: 0.875rem;
			}

			nav ul {
				display: flex;
				flex-wrap: wrap;
				gap: 0 1rem;
				margin: 0;
				padding: 0;
				list-style: none;
			}

			nav a {
				display: inline-flex;
				align-items: center;
				min-height: 1.75rem;
			}

			.message {
				margin: 0 0 1.5rem;
				padding: 0.75rem 1rem;
				border: 1px solid var(--line);
				border-left-width: 4px;
				border-radius: 0.5rem;
				background: var(--panel);
				overflow-wrap: anywhere;
			}

			.failed {
				border-left-color: var(--failed);
			}

			.secret {
				border-left-color: var(--stale);
			}

			.message p,
			.message ul {
				margin: 0.375rem 0 0;
			}

			.message h2 {
				margin: 0;
				font-size: 1rem;
			}

			code {
				font: 0.875em var(--mono);
				overflow-wrap: anywhere;
			}

			.frame {
				padding: 0.75rem 1rem 0;
				max-width: 12rem;
			}

			iframe {
				display: block;
				width: 100%;
				border: 0;
			}

			.none {
				margin: 0;
				color: var(--muted);
			}

			.policy pre {
				margin: 0.5rem 0 0;
				font: 0.8125rem / 1.6 var(--mono);
				white-space: pre-wrap;
			}

			@media (max-width: 900px) {
				:host {
					display: block;
				}

				form {
					position: static;
					grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr));
					margin-bottom: 1.5rem;
				}

				nav {
					grid-column: 1 / -1;
				}

				@media (pointer: coarse) {
					nav a {
						min-height: 2.75rem;
					}
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		addEventListener("popstate", this.#went);
		addEventListener("message", this.#height);
		void this.#load();
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		removeEventListener("popstate", this.#went);
		removeEventListener("message", this.#height);
		this.#request.abort();
		clearTimeout(this.#settling);
	}

	override render() {
		const source = this.#source;
		const all = embeds(source);
		return html`
			${this.#choices(all)}
			<div @stepcast-change=${this.#changed}>
				${this.failed === "" ? nothing : this.#failure()}
				${source.secret ? this.#secret(source) : nothing}
				${this.builds?.length === 0 ? this.#unseen(source) : nothing}
				${all.map((embed) => this.#card(embed, source))}
				${this.#policies(all.map(({ policy }) => policy))}
			</div>
		`;
	}

	/** What is embedded: of the project of the newest build, until one is chosen; acme/api as long as there is none. */
	get #source(): Source {
		const { choice } = this;
		const project = choice.project || newestOf(this.projects ?? []) || "acme/api";
		const hidden = (this.projects ?? []).filter(({ visibility }) => visibility === "private");
		return {
			origin: location.origin,
			choice: { ...choice, project },
			secret: hidden.some(({ name }) => name === project),
			hidden: hidden.some(({ name }) => beside(name, project)),
		};
	}

	#choices(all: readonly Embed[]) {
		const { choice } = this.#source;
		const builds = this.builds ?? [];
		const branches = [...new Set(builds.map(({ branch }) => branch))].filter(Boolean);
		const ofThis = builds.filter(({ branch }) => ofBranch(branch, choice.branch));
		const steps = ofThis.find(({ id }) => choice.build === "" || id === choice.build)?.steps ?? [];
		return html`
			<form aria-label="What is embedded" @change=${this.#chosen} @submit=${prevent}>
				${this.#select(
					"project",
					"Project",
					withChosen(choice.project, [
						...(this.projects ?? []).map(({ name }) => [name, name] as const),
					]),
				)}
				${this.#select(
					"branch",
					"Branch",
					withChosen(choice.branch, [
						["", "Any: the newest build"],
						...branches.map((name) => [name ?? "", name ?? ""] as const),
					]),
				)}
				${this.#select(
					"build",
					"Build",
					withChosen(choice.build, [
						["", "The newest"],
						...ofThis.map((build) => [build.id, titleOf(build)] as const),
					]),
				)}
				${this.#select(
					"step",
					"Step",
					withChosen(choice.step, [
						["", "The one that runs or failed"],
						...steps.map((step) => [step.key, nameOf(step)] as const),
					]),
				)}
				${this.#select("theme", "Theme", Object.entries(words.theme))}
				${this.#select(
					"width",
					"Width",
					widths.map((width) => [String(width), width === 0 ? "All there is" : `${width} px`]),
				)}
				${this.#select(
					"host",
					"Page around it",
					hosts.map((host) => [host, words.host[host]]),
				)}
				<nav aria-label="Embeds">
					<ul>
						${all.map(({ id, title }) => html`<li><a href="#${id}" @click=${this.#jump}>${title}</a></li>`)}
					</ul>
				</nav>
			</form>
		`;
	}

	#select(
		name: keyof Choice,
		label: string,
		options: readonly (readonly [value: string, words: string])[],
	) {
		const chosen = String(this.#source.choice[name]);
		return html`
			<label>
				${label}
				<select name=${name}>
					${options.map(
						([value, words]) =>
							html`<option value=${value} .selected=${value === chosen}>${words}</option>`,
					)}
				</select>
			</label>
		`;
	}

	#card(embed: Embed, source: Source) {
		const { choice } = source;
		const host = embed.id in answers ? "host" : `host ${choice.host}`;
		const width = choice.width === 0 ? "100%" : `${choice.width}px`;
		return html`
			<embed-card
				id=${embed.id}
				.embed=${embed}
				.format=${choice.format}
				@format=${(event: CustomEvent<Format>) => this.#choose({ format: event.detail })}
			>
				${embed.id === "iframe" ? this.#framed(choice) : nothing}
				<div class=${host} ${vars({ "--width": width })}>
					<div class="width">${this.#preview(embed.id, source)}</div>
				</div>
			</embed-card>
		`;
	}

	/** The thing itself. On its own server it needs no token. */
	#preview(id: string, source: Source): TemplateResult {
		const { choice } = source;
		const { project, branch, theme } = choice;
		const own = { ...source, origin: "", secret: false };
		const newest = choice.build === "";
		const of = <Word>(word: Word) => (newest && word !== "" ? word : nothing);
		// A badge of the same address is not asked for twice by one page.
		const again = `#${this.changes}`;
		// Whoever has nothing to show, shows its children.
		const none = html`<span class="none">${this.builds ? "There is no such build yet." : "…"}</span>`;
		if (id === "oembed" && source.secret)
			return html`<p class="none">Needs its token: no preview here.</p>`;
		if (id === "oembed" && !this.builds?.length) return none;
		switch (id) {
			case "badge":
				return html`<img src=${badgePath(own) + again} alt="${project}: build status" />`;
			case "status":
				return html`<stepcast-status project=${project} branch=${branch || nothing} theme=${theme}>${none}</stepcast-status>`;
			case "board":
				return html`<stepcast-board
					projects=${around(project)}
					branches=${branches(choice) || nothing}
					theme=${theme}
				></stepcast-board>`;
			case "steps":
				return html`<stepcast-steps
					build=${choice.build || nothing}
					project=${of(project)}
					branch=${of(branch)}
					theme=${theme}
				>${none}</stepcast-steps>`;
			case "log":
				return html`<stepcast-log
					build=${choice.build || nothing}
					project=${of(project)}
					branch=${of(branch)}
					step=${choice.step || nothing}
					lines="20"
					theme=${theme}
				>${none}</stepcast-log>`;
			case "iframe":
				// Another frame each time: one that went elsewhere would be a step back, too.
				return html`${keyed(
					[framePath(own)],
					(path) => path,
					(path) => html`<iframe
						src=${path}
						title="Preview of the frame"
						height=${heights[choice.frame]}
					></iframe>`,
				)}`;
			default:
				return html`<answer-text path=${answers[id]?.(own) ?? ""} .version=${this.changes}></answer-text>`;
		}
	}

	#framed(choice: Choice) {
		return html`
			<label class="frame">
				What is framed
				<select name="frame" @change=${this.#chosen}>
					${framed.map(
						(one) =>
							html`<option value=${one} .selected=${one === choice.frame}>${words.frame[one]}</option>`,
					)}
				</select>
			</label>
		`;
	}

	#failure() {
		return html`<p role="alert" class="message failed">
			${this.failed} <button @click=${this.#load}>Try again</button>
		</p>`;
	}

	#secret({ choice: { project } }: Source) {
		return html`
			<section class="message secret" aria-labelledby="secret">
				<h2 id="secret">${project} is private</h2>
				<p>
					You see it here because this page is on its own server. On another page its embeds say
					“unknown”, as of a project that does not exist, until you do one of these:
				</p>
				<ul>
					<li>
						Make it public, log text included:
						<code>stepcast project set ${project} --public</code>
					</li>
					<li>
						Make a token for status alone, <a href="/settings/tokens">on a page</a> or by
						<code>stepcast token create --scope status --project ${project}</code>, and put it where the
						texts below say <code>${tokenPlace}</code>.
					</li>
				</ul>
				<p>
					<strong>A token in a page is public to whoever may read that page.</strong> It shows the status
					of ${project}’s builds and steps, never log text, until you revoke it.
				</p>
			</section>
		`;
	}

	/** A project that is not among those that are seen: previews alone would say "unknown", and not why. */
	#unseen({ choice: { project } }: Source) {
		if (this.projects?.some(({ name }) => name === project)) return nothing;
		// The server has said in the document who looks.
		return html`<p role="status" class="message secret">
			There is no project ${project} that you may see.
			${
				this.dataset.account === "Sign in"
					? html`You may have to <a href="/sign-in">sign in</a>.`
					: nothing
			}
		</p>`;
	}

	#policies(policies: readonly Policy[]) {
		return html`
			<section class="message policy" id="policy" aria-labelledby="policy-title">
				<h2 id="policy-title">A page with a Content-Security-Policy</h2>
				<p>
					has to allow what it uses of these. <code>trusted-types</code> matters only where the policy has
					<code>require-trusted-types-for 'script'</code>; nothing needs <code>'unsafe-inline'</code>.
				</p>
				<pre>${policyLines(policies).join("\n")}</pre>
			</section>
		`;
	}

	async #load(): Promise<void> {
		this.failed = "";
		this.#request.abort();
		this.#request = new AbortController();
		const { signal } = this.#request;
		try {
			// Whoever comes with a build alone wants its project and branch.
			const { build } = this.choice;
			if (build !== "" && this.choice.project === "") {
				const { project, branch } = await get<Build>(buildURL(build), signal);
				this.choice = { ...this.choice, project, branch: branch ?? "" };
			}
			this.projects ??= (await get<ProjectsPage>("/api/v1/projects", signal)).projects;
			const query = new URLSearchParams({
				project: this.#source.choice.project,
				limit: String(recentBuilds),
			});
			const { builds } = await get<BuildsPage>(`/api/v1/builds?${query}`, signal);
			this.builds = builds;
			// A badge of whichever build is newest is seldom what is wanted, unless the address says so.
			if (build === "" && !new URLSearchParams(location.search).has("branch")) {
				this.choice = { ...this.choice, branch: mainOf(builds) };
			}
		} catch (error) {
			if (!signal.aborted) this.failed = reason(error);
		}
	}

	#chosen(event: Event): void {
		const { name, value } = event.target as HTMLSelectElement;
		this.#choose({ [name]: name === "width" ? Number(value) : value } as Partial<Choice>);
	}

	#choose(change: Partial<Choice>): void {
		const { project } = this.#source.choice;
		this.choice = choose({ ...this.choice, project }, change);
		const same = this.choice.project === project;
		const query = String(choiceQuery(this.choice, same ? mainOf(this.builds ?? []) : ""));
		history.replaceState(
			null,
			"",
			`${query === "" ? location.pathname : `?${query}`}${location.hash}`,
		);
		if (!same) {
			this.builds = undefined;
			void this.#load();
		}
	}

	readonly #went = (): void => {
		this.choice = choiceFrom(new URLSearchParams(location.search));
		void this.#load();
	};

	/** All that the previews tell in one go is one change. */
	#changed(): void {
		clearTimeout(this.#settling);
		this.#settling = setTimeout(() => {
			this.changes++;
		}, 200);
	}

	/** The links to the cards lead into this element's own tree, where the browser does not look for them. */
	#jump(event: Event): void {
		event.preventDefault();
		const { hash } = event.currentTarget as HTMLAnchorElement;
		history.replaceState(null, "", hash);
		this.#show(hash.slice(1));
	}

	#show(id: string): void {
		const card = this.renderRoot.querySelector<HTMLElement>(`#${CSS.escape(id)}`);
		card?.scrollIntoView();
		card?.focus();
	}

	/** The frame says how high it is. */
	readonly #height = ({ origin, source, data }: MessageEvent<unknown>): void => {
		const frame = this.renderRoot.querySelector("iframe");
		if (!frame || origin !== location.origin || source !== frame.contentWindow) return;
		const { type, height } = (data ?? {}) as { type?: unknown; height?: unknown };
		if (type === "stepcast:height" && typeof height === "number") frame.height = String(height);
	};

	protected override firstUpdated(): void {
		if (location.hash !== "") this.#show(location.hash.slice(1));
	}
}

/** What a program is answered that asks for one of these. */
const answers: Readonly<Record<string, (source: Source) => string>> = {
	shields: (source) => badgePath(source).replace("/badge/", "/shields/").replace(".svg", ".json"),
	cctray: ({ choice }) => `/cc.xml?${asked(choice)}`,
	oembed: ({ choice }) =>
		`/oembed?format=json&url=${encodeURIComponent(location.origin + target(choice))}`,
	atom: ({ choice }) => `/builds.atom?${asked(choice)}`,
};

function asked({ project, branch }: Choice): URLSearchParams {
	return new URLSearchParams({ project, ...(branch === "" ? {} : { branch }) });
}

function ofBranch(branch: string | null | undefined, chosen: string): boolean {
	return chosen === "" || branch === chosen;
}

function titleOf({ number, title, status }: Build): string {
	return [`#${number}`, status, title].filter(Boolean).join(" · ");
}

/** What is chosen can be chosen, though it may be no longer, or not yet, in the list. */
function withChosen(
	chosen: string,
	options: readonly (readonly [value: string, words: string])[],
): readonly (readonly [value: string, words: string])[] {
	return options.some(([value]) => value === chosen) ? options : [[chosen, chosen], ...options];
}

function prevent(event: Event): void {
	event.preventDefault();
}

customElements.define("embed-gallery", EmbedGallery);
