import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { violations } from "./axe.ts";
import { test as base, connectionErrors, expect, log, type Reporter, Server } from "./stepcast.ts";

/** Readers have to sign in. */
const test = base.extend<object, { server: Server }>({
	server: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
		async ({}, use) => {
			const server = new Server(["--sign-in"]);
			await server.start();
			await use(server);
			await server.remove();
		},
		{ scope: "worker", timeout: 60_000 },
	],
});

interface Link {
	readonly id: string;
	readonly url: string;
}

async function linkTo(build: Reporter, server: Server, scope = "read"): Promise<Link> {
	const made = await server.post(`/api/v1/builds/${build.id}/links`, { scope });
	return { id: made.id as string, url: made.url as string };
}

async function revoke(server: Server, link: Link): Promise<void> {
	await server.send("DELETE", `/api/v1/links/${link.id}`);
}

/** A page elsewhere with a link in it, as a mail or a chat has. */
async function elsewhere(href: string, use: (address: string) => Promise<void>): Promise<void> {
	const host = createServer((_, response) => {
		response.setHeader("Content-Type", "text/html");
		response.end(`<!doctype html><title>chat</title><a href="${href}">look at this</a>`);
	});
	await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
	await use(`http://localhost:${(host.address() as AddressInfo).port}/`);
	host.close();
}

test("whoever follows a link sees that build, live, until it ends, and nowhere its text", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected = [...connectionErrors];
	const build = await server.build({ project: "acme/api", title: "Shown outside" });
	await build.step("test", "running");
	await build.log("test", "first line\n");
	const other = await server.build({ project: "acme/api", title: "Not shown" });
	const link = await linkTo(build, server);
	const text = new URL(link.url).searchParams.get("link") ?? "none";
	const told: string[] = [];
	page.on("request", (request) => {
		const from = request.headers().referer ?? "";
		if (from.includes(text) || (request.url().includes(text) && request.url() !== link.url)) {
			told.push(`${request.url()} from ${from}`);
		}
	});

	await elsewhere(link.url, async (chat) => {
		await page.goto(chat);
		await page.getByText("look at this").click();
		await expect(log(page)).toContainText("first line");
		expect(page.url()).toBe(build.url);
		await build.log("test", "second line\n");
		await expect(log(page)).toContainText("second line");
		expect(await page.content()).not.toContain(text);
		const kept = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }]));
		expect(kept).not.toContain("stl_");
		expect(kept).not.toContain("sts_");

		// Back is where the link was, not the address with its text.
		await page.goBack();
		await expect(page).toHaveTitle("chat");
		await page.goForward();
		await expect(log(page)).toContainText("second line");
	});
	expect(told).toEqual([]);

	await page.goto(other.url);
	await expect(page.getByText("No such build")).toBeVisible();
	await page.goto(server.url);
	await expect(page.getByText("Shown outside")).toHaveCount(0);
	await expect(page.getByText("Not shown")).toHaveCount(0);

	await page.goto(build.url);
	await expect(log(page)).toContainText("second line");
	await revoke(server, link);
	await expect
		.poll(() => page.evaluate(async (id) => (await fetch(`/api/v1/builds/${id}`)).status, build.id))
		.toBe(404);
	await page.reload();
	await expect(page.getByText("No such build")).toBeVisible();
});

test("a link of a build's status shows no log", async ({ page, server, complaints }) => {
	complaints.expected = [...connectionErrors];
	const build = await server.build({ project: "acme/web", title: "How it stands" });
	await build.step("test", "running");
	await build.log("test", "kept among us\n");
	await page.goto((await linkTo(build, server, "status")).url);
	await expect(page.getByText("How it stands").first()).toBeVisible();
	await expect(page.getByText("test").first()).toBeVisible();
	await build.step("test", "failed");
	await expect(page.getByText("failed").first()).toBeVisible();
	await expect(page.getByText("kept among us")).toHaveCount(0);
});

test("a link that has ended says so", async ({ page, server, complaints }) => {
	complaints.expected = [...connectionErrors];
	const build = await server.build({ project: "acme/api" });
	const link = await linkTo(build, server);
	await revoke(server, link);
	const answer = await page.goto(link.url);
	expect(answer?.status()).toBe(410);
	await expect(page.getByText("This link was revoked on")).toBeVisible();
	expect(await violations(page)).toEqual([]);
});
