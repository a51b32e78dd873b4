// Drives a real Chromium for the rows "pages" and "pages-live" of internal/bench, which says what they
// are. It takes one order a line and answers each with one line: figures apart by blanks, or "error" and
// why. Times are in milliseconds, each from inside the page, up to the frame in which it is to be seen.
//
//   start                          answers "ready", or "missing" and what is
//   open <address> <line>          a build's page in a new profile: until the line is in sight
//   open-bare <address>            any document: until its element "end" is in sight
//   go <address>                   leads the page there
//   jump <line>                    by the page's address: until the line is in sight
//   jump-bare <path> <line>        asks for lines and puts them into a bare page, as plain rows
//   search <total> <text>          typed into the field: until the count says that many lines
//   search-bare <path>             only the request, and what it says as objects
//   scroll <lines>                 down by the wheel: the longest task, the most processor time of one,
//                                  turns, frames, frames with a gap
//   heap                           bytes of JavaScript objects, collected: of the page, of the worker
//   follow <address>               a running build's page: answers as soon as its end is in sight
//   follow-bare <origin> <path>    a page that shows the newest piece of a stream, and nothing else
//   followed <line>                until that line is in sight: "time:line,…" of all frames that were new
//   close                          closes the page
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

/** How long a page may take, and how long any order. */
const patience = 60_000;
const mostPatience = 240_000;
/** How far a turn of the wheel goes, in pixels. */
const turn = 1_000;

let browser;
let context;
let page;

async function start() {
	let chromium;
	try {
		({ chromium } = await import("@playwright/test"));
	} catch {
		return "missing Playwright: run npm ci in web";
	}
	const system = process.env.STEPCAST_CHROMIUM ?? "/usr/bin/chromium";
	const executablePath = existsSync(system) ? system : chromium.executablePath();
	if (!existsSync(executablePath)) return "missing Chromium: set STEPCAST_CHROMIUM to where it is";
	// Chromium's sandbox refuses root.
	const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
	browser = await chromium.launch({ executablePath, args });
	return "ready";
}

/** A page that has never been anywhere: nothing is cached, no worker runs. */
async function fresh() {
	await close();
	context = await browser.newContext({ viewport: { width: 1440, height: 900 }, bypassCSP: true });
	context.setDefaultTimeout(patience);
	page = await context.newPage();
	await page.addInitScript(insert);
}

async function close() {
	await context?.close();
	context = undefined;
}

/** What every page can say of itself. It runs there, and so refers to nothing here. */
function insert() {
	const log = () =>
		["stepcast-app", "build-page", "step-log"].reduce(
			(root, name) => root?.querySelector(name)?.shadowRoot,
			document,
		);
	const region = () => log()?.querySelector("[role=region]");
	const within = (element, frame) => {
		if (!element) return false;
		const { top, bottom } = element.getBoundingClientRect();
		return bottom > top && top >= frame.top - 1 && bottom <= frame.bottom + 1;
	};
	const screen = () => ({ top: 0, bottom: innerHeight });
	const inSight = (line) => {
		const around = region();
		const element = around?.querySelector(`.line[data-line="${line}"]`);
		return element ? within(element, around.getBoundingClientRect()) : false;
	};
	/** After a frame was painted: the next task comes then. */
	const painted = (act) =>
		requestAnimationFrame(() => {
			const { port1, port2 } = new MessageChannel();
			port2.onmessage = act;
			port1.postMessage(0);
		});
	/** When the frame was painted in which something came true. */
	const until = (check) =>
		new Promise((resolve) => {
			const look = () => (check() ? resolve(performance.now()) : painted(look));
			painted(look);
		});
	const since = async (act, check) => {
		const start = performance.now();
		act();
		return (await until(check)) - start;
	};
	/** Notes, frame by frame, which line was the newest in sight. */
	const samples = [];
	const follow = (newest) => {
		let last = 0;
		const look = () => {
			const line = newest();
			if (line > last) samples.push([Date.now(), line]);
			last = Math.max(last, line);
			painted(look);
		};
		painted(look);
	};
	const newest = () => {
		const around = region();
		const element = around?.querySelector(".block:last-child > .line:last-child");
		if (!element || !within(element, around.getBoundingClientRect())) return 0;
		return Number(element.dataset.line);
	};
	const bench = { log, region, within, screen, inSight, until, since, samples, follow, newest };
	Object.assign(globalThis, { bench });
}

/** Goes to an address; the document itself looks, from its start, for what is to be in sight. */
async function opened(address, look, line) {
	await fresh();
	await page.addInitScript(look, line);
	await page.goto(address, { waitUntil: "commit" });
	return page.evaluate(() => globalThis.opened);
}

const orders = {
	start,
	go: async (address) => {
		await page.goto(address);
		return "there";
	},
	close: async () => {
		await close();
		return "closed";
	},
	open: (address, line) =>
		opened(
			address,
			(line) => {
				globalThis.opened = globalThis.bench.until(() => globalThis.bench.inSight(line));
			},
			Number(line),
		),
	"open-bare": (address) =>
		opened(address, () => {
			const { until, within, screen } = globalThis.bench;
			globalThis.opened = until(() => within(document.getElementById("end"), screen()));
		}),
	jump: (line) =>
		page.evaluate(
			(line) =>
				globalThis.bench.since(
					() => {
						location.hash = `#test:L${line}`;
					},
					() => globalThis.bench.inSight(line),
				),
			Number(line),
		),
	"jump-bare": (path, line) =>
		page.evaluate(
			async ([path, line]) => {
				const start = performance.now();
				const answer = await (await fetch(path)).json();
				const rows = document.createElement("div");
				let number = answer.chunks[0].line;
				for (const { text } of answer.chunks) {
					for (const words of text.split("\n").slice(0, -1)) {
						const row = document.createElement("div");
						row.id = `L${number++}`;
						row.textContent = words;
						rows.append(row);
					}
				}
				document.body.replaceChildren(rows);
				const element = document.getElementById(`L${line}`);
				element.scrollIntoView({ block: "center" });
				const { until, within, screen } = globalThis.bench;
				return (await until(() => within(element, screen()))) - start;
			},
			[path, Number(line)],
		),
	search: (total, ...text) =>
		page.evaluate(
			async ([words, total]) => {
				const search = globalThis.bench.log().querySelector("log-search").shadowRoot;
				const field = search.querySelector("input");
				const count = () => search.querySelector(".count").textContent;
				const type = (value) => {
					field.value = value;
					field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
				};
				await globalThis.bench.since(
					() => type(""),
					() => count() === "",
				);
				return globalThis.bench.since(
					() => type(words),
					// "2,000 lines", or "3 of 2,000" when one of them is the current one.
					() =>
						count()
							.replace(/ lines?$/, "")
							.replaceAll(",", "")
							.split(" ")
							.at(-1) === total,
				);
			},
			[text.join(" "), total],
		),
	"search-bare": (path) =>
		page.evaluate(async (path) => {
			const start = performance.now();
			await (await fetch(path)).json();
			return performance.now() - start;
		}, path),
	scroll,
	heap,
	follow: async (address) => {
		const took = await opened(address, () => {
			globalThis.opened = globalThis.bench.until(() => globalThis.bench.newest() > 0);
		});
		await page.evaluate(() => globalThis.bench.follow(globalThis.bench.newest));
		return took;
	},
	"follow-bare": async (origin, path) => {
		await fresh();
		await page.goto(`${origin}/readyz`);
		return page.evaluate(
			(path) =>
				new Promise((resolve) => {
					const shown = document.createElement("pre");
					document.body.replaceChildren(shown);
					let line = 0;
					const stream = new EventSource(path);
					stream.addEventListener("log", ({ data }) => {
						const chunk = JSON.parse(data);
						line = chunk.line + chunk.text.split("\n").length - 2;
						shown.textContent = chunk.text;
					});
					stream.addEventListener("live", () => resolve(true));
					globalThis.bench.follow(() => line);
				}),
			path,
		);
	},
	followed: (line) =>
		page.evaluate(async (line) => {
			const { samples, until } = globalThis.bench;
			await until(() => samples.at(-1)?.[1] >= line);
			return samples.map((sample) => sample.join(":")).join(",");
		}, Number(line)),
};

/** The wheel turns on as soon as the page has taken its last turn, so the page sets the pace. */
async function scroll(lines) {
	const box = await page.locator("step-log [role=region]").boundingBox();
	await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
	const from = await page.evaluate(() => {
		const seen = { longest: 0, frames: 0, gaps: 0, first: 0 };
		Object.assign(globalThis, { seen });
		const observer = new PerformanceObserver((list) => {
			for (const { duration } of list.getEntries()) seen.longest = Math.max(seen.longest, duration);
		});
		observer.observe({ type: "longtask" });
		const region = globalThis.bench.region();
		const frame = () => {
			const { left, top, bottom, height } = region.getBoundingClientRect();
			const root = region.getRootNode();
			const at = (y) => root.elementFromPoint(left + 100, y)?.closest(".line");
			const rows = [top + 2, top + height / 2, bottom - 20].map(at);
			seen.frames++;
			if (rows.includes(undefined) || rows.includes(null)) seen.gaps++;
			const first = Number(rows[0]?.dataset.line ?? 0);
			if (first > 0) seen.first = first;
			requestAnimationFrame(frame);
		};
		frame();
		return seen.first;
	});
	await browser.startTracing(page, { categories: ["toplevel"] });
	const end = Date.now() + mostPatience - patience;
	let turns = 0;
	for (let seen = { first: 0 }; seen.first < from + Number(lines); ) {
		if (Date.now() > end) throw new Error(`the wheel came from line ${from} to ${seen.first} only`);
		for (let i = 0; i < 10; i++, turns++) await page.mouse.wheel(0, turn);
		seen = await page.evaluate(() => globalThis.seen);
	}
	const { longest, frames, gaps } = await page.evaluate(() => globalThis.seen);
	const used = mostUsed(JSON.parse(await browser.stopTracing()).traceEvents);
	return `${longest} ${used} ${turns} ${frames} ${gaps}`;
}

/** The processor time of the page's task that used most, whoever else used the machine meanwhile. */
function mostUsed(events) {
	const threads = new Set();
	for (const { name, args, pid, tid } of events) {
		if (name === "thread_name" && args.name === "CrRendererMain") threads.add(`${pid} ${tid}`);
	}
	const tasks = events.filter(
		({ name, pid, tid }) => name.endsWith("RunTask") && threads.has(`${pid} ${tid}`),
	);
	return tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1_000;
}

/** A worker is reached through the browser only. */
async function heap() {
	const session = await context.newCDPSession(page);
	await session.send("HeapProfiler.collectGarbage");
	const own = await session.send("Runtime.getHeapUsage");
	await session.detach();
	return `${own.usedSize} ${await workerHeap()}`;
}

async function workerHeap() {
	const session = await browser.newBrowserCDPSession();
	try {
		const { targetInfos } = await session.send("Target.getTargets");
		const worker = targetInfos.find(({ type }) => type === "shared_worker");
		if (!worker) return 0;
		const { sessionId } = await session.send("Target.attachToTarget", {
			targetId: worker.targetId,
			flatten: false,
		});
		let id = 0;
		const send = (method) =>
			new Promise((resolve, reject) => {
				const message = JSON.stringify({ id: ++id, method });
				session.on("Target.receivedMessageFromTarget", (said) => {
					const answer = JSON.parse(said.message);
					if (answer.id === id) resolve(answer.result);
				});
				session.send("Target.sendMessageToTarget", { sessionId, message }).catch(reject);
			});
		await send("HeapProfiler.collectGarbage");
		return (await send("Runtime.getHeapUsage")).usedSize;
	} finally {
		await session.detach();
	}
}

function within(time, promise) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`it took more than ${time / 1_000} s`)), time);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

for await (const line of createInterface({ input: process.stdin })) {
	const [order, ...rest] = line.split(" ");
	let reply;
	try {
		if (!orders[order]) throw new Error(`unknown order ${order}`);
		reply = String(await within(mostPatience, orders[order](...rest)));
	} catch (error) {
		reply = `error ${error.message}`;
	}
	console.log(reply.replaceAll("\n", " "));
}
await browser?.close();
process.exit();
