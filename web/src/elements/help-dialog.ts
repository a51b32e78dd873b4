import { css, html, LitElement } from "lit";
import { groups, type Key, showModal } from "../keys.ts";
import { followPrefs, prefs } from "../prefs.ts";
import { shared } from "./shared-styles.ts";

/** What a keyboard calls the key for commands. */
export const command = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
const spoken: Readonly<Record<string, string>> = {
	Mod: command,
	Escape: "Esc",
	ArrowUp: "↑",
	ArrowDown: "↓",
	" ": "Space",
};

/** The keys of the page, by what they belong to, and the switch that turns single keys off. */
export class HelpDialog extends LitElement {
	constructor() {
		super();
		followPrefs(this);
	}

	static override styles = [
		shared,
		css`
			dialog {
				width: min(44rem, calc(100vw - 2rem));
				max-height: min(44rem, calc(100dvh - 2rem));
				padding: 1rem 1.25rem;
			}

			.top {
				display: flex;
				align-items: center;
				justify-content: space-between;
				gap: 1rem;
			}

			h2,
			h3 {
				margin: 0;
				font-size: 1.125rem;
			}

			h3 {
				margin-bottom: 0.25rem;
				font-size: 0.9375rem;
			}

			label {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 2.75rem;
				margin-bottom: 0.5rem;
			}

			.groups {
				columns: 18rem 2;
				column-gap: 2rem;
			}

			section {
				margin-bottom: 1rem;
				break-inside: avoid;
			}

			dl,
			dl > div {
				margin: 0;
			}

			dl > div {
				display: grid;
				grid-template-columns: 6.5rem 1fr;
				gap: 0.5rem;
				padding: 0.1875rem 0;
				font-size: 0.875rem;
			}

			dd {
				margin: 0;
			}
		`,
	];

	override render() {
		return html`
			<dialog aria-labelledby="heading">
				<div class="top">
					<h2 id="heading">Keys</h2>
					<form method="dialog"><button>Close</button></form>
				</div>
				<label>
					<input type="checkbox" .checked=${prefs.get("keys")} @change=${this.#switch} />
					Single-key shortcuts
				</label>
				<div class="groups">
					${[...groups()].map(
						([group, keys]) => html`
							<section>
								<h3>${group}</h3>
								<dl>
									${keys.map((key) => html`<div><dt>${names(key)}</dt><dd>${key.help}</dd></div>`)}
								</dl>
							</section>
						`,
					)}
				</div>
			</dialog>
		`;
	}

	/** Opens the dialog with the keys of this moment. */
	async show(): Promise<void> {
		this.requestUpdate();
		await this.updateComplete;
		const dialog = this.renderRoot.querySelector("dialog");
		if (dialog && !dialog.open) showModal(dialog);
	}

	#switch(event: Event): void {
		prefs.set("keys", (event.target as HTMLInputElement).checked);
	}
}

/** "g g" is one key after the other, "Mod+k" two at once. */
function names({ keys }: Key) {
	return keys.map((name, i) => {
		const parts = name === " " ? [name] : name.split(/[ +](?=.)/);
		return html`${i > 0 ? ", " : ""}${parts.map(
			(part, j) =>
				html`${j > 0 ? " " : ""}<kbd>${spoken[part] ?? (parts[0] === "Mod" ? part.toUpperCase() : part)}</kbd>`,
		)}`;
	});
}

customElements.define("help-dialog", HelpDialog);
