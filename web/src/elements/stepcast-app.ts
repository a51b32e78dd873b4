import { css, html, LitElement, nothing } from "lit";
import { account, signIn, without } from "../account.ts";
import type { Connection } from "../connection.ts";
import { Keys } from "../keys.ts";
import type { Place } from "../palette.ts";
import { prefs } from "../prefs.ts";
import { route } from "../route.ts";
import { leadBack, signInHere } from "../sign-in-here.ts";
import "./build-page.ts";
import "./builds-page.ts";
import "./command-palette.ts";
import type { CommandPalette } from "./command-palette.ts";
import "./help-dialog.ts";
import { command, type HelpDialog } from "./help-dialog.ts";
import "./no-page.ts";
import { shared } from "./shared-styles.ts";
import "./stream-state.ts";
import "./theme-button.ts";

/** Whether the wallboard's script is here, or on its way: most people never load it. */
let wall = false;

/** On a screen nobody presses "reload". Not before the server answers: a proxy's page would stay. */
function loadAnew(): void {
	setTimeout(async () => {
		const answer = await fetch(location.href).catch(() => undefined);
		if (answer?.ok) location.reload();
		else loadAnew();
	}, 5_000);
}

/**
 * The frame of every page: the header, the state of the connection, and the page that the address
 * names; and what there is on every page, the palette, the keys and their help.
 */
export class StepcastApp extends LitElement {
	static override properties = { connection: { state: true } };
	declare private connection: Connection;

	constructor() {
		super();
		const none = route(location.pathname).page === "none"; // and so nothing to connect to
		this.connection = none ? { name: "refused", status: 404 } : { name: "connecting" };
		new Keys(this, "Everywhere", [
			{
				keys: ["Mod+k"],
				help: "Jump to a project, a build, a branch or a step",
				run: () => this.#jump(),
			},
			{ keys: ["?"], help: "Show the keys", run: () => this.#help() },
		]);
		leadBack(this);
	}

	static override styles = [
		shared,
		css`
			header {
				display: flex;
				align-items: center;
				gap: 0.75rem;
				height: var(--header);
				padding: 0 1rem;
				border-bottom: 1px solid var(--line);
				background: var(--panel);
			}

			header a {
				display: inline-flex;
				align-items: center;
				min-height: 1.75rem;
				color: var(--text);
				font-size: 0.875rem;
				text-decoration: none;
				white-space: nowrap;
			}

			header .home {
				font-size: 1.0625rem;
				font-weight: 700;
			}

			header a:hover {
				text-decoration: underline;
			}

			.jump {
				display: inline-flex;
				align-items: center;
				gap: 0.5rem;
				margin-inline: 0.25rem;
				color: var(--muted);
				font-size: 0.875rem;
			}

			.words {
				min-width: 8rem;
				text-align: left;
			}

			.skip {
				position: absolute;
				top: 0.5rem;
				left: 0.5rem;
				z-index: 2;
			}

			.skip:not(:focus) {
				clip-path: inset(50%);
			}

			stream-state {
				min-width: 0;
				margin-left: auto;
			}

			main:focus {
				outline: 0;
			}

			@media (max-width: 640px) {
				header {
					gap: 0.375rem;
					padding: 0 0.75rem;
				}

				.jump {
					justify-content: center;
					margin: 0;
					padding: 0.125rem;
				}

				.words {
					position: absolute;
					clip-path: inset(50%);
				}

				kbd,
				header .wide,
				:is(.stale, .offline, .reconnecting, .refused) > :not(.home, button, stream-state) {
					display: none;
				}
			}

			/* Letters may be twice as large as usual, on a phone too. */
			@media (max-width: 16em) {
				header {
					position: relative;
					overflow-x: auto;
				}
			}
		`,
	];

	override render() {
		const { page } = route(location.pathname);
		return html`
			${page === "wall" ? nothing : this.#header()}
			<main tabindex="-1" @connection=${this.#connection}>${this.#page()}</main>
			<command-palette .actions=${this.#actions}></command-palette>
			<help-dialog></help-dialog>
		`;
	}

	#header() {
		// Where there is no room, who one is takes that of the settings, which are behind it, and what is wrong with
		// the connection that of both, and of the theme.
		return html`
			<header class=${this.connection.name}>
				<button class="skip" @click=${this.#skip}>Skip to the content</button>
				<a class="home" href="/">Stepcast</a>
				<button
					class="icon jump"
					aria-keyshortcuts="Control+K Meta+K"
					aria-haspopup="dialog"
					@click=${this.#jump}
				>
					<svg viewBox="0 0 16 16" aria-hidden="true">
						<circle cx="7" cy="7" r="4.5" />
						<path d="M10.5 10.5 14 14" />
					</svg>
					<span class="words">Jump to <span class="unseen">a project, a build, a branch or a step</span></span>
					<kbd aria-hidden="true">${command} K</kbd>
				</button>
				<a class="wide" href="/wall">Wallboard</a>
				<a class=${account ? "wide" : ""} href="/settings">Settings</a>
				<stream-state .connection=${this.connection}></stream-state>
				${signIn(this.connection) ? nothing : account && html`<a href="/sign-in">${account}</a>`}
				<theme-button></theme-button>
				<button class="icon wide" aria-label="Keys" title="Keys" aria-haspopup="dialog" @click=${this.#help}>
					?
				</button>
			</header>
		`;
	}

	#page() {
		const where = route(location.pathname);
		switch (where.page) {
			case "builds":
				return html`<builds-page></builds-page>`;
			case "build":
				return html`<build-page .build=${where.id}></build-page>`;
			case "wall":
				if (!wall) import("./wall-page.ts").catch(loadAnew);
				wall = true;
				return html`<wall-page></wall-page>`;
			case "none":
				return html`<no-page></no-page>`;
		}
	}

	/** What the palette can do, wherever one is. */
	get #actions(): readonly Place[] {
		const where = route(location.pathname);
		const action = (name: string, about: string, go: Place["go"]): Place => ({
			group: "Actions",
			name,
			about,
			go,
		});
		const theme = (theme: "auto" | "light" | "dark") => () => prefs.set("theme", theme);
		return [
			action("All builds", "", "/"),
			action("Wallboard", "the newest build of each branch", "/wall"),
			action("Embed", "live status on your own pages", "/embed"),
			action(
				"Accessible view",
				"without scripts, for screen readers",
				where.page === "build" ? `/plain/builds/${encodeURIComponent(where.id)}` : "/plain",
			),
			...(where.page === "build" && !without.includes("share")
				? [action("Share this build…", "", `/builds/${where.id}/share`)]
				: []),
			action("Settings", "projects, tokens", "/settings"),
			action(account ?? "Sign in", "", () => location.assign(signInHere())),
			action("Keys", "what each one does, and their off switch", () => this.#help()),
			action("Light theme", "", theme("light")),
			action("Dark theme", "", theme("dark")),
			action("Theme of the system", "", theme("auto")),
		];
	}

	#jump(): void {
		void this.renderRoot.querySelector<CommandPalette>("command-palette")?.show();
	}

	#help(): void {
		void this.renderRoot.querySelector<HelpDialog>("help-dialog")?.show();
	}

	#skip(): void {
		this.renderRoot.querySelector("main")?.focus();
	}

	#connection(event: CustomEvent<Connection>): void {
		this.connection = event.detail;
	}
}

customElements.define("stepcast-app", StepcastApp);
