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

export type Piece =
	| { readonly kind: "text"; readonly text: string; readonly pen: Pen }
	| { readonly kind: "escape"; readonly text: string }
	| { readonly kind: "control"; readonly text: string };

// In order: CSI with its parameters; OSC up to BEL or ST, at most 2,048 characters; the choice of a
// character set; the single-character functions. A sequence that is not whole stays visible. Last,
// control characters but the tab.
const special =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
	/\x1b(?:\[([0-?]*)([ -/]*)([@-~])|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[()*+][ -~]|[78=>cDEHM])|[\x00-\x08\x0a-\x1f\x7f]+?/g;

// A carriage return before the line's end belongs to the line end and is not worth a mark.
const lineEnd = /\r$/;

/** Cuts a line, without its line feed, into pieces, starting with the given pen. */
export function pieces(line: string, pen: Pen): Piece[] {
	const found: Piece[] = [];
	const body = line.replace(lineEnd, "");
	let from = 0;
	for (const match of body.matchAll(special)) {
		if (match.index > from) found.push({ kind: "text", text: body.slice(from, match.index), pen });
		const text = match[0];
		from = match.index + text.length;
		if (text.length === 1) {
			found.push({ kind: "control", text });
			continue;
		}
		found.push({ kind: "escape", text });
		if (match[3] === "m" && match[2] === "") pen = sgr(pen, match[1] ?? "");
	}
	if (from < body.length) found.push({ kind: "text", text: body.slice(from), pen });
	if (body.length < line.length) found.push({ kind: "escape", text: "\r" });
	return found;
}

/** The pen at the end of a line: what its last colour sequence leaves for the next one. */
export function penAfter(line: string, pen: Pen): Pen {
	if (!line.includes("\x1b")) return pen;
	for (const match of line.matchAll(special)) {
		if (match[3] === "m" && match[2] === "") pen = sgr(pen, match[1] ?? "");
	}
	return pen;
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
