import { type Pen, penAfter, plain } from "../ansi.ts";
import { type Hole, type Line, line, longer, type Row } from "../line.ts";
import type { StreamEvent } from "../model.ts";

/** Lines and holes that are kept, and characters of a line. */
export const maxRows = 1_000;
export const maxLine = 1 << 14;

/** The end of a step's log. Values are never changed in place. */
export interface Tail {
	/** The step's key; empty: no text has come of any. */
	readonly step: string;
	readonly rows: readonly Row[];
	/** The offset after the last byte that has come. */
	readonly end: number;
	/** What the next line starts with. */
	readonly pen: Pen;
	/** The last row, if it is a line that has not ended. */
	readonly open: Line | undefined;
	/** Whether all that there was in the beginning has come. */
	readonly live: boolean;
}

export const emptyTail: Tail = {
	step: "",
	rows: [],
	end: 0,
	pen: plain,
	open: undefined,
	live: false,
};

/**
 * The tail after an event: at first the last lines, as many as are wanted; what comes then is more. One
 * that it has seen leaves it as it is, and one of another step, or after what has not come, begins anew.
 */
export function append(tail: Tail, event: StreamEvent, lines: number): Tail {
	if (event.kind === "live" || event.kind === "end") return { ...tail, live: true };
	if (event.kind !== "log") return tail;
	const { at, step, offset, bytes, text = "", lost, quota } = event.data;
	if (step === tail.step && offset < tail.end) return tail;
	const before = step === tail.step && offset === tail.end ? tail : emptyTail;
	let { open, pen } = before;
	const rows = [...before.rows];
	const finish = () => {
		if (open) pen = penAfter(open.text, open.pen);
		open = undefined;
	};
	const pieces = text.split("\n");
	for (const [i, piece] of pieces.entries()) {
		if (i > 0 || lost) finish();
		if (open) rows.pop();
		// After the last line feed there is nothing yet.
		else if (!piece && i === pieces.length - 1) break;
		open = longer(open ?? line(event.data.line + i, pen, Date.parse(at)), piece, maxLine);
		rows.push(open);
	}
	// After it was cut nothing but more of that comes, which is said once.
	if ((rows.at(-1) as Hole | undefined)?.quota) rows.pop();
	if (lost) rows.push({ kind: "hole", number: event.data.line, bytes: lost, quota });
	const most = before.live ? maxRows : lines;
	return { ...before, step, rows: rows.slice(-most), end: offset + bytes, pen, open };
}
