import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status, Step } from "./model.ts";
import { elided, stepOrder, stepTree, type TreeRow } from "./tree.ts";

const step = (key: string, more: Partial<Step> = {}): Step => ({ key, status: "passed", ...more });

/** "test (folder)", with what is below it indented. */
function drawn(rows: readonly TreeRow[], indent = ""): string[] {
	return rows.flatMap((row) => [
		`${indent}${row.label}${row.step ? "" : "/"}${row.key ? ` [${row.key}]` : ""}`,
		...drawn(row.rows, `${indent}  `),
	]);
}

test("keys with a slash make folders, where their first step stands", () => {
	const steps = ["lint", "test/linux", "deploy/prod", "test/windows", "a/b/c", "a/b/d"].map((key) =>
		step(key),
	);
	assert.deepEqual(drawn(stepTree(steps)), [
		"lint",
		"test/",
		"  linux",
		"  windows",
		"deploy/prod",
		"a/b/",
		"  c",
		"  d",
	]);
	assert.deepEqual(stepOrder(steps), [
		"lint",
		"test/linux",
		"test/windows",
		"deploy/prod",
		"a/b/c",
		"a/b/d",
	]);
});

test("a step may be a folder too", () => {
	const steps = [step("test/unit"), step("test")];
	assert.deepEqual(drawn(stepTree(steps)), ["test", "  unit"]);
	assert.deepEqual(stepOrder(steps), ["test", "test/unit"]);
});

test("no two rows look alike", () => {
	const steps = [
		step("test/linux", { name: "Unit tests" }),
		step("test/windows", { name: "Unit tests" }),
		step("build/linux"),
		step("build/windows"),
		step("pack/linux"),
		step("pack/deb", { name: "deb" }),
		step("go", { name: "go" }),
	];
	assert.deepEqual(drawn(stepTree(steps)), [
		"test/",
		"  Unit tests [test/linux]",
		"  Unit tests [test/windows]",
		"build/",
		"  linux [build/linux]",
		"  windows",
		"pack/",
		"  linux [pack/linux]",
		"  deb",
		"go",
	]);
});

test("a folder shows the worst of its steps, and what they are together", () => {
	const status = (...all: Status[]) =>
		stepTree(all.map((status, i) => step(`f/${i}`, { status })))[0]?.sum.status;
	assert.equal(status("passed", "running", "failed"), "failed");
	assert.equal(status("passed", "lost", "canceled"), "lost");
	assert.equal(status("queued", "passed", "running"), "running");
	assert.equal(status("passed", "skipped"), "passed");
	assert.equal(status("skipped", "skipped"), "skipped");

	const at = (second: number) => `2026-11-22T10:00:0${second}.5Z`;
	const annotations = { error: 1, warning: 5, notice: 0 };
	const tests = { passed: 9, failed: 2, skipped: 0 };
	const ended = [
		step("f/a", { started_at: at(2), finished_at: at(3), annotations, tests }),
		step("f/b", { started_at: at(1), finished_at: at(4), annotations }),
		step("f/c", { status: "skipped" }),
	];
	assert.deepEqual(stepTree(ended)[0]?.sum, {
		steps: 3,
		status: "passed",
		started: at(1),
		finished: at(4),
		errors: 2,
		failures: 2,
	});
	assert.equal(
		stepTree([...ended, step("f/d", { status: "running" })])[0]?.sum.finished,
		undefined,
	);
});

test("a long name keeps its ends", () => {
	assert.equal(elided("short"), "short");
	const one = elided(`${"x".repeat(200)} linux`, 20);
	assert.equal([...one].length, 20);
	assert.ok(one.endsWith("x linux"));
	assert.equal([...elided("🚀".repeat(300))].length, 96);
});
