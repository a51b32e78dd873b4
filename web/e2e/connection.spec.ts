import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connectionErrors, expect, expectLines, log, type Server, test } from "./stepcast.ts";

const state = "stream-state [role=status]";

test("EventSource: exact text, resuming, and 204 after the end", async ({ page, server }) => {
	const build = await server.build();
	const texts = [
		"a\r\nb\rc\n",
		"\u0000\u2028\u2029\ufeff\u{1f600}\n",
		"data: x\n\nid: 9\n: y\n",
		"é",
	];
	await build.step("s", "running");
	for (const text of texts) await build.log("s", text);
	await build.step("empty", "passed", { log_bytes: 0 });
	await build.finish("s");
	await page.goto(server.url);
	const heard = await page.evaluate(async (path) => {
		const heard: { kind: string; id: string; text?: string }[] = [];
		const read = (url: string, until: (kind: string) => boolean) =>
			new Promise<EventSource>((resolve) => {
				const source = new EventSource(url);
				for (const kind of ["build", "step", "log", "live", "end"]) {
					source.addEventListener(kind, (event) => {
						heard.push({ kind, id: event.lastEventId, text: JSON.parse(event.data).text });
						if (until(kind)) resolve(source);
					});
				}
			});
		// As far as the second chunk, then from its id on.
		let logs = 0;
		const first = await read(path, (kind) => kind === "log" && ++logs === 2);
		first.close();
		const second = await read(`${path}?after=${heard.at(-1)?.id}`, (kind) => kind === "end");
		// Left open, it comes back by itself, is told 204 and ends for good.
		await new Promise<void>((resolve) => {
			second.addEventListener("error", () => {
				if (second.readyState === EventSource.CLOSED) resolve();
			});
		});
		return heard;
	}, `/api/v1/builds/${build.id}/events`);
	const text = heard.map((event) => event.text ?? "").join("");
	expect(text).toBe(texts.join(""));
	const ids = heard.filter(({ kind }) => kind !== "live" && kind !== "end").map(({ id }) => id);
	expect(new Set(ids).size).toBe(ids.length);
	expect(heard.at(-1)?.kind).toBe("end");
});

/**
 * A server of its own that answers a build's events as it is told to and takes all else from the
 * real one, so that the answers are ones that the real one gives on a bad day only.
 */
async function scripted(
	real: Server,
	answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; close: () => void }> {
	const server = createServer(async (request, response) => {
		if (request.url?.includes("/events")) return answer(request, response);
		const got = await fetch(real.url + request.url);
		response.writeHead(got.status, {
			"Content-Type": got.headers.get("content-type") ?? "",
			"Content-Security-Policy": got.headers.get("content-security-policy") ?? "",
		});
		response.end(Buffer.from(await got.arrayBuffer()));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		close: () => {
			server.closeAllConnections();
			server.close();
		},
	};
}

const at = "2026-11-22T10:00:00Z";
const built = { id: "b", project: "e2e", number: 7, status: "running", created_at: at, at };
const step = { key: "s", status: "running", at };
const line = (text: string) => ({ at, step: "s", line: 1, offset: 0, bytes: text.length, text });

function frame(kind: string, id: number, data: unknown): string {
	return `${id ? `id: abcdef-${id}\n` : ""}event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The start of a stream with one line of log. */
function opening(from: number, text: string): string {
	return (
		frame("build", from, built) +
		frame("step", from + 1, step) +
		frame("log", from + 2, line(text)) +
		frame("live", from + 2, {})
	);
}

test("unavailable, reset and end", async ({ page, server, complaints }) => {
	complaints.expected = connectionErrors;
	const answers = [
		opening(1, "old\n"),
		frame("unavailable", 0, {}),
		frame("reset", 4, { reason: "rewound" }) + opening(5, "new\n"),
		frame("build", 8, { ...built, status: "passed" }) + frame("end", 8, {}),
	];
	const asked: unknown[] = [];
	const bad = await scripted(server, (request, response) => {
		response.writeHead(200, { "Content-Type": "text/event-stream" });
		response.end(`retry: 50\n\n${answers[asked.length] ?? ""}`);
		asked.push(request.headers["last-event-id"]);
	});
	await page.goto(`${bad.url}/builds/b`);
	await expect(page.locator(state)).toHaveText("Finished");
	await expectLines(page, ["new"]);
	expect(asked).toEqual([undefined, "abcdef-3", "abcdef-3", "abcdef-7"]);
	bad.close();
});

test("a stream that was closed for good is opened anew at its cursor, once it may be", async ({
	page,
	server,
	complaints,
}) => {
	complaints.expected = connectionErrors;
	const asked: string[] = [];
	const bad = await scripted(server, (request, response) => {
		const stream = request.headers.accept === "text/event-stream";
		const query = new URL(request.url ?? "", "http://x").search;
		asked.push(`${stream ? "stream" : "page"} ${query}`);
		if (stream && asked.length === 1) {
			response.writeHead(200, { "Content-Type": "text/event-stream" });
			response.end(`retry: 50\n\n${opening(1, "one\n")}`);
		} else if (stream && asked.length < 6) {
			response.writeHead(503).end();
		} else if (stream) {
			response.writeHead(204).end();
		} else {
			const end = asked.length > 6;
			response.writeHead(200, { "Content-Type": "application/json" });
			response.end(JSON.stringify({ events: [], next: "abcdef-3", end }));
		}
	});
	await page.goto(`${bad.url}/builds/b`);
	await expect(page.locator(state)).toHaveText("Finished", { timeout: 30_000 });
	await expectLines(page, ["one"]);
	expect(asked).toEqual([
		"stream ?tail=10000",
		"stream ?tail=10000", // the EventSource's own, with Last-Event-ID
		"page ?after=abcdef-3&limit=1",
		"stream ?after=abcdef-3",
		"page ?after=abcdef-3&limit=1",
		"stream ?after=abcdef-3",
		"page ?after=abcdef-3&limit=1",
	]);
	bad.close();
});

for (const [status, words] of [
	[400, "No such build"],
	[401, "Not signed in"],
	[403, "Not available"],
	[404, "No such build"],
] as const) {
	test(`${status} is said, and not asked for again`, async ({ page, server, complaints }) => {
		complaints.expected = connectionErrors;
		let asked = 0;
		const bad = await scripted(server, (_, response) => {
			asked++;
			response.writeHead(status).end();
		});
		await page.goto(`${bad.url}/builds/b`);
		await expect(page.getByRole("heading", { name: words })).toBeVisible();
		await expect(page.locator(state)).toHaveText("Not connected");
		expect(asked).toBe(2);
		bad.close();
	});
}

test("a connection that died without a word is made anew", async ({ page, server, complaints }) => {
	complaints.expected = connectionErrors;
	const asked: string[] = [];
	const bad = await scripted(server, (request, response) => {
		asked.push(new URL(request.url ?? "", "http://x").search);
		response.writeHead(200, { "Content-Type": "text/event-stream" });
		// The first is left open and silent for ever.
		if (asked.length === 1) response.write(opening(1, "one\n"));
		else response.write(frame("end", 4, {}));
	});
	await page.clock.install({ time: at });
	await page.goto(`${bad.url}/builds/b`);
	await expect(page.locator(state)).toHaveText("Live");
	await page.clock.fastForward(50_000);
	await expect(page.locator(state)).toHaveText("No news from the server");
	// With the clock standing still, only the button makes the next attempt.
	await page.clock.pauseAt("2026-11-22T10:10:00Z");
	await expect(page.locator(state)).toHaveText("Reconnecting");
	expect(asked).toHaveLength(1);
	await page.getByRole("button", { name: "Retry now" }).dispatchEvent("click");
	await page.clock.resume();
	await expect(page.locator(state)).toHaveText("Finished");
	await expectLines(page, ["one"]);
	expect(asked).toEqual(["?tail=10000", "?after=abcdef-3"]);
	bad.close();
});

test("silence is told from quiet", async ({ page, server, context, complaints }) => {
	complaints.expected = connectionErrors;
	const build = await server.build();
	await build.step("s", "running");
	await page.clock.install();
	await page.goto(build.url);
	await expect(page.locator(state)).toHaveText("Live");
	await page.clock.fastForward(47_000);
	await expect(page.locator(state)).toHaveText("No news from the server");
	await expect(page.locator("stream-state")).toContainText(/No news for \d\d s/);
	await build.log("s", "news\n");
	await expect(page.locator(state)).toHaveText("Live");

	// On a machine without a network the browser says so from the start, and is not believed.
	const online = await page.evaluate(() => navigator.onLine);
	await context.setOffline(true);
	await expect(page.locator(state)).toHaveText(online ? "Offline" : "Live");
	await expect(log(page).locator(".line")).toHaveText(["news"]);
	await context.setOffline(false);
	await page.clock.runFor(1_000);
	await expect(page.locator(state)).toHaveText("Live", { timeout: 20_000 });
	await build.finish("s");
});
