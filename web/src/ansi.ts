/**
 * The escape sequences of a log line. Nothing of the text is thrown away: a line becomes pieces that
 * join to exactly the line, each of them text to show, a sequence to hide, or control characters.
 */

/** Undefined is the default colour, 0 to 255 the terminal's palette, from rgb on 24-bit colour. */
export type Colour = number | undefined;

export const rgb = 0x1000000;

/**
 * How text is drawn from here on. Never changed in place, so that lines can share one. None conceals its
 * text: what a log says is there to be seen.
 */
export interface Pen {
	readonly fg: Colour;
	readonly bg: Colour;
	readonly bold: boolean;
	readonly dim: boolean;
	readonly italic: boolean;
	readonly underline: boolean;
	readonly inverse: boolean;
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
	strike: false,
	overline: false,
};

/** Text to show, with the address that a sequence gave it; what is hidden; a control character. */
export type Piece =
	| {
			readonly kind: "text";
			readonly text: string;
			readonly pen: Pen;
			readonly href: string | undefined;
	  }
	| { readonly kind: "escape"; readonly text: string }
	| { readonly kind: "control"; readonly text: string };

// In order: CSI with its parameters; OSC up to BEL or ST, at most 2,048 characters; the choice of a
// character set; the single-character functions. A sequence that is not whole stays visible. A
// carriage return before the line's end, which belongs to it and is not worth a mark. Last, control
// characters but the tab, and those that turn text around, so that it reads otherwise than it stands; and
// the marks on one letter beyond the thirtieth, of which 200,000 would hold a browser for half a minute.
const special =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
	/\x1b(?:\[([0-?]*)([ -/]*)([@-~])|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[()*+][ -~]|[78=>cDEHM])|\r$|([\x00-\x08\x0a-\x1f\x7f\p{Bidi_C}])|\p{M}(?<=\p{M}{31})\p{M}*/gu;

// A cursor goes no further right: far more than a terminal is wide.
const maxColumn = 10_000;

// What moves the cursor back.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const back = /\r.|[\b]|\x1b\[\d*[DG]/s;

/**
 * Cuts a line, without its line feed, into pieces, starting with the given pen. Links says to which
 * address a sequence makes a link of what follows it: "", to none any more; undefined: it is no such sequence.
 */
export function pieces(
	line: string,
	pen: Pen,
	links?: (sequence: string) => string | undefined,
): Piece[] {
	const found: Piece[] = [];
	let from = 0;
	let href: string | undefined;
	const text = (text: string) => {
		found.push({ kind: "text", text, pen, href });
	};
	for (const match of line.matchAll(special)) {
		if (match.index > from) text(line.slice(from, match.index));
		const sequence = match[0];
		from = match.index + sequence.length;
		found.push({ kind: match[4] ? "control" : "escape", text: sequence });
		pen = after(match, pen);
		href = links?.(sequence) ?? href;
	}
	if (from < line.length) text(line.slice(from));
	return back.test(line) ? settled(found) : found;
}

/**
 * A line in which the cursor goes back, as a progress bar's does: what a terminal shows of it at the
 * end. What was written over or erased becomes a piece to hide. The pieces still join to the line,
 * save where a shorter text was left standing over a longer one, which then comes out of its order.
 */
function settled(line: readonly Piece[]): Piece[] {
	interface Character {
		readonly of: Piece;
		readonly text: string;
		/** Its place in the line, sequences and control characters counted as one. */
		readonly at: number;
	}
	const all: Character[] = [];
	const cells: (Character | undefined)[] = [];
	let column = 0;
	for (const of of line) {
		const { kind } = of;
		for (const text of kind === "text" ? of.text : [of.text]) {
			const character = { of, text, at: all.length };
			all.push(character);
			if (kind === "text") cells[column++] = character;
			else column = moved(text, column, cells);
		}
	}

	const shown = cells.filter((cell) => cell !== undefined);
	const marks = all.filter(({ of, text }) => of.kind === "control" && !/[\r\b]/.test(text));
	const stays = new Set([...shown, ...marks]);
	const hides = (character: Character) => !stays.has(character);
	const inOrder = shown.every(({ at }, i) => at > (shown[i - 1]?.at ?? -1));
	const found: (Piece & { text: string })[] = [];
	let last: Piece | undefined;
	for (const character of inOrder ? all : [...all.filter(hides), ...stays]) {
		const { of, text } = character;
		// Neighbours are one piece: what is hidden, and what stays of a text.
		const from = hides(character) ? hidden : of;
		const open = found.at(-1);
		if (open && from === last && from.kind !== "control") open.text += text;
		else found.push({ ...from, text });
		last = from;
	}
	return found;
}

const hidden: Piece = { kind: "escape", text: "" };

/** Where what moves the cursor within its line leaves it; erases what a sequence erases. */
function moved(text: string, column: number, cells: unknown[]): number {
	if (text === "\r") return 0;
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
	const [, field, final] = /^\x1b\[(\d*)([CDGK])$/.exec(text) ?? [];
	const n = number(field);
	if (final === "K") {
		if (n === 0) cells.length = Math.min(cells.length, column);
		else if (n === 1) cells.fill(undefined, 0, column + 1);
		else if (n === 2) cells.length = 0;
		return column;
	}
	const by = Math.min(Math.max(1, n), maxColumn);
	if (final === "C") return Math.min(column + by, maxColumn);
	if (final === "D" || text === "\b") return Math.max(0, column - by);
	return final === "G" ? by - 1 : column;
}

/** The pen at the end of a line: what its last colour sequence leaves for the next one. */
export function penAfter(line: string, pen: Pen): Pen {
	if (!line.includes("\x1b")) return pen;
	for (const match of line.matchAll(special)) pen = after(match, pen);
	return pen;
}

function after(match: RegExpExecArray, pen: Pen): Pen {
	return match[3] === "m" && match[2] === "" ? sgr(pen, match[1] ?? "") : pen;
}

/** A line without its escape sequences, but with whatever else is not displayed. */
export function withoutEscapes(text: string): string {
	return text.replace(special, (match) => (match[0] === "\x1b" ? "" : match));
}

type Change = { -readonly [K in keyof Pen]?: Pen[K] };

/** Select Graphic Rendition (ECMA-48 8.3.117, ITU T.416 for colours). Unknown parameters are skipped. */
function sgr(pen: Pen, parameters: string): Pen {
	// A private mark (CSI > … m sets keyboard modes) is not about colours.
	if (/[<=>?]/.test(parameters)) return pen;
	const fields = parameters.split(";");
	for (let i = 0; i < fields.length; i++) {
		const sub = (fields[i] ?? "").split(":");
		const code = number(sub[0]);
		if (code === 0) {
			pen = plain;
		} else if (code === 38 || code === 48 || code === 58) {
			// 38;5;n and 38;2;r;g;b; with colons the same, or with a colour space 38:2::r:g:b.
			const colons = sub.length > 1;
			const [, kind, ...values] = colons ? sub : fields.slice(i, i + 5);
			const mode = number(kind);
			if (!colons) i += mode === 5 ? 2 : mode === 2 ? 4 : 1;
			if (mode === 2 && sub.length >= 6) values.shift();
			const [n = 0, green = 0, blue = 0] = values.slice(0, mode === 5 ? 1 : 3).map(number);
			const known = (mode === 5 || mode === 2) && Math.max(n, green, blue) <= 255;
			if (!known || code === 58) continue;
			const colour = mode === 5 ? n : rgb | (n << 16) | (green << 8) | blue;
			pen = { ...pen, [code === 38 ? "fg" : "bg"]: colour };
		} else {
			pen = { ...pen, ...change(code, sub) };
		}
	}
	return pen;
}

function change(code: number, sub: readonly string[]): Change | undefined {
	const [ground, first = 0] = sixteen[Math.floor(code / 10)] ?? [];
	if (ground && code % 10 < 8) return { [ground]: first + (code % 10) };
	return code === 4 && sub.length > 1 ? { underline: number(sub[1]) !== 0 } : changes[code];
}

/** Parameters that begin so, from 0 to 7, are a colour of the sixteen: of the text or of its ground. */
const sixteen: Readonly<Record<number, readonly ["fg" | "bg", number]>> = {
	3: ["fg", 0],
	4: ["bg", 0],
	9: ["fg", 8],
	10: ["bg", 8],
};

const changes: Readonly<Record<number, Change>> = {
	1: { bold: true },
	2: { dim: true },
	3: { italic: true },
	4: { underline: true },
	7: { inverse: true },
	9: { strike: true },
	21: { underline: true },
	22: { bold: false, dim: false },
	23: { italic: false },
	24: { underline: false },
	27: { inverse: false },
	29: { strike: false },
	39: { fg: undefined },
	49: { bg: undefined },
	53: { overline: true },
	55: { overline: false },
};

/** An absent parameter is 0; an absurdly long one is none that anyone knows. */
function number(field = ""): number {
	return field.length > 4 ? Number.POSITIVE_INFINITY : Number(field);
}
