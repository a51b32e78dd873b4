import { Slot } from "./templates.ts";

export { html, nothing } from "./templates.ts";

/**
 * What the widgets need of Lit's element, which vite.config.ts gives them in its place, in a quarter of
 * the size: `lit` is this file there. It has the same names and does things in the same order; what it
 * lacks is converters of one's own, decorators, older browsers, and rendering on a server.
 */
export interface Property {
	/** What its attribute, which is called as it is, in small letters, is turned into: a Boolean, else it stays text. */
	readonly type?: unknown;
	/** Whether its attribute follows, as text. */
	readonly reflect?: boolean;
}

interface Controller {
	hostConnected?(): void;
	hostDisconnected?(): void;
	hostUpdate?(): void;
}

export function unsafeCSS(text: string): CSSStyleSheet {
	const sheet = new CSSStyleSheet();
	sheet.replaceSync(text);
	return sheet;
}

/** Imported, but no more than that: every stylesheet is made by slim in vite.config.ts. */
export const css = undefined;

/** The names of properties that have other values. Lit has the old values too, for which nobody asks here. */
type Changed = Set<string>;
type Styles = CSSStyleSheet | readonly Styles[];

export class LitElement extends HTMLElement {
	static properties: Record<string, Property> = {};
	static styles: Styles = [];

	/** Those of the class, which has put those of what it extends among them; read once, when it is defined. */
	static get observedAttributes(): string[] {
		// biome-ignore lint/complexity/noThisInStatic: it is the class that is being defined
		const { prototype, properties } = this;
		prototype.own = properties;
		const names = Object.keys(properties);
		for (const name of names) {
			Object.defineProperty(prototype, name, {
				get(this: LitElement) {
					return this.#values.get(name);
				},
				set(this: LitElement, value: unknown) {
					if (this.#values.get(name) === value) return;
					this.#values.set(name, value);
					this.requestUpdate(name);
				},
			});
		}
		return names;
	}

	declare own: Record<string, Property>;
	readonly renderRoot = this.attachShadow({ mode: "open" });

	readonly #content = new Slot(this.renderRoot.appendChild(new Comment()), this);
	readonly #values = new Map<string, unknown>();
	readonly #controllers: Controller[] = [];
	#changed: Changed = new Set();
	/** Nothing is rendered before it is in a document. */
	#waiting = true;
	#pending = false;

	constructor() {
		super();
		const { styles } = this.constructor as typeof LitElement;
		this.renderRoot.adoptedStyleSheets = [styles].flat(9) as CSSStyleSheet[];
		// What was set before the element was defined is set once it is made.
		for (const [name, value] of Object.entries(this)) {
			if (!(name in this.own)) continue;
			Reflect.deleteProperty(this, name);
			queueMicrotask(() => Reflect.set(this, name, value));
		}
	}

	addController(controller: Controller): void {
		this.#controllers.push(controller);
	}

	connectedCallback(): void {
		for (const controller of this.#controllers) controller.hostConnected?.();
		this.#waiting = false;
		this.requestUpdate();
	}

	disconnectedCallback(): void {
		for (const controller of this.#controllers) controller.hostDisconnected?.();
	}

	attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
		Reflect.set(this, name, this.own[name]?.type === Boolean ? value !== null : value);
	}

	requestUpdate(name?: string): void {
		if (name) this.#changed.add(name);
		if (this.#waiting || this.#pending) return;
		this.#pending = true;
		queueMicrotask(() => this.#update());
	}

	#update(): void {
		const changed = this.#changed;
		try {
			this.willUpdate(changed);
			for (const controller of this.#controllers) controller.hostUpdate?.();
			for (const name of changed) {
				if (this.own[name]?.reflect) this.setAttribute(name, String(this.#values.get(name)));
			}
			this.#content.show(this.render());
		} finally {
			// Who failed once may do better with what comes next.
			this.#changed = new Set();
			this.#pending = false;
		}
		this.updated(changed);
	}

	willUpdate(_changed: Changed): void {}
	render(): unknown {
		return undefined;
	}
	updated(_changed: Changed): void {}
}
