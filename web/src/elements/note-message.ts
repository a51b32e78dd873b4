import { css, html, LitElement, nothing } from "lit";
import { firstLines } from "../notes.ts";
import { shared } from "./shared-styles.ts";

const mostLines = 4;

/** The message of a note as it was printed: its first lines, and the rest on demand. */
export class NoteMessage extends LitElement {
	static override properties = { text: {}, open: { state: true } };
	declare text: string;
	declare private open: boolean;

	constructor() {
		super();
		this.text = "";
		this.open = false;
	}

	static override styles = [
		shared,
		css`
			pre {
				max-height: 30rem;
				margin: 0.25rem 0 0;
				padding: 0.375rem 0.625rem;
				overflow: auto;
				border-left: 3px solid var(--line);
				background: var(--panel);
				font: 0.8125rem / 1.45 var(--mono);
				tab-size: 8;
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}

			button {
				margin-top: 0.25rem;
				font-size: 0.8125rem;
			}
		`,
	];

	override render() {
		const [first, more] = firstLines(this.text, mostLines);
		if (first === "") return nothing;
		return html`
			<pre
				tabindex=${this.open ? "0" : nothing}
				role=${this.open ? "region" : nothing}
				aria-label=${this.open ? "Message" : nothing}
			>${this.open ? this.text : first}</pre>
			${
				more
					? html`<button
							aria-expanded=${this.open}
							@click=${() => {
								this.open = !this.open;
							}}
						>
							${this.open ? "Less" : "Whole message"}
						</button>`
					: nothing
			}
		`;
	}
}

customElements.define("note-message", NoteMessage);
