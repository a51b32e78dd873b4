import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { type AnyNote, StepNotes } from "./step-notes.ts";

const begin = (number: number, line: number, more: object = {}): AnyNote => ({
	step: "s",
	number,
	line,
	group: { name: `group ${number}`, level: 1, folded: false, ...more },
});
const end = (number: number, line: number, group: number): AnyNote => ({
	step: "s",
	number,
	line,
	group_end: { group, duration_s: 2 },
});
const wrong = (number: number, line: number, level: "error" | "warning" = "error"): AnyNote => ({
	step: "s",
	number,
	line,
	annotation: { level, message: `note ${number}` },
});

// A list that could not be read is asked for again after a while.
mock.timers.enable({ apis: ["setTimeout"] });

/** The notes as they are once the list could not be read: what came by stream is all there is. */
async function opened(...notes: AnyNote[]): Promise<StepNotes> {
	const step = new StepNotes();
	for (const note of notes) step.add(note);
	await step.load("b", "s", () => {});
	step.stop();
	return step;
}

test("what had ended is folded, but for what went wrong; what is open stays open", async () => {
	const notes = await opened(
		begin(0, 1),
		end(1, 11, 0),
		begin(2, 21),
		wrong(3, 25),
		end(4, 31, 2),
		begin(5, 41),
		wrong(6, 45, "warning"),
		end(7, 51, 5),
		begin(8, 61),
	);
	assert.deepEqual([...notes.folded], [0, 5]);
	assert.equal(notes.folds.hides(25), false);
	assert.equal(notes.folds.hides(45), true);
	assert.deepEqual(
		notes.groups.map(({ line, last, duration }) => [line, last, duration]),
		[
			[1, 10, 2],
			[21, 30, 2],
			[41, 50, 2],
			[61, undefined, undefined],
		],
	);
});

test("what ends while somebody reads stays open; a group that asked for it is folded then", async () => {
	const notes = await opened();
	notes.add(begin(0, 1));
	notes.add(end(1, 11, 0));
	notes.add(begin(2, 11, { folded: true }));
	assert.deepEqual([...notes.folded], []);
	notes.add(end(3, 21, 2));
	assert.deepEqual([...notes.folded], [2]);
	// But not from under the eyes of who reads in it.
	notes.reads = (group) => group.line === 31;
	notes.add(begin(4, 31, { folded: true }));
	notes.add(end(5, 41, 4));
	assert.deepEqual([...notes.folded], [2]);
});

test("a note that comes twice is one note, and the gravest of a line counts", async () => {
	const twice = [
		begin(0, 1),
		end(1, 11, 0),
		wrong(2, 5, "warning"),
		wrong(3, 5),
		wrong(4, 5, "warning"),
	];
	const notes = await opened(...twice, ...twice);
	assert.equal(notes.groups.length, 1);
	assert.deepEqual(notes.marks, [{ line: 5, level: "error", message: "note 3" }]);
});

test("a line is shown by unfolding all that hides it, and nothing else", async () => {
	const notes = await opened(
		begin(0, 1),
		begin(1, 11, { level: 2 }),
		end(2, 21, 1),
		begin(3, 31, { level: 2 }),
		end(4, 41, 3),
		end(5, 51, 0),
	);
	assert.deepEqual([...notes.folded], [0, 1, 3]);
	assert.equal(notes.unfold(15), true);
	assert.deepEqual([...notes.folded], [3]);
	assert.equal(notes.unfold(15), false);
	assert.equal(notes.around(15)?.number, 1);
	assert.equal(notes.around(25)?.number, 0);
	assert.equal(notes.around(60), undefined);
	notes.foldAll(true);
	assert.equal(notes.folds.hides(15), true);
	notes.foldAll(false);
	assert.deepEqual([...notes.folded], []);
});

test("a list that could not be read is asked for again, unless it was refused or nobody wants it", async (t) => {
	const away = async () => {
		throw new TypeError("away");
	};
	const asked = t.mock.method(globalThis, "fetch", away);
	const notes = new StepNotes();
	const said = t.mock.fn();
	await notes.load("b", "s", said);
	const answer = async (response: Response, wait: number) => {
		asked.mock.mockImplementationOnce(async () => response, asked.mock.callCount());
		const [before, calls] = [said.mock.callCount(), asked.mock.callCount()];
		mock.timers.tick(wait - 1);
		assert.equal(asked.mock.callCount(), calls);
		mock.timers.tick(1);
		for (let i = 0; i < 1_000 && said.mock.callCount() === before; i++)
			await new Promise(setImmediate);
	};
	await answer(new Response("", { status: 503 }), 5_000);
	assert.deepEqual(notes.groups, []);
	// What is read meanwhile stays open when it has come.
	notes.reads = ({ line, last = 0 }) => line <= 5 && 5 <= last;
	const groups = [begin(0, 1, { last_line: 10 }), begin(1, 21, { last_line: 30 })];
	await answer(Response.json({ notes: groups, next: null }), 10_000);
	assert.deepEqual([...notes.folded], [1]);
	mock.timers.tick(60_000);
	assert.equal(asked.mock.callCount(), 3);
	asked.mock.mockImplementation(async () => new Response("", { status: 404 }));
	await notes.load("b", "s", said);
	mock.timers.tick(5_000);
	assert.equal(asked.mock.callCount(), 4);
	asked.mock.mockImplementation(away);
	await notes.load("b", "s", said);
	notes.stop();
	mock.timers.tick(5_000);
	assert.equal(asked.mock.callCount(), 5);
});

test("nothing that a note says turns around what follows it", () => {
	const notes = new StepNotes();
	notes.add(begin(0, 1, { name: "echo ok #\u2067;\u2066echo OWNED\u2069\u2069 \u200f4242" }));
	assert.equal(notes.groups[0]?.name, "echo ok #;echo OWNED 4242");
});
