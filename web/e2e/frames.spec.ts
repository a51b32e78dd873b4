import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "@playwright/test";
import { Site } from "./site.ts";
import { test as base, expect, type Server } from "./stepcast.ts";

const test = base.extend<{ site: Site }>({
	// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
	site: async ({}, use) => {
		const site = await new Site().start();
		await use(site);
		site.close();
	},
});

/** What docs/embedding.md gives to pages that take no scripts of others. */
const heights = fileURLToPath(new URL("../../docs/examples/frame-height.js", import.meta.url));

function set(server: Server, project: string, settings: object): Promise<unknown> {
	return server.send("PATCH", `/api/v1/projects/${project}`, settings);
}

function iframe(src: string): string {
	return `<iframe src="${src}" title="${src}" width="600" height="10" frameborder="0"></iframe>`;
}

/** By how many pixels the page's frames are higher than what is in them. */
async function spare(page: Page): Promise<number[]> {
	const heights: number[] = [];
	for (const frame of page.frames().filter((frame) => frame.parentFrame())) {
		const inside = await frame.evaluate(() => document.body.getBoundingClientRect().height);
		const around = await (await frame.frameElement()).boundingBox();
		heights.push((around?.height ?? 0) - Math.ceil(inside));
	}
	return heights;
}

test("frames are live on a page of another origin with a strict policy, and as high as what is in them", async ({
	page,
	server,
	site,
}) => {
	const build = await server.build({ project: "frames/live", branch: "main" });
	await set(server, "frames/live", { visibility: "public" });
	await build.step("test", "running");
	site.policy = `default-src 'none'; frame-src ${server.url}; script-src ${server.url}`;
	// A page that isolates itself takes only frames that say that they may be taken.
	site.headers = { "Cross-Origin-Embedder-Policy": "require-corp" };
	site.body = `<script async src="${server.url}/embed.js"></script>
		${iframe(`${server.url}/embed/status/frames/live?branch=main`)}
		${iframe(`${server.url}/embed/board?project=frames/*`)}`;
	await page.goto(site.url);
	const [status, board] = [0, 1].map((nth) => page.frameLocator("iframe").nth(nth));
	await expect(status?.getByText("running").first() ?? page.locator("none")).toBeVisible();
	await expect(board?.getByText("running").first() ?? page.locator("none")).toBeVisible();
	await expect.poll(() => spare(page)).toEqual([0, 0]);
	const before = await page.locator("iframe").nth(1).boundingBox();
	await server.build({ project: "frames/live", branch: "next" });
	for (let i = 0; i < 6; i++) await server.build({ project: "frames/live", branch: `branch-${i}` });
	await build.finish("test", "failed");
	await expect(status?.getByText("failed").first() ?? page.locator("none")).toBeVisible();
	await expect
		.poll(async () => (await page.locator("iframe").nth(1).boundingBox())?.height ?? 0)
		.toBeGreaterThan(before?.height ?? 0);
	await expect.poll(() => spare(page)).toEqual([0, 0]);
});

test("a frame whose token is refused shows what is public, and says so beside one that has none", async ({
	page,
	server,
	site,
}) => {
	const build = await server.build({ project: "frames/token", branch: "main" });
	await set(server, "frames/token", { visibility: "public" });
	await build.finish("test", "passed");
	const board = `${server.url}/embed/board?project=frames/token`;
	site.policy = `default-src 'none'; frame-src ${server.url}`;
	site.body = `${iframe(board)}${iframe(`${board}&token=stp_wrong`)}${iframe(`${board}&mode=problems&token=stp_wrong`)}`;
	await page.goto(site.url);
	const [plain, refused, problems] = [0, 1, 2].map((nth) =>
		page.frameLocator("iframe").nth(nth).locator("stepcast-board"),
	);
	for (const one of [refused, problems])
		await expect(one as Locator).toContainText("! token refused");
	await expect(refused as Locator).toContainText("passed");
	await expect(plain as Locator).toContainText("passed");
	await expect(plain as Locator).not.toContainText("token refused");
});

test("a page without our script gives a frame its height by the lines of the manual", async ({
	page,
	server,
	site,
}) => {
	await server.build({ project: "frames/own", branch: "main" });
	await set(server, "frames/own", { visibility: "public" });
	site.policy = `default-src 'none'; frame-src ${server.url}; script-src 'self'`;
	site.script = readFileSync(heights, "utf8").replaceAll("https://ci.example", server.url);
	site.body = `${iframe(`${server.url}/embed/board?project=frames/own`)}<script src="/site.js"></script>`;
	await page.goto(site.url);
	await expect(page.frameLocator("iframe").getByText("queued").first()).toBeVisible();
	await expect.poll(() => spare(page)).toEqual([0]);
});

test("a frame of a public step that has said nothing yet says so", async ({
	page,
	server,
	site,
}) => {
	const project = "frames/silent";
	const build = await server.build({ project, steps: [{ key: "test" }] });
	await build.step("test", "running");
	await set(server, project, { visibility: "public" });
	// A build that was private has been so for a few seconds more.
	const headers = { Origin: "http://portal.example" };
	const seen = async () =>
		(await fetch(`${server.url}/api/v1/builds/${build.id}`, { headers })).status;
	await expect.poll(seen).toBe(200);
	site.policy = `default-src 'none'; frame-src ${server.url}`;
	site.body = iframe(`${server.url}/embed/log?project=${project}`);
	await page.goto(site.url);
	const frame = page.frameLocator("iframe");
	await expect(frame.locator("stepcast-log .foot")).toHaveText("No output yet.");
	await build.log("test", "said\n");
	await expect(frame.locator("stepcast-log .text")).toHaveText("said");
	// Nobody gave it a token.
	await expect(frame.locator(".alarm")).toHaveCount(0);
});

test("our script moves no frame of others, and believes no other origin", async ({
	page,
	server,
	site,
}) => {
	await server.build({ project: "frames/safe", branch: "main" });
	await set(server, "frames/safe", { visibility: "public" });
	site.policy = `default-src 'none'; frame-src *; script-src 'self' ${server.url}`;
	site.script = `parent.postMessage({ type: "stepcast:height", height: 999 }, "*");`;
	const other = await new Site().start();
	other.policy = "default-src 'none'; script-src 'self'";
	other.script = site.script;
	other.body = '<script src="/site.js"></script>';
	site.body = `<script src="${server.url}/embed.js"></script>
		${iframe(`${server.url}/embed/status/frames/safe`)}${iframe(other.url)}`;
	await page.goto(site.url);
	await expect(page.frameLocator("iframe").first().getByText("queued").first()).toBeVisible();
	await expect.poll(async () => (await spare(page))[0]).toBe(0);
	expect((await page.locator("iframe").nth(1).boundingBox())?.height).toBe(10);
	other.close();
});

test("who may show a frame is said by its project, and what is private is as if it were not there", async ({
	page,
	server,
	site,
	complaints,
}) => {
	complaints.expected.push(/frame-ancestors|ERR_BLOCKED_BY_(CSP|RESPONSE)|status of 404/);
	const project = "frames/hidden";
	const build = await server.build({ project, branch: "main" });
	const { token } = await server.post("/api/v1/tokens", {
		name: "portal",
		project: "frames/*",
		scopes: ["status"],
	});
	site.policy = `default-src 'none'; frame-src ${server.url}`;
	/** What the page shows of a frame: words, or nothing when it may not. */
	const shown = async (path: string) => {
		site.body = iframe(server.url + path);
		await page.goto(site.url);
		const frame = page.frames()[1];
		await frame?.waitForLoadState();
		return frame?.url().startsWith("chrome-error:") ? "refused" : "shown";
	};
	const status = `/embed/status/${project}`;
	for (const path of [status, "/embed/status/frames/nobody", `/embed/steps/${build.id}`]) {
		expect(await shown(path), path).toBe("shown");
		await expect(page.frameLocator("iframe").getByText("? unknown"), path).toBeVisible();
	}
	expect(await shown(`${status}?token=${token}`)).toBe("shown");
	await expect(page.frameLocator("iframe").getByText("queued").first()).toBeVisible();
	await set(server, project, { visibility: "public", frame_ancestors: ["https://else.example"] });
	expect(await shown(status)).toBe("refused");
	await set(server, project, { frame_ancestors: [site.url] });
	expect(await shown(status)).toBe("shown");
	await expect(page.frameLocator("iframe").getByText("queued").first()).toBeVisible();
	// This server's own pages may show all, the private ones too.
	await set(server, project, { visibility: "private", frame_ancestors: [] });
	await page.goto(`${server.url}/embed?project=${project}`);
	await expect(page.frameLocator("iframe").getByText("queued").first()).toBeVisible();
});

test("seven frames of a page have one connection, which outlives the first of them", async ({
	page,
	server,
	site,
}) => {
	const projects = Array.from({ length: 7 }, (_, i) => `frames/of-${i}`);
	const builds = [];
	for (const project of projects) {
		builds.push(await server.build({ project, branch: "main" }));
		await set(server, project, { visibility: "public" });
	}
	const open = new Set<unknown>();
	page.on("request", (request) => {
		if (request.url().includes("/api/v1/streams?")) open.add(request);
	});
	for (const over of ["requestfinished", "requestfailed"] as const) {
		page.on(over as "requestfinished", (request) => open.delete(request));
	}
	site.policy = `default-src 'none'; frame-src ${server.url}`;
	site.body = projects.map((project) => iframe(`${server.url}/embed/status/${project}`)).join("");
	await page.goto(site.url);
	const frame = (nth: number) => page.frameLocator(`iframe >> nth=${nth}`);
	for (const nth of projects.keys()) {
		await expect(frame(nth).getByText("queued").first()).toBeVisible();
	}
	await expect.poll(() => open.size).toBe(1);
	await page
		.locator("iframe")
		.first()
		.evaluate((first) => first.remove());
	for (const build of builds) await build.send({ build: { status: "canceled" } });
	for (const nth of projects.slice(1).keys()) {
		await expect(frame(nth).getByText("canceled").first()).toBeVisible();
	}
	await expect.poll(() => open.size).toBe(1);
});
