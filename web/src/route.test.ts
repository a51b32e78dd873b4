import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPath, route } from "./route.ts";

test("paths and their pages", () => {
	assert.deepEqual(route("/"), { page: "builds" });
	assert.deepEqual(route("/wall"), { page: "wall" });
	assert.deepEqual(route("/builds/0190-a"), { page: "build", id: "0190-a" });
	assert.deepEqual(route("/builds/a%20b/"), { page: "build", id: "a b" });
	for (const path of ["/build", "/builds/", "/builds/a/b", "/builds/%", "/wall/x", "//"]) {
		assert.deepEqual(route(path), { page: "none" }, path);
	}
});

test("a step is named by the fragment", () => {
	assert.equal(buildPath("b", "test/linux #1"), "/builds/b#test%2Flinux%20%231");
});
