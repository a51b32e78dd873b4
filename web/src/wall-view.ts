import { ago, elapsed, instant } from "./format.ts";
import { type Build, ended, type Step } from "./model.ts";
import type { Tile, WallState } from "./wall-state.ts";

/** What the address asks for: `/wall?project=acme/*&branch=main&cols=4&mode=problems`. */
export interface WallConfig {
	/** Projects or patterns; empty: all. */
	readonly projects: readonly string[];
	/** Empty: all. */
	readonly branches: readonly string[];
	/** How many columns; undefined: as many as fit. */
	readonly cols: number | undefined;
	/** Problems only, and one calm screen when there are none. */
	readonly problems: boolean;
}

const maxCols = 24;

export function configOf(search: string): WallConfig {
	const query = new URLSearchParams(search);
	const cols = Number(query.get("cols"));
	return {
		projects: query.getAll("project").filter(Boolean),
		branches: query.getAll("branch").filter(Boolean),
		cols: Number.isInteger(cols) && cols > 0 ? Math.min(cols, maxCols) : undefined,
		problems: query.get("mode") === "problems",
	};
}

/** How urgent a tile is; 0 comes first. */
function rank(tile: Tile): number {
	const { status } = tile.build;
	const bad = ["failed", "lost", "canceled"].indexOf(status);
	if (bad >= 0) return bad;
	// A branch that is broken stays so until a build passes; where a step was lost, the build may well be too.
	if (!ended(status) && (tile.failures[0] || tile.steps.some(({ status }) => status === "lost")))
		return 3;
	return status === "running" ? 4 : 5;
}

/** Whether somebody should look at it. */
export function problem(tile: Tile): boolean {
	return rank(tile) <= 3;
}

/** The tiles that the address asks for, problems first; in each class by name, so that nothing dances. */
export function wanted(
	state: WallState,
	config: Pick<WallConfig, "projects" | "branches">,
): readonly Tile[] {
	const { projects, branches } = config;
	return [...state.tiles.values()]
		.filter(
			({ build }) =>
				(projects.length === 0 || projects.some((one) => covers(one, build.project))) &&
				(branches.length === 0 || branches.includes(build.branch ?? "")),
		)
		.sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : 1));
}

/** The projects that the address names and that have no tile. */
export function missing(
	tiles: readonly Tile[],
	config: Pick<WallConfig, "projects">,
): readonly string[] {
	const there = new Set(tiles.map(({ build }) => build.project));
	return config.projects.filter((one) => !one.includes("*") && !there.has(one));
}

/** A pattern is a project, or what projects begin with and a star. */
export function covers(pattern: string, project: string): boolean {
	return pattern.endsWith("*") ? project.startsWith(pattern.slice(0, -1)) : project === pattern;
}

/** How far a running build is, from 0 to 1, and undefined when nobody can say. Now is in milliseconds. */
export function progress(
	{ status, started_at, expected_s }: Build,
	now: number,
): number | undefined {
	if (status !== "running" || !started_at || !expected_s) return undefined;
	return Math.min(1, Math.max(0, (now - Date.parse(started_at)) / (expected_s * 1_000)));
}

/** How long it waits or runs, or how long ago it ended, in words. Now is in milliseconds. */
export function timeOf(build: Build, now: number): string {
	const { status, created_at, started_at, finished_at, expected_s } = build;
	const started = instant(started_at);
	const finished = instant(finished_at);
	if (status === "queued") return `for ${elapsed(now - Date.parse(created_at))}`;
	if (status === "running" && started !== undefined) {
		const about = expected_s ? ` of about ${elapsed(Math.max(1, expected_s) * 1_000)}` : "";
		return `${elapsed(now - started)}${about}`;
	}
	return finished === undefined ? "" : ago(finished, now);
}

/** The sentence of a board without problems: "All 14 passing", or what else there is. */
export function calm(tiles: readonly Tile[]): string {
	const count = (...statuses: Build["status"][]) =>
		tiles.filter(({ build }) => statuses.includes(build.status)).length;
	const passed = count("passed");
	if (passed === tiles.length) return passed === 1 ? "Passing" : `All ${passed} passing`;
	const words = [
		[passed, "passing"],
		[count("running"), "running"],
		[count("queued"), "queued"],
		[count("skipped"), "skipped"],
	] as const;
	const said = words.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`);
	return `No problems: ${said.join(", ")}`;
}

/** How many columns and rows a board has, and on how many pages. */
export interface Grid {
	readonly cols: number;
	readonly rows: number;
	readonly pages: number;
}

/** What a tile needs to be read from across a room, in CSS pixels, and the space between two. */
const least = { width: 220, height: 136 };
const gap = 8;

/**
 * Fills a board of the given size with n tiles as large as they can be. What does not fit goes to
 * further pages, all of one grid.
 */
export function grid(n: number, width: number, height: number, wish?: number): Grid {
	const fit = (space: number, size: number) =>
		Math.max(1, Math.floor((space + gap) / (size + gap)));
	const mostRows = fit(height, least.height);
	const most = wish ?? fit(width, least.width);
	if (n > most * mostRows) {
		return { cols: most, rows: mostRows, pages: Math.ceil(n / (most * mostRows)) };
	}
	let best: Grid = { cols: wish ?? 1, rows: Math.max(1, Math.ceil(n / (wish ?? 1))), pages: 1 };
	let size = 0;
	for (let cols = 1; wish === undefined && cols <= Math.min(n, most); cols++) {
		const rows = Math.ceil(n / cols);
		if (rows > mostRows) continue;
		// Its words use a tile best that is about as wide as a page of a book lying on its side.
		const each = Math.min(width / cols / 1.6, height / rows);
		if (each > size) [best, size] = [{ cols, rows, pages: 1 }, each];
	}
	return best;
}

/** Where the board stands, in pixels: it moves every ten minutes, so that no screen keeps its edges. */
export function shift(now: number): readonly [x: number, y: number] {
	const turn = Math.floor(now / 600_000);
	return [((turn % 3) - 1) * 3, ((Math.floor(turn / 3) % 3) - 1) * 3];
}

/** The steps that failed or were lost. */
export function culprits({ steps }: Tile): readonly Step[] {
	return steps.filter(({ status }) => status === "failed" || status === "lost");
}
