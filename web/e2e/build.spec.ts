import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Locator, Page } from "@playwright/test";

import {
	connectionErrors,
	expect,
	expectLines,
	firstDifference,
	log,
	pageLines,
	test,
} from "./stepcast.ts";
import { numbered } from "./viewer.ts";

/** What copying all of the log gives. */
async function copied(page: Page): Promise<string[]> {
	const text = await log(page).evaluate((element) => {
		const rows = element.shadowRoot?.querySelector(".rows");
		if (!rows) return "";
		getSelection()?.selectAllChildren(rows);
		const text = getSelection()?.toString() ?? "";
		getSelection()?.removeAllRanges();
		return text;
	});
	return text.replace(/\n$/, "").split("\n");
}

test("a build's page grows while the build reports", async ({ page, server }) => {
	const build = await server.build({
		project: "acme/api",
		branch: "main",
		commit: "0123456789abcdef0123",
		title: "Grow while watched",
		author: "Ada",
		url: "https://example.org/run/1",
		steps: [{ key: "vet", name: "Vet" }, { key: "test/linux" }],
	});
	await page.goto(build.url);
	await expect(page.locator("build-page h1")).toContainText(`acme/api #${build.number}`);
	await expect(page.locator("build-page h1 stepcast-mark")).toHaveText("queued");
	await expect(log(page).locator(".note")).toHaveText(/^The step has not started\. Queued for /);
	await expect(page.locator("stream-state [role=status]")).toHaveText("Live");

	await build.step("vet", "running");
	await expect(page.locator("build-page h1 stepcast-mark")).toHaveText("running");
	await expect(log(page).locator(".note")).toHaveText("No output yet.");
	for (let i = 1; i <= 20; i++) {
		await build.log("vet", `line ${i}\n`);
		await expect(log(page).locator(".line")).toHaveCount(i);
	}
	await build.log("vet", "no end");
	await expect(log(page).locator(".line").last()).toHaveText("no end");
	await build.log("vet", " yet");
	await expect(log(page).locator(".line").last()).toHaveText("no end yet");
	await build.step("vet", "passed", { exit_code: 0 });
	await expect(log(page).locator(".note")).toHaveText(/^Passed with exit code 0/);

	// Nobody chose a step, so the page goes on with the one that runs.
	await build.step("test/linux", "running");
	await expect(log(page).locator("h2")).toHaveText("test/linux");
	await build.log("test/linux", numbered(1, 500));
	await expect(log(page).locator(".line")).toHaveCount(500);
	await expect(log(page).locator(".line").last()).toBeInViewport();
	await build.finish("test/linux", "failed");
	await expect(page.locator("build-page h1 stepcast-mark")).toHaveText("failed");
	await expect(page.locator("stream-state [role=status]")).toHaveText("Finished");
	await expect(page).toHaveTitle(`✗ main #${build.number} failed — acme/api`);
	await expectLines(page, await server.logLines(build.id, "test/linux"));

	await page.getByRole("link", { name: "Vet" }).click();
	await expect(page).toHaveURL(/#vet$/);
	await expectLines(page, await server.logLines(build.id, "vet"));
});

test("the page's text is the log of go test -v, line for line", async ({ page, server }) => {
	const run = spawnSync("go", ["test", "-v", "-short", "-count=1", "path", "sort", "unicode/utf8"]);
	test.skip(run.error !== undefined, "go is not installed");
	const build = await server.build();
	await build.step("test", "running");
	await page.goto(build.url);
	for (let from = 0; from < run.stdout.length; from += 4_099) {
		await build.log("test", run.stdout.subarray(from, from + 4_099));
	}
	await build.finish("test");
	const want = await server.logLines(build.id, "test");
	expect(want.length).toBeGreaterThan(100);
	expect(want.join("\n")).toBe(run.stdout.toString().replace(/\n$/, ""));
	await expectLines(page, want);

	// Copied text is the plain text, without line numbers, and with its empty lines.
	expect(firstDifference(await copied(page), want)).toBe("");
});

test("a command under stepcast run, seen from the list to its last line", async ({
	page,
	server,
}) => {
	await page.goto(server.url);
	await expect(page.locator("stream-state [role=status]")).toHaveText("Live");
	const script =
		"for i in $(seq 1 3000); do echo line $i; done; printf 'tab\\there\\n\\nno end'; exit 3";
	const running = server.run(["--project", "acme/run", "--step", "shell"], ["sh", "-c", script]);
	const link = page.getByRole("link", { name: "acme/run #1" });
	await link.click();
	const { code, stdout } = await running;
	expect(code).toBe(3);
	await expect(page.locator("stream-state [role=status]")).toHaveText("Finished");
	await expect(log(page).locator(".note")).toHaveText(/^Failed with exit code 3 after /);
	await expectLines(page, stdout.toString().split("\n"));
	const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
	await expectLines(page, await server.logLines(id, "shell"));
});

test("the page's text is the log of random bytes, line for line", async ({ page, server }) => {
	const bytes = randomBytes(300_000);
	const build = await server.build();
	await build.step("binary", "running");
	await page.goto(build.url);
	for (let from = 0; from < bytes.length; ) {
		let to = from + 60_007;
		// A runner does not cut inside a character; what it cuts there stays two broken halves.
		while (to < bytes.length && (bytes[to] ?? 0) >= 0x80) to++;
		await build.log("binary", bytes.subarray(from, to));
		from = to;
	}
	await build.finish("binary");
	const want = await server.logLines(build.id, "binary");
	// How many U+FFFD stand for a run of broken bytes is the decoder's choice; where is not.
	// A line in which the cursor goes back is shown as it is at the end, so its letters may change places.
	const runs = (lines: string[]) =>
		lines.map((line) =>
			/[\r\b].|\[\d*[DG]/s.test(line)
				? [...line.replaceAll("\ufffd", "")].sort().join("")
				: line.replace(/\ufffd+/g, "\ufffd"),
		);
	// To read all of it from the page may take a busy machine longer than one poll usually has.
	await expect
		.poll(async () => runs(await pageLines(page)), { timeout: 45_000 })
		.toEqual(runs(want));
});

/** The colour of an element's text as it comes to the screen: red, green, blue, up to 255. */
function painted(element: Locator): Promise<number[]> {
	return element.evaluate((e) => {
		const screen = new OffscreenCanvas(1, 1).getContext("2d");
		if (!screen) return [];
		screen.fillStyle = getComputedStyle(e).color;
		screen.fillRect(0, 0, 1, 1);
		return [...screen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
	});
}

test("colours of all kinds, carried across lines", async ({ page, server }) => {
	const build = await server.build();
	const text = [
		"\x1b[31mred",
		"still red\x1b[0m plain",
		"\x1b[1;3;4;9mall four\x1b[0m \x1b[7minverse\x1b[0m",
		"\x1b[38;5;208m256\x1b[0m \x1b[38;2;250;250;160mtruecolour\x1b[0m \x1b[30;43mon yellow\x1b[0m",
		"10%\r50%\r100%",
		"\x1b]0;title\x07\x1b[2Kno trace of sequences",
		"",
		"after an empty line\r",
	].join("\n");
	await build.step("colour", "running");
	await build.log("colour", text);
	await build.finish("colour");
	await page.goto(build.url);
	await expectLines(page, text.split("\n"));

	const lines = log(page).locator(".line");
	const style = (locator: ReturnType<typeof lines.nth>, property: string) =>
		locator.evaluate((e, name) => getComputedStyle(e).getPropertyValue(name), property);
	expect(await painted(lines.nth(0).locator("span.fg"))).toEqual([179, 33, 43]);
	expect(await painted(lines.nth(1).locator("span.fg"))).toEqual([179, 33, 43]);
	expect(await style(lines.nth(2).locator(".text > span").nth(1), "text-decoration-line")).toBe(
		"underline line-through",
	);
	await page.emulateMedia({ colorScheme: "dark" });
	expect(await painted(lines.nth(0).locator("span.fg"))).toEqual([255, 123, 114]);
	expect(await painted(lines.nth(3).locator("span.fg").nth(1))).toEqual([250, 250, 160]);
	expect(await style(lines.nth(3).locator("span.on"), "background-color")).toBe("rgb(125, 78, 0)");

	// biome-ignore lint/performance/useDomNodeTextContent: what is seen is what this is about
	expect(await lines.nth(5).innerText()).toBe("no trace of sequences");
});

test("every colour can be read, on every ground that it may stand on", async ({ page, server }) => {
	const shades = Array.from({ length: 512 }, (_, i) =>
		[i >> 6, (i >> 3) & 7, i & 7].map((part) => Math.round((part * 255) / 7)).join(";"),
	);
	const every = [
		...Array.from({ length: 256 }, (_, i) => `8;5;${i}`),
		...shades.map((shade) => `8;2;${shade}`),
	];
	const text = every.map((one) => `\x1b[3${one}mx\x1b[4${one}my\x1b[38;5;3mz\x1b[0m\n`).join("");
	const build = await server.build();
	await build.step("colour", "running");
	await build.log("colour", text);
	await build.finish("colour");
	await page.goto(`${build.url}#colour:L1`);
	await expect(log(page).locator(".line")).toHaveCount(every.length);
	for (const [scheme, grounds] of Object.entries({
		light: ["#ffffff", "#f6f8fa", "#fff8c5"],
		dark: ["#0d1117", "#161b22", "#2d2a12"],
	})) {
		await page.emulateMedia({ colorScheme: scheme as "light" | "dark" });
		const unreadable = await log(page).evaluate((element, grounds) => {
			const screen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
			const luminance = (colour: string) => {
				if (!screen) return 0;
				screen.fillStyle = colour;
				screen.fillRect(0, 0, 1, 1);
				const [red = 0, green = 0, blue = 0] = [...screen.getImageData(0, 0, 1, 1).data].map(
					(part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4),
				);
				return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
			};
			const found: string[] = [];
			for (const span of element.shadowRoot?.querySelectorAll<HTMLElement>(".text > span") ?? []) {
				if (span.className === "escape") continue;
				const { color, backgroundColor } = getComputedStyle(span);
				for (const ground of span.classList.contains("on") ? [backgroundColor] : grounds) {
					const [a, b] = [luminance(color), luminance(ground)];
					const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
					if (contrast < 4.5) found.push(`${span.style.cssText} on ${ground}: ${contrast}`);
				}
			}
			return found;
		}, grounds);
		expect(unreadable).toEqual([]);
	}
});

test("a hole in the log is shown", async ({ page, server }) => {
	const build = await server.build();
	await build.step("s", "running");
	await build.log("s", "before\nopen");
	await build.lost("s", 12_345);
	await build.log("s", "after\n");
	await page.goto(build.url);
	await expect(log(page).locator(".hole")).toContainText("12,345 bytes are missing here");
	await expectLines(page, ["before", "open", "after"]);
});

test("a server that is killed and comes back: the page resumes by itself", async ({
	page,
	server,
	complaints,
}) => {
	test.setTimeout(120_000);
	complaints.expected = connectionErrors;
	const build = await server.build({ project: "acme/restart" });
	await build.step("s", "running");
	await build.log("s", numbered(1, 300));
	await page.goto(build.url);
	await expect(log(page).locator(".line")).toHaveCount(300);

	await server.stop("SIGKILL");
	await expect(page.locator("stream-state [role=status]")).toHaveText("Reconnecting");
	await expect(log(page).locator(".line")).toHaveCount(300);
	await server.start();
	await build.log("s", numbered(301, 600));
	await expect(page.locator("stream-state [role=status]")).toHaveText("Live", { timeout: 45_000 });
	await expectLines(page, await server.logLines(build.id, "s"));

	// And once more, with an end, and someone who does not want to wait.
	await server.stop("SIGTERM");
	await expect(page.getByRole("button", { name: "Retry now" })).toBeVisible();
	await server.start();
	await build.log("s", numbered(601, 900));
	await build.finish("s");
	const retry = page.getByRole("button", { name: "Retry now" });
	if (await retry.isVisible()) await retry.click({ timeout: 1_000 }).catch(() => {});
	await expect(page.locator("stream-state [role=status]")).toHaveText("Finished", {
		timeout: 45_000,
	});
	await expectLines(page, await server.logLines(build.id, "s"));
});

test("100,000 lines: any of them is in reach, and the page does not freeze", async ({
	page,
	server,
}, info) => {
	test.setTimeout(120_000);
	await page.addInitScript(() => {
		const tasks: number[] = [];
		Object.assign(globalThis, { tasks });
		new PerformanceObserver((list) => {
			for (const entry of list.getEntries()) tasks.push(entry.duration);
		}).observe({ type: "longtask", buffered: true });
	});
	const suffix = ` ${"x".repeat(80)}`;
	const build = await server.build({ project: "acme/long" });
	await build.step("s", "running");
	await build.log("s", numbered(1, 50_000, suffix));
	await page.goto(build.url);
	const lines = log(page).locator(".line");
	await expect(lines.last()).toHaveText(`line 50000${suffix}`);
	for (let i = 50_000; i < 100_000; i += 2_500) {
		await build.log("s", numbered(i + 1, i + 2_500, suffix));
	}
	await expect(lines.last()).toHaveText(`line 100000${suffix}`);
	await expect(lines.last()).toBeInViewport();
	expect(await lines.count(), "most of the log is not in the document").toBeLessThan(5_000);

	const region = page.getByRole("region", { name: "Log of step s" });
	const at = (part: number) =>
		region.evaluate((e, part) => {
			e.scrollTop = (e.scrollHeight - e.clientHeight) * part;
		}, part);
	await at(0);
	await expect(lines.first()).toHaveText(`line 1${suffix}`);
	await expect(lines.first()).toBeInViewport();
	await expect(log(page).locator(".end")).toHaveText("↓ To the end");
	// Read from its start, the log stays where it is while it grows.
	await build.log("s", numbered(100_001, 100_040));
	await expect(log(page).locator(".end")).toHaveText("↓ 40 new lines");
	await expect(lines.first()).toBeInViewport();

	// The scrollbar leads to wherever it is put, and from there a line leads to the next.
	await at(0.5);
	await expect.poll(() => first(page)).toBeGreaterThan(48_000);
	const middle = await first(page);
	expect(middle).toBeLessThan(52_000);
	await region.hover();
	for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 2_000);
	await expect.poll(() => first(page)).toBeGreaterThan(middle + 1_500);
	expect(await consecutive(page)).toBe(true);

	// So does the address, and the key for a line.
	await page.evaluate(() => {
		location.hash = "#s:L70000-L70002";
	});
	await expect(log(page).locator(".line.selected")).toHaveText(
		[70_000, 70_001, 70_002].map((n) => `line ${n}${suffix}`),
	);
	await expect(log(page).locator(".line.selected").first()).toBeInViewport();
	await page.keyboard.press(":");
	await page.keyboard.type("123");
	await page.keyboard.press("Enter");
	await expect(log(page).locator(".line.selected")).toHaveText(`line 123${suffix}`);
	await expect(page).toHaveURL(/#s:L123$/);

	await log(page).locator(".end").click();
	await expect(lines.last()).toHaveText("line 100040");
	await expect(lines.last()).toBeInViewport();
	await expect(log(page).locator(".end")).toHaveCount(0);
	await build.finish("s");

	const longest = await page.evaluate(() =>
		Math.max(0, ...(globalThis as unknown as { tasks: number[] }).tasks),
	);
	info.annotations.push({ type: "longest task", description: `${longest} ms` });
	console.log(`longest task: ${longest} ms`);
});

/** The number of the first line in view; 0 while none is. */
function first(page: Page): Promise<number> {
	return log(page).evaluate((element) => {
		const region = element.shadowRoot?.querySelector("[role=region]");
		const top = region?.getBoundingClientRect().top ?? 0;
		const line = [...(region?.querySelectorAll<HTMLElement>(".line") ?? [])].find(
			(line) => line.getBoundingClientRect().bottom > top,
		);
		return Number(line?.dataset.line ?? 0);
	});
}

/** Whether the lines in the document follow one another without a gap. */
function consecutive(page: Page): Promise<boolean> {
	return log(page).evaluate((element) => {
		const lines = [...(element.shadowRoot?.querySelectorAll<HTMLElement>(".line") ?? [])];
		const numbers = lines.map((line) => Number(line.dataset.line));
		return numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + 1);
	});
}

test("a problem is counted while its step runs", async ({ page, server }) => {
	const build = await server.build({ steps: [{ key: "test" }] });
	await build.step("test", "running");
	await page.goto(build.url);
	await expect(page.locator("stream-state [role=status]")).toHaveText("Live");
	await build.send({
		note: {
			step: "test",
			number: 0,
			line: 1,
			annotation: { level: "error", message: "undefined: x" },
		},
	});
	await expect(page.getByRole("tab", { name: "Problems: 1" })).toBeVisible();
	await expect(page.locator("stepcast-tree")).toContainText("1 error");
});

test("hostile text does nothing", async ({ page, server }) => {
	const evil = `<img src=x onerror="document.title='owned'"><script>alert(1)</script>"'>{{1}}\${1}`;
	const build = await server.build({
		project: "acme/hostile",
		branch: `\u202e${evil.slice(0, 100)}`,
		title: evil,
		author: evil,
		steps: [{ key: "evil", name: evil }],
	});
	page.on("dialog", () => {
		throw new Error("a dialog");
	});
	await build.step("evil", "running");
	await build.log("evil", `${evil}\n\x1b[31m${evil}\x1b[0m\n\u202eright to left\u202c\n`);
	await build.finish("evil", "failed");
	await page.goto(build.url);
	await expectLines(page, await server.logLines(build.id, "evil"));
	// What would turn the line around is shown instead, and stands in the text all the same.
	const turned = page.locator("step-log .control").first();
	expect(await turned.evaluate((mark) => getComputedStyle(mark, "::before").content)).toBe(
		'"\\\\u202e"',
	);
	const [mark, rest] = await turned.evaluate((mark) => {
		const range = document.createRange();
		range.selectNodeContents(mark.nextSibling as Text);
		return [mark.getBoundingClientRect().right, range.getBoundingClientRect().left];
	});
	expect(rest).toBeGreaterThanOrEqual(mark as number);
	await expect(page).toHaveTitle(/^✗ <img [^\u202e]* — acme\/hostile$/);
	await expect(page.locator("build-page h1 .title")).toHaveText(evil);
	await expect(page.locator("stepcast-tree bdi.name")).toHaveText(evil);
	expect(await page.locator("img, script:not([src])").count()).toBe(0);

	await page.goto(server.url);
	const item = page.locator("build-item").filter({ hasText: "acme/hostile" });
	await expect(item.locator(".author")).toHaveText(evil);
	expect(await page.locator("img, script:not([src])").count()).toBe(0);
});

test("nothing inline runs, and a breach of the policy would be heard", async ({
	page,
	server,
	complaints,
}) => {
	const answer = await page.goto(server.url);
	const policy = answer?.headers()["content-security-policy"] ?? "";
	for (const directive of [
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"require-trusted-types-for 'script'",
	]) {
		expect(policy.split(/;\s*/)).toContain(directive);
	}
	expect(policy).not.toContain("unsafe");
	expect(complaints.heard).toEqual([]);
	complaints.expected = [/policy: style-src/, /Content Security Policy/];
	await page.evaluate(() => document.body.setAttribute("style", "color: red"));
	await expect.poll(() => complaints.heard.length).toBeGreaterThan(0);
});

test("a page that is opened between two steps goes on to the next, but not from one that was asked for", async ({
	page,
	context,
	server,
}) => {
	const build = await server.build({ project: "acme/gap", steps: [{ key: "a" }] });
	await build.step("a", "running");
	await build.log("a", numbered(1, 200));
	await build.step("a", "passed");
	const chosen = await context.newPage();
	await chosen.goto(`${build.url}#a`);
	await expect(log(chosen).getByText("line 1", { exact: true })).toBeInViewport();
	await page.goto(build.url);
	await expect(log(page).getByText("line 200", { exact: true })).toBeInViewport();
	await build.step("b", "running");
	await build.log("b", "of b\n");
	await expect(log(page)).toContainText("of b");
	await expect(chosen.locator("stepcast-tree")).toContainText("b");
	await expect(log(chosen).getByText("line 1", { exact: true })).toBeInViewport();
	await build.finish("b");
});

test("links lead to the log, and the way back to the view that was left", async ({
	page,
	server,
}) => {
	const before = await server.build({ project: "acme/links", steps: [{ key: "b" }] });
	const build = await server.build({ project: "acme/links", steps: [{ key: "a" }, { key: "b" }] });
	for (const step of ["a", "b"]) {
		await build.step(step, "running");
		await build.log(step, `log of ${step}\n`);
	}
	const line = log(page).locator(".line");
	const waterfall = page.getByRole("tab", { name: "Waterfall" });
	const link = (step: string) => page.locator(`stepcast-tree a[href="#${step}"]`);
	await page.goto(`${build.url}?view=waterfall#a`);
	await expect(waterfall).toHaveAttribute("aria-selected", "true");
	// The address names the step already.
	await link("a").click();
	await expect(line).toHaveText("log of a");
	await waterfall.click();
	await link("b").click();
	await expect(line).toHaveText("log of b");
	await waterfall.click();
	// A second click on it is no way to go back.
	await waterfall.click();
	await page.goBack();
	await expect(page).toHaveURL(`${build.url}#b`);
	await expect(line).toHaveText("log of b");
	await page.goBack();
	await expect(page).toHaveURL(`${build.url}?view=waterfall#a`);
	await expect(waterfall).toHaveAttribute("aria-selected", "true");
	await page.goForward();
	await page.goForward();
	await expect(page).toHaveURL(`${build.url}?view=waterfall#b`);
	await expect(waterfall).toHaveAttribute("aria-selected", "true");
	await link("b").click();
	await expect(line).toHaveText("log of b");

	// The builds before and after show the same step, if they have it, in the same view.
	const next = page.getByRole("button", { name: "Next build of the project" });
	await waterfall.click();
	await page.getByRole("button", { name: "Previous build of the project" }).click();
	await expect(page).toHaveURL(`${before.url}?view=waterfall#b`);
	await next.click();
	await expect(page).toHaveURL(`${build.url}?view=waterfall#b`);
	await next.click();
	await expect(page.getByText("There is no later build.")).toBeVisible();
	await link("a").click();
	await page.keyboard.press("[");
	await expect(page).toHaveURL(before.url);
	await before.finish("b");
	await build.finish("a");
});

test("a build that does not exist is said to be so", async ({ page, server, complaints }) => {
	complaints.expected = connectionErrors;
	for (const id of ["00000000-0000-7000-8000-000000000000", "zzz"]) {
		await page.goto(`${server.url}/builds/${id}`);
		await expect(page.getByRole("heading", { name: "No such build" })).toBeVisible();
		await expect(
			page.getByText("There is no build here that you may see. All builds"),
		).toBeVisible();
		await expect(page.locator("stream-state [role=status]")).toHaveText("Not available");
	}
});

test("the button to the end of a log is there only while the end is out of sight", async ({
	page,
	server,
}) => {
	const build = await server.build({ steps: [{ key: "short" }, { key: "long" }] });
	for (const [step, lines] of [
		["short", 20],
		["long", 400],
	] as const) {
		await build.step(step, "running");
		await build.log(step, numbered(1, lines));
		await build.finish(step);
	}
	const end = log(page).locator(".end");
	const region = log(page).getByRole("region");

	// Both are over, and read from their start.
	await page.goto(`${build.url}#long`);
	await expect(end).toHaveText("↓ To the end");
	await region.focus();
	await page.keyboard.press("End");
	await expect(log(page).locator(".line").last()).toBeInViewport();
	await expect(end).toHaveCount(0);
	await page.keyboard.press("Home");
	await expect(end).toBeVisible();

	await page.goto(`${build.url}#short`);
	await expect(log(page).locator(".line")).toHaveCount(20);
	await expect(end).toHaveCount(0);
	await page.setViewportSize({ width: 1280, height: 490 }); // lower, and the page scrolls with it
	await expect(end).toBeVisible();
	await page.setViewportSize({ width: 1280, height: 800 });
	await expect(end).toHaveCount(0);
});

test("whoever scrolls up in a log that grows fast stays where they are", async ({
	page,
	server,
}) => {
	const build = await server.build({ project: "acme/scroll" });
	await build.step("s", "running");
	await build.log("s", numbered(1, 2_000));
	await page.goto(build.url);
	const last = log(page).locator(".line").last();
	await expect(last).toBeInViewport();
	let grow = true;
	let lines = 2_000;
	const growing = (async () => {
		while (grow) {
			await build.log("s", numbered(lines + 1, lines + 20, ` ${"x".repeat(lines % 200)}`));
			lines += 20;
		}
	})();
	const region = log(page).getByRole("region");
	const toItsEnd = () => region.evaluate((r) => r.scrollHeight - r.scrollTop - r.clientHeight);
	const away = [
		() => page.keyboard.press("Home"),
		() => page.keyboard.press("PageUp"),
		() => page.mouse.wheel(0, -600),
	];
	await region.hover();
	for (const leave of away) {
		await region.focus();
		await leave();
		await expect(log(page).locator(".end")).toContainText("new line");
		const seen = lines;
		await expect.poll(() => lines).toBeGreaterThan(seen + 100);
		expect(await toItsEnd()).toBeGreaterThan(100);
		await page.keyboard.press("End");
		await expect(log(page).locator(".end")).toHaveCount(0);
		const after = lines;
		await expect.poll(() => lines).toBeGreaterThan(after + 100);
		await expect.poll(toItsEnd).toBeLessThan(100);
	}
	grow = false;
	await growing;
	await expect(last).toBeInViewport();
});

test("lines of a log that is followed stay as they are, marked or not, while it grows", async ({
	page,
	server,
}) => {
	const build = await server.build();
	await build.step("s", "running");
	await build.log("s", numbered(1, 190));
	await page.goto(build.url);
	const lines = log(page).locator(".line");
	await expect(lines).toHaveCount(190);
	const kept = await lines.last().elementHandle();
	for (let last = 200; last <= 700; last += 100) {
		await build.log("s", numbered(last - 9, last + 90));
		await expect(lines.last()).toHaveText(`line ${last + 90}`);
	}
	expect(await kept?.evaluate((line) => line.isConnected)).toBe(true);
	await expect(lines).toHaveCount(790);
	await build.finish("s");
});

test("by keyboard alone: from the list to a step's log", async ({ page, server }) => {
	const build = await server.build({ project: "acme/keys", steps: [{ key: "a" }, { key: "b" }] });
	await build.step("a", "running");
	await build.log("a", numbered(1, 400));
	await build.send(
		{ step: { key: "a", status: "passed" } },
		{ step: { key: "b", status: "running" } },
	);
	await build.log("b", numbered(1, 300));
	await build.finish("b");
	await page.goto(server.url);
	const link = page.getByRole("link", { name: `acme/keys #${build.number}` });
	await expect(link).toBeVisible();
	const tabTo = async (reached: () => Promise<boolean>) => {
		for (let i = 0; i < 60 && !(await reached()); i++) await page.keyboard.press("Tab");
		expect(await reached()).toBe(true);
	};
	const focused = (locator: ReturnType<typeof page.locator>) => async () =>
		locator.evaluate((e) => (e.getRootNode() as ShadowRoot).activeElement === e);
	await tabTo(focused(link));
	await page.keyboard.press("Enter");
	await expect(page).toHaveURL(build.url);
	await expect(log(page).locator(".line")).toHaveCount(400);
	const step = page.locator("stepcast-tree a").last();
	await tabTo(focused(step));
	await page.keyboard.press("Enter");
	await expect(log(page).locator(".line")).toHaveCount(300);
	const region = page.getByRole("region", { name: "Log of step b" });
	await tabTo(focused(region));
	await page.keyboard.press("End");
	await expect(log(page).locator(".line").last()).toBeInViewport();
});

test("the heading of many steps stays over those that are scrolled under it", async ({
	page,
	server,
}) => {
	const steps = Array.from({ length: 200 }, (_, n) => ({ key: `step-${n}` }));
	const build = await server.build({ steps });
	await page.goto(`${server.url}/builds/${build.id}#step-150`);
	const heading = page.locator("build-page nav summary");
	await expect(page.locator("stepcast-tree a[aria-current]")).toBeInViewport();
	const box = await heading.boundingBox();
	if (!box) throw new Error("there is no heading");
	// What is under the pointer, down the whole height of it.
	const under = await heading.evaluate((element, { x, y, height }) => {
		const root = element.getRootNode() as ShadowRoot;
		const found = Array.from({ length: Math.floor(height) - 2 }, (_, n) =>
			root.elementFromPoint(x + 100, y + 1 + n),
		);
		return [...new Set(found.map((one) => one?.closest("summary, stepcast-tree")?.localName))];
	}, box);
	expect(under).toEqual(["summary"]);

	// Who goes up sees the step that they come to.
	await page.evaluate(() => {
		location.hash = "#step-20";
	});
	const selected = page.locator("stepcast-tree a[aria-current]");
	await expect(selected).toContainText("step-20");
	await expect
		.poll(async () => (await selected.boundingBox())?.y ?? 0)
		.toBeGreaterThanOrEqual(box.y + box.height);
});
