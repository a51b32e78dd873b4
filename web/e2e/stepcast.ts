import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, test as base, expect, type Locator, type Page } from "@playwright/test";
import { keep, keepFolder, secret, sweeping } from "./sweep.ts";

export const binary =
	process.env.STEPCAST_BIN ?? fileURLToPath(new URL("../../bin/stepcast", import.meta.url));

/** A real `stepcast serve` on a data directory of its own. */
export class Server {
	readonly #dir: string;
	#process: ChildProcess | undefined;
	#stderr = "";
	/** "http://127.0.0.1:port", the same after a restart. */
	url = "";
	token = "";
	/** Where the metrics are, when they are kept. */
	#operators = "";

	/** With more flags, and variables, than it needs. */
	constructor(
		readonly flags: readonly string[] = [],
		readonly env: Readonly<Record<string, string>> = {},
	) {
		this.#dir = mkdtempSync(join(tmpdir(), "stepcast-e2e-"));
		// As root, the embedded PostgreSQL runs as another user, who must be able to come through.
		chmodSync(this.#dir, 0o755);
	}

	/** Where its data, its address and its first token are. */
	get dataDir(): string {
		return join(this.#dir, "data");
	}

	async start(): Promise<void> {
		const listen = this.url === "" ? "127.0.0.1:0" : new URL(this.url).host;
		const data = this.dataDir;
		rmSync(join(data, "address"), { force: true });
		if (sweeping) this.#operators = `127.0.0.1:${await freePort()}`;
		const child = spawn(binary, ["serve", "--data-dir", data, "--listen", listen, ...this.flags], {
			stdio: ["ignore", "ignore", "pipe"],
			env: {
				...process.env,
				STEPCAST_DATABASE_URL: "",
				...this.env,
				...(sweeping ? { STEPCAST_ADMIN_LISTEN: this.#operators } : {}),
			},
		});
		this.#process = child;
		child.stderr?.on("data", (piece) => {
			this.#stderr = (this.#stderr + piece).slice(-10_000);
			keep("log", this.#dir, String(piece));
		});
		await expect(async () => {
			expect(await this.#ready(data), this.#stderr).toBe(true);
		}).toPass({ timeout: 45_000 });
		secret(this.token, ["report", "read", "admin"]);
	}

	async #ready(data: string): Promise<boolean> {
		if (this.#process?.exitCode !== null) throw new Error(`the server ended:\n${this.#stderr}`);
		try {
			const address = readFileSync(join(data, "address"), "utf8").trim();
			this.url = address.startsWith("http") ? address.replace(/\/$/, "") : `http://${address}`;
			this.token = readFileSync(join(data, "token"), "utf8").trim();
			return (await fetch(`${this.url}/readyz`)).ok;
		} catch {
			return false;
		}
	}

	/** Ends the process with the given signal, and waits until it is gone. */
	async stop(signal: NodeJS.Signals): Promise<void> {
		const child = this.#process;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const gone = new Promise((resolve) => child.once("exit", resolve));
		child.kill(signal);
		await gone;
	}

	async remove(): Promise<void> {
		if (sweeping && this.#process?.exitCode === null && this.#process.signalCode === null) {
			const metrics = await fetch(`http://${this.#operators}/metrics`).catch(() => undefined);
			if (metrics) keep("metrics", this.#dir, await metrics.text());
			keepFolder(this.#dir, this.#dir);
		}
		await this.stop("SIGTERM");
		rmSync(this.#dir, { recursive: true, force: true });
	}

	async build(fields: Record<string, unknown> = {}): Promise<Reporter> {
		const id = randomUUID();
		const answer = await this.post("/api/v1/builds", { id, project: "e2e", ...fields });
		return new Reporter(this, answer.id as string, answer.number as number);
	}

	post(path: string, body: unknown): Promise<Record<string, unknown>> {
		return this.send("POST", path, body);
	}

	/** Every write can be repeated blindly, so one that got no answer is. */
	async send(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
		const write = () =>
			fetch(this.url + path, {
				method,
				headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
				...(body === undefined ? {} : { body: JSON.stringify(body) }),
			});
		const response = await write().catch(write);
		const text = await response.text();
		if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
		return text === "" ? {} : JSON.parse(text);
	}

	/** Runs a command under `stepcast run`, and answers with its exit code and what it printed. */
	async run(flags: readonly string[], command: readonly string[]): Promise<Ran> {
		const child = spawn(binary, ["run", ...flags, "--", ...command], {
			stdio: ["ignore", "pipe", "ignore"],
			env: {
				...process.env,
				STEPCAST_URL: this.url,
				STEPCAST_TOKEN: this.token,
				STEPCAST_SPOOL_DIR: join(this.#dir, "spool"),
			},
		});
		const printed: Buffer[] = [];
		child.stdout.on("data", (piece) => printed.push(piece));
		const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
		return { code, stdout: Buffer.concat(printed) };
	}

	/** The words of a step's log, decoded as a stream shows them. */
	async logLines(build: string, step: string): Promise<string[]> {
		const response = await fetch(
			`${this.url}/api/v1/builds/${build}/steps/${encodeURIComponent(step)}/log`,
		);
		if (!response.ok) throw new Error(`GET …/log: ${response.status}`);
		const lines = new TextDecoder("utf-8", { ignoreBOM: true })
			.decode(await response.arrayBuffer())
			.split("\n");
		if (lines.at(-1) === "") lines.pop();
		return lines;
	}
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

interface Ran {
	readonly code: number | null;
	readonly stdout: Buffer;
}

/** What a runner says about one build. */
export class Reporter {
	readonly #server: Server;
	readonly id: string;
	readonly number: number;
	readonly #offsets = new Map<string, number>();

	constructor(server: Server, id: string, number: number) {
		this.#server = server;
		this.id = id;
		this.number = number;
	}

	get url(): string {
		return `${this.#server.url}/builds/${this.id}`;
	}

	send(...updates: unknown[]): Promise<unknown> {
		return this.#server.post(`/api/v1/builds/${this.id}/updates`, { updates });
	}

	step(key: string, status: string, more: Record<string, unknown> = {}): Promise<unknown> {
		return this.send({ step: { key, status, ...more } });
	}

	/** Appends bytes to a step's log, in requests that the server accepts. */
	async log(step: string, content: string | Uint8Array): Promise<void> {
		const bytes = typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
		for (let from = 0; from < bytes.length; from += 500_000) {
			const piece = bytes.subarray(from, from + 500_000);
			const offset = this.#offsets.get(step) ?? 0;
			await this.send({ log: { step, offset, base64: piece.toString("base64") } });
			this.#offsets.set(step, offset + piece.length);
		}
	}

	async lost(step: string, bytes: number): Promise<void> {
		const offset = this.#offsets.get(step) ?? 0;
		await this.send({ log: { step, offset, lost: bytes } });
		this.#offsets.set(step, offset + bytes);
	}

	async finish(step: string, status = "passed"): Promise<void> {
		const exit_code = status === "passed" ? 0 : 1;
		await this.send(
			{ step: { key: step, status, exit_code, log_bytes: this.#offsets.get(step) ?? 0 } },
			{ build: { status } },
		);
	}
}

/** Numbers that look random, and come again with the same seed: STEPCAST_SEED, by default another each time. */
export class Random {
	readonly seed = Number(process.env.STEPCAST_SEED ?? Date.now() % 2 ** 31);
	#state = this.seed;

	/** A whole number from 0 to one less than that: the top of a 31-bit linear congruential generator. */
	below(limit: number): number {
		this.#state = (this.#state * 48_271) % 2_147_483_647 || 1;
		return Math.floor((this.#state / 2_147_483_647) * limit);
	}

	of<T>(choices: readonly T[]): T {
		return choices[this.below(choices.length)] as T;
	}

	shuffled<T>(all: readonly T[]): T[] {
		const rest = [...all];
		return all.map(() => rest.splice(this.below(rest.length), 1)[0] as T);
	}
}

interface Complaints {
	/** Complaints that the test expects and does not want to fail for. */
	expected: RegExp[];
	readonly heard: string[];
}

export const test = base.extend<
	{ complaints: Complaints; kept: undefined; cached: Browser },
	{ server: Server }
>({
	server: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
		async ({}, use) => {
			const server = new Server();
			await server.start();
			await use(server);
			await server.remove();
		},
		{ scope: "worker", timeout: 60_000 },
	],
	/** A browser with a back/forward cache, which Playwright otherwise switches off. */
	cached: async ({ playwright }, use, info) => {
		const browser = await playwright.chromium.launch({
			...info.project.use.launchOptions,
			ignoreDefaultArgs: ["--disable-back-forward-cache"],
		});
		await use(browser);
		await browser.close();
	},
	/** What all pages ask for, and say on their consoles, is kept. */
	kept: [
		async ({ context }, use, { titlePath }) => {
			const place = titlePath.join(" › ");
			if (sweeping) {
				const refused: Promise<void>[] = [];
				context.on("request", (request) => keep("address", place, request.url()));
				context.on("console", (message) => keep("log", place, message.text()));
				context.on("response", (response) => {
					if (response.status() < 400) return;
					const text = response.text().catch(() => ""); // of a page that has gone
					refused.push(text.then((text) => keep("answer", place, text)));
				});
				await use(undefined);
				await Promise.all(refused);
			} else {
				await use(undefined);
			}
		},
		{ auto: true },
	],
	/** No page may complain: no error on the console, none thrown, no breach of the policy. */
	complaints: [
		async ({ page }, use) => {
			const complaints: Complaints = { expected: [], heard: [] };
			page.on("console", (message) => {
				if (message.type() === "error") complaints.heard.push(message.text());
			});
			page.on("pageerror", (error) => complaints.heard.push(String(error.stack)));
			await page.addInitScript(() => {
				addEventListener("securitypolicyviolation", (event) => {
					console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
				});
			});
			await use(complaints);
			const unexpected = complaints.heard.filter(
				(text) => !complaints.expected.some((known) => known.test(text)),
			);
			expect(unexpected).toEqual([]);
		},
		{ auto: true },
	],
});

/** What a page that loses its connection cannot help to print. */
export const connectionErrors = [/net::ERR_/, /status of \d+/];

export { expect };

export function log(page: Page): Locator {
	return page.locator("step-log");
}

/** The lines of the log in the page, read as a person would: from its start to its end. */
export function pageLines(page: Page): Promise<string[]> {
	return log(page).evaluate(async (element) => {
		const region = element.shadowRoot?.querySelector("[role=region]");
		if (!region) return [];
		const drawn = () =>
			new Promise<void>((resolve) =>
				requestAnimationFrame(() => requestAnimationFrame(() => resolve())),
			);
		// By number, because a hole cuts a line in two of the same number.
		const lines = new Map<number, string[]>();
		region.scrollTop = 0;
		for (;;) {
			do await drawn();
			while (region.querySelector(".waiting"));
			const here = new Map<number, string[]>();
			for (const line of region.querySelectorAll<HTMLElement>(".line")) {
				const number = Number(line.dataset.line);
				here.set(number, [...(here.get(number) ?? []), line.textContent ?? ""]);
			}
			for (const [number, texts] of here) lines.set(number, texts);
			const { scrollTop, clientHeight, scrollHeight } = region;
			if (scrollTop + clientHeight >= scrollHeight - 1) break;
			// On to the last line that is in the document, or a little further when that is the first.
			const last = [...region.querySelectorAll(".line")].at(-1)?.getBoundingClientRect().top ?? 0;
			const on = last - region.getBoundingClientRect().top - 1;
			region.scrollTop += Math.max(on, clientHeight * 0.9);
		}
		return [...lines].sort(([a], [b]) => a - b).flatMap(([, texts]) => texts);
	});
}

/** Waits until the page shows exactly the given lines; for many of them longer, as they are all scrolled to. */
export async function expectLines(page: Page, want: readonly string[]): Promise<void> {
	await expect
		.poll(async () => firstDifference(await pageLines(page), want), {
			timeout: 15_000 + 5 * want.length,
		})
		.toBe("");
}

/** Where two texts differ, as words short enough to read in a failed test. */
export function firstDifference(have: readonly string[], want: readonly string[]): string {
	const at = Array.from({ length: Math.max(have.length, want.length) }).findIndex(
		(_, i) => have[i] !== want[i],
	);
	if (at < 0) return "";
	const brief = (line: string | undefined) => JSON.stringify(line?.slice(0, 200));
	return `line ${at + 1}: the page has ${brief(have[at])}, the log ${brief(want[at])}`;
}
