import assert from "node:assert/strict";
import { test } from "node:test";
import type { BuildWithSteps, Status } from "./model.ts";
import { apply, emptyWall } from "./wall-state.ts";
import {
	calm,
	configOf,
	culprits,
	grid,
	missing,
	problem,
	progress,
	shift,
	wanted,
} from "./wall-view.ts";

const at = "2026-11-22T10:00:00Z";
const now = Date.parse(at);

function build(project: string, status: Status, more: Partial<BuildWithSteps> = {}) {
	return { id: project, project, branch: "main", number: 1, status, created_at: at, ...more };
}

function wall(...builds: BuildWithSteps[]) {
	return apply(emptyWall, { kind: "snapshot", id: "x", data: { builds } });
}

const all = configOf("");
const names = (state: ReturnType<typeof wall>, search = "") =>
	wanted(state, configOf(search)).map(({ build }) => `${build.project} ${build.branch}`);

test("an address says it all", () => {
	assert.deepEqual(configOf("?project=acme/*&project=x&branch=main&cols=4&mode=problems"), {
		projects: ["acme/*", "x"],
		branches: ["main"],
		cols: 4,
		problems: true,
	});
	for (const cols of ["0", "-1", "two", "1.5", ""]) {
		assert.equal(configOf(`?cols=${cols}&mode=what`).cols, undefined);
	}
	assert.equal(configOf("?cols=1000").cols, 24);
});

test("problems come first, and in a class nothing dances", () => {
	const before = wall(build("g", "failed"));
	const broken = apply(before, {
		kind: "build",
		id: "x",
		data: { ...build("g", "running", { id: "g2", number: 2 }), at },
	});
	const rest = [
		build("z", "passed"),
		build("a", "queued"),
		build("r", "running"),
		build("c", "canceled"),
		build("l", "lost"),
		build("y", "failed"),
		build("b", "failed"),
	];
	const state = rest.reduce(
		(state, one) => apply(state, { kind: "build", id: "x", data: { ...one, at } }),
		broken,
	);
	assert.equal(names(state).join(" ").replaceAll(" main", ""), "b y l c g r a z");
	assert.deepEqual(
		wanted(state, all)
			.filter(problem)
			.map(({ build }) => build.project),
		["b", "y", "l", "c", "g"],
	);
});

test("a build that runs is a problem as soon as a step of it was lost, but not any more when it passes", () => {
	const lost = { key: "test", status: "lost" as const };
	const state = wall(build("a", "running", { steps: [lost] }), build("b", "running"));
	const problems = (of: typeof state) => wanted(of, all).filter(problem);
	assert.deepEqual(
		problems(state).map(({ build }) => build.project),
		["a"],
	);
	const data = { ...build("a", "passed"), at };
	assert.deepEqual(problems(apply(state, { kind: "build", id: "x", data })), []);
});

test("projects, patterns and branches", () => {
	const state = wall(
		build("acme/api", "passed"),
		build("acme/api", "passed", { id: "f", branch: "feature" }),
		build("acme/web/shop", "passed"),
		build("acmeother", "passed"),
		build("bare", "passed", { branch: null }),
	);
	assert.equal(names(state).length, 5);
	assert.deepEqual(names(state, "?project=acme/*&branch=main"), [
		"acme/api main",
		"acme/web/shop main",
	]);
	assert.deepEqual(names(state, "?project=bare"), ["bare null"]);
	assert.equal(names(state, "?project=*").length, 5);
	const config = configOf("?project=acme/*&project=nobody&project=none/*&project=bare");
	assert.deepEqual(missing(wanted(state, config), config), ["nobody"]);
});

test("a calm board says how many pass, and claims nothing else", () => {
	const tiles = (...statuses: Status[]) =>
		wanted(wall(...statuses.map((status, i) => build(`p${i}`, status))), all);
	assert.equal(calm(tiles("passed", "passed", "passed")), "All 3 passing");
	assert.equal(calm(tiles("passed")), "Passing");
	assert.equal(
		calm(tiles("passed", "running", "skipped")),
		"No problems: 1 passing, 1 running, 1 skipped",
	);
});

test("progress goes to the estimate and not beyond", () => {
	const running = build("p", "running", { started_at: at, expected_s: 100 });
	assert.equal(progress(running, now + 25_000), 0.25);
	assert.equal(progress(running, now + 200_000), 1);
	assert.equal(progress(running, now - 5_000), 0);
	assert.equal(progress({ ...running, expected_s: null }, now), undefined);
	assert.equal(progress({ ...running, status: "passed" }, now), undefined);
});

test("the first step that failed is to blame", () => {
	const steps = (["passed", "failed", "failed", "lost"] as const).map((status, i) => ({
		key: `s${i}`,
		status,
	}));
	const [tile] = wanted(wall(build("p", "failed", { steps })), all);
	assert.ok(tile);
	const [step, ...more] = culprits(tile);
	assert.deepEqual([step?.key, more.length], ["s1", 2]);
});

test("tiles fill the screen, and what does not fit is turned to", () => {
	assert.deepEqual(grid(1, 1920, 1000), { cols: 1, rows: 1, pages: 1 });
	assert.deepEqual(grid(2, 1920, 1000), { cols: 2, rows: 1, pages: 1 });
	assert.deepEqual(grid(14, 1920, 1000), { cols: 4, rows: 4, pages: 1 });
	assert.deepEqual(grid(100, 1920, 1000), { cols: 8, rows: 7, pages: 2 });
	assert.deepEqual(grid(10, 1920, 1000, 5), { cols: 5, rows: 2, pages: 1 });
	assert.deepEqual(grid(100, 1920, 1000, 4), { cols: 4, rows: 7, pages: 4 });
	assert.deepEqual(grid(0, 0, 0), { cols: 1, rows: 1, pages: 1 });
	for (let n = 1; n < 300; n++) {
		const { cols, rows, pages } = grid(n, 1280, 680);
		assert.ok(cols * rows * pages >= n);
	}
});

test("the board moves every ten minutes, by a few pixels", () => {
	assert.deepEqual(shift(0), shift(599_999));
	assert.notDeepEqual(shift(0), shift(600_000));
	assert.deepEqual(shift(0), shift(9 * 600_000));
});
