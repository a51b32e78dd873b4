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
