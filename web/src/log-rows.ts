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
export function drawLine(line: Line, href: string, links?: Links): HTMLElement {
	const number = element("a", "");
	number.href = href;
	number.dataset.n = String(line.number);
	// A thousand numbers are no stops on the way through a page; ":" goes to a line by keyboard.
	number.tabIndex = -1;
	number.ariaHidden = "true";
	// Dragging over numbers marks lines.
	number.draggable = false;
	const shown = pieces(line.text, line.pen, links?.addressOf).map((piece) => draw(piece, links));
	// Without a line break, copying would skip the empty line.
	const text = element("span", "text", ...(line.text ? shown : [element("br", "")]));
	const drawn = element("div", line.cut ? "line cut" : "line", number, text);
	drawn.dataset.line = String(line.number);
	return drawn;
}

export function drawHole({ bytes, quota }: Hole): HTMLElement {
	return element(
		"div",
		"hole",
		quota?.why ?? `${count(bytes)} bytes are missing here, lost on the way.`,
	);
}

/** The heading of a group, a button that folds it. */
export function drawGroup(group: Group, open: boolean): HTMLElement {
	const name = element("bdi", "", group.name || "Group");
	const button = element("button", "", name, " ", element("span", "muted", groupExtent(group)));
	button.ariaExpanded = String(open);
	button.disabled = group.last === undefined;
	const drawn = element("div", "group", button);
	drawn.dataset.group = String(group.number);
	drawn.dataset.line = String(group.line);
	drawn.style.setProperty("--level", String(group.level));
	return drawn;
}

/** "240 lines · 3.2 s" */
function groupExtent(group: Group): string {
	if (group.last === undefined) return "not ended";
	const lines = counted(Math.max(0, group.last - group.line + 1), "line");
	return group.duration ? `${lines} · ${duration(group.duration * 1_000)}` : lines;
}

function draw(piece: Piece, links: Links | undefined): Node | string {
	if (piece.kind === "text") {
		const { classes, properties } = paint(piece.pen);
		const content = links?.linked(piece.text, piece.href) ?? [piece.text];
		if (classes.length === 0 && content.length === 1) return content[0] as Node | string;
		const span = element("span", classes.join(" "), ...content);
		for (const [name, value] of properties) span.style.setProperty(name, value);
		return span;
	}
	const span = element("span", piece.kind, piece.text);
	// As ^M or \u202e, shown by the stylesheet and so no part of the text.
	if (piece.kind === "control") {
		const code = piece.text.charCodeAt(0);
		span.dataset.caret =
			code < 0x80 ? `^${String.fromCharCode(code ^ 0x40)}` : `\\u${code.toString(16)}`;
	}
	return span;
}

function element<Name extends keyof HTMLElementTagNameMap>(
	name: Name,
	classes: string,
	...content: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
	const made = document.createElement(name);
	if (classes) made.className = classes;
	made.append(...content);
	return made;
}
