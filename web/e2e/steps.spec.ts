import type { Locator, Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { expect, type Reporter, type Server, test } from "./stepcast.ts";

type Element = "stepcast-tree" | "stepcast-waterfall" | "test-results" | "annotation-list";

/** Shows one element with a build as it is now, alone in the frame of the pages. */
async function mount(
	page: Page,
	server: Server,
	name: Element,
	build: Reporter,
	selected = "",
): Promise<Locator> {
	await page.goto(server.url);
	await expect(page.locator("build-item").first()).toBeVisible();
	await page.evaluate((name) => {
		const main = document.querySelector("stepcast-app")?.shadowRoot?.querySelector("main");
		const heading = Object.assign(document.createElement("h1"), { textContent: "Steps" });
		main?.replaceChildren(heading, document.createElement(name));
	}, name);
	await refresh(page, name, build, selected);
	return page.locator(name);
}

/** Hands the element the build and its steps as they are now. */
async function refresh(page: Page, name: Element, build: Reporter, selected = ""): Promise<void> {
	await page.locator(name).evaluate(
		async (element, { id, selected }) => {
			const build = await (await fetch(`/api/v1/builds/${id}`)).json();
			const whole = element.localName === "stepcast-waterfall";
			Object.assign(element, { build: whole ? build : id, steps: build.steps, selected });
		},
		{ id: build.id, selected },
	);
}

const begin = Date.parse("2026-11-22T10:00:00Z");
const at = (seconds: number) => new Date(begin + seconds * 1_000).toISOString();
const ran = (from: number, to: number) => ({ started_at: at(from), finished_at: at(to) });
const long = `a name that goes ${"on and ".repeat(25)}on`.slice(0, 200);

let build: Reporter;
let big: Reporter;

test.beforeAll(async ({ server }) => {
	build = await server.build({
		project: "steps",
		steps: [
			{ key: "lint" },
			{ key: "test/linux", name: "Unit tests", needs: ["lint"] },
			{ key: "deploy/prod", needs: ["test/linux", "test/windows"] },
			{ key: "test/windows", name: "Unit tests", needs: ["lint"] },
			{ key: "docs", name: long },
		],
	});
	await build.step("lint", "passed", ran(0, 10));
	for (const key of ["test/linux", "test/windows"]) {
		await build.log(key, "one\ntwo\nthree\n");
		const result = (number: number, status: string, more: object = {}) => ({
			note: {
				step: key,
				number,
				line: 2,
				test: { suite: "ci", name: `T${number}`, status, ...more },
			},
		});
		const annotation = (number: number, level: string, message: string) => ({
			note: {
				...{ step: key, number, line: 3 },
				annotation: { level, message, file: "parse.go", file_line: 12, file_column: 4 },
			},
		});
		await build.send(
			result(0, "passed", { duration_s: 1.5 }),
			result(1, key === "test/linux" ? "failed" : "passed", {
				message: "got 3\nwant 4\n3\n4\n5 <b>bold</b>",
			}),
			result(2, "skipped"),
			annotation(3, "error", "undefined: x\nmore of it"),
			annotation(4, "warning", "unused"),
			annotation(5, "notice", "a hint"),
		);
	}
	await build.step("test/linux", "failed", ran(20, 60));
	await build.step("test/windows", "passed", ran(10, 90));
	await build.step("docs", "skipped");

	const steps = Array.from({ length: 300 }, (_, i) => ({
		key: `job-${Math.floor(i / 20)}/part-${i % 20}`,
	}));
	big = await server.build({ project: "steps", steps });
	await big.step("job-0/part-0", "running");
	const results = Array.from({ length: 2_500 }, (_, number) => ({
		note: { step: "job-0/part-0", number, test: { name: `T${number}`, status: "passed" } },
	}));
	for (let i = 0; i < results.length; i += 500) await big.send(...results.slice(i, i + 500));
	await big.step("job-0/part-0", "passed");
});

test("steps are a tree in which no two rows look alike", async ({ page, server }) => {
	const tree = await mount(page, server, "stepcast-tree", build, "test/linux");
	const links = tree.getByRole("link");
	await expect(links).toHaveCount(5);
	const addresses = await links.evaluateAll((all) => all.map((a) => a.getAttribute("href")));
	expect(addresses).toEqual([
		"#lint",
		"#test%2Flinux",
		"#test%2Fwindows",
		"#deploy%2Fprod",
		"#docs",
	]);
	await expect(links.nth(1)).toContainText(
		/failed.*Unit tests.*test\/linux.*1 failed test, 1 error.*40\.0 s/s,
	);
	await expect(links.nth(2)).toContainText(/passed.*Unit tests.*test\/windows/s);
	await expect(links.nth(1)).toHaveAttribute("aria-current", "true");

	const folder = tree.getByRole("button", { name: /test/ });
	await expect(folder).toContainText(/failed.*test.*2 steps.*1 failed test, 2 errors/s);
	await folder.click();
	await expect(folder).toHaveAttribute("aria-expanded", "false");
	await expect(links).toHaveCount(3);
	await refresh(page, "stepcast-tree", build, "test/windows");
	await expect(links).toHaveCount(5);
	await folder.press("Enter");
	await expect(links).toHaveCount(3);
});

test("a waterfall is a table, and shows what a step needed", async ({ page, server }) => {
	const chart = await mount(page, server, "stepcast-waterfall", build, "test/linux");
	await expect(chart.getByRole("columnheader")).toHaveText([
		"Step",
		"Start",
		"Queued for",
		"Duration",
	]);
	const row = (key: string) => chart.locator(`tr[data-key="${key}"]`);
	const cells = (key: string) => row(key).getByRole("cell");
	await expect(cells("test/linux")).toHaveText(["20 s", "10.0 s", "40.0 s"]);
	await expect(cells("test/windows")).toHaveText(["10 s", "", "1 m 20 s"]);
	await expect(cells("docs")).toHaveText(["", "", ""]);
	await expect(row("test/windows")).toContainText("On the critical path.");
	await expect(row("test/linux").getByRole("rowheader")).toContainText("Needs lint.");

	await chart.getByRole("link", { name: /deploy\/prod/ }).focus();
	await expect(chart.locator("tr.needed")).toHaveCount(2);
	await chart.getByRole("link", { name: /test\/linux/ }).focus();
	await expect(chart.locator("tr.needed")).toHaveCount(1);
	await expect(chart.locator("svg .head")).toHaveCount(1);
	const places = await chart
		.locator("tbody .run")
		.evaluateAll((bars) => bars.map((bar) => getComputedStyle(bar).getPropertyValue("--from")));
	expect(places[0]).toBe("0");
});

for (const [width, length] of [
	[1280, 150],
	[1280, 2.6],
	[390, 150],
	[390, 2.6],
	[320, 150],
	[320, 2.45],
] as const) {
	test(`what a waterfall of ${length} s says in ${width} px is whole, and beside the rest`, async ({
		page,
		server,
	}) => {
		const some = await server.build({
			project: "steps",
			steps: [
				{ key: "first" },
				{ key: "short", needs: ["first"] },
				{ key: "late" },
				{ key: "middle", needs: ["first"] },
				{ key: "all" },
			],
		});
		const part = (from: number, to: number) => ran(from * length, to * length);
		await some.step("first", "passed", part(0, 0.1));
		await some.step("short", "passed", part(0.99, 1));
		await some.step("late", "passed", part(0.9, 0.93));
		await some.step("middle", "passed", part(0.75, 0.8));
		await some.step("all", "passed", part(0, 1));
		await some.send({ build: { status: "passed", finished_at: at(length) } });
		await page.setViewportSize({ width, height: 900 });
		const chart = await mount(page, server, "stepcast-waterfall", some);
		await expect(chart.locator("tbody .run")).toHaveCount(5);

		const crossed = () =>
			chart.evaluate((element) => {
				const all = (selector: string, within: ParentNode | null | undefined) =>
					[...(within?.querySelectorAll<HTMLElement>(selector) ?? [])].filter((one) =>
						one.checkVisibility(),
					);
				const root = element.shadowRoot;
				const box = (one: HTMLElement) => one.getBoundingClientRect();
				const ticks = all(".axis span", root);
				const wrong = ticks
					.filter((tick, i) => {
						const next = ticks[i + 1];
						return next && box(tick).right > box(next).left;
					})
					.map((tick) => `the axis: ${tick.textContent}`);
				for (const lane of all(".lane", root)) {
					for (const label of all(".label", lane)) {
						const { left, right } = box(label);
						const [from, to] = [box(lane).left, box(lane).right];
						const inside = label.matches(".inside");
						const onBar = all(".run, .queue", lane).some((bar) =>
							inside && bar.matches(".run")
								? box(bar).left > left || box(bar).right < right - 1
								: box(bar).left < right - 1 && box(bar).right > left + 1 && !inside,
						);
						if (onBar || left < from || right > to) wrong.push(label.textContent ?? "");
					}
				}
				return wrong;
			});
		await expect.poll(crossed).toEqual([]);
		for (const key of ["first", "all"]) {
			await expect(chart.locator(`[data-key="${key}"] .label`)).toHaveCount(1);
		}
		await expect.poll(() => chart.locator(".axis span:visible").count()).toBeGreaterThan(1);
	});
}

test("failed tests come first, the others on demand", async ({ page, server }) => {
	const results = await mount(page, server, "test-results", build);
	await expect(results.getByRole("listitem")).toHaveCount(1);
	await expect(results.getByRole("listitem")).toContainText(/ci.*T1.*test\/linux, line 2/s);
	await expect(results.getByRole("link", { name: /test\/linux, line 2.*T1/ })).toHaveAttribute(
		"href",
		"#test%2Flinux:L2",
	);
	await expect(results.locator("pre")).toHaveText("got 3\nwant 4\n3\n4");
	await results.getByRole("button", { name: "Whole message" }).click();
	await expect(results.locator("pre")).toContainText("5 <b>bold</b>");

	await results.getByRole("button", { name: "3 passed" }).click();
	await expect(results.getByRole("region", { name: "Passed" }).getByRole("listitem")).toHaveCount(
		3,
	);
	await expect(results.getByRole("listitem").first()).toContainText("T1");
	await results.getByRole("button", { name: "1 failed" }).click();
	await results.getByRole("searchbox", { name: "Name" }).fill("ci t0");
	await expect(results.getByRole("listitem")).toHaveCount(2);

	const late = { step: "test/windows", number: 6, test: { name: "late", status: "failed" } };
	await results.getByRole("searchbox", { name: "Name" }).fill("");
	await results.getByRole("button", { name: "1 failed" }).click();
	await expect(results.getByRole("region", { name: "Failed" }).getByRole("listitem")).toHaveCount(
		1,
	);
	await build.send({ note: late });
	await refresh(page, "test-results", build);
	await expect(results.getByRole("region", { name: "Failed" }).getByRole("listitem")).toHaveCount(
		2,
	);
});

test("thousands of results are shown a part at a time, and looked through whole", async ({
	page,
	server,
}) => {
	const results = await mount(page, server, "test-results", big);
	await expect(results.getByText("No test failed.")).toBeVisible();
	await results.getByRole("button", { name: "2,500 passed" }).click();
	const rows = results.getByRole("region", { name: "Passed" }).getByRole("listitem");
	await expect(rows).toHaveCount(100);
	await results.getByRole("button", { name: "Show more" }).click();
	await expect(rows).toHaveCount(200);
	await results.getByRole("searchbox", { name: "Name" }).fill("T2499");
	await expect(rows).toHaveCount(1);
	await expect(results.getByText("1 of 2,500 looked through")).toBeVisible();
});

test("annotations by step, with file and line", async ({ page, server }) => {
	const list = await mount(page, server, "annotation-list", build);
	const errors = list.getByRole("region", { name: "Errors" });
	await expect(errors.getByRole("heading", { level: 3 })).toHaveText([
		"Unit tests test/linux",
		"Unit tests test/windows",
	]);
	await expect(errors.getByRole("listitem").first()).toContainText(/undefined: x.*parse\.go:12:4/s);
	await expect(errors.getByRole("listitem").first().locator("pre")).toHaveText("more of it");
	await expect(errors.getByRole("link", { name: "test/linux, line 3" })).toHaveAttribute(
		"href",
		"#test%2Flinux:L3",
	);
	await expect(list.getByRole("region", { name: "Notices" })).toHaveCount(0);
	await list.getByRole("button", { name: "2 notices" }).click();
	await expect(list.getByRole("region", { name: "Notices" }).getByRole("listitem")).toHaveCount(2);
});

test("a list that cannot be loaded says so, and tries again", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected = [/status of 503/];
	await page.route("**/notes?*", (route) => route.fulfill({ status: 503 }));
	const list = await mount(page, server, "annotation-list", build);
	await expect(list.getByRole("alert").first()).toContainText("The list could not be loaded.");
	await page.unroute("**/notes?*");
	await list.getByRole("button", { name: "Try again" }).first().click();
	await expect(list.getByRole("region", { name: "Errors" }).getByRole("listitem")).toHaveCount(2);
});

for (const colorScheme of ["light", "dark"] as const) {
	for (const width of [1440, 390] as const) {
		test(`no violations in what shows steps, ${colorScheme}, ${width} px`, async ({
			page,
			server,
		}) => {
			// With 300 steps, axe takes its time.
			test.setTimeout(180_000);
			await page.setViewportSize({ width, height: 900 });
			await page.emulateMedia({ colorScheme });
			for (const name of [
				"stepcast-tree",
				"stepcast-waterfall",
				"test-results",
				"annotation-list",
			] as const) {
				// Of many steps, which differ in nothing but their number, once in each theme and width.
				const many = (colorScheme === "light") === (width === 1440);
				for (const of of many ? [build, big] : [build]) {
					const element = await mount(page, server, name, of, "test/linux");
					await expect(element).toContainText(/\w/);
					if (of === build) {
						await page.screenshot({ path: `test-results/${name}-${colorScheme}-${width}.png` });
					}
					expect(await violations(page)).toEqual([]);
				}
			}
		});
	}
}
