import { css, html, LitElement } from "lit";
import { snippets } from "../snippets.ts";
import "./copy-button.ts";
import { shared } from "./shared-styles.ts";

/** What a list without any build shows: how to report the first one, which appears by itself. */
export class FirstBuild extends LitElement {
	static override styles = [
		shared,
		css`
			:host {
				max-width: 52rem;
			}

			section {
				margin-bottom: 1.25rem;
			}

			header {
				display: flex;
				align-items: end;
				justify-content: space-between;
				gap: 1rem;
				margin-bottom: 0.375rem;
			}

			h2,
			header p {
				margin: 0;
				font-size: 1rem;
			}

			header p {
				font-size: 0.875rem;
			}

			pre {
				margin: 0;
				padding: 0.75rem 1rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				background: var(--panel);
				font: 0.8125rem / 1.5 var(--mono);
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}
		`,
	];

	override render() {
		return html`
			<p>
				No builds yet. Waiting for the first one, which appears here by itself.
			</p>
			${snippets(location.origin).map(
				({ name, about, text }) => html`
					<section>
						<header>
							<div>
								<h2>${name}</h2>
								<p class="muted">${about}</p>
							</div>
							<copy-button .text=${text}></copy-button>
						</header>
						<pre>${text}</pre>
					</section>
				`,
			)}
		`;
	}
}

customElements.define("first-build", FirstBuild);
