import { css, html, LitElement } from "lit";
import { showResult } from "../favicon.ts";
import { shared } from "./shared-styles.ts";

/** What an address shows that names no page. */
export class NoPage extends LitElement {
	static override styles = [
		shared,
		css`
			:host {
				max-width: 40rem;
				margin: 0 auto;
				padding: 3rem 1rem;
				overflow-wrap: anywhere;
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		showResult({ title: "No such page · Stepcast" });
	}

	override render() {
		return html`
			<h1>There is no such page</h1>
			<p>Nothing is at <code>${location.pathname}</code>. It may be mistyped, or cut off.</p>
			<p><a href="/">All builds</a></p>
		`;
	}
}

customElements.define("no-page", NoPage);
