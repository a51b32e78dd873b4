import { css, html, LitElement } from "lit";
import type { Connection } from "../connection.ts";
import { Keys } from "../keys.ts";
import "./build-page.ts";
import "./builds-page.ts";
import "./help-dialog.ts";
import type { HelpDialog } from "./help-dialog.ts";
import { shared } from "./shared-styles.ts";
import "./stream-state.ts";
import "./theme-button.ts";
import "./wall-page.ts";

/** The frame of every page: the header, the state of the connection, and the page that the address names. */
export class StepcastApp extends LitElement {
	static override properties = { connection: { state: true } };
	declare private connection: Connection;

	constructor() {
		super();
		this.connection = { name: "connecting" };
		new Keys(this, "Everywhere", [{ keys: ["?"], help: "Show the keys", run: () => this.#help() }]);
	}

	static override styles = [
		shared,
		css`
			:host {
				display: block;
			}

			header {
				display: flex;
				align-items: center;
				justify-content: space-between;
				gap: 1rem;
				min-height: 3rem;
				padding: 0.25rem 1rem;
				border-bottom: 1px solid var(--line);
				background: var(--panel);
			}

			.home {
				display: inline-flex;
				align-items: center;
				min-height: 1.75rem;
				color: var(--text);
				font-size: 1.0625rem;
				font-weight: 700;
				text-decoration: none;
			}

			.home:hover {
				text-decoration: underline;
			}
		`,
	];

	override render() {
		// A wall has no header: nobody is there to use it.
		if (location.pathname === "/wall") return html`<main><wall-page></wall-page></main>`;
		return html`
			<header>
				<a class="home" href="/">Stepcast</a>
				<stream-state .connection=${this.connection}></stream-state>
				<theme-button></theme-button>
			</header>
			<main @connection=${this.#connection}>${this.#page()}</main>
			<help-dialog></help-dialog>
		`;
	}

	#help(): void {
		void this.renderRoot.querySelector<HelpDialog>("help-dialog")?.show();
	}

	#page() {
		const build = /^\/builds\/([^/]+)\/?$/.exec(location.pathname)?.[1];
		if (build) return html`<build-page .build=${decodeURIComponent(build)}></build-page>`;
		if (location.pathname === "/") return html`<builds-page></builds-page>`;
		return html`<p>There is no such page. <a href="/">All builds</a></p>`;
	}

	#connection(event: CustomEvent<Connection>): void {
		this.connection = event.detail;
	}
}

customElements.define("stepcast-app", StepcastApp);
