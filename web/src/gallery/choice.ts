import { instant } from "../format.ts";
import type { Build, ProjectsPage } from "../model.ts";

type Project = ProjectsPage["projects"][number];

export const formats = ["html", "markdown", "asciidoc"] as const;
export type Format = (typeof formats)[number];

export const framed = ["status", "board", "steps", "log"] as const;
export type Framed = (typeof framed)[number];

/** Widths of an embed in pixels; 0 is all that there is. */
export const widths = [0, 320, 480, 640, 800] as const;

/** Pages to try an embed on: by the reader's theme, light, dark, and one whose stylesheet spares nothing. */
export const hosts = ["auto", "light", "dark", "hostile"] as const;

/** What somebody chose in the gallery. All of it is in the address; a token is no part of it. */
export interface Choice {
	readonly project: string;
	/** Empty for whichever is newest. */
	readonly branch: string;
	/** The id of a build; empty for the newest of the project and branch. */
	readonly build: string;
	/** The key of a step; empty for the one that there is most to see of. */
	readonly step: string;
	readonly theme: "auto" | "light" | "dark";
	readonly width: (typeof widths)[number];
	readonly host: (typeof hosts)[number];
	readonly format: Format;
	readonly frame: Framed;
}

export const initial: Choice = {
	project: "",
	branch: "",
	build: "",
	step: "",
	theme: "auto",
	width: 0,
	host: "auto",
	format: "html",
	frame: "status",
};

const allowed: { readonly [name in keyof Choice]?: readonly unknown[] } = {
	theme: ["auto", "light", "dark"],
	width: widths,
	host: hosts,
	format: formats,
	frame: framed,
};

/** The choice that an address names. What it names wrongly is as if it were not there. */
export function choiceFrom(query: URLSearchParams): Choice {
	const chosen = Object.entries(initial).map(([name, fallback]) => {
		const word = query.get(name) ?? "";
		const value = typeof fallback === "number" ? Number(word) : word;
		// A list may be of a pattern of projects, an embed is of one.
		const fits = allowed[name as keyof Choice]?.includes(value) ?? !word.endsWith("*");
		return [name, fits ? value : fallback];
	});
	return Object.fromEntries(chosen) as Choice;
}

/** The project to begin with: that of the newest build; empty if there is none. */
export function newestOf(projects: readonly Pick<Project, "name" | "latest">[]): string {
	const at = ({ latest }: Pick<Project, "latest">) => instant(latest?.created_at) ?? 0;
	return [...projects].sort((a, b) => at(b) - at(a))[0]?.name ?? "";
}

/** The branch that a README means, of those that there are; empty if there is none such. */
export function mainOf(builds: readonly Pick<Build, "branch">[]): string {
	return ["main", "master"].find((name) => builds.some(({ branch }) => branch === name)) ?? "";
}

/**
 * The query of the address that names a choice: what is as it was at first is left out. So is the main
 * branch, which is chosen where none is named; an empty one is any.
 */
export function choiceQuery(choice: Choice, main = ""): URLSearchParams {
	const query = new URLSearchParams();
	const first = choice.build === "" ? { ...initial, branch: main } : initial;
	for (const [name, value] of Object.entries(choice)) {
		if (value !== first[name as keyof Choice]) query.set(name, String(value));
	}
	return query;
}

/** Another choice; what hangs on what was changed is chosen anew. */
export function choose(choice: Choice, change: Partial<Choice>): Choice {
	const after = { ...choice, ...change };
	if (after.project !== choice.project) return { ...after, branch: "", build: "", step: "" };
	if (after.branch !== choice.branch) return { ...after, build: "", step: "" };
	if (after.build !== choice.build) return { ...after, step: "" };
	return after;
}
