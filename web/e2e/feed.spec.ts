import { type ChildProcess, execFile, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Relay } from "./relay.ts";
import { binary, connectionErrors, expect, Random, type Server, test } from "./stepcast.ts";

// What docs/feed.md gives to people who read the feed with a program of their own.
const example = (name: string) =>
	fileURLToPath(new URL(`../../docs/examples/${name}`, import.meta.url));

/** Lets anybody read a project. */
async function publish(server: Server, project: string): Promise<void> {
	const response = await fetch(`${server.url}/api/v1/projects/${project}`, {
		method: "PATCH",
		headers: { Authorization: `Bearer ${server.token}`, "Content-Type": "application/json" },
		body: JSON.stringify({ visibility: "public" }),
	});
	if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}

test("a page of another site in 30 lines shows every project's newest build", async ({
	page,
	server,
	complaints,
}) => {
	// A proxy's 502 has no header that would let another site read it.
	complaints.expected = [...connectionErrors, /blocked by CORS policy/];
	const source = readFileSync(example("board.html"), "utf8");
	expect(source.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
	expect(source).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write/);
	const site = createServer((_, response) => {
		response.setHeader("Content-Type", "text/html");
		response.end(source);
	});
	await new Promise<void>((resolve) => site.listen(0, resolve));
	const relay = await new Relay(() => server.url).start();

	const api = await server.build({ project: "own/api", branch: "main" });
	await api.finish("test", "failed");
	const web = await server.build({ project: "own/web", branch: "<b>next</b>" });
	await server.build({ project: "own/secret" });
	for (const project of ["own/api", "own/web"]) await publish(server, project);

	// Not this server's name: to the browser this is another site.
	const port = (site.address() as AddressInfo).port;
	await page.goto(`http://localhost:${port}/?server=${relay.url}&project=own/*`);
	const rows = page.locator("tbody tr");
	const state = page.getByRole("status");
	await expect(state).toHaveText("Live");
	await expect(rows).toHaveText(["own/api #1failedmain", "own/web #1queued<b>next</b>"]);
	await web.step("test", "running");
	await expect(rows.nth(1)).toHaveText("own/web #1running<b>next</b>");
	const second = await server.build({ project: "own/api", branch: "dev" });
	await expect(rows.first()).toHaveText("own/api #2queueddev");
	// What an older build does later is not what the project is like now.
	await api.send({ build: { title: "late" } });
	await second.finish("test");
	await expect(rows.first()).toHaveText("own/api #2passeddev");
	await expect(page.getByRole("link", { name: "own/api #2" })).toHaveAttribute(
		"href",
		`${relay.url}/builds/${second.id}`,
	);

	// The server asks for patience; then it ends, in no good way, and comes back.
	relay.say("retry: 50\n\nevent: unavailable\ndata: {}\n\n", true);
	await expect(state).toHaveText("Live");
	await server.stop("SIGKILL");
	await expect(state).toHaveText("Not connected: what is shown may be old.");
	await server.start();
	await web.finish("test");
	await expect(rows.nth(1)).toHaveText("own/web #1passed<b>next</b>");
	await expect(state).toHaveText("Live");

	// What it knew is of a history that is past.
	await server.stop("SIGTERM");
	await promisify(execFile)(binary, ["admin", "new-epoch", "--data-dir", server.dataDir], {
		env: { ...process.env, STEPCAST_DATABASE_URL: "" },
	});
	await server.start();
	await server.build({ project: "own/api", branch: "main" });
	await expect(rows).toHaveText(["own/api #3queuedmain", "own/web #1passed<b>next</b>"]);
	await expect(state).toHaveText("Live");

	for (const colorScheme of ["light", "dark"] as const) {
		await page.emulateMedia({ colorScheme });
		await page.screenshot({ path: `test-results/feed-board-${colorScheme}.png` });
	}
	relay.close();
	site.closeAllConnections();
	site.close();
});

/** The script of docs/examples, which is started and killed at any moment. */
class Script {
	readonly #server: Server;
	readonly #file: string;
	#process: ChildProcess | undefined;
	stderr = "";

	constructor(server: Server, file: string) {
		this.#server = server;
		this.#file = file;
	}

	start(): void {
		const child = spawn(process.execPath, [example("finished.mjs"), this.#file, "done/*"], {
			stdio: ["ignore", "ignore", "pipe"],
			env: { ...process.env, STEPCAST_URL: this.#server.url, STEPCAST_TOKEN: this.#server.token },
		});
		child.stderr?.on("data", (piece) => {
			this.stderr += piece;
		});
		this.#process = child;
	}

	async kill(): Promise<void> {
		const child = this.#process;
		if (!child) return;
		const gone = new Promise((resolve) => child.once("exit", resolve));
		child.kill("SIGKILL");
		await gone;
	}

	/** The lines of its file that tell of a build. */
	lines(): { after: string; build: string; status: string }[] {
		if (!existsSync(this.#file)) return [];
		const whole = readFileSync(this.#file, "utf8").split("\n").slice(0, -1);
		return whole.map((line) => JSON.parse(line)).filter(({ build }) => build);
	}
}

test("a script that is killed at random hears of each build that ends exactly once", async ({
	server,
}) => {
	const random = new Random();
	console.log(`STEPCAST_SEED=${random.seed}`);
	const folder = mkdtempSync(join(tmpdir(), "stepcast-feed-"));
	const file = join(folder, "builds.jsonl");
	const before = await server.build({ project: "done/a" });
	await before.finish("test"); // before it began: no news
	const script = new Script(server, file);
	script.start();
	await expect.poll(() => existsSync(file) && readFileSync(file, "utf8")).toMatch(/\n$/);

	const want: string[] = [];
	for (let round = 0; round < 12; round++) {
		const reported = Array.from({ length: 1 + random.below(6) }, async () => {
			const status = random.of(["passed", "failed", "canceled"]);
			const build = await server.build({ project: `done/${random.of(["a", "b/c"])}` });
			want.push(`${build.id} ${status}`);
			await build.step("test", "running");
			await build.send({ build: { status } });
			await build.send({ build: { title: "a later event" } }); // no news either
			await (await server.build({ project: "elsewhere" })).finish("test");
		});
		// Meanwhile.
		await Promise.all(reported.slice(0, random.below(reported.length)));
		if (random.below(4) > 0) {
			await script.kill();
			if (random.below(3) === 0) appendFileSync(file, '{"after":"cut o'); // in the middle of a line
			script.start();
		}
		await Promise.all(reported);
		if (round % 5 === 4) {
			await server.stop(random.of(["SIGKILL", "SIGTERM"]));
			await server.start();
		}
	}
	const heard = () => script.lines().map(({ build, status }) => `${build} ${status}`);
	await expect.poll(() => heard().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(want.length);
	// The last of all: whatever comes twice has come by then.
	await script.kill();
	script.start();
	const last = await server.build({ project: "done/a" });
	await last.finish("test");
	want.push(`${last.id} passed`);
	await expect.poll(() => heard().at(-1)).toBe(want.at(-1));
	expect(heard().toSorted()).toEqual(want.toSorted());
	expect(script.stderr).toBe("");
	await script.kill();
	rmSync(folder, { recursive: true });
});
