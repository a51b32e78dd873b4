import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { counted } from "../format.ts";
import { showModal } from "../keys.ts";
import { type BuildsPage, type BuildWithSteps, buildURL, type ProjectsPage } from "../model.ts";
import { buildPlace, fitting, type Place, projectPlace, question, stepPlaces } from "../palette.ts";
import { get, reason } from "../request.ts";
import { route } from "../route.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";

/** How long typing has to rest, in milliseconds, before the server is asked. */
const rest = 200;

/**
 * A dialog to jump to a project, a build or a step of the build that the page shows, and to do things.
 *
 * @prop actions - what can be done
 */
export class CommandPalette extends LitElement {
	static override properties = {
		actions: { attribute: false },
		words: { state: true },
		known: { state: true },
		asked: { state: true },
		active: { state: true },
		failed: { state: true },
		busy: { state: true },
	};
	declare actions: readonly Place[];
	declare private words: string;
	/** The steps of the page's build, the newest builds and the projects, as of when the dialog was opened. */
	declare private known: readonly Place[];
	/** What the server found by the words. */
	declare private asked: readonly Place[];
	/** The place that was chosen with the arrows or the pointer; else Enter goes to the first. */
	declare private active: string;
	/** Why some places may be missing, in a sentence. */
	declare private failed: string;
	declare private busy: boolean;

	#timer: ReturnType<typeof setTimeout> | undefined;
	/** Ends what was asked when the dialog was opened, and what was asked for the words. */
	#opened: AbortController | undefined;
	#found: AbortController | undefined;

	constructor() {
		super();
		this.actions = [];
		this.#reset();
	}

	static override styles = [
		shared,
		css`
			dialog {
				width: min(40rem, calc(100vw - 1.5rem));
				max-height: min(36rem, calc(100dvh - 1.5rem));
				margin-top: min(6rem, 8dvh);
				padding: 0;
				overflow: hidden;
			}

			dialog[open] {
				display: flex;
				flex-direction: column;
			}

			.top {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				padding: 0.625rem;
				border-bottom: 1px solid var(--line);
			}

			input {
				flex: 1;
				min-width: 0;
				min-height: 2.25rem;
				padding: 0.25rem 0.625rem;
			}

			[role="listbox"] {
				overflow-y: auto;
				padding: 0 0.375rem 0.375rem;
			}

			[role="group"] > div:first-child {
				padding: 0.5rem 0.5rem 0.125rem;
				color: var(--muted);
				font-size: 0.75rem;
				font-weight: 600;
			}

			[role="option"] {
				display: flex;
				align-items: center;
				gap: 0.5rem;
				min-height: 2rem;
				padding: 0.1875rem 0.5rem;
				border-radius: 0.375rem;
				font-size: 0.875rem;
				cursor: pointer;
			}

			[aria-selected="true"] {
				background: var(--panel);
				box-shadow: inset 3px 0 0 var(--link);
			}

			bdi {
				overflow: hidden;
				text-overflow: ellipsis;
				white-space: nowrap;
			}

			.name {
				flex: none;
				max-width: 60%;
				font-weight: 600;
			}

			p {
				margin: 0;
				padding: 0.5rem 0.875rem;
				font-size: 0.875rem;
			}

			.failed {
				color: var(--failed);
			}

			@media (pointer: coarse) {
				[role="option"] {
					min-height: 2.75rem;
				}
			}
		`,
	];

	override render() {
		const places = this.#places();
		const active = this.#active(places);
		return html`
			<dialog aria-label="Jump to" @close=${this.#closed} @keydown=${this.#pressed} @click=${this.#outside}>
				<div class="top">
					<input
						role="combobox"
						aria-label="Jump to a project, a build, a branch or a step"
						aria-autocomplete="list"
						aria-expanded=${places.length > 0}
						aria-controls="places"
						aria-activedescendant=${active >= 0 ? `place-${active}` : nothing}
						placeholder="Project, #number, branch, step …"
						dir="auto"
						maxlength="500"
						autocomplete="off"
						autocapitalize="off"
						spellcheck="false"
						.value=${this.words}
						@input=${this.#typed}
					/>
					<button @click=${this.#close}>Close</button>
				</div>
				<div role="listbox" id="places" aria-label="Places" ?hidden=${places.length === 0}>
					${this.#groups(places, active)}
				</div>
				<p role="status" class=${places.length > 0 ? "unseen" : "muted"}>
					${this.busy && places.length === 0 ? "Searching…" : this.#count(places.length)}
				</p>
				${this.failed === "" ? nothing : html`<p class="failed" role="alert">${this.failed}</p>`}
			</dialog>
		`;
	}

	/** Opens the dialog, and asks what there is to jump to. */
	async show(): Promise<void> {
		const dialog = this.#dialog;
		if (!dialog || dialog.open) return;
		this.#reset();
		showModal(dialog);
		this.renderRoot.querySelector("input")?.focus();
		this.#opened = new AbortController();
		const { signal } = this.#opened;
		const here = route(location.pathname);
		await this.#ask(signal, async () => {
			const [steps, builds, projects] = await Promise.all([
				here.page === "build"
					? get<BuildWithSteps>(buildURL(here.id), signal)
							.then(stepPlaces)
							// The page says what is wrong with its build.
							.catch(() => [])
					: [],
				get<BuildsPage>("/api/v1/builds?limit=50", signal),
				get<ProjectsPage>("/api/v1/projects", signal),
			]);
			this.known = [
				...steps,
				...builds.builds.map(buildPlace),
				...projects.projects.map(({ name, latest }) => projectPlace(name, latest)),
			];
		});
	}

	protected override updated(changed: PropertyValues): void {
		if (!changed.has("active")) return;
		this.renderRoot.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
	}

	get #dialog(): HTMLDialogElement | null {
		return this.renderRoot.querySelector("dialog");
	}

	#places(): readonly Place[] {
		return fitting([...this.known, ...this.actions], this.asked, this.words);
	}

	/** Where Enter goes, which stays the same while more is found; -1 when there is nothing. */
	#active(places: readonly Place[]): number {
		const chosen = places.findIndex((place) => identity(place) === this.active);
		return chosen < 0 ? Math.min(0, places.length - 1) : chosen;
	}

	#groups(places: readonly Place[], active: number) {
		const names = [...new Set(places.map(({ group }) => group))];
		return names.map(
			(name) => html`
				<div role="group" aria-labelledby="group-${name}">
					<div id="group-${name}" role="presentation">${name}</div>
					${places.map((place, i) =>
						place.group === name ? this.#option(place, i, i === active) : nothing,
					)}
				</div>
			`,
		);
	}

	#option(place: Place, i: number, active: boolean) {
		return html`
			<div
				role="option"
				id="place-${i}"
				aria-selected=${active}
				@pointermove=${() => {
					this.active = identity(place);
				}}
				@click=${(event: MouseEvent) => this.#go(place, event)}
			>
				${place.status ? html`<stepcast-mark brief .status=${place.status}></stepcast-mark>` : nothing}
				<bdi class="name">${place.name}</bdi>
				<bdi class="muted">${place.about}</bdi>
			</div>
		`;
	}

	#count(places: number): string {
		return places > 0 ? counted(places, "place") : "Nothing matches. A branch is written in full.";
	}

	#typed(event: Event): void {
		this.words = (event.target as HTMLInputElement).value;
		this.active = "";
		this.asked = [];
		this.#found?.abort();
		clearTimeout(this.#timer);
		const path = question(this.words);
		this.busy = path !== undefined;
		if (path === undefined) return;
		this.#found = new AbortController();
		const { signal } = this.#found;
		this.#timer = setTimeout(() => this.#find(path, signal), rest);
	}

	/** Asks for what the words name, be it far back. */
	async #find(path: string, signal: AbortSignal): Promise<void> {
		await this.#ask(signal, async () => {
			const answer = await get<BuildsPage | BuildWithSteps>(path, signal);
			this.asked = ("builds" in answer ? answer.builds : [answer]).map(buildPlace);
		});
		if (!signal.aborted) this.busy = false;
	}

	async #ask(signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
		this.failed = "";
		try {
			await ask();
		} catch (error) {
			if (!signal.aborted) this.failed = reason(error);
		}
	}

	#pressed(event: KeyboardEvent): void {
		if (event.isComposing) return;
		const places = this.#places();
		const active = this.#active(places);
		switch (event.key) {
			case "ArrowDown":
				this.active = identity(places[active + 1] ?? places[0]);
				break;
			case "ArrowUp":
				this.active = identity(places[active - 1] ?? places.at(-1));
				break;
			case "Enter": {
				if (event.target instanceof HTMLButtonElement) return;
				const place = places[active];
				if (place) this.#go(place, event);
				break;
			}
			case "k":
				// The key that opened it, which means something else to the browser.
				// Who has just closed it is still in its field, and wants to open it.
				if ((!event.ctrlKey && !event.metaKey) || !this.#dialog?.open) return;
				this.#close();
				break;
			default:
				return;
		}
		event.preventDefault();
	}

	#go({ go }: Place, event: MouseEvent | KeyboardEvent): void {
		this.#close();
		if (typeof go !== "string") go();
		else if (event.ctrlKey || event.metaKey) open(go, "_blank", "noopener");
		else location.assign(go);
	}

	/** A click beside the dialog closes it. */
	#outside(event: MouseEvent): void {
		if (event.target === this.#dialog) this.#close();
	}

	#close(): void {
		this.#dialog?.close();
	}

	#closed(): void {
		// The event comes later, and may find the dialog opened again.
		if (this.#dialog?.open) return;
		this.#opened?.abort();
		this.#found?.abort();
		clearTimeout(this.#timer);
	}

	#reset(): void {
		this.words = "";
		this.known = [];
		this.asked = [];
		this.active = "";
		this.failed = "";
		this.busy = false;
	}
}

function identity(place: Place | undefined): string {
	return place ? `${place.group} ${place.name} ${place.about}` : "";
}

customElements.define("command-palette", CommandPalette);
