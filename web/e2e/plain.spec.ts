import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import { expect, firstDifference, type Reporter, test } from "./stepcast.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const hostile = [
	"<script>hit = 1</script>",
	'"><img src=x onerror=hit=1>',
	"</li></ol></main><svg onload=hit=1>",
	"javascript:hit=1",
	"{{.}} &lt;b&gt; <!-- <![CDATA[",
	"مرحبا ‮gnirts‬ שלום",
];

let build: Reporter;
let log: Reporter;

test.beforeAll(async ({ server }) => {
	build = await server.build({
		project: "plain/api",
		branch: `feature/${hostile[1]}`,
		commit: "0123456789abcdef0123",
		title: hostile[0],
		author: hostile[5],
		trigger: hostile[2],
		url: `https://example.org/${hostile[1]}`,
		steps: ["lint", "test/linux", "test/darwin", "deploy", "x".repeat(200)].map((key) => ({ key })),
	});
	await build.step("lint", "passed", { exit_code: 0, name: hostile[2] });
	await build.step("test/linux", "running");
	const lines = Array.from({ length: 1_200 }, (_, i) => `line ${i + 1}: ${hostile[i % 6]}`);
	lines[9] = "10%\r20%\r\x1b[32m100%\x1b[0m";
	lines[10] = "w".repeat(1_000_000);
	await build.log("test/linux", `${lines.join("\n")}\n`);
	await build.lost("test/linux", 4_096);
	await build.log("test/linux", "after the hole\n");
	const notes = [
		{ line: 1, group: { name: hostile[1] } },
		{ line: 3, group: { name: "Compile", level: 2 } },
		{
			line: 1_100,
			annotation: {
				level: "error",
				message: hostile[0],
				title: hostile[1],
				file: "<a>.c",
				file_line: 3,
			},
		},
		{ line: 1_101, annotation: { level: "warning", message: "old\nuse the new one" } },
		{ line: 1_102, group_end: { group: 1, duration_s: 62 } },
		{ line: 1_103, group_end: { group: 0, duration_s: 64 } },
		{ test: { name: hostile[2], suite: hostile[5], status: "failed", message: hostile[0] } },
		{ test: { name: "fine", status: "passed" } },
	];
	await build.send(
		...notes.map((note, number) => ({ note: { step: "test/linux", number, ...note } })),
	);
	await build.step("test/darwin", "canceled");
	await build.step("test/linux", "failed", { exit_code: 2 });
	await build.send({ build: { status: "failed" } });

	log = await server.build({ project: "plain/log", steps: [{ key: "a" }] });
	const text = Array.from({ length: 2_500 }, (_, i) => `  ${i + 1}\t${hostile[i % 5]} `);
	await log.log("a", text.join("\n"));
	await log.finish("a");
});

test.describe("without JavaScript", () => {
	test.use({ javaScriptEnabled: false });

	/** Goes to a link or a field by the keyboard alone. */
	async function tabTo(page: Page, name: string | RegExp): Promise<void> {
		const target = page
			.locator(":focus")
			.and(
				page
					.getByRole("link", { name })
					.or(page.getByRole("textbox", { name }))
					.or(page.getByRole("spinbutton", { name }))
					.or(page.getByRole("button", { name })),
			);
		for (let i = 0; i < 60; i++) {
			await page.keyboard.press("Tab");
			if ((await target.count()) > 0) return;
		}
		throw new Error(`no way to ${name} by the keyboard`);
	}

	async function follow(page: Page, name: string | RegExp): Promise<void> {
		await tabTo(page, name);
		await page.keyboard.press("Enter");
	}

	test("leads from the first page to the line of the first error, by the keyboard", async ({
		page,
		server,
	}) => {
		await page.goto(`${server.url}/`);
		await follow(page, "The accessible view");
		await expect(page).toHaveTitle("Builds · Stepcast");
		await follow(page, "plain/api #1");
		await expect(page).toHaveTitle("✗ failed: plain/api #1 · Stepcast");
		await follow(page, "First error: test/linux, line 1,100");
		await expect(page).toHaveTitle(/^✗ failed: test\/linux, plain\/api #1, lines 1,001 to 1,201/);
		const line = page.locator(":target");
		await expect(line).toHaveAttribute("id", "L1100");
		await expect(line).toContainText("error:");
		await expect(line).toBeInViewport();
		await follow(page, "First page");
		await expect(
			page.getByRole("heading", { name: "Compile 1,099 lines, 1 min 2 s" }),
		).toBeVisible();
		await tabTo(page, "Go to line");
		await page.keyboard.type("1201");
		await page.keyboard.press("Enter");
		await expect(page.locator(":target")).toHaveText("after the hole");
		await expect(page.locator(":target")).toBeInViewport();
	});

	test("filters the list by the keyboard", async ({ page, server }) => {
		await page.goto(`${server.url}/plain`);
		await tabTo(page, "Project");
		await page.keyboard.type("plain/log");
		await page.keyboard.press("Enter");
		await expect(page.locator("h2")).toHaveText("✓ passed plain/log #1");
		await follow(page, "Show all builds");
		await expect.poll(() => page.locator("h2").count()).toBeGreaterThan(1);
	});

	test("leads from a build's page to the same build", async ({ page }) => {
		await page.goto(build.url);
		await follow(page, "The accessible view");
		await expect(page.getByRole("heading", { level: 1 })).toHaveText("✗ failed plain/api #1");
	});

	test("shows each line of a log once", async ({ page, server }) => {
		await page.goto(`${server.url}/plain/builds/${log.id}/steps/a`);
		const shown: string[] = [];
		for (let pages = 1; ; pages++) {
			await expect(page.locator("ol[start]").first()).toHaveAttribute(
				"start",
				`${shown.length + 1}`,
			);
			shown.push(...(await page.locator(".text").allTextContents()));
			const next = page.getByRole("link", { name: "Next page" }).first();
			if (pages === 3) {
				await expect(next).toHaveCount(0);
				break;
			}
			await next.click();
		}
		expect(firstDifference(shown, await server.logLines(log.id, "a"))).toBe("");
	});
});

test("keeps the steps a table where there is no room for one", async ({ page, server }) => {
	await page.setViewportSize({ width: 320, height: 900 });
	await page.goto(`${server.url}/plain/builds/${build.id}`);
	const browser = await page.context().newCDPSession(page);
	const { nodes } = await browser.send("Accessibility.getFullAXTree");
	const roles = nodes.filter((node) => !node.ignored).map((node) => node.role?.value);
	const count = (role: string) => roles.filter((other) => other === role).length;
	expect([
		count("table"),
		count("row"),
		count("columnheader"),
		count("rowheader"),
		count("cell"),
	]).toEqual([1, 6, 8, 5, 35]);
});

test("runs nothing of what a build says", async ({ page, server }) => {
	const at = `/plain/builds/${build.id}`;
	for (const [path, said] of [
		["/plain", hostile[0]],
		[at, hostile[1]],
		[`${at}/steps/test/linux`, hostile[2]],
		[`${at}/steps/lint`, hostile[2]],
	] as const) {
		await page.goto(server.url + path);
		await expect(page.locator("main")).toContainText(said ?? "");
		expect(await page.evaluate(() => "hit" in globalThis)).toBe(false);
		await expect(page.locator("main :is(script, img, svg), a[href^=javascript]")).toHaveCount(0);
	}
});

for (const colorScheme of ["light", "dark"] as const) {
	test(`no violations, ${colorScheme}`, async ({ page, server, complaints }) => {
		test.slow();
		complaints.expected = [/status of 404/];
		await page.emulateMedia({ colorScheme });
		const at = `/plain/builds/${build.id}`;
		for (const [name, path] of [
			["builds", "/plain"],
			["none", "/plain?project=none"],
			["build", at],
			["log", `${at}/steps/test/linux`],
			["end", `${at}/steps/test/linux?from=1001&times=1#L1101`],
			["waiting", `${at}/steps/deploy`],
			["missing", "/nosuch"],
		] as const) {
			for (const width of [1440, 320]) {
				await page.setViewportSize({ width, height: 900 });
				await page.goto(server.url + path);
				// To be looked at; now and then Chromium has none to give.
				await page
					.screenshot({ path: `test-results/plain-${name}-${colorScheme}-${width}.png` })
					.catch(() => undefined);
				// Through the debugger, which the page's policy does not bind.
				await page.evaluate(axe);
				const violations = await page.evaluate(async () => {
					const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
					const { violations } = await axe.run({
						rules: { "target-size": { enabled: true } },
					} as object);
					return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
				});
				expect(violations, `${name}, ${width} px`).toEqual([]);
				const overflow = await page.evaluate(
					() => document.documentElement.scrollWidth - document.documentElement.clientWidth,
				);
				expect(overflow, `${name}, ${width} px: nothing scrolls sideways`).toBeLessThanOrEqual(0);
			}
		}
	});
}
