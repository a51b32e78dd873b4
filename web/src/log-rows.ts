import { isPlain, type Pen, type Piece, pieces } from "./ansi.ts";
import { paint } from "./colour.ts";
import type { Group } from "./folds.ts";
import { count, counted, duration } from "./format.ts";
import type { Hole, Line } from "./log-text.ts";

// An address in running text, without the punctuation that follows it in a sentence.
const address = /https?:\/\/[^\s<>"'`\\\p{Cc}]*[^\s<>"'`\\.,;:!?)\]}\p{Cc}]/gu;

/**
 * A line of a log. The textContent of a `.line` is exactly the log's line without its line feed: escape
 * sequences are in it, and what a progress bar wrote over, in elements that are not displayed, so that
 * a reader sees and copies the plain text. The number, in front, is no text at all.
 */
export function drawLine(line: Line, href: string, exact: boolean): HTMLElement {
	const element = document.createElement("div");
	element.className = line.cut ? "line cut" : "line";
	element.dataset.line = String(line.number);
	const number = document.createElement("a");
	number.href = href;
	number.dataset.n = String(line.number);
	// A thousand numbers are no stops on the way through a page; ":" goes to a line by keyboard.
	number.tabIndex = -1;
	number.setAttribute("aria-hidden", "true");
	// Dragging over numbers marks lines.
	number.draggable = false;
	const text = document.createElement("span");
	text.className = "text";
	if (line.text === "") {
		// Without it, copying would skip the empty line.
		text.append(document.createElement("br"));
	} else if (isPlain(line.text) && !drawn(line.pen)) {
		text.append(...linked(line.text));
	} else {
		text.append(...pieces(line.text, line.pen).map((piece) => draw(piece, exact)));
	}
	element.append(number, text);
	return element;
}

export function drawHole(hole: Hole): HTMLElement {
	const element = document.createElement("div");
	element.className = "hole";
	element.textContent = `${count(hole.bytes)} bytes of the log are missing here: they were lost before they reached the server.`;
	return element;
}

/** The heading of a group, a button that folds it. */
export function drawGroup(group: Group, open: boolean): HTMLElement {
	const element = document.createElement("div");
	element.className = "group";
	element.dataset.group = String(group.number);
	element.style.setProperty("--level", String(group.level));
	const button = document.createElement("button");
	button.setAttribute("aria-expanded", String(open));
	const name = document.createElement("bdi");
	name.textContent = group.name || "Group";
	const extent = document.createElement("span");
	extent.className = "muted";
	extent.textContent = groupExtent(group);
	button.append(name, " ", extent);
	button.disabled = group.last === undefined;
	element.append(button);
	return element;
}

/** "240 lines · 3.2 s" */
function groupExtent(group: Group): string {
	if (group.last === undefined) return "not ended";
	const lines = counted(Math.max(0, group.last - group.line + 1), "line");
	return group.duration ? `${lines} · ${duration(group.duration * 1_000)}` : lines;
}

function draw(piece: Piece, exact: boolean): Node {
	if (piece.kind === "text") {
		if (!piece.href) return styled(linked(piece.text), piece.pen, exact);
		return link(piece.href, styled([document.createTextNode(piece.text)], piece.pen, exact));
	}
	const span = document.createElement("span");
	span.className = piece.kind;
	span.textContent = piece.text;
	// In caret notation, ^M, shown by the stylesheet and so no part of the text.
	if (piece.kind === "control") {
		span.dataset.caret = `^${String.fromCharCode(piece.text.charCodeAt(0) ^ 0x40)}`;
	}
	return span;
}

function styled(nodes: readonly Node[], pen: Pen, exact: boolean): Node {
	if (!drawn(pen)) {
		const fragment = document.createDocumentFragment();
		fragment.append(...nodes);
		return fragment;
	}
	const { classes, properties } = paint(pen, exact);
	const span = document.createElement("span");
	span.className = classes.join(" ");
	for (const [name, value] of properties) span.style.setProperty(name, value);
	span.append(...nodes);
	return span;
}

/** Text, with links where an address stands in it. */
function linked(text: string): Node[] {
	if (!text.includes("://")) return [document.createTextNode(text)];
	const nodes: Node[] = [];
	let from = 0;
	for (const match of text.matchAll(address)) {
		if (!URL.canParse(match[0])) continue;
		if (match.index > from) nodes.push(document.createTextNode(text.slice(from, match.index)));
		nodes.push(link(match[0], document.createTextNode(match[0])));
		from = match.index + match[0].length;
	}
	if (from < text.length) nodes.push(document.createTextNode(text.slice(from)));
	return nodes;
}

/** Where it leads gets no word of where it was read, and no hold of the page. */
function link(href: string, content: Node): HTMLElement {
	const anchor = document.createElement("a");
	anchor.href = href;
	anchor.target = "_blank";
	anchor.rel = "noopener noreferrer";
	anchor.append(content);
	return anchor;
}

/** Whether a pen draws otherwise than the plain one. */
function drawn(pen: Pen): boolean {
	return Object.values(pen).some((value) => value !== undefined && value !== false);
}
