import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { buildTitle } from "../format.ts";
import { type Build, ended } from "../model.ts";
import { shared } from "./shared-styles.ts";

/**
 * Offers to tell the end of a build with a notification, as long as there is an end to wait for.
 * Permission is asked for after a click only. Where a page can have no notifications there is no button.
 *
 * @prop build - the build as it is now
 */
export class NotifyButton extends LitElement {
	static override properties = {
		build: { attribute: false },
		waiting: { state: true },
		refused: { state: true },
	};
	declare build: Build | undefined;
	/** Whether somebody waits for the end. */
	declare private waiting: boolean;
	/** Why there will be none, in a sentence. */
	declare private refused: string;

	constructor() {
		super();
		this.waiting = false;
		this.refused = "";
	}

	static override styles = [
		shared,
		css`
			:host {
				display: inline-flex;
				flex-wrap: wrap;
				align-items: center;
				gap: 0.25rem 0.5rem;
			}
		`,
	];

	override render() {
		const possible = "Notification" in globalThis && isSecureContext;
		if (!possible || !this.build || ended(this.build.status)) return nothing;
		return html`
			<button
				aria-pressed=${this.waiting}
				title="When this build has ended"
				@click=${this.#toggle}
			>
				Notify me
			</button>
			<span role="status">${this.refused}</span>
		`;
	}

	protected override updated(_changed: PropertyValues): void {
		const build = this.build;
		if (!this.waiting || !build || !ended(build.status)) return;
		this.waiting = false;
		try {
			// The tag makes several tabs on one build say it once.
			const notification = new Notification(buildTitle(build), {
				body: build.title ?? "",
				tag: build.id,
			});
			notification.addEventListener("click", () => {
				focus();
				notification.close();
			});
		} catch {
			// Some browsers, on phones, have notifications for installed pages only, and no other way to tell.
		}
	}

	async #toggle(): Promise<void> {
		if (this.waiting) {
			this.waiting = false;
			return;
		}
		const granted = (await Notification.requestPermission()) === "granted";
		this.waiting = granted;
		this.refused = granted ? "" : "The browser blocks notifications; its settings can allow them.";
	}
}

customElements.define("notify-button", NotifyButton);
