import type { BrowserContext, Page } from "@playwright/test";
import { foreign, texts, trap } from "./hostile.ts";
import { expect, expectLines, log, type Reporter, type Server, test } from "./stepcast.ts";

/** Names that every object in JavaScript has, or that its prototype is called by. */
const keys = [
	"__proto__",
	"constructor",
	"toString",
	"hasOwnProperty",
	"__proto__/constructor",
	"valueOf/__proto__/x",
	"-._",
];

/** What terminals do, and a page does not. None of it is at the end of a line or writes over anything. */
const escapes = [
	"\x1b]8;;javascript:owned()\x1b\\a link\x1b]8;;\x1b\\",
	"\x1b]8;;data:text/html,<script>owned()</script>\x07a link\x1b]8;;\x07",
	'\x1b]8;;https://elsewhere.example/"onmouseover="owned()\x1b\\a link\x1b]8;;\x1b\\',
	"\x1b]8;;vbscript:owned()\x1b\\never closed",
	"\x1b]52;c;b3duZWQoKQ==\x07clipboard",
	"\x1b]0;<script>owned()</script>\x07title",
	"\x1b]1337;File=inline=1:PHN2ZyBvbmxvYWQ9b3duZWQoKT4=\x07image",
	"\x1bPq#0;2;0;0;0#0!99999~\x1b\\sixel",
	"\x1b_Gf=24,s=9999,v=9999;AAAA\x1b\\graphics",
	"\x1b^private\x1b\\ \x1bXstring\x1b\\",
	"\x1b[?1049h\x1b[2J\x1b[3Jcleared",
	`\x1b[${"1;".repeat(20_000)}31mred`,
	`\x1b[38;2;${"9".repeat(5_000)};1;1mhuge\x1b[0m`,
	"\x1b[38;5;99999mfar\x1b[48;2;-1;0;0mbelow\x1b[0m",
	"\x1b[6n\x1b[c\x1b]10;?\x07asked",
	"\u009b31mC1 \u0000\u0001\u007f\u0085 \ufffd\ufffe\u{10ffff}",
	'https://elsewhere.example/"><script>owned()</script>',
	"https://a'onmouseover='owned()' http://[::1 https://x:99999999/ http://%00/",
	"::add-mask::x ##[group]<b> ::error file=<script>,line=1::owned()",
];

/** Requests to anything but the server, new windows and dialogs: there are none. */
function overhear(context: BrowserContext, server: Server): string[] {
	const heard: string[] = [];
	context.on("request", (request) => {
		const url = request.url();
		if (!url.startsWith(`${server.url}/`) && !url.startsWith("data:image/svg+xml,")) {
			heard.push(`request: ${url}`);
		}
	});
	context.on("page", (page) => heard.push(`window: ${page.url()}`));
	context.on("dialog", (dialog) => {
		heard.push(`dialog: ${dialog.message()}`);
		void dialog.dismiss();
	});
	return heard;
}

/** Complaints that shared workers wrote on their consoles, since they started. */
async function workersComplaints(page: Page): Promise<string[]> {
	const session = await page.context().browser()?.newBrowserCDPSession();
	if (!session) return [];
	const heard: string[] = [];
	session.on("Target.receivedMessageFromTarget", ({ message }) => {
		const { method, params } = JSON.parse(message);
		if (method === "Log.entryAdded" && params.entry.level !== "verbose")
			heard.push(params.entry.text);
		if (method === "Runtime.exceptionThrown") heard.push(JSON.stringify(params.exceptionDetails));
	});
	const { targetInfos } = await session.send("Target.getTargets");
	for (const { targetId, type } of targetInfos) {
		if (type !== "shared_worker") continue;
		const { sessionId } = await session.send("Target.attachToTarget", { targetId });
		for (const [id, method] of ["Log.enable", "Runtime.enable", "Runtime.evaluate"].entries()) {
			const answered = new Promise<void>((resolve) => {
				session.on("Target.receivedMessageFromTarget", (said) => {
					if (JSON.parse(said.message).id === id) resolve();
				});
			});
			await session.send("Target.sendMessageToTarget", {
				sessionId,
				message: JSON.stringify({ id, method, params: { expression: "0" } }),
			});
			await answered;
		}
	}
	await session.detach();
	return heard;
}

let build: Reporter;
const each: Reporter[] = [];
const lines = [...texts, ...escapes, "the end"];

/** The texts of a build that its page shows. */
const shown = ["title", "branch", "author", "trigger"];

test.beforeAll(async ({ server }) => {
	test.setTimeout(120_000);
	for (const [i, text] of texts.entries()) {
		const other = (by: number) => texts[(i + by) % texts.length] ?? "";
		const one = await server.build({
			project: keys[i % keys.length]?.replace("valueOf/__proto__/x", "valueOf/__proto__"),
			...Object.fromEntries(shown.map((field, by) => [field, other(by)])),
			commit: other(shown.length),
			url: `https://elsewhere.example/${encodeURI(text)}"'<x>${i}`.replaceAll(" ", ""),
		});
		await one.step("constructor", "running", { name: text });
		await one.finish("constructor", i % 2 === 0 ? "failed" : "passed");
		each.push(one);
	}
	build = await server.build({
		project: "__proto__/constructor",
		branch: texts[2],
		commit: "<script>owned()</script>",
		title: texts.slice(0, 8).join(" "),
		author: texts[1],
		trigger: texts[4],
		url: 'https://elsewhere.example/"onclick="owned()',
		steps: [
			...texts.map((name, i) => ({ key: `t${i}`, name, needs: i > 0 ? [`t${i - 1}`] : [] })),
			...keys.map((key, i) => ({ key, needs: i > 0 ? [keys[i - 1]] : ["t1"] })),
			{ key: "long" },
		],
	});
	await build.step("t0", "running");
	await build.log("t0", `${lines.join("\n")}\n`);
	const notes = texts.flatMap((text, i) => [
		{ line: i + 1, group: { name: text, level: 1 + (i % 2) } },
		{
			line: i + 1,
			annotation: {
				level: ["error", "warning", "notice"][i % 3],
				message: `${text}\n${escapes[i % escapes.length]?.slice(0, 2_000)}`,
				title: text,
				file: text,
				file_line: 1,
			},
		},
		{
			test: {
				name: text,
				suite: texts[(i + 1) % texts.length],
				status: ["passed", "failed", "skipped"][i % 3],
				message: `${text}\n${escapes[i % escapes.length]?.slice(0, 2_000)}`,
			},
		},
	]);
	await build.send(...notes.map((note, number) => ({ note: { step: "t0", number, ...note } })));
	for (const key of keys) {
		await build.step(key, "running");
		await build.log(key, `text of ${key}\n`);
		await build.send({ note: { step: key, number: 0, test: { name: key, status: "failed" } } });
	}
	await build.step("long", "running");
	await build.log("long", `${"<b onclick=owned()>".repeat(55_000)}\nafter it\n`);
});

test("the server refuses what cannot be shown", async ({ server }) => {
	const answers = async (path: string, body: string) => {
		const response = await fetch(`${server.url}/api/v1/${path}`, {
			method: "POST",
			headers: { Authorization: `Bearer ${server.token}`, "Content-Type": "application/json" },
			body,
		});
		expect(response.headers.get("Content-Type")).toContain("json");
		return response.status;
	};
	const refused: readonly unknown[] = [
		...["javascript:owned()", "JaVaScRiPt://x/%0Aowned()", "data:text/html,x", "//x", "\x1b"].map(
			(url) => ({ url }),
		),
		...["<script>", "a b", "a/../b", "", "x\u0000", "é", 'a"b', "a\n"].map((project) => ({
			project,
		})),
		...["title", "branch", "author", "trigger", "commit"].flatMap((field) =>
			["\x1b[31mred", "a\u0000b", "a\nb", "\u009b1m"].map((text) => ({ [field]: text })),
		),
		...["<b>", "\x1b[31m", "a\\b", "__proto__ "].map((key) => ({ steps: [{ key }] })),
		{ steps: [{ key: "a", name: "\x1b]8;;javascript:owned()\x07x" }] },
		{ constructor: 1 },
	];
	for (const fields of refused) {
		const body = JSON.stringify({ project: "acme/refused", ...(fields as object) });
		expect(await answers("builds", body), body).toBeGreaterThanOrEqual(400);
		expect(await answers("builds", body), body).toBeLessThan(500);
	}
	for (const body of [
		'{"project":"acme/refused","title":"\\ud800"}',
		'{"project":"acme/refused","title":"\\udc00\\ud800"}',
		'{"project":"acme/refused","__proto__":{"status":"passed"}}',
		'{"project":"acme/refused","project":"acme/other"}',
	]) {
		expect(await answers("builds", body), body).toBe(400);
	}
	expect(
		await answers(
			`builds/${build.id}/updates`,
			'{"updates":[{"log":{"step":"t0","offset":0,"text":"\\ud83d"}}]}',
		),
	).toBe(400);
});

/** Every page and view, and how to bring it about. */
const views: readonly [name: string, path: () => string, (page: Page) => Promise<unknown>][] = [
	["list", () => "/", (page) => expect(page.locator("build-item").nth(texts.length)).toBeVisible()],
	[
		"list, with suggestions",
		() => "/",
		async (page) => {
			await expect(page.locator("build-item").nth(texts.length)).toBeVisible();
			const field = (name: string) => page.locator(`builds-filter input[name=${name}]`);
			await field("branch").focus();
			const suggested = page.locator("#known-branch option");
			await expect.poll(() => suggested.count()).toBeGreaterThan(texts.length - 3);
			for (const name of ["project", "branch", "author"]) {
				await field(name).focus();
				await page.keyboard.type("<");
				await page.keyboard.press("ArrowDown");
			}
		},
	],
	[
		"list, filtered",
		() =>
			`/?branch=${encodeURIComponent(texts[2] ?? "")}&author=${encodeURIComponent(texts[3] ?? "")}`,
		(page) => expect(page.locator("build-item").first()).toContainText(texts[2] ?? ""),
	],
	[
		"list, with a filter that is refused",
		() => `/?project=${encodeURIComponent("<img src=x onerror=owned()>")}`,
		(page) => expect(page.getByRole("alert")).toContainText("pattern"),
	],
	[
		"palette",
		() => `/builds/${build.id}`,
		async (page) => {
			await expect(page.locator("build-page h1")).toBeVisible();
			await page.keyboard.press("Control+k");
			const palette = page.getByRole("dialog", { name: "Jump to" });
			await expect(page.getByRole("group", { name: "Steps" })).toBeVisible();
			for (const words of ["<", "javascript", "__proto__", "{{", "\u202e"]) {
				await palette.getByRole("combobox").fill(words);
				await expect(palette.getByRole("option").first()).toBeVisible();
			}
		},
	],
	[
		"help",
		() => "/",
		async (page) => {
			await expect(page.locator("build-item").first()).toBeVisible();
			await page.keyboard.press("?");
			await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
		},
	],
	[
		"log",
		() => `/builds/${build.id}#t0:L2`,
		async (page) => {
			await expect(page.locator(".line.selected")).toBeInViewport();
			for (const line of await log(page).locator(".line").all()) {
				if (await line.getAttribute("title")) await line.dispatchEvent("mouseover");
			}
			await log(page).locator(".line.selected").hover();
			await page.keyboard.press("/");
			await page.keyboard.type("<");
			await expect(log(page)).toContainText(/of \d+/);
		},
	],
	[
		"a long line",
		() => `/builds/${build.id}#long`,
		(page) => expect(log(page).locator(".line").last()).toHaveText("after it"),
	],
	[
		"waterfall",
		() => `/builds/${build.id}?view=waterfall`,
		async (page) => {
			const rows = page.locator("stepcast-waterfall tbody tr");
			await expect(rows).toHaveCount(texts.length + keys.length + 1);
			for (const row of (await rows.all()).slice(0, 8)) await row.hover();
		},
	],
	[
		"tests",
		() => `/builds/${build.id}?view=tests`,
		async (page) => {
			await expect(page.locator("test-results")).toContainText("<img src=x onerror=owned()>");
			for (const name of await page.locator("test-results button[aria-expanded=false]").all()) {
				await name.click();
			}
		},
	],
	[
		"problems",
		() => `/builds/${build.id}?view=problems`,
		(page) => expect(page.locator("annotation-list")).toContainText("<script>owned()</script>"),
	],
	[
		"wall",
		() => "/wall",
		async (page) => {
			const next = page.getByRole("button", { name: "Next page" });
			await expect(page.locator("stepcast-tile").nth(20)).toBeVisible();
			if (await next.isVisible()) await next.click();
			await expect(page.locator("stepcast-tile").first()).toBeVisible();
		},
	],
	[
		"wall of problems",
		() => "/wall?mode=problems&project=constructor&project=<img src=x onerror=owned()>",
		async (page) => {
			await expect(page.locator("stepcast-tile").first()).toBeVisible();
			await expect(page.locator("wall-page")).toContainText("<img src=x onerror=owned()>");
		},
	],
	["no build", () => "/builds/%3Cscript%3Eowned()%3C%2Fscript%3E", noSuch],
	["no page", () => "/%3Cimg%20src=x%20onerror=owned()%3E", noSuch],
	[
		"no step",
		() => `/builds/${build.id}#%3Cimg%20src=x%20onerror=owned()%3E`,
		(page) => expect(page.locator("build-page .panel")).toContainText("has no step"),
	],
	["plain list", () => "/plain", (page) => expect(page.locator("h2").first()).toBeVisible()],
	[
		"plain list, filtered",
		() => `/plain?project=${encodeURIComponent('"><script>owned()</script>')}`,
		(page) => expect(page.locator("h1")).toBeVisible(),
	],
	[
		"plain build",
		() => `/plain/builds/${build.id}`,
		(page) => expect(page.locator("main")).toContainText("<img src=x onerror=owned()>"),
	],
	[
		"plain log",
		() => `/plain/builds/${build.id}/steps/t0`,
		(page) => expect(page.locator("main")).toContainText("<img src=x onerror=owned()>"),
	],
	[
		"plain, no page",
		() => "/plain/%3Cscript%3Eowned()%3C%2Fscript%3E",
		(page) => expect(page.locator("h1")).toBeVisible(),
	],
];

function noSuch(page: Page): Promise<void> {
	return expect(page.getByRole("heading", { name: /no such/i })).toBeVisible();
}

for (const colorScheme of ["light", "dark"] as const) {
	test(`no page takes a text for more than text, ${colorScheme}`, async ({
		page,
		context,
		server,
		complaints,
	}) => {
		test.setTimeout(180_000);
		const refusal = /^Failed to load resource: .* status of 40[04] /;
		complaints.expected = [refusal];
		await page.emulateMedia({ colorScheme });
		await trap(page);
		const heard = overhear(context, server);
		for (const [name, path, come] of views) {
			await test.step(name, async () => {
				const answer = await page.goto(server.url + path());
				const refused = /^(no|plain, no) page|^plain list, filtered/.test(name);
				// Within one document there is no answer.
				expect(answer?.ok() ?? true).toBe(!refused);
				await come(page);
				expect(await foreign(page)).toEqual([]);
				expect(heard).toEqual([]);
				expect(complaints.heard.filter((text) => !refusal.test(text))).toEqual([]);
			});
		}
		await page.goto(build.url);
		await expect(page.locator("stream-state [role=status]")).toHaveText("Live");
		expect(await workersComplaints(page)).toEqual([]);
	});
}

test("each text is shown as it is, in each place of a build's page", async ({
	page,
	context,
	server,
}) => {
	test.setTimeout(120_000);
	await trap(page);
	const heard = overhear(context, server);
	const facts = page.locator("build-page .facts");
	for (const [i, one] of each.entries()) {
		await page.goto(one.url);
		for (const text of shown.map((_, by) => texts[(i + by) % texts.length] ?? "")) {
			await expect.poll(() => facts.evaluate((e) => e.textContent)).toContain(text);
		}
		const icon = await page.locator("link[rel=icon]").getAttribute("href");
		expect(icon).toMatch(/^data:image\/svg\+xml,/);
		expect(decodeURIComponent(icon ?? "")).not.toMatch(/owned|script|\son/);
		expect(await foreign(page)).toEqual([]);
	}
	expect(heard).toEqual([]);
});

test("log lines are shown byte for byte, whatever they would do elsewhere", async ({ page }) => {
	await trap(page);
	await page.goto(`${build.url}#t0`);
	await expectLines(page, lines);
	await expect(log(page).locator(".text a[href^='https://elsewhere.example/']")).not.toHaveCount(0);
	await expect(log(page).locator(".text a:not([rel='noopener noreferrer'])")).toHaveCount(0);
});

test("a notification says what the build says, as text", async ({ page, context, server }) => {
	await context.grantPermissions(["notifications"], { origin: server.url });
	await trap(page);
	await page.addInitScript(() => {
		const told: string[] = [];
		Object.assign(globalThis, { told });
		globalThis.Notification = class extends Notification {
			constructor(title: string, options?: NotificationOptions) {
				super(title, options);
				told.push(this.title, this.body);
			}
		};
	});
	const title = "<script>owned()</script>";
	const one = await server.build({ project: "constructor/__proto__", branch: texts[1], title });
	await one.step("toString", "running");
	await page.goto(one.url);
	await page.getByRole("button", { name: "Notify me" }).click();
	await expect(page.getByRole("button", { name: "Notify me" })).toHaveAttribute(
		"aria-pressed",
		"true",
	);
	await one.finish("toString");
	await expect
		.poll(() => page.evaluate(() => (globalThis as unknown as { told: string[] }).told))
		.toEqual([expect.stringContaining(texts[1] ?? ""), title]);
	await expect(page).toHaveTitle(/✓ <img src=x onerror=owned\(\)> #\d+ passed/);
});

test("steps whose keys are names of JavaScript's own are steps like others", async ({
	page,
	server,
}) => {
	const key = "__proto__/constructor";
	await page.goto(`${build.url}#constructor`);
	for (const one of [...keys, ...keys.toReversed()]) {
		await page.evaluate(
			(hash) => {
				location.hash = hash;
			},
			`#${encodeURIComponent(one)}`,
		);
		await expect(log(page).locator("h2")).toHaveText(one);
		await expectLines(page, [`text of ${one}`]);
	}
	// Live, as at first: text, statuses, notes, for the one that is shown and for others.
	await page.evaluate(
		(hash) => {
			location.hash = hash;
		},
		`#${encodeURIComponent(key)}`,
	);
	for (const one of keys) await build.log(one, "more\n");
	await expectLines(page, [`text of ${key}`, "more"]);
	const mark = (one: string) =>
		page.locator(`stepcast-tree a[href="#${encodeURIComponent(one)}"] stepcast-mark`);
	for (const one of keys) {
		await build.step(one, "passed");
		await expect(mark(one)).toHaveText("passed");
	}
	await page.getByRole("tab", { name: "Tests" }).click();
	await expect(page.locator("test-results")).toContainText("hasOwnProperty");
	await page.getByRole("tab", { name: "Waterfall" }).click();
	for (const one of keys) await expect(page.locator("stepcast-waterfall")).toContainText(one);
	await page.goto(`${server.url}/plain/builds/${build.id}/steps/${key}`);
	await expect(page.locator("main")).toContainText(`text of ${key}`);
	await page.goto(`${server.url}/?project=__proto__`);
	await expect(page.locator("build-item").first()).toContainText("__proto__");
});
