import type { Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { connectionErrors, expect, log, type Reporter, Server, test } from "./stepcast.ts";

let build: Reporter;

test.beforeAll(async ({ server }) => {
	build = await server.build({
		project: "acme/api",
		branch: "feature/a-rather-long-branch-name-that-has-to-wrap-somewhere",
		commit: "0123456789abcdef0123",
		title: "Teach the parser about nested comments, and test what it does with broken ones",
		author: "Ada Lovelace",
		trigger: "push",
		url: "https://example.org/run/1",
		steps: ["lint", "test/linux", "test/darwin", "deploy", "notify"].map((key) => ({ key })),
	});
	await build.step("lint", "passed", { exit_code: 0 });
	await build.step("test/linux", "running");
	let text = "";
	for (let i = 0; i < 16; i++) {
		const code = i < 8 ? 30 + i : 82 + i;
		text += `\x1b[${code}mcolour ${i}\x1b[0m \x1b[1;${code}mbold\x1b[0m \x1b[${code + 10}mground\x1b[0m \x1b[7;${code}minverse\x1b[0m\n`;
	}
	for (let i = 16; i < 256; i += 5)
		text += `\x1b[38;5;${i}m${i}\x1b[0m \x1b[48;5;${i}m${i}\x1b[0m `;
	text += `\n\x1b[38;2;255;255;120myellow\x1b[0m \x1b[2mdim\x1b[0m \x1b[7minverse\x1b[0m 10%\r20%\r\n`;
	text += `${"a long line ".repeat(60)}\n`;
	await build.log("test/linux", text);
	await build.lost("test/linux", 4_096);
	await build.log("test/linux", "after the hole\n");
	await build.step("test/darwin", "canceled");
	await build.step("test/linux", "failed", { exit_code: 2 });
	await build.send({ build: { status: "failed" } });
	for (const status of ["running", "passed", "canceled", "queued"]) {
		await server.build({ project: `acme/${status}`, branch: "main", title: status, status });
	}
	await server.build({
		project: "acme/rtl",
		branch: "ענף-ראשי",
		title: "تحسين السرعة عند قراءة السجلات (نسخة ثانية)",
		author: "יעל כהן",
		steps: [{ key: "a", name: "اختبار الوحدات" }],
	});
	await server.build({
		project: "acme/long",
		branch: "b".repeat(200),
		title: "t".repeat(300),
		author: "a".repeat(200),
		steps: Array.from({ length: 300 }, (_, i) => ({ key: `s${i}`, name: `${i} `.repeat(60) })),
	});
});

const listed = (page: Page) => expect(page.locator("build-item").first()).toBeVisible();

/** Each view: where it is, and how to come to it from there. */
const views: readonly [name: string, path: () => string, (page: Page) => Promise<unknown>][] = [
	["list", () => "/", listed],
	[
		"no-match",
		() => "/?project=acme/none&author=Ada",
		(page) => expect(page.getByText("No builds match.")).toBeVisible(),
	],
	[
		"refused",
		() => "/?project=**",
		(page) => expect(page.getByRole("alert")).toContainText("pattern"),
	],
	[
		"build",
		() => `/builds/${build.id}#test%2Flinux`,
		(page) => expect(log(page).locator(".hole")).toHaveCount(1),
	],
	[
		"palette",
		() => `/builds/${build.id}`,
		async (page) => {
			await page.keyboard.press("Control+k");
			await expect(page.getByRole("group", { name: "Steps" })).toBeVisible();
		},
	],
	[
		"palette-none",
		() => "/",
		async (page) => {
			await page.keyboard.press("Control+k");
			await page.keyboard.type("nothing is called so");
			await expect(page.getByText("Nothing matches")).toBeVisible();
		},
	],
	[
		"help",
		() => "/",
		async (page) => {
			await listed(page);
			await page.keyboard.press("?");
			await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
		},
	],
	[
		"no-page",
		() => "/nowhere",
		(page) => expect(page.getByRole("heading", { name: "no such page" })).toBeVisible(),
	],
];

const screens = (["light", "dark"] as const).flatMap((colorScheme) =>
	[1440, 390].map((width) => ({ colorScheme, width, height: width === 390 ? 844 : 900 })),
);

for (const { colorScheme, width, height } of screens) {
	const screen = `${colorScheme}-${width}`;

	test.describe(screen, () => {
		test.use({ colorScheme, viewport: { width, height } });

		for (const [name, path, come] of views) {
			test(`no violations: ${name}`, async ({ page, server, complaints }) => {
				complaints.expected.push(...connectionErrors);
				await page.goto(server.url + path());
				await come(page);
				await page.screenshot({ path: `test-results/${name}-${screen}.png` });
				expect(await violations(page)).toEqual([]);
			});
		}
	});
}

test("no violations: empty, in each theme that can be chosen", async ({ page }) => {
	const empty = new Server();
	try {
		await empty.start();
		await page.goto(empty.url);
		await expect(page.getByText("Waiting for the first one")).toBeVisible();
		for (const { colorScheme, width, height } of screens) {
			await page.setViewportSize({ width, height });
			const theme = page.getByRole("button", { name: "Theme" });
			while ((await theme.getAttribute("title")) !== `Theme: ${colorScheme}`) await theme.click();
			await page.screenshot({ path: `test-results/empty-${colorScheme}-${width}.png` });
			expect(await violations(page)).toEqual([]);
		}
		await page.goto("about:blank");
	} finally {
		await empty.remove();
	}
});
