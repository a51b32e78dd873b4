import assert from "node:assert/strict";
import { test } from "node:test";
import type { Build, Step, StreamEvent } from "../model.ts";
import { apply, type BuildSteps, chosen, newest, noBuild } from "./build-steps.ts";

const at = "2026-11-22T10:00:00Z";

function build(status: Build["status"], number = 1): StreamEvent {
	const data = { at, id: `b${number}`, project: "p", number, status, created_at: at };
	return { kind: "build", id: "", data };
}

function step(key: string, status: Step["status"], started_at: string | null = null): StreamEvent {
	return { kind: "step", id: "", data: { at, key, status, started_at } };
}

const told = (...events: readonly StreamEvent[]) => events.reduce(apply<BuildSteps>, noBuild);

test("a build and its steps, in the order of its log", () => {
	const events = [build("queued"), step("b", "queued"), step("a", "running"), build("running")];
	const state = told(...events, step("b", "passed"));
	assert.equal(state.build?.status, "running");
	assert.deepEqual(
		state.steps.map(({ key, status }) => [key, status]),
		[
			["b", "passed"],
			["a", "running"],
		],
	);
});

test("what is final stands when its log is told again", () => {
	const events = [build("running"), step("a", "running"), step("a", "failed"), build("failed")];
	const again = told(...events, ...events);
	assert.deepEqual([again.build?.status, again.steps[0]?.status], ["failed", "failed"]);
});

test("whose log is shown: of what runs, else what failed first, else what ran last, else the first", () => {
	const of = (...steps: readonly [Step["status"], (string | null)?][]) =>
		chosen(told(...steps.map(([status, at], i) => step(`s${i}`, status, at))).steps)?.key;
	assert.equal(of(), undefined);
	assert.equal(of(["failed", at], ["running", at], ["running", at]), "s1");
	assert.equal(of(["passed", at], ["failed", at], ["failed", at], ["queued"]), "s1");
	assert.equal(of(["passed", at], ["passed", at], ["queued"], ["skipped"]), "s1");
	assert.equal(of(["queued"], ["queued"]), "s0");
});

test("the newest build is that of the highest number, whatever comes in which order", () => {
	const snapshot = { kind: "snapshot", id: "", data: { builds: [] } } as const;
	const events = [snapshot, build("passed", 2), build("running", 3), build("passed", 1)];
	assert.equal(events.reduce(newest, undefined)?.id, "b3");
	assert.equal(newest(undefined, step("a", "running")), undefined);
	assert.equal(newest(undefined, snapshot)?.id, "");
});
