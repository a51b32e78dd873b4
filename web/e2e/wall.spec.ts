import type { Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { connectionErrors, expect, type Server, test } from "./stepcast.ts";

const tile = (page: Page, project: string) =>
	page.locator("stepcast-tile").filter({ hasText: `${project} #` });
const alarm = (page: Page) => page.locator(".alarm");

async function open(page: Page, server: Server, query: string): Promise<void> {
	await page.goto(`${server.url}/wall?${query}`);
	await expect(page.locator("stream-state [role=status]")).toHaveText("Live");
}

/** A build that ends as it is told, in the one step "test". */
async function ended(server: Server, project: string, status: string, author: string) {
	const build = await server.build({ project, branch: "main", author });
	await build.step("test", "running");
	await build.finish("test", status);
	return build;
}

test("a board is live, with problems first", async ({ page, server }) => {
	await ended(server, "wall/a", "passed", "Ada");
	const b = await server.build({ project: "wall/b", branch: "main", author: "Grace" });
	await open(page, server, "project=wall/*");
	await expect(page.locator("stepcast-tile")).toHaveCount(2);
	await expect(tile(page, "wall/b")).toContainText("queued");

	await b.step("lint", "running");
	await expect(tile(page, "wall/b")).toContainText("running");
	await expect(page.locator("stepcast-tile").first()).toContainText("wall/b");
	await b.finish("lint", "failed");
	await expect(tile(page, "wall/b")).toContainText("failed");
	await expect(tile(page, "wall/b")).toContainText("lint");
	await expect(tile(page, "wall/b")).toContainText(/failing for \d+ s, since #1 by Grace/);

	await ended(server, "wall/c", "failed", "Edsger");
	await expect(page.locator("stepcast-tile .project bdi")).toHaveText([
		"wall/b",
		"wall/c",
		"wall/a",
	]);
	await tile(page, "wall/b").getByRole("link").click();
	await expect(page).toHaveURL(b.url);
});

test("who opens a board late learns who broke what, and so it stays until it passes", async ({
	page,
	server,
}) => {
	const project = "late/api";
	for (const [status, author] of [
		["failed", "Nobody"],
		["passed", "Ada"],
		["failed", "Grace"],
		["failed", "Edsger"],
	] as const) {
		await ended(server, project, status, author);
	}
	const other = await server.build({ project, branch: "feature" });
	await other.finish("test", "failed");
	await open(page, server, `project=${project}&branch=main`);
	await expect(page.locator("stepcast-tile")).toHaveCount(1);
	await expect(tile(page, project)).toContainText(/failing for .*, since #3 by Grace/);

	const next = await server.build({ project, branch: "main", author: "Barbara" });
	await next.step("test", "running");
	await expect(tile(page, project)).toContainText("running");
	await expect(tile(page, project)).toContainText(/since #3 by Grace/);
	await next.finish("test");
	await expect(tile(page, project)).toContainText("passed");
	await expect(tile(page, project)).not.toContainText("failing");
});

test("problems only: one calm screen, and every kind of problem", async ({ page, server }) => {
	for (const name of ["a", "b", "c"]) await ended(server, `calm/${name}`, "passed", "Ada");
	await open(page, server, "project=calm/*&mode=problems");
	await expect(page.getByText("All 3 passing")).toBeVisible();

	const canceled = await server.build({ project: "calm/b", branch: "main" });
	await expect(page.getByText("No problems: 2 passing, 1 queued")).toBeVisible();
	await canceled.finish("test", "canceled");
	await expect(tile(page, "calm/b")).toContainText("canceled");
	await ended(server, "calm/a", "failed", "Grace");
	const again = await server.build({ project: "calm/a", branch: "main" });
	await again.step("test", "running");
	await expect(tile(page, "calm/a")).toContainText(/running.*failing for/s);
	await expect(page).toHaveTitle(/^✗ 2 /);

	await again.finish("test");
	await ended(server, "calm/b", "passed", "Ada");
	await expect(page.getByText("All 3 passing")).toBeVisible();
});

test("a board that could not hold all builds claims nothing of those that it has not", async ({
	page,
	server,
}) => {
	await ended(server, "thousand/broken", "failed", "Grace");
	for (let i = 0; i < 1_000; i += 50) {
		await Promise.all(
			Array.from({ length: 50 }, (_, j) =>
				server.build({ project: "thousand/api", branch: `b${i + j}`, status: "passed" }),
			),
		);
	}
	await open(page, server, "project=thousand/*&mode=problems");
	await expect(page.getByText("No problems here")).toBeVisible();
	await expect(page.locator("footer")).toContainText("Too many");
	await expect(page).toHaveTitle(/^! · Wallboard/);
	await open(page, server, "project=thousand/broken&mode=problems");
	await expect(tile(page, "thousand/broken")).toContainText("failed");
	await expect(page).toHaveTitle(/^✗ 1 /);
	await expect(page.locator("footer")).not.toContainText("Too many");
});

test("a project without builds and one that does not exist are said", async ({ page, server }) => {
	const build = await server.build({ project: "empty/api", branch: "feature" });
	await open(page, server, "project=empty/api&project=empty/none&branch=main");
	await expect(page.getByText("No build on main yet.")).toBeVisible();
	await expect(page.getByText("There is no such project.")).toBeVisible();
	expect(build.number).toBe(1);
	await server.build({ project: "empty/none", branch: "main" });
	await expect(tile(page, "empty/none")).toContainText("queued");

	await open(page, server, "project=nothing/*");
	await expect(page.getByText("No builds yet")).toBeVisible();
});

test("no board is green that knows nothing: server gone, page asleep, offline", async ({
	page,
	server,
	complaints,
	context,
}) => {
	complaints.expected = connectionErrors;
	await ended(server, "gone/api", "passed", "Ada");
	await page.clock.install();
	await open(page, server, "project=gone/*");
	await expect(tile(page, "gone/api")).toContainText("passed");
	await expect(alarm(page)).toHaveText("");

	await server.stop("SIGKILL");
	// As when a lid is closed and opened: timers fire once.
	await page.clock.fastForward(120_000);
	await expect(alarm(page)).toHaveText(/^NO DATA SINCE \d\d:\d\d$/);
	await expect(page).toHaveTitle(/^! no data/);
	// What is said below stands on no stripes.
	await expect(page.locator("footer stream-state")).toHaveCSS("background-image", "none");
	await page.screenshot({ path: "test-results/wall-stale.png" });
	await server.start();
	// The page's clock is that of its connection again.
	await page.clock.setSystemTime(Date.now());
	await page.evaluate(() => dispatchEvent(new Event("stepcast-retry")));
	await expect(alarm(page)).toHaveText("");
	await ended(server, "gone/api", "failed", "Grace");
	await expect(tile(page, "gone/api")).toContainText("failed");

	// On a machine without a network the browser says so from the start, and is not believed.
	const online = await page.evaluate(() => navigator.onLine);
	await context.setOffline(true);
	await page.evaluate(() => dispatchEvent(new Event("offline")));
	await expect(alarm(page)).toHaveText(online ? /^NO DATA SINCE/ : "");
	await context.setOffline(false);
	await expect(alarm(page)).toHaveText("");
});

test("a board whose script does not come loads itself anew", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected = [/net::ERR_/, /dynamically imported/];
	await ended(server, "late-script/api", "passed", "Ada");
	await page.clock.install();
	await page.route("**/wall-page-*.js", (route) => route.abort(), { times: 1 });
	const failed = page.waitForEvent("requestfailed");
	await page.goto(`${server.url}/wall?project=late-script/*`);
	await failed;
	await expect(page.locator("stepcast-tile")).toHaveCount(0);
	await expect(async () => {
		await page.clock.runFor(5_000);
		await expect(tile(page, "late-script/api")).toContainText("passed", { timeout: 2_000 });
	}).toPass();
});

test("a step that was lost is marked while its build still runs", async ({ page, server }) => {
	await open(page, server, "project=nothing/*");
	await page.evaluate(() => {
		const now = Date.now();
		const at = new Date(now - 111_000).toISOString();
		const build = { id: "x", project: "p", number: 1, status: "running", created_at: at };
		const steps = [{ key: "test", status: "lost" }];
		const tile = { build: { ...build, started_at: at }, steps, failures: [], past: "whole" };
		const element = Object.assign(document.createElement("stepcast-tile"), { tile, now });
		Object.assign(element.style, { position: "fixed", inset: "0 auto auto 0", width: "320px" });
		element.style.height = "180px";
		document.body.append(element);
	});
	const drawn = page.locator("body > stepcast-tile");
	await expect(drawn.locator(".status")).toHaveText(/^\s*running\s+1 m 51 s\s*$/);
	const why = drawn.locator(".why");
	await expect(why).toHaveText(/^\s*lost\s+test\s*$/);
	const mark = await why.locator("stepcast-mark").boundingBox();
	const name = await why.locator("bdi").boundingBox();
	expect(Math.abs((mark?.y ?? 0) - (name?.y ?? 0)), "on one line").toBeLessThan(6);
	await expect(why.locator("svg")).toBeVisible();
	await page.screenshot({ path: "test-results/wall-lost.png" });
});

test("what is wrong with the connection is as large as the time, and nobody is asked to press anything", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	await page.setViewportSize({ width: 1920, height: 1080 });
	await page.clock.install();
	await open(page, server, "project=nothing/*");
	const size = (selector: string) =>
		page
			.locator(selector)
			.evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize));
	expect(await size("stream-state")).toBe(await size("footer"));
	const retry = page.getByRole("button", { name: "Retry now" });
	await server.stop("SIGKILL");
	await expect(page.locator("stream-state [role=status]")).toHaveText("Reconnecting");
	expect(await size("stream-state")).toBe(await size(".clock"));
	await page.mouse.move(9, 9);
	await expect(retry).toBeVisible();
	await page.clock.runFor(6_000);
	await expect(retry).toBeHidden();
	await page.screenshot({ path: "test-results/wall-reconnecting.png" });
	await page.mouse.move(19, 9);
	await expect(retry).toBeVisible();
	await server.start();
});

test("many projects are turned to, and a phone scrolls", async ({ page, server }) => {
	for (let i = 0; i < 70; i++) await server.build({ project: `many/p${i}`, branch: "main" });
	await page.setViewportSize({ width: 1920, height: 1080 });
	await open(page, server, "project=many/*");
	await expect(page.getByText("Page 1 of 2")).toBeVisible();
	await expect(page.locator("stepcast-tile")).toHaveCount(56);
	await page.getByRole("button", { name: "Next page" }).click();
	await expect(page.locator("stepcast-tile")).toHaveCount(14);
	await page.getByRole("button", { name: "Next page" }).click();
	await expect(page.locator("stepcast-tile")).toHaveCount(56);
	const scrolls = await page.evaluate(() => {
		const { scrollHeight, clientHeight } = document.documentElement;
		return scrollHeight - clientHeight;
	});
	expect(scrolls).toBe(0);

	await open(page, server, "project=many/*&cols=10");
	await expect(page.locator("stepcast-tile")).toHaveCount(70);
	await page.setViewportSize({ width: 390, height: 844 });
	await open(page, server, "project=many/*");
	await expect(page.locator("stepcast-tile")).toHaveCount(70);
});

test("progress goes to the estimate, in steps for who wants no motion", async ({
	page,
	server,
}) => {
	await open(page, server, "project=nothing/*");
	const done = await page.evaluate(async () => {
		const now = Date.now();
		const build = {
			...{ id: "x", project: "p", number: 1, status: "running", expected_s: 100 },
			...{
				created_at: new Date(now).toISOString(),
				started_at: new Date(now - 33_000).toISOString(),
			},
		};
		const tile = { key: "p", build, steps: [], failures: [], passed: 0, past: "whole" };
		const drawn = [];
		for (const coarse of [false, true]) {
			const element = Object.assign(document.createElement("stepcast-tile"), { tile, now, coarse });
			document.body.append(element);
			await (element as unknown as { updateComplete: Promise<unknown> }).updateComplete;
			const track = element.shadowRoot?.querySelector<HTMLElement>(".track");
			drawn.push(track?.style.getPropertyValue("--done"), element.shadowRoot?.textContent);
			element.remove();
		}
		return drawn;
	});
	expect([done[0], done[2]]).toEqual(["0.33", "0.3"]);
	expect(done[1]).toContain("33 s of about 1 m 40 s");
});

for (const colorScheme of ["light", "dark"] as const) {
	test(`no violations on a board, ${colorScheme}`, async ({ page, server }) => {
		await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
		for (const status of ["passed", "failed", "canceled"]) {
			await ended(server, `axe/${status}`, status, "Ada Lovelace");
		}
		await server.build({ project: "axe/queued", branch: "main" });
		const running = await server.build({ project: "axe/running", branch: "main" });
		await running.step("test", "running");
		for (const [name, width, query] of [
			["all", 1440, "project=axe/*&project=axe/none"],
			["all", 390, "project=axe/*&project=axe/none"],
			["calm", 1440, "project=axe/passed&mode=problems"],
		] as const) {
			await page.setViewportSize({ width, height: 900 });
			await open(page, server, query);
			await expect(page.locator(name === "calm" ? ".calm" : "stepcast-tile").first()).toBeVisible();
			await page.screenshot({ path: `test-results/wall-${name}-${colorScheme}-${width}.png` });
			expect(await violations(page)).toEqual([]);
		}
	});
}
