import { css, html, LitElement, svg } from "lit";
import { followPrefs, prefs } from "../prefs.ts";
import { shared } from "./shared-styles.ts";

const shapes = {
	auto: svg`<circle cx="8" cy="8" r="5.5" /><path class="solid" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />`,
	light: svg`<circle class="solid" cx="8" cy="8" r="2.75" /><path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />`,
	dark: svg`<path class="solid" d="M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6z" />`,
};

/** Goes from one theme to the next: the system's, light, dark. */
export class ThemeButton extends LitElement {
	constructor() {
		super();
		followPrefs(this);
	}

	static override styles = [
		shared,
		css`
			:host {
				display: inline-flex;
			}
		`,
	];

	override render() {
		const theme = prefs.get("theme");
		const words = `Theme: ${theme}`;
		return html`
			<button class="icon" aria-label=${words} title=${words} @click=${() => prefs.next("theme")}>
				<svg viewBox="0 0 16 16" aria-hidden="true">${shapes[theme]}</svg>
			</button>
		`;
	}
}

customElements.define("theme-button", ThemeButton);
