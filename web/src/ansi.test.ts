import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pen, penAfter, pieces, plain, rgb } from "./ansi.ts";

function shown(line: string, pen: Pen = plain): string {
	return pieces(line, pen)
		.filter((piece) => piece.kind === "text")
		.map((piece) => piece.text)
		.join("");
}

function penOf(sequence: string, pen: Pen = plain): Partial<Pen> {
	const after = penAfter(`${sequence}x`, pen);
	return Object.fromEntries(
		Object.entries(after).filter(([key, value]) => value !== plain[key as keyof Pen]),
	);
}

test("select graphic rendition", async (t) => {
	const cases: [string, Partial<Pen>][] = [
		["\x1b[31m", { fg: 1 }],
		["\x1b[1;31;44m", { bold: true, fg: 1, bg: 4 }],
		["\x1b[97m\x1b[107m", { fg: 15, bg: 15 }],
		["\x1b[38;5;208m", { fg: 208 }],
		["\x1b[38:5:208m", { fg: 208 }],
		["\x1b[38;2;1;2;3m", { fg: rgb | 0x010203 }],
		["\x1b[38:2::1:2:3m", { fg: rgb | 0x010203 }],
		["\x1b[38:2:1:2:3m", { fg: rgb | 0x010203 }],
		["\x1b[48;2;255;0;16;1m", { bg: rgb | 0xff0010, bold: true }],
		["\x1b[58;2;1;2;3;4m", { underline: true }],
		["\x1b[4:3m", { underline: true }],
		["\x1b[4m\x1b[4:0m", {}],
		["\x1b[21m", { underline: true }],
		[
			"\x1b[2;3;7;8;9;53m",
			{ dim: true, italic: true, inverse: true, strike: true, overline: true },
		],
		["\x1b[1;2m\x1b[22m", {}],
		["\x1b[31m\x1b[m", {}],
		["\x1b[31m\x1b[0m", {}],
		["\x1b[31;1m\x1b[39m", { bold: true }],
		["\x1b[31;;1m", { bold: true }],
		["\x1b[38;5;256m", {}],
		["\x1b[38;2;256;0;0m", {}],
		["\x1b[38m", {}],
		["\x1b[38;5m", { fg: 0 }],
		["\x1b[99999999999m", {}],
		["\x1b[>4;1m", {}],
		["\x1b[?1m", {}],
		["\x1b[1 m", {}],
		["\x1b[1K", {}],
	];
	for (const [sequence, want] of cases) {
		await t.test(JSON.stringify(sequence), () => assert.deepEqual(penOf(sequence), want));
	}
});

test("sequences are hidden, half ones stay visible, and nothing is thrown away", async (t) => {
	const cases: [line: string, shown: string][] = [
		["plain", "plain"],
		["a\x1b[31mb\x1b[0mc", "abc"],
		["a\x1b[2Kb\x1b[1;1Hc", "abc"],
		["\x1b]0;title\x07text", "text"],
		["\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"],
		["\x1b(Btext\x1b7\x1b8\x1b=", "text"],
		["half \x1b[31", "half [31"],
		["half \x1b]0;title", "half ]0;title"],
		["10%\r20%\r30%", "30%"],
		["windows\r", "windows"],
		["nul \x00 bell \x07 tab \t.", "nul  bell  tab \t."],
		["a \u202eb\u202c \u2066c\u2069 \u05d0", "a b c \u05d0"],
		["kill \u200f4242 # 17\u200f \u061c-\u200e>", "kill 4242 # 17 ->"],
		[`e${"\u0301".repeat(30)} \u0e01\u0e49`, `e${"\u0301".repeat(30)} \u0e01\u0e49`],
		[`e${"\u0301".repeat(200_000)}f`, `e${"\u0301".repeat(30)}f`],
		["\u0080\u009b31m \ufffd \u{1f600}", "\u0080\u009b31m \ufffd \u{1f600}"],
		["", ""],
	];
	for (const [line, want] of cases) {
		await t.test(JSON.stringify(line), () => {
			assert.equal(shown(line), want);
			assert.equal(
				pieces(line, plain)
					.map((piece) => piece.text)
					.join(""),
				line,
			);
		});
	}
});

test("colours hold until they are changed, across lines", () => {
	const pen = penAfter("\x1b[32mgreen", plain);
	assert.deepEqual(pieces("still green", pen), [
		{ kind: "text", text: "still green", pen, href: undefined },
	]);
	assert.equal(pen.fg, 2);
	assert.equal(penAfter("still green", pen), pen);
});

test("pieces of random bytes join to the line, and lose nothing where the cursor goes back", () => {
	// A small generator with a fixed seed, so that a failure can be repeated.
	let seed = 1;
	const random = (n: number) => {
		seed = (seed * 1103515245 + 12345) % 2147483648;
		return Math.floor((seed / 2147483648) * n);
	};
	const alphabet = "\x1b\x1b\x1b[[[]];;::0123489mKHDG\b\x07\\\r\x00(B \u009b\ufffdé";
	for (let i = 0; i < 20_000; i++) {
		const line = Array.from({ length: random(30) }, () => alphabet[random(alphabet.length)]).join(
			"",
		);
		const found = pieces(line, plain);
		const joined = found.map((piece) => piece.text).join("");
		if (/[\r\b]./s.test(line) || /[DG]/.test(line)) {
			assert.deepEqual([...joined].sort(), [...line].sort());
		} else {
			assert.equal(joined, line);
		}
	}
});

test("a hostile line takes linear time", () => {
	for (const unit of ["\x1b[", "\x1b]", "\x1b]8;;", "\x1b[1;", "1;"]) {
		const line = `\x1b[${unit.repeat(100_000)}`;
		const started = performance.now();
		pieces(line, plain);
		assert.ok(performance.now() - started < 5_000, JSON.stringify(unit));
	}
});

test("a line in which the cursor goes back shows what a terminal would at the end", async (t) => {
	const cases: [line: string, shown: string, inOrder?: false][] = [
		["10%\r50%\r100%", "100%"],
		["10%\r50%\r", "50%"],
		["\x1b[32m##        \x1b[0m 20%\r\x1b[32m##########\x1b[0m 100%", "########## 100%"],
		["downloading a long name\r\x1b[Kdone", "done"],
		["downloading a long name\r\x1b[2Kdone", "done"],
		["working |\b/\b-\b\\\b done", "working  done"],
		["abc\b\b\x1b[1K", "c"],
		["ab\x1b[1Gx", "xb", false],
		["abcdef\rXY", "XYcdef", false],
		["\u{1f600} 1\r\u{1f680} 2", "\u{1f680} 2"],
		["a\x1b[99999999Cb\rc", "cb", false],
		["\r\r", ""],
	];
	for (const [line, want, inOrder = true] of cases) {
		await t.test(JSON.stringify(line), () => {
			const found = pieces(line, plain);
			assert.equal(shown(line), want);
			const joined = found.map(({ text }) => text).join("");
			if (inOrder) assert.equal(joined, line);
			else assert.deepEqual([...joined].sort(), [...line].sort());
		});
	}
});
