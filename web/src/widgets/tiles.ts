import { mergeSteps } from "../builds-state.ts";
import { type BuildWithSteps, mayFollow, type StreamEvent } from "../model.ts";
import { branchOf, emptyWall, type WallState } from "../wall-state.ts";

/**
 * The newest build of each branch after an event: what wall-state.ts knows, but for what lies before
 * that. That a branch is broken is known when its failure was seen. One that it has seen changes nothing.
 */
export function apply(state: WallState, event: StreamEvent): WallState {
	if (event.kind === "reset") return emptyWall;
	const snapshot = event.kind === "snapshot";
	const builds: readonly BuildWithSteps[] = snapshot
		? event.data.builds
		: event.kind === "build"
			? [event.data]
			: [];
	const tiles = new Map(state.tiles);
	for (const { steps, ...build } of builds) {
		const key = branchOf(build);
		const { status, number } = build;
		const before = tiles.get(key);
		const same = before?.build.id === build.id;
		if (before && (same ? !mayFollow(before.build.status, status) : before.build.number > number)) {
			continue;
		}
		const failure = { number, at: build.created_at, author: undefined };
		tiles.set(key, {
			key,
			// The estimate is of the branch, and an event of the feed does not repeat it.
			build: { ...build, expected_s: build.expected_s ?? before?.build.expected_s ?? null },
			steps: mergeSteps(same ? before.steps : [], steps ?? []),
			failures:
				status === "failed" ? [failure] : status === "passed" ? [] : (before?.failures ?? []),
			passed: 0,
			past: "unknown",
		});
	}
	if (event.kind === "step") {
		for (const tile of tiles.values()) {
			if (tile.build.id !== event.data.build_id) continue;
			tiles.set(tile.key, { ...tile, steps: mergeSteps(tile.steps, [event.data]) });
		}
	}
	return { ...state, tiles, loaded: state.loaded || snapshot };
}
