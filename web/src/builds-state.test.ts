import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, type BuildsState, emptyList, type ListEvent, maxBuilds } from "./builds-state.ts";
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
const buildEvent = (data: BuildWithSteps): ListEvent => ({
	kind: "build",
	id: "x",
	data: { ...data, at, build_id: data.id },
});
const stepEvent = (build_id: string, data: Step): ListEvent => ({
	kind: "step",
	id: "x",
	data: { ...data, at, build_id },
});

const numbers = (state: BuildsState) => state.builds.map((one) => one.build.number);

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
