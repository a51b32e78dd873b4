import assert from "node:assert/strict";
import { test } from "node:test";
import { choiceFrom, choiceQuery, choose, initial } from "./choice.ts";

const from = (query: string) => choiceFrom(new URLSearchParams(query));

test("a choice comes back from the address that names it", () => {
	const choice = {
		...initial,
		project: "acme/api",
		branch: "feature/ü & more",
		theme: "dark",
		width: 480,
		host: "hostile",
		format: "asciidoc",
		frame: "log",
	} as const;
	assert.deepEqual(choiceFrom(choiceQuery(choice)), choice);
});

test("what was not chosen is not in the address", () => {
	assert.equal(String(choiceQuery({ ...initial, project: "acme/api" })), "project=acme%2Fapi");
});

test("what an address names wrongly is as if it were not there", () => {
	assert.deepEqual(from("theme=pink&width=7&host=none&format=pdf&frame=x"), initial);
	assert.deepEqual(from("project=acme/*"), initial);
});

test("a token in the address gets nowhere", () => {
	const choice = from("project=acme/api&token=stp_secret");
	assert.doesNotMatch(JSON.stringify(choice), /stp_secret/);
	assert.doesNotMatch(String(choiceQuery(choice)), /token/);
});

test("what hangs on a choice is chosen anew with it", () => {
	const all = { ...initial, project: "a", branch: "main", build: "1", step: "test" };
	assert.deepEqual(choose(all, { project: "b" }), { ...initial, project: "b" });
	assert.deepEqual(choose(all, { branch: "next" }), { ...initial, project: "a", branch: "next" });
	assert.deepEqual(choose(all, { build: "2" }), { ...all, build: "2", step: "" });
	assert.deepEqual(choose(all, { theme: "dark" }), { ...all, theme: "dark" });
});
