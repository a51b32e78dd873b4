import { type Pen, penAfter, plain } from "./ansi.ts";
import type { Chunk } from "./model.ts";

/** The newest lines of one step's log, as the page holds them. Values are never changed in place. */
export interface StepLog {
	/** In order. All but the last are full, save the first, which loses its oldest rows. */
	readonly blocks: readonly Block[];
	/** How many rows the blocks hold, at most maxRows. */
	readonly rows: number;
	/** How many characters the rows hold. */
	readonly characters: number;
	/** The offset of the byte that comes next; undefined before the first chunk. */
	readonly next: number | undefined;
	/** Whether the last line has no line feed yet, so that the next chunk continues it. */
	readonly open: boolean;
	/** The pen with which the line after the last starts. */
	readonly pen: Pen;
}

/** A run of rows that the page draws, and drops, as one. */
export interface Block {
	/** Counts up within a log. */
	readonly id: number;
	readonly rows: readonly Row[];
}

export type Row = Line | Hole;

/** Text is the line without its line feed, escape sequences and all; pen is the one it starts with. */
export interface Line {
	readonly kind: "line";
	readonly number: number;
	readonly text: string;
	readonly pen: Pen;
	/** Whether the line is longer than text, which ends at maxLine. */
	readonly cut: boolean;
}

/** Bytes that nobody has any more, or that this page was never given. */
export interface Hole {
	readonly kind: "hole";
	readonly number: number;
	readonly bytes: number;
}

export const maxRows = 10_000;
/** Characters of one line, and of one log: what keeps a log without line ends from filling the memory. */
export const maxLine = 1 << 18;
export const maxCharacters = 1 << 24;
const blockRows = 250;

export const emptyLog: StepLog = {
	blocks: [],
	rows: 0,
	characters: 0,
	next: undefined,
	open: false,
	pen: plain,
};

/** The number of the first line that is held, or undefined when there is none. */
export function firstLine(log: StepLog): number | undefined {
	return log.blocks[0]?.rows[0]?.number;
}

/** The number of the last line that is held, or 0. */
export function lastLine(log: StepLog): number {
	return log.blocks.at(-1)?.rows.at(-1)?.number ?? 0;
}

/** The log with one more chunk. A chunk whose bytes it has seen leaves it as it is. */
export function append(log: StepLog, chunk: Chunk): StepLog {
	const end = chunk.offset + chunk.bytes;
	if (log.next !== undefined && end <= log.next) return log;

	const draft = new Draft(log);
	// The stream has no silent holes; should one appear all the same, it is shown and not papered over.
	if (log.next !== undefined && chunk.offset > log.next) {
		draft.hole(chunk.line, chunk.offset - log.next);
	}
	if (chunk.lost) draft.hole(chunk.line, chunk.lost);
	else draft.text(chunk.line, chunk.text ?? "");
	return draft.finish(end);
}

/** The log without its oldest rows, so that at most the given number of characters remain. */
export function trim(log: StepLog, characters: number): StepLog {
	const draft = new Draft(log);
	draft.drop(maxRows, characters);
	return draft.finish(log.next);
}

/** A log under change: copies the list of blocks once and the last block once. */
class Draft {
	readonly #blocks: Block[];
	#last: Row[];
	#id: number;
	#rows: number;
	#characters: number;
	#open: boolean;
	#pen: Pen;

	constructor(log: StepLog) {
		this.#blocks = log.blocks.slice(0, -1);
		const last = log.blocks.at(-1);
		this.#last = last ? last.rows.slice() : [];
		this.#id = last ? last.id : 0;
		this.#rows = log.rows;
		this.#characters = log.characters;
		this.#open = log.open;
		this.#pen = log.pen;
	}

	hole(number: number, bytes: number): void {
		if (this.#open) this.#endLine();
		this.#push({ kind: "hole", number, bytes });
	}

	text(number: number, text: string): void {
		for (let from = 0; from < text.length; ) {
			const feed = text.indexOf("\n", from);
			const to = feed < 0 ? text.length : feed;
			if (this.#open) this.#extend(text.slice(from, to));
			else this.#push(this.#line(number, text.slice(from, to)));
			this.#open = true;
			if (feed >= 0) this.#endLine();
			number++;
			from = to + 1;
		}
	}

	finish(next: number | undefined): StepLog {
		this.drop(maxRows, maxCharacters);
		if (this.#last.length > 0) this.#blocks.push({ id: this.#id, rows: this.#last });
		return {
			blocks: this.#blocks,
			rows: this.#rows,
			characters: this.#characters,
			next,
			open: this.#open,
			pen: this.#pen,
		};
	}

	/** Drops the oldest rows until both bounds hold; the newest row always stays. */
	drop(rows: number, characters: number): void {
		while (this.#rows > 1 && (this.#rows > rows || this.#characters > characters)) {
			const block = this.#blocks[0] ?? { id: this.#id, rows: this.#last };
			let gone = 0;
			while (
				gone < block.rows.length &&
				this.#rows > 1 &&
				(this.#rows > rows || this.#characters > characters)
			) {
				this.#characters -= length(block.rows[gone]);
				this.#rows--;
				gone++;
			}
			const rest = block.rows.slice(gone);
			if (this.#blocks.length === 0) this.#last = rest;
			else if (rest.length > 0) this.#blocks[0] = { id: block.id, rows: rest };
			else this.#blocks.shift();
		}
	}

	#line(number: number, text: string): Line {
		const cut = text.length > maxLine;
		return { kind: "line", number, text: cut ? text.slice(0, maxLine) : text, pen: this.#pen, cut };
	}

	#extend(text: string): void {
		const line = this.#last.at(-1);
		if (line?.kind !== "line") throw new Error("an open line is the last row");
		if (line.cut) return;
		const longer = line.text + text;
		const cut = longer.length > maxLine;
		this.#last[this.#last.length - 1] = { ...line, text: longer.slice(0, maxLine), cut };
		this.#characters += Math.min(longer.length, maxLine) - line.text.length;
	}

	#endLine(): void {
		const line = this.#last.at(-1);
		if (line?.kind === "line") this.#pen = penAfter(line.text, line.pen);
		this.#open = false;
	}

	#push(row: Row): void {
		if (this.#last.length >= blockRows) {
			this.#blocks.push({ id: this.#id++, rows: this.#last });
			this.#last = [];
		}
		this.#last.push(row);
		this.#rows++;
		this.#characters += length(row);
	}
}

function length(row: Row | undefined): number {
	return row?.kind === "line" ? row.text.length : 0;
}
