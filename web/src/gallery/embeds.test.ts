import assert from "node:assert/strict";
import { test } from "node:test";
import { initial } from "./choice.ts";
import {
	around,
	beside,
	type Embed,
	embeds,
	framePath,
	policyLines,
	type Source,
	tokenPlace,
} from "./embeds.ts";

const source = (change: Partial<Source["choice"]> = {}, secret = false): Source => ({
	origin: "https://stepcast.example",
	choice: { ...initial, project: "acme/api", ...change },
	secret,
	hidden: false,
});

function text({ snippets }: Embed, format: "html" | "markdown" | "asciidoc" = "html"): string {
	return "text" in snippets ? snippets.text : snippets[format].text;
}

function one(id: string, of: Source): Embed {
	const found = embeds(of).find((embed) => embed.id === id);
	assert.ok(found, id);
	return found;
}

test("a badge is a picture and a link in each format", () => {
	const badge = one("badge", source({ branch: "main" }));
	const src = "https://stepcast.example/badge/acme/api.svg?branch=main";
	const href = "https://stepcast.example/?project=acme/api&branch=main";
	assert.equal(
		text(badge),
		`<a href="${href.replace("&", "&amp;")}"><img src="${src}" alt="acme/api on main: build status"></a>`,
	);
	assert.equal(text(badge, "markdown"), `[![acme/api on main: build status](${src})](${href})`);
	assert.equal(
		text(badge, "asciidoc"),
		`image:${src}["acme/api on main: build status", link="${href}"]`,
	);
});

test("an element has its link for whom has no JavaScript", () => {
	assert.equal(
		text(one("status", source({ branch: "main", theme: "dark" }))),
		`<script async src="https://stepcast.example/widgets.js"></script>
<stepcast-status project="acme/api" branch="main" theme="dark"><a href="https://stepcast.example/?project=acme/api&amp;branch=main">acme/api on main: build status</a></stepcast-status>`,
	);
});

test("a build that was chosen is named by its id, else the newest is meant", () => {
	const build = "0190a000-0000-7000-8000-000000000002";
	assert.match(text(one("steps", source())), / project="acme\/api">/);
	assert.match(text(one("steps", source({ build }))), new RegExp(` build="${build}">`));
	assert.match(
		text(one("iframe", source({ build, step: "test/linux", frame: "log" }))),
		new RegExp(`/embed/log/${build}/test/linux\\?lines=20"`),
	);
	assert.match(
		text(one("iframe", source({ frame: "steps", branch: "main" }))),
		/\/embed\/steps\?project=acme\/api&amp;branch=main"/,
	);
});

test("no name breaks out of what it stands in", () => {
	const branch = `"><script>]](x)"]_*\`__!'&`;
	for (const embed of embeds(source({ branch }))) {
		assert.doesNotMatch(text(embed), /"><script>\]/, embed.id);
		assert.doesNotMatch(text(embed, "asciidoc"), /"><script>\]/, embed.id);
	}
	const badge = one("badge", source({ branch }));
	// In an address nothing is left that Markdown or AsciiDoc would take for their own.
	const address = /\/badge\/acme\/api\.svg\?branch=([^)"[]*)/.exec(text(badge, "markdown"))?.[1];
	assert.equal(decodeURIComponent(address ?? ""), branch);
	assert.doesNotMatch(address ?? "", /[()[\]<>*"'`]|__/);
	// In words, each bracket is escaped.
	const words = /^\[!\[(.*?)\]\(https/.exec(text(badge, "markdown"))?.[1] ?? "";
	assert.doesNotMatch(words.replace(/\\./g, ""), /[[\]<`*_]/);
	const quoted = /\["(.*?)", link=/.exec(text(badge, "asciidoc"))?.[1] ?? "";
	assert.doesNotMatch(quoted.replace(/&#\d+;/g, ""), /["\]<`*_]/);
});

test("no address that is sent around breaks out of a text either", () => {
	const evil = `](javascript:owned())[x](javascript:owned()) "><b>\n\n[y](javascript:owned())\n++++\n`;
	for (const choice of [{ branch: evil }, { project: evil }, { build: evil, step: evil }]) {
		for (const frame of ["status", "steps", "log"] as const) {
			for (const embed of embeds(source({ ...choice, frame }))) {
				const [html, markdown, asciidoc] = [
					text(embed),
					text(embed, "markdown"),
					text(embed, "asciidoc"),
				];
				for (const given of [html, markdown, asciidoc]) {
					assert.doesNotMatch(given, /(?<!\\)\]\(javascript|<b>|\n\n|\n\+\+\+\+\n./, embed.id);
				}
				assert.doesNotMatch(asciidoc, /\]\(javascript/, embed.id);
			}
		}
	}
});

test("in Markdown the address of a build or a project ends where its link does", () => {
	const evil = "x)(www.evil.example/'*!__[y](z)";
	for (const choice of [{ build: evil }, { project: evil }, { branch: evil }]) {
		for (const id of ["badge", "shields", "atom"]) {
			const markdown = text(one(id, source(choice)), "markdown");
			const addresses = markdown.match(/(?<!\\)\]\(.*?(?=\)\]\(|\)$)/g) ?? [];
			assert.equal(addresses.length, id === "atom" ? 1 : 2, markdown);
			for (const address of addresses)
				assert.match(
					address,
					/^\]\(https:\/\/(stepcast\.example|img\.shields\.io)\/(?!.*__)[\w%./?&=-]*$/,
				);
		}
	}
	const page = text(one("oembed", source({ build: "../x(1)" })));
	assert.equal(page, "https://stepcast.example/builds/..%2Fx%281%29");
});

test("a private project's embeds say where a token belongs, and those of others have no place for one", () => {
	for (const embed of embeds(source({}, true))) {
		assert.match(text(embed), new RegExp(tokenPlace), embed.id);
	}
	assert.match(text(one("oembed", source({ build: "0190a000" }, true))), /0190a000\?token=/);
	for (const embed of embeds(source())) {
		assert.doesNotMatch(text(embed), /token/i, embed.id);
	}
});

test("the board is of all that is beside the project", () => {
	assert.equal(around("acme/api"), "acme/*");
	assert.equal(around("acme/tools/lint"), "acme/tools/*");
	assert.equal(around("hello"), "hello");
});

test("CCTray and the board are of the branch that is chosen", () => {
	assert.match(text(one("cctray", source({ branch: "v1.x" }))), /&branch=v1\.x$/);
	assert.match(text(one("board", source({ branch: "v1.x" }))), / branches="v1\.x"/);
	assert.match(framePath(source({ branch: "v1.x" }), "board"), /&branch=v1\.x/);
	// The element's list has blanks between the names.
	assert.doesNotMatch(text(one("board", source({ branch: "a b" }))), / branches=/);
});

test("a policy names each directive and each source once", () => {
	assert.deepEqual(policyLines(embeds(source()).map(({ policy }) => policy)), [
		"img-src https://stepcast.example https://img.shields.io;",
		"script-src https://stepcast.example;",
		"connect-src https://stepcast.example;",
		"trusted-types stepcast;",
		"frame-src https://stepcast.example;",
	]);
});

test("a board's text has its pattern as it is written, and leads to the wall of the same builds", () => {
	const html = text(one("board", source({ branch: "main" })));
	assert.match(html, / projects="acme\/\*" branches="main"/);
	assert.match(
		html,
		/href="https:\/\/stepcast\.example\/wall\?project=acme\/%2A&amp;branch=main">Builds of acme\/\*</,
	);
});

test("a board says what it shows elsewhere, where somebody may see more than strangers do", () => {
	const about = (id: string, of: Source) => one(id, of).about;
	const board = source({ frame: "board" });
	assert.doesNotMatch(about("board", board), /another page/);
	for (const id of ["board", "iframe"]) {
		assert.match(about(id, { ...board, hidden: true }), /the public projects of acme\/\*: you may/);
		assert.match(about(id, { ...board, hidden: true, secret: true }), /and what its token may see/);
	}
	assert.doesNotMatch(about("iframe", { ...source(), hidden: true }), /another page/);
	assert.ok(beside("acme/web", "acme/api"));
	for (const name of ["acme/api", "acmeter/web", "other"])
		assert.ok(!beside(name, "acme/api"), name);
	assert.ok(!beside("webs", "web"));
});
