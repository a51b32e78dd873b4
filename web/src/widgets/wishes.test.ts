import assert from "node:assert/strict";
import { test } from "node:test";
import type { Build, StreamEvent } from "../model.ts";
import { streamAddress } from "../stream.ts";
import { isTaken, toldOf, union, type Wanted } from "./wishes.ts";

const feed = (projects: string[], branches: string[] = []): Wanted => ({
	log: "feed",
	projects,
	branches,
});

test("what is asked for has what each one wants, and no more than that takes", async (t) => {
	const cases: [Wanted[], address: string][] = [
		[[feed(["acme/api"])], "log=feed;project=acme%2Fapi"],
		[
			[feed(["acme/api"], ["main"]), feed(["acme/web"], ["main", "next"])],
			"log=feed;project=acme%2Fapi;project=acme%2Fweb;branch=main;branch=next",
		],
		// Who wants all wants what the others want too.
		[
			[feed(["acme/api"], ["main"]), feed(["acme/web"])],
			"log=feed;project=acme%2Fapi;project=acme%2Fweb",
		],
		[[feed(["acme/api"]), feed([])], "log=feed"],
		[[feed(Array.from({ length: 101 }, (_, i) => `p${i}`))], "log=feed"],
		[[{ log: "b" }], "log=b;logs=none"],
		[[{ log: "b", steps: [], tail: 5 }], "log=b;logs=none"],
		[
			[
				{ log: "b" },
				{ log: "b", steps: ["x"], tail: 5 },
				{ log: "b", steps: ["x", "y"], tail: 20 },
			],
			"log=b;tail=20;step=x;step=y",
		],
		[
			[
				{ log: "b", steps: ["x"], tail: 5 },
				{ log: "b", steps: ["y"] },
			],
			"log=b;step=x;step=y",
		],
	];
	for (const [wanted, address] of cases) {
		await t.test(address, () => {
			const { log } = wanted[0] as Wanted;
			const said = streamAddress([{ log, after: "", ...union(wanted) }]);
			assert.equal(said, `/api/v1/streams?${address}`);
		});
	}
});

test("each one is told what it wants of what the others want", () => {
	const build = (project: string, branch: string | null) => ({ project, branch }) as Build;
	const built = (project: string, branch: string | null): StreamEvent => ({
		kind: "build",
		id: "",
		data: { ...build(project, branch), at: "" },
	});
	const main = feed(["acme/*"], ["main"]);
	assert.ok(toldOf(main, built("acme/api", "main")));
	assert.ok(toldOf(feed(["acme/api"]), built("acme/api", null)));
	assert.equal(toldOf(main, built("acme/api", "next")), undefined);
	assert.equal(toldOf(main, built("acme/api", null)), undefined);
	assert.equal(toldOf(main, built("acmes/api", "main")), undefined);
	const all = [build("acme/api", "main"), build("acme/web", "main"), build("acme/api", "next")];
	const told = toldOf(feed(["acme/api"]), {
		kind: "snapshot",
		id: "",
		data: { builds: all, truncated: true },
	});
	assert.deepEqual(told?.kind === "snapshot" && told.data, {
		builds: [all[0], all[2]],
		truncated: true,
	});
	const text = (step: string) =>
		({ kind: "log", id: "", data: { step, at: "", line: 1, offset: 0, bytes: 0 } }) as const;
	assert.ok(toldOf({ log: "b", steps: ["x"] }, text("x")));
	assert.equal(toldOf({ log: "b", steps: ["x"] }, text("y")), undefined);
	assert.equal(toldOf({ log: "b" }, text("x")), undefined);
	assert.ok(toldOf({ log: "b" }, { kind: "end", id: "" }));
});

test("what the server would refuse is not asked for", () => {
	const long = "x".repeat(200);
	const patterns = [
		"acme",
		"acme/api",
		"a/b/c/d",
		"a/b/c/*",
		"acme/*",
		"*",
		"A_b-c.d",
		"...",
		long,
	];
	for (const text of patterns) assert.ok(isTaken(feed([text])), text);
	for (const text of [
		"",
		"/",
		"acme/",
		"acme//api",
		"acme/../api",
		"a/b/c/d/e",
		"a/b/c/d/*",
		"acme*",
		"*/api",
		"a b",
		"<b>",
		"é",
		`${long}x`,
		`${long}/*`,
	]) {
		assert.ok(!isTaken(feed(["acme", text])), text);
	}
	const taken = (step: string) => isTaken({ log: "b", steps: [step] });
	for (const key of ["test", "a/b/c/d/e/f", "x.svg", "__proto__"]) assert.ok(taken(key), key);
	for (const key of ["", "..", "a/", "a b", "*", `${long}x`]) assert.ok(!taken(key), key);
});
