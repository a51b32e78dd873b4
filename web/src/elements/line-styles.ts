import { css } from "lit";

/**
 * How the lines of a log look. --fg and --bg are set by log-rows.ts. Text can be read, at 4.5:1 or more: L in
 * Lab is luminance, which is what contrast is made of, so on a light page no colour is lighter than 45,
 * on a dark one none is darker than 64, and whatever is moved there loses of its chroma what it moved.
 */
export const lineStyles = css`
	.line {
		display: flex;
		min-height: 1.5em;
		padding-right: 1.5ch;
	}

	.line > a {
		flex: none;
		min-width: calc(var(--digits, 4) * 1ch + 4ch);
		padding: 0 1.5ch 0 2.5ch;
		color: var(--muted);
		text-align: right;
		text-decoration: none;
		user-select: none;
		-webkit-user-select: none;
	}

	.line > a::before {
		content: attr(data-n);
	}

	.text {
		flex: 1;
		min-width: 0;
		white-space: pre-wrap;
		overflow-wrap: anywhere;
	}

	.cut .text::after {
		content: " (more of this line is in the raw log)";
		color: var(--stale);
	}

	.hole {
		margin: 0.25em 1em 0.25em calc(var(--digits, 4) * 0.7em + 2em);
		padding: 0 0.5em;
		border-left: 3px solid currentColor;
		color: var(--stale);
		font-family: var(--font);
	}

	.escape {
		display: none;
	}

	.control {
		unicode-bidi: isolate;
	}

	.control::before {
		content: attr(data-caret);
		color: var(--muted);
	}

	.bold {
		font-weight: 700;
	}

	.dim {
		color: var(--muted);
	}

	.italic {
		font-style: italic;
	}

	.underline {
		--under: underline;
	}

	.strike {
		--through: line-through;
	}

	.overline {
		--over: overline;
	}

	.underline,
	.strike,
	.overline {
		text-decoration: var(--under,) var(--through,) var(--over,);
	}

	.fg {
		color: light-dark(
			lab(from var(--fg) min(l, 45) calc(a * min(1, 45 / l)) calc(b * min(1, 45 / l))),
			lab(from var(--fg) max(l, 64) calc(a * min(1, l / 64)) calc(b * min(1, l / 64)))
		);
	}

	.inverse {
		background: var(--text);
		color: var(--page);
	}

	/* Black or white, whichever can be read better: one of them always has at least 4.58:1. */
	.on {
		--ink: calc((0.179 - y) * 9999);
		background: var(--bg);
		color: color(from var(--bg) xyz-d65 var(--ink) var(--ink) var(--ink));
	}
`;
