import assert from "node:assert/strict";
import { test } from "node:test";
import type { Build, Status, Step } from "./model.ts";
import { tickLabel, waterfall } from "./waterfall.ts";

const begin = Date.parse("2026-11-22T10:00:00Z");
const at = (seconds: number) => new Date(begin + seconds * 1_000).toISOString();

function build(status: Status, finished?: number): Build {
	const finished_at = finished === undefined ? null : at(finished);
	return { id: "b", project: "p", number: 1, status, created_at: at(0), finished_at };
}

/** A step that ran from one second to another; without an end it runs. */
function step(key: string, from?: number, to?: number, more: Partial<Step> = {}): Step {
	const status = from === undefined ? "queued" : to === undefined ? "running" : "passed";
	return {
		key,
		status,
		started_at: from === undefined ? null : at(from),
		finished_at: to === undefined ? null : at(to),
		...more,
	};
}

const draw = (status: Status, steps: Step[], end = 100) =>
	waterfall(build(status, status === "running" ? undefined : end), steps, begin + end * 1_000);
const keys = (steps: readonly Step[]) => steps.map(({ key }) => key);

test("a diamond of needs", () => {
	const { rows, critical, now } = draw("passed", [
		step("deploy", 90, 100, { needs: ["unit", "e2e"] }),
		step("build", 10, 30),
		step("unit", 30, 50, { needs: ["build"] }),
		step("e2e", 40, 80, { needs: ["build"] }),
	]);
	assert.deepEqual(
		rows.map(({ step, queue, run, queuedFor, took, critical }) => [
			step.key,
			queue && [queue.from, queue.to],
			run && [run.from, run.to],
			queuedFor,
			took,
			critical,
		]),
		[
			["build", [0, 0.1], [0.1, 0.3], 10_000, 20_000, true],
			["unit", undefined, [0.3, 0.5], 0, 20_000, false],
			["e2e", [0.3, 0.4], [0.4, 0.8], 10_000, 40_000, true],
			["deploy", [0.8, 0.9], [0.9, 1], 10_000, 10_000, true],
		],
	);
	assert.deepEqual(keys(critical), ["build", "e2e", "deploy"]);
	assert.equal(now, undefined);
});

test("without needs the path goes by time", () => {
	const { critical } = draw("passed", [
		step("a", 0, 20),
		step("b", 0, 35),
		step("c", 20, 50),
		step("d", 36, 100),
	]);
	assert.deepEqual(keys(critical), ["b", "d"]);
});

test("where some name their needs, those that name none wait for nobody", () => {
	const { critical } = draw("passed", [
		step("a", 0, 20),
		step("b", 20, 60),
		step("c", 60, 100, { needs: ["b"] }),
	]);
	assert.deepEqual(keys(critical), ["b", "c"]);
});

test("what runs ends now, and what waits has been waiting until now", () => {
	const steps = [
		step("build", 0, 48),
		step("test", 60, undefined, { needs: ["build"] }),
		step("docs", undefined, undefined, { needs: ["build"] }),
		step("deploy", undefined, undefined, { needs: ["test"] }),
	];
	const { rows, now, critical } = draw("running", steps, 120);
	const [, running, queued, kept] = rows;
	assert.deepEqual(running?.run, { from: 0.5, to: 1 });
	assert.equal(running?.took, 60_000);
	assert.deepEqual(queued?.queue, { from: 0.4, to: 1 });
	assert.equal(queued?.queuedFor, 72_000);
	assert.equal(kept?.queue, undefined, "what it needs still runs");
	assert.equal(kept?.queuedFor, undefined);
	assert.equal(now, 1);
	assert.deepEqual(keys(critical), ["build", "test"]);
});

test("while a build runs, what is over stands still for a while", () => {
	const steps = [step("build", 0, 40), step("test", 50)];
	const bars = (end: number) => draw("running", steps, end).rows.map(({ run }) => run);
	const [first, second] = [bars(101), bars(102)];
	assert.deepEqual(first[0], second[0]);
	assert.ok((first[1]?.to ?? 0) < (second[1]?.to ?? 0));
	assert.ok((second[1]?.to ?? 2) <= 1);
	const { now } = draw("running", steps, 101);
	assert.equal(now, first[1]?.to);
});

test("a skipped step has no bar, and keeps nobody", () => {
	const { rows } = draw("passed", [
		step("lint", undefined, 30, { status: "skipped" }),
		step("test", 50, 100, { needs: ["lint", "nowhere"] }),
	]);
	assert.deepEqual(
		rows.map(({ step, run }) => [step.key, run && [run.from, run.to]]),
		[
			["test", [0.5, 1]],
			["lint", undefined],
		],
	);
	assert.equal(rows[0]?.queuedFor, 50_000);
	assert.equal(rows[1]?.queuedFor, undefined);
});

test("a lost step without an end reaches the end of the build, and took nobody knows how long", () => {
	const { rows } = draw("lost", [step("test", 50, undefined, { status: "lost" })]);
	assert.deepEqual(rows[0]?.run, { from: 0.5, to: 1 });
	assert.equal(rows[0]?.took, undefined);
	assert.equal(rows[0]?.start, 50_000);
});

test("clocks that disagree make nothing negative", () => {
	const steps = [
		step("early", -20, 40),
		step("backwards", 50, 30),
		step("before its need", 45, 60, { needs: ["backwards"] }),
	];
	const { rows, length } = draw("passed", steps, 80);
	assert.equal(length, 100_000);
	for (const { run, queue, queuedFor, took } of rows) {
		for (const bar of [run, queue]) {
			if (bar) assert.ok(0 <= bar.from && bar.from <= bar.to && bar.to <= 1);
		}
		assert.ok((queuedFor ?? 0) >= 0 && (took ?? 0) >= 0);
	}
	assert.equal(rows[2]?.took, 0);

	const behind = waterfall(build("running"), [step("a", 5)], begin - 60_000);
	assert.equal(behind.length, 5_000);
	assert.equal(behind.now, 1);
});

test("a build without steps or time has an axis", () => {
	const { rows, length, ticks, critical } = draw("queued", [], 0);
	assert.deepEqual([rows, critical, length, ticks], [[], [], 1, [0, 1]]);
});

test("300 steps", () => {
	const steps = Array.from({ length: 300 }, (_, i) =>
		step(`s/${i}`, i, i + 1, { needs: i > 0 ? [`s/${i - 1}`] : [] }),
	);
	const { rows, critical } = draw("passed", steps, 300);
	assert.deepEqual(
		rows.map(({ step }) => step.key),
		steps.map(({ key }) => key),
	);
	assert.equal(critical.length, 300);
});

test("ticks are round and few", () => {
	const labels = (seconds: number) => draw("passed", [], seconds).ticks.map(tickLabel);
	assert.deepEqual(labels(0.7), ["0", "200 ms", "400 ms", "600 ms"]);
	assert.deepEqual(labels(25), ["0", "5 s", "10 s", "15 s", "20 s", "25 s"]);
	assert.deepEqual(labels(170), ["0", "30 s", "1 m", "1 m 30 s", "2 m", "2 m 30 s"]);
	assert.deepEqual(labels(3 * 3_600), ["0", "1 h", "2 h", "3 h"]);
	assert.deepEqual(labels(40 * 86_400), ["0", "8 d", "16 d", "24 d", "32 d", "40 d"]);
});
