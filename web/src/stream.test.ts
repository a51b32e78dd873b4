import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { backoff, cursors, Stream, streamAddress } from "./stream.ts";

test("an address carries each log with its cursor and the steps whose text is wanted", () => {
	const address = streamAddress([
		{ log: "feed", after: "k-1", steps: [] },
		{ log: "b1", after: "", steps: [] },
		{ log: "b2", after: "k-2", steps: ["test/linux", "a;b&c=d"] },
	]);
	assert.equal(
		address,
		"/api/v1/streams?log=feed;after=k-1&log=b1;logs=none" +
			"&log=b2;after=k-2;step=test%2Flinux;step=a%3Bb%26c%3Dd",
	);
});

test("more steps than an address can hold are asked for by asking for all text", () => {
	const many = Array.from({ length: 101 }, (_, i) => `s${i}`);
	assert.equal(streamAddress([{ log: "b", after: "", steps: many }]), "/api/v1/streams?log=b");
	const long = ["🚀".repeat(200)];
	assert.equal(streamAddress([{ log: "b", after: "", steps: long }]), "/api/v1/streams?log=b");
});

test("an id is the cursors of all logs in the order of the address", () => {
	assert.deepEqual(cursors("k-1.q-22", 2), ["k-1", "q-22"]);
	assert.deepEqual(cursors("k-1", 1), ["k-1"]);
	// Not known yet, and known to be none.
	assert.deepEqual(cursors(".?.q-1", 3), ["", "", "q-1"]);
	// Of some other stream.
	assert.deepEqual(cursors("k-1.q-22", 3), []);
	assert.deepEqual(cursors("", 2), []);
});

test("attempts are spread over a time that grows, and is bounded", () => {
	assert.equal(backoff(0, 0), 100);
	assert.equal(backoff(0, 1), 1_100);
	assert.equal(backoff(3, 1), 3_475);
	assert.equal(backoff(60, 1), 30_100);
});

/** An EventSource whose server is the test. */
class Source extends EventTarget {
	static readonly CONNECTING = 0;
	static readonly OPEN = 1;
	static readonly CLOSED = 2;
	/** All that there were. */
	static all: Source[] = [];
	readyState = Source.CONNECTING;

	constructor() {
		super();
		Source.all.push(this);
	}

	close(): void {
		this.readyState = Source.CLOSED;
	}

	say(kind: string): void {
		this.readyState = Source.OPEN;
		this.dispatchEvent(new MessageEvent(kind, { data: "{}" }));
	}

	/** The connection ends, and the source comes back by itself. */
	break(): void {
		this.readyState = Source.CONNECTING;
		this.dispatchEvent(new Event("error"));
	}
}

/** A stream that connects whenever it is due, after pauses as short as they can be, and its newest source. */
function connecting(t: TestContext): { stream: Stream; source: () => Source } {
	t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
	t.mock.method(Math, "random", () => 0);
	Source.all = [];
	Object.assign(globalThis, { EventSource: Source });
	const nothing = () => {};
	const due = () => stream.open([]);
	const listener = { heard: nothing, moved: nothing, changed: nothing, closed: nothing, due };
	const stream = new Stream(listener, () => "");
	stream.open([]);
	return { stream, source: () => Source.all.at(-1) as Source };
}

test("attempts without an answer are given up early, and later when there were more", (t) => {
	const { stream, source } = connecting(t);
	const more = [11_391, 17_086, 25_629, 30_000, 30_000];
	for (const patience of [...Array<number>(6).fill(10_000), ...more]) {
		const attempts = Source.all.length;
		const attempt = source();
		t.mock.timers.tick(patience - 1);
		assert.equal(attempt.readyState, Source.CONNECTING);
		t.mock.timers.tick(1);
		assert.equal(attempt.readyState, Source.CLOSED);
		assert.equal(stream.state.name, "reconnecting");
		t.mock.timers.tick(100);
		assert.equal(Source.all.length, attempts + 1);
	}
	// What was slow has been reached, and the next time begins anew.
	source().say("live");
	assert.equal(stream.state.name, "live");
	for (const time of [40_000, 100, 10_000]) t.mock.timers.tick(time);
	assert.equal(source().readyState, Source.CLOSED);
});

test("what was waited for an answer is part of the pause before the next attempt", (t) => {
	const { stream, source } = connecting(t);
	t.mock.method(Math, "random", () => 1);
	for (const [patience, pause] of [
		[10_000, 1_100],
		[10_000, 1_100],
		[10_000, 1_100],
		[10_000, 1_100],
		[10_000, 1_100],
		[10_000, 1_100],
		[11_391, 1_100],
	] as const) {
		t.mock.timers.tick(patience);
		const given = source();
		const { state } = stream;
		assert.equal(state.name === "reconnecting" && state.at, Date.now() + pause);
		t.mock.timers.tick(pause - 1);
		assert.equal(source(), given);
		t.mock.timers.tick(1);
		assert.notEqual(source(), given);
	}
	// What is refused at once has waited for nothing.
	source().break();
	const { state } = stream;
	assert.equal(state.name === "reconnecting" && state.at, Date.now() + 100 + 1_000 * 1.5 ** 7);
});

test("who is in a hurry sees that it is tried, where nothing was heard for too long", (t) => {
	const { stream, source } = connecting(t);
	source().say("live");
	t.mock.timers.tick(5_000);
	const first = source();
	stream.hurry(true);
	assert.notEqual(source(), first);
	assert.equal(stream.state.name, "live");
	source().say("live");
	t.mock.timers.tick(25_000);
	stream.hurry(true);
	assert.deepEqual(stream.state, { name: "reconnecting", at: undefined });
});

test("what is answered may be silent for longer than an attempt", (t) => {
	const { stream, source } = connecting(t);
	t.mock.timers.tick(9_000);
	source().readyState = Source.OPEN;
	t.mock.timers.tick(30_999);
	assert.equal(source().readyState, Source.OPEN);
	source().say("live");
	t.mock.timers.tick(39_999);
	assert.equal(stream.state.name, "live");
	assert.equal(Source.all.length, 1);
	t.mock.timers.tick(1);
	assert.equal(stream.state.name, "reconnecting");
});

test("a source that comes back has the server's pause, and then the time of an attempt", (t) => {
	const { stream, source } = connecting(t);
	for (const kind of ["live", "unavailable"]) {
		const before = source();
		before.say(kind);
		t.mock.timers.tick(30_000);
		before.break();
		t.mock.timers.tick(30_000 + 10_000 - 1);
		assert.equal(source(), before);
		assert.equal(before.readyState, Source.CONNECTING);
		for (const time of [1, 100]) t.mock.timers.tick(time);
		assert.notEqual(source(), before);
	}
	// Its answer is silence, that is not counted from before the break.
	source().say("live");
	t.mock.timers.tick(30_000);
	source().break();
	t.mock.timers.tick(5_000);
	source().say("live");
	t.mock.timers.tick(39_999);
	assert.equal(stream.state.name, "live");
});
