import { css, html, LitElement } from "lit";
import { shared } from "../elements/shared-styles.ts";

/** So much of an answer is shown, in characters. */
const most = 2_000;

/**
 * What the server answers at an address, as it stands there.
 *
 * @attr path - the address, on this server
 * @prop version - another number when the answer may be another one
 */
export class AnswerText extends LitElement {
	static override properties = {
		path: {},
		version: { attribute: false },
		text: { state: true },
	};
	declare path: string;
	declare version: number;
	declare private text: string;

	#request = new AbortController();

	constructor() {
		super();
		this.path = "";
		this.version = 0;
		this.text = "…";
	}

	static override styles = [
		shared,
		css`
			pre {
				max-height: 14rem;
				margin: 0;
				overflow: auto;
				font: 0.8125rem / 1.5 var(--mono);
				white-space: pre-wrap;
				overflow-wrap: anywhere;
			}
		`,
	];

	override render() {
		return html`<pre tabindex="0" role="region" aria-label="The answer of ${this.path}">${this.text}</pre>`;
	}

	protected override willUpdate(changed: ReadonlyMap<PropertyKey, unknown>): void {
		if (changed.has("path") || changed.has("version")) void this.#ask();
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.#request.abort();
	}

	async #ask(): Promise<void> {
		this.#request.abort();
		this.#request = new AbortController();
		const { signal } = this.#request;
		try {
			const answer = await fetch(this.path, { signal });
			const text = (await answer.text()).trim();
			this.text = text.length > most ? `${text.slice(0, most)}…` : text;
		} catch {
			if (!signal.aborted) this.text = "The server could not be reached.";
		}
	}
}

customElements.define("answer-text", AnswerText);
