import type { Locator, Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { Site } from "./site.ts";
import { test as base, expect, type Reporter, type Server } from "./stepcast.ts";

const test = base.extend<{ site: Site }>({
	// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
	site: async ({}, use) => {
		const site = await new Site().start();
		await use(site);
		site.close();
	},
});

const project = "gallery/api";
const branch = 'feature/"x" & <b>';
let build: Reporter;

test.beforeAll(async ({ server }) => {
	await server.build({ project, branch: "main", status: "running" });
	await server.build({ project: "gallery/web", branch: "main", status: "passed" });
	await server.build({ project: "gallery/secret", branch: "main", status: "running" });
	build = await server.build({ project, branch, title: "Quotes", steps: [{ key: "test/linux" }] });
	await build.step("test/linux", "running");
	await build.log("test/linux", "one line of output\n");
	for (const name of [project, "gallery/web"]) await publish(server, name);
});

function publish(server: Server, name: string): Promise<unknown> {
	return server.send("PATCH", `/api/v1/projects/${name}`, { visibility: "public" });
}

const card = (page: Page, id: string): Locator => page.locator(`embed-card#${id}`);
const choice = (page: Page, name: string): Locator => page.locator(`select[name=${name}]`);

/** The text to copy. */
async function text(page: Page, id: string): Promise<string> {
	return (await card(page, id).getByRole("region", { name: "text to copy" }).textContent()) ?? "";
}

/** The policy that the gallery names for all of them, on one line as in a header. */
async function named(page: Page): Promise<string> {
	const lines = (await page.locator("#policy pre").textContent()) ?? "";
	return `default-src 'none'; require-trusted-types-for 'script'; ${lines.replaceAll("\n", " ")}`;
}

test("previews are live, and follow what is chosen, which is in the address", async ({
	page,
	server,
}) => {
	await page.goto(`${server.url}/embed`);
	await choice(page, "project").selectOption(project);
	await choice(page, "branch").selectOption(branch);
	await expect(page).toHaveURL(/\?project=gallery%2Fapi&branch=feature/);
	for (const id of ["status", "board", "iframe"]) {
		await expect(
			id === "iframe"
				? page.frameLocator("iframe").getByText("running").first()
				: card(page, id).getByText("running").first(),
		).toBeVisible();
	}
	await expect(card(page, "shields")).toContainText('"schemaVersion":1');
	await expect(card(page, "cctray")).toContainText("<Projects>");
	await expect(card(page, "oembed")).toContainText('"type":"rich"');
	await expect(card(page, "atom")).toContainText("<feed");
	const picture = () =>
		card(page, "badge")
			.locator("img")
			.evaluate(async (image: HTMLImageElement) => (await fetch(image.src)).text());
	expect(await picture()).toContain("running");
	const other = await server.build({ project, branch, status: "running" });
	await other.send({ build: { status: "failed" } });
	await expect(card(page, "status").getByText("failed")).toBeVisible();
	// What is not live by itself is asked for again.
	await expect(card(page, "shields")).toContainText("failed");
	await page.reload();
	await expect(choice(page, "branch")).toHaveValue(branch);
	await expect(card(page, "status").getByText("failed")).toBeVisible();
});

test("the main branch is chosen where the address names none, and any only by who chooses it", async ({
	page,
	server,
}) => {
	await page.goto(`${server.url}/embed?project=${project}`);
	await expect(choice(page, "branch")).toHaveValue("main");
	expect(await text(page, "badge")).toContain("branch=main");
	await choice(page, "branch").selectOption("");
	await choice(page, "theme").selectOption("dark");
	await page.reload();
	await expect(choice(page, "project")).toHaveValue(project);
	await expect(choice(page, "branch").locator("option")).toHaveCount(3);
	await expect(choice(page, "branch")).toHaveValue("");
	expect(await text(page, "badge")).not.toContain("branch=");
	const before = await page.evaluate(() => history.length);
	await choice(page, "project").selectOption("gallery/web");
	await expect(choice(page, "branch")).toHaveValue("main");
	await expect(page.frameLocator("iframe").getByText("passed").first()).toBeVisible();
	// The frame's other address is no step back, nor a sign to whoever opened the page.
	expect(await page.evaluate(() => history.length)).toBe(before);
});

test("its header leads to the settings and out, and from there back to what was chosen", async ({
	page,
	server,
}) => {
	await page.goto(`${server.url}/sign-in?back=/embed?project=gallery/secret`);
	await page.getByLabel("Token", { exact: true }).fill(server.token);
	await page.getByRole("button", { name: "Sign in with the token" }).click();
	await expect(page.getByText("gallery/secret is private")).toBeVisible();
	await expect(page.getByRole("link", { name: "on a page" })).toHaveAttribute(
		"href",
		"/settings/tokens",
	);
	await expect(page.getByRole("banner").getByRole("link", { name: "Settings" })).toHaveAttribute(
		"href",
		"/settings",
	);
	await page.setViewportSize({ width: 320, height: 640 });
	expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
	expect(await violations(page)).toEqual([]);
	await page.screenshot({ path: "test-results/gallery-header.png" });
	await choice(page, "theme").selectOption("dark");
	const here = page.url();
	await page.getByRole("link", { name: "Sign out" }).click();
	await expect(page).toHaveURL(
		`${server.url}/sign-in?back=${encodeURIComponent(here.slice(server.url.length))}`,
	);
});

test("a build's page and the list of its project lead to their embeds", async ({
	page,
	server,
}) => {
	await page.goto(`${server.url}/?project=${project}`);
	await page.getByRole("link", { name: "Embed" }).click();
	await expect(choice(page, "project")).toHaveValue(project);
	await page.goto(build.url);
	await page.getByRole("link", { name: "Embed" }).click();
	await expect(page).toHaveURL(`${server.url}/embed?build=${build.id}`);
	await expect(choice(page, "project")).toHaveValue(project);
	await expect(choice(page, "build")).toHaveValue(build.id);
	expect(await text(page, "steps")).toContain(`<stepcast-steps build="${build.id}">`);
	await choice(page, "step").selectOption("test/linux");
	expect(await text(page, "log")).toContain('step="test/linux"');
});

/** What a person sees when an embed works; for what is a picture, that it is there. */
const works: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
	badge: (page) =>
		expect
			.poll(() => page.locator("img").evaluate((image: HTMLImageElement) => image.naturalWidth))
			.toBeGreaterThan(50),
	status: (page) => expect(page.locator("stepcast-status").getByText("running")).toBeVisible(),
	board: (page) =>
		expect(page.locator("stepcast-board").getByText("running").first()).toBeVisible(),
	steps: (page) => expect(page.locator("stepcast-steps").getByText("linux").first()).toBeVisible(),
	log: (page) => expect(page.locator("stepcast-log").getByText("one line of output")).toBeVisible(),
	iframe: async (page) => {
		await expect(page.frameLocator("iframe").getByText("running").first()).toBeVisible();
		const frame = page.frames()[1];
		const inside = async () =>
			(await frame?.evaluate(() => document.body.getBoundingClientRect().height)) ?? 0;
		const around = async () => (await page.locator("iframe").boundingBox())?.height ?? 0;
		await expect.poll(async () => (await around()) - Math.ceil(await inside())).toBe(0);
	},
	atom: async (page) => {
		const feed = await page.locator("link").getAttribute("href");
		expect(await (await fetch(feed ?? "")).text()).toContain("<feed");
	},
};

test("what the gallery gives works on a page of another origin, under the policy that it names", async ({
	page,
	server,
	site,
}) => {
	const fresh = await server.build({ project, branch, steps: [{ key: "test/linux" }] });
	await fresh.step("test/linux", "running");
	await fresh.log("test/linux", "one line of output\n");
	const query = new URLSearchParams({ project, branch });
	await page.goto(`${server.url}/embed?${query}`);
	await expect(card(page, "status").getByText("running")).toBeVisible();
	const policy = await named(page);
	const given = new Map<string, string>();
	for (const id of Object.keys(works)) given.set(id, await text(page, id));
	for (const frame of ["board", "steps", "log"]) {
		await choice(page, "frame").selectOption(frame);
		given.set(`iframe ${frame}`, await text(page, "iframe"));
	}
	site.policy = policy;
	for (const [name, body] of given) {
		await test.step(name, async () => {
			site.body = body;
			await page.goto(site.url);
			await works[name.split(" ")[0] ?? ""]?.(page);
		});
	}
	expect(await (await fetch(await addressOf(page, server, "cctray"))).text()).toContain(project);
});

async function addressOf(page: Page, server: Server, id: string): Promise<string> {
	await page.goto(`${server.url}/embed?${new URLSearchParams({ project })}`);
	return text(page, id);
}

test("a private project's embeds work with a status token, which nobody puts there but the reader", async ({
	page,
	server,
	site,
}) => {
	const { token } = await server.post("/api/v1/tokens", {
		name: "portal",
		project: "gallery/*",
		scopes: ["status"],
	});
	await page.goto(`${server.url}/embed?project=${project}`);
	await expect(card(page, "board")).toContainText("shows the public projects of gallery/*");
	await page.goto(`${server.url}/embed?project=gallery/secret&token=${token}`);
	await expect(page.getByText("gallery/secret is private")).toBeVisible();
	await expect(page.getByText("public to whoever may read that page")).toBeVisible();
	await expect(card(page, "status").getByText("running")).toBeVisible();
	const policy = await named(page);
	site.policy = policy;
	const given: string[] = [];
	for (const id of ["badge", "status", "board", "iframe"]) given.push(await text(page, id));
	expect(given.join()).not.toContain(token);
	for (const [i, id] of ["badge", "status", "board", "iframe"].entries()) {
		await test.step(id, async () => {
			site.body = (given[i] ?? "").replace("STATUS_TOKEN", String(token));
			await page.goto(site.url);
			await works[id]?.(page);
		});
	}
});

test("a text is copied in each format, and the format stays chosen", async ({
	page,
	server,
	context,
}) => {
	await context.grantPermissions(["clipboard-read", "clipboard-write"]);
	await page.goto(`${server.url}/embed?project=${project}`);
	for (const [id, format, beginning] of [
		["badge", "Markdown", "[!["],
		["shields", "AsciiDoc", "image:"],
		["atom", "HTML", "<link "],
	] as const) {
		await card(page, id).getByRole("button", { name: format }).click();
		await card(page, id).getByRole("button", { name: "Copy" }).click();
		await expect
			.poll(() => page.evaluate(() => navigator.clipboard.readText()))
			.toContain(beginning);
	}
	await card(page, "status").getByRole("button", { name: "AsciiDoc" }).click();
	await expect(page).toHaveURL(/format=asciidoc/);
	expect(await text(page, "badge")).toMatch(/^image:/);
});

test("the gallery is accessible, narrow and wide, light and dark", async ({ page, server }) => {
	for (const colorScheme of ["light", "dark"] as const) {
		for (const width of [320, 768, 1440]) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 800 });
			await page.goto(`${server.url}/embed?project=gallery/secret&host=hostile`);
			await expect(card(page, "status").getByText("running")).toBeVisible();
			expect(await violations(page), `${colorScheme}, ${width}`).toEqual([]);
		}
	}
});

test("without JavaScript there is the reference", async ({ browser, server }) => {
	const page = await browser.newPage({ javaScriptEnabled: false });
	await page.goto(`${server.url}/embed`);
	await expect(page.getByRole("heading", { name: "Reference" })).toBeVisible();
	await expect(page.getByRole("table", { name: "Attributes" }).first()).toBeVisible();
	await page.close();
});

test("it begins with the project that was active last", async ({ page, server }) => {
	await server.build({ project: "gallery/web", branch: "main", status: "passed" });
	await page.goto(`${server.url}/embed`);
	await expect(choice(page, "project")).toHaveValue("gallery/web");
	expect(await text(page, "badge")).toContain("gallery/web");
});
