import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { Relay } from "./relay.ts";
import {
	test as base,
	connectionErrors,
	expect,
	expectLines,
	log,
	type Reporter,
	type Server,
} from "./stepcast.ts";

/** A relay before the server, and the address of a build's page through it. */
const test = base.extend<{ relay: Relay; through: (build: Reporter) => string }>({
	relay: async ({ server }, use) => {
		const relay = await new Relay(() => server.url).start();
		await use(relay);
		relay.close();
	},
	through: async ({ relay }, use) => {
		await use((build) => `${relay.url}/builds/${build.id}`);
	},
});

const state = "stream-state [role=status]";

/** The row of a build in the list: other projects have builds of the same number. */
function inList(list: Page, build: Reporter) {
	return list.locator("build-item").filter({ has: list.locator(`a[href="/builds/${build.id}"]`) });
}

test("EventSource: exact text, resuming, and 204 after the end", async ({ page, server }) => {
	const build = await server.build();
	const texts = [
		"a\r\nb\rc\n",
		"\u0000\u2028\u2029\ufeff\u{1f600}\n",
		"data: x\n\nid: 9\n: y\n",
		"é",
	];
	await build.step("s", "running");
	for (const text of texts) await build.log("s", text);
	await build.step("empty", "passed", { log_bytes: 0 });
	await build.finish("s");
	await page.goto(server.url);
	const heard = await page.evaluate(async (path) => {
		const heard: { kind: string; id: string; text?: string }[] = [];
		const read = (url: string, until: (kind: string) => boolean) =>
			new Promise<EventSource>((resolve) => {
				const source = new EventSource(url);
				for (const kind of ["build", "step", "log", "live", "end"]) {
					source.addEventListener(kind, (event) => {
						heard.push({ kind, id: event.lastEventId, text: JSON.parse(event.data).text });
						if (until(kind)) resolve(source);
					});
				}
			});
		// As far as the second chunk, then from its id on.
		let logs = 0;
		const first = await read(path, (kind) => kind === "log" && ++logs === 2);
		first.close();
		const second = await read(`${path}?after=${heard.at(-1)?.id}`, (kind) => kind === "end");
		// Left open, it comes back by itself, is told 204 and ends for good.
		await new Promise<void>((resolve) => {
			second.addEventListener("error", () => {
				if (second.readyState === EventSource.CLOSED) resolve();
			});
		});
		return heard;
	}, `/api/v1/builds/${build.id}/events`);
	const text = heard.map((event) => event.text ?? "").join("");
	expect(text).toBe(texts.join(""));
	const ids = heard.filter(({ kind }) => kind !== "live" && kind !== "end").map(({ id }) => id);
	expect(new Set(ids).size).toBe(ids.length);
	expect(heard.at(-1)?.kind).toBe("end");
});

/** The page goes without a worker: its hub lives in the page, and goes by the page's clock. */
async function withoutWorker(page: Page): Promise<void> {
	await page.addInitScript(() => {
		delete (globalThis as { SharedWorker?: unknown }).SharedWorker;
	});
}

/**
 * Runs the worker's file in the page, as if no worker could be shared: page.clock reaches a page, and no
 * worker.
 */
async function workerInPage(page: Page): Promise<void> {
	const assets = fileURLToPath(new URL("../dist/assets/", import.meta.url));
	const name = readdirSync(assets).find((file) => file.startsWith("hub-worker-")) ?? "";
	const file = readFileSync(assets + name, "utf8");
	await page.addInitScript(`{
		let join;
		((addEventListener) => { ${file} })((name, listener) => {
			if (name === "connect") join = listener;
			else globalThis.addEventListener(name, listener);
		});
		globalThis.SharedWorker = class extends EventTarget {
			constructor() {
				super();
				const { port1, port2 } = new MessageChannel();
				this.port = port1;
				join(new MessageEvent("connect", { ports: [port2] }));
			}
		};
	}`);
}

/** A build with a step that runs, and a line in its log. */
async function running(server: Server, line = "one\n"): Promise<Reporter> {
	const build = await server.build();
	await build.step("s", "running");
	await build.log("s", line);
	return build;
}

/** Waits until one stream carries the text of so many builds. */
async function carried(relay: Relay, builds: number): Promise<void> {
	const texts = () => relay.streams.map((path) => path.match(/step=s/g)?.length ?? 0);
	await expect.poll(texts).toEqual([builds]);
}

/** Waits until the page has heard the last of these lines by the stream that carries the step's text. */
async function heard(
	page: Page,
	relay: Relay,
	build: Reporter,
	lines: readonly string[],
): Promise<void> {
	await carried(relay, 1);
	await build.log("s", `${lines.at(-1)}\n`);
	await expectLines(page, lines);
}

async function finished(page: Page, server: Server, build: Reporter): Promise<void> {
	await build.finish("s");
	await expect(page.locator(state)).toHaveText("Finished");
	await expectLines(page, await server.logLines(build.id, "s"));
}

test("unavailable, reset and end", async ({ page, server, relay, through, complaints }) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one"]);
	await build.log("s", "two\n");
	await expectLines(page, ["one", "two"]);

	// The server asks for patience: the EventSource comes back by itself, with what it saw last.
	relay.say("retry: 50\nevent: unavailable\ndata: {}\n\n", true);
	await expect.poll(() => relay.asked.at(-1)?.after).toMatch(/^\w+-\d+$/);
	await expect(page.locator(state)).toHaveText("Live");
	await build.log("s", "three\n");
	await expectLines(page, ["one", "two", "three"]);

	// History was rewound: the page asks for what is, and the stream goes on from there.
	const before = relay.asked.length;
	relay.say(`event: reset\ndata: {"log":"${build.id}","reason":"rewound"}\n\n`, false);
	await expect.poll(() => relay.asked.length).toBe(before + 1);
	await expect(page.locator(state)).toHaveText("Live");
	await build.log("s", "four\n");
	await expectLines(page, ["one", "two", "three", "four"]);

	await finished(page, server, build);
	await expect(page.locator("stream-state")).toContainText(/Finished \d\d:\d\d/);
	await expect.poll(() => relay.streams).toHaveLength(0);
	const asked = relay.asked.length;
	await page.evaluate(() => dispatchEvent(new Event("online")));
	await page.evaluate(() => dispatchEvent(new Event("stepcast-retry")));
	await page.reload();
	await expect(page.locator(state)).toHaveText("Finished");
	await expectLines(page, ["one", "two", "three", "four"]);
	expect(relay.asked.length, "what has ended needs no stream").toBe(asked);
});

test("a proxy's 502 passes, and the stream goes on at its cursor", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await page.goto(through(build));
	await expectLines(page, ["one"]);
	await expect(page.locator(state)).toHaveText("Live");
	await carried(relay, 1);
	relay.answer = () => 502;
	relay.cut();
	await expect(page.locator(state)).toHaveText("Reconnecting");
	await build.log("s", "two\n");
	// Attempts go on, at a pace that is shown.
	await expect(page.locator("stream-state")).toContainText(/Reconnecting in \d+ s/);
	const asked = relay.asked.length;
	await expect.poll(() => relay.asked.length).toBeGreaterThan(asked + 1);
	await expectLines(page, ["one"]);
	// The pages answer again, the stream does not yet.
	relay.answer = (path) => (path.startsWith("/api/v1/streams") ? 502 : "pass");
	await build.log("s", "three\n");
	await build.finish("s");
	const still = relay.asked.length;
	await page.getByRole("button", { name: "Retry now" }).click();
	await expect.poll(() => relay.asked.length).toBeGreaterThan(still);
	await expect(page.locator(state)).toHaveText("Reconnecting");
	relay.answer = () => "pass";
	await expect(page.locator(state)).toHaveText("Finished", { timeout: 40_000 });
	await expectLines(page, ["one", "two", "three"]);
});

test("the list begins anew when the feed's history was rewound", async ({
	page,
	server,
	relay,
}) => {
	const build = await running(server);
	await page.goto(relay.url);
	const item = inList(page, build);
	await expect(item.locator(".status")).toHaveText("running");
	await expect(page.locator(state)).toHaveText("Live");
	const asked = relay.asked.length;
	relay.say('event: reset\ndata: {"log":"feed","reason":"expired"}\n\n', false);
	await expect.poll(() => relay.asked.length).toBe(asked + 1);
	await expect(page.locator(state)).toHaveText("Live");
	await build.finish("s");
	await expect(item.locator(".status")).toHaveText("passed");
});

for (const [status, words] of [
	[400, "No such build"],
	[401, "Not signed in"],
	[403, "Not available"],
	[404, "No such build"],
] as const) {
	test(`${status} is said, and not asked for again`, async ({
		page,
		server,
		relay,
		through,
		complaints,
	}) => {
		complaints.expected = connectionErrors;
		const build = await running(server);
		relay.answer = (path) => (path.startsWith("/api/") ? status : "pass");
		await page.goto(through(build));
		await expect(page.getByRole("heading", { name: words })).toBeVisible();
		await expect(page.locator(state)).toHaveText(status === 401 ? words : "Not available");
		expect(relay.paths.filter((path) => path.startsWith("/api/"))).toEqual([
			`/api/v1/builds/${build.id}`,
		]);
	});
}

for (const [status, found] of [
	[401, "on reconnecting"],
	[404, "on reconnecting"],
	[404, "after its history was rewound"],
] as const) {
	test(`${status} for one of two builds ${found}: the other goes on`, async ({
		page,
		context,
		server,
		relay,
		through,
		complaints,
	}) => {
		complaints.expected = connectionErrors;
		const [gone, stays] = [await running(server), await running(server)];
		const other = await context.newPage();
		await page.goto(through(gone));
		await other.goto(through(stays));
		await expect(page.locator(state)).toHaveText("Live");
		await expect(other.locator(state)).toHaveText("Live");
		await carried(relay, 2);
		relay.answer = (path) => (path.includes(gone.id) ? status : "pass");
		if (found === "on reconnecting") relay.cut();
		else relay.say(`event: reset\ndata: {"log":"${gone.id}","reason":"rewound"}\n\n`, false);
		const [words, why] =
			status === 401
				? ["Not signed in", "Your access has ended"]
				: ["Not available", "The build is gone"];
		await expect(page.locator(state)).toHaveText(words, { timeout: 40_000 });
		await expect(log(page).locator(".line")).toHaveText(["one"]);
		await expect(page.getByText(`${why}: this is as of`)).toBeVisible();
		await expect(other.locator(state)).toHaveText("Live", { timeout: 40_000 });
		await stays.log("s", "two\n");
		await expectLines(other, ["one", "two"]);
		// A stream that was not cut goes on as it is.
		if (found === "on reconnecting") expect(relay.asked.at(-1)?.path).not.toContain(gone.id);
		await finished(other, server, stays);
	});
}

test("a connection that died without a word is made anew", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await workerInPage(page);
	await page.clock.install();
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one"]);
	await heard(page, relay, build, ["one", "two"]);
	relay.hush();
	const asked = relay.asked.length;
	await build.log("s", "three\n");
	await page.clock.fastForward(25_000);
	await expect(page.locator(state)).toHaveText("No news from the server");
	await expect(page.locator("stream-state")).toContainText(/No news for \d\d s/);
	await page.clock.pauseAt(Date.now() + 10 * 60_000);
	await page.clock.runFor(50);
	await expect(page.locator(state)).toHaveText("Reconnecting");
	// Nobody knows whether it runs still, and whether the step says nothing.
	await expect(page.locator("main")).toContainText(/running for \d+ s .*when last heard of/);
	await expect(log(page).locator(".note")).toHaveText(
		/^Not heard from the server since \d\d:\d\d\.$/,
	);
	expect(relay.asked).toHaveLength(asked);
	// With the clock standing still, only the button makes the next attempt.
	await page.getByRole("button", { name: "Retry now" }).dispatchEvent("click");
	await page.clock.resume();
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one", "two", "three"]);
	expect(relay.asked).toHaveLength(asked + 1);
	await finished(page, server, build);
});

test("a wallboard says that a word is late, and alarms when nothing was heard for longer", async ({
	page,
	server,
	relay,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await server.build({ project: "quiet/api", branch: "main" });
	await build.finish("test");
	await workerInPage(page);
	await page.clock.install();
	await page.goto(`${relay.url}/wall?project=quiet/*`);
	await expect(page.locator("stepcast-tile")).toContainText("passed");
	await expect(page.locator(state)).toHaveText("Live");
	relay.hush();
	relay.answer = () => "silence";
	await page.clock.fastForward(25_000);
	await expect(page.locator(state)).toHaveText("No news from the server");
	await expect(page.locator(".alarm")).toHaveText("");
	await page.clock.fastForward(25_000);
	await expect(page.locator(".alarm")).toHaveText(/^NO DATA SINCE/);
});

test("connections that the browser kept, and that died too, are found out soon", async ({
	page,
	server,
	relay,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await workerInPage(page);
	// The pauses between attempts are as short as they can be.
	await page.addInitScript(() => {
		Math.random = () => 0;
	});
	await page.clock.install();
	await page.goto(relay.url);
	const item = inList(page, build);
	await expect(item.locator(".status")).toHaveText("running");
	await expect(page.locator(state)).toHaveText("Live");
	// As many requests at once take as many connections.
	const kept = 3;
	const waiting: (() => void)[] = [];
	relay.answer = (path) =>
		path.startsWith("/readyz") ? { late: (on) => waiting.push(on) } : "pass";
	const fetched = page.evaluate(async (count) => {
		await Promise.all(Array.from({ length: count }, (_, i) => fetch(`/readyz?${i}`)));
	}, kept);
	await expect.poll(() => waiting).toHaveLength(kept);
	for (const goOn of waiting) goOn();
	await fetched;
	relay.strand(kept);
	await build.finish("s");
	const asked = relay.asked.length;
	await page.clock.fastForward(60_000);
	for (let attempt = 1; attempt <= kept; attempt++) {
		await expect.poll(() => relay.asked.length).toBe(asked + attempt);
		await expect(page.locator(state)).toHaveText("Reconnecting");
		await page.clock.fastForward(10_000);
	}
	await expect(page.locator(state)).toHaveText("Live");
	await expect(item.locator(".status")).toHaveText("passed");
	expect(relay.asked).toHaveLength(asked + kept + 1);
});

test("a text to copy that does not come is said not to have come", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await page.clock.install();
	await page.goto(through(build));
	await expectLines(page, ["one"]);
	relay.answer = (path) => (path.endsWith("/log") ? "silence" : "pass");
	const asked = relay.paths.length;
	await page.getByText("More", { exact: true }).click();
	await page.getByRole("button", { name: "Copy all" }).click();
	await expect.poll(() => relay.paths.slice(asked).join()).toContain("/log");
	await page.clock.fastForward(15_000);
	await expect(log(page).locator(".said")).toHaveText("Not copied: the server did not give it.");
	await build.finish("s");
});

test("without a network what is here is copied, and a search that failed is made when there is one again", async ({
	page,
	server,
	relay,
	through,
	context,
	complaints,
}) => {
	complaints.expected = [...connectionErrors, /503/];
	await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: relay.url });
	const build = await running(server, "one\n\x1b[31mtwo\x1b[0m\nthree\n");
	await page.goto(`${through(build)}#s:L1-L2`);
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one", "\x1b[31mtwo\x1b[0m", "three"]);

	relay.answer = () => 503;
	relay.cut();
	await expect(page.locator(state)).toHaveText("Reconnecting");
	await page.keyboard.press("c");
	await expect(log(page).locator(".said")).toHaveText("Copied lines 1 to 2.");
	expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("one\ntwo\n");
	await log(page).getByRole("searchbox").fill("t");
	await expect(log(page).getByRole("alert")).toContainText("Try again");

	relay.answer = () => "pass";
	await page.evaluate(() => dispatchEvent(new Event("stepcast-retry")));
	await expect(page.locator(state)).toHaveText("Live");
	await expect(log(page).locator("log-search [role=status]")).toHaveText("2 lines");
	await expect(log(page).getByRole("alert")).toBeHidden();
	await build.finish("s");
});

test("a build that has ended, and then has not, is told anew", async ({
	page,
	server,
	relay,
	through,
}) => {
	const build = await running(server);
	await build.finish("s");
	await page.clock.install();
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Finished");
	await expectLines(page, ["one"]);
	const told = () => relay.paths.filter((path) => path.split("?")[0]?.endsWith(build.id)).length;
	const before = told();
	// As after a backup was restored; the hub asks the same of the server itself.
	let asked = 0;
	relay.answer = (path) =>
		path.includes("/events?limit=1") && asked++ === 0
			? { page: '{"events":[],"next":"x-1","end":false,"reset":"rewound"}' }
			: "pass";
	await page.clock.fastForward(61_000);
	await expect.poll(() => asked).toBeGreaterThan(1);
	await expect.poll(told).toBeGreaterThan(before);
	await expect(page.locator(state)).toHaveText("Finished");
	await expectLines(page, ["one"]);
});

test("a build that is gone, and comes again, is shown again", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await page.clock.install();
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one"]);
	relay.answer = (path) => (path.includes(build.id) ? 404 : "pass");
	relay.cut();
	await expect(page.locator(state)).toHaveText("Not available");
	const alert = page.getByText("The build is gone");
	await expect(alert).toBeVisible();
	relay.answer = () => "pass";
	await build.log("s", "two\n");
	await page.clock.fastForward(61_000);
	await page.clock.setSystemTime(Date.now());
	await expect(page.locator(state)).toHaveText("Live");
	await expect(alert).toHaveCount(0);
	await expectLines(page, ["one", "two"]);
	await build.finish("s");
});

test("after a break a page is live once what was missed is there", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one"]);
	relay.headOnly = true;
	relay.cut();
	await build.log("s", "two\n");
	await expect.poll(() => relay.streams).toHaveLength(1);
	const {
		steps: _steps,
		last_event_id: _id,
		...known
	} = await server.send("GET", `/api/v1/builds/${build.id}`);
	const missed = JSON.stringify({ ...known, log: build.id, title: "The first that was missed" });
	relay.say(`event: build\ndata: ${missed}\n\n`, false);
	await expect(page.locator("h1")).toContainText("The first that was missed");
	await expect(page.locator(state)).toHaveText("Reconnecting");
	relay.headOnly = false;
	relay.cut();
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one", "two"]);
	await build.finish("s");
});

test("a step that began unseen is not said to be silent before its text is told", async ({
	page,
	server,
	relay,
	through,
}) => {
	const build = await running(server);
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one"]);
	await build.step("t", "running");
	await build.log("t", "two\n");
	const link = page.locator('stepcast-tree a[href="#t"]');
	await expect(link).toBeVisible();
	relay.hold();
	await link.click();
	const note = log(page).locator(".note");
	await expect(note).toHaveText("Loading…");
	await expect(page.locator(state)).toHaveText("Live");
	relay.release();
	await expectLines(page, ["two"]);
	await build.step("u", "running");
	await page.locator('stepcast-tree a[href="#u"]').click();
	await expect(note).toHaveText("No output yet.");
});

test("whoever follows a step sees it say that it is silent", async ({
	page,
	server,
	relay,
	through,
}) => {
	const build = await running(server, "a line\n".repeat(400));
	await workerInPage(page);
	await page.clock.install();
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	await expect(log(page).locator(".line").last()).toBeInViewport();
	const note = log(page).locator(".note");
	await expect(async () => {
		relay.say("event: ping\ndata: {}\n\n", false);
		await page.clock.runFor(2_000);
		await expect(note).toHaveText(/^Nothing new for \d\d s\.$/, { timeout: 100 });
	}).toPass({ intervals: [10] });
	await expect(page.locator(state)).toHaveText("Live");
	await expect(note).toBeInViewport({ ratio: 1 });
	await build.finish("s");
});

test("silence is told from quiet", async ({
	page,
	server,
	relay,
	through,
	context,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await workerInPage(page);
	await page.clock.install();
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	await heard(page, relay, build, ["one", "two"]);
	await page.clock.fastForward(25_000);
	await expect(page.locator(state)).toHaveText("No news from the server");
	await expect(page.locator("stream-state")).toContainText(/No news for \d\d s/);
	await build.log("s", "news\n");
	await page.clock.runFor(1_000);
	await expect(page.locator(state)).toHaveText("Live");

	// On a machine without a network the browser says so from the start, and is not believed.
	const online = await page.evaluate(() => navigator.onLine);
	await context.setOffline(true);
	await expect(page.locator(state)).toHaveText(online ? "Offline" : "Live");
	await expect(log(page).locator(".line")).toHaveText(["one", "two", "news"]);
	await context.setOffline(false);
	await page.clock.runFor(1_000);
	await expect(page.locator(state)).toHaveText("Live", { timeout: 20_000 });
	await build.finish("s");
});

test("eight tabs on eight builds are live over one connection", async ({
	context,
	page,
	server,
	relay,
	through,
}) => {
	const builds: Reporter[] = [];
	const pages = [page];
	for (let i = 0; i < 8; i++) builds.push(await running(server));
	while (pages.length < 8) pages.push(await context.newPage());
	for (const [i, build] of builds.entries()) await pages[i]?.goto(through(build));
	for (const tab of pages) await expect(tab.locator(state)).toHaveText("Live");
	await Promise.all(builds.map((build, i) => build.log("s", `line of ${i}\n`)));
	for (const [i, tab] of pages.entries()) await expectLines(tab, ["one", `line of ${i}`]);
	await expect.poll(() => relay.streams).toHaveLength(1);
	expect(relay.asked.at(-1)?.path.match(/log=/g)).toHaveLength(8);

	// The feed and a second page on one of the builds come along in it.
	const [list, twin] = [await context.newPage(), await context.newPage()];
	await list.goto(relay.url);
	await expect(list.locator(state)).toHaveText("Live");
	if (builds[0]) await twin.goto(through(builds[0]));
	await expectLines(twin, ["one", "line of 0"]);
	await expect(twin.locator(state)).toHaveText("Live");
	await expect.poll(() => relay.streams).toHaveLength(1);
	await builds[0]?.log("s", "for both\n");
	for (const tab of [page, twin]) await expectLines(tab, ["one", "line of 0", "for both"]);

	// A page that is gone is asked for no longer.
	await pages[7]?.close();
	await expect
		.poll(() => relay.asked.at(-1)?.path, { timeout: 20_000 })
		.not.toContain(builds[7]?.id);
	for (const [i, build] of builds.entries()) {
		await build.finish("s");
		if (i < 7) await expect(pages[i]?.locator(state) ?? page.locator(state)).toHaveText("Finished");
	}
	await expect(list.locator(state)).toHaveText("Live");
});

test("pages on different steps of one build get the text of their own", async ({
	context,
	page,
	server,
	relay,
	through,
}) => {
	const build = await server.build();
	for (const step of ["a", "b"]) {
		await build.step(step, "running");
		await build.log(step, `${step} begins\n`);
	}
	const other = await context.newPage();
	await page.goto(`${through(build)}#a`);
	await other.goto(`${through(build)}#b`);
	await expectLines(page, ["a begins"]);
	await expectLines(other, ["b begins"]);
	let lines = 0;
	const write = async (count: number) => {
		for (const end = lines + count; lines < end; lines++) {
			await build.log("a", `a ${lines}\n`);
			await build.log("b", `b ${lines}\n`);
		}
	};
	await write(20);
	await expect.poll(() => relay.streams).toHaveLength(1);
	// Back and forth while the text comes.
	const writing = write(200);
	for (const step of ["b", "a", "b", "a", "b"]) {
		await page.evaluate((step) => {
			location.hash = step;
		}, step);
		await expect(log(page).locator("h2")).toHaveText(step);
	}
	await writing;
	await expectLines(page, await server.logLines(build.id, "b"));
	await expectLines(other, await server.logLines(build.id, "b"));
	await build.step("a", "passed");
	await build.finish("b");
});

test("a server that is killed and started again, with three pages", async ({
	context,
	page,
	server,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const [first, second] = [await running(server), await running(server)];
	const [other, list] = [await context.newPage(), await context.newPage()];
	await page.goto(first.url);
	await other.goto(second.url);
	await list.goto(server.url);
	const all = [page, other, list];
	for (const tab of all) await expect(tab.locator(state)).toHaveText("Live");
	await server.stop("SIGKILL");
	for (const tab of all) await expect(tab.locator(state)).toHaveText("Reconnecting");
	await server.start();
	for (const build of [first, second]) await build.log("s", "two\n");
	for (const tab of all) await expect(tab.locator(state)).toHaveText("Live", { timeout: 40_000 });
	await finished(page, server, first);
	await finished(other, server, second);
	const item = inList(list, second);
	await expect(item.locator(".status")).toHaveText("passed");
});

test("a tab that is frozen while 20,000 lines arrive has them all when it thaws", async ({
	context,
	page,
	server,
	relay,
	through,
}) => {
	test.slow();
	const [build, beside] = [await running(server), await running(server)];
	const other = await context.newPage();
	await page.goto(through(build));
	await other.goto(through(beside));
	await expectLines(page, ["one"]);
	// A debugger stops all of the page, its timers and its messages; Page.setWebLifecycleState does not
	// stop one that is visible, as all pages of a headless browser are.
	const session = await context.newCDPSession(page);
	await session.send("Debugger.enable");
	const stopped = new Promise((resolve) => session.once("Debugger.paused", resolve));
	void session.send("Debugger.pause");
	await stopped;
	const width = 600; // more than a page is sent before it has taken any
	for (let i = 0; i < 20; i++) {
		const line = (j: number) => `${i * 1_000 + j} `.padEnd(width, "-");
		await build.log("s", `${Array.from({ length: 1_000 }, (_, j) => line(j)).join("\n")}\n`);
	}
	// The other page does not suffer, and what the frozen one does not take is not fetched for it.
	await beside.log("s", "two\n");
	await expectLines(other, ["one", "two"]);
	await expect.poll(() => relay.asked.at(-1)?.path, { timeout: 20_000 }).not.toContain(build.id);
	await session.send("Debugger.resume");
	await expect(page.locator(state)).toHaveText("Live");
	await build.log("s", "last\n");
	await expect(log(page).locator(".line").last()).toHaveText("last");
	const want = await server.logLines(build.id, "s");
	await expectLines(page, want);
	await build.finish("s");
	await beside.finish("s");
});

for (const worker of [true, false]) {
	test(`a page that comes back from the back/forward cache is live again, ${worker ? "with" : "without"} a worker`, async ({
		playwright,
		server,
		relay,
		through,
	}, info) => {
		const [build, other] = [await running(server), await running(server)];
		// Playwright switches the cache off.
		const browser = await playwright.chromium.launch({
			...info.project.use.launchOptions,
			ignoreDefaultArgs: ["--disable-back-forward-cache"],
		});
		const page = await browser.newPage();
		if (!worker) await withoutWorker(page);
		await page.goto(through(build));
		await expectLines(page, ["one"]);
		await expect(page.locator(state)).toHaveText("Live");
		await page.evaluate(() => {
			(globalThis as { mark?: boolean }).mark = true;
		});
		await page.goto(through(other));
		await expectLines(page, ["one"]);
		await build.log("s", "two\n");
		await page.evaluate(() => history.back());
		await page.waitForURL(through(build), { waitUntil: "commit" });
		await expectLines(page, ["one", "two"]);
		await expect(page.locator(state)).toHaveText("Live");
		expect(await page.evaluate(() => (globalThis as { mark?: boolean }).mark)).toBe(true);
		await build.log("s", "three\n");
		await expectLines(page, ["one", "two", "three"]);
		await expect.poll(() => relay.streams).toHaveLength(1);
		await finished(page, server, build);
		await browser.close();
		await other.finish("s");
	});
}

test("the network is cut and comes back", async ({
	context,
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await page.goto(through(build));
	await expectLines(page, ["one"]);
	await expect(page.locator(state)).toHaveText("Live");
	await carried(relay, 1);
	const online = await page.evaluate(() => navigator.onLine);
	relay.answer = () => 502;
	await context.setOffline(true);
	relay.cut();
	await build.log("s", "two\n");
	await expect(page.locator(state)).toHaveText(online ? "Offline" : "Reconnecting");
	await expectLines(page, ["one"]);
	relay.answer = () => "pass";
	await context.setOffline(false);
	await expect(page.locator(state)).toHaveText("Live");
	await finished(page, server, build);
});

test("without a SharedWorker each page has a connection of its own", async ({
	context,
	page,
	server,
	relay,
	through,
}) => {
	const [first, second] = [await running(server), await running(server)];
	const other = await context.newPage();
	for (const tab of [page, other]) await withoutWorker(tab);
	await page.goto(through(first));
	await other.goto(through(second));
	for (const tab of [page, other]) await expect(tab.locator(state)).toHaveText("Live");
	await expect.poll(() => relay.streams).toHaveLength(2);
	await first.log("s", "two\n");
	await expectLines(page, ["one", "two"]);
	await finished(page, server, first);
	await finished(other, server, second);
	await expect.poll(() => relay.streams).toHaveLength(0);
});

test("a worker that was on its way when the network went is asked for again", async ({
	page,
	server,
	relay,
	through,
}) => {
	const build = await running(server);
	let asked = 0;
	relay.answer = (path) => (path.includes("hub-worker") && asked++ === 0 ? "silence" : "pass");
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live", { timeout: 40_000 });
	await expectLines(page, ["one"]);
	await build.finish("s");
});

test("a server that has the page's worker no more has other pages, and that is said", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	relay.answer = (path) => (path.includes("hub-worker") ? 404 : "pass");
	await page.goto(through(build));
	await expect(page.getByRole("button", { name: /New version/ })).toBeVisible();
	await expect(page.locator(state)).not.toHaveText("Live");
	relay.answer = () => "pass";
	await page.getByRole("button", { name: /New version/ }).click();
	await expect(page.locator(state)).toHaveText("Live");
	await expectLines(page, ["one"]);
	await finished(page, server, build);
});

test("a worker that dies is replaced", async ({
	browser,
	context,
	page,
	server,
	relay,
	through,
}) => {
	const build = await running(server);
	const list = await context.newPage();
	await list.goto(relay.url);
	const item = inList(list, build);
	await expect(item.locator(".status")).toHaveText("running");
	await page.goto(through(build));
	await expectLines(page, ["one"]);
	await expect(page.locator(state)).toHaveText("Live");
	const session = await browser.newBrowserCDPSession();
	const workers = async () => {
		const { targetInfos } = await session.send("Target.getTargets");
		return targetInfos.filter(({ type }) => type === "shared_worker");
	};
	const [worker] = await workers();
	expect(worker?.url).toContain("/assets/hub-worker-");
	await carried(relay, 1);
	const asked = relay.asked.length;
	await session.send("Target.closeTarget", { targetId: worker?.targetId ?? "" });
	await expect.poll(() => relay.streams).toHaveLength(0);
	await build.log("s", "two\n");
	await expectLines(page, ["one", "two"]);
	await expect(page.locator(state)).toHaveText("Live");
	expect(relay.asked.length).toBeGreaterThan(asked);
	expect((await workers()).map(({ targetId }) => targetId)).not.toEqual([worker?.targetId]);
	await expect.poll(() => relay.streams).toHaveLength(1);
	await finished(page, server, build);
	await expect(item.locator(".status")).toHaveText("passed");
});

test("a server with newer pages is noticed after a break", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	const chip = page.getByRole("button", { name: "New version" });
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	const broken = async () => {
		await carried(relay, 1);
		relay.cut();
		const asked = relay.paths.length;
		await expect.poll(() => relay.paths.slice(asked)).toContain("/");
		await expect(page.locator(state)).toHaveText("Live");
	};
	await broken();
	await expect(chip).toBeHidden();
	// The page of a network that wants a sign-in is no new version.
	relay.answer = (path) => (path === "/" ? { page: '<script src="/x.js"></script>' } : "pass");
	await broken();
	await expect(chip).toBeHidden();
	const page2 = '<script src="/assets/index-new.js"></script><stepcast-app></stepcast-app>';
	relay.answer = (path) => (path === "/" ? { page: page2 } : "pass");
	await broken();
	await expect(chip).toBeVisible();
	await chip.click();
	await expect(chip).toBeHidden();
	await expect(page.locator(state)).toHaveText("Live");
	await build.finish("s");
});

test("a page that nobody sees is loaded anew by itself", async ({
	page,
	server,
	relay,
	through,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await running(server);
	await withoutWorker(page);
	await page.clock.install();
	await page.goto(through(build));
	await expect(page.locator(state)).toHaveText("Live");
	const newer = '<script src="/assets/index-new.js"></script><stepcast-app></stepcast-app>';
	relay.answer = (path) => (path === "/" ? { page: newer } : "pass");
	await carried(relay, 1);
	relay.say("retry: 10\n\n", true);
	await expect(page.getByRole("button", { name: "New version" })).toBeVisible();
	// Its first minute is over, and it is hidden.
	await page.clock.fastForward(61_000);
	const loaded = page.waitForEvent("load");
	await page.evaluate(() => {
		Object.defineProperty(document, "hidden", { value: true });
		document.dispatchEvent(new Event("visibilitychange"));
	});
	await loaded;
	await expectLines(page, ["one"]);
	await build.finish("s");
});

test("more logs than one stream carries go over two", async ({ page, server, relay }) => {
	const builds = await Promise.all(Array.from({ length: 40 }, () => running(server)));
	await page.goto(relay.url);
	await expect(page.locator(state)).toHaveText("Live");
	const worker = relay.paths.find((path) => path.includes("hub-worker")) ?? "";
	// From a page without a policy, which speaks to the worker as 40 pages would.
	const plain = await page.context().newPage();
	await plain.route(`${relay.url}/bare`, (route) =>
		route.fulfill({ contentType: "text/html", body: "" }),
	);
	await plain.goto(`${relay.url}/bare`);
	const live = plain.evaluate(
		async ({ worker, ids }) => {
			const lines = ids.map((id) => {
				const { port } = new SharedWorker(worker, { name: "" });
				return new Promise<string>((resolve) => {
					port.onmessage = ({ data }: MessageEvent) => {
						port.postMessage({ say: "took", number: data.number });
						for (const { kind, data: chunk } of data.events) {
							if (kind === "log" && chunk.text === "two\n") resolve(data.state.name);
						}
					};
					port.postMessage({ say: "want", wanted: { log: id, step: "s" } });
				});
			});
			return Promise.all(lines);
		},
		{ worker, ids: builds.map(({ id }) => id) },
	);
	await expect.poll(() => relay.streams).toHaveLength(2);
	for (const build of builds) await build.log("s", "two\n");
	expect(await live).toEqual(builds.map(() => "live"));
	for (const build of builds) await build.finish("s");
});
