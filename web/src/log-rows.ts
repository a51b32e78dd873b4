import { isPlain, type Pen, pieces } from "./ansi.ts";
import { paint } from "./colour.ts";
import { count } from "./format.ts";
import type { Block, Row } from "./log.ts";

/** How long drawing may keep the page from everything else, in milliseconds. */
const slice = 12;

/**
 * Draws the rows of a log, and changes only what changed: 10,000 rows are too many to compare with a
 * template sixty times a second. What is more than a slice of work is done in later frames, the end
 * that is being read first; during a fast replay, most rows are gone before it is their turn.
 *
 * The textContent of a `.line` is exactly the line of the log without its line feed: escape sequences
 * are in it, in elements that are not displayed, so that a reader sees and copies the plain text.
 */
export class LogRows {
	readonly #parent: HTMLElement;
	readonly #drawn = new Map<HTMLElement, readonly Row[]>();
	#blocks: readonly Block[] = [];
	#elements: HTMLElement[] = [];
	#newestFirst = true;
	#scheduled = false;

	constructor(parent: HTMLElement) {
		this.#parent = parent;
	}

	/** Shows these blocks and no others. NewestFirst says from which end to draw. */
	show(blocks: readonly Block[], newestFirst: boolean): void {
		this.#newestFirst = newestFirst;
		const known = new Map(this.#blocks.map((block, i) => [block.id, this.#elements[i]]));
		this.#elements = blocks.map((block) => {
			const element = known.get(block.id);
			known.delete(block.id);
			return element ?? this.#element();
		});
		this.#blocks = blocks;
		for (const element of known.values()) {
			if (!element) continue;
			this.#drawn.delete(element);
			element.remove();
		}
		// Ids count up, so what stays keeps its order and what is new comes last.
		for (const element of this.#elements) if (!element.parentNode) this.#parent.append(element);
		this.#work();
	}

	/** Draws nothing any more. */
	stop(): void {
		this.#blocks = [];
		this.#elements = [];
	}

	#element(): HTMLElement {
		const element = document.createElement("div");
		element.className = "block";
		return element;
	}

	#work(): void {
		const until = performance.now() + slice;
		const last = this.#blocks.length - 1;
		for (let n = 0; n <= last; n++) {
			const i = this.#newestFirst ? last - n : n;
			const [block, element] = [this.#blocks[i], this.#elements[i]];
			if (!block || !element || this.#drawn.get(element) === block.rows) continue;
			if (performance.now() > until) {
				this.#later();
				return;
			}
			patch(element, this.#drawn.get(element) ?? [], block.rows);
			this.#drawn.set(element, block.rows);
		}
	}

	#later(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		// A timer and not a frame: a hidden page draws too, and input and painting come in between.
		setTimeout(() => {
			this.#scheduled = false;
			this.#work();
		});
	}
}

/** Rows are dropped in front, added behind, and of those that stay only the last ever changes. */
function patch(element: HTMLElement, before: readonly Row[], after: readonly Row[]): void {
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
