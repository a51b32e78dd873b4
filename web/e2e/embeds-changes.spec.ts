import type { Page } from "@playwright/test";
import { Relay } from "./relay.ts";
import { Site } from "./site.ts";
import { test as base, connectionErrors, expect, type Reporter, type Server } from "./stepcast.ts";

/** Widgets on a page of another origin whose scripts change them, as those of frameworks do. */
const test = base.extend<{ relay: Relay; show: (body: string) => Promise<void> }>({
	relay: async ({ server }, use) => {
		const relay = await new Relay(() => server.url).start();
		await use(relay);
		relay.close();
	},
	show: async ({ page, relay }, use) => {
		const site = await new Site().start();
		site.policy = `default-src 'none'; script-src ${relay.url}; connect-src ${relay.url}`;
		await use(async (body) => {
			site.body = `<script async src="${relay.url}/widgets.js"></script>${body}`;
			await page.goto(site.url);
		});
		site.close();
	},
});

/** Lets anybody see a project, or nobody; a build is seen by all a moment later. */
async function set(
	server: Server,
	visibility: "public" | "private",
	project: string,
	build?: Reporter,
): Promise<void> {
	await server.send("PATCH", `/api/v1/projects/${project}`, { visibility });
	const headers = { Origin: "http://portal.example" };
	const seen = async () =>
		(await fetch(`${server.url}/api/v1/builds/${build?.id}`, { headers })).status;
	if (build) await expect.poll(seen).toBe(200);
}

/** Sets attributes of an element, all at once. */
function change(page: Page, element: string, attributes: Record<string, string>): Promise<void> {
	return page.locator(element).evaluate((e, attributes) => {
		for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
	}, attributes);
}

/** Takes an element out of the page, and answers with what puts it back. */
async function takeOut(page: Page, element: string): Promise<() => Promise<void>> {
	const taken = await page.locator(element).evaluateHandle((e) => {
		e.remove();
		return e;
	});
	return () => taken.evaluate((e) => document.body.append(e));
}

const lines = (page: Page) => page.locator("stepcast-log .line > .text");

test("an element that is given another project shows nothing of the one before", async ({
	page,
	server,
	show,
}) => {
	const [old, other] = ["changes/old", "changes/other"] as const;
	await server.build({ project: old, title: "First" });
	const second = await server.build({ project: old, title: "Second", steps: [{ key: "s" }] });
	await second.step("s", "running");
	await second.log("s", "of the old\n");
	await server.build({ project: other, title: "Other", steps: [{ key: "s" }] });
	for (const project of [old, other]) await set(server, "public", project);
	await show(`<stepcast-status project="${old}"></stepcast-status>
		<stepcast-steps project="${old}"></stepcast-steps><stepcast-log project="${old}"></stepcast-log>`);
	await expect(page.locator("stepcast-status")).toContainText("#2");
	await expect(page.locator("stepcast-steps")).toContainText("Second");
	await expect(lines(page)).toHaveText(["of the old"]);
	for (const element of ["status", "steps", "log"]) {
		await change(page, `stepcast-${element}`, { project: other });
	}
	await expect(page.locator("stepcast-status")).toContainText("changes/other #1");
	await expect(page.locator("stepcast-steps")).toContainText("Other");
	await expect(page.locator("stepcast-log .foot")).toHaveText("Not started yet.");
	await expect(lines(page)).toHaveCount(0);
	for (const element of ["status", "steps", "log"]) {
		await change(page, `stepcast-${element}`, { project: "changes/none" });
	}
	await expect(page.locator("stepcast-status")).toContainText("unknown changes/none");
	await expect(page.locator("stepcast-steps .head, stepcast-log .head")).toHaveCount(0);
});

test("what no server takes is refused alone", async ({ page, server, show }) => {
	const project = "changes/taken";
	const build = await server.build({ project, steps: [{ key: "s" }] });
	await build.step("s", "running");
	await build.log("s", "one\ntwo\nthree\n");
	await set(server, "public", project, build);
	const long = "x".repeat(201);
	await show(`<stepcast-status id="ok" project="${project}"></stepcast-status>
		<stepcast-steps build="${build.id}"></stepcast-steps>
		<stepcast-log id="log" build="${build.id}" lines="1.5"></stepcast-log>
		<stepcast-log class="all" build="${build.id}" lines="-2"></stepcast-log>
		${["../s", "a b", long].map((step) => `<stepcast-log class="wrong" build="${build.id}" step="${step}"></stepcast-log>`).join("")}
		${[long, "a/b/c/d/*"].map((one) => `<stepcast-board class="wrong" projects="${one}"></stepcast-board>`).join("")}`);
	await expect(page.locator("#ok")).toContainText("running");
	await expect(page.locator("stepcast-steps")).toContainText("running");
	await expect(page.locator("#log .text")).toHaveText(["three"]);
	await expect(page.locator(".all .text")).toHaveText(["one", "two", "three"]);
	for (const wrong of await page.locator(".wrong").all()) {
		await expect(wrong).toContainText("unknown");
	}
});

test("a log that was away while more came than it shows has no gap", async ({
	page,
	server,
	show,
	relay,
}) => {
	const project = "changes/away";
	const build = await server.build({ project, steps: [{ key: "s" }] });
	await build.step("s", "running");
	await build.log("s", "1\nhalf");
	await set(server, "public", project, build);
	await show(`<stepcast-log build="${build.id}" lines="3"></stepcast-log>`);
	await expect(lines(page)).toHaveText(["1", "half"]);
	const putBack = await takeOut(page, "stepcast-log");
	await expect.poll(() => relay.streams.length).toBe(0);
	for (let line = 3; line < 10; line++) await build.log("s", `\n${line}`);
	await putBack();
	await expect(lines(page)).toHaveText(["7", "8", "9"]);
	await build.log("s", "9\n10");
	await expect(lines(page)).toHaveText(["7", "8", "99", "10"]);
});

test("what is shown stays while the feed begins anew", async ({ page, server, relay, show }) => {
	const project = "changes/anew";
	const build = await server.build({ project, steps: [{ key: "s" }] });
	await build.step("s", "running");
	await build.log("s", "one\n");
	await set(server, "public", project, build);
	await show(`<stepcast-steps project="${project}"></stepcast-steps>
		<stepcast-log project="${project}"></stepcast-log>`);
	await expect(lines(page)).toHaveText(["one"]);
	const late: (() => void)[] = [];
	relay.answer = () => ({ late: (goOn) => late.push(goOn) });
	relay.say('event: reset\ndata: {"log":"feed","reason":"access"}\n\n', false);
	await build.log("s", "two\n");
	await expect(lines(page)).toHaveText(["one", "two"]);
	await change(page, "stepcast-steps", { view: "waterfall" });
	await change(page, "stepcast-log", { lines: "30" });
	await expect.poll(() => late.length).toBe(1);
	await expect(page.locator(".head")).toHaveCount(2);
	relay.answer = () => "pass";
	for (const goOn of late) goOn();
	await server.build({ project, title: "Next" });
	await expect(page.locator("stepcast-steps .head")).toContainText("Next");
});

test("a log that was refused has all its lines when it is seen again", async ({
	page,
	server,
	show,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const project = "changes/refused";
	const build = await server.build({ project, steps: [{ key: "s" }] });
	await build.step("s", "running");
	await build.log("s", "1\n2\n");
	await set(server, "public", project, build);
	await show(`<stepcast-log build="${build.id}" step="s"></stepcast-log>`);
	await expect(lines(page)).toHaveText(["1", "2"]);
	await set(server, "private", project);
	await expect(page.locator("stepcast-log")).toContainText("unknown");
	await set(server, "public", project, build);
	await change(page, "stepcast-log", { lines: "30" });
	await expect(lines(page)).toHaveText(["1", "2"]);
});

test("a step without output is said to have none, whatever was shown before", async ({
	page,
	server,
	show,
}) => {
	const project = "changes/steps";
	const build = await server.build({ project, steps: [{ key: "a" }, { key: "b" }] });
	for (const key of ["a", "b"]) await build.step(key, "running");
	await build.log("a", "of a\n");
	await set(server, "public", project, build);
	await show(`<stepcast-log build="${build.id}" step="a"></stepcast-log>`);
	await expect(lines(page)).toHaveText(["of a"]);
	await change(page, "stepcast-log", { step: "b" });
	await expect(lines(page)).toHaveCount(0);
	await expect(page.locator("stepcast-log .foot")).toHaveText("No output yet.");
	await change(page, "stepcast-log", { step: "a" });
	await expect(lines(page)).toHaveText(["of a"]);
});

test("a project that is named twice is shown once", async ({ page, server, show }) => {
	const project = "changes/twice";
	await server.build({ project, status: "running" });
	await set(server, "public", project);
	await show(`<stepcast-board projects="changes/none ${project} changes/none"></stepcast-board>`);
	await expect(page.locator("stepcast-board li")).toHaveCount(2);
	await server.build({ project, branch: "other", status: "running" });
	await expect(page.locator("stepcast-board li")).toHaveCount(3);
	// In the singular too: else it would be a board of all there are.
	await show(`<stepcast-board project="${project}" branch="other"></stepcast-board>`);
	await expect(page.locator("stepcast-board li")).toHaveText(/other/);
});

test("a branch that is broken is a problem also while its next build runs", async ({
	page,
	server,
	show,
}) => {
	const project = "changes/broken";
	const first = await server.build({ project, status: "running" });
	await first.send({ build: { status: "failed" } });
	const second = await server.build({ project, status: "running" });
	await set(server, "public", project);
	await show(`<stepcast-board project="${project}" mode="problems"></stepcast-board>`);
	await expect(page.locator("stepcast-tile")).toContainText("running");
	await second.send({ build: { status: "passed" } });
	await expect(page.locator("stepcast-board .calm")).toHaveText(/No problems, 1 watched/);
	const third = await server.build({ project, status: "running" });
	await third.send({ build: { status: "failed" } });
	await expect(page.locator("stepcast-tile")).toContainText("failed");
	await server.build({ project, status: "running" });
	await expect(page.locator("stepcast-tile")).toContainText("running");
});

test("a page that is not in view is told what happens", async ({ page, server, show }) => {
	const project = "changes/hidden";
	const build = await server.build({ project, status: "running" });
	await build.send({ build: { status: "passed" } });
	await set(server, "public", project, build);
	// As in a tab behind another one.
	await page.addInitScript(() => {
		Object.defineProperty(globalThis, "requestAnimationFrame", { value: () => 1 });
		addEventListener("stepcast-change", (event) => {
			const { build } = (event as CustomEvent<{ build: { number: number; status: string } }>)
				.detail;
			document.title = `#${build.number} ${build.status}`;
		});
	});
	await show(`<stepcast-steps project="${project}"></stepcast-steps>`);
	await expect(page).toHaveTitle("#1 passed");
	const next = await server.build({ project });
	await expect(page).toHaveTitle("#2 queued");
	await next.send({ build: { status: "failed" } });
	await expect(page).toHaveTitle("#2 failed");
});

test("a theme that is taken away, or is none, is that of the page", async ({
	page,
	server,
	show,
}) => {
	const project = "changes/theme";
	await server.build({ project, status: "running" });
	await set(server, "public", project);
	await show(`<stepcast-status project="${project}" theme="dark"></stepcast-status>`);
	const frame = page.locator("stepcast-status .frame");
	await expect(frame).toHaveClass(/dark/);
	await page.locator("stepcast-status").evaluate((e) => e.removeAttribute("theme"));
	await expect(frame).toHaveClass(/light/);
	await change(page, "stepcast-status", { theme: "stale" });
	await expect(frame).toHaveClass(/light/);
	await expect(frame).not.toHaveClass(/stale/);
});

test("of a project that nobody may see any more, steps and log are unknown", async ({
	page,
	server,
	show,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const project = "changes/closed";
	const build = await server.build({ project, steps: [{ key: "s" }] });
	await build.step("s", "running");
	await build.log("s", "seen\n");
	await set(server, "public", project, build);
	await show(`<stepcast-steps project="${project}"></stepcast-steps><stepcast-log project="${project}"></stepcast-log>
		<stepcast-steps id="none" project="changes/none"></stepcast-steps>`);
	await expect(lines(page)).toHaveText(["seen"]);
	await expect(page.locator("#none .frame")).toHaveText("? unknown");
	await set(server, "private", project);
	for (const element of ["stepcast-steps:not(#none)", "stepcast-log"]) {
		await expect(page.locator(element).locator(".frame")).toHaveText("? unknown");
	}
	await set(server, "public", project, build);
	await expect(lines(page)).toHaveText(["seen"]);
});
