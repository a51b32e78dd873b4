import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Locator, Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { test as base, connectionErrors, expect, firstDifference } from "./stepcast.ts";

/** Shows widgets on a page of another origin, with a policy that allows them and nothing else. */
const test = base.extend<{ show: (body: string) => Promise<void> }>({
	show: async ({ page, server }, use) => {
		let body = "";
		const http = createServer((_, response) => {
			response.writeHead(200, {
				"Content-Type": "text/html; charset=utf-8",
				"Content-Security-Policy":
					`default-src 'none'; img-src data:; script-src ${server.url}; connect-src ${server.url}; base-uri 'none'; ` +
					"require-trusted-types-for 'script'; trusted-types stepcast",
			});
			response.end(`<!doctype html><html lang="en"><title>Portal</title><link rel="icon" href="data:,">
				<meta name="viewport" content="width=device-width">
				<meta name="color-scheme" content="light dark">
				<script async src="${server.url}/widgets.js"></script><main><h1>Portal</h1>${body}</main>`);
		});
		await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
		await use(async (elements) => {
			body = elements;
			await page.goto(`http://localhost:${(http.address() as AddressInfo).port}/`);
		});
		http.closeAllConnections();
		http.close();
	},
});

/** A project that anybody may see; that is so once all processes of a server know of it. */
const project = "portal/open";

test.beforeAll(async ({ server }) => {
	const { id } = await server.build({ project });
	const answer = await fetch(`${server.url}/api/v1/projects/${project}`, {
		method: "PATCH",
		headers: { Authorization: `Bearer ${server.token}`, "Content-Type": "application/json" },
		body: JSON.stringify({ visibility: "public" }),
	});
	expect(answer.status).toBe(200);
	const headers = { Origin: "https://portal.example", "Sec-Fetch-Site": "cross-site" };
	const seen = () => fetch(`${server.url}/api/v1/builds/${id}`, { headers });
	await expect.poll(async () => (await seen()).status).toBe(200);
});

const rows = (page: Page): Locator => page.locator("stepcast-steps li");
const foot = (page: Page): Locator => page.locator("stepcast-log .foot");

/** What each line of the log is in the document: all of it, sequences included. */
function shownLines(page: Page): Promise<string[]> {
	return page
		.locator("stepcast-log .line")
		.evaluateAll((lines) => lines.map((line) => line.textContent ?? ""));
}

async function expectLines(page: Page, want: readonly string[]): Promise<void> {
	await expect.poll(async () => firstDifference(await shownLines(page), want)).toBe("");
}

const numbered = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);

test("a log is exactly what was reported, whatever is in it", async ({ page, server, show }) => {
	const lines = Array.from({ length: 200 }, (_, i) =>
		[
			`\x1b[3${i % 8};4${(i + 3) % 8}m${i}\x1b[0m plain`,
			`\x1b[38;2;${i};0;99mstill coloured`,
			`\x1b[0m日本語 \u{1f600} e\u0301 \u200b ${"wide ".repeat(60)}`,
			"",
			"10%\r55%\r100%",
			"tab\tand \x07 bell",
		].at(i % 6),
	) as string[];
	const build = await server.build({ project, steps: [{ key: "test" }] });
	await build.step("test", "running");
	await show(`<stepcast-log build="${build.id}" lines="500"></stepcast-log>`);
	await expect(foot(page)).toHaveText("No output yet.");
	await build.log("test", `${lines.slice(0, 90).join("\n")}\n`);
	await expectLines(page, lines.slice(0, 90));
	await build.lost("test", 4_096);
	await build.log("test", `${lines.slice(90).join("\n")}\n`);
	await build.finish("test", "failed");
	await expectLines(page, lines);
	await expect(page.locator("stepcast-log .hole")).toHaveText(/^4,096 bytes are missing here/);
	await expect(foot(page)).toHaveText(/^Failed with exit code 1 after [\d.]+ m?s\.$/);
	// What is seen of a progress bar, and what is copied, is the last of it.
	// biome-ignore lint/performance/useDomNodeTextContent: what is seen is what this is about
	expect(await page.locator("stepcast-log .line").nth(4).innerText()).toBe("100%");
	const copied = await page.locator("stepcast-log").evaluate((element) => {
		const [first, , , , , last] = element.shadowRoot?.querySelectorAll(".line") ?? [];
		if (!first || !last) return "";
		getSelection()?.setBaseAndExtent(first, 0, last, last.childNodes.length);
		return getSelection()
			?.toString()
			.replace(/wide .*/, "wide");
	});
	expect(copied).toBe(
		"0 plain\nstill coloured\n日本語 \u{1f600} e\u0301 \u200b wide\n\n100%\ntab\tand \x07 bell",
	);
});

test("a log is not said to be empty before its step was asked for", async ({
	page,
	server,
	show,
}) => {
	const build = await server.build({ project, steps: [{ key: "test" }] });
	await build.step("test", "running");
	await build.log("test", "one\n");
	await page.addInitScript(() => {
		const said = new Set<string>();
		Object.assign(window, { said });
		const attach = Element.prototype.attachShadow;
		Element.prototype.attachShadow = function (init) {
			const root = attach.call(this, init);
			new MutationObserver(() => {
				said.add(root.querySelector(".foot")?.textContent ?? "");
			}).observe(root, { childList: true, subtree: true });
			return root;
		};
	});
	await show(`<stepcast-log build="${build.id}"></stepcast-log><p>below</p>`);
	await expectLines(page, ["one"]);
	expect(await page.evaluate(() => [...(window as unknown as { said: Set<string> }).said])).toEqual(
		[""],
	);
});

test("the last lines first, then the end of a log that grows, within a bound", async ({
	page,
	server,
	show,
}) => {
	const build = await server.build({ project, steps: [{ key: "test" }] });
	await build.step("test", "running");
	await build.log("test", `${numbered(1, 3_000).join("\n")}\n`);
	await show(`<stepcast-log build="${build.id}"></stepcast-log>`);
	await expectLines(page, numbered(2_981, 3_000));
	const region = page.getByRole("region", { name: "Log of step test" });
	const below = () => region.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
	expect(
		await region.evaluate(
			(e) => e.clientHeight / Number.parseFloat(getComputedStyle(e).lineHeight),
		),
	).toBeCloseTo(20, 0);

	await build.log("test", `${numbered(3_001, 3_100).join("\n")}\n`);
	await expectLines(page, numbered(2_981, 3_100));
	await expect.poll(below).toBeLessThan(1);

	// Who scrolls up is left alone; who comes back to the end follows it again.
	await region.focus();
	await expect(region).toBeFocused();
	// At once, where a key scrolls smoothly.
	await region.evaluate((e) => e.scrollBy(0, -500));
	await expect.poll(below).toBeGreaterThan(100);
	const reading = await region.evaluate((e) => e.scrollTop);
	await build.log("test", `${numbered(3_101, 3_200).join("\n")}\n`);
	await expectLines(page, numbered(2_981, 3_200));
	expect(await region.evaluate((e) => e.scrollTop)).toBe(reading);
	await page.keyboard.press("End");
	await expect.poll(below).toBeLessThan(1);
	await build.log("test", `${numbered(3_201, 5_000).join("\n")}\nhalf a line`);
	await expectLines(page, [...numbered(4_002, 5_000), "half a line"]);
	await expect.poll(below).toBeLessThan(1);

	await build.log("test", " and the rest\n");
	await expectLines(page, [...numbered(4_002, 5_000), "half a line and the rest"]);
	await expect(page.locator("stepcast-log .line > a").last()).toHaveAttribute(
		"href",
		`${build.url}#test:L5001`,
	);
});

test("a project's newest build, the step that runs, then the one that failed, then the next build", async ({
	page,
	server,
	show,
}) => {
	const branch = "newest";
	const first = await server.build({
		project,
		branch,
		title: "One",
		steps: [{ key: "a" }, { key: "b" }],
	});
	await first.step("a", "running");
	await first.log("a", "from a\n");
	await show(
		`<stepcast-steps project="${project}" branch="${branch}"></stepcast-steps><stepcast-log project="${project}" branch="${branch}"></stepcast-log>`,
	);
	await expectLines(page, ["from a"]);
	await expect(page.locator("stepcast-log .head")).toHaveText(/running\s+a\s+#\d+/);
	await expect(page.locator("stepcast-steps .head")).toHaveText(/running\s+#\d+ One\s+\d+ s/);
	await expect(rows(page)).toHaveText([/running\s+a\s.*\d+ s/, /queued\s+b\s*$/]);

	await first.send({ step: { key: "a", status: "failed", exit_code: 3, log_bytes: 7 } });
	await first.step("b", "running");
	await first.log("b", "from b\n");
	await expectLines(page, ["from b"]);
	await first.finish("b");
	await expectLines(page, ["from a"]);
	await expect(foot(page)).toHaveText(/^Failed with exit code 3/);
	await expect(rows(page)).toHaveText([/failed\s+a/, /passed\s+b/]);

	// Nothing of the page moves while the next one is not known yet.
	for (const element of await page.locator("stepcast-steps, stepcast-log").all()) {
		await element.evaluate(({ shadowRoot }) => {
			if (!shadowRoot) return;
			const look = () => {
				if (!shadowRoot.querySelector(".head")) document.title = "There was a gap";
			};
			new MutationObserver(look).observe(shadowRoot, { childList: true, subtree: true });
		});
	}
	const next = await server.build({ project, branch, title: "Two" });
	await expect(page.locator("stepcast-steps .head")).toHaveText(/queued\s+#\d+ Two/);
	await expect(page.locator("stepcast-steps .none")).toHaveText("This build has no steps yet.");
	await expect(foot(page)).toHaveText("This build has no steps yet.");
	await next.send({ step: { key: "later", status: "queued" } });
	await expect(foot(page)).toHaveText("Not started yet.");
	await expect(page.locator("stepcast-log .line")).toHaveCount(0);
	await expect(rows(page).getByRole("link")).toHaveAttribute("href", `${next.url}#later`);
	// The mark is of the build then, and so is the name beside it.
	await page.locator("stepcast-log").evaluate((e) => e.setAttribute("step", "latre"));
	await expect(foot(page)).toHaveText("This build has no step latre.");
	await expect(page.locator("stepcast-log .head")).toHaveText(/queued\s+portal\/open/);
	await expect(page).toHaveTitle("Portal");
});

test("a status token shows steps, and of the log only that it may not be seen", async ({
	page,
	server,
	show,
}) => {
	const build = await server.build({ project: "portal/private", steps: [{ key: "test" }] });
	await build.step("test", "running");
	await build.log("test", "not for everybody\n");
	await build.finish("test");
	const { token } = await server.post("/api/v1/tokens", {
		name: "portal",
		project: "portal/private",
		scopes: ["status"],
	});
	await show(`
		<stepcast-steps token="${token}" build="${build.id}"></stepcast-steps>
		<stepcast-log token="${token}" build="${build.id}"></stepcast-log>`);
	await expect(rows(page)).toHaveText([/passed\s+test/]);
	await expect(foot(page)).toHaveText(/^This token shows no logs\. Passed/);
	await expect(page.locator("stepcast-log .line")).toHaveCount(0);
});

test("who may not see a build sees what the page says without it", async ({
	page,
	server,
	show,
	complaints,
}) => {
	complaints.expected.push(...connectionErrors);
	const build = await server.build({ project: "portal/hidden", steps: [{ key: "test" }] });
	await show(`
		<stepcast-steps build="${build.id}"><a href="${build.url}">the steps</a></stepcast-steps>
		<stepcast-log build="${build.id}"><a href="${build.url}">the log</a></stepcast-log>`);
	await expect(page.locator("stepcast-steps p")).toHaveText(/unknown/);
	await expect(page.getByRole("link", { name: "the steps" })).toBeVisible();
	await expect(page.getByRole("link", { name: "the log" })).toBeVisible();
});

const evil = [
	"<img src=x onerror=owned()>",
	'"><svg onload=owned()><!--',
	"javascript:owned()",
	"\u202egnp.exe\u202c \u2066\u2067",
	"__proto__",
	"{{constructor}}",
	// biome-ignore lint/suspicious/noTemplateCurlyInString: that is the point
	"${owned()} <?lit$0$?>",
	"\x1b]8;;javascript:owned()\x1b\\a link\x1b]8;;\x1b\\ https://elsewhere.example/",
	`\x1b[${"1;".repeat(2_000)}31mred`,
	"wide".repeat(500),
];

test("names and text that would do something do nothing", async ({ page, server, show }) => {
	await page.addInitScript(() => {
		Object.defineProperty(globalThis, "owned", { value: () => console.error("owned") });
	});
	const names = evil.slice(0, 7);
	const keys = ["__proto__", "constructor", "toString/valueOf", ...names.map((_, i) => `s${i}`)];
	const build = await server.build({
		project,
		title: names.join(" "),
		branch: names[0],
		steps: keys.map((key, i) => (i < 3 ? { key } : { key, name: names[i - 3] })),
	});
	await build.step("__proto__", "running");
	await build.log("__proto__", `${evil.join("\n")}\n`);
	await show(`
		<stepcast-steps build="${build.id}"></stepcast-steps>
		<stepcast-log build="${build.id}"></stepcast-log>`);
	await expectLines(page, evil);
	await expect(rows(page).locator("bdi")).toHaveText([...keys.slice(0, 3), ...names]);
	await expect(page.locator("stepcast-steps .head bdi")).toContainText(names[0] ?? "");
	const found = await page.evaluate(() =>
		["stepcast-steps", "stepcast-log"].flatMap((name) =>
			[...(document.querySelector(name)?.shadowRoot?.querySelectorAll("*") ?? [])]
				.filter(
					(e) =>
						["img", "svg", "script", "iframe"].includes(e.localName) ||
						(e instanceof HTMLAnchorElement && !/^http:\/\/127\.0\.0\.1/.test(e.href)),
				)
				.map((e) => e.outerHTML),
		),
	);
	expect(found).toEqual([]);
});

test("500 steps keep to the room they have, and are reached by keyboard", async ({
	page,
	server,
	show,
}) => {
	const build = await server.build({
		project,
		steps: Array.from({ length: 500 }, (_, i) => ({ key: `shard-${i % 20}/case-${i}` })),
	});
	await build.send(
		...Array.from({ length: 500 }, (_, i) => ({
			step: { key: `shard-${i % 20}/case-${i}`, status: i % 3 === 1 ? "running" : "passed" },
		})),
	);
	await show(`<stepcast-steps build="${build.id}"></stepcast-steps>`);
	await expect(rows(page)).toHaveCount(500);
	const height = await page.locator("stepcast-steps").evaluate((e) => e.clientHeight);
	expect(height).toBeLessThan(700);
	const last = rows(page).last().getByRole("link");
	await last.focus();
	await expect(last).toBeInViewport();
	await expect(last).toHaveAccessibleName(/^running.*shard-19\/case-499 started after \d+ s, took/);
});

for (const [colorScheme, width] of [
	["light", 1_000],
	["dark", 1_000],
	["light", 320],
	["dark", 320],
] as const) {
	test.describe(`${colorScheme}, ${width} px`, () => {
		test.use({ colorScheme, viewport: { width, height: 800 } });

		test("no violations, and nothing wider than the page", async ({ page, server, show }) => {
			const build = await server.build({
				project,
				title: "Let readers resume at any byte",
				steps: ["checkout", "test/linux", `matrix/${"long-".repeat(30)}`, "deploy"].map((key) => ({
					key,
				})),
			});
			for (const key of ["checkout", "test/linux"]) await build.step(key, "running");
			await build.send({ step: { key: "checkout", status: "passed", log_bytes: 0 } });
			await build.log(
				"test/linux",
				`${Array.from({ length: 16 }, (_, i) => `\x1b[3${i % 8};${i > 7 ? 1 : 22}mcolour ${i}\x1b[0m ${"word ".repeat(i * 2)}`).join("\n")}\n`,
			);
			await build.lost("test/linux", 10);
			await build.log("test/linux", "\x1b[41;97m FAIL \x1b[0m one test\n");
			await show(`
				<stepcast-steps build="${build.id}"></stepcast-steps>
				<stepcast-steps build="${build.id}" view="steps"></stepcast-steps>
				<stepcast-steps build="${build.id}" view="waterfall"></stepcast-steps>
				<stepcast-log build="${build.id}" lines="30"></stepcast-log>`);
			await expect(page.locator("stepcast-log .line")).toHaveCount(17);
			await expect(rows(page)).toHaveCount(12);
			await page.screenshot({
				path: `test-results/steps-log-${colorScheme}-${width}.png`,
				fullPage: true,
			});
			expect(await violations(page)).toEqual([]);
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			expect(wide).toBeLessThanOrEqual(0);
		});
	});
}
