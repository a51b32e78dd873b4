import { violations } from "./axe.ts";
import { test as base, expect, expectLines, log, Server } from "./stepcast.ts";

/** A server that keeps 100 bytes of a build's text. */
const test = base.extend<object, { server: Server }>({
	server: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
		async ({}, use) => {
			const server = new Server(["--max-build-log", "100"]);
			await server.start();
			await use(server);
			await server.remove();
		},
		{ scope: "worker", timeout: 60_000 },
	],
});

const cut = "The rest was not kept: this build's log quota of 100 bytes is used up.";

test("a log that is cut says so while it grows, once, and statuses go on", async ({
	page,
	server,
}) => {
	const build = await server.build();
	await build.step("test/linux", "running");
	await build.log("test/linux", "one\ntwo\n");
	await page.goto(build.url);
	await expectLines(page, ["one", "two"]);
	await build.log("test/linux", `three\n${"x".repeat(200)}\n`);
	await expect(log(page).locator(".hole")).toHaveText(cut);
	for (let i = 0; i < 50; i++) await build.log("test/linux", `and so on, ${i}\n`);
	await build.finish("test/linux", "failed");
	await expect(page.locator("build-page")).toContainText("failed");
	await expect(log(page).locator(".hole")).toHaveText(cut);
	await expectLines(page, ["one", "two", "three"]);
	expect(await violations(page)).toEqual([]);

	await page.reload();
	await expect(log(page).locator(".hole")).toHaveText(cut);
	await expectLines(page, ["one", "two", "three"]);

	await page.goto(`${server.url}/plain/builds/${build.id}/steps/test/linux`);
	await expect(page.locator(".hole")).toHaveText(cut);
});
