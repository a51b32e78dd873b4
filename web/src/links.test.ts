import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces, plain } from "./ansi.ts";
import { addressOf } from "./links.ts";

test("links of OSC 8 lead to the web and nowhere else", () => {
	const hrefs = (line: string) =>
		pieces(line, plain, addressOf).flatMap((p) =>
			p.kind === "text" ? [[p.text, p.href || undefined]] : [],
		);
	const link = (address: string, end = "\x07") => `\x1b]8;id=1;${address}${end}`;
	assert.deepEqual(hrefs(`see ${link("https://example.org/a?b;c")}here${link("")} now`), [
		["see ", undefined],
		["here", "https://example.org/a?b;c"],
		[" now", undefined],
	]);
	for (const bad of [
		"javascript:alert(1)",
		"file:///etc/passwd",
		"//example.org",
		"https://[",
		"",
	]) {
		assert.deepEqual(hrefs(`${link(bad, "\x1b\\")}x`), [["x", undefined]]);
	}
});
