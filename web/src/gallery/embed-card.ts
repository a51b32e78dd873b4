import { css, html, LitElement, nothing } from "lit";
import "../elements/copy-button.ts";
import { shared } from "../elements/shared-styles.ts";
import { type Format, formats } from "./choice.ts";
import { type Embed, policyLines, type Snippet } from "./embeds.ts";

const names: Readonly<Record<Format, string>> = {
	html: "HTML",
	markdown: "Markdown",
	asciidoc: "AsciiDoc",
};

/**
 * One embed: what it is, how it looks, and the text to copy.
 *
 * @prop embed - the embed
 * @prop format - the format of the text
 * @slot - how it looks
 * @fires format - another format was chosen: a CustomEvent<Format>
 */
export class EmbedCard extends LitElement {
	static override properties = { embed: { attribute: false }, format: { attribute: false } };
	declare embed: Embed | undefined;
	declare format: Format;

	constructor() {
		super();
		this.format = "html";
	}

	static override styles = [
		shared,
		css`
			:host {
				margin-bottom: 1.5rem;
				border: 1px solid var(--line);
				border-radius: 0.5rem;
				scroll-margin-top: 1rem;
			}

			header {
				display: flex;
				flex-wrap: wrap;
				align-items: baseline;
				gap: 0.125rem 0.75rem;
				padding: 0.625rem 1rem;
			}

			h2,
			p {
				margin: 0;
			}

			h2 {
				font-size: 1rem;
			}

			p {
				color: var(--muted);
				font-size: 0.875rem;
			}

			.preview {
				overflow: auto;
				border: solid var(--line);
				border-width: 1px 0;
			}

			.text {
				padding: 0.625rem 1rem 0.75rem;
				border-radius: 0 0 0.5rem 0.5rem;
				background: var(--panel);
			}

			.bar {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25rem;
				margin-bottom: 0.5rem;
			}

			copy-button {
				margin-left: auto;
			}

			pre {
				margin: 0 0 0.5rem;
				padding: 0.5rem 0.75rem;
				border: 1px solid var(--line);
				border-radius: 0.375rem;
				background: var(--page);
				font: 0.8125rem / 1.5 var(--mono);
				white-space: pre-wrap;
				overflow-wrap: anywhere;
				tab-size: 2;
			}

			code {
				font: 0.8125rem var(--mono);
				overflow-wrap: anywhere;
			}

			.text p + p {
				margin-top: 0.25rem;
			}
		`,
	];

	override render() {
		const { embed, format } = this;
		if (!embed) return nothing;
		const snippet = "text" in embed.snippets ? embed.snippets : embed.snippets[format];
		const policy = policyLines([embed.policy]);
		return html`
			<header>
				<h2>${embed.title}</h2>
				<p>${embed.about}</p>
			</header>
			<div class="preview"><slot></slot></div>
			<div class="text">
				<div class="bar">
					${snippet === embed.snippets ? html`<span class="muted">Address</span>` : this.#formats()}
					<copy-button .text=${snippet.text}></copy-button>
				</div>
				${this.#code(embed, snippet)}
				${snippet.about === undefined ? nothing : html`<p>${snippet.about}</p>`}
				${
					policy.length > 0
						? html`<p>In the page’s policy: <code>${policy.join(" ")}</code></p>`
						: nothing
				}
			</div>
		`;
	}

	/** The text can be focused, so that the keys that scroll and select reach it. */
	#code({ title }: Embed, { text }: Snippet) {
		return html`<pre tabindex="0" role="region" aria-label="${title}: text to copy">${text}</pre>`;
	}

	#formats() {
		return html`
			<div role="group" aria-label="Format">
				${formats.map(
					(format) => html`
						<button aria-pressed=${format === this.format} @click=${() => this.#choose(format)}>
							${names[format]}
						</button>
					`,
				)}
			</div>
		`;
	}

	#choose(format: Format): void {
		this.dispatchEvent(new CustomEvent<Format>("format", { detail: format }));
	}
}

customElements.define("embed-card", EmbedCard);
