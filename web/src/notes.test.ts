import assert from "node:assert/strict";
import { test } from "node:test";
import { annotationsOf, firstLines, placeOf, testsOf } from "./notes.ts";

test("a note's place in the log is an address", () => {
	assert.equal(placeOf({ step: "test/linux", line: 120 }), "#test%2Flinux:L120");
	assert.equal(placeOf({ step: "test", line: null }), "#test");
});

test("counts are of all steps", () => {
	const steps = [
		{ key: "a", status: "passed", tests: { passed: 3, failed: 1, skipped: 0 } },
		{ key: "b", status: "passed", tests: null, annotations: { error: 2, warning: 1, notice: 0 } },
		{ key: "c", status: "queued" },
	] as const;
	assert.equal(testsOf(steps, "passed"), 3);
	assert.equal(testsOf(steps, "failed"), 1);
	assert.equal(annotationsOf(steps, "error"), 2);
	assert.equal(annotationsOf(steps, "notice"), 0);
});

test("a message shows its first lines", () => {
	assert.deepEqual(firstLines("one\ntwo\n", 3), ["one\ntwo", false]);
	assert.deepEqual(firstLines("1\n2\n3\n4", 3), ["1\n2\n3", true]);
	assert.deepEqual(firstLines("x".repeat(9), 3, 5), ["xxxxx", true]);
});
