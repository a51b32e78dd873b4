import { filterQuery } from "./filter.ts";
import { type Build, type BuildWithSteps, nameOf, type Status } from "./model.ts";
import { buildPath } from "./route.ts";

/** Something to jump to, or to do. */
export interface Place {
	readonly group: "Steps" | "Builds" | "Projects" | "Actions";
	readonly name: string;
	/** What tells it from others of that name. */
	readonly about: string;
	readonly status?: Status;
	/** Where it is; what is done instead is run. */
	readonly go: string | (() => void);
}

/** So many places of a group are shown; typing on finds the others. */
const most = { Steps: 8, Builds: 6, Projects: 5, Actions: 11 } as const;

/** What to ask the server for, beyond what is known: one build, or a page of them; undefined for nothing. */
export function question(words: string): string | undefined {
	const text = words.trim();
	if (text === "") return undefined;
	if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return `/api/v1/builds/${text}`;
	const [, project = "", number] =
		/^([\w./-]*)\s*#\s*(\d{1,15})$/.exec(text) ?? /^()(\d{1,15})$/.exec(text) ?? [];
	const query = new URLSearchParams(number === undefined ? { branch: text } : { number });
	if (project !== "") query.set("project", project);
	query.set("limit", String(most.Builds));
	return `/api/v1/builds?${query}`;
}

/**
 * What of all places fits the words: every word is somewhere in the name or in what is said about it. A
 * place that was asked for by them fits by the server's word. The best stand first in each group, and
 * the group with the best place before the others.
 */
export function fitting(
	places: readonly Place[],
	asked: readonly Place[],
	words: string,
): readonly Place[] {
	const wanted = words
		.toLowerCase()
		.split(/[\s#]+/)
		.filter(Boolean);
	const known = new Set(places.map(({ go }) => go));
	const scored = [...places, ...asked.filter(({ go }) => !known.has(go))].flatMap((place) => {
		const score = asked.some(({ go }) => go === place.go) ? 0 : fit(place, wanted);
		return score === undefined ? [] : [{ place, score }];
	});
	return (Object.keys(most) as Place["group"][])
		.map((group) => scored.filter(({ place }) => place.group === group).sort(byScore))
		.filter((group) => group.length > 0)
		.sort(([a], [b]) => (a && b ? byScore(a, b) : 0))
		.flatMap((group) => group.slice(0, most[group[0]?.place.group ?? "Actions"]))
		.map(({ place }) => place);
}

function byScore(a: { readonly score: number }, b: { readonly score: number }): number {
	return a.score - b.score;
}

/** 0 when the name begins with the first word, 1 when a word of it does, 2 when it is elsewhere. */
function fit({ name, about }: Place, wanted: readonly string[]): number | undefined {
	const lower = name.toLowerCase();
	const all = `${lower} ${about.toLowerCase()}`;
	if (!wanted.every((word) => all.includes(word))) return undefined;
	const first = wanted[0] ?? "";
	if (lower.startsWith(first)) return 0;
	return lower.split(/[\s/._#-]+/).some((part) => part.startsWith(first)) ? 1 : 2;
}

export function buildPlace(build: BuildWithSteps): Place {
	const steps = build.steps ?? [];
	const title = build.title || steps.map(nameOf).join(", ");
	return {
		group: "Builds",
		name: `${build.project} #${build.number}`,
		about: [build.branch, build.status, title].filter(Boolean).join(" · "),
		status: build.status,
		go: buildPath(build.id),
	};
}

export function stepPlaces(build: Pick<BuildWithSteps, "id" | "steps">): readonly Place[] {
	return (build.steps ?? []).map(({ key, name, status }) => ({
		group: "Steps",
		name: name || key,
		about: name && name !== key ? `${key} · ${status}` : status,
		status,
		go: buildPath(build.id, key),
	}));
}

export function projectPlace(project: string, latest: Build | null): Place {
	return {
		group: "Projects",
		name: project,
		about: latest ? `#${latest.number} ${latest.status}` : "",
		...(latest ? { status: latest.status } : {}),
		go: `/?${filterQuery({ project, branch: "", author: "", status: "" })}`,
	};
}
