import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status, StreamEvent } from "./model.ts";
import { maxUntaken, maxUntakenFor, Subscriber } from "./subscriber.ts";

const at = "2026-11-22T10:00:00Z";
const whole: StreamEvent = {
	kind: "whole",
	id: "w",
	data: { id: "b", project: "p", number: 1, status: "running", created_at: at },
};
const reset: StreamEvent = { kind: "reset", id: "r", data: { reason: "rewound" } };
const end: StreamEvent = { kind: "end", id: "e" };

const step = (key: string, status: Status): StreamEvent => ({
	kind: "step",
	id: `${key} ${status}`,
	data: { key, status, at },
});
const text = (of: string, offset = 0): StreamEvent => ({
	kind: "log",
	id: `${of} ${offset}`,
	data: { at, step: of, line: 1, offset, bytes: 1, text: "x" },
});

/** One that follows the step s, and was told the state. */
function joined(): Subscriber {
	const subscriber = new Subscriber({ log: "b", step: "s" });
	subscriber.asked();
	subscriber.join(whole, false, 0);
	take(subscriber);
	return subscriber;
}

/** What a page is sent, and takes at once. */
function take(subscriber: Subscriber, now = 0): string[] | undefined {
	const batch = subscriber.batch(now);
	if (batch) subscriber.took(batch.number);
	return batch?.events.map(({ id }) => id);
}

test("the state comes first, then the newest of what came meanwhile", () => {
	const subscriber = new Subscriber({ log: "b", step: "s" });
	subscriber.asked();
	subscriber.hear(step("s", "queued"), 1, 0);
	subscriber.hear(step("t", "running"), 1, 0);
	for (const offset of [0, 1]) subscriber.hear(text("s", offset), 1, 0);
	subscriber.hear(text("t"), 1, 0);
	subscriber.hear({ kind: "live", id: "l" }, 1, 0);
	subscriber.hear(step("s", "running"), 1, 0);
	assert.deepEqual(take(subscriber), []);
	subscriber.join(whole, false, 0);
	// The last piece of the text says how long the log is, which the state may not know yet.
	assert.deepEqual(take(subscriber), ["w", "t running", "s 1", "s running"]);
});

test("builds of the feed are told apart while the state is on its way", () => {
	const subscriber = new Subscriber({ log: "feed" });
	const build = (id: string, status: Status): StreamEvent => ({
		kind: "build",
		id: `${id} ${status}`,
		data: { id, build_id: id, project: "p", number: 1, status, created_at: at, at },
	});
	subscriber.asked();
	for (const id of ["x", "y"]) subscriber.hear(build(id, "running"), 1, 0);
	subscriber.hear(build("x", "passed"), 1, 0);
	subscriber.join({ kind: "snapshot", id: "w", data: { builds: [] } }, false, 0);
	assert.deepEqual(take(subscriber), ["w", "y running", "x passed"]);
});

test("only text of the step that is wanted", () => {
	const subscriber = joined();
	for (const of of ["s", "t"]) {
		subscriber.hear(text(of), 1, 0);
		subscriber.hear({ kind: "note", id: `${of} note`, data: { step: of } }, 1, 0);
		subscriber.hear(step(of, "running"), 1, 0);
	}
	assert.deepEqual(take(subscriber), ["s 0", "s note", "s running", "t running"]);
});

test("another step begins with the state again, and its text after that", () => {
	const subscriber = joined();
	subscriber.want({ log: "b", step: "t" });
	assert.equal(subscriber.phase, "waiting");
	subscriber.hear(text("t", 0), 1, 0);
	subscriber.hear(step("t", "running"), 1, 0);
	subscriber.asked();
	// Wanted once more while the state is on its way: that one may be from before.
	subscriber.want({ log: "b", step: "u" });
	subscriber.join(whole, false, 0);
	assert.deepEqual(take(subscriber), []);
	subscriber.asked();
	subscriber.join(whole, false, 0);
	subscriber.hear(text("u", 1), 1, 0);
	assert.deepEqual(take(subscriber), ["w", "t running", "u 1"]);
});

test("after a reset comes the state, and nothing of before", () => {
	const subscriber = joined();
	subscriber.hear(step("s", "passed"), 1, 0);
	subscriber.hear(reset, 1, 0);
	subscriber.hear(text("s"), 1, 0);
	assert.equal(subscriber.phase, "waiting");
	subscriber.asked();
	subscriber.join(whole, false, 0);
	assert.deepEqual(take(subscriber), ["s passed", "r", "w"]);
});

test("who was never told anything has nothing to forget", () => {
	const subscriber = new Subscriber({ log: "b" });
	subscriber.asked();
	subscriber.hear(step("s", "passed"), 1, 0);
	subscriber.hear(reset, 1, 0);
	subscriber.asked();
	subscriber.join(whole, false, 0);
	assert.deepEqual(take(subscriber), ["w"]);
});

test("after the end comes nothing", () => {
	const subscriber = joined();
	subscriber.hear(end, 1, 0);
	subscriber.hear(step("s", "passed"), 1, 0);
	subscriber.hear(reset, 1, 0);
	assert.equal(subscriber.phase, "over");
	assert.deepEqual(take(subscriber), ["e"]);
});

test("a page that takes nothing is sent so much and no more, and joins anew when it has taken it", () => {
	const subscriber = joined();
	const size = maxUntaken / 8;
	let sent = 0;
	for (let i = 0; i < 1_000; i++) {
		subscriber.hear(text("s", i), size, 0);
		if (subscriber.batch(0)) sent++;
	}
	assert.equal(sent, 9);
	assert.equal(subscriber.phase, "behind");
	// It takes one message after the other, the first having been taken before.
	for (let number = 2; number <= 9; number++) {
		subscriber.took(number);
		assert.equal(subscriber.phase, "behind");
	}
	subscriber.took(10);
	assert.equal(subscriber.phase, "waiting");
	subscriber.asked();
	subscriber.join(whole, false, 0);
	subscriber.hear(text("s", 1_000), size, 0);
	assert.deepEqual(take(subscriber), ["w", "s 1000"]);
});

test("who was away forgets what it knew, where that is of no use", () => {
	for (const forget of [true, false]) {
		const back = new Subscriber({ log: "b", step: "s" }, "old");
		assert.equal(back.missing, "old");
		back.asked();
		back.join(whole, forget, 0);
		assert.equal(back.missing, undefined);
		assert.deepEqual(take(back), forget ? ["w", "w"] : ["w"]);
	}
	const slow = joined();
	slow.batch(0);
	slow.hear(text("s"), 1, maxUntakenFor + 1);
	assert.equal(slow.missing, "w");
	assert.equal(slow.told, false);
});

test("what waits to be sent is bounded too", () => {
	const subscriber = joined();
	subscriber.batch(0);
	for (let i = 0; i < 100; i++) subscriber.hear(text("s", i), maxUntaken / 8, 0);
	assert.equal(subscriber.phase, "behind");
	subscriber.took(2);
	assert.equal(subscriber.phase, "waiting");
});

test("a page that takes nothing for long is behind as soon as there is more to say", () => {
	const subscriber = joined();
	subscriber.batch(0);
	subscriber.hear(text("s"), 1, maxUntakenFor);
	assert.equal(subscriber.phase, "joined");
	subscriber.hear(text("s"), 1, maxUntakenFor + 1);
	assert.equal(subscriber.phase, "behind");
	assert.equal(subscriber.batch(maxUntakenFor + 2), undefined);
});

test("a state of any length leaves nobody behind", () => {
	const subscriber = new Subscriber({ log: "b", step: "s" });
	subscriber.asked();
	subscriber.join(whole, false, 0);
	subscriber.batch(0);
	subscriber.hear(text("s"), maxUntaken, 0);
	subscriber.hear(text("s", 1), 1, 0);
	assert.equal(subscriber.phase, "joined");
});
