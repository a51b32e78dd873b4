import type { StreamEvent } from "../model.ts";

/**
 * What an element follows: of the feed, which projects (patterns) and branches, where none is all; or a
 * build, by its id, with the text of some steps, where none is no text. Tail is how many lines of text
 * there are at first, of each step; without it, all.
 */
export type Wanted =
	| {
			readonly log: "feed";
			readonly projects: readonly string[];
			readonly branches: readonly string[];
			readonly steps?: undefined;
			readonly tail?: undefined;
	  }
	| {
			readonly log: string;
			readonly steps?: readonly string[] | undefined;
			readonly tail?: number | undefined;
			readonly projects?: undefined;
			readonly branches?: undefined;
	  };

/** What one log is asked for on behalf of all who follow it. Projects and branches: none is all. Steps: none is no text. */
export interface Wishes {
	readonly projects: readonly string[];
	readonly branches: readonly string[];
	readonly steps: readonly string[];
	/** 0: all lines. */
	readonly tail: number;
}

/** The server takes so many projects or branches at once; whoever wants more is given all. */
const maxFilters = 100;

/** The least that has all of what each one wants. */
export function union(wanted: readonly Wanted[]): Wishes {
	const steps = wanted.flatMap((one) => one.steps ?? []);
	const tails = wanted.filter((one) => one.steps?.length).map((one) => one.tail ?? 0);
	return {
		projects: allOr(wanted.map((one) => one.projects ?? [])),
		branches: allOr(wanted.map((one) => one.branches ?? [])),
		steps: [...new Set(steps)],
		tail: tails.includes(0) ? 0 : Math.max(0, ...tails),
	};
}

function allOr(lists: readonly (readonly string[])[]): readonly string[] {
	const names = [...new Set(lists.flat())];
	return names.length > maxFilters || lists.some((list) => list.length === 0) ? [] : names;
}

/** Whether what is asked for has all that somebody wants. */
export function covers(asked: Wishes, wanted: Wanted): boolean {
	const among = (all: readonly string[], some: readonly string[] = []) =>
		all.length === 0 || (some.length > 0 && some.every((one) => all.includes(one)));
	return (
		among(asked.projects, wanted.projects) &&
		among(asked.branches, wanted.branches) &&
		(wanted.steps ?? []).every((step) => asked.steps.includes(step))
	);
}

/** What somebody is told of an event, when it concerns them. */
export function toldOf(wanted: Wanted, event: StreamEvent): StreamEvent | undefined {
	switch (event.kind) {
		case "log":
		case "note":
			return wanted.steps?.includes(event.data.step) ? event : undefined;
		case "snapshot": {
			const builds = event.data.builds.filter((build) => concerns(wanted, build));
			return { ...event, data: { ...event.data, builds } };
		}
		case "build":
			return concerns(wanted, event.data) ? event : undefined;
		default:
			// A step of the feed does not say its branch, and who does not know its build ignores it.
			return event;
	}
}

function concerns(
	{ projects = [], branches = [] }: Wanted,
	build: { readonly project: string; readonly branch?: string | null },
): boolean {
	return (
		(projects.length === 0 || projects.some((pattern) => matches(pattern, build.project))) &&
		(branches.length === 0 || branches.includes(build.branch ?? ""))
	);
}

function matches(pattern: string, project: string): boolean {
	return pattern.endsWith("*") ? project.startsWith(pattern.slice(0, -1)) : project === pattern;
}

/** Whether the server takes this for a pattern of projects. One that it refuses would be refused for all. */
export function isPattern(text: string): boolean {
	return text === "*" || /^[\w.-]+(\/[\w.-]+){0,3}(\/\*)?$/.test(text);
}
