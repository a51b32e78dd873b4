import { css } from "lit";
import { lineStyles } from "./line-styles.ts";

/** How the log of a page looks, and what only a page has: blocks, groups, times, links, marks and matches. */
export const logStyles = [
	lineStyles,
	css`
		.rows {
			min-width: 100%;
			font: 0.8125rem / 1.5 var(--mono);
			tab-size: 8;
		}

		.rows.unwrapped {
			width: max-content;
		}

		.beyond {
			height: var(--height, 0);
		}

		/* What changes in a block, or moves it, is no reason to look at what is in the others. */
		.block {
			contain: content;
		}

		.exact .fg {
			color: var(--fg);
		}

		.line:hover {
			background: var(--panel);
		}

		.unwrapped .line > a {
			background: var(--page);
		}

		/* Only where lines run out of view sideways: thousands of numbers that stick make each frame slow. */
		.unwrapped :is(.line > a, .group button) {
			position: sticky;
			left: 0;
		}

		.timed .line > a::before {
			display: inline-block;
			min-width: calc(var(--digits, 4) * 1ch);
		}

		.timed .line > a::after {
			content: attr(data-time);
			margin-left: 1.5ch;
		}

		/* A link whose text may say anything says first where it leads, in no colours of the log's. */
		a[data-host]::before {
			content: "(" attr(data-host) ") ";
			display: inline-block;
			background: var(--page);
			color: var(--muted);
		}

		.line > a:hover {
			color: var(--link);
			text-decoration: underline;
		}

		.line:hover > a {
			background: var(--panel);
		}

		.unwrapped .text {
			flex: none;
			white-space: pre;
		}

		/* What is wrong in a line is told by a shape before its number; its message is in the tooltip. */
		.line[data-level] {
			position: relative;
		}

		.line[data-level] > a {
			box-shadow: inset 3px 0 0 var(--mark);
			color: var(--mark);
		}

		.line[data-level]::before {
			position: absolute;
			left: 0.5rem;
			z-index: 1;
			content: var(--sign);
			color: var(--mark);
		}

		.line[data-level="error"] {
			--mark: var(--failed);
			--sign: "✗";
		}

		.line[data-level="warning"] {
			--mark: var(--running);
			--sign: "!";
		}

		.line[data-level="notice"] {
			--mark: var(--link);
			--sign: "i";
		}

		.line.selected,
		.line.selected > a {
			background: var(--highlight);
		}

		.line.current {
			outline: 2px solid var(--link);
			outline-offset: -2px;
		}

		::highlight(match) {
			background: #ffd33d;
			color: #1f2328;
		}

		::highlight(current-match) {
			background: #f66a0a;
			color: #000000;
		}

		/* What is copied is the log. */
		.group {
			user-select: none;
			-webkit-user-select: none;
		}

		.group button {
			display: block;
			width: 100%;
			min-height: 1.75rem;
			padding: 0.125rem 0.75rem 0.125rem calc(1rem + var(--level, 1) * 0.75rem);
			border: 0;
			border-radius: 0;
			background: var(--panel);
			color: var(--text);
			font: 600 0.8125rem / 1.5 var(--font);
			text-align: left;
			overflow-wrap: anywhere;
		}

		/* Within the block, which shows nothing beyond its edge. */
		.group button:focus-visible {
			outline-offset: -2px;
		}

		.group button::before {
			display: inline-block;
			width: 1.25em;
			content: "▸";
			color: var(--muted);
		}

		.group button[aria-expanded="true"]::before {
			content: "▾";
		}

		.group .muted {
			margin-left: 0.5rem;
			font-weight: 400;
		}

		.waiting {
			height: var(--height);
			background: repeating-linear-gradient(
				var(--page) 0 0.5rem,
				var(--panel) 0.5rem 1rem,
				var(--page) 1rem 1.21875rem
			);
		}

		@media (max-width: 640px) {
			.line[data-level]::before {
				left: 0.25rem;
				font-size: 0.6875rem;
				line-height: 1.77;
			}

			.line > a {
				min-width: calc(var(--digits, 4) * 1ch + 1rem);
				padding: 0 0.5rem 0 0.875rem;
				font-size: 0.6875rem;
				line-height: 1.77;
			}
		}
	`,
];
