import assert from "node:assert/strict";
import { test } from "node:test";
import { penAfter, plain } from "./ansi.ts";
import { maxLine, type Row } from "./line.ts";
import { blockLines, blockOf, firstOf, LogText, maxBlocks, maxCharacters } from "./log-text.ts";
import type { Chunk, LinesPage } from "./model.ts";

const at = "2026-11-22T10:00:00Z";
const utf8 = new TextEncoder();

/** What a server holds of a log, and answers. */
class Server {
	readonly chunks: Chunk[] = [];
	#offset = 0;
	#line = 1;

	write(text: string): Chunk {
		const bytes = utf8.encode(text).length;
		return this.#add({ at, step: "s", line: this.#line, offset: this.#offset, bytes, text });
	}

	lose(bytes: number): Chunk {
		return this.#add({ at, step: "s", line: this.#line, offset: this.#offset, bytes, lost: bytes });
	}

	cut(bytes: number): Chunk {
		const quota = { why: "it is used up" };
		return this.#add({
			at,
			step: "s",
			line: this.#line,
			offset: this.#offset,
			bytes,
			lost: bytes,
			quota,
		});
	}

	#add(chunk: Chunk): Chunk {
		this.chunks.push(chunk);
		this.#offset += chunk.bytes;
		this.#line += (chunk.text ?? "").split("\n").length - 1;
		return chunk;
	}

	get bytes(): number {
		return this.#offset;
	}

	get lines(): number {
		const last = this.chunks.findLast((chunk) => chunk.text !== undefined);
		return last?.text?.endsWith("\n") ? this.#line - 1 : last ? this.#line : 0;
	}

	/** GET …/lines?from=…&to=…, cut at a budget of characters. */
	page(from: number, to: number, budget: number): LinesPage {
		const found: Chunk[] = [];
		let pen = plain;
		for (const chunk of this.chunks) {
			let { line, offset } = chunk;
			for (const piece of chunk.text?.match(/[^\n]*\n|[^\n]+/g) ?? [undefined]) {
				const bytes = piece === undefined ? chunk.bytes : utf8.encode(piece).length;
				if (line < from) pen = penAfter(piece ?? "", pen);
				else if (line <= to && budget > 0) {
					const cut = piece?.slice(0, budget);
					budget -= piece?.length ?? 1;
					found.push({
						...chunk,
						line,
						offset,
						bytes: cut === undefined ? bytes : utf8.encode(cut).length,
						...(cut === undefined ? {} : { text: cut }),
					});
				}
				offset += bytes;
				if (piece?.endsWith("\n")) line++;
			}
		}
		const sgr = [pen.bold ? "1" : [], pen.fg === undefined ? [] : 30 + pen.fg].flat().join(";");
		return { lines: this.lines, bytes: this.bytes, sgr, chunks: found };
	}
}

function rows(log: LogText): Row[] {
	const found: Row[] = [];
	for (let block = 0; block <= blockOf(Math.max(1, log.lines)) + 1; block++) {
		found.push(...log.rows(block));
	}
	return found;
}

function words(log: LogText): string[] {
	return rows(log).map((row) =>
		row.kind === "line" ? `${row.number} ${row.text}` : `${row.number} <${row.bytes} lost>`,
	);
}

/** The whole log as one who was there from its start has it. */
function whole(server: Server): LogText {
	const log = new LogText();
	for (const chunk of server.chunks) log.append(chunk);
	return log;
}

/** A small generator with a fixed seed, so that a failure can be repeated. */
function generator(seed: number): (n: number) => number {
	return (n) => {
		seed = (seed * 1103515245 + 12345) % 2147483648;
		return Math.floor((seed / 2147483648) * n);
	};
}

test("text from the stream, in any pieces, gives the lines", () => {
	const log = new LogText();
	const server = new Server();
	for (const piece of ["one\ntw", "", "o \u{1f600}\r\n", "\n\nno", " end"]) {
		if (piece) log.append(server.write(piece));
	}
	assert.deepEqual(words(log), ["1 one", "2 two \u{1f600}\r", "3 ", "4 ", "5 no end"]);
	assert.equal(log.lines, 5);
	assert.equal(log.missing(0), undefined);
	assert.equal(log.atEnd, true);
	const version = log.version;
	for (const chunk of server.chunks) log.append(chunk);
	assert.equal(log.version, version, "what it has seen changes nothing");
});

test("a hole stands where the bytes were, and ends the line as it is shown", () => {
	const log = new LogText();
	const server = new Server();
	for (const chunk of [server.write("before\nopen"), server.lose(7), server.write("after\n")]) {
		log.append(chunk);
	}
	assert.deepEqual(words(log), ["1 before", "2 open", "2 <7 lost>", "2 after"]);
});

test("that a log was cut is said once, however often more came for it", () => {
	const server = new Server();
	const chunks = [server.write("before\n"), server.lose(3), server.cut(7), server.cut(90)];
	const log = new LogText();
	for (const chunk of chunks) log.append(chunk);
	assert.deepEqual(words(log), ["1 before", "2 <3 lost>", "2 <90 lost>"]);
	assert.equal(log.bytes, server.bytes);
});

test("text that does not continue what is here is counted, and shown when the rest has come", () => {
	const server = new Server();
	const log = new LogText();
	log.append(server.write("one\ntw"));
	server.write("o\nthree\nfo");
	log.append(server.write("ur\nfive\n"));
	assert.deepEqual(words(log), ["1 one"], "half a line is taken back");
	assert.equal(log.lines, 5);
	assert.equal(log.missing(0), 2);
	assert.equal(log.atEnd, false);
	log.fill(server.page(2, 3, 1_000));
	assert.deepEqual(words(log).at(-1), "3 three");
	assert.equal(log.missing(0), 4);
	const late = server.write("six\n");
	const answer = server.page(4, 9, 1_000);
	log.append(late);
	log.append(server.write("seven"));
	log.fill(answer);
	assert.equal(log.atEnd, true, "what the stream said meanwhile follows the answer");
	assert.deepEqual(words(log), words(whole(server)));
});

test("whatever comes in whatever order, what is here is the log", () => {
	for (let seed = 1; seed <= 40; seed++) {
		const random = generator(seed);
		const server = new Server();
		const log = new LogText();
		const some = () => {
			let text = "";
			for (let i = random(60); i >= 0; i--) {
				const colour = random(12) === 0 ? `\x1b[${["0", "31", "1;34"][random(3)]}m` : "";
				text += `${colour}${"é\u{1f600}xyz".slice(0, random(3) * 3)}${i}${random(9) ? "\n" : ""}`;
			}
			return text;
		};
		const ask = (budget: number) => {
			const blocks = blockOf(Math.max(1, log.lines)) + 1;
			const near = random(blocks);
			for (let i = 0; i < blocks; i++) {
				const block = (near + i) % blocks;
				const from = log.missing(block);
				if (from === undefined) continue;
				return server.page(from, firstOf(block + 1 + random(2)) - 1, budget);
			}
			return undefined;
		};
		const waiting: LinesPage[] = [];
		for (let i = 0; i < 150; i++) {
			switch (random(6)) {
				case 0:
				case 1: {
					const chunk = random(25) === 0 ? server.lose(1 + random(99)) : server.write(some());
					if (random(8) > 0) log.append(chunk);
					break;
				}
				case 2: {
					const page = ask(1 + random(2_000));
					if (page) waiting.push(page);
					break;
				}
				case 3: {
					const [page] = waiting.splice(random(waiting.length), 1);
					if (page) log.fill(page);
					break;
				}
				case 4:
					if (random(10) === 0) log.extend(server.lines, server.bytes);
					break;
				case 5:
					if (random(30) === 0) for (const chunk of server.chunks.slice(-3)) log.append(chunk);
			}
			const want = new Set(words(whole(server)));
			for (const word of words(log)) {
				const open = log.atEnd || log.missing(blockOf(Number.parseInt(word, 10))) !== undefined;
				assert.ok(want.has(word) || open, `seed ${seed}: ${word}`);
			}
		}
		log.extend(server.lines, server.bytes);
		for (let i = 0; ; i++) {
			const page = ask(100_000);
			if (!page) break;
			log.fill(page);
			assert.ok(i < 1_000, `seed ${seed}: it asks for ever`);
		}
		const want = whole(server);
		assert.deepEqual(words(log), words(want), `seed ${seed}`);
		assert.deepEqual(
			rows(log).map((row) => row.kind === "line" && row.pen),
			rows(want).map((row) => row.kind === "line" && row.pen),
			`colours, seed ${seed}`,
		);
	}
});

test("blocks far away are forgotten, and asked for again", () => {
	const log = new LogText();
	const server = new Server();
	const line = `${"x".repeat(200)}\n`;
	for (let i = 0; i < maxBlocks + 50; i++) log.append(server.write(line.repeat(blockLines)));
	log.trim(blockOf(log.lines), blockOf(log.lines));
	assert.equal(log.missing(0), 1);
	assert.equal(log.missing(60), undefined);
	assert.equal(log.atEnd, true);
	log.trim(60, 60);
	log.fill(server.page(1, 100, 1e9));
	log.trim(0, 0);
	assert.equal(log.missing(0), undefined);
	assert.equal(log.atEnd, false, "the end was forgotten, so the stream's text waits");
	log.append(server.write("later\n"));
	const last = blockOf(log.lines);
	assert.equal(log.missing(last), firstOf(last));
});

test("a line without an end is kept up to its bound, a progress bar as it is now", () => {
	const log = new LogText();
	const server = new Server();
	for (let i = 0; i < 40; i++) log.append(server.write("x".repeat(10_000)));
	log.append(server.write("\nnext\n"));
	const long = log.line(1);
	assert.equal(long?.text.length, maxLine);
	assert.equal(long?.cut, true);
	assert.equal(log.line(2)?.text, "next");
	for (let i = 0; i <= 5_000; i++) {
		log.append(server.write(`\x1b[31m${String(i).padStart(70, "#")}\r`));
	}
	const bar = log.line(3);
	assert.ok(bar?.text.endsWith("5000\r"));
	assert.ok((bar?.text.length ?? 0) <= maxLine);
	assert.equal(penAfter("x", bar?.pen ?? plain).fg, 1);
});

test("a line that is longer than an answer is not asked for again and again", () => {
	const log = new LogText();
	const server = new Server();
	for (let i = 0; i < 200; i++) server.write("y".repeat(10_000));
	log.extend(server.lines, server.bytes);
	let asked = 0;
	for (let from = log.missing(0); from !== undefined && asked < 10; from = log.missing(0)) {
		log.fill(server.page(from, 100, 1 << 20));
		asked++;
	}
	assert.equal(asked, 1);
	assert.equal(log.line(1)?.text.length, maxLine);
	// It ends, and what comes then is shown.
	server.write("\nnext\n");
	log.extend(server.lines, server.bytes);
	assert.equal(log.missing(0), 2);
	log.fill(server.page(2, 100, 1 << 20));
	assert.equal(log.missing(0), undefined);
	assert.equal(log.line(2)?.text, "next");
	assert.equal(log.atEnd, true);
});

test("characters are bounded too", () => {
	const log = new LogText();
	const server = new Server();
	const wide = `${"w".repeat(100_000)}\n`;
	for (let i = 0; i < 500; i++) {
		log.append(server.write(wide));
		log.trim(blockOf(log.lines), blockOf(log.lines));
	}
	let kept = 0;
	for (const row of rows(log)) if (row.kind === "line") kept += row.text.length;
	assert.ok(kept <= maxCharacters + blockLines * wide.length, `${kept}`);
	assert.equal(log.atEnd, true);
});

test("lines are whole where all of each is here", () => {
	const server = new Server();
	const log = new LogText();
	for (const chunk of [server.write("one\ntwo\nthree"), server.lose(7), server.write("\nfour\n")]) {
		log.append(chunk);
	}
	assert.equal(log.whole(1, 2), "one\ntwo\n");
	assert.equal(log.whole(2, 3), undefined, "bytes of the third were lost");
	assert.equal(log.whole(4, 4), "four\n");
	assert.equal(log.whole(4, 5), undefined, "there is no fifth");
	log.append(server.write("five"));
	assert.equal(log.whole(4, 5), "four\nfive", "which has no end yet");
	log.append(server.write("\n"));
	log.append(server.write(`${"x".repeat(maxLine + 1)}\n`));
	assert.equal(log.whole(6, 6), undefined, "the sixth is longer than what is kept of it");
});
