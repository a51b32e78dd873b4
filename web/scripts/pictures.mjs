// Takes the pictures of docs/images: a real server, builds that never were, and Chromium. Run it when
// the pages look different: npm run pictures. pngquant makes them small, if it is there.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const root = fileURLToPath(new URL("../..", import.meta.url));
const images = join(root, "docs/images");
const dir = mkdtempSync(join(tmpdir(), "stepcast-pictures-"));
chmodSync(dir, 0o755); // as root, the embedded PostgreSQL runs as another user
const data = join(dir, "data");
const server = spawn(
	join(root, "bin/stepcast"),
	["serve", "--data-dir", data, "--listen", "127.0.0.1:0"],
	{
		stdio: ["ignore", "ignore", "pipe"],
		env: { ...process.env, STEPCAST_DATABASE_URL: "" },
	},
);
const gone = new Promise((resolve) => server.once("exit", resolve));
try {
	await new Promise((resolve, reject) => {
		let said = "";
		server.stderr.on("data", (piece) => {
			said += piece;
			if (said.includes("Token")) resolve();
		});
		server.once("exit", () => reject(new Error(said)));
	});
	const url = readFileSync(join(data, "address"), "utf8").trim();
	const token = readFileSync(join(data, "token"), "utf8").trim();
	const builds = await tell(url, token);
	mkdirSync(images, { recursive: true });
	await take(url, token, builds);
	const pictures = readdirSync(images).map((name) => join(images, name));
	spawnSync("pngquant", ["--force", "--ext", ".png", "--speed", "1", "64", ...pictures]);
} finally {
	server.kill("SIGTERM");
	await gone;
	rmSync(dir, { recursive: true, force: true });
}

async function take(url, token, { failed, running }) {
	const executablePath = process.env.STEPCAST_CHROMIUM ?? "/usr/bin/chromium";
	const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
	const portal = createServer((_request, response) => response.end(portalPage(url, running)));
	await once(portal.listen(0, "127.0.0.1"), "listening");
	for (const colorScheme of ["light", "dark"]) {
		const shoot = async (name, path, width, height, ready) => {
			const page = await browser.newPage({ viewport: { width, height }, colorScheme });
			await page.goto(url + path);
			await ready(page);
			await page.screenshot({ path: join(images, `${name}-${colorScheme}.png`) });
			await page.close();
		};
		const text = (words) => (page) => page.getByText(words).first().waitFor();
		await shoot(
			"build",
			`/builds/${failed}#test%2Flinux:L282`,
			1280,
			720,
			text("nested comment not"),
		);
		await shoot("waterfall", `/builds/${failed}?view=waterfall`, 1280, 480, text("Critical path"));
		await shoot("builds", "/", 1280, 560, text("Retry on 502"));
		await shoot("phone", `/builds/${running}`, 390, 720, text("listening"));
		const signIn = async (page) => {
			await page.getByLabel("Token", { exact: true }).fill(token);
			await page.getByRole("button", { name: "Sign in with the token" }).click();
			await page.getByRole("link", { name: "Sign out" }).waitFor();
		};
		const back = (path) => `/sign-in?back=${encodeURIComponent(path)}`;
		await shoot("project", back("/settings/projects/acme/api"), 1280, 720, signIn);
		await shoot("tokens", back("/settings/tokens"), 1280, 560, signIn);

		const page = await browser.newPage({ viewport: { width: 960, height: 500 }, colorScheme });
		await page.goto(`http://127.0.0.1:${portal.address().port}`);
		for (const words of ["listening", "Check out", "Close what was opened", "acme/docs"]) {
			await page.getByText(words).first().waitFor();
		}
		await page.screenshot({ path: join(images, `embeds-${colorScheme}.png`) });
		await page.close();
	}
	portal.close();
	const wall = await browser.newPage({ viewport: { width: 1280, height: 600 } });
	await wall.goto(`${url}/wall?project=acme/*`);
	await wall.getByText("failing for").first().waitFor();
	await wall.screenshot({ path: join(images, "wall.png") });
	await browser.close();
}

/** A page of somebody else, with all four elements. */
function portalPage(url, build) {
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Acme</title>
<style>
	html { color-scheme: light dark; font: 17px/1.6 Georgia, serif; }
	body { max-width: 50rem; margin: 1.5rem auto; }
	h1 { margin: 0; font-size: 1.5rem; }
	.two { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; align-items: start; }
	stepcast-log { --stepcast-height: 15em; }
	stepcast-board { margin-top: 1rem; --stepcast-tile-width: 16em; --stepcast-tile-height: 7em; }
</style>
<h1>Acme, today</h1>
<p>What will be deployed: <stepcast-status project="acme/api" branch="main"></stepcast-status></p>
<div class="two">
	<stepcast-steps build="${build}"></stepcast-steps>
	<stepcast-log build="${build}" lines="12"></stepcast-log>
</div>
<stepcast-board projects="acme/*"></stepcast-board>
<script async src="${url}/widgets.js"></script>`;
}

/** Reports the builds that the pictures show. */
async function tell(url, token) {
	const began = Date.now();
	const at = (minutes) => new Date(began + minutes * 60_000).toISOString();
	const post = async (path, body) => {
		const response = await fetch(`${url}/api/v1/builds${path}`, {
			method: "POST",
			headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
			body: JSON.stringify(body),
		});
		const answer = await response.text();
		if (!response.ok) throw new Error(answer);
		return JSON.parse(answer);
	};
	/** A build with steps of [key, name, needs, status, from minute, to minute, log]. */
	const build = async (fields, from, to, status, steps, notes = []) => {
		const { id } = await post("", {
			branch: "main",
			trigger: "push",
			...fields,
			steps: steps.map(([key, name, needs]) => ({ key, name, needs })),
		});
		const say = (...updates) => post(`/${id}/updates`, { updates });
		await say({ build: { status: "running", started_at: at(from) } });
		for (const [key, , , status, from, to, log] of steps) {
			if (from === undefined) continue;
			await say({ step: { key, status: "running", started_at: at(from) } });
			if (log) await say({ log: { step: key, offset: 0, at: at(from), text: log } });
			const mine = notes.filter((note) => note.step === key);
			if (mine.length > 0) await say(...mine.map((note) => ({ note })));
			if (to === undefined) continue;
			const exit_code = status === "passed" ? 0 : 2;
			await say({ step: { key, status, finished_at: at(to), exit_code } });
		}
		if (to !== undefined) await say({ build: { status, finished_at: at(to) } });
		return id;
	};
	const usual = (from, bad) => [
		["checkout", "Check out", [], "passed", from, from + 0.1],
		["test/linux", "Unit tests", ["checkout"], bad ? "failed" : "passed", from + 0.1, from + 1.5],
		["test/darwin", "Unit tests", ["checkout"], "passed", from + 0.1, from + 2],
		[
			"package",
			"Package",
			["test/linux", "test/darwin"],
			bad ? "skipped" : "passed",
			...(bad ? [] : [from + 2, from + 2.3]),
		],
	];
	const past = [
		["Bump pgx to 5.12", "Ada Lovelace"],
		["Retry on 502", "Grace Hopper"],
		["Remove the old cache", "Ada Lovelace", true],
		["Docs: how to deploy", "Radia Perlman"],
		["Speed up replay", "Grace Hopper"],
	];
	for (const [i, [title, author, bad = false]] of past.entries()) {
		const from = -60 * (past.length - i);
		const commit = `${i}a1b2c3d4e5f60718293a4b5c6d7e8f901234567`.slice(0, 40);
		await build(
			{ project: "acme/api", title, author, commit },
			from,
			from + 2.3,
			bad ? "failed" : "passed",
			usual(from, bad),
		);
	}
	for (const [project, outcomes] of [
		["acme/web", "pff"],
		["acme/mobile", "pp"],
		["acme/infra", "pc"],
		["acme/docs", "pp"],
	]) {
		for (const [i, outcome] of [...outcomes].entries()) {
			const from = -90 * (outcomes.length - i) + 30;
			const status = { p: "passed", f: "failed", c: "canceled" }[outcome];
			await build(
				{ project, title: "Change the button's colour", author: "Radia Perlman" },
				from,
				from + 3,
				status,
				[["test", "Integration tests", [], status, from, from + 3]],
			);
		}
	}
	const [log, notes] = failingLog();
	const failed = await build(
		{
			project: "acme/api",
			title: "Teach the parser about nested comments",
			author: "Ada Lovelace",
			commit: "0123456789abcdef0123456789abcdef01234567",
			url: "https://example.org/run/1",
		},
		-9,
		-6.8,
		"failed",
		[
			["checkout", "Check out", [], "passed", -9, -8.9],
			["vet", "Vet", ["checkout"], "passed", -8.9, -8.6],
			["test/linux", "Unit tests", ["checkout"], "failed", -8.9, -7.4, log],
			["test/darwin", "Unit tests", ["checkout"], "passed", -8.8, -6.8],
			["package", "Package", ["vet", "test/linux", "test/darwin"]],
		],
		notes,
	);
	const running = await build(
		{ project: "acme/api", title: "Close what was opened", author: "Ada Lovelace" },
		-1,
		undefined,
		"running",
		[
			["checkout", "Check out", [], "passed", -1, -0.9],
			[
				"test/linux",
				"Unit tests",
				["checkout"],
				"running",
				-0.9,
				undefined,
				"$ make test\n\u001b[32m✓\u001b[0m parses an empty file\n\u001b[32m✓\u001b[0m parses nested comments\nserver: listening on :8080\n",
			],
			["package", "Package", ["test/linux"]],
		],
	);
	for (const project of ["api", "web", "mobile", "infra", "docs"]) {
		const response = await fetch(`${url}/api/v1/projects/acme/${project}`, {
			method: "PATCH",
			headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
			body: '{"visibility":"public"}',
		});
		if (!response.ok) throw new Error(await response.text());
	}
	for (const [name, project, scopes] of [
		["runners of acme", "acme/*", ["report"]],
		["portal", "acme/api", ["status"]],
		["nightly report", "acme/*", ["read"]],
	]) {
		const expires_at = new Date(began + 90 * 86_400_000).toISOString();
		const response = await fetch(`${url}/api/v1/tokens`, {
			method: "POST",
			headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
			body: JSON.stringify({ name, project, scopes, expires_at }),
		});
		if (!response.ok) throw new Error(await response.text());
	}
	return { failed, running };
}

function failingLog() {
	const step = "test/linux";
	const lines = ["\u001b[1m$ make test\u001b[0m"];
	const notes = [];
	const note = (line, what) => notes.push({ step, number: notes.length, line, ...what });
	const group = (name, seconds, more) => {
		const number = notes.length;
		note(lines.length + 1, { group: { name, level: 1, folded: false } });
		lines.push(...more);
		note(lines.length + 1, { group_end: { group: number, duration_s: seconds } });
	};
	const numbered = (n, line) => Array.from({ length: n }, (_, i) => line(i + 1));
	group(
		"Install dependencies",
		7.2,
		numbered(180, (i) => `\u001b[32mgo: downloading\u001b[0m example.org/lib${i} v1.${i}.0`),
	);
	group(
		"Compile",
		2.4,
		numbered(60, (i) => `compile \u001b[36minternal/pkg${i}\u001b[0m`),
	);
	lines.push(...numbered(40, (i) => `\u001b[32m=== RUN\u001b[0m   TestParse/case_${i}`));
	lines.push("    parse_test.go:41: nested comment not closed, see https://example.org/issues/41");
	note(lines.length, {
		annotation: {
			level: "error",
			message: "nested comment not closed",
			file: "parse_test.go",
			file_line: 41,
		},
	});
	note(lines.length, {
		test: {
			suite: "internal/parse",
			name: "TestParse/nested_comment",
			status: "failed",
			duration_s: 0.02,
			message: "parse_test.go:41: nested comment not closed",
		},
	});
	lines.push("\u001b[31m--- FAIL: TestParse/nested_comment\u001b[0m (0.02s)");
	for (let i = 1; i <= 41; i++) {
		note(241 + Math.min(i, 40), {
			test: {
				suite: "internal/parse",
				name: `TestParse/case_${i}`,
				status: "passed",
				duration_s: 0.01,
			},
		});
	}
	lines.push("parse.go:17:2: \u001b[33mwarning\u001b[0m: unused variable depth");
	note(lines.length, {
		annotation: {
			level: "warning",
			message: "unused variable depth",
			file: "parse.go",
			file_line: 17,
		},
	});
	lines.push("\u001b[31mFAIL\u001b[0m", "make: *** [Makefile:12: test] Error 1");
	return [`${lines.join("\n")}\n`, notes];
}
