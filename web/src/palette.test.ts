import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPlace, fitting, type Place, projectPlace, question, stepPlaces } from "./palette.ts";

const place = (group: Place["group"], name: string, about = ""): Place => ({
	group,
	name,
	about,
	go: `/${name}`,
});
const names = (places: readonly Place[]) => places.map(({ name }) => name);

test("what to ask the server for", () => {
	const id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
	const cases: [string, string | undefined][] = [
		["  ", undefined],
		[` ${id} `, `/api/v1/builds/${id}`],
		["#482", "/api/v1/builds?number=482&limit=6"],
		["482", "/api/v1/builds?number=482&limit=6"],
		["acme/api#482", "/api/v1/builds?number=482&project=acme%2Fapi&limit=6"],
		["acme/api #482", "/api/v1/builds?number=482&project=acme%2Fapi&limit=6"],
		["release/2.x", "/api/v1/builds?branch=release%2F2.x&limit=6"],
		["fix #12 & more", "/api/v1/builds?branch=fix+%2312+%26+more&limit=6"],
	];
	for (const [words, want] of cases) assert.equal(question(words), want, words);
});

test("places fit by every word, the best first, group after group", () => {
	const places = [
		place("Actions", "Show the keys"),
		place("Steps", "lint", "api"),
		place("Builds", "acme/api #7", "main · failed"),
		place("Projects", "rapid"),
		place("Projects", "acme/api"),
		place("Projects", "api"),
	];
	assert.deepEqual(names(fitting(places, [], "api")), [
		"api",
		"acme/api",
		"rapid",
		"acme/api #7",
		"lint",
	]);
	assert.deepEqual(names(fitting(places, [], "acme")), ["acme/api #7", "acme/api"]);
	assert.deepEqual(names(fitting(places, [], "keys")), ["Show the keys"]);
	assert.deepEqual(names(fitting(places, [], "FAIL acme")), ["acme/api #7"]);
	assert.deepEqual(names(fitting(places, [], "acme/api#7")), ["acme/api #7"]);
	assert.deepEqual(names(fitting(places, [], "nothing")), []);
	assert.equal(fitting(places, [], "").length, places.length);
});

test("what the server found fits, once", () => {
	const known = place("Builds", "acme/api #7", "main");
	const found = place("Builds", "acme/api #3", "main");
	assert.deepEqual(names(fitting([known], [known, found], "main")), ["acme/api #7", "acme/api #3"]);
});

test("of a group only so many are shown", () => {
	const steps = Array.from(
		{ length: 300 },
		(_, i) => ({ key: `s${i}`, status: "passed" }) as const,
	);
	assert.equal(fitting(stepPlaces({ id: "b", steps }), [], "s").length, 8);
});

test("places of the server's objects", () => {
	const build = {
		id: "b",
		project: "acme/api",
		number: 7,
		status: "failed",
		branch: "main",
		created_at: "2026-11-22T10:00:00Z",
		steps: [{ key: "test/linux", status: "failed" }],
	} as const;
	assert.deepEqual(buildPlace(build), {
		group: "Builds",
		name: "acme/api #7",
		about: "main · failed · test/linux",
		status: "failed",
		go: "/builds/b",
	});
	assert.equal(stepPlaces(build)[0]?.go, "/builds/b#test%2Flinux");
	assert.equal(projectPlace("acme/api", build).go, "/?project=acme%2Fapi");
	assert.equal(projectPlace("new", null).about, "");
});
