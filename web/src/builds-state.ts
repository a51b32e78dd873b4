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
}

export interface ListedBuild {
	readonly build: Build;
	readonly steps: readonly Step[];
}

/** A page of the list is one more event: true as of its request, so what came since is applied again. */
export type ListEvent = StreamEvent | { readonly kind: "page"; readonly data: BuildsPage };

export const emptyList: BuildsState = { builds: [], loaded: false, next: undefined };

/** Builds that a page left open for weeks holds at most; the oldest go first. */
export const maxBuilds = 1_000;

/** The state after an event. One that it has seen leaves it as it is. */
export function apply(state: BuildsState, event: ListEvent): BuildsState {
	switch (event.kind) {
		case "page":
			return {
				builds: merge(state.builds, event.data.builds.map(listed)),
				loaded: true,
				next: event.data.next ?? undefined,
			};
		case "snapshot":
			return { ...state, builds: merge(state.builds, event.data.builds.map(listed)) };
		case "build":
			return { ...state, builds: merge(state.builds, [{ build: event.data, steps: [] }]) };
		case "step":
			return applyStep(state, event.data.build_id, event.data);
		case "reset":
			return emptyList;
		default:
			return state;
	}
}

function listed(build: BuildWithSteps): ListedBuild {
	const { steps, ...rest } = build;
	return { build: rest, steps: steps ?? [] };
}

function merge(
	known: readonly ListedBuild[],
	arrived: readonly ListedBuild[],
): readonly ListedBuild[] {
	const builds = new Map(known.map((one) => [one.build.id, one]));
	let added = false;
	for (const { build, steps } of arrived) {
		const before = builds.get(build.id);
		if (!before) added = true;
		if (before && !mayFollow(before.build.status, build.status)) continue;
		builds.set(build.id, { build, steps: mergeSteps(before?.steps ?? [], steps) });
	}
	const all = [...builds.values()];
	return added ? all.sort(newestFirst).slice(0, maxBuilds) : all;
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
