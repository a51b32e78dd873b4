import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import { test as base, connectionErrors, expect, type Reporter, type Server } from "./stepcast.ts";

/** An empty page of another origin, which browsers count as the same site: only its port differs. */
const test = base.extend<{ elsewhere: string }>({
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
