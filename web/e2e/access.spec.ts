import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContext, Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { foreign, texts, trap } from "./hostile.ts";
import { Relay } from "./relay.ts";
import { test as base, connectionErrors, expect, log, type Reporter, Server } from "./stepcast.ts";

/**
 * An empty page of another origin, which browsers count as the same site: only its port differs. And a
 * server where readers have to sign in.
 */
const test = base.extend<{ elsewhere: string }, { closed: Server }>({
	closed: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
		async ({}, use) => {
			const closed = new Server(["--sign-in"]);
			await closed.start();
			await use(closed);
			await closed.remove();
		},
		{ scope: "worker", timeout: 60_000 },
	],
	// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
	elsewhere: async ({}, use) => {
		const host = createServer((_, response) => {
			response.setHeader("Content-Type", "text/html");
			response.end("<!doctype html><title>portal</title>");
		});
		await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
		await use(`http://127.0.0.1:${(host.address() as AddressInfo).port}/`);
		host.close();
	},
});

test.beforeEach(({ complaints }) => {
	complaints.expected = [...connectionErrors, /has been blocked by CORS policy/];
});

/** The status and the text of an answer, as a script in the page gets them; neither if it gets nothing. */
function ask(page: Page, url: string, init: RequestInit = {}): Promise<[number, string]> {
	return page.evaluate(
		async ([url, init]) => {
			try {
				const answer = await fetch(url, init);
				return [answer.status, await answer.text()] as [number, string];
			} catch {
				return [0, ""] as [number, string];
			}
		},
		[url, init] as const,
	);
}

async function statusToken(
	server: Server,
	project: string,
): Promise<{ token: string; id: string }> {
	const made = await server.post("/api/v1/tokens", { project, scopes: ["status"] });
	return { token: made.token as string, id: made.id as string };
}

function administer(
	server: Server,
	method: string,
	path: string,
	body?: unknown,
): Promise<Response> {
	return fetch(server.url + path, {
		method,
		headers: { Authorization: `Bearer ${server.token}`, "Content-Type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
}

async function finished(server: Server, project: string, text: string): Promise<Reporter> {
	const build = await server.build({ project });
	await build.step("test", "running");
	await build.log("test", text);
	await build.finish("test");
	return build;
}

test("a page of another site reads what is public, by any way, and writes nothing", async ({
	page,
	server,
	elsewhere,
}) => {
	const open = await finished(server, "strangers/open", "in the open\n");
	const closed = await finished(server, "strangers/closed", "a secret\n");
	await administer(server, "PATCH", "/api/v1/projects/strangers/open", { visibility: "public" });
	const { token } = await statusToken(server, "strangers/*");
	const api = `${server.url}/api/v1`;
	const bearer = { headers: { Authorization: `Bearer ${token}` } };
	await page.goto(elsewhere);

	await expect.poll(() => ask(page, `${api}/builds/${open.id}`)).toEqual([200, expect.any(String)]);
	expect(await ask(page, `${api}/builds/latest?project=strangers/open`)).toEqual([
		200,
		expect.stringContaining(open.id),
	]);
	expect(await ask(page, `${api}/builds/${open.id}/steps/test/log`)).toEqual([
		200,
		"in the open\n",
	]);
	expect(await ask(page, `${api}/builds/${closed.id}`)).toEqual([404, expect.any(String)]);
	expect(await ask(page, `${api}/builds/${closed.id}`, bearer)).toEqual([200, expect.any(String)]);
	expect(await ask(page, `${api}/builds/${closed.id}/steps/test/log`, bearer)).toEqual([
		403,
		expect.stringContaining("token-scope"),
	]);
	expect(await ask(page, `${api}/builds?project=strangers/*&token=${token}`)).toEqual([
		200,
		expect.stringContaining(closed.id),
	]);
	expect(await ask(page, `${api}/builds?token=stp_1`)).toEqual([401, expect.any(String)]);
	for (const [path, init] of [
		["/", {}],
		[`/builds/${open.id}`, {}],
		["/plain", {}],
		["/api/v1/tokens", bearer],
		["/api/v1/tokens", { method: "POST", body: "{}", ...bearer }],
		["/api/v1/builds", { method: "POST", body: '{"project":"x"}', mode: "no-cors" }],
	] as const) {
		expect(await ask(page, server.url + path, init), path).toEqual([0, ""]);
	}
	expect((await (await fetch(`${api}/builds?project=x`)).json()).builds).toEqual([]);
});

test("what the server's own page keeps in the browser is not for a page of another site", async ({
	page,
	context,
	server,
	elsewhere,
}) => {
	const build = await finished(server, "strangers/kept", "a secret\n");
	const log = `${server.url}/api/v1/builds/${build.id}/steps/test/log`;
	await page.goto(`${server.url}/wall`);
	// An answer is kept for those who ask in the same way.
	const mode = "same-origin";
	expect(await ask(page, log, { mode })).toEqual([200, "a secret\n"]);
	expect(await ask(page, log, { mode, cache: "only-if-cached" })).toEqual([200, "a secret\n"]);
	const other = await context.newPage();
	await other.goto(elsewhere);
	for (const cache of ["force-cache", "default", "no-cache"] as const) {
		expect(await ask(other, log, { cache })).toEqual([404, expect.any(String)]);
	}
});

test("an EventSource of another site sees a token end, and what is public change", async ({
	page,
	server,
	elsewhere,
}) => {
	const mine = await server.build({ project: "sight/mine" });
	await server.build({ project: "sight/other" });
	const { token, id } = await statusToken(server, "sight/mine");
	await page.goto(elsewhere);
	await page.evaluate((url) => {
		const source = new EventSource(url);
		const seen: string[] = [];
		for (const kind of ["snapshot", "reset", "build", "live"]) {
			source.addEventListener(kind, (event) => {
				const projects = [...event.data.matchAll(/"project":"sight\/(\w+)"/g)].map((m) => m[1]);
				seen.push([kind, ...projects.sort()].join(" "));
			});
		}
		Object.assign(window, { source, seen });
	}, `${server.url}/api/v1/events?project=sight/*&token=${token}`);
	const seen = () => page.evaluate(() => (window as unknown as { seen: string[] }).seen);
	await expect.poll(seen).toEqual(["snapshot mine", "live"]);

	await administer(server, "PATCH", "/api/v1/projects/sight/other", { visibility: "public" });
	const again = ["reset", "snapshot mine other", "live"];
	await expect.poll(seen).toEqual(["snapshot mine", "live", ...again]);
	await mine.send({ build: { title: "seen" } });
	await expect.poll(seen).toEqual(["snapshot mine", "live", ...again, "build mine"]);

	await administer(server, "DELETE", `/api/v1/tokens/${id}`);
	const state = () =>
		page.evaluate(() => (window as unknown as { source: EventSource }).source.readyState);
	await expect.poll(state).toBe(2); // closed for good: the answer to its next request was 401
});

const state = "stream-state [role=status]";

/** Signs in by the form, from whichever page a link to it is on; without a link, from its address. */
async function signIn(page: Page, token: string): Promise<void> {
	await page.getByLabel("Token", { exact: true }).fill(token);
	await page.getByRole("button", { name: "Sign in with the token" }).click();
}

function makeToken(server: Server, project: string, ...scopes: string[]) {
	return server.post("/api/v1/tokens", { project, scopes, name: `for ${project}` }) as Promise<{
		token: string;
		id: string;
	}>;
}

/** Nothing is wrong with a page where it is hardest, narrow and dark. */
async function fine(page: Page): Promise<void> {
	const size = page.viewportSize();
	await page.emulateMedia({ colorScheme: "dark" });
	await page.setViewportSize({ width: 320, height: 800 });
	expect(await violations(page), page.url()).toEqual([]);
	await page.emulateMedia({ colorScheme: null });
	if (size) await page.setViewportSize(size);
}

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
	for (let i = 0; i < 60; i++) {
		await page.keyboard.press("Tab");
		const focused = await page.evaluate(() => {
			let element = document.activeElement;
			while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
			const labels = (element as HTMLInputElement | null)?.labels ?? [];
			return [...labels, element].map((one) => one?.textContent?.trim().replace(/\s+/g, " "));
		});
		if (focused.includes(name)) return;
	}
	throw new Error(`Tab does not lead to ${name}`);
}

test("from a pasted token to a public project and back, with the keyboard alone", async ({
	page,
	context,
	closed,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await finished(closed, "keys/api", "a secret\n");
	const press = (...keys: string[]) =>
		keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
	await page.goto(closed.url);
	await expect(page.getByText("There is no build here that you may see.")).toBeVisible();
	await tabTo(page, "Sign in");
	await press("Enter");
	await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
	await fine(page);

	const field = page.getByLabel("Token", { exact: true });
	await expect(field).toBeFocused();
	await page.keyboard.type("stp_123");
	await press("Enter");
	await expect(field).toBeFocused();
	await expect(field).toHaveValue("");
	await expect(field).toHaveAccessibleDescription(/not copied whole/);
	await fine(page);
	await page.keyboard.type(closed.token);
	await press("Enter");
	await expect(page).toHaveURL(`${closed.url}/`);
	await expect(page.getByText("keys/api #1")).toBeVisible();

	await press("Control+k");
	await page.keyboard.type("settings");
	await press("Enter");
	await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
	await fine(page);
	await tabTo(page, "keys/api");
	await press("Enter");
	await expect(page.getByRole("heading", { name: "keys/api" })).toBeVisible();
	await fine(page);

	const stranger = await (await context.browser())?.newContext();
	if (!stranger) throw new Error("there is no browser");
	const seen = async () =>
		(await stranger.request.get(`${closed.url}/api/v1/builds/${build.id}`)).status();
	await tabTo(page, "Private");
	await press("ArrowDown");
	await tabTo(page, "Save the visibility");
	await press("Enter");
	await expect(page.getByRole("heading", { name: "Make keys/api public?" })).toBeVisible();
	await fine(page);
	expect(await seen()).toBe(404);
	await tabTo(page, "Make it public");
	await press("Enter");
	await expect(page.getByRole("status")).toHaveText("✓ The project is public.");
	expect(await seen()).toBe(200);
	await page.reload(); // sends nothing again
	await tabTo(page, "Public");
	await press("ArrowUp");
	await tabTo(page, "Save the visibility");
	await press("Enter");
	await expect(page.getByRole("status")).toHaveText("✓ The project is private.");
	expect(await seen()).toBe(404);
	await stranger.close();

	await tabTo(page, "Sign out");
	await press("Enter");
	await expect(page.getByRole("heading", { name: "You are signed in" })).toBeVisible();
	await tabTo(page, "Sign out everywhere");
	await press("Enter");
	await expect(page.getByRole("status")).toHaveText("✓ You are signed out.");
	await page.goto(`${closed.url}/settings/projects/keys/api`);
	await expect(page).toHaveURL(/\/sign-in\?back=%2Fsettings%2Fprojects%2Fkeys%2Fapi$/);
});

test("tokens are made, used and revoked; hostile names are text in every field", async ({
	page,
	closed,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	await trap(page);
	const build = await finished(closed, "names/api", "in the log\n");
	await closed.build({ project: "names/api", title: texts.join(" ").slice(0, 900) });
	const answers = await Promise.all(
		texts.map((name) =>
			administer(closed, "POST", "/api/v1/tokens", {
				name,
				project: "names/*",
				scopes: ["status"],
			}),
		),
	);
	const accepted = texts.filter((_, i) => answers[i]?.status === 201);
	expect(accepted.length).toBeGreaterThan(texts.length - 5);
	await page.goto(
		`${closed.url}/sign-in?back=/settings/tokens&done=${encodeURIComponent(texts[0] ?? "")}`,
	);
	await signIn(page, closed.token);
	await expect(page).toHaveURL(`${closed.url}/settings/tokens`);
	for (const text of texts.slice(0, 3)) {
		await page.getByLabel("Name").fill(text);
		await page.getByLabel("Projects").fill(text);
		await page.getByRole("checkbox", { name: "read" }).check();
		await page.getByRole("button", { name: "Make the token" }).click();
		await expect(page.getByLabel("Projects")).toBeFocused();
		await expect(page.getByLabel("Projects")).toHaveValue(text);
		await expect(page.getByLabel("Name")).toHaveValue(text);
	}
	await fine(page);
	expect(await foreign(page)).toEqual([]);
	const names = await page.locator("tbody th bdi").allTextContents();
	for (const name of accepted) {
		expect(names).toContain(
			name.replace(
				/[\u061c\u200f\u202a-\u202e\u2066-\u2069]/g,
				(c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
			),
		);
	}

	const name = texts[3] ?? "";
	await page.getByLabel("Name").fill(name);
	await page.getByLabel("Projects").fill("names/*");
	await page.getByRole("button", { name: "Make the token" }).click();
	const token = await page.getByLabel("Token", { exact: true }).inputValue();
	expect(token).toMatch(/^stp_\w{36}$/);
	await fine(page);
	const use = async () =>
		(
			await fetch(`${closed.url}/api/v1/builds/${build.id}/steps/test/log`, {
				headers: { Authorization: `Bearer ${token}` },
			})
		).status;
	expect(await use()).toBe(200);
	await page.getByRole("link", { name: "All tokens" }).click();
	await page.getByRole("link", { name: "Revoke" }).first().click();
	await expect(page.getByRole("heading", { name: `Revoke the token ${name}?` })).toBeVisible();
	await fine(page);
	await page.getByRole("button", { name: "Revoke the token" }).click();
	await expect(page.getByRole("status")).toHaveText("✓ The token was revoked.");
	expect(await use()).toBe(401);

	for (const [path, whole] of [
		[`/settings/audit?project=${encodeURIComponent(texts[2] ?? "")}`, false],
		["/settings/audit", true],
		["/settings/projects/names/api", false],
		[`/builds/${build.id}/share`, true],
		["/settings", false],
		[`/sign-in?back=${encodeURIComponent("javascript:owned()")}`, false],
	] as const) {
		await page.goto(closed.url + path);
		if (whole) await fine(page);
		expect(await foreign(page), path).toEqual([]);
	}
	await expect(page.getByRole("link", { name: "Go on" })).toHaveAttribute("href", "/");
	await page.goto(`${closed.url}/settings/projects/names/api`);
	await page.getByLabel("Only those of these sites").check();
	await page.getByLabel("Origins").fill(texts.slice(0, 5).join("\n"));
	await page.getByRole("button", { name: "Save who may frame it" }).click();
	await expect(page.getByLabel("Origins")).toBeFocused();
	await expect(page.getByLabel("Origins")).toHaveValue(texts.slice(0, 5).join("\n"));
	expect(await foreign(page)).toEqual([]);
});

test("in the list of tokens each id stands below its name, and no name of a project is broken", async ({
	page,
	closed,
}) => {
	for (const [name, project, scopes] of [
		["ci", "acme/billing", ["report", "read", "admin"]],
		["The portal of the company", "acme/billing", ["status", "read"]],
		["wall", "acme/*", ["status"]],
	] as const) {
		const { token } = await closed.post("/api/v1/tokens", { name, project, scopes });
		await fetch(`${closed.url}/api/v1/projects`, { headers: { Authorization: `Bearer ${token}` } });
	}
	await page.setViewportSize({ width: 1280, height: 900 });
	await page.goto(`${closed.url}/sign-in?back=/settings/tokens`);
	await signIn(page, closed.token);
	await expect(page.getByRole("cell", { name: "acme/billing" })).toHaveCount(2);
	const wrong = await page.locator("tbody tr").evaluateAll((rows) =>
		rows.flatMap((row) => {
			const [name, id] = ["th bdi", "th code"].map((s) => row.querySelector(s));
			const project = row.querySelector('[data-label="For"]');
			const range = document.createRange();
			if (project) range.selectNodeContents(project);
			const lines = new Set([...range.getClientRects()].map(({ top }) => top)).size;
			const beside =
				name && id && id.getBoundingClientRect().top < name.getBoundingClientRect().bottom - 1;
			return [
				...(beside ? [`${name.textContent}: its id is beside it`] : []),
				...(lines > 1 ? [`${project?.textContent}: in ${lines} lines`] : []),
			];
		}),
	);
	expect(wrong).toEqual([]);
});

/** A context of somebody else, and a page in it. */
async function somebodyElse(context: BrowserContext): Promise<Page> {
	const other = await context.browser()?.newContext({ viewport: { width: 1440, height: 900 } });
	if (!other) throw new Error("there is no browser");
	return other.newPage();
}

test("a link shows a build live to somebody else, until it is revoked", async ({
	page,
	context,
	closed,
}) => {
	const build = await closed.build({ project: "links/api" });
	const other = await finished(closed, "links/api", "another\n");
	await build.step("test", "running");
	await build.log("test", "one\n");
	await page.goto(`${closed.url}/sign-in?back=${encodeURIComponent(`/builds/${build.id}`)}`);
	await signIn(page, closed.token);
	await page.getByRole("link", { name: "Share", exact: true }).click();
	await page.getByRole("button", { name: "Make the link" }).click();
	const address = await page.getByLabel("Link", { exact: true }).inputValue();
	await fine(page);

	const guest = await somebodyElse(context);
	await guest.clock.install();
	await guest.goto(`${address}#test`);
	await expect(guest).toHaveURL(`${build.url}#test`);
	await expect(guest.locator(state)).toHaveText("Live");
	await build.log("test", "two\n");
	await expect(log(guest).locator(".line")).toHaveText(["one", "two"]);
	await expect(guest.getByRole("link", { name: "Share", exact: true })).toHaveCount(0);
	await expect(guest.getByText("You may see this build only")).toBeVisible();
	await expect(guest.getByRole("link", { name: "Embed" })).toHaveCount(0);
	await expect(guest.getByRole("button", { name: /build of the project/ })).toHaveCount(0);
	await expect(guest.getByRole("button", { name: "Follow" })).toBeVisible();
	expect((await guest.request.get(`${closed.url}/api/v1/builds/${other.id}`)).status()).toBe(404);

	await page.getByRole("link", { name: "All links to the build" }).click();
	await page.getByRole("link", { name: "Revoke" }).click();
	await page.getByRole("button", { name: "Revoke the link" }).click();
	await expect(page.getByRole("status")).toHaveText("✓ The link was revoked.");
	await expect(guest.locator(state)).toHaveText("Not available");
	await expect(
		guest.getByText("The build is gone, or not for you to see any more: this is as of"),
	).toBeVisible();
	await expect(log(guest).locator(".line")).toHaveText(["one", "two"]);
	// What may be over by now is not said to run, nor its end promised.
	await expect(guest).toHaveTitle("Build · Stepcast");
	await expect(guest.getByRole("button", { name: "Notify me" })).toBeHidden();
	await expect(guest.getByRole("button", { name: "Follow" })).toHaveCount(0);
	await guest.clock.runFor(32_000);
	await expect(log(guest).locator(".note")).toHaveCount(0);
	// The page's clock is that of its connection again.
	await guest.clock.setSystemTime(Date.now());
	await guest.setViewportSize({ width: 320, height: 640 });
	expect(await guest.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
	await fine(guest);
	await guest.locator("stream-state").getByRole("link", { name: "Sign in" }).click();
	await signIn(guest, (await makeToken(closed, "links/*", "read")).token);
	await expect(guest).toHaveURL(`${build.url}#test`);
	await expect(guest.locator(state)).toHaveText("Live");
	await guest.context().close();

	const watcher = await somebodyElse(context);
	await watcher.goto(`${closed.url}/sign-in?back=${encodeURIComponent(`/builds/${build.id}`)}`);
	await signIn(watcher, (await makeToken(closed, "links/*", "status")).token);
	await expect(
		watcher.getByText("You may see how this build stands, but not its logs."),
	).toBeVisible();
	await expect(watcher.locator("step-log")).toHaveCount(0);
	await fine(watcher);
	await watcher.context().close();

	const nobody = await somebodyElse(context);
	await nobody.goto(`${closed.url}/sign-in?back=/`);
	await signIn(nobody, (await makeToken(closed, "links-of-others", "read")).token);
	await nobody.goto(`${closed.url}/?project=`);
	await expect(nobody.getByText("Whoever runs this server can give you a role.")).toBeVisible();
	await nobody.context().close();
});

const ends: Record<
	string,
	(context: BrowserContext, closed: Server, id: string) => Promise<unknown>
> = {
	"a session's token is revoked": (_, closed, id) =>
		administer(closed, "DELETE", `/api/v1/tokens/${id}`),
	"somebody signs out in another tab": async (context, closed) => {
		const other = await context.newPage();
		await other.goto(`${closed.url}/sign-in`);
		await other.getByRole("button", { name: "Sign out", exact: true }).click();
		await expect(other.getByText("You are signed out")).toBeVisible();
		// What is public can be seen there, by whoever is nobody now.
		await other.goto(closed.url);
		await expect(other.getByText("ends/open #1")).toBeVisible();
		await other.close();
	},
};

for (const [what, end] of Object.entries(ends)) {
	test(`when ${what}, pages that are open keep what they show, and lead back to it`, async ({
		page,
		context,
		closed,
		complaints,
	}) => {
		complaints.expected = connectionErrors;
		const build = await closed.build({ project: "ends/api" });
		await build.step("test", "running");
		await build.log("test", "one\n");
		// A page of a stranger, whose connection is not for those who have signed in.
		await finished(closed, "ends/open", "for everybody\n");
		await administer(closed, "PATCH", "/api/v1/projects/ends/open", { visibility: "public" });
		const before = await context.newPage();
		await before.goto(closed.url);
		await expect(before.locator(state)).toHaveText("Live");
		await expect(before.getByText("ends/open #1")).toBeVisible();
		const { token, id } = await makeToken(closed, "ends/*", "read");
		await page.goto(`${closed.url}/sign-in?back=${encodeURIComponent(`/builds/${build.id}`)}`);
		await signIn(page, token);
		await expect(log(page).locator(".line")).toHaveText(["one"]);
		const list = await context.newPage();
		await list.goto(`${closed.url}/?project=ends/*`);
		await build.send({ build: { title: `seen until ${what}` } });
		await expect(list.getByText(`seen until ${what}`)).toBeVisible();
		const wall = await context.newPage();
		await wall.goto(`${closed.url}/wall?project=ends/*`);
		await expect(wall.locator("stepcast-tile")).toHaveCount(2);
		await page.getByRole("tab", { name: "Waterfall" }).click();

		await end(context, closed, id);
		for (const open of [page, list]) {
			await expect(open.locator(state)).toHaveText("Not signed in");
			await expect(open.getByText("Your access has ended: this is as of")).toBeVisible();
		}
		await expect(wall.locator(".alarm")).toHaveText(/^SIGNED OUT SINCE \d\d:\d\d$/);
		await expect(list.getByText(`seen until ${what}`)).toBeVisible();
		await expect(page.getByRole("heading", { name: "ends/api" })).toBeVisible();
		await fine(page);
		await fine(list);
		const where = page.url();
		await page.locator("stream-state").getByRole("link", { name: "Sign in" }).click();
		await signIn(page, (await makeToken(closed, "ends/*", "read")).token);
		await expect(page).toHaveURL(where);
		await expect(page.locator(state)).toHaveText("Live");
		await expect(before.locator(state)).toHaveText("Live");
	});
}

test("a search that is refused because its session has ended leads to sign in and back", async ({
	page,
	closed,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await finished(closed, "ends/search", "one\n");
	const { token, id } = await makeToken(closed, "ends/*", "read");
	await page.goto(`${closed.url}/sign-in?back=${encodeURIComponent(`/builds/${build.id}#test`)}`);
	await signIn(page, token);
	await expect(log(page).locator(".line")).toHaveText(["one"]);
	await administer(closed, "DELETE", `/api/v1/tokens/${id}`);
	const field = page.getByRole("searchbox", { name: "Search the logs" });
	const refused = log(page).getByRole("alert");
	// Until what the server remembers of the session is forgotten, too.
	await expect(async () => {
		await field.fill("");
		await field.fill("one");
		await expect(refused).toContainText("sign in again", { timeout: 1_000 });
	}).toPass();
	for (const width of [1200, 390]) {
		await page.setViewportSize({ width, height: 800 });
		// The message and what to do about it, side by side below the tools.
		const bar = await log(page).locator(".bar").boundingBox();
		const message = await refused.locator("span").boundingBox();
		const again = await refused.getByRole("button", { name: "Try again" }).boundingBox();
		const below = (bar?.y ?? 0) + (bar?.height ?? 0);
		expect(message?.y ?? 0).toBeGreaterThanOrEqual(below);
		expect(again?.y ?? 0).toBeGreaterThanOrEqual(below);
		const middle = (again?.y ?? 0) + (again?.height ?? 0) / 2;
		expect(Math.abs((message?.y ?? 0) + (message?.height ?? 0) / 2 - middle)).toBeLessThan(2);
		expect(bar?.height ?? 0).toBeLessThan(110);
	}
	await fine(page);
	const where = page.url();
	await refused.getByRole("link", { name: "Sign in" }).click();
	await signIn(page, (await makeToken(closed, "ends/*", "read")).token);
	await expect(page).toHaveURL(where);
	await field.fill("one");
	await expect(page.locator("log-search .count")).toHaveText("1 of 1");
});

test("the page of a build that has ended says too that access has, when it is seen again, when it asks, and by itself", async ({
	page,
	context,
	closed,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await finished(closed, "past/api", "one\n");
	const ended = page.getByText("Your access has ended: this is as of");
	const open = async () => {
		const { token, id } = await makeToken(closed, "past/*", "read");
		await page.goto(`${closed.url}/sign-in?back=${encodeURIComponent(`/builds/${build.id}`)}`);
		await signIn(page, token);
		await expect(page.locator(state)).toHaveText("Finished");
		await expect(log(page).locator(".line")).toHaveText(["one"]);
		return async () => {
			await administer(closed, "DELETE", `/api/v1/tokens/${id}`);
			await refuses(context);
		};
	};
	const refuses = (who: BrowserContext) =>
		expect
			.poll(async () => (await who.request.get(`${closed.url}/api/v1/builds/${build.id}`)).ok())
			.toBe(false);
	const said = async () => {
		await expect(page.locator(state)).toHaveText("Not signed in");
		await expect(ended).toBeVisible();
		await expect(log(page).locator(".line")).toHaveText(["one"]);
		await expect(page.locator("stream-state").getByRole("link", { name: "Sign in" })).toBeVisible();
	};
	await page.clock.install();

	// A server that is away, and one in whose place something else answers, is none that refuses.
	let revoke = await open();
	for (const answer of [503, 404, undefined]) {
		await page.route("**/events?*", (route) =>
			answer ? route.fulfill({ status: answer, body: "not found" }) : route.abort(),
		);
		const asked = page.waitForRequest("**/events?*");
		await page.evaluate(() => dispatchEvent(new Event("focus")));
		await (await asked).response();
		await page.unrouteAll();
	}
	await expect(page.locator(state)).toHaveText("Finished");
	await expect(ended).toHaveCount(0);

	await revoke();
	await page.evaluate(() => dispatchEvent(new Event("focus")));
	await said();

	revoke = await open();
	await revoke();
	await page.locator("log-search").getByRole("searchbox").fill("one");
	await page.clock.runFor(1_000);
	await said();

	revoke = await open();
	await revoke();
	await page.clock.runFor(61_000);
	await said();

	const guest = await somebodyElse(context);
	const link = await closed.post(`/api/v1/builds/${build.id}/links`, { scope: "read" });
	await guest.goto(link.url as string);
	await expect(guest.locator(state)).toHaveText("Finished");
	await administer(closed, "DELETE", `/api/v1/links/${link.id}`);
	await refuses(guest.context());
	await guest.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
	await expect(guest.locator(state)).toHaveText("Not available");
	await expect(
		guest.getByText("The build is gone, or not for you to see any more: this is as of"),
	).toBeVisible();
	await guest.context().close();
});

test("a wallboard shows private projects by the token in its address, through a restart, until that ends", async ({
	page,
	context,
	closed,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const tile = page.locator("stepcast-tile");
	const broken = await closed.build({ project: "tv/api", branch: "main", author: "Ada" });
	await broken.step("test", "running");
	await broken.finish("test", "failed");
	const { token, id } = await statusToken(closed, "tv/*");
	const wall = `${closed.url}/wall?project=tv/api&project=tv/none`;
	await page.goto(`${wall}&token=${token}`);
	await expect(tile).toContainText("failed");
	await expect(tile).toContainText("since #1 by Ada");
	await expect(
		page.getByText("There is no such project. The token may be for others.", { exact: true }),
	).toBeVisible();

	await closed.stop("SIGKILL");
	await closed.start();
	const mended = await closed.build({ project: "tv/api", branch: "main" });
	await mended.step("test", "running");
	await mended.finish("test");
	await expect(tile).toContainText("passed");

	// Another page of the same browser has no token, and gets nothing of that one's.
	const stranger = await context.newPage();
	await stranger.goto(wall);
	await expect(
		stranger.getByText("There is no such project. You may have to sign in.", { exact: true }),
	).toHaveCount(2);
	await expect(stranger.locator("stepcast-tile")).toHaveCount(0);
	await stranger.goto(`${new URL(wall).origin}/?project=tv/api&branch=main`);
	await expect(
		stranger.getByText("There is no build here that you may see. You may have to sign in."),
	).toBeVisible();
	const apart = await stranger.locator("builds-page p a").evaluate((link) => {
		const stop = document.createRange();
		if (link.nextSibling) stop.selectNodeContents(link.nextSibling);
		return stop.getBoundingClientRect().left - link.getBoundingClientRect().right;
	});
	expect(apart).toBeLessThan(1);

	await administer(closed, "DELETE", `/api/v1/tokens/${id}`);
	await expect(page.getByRole("heading", { name: "Token revoked" })).toBeVisible();
	await expect(page.getByText("Sign in")).toHaveCount(0);
});

/** The words of the page's header that are in sight and that something else lies over, or that are broken or cut off. */
function crowded(page: Page): Promise<string[]> {
	return page.evaluate(() => {
		const within = (root: ParentNode): Element[] =>
			[...root.querySelectorAll("*")].flatMap((element) => [
				element,
				...(element.shadowRoot ? within(element.shadowRoot) : []),
			]);
		const header = document.querySelector("stepcast-app")?.shadowRoot?.querySelector("header");
		if (!header) return ["no header"];
		return within(header)
			.filter((one) => one.matches("a, button:not(.skip)") && one.checkVisibility())
			.filter((one) => {
				const { left, right, top, bottom, height } = one.getBoundingClientRect();
				const hit = (x: number) => {
					let at = document.elementFromPoint(x, (top + bottom) / 2);
					for (let in_ = at; in_?.shadowRoot; at = in_) {
						in_ = in_.shadowRoot.elementFromPoint(x, (top + bottom) / 2);
						if (in_ === at) break;
					}
					return at;
				};
				const free = [left + 1, right - 1].every((x) => one.contains(hit(x)));
				return !free || right > innerWidth || height > 32;
			})
			.map((one) => one.textContent?.trim() ?? "");
	});
}

test("on a narrow screen the header has room for what one can do about who one is", async ({
	page,
	closed,
}) => {
	const build = await closed.build({ project: "narrow/api" });
	await build.step("test", "running");
	await page.setViewportSize({ width: 320, height: 800 });
	await page.goto(build.url);
	await expect(page.locator(state)).toHaveText("Not available");
	await expect(page.locator("stream-state").getByRole("link", { name: "Sign in" })).toBeVisible();
	expect(await crowded(page)).toEqual([]);

	await page.goto(`${closed.url}/sign-in?back=${encodeURIComponent(`/builds/${build.id}`)}`);
	await signIn(page, (await makeToken(closed, "narrow/*", "read")).token);
	await expect(page.locator(state)).toHaveText("Live");
	await expect(page.getByRole("link", { name: "Sign out" })).toBeVisible();
	expect(await crowded(page)).toEqual([]);

	await build.finish("test");
	await expect(page.locator(state)).toHaveText("Finished");
	await expect(page.getByRole("link", { name: "Sign out" })).toBeVisible();
	expect(await crowded(page)).toEqual([]);

	await page.goto(closed.url);
	await expect(page.locator(state)).toHaveText("Live");
	await closed.stop("SIGKILL");
	await expect(page.getByRole("button", { name: "Retry now" })).toBeVisible();
	expect(await crowded(page)).toEqual([]);
	await closed.start();
});

test("on a phone of 320 px the header has room for a connection that is being tried", async ({
	browser,
	closed,
}) => {
	const viewport = { width: 320, height: 640 };
	const context = await browser.newContext({ viewport, hasTouch: true, isMobile: true });
	const page = await context.newPage();
	await page.goto(closed.url);
	await expect(page.locator(state)).toHaveText("Live");
	await page.locator("stepcast-app").evaluate((app) => {
		Object.assign(app, { connection: { name: "reconnecting" } });
	});
	await expect(page.getByRole("button", { name: "Retry now" })).toBeVisible();
	const right = await page
		.getByRole("button", { name: "Retry now" })
		.evaluate((button) => button.getBoundingClientRect().right);
	expect(right).toBeLessThanOrEqual(320 - 8);
	await context.close();
});

test("whoever has signed in and may not see something is not sent to sign in", async ({
	page,
	closed,
}) => {
	const build = await closed.build({ project: "others/api" });
	await page.goto(`${closed.url}/sign-in?back=${encodeURIComponent("/wall?project=others/*")}`);
	await signIn(page, (await makeToken(closed, "nobodys", "read")).token);
	await expect(
		page.getByText(
			"There is no build here that you may see. Whoever runs this server can give you a role.",
		),
	).toBeVisible();
	await page.goto(build.url);
	await expect(page.getByRole("heading", { name: "No such build" })).toBeVisible();
	await expect(page.getByText("Whoever runs this server can give you a role.")).toBeVisible();
	await expect(page.getByRole("link", { name: "Sign in" })).toHaveCount(0);
	await expect(page.getByRole("link", { name: "Sign out" })).toBeVisible();
	await fine(page);
});

test("over HTTP, where a browser does not say for which site it asks, this server's own pages see all, and another site's measures nothing", async ({
	playwright,
	elsewhere,
}, info) => {
	const server = new Server(["--open"]);
	await server.start();
	const relay = await new Relay(() => server.url).start(); // which sees what a page does not
	const at = (name: string, url: string) => url.replace("//127.0.0.1:", `//${name}:`);
	const here = at("ci.stepcast.test", relay.url);
	const { launchOptions } = info.project.use;
	const browser = await playwright.chromium.launch({
		...launchOptions,
		args: [...(launchOptions?.args ?? []), "--host-resolver-rules=MAP *.test 127.0.0.1"],
	});
	const page = await browser.newPage();
	const build = await server.build({ project: "measured/api" });
	await build.step("test", "running");
	await build.log("test", "a secret\n");

	// One's own pages, by links, by the address and by what they ask for.
	await page.goto(`${here}/builds/${build.id}`);
	await expect(log(page).locator(".line")).toHaveText(["a secret"]);
	await expect(page.locator(state)).toHaveText("Live");
	await build.log("test", "another\n");
	await expect(log(page).locator(".line")).toHaveText(["a secret", "another"]);
	const found = `/api/v1/builds/${build.id}/search?q=secret`;
	expect((await ask(page, here + found))[0]).toBe(200);
	const raw = `${here}/api/v1/builds/${build.id}/steps/test/log`;
	expect(await (await page.goto(raw))?.text()).toBe("a secret\nanother\n");
	await page.goto(`${here}/plain/builds/${build.id}`);
	await expect(page.locator("body")).toContainText("test");

	// Another site's: what it asks for with the visitor's eyes, and shows when one comes back to it.
	const other = await browser.newPage();
	relay.answered.length = 0;
	const pictures = ["api", "xyz"].map((name) => `${here}/badge/measured/${name}.svg?label=of`);
	const portal = at("portal.stepcast.test", elsewhere);
	await other.goto(portal);
	await other.evaluate(
		async ({ pictures, found }) => {
			for (const url of [...pictures, `${found}&limit=1`]) {
				for (const as of ["", "document", "image"]) {
					const link = Object.assign(document.createElement("link"), {
						rel: "prefetch",
						href: url,
					});
					link.setAttribute("as", as);
					document.head.append(link);
					await new Promise((done) => {
						link.onload = done;
						link.onerror = done;
					});
				}
			}
			for (const url of [...pictures, found])
				await fetch(url, { mode: "no-cors", credentials: "include" }).catch(() => 0);
			const frame = Object.assign(document.createElement("iframe"), { src: `${found}&limit=2` });
			document.body.append(frame);
			await new Promise((done) => {
				frame.onload = done;
			});
		},
		{ pictures, found: here + found },
	);
	for (const popup of pictures) {
		const opened = other.waitForEvent("popup");
		await other.evaluate((url) => void open(url), popup);
		const window = await opened;
		await window.waitForLoadState();
		await window.close();
	}
	// What a page that one comes back to shows while it loads is taken from the cache as it is.
	await other.addInitScript((pictures) => {
		const widths = () =>
			Promise.all(
				pictures.map(async (src) => {
					const image = Object.assign(new Image(), { src });
					await image.decode();
					return image.naturalWidth;
				}),
			);
		const kept = new Promise((done) => {
			document.addEventListener("DOMContentLoaded", () => done(widths()));
		});
		Object.assign(globalThis, { kept });
	}, pictures);
	await other.goto(`${portal}away`);
	await other.goBack();
	const widths = await other.evaluate(
		() => (globalThis as { kept?: Promise<number[]> }).kept ?? [],
	);
	expect(widths[0]).toBe(widths[1]);
	const searches = relay.answered.filter(({ path }) => path.startsWith(found));
	expect(searches.length).toBeGreaterThanOrEqual(3);
	expect(searches.filter(({ status }) => status === 200)).toEqual([]);

	await browser.close();
	relay.close();
	await server.remove();
});
