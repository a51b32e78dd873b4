import { isPlain, type Pen, pieces } from "./ansi.ts";
import { paint } from "./colour.ts";
import { count } from "./format.ts";
import type { Block, Row } from "./log.ts";

/**
 * Draws the rows of a log, and changes only what changed: 10,000 rows are too many to compare with a
 * template sixty times a second.
 *
 * The textContent of a `.line` is exactly the line of the log without its line feed: escape sequences
 * are in it, in elements that are not displayed, so that a reader sees and copies the plain text.
 */
export class LogRows {
	readonly #parent: HTMLElement;
	#shown: Block[] = [];

	constructor(parent: HTMLElement) {
		this.#parent = parent;
	}

	show(blocks: readonly Block[]): void {
		const first = blocks[0]?.id ?? Number.POSITIVE_INFINITY;
		const last = this.#shown.at(-1)?.id ?? -1;
		let from = this.#shown.findIndex((block) => block.id >= first);
		if (from < 0) from = this.#shown.length;
		this.#drop(from);
		for (const [i, block] of blocks.entries()) {
			const element = this.#parent.children[i];
			if (element instanceof HTMLElement && block.id <= last) {
				this.#patch(element, this.#shown[i]?.rows ?? [], block.rows);
			} else {
				const fresh = document.createElement("div");
				fresh.className = "block";
				fresh.append(...block.rows.map(draw));
				this.#parent.append(fresh);
			}
			this.#shown[i] = block;
		}
		while (this.#parent.children.length > blocks.length) this.#parent.lastElementChild?.remove();
		this.#shown.length = blocks.length;
	}

	#drop(blocks: number): void {
		for (let i = 0; i < blocks; i++) this.#parent.firstElementChild?.remove();
		this.#shown.splice(0, blocks);
	}

	/** Rows are dropped in front, added behind, and of those that stay only the last ever changes. */
	#patch(element: HTMLElement, before: readonly Row[], after: readonly Row[]): void {
		if (before === after) return;
		const first = after[0];
		const gone = first ? before.indexOf(first) : before.length;
		if (gone < 0) {
			element.replaceChildren(...after.map(draw));
			return;
		}
		for (let i = 0; i < gone; i++) element.firstElementChild?.remove();
		const added = document.createDocumentFragment();
		for (const [i, row] of after.entries()) {
			if (row === before[i + gone]) continue;
			const old = element.children[i];
			if (old && i + gone < before.length) old.replaceWith(draw(row));
			else added.append(draw(row));
		}
		element.append(added);
	}
}

function draw(row: Row): HTMLElement {
	const element = document.createElement("div");
	if (row.kind === "hole") {
		element.className = "hole";
		element.textContent = `${count(row.bytes)} bytes of the log are missing here: they were lost before they reached the server.`;
		return element;
	}
	element.className = row.cut ? "line cut" : "line";
	element.dataset.line = String(row.number);
	if (row.text === "") {
		// Without it, copying would skip the empty line.
		element.append(document.createElement("br"));
	} else if (isPlain(row.text) && !drawn(row.pen)) {
		element.textContent = row.text;
	} else {
		for (const piece of pieces(row.text, row.pen)) {
			if (piece.kind === "text") element.append(text(piece.text, piece.pen));
			else element.append(unseen(piece.kind, piece.text));
		}
	}
	return element;
}

function text(content: string, pen: Pen): Node {
	const node = document.createTextNode(content);
	if (!drawn(pen)) return node;
	const { classes, properties } = paint(pen);
	const span = document.createElement("span");
	span.className = classes.join(" ");
	for (const [name, value] of properties) span.style.setProperty(name, value);
	span.append(node);
	return span;
}

function unseen(kind: "escape" | "control", content: string): HTMLElement {
	const span = document.createElement("span");
	span.className = kind;
	span.textContent = content;
	// In caret notation, ^M, shown by the stylesheet and so no part of the text.
	if (kind === "control") {
		span.dataset.caret = `^${String.fromCharCode(content.charCodeAt(0) ^ 0x40)}`;
	}
	return span;
}

function drawn(pen: Pen): boolean {
	return (
		pen.fg !== undefined ||
		pen.bg !== undefined ||
		pen.bold ||
		pen.dim ||
		pen.italic ||
		pen.underline ||
		pen.inverse ||
		pen.conceal ||
		pen.strike ||
		pen.overline
	);
}
