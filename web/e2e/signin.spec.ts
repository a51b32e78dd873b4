import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { test as base, connectionErrors, expect, Server } from "./stepcast.ts";

/** A certified OpenID provider, as a process of its own: see provider.mjs. */
class Provider {
	readonly #process: ChildProcess;
	readonly #lines: AsyncIterator<string>;
	readonly secret = randomUUID();
	issuer = "";

	constructor() {
		const program = fileURLToPath(new URL("provider.mjs", import.meta.url));
		this.#process = spawn(process.execPath, [program], {
			stdio: ["pipe", "pipe", "ignore"],
			env: { ...process.env, CLIENT_SECRET: this.secret },
		});
		if (!this.#process.stdout) throw new Error("the provider has no output");
		this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
	}

	async #line(): Promise<string> {
		const { value, done } = await this.#lines.next();
		if (done) throw new Error("the provider ended");
		return value;
	}

	async start(): Promise<void> {
		this.issuer = await this.#line();
	}

	/** From then on it answers: it knows where to send browsers back to. */
	async knows(server: Server): Promise<void> {
		this.#process.stdin?.write(`${server.url}/sign-in/callback\n`);
		expect(await this.#line()).toBe("ready");
	}

	async stop(): Promise<void> {
		const gone = new Promise((resolve) => this.#process.once("exit", resolve));
		this.#process.kill("SIGTERM");
		await gone;
	}
}

/** A server where people sign in at that provider, and a group may read one project. */
const test = base.extend<object, { server: Server }>({
	server: [
		// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from it
		async ({}, use) => {
			const provider = new Provider();
			await provider.start();
			const server = new Server(
				[
					`--oidc-issuer=${provider.issuer}`,
					"--oidc-client-id=stepcast",
					"--oidc-name=Acme",
					"--oidc-scopes=profile,email,groups",
					"--grant=developers=read:acme/*",
				],
				{ STEPCAST_OIDC_CLIENT_SECRET: provider.secret },
			);
			await server.start();
			await provider.knows(server);
			await use(server);
			await server.remove();
			await provider.stop();
		},
		{ scope: "worker", timeout: 60_000 },
	],
});

test.beforeEach(({ complaints }) => {
	complaints.expected = [...connectionErrors];
});

/** Goes to the provider from the page where one signs in, and signs in there with any password. */
async function signIn(page: Page, server: Server, who: string, back: string): Promise<void> {
	await page.goto(`${server.url}/sign-in?back=${encodeURIComponent(back)}`);
	await page.getByRole("link", { name: "Sign in with Acme" }).click();
	await page.locator("input[name=login]").fill(who);
	await page.locator("input[name=password]").fill("any");
	await page.locator("button[type=submit]").click();
	await page.getByRole("button", { name: "Continue" }).click();
	await page.waitForURL(server.url + back);
}

interface Me {
	readonly name: string | null;
	readonly grants: readonly { readonly project: string }[];
}

/** Whom the server takes the browser of a page for. */
async function me(page: Page, server: Server): Promise<Me> {
	return (await (await page.request.get(`${server.url}/api/v1/me`)).json()) as Me;
}

/** The status that a script of the page gets. */
function status(page: Page, path: string): Promise<number> {
	return page.evaluate(async (path) => (await fetch(path)).status, path);
}

test("who signs in at the provider sees what the group may read", async ({
	page,
	server,
	browser,
}) => {
	const build = await server.build({ project: "acme/api", title: "Only for developers" });
	const path = `/builds/${build.id}`;
	await page.goto(server.url);
	expect(await status(page, `/api/v1${path}`)).toBe(404);
	expect((await me(page, server)).name).toBeNull();

	await signIn(page, server, "ada", path);
	await expect(page.getByText("Only for developers").first()).toBeVisible();
	expect(await me(page, server)).toMatchObject({
		name: "Ada Lovelace",
		grants: [{ project: "acme/*" }],
	});

	const context = await browser.newContext();
	const other = await context.newPage();
	await signIn(other, server, "eve", "/");
	expect(await me(other, server)).toMatchObject({ name: "Eve", grants: [] });
	expect(await status(other, `/api/v1${path}`)).toBe(404);
	await context.close();
});

test("signing out everywhere ends the stream of another browser", async ({
	page,
	server,
	browser,
}) => {
	const build = await server.build({ project: "acme/api", status: "running" });
	await signIn(page, server, "ada", "/");
	const context = await browser.newContext();
	const other = await context.newPage();
	await signIn(other, server, "ada", "/");
	const stream = await other.evaluateHandle(async (path) => {
		const source = new EventSource(path);
		await new Promise((resolve) => source.addEventListener("live", resolve, { once: true }));
		return source;
	}, `/api/v1/builds/${build.id}/events`);
	// A first error is the end of the stream; when the browser comes back it is told that this is for good.
	const closed = stream.evaluate(
		(source) =>
			new Promise<boolean>((resolve) => {
				source.addEventListener("error", () => {
					if (source.readyState === EventSource.CLOSED) resolve(true);
				});
			}),
	);
	await page.evaluate(async () => {
		await fetch("/sign-out", { method: "POST", body: new URLSearchParams({ everywhere: "1" }) });
	});
	expect(await closed).toBe(true);
	expect(await status(other, `/api/v1/builds/${build.id}`)).toBe(401);
	await other.goto(`${server.url}/sign-in`); // a page takes the cookie back
	for (const one of [page, other]) expect((await me(one, server)).name).toBeNull();
	expect(await context.cookies()).not.toContainEqual(
		expect.objectContaining({ value: expect.stringMatching(/^sts_/) }),
	);
	await context.close();
});

test("who goes back after a session has ended elsewhere sees nothing of it", async ({
	cached,
	server,
}) => {
	for (const [status, told] of [
		["running", false],
		["running", true],
		["passed", false],
	] as const) {
		const build = await server.build({ project: "acme/api", title: "Only for developers" });
		await build.step("s", "running");
		await build.log("s", "as secret\n");
		if (status === "passed") {
			await build.finish("s");
			await build.send({ build: { status } });
		}
		const page = await cached.newPage();
		const shown: string[] = [];
		page.on("console", (message) => shown.push(message.text()));
		await page.addInitScript(() => {
			addEventListener("pageshow", ({ persisted }) => console.log(`persisted: ${persisted}`));
		});
		const path = `/builds/${build.id}#s`;
		await signIn(page, server, "ada", path);
		await expect(page.getByText("as secret")).toBeVisible();
		const away = () => page.goto(`${server.url}/sign-in`);
		if (!told) await away();
		await page.request.post(`${server.url}/sign-out`, {
			form: {},
			headers: { Origin: server.url },
		});
		if (told) {
			await expect(page.getByText("Your access has ended")).toBeVisible();
			await away();
		}
		await page.evaluate(() => history.back());
		await expect(page.getByRole("heading", { name: "No such build" })).toBeVisible();
		await expect(page.getByText("as secret")).toHaveCount(0);
		await expect(page.getByText("Only for developers")).toHaveCount(0);
		expect(shown, "it had been kept").toContain("persisted: true");
		await page.close();
	}
});

test("who goes back after somebody has signed out sees nothing of theirs, and asks anew", async ({
	cached,
	server,
}) => {
	const build = await server.build({ project: "acme/api", title: "Only for developers" });
	await build.step("s", "running");
	await build.log("s", "as secret\n");
	for (const path of [`/builds/${build.id}`, `/plain/builds/${build.id}/steps/s`]) {
		const page = await cached.newPage();
		await signIn(page, server, "ada", path);
		await expect(page.getByText("as secret")).toBeVisible();
		await page.goto(`${server.url}/sign-in`);
		await page.getByRole("button", { name: "Sign out", exact: true }).click();
		await expect(page.getByRole("link", { name: "Sign in with Acme" })).toBeVisible();
		const asked = page.waitForRequest(server.url + path);
		await page.evaluate(() => history.go(-2));
		await asked;
		await expect(page.getByText("as secret")).toHaveCount(0);
		await page.close();
	}
});

test("who cancels at the provider is told so, and can go on", async ({ page, server }) => {
	await page.goto(`${server.url}/sign-in?back=/wall`);
	await page.getByRole("link", { name: "Sign in with Acme" }).click();
	await page.getByRole("link", { name: "Cancel" }).click();
	await expect(page.getByText("You were not signed in")).toBeVisible();
	await expect(page.getByRole("link", { name: "Sign in with Acme" })).toHaveAttribute(
		"href",
		/back=(%2f|\/)wall/i,
	);
	expect((await me(page, server)).name).toBeNull();
});

test("a token signs in as well, and its text stays out of the address", async ({
	page,
	server,
}) => {
	const build = await server.build({ project: "secret/thing", title: "Only with a token" });
	// The gallery, whose previews are unknown to whoever sees nothing, says so.
	await page.goto(`${server.url}/embed?project=secret/thing`);
	await expect(page.getByText("no project secret/thing that you may see")).toBeVisible();
	await page.getByRole("link", { name: "sign in", exact: true }).click();
	await page.waitForURL(`${server.url}/sign-in?back=%2Fembed%3Fproject%3Dsecret%2Fthing`);
	await page.goto(`${server.url}/sign-in?back=/builds/${build.id}`);
	await page.getByLabel("Token").fill("stp_no");
	await page.getByRole("button", { name: "with the token" }).click();
	await expect(page.getByText("it was not copied whole").first()).toBeVisible();
	await page.getByLabel("Token").fill(server.token);
	await page.getByRole("button", { name: "with the token" }).click();
	await page.waitForURL(`${server.url}/builds/${build.id}`);
	await expect(page.getByText("Only with a token").first()).toBeVisible();
	expect((await me(page, server)).name).toBe("first token");
});
