import { stepFragment } from "./fragment.ts";

/** The page that a path names. */
export type Route =
	| { readonly page: "builds" | "wall" | "none" }
	| { readonly page: "build"; readonly id: string };

export function route(path: string): Route {
	if (path === "/") return { page: "builds" };
	if (/^\/wall\/?$/.test(path)) return { page: "wall" };
	const id = /^\/builds\/([^/]+)\/?$/.exec(path)?.[1];
	if (id === undefined) return { page: "none" };
	try {
		return { page: "build", id: decodeURIComponent(id) };
	} catch {
		return { page: "none" };
	}
}

/** The path of a build's page, or of one of its steps there. */
export function buildPath(id: string, step?: string): string {
	return `/builds/${encodeURIComponent(id)}${step === undefined ? "" : stepFragment(step)}`;
}
