import { type Pen, penAfter, plain } from "./ansi.ts";
import { type Line, line, longer, maxLine, type Row } from "./line.ts";
import type { Chunk, LinesPage } from "./model.ts";

/** Lines are kept, asked for and drawn by blocks of so many: 1 to 100, 101 to 200 … */
export const blockLines = 100;
/** Blocks and characters of one log that are kept. */
export const maxBlocks = 300;
export const maxCharacters = 1 << 24;
/** Characters of the newest chunks that wait for the text before them. */
const maxRecent = 1 << 22;

interface Block {
	/** From the block's first line on, without a gap. Rows are replaced, never changed. */
	readonly rows: Row[];
	/** The first line that is not here, or not whole. */
	next: number;
	characters: number;
}

/** Where text goes on. */
interface Place {
	offset: number;
	/** Of the line that the next byte belongs to. */
	number: number;
	/** What the next line starts with. */
	pen: Pen;
	/** What has come of the line, if any has. */
	row: Line | undefined;
}

/**
 * The parts of one step's log that a page holds. Text comes in two ways: from the stream, at the end
 * (append), and by request, anywhere (fill). Both say their offset, so nothing is shown twice and
 * nothing left out: text of the stream that does not continue what is here is only counted, and
 * asked for when it comes into view.
 */
export class LogText {
	/** The log's extent, as far as it is known. An unended last line counts. */
	lines = 0;
	bytes = 0;
	/** Counts up with every change. */
	version = 0;

	readonly #blocks = new Map<number, Block>();
	#characters = 0;
	/** The end of the log, while all from some block up to it is here. */
	#end: Place | undefined = { offset: 0, number: 1, pen: plain, row: undefined };
	/** The newest chunks of the stream, for when the text before them has come. */
	#recent: Chunk[] = [];
	#recentCharacters = 0;
	/** A line of which an answer has only the beginning: to ask for it again would bring the same. */
	#endless = 0;

	/** The rows of a block, the first of which has the number 0. Not to be changed. */
	rows(block: number): readonly Row[] {
		return this.#blocks.get(block)?.rows ?? [];
	}

	/** A line that is here. */
	line(number: number): Line | undefined {
		return this.rows(blockOf(number)).find(
			(row): row is Line => row.kind === "line" && row.number === number,
		);
	}

	/** Lines with the line feeds that they have; undefined unless all of each is here. */
	whole(first: number, last: number): string | undefined {
		let text = "";
		for (let number = first; number <= last; number++) {
			const [row, more] = this.rows(blockOf(number)).filter((one) => one.number === number);
			if (row?.kind !== "line" || row.cut || more) return undefined;
			text += row === this.#end?.row ? row.text : `${row.text}\n`;
		}
		return text;
	}

	/** From which line on a block should be asked for; undefined when all of it is here, as far as the log goes. */
	missing(block: number): number | undefined {
		const next = this.#blocks.get(block)?.next ?? firstOf(block);
		const last = Math.min(this.lines, firstOf(block + 1) - 1);
		if (next <= last) {
			// The last line of the log may still grow, and is here all the same.
			return this.#end?.number === next ? undefined : next;
		}
		// With the last line once more comes what makes the stream's text go on behind it.
		const end = Math.max(1, this.lines);
		const comes = !this.#end && this.bytes > 0 && end !== this.#endless;
		return comes && block === blockOf(end) ? end : undefined;
	}

	/** Whether the newest line is here, so that the stream's text is shown at once. */
	get atEnd(): boolean {
		return this.#end !== undefined;
	}

	/** What the server says of the log's extent, from wherever. It never shrinks. */
	extend(lines: number, bytes: number): void {
		// Text that the stream skipped: what is here does not end where the log does.
		const skipped = this.#end !== undefined && bytes > this.#end.offset;
		if (skipped) this.#detach();
		if (!skipped && lines <= this.lines && bytes <= this.bytes) return;
		this.lines = Math.max(this.lines, lines);
		this.bytes = Math.max(this.bytes, bytes);
		this.version++;
	}

	/** One more chunk of the stream. A chunk whose bytes it has seen leaves it as it is. */
	append(chunk: Chunk): void {
		const end = chunk.offset + chunk.bytes;
		if (this.#end && end <= this.#end.offset) return;
		if (this.#end && chunk.offset !== this.#end.offset) this.#detach();
		if (this.#end) {
			this.#write(chunk, this.#end);
		} else {
			this.#remember(chunk);
		}
		this.lines = Math.max(this.lines, lastLineOf(chunk));
		this.bytes = Math.max(this.bytes, end);
		this.version++;
	}

	/** A part of the log that was asked for: it starts with the first byte of a line. */
	fill(part: LinesPage): void {
		this.version++;
		const first = part.chunks[0];
		if (first) {
			const pen = penAfter(`\x1b[${part.sgr}m`, plain);
			const place: Place = { offset: first.offset, number: first.line, pen, row: undefined };
			for (const chunk of part.chunks) this.#write(chunk, place);
			const toItsEnd = place.offset >= part.bytes && place.offset >= this.bytes;
			const continued = this.#recent.some((chunk) => chunk.offset === place.offset);
			if (!this.#end && this.#holds(place) && (toItsEnd || continued)) {
				this.#attach(place);
			} else {
				const cut = place.row && place.number === first.line && place.offset < part.bytes;
				if (cut) this.#endless = place.number;
				this.#takeBack(place);
			}
		}
		this.lines = Math.max(this.lines, part.lines);
		this.bytes = Math.max(this.bytes, part.bytes);
	}

	/** Forgets blocks, the farthest from the given ones first, until the rest is within bounds. */
	trim(first: number, last: number): void {
		if (this.#blocks.size <= maxBlocks && this.#characters <= maxCharacters) return;
		const distance = (block: number) => Math.max(first - block, block - last);
		const far = [...this.#blocks.keys()].sort((a, b) => distance(b) - distance(a));
		for (const block of far) {
			if (this.#blocks.size <= maxBlocks && this.#characters <= maxCharacters) return;
			if (distance(block) <= 0) return;
			if (this.#end && block === blockOf(lastOf(this.#end))) this.#detach();
			this.#forget(block);
		}
	}

	#forget(block: number): void {
		this.#characters -= this.#blocks.get(block)?.characters ?? 0;
		this.#blocks.delete(block);
	}

	/** What is here does not reach the end of the log any more. */
	#detach(): void {
		const place = this.#end;
		this.#end = undefined;
		if (place) this.#takeBack(place);
	}

	/** Takes back the beginning of a line whose rest did not come, unless it is all that is kept of one. */
	#takeBack(place: Place): void {
		const index = blockOf(place.number);
		const block = this.#blocks.get(index);
		if (!block || block.next !== place.number || place.number === this.#end?.number) return;
		if (place.row && place.row === block.rows.at(-1) && place.row.text.length >= maxLine) {
			block.next++;
			return;
		}
		while (block.rows.at(-1)?.number === place.number)
			this.#count(block, -length(block.rows.pop()));
		if (block.rows.length === 0) this.#forget(index);
	}

	/** Whether all before a place is here, back to the start of its block, so that text may go on there. */
	#holds(place: Place): boolean {
		const last = lastOf(place);
		return last === 0 || this.#blocks.get(blockOf(last))?.next === place.number;
	}

	#attach(place: Place): void {
		this.#end = place;
		const recent = this.#recent;
		this.#recent = [];
		this.#recentCharacters = 0;
		for (const chunk of recent) {
			if (chunk.offset >= (this.#end?.offset ?? 0)) this.append(chunk);
		}
		if (this.#end && this.#end.offset < this.bytes) this.#detach();
	}

	#remember(chunk: Chunk): void {
		const last = this.#recent.at(-1);
		if (last && chunk.offset < last.offset + last.bytes) return;
		if (last && chunk.offset > last.offset + last.bytes) {
			this.#recent = [];
			this.#recentCharacters = 0;
		}
		this.#recent.push(chunk);
		this.#recentCharacters += chunk.text?.length ?? 0;
		while (this.#recentCharacters > maxRecent && this.#recent.length > 1) {
			this.#recentCharacters -= this.#recent.shift()?.text?.length ?? 0;
		}
	}

	/** Writes a chunk at a place, and moves the place behind it. Lines that are here stay as they are. */
	#write(chunk: Chunk, place: Place): void {
		place.offset = chunk.offset + chunk.bytes;
		if (chunk.lost) {
			if (place.row) endRow(place);
			const { lost: bytes, quota } = chunk;
			// What else came for a log that was cut is said already.
			const last = quota && this.#blocks.get(blockOf(place.number))?.rows.at(-1);
			const before = last?.kind === "hole" && last.quota ? last : undefined;
			this.#put({ kind: "hole", number: place.number, bytes, quota }, before, place);
			return;
		}
		const text = chunk.text ?? "";
		const at = Date.parse(chunk.at);
		for (let from = 0; from < text.length; ) {
			const feed = text.indexOf("\n", from);
			const piece = text.slice(from, feed < 0 ? text.length : feed);
			const row = longer(place.row ?? line(place.number, place.pen, at), piece);
			this.#put(row, place.row, place);
			place.row = row;
			if (feed < 0) return;
			endRow(place);
			const block = this.#blocks.get(blockOf(place.number));
			if (block?.next === place.number && this.#may(place)) block.next++;
			place.number++;
			from = feed + 1;
		}
	}

	/** While the end of the log is here, lines from there on come from the stream alone. */
	#may(place: Place): boolean {
		return !this.#end || place === this.#end || place.number < this.#end.number;
	}

	/** Puts a row behind the others of its block, or in the place of the last one, if it belongs there. */
	#put(row: Row, before: Row | undefined, place: Place): void {
		if (!this.#may(place)) return;
		const index = blockOf(row.number);
		let block = this.#blocks.get(index);
		if (!block) {
			if (row.number !== firstOf(index) || before) return;
			block = { rows: [], next: row.number, characters: 0 };
			this.#blocks.set(index, block);
		}
		if (block.next !== row.number) return;
		if (before && block.rows.at(-1) === before) {
			block.rows[block.rows.length - 1] = row;
			this.#count(block, length(row) - length(before));
		} else if (!before) {
			block.rows.push(row);
			this.#count(block, length(row));
		}
	}

	#count(block: Block, characters: number): void {
		block.characters += characters;
		this.#characters += characters;
	}
}

export function blockOf(line: number): number {
	return Math.floor((line - 1) / blockLines);
}

/** The number of a block's first line. */
export function firstOf(block: number): number {
	return block * blockLines + 1;
}

/** The last line that has begun before a place. */
function lastOf(place: Place): number {
	return place.row ? place.number : place.number - 1;
}

function endRow(place: Place): void {
	if (place.row) place.pen = penAfter(place.row.text, place.row.pen);
	place.row = undefined;
}

function length(row: Row | undefined): number {
	return row?.kind === "line" ? row.text.length : 0;
}

/** The number of the last line that a chunk has a part of. */
function lastLineOf(chunk: Chunk): number {
	const text = chunk.text ?? "";
	return chunk.line + text.split("\n").length - (text.endsWith("\n") ? 2 : 1);
}
