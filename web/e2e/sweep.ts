import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * Keeps what could hold a secret, for the search at the end of scripts/test: see internal/sweep,
 * which says what each kind is. Without such a run nothing is kept.
 */
const folder = process.env.STEPCAST_SWEEP ?? "";

/** Whether something is kept. */
export const sweeping = folder !== "";

type Kind = "database" | "log" | "answer" | "address" | "metrics" | "disk";

export function keep(kind: Kind, place: string, text: string): void {
	if (!sweeping) return;
	mkdirSync(join(folder, kind), { recursive: true });
	const name = encodeURIComponent(place).slice(0, 200);
	appendFileSync(join(folder, kind, name), `${text}\n`);
}

/** Says of a text that it is secret; one of the scope status may stand in addresses. */
export function secret(text: string, scopes: readonly string[]): void {
	if (!sweeping) return;
	const status = scopes.length === 1 && scopes[0] === "status";
	appendFileSync(join(folder, "secrets"), `${status ? "status " : ""}${text}\n`);
}

/** Keeps the files of a data directory, the rows in its database, and the spools beside it. */
export function keepFolder(place: string, dir: string): void {
	if (!sweeping) return;
	const data = join(dir, "data");
	const from = ["--host", join(data, "run"), "--username", "stepcast", "stepcast"];
	const dump = execFileSync("pg_dump", ["--data-only", "--no-sync", ...from], {
		encoding: "latin1",
		maxBuffer: 1 << 30,
		stdio: ["ignore", "pipe", "pipe"],
	});
	keep("database", place, dump);
	for (const path of readdirSync(dir, { recursive: true, withFileTypes: true })) {
		const name = relative(dir, join(path.parentPath, path.name));
		const another = /^data\/(pg|run|token$)/.test(name);
		if (!path.isFile() || another) continue;
		const kind = path.name.startsWith("postgres.log") ? "log" : "disk";
		keep(kind, place, readFileSync(join(dir, name), "latin1"));
	}
}

/** Keeps what a test's own requests are answered with, but for successes, and the tokens that they make. */
if (sweeping) {
	const real = globalThis.fetch;
	globalThis.fetch = async (input, init) => {
		const response = await real(input, init);
		const url = response.url || String(input);
		if (response.status >= 300) keep("answer", url.slice(0, 80), await response.clone().text());
		if (init?.method === "POST" && url.endsWith("/tokens") && response.ok) {
			const made = (await response.clone().json()) as { token: string; scopes: string[] };
			secret(made.token, made.scopes);
		}
		return response;
	};
}
