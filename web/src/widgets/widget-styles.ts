import { css, unsafeCSS } from "lit";
import { shared } from "../elements/shared-styles.ts";
import theme from "../theme.css?inline";

/** The colours and fonts of the pages, each of which the host may set: --passed is --stepcast-passed, --page --stepcast-background. */
const tokens = unsafeCSS(
	`.frame{${[...theme.matchAll(/--([\w-]+):\s*([^;}]+)/g)]
		.map(
			([, name, value]) =>
				`--${name}:var(--stepcast-${name === "page" ? "background" : name},${value})`,
		)
		.join(";")}}`,
);

/**
 * What every widget's stylesheet begins with. A page cannot reach into it but for what elements inherit,
 * so the frame inherits nothing that it does not say. What a page does to the element itself stands, but
 * for what would make it disappear: of two rules with !important, the inner one holds.
 */
export const widgetStyles = [
	shared,
	tokens,
	css`
		:host {
			display: block !important;
			opacity: 1 !important;
			visibility: visible !important;
			writing-mode: horizontal-tb !important;
		}

		:host([hidden]) {
			display: none !important;
		}

		.frame {
			all: initial;
			--radius: var(--stepcast-radius, 0.375em);
			display: block;
			/* Its words are English, whatever those around it are. */
			direction: ltr;
			color-scheme: inherit;
			color: var(--text);
			font: var(--stepcast-font-size, 14px) / 1.45 var(--font);
			font-variant-numeric: tabular-nums;
		}

		.frame.light {
			color-scheme: light;
		}

		.frame.dark {
			color-scheme: dark;
		}

		/*
		 * Has the colour of the words around it, in a form of which there is one only, and tells by a
		 * transition that it changes.
		 */
		.probe {
			position: absolute;
			background: color-mix(in srgb, currentColor, currentColor);
			transition: color 1ms;
		}

		.alarm {
			color: var(--stale);
		}

		/* What may be old is no colour to go by. */
		.stale :is(stepcast-mark, stepcast-tile, .bar) {
			filter: grayscale(1);
		}
	`,
];
