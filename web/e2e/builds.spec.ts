import { spawn } from "node:child_process";
import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Page } from "@playwright/test";
import { binary, connectionErrors, expect, Server, test } from "./stepcast.ts";

const item = (page: Page, text: string) => page.locator("build-item").filter({ hasText: text });
const live = (page: Page) => expect(page.locator("stream-state [role=status]")).toHaveText("Live");
const strip = (page: Page, text: string) => item(page, text).getByRole("img");

const field = (page: Page, name: string) =>
	page.locator("builds-filter").getByLabel(name, { exact: true });

test("the list is live", async ({ page, server }) => {
	const first = await server.build({ project: "acme/list", branch: "main", title: "The first" });
	await page.goto(server.url);
	const row = item(page, `acme/list #${first.number}`);
	await expect(row.locator(".status")).toHaveText("queued");
	await live(page);

	await first.step("vet", "running");
	await expect(row.locator(".status")).toHaveText("running");
	await expect(strip(page, `acme/list #${first.number}`)).toHaveAccessibleName(
		"1 step: 1 running (vet)",
	);

	const second = await server.build({ project: "acme/list", branch: "other", title: "The second" });
	await expect(page.locator("build-item").first()).toContainText(`acme/list #${second.number}`);
	await first.finish("vet", "failed");
	await expect(row.locator(".status")).toHaveText("failed");
	await expect(strip(page, `acme/list #${first.number}`)).toHaveAccessibleName(
		"1 step: 1 failed (vet)",
	);

	await page.getByRole("link", { name: `acme/list #${first.number}` }).click();
	await expect(page).toHaveURL(first.url);
	await page.goBack();
	await expect(item(page, `acme/list #${second.number}`)).toBeVisible();
});

test("how many builds there are is said again once there are others, not for each", async ({
	page,
	server,
}) => {
	const project = "acme/said";
	await server.build({ project });
	await page.goto(`${server.url}/?project=${project}`);
	const said = page.locator("builds-page > [role=status]");
	await expect(said).toHaveText("1 build");
	await live(page);
	await said.evaluate((element) => {
		const heard: (string | null)[] = [];
		new MutationObserver(() => heard.push(element.textContent)).observe(element, {
			characterData: true,
			childList: true,
			subtree: true,
		});
		Object.assign(globalThis, { heard });
	});
	for (let i = 0; i < 8; i++) await server.build({ project });
	await expect(page.locator("build-item")).toHaveCount(9);
	await expect(said).toHaveText("9 builds");
	const heard = await page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
	expect(heard.length).toBeLessThan(8);
});

test("the list is a table", async ({ page, server }) => {
	const build = await server.build({
		project: "acme/table",
		branch: "main",
		title: "A change",
		author: "Ada",
	});
	await page.goto(server.url);
	const table = page.getByRole("table", { name: "Builds" });
	await expect(table.getByRole("columnheader")).toHaveText([
		"Status",
		"Build",
		"Branch",
		"Author",
		"Steps",
		"Started",
		"Took",
	]);
	const row = table.getByRole("row").filter({ hasText: `acme/table #${build.number}` });
	await expect(row.getByRole("rowheader")).toContainText("A change");
	await expect(row.getByRole("cell")).toHaveCount(6);
	// When it was created is not when it started.
	const when = row.locator(".when");
	await expect(when).toHaveText(/^created just now$|^created .* ago$/);
	await build.send({ build: { status: "running" } });
	await expect(when).toHaveText(/^just now$|ago$/);
	await expect(when).not.toContainText("created");
});

test("a build without a title is named by its steps, of which all are in the strip", async ({
	page,
	server,
}) => {
	const steps = Array.from({ length: 300 }, (_, i) => ({ key: `s${i}`, name: `Step ${i}` }));
	await server.build({ project: "acme/strip", steps });
	await page.goto(server.url);
	const row = item(page, "acme/strip");
	await expect(row.getByRole("link")).toContainText("Step 0, Step 1, Step 2, Step 3 and 296 more");
	const segments = row.locator(".strip > span");
	await expect(segments).toHaveCount(300);
	await expect(segments.nth(299)).toHaveAttribute("title", "Step 299: queued");
	const { height } = (await row.boundingBox()) ?? { height: 0 };
	expect(height).toBeLessThan(120);
});

test("thousands of steps make no row higher", async ({ page, server }) => {
	const build = await server.build({
		project: "acme/thousands",
		title: "All of them",
		steps: Array.from({ length: 1_500 }, (_, i) => ({ key: `s${i}` })),
	});
	await build.step("s7", "failed");
	await build.step("s8", "passed");
	await page.goto(server.url);
	const row = item(page, "acme/thousands");
	await expect(row.locator(".strip > .queued")).toHaveAttribute("title", "1498 queued");
	await expect(row.locator(".strip > .failed")).toHaveAttribute("title", "1 failed");
	await expect(row.locator(".strip > span")).toHaveCount(3);
	const strip = (await row.locator(".strip").boundingBox()) ?? { height: 0, width: 0 };
	expect(strip.height).toBeLessThan(20);
	const queued = (await row.locator(".strip > .queued").boundingBox()) ?? { width: 0 };
	expect(queued.width).toBeGreaterThan(strip.width * 0.9);
	const failed = (await row.locator(".strip > .failed").boundingBox()) ?? { width: 0 };
	expect(failed.width).toBeGreaterThan(1);
});

test("older builds are loaded on demand, and new ones wait while someone reads below", async ({
	page,
	server,
}) => {
	test.setTimeout(120_000);
	for (let i = 0; i < 60; i++) await server.build({ project: "acme/many", title: `Build ${i}` });
	await page.goto(server.url);
	await expect(page.locator("build-item")).toHaveCount(50);
	await page.getByRole("button", { name: "Older builds" }).click();
	await expect.poll(() => page.locator("build-item").count()).toBeGreaterThan(59);

	const before = await page.locator("build-item").count();
	await page.evaluate(() => scrollTo(0, 400));
	const late = await server.build({ project: "acme/many", title: "Late" });
	await expect(page.getByRole("button", { name: "1 new build" })).toBeVisible();
	await expect(page.locator("build-item")).toHaveCount(before);
	await page.getByRole("button", { name: "1 new build" }).click();
	await expect(page.locator("build-item").first()).toContainText(`#${late.number}`);
});

test("no row moves away under a pointer", async ({ page, server }) => {
	await server.build({ project: "acme/still", title: "Here before" });
	await page.goto(server.url);
	await live(page);
	await item(page, "Here before").hover();
	await server.build({ project: "acme/still", title: "Came later" });
	await server.build({ project: "acme/still", title: "Came last" });
	await expect(page.getByRole("button", { name: "2 new builds" })).toBeVisible();
	await expect(page.locator("build-item").first()).toContainText("Here before");
	await page.mouse.move(5, 5);
	await expect(page.locator("build-item").first()).toContainText("Came last");
	await expect(page.getByRole("button", { name: "new build" })).toBeHidden();
});

test("the filter is in the address, and holds for what comes", async ({ page, server }) => {
	await server.build({ project: "acme/f-one", branch: "main", title: "One main" });
	await server.build({ project: "acme/f-one", branch: "other", title: "One other" });
	await server.build({ project: "acme/f-two", branch: "main", title: "Two main" });
	await page.goto(server.url);
	await expect(item(page, "Two main")).toBeVisible();

	await field(page, "Project").fill("acme/f-one");
	await field(page, "Project").press("Enter");
	await expect(item(page, "Two main")).toBeHidden();
	await field(page, "Branch").fill("main");
	await field(page, "Branch").press("Tab");
	await expect(page).toHaveURL(`${server.url}/?project=acme%2Ff-one&branch=main`);
	await expect(page.locator("build-item .name")).toHaveText(["One main"]);

	await live(page);
	await server.build({ project: "acme/f-one", branch: "other", title: "Not this" });
	await server.build({ project: "acme/f-one", branch: "main", title: "But this" });
	await expect(page.locator("build-item .name")).toHaveText(["But this", "One main"]);

	await page.goBack();
	await expect(page.locator("build-item .name")).toHaveText([
		"But this",
		"Not this",
		"One other",
		"One main",
	]);
	await expect(field(page, "Branch")).toHaveValue("");
	await page.goForward();
	await page.reload();
	await expect(page.locator("build-item .name")).toHaveText(["But this", "One main"]);

	await field(page, "Branch").fill("nowhere");
	await field(page, "Branch").press("Enter");
	await expect(page.getByText("No builds match.")).toBeVisible();
	await page.getByRole("button", { name: "Clear the filter" }).click();
	await expect(page).toHaveURL(`${server.url}/`);
	await expect(item(page, "Two main")).toBeVisible();
});

test("a build that comes to fit the filter appears with its steps", async ({ page, server }) => {
	const old = await server.build({ project: "acme/fits", title: "Old", steps: [{ key: "vet" }] });
	await old.step("vet", "running");
	// Not the newest of its branch, so the feed does not begin with it.
	await server.build({ project: "acme/fits", title: "New" });
	await page.goto(`${server.url}/?project=acme/fits&status=failed`);
	await expect(page.getByText("No builds match.")).toBeVisible();
	await live(page);
	await old.finish("vet", "failed");
	await expect(page.locator("build-item .name")).toHaveText(["Old"]);
	await expect(strip(page, "Old")).toHaveAccessibleName("1 step: 1 failed (vet)");
});

test("mine are those whose author I said I am", async ({ page, server }) => {
	await server.build({ project: "acme/mine", title: "By Ada", author: "Ada Lovelace" });
	await server.build({ project: "acme/mine", title: "By Grace", author: "Grace Hopper" });
	await page.goto(`${server.url}/?project=acme/mine`);
	const mine = page.getByRole("button", { name: "Mine" });
	await mine.click();
	await expect(field(page, "Author")).toBeFocused();
	await expect(page.getByText("Who are you?")).toBeVisible();
	await page.keyboard.type("Ada Lovelace");
	await page.keyboard.press("Enter");
	await page.getByRole("button", { name: "This is me" }).click();
	await expect(mine).toHaveAttribute("aria-pressed", "true");
	await expect(page.locator("build-item .name")).toHaveText(["By Ada"]);
	await mine.click();
	await expect(page.locator("build-item")).toHaveCount(2);
	await page.reload();
	await mine.click();
	await expect(page.locator("build-item .name")).toHaveText(["By Ada"]);
});

test("a list that does not come is said to be so, and asked for again", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected.push(...connectionErrors);
	await server.build({ project: "acme/late", title: "Here after all" });
	await page.goto(`${server.url}/?project=**`);
	await expect(page.getByRole("alert")).toContainText('The project pattern "**" is neither');

	await page.route("**/api/v1/builds?*", (route) => route.abort());
	await page.goto(`${server.url}/?project=acme/late`);
	// By itself the list is asked for again with the connection.
	await live(page);
	await expect(page.getByRole("alert")).toContainText("The server could not be reached.");
	await page.unroute("**/api/v1/builds?*");
	await page.getByRole("button", { name: "Try again" }).click();
	await expect(item(page, "Here after all")).toBeVisible();
	await expect(page.getByRole("alert")).toBeHidden();
});

test("rows in outline stand for a list that takes its time", async ({ page, server }) => {
	await server.build({ project: "acme/slow" });
	let open = () => {};
	const gate = new Promise<void>((resolve) => {
		open = resolve;
	});
	await page.route("**/api/v1/builds?*", async (route) => {
		await gate;
		await route.continue();
	});
	await page.goto(server.url);
	await expect(page.locator(".skeleton > div")).toHaveCount(8);
	open();
	await expect(page.locator("build-item").first()).toBeVisible();
	await expect(page.locator(".skeleton")).toBeHidden();
});

test("by keyboard alone: to the filter, down the list, into a build", async ({ page, server }) => {
	const older = await server.build({ project: "acme/keys-list", title: "Older" });
	await server.build({ project: "acme/keys-list", title: "Newer" });
	await page.goto(server.url);
	await expect(item(page, "Newer")).toBeVisible();
	await page.keyboard.press("/");
	await expect(field(page, "Project")).toBeFocused();
	await page.keyboard.type("acme/keys-list");
	await expect(field(page, "Project")).toHaveValue("acme/keys-list");
	await page.keyboard.press("Enter");
	await expect(page.locator("build-item")).toHaveCount(2);
	await field(page, "Project").blur();
	for (const key of ["j", "j", "j", "k", "j"]) await page.keyboard.press(key);
	await expect(page.getByRole("link", { name: "Older" })).toBeFocused();
	await page.keyboard.press("Enter");
	await expect(page).toHaveURL(older.url);
});

test("the focus stays on its build while another comes above it", async ({ page, server }) => {
	await server.build({ project: "acme/focus", title: "Here before" });
	await page.goto(`${server.url}/?project=acme/focus`);
	await live(page);
	const link = page.getByRole("link", { name: "Here before" });
	await link.focus();
	await server.build({ project: "acme/focus", title: "Came above" });
	await expect(page.locator("build-item").first()).toContainText("Came above");
	await expect(link).toBeFocused();
});

test("the empty list shows commands that work as they stand", async ({ page, context }) => {
	const empty = new Server();
	try {
		await empty.start();
		await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: empty.url });
		await page.setViewportSize({ width: 390, height: 844 });
		await page.goto(empty.url);
		await live(page);
		await expect(page.getByText("Waiting for the first one")).toBeVisible();
		for (const command of await page.locator("pre").all()) {
			const hidden = await command.evaluate((pre) => pre.scrollWidth - pre.clientWidth);
			expect(hidden).toBeLessThanOrEqual(0);
		}
		const copied: string[] = [];
		for (const copy of await page.locator("copy-button").all()) {
			await copy.getByRole("button").click();
			await expect(copy.getByRole("status")).toHaveText("Copied");
			copied.push(await page.evaluate(() => navigator.clipboard.readText()));
		}
		expect(copied).toEqual(await page.locator("pre").allTextContents());

		const [client = "", curl = ""] = copied;
		const folder = mkdtempSync(join(tmpdir(), "stepcast-typed-"));
		symlinkSync(dirname(binary), join(folder, "bin"));
		await typed(client, folder, empty.dataDir);
		await expect(item(page, "hello #1")).toContainText("passed");
		await typed(curl.replace("path/to/token", join(empty.dataDir, "token")), folder, empty.dataDir);
		await expect(item(page, "hello #2")).toContainText("passed");
		await page.goto("about:blank");
	} finally {
		await empty.remove();
	}
});

/** Runs what somebody would type into a shell in a folder, on the machine of the server. */
async function typed(line: string, folder: string, dataDir: string): Promise<void> {
	const env = { ...process.env, STEPCAST_DATA_DIR: dataDir, STEPCAST_SPOOL_DIR: folder };
	const shell = spawn("bash", ["-c", line], { cwd: folder, env, stdio: "ignore" });
	expect(await new Promise((resolve) => shell.once("close", resolve)), line).toBe(0);
}
