import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, cursors, streamAddress } from "./stream.ts";

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
	assert.equal(backoff(3, 1), 8_100);
	assert.equal(backoff(60, 1), 30_100);
});
