import assert from "node:assert/strict";
import { test } from "node:test";
import type { Build } from "../model.ts";
import { choiceFrom, choiceQuery, choose, initial, mainOf, newestOf } from "./choice.ts";

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

test("the project to begin with is that of the newest build", () => {
	const project = (name: string, created_at?: string) => ({
		name,
		latest: created_at ? ({ created_at } as Build) : null,
	});
	const [none, old] = [project("a"), project("b", "2026-03-01T09:00:00Z")];
	assert.equal(newestOf([none, old, project("c", "2026-03-01T10:00:00.5Z")]), "c");
	assert.equal(newestOf([none, old]), "b");
	assert.equal(newestOf([none, project("d")]), "a");
	assert.equal(newestOf([]), "");
});

test("what was not chosen is not in the address", () => {
	assert.equal(String(choiceQuery({ ...initial, project: "acme/api" })), "project=acme%2Fapi");
});

test("the main branch is that of a README, where there is one, and any other is named", () => {
	const builds = [{ branch: "feature" }, { branch: null }, { branch: "master" }];
	assert.equal(mainOf(builds), "master");
	assert.equal(mainOf([...builds, { branch: "main" }]), "main");
	assert.equal(mainOf([{ branch: "feature" }]), "");
	const query = (branch: string, build = "") =>
		String(choiceQuery({ ...initial, project: "a", branch, build }, "main"));
	assert.equal(query("main"), "project=a");
	assert.equal(query("feature"), "project=a&branch=feature");
	assert.equal(query(""), "project=a&branch=");
	assert.equal(query("main", "1"), "project=a&branch=main&build=1");
	assert.equal(query("", "1"), "project=a&build=1");
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
