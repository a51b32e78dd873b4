import assert from "node:assert/strict";
import { test } from "node:test";
import {
	apply,
	type BuildsState,
	emptyList,
	type ListEvent,
	maxBuilds,
	shown,
	waiting,
} from "./builds-state.ts";
import { everything } from "./filter.ts";
import type { BuildWithSteps, Status, Step } from "./model.ts";

const at = "2026-11-22T10:00:00Z";

function build(number: number, status: Status = "running", steps: Step[] = []): BuildWithSteps {
	const created_at = new Date(Date.parse(at) + number * 1_000).toISOString();
	return { id: `b${number}`, project: "p", number, status, created_at, steps };
}

const page = (builds: BuildWithSteps[], next?: string): ListEvent => ({
	kind: "page",
	data: { builds, next: next ?? null },
});
const buildEvent = ({ steps: _, ...data }: BuildWithSteps): ListEvent => ({
	kind: "build",
	id: "x",
	data: { ...data, at, build_id: data.id },
});
const stepEvent = (build_id: string, data: Step): ListEvent => ({
	kind: "step",
	id: "x",
	data: { ...data, at, build_id },
});

const numbers = (state: BuildsState) => shown(state).map((one) => one.build.number);

test("a page, a snapshot and events become one list, newest first", () => {
	const state = [
		page([build(3), build(2), build(1)], "older"),
		{ kind: "snapshot", id: "x", data: { builds: [build(4), build(2, "passed")] } } as ListEvent,
		buildEvent(build(5)),
		stepEvent("b5", { key: "vet", status: "running" }),
		stepEvent("b5", { key: "vet", status: "passed" }),
		stepEvent("b99", { key: "vet", status: "passed" }),
	].reduce(apply, emptyList);
	assert.deepEqual(numbers(state), [5, 4, 3, 2, 1]);
	assert.equal(state.builds[3]?.build.status, "passed");
	assert.deepEqual(
		state.builds[0]?.steps.map((step) => [step.key, step.status]),
		[["vet", "passed"]],
	);
	assert.equal(state.next, "older");
	assert.ok(state.loaded);
});

test("a build older than the page waits for its own page", () => {
	const snapshot: ListEvent = { kind: "snapshot", id: "x", data: { builds: [build(1), build(9)] } };
	const first = [page([build(9), build(8)], "older"), snapshot].reduce(apply, emptyList);
	assert.deepEqual(numbers(first), [9, 8]);
	assert.deepEqual(numbers(apply(first, page([build(7), build(1)]))), [9, 8, 7, 1]);
});

test("a build's event leaves its steps as they are", () => {
	const state = [
		page([build(1, "running", [{ key: "vet", status: "passed" }])]),
		buildEvent(build(1, "passed")),
	].reduce(apply, emptyList);
	assert.equal(state.builds[0]?.build.status, "passed");
	assert.equal(state.builds[0]?.steps.length, 1);
});

test("a page older than what the feed has said does not turn the clock back", () => {
	const state = [buildEvent(build(1, "failed")), page([build(1, "running")])].reduce(
		apply,
		emptyList,
	);
	assert.equal(state.builds[0]?.build.status, "failed");
});

test("a reset forgets everything", () => {
	const state = apply(apply(emptyList, page([build(1)])), { kind: "reset", id: "x", data: {} });
	assert.deepEqual(state, emptyList);
});

test("the list is bounded", () => {
	let state = emptyList;
	for (let i = 1; i <= maxBuilds + 5; i++) state = apply(state, buildEvent(build(i)));
	assert.equal(state.builds.length, maxBuilds);
	assert.equal(state.builds[0]?.build.number, maxBuilds + 5);
});

test("a filter shows what is known at once, and what comes to fit it", () => {
	const running = build(3, "running", [{ key: "vet", status: "passed" }]);
	let state = apply(emptyList, page([build(4), running, build(2, "failed"), build(1)]));
	state = apply(state, { kind: "filter", data: { ...everything, status: "failed" } });
	assert.deepEqual(numbers(state), [2]);
	state = apply(state, page([build(2, "failed")]));
	assert.deepEqual(numbers(apply(state, buildEvent(build(5, "running")))), [2]);
	state = apply(state, buildEvent(build(3, "failed")));
	assert.deepEqual(numbers(state), [3, 2]);
	assert.equal(shown(state)[0]?.steps.length, 1, "with the steps it had before it fitted");
	state = apply(state, { kind: "reset", id: "x", data: {} });
	assert.equal(state.filter.status, "failed");
});

test("rows that stand still let the new ones wait, and keep the ones that go", () => {
	const filter = { ...everything, status: "running" } as const;
	let state = apply(emptyList, { kind: "filter", data: filter });
	state = [
		page([build(3), build(2)], "older"),
		{ kind: "freeze" } as const,
		buildEvent(build(4)),
		buildEvent(build(5, "queued")),
		buildEvent(build(2, "passed")),
	].reduce(apply, state);
	assert.deepEqual(numbers(state), [3, 2]);
	assert.equal(shown(state)[1]?.build.status, "passed", "and say what is true");
	assert.equal(waiting(state), 1);
	state = apply(state, page([build(1)]));
	assert.deepEqual(numbers(state), [3, 2, 1], "an older page was asked for");
	const again = apply(state, { kind: "freeze" });
	assert.deepEqual([numbers(again), waiting(again)], [[4, 3, 1], 0]);
	const thawed = apply(state, { kind: "thaw" });
	assert.deepEqual([numbers(thawed), waiting(thawed)], [[4, 3, 1], 0]);
});

test("a first page that is asked for again leaves the rows that stand still", () => {
	const state = [
		page([build(4), build(3)], "older"),
		page([build(2), build(1)]),
		{ kind: "freeze" } as const,
		page([build(5), build(4, "passed")], "older"),
	].reduce(apply, emptyList);
	assert.deepEqual(numbers(state), [5, 4, 3, 2, 1]);
	assert.equal(shown(state)[1]?.build.status, "passed");
	assert.deepEqual(numbers(apply(state, { kind: "thaw" })), [5, 4]);
});

test("a new build is expected to take as long as the one before it on its branch", () => {
	const of = (number: number, branch: string, expected_s?: number) =>
		({ ...build(number), branch, ...(expected_s ? { expected_s } : {}) }) as BuildWithSteps;
	const state = [
		page([of(3, "other", 30), of(2, "main", 60), of(1, "main", 90)]),
		buildEvent(of(4, "main")),
		buildEvent(of(5, "new")),
	].reduce(apply, emptyList);
	assert.deepEqual(
		shown(state).map((one) => one.build.expected_s),
		[60, 60, 30, 60, 90],
	);
	const passed = apply(state, buildEvent({ ...of(4, "main"), status: "passed" }));
	assert.equal(shown(passed)[1]?.build.expected_s, 60, "an event leaves it as it is");
});

test("a build that the feed brings in midst of its life lacks steps", () => {
	const old = buildEvent(build(-1, "failed"));
	const state = [buildEvent(build(1, "queued")), old].reduce(apply, emptyList);
	assert.deepEqual(
		shown(state).map((one) => one.partial),
		[false, true],
	);
	const whole = build(-1, "failed", [{ key: "vet", status: "failed" }]);
	const after = apply(state, { kind: "snapshot", id: "x", data: { builds: [whole] } });
	assert.equal(shown(after)[1]?.partial, false);
});
