import { withoutEscapes } from "./ansi.ts";
import type { Match } from "./search.ts";

/**
 * Paints what a search found, with the CSS Custom Highlight API: no element is made for it, and text
 * can be selected across it. A browser that does not know it shows the line alone.
 */
export class Highlights {
	/** The line that is outlined. */
	#outlined: HTMLElement | undefined;

	/** Paints the matches in the lines that are drawn; the whole line of the current one is outlined. */
	show(
		lines: Iterable<HTMLElement>,
		matchOf?: (line: number) => Match | undefined,
		current?: number,
	): void {
		const ranges: Range[] = [];
		const ofCurrent: Range[] = [];
		let outlined: HTMLElement | undefined;
		for (const element of lines) {
			const line = Number(element.dataset.line);
			const match = matchOf?.(line);
			if (match) (line === current ? ofCurrent : ranges).push(...rangesIn(element, match));
			if (line === current) outlined = element;
		}
		this.#outlined?.classList.remove("current");
		outlined?.classList.add("current");
		this.#outlined = outlined;
		paint("match", ranges);
		paint("current-match", ofCurrent);
	}
}

function paint(name: string, ranges: readonly Range[]): void {
	if (typeof Highlight !== "function") return;
	if (ranges.length === 0) CSS.highlights.delete(name);
	else CSS.highlights.set(name, new Highlight(...ranges));
}

/** Where a match stands in a line's element. What is not displayed counts and is not painted. */
function rangesIn(element: HTMLElement, match: Match): Range[] {
	const found: Range[] = [];
	const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
	let at = 0;
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const text = node.nodeValue ?? "";
		if (node.parentElement?.className === "escape") {
			at += withoutEscapes(text).length;
			continue;
		}
		for (const [from, to] of match.ranges) {
			const [start, end] = [Math.max(from - at, 0), Math.min(to - at, text.length)];
			if (start >= end) continue;
			const range = document.createRange();
			range.setStart(node, start);
			range.setEnd(node, end);
			found.push(range);
		}
		at += text.length;
	}
	return found;
}
