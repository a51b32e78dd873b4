import { type Pen, penAfter, pieces, plain } from "./ansi.ts";
import type { Quota } from "./model.ts";
import { straight } from "./turning.ts";

/** What a log is made of. */
export type Row = Line | Hole;

/** Text is the line without its line feed, escape sequences and all; pen is the one it starts with. */
export interface Line {
	readonly kind: "line";
	readonly number: number;
	readonly text: string;
	readonly pen: Pen;
	/** When its beginning was reported, in milliseconds since 1970. */
	readonly at: number;
	/** Whether the line is longer than text. */
	readonly cut: boolean;
}

/** Bytes that nobody has any more. */
export interface Hole {
	readonly kind: "hole";
	readonly number: number;
	readonly bytes: number;
	/** Which quota was used up, so that these and all that came after were not kept; undefined: they were lost. */
	readonly quota?: Quota | undefined;
}

/** Characters of one line that are kept. */
export const maxLine = 1 << 18;

/** A line of which nothing has come yet. At is in milliseconds since 1970. */
export function line(number: number, pen: Pen, at: number): Line {
	return { kind: "line", number, text: "", pen, at, cut: false };
}

/**
 * A line that goes on. Of a line that grows too long, as that of a progress bar does, what it has
 * written over goes first; else its end is cut off.
 */
export function longer(row: Line, piece: string, most = maxLine): Line {
	const text = row.text + piece;
	if (text.length <= most) return { ...row, text };
	const back = text.lastIndexOf("\r", text.length - 2);
	if (back < 0 || text.length - back > most)
		return { ...row, text: text.slice(0, most), cut: true };
	const pen = penAfter(text.slice(0, back), row.pen);
	return { ...row, text: text.slice(back + 1), pen, cut: true };
}

/** Lines as they are seen: what is left of each that was written over, and no control characters, nor what turns text around. */
export function seen(lines: string): string {
	return lines.replace(/[^\n]+/g, (text) =>
		printed(text) === text
			? text
			: pieces(longer(line(0, plain, 0), text).text, plain)
					.map((piece) => (piece.kind === "text" ? printed(piece.text) : ""))
					.join(""),
	);
}

function printed(text: string): string {
	return straight(text.replace(/[^\P{Cc}\t]/gu, ""));
}
