import type { Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { connectionErrors, expect, log, test } from "./stepcast.ts";
import {
	atRest,
	expectCentred,
	field,
	heading,
	line,
	matchCount,
	Notes,
	noOwnAttempts,
	numbered,
	numberOf,
	region,
	top,
	written,
	yOf,
} from "./viewer.ts";

test("a log opens where its reader wants to be", async ({ page, server }) => {
	const text = numbered(1, 3_000);
	// What passed, at its top; what runs, at its end.
	const passed = await written(server, text, "passed");
	await page.goto(passed.url);
	await expect(line(page, 1)).toBeInViewport();
	const running = await written(server, text, undefined);
	await page.goto(running.url);
	await expect(line(page, 3_000)).toBeInViewport();
	await running.finish("s");

	// What failed, at the first error of the first step that failed.
	const failed = await server.build({ steps: [{ key: "fine" }, { key: "bad" }, { key: "worse" }] });
	for (const step of ["fine", "bad", "worse"]) {
		await failed.step(step, "running");
		await failed.log(step, text);
		await failed.step(step, step === "fine" ? "passed" : "failed", { log_bytes: text.length });
	}
	const notes = new Notes(failed, "bad");
	await notes.annotate(200, "warning", "not yet");
	await notes.annotate(1_500, "error", "it broke");
	await notes.annotate(1_600, "error", "and again");
	await failed.send({ build: { status: "failed" } });
	await page.goto(failed.url);
	await expect(log(page).locator("h2")).toHaveText("bad");
	await expectCentred(page, 1_500);
	await expect(numberOf(page, 1_500)).toBeVisible();
	await expect(line(page, 1_500)).toHaveAttribute("title", "it broke");

	// A link to lines, in the middle and marked.
	await page.goto(`${failed.url}#fine:L1200-L1203`);
	await expect(log(page).locator("h2")).toHaveText("fine");
	await expect(log(page).locator(".line.selected")).toHaveCount(4);
	await expectCentred(page, 1_200);

	// Lines and steps that are not there are said not to be.
	await page.goto(`${failed.url}#fine:L99999`);
	await expect(log(page).locator(".note")).toContainText(
		"There is no line 99,999: the log has 3,000 lines.",
	);
	await expect(line(page, 3_000)).toBeInViewport();
	await page.goto(`${failed.url}#nowhere:L3`);
	await expect(page.getByText("This build has no step “nowhere”.")).toBeVisible();
	expect(await violations(page)).toEqual([]);
});

test("groups: finished ones are folded, those that went wrong and the running one open", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 400), undefined);
	const notes = new Notes(build, "s");
	const install = await notes.begin(11, "Install");
	const nested = await notes.begin(21, "Packages", 2);
	await notes.end(31, nested, 0.5);
	await notes.end(101, install, 63);
	const check = await notes.begin(151, "Check");
	await notes.annotate(160, "error", "a type is wrong");
	await notes.end(201, check);
	await notes.begin(301, "Test");
	await page.goto(build.url);
	await expect(heading(page, "Install")).toHaveText(/^Install\s+90 lines · 1 m 03 s$/);
	await expect(heading(page, "Install")).toHaveAttribute("aria-expanded", "false");
	await expect(heading(page, "Packages")).toHaveCount(0);
	await expect(heading(page, "Check")).toHaveAttribute("aria-expanded", "true");
	await expect(heading(page, "Test")).toHaveAttribute("aria-expanded", "true");
	await expect(line(page, 10)).toHaveCount(1);
	await expect(line(page, 11)).toHaveCount(0);
	await expect(line(page, 100)).toHaveCount(0);
	await expect(line(page, 101)).toHaveCount(1);

	// Opened by click and by Enter, and folded again.
	await region(page).focus();
	await page.keyboard.press("Home");
	await expect(line(page, 1)).toBeInViewport();
	await heading(page, "Install").click();
	await expect(heading(page, "Packages")).toHaveAttribute("aria-expanded", "false");
	await expect(line(page, 20)).toHaveCount(1);
	await expect(line(page, 21)).toHaveCount(0);
	await heading(page, "Packages").focus();
	await page.keyboard.press("Enter");
	await expect(line(page, 21)).toHaveCount(1);
	await expect(heading(page, "Packages")).toBeFocused();
	await page.keyboard.press("Enter");
	await expect(line(page, 21)).toHaveCount(0);
	await expect(heading(page, "Packages")).toBeFocused();

	// By key: the group in view, and again; all of them.
	await region(page).focus();
	await page.keyboard.press("x");
	await expect(heading(page, "Install")).toHaveAttribute("aria-expanded", "false");
	await page.keyboard.press("x");
	await expect(heading(page, "Install")).toHaveAttribute("aria-expanded", "true");
	await page.keyboard.press("X");
	await expect(line(page, 25)).toHaveCount(1);
	await page.keyboard.press("X");
	await expect(heading(page, "Check")).toHaveAttribute("aria-expanded", "false");
	await expect(heading(page, "Packages")).toHaveCount(0);
	await expect(heading(page, "Test")).toHaveAttribute("aria-expanded", "true");
	await build.finish("s");
	for (const colorScheme of ["light", "dark"] as const) {
		await page.emulateMedia({ colorScheme });
		expect(await violations(page)).toEqual([]);
	}
});

test("the heading of the group in view stays above it, and folds it", async ({ page, server }) => {
	const build = await written(server, numbered(1, 1_000), undefined);
	const notes = new Notes(build, "s");
	const outer = await notes.begin(101, "Outer");
	const inner = await notes.begin(301, "Inner", 2);
	await notes.end(601, inner);
	await notes.annotate(400, "error", "so that both stay open");
	await notes.end(901, outer);
	await build.finish("s");
	const stuck = log(page).locator(".stuck");
	await page.goto(`${build.url}#s:L450`);
	await expectCentred(page, 450);
	await expect(stuck).toHaveText(/^Inner\s+300 lines/);
	const edge = (await region(page).boundingBox())?.y ?? Number.NaN;
	const { height } = (await stuck.boundingBox()) ?? { height: Number.NaN };
	const under = async (name: string) =>
		((await heading(page, name).boundingBox())?.y ?? Number.NaN) - edge;
	// It is where the stuck one was, or just below that of the group around it.
	await stuck.getByRole("button").click();
	await expect(stuck).toHaveText(/^Outer\s+800 lines/);
	await atRest(page);
	expect(Math.abs((await under("Inner")) - height)).toBeLessThan(1);
	await heading(page, "Inner").click();
	await expect(line(page, 301)).toBeInViewport();
	await region(page).hover();
	await page.mouse.wheel(0, 18 * 350);
	await expect(line(page, 660)).toBeInViewport();
	await expect(stuck).toHaveText(/^Outer\s+800 lines/);
	await atRest(page);
	await stuck.getByRole("button").click();
	await expect(line(page, 901)).toBeInViewport();
	await expect(stuck).toBeHidden();
	await atRest(page);
	expect(Math.abs(await under("Outer"))).toBeLessThan(1);
});

test("a heading stays under the pointer that folds or unfolds its group, and its lines are below it", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 1_000), undefined);
	const notes = new Notes(build, "s");
	for (const [name, from, end] of [
		["First", 1, 101],
		["Second", 501, 601],
		["Last", 981, 991],
	] as const) {
		await notes.end(end, await notes.begin(from, name));
	}
	await page.goto(build.url);
	const toggled = async (name: string, first: number) => {
		await atRest(page);
		const at = await heading(page, name).boundingBox();
		if (!at) throw new Error(`${name} has no heading`);
		for (const open of [true, false]) {
			await page.mouse.click(at.x + 100, at.y + at.height / 2);
			await expect(heading(page, name)).toHaveAttribute("aria-expanded", String(open));
			await atRest(page);
			const { y } = (await heading(page, name).boundingBox()) ?? { y: Number.NaN };
			expect(Math.abs(y - at.y), `${name}, open: ${open}`).toBeLessThan(1);
			if (open) await expect(line(page, first)).toBeInViewport();
		}
	};
	// While the end is followed, which is then left.
	const follow = page.getByRole("button", { name: "Follow" });
	await expect(line(page, 1_000)).toBeInViewport();
	await expect(follow).toHaveAttribute("aria-pressed", "true");
	await toggled("Last", 981);
	await expect(follow).toHaveAttribute("aria-pressed", "false");
	// At the top of the view: where the log begins, and elsewhere.
	await region(page).focus();
	await page.keyboard.press("Home");
	await expect(heading(page, "First")).toBeInViewport();
	await toggled("First", 1);
	await heading(page, "Second").evaluate((button) => button.scrollIntoView());
	await toggled("Second", 501);
	await page.keyboard.press("Home");
	await expect(heading(page, "First")).toBeInViewport();
	await page.keyboard.press("X");
	await expect(line(page, 1)).toBeInViewport();
	await expect(heading(page, "First")).toBeInViewport();
});

test("a link into a folded group opens it, and so does a match", async ({ page, server }) => {
	const build = await written(server, numbered(1, 2_000), undefined);
	const notes = new Notes(build, "s");
	const outer = await notes.begin(501, "Outer");
	const inner = await notes.begin(601, "Inner", 2);
	await notes.end(701, inner);
	await notes.end(801, outer);
	const other = await notes.begin(1_001, "Other");
	await notes.end(1_101, other);
	await build.finish("s");
	await page.goto(`${build.url}#s:L650`);
	await expect(line(page, 650)).toHaveClass(/selected/);
	await expectCentred(page, 650);
	await expect(heading(page, "Other")).toHaveAttribute("aria-expanded", "false");

	await page.keyboard.press("/");
	await page.keyboard.type("line 1050");
	await expect(matchCount(page)).toHaveText("1 of 1");
	await expect(line(page, 1_050)).toBeInViewport();
	await expect(line(page, 1_050)).toHaveClass(/current/);
});

test("the lines of a folded group are not asked for, however many there are", async ({
	page,
	server,
}) => {
	test.slow();
	const build = await server.build({ project: "acme/viewer", steps: [{ key: "s" }] });
	await build.step("s", "running");
	const notes = new Notes(build, "s");
	await build.log("s", numbered(1, 100));
	const group = await notes.begin(101, "Huge");
	await build.log("s", "x\n".repeat(500_000));
	await notes.end(500_101, group);
	await build.log("s", numbered(500_101, 500_200));
	await build.finish("s");
	const asked: string[] = [];
	page.on("request", (request) => {
		if (request.url().includes("/lines?")) asked.push(new URL(request.url()).search);
	});
	await page.goto(build.url);
	await expect(line(page, 1)).toBeInViewport();
	await expect(heading(page, "Huge")).toHaveText(/500,000 lines/);
	await region(page).hover();
	await page.mouse.wheel(0, 2_600);
	await expect(line(page, 500_150)).toBeInViewport();
	await expect(line(page, 100)).toHaveCount(1);
	const within = asked.filter((query) => {
		const from = Number(new URLSearchParams(query).get("from"));
		return from > 200 && from < 500_000;
	});
	expect(within).toEqual([]);
	expect(asked.length).toBeLessThan(6);
});

test("the end is in view of a log that grows by more than a block while lines are on their way", async ({
	page,
	server,
}) => {
	let last = 3_055;
	const build = await written(server, numbered(1, last), undefined);
	await page.route("**/lines?*", async (route) => {
		await build.log("s", numbered(last + 1, last + 130));
		last += 130;
		await route.continue();
	});
	await page.goto(build.url);
	await expect(async () => {
		await expect(line(page, last)).toBeInViewport({ timeout: 1_000 });
	}).toPass({ timeout: 20_000 });
});

test("nothing moves under a reader while the log grows, with its groups", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 2_000), undefined);
	const notes = new Notes(build, "s");
	const group = await notes.begin(901, "Open");
	await page.goto(`${build.url}#s:L1000`);
	await expectCentred(page, 1_000);
	const before = (await atRest(page)).line;
	const y = (await yOf(page, 1_000)) ?? Number.NaN;
	for (let from = 2_001; from <= 2_500; from += 50) {
		await build.log("s", numbered(from, from + 49, ` ${"long ".repeat(from % 90)}`));
		if (from === 2_201) await notes.end(2_201, group);
		if (from === 2_301) {
			const short = await notes.begin(2_301, "Short", 1, true);
			await notes.end(2_311, short);
			await notes.annotate(2_320, "error", "late");
		}
		await expect(log(page).locator(".end")).toContainText(`${from + 49 - 2_000} new lines`);
		expect(Math.abs(((await yOf(page, 1_000)) ?? Number.NaN) - y)).toBeLessThanOrEqual(1);
	}
	expect((await atRest(page)).line).toBe(before);
	expect(Math.abs(((await yOf(page, 1_000)) ?? Number.NaN) - y)).toBeLessThanOrEqual(1);
	await build.finish("s");
	expect(Math.abs(((await yOf(page, 1_000)) ?? Number.NaN) - y)).toBeLessThanOrEqual(1);
});

test("the line at the top stays there when the window, the wrapping or the folds change", async ({
	page,
	server,
}) => {
	const text = Array.from({ length: 2_000 }, (_, i) => `line ${i + 1} ${"word ".repeat(i % 70)}\n`);
	const build = await written(server, text.join(""), undefined);
	const notes = new Notes(build, "s");
	for (let i = 0; i < 5; i++) {
		const group = await notes.begin(101 + 100 * i, `Group ${i}`);
		await notes.end(181 + 100 * i, group);
	}
	await build.finish("s");
	await page.goto(`${build.url}#s:L1300`);
	await expectCentred(page, 1_300);
	const { line: first } = await atRest(page);
	const same = async (what: string) => expect((await atRest(page)).line, what).toBe(first);
	// Also in the first frame of another width: what was observed later is told after the log itself.
	const seen = await region(page).evaluateHandle(
		(r) =>
			new Promise<{ width: number; line: number }[]>((observed) => {
				const seen: { width: number; line: number }[] = [];
				new ResizeObserver(() => {
					const edge = r.getBoundingClientRect().top + 1;
					const line = [...r.querySelectorAll<HTMLElement>(".line")].find(
						(line) => line.getBoundingClientRect().bottom > edge,
					);
					seen.push({ width: r.clientWidth, line: Number(line?.dataset.line) });
					observed(seen);
				}).observe(r);
			}),
	);
	await page.setViewportSize({ width: 1000, height: 700 });
	await same("narrower");
	await page.setViewportSize({ width: 1500, height: 900 });
	await same("wider");
	const frames = await seen.jsonValue();
	expect(new Set(frames.map(({ width }) => width)).size).toBe(3);
	expect(new Set(frames.map(({ line }) => line))).toEqual(new Set([first]));
	await page.keyboard.press("w");
	await expect(log(page).locator(".rows.unwrapped")).toHaveCount(1);
	await same("unwrapped");
	// Long lines go sideways, and their numbers stay.
	await region(page).evaluate((r) => {
		r.scrollLeft = 300;
	});
	await expect(numberOf(page, 1_300)).toBeInViewport();
	expect((await numberOf(page, 1_300).boundingBox())?.x).toBe(
		(await region(page).boundingBox())?.x,
	);
	await page.keyboard.press("w");
	await same("wrapped");
	await page.keyboard.press("t");
	await same("with times");
	await page.keyboard.press("X");
	await same("all unfolded");
	await page.keyboard.press("X");
	await same("all folded");
});

test("lines are marked by click, Shift and drag, and the address says which", async ({
	page,
	context,
	server,
}) => {
	await context.grantPermissions(["clipboard-read", "clipboard-write"]);
	const build = await server.build({ steps: [{ key: "test/linux" }] });
	await build.step("test/linux", "running");
	// What was written over is not copied, and what was to be hidden is seen.
	const over = "not this\rline \x1b[8m199\x1b[0m\x1b[K";
	await build.log("test/linux", `${numbered(1, 198)}${over}\n\x1b[31mline 200\x1b[0m\n`);
	await build.finish("test/linux");
	const marked = log(page).locator(".line.selected");
	const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
	await page.goto(build.url);
	await numberOf(page, 3).click();
	await expect(page).toHaveURL(/#test%2Flinux:L3$/);
	await numberOf(page, 8).click({ modifiers: ["Shift"] });
	await expect(page).toHaveURL(/#test%2Flinux:L3-L8$/);
	await expect(marked).toHaveCount(6);
	// Backwards from where it began.
	await numberOf(page, 1).click({ modifiers: ["Shift"] });
	await expect(page).toHaveURL(/#test%2Flinux:L1-L3$/);

	const drag = async (from: number, to: number) => {
		await numberOf(page, from).hover();
		await page.mouse.down();
		await numberOf(page, Math.round((from + to) / 2)).hover();
		await numberOf(page, to).hover();
		await page.mouse.up();
	};
	await drag(14, 10);
	await expect(page).toHaveURL(/#test%2Flinux:L10-L14$/);
	await expect(marked).toHaveCount(5);
	await numberOf(page, 12).click({ modifiers: ["Shift"] });
	await expect(page).toHaveURL(/#test%2Flinux:L10-L12$/);

	await page.keyboard.press("y");
	await expect(log(page).locator(".said")).toHaveText(
		"Copied the link; it opens only on this device.",
	);
	expect(await clipboard()).toBe(page.url());
	await page.keyboard.press("c");
	await expect(log(page).locator(".said")).toHaveText("Copied lines 10 to 12.");
	expect(await clipboard()).toBe("line 10\nline 11\nline 12\n");
	await page.keyboard.press("Escape");
	await expect(marked).toHaveCount(0);
	await expect(page).toHaveURL(/#test%2Flinux$/);
	await page.keyboard.press("c");
	await expect(log(page).locator(".said")).toContainText("No lines are marked");

	await page.getByText("More", { exact: true }).click();
	await page.getByRole("button", { name: "Copy all" }).click();
	await expect(log(page).locator(".said")).toHaveText("Copied the log.");
	expect(await clipboard()).toBe(numbered(1, 200));

	// Back and forward go from link to link.
	await page.goto(`${build.url}#test%2Flinux:L20`);
	await page.goto(`${build.url}#test%2Flinux:L180-L181`);
	await expect(marked).toHaveCount(2);
	await expect(line(page, 180)).toBeInViewport();
	await page.goBack();
	await expect(marked).toHaveText("line 20");
	await expect(marked).toBeInViewport();
	await page.goForward();
	await expect(marked).toHaveCount(2);
	await expect(line(page, 180)).toBeInViewport();
});

test("what the browser copies is the text alone", async ({ page, server }) => {
	const build = await written(
		server,
		"one\n\x1b[32mtwo\x1b[0m\n\nfour https://example.org/ end\n50%\r100%\n",
		undefined,
	);
	const notes = new Notes(build, "s");
	await notes.annotate(3, "error", "so that the group is open");
	const group = await notes.begin(2, "Group");
	await notes.end(4, group);
	await build.finish("s");
	await page.goto(build.url);
	await expect(line(page, 4)).toBeVisible();
	for (const times of ["off", "absolute", "build", "step"]) {
		await page.getByTitle("Times (t)").selectOption(times);
		await expect(line(page, 1)).toBeVisible();
		const text = await log(page).evaluate((element) => {
			const lines = element.shadowRoot?.querySelectorAll(".line") ?? [];
			const [first, last] = [lines[0], lines[lines.length - 1]];
			if (!first || !last) return "";
			getSelection()?.setBaseAndExtent(first, 0, last, last.childNodes.length);
			return getSelection()?.toString() ?? "";
		});
		expect(text.replace(/\n$/, "")).toBe("one\ntwo\n\nfour https://example.org/ end\n100%");
	}
});

test("colours are right where a log is opened in its middle", async ({ page, server }) => {
	const build = await written(
		server,
		`\x1b[1;38;2;250;10;10mred\n${numbered(2, 60_000)}`,
		"passed",
	);
	await page.goto(`${build.url}#s:L50000`);
	const text = line(page, 50_000).locator(".text > span");
	await expect(text).toHaveText("line 50000");
	await expect(text).toHaveClass(/bold/);
	await page.keyboard.press("Escape");
	await page.getByText("More", { exact: true }).click();
	await page.getByRole("button", { name: "Exact colours" }).click();
	await expect.poll(() => text.evaluate((e) => getComputedStyle(e).color)).toBe("rgb(250, 10, 10)");
});

test("links lead out of the page, and say where to", async ({ page, server }) => {
	const osc = (address: string, text: string) => `\x1b]8;;${address}\x1b\\${text}\x1b]8;;\x1b\\`;
	const build = await written(
		server,
		[
			`see ${osc("https://example.org/a?b=c", "the report")} now`,
			`see ${osc("javascript:alert(1)", "nothing")}`,
			"see https://example.org/plain, or (http://example.org/x).",
			"see javascript:alert(1) and data:text/html,x",
			osc("https://example.org/bell", "one").replaceAll("\x1b\\", "\x07"),
			osc("https://example.org/same", "https://example.org/same"),
			// Whose text says that they lead elsewhere, in one piece, in several or written over.
			osc("https://user@evil.test:1/", "https://example.org/pull/1"),
			osc("https://evil.test/", "https://exam\x1b[1mple.org"),
			osc("https://evil.test/", "xxxxxx//example.org\rhttps:"),
			osc("https://example.org/x", "https://example.org.evil.test/"),
			// On a ground of the colour that the host has, as on any.
			osc("https://evil.test/", "\x1b[48;2;89;99;110;7;9mhttps://example.org (example.org)"),
			"https://example.org@evil.test/",
			"https://user:secret@example.org/x",
			osc("https://user:secret@example.org/", "the registry"),
			// Turned around by what stands before it.
			`\u202e${osc("https://evil.test/", "https://evil.test/=?1/llup/gro.elpmaxe//:sptth")}`,
		].join("\n"),
		"passed",
	);
	await page.goto(build.url);
	const links = log(page).locator(".text a");
	await expect(links).toHaveCount(16);
	const found = await links.evaluateAll((all) =>
		all.map((link) => [
			link.textContent,
			link.getAttribute("href"),
			getComputedStyle(link, "::before").content.replaceAll('"', "").trim(),
		]),
	);
	const looks = await links.evaluateAll((all) =>
		all.map((link) => {
			const { color, backgroundColor, display } = getComputedStyle(link, "::before");
			return link.dataset.host && [color, backgroundColor, display].join();
		}),
	);
	expect(new Set(looks.filter((look) => look)).size).toBe(1);
	expect(found).toEqual([
		["the report", "https://example.org/a?b=c", "(example.org)"],
		["https://example.org/plain", "https://example.org/plain", "none"],
		["http://example.org/x", "http://example.org/x", "none"],
		["one", "https://example.org/bell", "(example.org)"],
		["https://example.org/same", "https://example.org/same", "none"],
		["https://example.org/pull/1", "https://evil.test:1/", "(evil.test:1)"],
		["https://exam", "https://evil.test/", "(evil.test)"],
		["ple.org", "https://evil.test/", "(evil.test)"],
		["https:", "https://evil.test/", "(evil.test)"],
		["//example.org", "https://evil.test/", "(evil.test)"],
		["https://example.org.evil.test/", "https://example.org/x", "(example.org)"],
		["https://example.org (example.org)", "https://evil.test/", "(evil.test)"],
		["https://example.org@evil.test/", "https://evil.test/", "(evil.test)"],
		// Without a user and a password, which stay in the text.
		["https://user:secret@example.org/x", "https://example.org/x", "(example.org)"],
		["the registry", "https://example.org/", "(example.org)"],
		["https://evil.test/=?1/llup/gro.elpmaxe//:sptth", "https://evil.test/", "none"],
	]);
	const [first, last] = await links.last().evaluate((link) =>
		[0, (link.textContent?.length ?? 0) - 1].map((at) => {
			const range = document.createRange();
			range.setStart(link.firstChild as Text, at);
			range.setEnd(link.firstChild as Text, at + 1);
			return range.getBoundingClientRect().left;
		}),
	);
	expect(first).toBeLessThan(last as number);
	for (const link of await links.all()) {
		await expect(link).toHaveAttribute("rel", "noopener noreferrer");
		await expect(link).toHaveAttribute("target", "_blank");
	}
});

test("a progress bar stays one line, as far as it has come", async ({ page, server }) => {
	const build = await written(server, "downloading\n", undefined);
	await page.goto(build.url);
	await page.evaluate(() => {
		const tasks: number[] = [];
		new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries()) tasks.push(duration);
		}).observe({ entryTypes: ["longtask"] });
		Object.assign(globalThis, { tasks });
	});
	for (let i = 1; i <= 5_000; i += 20) {
		const steps = Array.from({ length: 20 }, (_, j) => {
			const done = Math.floor((i + j) / 100);
			return `\r\x1b[32m${"#".repeat(done)}\x1b[0m${"-".repeat(50 - done)} ${i + j} of 5000`;
		});
		await build.log("s", steps.join(""));
	}
	const bar = line(page, 2);
	// biome-ignore lint/performance/useDomNodeTextContent: what is seen is what this is about
	await expect.poll(() => bar.innerText()).toBe(`${"#".repeat(50)} 5000 of 5000`);
	await expect(log(page).locator(".line")).toHaveCount(2);
	expect((await bar.boundingBox())?.height).toBeLessThan(25);
	await build.log("s", "\r\x1b[Kdone\nnext\n");
	// biome-ignore lint/performance/useDomNodeTextContent: what is seen is what this is about
	await expect.poll(() => bar.innerText()).toBe("done");
	await expect(line(page, 3)).toHaveText("next");
	await build.finish("s");
	const longest = await page.evaluate(() =>
		Math.max(0, ...(globalThis as unknown as { tasks: number[] }).tasks),
	);
	console.log(`longest task with a progress bar: ${longest} ms`);
});

test("a log that has just been opened is read by the keys that scroll", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 400), "passed");
	await page.goto(build.url);
	await expect(line(page, 1)).toBeInViewport();
	await page.keyboard.press("PageDown");
	await expect(line(page, 1)).not.toBeInViewport();
	await expect(region(page)).toBeFocused();
});

test("a group that asked for it is folded at its end, but not the one that a follower reads at the end of all", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 300), undefined);
	const notes = new Notes(build, "s");
	const first = await notes.begin(1, "First", 1, true);
	await page.goto(build.url);
	await expect(line(page, 300)).toBeInViewport();
	const second = await notes.begin(291, "Second", 1, true);
	await notes.end(291, first);
	await expect(heading(page, "First")).toHaveAttribute("aria-expanded", "false");
	await notes.end(301, second);
	await build.finish("s");
	await expect(page.getByText(/^Passed/)).toBeVisible();
	await expect(heading(page, "Second")).toHaveText(/10 lines/);
	await expect(line(page, 300)).toBeInViewport();
});

test("a log that passed opens at its start, also where that is a folded group", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 300), undefined);
	await build.send(
		{ note: { step: "s", number: 0, line: 1, group: { name: "First", level: 1, folded: true } } },
		{ note: { step: "s", number: 1, line: 101, group_end: { group: 0, duration_s: 1 } } },
	);
	await build.finish("s");
	await page.goto(build.url);
	await expect(heading(page, "First")).toBeInViewport();
	await expect(line(page, 101)).toBeInViewport();
	await expect(line(page, 1)).toHaveCount(0);
});

test("a test that failed is marked in the log, and all of a log is copied by the keys", async ({
	page,
	server,
	context,
}) => {
	await context.grantPermissions(["clipboard-read", "clipboard-write"]);
	const build = await written(server, numbered(1, 3_000), undefined);
	await build.send({
		note: { step: "s", number: 0, line: 2_000, test: { name: "TestParse", status: "failed" } },
	});
	await build.finish("s", "failed");
	await page.goto(build.url);
	await expect(line(page, 2_000)).toBeInViewport();
	await expect(line(page, 2_000)).toHaveAttribute("title", "TestParse");
	await region(page).focus();
	await page.keyboard.press("Control+a");
	await page.keyboard.press("Control+c");
	await expect
		.poll(() => page.evaluate(() => navigator.clipboard.readText()))
		.toBe(numbered(1, 3_000));
});

test("errors and warnings are gone through, and told", async ({ page, server }) => {
	const build = await written(server, numbered(1, 1_000), undefined);
	const notes = new Notes(build, "s");
	await notes.annotate(100, "warning", "mind this");
	await notes.annotate(500, "error", "this broke");
	await notes.annotate(500, "notice", "by the way");
	await notes.annotate(900, "error", "and this");
	await build.finish("s");
	await page.goto(build.url);
	const heard = log(page).locator("> [role=status], [role=status].unseen").last();
	await expect(line(page, 1)).toBeInViewport();
	for (const [key, number, words] of [
		["e", 100, "Warning in line 100: mind this"],
		["e", 500, "Error in line 500: this broke"],
		["e", 900, "Error in line 900: and this"],
		["e", 100, "Warning in line 100: mind this"],
		["E", 900, "Error in line 900: and this"],
		["E", 500, "Error in line 500: this broke"],
	] as const) {
		await page.keyboard.press(key);
		await expect(line(page, number)).toHaveClass(/selected/);
		await expectCentred(page, number);
		await expect(heard).toHaveText(words);
	}
	await page.getByRole("button", { name: "Previous error or warning" }).click();
	await expect(line(page, 100)).toHaveClass(/selected/);
	await page.getByRole("button", { name: /^Next error or warning/ }).click();
	await expect(line(page, 500)).toHaveClass(/selected/);
	await expect(line(page, 500)).toHaveAttribute("data-level", "error");
	await expect(line(page, 500)).toHaveAttribute("title", "this broke");
	for (const colorScheme of ["light", "dark"] as const) {
		await page.emulateMedia({ colorScheme });
		expect(await violations(page)).toEqual([]);
	}
});

test("what is told of a line that is drawn already marks it", async ({ page, server }) => {
	const build = await written(server, numbered(1, 50), undefined);
	const notes = new Notes(build, "s");
	await notes.annotate(10, "warning", "mind this");
	let goOn = () => {};
	const drawn = new Promise<void>((resolve) => {
		goOn = resolve;
	});
	await page.route("**/notes?**", (route) => drawn.then(() => route.continue()));
	await page.goto(build.url);
	await expect(line(page, 50)).toBeInViewport();
	goOn();
	await expect(line(page, 10)).toHaveAttribute("data-level", "warning");
	await notes.annotate(20, "error", "this broke");
	await expect(line(page, 20)).toHaveAttribute("data-level", "error");
	await build.finish("s");
});

test("times, wrapping and colours hold at once in every tab", async ({ page, context, server }) => {
	const build = await written(server, `${"wide ".repeat(400)}\nnext\n`, undefined);
	await page.goto(build.url);
	const other = await context.newPage();
	await other.goto(build.url);
	const time = (page: Page) => numberOf(page, 2).getAttribute("data-time");
	const shown = (page: Page) => page.getByTitle("Times (t)");
	await expect(line(other, 2)).toBeVisible();
	await page.bringToFront();
	await page.keyboard.press("t");
	await expect(shown(other)).toHaveValue("absolute");
	await expect.poll(() => time(other)).toMatch(/^\d\d:\d\d:\d\d/);
	await shown(page).selectOption("step");
	await expect.poll(() => time(other)).toMatch(/^[\d:.]+$/);
	await shown(page).blur();
	await page.keyboard.press("t");
	await expect(shown(page)).toHaveValue("off");
	await expect(shown(other)).toHaveValue("off");
	await page.keyboard.press("w");
	await expect(log(other).locator(".rows.unwrapped")).toHaveCount(1);
	await page.getByText("More", { exact: true }).click();
	await page.getByRole("button", { name: "Exact colours" }).click();
	await other.getByText("More", { exact: true }).click();
	await expect(other.getByRole("button", { name: "Readable colours" })).toBeVisible();
	await build.finish("s");

	// In a field a key is a letter.
	await field(page).fill("");
	await page.keyboard.type("wtfxye");
	await expect(field(page)).toHaveValue("wtfxye");
	await expect(shown(page)).toHaveValue("off");
	await expect(log(page).locator(".rows.unwrapped")).toHaveCount(1);
});

test("what the menu offers is there, and the accessible view begins at the line in view", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 5_000), "passed");
	await page.goto(`${build.url}#s:L4321`);
	await expectCentred(page, 4_321);
	const { line: first } = await atRest(page);
	const more = page.getByText("More", { exact: true });
	await more.focus();
	await page.keyboard.press("Enter");
	const raw = await page.getByRole("link", { name: "Raw log" }).getAttribute("href");
	expect(await (await page.request.get(server.url + raw)).text()).toBe(numbered(1, 5_000));
	const downloading = page.waitForEvent("download");
	await page.getByRole("link", { name: "Download" }).click();
	expect((await downloading).suggestedFilename()).toMatch(/\.(txt|log)$/);
	// What was chosen closes it, and leads back to its button.
	await expect(page.getByRole("link", { name: "Raw log" })).toBeHidden();
	await page.keyboard.press("Enter");
	const opened = page.waitForEvent("popup");
	await page.getByRole("link", { name: "Raw log" }).click();
	await (await opened).close();
	await expect(page.getByRole("link", { name: "Raw log" })).toBeHidden();
	await more.click();
	await page.keyboard.press("Escape");
	await expect(page.getByRole("link", { name: "Raw log" })).toBeHidden();
	await page.keyboard.press("Enter");
	await page.getByRole("button", { name: "Full screen" }).click();
	await expect.poll(() => page.evaluate(() => document.fullscreenElement !== null)).toBe(true);
	await page.evaluate(() => document.exitFullscreen());
	await more.click();
	await page.getByRole("link", { name: "Accessible view" }).click();
	await expect(page).toHaveURL(new RegExp(`/plain/.*from=4001#L${first}$`));
	await page.goBack();
	await expect(line(page, 4_321)).toHaveClass(/selected/);
});

test("the menu and the form for a line leave the focus where its owner put it", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 50), undefined);
	await page.goto(build.url);
	await expect(line(page, 50)).toBeInViewport();
	const more = log(page).locator("summary");
	await more.focus();
	await page.keyboard.press("Enter");
	await log(page).getByRole("button", { name: "Copy a link to here" }).focus();
	await page.keyboard.press("Enter");
	await expect(more).toBeFocused();

	const go = log(page).getByRole("button", { name: "Go", exact: true });
	await page.keyboard.press(":");
	await page.keyboard.type("7");
	await page.keyboard.press("Tab");
	await expect(go).toBeFocused();
	await build.log("s", numbered(51, 51));
	await expect(line(page, 51)).toBeInViewport();
	await expect(go).toBeFocused();
	await page.keyboard.press(":");
	await expect(log(page).getByRole("spinbutton")).toBeFocused();
	await page.keyboard.press("Tab");
	await page.keyboard.press("Escape");
	await expect(go).toHaveCount(0);
	await expect(region(page)).toBeFocused();
	await build.finish("s");
});

test("each state of a step is told", async ({ page, server, complaints }) => {
	const build = await server.build({
		steps: [
			{ key: "queued" },
			{ key: "running" },
			{ key: "skipped" },
			{ key: "empty" },
			{ key: "code" },
		],
	});
	await build.step("running", "running");
	await build.step("skipped", "skipped");
	await build.step("empty", "passed", { exit_code: 0 });
	await build.log("code", "out of luck\n");
	await build.step("code", "failed", { exit_code: 137 });
	const note = log(page).locator(".note");
	for (const [step, words] of [
		["queued", /^The step has not started\. Queued for \d+ m?s\.$/],
		["running", "No output yet."],
		["skipped", "The step was skipped."],
		["empty", /^No output\. Passed with exit code 0/],
		["code", /^Failed with exit code 137/],
	] as const) {
		await page.goto(`${build.url}#${step}`);
		await expect(note).toHaveText(words);
		for (const colorScheme of ["light", "dark"] as const) {
			await page.emulateMedia({ colorScheme });
			expect(await violations(page), step).toEqual([]);
		}
	}
	await build.send({ build: { status: "failed" } });

	const none = await server.build();
	await page.goto(none.url);
	await expect(page.getByText("This build has no steps yet.")).toBeVisible();
	await none.send({ build: { status: "passed" } });
	await expect(page.getByText("This build has no steps.")).toBeVisible();

	// Lines that cannot be loaded are asked for again, in place.
	complaints.expected = connectionErrors;
	const long = await written(server, numbered(1, 10_000), "passed");
	await page.goto(long.url);
	await expect(line(page, 1)).toBeVisible();
	await noOwnAttempts(page);
	await page.route("**/lines?*", (route) => route.abort());
	await region(page).focus();
	await page.keyboard.press("End");
	await expect(log(page).getByRole("alert")).toContainText("Some lines could not be loaded.");
	await expect(log(page).locator(".waiting").last()).toBeInViewport();
	expect(await violations(page)).toEqual([]);
	await page.unroute("**/lines?*");
	await log(page).getByRole("button", { name: "Try again" }).click();
	await expect(line(page, 10_000)).toBeInViewport();
	await expect(log(page).getByRole("alert")).toHaveCount(0);
});

test("extremes: each is shown, and none stops the page", async ({ page, server }) => {
	test.slow();
	const steps = {
		"one line of 1 MB": `start ${"wide ".repeat(200_000)}\nafter\n`,
		"empty lines": "\n".repeat(100_000),
		"no line end": "y".repeat(20_000_000),
		"right to left": "\u05e9\u05dc\u05d5\u05dd 123 (abc)\n\u202eevil\nafter\n",
		"marks on one letter": `e${"\u0301".repeat(100_000)}\nafter\n`,
	};
	const build = await server.build({
		steps: [
			...Object.keys(steps).map((name, i) => ({ key: `s${i}`, name })),
			...Array.from({ length: 296 }, (_, i) => ({
				key: `n/${i}`,
				name: `${i} ${"name ".repeat(39)}`,
			})),
		],
	});
	await page.addInitScript(() => {
		const tasks: number[] = [];
		new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries()) tasks.push(duration);
		}).observe({ entryTypes: ["longtask"] });
		Object.assign(globalThis, { tasks });
	});
	let asked = 0;
	page.on("request", (request) => {
		if (request.url().includes("/lines?")) asked++;
	});
	for (const [i, [name, text]] of Object.entries(steps).entries()) {
		await build.step(`s${i}`, "running");
		await build.log(`s${i}`, text);
		await build.step(`s${i}`, "passed");
		asked = 0;
		await page.goto("about:blank");
		await page.goto(`${build.url}#s${i}`);
		await expect(line(page, 1)).toBeInViewport();
		await region(page).focus();
		await page.keyboard.press("End");
		const lines = Math.max(1, text.split("\n").length - 1);
		await expect(line(page, lines)).toBeInViewport();
		await atRest(page);
		expect(asked, name).toBeLessThan(20);
		const longest = await page.evaluate(() =>
			Math.max(0, ...(globalThis as unknown as { tasks: number[] }).tasks),
		);
		console.log(`${name}: longest task ${longest} ms, ${asked} requests`);
	}
	await build.send({ build: { status: "passed" } });
});

test("on a phone the bar has two rows, and everything is still in reach", async ({
	browser,
	server,
}) => {
	const build = await written(server, numbered(1, 500), undefined);
	await new Notes(build, "s").annotate(100, "error", "broken");
	const context = await browser.newContext({
		viewport: { width: 390, height: 844 },
		hasTouch: true,
		isMobile: true,
	});
	const page = await context.newPage();
	await page.goto(build.url);
	await expect(line(page, 500)).toBeInViewport();
	await field(page).fill("line");
	await expect(matchCount(page)).toHaveText(/ of 500$/);
	const bar = log(page).locator(".bar");
	expect((await bar.boundingBox())?.height).toBeLessThanOrEqual(110);
	await page.getByText("More", { exact: true }).tap();
	for (const name of ["Wrap", "Match case", "Regular expression", "Only matches"]) {
		await expect(page.getByRole("button", { name })).toBeInViewport();
	}
	expect(await violations(page)).toEqual([]);
	await page.getByTitle("Times (t)").selectOption("absolute");
	await page.getByRole("button", { name: "Only matches" }).tap();
	await expect(page.locator("match-list li")).toHaveCount(500);

	// The list of steps makes way for the log of the one that is chosen.
	const steps = page.getByText(/^Steps \d/);
	const room = async () => (await log(page).boundingBox())?.height ?? 0;
	const all = await room();
	await steps.tap();
	await expect.poll(room).toBeLessThan(all);
	await page.locator("stepcast-tree a").tap();
	await expect.poll(room).toBe(all);
	await expect(steps).toBeInViewport();
	await context.close();
	await build.finish("s");
});

test("a finger marks lines and copies them, and Enter shows what was found", async ({
	browser,
	server,
}) => {
	const build = await written(server, numbered(1, 500), "failed");
	const context = await browser.newContext({
		viewport: { width: 390, height: 844 },
		hasTouch: true,
		isMobile: true,
		permissions: ["clipboard-read", "clipboard-write"],
	});
	const page = await context.newPage();
	const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
	await page.goto(`${build.url}#s:L100`);
	await expectCentred(page, 100);
	await expect(page.getByRole("button", { name: "Copy line 100" })).toBeInViewport();
	// One line, whatever the address marked; the other end of the lines; then one line again.
	await numberOf(page, 99).tap();
	await expect(page).toHaveURL(/#s:L99$/);
	await numberOf(page, 103).tap();
	await expect(page).toHaveURL(/#s:L99-L103$/);
	await page.getByRole("button", { name: "Copy lines 99 to 103" }).tap();
	await expect(log(page).locator(".said")).toHaveText("Copied lines 99 to 103.");
	expect(await clipboard()).toBe(numbered(99, 103));
	await numberOf(page, 98).tap();
	await expect(page).toHaveURL(/#s:L98$/);
	await page.getByRole("button", { name: "Copy link" }).tap();
	await expect(log(page).locator(".said")).toHaveText(
		"Copied the link; it opens only on this device.",
	);
	expect(await clipboard()).toBe(page.url());

	await field(page).fill("line 30");
	await expect(matchCount(page)).toHaveText("2 of 11");
	await field(page).press("Enter");
	await expect(region(page)).toBeFocused();
	await expect(matchCount(page)).toHaveText("2 of 11");
	await context.close();
});

test("on a phone on its side all but the log scrolls out of sight", async ({ page, server }) => {
	const build = await written(server, numbered(1, 500), "passed");
	await page.setViewportSize({ width: 844, height: 390 });
	await page.goto(build.url);
	await expect(line(page, 1)).toBeInViewport();
	await page.locator(".facts").hover();
	await page.mouse.wheel(0, 1_000);
	await expect.poll(async () => (await region(page).boundingBox())?.y).toBeLessThan(150);
	await expect(field(page)).toBeInViewport();
	await expect(line(page, 1)).toBeInViewport();

	// From a link to lines these are in the middle.
	await page.goto("about:blank");
	await page.goto(`${build.url}#s:L120-L140`);
	const middle = async () =>
		Math.floor((((await line(page, 120).boundingBox())?.y ?? 0) * 3) / 390);
	await expect.poll(middle).toBe(1);
});

test("on a phone on its side a build opens with its error in sight, and its tools take one row", async ({
	browser,
	server,
}) => {
	const build = await written(server, numbered(1, 3_000), undefined);
	await new Notes(build, "s").annotate(1_500, "error", "broken");
	const context = await browser.newContext({
		viewport: { width: 844, height: 390 },
		hasTouch: true,
		isMobile: true,
	});
	const page = await context.newPage();
	await page.goto(build.url);
	await expect(page.getByRole("button", { name: "Follow" })).toBeVisible();
	await expect(page.getByRole("button", { name: "Next error or warning" })).toBeVisible();
	expect((await log(page).locator(".bar").boundingBox())?.height).toBeLessThan(60);
	await page.getByText("More", { exact: true }).tap();
	await page.getByRole("button", { name: "Regular expression" }).tap();
	await page.getByText("More", { exact: true }).tap();
	expect(await violations(page)).toEqual([]);

	await build.finish("s", "failed");
	await page.reload();
	await expect(line(page, 1_500)).toBeInViewport({ ratio: 1 });
	const { y = 0 } = (await region(page).boundingBox()) ?? {};
	const part = async () => ((await yOf(page, 1_500)) ?? 0) / (390 - y);
	await expect.poll(part).toBeGreaterThan(0.2);
	expect(await part()).toBeLessThan(0.6);
	await context.close();
});

test("on a phone on its side whoever follows sees the end, until they scroll the page", async ({
	browser,
	server,
}) => {
	const build = await written(server, numbered(1, 500), undefined);
	const viewport = { width: 844, height: 390 };
	const context = await browser.newContext({ viewport, hasTouch: true, isMobile: true });
	const page = await context.newPage();
	await page.goto(build.url);
	await expect(line(page, 500)).toBeInViewport({ ratio: 0.9 });
	await build.log("s", numbered(501, 510));
	await expect(line(page, 510)).toBeInViewport({ ratio: 0.9 });

	// The page was scrolled by hand, and what comes moves it no more.
	await page.evaluate(() => scrollTo(0, 0));
	await build.log("s", numbered(511, 520));
	await expect(line(page, 520)).toBeAttached();
	await atRest(page);
	expect(await page.evaluate(() => scrollY)).toBe(0);
	// At its end the log moves the page too.
	const { x = 0, y = 0 } = (await region(page).boundingBox()) ?? {};
	const swipe = await context.newCDPSession(page);
	// A busy machine may cut a swipe short.
	await expect(async () => {
		await swipe.send("Input.synthesizeScrollGesture", { x: x + 300, y: y + 50, yDistance: -300 });
		await expect(line(page, 520)).toBeInViewport({ ratio: 0.9, timeout: 2_000 });
	}).toPass();
	await context.close();
});

test("who turns a phone on its side still sees the end, or the marked line", async ({
	browser,
	server,
}) => {
	const build = await written(server, numbered(1, 500), undefined);
	const [upright, onSide] = [
		{ width: 390, height: 844 },
		{ width: 844, height: 390 },
	];
	const context = await browser.newContext({ viewport: upright, hasTouch: true, isMobile: true });
	const page = await context.newPage();
	await page.goto(build.url);
	await expect(line(page, 500)).toBeInViewport({ ratio: 0.9 });
	await page.setViewportSize(onSide);
	await expect(line(page, 500)).toBeInViewport({ ratio: 0.9 });

	await page.setViewportSize(upright);
	await page.goto(`${build.url}#s:L250`);
	await expect(line(page, 250)).toBeInViewport({ ratio: 0.9 });
	await atRest(page);
	await region(page).evaluate((region) => {
		region.scrollTop -= 150;
	});
	await atRest(page);
	await expect(line(page, 250)).toBeInViewport({ ratio: 0.9 });
	await page.setViewportSize(onSide);
	await expect(line(page, 250)).toBeInViewport({ ratio: 0.9 });
	await expect(page.getByRole("button", { name: "Copy line 250" })).toBeInViewport({ ratio: 0.9 });
	await expect(page.getByRole("button", { name: "To the end" })).toBeInViewport({ ratio: 0.9 });
	await context.close();
});

test("a long log is scrolled from end to end without stopping", async ({ page, server }) => {
	test.slow();
	const text = Array.from(
		{ length: 100_000 },
		(_, i) => `\x1b[3${i % 8}mline ${i + 1}\x1b[0m ${"word ".repeat(i % 30)}\n`,
	);
	const build = await written(server, text.join(""), "passed");
	await page.addInitScript(() => {
		const tasks: number[] = [];
		new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries()) tasks.push(duration);
		}).observe({ entryTypes: ["longtask"] });
		Object.assign(globalThis, { tasks });
	});
	await page.goto(build.url);
	await expect(line(page, 1)).toBeVisible();
	await region(page).hover();
	for (let i = 0; i < 100; i++) await page.mouse.wheel(0, 3_000);
	await expect.poll(async () => (await top(page))?.line ?? 0).toBeGreaterThan(5_000);
	for (const part of [0.1, 0.9, 0.3, 0.7, 0.5]) {
		await region(page).evaluate((r, part) => {
			r.scrollTop = part * (r.scrollHeight - r.clientHeight);
		}, part);
		await expect
			.poll(async () => Math.abs(((await top(page))?.line ?? 0) / 100_000 - part))
			.toBeLessThan(0.03);
	}
	const { line: middle } = await atRest(page);
	await region(page).focus();
	await page.keyboard.press("PageUp");
	await expect.poll(async () => (await top(page))?.line ?? 0).toBeLessThan(middle);
	expect((await atRest(page)).line).toBeGreaterThan(middle - 60);
	await page.keyboard.press("End");
	await expect(line(page, 100_000)).toBeInViewport();
	await page.keyboard.press("Home");
	await expect(line(page, 1)).toBeInViewport();
	const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks);
	console.log(
		`long tasks while scrolling: ${tasks
			.sort((a, b) => b - a)
			.slice(0, 8)
			.join(", ")} ms`,
	);
});
