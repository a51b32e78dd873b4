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

const drawn = ["bold", "italic", "underline", "strike", "overline"] as const;

/** How text drawn with a pen looks. */
export function paint(pen: Pen): Paint {
	const classes: string[] = drawn.filter((name) => pen[name]);
	const properties: [string, string][] = [];
	const [fg, bg] = pen.inverse ? [pen.bg, pen.fg] : [pen.fg, pen.bg];
	if (bg !== undefined) {
		classes.push("on");
		properties.push(["--bg", css(bg)]);
	} else if (pen.inverse) classes.push("inverse");
	else if (fg === undefined && pen.dim) classes.push("dim");
	if (fg !== undefined) {
		classes.push("fg");
		properties.push(["--fg", fg < 16 && bg === undefined ? named(fg) : css(fg)]);
	}
	return { classes, properties };
}

/** One of the sixteen as text: where the theme has none, a hue is a dark one on a light page, and a bright one on a dark. */
function named(colour: number): string {
	const own = colour % 8 ? `light-dark(${css(colour & 7)}, ${css(colour | 8)})` : css(colour);
	return `var(--stepcast-ansi-${colour}, ${own})`;
}

function css(colour: NonNullable<Colour>): string {
	if (colour < 16) return sixteen[colour] ?? "";
	// The digit that is before the others is the mark of a colour of this kind.
	if (colour >= rgb) return `#${colour.toString(16).slice(1)}`;
	// The 6 by 6 by 6 cube of xterm, and its 24 greys.
	const part = (place: number) => {
		const level = Math.floor((colour - 16) / place) % 6;
		return colour < 232 ? level && 55 + level * 40 : 8 + (colour - 232) * 10;
	};
	return `rgb(${part(36)} ${part(6)} ${part(1)})`;
}
