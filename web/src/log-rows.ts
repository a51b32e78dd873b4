import { type Piece, pieces } from "./ansi.ts";
import { paint } from "./colour.ts";
import type { Group } from "./folds.ts";
import { count, counted, duration } from "./format.ts";
import type { Hole, Line } from "./line.ts";

/** What makes links of what a line says; without it all of a line is text. */
export interface Links {
	addressOf(sequence: string): string | undefined;
	linked(text: string, href?: string): readonly (Node | string)[];
}

/**
 * A line of a log. The textContent of a `.line` is exactly the log's line without its line feed: escape
 * sequences are in it, and what a progress bar wrote over, in elements that are not displayed, so that
 * a reader sees and copies the plain text. The number, in front, is no text at all.
 */
export function drawLine(line: Line, href: string, exact = false, links?: Links): HTMLElement {
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
	text.append(
		...pieces(line.text, line.pen, links?.addressOf).map((piece) => draw(piece, exact, links)),
	);
	// Without it, copying would skip the empty line.
	if (line.text === "") text.append(document.createElement("br"));
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

function draw(piece: Piece, exact: boolean, links: Links | undefined): Node | string {
	const span = document.createElement("span");
	if (piece.kind === "text") {
		const { classes, properties } = paint(piece.pen, exact);
		const content = links?.linked(piece.text, piece.href) ?? [piece.text];
		if (classes.length === 0 && content.length === 1) return content[0] as Node | string;
		span.className = classes.join(" ");
		for (const [name, value] of properties) span.style.setProperty(name, value);
		span.append(...content);
		return span;
	}
	span.className = piece.kind;
	span.textContent = piece.text;
	// In caret notation, ^M, shown by the stylesheet and so no part of the text.
	if (piece.kind === "control") {
		span.dataset.caret = `^${String.fromCharCode(piece.text.charCodeAt(0) ^ 0x40)}`;
	}
	return span;
}
