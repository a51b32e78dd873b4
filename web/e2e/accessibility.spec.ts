import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, log, type Reporter, test } from "./stepcast.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

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
});

for (const colorScheme of ["light", "dark"] as const) {
	for (const [width, height] of [
		[1440, 900],
		[390, 844],
	] as const) {
		test(`no violations, ${colorScheme}, ${width} px`, async ({ page, server }) => {
			await page.setViewportSize({ width, height });
			await page.emulateMedia({ colorScheme });
			for (const [name, path] of [
				["list", "/"],
				["build", `/builds/${build.id}#test%2Flinux`],
			] as const) {
				await page.goto(server.url + path);
				if (name === "build") await expect(log(page).locator(".hole")).toHaveCount(1);
				else await expect(page.locator("build-item").first()).toBeVisible();
				await page.screenshot({ path: `test-results/${name}-${colorScheme}-${width}.png` });
				// Through the debugger, which the page's policy does not bind.
				await page.evaluate(axe);
				const violations = await page.evaluate(async () => {
					const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
					const { violations } = await axe.run();
					return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
				});
				expect(violations).toEqual([]);
				const overflow = await page.evaluate(
					() => document.documentElement.scrollWidth - document.documentElement.clientWidth,
				);
				expect(overflow, "nothing scrolls sideways").toBeLessThanOrEqual(0);
			}
		});
	}
}
