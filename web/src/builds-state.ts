import {
	type Build,
	type BuildsPage,
	type BuildWithSteps,
	mayFollow,
	type Step,
	type StreamEvent,
} from "./model.ts";

/** All that the list of builds knows. Values are never changed in place. */
export interface BuildsState {
	/** Newest created first. */
	readonly builds: readonly ListedBuild[];
	/** Whether a page of the list has arrived, so that an empty list means that there are no builds. */
	readonly loaded: boolean;
	/** Where the next older page starts; undefined when there is none. */
	readonly next: string | undefined;
	/**
	 * The oldest moment, in milliseconds since 1970, from which on every build is here. What is older,
	 * as a project's newest build in a snapshot may be, waits for its page: a list has no gaps.
	 */
	readonly since: number;
}

export interface ListedBuild {
	readonly build: Build;
	readonly steps: readonly Step[];
}

/** A page of the list is one more event: true as of its request, so what came since is applied again. */
export type ListEvent = StreamEvent | { readonly kind: "page"; readonly data: BuildsPage };

export const emptyList: BuildsState = { builds: [], loaded: false, next: undefined, since: 0 };

/** Builds that a page left open for weeks holds at most; the oldest go first. */
export const maxBuilds = 1_000;

/** The state after an event. One that it has seen leaves it as it is. */
export function apply(state: BuildsState, event: ListEvent): BuildsState {
	switch (event.kind) {
		case "page": {
			const next = event.data.next ?? undefined;
			const oldest = event.data.builds.at(-1);
			const since = next && oldest ? Date.parse(oldest.created_at) : 0;
			return merge({ ...state, loaded: true, next, since }, event.data.builds);
		}
		case "snapshot":
			return merge(state, event.data.builds);
		case "build":
			return merge(state, [event.data]);
		case "step":
			return applyStep(state, event.data.build_id, event.data);
		case "reset":
			return emptyList;
		default:
			return state;
	}
}

function merge(state: BuildsState, arrived: readonly BuildWithSteps[]): BuildsState {
	const known = new Map(state.builds.map((one) => [one.build.id, one]));
	for (const { steps, ...build } of arrived) {
		const before = known.get(build.id);
		if (before && !mayFollow(before.build.status, build.status)) continue;
		known.set(build.id, { build, steps: mergeSteps(before?.steps ?? [], steps ?? []) });
	}
	const builds = [...known.values()]
		.filter(({ build }) => Date.parse(build.created_at) >= state.since)
		.sort(newestFirst)
		.slice(0, maxBuilds);
	return { ...state, builds };
}

function applyStep(state: BuildsState, id: string | undefined, step: Step): BuildsState {
	// A build that is not listed is older than the list goes back.
	const place = state.builds.findIndex((one) => one.build.id === id);
	const before = state.builds[place];
	if (!before) return state;
	const after = { ...before, steps: mergeSteps(before.steps, [step]) };
	return { ...state, builds: state.builds.with(place, after) };
}

function mergeSteps(known: readonly Step[], arrived: readonly Step[]): readonly Step[] {
	if (arrived.length === 0) return known;
	const steps = new Map(known.map((step) => [step.key, step]));
	for (const step of arrived) {
		const before = steps.get(step.key);
		if (before && !mayFollow(before.status, step.status)) continue;
		steps.set(step.key, { ...before, ...step });
	}
	return [...steps.values()];
}

function newestFirst(a: ListedBuild, b: ListedBuild): number {
	const [x, y] = [Date.parse(a.build.created_at), Date.parse(b.build.created_at)];
	return y - x || b.build.number - a.build.number || (a.build.id < b.build.id ? 1 : -1);
}
