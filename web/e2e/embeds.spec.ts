import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { violations } from "./axe.ts";
import { Relay } from "./relay.ts";
import { test as base, connectionErrors, expect, type Reporter, type Server } from "./stepcast.ts";

/** Somebody's page, on another origin than the server: its host has another name, and another port. */
interface Site {
	/** What stands in the body. */
	body: string;
	/** The page's stylesheet. */
	css: string;
	policy: string;
	url: string;
}

const test = base.extend<{ relay: Relay; site: Site }>({
	relay: async ({ server }, use) => {
		const relay = await new Relay(() => server.url).start();
		await use(relay);
		relay.close();
	},
	site: async ({ relay }, use) => {
		const policy =
			`default-src 'none'; script-src ${relay.url}; connect-src ${relay.url}; style-src 'self'; ` +
			"base-uri 'none'; require-trusted-types-for 'script'; trusted-types stepcast";
		const site: Site = { body: "", css: "", policy, url: "" };
		const http = await serve(site);
		site.url = `http://localhost:${(http.address() as AddressInfo).port}/`;
		await use(site);
		http.closeAllConnections();
		http.close();
	},
});

function serve(site: Site): Promise<HttpServer> {
	const http = createServer(({ url }, response) => {
		if (url === "/site.css") {
			response.writeHead(200, { "Content-Type": "text/css" }).end(site.css);
			return;
		}
		response.writeHead(200, {
			"Content-Type": "text/html; charset=utf-8",
			"Content-Security-Policy": site.policy,
		});
		response.end(`<!doctype html><html lang="de"><title>Portal</title>
			<link rel="stylesheet" href="/site.css">${url === "/bare" ? "" : site.body}`);
	});
	return new Promise((resolve) => http.listen(0, "127.0.0.1", () => resolve(http)));
}

/** The script, as a page names it: asynchronously, and once more, and once more as a module. */
function scripts(from: string): string {
	return `<script async src="${from}/widgets.js"></script><script src="${from}/widgets.js"></script>
		<script type="module" src="${from}/widgets.js"></script>`;
}

const hostile = `
	* {
		all: unset !important;
		display: none !important;
		position: static !important;
		direction: rtl !important;
		color: red !important;
		font: 72px/4 cursive !important;
		letter-spacing: 1em !important;
		opacity: 0.1 !important;
		text-transform: uppercase !important;
		visibility: hidden !important;
		white-space: pre !important;
		word-spacing: 1em !important;
		writing-mode: vertical-rl !important;
	}
	html, body { display: block !important; opacity: 1 !important; writing-mode: horizontal-tb !important; }
`;

/** Lets anybody see a project; a build that was private has been so for a few seconds more. */
async function publish(server: Server, project: string, build?: Reporter): Promise<void> {
	await server.send("PATCH", `/api/v1/projects/${project}`, { visibility: "public" });
	const headers = { Origin: "http://portal.example" };
	const seen = async () =>
		(await fetch(`${server.url}/api/v1/builds/${build?.id}`, { headers })).status;
	if (build) await expect.poll(seen).toBe(200);
}

/** What a person reads in an element. */
function words(page: Page, element: string): Promise<string> {
	return page.locator(element).evaluate((host) => {
		const read = (node: Node): string => {
			if (node instanceof Text) return node.data;
			if (node instanceof Comment) return "";
			const { shadowRoot } = node as Element;
			return [...(shadowRoot ?? node).childNodes].map(read).join("");
		};
		return read(host).replace(/\s+/g, " ").trim();
	});
}

/** All names that scripts of the page may come upon. */
function names(page: Page): Promise<string[]> {
	return page.evaluate(() =>
		[window, Symbol, document, HTMLElement.prototype].flatMap(Object.getOwnPropertyNames),
	);
}

test("a page of another origin, with a strict policy and hostile styles, follows builds through a restart", async ({
	page,
	server,
	relay,
	site,
	complaints,
}) => {
	const project = "embeds/live";
	const build = await server.build({ project, branch: "main", steps: [{ key: "test" }] });
	await publish(server, project, build);
	await build.step("test", "running");
	await build.log("test", "<b>first</b>\n");
	site.css = hostile;
	site.body = `
		<stepcast-status project="${project}" branch="main"></stepcast-status>
		<stepcast-board projects="embeds/*"></stepcast-board>
		<stepcast-steps build="${build.id}"></stepcast-steps>
		<stepcast-log build="${build.id}" step="test" lines="5"></stepcast-log>
		${scripts(relay.url)}`;
	await page.goto(`${site.url}bare`);
	const bare = await names(page);
	await page.goto(site.url);
	const status = page.locator("stepcast-status a");
	await expect(status).toContainText("running");
	await expect(page.locator("stepcast-board stepcast-tile")).toContainText("running");
	await expect(page.locator("stepcast-steps")).toContainText("test");
	await expect(page.locator("stepcast-log")).toContainText("<b>first</b>");
	expect(await names(page)).toEqual(bare);
	await expect.poll(() => relay.streams.length).toBe(1);

	const looks = await status.evaluate((a) => {
		const { color, direction, fontSize, letterSpacing, textTransform } = getComputedStyle(a);
		return { color, direction, fontSize, letterSpacing, textTransform };
	});
	expect(looks).toEqual({
		color: expect.stringMatching(/^rgb\((31, 35, 40|230, 237, 243)\)$/),
		direction: "ltr",
		fontSize: "14px",
		letterSpacing: "normal",
		textTransform: "none",
	});
	for (const element of ["status", "board", "steps", "log"]) {
		await expect(page.locator(`stepcast-${element}`)).toBeVisible();
		expect(await page.locator(`stepcast-${element}`).evaluate((e) => e.clientHeight)).toBeLessThan(
			400,
		);
	}

	complaints.expected = connectionErrors;
	await server.stop("SIGKILL");
	await expect(page.locator("stepcast-status")).toContainText("reconnecting");
	await server.start();
	await build.log("test", "second\n");
	await build.finish("test");
	const next = await server.build({ project, branch: "main", status: "running" });
	for (const [element, text] of [
		["status", `#${next.number}`],
		["board", `#${next.number}`],
		["steps", "passed"],
		["log", "second"],
	]) {
		await expect.poll(() => words(page, `stepcast-${element}`)).toContain(text);
	}
	await expect(page.locator("stepcast-status")).not.toContainText("reconnecting");
	await expect.poll(() => relay.streams.length).toBe(1);
	expect(await names(page)).toEqual(bare);
});

test("elements that come, move and go share what there is", async ({
	page,
	server,
	relay,
	site,
}) => {
	const build = await server.build({ project: "embeds/moving", branch: "main" });
	await publish(server, "embeds/moving");
	await build.step("test", "running");
	site.body = `<main></main><aside></aside>${scripts(relay.url)}`;
	await page.goto(site.url);
	const add = (branch: string, name = "stepcast-status") =>
		page.evaluate(
			({ branch, name }) => {
				const element = document.createElement(name);
				element.setAttribute("project", "embeds/moving");
				element.setAttribute("branch", branch);
				document.querySelector("main")?.append(element);
			},
			{ branch, name },
		);
	await add("main");
	await expect(page.locator("stepcast-status")).toContainText("running");
	// Another place is no other connection.
	await page.evaluate(() => {
		const aside = document.querySelector("aside");
		aside?.append(...document.querySelectorAll("stepcast-status"));
	});
	await expect(page.locator("aside stepcast-status")).toContainText("running");
	expect(relay.asked.length).toBe(1);
	// More is wanted: the one connection is made anew, and has both.
	await add("other");
	await expect(page.locator("main stepcast-status")).toContainText("unknown");
	await server.build({ project: "embeds/moving", branch: "other" });
	await expect(page.locator("main stepcast-status")).toContainText("queued");
	expect(relay.asked.length).toBe(2);
	// Who joins knows nothing until the stream has said it, and does not take that for nothing.
	let answer = () => {};
	const answered = new Promise<void>((resolve) => {
		answer = resolve;
	});
	await page.route("**/api/v1/streams*", async (route) => {
		await answered;
		await route.continue();
	});
	await add("main", "stepcast-steps");
	const clock = page.locator("aside stepcast-status [part=time]");
	for (const _ of ["one", "two"]) {
		await expect(clock).not.toHaveText((await clock.textContent()) ?? "");
	}
	await expect(page.locator("stepcast-steps")).toHaveText("");
	answer();
	await expect(page.locator("stepcast-steps")).toContainText("running");
	await page.locator("stepcast-steps").evaluate((element) => element.remove());
	await build.step("test", "passed");
	await build.send({ build: { status: "passed" } });
	await expect(page.locator("aside stepcast-status")).toContainText("passed");
	// Who has gone is not followed any more.
	await expect.poll(() => relay.asked.at(-1)?.path).not.toContain(build.id);
	await expect.poll(() => relay.streams.length).toBe(1);
	// Nobody is left, and so is no connection.
	const gone = await page.evaluateHandle(() => {
		const all = [...document.querySelectorAll("stepcast-status")];
		for (const element of all) element.remove();
		return all;
	});
	await expect.poll(() => relay.streams.length).toBe(0);
	// Nor does one come when one that has gone is changed.
	const asked = relay.asked.length;
	await gone.evaluate(async (all) => {
		for (const element of all) element.setAttribute("theme", "dark");
		await new Promise((resolve) => setTimeout(resolve)); // drawn, and what it asks for is asked for
	});
	await page.evaluate((url) => fetch(`${url}/widgets.js`, { mode: "no-cors" }), relay.url);
	expect(relay.asked.length).toBe(asked);
});

test("one that is refused says why on the console, does not disturb the others, and asks no more", async ({
	page,
	server,
	relay,
	site,
	complaints,
}) => {
	complaints.expected = [/status of 40[14]/];
	await server.build({ project: "embeds/secret", branch: "main", status: "running" });
	const seen = await server.build({ project: "embeds/seen", branch: "main", status: "running" });
	await publish(server, "embeds/seen", seen);
	const { id, token } = await server.post("/api/v1/tokens", {
		name: "portal",
		project: "embeds/secret",
		scopes: ["status"],
	});
	const none = "00000000-0000-4000-8000-000000000000";
	const warnings: string[] = [];
	page.on("console", (message) => {
		if (message.type() === "warning") warnings.push(message.text());
	});
	site.body = `
		<stepcast-status id="private" project="embeds/secret"></stepcast-status>
		<stepcast-status id="token" project="embeds/secret" token="${token}"></stepcast-status>
		<stepcast-board projects="embeds/secret embeds/seen" token="${token}"></stepcast-board>
		<stepcast-status id="wrong" project="embeds//x"></stepcast-status>
		<stepcast-steps id="none" build="${none}">none</stepcast-steps>
		<stepcast-steps id="seen" build="${seen.id}"></stepcast-steps>
		<stepcast-status id="public" project="embeds/seen"></stepcast-status>
		<stepcast-status id="place" project="embeds/seen" token="STATUS_TOKEN"></stepcast-status>${scripts(relay.url)}`;
	await page.goto(site.url);
	for (const element of ["#private", "#wrong", "#none"]) {
		await expect(page.locator(element)).toContainText("unknown");
	}
	for (const element of ["#public", "#token", "#seen", "#place"]) {
		await expect(page.locator(element)).toContainText("running");
	}
	await expect.poll(() => relay.streams.length).toBe(3);
	await server.send("DELETE", `/api/v1/tokens/${id}`);
	// Who embeds is told on the console; what is public is shown all the same, as in a badge.
	await expect(page.locator("#token")).toContainText("unknown");
	await expect(page.locator("stepcast-board .absent")).toHaveText("? unknown embeds/secret");
	await expect(page.locator("stepcast-board stepcast-tile")).toContainText("embeds/seen");
	for (const element of ["stepcast-board", "#place"]) {
		await expect(page.locator(element)).toContainText("! token refused");
	}
	await expect(page.locator("#public")).not.toContainText("refused");
	expect(warnings.filter((text) => text.includes("refuses the token"))).toHaveLength(2);
	expect(warnings.filter((text) => text.includes("No such public build"))).toHaveLength(5);
	const asked = relay.paths.length;
	await seen.send({ build: { status: "passed" } });
	await expect(page.locator("#public")).toContainText("passed");
	expect(relay.paths.length).toBe(asked);
});

test("a proxy's 408 refuses nothing", async ({ page, server, relay, site, complaints }) => {
	complaints.expected = [/status of 408/];
	const build = await server.build({ project: "embeds/slow", branch: "main", status: "running" });
	await publish(server, "embeds/slow", build);
	let answers = 0;
	await page.route("**/api/v1/streams?*", (route) => {
		answers++;
		if (answers > 2) return route.continue(); // the stream, and what asks why there is none
		return route.fulfill({ status: 408, headers: { "Access-Control-Allow-Origin": "*" } });
	});
	site.body = `<stepcast-status project="embeds/slow"></stepcast-status>${scripts(relay.url)}`;
	await page.goto(site.url);
	await expect(page.locator("stepcast-status")).toContainText("running");
	expect(answers).toBeGreaterThan(2);
});

test("what may be old says since when, and durations stand still", async ({
	page,
	server,
	relay,
	site,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await server.build({ project: "embeds/old", branch: "main", status: "running" });
	await publish(server, "embeds/old", build);
	site.body = `<stepcast-status project="embeds/old"></stepcast-status>
		<stepcast-board projects="embeds/old"></stepcast-board>
		<stepcast-steps build="${build.id}"></stepcast-steps>${scripts(relay.url)}`;
	await page.addInitScript(() => {
		addEventListener("stepcast-connection", (event) => {
			const { dataset } = event.composedPath()[0] as HTMLElement;
			dataset.told = `${dataset.told ?? ""} ${(event as CustomEvent<{ state: string }>).detail.state}`;
		});
	});
	await page.clock.install();
	await page.goto(site.url);
	const all = page.locator("stepcast-status, stepcast-board, stepcast-steps");
	for (const element of await all.all()) await expect(element).toContainText("running");
	relay.hush();
	await page.clock.fastForward(25_000);
	for (const element of await all.all()) await expect(element).toContainText("no news since");
	const before = await words(page, "stepcast-status");
	await page.clock.runFor(5_000);
	expect(await words(page, "stepcast-status")).toBe(before);
	// Silence for too long, and the connection is given up for another one.
	await page.clock.fastForward(30_000);
	await page.clock.setSystemTime(Date.now());
	for (const element of await all.all()) await expect(element).not.toContainText("no news since");
	await expect.poll(() => relay.streams.length).toBe(1);
	await build.send({ build: { status: "passed" } });
	for (const element of await all.all()) await expect(element).toContainText("passed");
	await expect(page.locator("stepcast-status")).toHaveAttribute(
		"data-told",
		/^ live stale (reconnecting )?live$/,
	);
});

test("a build that has ended is the newest for as long as the server says so", async ({
	page,
	server,
	relay,
	site,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const build = await server.build({ project: "embeds/ended", steps: [{ key: "test" }] });
	await build.finish("test");
	await build.send({ build: { status: "passed" } });
	const { id, token } = await server.post("/api/v1/tokens", {
		name: "portal",
		project: "embeds/ended",
		scopes: ["status"],
	});
	site.body = `<stepcast-steps project="embeds/ended" token="${token}"></stepcast-steps>
		<stepcast-log project="embeds/ended" token="${token}"></stepcast-log>${scripts(relay.url)}`;
	await page.clock.install();
	await page.goto(site.url);
	const all = page.locator("stepcast-steps, stepcast-log");
	for (const element of await all.all()) await expect(element).toContainText("passed");
	// All is asked for that will be: of the log of a step, once it is known which.
	await expect(page.locator("stepcast-log")).toContainText("No output.");
	relay.hush();
	await page.clock.fastForward(25_000);
	for (const element of await all.all()) await expect(element).toContainText("no news since");
	await page.clock.fastForward(30_000);
	await page.clock.setSystemTime(Date.now());
	for (const element of await all.all()) await expect(element).not.toContainText("no news since");
	relay.answer = () => 502;
	relay.cut();
	for (const element of await all.all()) await expect(element).toContainText("! reconnecting");
	await page.clock.fastForward(25_000);
	for (const element of await all.all()) await expect(element).toContainText("no news since");
	relay.answer = () => "pass";
	await page.evaluate(() => dispatchEvent(new Event("online")));
	for (const element of await all.all()) await expect(element).not.toContainText("no news since");
	await server.send("DELETE", `/api/v1/tokens/${id}`);
	for (const element of await all.all()) {
		await expect(async () => {
			await page.clock.runFor(5_000);
			await expect(element).toContainText("unknown", { timeout: 500 });
		}).toPass();
	}
});

test("the colours are those of the page around it, whenever they change", async ({
	page,
	server,
	relay,
	site,
}) => {
	await server.build({ project: "embeds/colours", status: "running" });
	await publish(server, "embeds/colours");
	site.css = `
		.declared { color-scheme: dark; }
		.both { color-scheme: light dark; }
		.painted { background: #222; color: #eee; }
		.named { background: black; color: oklch(0.9 0.01 250); }
	`;
	site.body = `<stepcast-status project="embeds/colours"></stepcast-status>${scripts(relay.url)}`;
	await page.goto(site.url);
	const colour = () => page.locator("stepcast-status a").evaluate((a) => getComputedStyle(a).color);
	const [light, dark] = ["rgb(31, 35, 40)", "rgb(230, 237, 243)"];
	for (const [name, scheme, want] of [
		["", "light", light],
		["declared", "light", dark],
		["painted", "light", dark],
		["named", "light", dark],
		["", "dark", light],
		["both", "dark", dark],
		["both", "light", light],
	] as const) {
		await page.emulateMedia({ colorScheme: scheme });
		await page.evaluate((name) => {
			document.documentElement.className = name;
		}, name);
		await expect.poll(colour, { message: `${name}, ${scheme}` }).toBe(want);
	}
	for (const [theme, want] of [
		["dark", dark],
		["light", light],
		["auto", light],
	] as const) {
		await page.locator("stepcast-status").evaluate((e, theme) => {
			e.setAttribute("theme", theme);
		}, theme);
		await expect.poll(colour).toBe(want);
	}
	await page.locator("stepcast-status").evaluate((e) => {
		(e as HTMLElement).hidden = true;
	});
	await expect(page.locator("stepcast-status")).toBeHidden();
});

test("the colours are those of a stylesheet that comes after the script", async ({
	page,
	server,
	relay,
	site,
}) => {
	await server.build({ project: "embeds/late", status: "running" });
	await publish(server, "embeds/late");
	site.css = ":root { color-scheme: light dark; }";
	site.body = `<stepcast-status project="embeds/late"></stepcast-status><script async src="${relay.url}/widgets.js"></script>`;
	let release = () => {};
	const released = new Promise<void>((resolve) => {
		release = resolve;
	});
	await page.route(`${site.url}site.css`, async (route) => {
		await released;
		await route.continue();
	});
	await page.emulateMedia({ colorScheme: "dark" });
	await page.goto(site.url, { waitUntil: "commit" });
	await page.waitForFunction(
		() => document.querySelector("stepcast-status")?.shadowRoot?.childElementCount,
		undefined,
		{ polling: 100 },
	);
	release();
	await expect
		.poll(() => page.locator("stepcast-status a").evaluate((a) => getComputedStyle(a).color))
		.toBe("rgb(230, 237, 243)");
});

test("a page that was away goes on where it was", async ({ page, server, relay, site }) => {
	const build = await server.build({ project: "embeds/away", status: "running" });
	await publish(server, "embeds/away");
	site.body = `<stepcast-status project="embeds/away"></stepcast-status>${scripts(relay.url)}`;
	await page.goto(site.url);
	await expect(page.locator("stepcast-status")).toContainText("running");
	await page.goto(`${site.url}bare`);
	await expect.poll(() => relay.streams.length).toBe(0);
	await build.send({ build: { status: "failed" } });
	await page.goBack();
	await expect(page.locator("stepcast-status")).toContainText("failed");
	await expect.poll(() => relay.streams.length).toBe(1);
});

test("without JavaScript there is a link", async ({ browser, site, relay }) => {
	site.body = `<stepcast-status project="embeds/x"><a href="${relay.url}/">embeds/x</a></stepcast-status>${scripts(relay.url)}`;
	const context = await browser.newContext({ javaScriptEnabled: false });
	const page = await context.newPage();
	await page.goto(site.url);
	await expect(page.getByRole("link", { name: "embeds/x" })).toBeVisible();
	await context.close();
});

test("no violations in status and board, in both schemes and on a phone", async ({
	page,
	server,
	relay,
	site,
}) => {
	for (const [project, status] of [
		["embeds/axe/a", "running"],
		["embeds/axe/b-with-a-name-that-is-longer-than-a-phone-is-wide", "passed"],
		["embeds/axe/c", "failed"],
	] as const) {
		const build = await server.build({ project, branch: "main", steps: [{ key: "test" }] });
		await publish(server, project);
		if (status === "running") await build.step("test", "running");
		else await build.finish("test", status);
	}
	site.css = "html { color-scheme: light dark; background: canvas; } body { margin: 0; }";
	site.body = `<main><h1>Portal</h1>
		<p><stepcast-status project="embeds/axe/a"></stepcast-status>
		<stepcast-status project="embeds/axe/b-with-a-name-that-is-longer-than-a-phone-is-wide"></stepcast-status>
		<stepcast-status project="embeds/axe/none"></stepcast-status></p>
		<stepcast-board projects="embeds/axe/* embeds/none"></stepcast-board>
		<stepcast-board projects="embeds/axe/a" mode="problems"></stepcast-board></main>${scripts(relay.url)}`;
	await page.goto(site.url);
	await expect(page.locator("stepcast-tile")).toHaveCount(3);
	await expect(page.locator("stepcast-tile").first()).toContainText("failed");
	for (const colorScheme of ["light", "dark"] as const) {
		for (const width of [1_000, 320]) {
			await page.emulateMedia({ colorScheme });
			await page.setViewportSize({ width, height: 800 });
			expect(await violations(page)).toEqual([]);
		}
	}
});

test("a page that wants more logs than one connection carries has two", async ({
	page,
	server,
	relay,
	site,
}) => {
	const builds = await Promise.all(
		Array.from({ length: 33 }, () => server.build({ project: "embeds/many", status: "running" })),
	);
	for (const build of builds) await publish(server, "embeds/many", build);
	site.body = `${builds.map(({ id }) => `<stepcast-steps build="${id}"></stepcast-steps>`).join("")}${scripts(relay.url)}`;
	await page.goto(site.url);
	await expect(page.locator("stepcast-steps a", { hasText: "embeds/many" })).toHaveCount(33);
	await expect.poll(() => relay.streams.length).toBe(2);
});
