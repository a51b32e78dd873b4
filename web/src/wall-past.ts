import type { Build, BuildsPage } from "./model.ts";
import { get } from "./request.ts";
import { tokenQuery } from "./token.ts";
import { branchOf, type Past, type Tile } from "./wall-state.ts";

const pageSize = 50;
/** What lies further back is not asked for; the board says "at least" then. */
const maxPages = 4;

/** Asks the server for the builds of a branch that passed or failed, back to the last one that passed. */
export async function askForPast({ key, build }: Tile, aborted: AbortSignal): Promise<Past> {
	const builds: Build[] = [];
	let before: string | undefined;
	for (let page = 0; page < maxPages; page++) {
		const query = new URLSearchParams({ project: build.project, limit: String(pageSize) });
		query.append("status", "passed");
		query.append("status", "failed");
		if (build.branch) query.set("branch", build.branch);
		if (before !== undefined) query.set("before", before);
		const path = `/api/v1/builds?${query}${tokenQuery}`;
		const { builds: some, next } = await get<BuildsPage>(path, aborted);
		// There is no way to ask for builds without a branch only.
		builds.push(...some.filter((one) => branchOf(one) === key));
		if (!next || builds.some(({ status }) => status === "passed")) {
			return { kind: "past", key, builds, whole: true };
		}
		before = next;
	}
	return { kind: "past", key, builds, whole: false };
}
