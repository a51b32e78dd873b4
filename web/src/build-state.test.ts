import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, emptyBuild } from "./build-state.ts";
import type { Build, Chunk, Step, StreamEvent } from "./model.ts";

const at = "2026-11-22T10:00:00Z";
const build: Build = { id: "b", project: "p", number: 1, status: "running", created_at: at };

let id = 0;
const next = () => `abcdef-${++id}`;
const buildEvent = (data: Partial<Build>): StreamEvent => ({
	kind: "build",
	id: next(),
	data: { ...build, at, ...data },
});
const stepEvent = (data: Step): StreamEvent => ({
	kind: "step",
	id: next(),
	data: { at, ...data },
});
const logEvent = (data: Omit<Chunk, "at">): StreamEvent => ({
	kind: "log",
	id: next(),
	data: { at, ...data },
});

const events: readonly StreamEvent[] = [
	buildEvent({ status: "queued" }),
	stepEvent({ key: "vet", status: "queued" }),
	stepEvent({ key: "test", status: "queued" }),
	buildEvent({}),
	stepEvent({ key: "test", status: "running" }),
	logEvent({ step: "test", line: 1, offset: 0, bytes: 2, text: "a\n" }),
	{ kind: "live", id: next() },
	logEvent({ step: "test", line: 2, offset: 2, bytes: 2, text: "b\n" }),
	{ kind: "ping", id: next() },
	stepEvent({ key: "test", status: "failed", exit_code: 1 }),
	stepEvent({ key: "vet", status: "skipped" }),
	buildEvent({ status: "failed" }),
	{ kind: "end", id: next() },
];

test("a build from its first event to its last", () => {
	const state = events.reduce(apply, emptyBuild);
	assert.equal(state.build?.status, "failed");
	assert.deepEqual(
		state.steps.map((step) => [step.key, step.status]),
		[
			["vet", "skipped"],
			["test", "failed"],
		],
	);
	assert.ok(state.ended);
});

test("events seen again change nothing", () => {
	const state = events.reduce(apply, emptyBuild);
	const again = events.filter((event) => event.kind !== "end").reduce(apply, state);
	assert.deepEqual(again.build, state.build);
	assert.deepEqual(
		again.steps.filter((step) => step.key === "test"),
		state.steps.filter((step) => step.key === "test"),
	);
});

test("a lost step may come back", () => {
	const state = [
		stepEvent({ key: "test", status: "lost" }),
		stepEvent({ key: "test", status: "running" }),
	].reduce(apply, emptyBuild);
	assert.equal(state.steps[0]?.status, "running");
});

test("a reset forgets everything, once the state of now is here", () => {
	const state = events.reduce(apply, emptyBuild);
	const reset = apply(state, { kind: "reset", id: next(), data: { reason: "rewound" } });
	assert.deepEqual(reset.steps, state.steps);
	const data = {
		...build,
		status: "queued" as const,
		steps: [{ key: "new", status: "queued" } as const],
	};
	const after = apply(reset, { kind: "whole", id: next(), data });
	assert.equal(after.build?.status, "queued");
	assert.deepEqual(after.steps, data.steps);
	assert.ok(!after.rewound && !after.ended);
});

test("a step that nobody announced is there with its first text", () => {
	const state = apply(emptyBuild, logEvent({ step: "x", line: 1, offset: 0, bytes: 1, text: "a" }));
	assert.equal(state.steps[0]?.key, "x");
});

test("a state is never changed in place", () => {
	let state = emptyBuild;
	for (const event of events) {
		const before = structuredClone(state);
		const after = apply(state, event);
		assert.deepEqual(state, before);
		state = after;
	}
});

test("a snapshot that is older than an event takes nothing back", () => {
	const steps: readonly Step[] = [
		{ key: "vet", status: "queued" },
		{ key: "test", status: "running" },
	];
	const whole: StreamEvent = {
		kind: "whole",
		id: next(),
		data: { ...build, expected_s: 60, steps },
	};
	const state = [...events, whole].reduce(apply, emptyBuild);
	assert.equal(state.build?.status, "failed");
	assert.equal(state.steps[1]?.status, "failed");
	const first = [whole, buildEvent({})].reduce(apply, emptyBuild);
	assert.equal(first.build?.expected_s, 60, "what to expect is in snapshots alone, and stays");
	assert.deepEqual(first.steps, steps);
});

test("annotations are counted as they come, until an event of their step has counted them", () => {
	const note = (step: string, level?: "error" | "warning"): StreamEvent => ({
		kind: "note",
		id: next(),
		data: level ? { step, annotation: { level } } : { step },
	});
	const state = [
		stepEvent({ key: "test", status: "running" }),
		note("test", "error"),
		note("test"),
		note("test", "error"),
		note("nobody", "error"),
		note("test", "warning"),
	].reduce(apply, emptyBuild);
	assert.deepEqual(state.steps[0]?.annotations, { error: 2, warning: 1 });
	const annotations = { error: 3, warning: 1, notice: 0 };
	const after = apply(state, stepEvent({ key: "test", status: "failed", annotations }));
	assert.deepEqual(after.steps[0]?.annotations, annotations);
});
