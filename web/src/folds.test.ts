import assert from "node:assert/strict";
import { test } from "node:test";
import { Folds } from "./folds.ts";
import { blockLines, firstOf } from "./log-text.ts";

const group = (line: number, last?: number) => ({ line, last });

test("folds tell which lines are in sight, and count them", () => {
	const folds = new Folds([group(50, 60), group(5, 9), group(6, 7), group(10, 10), group(70)]);
	const hidden = (line: number) => (line >= 5 && line <= 10) || (line >= 50 && line <= 60);
	let rank = 0;
	for (let line = 1; line <= 100; line++) {
		assert.equal(folds.hides(line), hidden(line), `line ${line}`);
		assert.equal(folds.rank(line), rank, `rank of line ${line}`);
		if (hidden(line)) continue;
		assert.equal(folds.at(rank), line);
		rank++;
	}
});

test("a block is skipped when nothing of it is in sight, not even a heading", () => {
	const inside = firstOf(3);
	const folds = new Folds([group(inside - 1, inside + 3 * blockLines - 1)]);
	assert.deepEqual(
		[2, 3, 4, 5, 6].map((block) => folds.skips(block)),
		[false, true, true, true, false],
	);
	// Its heading stands before its first line, so a group that begins a block is seen in it.
	assert.equal(new Folds([group(inside, inside + blockLines)]).skips(3), false);
});

test("groups that overlap, as no sound log has them, hide each line once", () => {
	const folds = new Folds([group(1, 10), group(5, 15)]);
	assert.equal(folds.rank(16), 0);
	assert.equal(folds.at(0), 16);
});
