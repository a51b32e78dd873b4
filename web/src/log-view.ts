import type { Folds, Group } from "./folds.ts";
import type { Row } from "./line.ts";
import { addressOf, linked } from "./links.ts";
import { drawGroup, drawHole, drawLine } from "./log-rows.ts";
import { blockLines, blockOf, firstOf, type LogText } from "./log-text.ts";

/** How long drawing may keep the page from everything else, in milliseconds. */
const slice = 12;
/** How far beyond what is in sight lines are drawn, in heights of the view. */
const margin = 2;
/** Blocks of a short log, all of which is drawn, but for what is this many heights of the view away. */
const short = 40;
const farthest = 100;
/** Blocks that stay drawn on either side in a long one: each costs whenever anything moves. */
const few = 4;
/** How high a log is at most, in pixels: browsers stop at 17 to 33 million. */
const maxHeight = 12_000_000;
/** After so long without a scroll, in milliseconds, the scrollbar is set right. */
const calm = 200;
/** Blocks that the end may be ahead of what is drawn, and what is drawn stays. */
const bridged = 3;

/** What a view shows. */
export interface Source {
	readonly text: LogText;
	/** In order of their lines, those around before those within. */
	readonly groups: readonly Group[];
	/** The numbers of the groups that are folded, and what that puts out of sight. */
	readonly folded: ReadonlySet<number>;
	readonly folds: Folds;
}

/** What a view asks of its owner. */
export interface Owner {
	/** Lines that are in sight, or nearly, and not here; with end, because they are the end of the log. */
	need(from: number, to: number, end: boolean): void;
	/** The address of a line. */
	href(line: number): string;
	/** Gives a line that was drawn what depends on other things than its text. */
	decorate(element: HTMLElement, line: number): void;
	/** Something was drawn, or the view moved. */
	moved(): void;
}

/** How lines look, as the reader wants it. */
export interface Mode {
	readonly unwrapped: boolean;
	readonly times: string;
	/** Whether a log's own colours are shown, readable or not. */
	readonly exact: boolean;
}

interface Block {
	readonly index: number;
	readonly element: HTMLElement;
	/** What stands in the element, row by row. */
	rows: readonly Row[];
	/** What is drawn beside the rows, in words that differ when it does. */
	beside: string;
}

/** A place to keep: so many pixels below the upper edge of the view is the top of a line, or of the heading before it. */
interface Anchor {
	readonly line: number;
	readonly y: number;
	/** The group whose heading it is; undefined: it is the line. */
	readonly group?: number | undefined;
}

/**
 * Shows a log of any length in a scrolling element. Only blocks near the view are in the document; what
 * is above and below them has a height and no content. Who scrolls there sees other blocks drawn in
 * their stead, whether their text is here already or still has to be asked for.
 *
 * Whatever changes, the line or the heading at the top of the view stays where it is, or the end does while
 * it is followed: all positions are computed from the blocks that are drawn, after each change.
 */
export class LogView {
	/** Whether the end is kept in view. */
	following = false;

	readonly #region: HTMLElement;
	readonly #owner: Owner;
	readonly #above = document.createElement("div");
	readonly #rows = document.createElement("div");
	readonly #below = document.createElement("div");
	#source: Source;
	#blocks: Block[] = [];
	/** The place to go to, or to stay at until its text has come. */
	#target: Anchor | undefined;
	#frame: number | undefined;
	#timer: number | undefined;
	#scrolled = 0;
	/** Since when the end that is followed is in one block, and what waits for it to stay there. */
	#end = { block: -1, since: 0 };
	#settling: number | undefined;
	/** Where the last frame left the scrollbar: another position is the reader's. */
	#top = 0;
	#lineHeight = 20;
	#moving = false;
	/** Whether the end of the log, as it was then, has been in view ever since. */
	#ended = false;
	#mode: Mode | undefined;
	/** What was at the top of the view, and how high that was, when it was last drawn or scrolled. */
	#seen: Anchor | undefined;
	#seenHeight = 0;
	/** How wide it was when it was last drawn. */
	#width = 0;

	/** The region is a scrolling element; the view puts itself before what is in it. */
	constructor(region: HTMLElement, source: Source, owner: Owner) {
		this.#region = region;
		this.#source = source;
		this.#owner = owner;
		this.#rows.className = "rows";
		this.#above.className = this.#below.className = "beyond";
		region.prepend(this.#above, this.#rows, this.#below);
	}

	/** Shows what has changed. */
	show(source: Source = this.#source): void {
		this.#source = source;
		this.#schedule();
	}

	/** To be called when the region has another size: before that is painted, the line at its top is back there. */
	resized(): void {
		if (this.#resized) this.#now();
		else this.#schedule();
	}

	/** Goes to a line, or to the heading that hides it, which will stand so many pixels below the upper edge. */
	goTo(line: number, y = 0): void {
		this.following = false;
		this.#target = { line, y };
		this.#schedule();
	}

	/**
	 * Goes to a line, in the middle of what of the view is within the window; not if it is in sight already
	 * and that suffices.
	 */
	reveal(line: number, always = false): void {
		const { clientHeight } = this.#region;
		const height = Math.min(clientHeight, innerHeight - this.#region.getBoundingClientRect().top);
		const element = this.element(line);
		if (element && !always && !this.#target) {
			const y = this.#y(element);
			if (y >= 0 && y + element.offsetHeight <= height) return;
		}
		this.goTo(line, Math.max(0, Math.floor(height / 2) - this.#lineHeight));
	}

	/** The reader moves the view: what it was to go to does not count any more. */
	release(): void {
		this.#target = undefined;
	}

	/** Whether the reader's hand is on it: then nothing else moves it. */
	set moving(moving: boolean) {
		this.#moving = moving;
		if (!moving) this.#schedule();
	}

	/** Whether the scrollbar is where the reader put it, and not where this view or another width did. */
	get byReader(): boolean {
		return !this.#resized && Math.abs(this.#region.scrollTop - this.#top) >= 1;
	}

	/** Whether the end of the log is in sight, or nearly, by so many pixels. */
	atEnd(nearly: number): boolean {
		const { scrollHeight, scrollTop, clientHeight } = this.#region;
		const last = this.#blocks.at(-1)?.index ?? 0;
		return (
			scrollHeight - scrollTop - clientHeight <= nearly &&
			this.#next(last, 1, blockOf(Math.max(1, this.#source.text.lines))) === undefined
		);
	}

	/** Sets how lines look. */
	mode(mode: Mode): void {
		const before = this.#mode;
		if (JSON.stringify(before) === JSON.stringify(mode)) return;
		this.#mode = mode;
		const wrapped = before?.unwrapped !== mode.unwrapped || before.times !== mode.times;
		if (wrapped && !this.following) this.#target ??= this.#stays();
		this.#rows.classList.toggle("unwrapped", mode.unwrapped);
		this.#rows.classList.toggle("timed", mode.times !== "off");
		this.#rows.classList.toggle("exact", mode.exact);
		if (before?.times !== mode.times) this.decorate();
		this.#schedule();
	}

	/** Draws the heading of a group somewhere else. */
	heading(element: HTMLElement, group: Group): void {
		const drawn = drawGroup(group, true);
		if (element.dataset.group === drawn.dataset.group && element.textContent === drawn.textContent)
			return;
		element.dataset.group = String(group.number);
		element.style.setProperty("--level", String(group.level));
		element.replaceChildren(...drawn.childNodes);
	}

	/** To be called on each scroll of the region. */
	scrolled(): void {
		if (!this.byReader) return;
		this.#see();
		this.#scrolled = performance.now();
		this.#schedule();
	}

	/** Decorates all lines that are drawn anew. */
	decorate(): void {
		for (const line of this.lines()) this.#owner.decorate(line, Number(line.dataset.line));
	}

	/** The lines that are drawn, in order. */
	lines(): Iterable<HTMLElement> {
		return this.#rows.querySelectorAll<HTMLElement>(".line");
	}

	/** A line that is drawn. */
	element(line: number): HTMLElement | undefined {
		const block = this.#blocks.find(({ index }) => index === blockOf(line));
		return block?.element.querySelector<HTMLElement>(`.line[data-line="${line}"]`) ?? undefined;
	}

	/** The first line in sight, and where it is; undefined when nothing is drawn there. */
	get first(): Anchor | undefined {
		return this.#first(".line");
	}

	/** The same, or the heading of a group, whichever comes first. */
	#first(rows = "[data-line]"): Anchor | undefined {
		for (const { index, element } of this.#blocks) {
			if (this.#y(element) + element.offsetHeight <= 0) continue;
			for (const row of element.children) {
				if (!(row instanceof HTMLElement) || !row.matches(rows)) continue;
				const y = this.#y(row);
				const { line, group } = row.dataset;
				// Less than a pixel of a line is a matter of rounding.
				if (y + row.offsetHeight > 1)
					return { line: Number(line), y, group: group ? Number(group) : undefined };
			}
			// Lines that are on their way, or all folded.
			if (this.#source.text.missing(index) !== undefined) {
				return { line: firstOf(index), y: this.#y(element) };
			}
		}
		return undefined;
	}

	/** The first heading of a group in sight. */
	get firstHeading(): number | undefined {
		const height = this.#region.clientHeight;
		for (const heading of this.#rows.querySelectorAll<HTMLElement>(".group")) {
			const y = this.#y(heading);
			if (y >= height) return undefined;
			if (y + heading.offsetHeight > 0) return Number(heading.dataset.group);
		}
		return undefined;
	}

	/** Removes everything, and does nothing any more. */
	stop(): void {
		this.#cancel();
		clearTimeout(this.#settling);
		this.#frame = -1;
		this.#above.remove();
		this.#rows.remove();
		this.#below.remove();
	}

	/** Whether it has another width than when it was last drawn. */
	get #resized(): boolean {
		return this.#region.clientWidth !== this.#width;
	}

	/** How high what is drawn is, in fractions of a pixel too. */
	get #height(): number {
		return this.#rows.getBoundingClientRect().height;
	}

	#y(element: HTMLElement): number {
		return element.getBoundingClientRect().top - this.#region.getBoundingClientRect().top;
	}

	#schedule(): void {
		if (this.#frame !== undefined) return;
		this.#frame = requestAnimationFrame(this.#now);
		// A hidden page gets no frames, and is read all the same.
		this.#timer = window.setTimeout(this.#now, 250);
	}

	#cancel(): void {
		cancelAnimationFrame(this.#frame ?? 0);
		clearTimeout(this.#timer);
	}

	readonly #now = (): void => {
		this.#cancel();
		this.#frame = undefined;
		this.#draw();
	};

	#draw(): void {
		const region = this.#region;
		const height = region.clientHeight;
		const { text } = this.#source;
		if (height === 0) return;
		if (!text.lines && !text.bytes) {
			this.#drop(() => true);
			this.#space(0, 0);
			return;
		}
		const until = performance.now() + slice;
		const last = blockOf(Math.max(1, text.lines));
		const stays = this.#resized ? this.#stays() : undefined;
		this.#width = region.clientWidth;
		// Whose end has jumped ahead is shown what was there until the new one has come.
		const end = text.missing(last);
		const held = this.following && this.#ended && end !== undefined;
		this.#ended = this.following && (held || end === undefined);
		let anchor =
			this.following && !held
				? undefined
				: (this.#target ??
					stays ??
					(held ? this.#bottomStays(height) : undefined) ??
					this.#whereNow());
		if (anchor && anchor.line > text.lines) anchor = { line: Math.max(1, text.lines), y: anchor.y };
		if (anchor) anchor = this.#inSight(anchor);
		const home = anchor ? Math.min(blockOf(anchor.line), last) : last;
		let more = false;

		// Blocks that are not around the one to be seen make way, or to one just ahead are joined by those between.
		const present = this.#blocks.some(({ index }) => index === home);
		const drawn = this.#blocks.at(-1)?.index ?? Number.NEGATIVE_INFINITY;
		const joined = home > drawn && home - drawn <= bridged;
		if (!present && !joined) this.#drop(() => true);
		for (const block of this.#blocks) this.#fill(block);
		for (let next = joined ? drawn + 1 : home; next < home; next++) {
			if (!this.#source.folds.skips(next)) this.#insert(next, this.#blocks.length);
		}
		if (!present) this.#insert(home, this.#blocks.length);
		// Before what is in sight has its text, more places without any would only delay it.
		const here = text.missing(home) === undefined;
		const settled = here && (anchor !== undefined || this.#settled(home));

		// The distance of the anchor from the first row drawn, and where it is to be seen.
		const at = () => (anchor ? this.#offset(anchor) : this.#height);
		const y = anchor?.y ?? height;
		const reach = margin * height;
		const near = last < short ? short : few;
		for (;;) {
			const first = this.#blocks[0]?.index ?? home;
			const previous = this.#next(first, -1, last);
			const end = this.#blocks.at(-1)?.index ?? home;
			const next = this.#next(end, 1, last);
			const above = at();
			const below = this.#height - above;
			const place = this.#blocks.findIndex(({ index }) => index === home);
			const wants = (gap: number, blocks: number) =>
				gap < 0 ||
				(settled && gap < reach && blocks < short) ||
				(settled && gap < farthest * height && blocks < near);
			const up = previous !== undefined && wants(above - y, place);
			const down =
				next !== undefined && wants(below - (height - y), this.#blocks.length - 1 - place);
			const urgent =
				(previous !== undefined && above - y < 0) ||
				(next !== undefined && below - (height - y) < 0);
			if (!up && !down) break;
			if (!urgent && performance.now() > until) {
				more = true;
				break;
			}
			// First what is in sight, then what is nearer.
			const lower = down && (!up || below - (height - y) <= above - y);
			if (lower && next !== undefined) this.#insert(next, this.#blocks.length);
			else if (previous !== undefined) this.#insert(previous, 0);
			else break;
		}
		this.#prune(home, near);
		this.#measure();
		this.#place(anchor, at(), height);
		this.#see();
		if (held) this.#owner.need(end, firstOf(last + 1) - 1, true);
		else this.#ask(home, last);
		text.trim(this.#blocks[0]?.index ?? home, this.#blocks.at(-1)?.index ?? home);
		if (more) this.#schedule();
		this.#owner.moved();
	}

	/** What stays at the top of the view while all lines take another height. */
	#stays(): Anchor | undefined {
		return this.#seen && { ...this.#seen, y: Math.max(0, this.#seen.y) };
	}

	/** What is at the top of a view that is so high now, while the line at its bottom stays there. */
	#bottomStays(height: number): Anchor | undefined {
		return this.#seen && { ...this.#seen, y: this.#seen.y + height - this.#seenHeight };
	}

	#see(): void {
		this.#seen = this.#first();
		this.#seenHeight = this.#region.clientHeight;
	}

	/** The same place, or that of the heading that hides it. */
	#inSight(anchor: Anchor): Anchor {
		const { groups, folded } = this.#source;
		const { group } = anchor;
		const hides = groups.find(
			({ number, line, last = 0 }) =>
				number === group || (folded.has(number) && line <= anchor.line && anchor.line <= last),
		);
		if (!hides || hides.number === group) return anchor;
		return { line: hides.line, y: Math.max(0, anchor.y), group: hides.number };
	}

	/**
	 * Whether the end has stayed in a block for a moment. Of a log that grows fast only what is seen is
	 * drawn: what is above would be far from the end before it was done.
	 */
	#settled(block: number): boolean {
		const now = performance.now();
		if (block !== this.#end.block) this.#end = { block, since: now };
		if (now - this.#end.since >= calm) return true;
		clearTimeout(this.#settling);
		this.#settling = window.setTimeout(() => this.#schedule(), calm);
		return false;
	}

	/** Where the reader is: at a line that is drawn, or somewhere in what is not. */
	#whereNow(): Anchor {
		const drawn = this.#first();
		const region = this.#region;
		const top = this.#y(this.#rows);
		const bottom = top + this.#height;
		if (this.#blocks.length > 0 && top < region.clientHeight && bottom > 0) {
			if (drawn) return drawn;
			const block = this.#blocks[0];
			if (block) return { line: firstOf(block.index), y: top };
		}
		const { folds, text } = this.#source;
		const all = folds.rank(text.lines + 1);
		if (this.#blocks.length === 0 || top >= region.clientHeight) {
			const before = this.#blocks[0] ? folds.rank(firstOf(this.#blocks[0].index)) : all;
			const part = region.scrollTop / Math.max(1, this.#above.offsetHeight);
			return { line: folds.at(Math.min(1, part) * Math.max(0, before - 1)), y: 0 };
		}
		const end = firstOf((this.#blocks.at(-1)?.index ?? 0) + 1);
		const before = folds.rank(end);
		const part = Math.min(1, -bottom / Math.max(1, this.#below.offsetHeight));
		return { line: Math.min(text.lines, folds.at(before + part * (all - before))), y: 0 };
	}

	/** How far below the first row drawn a line or a heading is. */
	#offset({ line, group }: Anchor): number {
		const block = this.#blocks.find(({ index }) => index === blockOf(line));
		if (!block) return 0;
		const exact = block.element.querySelector<HTMLElement>(
			group === undefined ? `.line[data-line="${line}"]` : `[data-group="${group}"]`,
		);
		if (exact) return this.#y(exact) - this.#y(this.#rows);
		let found: HTMLElement = block.element;
		for (const row of block.element.children) {
			if (row instanceof HTMLElement && Number(row.dataset.from ?? row.dataset.line) <= line)
				found = row;
		}
		const ahead = found.dataset.from ? line - Number(found.dataset.from) : 0;
		return this.#y(found) - this.#y(this.#rows) + ahead * this.#lineHeight;
	}

	/** The next block with something in sight; undefined at either end of the log. */
	#next(index: number, step: 1 | -1, last: number): number | undefined {
		for (let next = index + step; next >= 0 && next <= last; next += step) {
			if (!this.#source.folds.skips(next)) return next;
		}
		return undefined;
	}

	#insert(index: number, at: number): void {
		const element = document.createElement("div");
		element.className = "block";
		const block: Block = { index, element, rows: [], beside: "-" };
		this.#fill(block);
		const before = this.#blocks[at]?.element ?? null;
		this.#rows.insertBefore(element, before);
		this.#blocks.splice(at, 0, block);
	}

	#drop(which: (block: Block) => boolean): void {
		this.#blocks = this.#blocks.filter((block) => {
			if (!which(block)) return true;
			// The keys of a reader go on scrolling when what had the focus goes.
			if (this.#focused(block)) this.#region.focus({ preventScroll: true });
			block.element.remove();
			return false;
		});
	}

	/** Removes what is neither near the view nor near the block to be seen. */
	#prune(home: number, near: number): void {
		const height = this.#region.clientHeight;
		const place = this.#blocks.findIndex(({ index }) => index === home);
		const close = new Set(this.#blocks.slice(Math.max(0, place - near - 2), place + near + 3));
		this.#drop((block) => {
			if (close.has(block)) return false;
			const { element } = block;
			const y = this.#y(element);
			return y + element.offsetHeight < -2 * margin * height || y > (1 + 2 * margin) * height;
		});
	}

	/** Draws what has changed in a block. Mostly that is its last row, and rows after it. */
	#fill(block: Block): void {
		const { text } = this.#source;
		const rows = text.rows(block.index);
		const beside = this.#beside(block.index);
		if (beside === block.beside) {
			let same = Math.min(block.rows.length, rows.length);
			while (same > 0 && block.rows[same - 1] !== rows[same - 1]) same--;
			if (same === rows.length && same === block.rows.length) return;
			// Rows beyond a heading are drawn with it.
			if (same >= block.rows.length - 1 && !this.#headed(rows, same)) {
				for (let i = block.rows.length; i > same; i--) block.element.lastElementChild?.remove();
				this.#append(block, rows, same);
				block.rows = rows.slice();
				return;
			}
		}
		const heading = this.#focused(block)?.closest<HTMLElement>("[data-group]")?.dataset.group;
		block.element.replaceChildren();
		block.beside = beside;
		this.#append(block, rows, 0);
		block.rows = rows.slice();
		if (heading) {
			const again = block.element.querySelector<HTMLElement>(`[data-group="${heading}"] button`);
			(again ?? this.#region).focus({ preventScroll: true });
		}
		const missing = text.missing(block.index);
		if (missing === undefined) return;
		const last = Math.min(text.lines, firstOf(block.index + 1) - 1);
		const { folds } = this.#source;
		const lines = folds.rank(last + 1) - folds.rank(missing);
		if (lines <= 0) return;
		const waiting = document.createElement("div");
		waiting.className = "waiting";
		waiting.dataset.from = String(missing);
		waiting.style.setProperty("--lines", String(lines));
		waiting.style.setProperty("--height", `${lines * this.#lineHeight}px`);
		block.element.append(waiting);
	}

	/** What in a block has the focus. */
	#focused({ element }: Block): Element | undefined {
		const { activeElement } = element.getRootNode() as Document | ShadowRoot;
		return activeElement && element.contains(activeElement) ? activeElement : undefined;
	}

	#headed(rows: readonly Row[], from: number): boolean {
		const [first, last] = [rows[from]?.number ?? 0, rows.at(-1)?.number ?? 0];
		return this.#source.groups.some(({ line }) => line >= first && line <= last);
	}

	/** What of a block is drawn besides its lines: headings, what is folded, what is on its way. */
	#beside(index: number): string {
		const { text, groups, folded, folds } = this.#source;
		const first = firstOf(index);
		const said = groups
			.filter(({ line, last }) => line < first + blockLines && (last ?? line) >= first)
			.map(({ number, line, last }) => `${number}:${line}:${last}:${folded.has(number)}`);
		const missing = text.missing(index);
		if (missing !== undefined) {
			const last = Math.min(text.lines, first + blockLines - 1);
			said.push(`${missing} to ${last}: ${folds.rank(last + 1) - folds.rank(missing)}`);
		}
		return said.join(" ");
	}

	#append(block: Block, rows: readonly Row[], from: number): void {
		const { folds, folded, groups } = this.#source;
		const first = firstOf(block.index);
		// Where headings stand, in order. Without a line before which to stand they come last.
		const places = new Set(
			groups.map(({ line }) => line).filter((line) => line >= first && line < first + blockLines),
		);
		const into = document.createDocumentFragment();
		const head = (line: number) => {
			for (const group of this.#heads(line))
				into.append(drawGroup(group, !folded.has(group.number)));
		};
		let before = rows[from - 1]?.number ?? 0;
		for (const row of rows.slice(from)) {
			if (row.number !== before && places.has(row.number)) head(row.number);
			before = row.number;
			if (folds.hides(row.number)) {
				// So that each row has an element, and the last one can be replaced.
				const hidden = document.createElement("span");
				hidden.hidden = true;
				into.append(hidden);
			} else if (row.kind === "hole") {
				into.append(drawHole(row));
			} else {
				const element = drawLine(row, this.#owner.href(row.number), {
					addressOf,
					linked,
				});
				this.#owner.decorate(element, row.number);
				into.append(element);
			}
		}
		if (from === 0) {
			const end = rows.at(-1)?.number ?? first - 1;
			for (const line of places) if (line > end) head(line);
		}
		block.element.append(into);
	}

	/** The groups whose heading stands before a line: all that begin there, but for those folded away. */
	#heads(line: number): readonly Group[] {
		const { groups, folded } = this.#source;
		return groups.filter(
			(group) =>
				group.line === line &&
				!groups.some(
					(around) =>
						folded.has(around.number) &&
						around.line <= line &&
						(around.last ?? 0) >= line &&
						(around.line < line || around.level < group.level),
				),
		);
	}

	/** How high a line is on average, of those that are drawn. */
	#measure(): void {
		const { folds } = this.#source;
		const [first, last] = [this.#blocks[0], this.#blocks.at(-1)];
		if (!first || !last) return;
		const end = Math.min(this.#source.text.lines, firstOf(last.index + 1) - 1);
		const lines = folds.rank(end + 1) - folds.rank(firstOf(first.index));
		if (lines >= 20) this.#lineHeight = Math.max(8, this.#height / lines);
	}

	/**
	 * Gives what is not drawn its height, and puts the anchor where it belongs. While the reader scrolls
	 * the position of the scrollbar stays, and the height above gives way; it is set right afterwards.
	 */
	#place(anchor: Anchor | undefined, at: number, height: number): void {
		const region = this.#region;
		const { folds, text } = this.#source;
		const [first, last] = [this.#blocks[0], this.#blocks.at(-1)];
		if (!first || !last) return;
		const all = Math.max(1, folds.rank(text.lines + 1));
		const scale = Math.min(this.#lineHeight, maxHeight / all);
		const before = Math.round(folds.rank(firstOf(first.index)) * scale);
		const after = Math.round(Math.max(0, all - folds.rank(firstOf(last.index + 1))) * scale);
		if (!anchor) {
			this.#space(before, after);
			if (!this.#moving) region.scrollTop = region.scrollHeight;
			this.#top = region.scrollTop;
			return;
		}
		const busy = performance.now() - this.#scrolled < calm;
		let above = before;
		if (busy && !this.#target && before > 0) {
			const kept = region.scrollTop + anchor.y - at;
			if (kept >= height && kept < 2 * before + height) above = Math.round(kept);
			window.setTimeout(() => this.#schedule(), calm);
		}
		this.#space(above, after);
		const top = above + at - anchor.y;
		if (Math.abs(region.scrollTop - top) >= 1) region.scrollTop = top;
		this.#top = region.scrollTop;
		const here = this.#source.text.line(anchor.line) !== undefined;
		if (here || folds.hides(anchor.line) || anchor.line > text.lines) this.#target = undefined;
	}

	#space(above: number, below: number): void {
		this.#above.style.setProperty("--height", `${above}px`);
		this.#below.style.setProperty("--height", `${below}px`);
	}

	/** Asks for what is drawn without its text, what is in sight first. */
	#ask(home: number, last: number): void {
		const { text, folds } = this.#source;
		const drawn = this.#blocks.map(({ index }) => index);
		drawn.sort((a, b) => Math.abs(a - home) - Math.abs(b - home));
		for (const index of drawn) {
			const from = text.missing(index);
			if (from === undefined) continue;
			const end = Math.min(firstOf(index + 1) - 1, Math.max(1, text.lines));
			// Nothing of a folded group is asked for, but the end of the log always is.
			if (folds.rank(end + 1) === folds.rank(from) && index !== last) continue;
			// A few blocks at once, downwards and upwards, wherever the next ones are missing too.
			let [top, to] = [index, index];
			const wanted = (block: number) =>
				to - top < 4 && drawn.includes(block) && text.missing(block) !== undefined;
			while (wanted(to + 1)) to++;
			while (wanted(top - 1)) top--;
			const followed = this.following && index === last;
			this.#owner.need(text.missing(top) ?? from, firstOf(to + 1) - 1, followed);
			return;
		}
	}
}
