import assert from "node:assert/strict";
import { test } from "node:test";
import type { Chunk, StreamEvent } from "../model.ts";
import { append, emptyTail, maxLine, maxRows, type Tail } from "./tail.ts";

const at = "2026-11-22T10:00:00Z";
const utf8 = new TextEncoder();

/** What a stream tells of a log. */
class Log {
	#offset = 0;
	#line = 1;
	readonly step: string;

	constructor(step = "s") {
		this.step = step;
	}

	text(text: string): StreamEvent {
		const event = this.#event({ text, bytes: utf8.encode(text).length });
		this.#line += text.split("\n").length - 1;
		return event;
	}

	hole(lost: number): StreamEvent {
		return this.#event({ lost, bytes: lost });
	}

	cut(lost: number): StreamEvent {
		return this.#event({ lost, bytes: lost, quota: { why: "it is used up" } });
	}

	#event(more: Pick<Chunk, "bytes" | "text" | "lost" | "quota">): StreamEvent {
		const data = { at, step: this.step, line: this.#line, offset: this.#offset, ...more };
		this.#offset += more.bytes;
		return { kind: "log", id: "", data };
	}
}

const live: StreamEvent = { kind: "live", id: "" };

function told(events: readonly StreamEvent[], lines = 20, tail: Tail = emptyTail): Tail {
	return events.reduce((tail, event) => append(tail, event, lines), tail);
}

const texts = ({ rows }: Tail) =>
	rows.map((row) => (row.kind === "line" ? row.text : `${row.bytes} lost`));
const numbers = ({ rows }: Tail) => rows.map(({ number }) => number);

test("text in any pieces gives the lines", () => {
	const text = "one\n\ntwo \x1b[1mbold\nthree\r\n\n10%\r20%\nno end";
	for (let size = 1; size <= text.length; size++) {
		const log = new Log();
		const events = text.match(new RegExp(`[^]{1,${size}}`, "g"))?.map((piece) => log.text(piece));
		const tail = told(events ?? []);
		assert.deepEqual(texts(tail), text.split("\n"), `in pieces of ${size}`);
		assert.deepEqual(numbers(tail), [1, 2, 3, 4, 5, 6, 7]);
	}
});

test("a line that has ended is the same row for good", () => {
	const log = new Log();
	const before = told([log.text("one\ntw")]);
	const after = told([log.text("o\nthree\n")], 20, before);
	assert.equal(after.rows[0], before.rows[0]);
	assert.notEqual(after.rows[1], before.rows[1]);
	assert.deepEqual(texts(before), ["one", "tw"]);
	assert.deepEqual(texts(after), ["one", "two", "three"]);
});

test("at first the last lines, then up to a bound", () => {
	const log = new Log();
	const many = (n: number) => log.text("x\n".repeat(n));
	const first = told([many(500), many(30), live]);
	assert.deepEqual(
		numbers(first),
		Array.from({ length: 20 }, (_, i) => 511 + i),
	);
	const more = told([many(100)], 20, first);
	assert.equal(more.rows.length, 120);
	const most = told([many(5_000)], 20, more);
	assert.equal(most.rows.length, maxRows);
	assert.equal(most.rows.at(-1)?.number, 5_630);
});

test("what was seen changes nothing", () => {
	const log = new Log();
	const events = [log.text("one\n"), log.hole(7), log.text("two\nth"), log.text("ree")];
	const tail = told(events);
	for (const event of events) assert.equal(append(tail, event, 20), tail);
});

test("a hole stands where the bytes were, and ends the line before it", () => {
	const log = new Log();
	const tail = told([log.text("one\nhal"), log.hole(9), log.text("f\ntwo\n")]);
	assert.deepEqual(texts(tail), ["one", "hal", "9 lost", "f", "two"]);
	assert.deepEqual(numbers(tail), [1, 2, 2, 2, 3]);
});

test("that a log was cut is said once, however often more came for it", () => {
	const log = new Log();
	const tail = told([log.text("one\n"), log.hole(3), log.cut(7), log.cut(90)]);
	assert.deepEqual(texts(tail), ["one", "3 lost", "90 lost"]);
});

test("colours hold across lines, chunks and holes", () => {
	const log = new Log();
	const { rows } = told([
		log.text("\x1b[31mred\nst"),
		log.text("ill\n"),
		log.hole(1),
		log.text("x"),
	]);
	const colours = rows.map((row) => row.kind === "line" && row.pen.fg);
	assert.deepEqual(colours, [undefined, 1, false, 1]);
});

test("what comes after a part that has not come is no part of the line before it", () => {
	const log = new Log();
	const before = told([log.text("one\n\x1b[31mhal"), live]);
	log.text("f\n\x1b[0mnot told\n");
	const { rows, open, pen } = told([log.text("four\nfi")], 20, before);
	assert.deepEqual(texts({ ...before, rows }), ["four", "fi"]);
	assert.deepEqual([open?.text, open?.number, pen.fg], ["fi", 5, undefined]);
});

test("another step's text begins that one's", () => {
	const one = told([new Log("one").text("from one\n"), live]);
	const other = told([new Log("two").text("1\n2\n3\n")], 2, one);
	assert.deepEqual([other.step, texts(other), other.live], ["two", ["2", "3"], false]);
});

test("a line that does not end is kept up to its bound, a progress bar as it is now", () => {
	const log = new Log();
	const long = told([log.text("x".repeat(maxLine)), log.text("y"), log.text("\nnext")]);
	assert.deepEqual(texts(long), ["x".repeat(maxLine), "next"]);
	const bar = new Log();
	const events = Array.from({ length: 100 }, (_, i) => bar.text(`\r${i}%${" ".repeat(1_000)}`));
	const [row] = told(events).rows;
	assert.ok(row?.kind === "line" && row.text.length <= maxLine && row.text.includes("99%"));
});
