/**
 * The escape sequences of a log line. Nothing of the text is thrown away: a line becomes pieces that
 * join to exactly the line, each of them text to show, a sequence to hide, or control characters.
 */

/** Undefined is the default colour, 0 to 255 the terminal's palette, from rgb on 24-bit colour. */
export type Colour = number | undefined;

export const rgb = 0x1000000;

/** How text is drawn from here on. Never changed in place, so that lines can share one. */
export interface Pen {
	readonly fg: Colour;
	readonly bg: Colour;
	readonly bold: boolean;
	readonly dim: boolean;
	readonly italic: boolean;
	readonly underline: boolean;
	readonly inverse: boolean;
	readonly conceal: boolean;
	readonly strike: boolean;
	readonly overline: boolean;
}

export const plain: Pen = {
	fg: undefined,
	bg: undefined,
	bold: false,
	dim: false,
	italic: false,
	underline: false,
	inverse: false,
	conceal: false,
	strike: false,
	overline: false,
};

/** Text to show, with the address that an OSC 8 sequence gave it; what is hidden; a control character. */
export type Piece =
	| { readonly kind: "text"; readonly text: string; readonly pen: Pen; readonly href?: string }
	| { readonly kind: "escape"; readonly text: string }
	| { readonly kind: "control"; readonly text: string };

// In order: CSI with its parameters; OSC up to BEL or ST, at most 2,048 characters; the choice of a
// character set; the single-character functions. A sequence that is not whole stays visible. Last,
// control characters but the tab.
const special =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
	/\x1b(?:\[([0-?]*)([ -/]*)([@-~])|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[()*+][ -~]|[78=>cDEHM])|[\x00-\x08\x0a-\x1f\x7f]+?/g;

// A cursor goes no further right: far more than a terminal is wide.
const maxColumn = 10_000;

// A carriage return before the line's end belongs to the line end and is not worth a mark.
const lineEnd = /\r$/;

// OSC 8 ; parameters ; address: the text up to the next one is a link; an empty address ends it.
// https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const hyperlink = /^\x1b\]8;[^;]*;(.*?)(?:\x07|\x1b\\)$/;

/** Cuts a line, without its line feed, into pieces, starting with the given pen. */
export function pieces(line: string, pen: Pen): Piece[] {
	const found: Piece[] = [];
	const body = line.replace(lineEnd, "");
	let from = 0;
	let href: string | undefined;
	const text = (text: string) => {
		found.push(href ? { kind: "text", text, pen, href } : { kind: "text", text, pen });
	};
	let moves = false;
	for (const match of body.matchAll(special)) {
		if (match.index > from) text(body.slice(from, match.index));
		const sequence = match[0];
		from = match.index + sequence.length;
		if (sequence.length === 1) {
			moves ||= sequence === "\r" || sequence === "\b";
			found.push({ kind: "control", text: sequence });
			continue;
		}
		found.push({ kind: "escape", text: sequence });
		if (match[3] === "m" && match[2] === "") pen = sgr(pen, match[1] ?? "");
		else moves ||= match[3] === "D" || match[3] === "G";
		const link = hyperlink.exec(sequence);
		if (link) href = safeAddress(link[1]);
	}
	if (from < body.length) text(body.slice(from));
	if (body.length < line.length) found.push({ kind: "escape", text: "\r" });
	return moves ? settled(found) : found;
}

/** An address that a click may open: nothing that runs in the page. */
function safeAddress(text: string | undefined): string | undefined {
	return text && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined;
}

/**
 * A line in which the cursor goes back, as a progress bar's does: what a terminal shows of it at the
 * end. What was written over or erased becomes a piece to hide. The pieces still join to the line,
 * save where a shorter text was left standing over a longer one, which then comes out of its order.
 */
function settled(line: readonly Piece[]): Piece[] {
	interface Cell {
		readonly char: string;
		readonly piece: number;
		readonly at: number;
	}
	const cells: (Cell | undefined)[] = [];
	let column = 0;
	for (const [piece, { kind, text }] of line.entries()) {
		if (kind === "control") {
			if (text === "\r") column = 0;
			else if (text === "\b") column = Math.max(0, column - 1);
		} else if (kind === "escape") {
			column = moved(text, column, cells);
		} else {
			let at = 0;
			for (const char of text) {
				cells[column++] = { char, piece, at };
				at += char.length;
			}
		}
	}

	const shown = cells.filter((cell) => cell !== undefined);
	const inOrder = shown.every((cell, i) => {
		const before = shown[i - 1];
		return (
			!before || before.piece < cell.piece || (before.piece === cell.piece && before.at < cell.at)
		);
	});
	const stays: Set<number>[] = [];
	for (const { piece, at } of shown) {
		stays[piece] ??= new Set();
		stays[piece].add(at);
	}
	const hidden: string[] = [];
	const found: Piece[] = [];
	const hide = (text: string) => {
		const last = found.at(-1);
		if (!inOrder) hidden.push(text);
		else if (last?.kind === "escape") found[found.length - 1] = { ...last, text: last.text + text };
		else found.push({ kind: "escape", text });
	};
	for (const [i, piece] of line.entries()) {
		if (piece.kind === "escape" || piece.text === "\r" || piece.text === "\b") {
			hide(piece.text);
		} else if (piece.kind === "control") {
			found.push(piece);
		} else if (!stays[i]) {
			hide(piece.text);
		} else {
			for (const { stay, text } of runs(piece.text, stays[i])) {
				if (stay) found.push({ ...piece, text });
				else hide(text);
			}
		}
	}
	if (inOrder) return found;
	const visible = shown.map(({ char, piece }) => ({ ...(line[piece] as Piece), text: char }));
	const controls = found.filter(({ kind }) => kind === "control");
	return [{ kind: "escape", text: hidden.join("") }, ...visible, ...controls];
}

/** Cuts a text into what stays and what does not, by the places of its characters. */
function runs(text: string, stays: ReadonlySet<number>): { stay: boolean; text: string }[] {
	const found: { stay: boolean; text: string }[] = [];
	let from = 0;
	let at = 0;
	let staying: boolean | undefined;
	for (const char of text) {
		const stay = stays.has(at);
		if (staying !== undefined && stay !== staying) {
			found.push({ stay: staying, text: text.slice(from, at) });
			from = at;
		}
		staying = stay;
		at += char.length;
	}
	if (staying !== undefined) found.push({ stay: staying, text: text.slice(from) });
	return found;
}

/** Where a sequence that moves the cursor within its line leaves it; erases what the sequence erases. */
function moved(sequence: string, column: number, cells: unknown[]): number {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
	const [, field, final] = /^\x1b\[(\d*)([CDGK])$/.exec(sequence) ?? [];
	const n = field ? number(field) : 0;
	if (final === "K") {
		if (n === 0) cells.length = Math.min(cells.length, column);
		else if (n === 1) cells.fill(undefined, 0, column + 1);
		else if (n === 2) cells.length = 0;
		return column;
	}
	const by = Math.min(Math.max(1, n), maxColumn);
	if (final === "C") return Math.min(column + by, maxColumn);
	if (final === "D") return Math.max(0, column - by);
	return final === "G" ? by - 1 : column;
}

/** The pen at the end of a line: what its last colour sequence leaves for the next one. */
export function penAfter(line: string, pen: Pen): Pen {
	if (!line.includes("\x1b")) return pen;
	for (const match of line.matchAll(special)) {
		if (match[3] === "m" && match[2] === "") pen = sgr(pen, match[1] ?? "");
	}
	return pen;
}

/** A line without its escape sequences, but with whatever else is not displayed. */
export function withoutEscapes(text: string): string {
	return text.replace(special, (match) => (match.length > 1 ? "" : match));
}

/** Whether a line needs pieces at all; most do not. */
export function isPlain(line: string): boolean {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
	return !/[\x00-\x08\x0a-\x1f\x7f]/.test(line);
}

type Change = { -readonly [K in keyof Pen]?: Pen[K] };

/** Select Graphic Rendition (ECMA-48 8.3.117, ITU T.416 for colours). Unknown parameters are skipped. */
function sgr(pen: Pen, parameters: string): Pen {
	// A private mark (CSI > … m sets keyboard modes) is not about colours.
	if (/[<=>?]/.test(parameters)) return pen;
	let now: Pen = pen;
	const fields = parameters.split(";");
	for (let i = 0; i < fields.length; i++) {
		const sub = (fields[i] ?? "").split(":");
		const code = number(sub[0]);
		if (code === 0) {
			now = plain;
		} else if (code === 38 || code === 48 || code === 58) {
			const taken = sub.length > 1 ? colonColour(sub) : semicolonColour(fields, i);
			if (sub.length === 1) i += taken.fields;
			if (taken.colour === undefined || code === 58) continue;
			now = { ...now, [code === 38 ? "fg" : "bg"]: taken.colour };
		} else {
			now = { ...now, ...change(code, sub) };
		}
	}
	return now;
}

function change(code: number, sub: readonly string[]): Change {
	if (code >= 30 && code <= 37) return { fg: code - 30 };
	if (code >= 40 && code <= 47) return { bg: code - 40 };
	if (code >= 90 && code <= 97) return { fg: code - 90 + 8 };
	if (code >= 100 && code <= 107) return { bg: code - 100 + 8 };
	switch (code) {
		case 1:
			return { bold: true };
		case 2:
			return { dim: true };
		case 3:
			return { italic: true };
		case 4:
			return { underline: sub.length < 2 || number(sub[1]) !== 0 };
		case 7:
			return { inverse: true };
		case 8:
			return { conceal: true };
		case 9:
			return { strike: true };
		case 21:
			return { underline: true };
		case 22:
			return { bold: false, dim: false };
		case 23:
			return { italic: false };
		case 24:
			return { underline: false };
		case 27:
			return { inverse: false };
		case 28:
			return { conceal: false };
		case 29:
			return { strike: false };
		case 39:
			return { fg: undefined };
		case 49:
			return { bg: undefined };
		case 53:
			return { overline: true };
		case 55:
			return { overline: false };
		default:
			return {};
	}
}

interface Taken {
	readonly colour: Colour;
	/** How many fields after the first belong to it. */
	readonly fields: number;
}

/** 38;5;n and 38;2;r;g;b. */
function semicolonColour(fields: readonly string[], at: number): Taken {
	switch (number(fields[at + 1])) {
		case 5:
			return { colour: palette(fields[at + 2]), fields: 2 };
		case 2:
			return { colour: rgbOf(fields[at + 2], fields[at + 3], fields[at + 4]), fields: 4 };
		default:
			return { colour: undefined, fields: 1 };
	}
}

/** 38:5:n, 38:2:r:g:b and, with a colour space, 38:2::r:g:b. */
function colonColour(sub: readonly string[]): Taken {
	const from = sub.length >= 6 ? 3 : 2;
	switch (number(sub[1])) {
		case 5:
			return { colour: palette(sub[2]), fields: 0 };
		case 2:
			return { colour: rgbOf(sub[from], sub[from + 1], sub[from + 2]), fields: 0 };
		default:
			return { colour: undefined, fields: 0 };
	}
}

function palette(field: string | undefined): Colour {
	const n = number(field);
	return n <= 255 ? n : undefined;
}

function rgbOf(r: string | undefined, g: string | undefined, b: string | undefined): Colour {
	const [red, green, blue] = [number(r), number(g), number(b)];
	if (red > 255 || green > 255 || blue > 255) return undefined;
	return rgb | (red << 16) | (green << 8) | blue;
}

/** An absent parameter is 0; an absurdly long one is none that anyone knows. */
function number(field: string | undefined): number {
	if (field === undefined || field === "") return 0;
	return field.length > 4 ? Number.POSITIVE_INFINITY : Number(field);
}
