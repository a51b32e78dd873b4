import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Page } from "@playwright/test";
import { Relay } from "./relay.ts";
import {
	test as base,
	connectionErrors,
	expect,
	expectLines,
	firstDifference,
	log,
	pageLines,
	Random,
	type Reporter,
	type Server,
} from "./stepcast.ts";
import { noOwnAttempts } from "./viewer.ts";

/**
 * What breaks while somebody watches, and what the page must be like afterwards: the log's text, each
 * line once, and the states that the server has. Each fault says by itself that it struck. With
 * STEPCAST_LONG=1 each lasts for a minute, and then they come again and again.
 */
const long = process.env.STEPCAST_LONG === "1";
/** Whether the faults of a round last. */
const rounds = long ? [true, false, false, false, false] : [false];
/** How long a fault that lasts does, in milliseconds: longer than any silence that is believed. */
const minute = 65_000;
/** What is shown as live was vouched for within 20 s; a page looks every 3 s, and is looked at as often. */
const believed = 20_000 + 6_000;

const state = "stream-state [role=status]";

const test = base.extend<{ relay: Relay }>({
	relay: async ({ server }, use) => {
		const relay = await new Relay(() => server.url).start();
		await use(relay);
		relay.close();
	},
});

const alphabet = [
	"plain",
	"é",
	"日本",
	"😀",
	"e\u0301",
	"\x1b[32mgreen\x1b[0m",
	"\t",
	"<b>",
	"\u05d0",
];

/** A runner that reports without a pause, and repeats what got no answer. It knows what a page must show. */
class Writer {
	readonly build: Reporter;
	/** The steps that get text, and the lines of each, cut where bytes are missing. */
	readonly lines = new Map<string, string[]>();
	/** Requests that were answered, and attempts that were not. */
	answered = 0;
	refused = 0;

	readonly #random: Random;
	/** Steps whose last line has not ended. */
	readonly #open = new Set<string>();
	readonly #notes = new Map<string, number>();
	#others = 0;
	#stopping = false;
	#done: Promise<void> | undefined;

	constructor(build: Reporter, random: Random) {
		this.build = build;
		this.#random = random;
		for (const step of ["compile", "test/linux", "deploy"]) this.lines.set(step, []);
	}

	async start(): Promise<void> {
		for (const step of this.lines.keys()) {
			await this.build.step(step, "running");
			await this.#text(step, Array.from({ length: 400 }, (_, i) => `${step} ${i}\n`).join(""));
		}
		this.#done = this.#run();
		// Who waits for it hears of it; until then it is nobody's.
		this.#done.catch(() => {});
	}

	async finish(): Promise<void> {
		this.#stopping = true;
		await this.#done;
		await this.#again(() => this.build.step("test/linux", "failed", { exit_code: 1 }));
		await this.#again(() => this.build.step("deploy", "canceled"));
		await this.#again(() => this.build.finish("compile", "failed"));
	}

	/** Waits until so many more requests were answered. */
	async more(requests: number): Promise<void> {
		const until = this.answered + requests;
		while (this.answered < until) await Promise.race([wait(20), this.#done]);
	}

	async #run(): Promise<void> {
		while (!this.#stopping) {
			const step = this.#random.of([...this.lines.keys()]);
			const dice = this.#random.below(100);
			if (dice < 3) await this.#hole(step);
			else if (dice < 8) await this.#note(step);
			else if (dice < 12) await this.#other();
			else await this.#text(step, this.#piece());
			await wait(this.#random.below(long ? 200 : 30));
		}
	}

	/** Words, some of them on a line that has not ended, some of them many lines. */
	#piece(): string {
		const words = Array.from({ length: 1 + this.#random.below(30) }, () => {
			const end = this.#random.below(4) === 0 ? "\n" : " ";
			return `${this.#random.of(alphabet)}${this.#random.below(1_000)}${end}`;
		});
		return words.join("");
	}

	async #text(step: string, text: string): Promise<void> {
		await this.#again(() => this.build.log(step, text));
		const lines = this.lines.get(step) ?? [];
		const pieces = text.split("\n");
		for (const [i, piece] of pieces.entries()) {
			const last = i === pieces.length - 1;
			if (last && piece === "") break;
			if (this.#open.delete(step)) lines.push(`${lines.pop()}${piece}`);
			else lines.push(piece);
			if (last) this.#open.add(step);
		}
	}

	async #hole(step: string): Promise<void> {
		await this.#again(() => this.build.lost(step, 1 + this.#random.below(10_000)));
		this.#open.delete(step);
	}

	async #note(step: string): Promise<void> {
		const number = this.#notes.get(step) ?? 0;
		const line = Math.max(1, this.lines.get(step)?.length ?? 1);
		const note = this.#random.of([
			{ line, group: { name: `Group ${number}` } },
			{ line, annotation: { level: "warning", message: `Warning ${number}` } },
			{ line, test: { name: `Test ${number}`, status: "passed" } },
		]);
		await this.#again(() => this.build.send({ note: { step, number, ...note } }));
		this.#notes.set(step, number + 1);
	}

	/** Steps come and go meanwhile. */
	async #other(): Promise<void> {
		const key = `other/${this.#others++}`;
		// The same again when there was no answer: it may have been taken.
		const status = this.#random.of(["passed", "canceled", "queued"]);
		await this.#again(() => this.build.step(key, "running"));
		await this.#again(() => this.build.step(key, status));
	}

	async #again(write: () => Promise<unknown>): Promise<void> {
		for (;;) {
			try {
				await write();
				this.answered++;
				return;
			} catch (error) {
				// A refusal that will not pass is this test's own mistake.
				if (/: 4\d\d /.test(String(error))) throw error;
				this.refused++;
				await wait(50);
			}
		}
	}
}

/** What a page said and showed, moment by moment. */
interface Moment {
	readonly at: number;
	readonly words: string;
	/** How many lines are drawn. */
	readonly drawn: number;
	/** The first line in sight, and how far below the upper edge it is. */
	readonly first: string;
	readonly y: number;
}

/** Has every page of the browser keep a record of what it shows. */
async function watch(page: Page): Promise<void> {
	await page.addInitScript(() => {
		const moments: Moment[] = [];
		Object.assign(globalThis, { moments });
		setInterval(() => {
			const app = document.querySelector("stepcast-app")?.shadowRoot;
			const pill = app?.querySelector("stream-state")?.shadowRoot?.querySelector("[role=status]");
			const page = app?.querySelector("build-page")?.shadowRoot;
			const region = page?.querySelector("step-log")?.shadowRoot?.querySelector("[role=region]");
			if (!region) return;
			const edge = region.getBoundingClientRect().top;
			const lines = [...region.querySelectorAll<HTMLElement>(".line")];
			const first = lines.find((line) => line.getBoundingClientRect().bottom > edge);
			moments.push({
				at: Date.now(),
				words: pill?.textContent ?? "",
				drawn: lines.length,
				first: first?.dataset.line ?? "",
				y: first ? first.getBoundingClientRect().top - edge : 0,
			});
		}, 200);
	});
}

function moments(page: Page): Promise<Moment[]> {
	return page.evaluate(() => (globalThis as unknown as { moments: Moment[] }).moments);
}

/** How many lines the page knows the log to have. */
function known(page: Page): Promise<number> {
	return log(page).evaluate((e) => (e as unknown as { text: { lines: number } }).text.lines);
}

/** Where a fault strikes. */
interface Scene {
	readonly page: Page;
	readonly server: Server;
	readonly relay: Relay;
	readonly writer: Writer;
	/** The address of a page of the same browser, to go away to. */
	readonly elsewhere: string;
}

/** Breaks something and mends it, at once or after a minute, and fails when nothing broke. */
type Fault = (scene: Scene, lasts: boolean) => Promise<void>;

async function sharedWorkers(page: Page): Promise<readonly string[]> {
	const session = await page.context().browser()?.newBrowserCDPSession();
	const found = await session?.send("Target.getTargets");
	await session?.detach();
	const workers = found?.targetInfos.filter(({ type }) => type === "shared_worker") ?? [];
	return workers.map(({ targetId }) => targetId);
}

const faults: Readonly<Record<string, Fault>> = {
	"the server is killed": async ({ page, server, writer }, lasts) => {
		const refused = writer.refused;
		await server.stop("SIGKILL");
		await expect(page.locator(state)).toHaveText("Reconnecting");
		await expect.poll(() => writer.refused).toBeGreaterThan(refused);
		if (lasts) await wait(minute);
		await server.start();
	},

	"PostgreSQL is killed": async ({ server }) => {
		const file = join(server.dataDir, "pg/postmaster.pid");
		const postmaster = () => {
			try {
				return Number(readFileSync(file, "utf8").split("\n")[0]);
			} catch {
				return 0;
			}
		};
		const before = postmaster();
		process.kill(before, "SIGKILL");
		await expect
			.poll(() => postmaster() !== before && postmaster() > 0, { timeout: 60_000 })
			.toBe(true);
		await expect
			.poll(async () => (await fetch(`${server.url}/readyz`).catch(() => undefined))?.ok, {
				timeout: 60_000,
			})
			.toBe(true);
	},

	"nothing gets through": async ({ page, relay, writer }, lasts) => {
		relay.hold();
		const written = () => writer.lines.get("test/linux")?.length ?? 0;
		// A request that was under way may still have been told: it has 30 lines at most.
		const enough = written() + 40;
		while (written() < enough) await writer.more(1);
		expect(await known(page), "nothing came through").toBeLessThan(enough);
		if (lasts) {
			// Not in silence: by then the page must have said so.
			await wait(minute);
			await expect(page.locator(state)).not.toHaveText("Live");
			relay.cut();
		}
		relay.release();
	},

	"the browser has no network": async ({ page, relay, writer }, lasts) => {
		const session = await page.context().newCDPSession(page);
		const offline = (offline: boolean) =>
			session.send("Network.emulateNetworkConditions", {
				offline,
				latency: 0,
				downloadThroughput: -1,
				uploadThroughput: -1,
			});
		await session.send("Network.enable");
		await offline(true);
		// The worker is not the page's, and gets no answer either.
		relay.hold();
		const asked = await page.evaluate(() => fetch("/readyz").then(String, () => "none"));
		expect(asked).toBe("none");
		await writer.more(20);
		if (lasts) await wait(minute);
		relay.cut();
		relay.release();
		await offline(false);
		await session.detach();
	},

	"the page is stopped": async ({ page, writer }, lasts) => {
		// As a debugger stops it, timers, messages and all. Page.setWebLifecycleState does not freeze a page
		// that is visible, as all pages of a headless browser are: it hears of no freeze, and goes on.
		const session = await page.context().newCDPSession(page);
		await session.send("Debugger.enable");
		const stopped = new Promise((resolve) => session.once("Debugger.paused", resolve));
		void session.send("Debugger.pause");
		await stopped;
		await writer.more(20);
		if (lasts) await wait(minute);
		await session.send("Debugger.resume");
		await session.detach();
	},

	"the page goes into the back/forward cache": async ({ page, elsewhere, writer }, lasts) => {
		const address = page.url();
		const mark = Math.random();
		await page.evaluate((mark) => {
			Object.assign(globalThis, { mark });
		}, mark);
		await page.goto(elsewhere);
		await writer.more(20);
		if (lasts) await wait(minute);
		await page.evaluate(() => history.back());
		await page.waitForURL(address, { waitUntil: "commit" });
		const back = () => page.evaluate(() => (globalThis as { mark?: number }).mark);
		expect(await back(), "it is the same page").toBe(mark);
	},

	"the proxy answers 502": async ({ page, relay, writer }, lasts) => {
		let answered = 0;
		relay.answer = () => {
			answered++;
			return 502;
		};
		relay.cut();
		await expect(page.locator(state)).toHaveText("Reconnecting");
		await expect.poll(() => answered, { timeout: 60_000 }).toBeGreaterThan(2);
		await writer.more(20);
		if (lasts) await wait(minute);
		relay.answer = () => "pass";
	},

	"the worker ends": async ({ page }) => {
		const before = await sharedWorkers(page);
		expect(before).toHaveLength(1);
		const session = await page.context().browser()?.newBrowserCDPSession();
		await session?.send("Target.closeTarget", { targetId: before[0] ?? "" });
		await session?.detach();
		await expect.poll(() => sharedWorkers(page)).not.toContain(before[0]);
		await expect.poll(() => sharedWorkers(page), { timeout: 60_000 }).toHaveLength(1);
	},
};

/** The page is live again, and knows of what was written since. */
async function recovered({ page, writer }: Scene, step: string): Promise<void> {
	await expect(page.locator(state)).toHaveText("Live", { timeout: 90_000 });
	const written = writer.lines.get(step)?.length ?? 0;
	await writer.more(1);
	await expect.poll(() => known(page), { timeout: 90_000 }).toBeGreaterThanOrEqual(written - 1);
}

/** What the page says of each step of the build, and of the build. */
function shownStatuses(page: Page): Promise<Record<string, string>> {
	return page.locator("build-page").evaluate((element) => {
		const root = element.shadowRoot;
		const statusOf = (from: Element | null | undefined) =>
			from?.querySelector<HTMLElement & { status: string }>("stepcast-mark")?.status ?? "";
		const links = root?.querySelector("stepcast-tree")?.shadowRoot?.querySelectorAll("a") ?? [];
		const steps = [...links].map((link) => [
			decodeURIComponent(link.hash.slice(1)),
			statusOf(link),
		]);
		return Object.fromEntries([["", statusOf(root?.querySelector("h1"))], ...steps]);
	});
}

async function statuses(server: Server, build: string): Promise<Record<string, string>> {
	const answer = await fetch(`${server.url}/api/v1/builds/${build}`);
	const { status, steps } = (await answer.json()) as {
		status: string;
		steps: { key: string; status: string }[];
	};
	return Object.fromEntries([["", status], ...steps.map(({ key, status }) => [key, status])]);
}

for (const reading of ["the end", "the middle"] as const) {
	test(`whatever breaks while somebody reads ${reading}, the page is exact afterwards`, async ({
		cached,
		server,
		relay,
	}, info) => {
		test.setTimeout(long ? 60 * 60_000 : 240_000);
		const random = new Random();
		info.annotations.push({ type: "seed", description: String(random.seed) });
		console.log(`reading ${reading}: STEPCAST_SEED=${random.seed}`);

		const build = await server.build({ project: "acme/faults", branch: "main" });
		const writer = new Writer(build, random);
		await writer.start();
		const page = await cached.newPage();
		const complaints: string[] = [];
		page.on("pageerror", (error) => complaints.push(String(error.stack)));
		page.on("console", (message) => {
			if (message.type() === "error") complaints.push(message.text());
		});
		await watch(page);
		const step = "test/linux";
		await page.goto(`${relay.url}/builds/${build.id}#${encodeURIComponent(step)}`);
		const scene: Scene = { page, server, relay, writer, elsewhere: `${relay.url}/wall` };
		await recovered(scene, step);
		await expect(log(page).locator(".line").last()).toBeInViewport();
		if (reading === "the middle") {
			await page.evaluate(() => {
				location.hash = "#test%2Flinux:L200";
			});
			await expect(log(page).locator(".line.selected")).toBeInViewport();
			await expect(log(page).locator(".end")).toBeVisible();
		}
		const began = Date.now();

		for (const lasts of rounds) {
			for (const [name, fault] of random.shuffled(Object.entries(faults))) {
				await test.step(name, async () => {
					await fault(scene, lasts);
					await recovered(scene, step);
				});
			}
		}

		const seen = (await moments(page)).filter(({ at }) => at > began);
		expect(
			seen.filter(({ drawn }) => drawn === 0),
			"what was there stayed",
		).toEqual([]);
		for (const [from, to] of relay.silences(believed)) {
			const liar = seen.find(
				({ at, words }) => words === "Live" && at > from + believed && at < to,
			);
			expect(liar, "silence is not called live").toBeUndefined();
		}
		if (reading === "the middle") {
			const places = seen.map(({ first, y }) => `${first} at ${Math.round(y)}`);
			expect([...new Set(places)], "the text in sight stayed where it was").toHaveLength(1);
		} else {
			await expect(log(page).locator(".end")).toHaveCount(0);
			await expect(log(page).locator(".line").last()).toBeInViewport();
		}

		await writer.finish();
		await expect(page.locator(state)).toHaveText("Finished", { timeout: 90_000 });
		await expect.poll(() => shownStatuses(page)).toEqual(await statuses(server, build.id));
		for (const [key, lines] of writer.lines) {
			await page.evaluate(
				(hash) => {
					location.hash = hash;
				},
				`#${encodeURIComponent(key)}`,
			);
			await expect(log(page).locator("h2")).toHaveText(key);
			await expect
				.poll(async () => firstDifference(await pageLines(page), lines), { timeout: 120_000 })
				.toBe("");
		}
		expect(
			complaints.filter((text) => !connectionErrors.some((known) => known.test(text))),
		).toEqual([]);
	});
}

test("what is shown stays until what the page has missed is here", async ({
	page,
	server,
	relay,
	complaints,
}) => {
	test.setTimeout(120_000);
	complaints.expected = connectionErrors;
	const numbered = (from: number, to: number) =>
		Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}\n`).join("");
	const build = await server.build();
	await build.step("s", "running");
	await build.log("s", numbered(1, 500));
	await page.goto(`${relay.url}/builds/${build.id}`);
	const line = (number: number) => log(page).locator(`.line[data-line="${number}"]`);
	await expect(line(500)).toBeInViewport();
	await expect(page.locator(state)).toHaveText("Live");

	// Without its worker the page misses lines, all that are written until it is let in again, and asks for
	// them; there is no answer yet.
	let missing = true;
	let refused = 0;
	relay.answer = (path) => {
		if (missing && path.startsWith("/api/v1/streams")) return 502;
		if (!path.includes("/lines")) return "pass";
		refused++;
		return 502;
	};
	const [worker = ""] = await sharedWorkers(page);
	const session = await page.context().browser()?.newBrowserCDPSession();
	await session?.send("Target.closeTarget", { targetId: worker });
	await expect.poll(() => relay.streams).toHaveLength(0);
	await build.log("s", numbered(501, 4_049));
	// The newest piece of text may come along when it joins again. It is not all of the end.
	await build.log("s", numbered(4_050, 4_050));
	missing = false;
	await expect.poll(() => known(page), { timeout: 60_000 }).toBe(4_050);
	await expect.poll(() => refused).toBeGreaterThan(1);
	await expect(log(page).getByRole("alert")).toContainText("Some lines could not be loaded.");
	await expect(line(500)).toBeInViewport();

	// Each attempt waits longer than the one before it, half a minute in the end.
	relay.answer = () => "pass";
	await expect(line(4_050)).toBeInViewport({ timeout: 45_000 });
	await build.log("s", numbered(4_051, 4_051));
	await expect(line(4_051)).toBeInViewport();
	await build.finish("s");
});

test("what could not be loaded is asked for as soon as the server is there again", async ({
	page,
	server,
	relay,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await server.build();
	await build.step("s", "running");
	await build.log("s", "line\n".repeat(2_000));
	await page.goto(`${relay.url}/builds/${build.id}`);
	await expect(page.locator(state)).toHaveText("Live");
	await expect(log(page).locator('.line[data-line="2000"]')).toBeInViewport();
	await noOwnAttempts(page);
	relay.answer = (path) => (path.includes("/lines") ? 502 : "pass");
	await page.evaluate(() => {
		location.hash = "#s:L1";
	});
	await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
	relay.answer = () => "pass";
	relay.cut();
	await expect(log(page).locator('.line[data-line="1"]')).toBeInViewport();
	await build.finish("s");
});

test("lines that are said to be there and are not are asked for in ever longer intervals", async ({
	page,
	server,
	relay,
}) => {
	const build = await server.build();
	await build.step("s", "running");
	await build.log("s", "line\n".repeat(500));
	await build.finish("s");
	let asked = 0;
	relay.answer = (path) => {
		if (!path.includes("/lines")) return "pass";
		asked++;
		return { page: JSON.stringify({ lines: 500, bytes: 2_500, sgr: "", chunks: [] }) };
	};
	await page.goto(`${relay.url}/builds/${build.id}`);
	await expect.poll(() => asked).toBeGreaterThan(2);
	// The next ones come after seconds: as many frames bring none.
	const before = asked;
	await page.evaluate(async () => {
		for (let frame = 0; frame < 20; frame++) await new Promise(requestAnimationFrame);
	});
	expect(asked).toBeLessThanOrEqual(before + 1);
	relay.answer = () => "pass";
	await expect(log(page).locator('.line[data-line="1"]')).toBeInViewport();
});

test("a reader and a search stay where they are while a history that was rewound is asked for", async ({
	page,
	server,
	relay,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await server.build();
	await build.step("s", "running");
	await build.log("s", Array.from({ length: 1_000 }, (_, i) => `line ${i + 1}\n`).join(""));
	await page.goto(`${relay.url}/builds/${build.id}#s:L500`);
	const line = log(page).locator('.line[data-line="500"]');
	await expect(line).toBeInViewport();
	await expect(page.locator(state)).toHaveText("Live");
	const field = page.getByRole("searchbox", { name: "Search the logs" });
	await field.fill("line 500");
	await expect(page.locator("log-search .count")).toHaveText("1 of 1");
	let goOn: (() => void) | undefined;
	relay.answer = (path) =>
		path === `/api/v1/builds/${build.id}` ? { late: (on) => (goOn = on) } : "pass";
	relay.say(`event: reset\ndata: {"log":"${build.id}","reason":"rewound"}\n\n`, false);
	await expect.poll(() => goOn !== undefined).toBe(true);
	await expect(line).toBeInViewport();
	await expect(field).toBeFocused();
	goOn?.();
	await build.log("s", "line 500 again\n");
	await expect(page.locator("log-search .count")).toHaveText("1 of 2");
	await expect(line).toBeInViewport();
	await expect(field).toBeFocused();
	await build.finish("s");
});

test("ten tabs over HTTP/1.1 are one connection, and seven that go leave the others live", async ({
	context,
	page,
	server,
	relay,
}) => {
	test.setTimeout(120_000);
	const builds: Reporter[] = [];
	const tabs = [page];
	for (let i = 0; i < 8; i++) {
		const build = await server.build({ project: "acme/tabs", branch: `branch-${i}` });
		await build.step("s", "running");
		await build.log("s", `of ${i}\n`);
		builds.push(build);
	}
	while (tabs.length < 10) tabs.push(await context.newPage());
	const [list, wall] = tabs.slice(8) as [Page, Page];
	for (const [i, build] of builds.entries()) await tabs[i]?.goto(`${relay.url}/builds/${build.id}`);
	await list.goto(`${relay.url}/?project=acme/tabs`);
	await wall.goto(`${relay.url}/wall?project=acme/tabs`);
	for (const tab of tabs) await expect(tab.locator(state)).toHaveText("Live");
	await expect.poll(() => relay.streams).toHaveLength(1);
	await expect(list.locator("build-item")).toHaveCount(8);
	await expect(wall.locator("stepcast-tile")).toHaveCount(8);

	const lines = builds.map((_, i) => [`of ${i}`]);
	const told = async (left: readonly number[]) => {
		for (const [i, build] of builds.entries()) {
			await build.log("s", `more of ${i}\n`);
			lines[i]?.push(`more of ${i}`);
		}
		for (const i of left) await expectLines(tabs[i] as Page, lines[i] ?? []);
	};
	await told([0, 1, 2, 3, 4, 5, 6, 7]);
	const asked = relay.asked.length;
	for (const tab of tabs.slice(1, 8)) await tab.close();
	await told([0]);
	for (const tab of [page, list, wall]) await expect(tab.locator(state)).toHaveText("Live");
	await expect
		.poll(() => relay.asked.length, "those that went are asked for no more")
		.toBeGreaterThan(asked);
	await expect.poll(() => relay.streams).toHaveLength(1);
	await told([0]);
	for (const build of builds) await build.finish("s");
	await expect(page.locator(state)).toHaveText("Finished");
	await expect(list.locator("build-item .status").filter({ hasText: "passed" })).toHaveCount(8);
	await expect(wall.locator("stepcast-tile").filter({ hasText: "passed" })).toHaveCount(8);
});

test("text that comes while a second page's state is on its way is shown", async ({
	context,
	page,
	server,
	relay,
}) => {
	const build = await server.build();
	await build.step("s", "running");
	await page.goto(`${relay.url}/builds/${build.id}#s`);
	await expect(page.locator(state)).toHaveText("Live");
	await expect.poll(() => relay.streams).toHaveLength(1);
	// The page asks for the state, and again when it knows of which step it wants the text. After that
	// has been read, and before it arrives, there is the first line.
	let asked = 0;
	const written = async () => {
		await build.log("s", "one\n");
		await expectLines(page, ["one"]);
	};
	relay.answer = (path) =>
		path === `/api/v1/builds/${build.id}` && ++asked === 2
			? { late: (goOn) => void written().then(goOn) }
			: "pass";
	const second = await context.newPage();
	await second.goto(`${relay.url}/builds/${build.id}#s`);
	await expect(second.locator(state)).toHaveText("Live");
	await expectLines(second, ["one"]);
	expect(asked).toBe(2);
	await build.finish("s");
});
