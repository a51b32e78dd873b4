import { everything, type Filter, matches } from "./filter.ts";
import {
	type Build,
	type BuildsPage,
	type BuildWithSteps,
	ended,
	type InFeed,
	mayFollow,
	type Step,
	type StreamEvent,
} from "./model.ts";

/** All that the list of builds knows. Values are never changed in place. */
export interface BuildsState {
	/** What the filter lets through, and what may come to fit it because it has not ended. Newest created first. */
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
	readonly filter: Filter;
	/** The ids of the rows that stand still, so that none moves under a pointer; undefined when none has to. */
	readonly frozen: ReadonlySet<string> | undefined;
}

export interface ListedBuild {
	readonly build: Build;
	readonly steps: readonly Step[];
	/** When it was created, in milliseconds since 1970: what the list is sorted by. */
	readonly created: number;
	/** Whether the feed brought it in midst of its life, so that steps may be missing. */
	readonly partial: boolean;
}

export type ListEvent =
	| StreamEvent
	/** A page of the list is true as of its request, so what came since is applied again. */
	| { readonly kind: "page"; readonly data: BuildsPage }
	| { readonly kind: "filter"; readonly data: Filter }
	/** Rows stand still from now on; again, the new ones come in and all stand still. */
	| { readonly kind: "freeze" | "thaw" };

export const emptyList: BuildsState = {
	builds: [],
	loaded: false,
	next: undefined,
	since: 0,
	filter: everything,
	frozen: undefined,
};

/** Builds that a page left open for weeks holds at most; the oldest go first. */
export const maxBuilds = 1_000;

/** The state after an event. One that it has seen leaves it as it is. */
export function apply(state: BuildsState, event: ListEvent): BuildsState {
	switch (event.kind) {
		case "page": {
			const next = event.data.next ?? undefined;
			const oldest = event.data.builds.at(-1);
			const since = next && oldest ? Date.parse(oldest.created_at) : 0;
			const frozen = state.frozen && new Set(state.frozen);
			for (const { id } of event.data.builds) frozen?.add(id);
			return merge({ ...state, loaded: true, next, since, frozen }, event.data.builds);
		}
		case "filter":
			// What is known already shows while its page is on the way.
			return { ...state, filter: event.data, next: undefined, frozen: undefined };
		case "freeze":
			return { ...state, frozen: new Set(fitting(state).map(({ build }) => build.id)) };
		case "thaw":
			return merge({ ...state, frozen: undefined }, []);
		case "snapshot":
			return merge(state, event.data.builds);
		case "build":
			return merge(state, [event.data]);
		case "step":
			return applyStep(state, event.data.build_id, event.data);
		case "reset":
			return { ...emptyList, filter: state.filter };
		default:
			return state;
	}
}

/** The builds to show. */
export function shown(state: BuildsState): readonly ListedBuild[] {
	const { frozen } = state;
	return frozen ? state.builds.filter(({ build }) => frozen.has(build.id)) : fitting(state);
}

/** How many builds wait because the rows stand still. */
export function waiting(state: BuildsState): number {
	const { frozen } = state;
	return frozen ? fitting(state).filter(({ build }) => !frozen.has(build.id)).length : 0;
}

function fitting({ builds, filter }: BuildsState): readonly ListedBuild[] {
	return builds.filter(({ build }) => matches(filter, build));
}

function merge(
	state: BuildsState,
	arrived: readonly (BuildWithSteps & Partial<InFeed>)[],
): BuildsState {
	const known = new Map(state.builds.map((one) => [one.build.id, one]));
	for (const { steps, at, build_id: _, ...build } of arrived) {
		const before = known.get(build.id);
		if (before && !mayFollow(before.build.status, build.status)) continue;
		const created = before?.created ?? Date.parse(build.created_at);
		known.set(build.id, {
			build: before
				? { ...before.build, ...build }
				: { expected_s: expected(state.builds, build), ...build },
			steps: mergeSteps(before?.steps ?? [], steps ?? []),
			created,
			partial: steps ? false : (before?.partial ?? Date.parse(at ?? "") > created),
		});
	}
	const kept = ({ build, created }: ListedBuild) =>
		state.frozen?.has(build.id) ||
		(created >= state.since && (matches(state.filter, build) || !ended(build.status)));
	const builds = [...known.values()].filter(kept).sort(newestFirst).slice(0, maxBuilds);
	return { ...state, builds };
}

/** The feed's events do not say how long a build will take; the one before it on its branch did. */
function expected(builds: readonly ListedBuild[], { project, branch }: Build): number | null {
	const like = builds.filter(({ build }) => build.project === project && build.expected_s);
	const nearest = like.find(({ build }) => build.branch === branch) ?? like[0];
	return nearest?.build.expected_s ?? null;
}

function applyStep(state: BuildsState, id: string | undefined, step: Step): BuildsState {
	// A build that is not listed is older than the list goes back.
	const place = state.builds.findIndex((one) => one.build.id === id);
	const before = state.builds[place];
	if (!before) return state;
	const after = { ...before, steps: mergeSteps(before.steps, [step]) };
	return { ...state, builds: state.builds.with(place, after) };
}

/** Steps after others of the same build arrived. */
export function mergeSteps(known: readonly Step[], arrived: readonly Step[]): readonly Step[] {
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
	return (
		b.created - a.created || b.build.number - a.build.number || (a.build.id < b.build.id ? 1 : -1)
	);
}
