import { type Colour, type Pen, rgb } from "./ansi.ts";

/**
 * The colours of log text: the sixteen of a terminal are the theme's (theme.css), the rest is what the log
 * says. The stylesheet that knows these classes (line-styles.ts) keeps them readable: at least 4.5:1.
 */

// What the sixteen are as a ground. The theme's own are made to be read on the page, so its "black" in
// the dark theme is a grey and no ground at all.
const sixteen = [
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
] as const;

/** How a pen looks: class names of the stylesheet, and custom properties that they read. */
export interface Paint {
	readonly classes: readonly string[];
	readonly properties: readonly (readonly [name: string, value: string])[];
}

const drawn = ["bold", "italic", "underline", "strike", "overline", "conceal"] as const;

/** How text drawn with a pen looks: readable, or exactly as the log has it. */
export function paint(pen: Pen, exact = false): Paint {
	const classes: string[] = drawn.filter((name) => pen[name]);
	const properties: [string, string][] = [];
	const [fg, bg] = pen.inverse ? [pen.bg, pen.fg] : [pen.fg, pen.bg];
	if (bg !== undefined) {
		classes.push("on");
		properties.push(["--bg", css(bg)]);
	} else if (pen.inverse) classes.push("inverse");
	else if (fg === undefined && pen.dim) classes.push("dim");
	if (fg !== undefined) {
		classes.push(exact ? "exact" : "fg");
		const own = css(fg);
		properties.push([
			"--fg",
			fg < 16 && bg === undefined ? `var(--stepcast-ansi-${fg}, ${own})` : own,
		]);
	}
	return { classes, properties };
}

function css(colour: NonNullable<Colour>): string {
	if (colour < 16) return sixteen[colour] ?? "";
	// The 6 by 6 by 6 cube of xterm.
	const level = (n: number) => n && 55 + n * 40;
	const n = colour - 16;
	const grey = 8 + (colour - 232) * 10;
	const [red, green, blue] =
		colour >= rgb
			? [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255]
			: colour >= 232
				? [grey, grey, grey]
				: [level(Math.floor(n / 36)), level(Math.floor(n / 6) % 6), level(n % 6)];
	return `rgb(${red} ${green} ${blue})`;
}
