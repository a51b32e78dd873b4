/**
 * Templates as Lit has them, as far as widgets use them, in a third of the size: html`…` with values in
 * content (text, templates, lists), in attributes, properties (.name) and events (@name), whose names
 * have small letters only, and functions, which are called with the element in whose tag they stand.
 * Values are never HTML. There is no > within a tag.
 */
export interface Template {
	readonly strings: TemplateStringsArray;
	readonly values: readonly unknown[];
}

export function html(strings: TemplateStringsArray, ...values: unknown[]): Template {
	return { strings, values };
}

/** In content, no node; of an attribute, that it is not there. */
export const nothing = Symbol();

/** Values of a list by their keys: what comes, goes or moves up leaves the others where they are. */
export interface Keyed {
	readonly entries: readonly (readonly [key: unknown, value: unknown])[];
}

/** The only HTML there is: what stands in this script. */
const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy(
	"stepcast",
	{
		createHTML: (text) => text,
	},
);

interface TrustedTypes {
	createPolicy(
		name: string,
		rules: { createHTML(text: string): string },
	): { createHTML(text: string): string };
}

/**
 * The n-th value of a template is {{n}} in its HTML: a comment, or in a tag an attribute, or in the value
 * of one, whose name then begins with a ~.
 */
const hole = /\{\{(\d+)\}\}/;
const prepared = new WeakMap<TemplateStringsArray, DocumentFragment>();

function prepare(strings: TemplateStringsArray): DocumentFragment {
	const known = prepared.get(strings);
	if (known) return known;
	const text = strings
		.reduce((before, string, i) => {
			const value = `{{${i - 1}}}`;
			return before + (/<[^>]*$/.test(before) ? value : `<!--${value}-->`) + string;
		})
		// Lest it mean anything yet.
		.replace(/\s(?=[^\s=]+=("[^"]*)?\{\{)/g, " ~");
	const template = document.createElement("template");
	template.innerHTML = (policy?.createHTML(text) ?? text) as string;
	prepared.set(strings, template.content);
	return template.content;
}

type Update = (values: readonly unknown[]) => void;

/** What a template makes in the document, and what gives all of that new values. */
function make(strings: TemplateStringsArray, host: unknown): [content: Node, update: Update] {
	const content = document.importNode(prepare(strings), true);
	const parts: Update[] = [];
	// Elements and comments.
	const walker = document.createTreeWalker(content, 0x81);
	const nodes: Node[] = [];
	while (walker.nextNode()) nodes.push(walker.currentNode);
	for (const node of nodes) {
		if (node instanceof Comment) {
			const at = Number(hole.exec(node.data)?.[1]);
			const slot = new Slot(node, host);
			parts.push((values) => slot.show(values[at]));
			continue;
		}
		const element = node as Element;
		for (const { name, value } of [...element.attributes]) {
			const named = name.startsWith("~");
			if (!named && !hole.test(name)) continue;
			element.removeAttribute(name);
			// Text, number of a value, text, …
			const pieces = (named ? value : name).split(hole);
			const set = setter(element, name.slice(1), host);
			let before: unknown = set;
			parts.push((values) => {
				const shown = pieces.map((piece, i) => (i % 2 ? values[Number(piece)] : piece));
				// One value alone is what it is; among text it is text.
				const after = shown.length === 3 && !shown[0] && !shown[2] ? shown[1] : shown.join("");
				if (after === before) return;
				before = after;
				set(after);
			});
		}
	}
	return [
		content,
		(values) => {
			for (const part of parts) part(values);
		},
	];
}

function setter(element: Element, name: string, host: unknown): (value: unknown) => void {
	const rest = name.slice(1);
	if (name[0] === "{") return (value) => (value as (element: Element) => void)(element);
	if (name[0] === ".") return (value) => Reflect.set(element, rest, value);
	if (name[0] === "@") {
		let listener: unknown;
		element.addEventListener(rest, (event) => (listener as EventListener)?.call(host, event));
		return (value) => {
			listener = value;
		};
	}
	return (value) => {
		if (value === nothing) element.removeAttribute(name);
		else element.setAttribute(name, String(value ?? ""));
	};
}

/** A place in content, before a comment, and what is shown there. Listeners are called on the host. */
export class Slot {
	readonly #start = new Comment();
	readonly #end: Comment;
	readonly #host: unknown;
	/** A text, the strings of a template, or the items of a list. */
	#shown: unknown = "";
	#update: Update | undefined;
	#items = new Map<unknown, Slot>();

	constructor(end: Comment, host: unknown) {
		this.#end = end;
		this.#host = host;
		end.before(this.#start);
	}

	show(value: unknown): void {
		if (Array.isArray(value)) this.#list(value.map((one, i) => [i, one]));
		else if (value && typeof value === "object") {
			const { strings, values, entries } = value as Template & Partial<Keyed>;
			if (entries) this.#list(entries);
			else if (this.#shown === strings) this.#update?.(values);
			else {
				const [content, update] = make(strings, this.#host);
				update(values);
				this.#put(strings, content);
				this.#update = update;
			}
		} else {
			const text = value === nothing ? "" : String(value ?? "");
			if (text !== this.#shown) this.#put(text, text);
		}
	}

	#put(shown: unknown, content: Node | string): void {
		this.#items.clear();
		while (this.#end.previousSibling !== this.#start) this.#end.previousSibling?.remove();
		this.#shown = shown;
		this.#end.before(content);
	}

	#list(entries: Keyed["entries"]): void {
		if (this.#shown !== this.#items) this.#put(this.#items, "");
		const old = this.#items;
		const keys = new Set(entries.map(([key]) => key));
		for (const [key, slot] of old) {
			if (keys.has(key)) continue;
			slot.#move(new DocumentFragment());
			old.delete(key);
		}
		this.#items = new Map();
		this.#shown = this.#items;
		for (const [key, value] of entries) {
			const [next] = old.values();
			const place = next ? next.#start : this.#end;
			let slot = old.get(key);
			old.delete(key);
			if (!slot) {
				const end = new Comment();
				place.before(end);
				slot = new Slot(end, this.#host);
			} else if (slot !== next) {
				const all = new DocumentFragment();
				slot.#move(all);
				place.before(all);
			}
			this.#items.set(key, slot);
			slot.show(value);
		}
	}

	/** Takes all of it away, into a fragment. */
	#move(into: DocumentFragment): void {
		while (this.#start.nextSibling !== this.#end) into.append(this.#start.nextSibling as Node);
		into.prepend(this.#start);
		into.append(this.#end);
	}
}
