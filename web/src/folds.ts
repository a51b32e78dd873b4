import { blockLines, firstOf } from "./log-text.ts";

/** Lines of a log that belong together. Its heading stands before its first line. */
export interface Group {
	/** Of the note that began it: what it is known by within its step. */
	readonly number: number;
	readonly name: string;
	/** How deep it is nested, from 1. */
	readonly level: number;
	/** Its first line, and its last one; undefined while it is open. */
	readonly line: number;
	readonly last: number | undefined;
	/** Seconds; undefined while it is open. */
	readonly duration: number | undefined;
	/** Whether the command asked that it be shown folded. */
	readonly asked: boolean;
}

interface Range {
	readonly from: number;
	readonly last: number;
	/** How many lines the ranges before it hide. */
	readonly before: number;
}

/** Which lines of a log are out of sight because their group is folded. Never changed in place. */
export class Folds {
	readonly #ranges: readonly Range[];

	/** Of groups in any order, nested or not. A group without an end, or without a line, hides nothing. */
	constructor(folded: Iterable<Pick<Group, "line" | "last">> = []) {
		const ranges: Range[] = [];
		const sorted = [...folded].sort((a, b) => a.line - b.line || (b.last ?? 0) - (a.last ?? 0));
		let before = 0;
		for (const { line, last } of sorted) {
			const previous = ranges.at(-1);
			const from = Math.max(line, (previous?.last ?? 0) + 1);
			if (last === undefined || last < from) continue;
			ranges.push({ from, last, before });
			before += last - from + 1;
		}
		this.#ranges = ranges;
	}

	/** Whether a line is out of sight. */
	hides(line: number): boolean {
		const range = this.#ranges[this.#place(line)];
		return range !== undefined && line <= range.last;
	}

	/** How many lines in sight come before the given one. */
	rank(line: number): number {
		const range = this.#ranges[this.#place(line - 1)];
		if (!range) return line - 1;
		return line - 1 - range.before - (Math.min(line - 1, range.last) - range.from + 1);
	}

	/** The line in sight with so many others in sight before it. */
	at(rank: number): number {
		let line = Math.floor(rank) + 1;
		for (const { from, last } of this.#ranges) {
			if (from > line) break;
			line += last - from + 1;
		}
		return line;
	}

	/** Whether nothing of a block is in sight, not even the heading of a folded group. */
	skips(block: number): boolean {
		const first = firstOf(block);
		const range = this.#ranges[this.#place(first)];
		return range !== undefined && range.from < first && range.last >= first + blockLines - 1;
	}

	/** The last range that begins at or before a line; -1: none does. */
	#place(line: number): number {
		let [low, high] = [0, this.#ranges.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#ranges[middle]?.from ?? 0) <= line) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}
}
