import { mergeSteps } from "../builds-state.ts";
import { type BuildWithSteps, mayFollow, type StreamEvent } from "../model.ts";
import { branchOf, type WallState } from "../wall-state.ts";

/**
 * The newest build of each branch after an event: what wall-state.ts knows, but for what lies before
 * that. That a branch is broken is told by the snapshot, or known from a failure that was seen. One that
 * it has seen changes nothing; what a reset undoes, whoever watches undoes.
 */
export function apply(state: WallState, event: StreamEvent): WallState {
	const snapshot = event.kind === "snapshot";
	const builds: readonly BuildWithSteps[] = snapshot
		? event.data.builds
		: event.kind === "build"
			? [event.data]
			: [];
	const tiles = new Map(state.tiles);
	for (const { steps, broken, ...build } of builds) {
		const key = branchOf(build);
		const { status, number } = build;
		const before = tiles.get(key);
		const same = before?.build.id === build.id;
		if (before && (same ? !mayFollow(before.build.status, status) : before.build.number > number)) {
			continue;
		}
		// A snapshot tells; else what was seen counts.
		const red = status === "failed" || (status !== "passed" && (broken ?? before?.failures.length));
		tiles.set(key, {
			key,
			// The estimate is of the branch, and an event of the feed does not repeat it.
			build: { ...build, expected_s: build.expected_s ?? before?.build.expected_s ?? null },
			steps: mergeSteps(same ? before.steps : [], steps ?? []),
			// Only that there are some is told here, not which.
			failures: red ? [{ number, at: "", author: undefined }] : [],
			passed: 0,
			past: "unknown",
		});
	}
	for (const tile of tiles.values()) {
		if (event.kind === "step" && tile.build.id === event.data.build_id)
			tiles.set(tile.key, { ...tile, steps: mergeSteps(tile.steps, [event.data]) });
	}
	return { ...state, tiles, loaded: state.loaded || snapshot };
}
