import assert from "node:assert/strict";
import { test } from "node:test";
import type { Build, BuildWithSteps, Status, Step, StreamEvent } from "./model.ts";
import { apply, emptyWall, type Past, pastIsUnknown, type WallState } from "./wall-state.ts";

const begin = Date.parse("2026-11-22T10:00:00Z");
const at = (minute: number) => new Date(begin + minute * 60_000).toISOString();

/** A build that is created at the minute of its number, and ends half a minute later. */
function build(number: number, status: Status, more: Partial<BuildWithSteps> = {}): BuildWithSteps {
	const over = status !== "queued" && status !== "running";
	return {
		id: `${more.project ?? "p"}${number}`,
		project: "p",
		branch: "main",
		number,
		status,
		author: `author ${number}`,
		created_at: at(number),
		finished_at: over ? at(number + 0.5) : null,
		...more,
	};
}

const snapshot = (...builds: BuildWithSteps[]): StreamEvent => ({
	kind: "snapshot",
	id: "x",
	data: { builds },
});
const change = (data: Build): StreamEvent => ({
	kind: "build",
	id: "x",
	data: { ...data, at: at(0), build_id: data.id },
});
const step = (build_id: string, data: Step): StreamEvent => ({
	kind: "step",
	id: "x",
	data: { ...data, at: at(0), build_id },
});
const past = (builds: Build[], whole = true): Past => ({
	kind: "past",
	key: "p\nmain",
	builds,
	whole,
});

const run = (...events: (StreamEvent | Past)[]) => events.reduce(apply, emptyWall);
const main = (state: WallState) => {
	const tile = state.tiles.get("p\nmain");
	assert.ok(tile);
	return tile;
};
const broken = (state: WallState) => main(state).failures.map(({ number }) => number);

test("a tile is the newest build of its branch, with its steps", () => {
	const state = run(
		snapshot(
			build(3, "running", { steps: [{ key: "vet", status: "passed" }] }),
			build(9, "passed", { branch: "other" }),
		),
		step("p3", { key: "test", status: "failed" }),
		step("p99", { key: "test", status: "passed" }),
	);
	assert.equal(state.tiles.size, 2);
	assert.deepEqual(
		main(state).steps.map(({ key, status }) => [key, status]),
		[
			["vet", "passed"],
			["test", "failed"],
		],
	);

	const next = apply(state, change(build(4, "queued")));
	assert.equal(main(next).build.number, 4);
	assert.deepEqual(main(next).steps, []);
	const late = apply(next, change(build(3, "failed")));
	assert.equal(main(late).build.number, 4, "an older build does not come back");
});

test("a branch has been failing since the first failed build after the last that passed", () => {
	const state = run(
		snapshot(build(5, "failed")),
		past([build(5, "failed"), build(4, "failed"), build(3, "failed"), build(2, "passed")]),
	);
	assert.deepEqual(broken(state), [3, 4, 5]);
	assert.deepEqual(main(state).failures[0], { number: 3, at: at(3.5), author: "author 3" });
	assert.equal(main(state).past, "whole");
});

test("the live feed keeps it", () => {
	let state = run(snapshot(build(1, "passed")));
	assert.equal(main(state).past, "whole", "what passed needs no past");
	for (const event of [build(2, "running"), build(2, "failed"), build(3, "failed")]) {
		state = apply(state, change(event));
	}
	assert.deepEqual(broken(state), [2, 3]);
	state = apply(state, change(build(4, "running")));
	assert.deepEqual(broken(state), [2, 3], "a new build does not mend it yet");
	assert.deepEqual(broken(apply(state, change(build(4, "canceled")))), [2, 3]);
	assert.deepEqual(broken(apply(state, change(build(4, "passed")))), []);
});

test("builds that end out of order", () => {
	let state = run(
		snapshot(build(1, "passed")),
		change(build(4, "failed")),
		change(build(2, "failed")),
	);
	assert.deepEqual(broken(state), [2, 4]);
	state = apply(state, change(build(3, "passed")));
	assert.deepEqual(broken(state), [4]);
	state = apply(state, change(build(2, "failed")));
	assert.deepEqual(broken(state), [4], "what failed before it passed is mended");
});

test("a past that is cut says so, and is asked for once", () => {
	const state = run(snapshot(build(9, "failed")));
	assert.ok(pastIsUnknown(main(state)));
	const some = apply(state, past([build(9, "failed"), build(8, "failed")], false));
	assert.equal(main(some).past, "part");
	assert.ok(!pastIsUnknown(main(some)));
	assert.equal(main(apply(some, past([]))).past, "whole");
	assert.equal(apply(state, { ...past([]), key: "gone" }), state);
});

test("a past that is older than what the feed has said turns no clock back", () => {
	const state = run(
		snapshot(build(2, "failed")),
		change(build(3, "passed")),
		past([build(2, "failed"), build(1, "passed")]),
	);
	assert.deepEqual(broken(state), []);
});

test("an estimate stays with its branch", () => {
	const state = run(snapshot(build(1, "passed", { expected_s: 60 })), change(build(2, "running")));
	assert.equal(main(state).build.expected_s, 60);
});

test("failures are bounded, and the first is kept", () => {
	let state = run(snapshot(build(1, "passed")));
	for (let i = 2; i < 200; i++) state = apply(state, change(build(i, "failed")));
	assert.equal(main(state).failures.length, 50);
	assert.equal(main(state).failures[0]?.number, 2);
	assert.equal(main(state).failures.at(-1)?.number, 199);
});

test("what was seen changes nothing, and a reset forgets", () => {
	const state = run(snapshot(build(1, "failed")));
	assert.equal(apply(state, change(build(1, "running"))), state);
	assert.equal(apply(state, { kind: "ping", id: "x" }), state);
	assert.equal(apply(state, { kind: "reset", id: "x", data: {} }), emptyWall);
});
