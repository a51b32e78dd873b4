import { violations } from "./axe.ts";
import { connectionErrors, expect, log, test } from "./stepcast.ts";
import {
	expectCentred,
	field,
	line,
	matchCount,
	numbered,
	painted,
	region,
	written,
} from "./viewer.ts";

test("a search counts all of a log, and goes from match to match", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const text = Array.from(
		{ length: 30_000 },
		(_, i) =>
			`line ${i + 1}${(i + 1) % 5 === 0 ? ` \x1b[33mNee\x1b[1mdle\x1b[0m and needle` : ""}\n`,
	);
	const build = await written(server, text.join(""), "passed");
	await page.goto(build.url);
	await expect(line(page, 1)).toBeVisible();
	await page.keyboard.press("/");
	await expect(field(page)).toBeFocused();
	await page.keyboard.type("needle");
	await expect(matchCount(page)).toHaveText("1 of 6,000");
	await expect(line(page, 5)).toHaveClass(/current/);
	// The current line has two, the first of them in two colours.
	await expect.poll(async () => (await painted(page))[1]).toBe(3);
	expect((await painted(page))[0]).toBeGreaterThan(100);

	await page.keyboard.press("Enter");
	await expect(matchCount(page)).toHaveText("2 of 6,000");
	await page.keyboard.press("Shift+Enter");
	await expect(matchCount(page)).toHaveText("1 of 6,000");
	await region(page).focus();
	await page.keyboard.press("n");
	await page.keyboard.press("n");
	await expect(matchCount(page)).toHaveText("3 of 6,000");
	await expect(line(page, 15)).toHaveClass(/current/);
	await page.keyboard.press("N");
	await expect(matchCount(page)).toHaveText("2 of 6,000");
	for (let i = 0; i < 100; i++) await page.keyboard.press("n");
	await expect(matchCount(page)).toHaveText("102 of 6,000");
	await expect(line(page, 510)).toBeInViewport();

	// Upper and lower case, and expressions.
	await page.getByRole("button", { name: "Match case" }).click();
	await field(page).fill("Needle");
	await expect(matchCount(page)).toHaveText(/ of 6,000$/);
	await field(page).fill("nEEDLE");
	await expect(matchCount(page)).toHaveText("No matches");
	await page.getByRole("button", { name: "Regular expression" }).click();
	await field(page).fill("^line [12]\\d{4}$");
	await expect(matchCount(page)).toHaveText(/ of 16,000$/);
	await field(page).fill("(");
	await expect(log(page).getByRole("alert")).toContainText("parenthesis");
	expect(await violations(page)).toEqual([]);

	// Escape ends it.
	await field(page).press("Escape");
	await expect(field(page)).toHaveValue("");
	await expect(matchCount(page)).toHaveText("");
	await expect(region(page)).toBeFocused();
	await expect.poll(() => painted(page)).toEqual([0, 0]);
	await expect(log(page).locator(".line.current")).toHaveCount(0);
	// The options can be chosen before there is anything to look for.
	const expression = page.getByRole("button", { name: "Regular expression" });
	await expression.click();
	await expect(expression).toHaveAttribute("aria-pressed", "false");
});

test("going beyond the matches that are here asks for more", async ({ page, server }) => {
	const build = await written(server, numbered(1, 4_500), "passed");
	await page.goto(build.url);
	await field(page).fill("line");
	await expect(matchCount(page)).toHaveText("1 of 4,500");
	await page.getByRole("button", { name: "Only matches" }).click();
	const list = page.locator("match-list");
	await expect(list.locator("li")).toHaveCount(500);
	await expect(list.locator("mark").first()).toHaveText("line");
	await expect(list).toContainText("500 of 4,500 lines are shown.");
	for (const colorScheme of ["light", "dark"] as const) {
		await page.emulateMedia({ colorScheme });
		expect(await violations(page)).toEqual([]);
	}
	for (const shown of [1_000, 1_500, 2_000, 2_500]) {
		await list.getByRole("button", { name: "Show more" }).click();
		await expect(list.locator("li")).toHaveCount(shown);
	}
	await list.getByRole("link", { name: "1999 line 1999" }).click();
	await expect(line(page, 1_999)).toHaveClass(/selected/);
	await expectCentred(page, 1_999);

	// Other words leave the list where it is.
	await page.getByRole("button", { name: "Only matches" }).click();
	await field(page).fill("line 44");
	await expect(list.locator("li")).toHaveCount(111);
	await expect(list).not.toContainText("are shown");
	await field(page).fill("line");
	await expect(list.locator("li").first()).toContainText("line 1");
	await page.getByRole("button", { name: "Only matches" }).click();
	await expect(list).toHaveCount(0);
	await region(page).focus();
	await page.keyboard.press("End");
	await expect(line(page, 4_500)).toBeInViewport();
});

test("what comes is counted while there are matches that are not here", async ({
	page,
	server,
}) => {
	test.slow();
	const build = await written(server, numbered(1, 30_000), undefined);
	await page.goto(build.url);
	await field(page).fill("line");
	await expect(matchCount(page)).toHaveText(/ of 30,000$/);
	for (let number = 30_001; number <= 30_004; number++) {
		await build.log("s", numbered(number, number));
		await expect(matchCount(page)).toHaveText(new RegExp(` of ${number.toLocaleString("en")}$`));
	}
	await build.finish("s");
});

test("a search through all steps goes on in the next one", async ({ page, server }) => {
	const steps = ["a", "b/1", "c"];
	const build = await server.build({ steps: steps.map((key) => ({ key })) });
	for (const step of steps) {
		await build.step(step, "running");
		await build.log(step, `${numbered(1, 300)}needle in ${step}\n${numbered(302, 600)}`);
		await build.step(step, "passed");
	}
	await build.send({ build: { status: "passed" } });
	await page.goto(`${build.url}#a`);
	await field(page).fill("needle");
	await expect(matchCount(page)).toHaveText("1 of 1");
	await page.getByRole("button", { name: "Search the logs of all steps" }).click();
	await expect(matchCount(page)).toHaveText("1 of 3");
	await region(page).focus();
	await page.keyboard.press("n");
	await expect(log(page).locator("h2")).toHaveText("b/1");
	await expect(matchCount(page)).toHaveText("2 of 3");
	await expect(line(page, 301)).toHaveText("needle in b/1");
	await expectCentred(page, 301);
	await expect.poll(() => painted(page)).toEqual([0, 1]);
	await region(page).focus();
	await page.keyboard.press("n");
	await expect(log(page).locator("h2")).toHaveText("c");
	await expect(matchCount(page)).toHaveText("3 of 3");
	await page.keyboard.press("N");
	await expect(log(page).locator("h2")).toHaveText("b/1");
	await expect(matchCount(page)).toHaveText("2 of 3");
});

test("a search through all steps leaves who reads where nothing is found, and Enter goes to the first match", async ({
	page,
	browser,
	server,
}) => {
	const steps = ["a", "b", "c"];
	const build = await server.build({ steps: steps.map((key) => ({ key })) });
	for (const step of steps) {
		await build.step(step, "running");
		const needle = step === "a" ? "hay" : "needle";
		await build.log(step, `${numbered(1, 300)}${needle}\n${numbered(302, 600)}${needle}\n`);
		await build.step(step, "passed");
	}
	await build.send({ build: { status: "passed" } });
	await page.goto(`${build.url}#a`);
	const everywhere = page.getByRole("button", { name: "Search the logs of all steps" });
	await field(page).fill("needle");
	await expect(matchCount(page)).toHaveText("No matches");
	await everywhere.click();
	await expect(matchCount(page)).toHaveText("4 lines");
	await expect(log(page).locator("h2")).toHaveText("a");
	await expect(page).toHaveURL(/#a$/);
	await field(page).press("Enter");
	await expect(matchCount(page)).toHaveText("1 of 4");
	await expect(page).toHaveURL(/#b:L301$/);
	await expectCentred(page, 301);

	// The address and the mark go along, and back to the log of before.
	const marked = log(page).locator(".line.selected");
	await field(page).press("Enter");
	await expect(matchCount(page)).toHaveText("2 of 4");
	await expect(page).toHaveURL(/#b:L601$/);
	await expect(marked).toHaveAttribute("data-line", "601");
	await field(page).press("Enter");
	await expect(matchCount(page)).toHaveText("3 of 4");
	await expect(page).toHaveURL(/#c:L301$/);
	await page.goBack();
	await expect(marked).toHaveAttribute("data-line", "601");

	// Enter does not have to wait for the answer.
	await page.goto(`${build.url}#a`);
	await expect(log(page).locator("h2")).toHaveText("a");
	await field(page).fill("");
	await field(page).fill("needle");
	await field(page).press("Enter");
	await expect(matchCount(page)).toHaveText("1 of 4");
	await expect(page).toHaveURL(/#b:L301$/);

	const context = await browser.newContext({
		viewport: { width: 390, height: 844 },
		hasTouch: true,
		isMobile: true,
	});
	const phone = await context.newPage();
	await phone.goto(`${build.url}#a`);
	await field(phone).fill("needle");
	await expect(matchCount(phone)).toHaveText("No matches");
	await phone.getByText("More", { exact: true }).tap();
	await phone.getByRole("button", { name: "Search the logs of all steps" }).tap();
	await expect(matchCount(phone)).toHaveText("4 lines");
	await field(phone).press("Enter");
	await expect(matchCount(phone)).toHaveText("1 of 4");
	await expect(line(phone, 301)).toHaveClass(/current/);
	await expect(region(phone)).toBeFocused();
	await context.close();
});

test("a search goes on while the log grows, and leaves who reads where they are", async ({
	page,
	server,
}) => {
	const build = await written(server, `${numbered(1, 500)}needle\n`, undefined);
	await page.goto(build.url);
	await expect(line(page, 501)).toBeInViewport();
	await field(page).fill("needle");
	await expect(matchCount(page)).toHaveText("1 of 1");
	await build.log("s", `${numbered(502, 600)}needle\n${numbered(602, 700)}`);
	await expect(matchCount(page)).toHaveText("1 of 2");
	await field(page).fill("haystack");
	await expect(matchCount(page)).toHaveText("No matches");
	await region(page).focus();
	await page.keyboard.press("End");
	await expect(line(page, 700)).toBeInViewport();
	await build.log("s", `haystack\n${numbered(702, 900)}`);
	await expect(matchCount(page)).toHaveText("1 line");
	await expect(line(page, 900)).toBeInViewport();
	await page.keyboard.press("n");
	await expect(matchCount(page)).toHaveText("1 of 1");
	await expect(line(page, 701)).toBeInViewport();
	await build.finish("s");
});

test("Ctrl+F in a log is its search, and once more the browser's", async ({ page, server }) => {
	const build = await written(server, numbered(1, 50), "passed");
	await page.goto(build.url);
	await expect(line(page, 1)).toBeVisible();
	await page.evaluate(() => {
		const heard: boolean[] = [];
		addEventListener("keydown", (event) => {
			if (event.key === "f") setTimeout(() => heard.push(event.defaultPrevented));
		});
		Object.assign(globalThis, { heard });
	});
	const heard = () => page.evaluate(() => (globalThis as unknown as { heard: boolean[] }).heard);
	// For whoever has just come, and for whoever is in the log.
	await page.keyboard.press("Control+f");
	await expect(field(page)).toBeFocused();
	await expect.poll(heard).toEqual([true]);
	await page.keyboard.press("Control+f");
	await expect.poll(heard).toEqual([true, false]);
	await region(page).focus();
	await page.keyboard.press("Control+f");
	await expect(field(page)).toBeFocused();
	await expect.poll(heard).toEqual([true, false, true]);
	// In the list of steps it is the browser's.
	await page.locator("stepcast-tree a").first().focus();
	await page.keyboard.press("Control+f");
	await expect.poll(heard).toEqual([true, false, true, false]);
});

test("a search begins where its reader is, however many matches come before", async ({
	page,
	server,
}) => {
	const build = await written(server, numbered(1, 9_000), "passed");
	await page.goto(`${build.url}#s:L8500`);
	await expect(line(page, 8_500)).toBeInViewport();
	await page.keyboard.press("/");
	await page.keyboard.type("line");
	await expect(log(page).locator("log-search [role=status]")).toHaveText(/^8,\d{3} of 9,000$/);
	await expect(line(page, 8_500)).toBeInViewport();
});
