import { expect, Server, test } from "./stepcast.ts";

test("the list is live", async ({ page, server }) => {
	const first = await server.build({ project: "acme/list", branch: "main", title: "The first" });
	await page.goto(server.url);
	const item = (number: number) =>
		page.locator("build-item").filter({ hasText: `acme/list #${number}` });
	await expect(item(first.number).locator(".status")).toHaveText("queued");
	await expect(page.locator("stream-state [role=status]")).toHaveText("Live");

	await first.step("vet", "running");
	await expect(item(first.number).locator(".status")).toHaveText("running");
	await expect(item(first.number).locator(".steps status-mark")).toHaveText("vet: running");

	const second = await server.build({ project: "acme/list", branch: "other", title: "The second" });
	await expect(item(second.number)).toBeVisible();
	await expect(page.locator("build-item").first()).toContainText(`acme/list #${second.number}`);
	await first.finish("vet", "failed");
	await expect(item(first.number).locator(".status")).toHaveText("failed");
	await expect(item(first.number).locator(".steps status-mark")).toHaveText("vet: failed");

	await page.getByRole("link", { name: `acme/list #${first.number}` }).click();
	await expect(page).toHaveURL(first.url);
	await page.goBack();
	await expect(item(second.number)).toBeVisible();
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

test("the empty list shows the whole command on a narrow screen", async ({ page }) => {
	const empty = new Server();
	try {
		await empty.start();
		await page.setViewportSize({ width: 390, height: 844 });
		await page.goto(empty.url);
		const command = page.locator("pre");
		await expect(command).toBeVisible();
		await expect(page.locator("stream-state [role=status]")).toHaveText("Live");
		const hidden = await command.evaluate((pre) => pre.scrollWidth - pre.clientWidth);
		expect(hidden).toBeLessThanOrEqual(0);
		await page.goto("about:blank");
	} finally {
		await empty.remove();
	}
});
