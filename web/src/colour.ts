import { type Colour, type Pen, rgb } from "./ansi.ts";

/**
 * The colours of log text. Palette colours on the page's own ground are the theme's (theme.css); the
 * rest is computed here, and kept readable: at least 4.5:1 against what it stands on.
 */

export type RGB = readonly [red: number, green: number, blue: number];

/** The ground with the least contrast in each theme: a highlighted row. */
export const grounds = { light: hex("#fff8c5"), dark: hex("#2d2a12") } as const;
/** The default colour of text, which is the ground where text is inverse: near black, near white. */
const texts: typeof grounds = { light: hex("#1f2328"), dark: hex("#e6edf3") };

const readable = 4.5;
const black: RGB = [0, 0, 0];
const white: RGB = [255, 255, 255];

// What the sixteen stand for as a ground, and for text on such a ground. The theme's own sixteen are
// made to be read on the page, so its "black" in the dark theme is a grey and no ground at all.
const sixteen: readonly RGB[] = [
	"#24292f",
	"#b3212b",
	"#116329",
	"#7d4e00",
	"#0757b8",
	"#8a3ab9",
	"#0b6b74",
	"#d0d7de",
	"#57606a",
	"#ff8a80",
	"#4ac26b",
	"#e3b341",
	"#79b8ff",
	"#d2a8ff",
	"#56d4dd",
	"#ffffff",
].map(hex);

/** How a pen looks: class names of the log's stylesheet, and custom properties that they read. */
export interface Paint {
	readonly classes: readonly string[];
	readonly properties: readonly (readonly [name: string, value: string])[];
}

const drawn = ["bold", "italic", "underline", "strike", "overline", "conceal"] as const;

/** How text drawn with a pen looks: readable, or exactly as the log has it. */
export function paint(pen: Pen, exact = false): Paint {
	const fit = (colour: RGB, ground: RGB) => (exact ? colour : clamp(colour, ground));
	const classes: string[] = drawn.filter((name) => pen[name]);
	const [fg, bg] = pen.inverse ? [pen.bg, pen.fg] : [pen.fg, pen.bg];
	if (bg !== undefined) {
		const ground = fixed(bg);
		const text = fg === undefined ? opposite(ground) : fit(fixed(fg), ground);
		return {
			classes: [...classes, "on"],
			properties: [
				["--fg", css(text)],
				["--bg", css(ground)],
			],
		};
	}
	if (pen.inverse) classes.push("inverse");
	else if (fg === undefined && pen.dim) classes.push("dim");
	else if (fg !== undefined && fg < 16) classes.push(`fg-${fg}`);
	if (fg === undefined || (fg < 16 && !pen.inverse)) return { classes, properties: [] };
	const { light, dark } = pen.inverse ? texts : grounds;
	return {
		classes: [...classes, "exact"],
		properties: [
			["--fg-light", css(fit(fixed(fg), light))],
			["--fg-dark", css(fit(fixed(fg), dark))],
		],
	};
}

function fixed(colour: NonNullable<Colour>): RGB {
	if (colour >= rgb) return [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255];
	if (colour < 16) return sixteen[colour] ?? black;
	if (colour >= 232) {
		const grey = 8 + (colour - 232) * 10;
		return [grey, grey, grey];
	}
	// The 6 by 6 by 6 cube of xterm.
	const level = (n: number) => (n === 0 ? 0 : 55 + n * 40);
	const n = colour - 16;
	return [level(Math.floor(n / 36)), level(Math.floor(n / 6) % 6), level(n % 6)];
}

/** The colour nearest to the given one, towards black or white, that can be read on the ground. */
export function clamp(colour: RGB, ground: RGB): RGB {
	if (contrast(colour, ground) >= readable) return colour;
	const towards = opposite(ground);
	let near = 0;
	let far = 1;
	for (let i = 0; i < 8; i++) {
		const half = (near + far) / 2;
		if (contrast(mix(colour, towards, half), ground) >= readable) far = half;
		else near = half;
	}
	return mix(colour, towards, far);
}

/** Black or white, whichever can be read better; one of them always has at least 4.58:1. */
function opposite(ground: RGB): RGB {
	return contrast(black, ground) >= contrast(white, ground) ? black : white;
}

function mix(a: RGB, b: RGB, amount: number): RGB {
	const at = (i: 0 | 1 | 2) => Math.round(a[i] + (b[i] - a[i]) * amount);
	return [at(0), at(1), at(2)];
}

/** The contrast ratio of WCAG 2, from 1 to 21. */
export function contrast(a: RGB, b: RGB): number {
	const [x, y] = [luminance(a), luminance(b)];
	return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function luminance([red, green, blue]: RGB): number {
	const linear = (value: number) => {
		const s = value / 255;
		return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
	};
	return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

export function hex(text: string): RGB {
	const n = Number.parseInt(text.slice(1), 16);
	return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

function css([red, green, blue]: RGB): string {
	return `rgb(${red} ${green} ${blue})`;
}
