import assert from "node:assert/strict";
import { test } from "node:test";
import {
	append,
	emptyLog,
	firstLine,
	lastLine,
	maxCharacters,
	maxLine,
	maxRows,
	type Row,
	type StepLog,
} from "./log.ts";
import type { Chunk } from "./model.ts";

const at = "2026-11-22T10:00:00Z";
const utf8 = new TextEncoder();

/** Cuts a text at the given places into the chunks that a server would send. */
function chunks(text: string, cuts: readonly number[]): Chunk[] {
	const found: Chunk[] = [];
	let [offset, line, from] = [0, 1, 0];
	for (const to of [...cuts, text.length]) {
		const piece = text.slice(from, to);
		const bytes = utf8.encode(piece).length;
		if (bytes > 0) found.push({ at, step: "s", line, offset, bytes, text: piece });
		offset += bytes;
		line += piece.split("\n").length - 1;
		from = to;
	}
	return found;
}

function rows(log: StepLog): Row[] {
	return log.blocks.flatMap((block) => block.rows);
}

function lines(log: StepLog): string[] {
	return rows(log).map((row) => (row.kind === "line" ? row.text : `<${row.bytes} lost>`));
}

test("any cut of a text gives the same lines", () => {
	const text = "one\n\ntwo \u{1f600}\r\nthree\n\n\nno end";
	const want = ["one", "", "two \u{1f600}\r", "three", "", "", "no end"];
	for (let a = 0; a <= text.length; a++) {
		for (let b = a; b <= text.length; b++) {
			// A chunk is never cut inside a character.
			if ([a, b].some((cut) => text.slice(0, cut).endsWith("\ud83d"))) continue;
			const log = chunks(text, [a, b]).reduce(append, emptyLog);
			assert.deepEqual(lines(log), want);
			assert.deepEqual(
				rows(log).map((row) => row.number),
				[1, 2, 3, 4, 5, 6, 7],
			);
			assert.equal(log.open, true);
		}
	}
});

test("what it has seen changes nothing", () => {
	const all = chunks("a\nb\nc\n", [2, 4]);
	const log = all.reduce(append, emptyLog);
	for (const chunk of all) assert.equal(append(log, chunk), log);
});

test("a tail begins in the middle of the log", () => {
	const log = append(emptyLog, {
		at,
		step: "s",
		line: 501,
		offset: 9_000,
		bytes: 4,
		text: "a\nb\n",
	});
	assert.equal(firstLine(log), 501);
	assert.equal(lastLine(log), 502);
});

test("a hole is a row, and ends a line that was open", () => {
	let log = append(emptyLog, { at, step: "s", line: 1, offset: 0, bytes: 3, text: "a\nb" });
	log = append(log, { at, step: "s", line: 2, offset: 3, bytes: 100, lost: 100 });
	log = append(log, { at, step: "s", line: 2, offset: 103, bytes: 4, text: "c\nd\n" });
	assert.deepEqual(lines(log), ["a", "b", "<100 lost>", "c", "d"]);
	assert.deepEqual(
		rows(log).map((row) => row.number),
		[1, 2, 2, 2, 3],
	);
});

test("bytes that never came are shown as a hole", () => {
	let log = append(emptyLog, { at, step: "s", line: 1, offset: 0, bytes: 2, text: "a\n" });
	log = append(log, { at, step: "s", line: 9, offset: 52, bytes: 2, text: "b\n" });
	assert.deepEqual(lines(log), ["a", "<50 lost>", "b"]);
});

test("the newest lines stay, exactly so many", () => {
	let log = emptyLog;
	let offset = 0;
	for (let line = 1; line <= 25_000; line += 7) {
		const text = Array.from({ length: 7 }, (_, i) => `line ${line + i}\n`).join("");
		log = append(log, { at, step: "s", line, offset, bytes: text.length, text });
		offset += text.length;
	}
	const found = rows(log);
	assert.equal(found.length, maxRows);
	assert.equal(log.rows, maxRows);
	assert.equal(lastLine(log), 25_004);
	assert.deepEqual(
		found.map((row) => row.kind === "line" && row.text),
		Array.from({ length: maxRows }, (_, i) => `line ${25_005 - maxRows + i}`),
	);
	assert.equal(log.characters, lines(log).join("").length);
});

test("blocks that did not change are the same objects", () => {
	const text = "x\n".repeat(600);
	const before = append(emptyLog, { at, step: "s", line: 1, offset: 0, bytes: text.length, text });
	const after = append(before, {
		at,
		step: "s",
		line: 601,
		offset: text.length,
		bytes: 2,
		text: "y\n",
	});
	assert.equal(after.blocks[0], before.blocks[0]);
	assert.equal(after.blocks[1], before.blocks[1]);
	assert.notEqual(after.blocks[2], before.blocks[2]);
});

test("a line without an end is bounded, and says that it goes on", () => {
	let log = emptyLog;
	const text = "x".repeat(65_536);
	for (let i = 0; i < 10; i++) {
		log = append(log, {
			at,
			step: "s",
			line: 1,
			offset: i * text.length,
			bytes: text.length,
			text,
		});
	}
	log = append(log, { at, step: "s", line: 1, offset: 10 * text.length, bytes: 3, text: "\ny\n" });
	const [first, second] = rows(log);
	assert.ok(first?.kind === "line" && first.cut);
	assert.equal(first.text.length, maxLine);
	assert.ok(second?.kind === "line" && !second.cut);
	assert.equal(second.text, "y");
	assert.equal(log.characters, maxLine + 1);
});

test("many long lines are bounded too", () => {
	let log = emptyLog;
	const text = `${"x".repeat(60_000)}\n`;
	for (let i = 0; i < 400; i++) {
		log = append(log, {
			at,
			step: "s",
			line: i + 1,
			offset: i * text.length,
			bytes: text.length,
			text,
		});
	}
	assert.ok(log.characters <= maxCharacters);
	assert.equal(log.characters, lines(log).join("").length);
	assert.equal(log.rows, rows(log).length);
	assert.equal(lastLine(log), 400);
});

test("colours carry over to the next line", () => {
	const log = chunks("\x1b[31mred\nstill red\x1b[0m\nplain\n", [2, 7]).reduce(append, emptyLog);
	assert.deepEqual(
		rows(log).map((row) => row.kind === "line" && row.pen.fg),
		[undefined, 1, undefined],
	);
});
