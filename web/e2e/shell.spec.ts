import type { Page } from "@playwright/test";
import { connectionErrors, expect, Server, test } from "./stepcast.ts";

test("a theme that was chosen is kept, and shown in every tab from the first paint on", async ({
	page,
	context,
	server,
}) => {
	const ground = (of = page) =>
		of.evaluate(() => getComputedStyle(document.body.parentElement as Element).backgroundColor);
	const [light, dark] = ["rgb(255, 255, 255)", "rgb(13, 17, 23)"];
	await page.emulateMedia({ colorScheme: "dark" });
	await page.goto(server.url);
	expect(await ground()).toBe(dark);
	const other = await context.newPage();
	await other.goto(server.url);

	await page.getByRole("button", { name: "Theme: auto" }).click();
	await expect(page.getByRole("button", { name: "Theme: light" })).toBeVisible();
	expect(await ground()).toBe(light);
	await expect(other.getByRole("button", { name: "Theme: light" })).toBeVisible();
	expect(await ground(other)).toBe(light);

	await page.addInitScript(() => {
		new PerformanceObserver((list) => {
			for (const { name } of list.getEntries()) {
				if (name === "first-paint") document.documentElement.dataset.painted = "";
			}
		}).observe({ type: "paint", buffered: true });
		new MutationObserver((_, observer) => {
			const { theme, painted } = document.documentElement.dataset;
			if (theme === undefined) return;
			document.documentElement.dataset.first = painted === undefined ? theme : "too late";
			observer.disconnect();
		}).observe(document, { attributes: true, subtree: true });
	});
	await page.reload();
	await expect(page.locator("html")).toHaveAttribute("data-first", "light");
	expect(await ground()).toBe(light);

	await page.getByRole("button", { name: "Theme: light" }).click();
	await page.emulateMedia({ colorScheme: "light" });
	expect(await ground()).toBe(dark);
	await page.getByRole("button", { name: "Theme: dark" }).click();
	expect(await ground()).toBe(light);
});

test("what is stored may be anything", async ({ page, server }) => {
	await page.addInitScript(() => {
		localStorage.setItem("stepcast.theme", '"pink"');
		localStorage.setItem("stepcast.keys", "{");
	});
	await page.goto(server.url);
	await expect(page.getByRole("button", { name: "Theme: auto" })).toBeVisible();
	await page.keyboard.press("?");
	await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
});

test("the help lists the keys of the page, and switches them off for good", async ({
	page,
	server,
}) => {
	await page.goto(server.url);
	const help = page.getByRole("dialog", { name: "Keys" });
	await expect(page.getByRole("link", { name: "Stepcast" })).toBeVisible();
	await page.keyboard.press("?");
	await expect(help).toBeVisible();
	await expect(help.locator("section").filter({ hasText: "Everywhere" })).toContainText(
		"Show the keys",
	);
	await page.keyboard.press("Escape");
	await expect(help).toBeHidden();

	await page.keyboard.press("?");
	await help.getByRole("checkbox").uncheck();
	await help.getByRole("button", { name: "Close" }).click();
	await page.keyboard.press("?");
	await page.reload();
	await expect(page.getByRole("link", { name: "Stepcast" })).toBeVisible();
	await page.keyboard.press("?");
	await expect(help).toBeHidden();
});

test("the tab tells a build's status by title and icon", async ({ page, server }) => {
	const build = await server.build({ project: "acme/tab", branch: "main", steps: [{ key: "a" }] });
	const icon = () => page.locator("link[rel=icon]").getAttribute("href");
	await page.goto(build.url);
	await expect(page).toHaveTitle(`○ main #${build.number} queued — acme/tab`);
	const queued = await icon();
	await build.step("a", "running");
	await expect(page).toHaveTitle(`● main #${build.number} running — acme/tab`);
	const running = await icon();
	await build.finish("a", "failed");
	await expect(page).toHaveTitle(`✗ main #${build.number} failed — acme/tab`);
	const all = [queued, running, await icon()];
	expect(new Set(all).size).toBe(3);
	for (const address of all) {
		const loaded = await page.evaluate(async (src) => {
			const image = new Image();
			image.src = src ?? "";
			await image.decode();
			return image.naturalWidth;
		}, address);
		expect(loaded).toBeGreaterThan(0);
	}
});

test("whoever asks for it is notified of the end, once and in words", async ({
	page,
	context,
	server,
}) => {
	await context.grantPermissions(["notifications"], { origin: server.url });
	await page.addInitScript(() => {
		const told: string[] = [];
		class Told extends Notification {
			constructor(title: string, options?: NotificationOptions) {
				super(title, options);
				told.push(`${title}: ${options?.body}`);
			}
		}
		Object.assign(globalThis, { told, Notification: Told });
	});
	const told = () => page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
	const build = await server.build({ project: "acme/told", branch: "main", title: "A change" });
	await page.goto(build.url);
	const button = page.getByRole("button", { name: "Notify me" });
	await button.click();
	await expect(button).toHaveAttribute("aria-pressed", "true");
	await build.step("a", "running");
	await build.finish("a", "passed");
	await expect(button).toBeHidden();
	await expect.poll(told).toEqual([`✓ main #${build.number} passed — acme/told: A change`]);
});

test("a browser that blocks notifications is said to do so", async ({ page, server }) => {
	const build = await server.build({ project: "acme/blocked" });
	await page.goto(build.url);
	// Chromium without a window denies what nobody granted.
	await page.getByRole("button", { name: "Notify me" }).click();
	await expect(page.locator("notify-button")).toContainText("The browser blocks notifications");
	await build.send({ build: { status: "canceled" } });
	await expect(page.getByRole("button", { name: "Notify me" })).toBeHidden();
});

const palette = (page: Page) => page.getByRole("dialog", { name: "Jump to" });
const option = (page: Page, name: string) => palette(page).getByRole("option", { name });

test("the palette jumps to a project, a build, a branch and a step, by keyboard alone", async ({
	page,
	server,
}) => {
	const steps = ["lint", "test/linux", "test/darwin"].map((key) => ({ key }));
	const old = await server.build({ project: "acme/jump", branch: "release/7", title: "Far back" });
	const build = await server.build({ project: "acme/jump", branch: "main", title: "Near", steps });
	await page.goto(server.url);
	const words = palette(page).getByRole("combobox");
	const jump = async (text: string, name: string) => {
		await page.keyboard.press("Control+k");
		await expect(words).toBeFocused();
		await page.keyboard.type(text);
		await expect(option(page, name)).toHaveAttribute("aria-selected", "true");
		const active = await option(page, name).getAttribute("id");
		await expect(words).toHaveAttribute("aria-activedescendant", active ?? "");
		await page.keyboard.press("Enter");
	};

	await expect(page.locator("build-item").first()).toBeVisible();
	await jump(`acme/jump#${old.number}`, `acme/jump #${old.number}`);
	await expect(page).toHaveURL(old.url);
	await jump("near", `acme/jump #${build.number}`);
	await expect(page).toHaveURL(build.url);
	await jump("darwin", "test/darwin");
	await expect(page).toHaveURL(`${build.url}#test%2Fdarwin`);
	await expect(page.locator("step-log h2")).toHaveText("test/darwin");
	await jump("release/7", `acme/jump #${old.number}`);
	await expect(page).toHaveURL(old.url);
	await jump(build.id, `acme/jump #${build.number}`);
	await expect(page).toHaveURL(build.url);

	await page.getByRole("button", { name: "Jump to" }).click();
	await page.keyboard.type("acme/jump");
	await expect(option(page, "acme/jump").first()).toBeVisible();
	await page.keyboard.press("ArrowUp");
	await expect(palette(page).getByRole("option").last()).toHaveAttribute("aria-selected", "true");
	await page.keyboard.press("ArrowDown");
	await expect(palette(page).getByRole("option").first()).toHaveAttribute("aria-selected", "true");
	await palette(page).getByRole("group", { name: "Projects" }).getByRole("option").first().click();
	await expect(page).toHaveURL(`${server.url}/?project=acme%2Fjump`);
});

test("the palette does things, and says what it does not find", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected.push(...connectionErrors);
	const build = await server.build({ project: "acme/act" });
	await page.goto(build.url);
	await expect(page.locator("build-page h1")).toBeVisible();
	await page.keyboard.press("Control+k");
	await page.keyboard.type("nothing is called so");
	await expect(palette(page).getByText("Nothing matches")).toBeVisible();
	await expect(palette(page).getByRole("combobox")).toHaveAttribute("aria-expanded", "false");
	await palette(page).getByRole("combobox").fill("0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10");
	await expect(palette(page).getByRole("alert")).not.toBeEmpty();

	await palette(page).getByRole("combobox").fill("dark");
	await page.keyboard.press("Enter");
	await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
	await expect(palette(page)).toBeHidden();
	await page.keyboard.press("Control+k");
	await expect(palette(page).getByRole("combobox")).toBeFocused();
	await page.keyboard.type("keys");
	await expect(palette(page).getByRole("option").first()).toHaveText(/^\s*Keys/);
	await page.keyboard.press("Enter");
	await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
	await page.keyboard.press("Control+k");
	await expect(palette(page)).toBeHidden();
	await page.keyboard.press("Escape");
	await expect(page.getByRole("dialog", { name: "Keys" })).toBeHidden();

	await page.route("**/api/v1/projects", (route) => route.abort());
	await page.keyboard.press("Control+k");
	await expect(palette(page).getByRole("alert")).toHaveText("The server could not be reached.");
	await page.keyboard.press("Control+k");
	await expect(palette(page)).toBeHidden();
});

test("an address without a page is said to be one", async ({ page, server, complaints }) => {
	complaints.expected.push(/status of 404/);
	const answer = await page.goto(`${server.url}/nowhere`);
	expect(answer?.status()).toBe(404);
	await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
	await expect(page).toHaveTitle("No such page · Stepcast");
	await expect(page.locator("stream-state [role=status]")).toHaveText("Not available");
	await page.getByRole("link", { name: "All builds" }).click();
	await expect(page).toHaveURL(`${server.url}/`);
});

test("the first thing Tab reaches skips the header", async ({ page, server }) => {
	await page.goto(server.url);
	await expect(page.getByRole("link", { name: "Stepcast" })).toBeVisible();
	await page.keyboard.press("Tab");
	const skip = page.getByRole("button", { name: "Skip to the content" });
	await expect(skip).toBeFocused();
	await expect(skip).toBeInViewport({ ratio: 1 });
	await page.keyboard.press("Enter");
	await expect(page.getByRole("main")).toBeFocused();
	await page.keyboard.press("Tab");
	await expect(page.locator("builds-filter [name=project]")).toBeFocused();
});

test("the header is one line on a phone, whatever the connection", async ({
	page,
	server,
	context,
	complaints,
}) => {
	complaints.expected.push(...connectionErrors);
	await page.setViewportSize({ width: 390, height: 844 });
	await page.goto(server.url);
	const header = page.locator("stepcast-app header").first();
	const fits = async () => {
		const [room, inner] = await header.evaluate((e) => [e.clientWidth, e.scrollWidth]);
		expect(inner).toBeLessThanOrEqual(room ?? 0);
		for (const child of await header.locator("> *:visible").all()) {
			const box = await child.boundingBox();
			expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(50);
			expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
		}
	};
	await expect(page.locator("stream-state [role=status]")).toHaveText("Live");
	await fits();
	// On a machine without a network the browser was never online, and its word is not taken.
	await page.evaluate(() => dispatchEvent(new Event("online")));
	await context.setOffline(true);
	await page.evaluate(() => dispatchEvent(new Event("offline")));
	await expect(page.locator("stream-state [role=status]")).toHaveText("Offline");
	await fits();
	await page.screenshot({ path: "test-results/header-offline-390.png" });
});

test("text is copied also where the page has no clipboard, as over plain HTTP", async ({
	page,
	server,
}) => {
	const empty = new Server();
	try {
		await empty.start();
		await page.addInitScript(() => {
			Object.defineProperty(navigator, "clipboard", { value: undefined });
		});
		await page.goto(empty.url);
		const copy = page.locator("copy-button").first();
		await copy.getByRole("button").click();
		await expect(copy.getByRole("status")).toHaveText("Copied");
		await expect(copy.getByRole("button")).toBeFocused();
		await page.goto(server.url);
		await page.locator("builds-filter [name=author]").press("Control+V");
		await expect(page.locator("builds-filter [name=author]")).toHaveValue(
			/^PATH=.* -- echo hello$/,
		);
	} finally {
		await empty.remove();
	}
});

test("hostile names are text in the list and the palette", async ({ page, server }) => {
	const evil = `<img src=x onerror="document.title='owned'">\u202e`;
	const build = await server.build({
		project: "acme/evil",
		branch: evil,
		title: evil,
		author: evil,
		steps: [{ key: "evil", name: evil }],
	});
	await page.goto(server.url);
	const row = page.locator("build-item").filter({ hasText: "acme/evil" });
	for (const cell of [".name", ".branch", ".author"]) {
		await expect(row.locator(cell)).toHaveText(evil);
	}
	await page.locator("builds-filter [name=author]").fill(evil);
	await page.keyboard.press("Enter");
	await expect(page.locator("build-item")).toHaveCount(1);
	await page.goto(build.url);
	await page.keyboard.press("Control+k");
	await page.keyboard.type("<img");
	await expect(palette(page).getByRole("group", { name: "Steps" })).toContainText(evil);
	await expect(palette(page).getByRole("group", { name: "Builds" })).toContainText(evil);
	await page.keyboard.press("Enter");
	await expect(page).toHaveURL(`${build.url}#evil`);
	expect(await page.locator("img, script:not([src])").count()).toBe(0);
});
