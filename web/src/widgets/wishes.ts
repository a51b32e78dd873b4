import type { StreamEvent } from "../model.ts";
import type { Followed } from "../stream.ts";
import { covers } from "../wall-view.ts";

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

/** The server takes so many projects or branches at once; whoever wants more is given all. */
const maxFilters = 100;

/** The least of a log that has all of what each one wants, as a stream's address says it. */
export function union(wanted: readonly Wanted[]): Pick<Followed, "steps" | "filter"> {
	const steps = [...new Set(wanted.flatMap((one) => one.steps ?? []))];
	const tail = Math.max(...wanted.map((one) => (one.steps?.length ? (one.tail ?? Infinity) : 0)));
	return {
		steps,
		filter: [
			...allOr(wanted.map((one) => one.projects ?? [])).map((one) => ["project", one] as const),
			...allOr(wanted.map((one) => one.branches ?? [])).map((one) => ["branch", one] as const),
			...(tail > 0 && tail < Infinity ? [["tail", String(tail)] as const] : []),
		],
	};
}

/** Of several lists each of which names some, or is empty for all, the one that has them all. */
function allOr(lists: readonly (readonly string[])[]): readonly string[] {
	const names = [...new Set(lists.flat())];
	return names.length > maxFilters || lists.some((list) => list.length === 0) ? [] : names;
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
		(projects.length === 0 || projects.some((pattern) => covers(pattern, build.project))) &&
		(branches.length === 0 || branches.includes(build.branch ?? ""))
	);
}

const pattern = /^(\*|(?!(.*\/)?\.\.?(\/|$)|.{201})[\w.-]+(\/[\w.-]+){0,2}(\/([\w.-]+|\*))?)$/;
const stepKey = /^(?!(.*\/)?\.\.?(\/|$)|.{201})[\w.-]+(\/[\w.-]+)*$/;

/** Whether the server takes this. What it refuses would be refused for all who follow the log. */
export function isTaken({ projects = [], steps = [] }: Wanted): boolean {
	return projects.every((text) => pattern.test(text)) && steps.every((text) => stepKey.test(text));
}
