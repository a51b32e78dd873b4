import { extract } from "@extractus/oembed-extractor";
import { makeBadge } from "badge-maker";
import { parseAtomFeed } from "feedsmith";
import { Site } from "./site.ts";
import { expect, type Reporter, test } from "./stepcast.ts";

// What others make of the status that the server tells in their formats: the readers below are
// their own.

const hostile = `<b title="x">&amp; 'Ω' </b><script>hit = 1</script>]]>`;

let passed: Reporter;
let failed: Reporter;

// A document that is no page has no icon of its own, so browsers ask for /favicon.ico.
test.beforeEach(({ complaints }) => {
	complaints.expected.push(/status of 404/);
});

test.beforeAll(async ({ server }) => {
	const fields = { project: "formats/api", branch: hostile, title: hostile, author: hostile };
	passed = await server.build({ ...fields, url: "https://ci.example/?a=1&b=2" });
	const published = await fetch(`${server.url}/api/v1/projects/formats/api`, {
		method: "PATCH",
		headers: { Authorization: `Bearer ${server.token}`, "Content-Type": "application/json" },
		body: JSON.stringify({ visibility: "public" }),
	});
	expect(published.status).toBe(200);
	await passed.step("test", "running");
	await passed.finish("test");
	failed = await server.build({ ...fields, branch: "main", title: "Break it" });
	await failed.step("test", "running");
	await failed.finish("test", "failed");
	const running = await server.build({ ...fields, branch: "main" });
	await running.step("test", "running");
});

const names = [
	"build",
	"Illinois fjord",
	"WWWWWWWWWW",
	"Übergröße, Żółć",
	"Tiếng Việt đầy đủ",
	"Ελληνικά κείμενα",
	"Кириллица сборка",
	"עברית בדיקה",
	"مرحبا بالعالم",
	"हिन्दी परीक्षण",
	"ภาษาไทยทดสอบ",
	"日本語のビルド",
	"한국어 빌드",
	"👩🏽‍💻 🇩🇪 1️⃣ ❤️",
	"Z̷̡̢̛̗a̶̛l̷g̴o̵",
	"﷽﷽﷽﷽﷽﷽",
	"a very long name that goes on and on, far beyond what there is room for in a badge",
	hostile,
];

test("a badge's texts stay in their fields, in any script", async ({ page, server }) => {
	for (const style of ["flat", "flat-square"]) {
		for (const name of names) {
			const query = new URLSearchParams({ label: name, style, branch: "main" });
			await page.goto(`${server.url}/badge/formats/api.svg?${query}`);
			const fields = await page.evaluate(() => {
				// Three fields, as the last one is on its way: their backgrounds and their texts.
				const boxes = [...document.querySelectorAll<SVGPathElement>("svg > g > path")];
				const texts = [...document.querySelectorAll<SVGTextElement>("text")];
				return boxes.map((box, i) => {
					const around = box.getBBox();
					const inside = texts[i]?.getBBox() ?? new DOMRect();
					return {
						text: texts[i]?.textContent,
						before: inside.x - around.x,
						after: around.x + around.width - inside.x - inside.width,
					};
				});
			});
			expect(fields.map(({ text }) => text).slice(1)).toEqual(["failed", "running"]);
			for (const { text, before, after } of fields) {
				expect(before, `before ${text}`).toBeGreaterThan(4);
				expect(after, `after ${text}`).toBeGreaterThan(4);
				expect(after, `after ${text}`).toBeLessThan(8);
			}
		}
	}
});

test("a badge measures text as others do, who have it from Verdana", async ({ server }) => {
	const length = (svg: string) => Number(/textLength="([\d.]+)"/.exec(svg)?.[1]);
	for (const name of names.slice(0, 7)) {
		const query = new URLSearchParams({ label: name });
		const ours = await (await fetch(`${server.url}/badge/formats/api.svg?${query}`)).text();
		const theirs = makeBadge({ label: name, message: "x" });
		const ratio = length(ours) / (length(theirs) / 10); // they draw at ten times the size
		expect(ratio, name).toBeGreaterThan(0.93);
		expect(ratio, name).toBeLessThan(1.08);
	}
});

test("a badge in a page of another site says its status, and what runs comes to rest", async ({
	page,
	server,
}) => {
	const readme = await new Site().start();
	readme.policy = `default-src 'none'; img-src ${server.url}`;
	readme.body = `<img src="${server.url}/badge/formats/api.svg" alt="status">`;
	await page.goto(readme.url);
	const image = page.getByAltText("status");
	await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalHeight)).toBe(20);
	readme.close();

	await page.goto(`${server.url}/badge/formats/api.svg?branch=main`);
	const animations = () => page.evaluate(() => document.getAnimations().length);
	expect(await animations()).toBe(1);
	await page.evaluate(() => {
		for (const animation of document.getAnimations()) animation.finish();
	});
	expect(await animations()).toBe(0);
	await page.emulateMedia({ reducedMotion: "reduce" });
	await page.reload();
	expect(await animations()).toBe(0);
});

test("shields.io draws what the endpoint says", async ({ server }) => {
	const say = async (path: string) => (await fetch(`${server.url}/shields/${path}`)).json();
	const { schemaVersion, label, message, color, cacheSeconds, isError, ...rest } = await say(
		"formats/api.json?branch=main",
	);
	expect([schemaVersion, label, message, isError, rest]).toEqual([
		1,
		"build",
		"failed, running",
		undefined,
		{},
	]);
	expect(cacheSeconds).toBeGreaterThanOrEqual(300);
	const drawn = makeBadge({ label, message, color });
	expect(drawn).toContain(`fill="${color}"`);
	expect(drawn).toContain("build: failed, running");
	expect(await say("formats/none.json")).toMatchObject({ message: "unknown", isError: true });
});

test("a feed reader reads what has ended", async ({ server }) => {
	const address = `${server.url}/builds.atom?project=formats/*`;
	const response = await fetch(address);
	expect(response.headers.get("content-type")).toBe("application/atom+xml; charset=utf-8");
	const feed = parseAtomFeed(await response.text());
	expect(feed.title).toEqual(expect.objectContaining({ value: "Builds of formats/*" }));
	expect(feed.entries).toHaveLength(2);
	const [first, second] = feed.entries ?? [];
	expect(first?.id).toBe(`urn:uuid:${failed.id}`);
	expect(second?.id).toBe(`urn:uuid:${passed.id}`);
	expect(JSON.stringify(first?.title)).toContain("formats/api #2 failed: Break it");
	expect(second?.authors?.[0]?.name).toBe(hostile);
	expect(second?.links).toContainEqual({ rel: "alternate", type: "text/html", href: passed.url });
	expect(second?.links).toContainEqual({ rel: "related", href: "https://ci.example/?a=1&b=2" });
	for (const entry of feed.entries ?? []) {
		expect(Date.parse(entry.updated as unknown as string)).toBeGreaterThan(Date.now() - 3_600_000);
	}
});

test("who embeds finds from a build's address what to embed", async ({ page, server }) => {
	const embed = async (url: string, room = {}) =>
		(await extract(url, room)) as unknown as { html: string };
	const found = await embed(passed.url, { maxwidth: 500 });
	expect(found).toMatchObject({
		method: "auto-discovery",
		version: "1.0",
		type: "rich",
		width: 500,
		title: `formats/api #1: ${hostile}`,
	});
	const html = found.html;
	expect(html).toContain(`src="${server.url}/embed/steps/${passed.id}"`);
	expect(html.match(/<\w+/g)).toEqual(["<iframe"]);
	const board = await embed(`${server.url}/?project=formats/*`);
	expect(board.html).toContain("/embed/board?project=formats%2F%2A");

	// In its sandbox, on the page of somebody who lets frames do nothing more than they must.
	const wiki = await new Site().start();
	wiki.policy = `default-src 'none'; frame-src ${server.url}; style-src 'unsafe-inline'`;
	wiki.body = board.html;
	await page.goto(wiki.url);
	const frame = page.frameLocator("iframe");
	await expect(frame.getByText("formats/api").first()).toBeVisible();
	await expect(frame.getByText("running").first()).toBeVisible();
	wiki.close();
});

test("a browser reads cc.xml as it is", async ({ page, server }) => {
	await page.goto(`${server.url}/cc.xml?project=formats/*&each=branch`);
	const projects = await page.evaluate(() =>
		[...document.querySelectorAll("Projects > Project")].map((project) =>
			Object.fromEntries([...project.attributes].map(({ name, value }) => [name, value])),
		),
	);
	expect(projects.map(({ name }) => name)).toEqual([
		`formats/api (${hostile})`,
		"formats/api (main)",
	]);
	expect(projects[1]).toMatchObject({
		activity: "Building",
		lastBuildStatus: "Failure",
		lastBuildLabel: "2",
	});
	await page.goto(projects[0]?.webUrl ?? "");
	await expect(page.getByText(hostile).first()).toBeVisible();
});
