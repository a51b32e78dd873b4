import assert from "node:assert/strict";
import { test } from "node:test";
import { everything, type Filter, filterFrom, filterQuery, matches } from "./filter.ts";
import type { Build } from "./model.ts";

const build: Build = {
	id: "b",
	project: "acme/tools/lint",
	number: 1,
	status: "failed",
	branch: "main",
	author: "Ada",
	created_at: "2026-11-22T10:00:00Z",
};

test("a filter lets through what it names", () => {
	const cases: [Partial<Filter>, boolean][] = [
		[{}, true],
		[{ project: "*" }, true],
		[{ project: "acme/*" }, true],
		[{ project: "acme/tools/*" }, true],
		[{ project: "acme/tools/lint" }, true],
		[{ project: "acme/tools" }, false],
		[{ project: "acme/tools/lint/*" }, false],
		[{ project: "acme*" }, false],
		[{ branch: "main", author: "Ada", status: "failed" }, true],
		[{ branch: "mai" }, false],
		[{ author: "ada" }, false],
		[{ status: "lost" }, false],
	];
	for (const [filter, want] of cases) {
		assert.equal(matches({ ...everything, ...filter }, build), want, JSON.stringify(filter));
	}
	assert.ok(!matches({ ...everything, author: "Ada" }, { ...build, author: null }));
});

test("a filter survives the address", () => {
	const filter: Filter = { project: "acme/*", branch: "a&b=c #1", author: "Ada L", status: "lost" };
	assert.deepEqual(filterFrom(new URLSearchParams(String(filterQuery(filter)))), filter);
	assert.equal(String(filterQuery(everything)), "");
	assert.deepEqual(filterFrom(new URLSearchParams("status=odd&limit=3&project=%20")), everything);
});
