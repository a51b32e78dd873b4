import { type Build, isStatus, type Status } from "./model.ts";

/** Which builds a list shows. Empty is any. */
export interface Filter {
	/** A project, "acme/*" for all below acme, or "*". */
	readonly project: string;
	readonly branch: string;
	readonly author: string;
	readonly status: Status | "";
}

export const everything: Filter = { project: "", branch: "", author: "", status: "" };

export function same(a: Filter, b: Filter): boolean {
	return (Object.keys(everything) as (keyof Filter)[]).every((name) => a[name] === b[name]);
}

export function isEverything(filter: Filter): boolean {
	return same(filter, everything);
}

/** The filter that an address names; what it does not know, it ignores. */
export function filterFrom(query: URLSearchParams): Filter {
	const word = (name: string) => query.get(name)?.trim() ?? "";
	const status = word("status");
	return {
		project: word("project"),
		branch: word("branch"),
		author: word("author"),
		status: isStatus(status) ? status : "",
	};
}

/** The same in an address, of a page as of GET /api/v1/builds. */
export function filterQuery(filter: Filter): URLSearchParams {
	return new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ""));
}

/** What GET /api/v1/builds would say, about a build that the feed brought. */
export function matches(filter: Filter, build: Build): boolean {
	const { project, branch, author, status } = filter;
	return (
		(project === "" || matchesProject(project, build.project)) &&
		(branch === "" || branch === build.branch) &&
		(author === "" || author === build.author) &&
		(status === "" || status === build.status)
	);
}

function matchesProject(pattern: string, project: string): boolean {
	if (pattern === "*" || pattern === project) return true;
	return pattern.endsWith("/*") && project.startsWith(pattern.slice(0, -1));
}
