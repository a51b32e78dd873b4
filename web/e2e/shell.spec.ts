import { expect, test } from "./stepcast.ts";

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
