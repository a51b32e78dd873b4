import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { omissions, without } from "./lit-omissions.mjs";

const files = {
	"css-tag": "@lit/reactive-element/css-tag.js",
	"reactive-element": "@lit/reactive-element",
	"lit-element": "lit-element/lit-element.js",
	"lit-html": "lit-html",
};

/** A file as the build reads it, which is not the one that Node has by default. */
function read(file) {
	const path = createRequire(import.meta.url).resolve(files[file]);
	return readFileSync(path.replace(/\/node(?=\/[\w-]+\.js$)/, ""), "utf8");
}

test("all that is taken out of Lit is there", () => {
	for (const file of Object.keys(files)) assert.ok(without(file, read(file)).length > 0);
	for (const { name, file } of omissions) assert.ok(file in files, name);
});

test("what is not there any more is an error that names it", () => {
	for (const omission of omissions) {
		for (const cut of omission.cuts) {
			const gone = { ...omission, cuts: [cut] };
			const left = without(omission.file, read(omission.file), [gone]);
			assert.throws(() => without(omission.file, left, [gone]), {
				message: new RegExp(`${omission.file}\\.js .*“${omission.name}”`),
			});
		}
	}
});
