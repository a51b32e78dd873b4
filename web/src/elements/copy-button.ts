import { css, html, LitElement } from "lit";
import { onlyHere } from "../format.ts";
import { shared } from "./shared-styles.ts";

/** How long the button says how it went, in milliseconds. */
const saying = 3_000;

/**
 * Copies a text, and says that it did.
 *
 * @attr label - what the button says; "Copy" without it
 * @prop text - what is copied
 */
export class CopyButton extends LitElement {
	static override properties = { text: { attribute: false }, label: {}, said: { state: true } };
	declare text: string;
	declare label: string;
	declare private said: string;

	#silence: ReturnType<typeof setTimeout> | undefined;

	constructor() {
		super();
		this.text = "";
		this.label = "Copy";
		this.said = "";
	}

	static override styles = [
		shared,
		css`
			:host {
				display: inline-block;
			}
		`,
	];

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		clearTimeout(this.#silence);
		this.said = "";
	}

	override render() {
		return html`
			<button @click=${this.#copy}>${this.said || this.label}</button>
			<span role="status" class="unseen">${this.said}</span>
		`;
	}

	async #copy(): Promise<void> {
		const copied = await this.#write();
		this.said = copied ? `Copied${onlyHere(this.text)}` : "Not copied: the browser refused";
		clearTimeout(this.#silence);
		this.#silence = setTimeout(() => {
			this.said = "";
		}, saying);
	}

	async #write(): Promise<boolean> {
		try {
			await navigator.clipboard.writeText(this.text);
			return true;
		} catch {
			return this.#writeAsBefore();
		}
	}

	/** Over plain HTTP from another machine there is no clipboard, but for copying a selection. */
	#writeAsBefore(): boolean {
		const field = document.createElement("textarea");
		field.className = "unseen";
		field.value = this.text;
		this.renderRoot.append(field);
		field.select();
		const copied = document.execCommand("copy");
		field.remove();
		this.renderRoot.querySelector("button")?.focus();
		return copied;
	}
}

customElements.define("copy-button", CopyButton);
