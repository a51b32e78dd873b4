// Writes a line to a file for each build that ends, and neither misses nor
// repeats one, however often this script or the server is stopped. (A lost build is
// one whose reporter fell silent; when that comes back, it ends once more.) Node 20
// or newer; nothing to install:
//
//	STEPCAST_URL=https://stepcast.example node finished.mjs builds.jsonl 'acme/*'
//
// What is done with the lines is up to whoever reads the file:
//
//	tail -n 0 -F builds.jsonl | jq --unbuffered -c 'select(.status == "failed")'
//
// The file is also the script's memory. Each line has the id of the event that it
// is of, so what was written and how far was read can never differ: one line is
// one write.
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const server = process.env.STEPCAST_URL ?? "http://127.0.0.1:8080";
const token = process.env.STEPCAST_TOKEN; // for private projects
const [file = "builds.jsonl", ...projects] = process.argv.slice(2);
const ended = ["passed", "failed", "canceled", "skipped", "lost"];
const silence = 45_000; // ms, after which a connection is dead; the server says something every 15 s

const text = existsSync(file) ? readFileSync(file, "utf8") : "";
const lines = text.split("\n");
const torn = lines.pop(); // what this script was stopped in the middle of was never written
if (torn) truncateSync(file, Buffer.byteLength(text) - Buffer.byteLength(torn));
const written = lines.map((line) => JSON.parse(line));
let after = written.at(-1)?.after; // the id of the last event
let marked = Date.now();
// Later events of a build that has ended, such as a new title, are no news.
const told = new Set(written.slice(-10_000).map(({ build, status }) => `${build} ${status}`));

function write(fields) {
	appendFileSync(file, `${JSON.stringify({ after, ...fields })}\n`);
	marked = Date.now();
}

function take(event, data) {
	if (event === "reset") {
		console.error(`What ended before now is not known: ${data.reason}.`);
	} else if (event === "snapshot") {
		write({}); // from here on
	} else if (event === "build" && ended.includes(data.status)) {
		const key = `${data.id} ${data.status}`;
		if (told.has(key)) return;
		told.add(key);
		const { id, project, number, branch, status } = data;
		write({ build: id, project, number, branch, status, url: `${server}/builds/${id}` });
		console.log(`${project} #${number} ${status}`);
	} else if (event === "ping" && Date.now() - marked > 3_600_000) {
		write({}); // an id is good for 7 days, and these projects may be quiet for longer
	}
}

/** The frames of a stream, each as its fields by name. Data is one line. */
async function* frames(body) {
	let rest = "";
	let frame = {};
	for await (const piece of body.pipeThrough(new TextDecoderStream())) {
		const whole = (rest + piece).split("\n");
		rest = whole.pop();
		for (const line of whole) {
			const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
			if (name) frame[name] = value;
			if (line !== "") continue;
			yield frame;
			frame = {};
		}
	}
}

const address = new URL("/api/v1/events", server);
for (const project of projects) address.searchParams.append("project", project);

for (let retry = 3_000; ; await sleep(retry)) {
	const dead = new AbortController();
	const timer = setTimeout(() => dead.abort(), silence);
	try {
		const headers = { Accept: "text/event-stream" };
		if (token) headers.Authorization = `Bearer ${token}`;
		if (after) headers["Last-Event-ID"] = after;
		const response = await fetch(address, { headers, signal: dead.signal });
		const { status } = response;
		if (status >= 400 && status < 500 && status !== 408 && status !== 429) { // which will not change by itself
			console.error(await response.text());
			process.exit(1);
		}
		if (!response.ok) continue;
		for await (const frame of frames(response.body)) {
			timer.refresh();
			if (frame.retry) retry = Number(frame.retry);
			if (frame.id) after = frame.id;
			if (frame.event) take(frame.event, JSON.parse(frame.data));
		}
	} catch (error) {
		if (!(error instanceof TypeError || error.name === "AbortError")) throw error; // else the connection
	} finally {
		clearTimeout(timer);
	}
}
