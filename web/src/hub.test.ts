import assert from "node:assert/strict";
import { test } from "node:test";
import { scriptsOf } from "./hub.ts";

test("a page of ours is known by its scripts", () => {
	const page = (scripts: string) =>
		`<!doctype html><head>${scripts}</head><body><stepcast-app></stepcast-app></body>`;
	assert.equal(
		scriptsOf(page('<script type="module" crossorigin src="/assets/index-a1.js"></script>')),
		"/assets/index-a1.js",
	);
	assert.equal(
		scriptsOf(
			page('<script src="/assets/a.js"></script>\n<script async src="/assets/b.js"></script>'),
		),
		"/assets/a.js /assets/b.js",
	);
	assert.equal(scriptsOf('<script src="/sign-in.js"></script>'), undefined);
	assert.equal(scriptsOf(""), undefined);
});
