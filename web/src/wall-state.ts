import { mergeSteps } from "./builds-state.ts";
import {
	type Build,
	type BuildWithSteps,
	mayFollow,
	type Step,
	type StreamEvent,
} from "./model.ts";

/** All that a wallboard knows. Values are never changed in place. */
export interface WallState {
	readonly tiles: ReadonlyMap<string, Tile>;
	/** Whether the snapshot has come, so that no tiles means no builds. */
	readonly loaded: boolean;
	/** Whether the snapshot was cut: there are more branches than it holds. */
	readonly truncated: boolean;
}

/** What is known of one branch of a project. */
export interface Tile {
	/** Tells it from all others: branchOf its builds. */
	readonly key: string;
	/** The newest build. */
	readonly build: Build;
	readonly steps: readonly Step[];
	/**
	 * The builds that failed after the last one that passed, oldest first: the first one broke it.
	 * Complete from there on when past is "whole", and no earlier ones are kept than the oldest known.
	 */
	readonly failures: readonly Failure[];
	/** The highest number of a build that is known to have passed; 0: none is. */
	readonly passed: number;
	/** What is known of earlier builds: nothing, some, or all since the last one that passed. */
	readonly past: "unknown" | "part" | "whole";
}

export interface Failure {
	readonly number: number;
	/** When it failed. RFC 3339. */
	readonly at: string;
	readonly author: string | undefined;
}

/**
 * Earlier builds of one branch that passed or failed, from the list of builds, as one more event;
 * whole when they reach back to one that passed, or to the first.
 */
export interface Past {
	readonly kind: "past";
	readonly key: string;
	readonly builds: readonly Build[];
	readonly whole: boolean;
}

export const emptyWall: WallState = { tiles: new Map(), loaded: false, truncated: false };

/** Failures of a branch that are kept: the first, which tells since when, and the newest. */
const maxFailures = 50;

/** The branch of a project that a build belongs to. Neither has a line feed in it. */
export function branchOf({ project, branch }: Pick<Build, "project" | "branch">): string {
	return `${project}\n${branch ?? ""}`;
}

/** The state after an event. One that it has seen leaves it as it is. */
export function apply(state: WallState, event: StreamEvent | Past): WallState {
	switch (event.kind) {
		case "snapshot": {
			const truncated = event.data.truncated ?? false;
			return event.data.builds.reduce(withBuild, { ...state, loaded: true, truncated });
		}
		case "build":
			return withBuild(state, event.data);
		case "step":
			return withStep(state, event.data.build_id, event.data);
		case "past":
			return withPast(state, event);
		case "reset":
			return emptyWall;
		default:
			return state;
	}
}

function withBuild(state: WallState, { steps, ...build }: BuildWithSteps): WallState {
	const key = branchOf(build);
	const before = state.tiles.get(key);
	if (before && before.build.number > build.number) return withTile(state, remember(before, build));
	const same = before?.build.id === build.id;
	if (before && same && !mayFollow(before.build.status, build.status)) return state;
	const tile: Tile = {
		key,
		// The estimate is of the branch, and an event of the feed does not repeat it.
		build: { ...build, expected_s: build.expected_s ?? before?.build.expected_s ?? null },
		steps: mergeSteps(same ? before.steps : [], steps ?? []),
		failures: before?.failures ?? [],
		passed: before?.passed ?? 0,
		past: before?.past ?? "unknown",
	};
	return withTile(state, remember(tile, build));
}

function withStep(state: WallState, id: string | undefined, step: Step): WallState {
	for (const tile of state.tiles.values()) {
		if (tile.build.id === id) {
			return withTile(state, { ...tile, steps: mergeSteps(tile.steps, [step]) });
		}
	}
	return state;
}

function withPast(state: WallState, { key, builds, whole }: Past): WallState {
	const before = state.tiles.get(key);
	if (!before) return state;
	const tile = builds.reduce(remember, before);
	return withTile(state, { ...tile, past: whole || tile.past === "whole" ? "whole" : "part" });
}

function withTile(state: WallState, tile: Tile): WallState {
	if (state.tiles.get(tile.key) === tile) return state;
	return { ...state, tiles: new Map(state.tiles).set(tile.key, tile) };
}

/** Keeps of a build what it says about its branch. */
function remember(tile: Tile, build: Build): Tile {
	const { number, status } = build;
	if (number <= tile.passed) return tile;
	if (status === "passed") {
		return {
			...tile,
			passed: number,
			failures: tile.failures.filter((failure) => failure.number > number),
			// What came between an older one and the newest has yet to be asked for.
			past: number === tile.build.number ? "whole" : tile.past,
		};
	}
	if (status !== "failed" || tile.failures.some((failure) => failure.number === number))
		return tile;
	const at = build.finished_at ?? build.created_at;
	const failure = { number, at, author: build.author ?? undefined };
	const [first = failure, ...others] = [...tile.failures, failure].sort(
		(a, b) => a.number - b.number,
	);
	return { ...tile, failures: [first, ...others.slice(1 - maxFailures)] };
}

/** Whether the builds before the newest have to be asked for: where that passed, they tell nothing. */
export function pastIsUnknown({ past, build }: Tile): boolean {
	return past === "unknown" && build.status !== "skipped";
}
