import assert from "node:assert/strict";
import { test } from "node:test";
import { Lines } from "./lines.ts";
import { LogText } from "./log-text.ts";

test("what has come is not asked for again when the server may be there again", async (t) => {
	const chunk = {
		at: "2026-11-27T10:00:00Z",
		step: "s",
		line: 1,
		offset: 0,
		bytes: 4,
		text: "one\n",
	};
	const asked = t.mock.method(globalThis, "fetch", async () =>
		Response.json({ lines: 1, bytes: 4, sgr: "", chunks: [chunk] }),
	);
	const text = new LogText();
	text.extend(1, 4);
	let changed = () => {};
	const lines = new Lines("/s", text, () => changed());
	const come = new Promise<void>((resolve) => {
		changed = resolve;
	});
	lines.need(1, 100, false);
	// The page is drawn once more while they are on their way.
	lines.need(1, 100, false);
	await come;
	await new Promise(setImmediate);
	lines.retry();
	assert.equal(asked.mock.callCount(), 1);
	assert.equal(lines.failed, "");
	lines.stop();
});
