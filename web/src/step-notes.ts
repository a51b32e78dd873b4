import { Folds, type Group } from "./folds.ts";
import { buildURL } from "./model.ts";
import type { Level } from "./notes.ts";
import { get, type Refusal } from "./request.ts";
import { straightened } from "./turning.ts";

/** A note as the list of notes and the stream have it: of these members exactly one. */
export interface AnyNote {
	readonly step: string;
	readonly number: number;
	readonly line: number | null;
	readonly group?: {
		readonly name: string;
		readonly level: number;
		readonly folded: boolean;
		/** Of a group that has ended; in lists only. */
		readonly last_line?: number | null;
		readonly duration_s?: number | null;
	};
	readonly group_end?: { readonly group: number; readonly duration_s: number };
	readonly annotation?: { readonly level: Level; readonly message: string };
	readonly test?: { readonly status: string; readonly name: string; readonly message?: string };
}

interface NotesPage {
	readonly notes: readonly AnyNote[];
	readonly next: string | null;
}

export interface Mark {
	readonly line: number;
	readonly level: Level;
	readonly message: string;
}

interface Known {
	readonly groups: readonly Group[];
	readonly marks: readonly Mark[];
	readonly folded: ReadonlySet<number>;
	readonly folds: Folds;
}

/** How long to wait until a list that could not be read is asked for again, in milliseconds; then twice as long. */
const patience = 5_000;
/** Notes of a step that its log shows at most. */
const mostNotes = 20_000;

/**
 * What is known of one step's log: its groups and annotations, from the list of notes and from the
 * stream. A note that comes twice is one note.
 */
export class StepNotes {
	/** Whether the list has been read, so that what is not here is not there. */
	loaded = false;
	/** Whether somebody reads in a group that has just ended, so that it must not be folded now. */
	reads: (group: Group) => boolean = () => false;

	readonly #groups = new Map<number, Group>();
	readonly #marks = new Map<number, Mark>();
	/** Groups that the reader, or the page by itself, has opened or folded: they stay as they are. */
	readonly #chosen = new Map<number, boolean>();
	/** Whether somebody has seen which groups are open, so that one may be read in. */
	#watched = false;
	#request: AbortController | undefined;
	/** All that is known, in order; undefined when something has come since it was put in order. */
	#known: Known | undefined;

	/** In order of their lines, those around before those within. */
	get groups(): readonly Group[] {
		return this.#settled().groups;
	}

	/** One for each line, the gravest, in order of their lines. */
	get marks(): readonly Mark[] {
		return this.#settled().marks;
	}

	/** The groups that are folded. */
	get folded(): ReadonlySet<number> {
		return this.#settled().folded;
	}

	get folds(): Folds {
		return this.#settled().folds;
	}

	/** Reads the list, and says when it is read, or cannot be; unless it is refused, it is asked for again then. */
	async load(build: string, step: string, said: () => void, wait = patience): Promise<void> {
		this.#request?.abort();
		const request = new AbortController();
		this.#request = request;
		const query = new URLSearchParams({ step, limit: "10000" });
		for (const kind of ["group", "annotation"]) query.append("kind", kind);
		query.append("status", "failed"); // and the tests that did
		try {
			for (let read = 0; read < mostNotes; ) {
				const path = `${buildURL(build)}/notes?${query}`;
				const page = await get<NotesPage>(path, request.signal);
				for (const note of page.notes) this.#take(note);
				read += page.notes.length;
				if (!page.next) break;
				query.set("after", page.next);
			}
		} catch (error) {
			// The log is there without them meanwhile.
			if (!((error as Refusal).status < 429))
				setTimeout(() => request.signal.aborted || this.load(build, step, said, 2 * wait), wait);
		}
		if (request.signal.aborted) return;
		this.loaded = true;
		this.#known = undefined;
		said();
	}

	/** One more note of the stream. */
	add(note: AnyNote): void {
		if (!this.#take(note)) return;
		this.#known = undefined;
		// One that begins before a reader's eyes is open, however soon it ends.
		const { number, group } = note;
		if (this.loaded && group && !group.folded && !this.#chosen.has(number))
			this.#chosen.set(number, false);
	}

	stop(): void {
		this.#request?.abort();
	}

	/** Folds a group, or unfolds it. */
	fold(number: number, folded: boolean): void {
		this.#chosen.set(number, folded);
		this.#known = undefined;
	}

	/** Folds all groups that have ended, or unfolds all. */
	foldAll(folded: boolean): void {
		for (const number of this.#groups.keys()) this.#chosen.set(number, folded);
		this.#known = undefined;
	}

	/** Unfolds whatever hides a line; tells whether anything did. */
	unfold(line: number): boolean {
		if (!this.folds.hides(line)) return false;
		for (const { number, line: first, last } of this.groups) {
			if (first <= line && (last ?? 0) >= line) this.#chosen.set(number, false);
		}
		this.#known = undefined;
		return true;
	}

	/** The innermost group that a line belongs to. */
	around(line: number): Group | undefined {
		return this.groups.findLast(
			(group) => group.line <= line && (group.last ?? Number.POSITIVE_INFINITY) >= line,
		);
	}

	/** Tells whether it is about the lines of the log. */
	#take(note: AnyNote): boolean {
		const { number, line, group, group_end: end, annotation, test } = straightened(note);
		if (group && line !== null) {
			const known = this.#groups.get(number);
			this.#groups.set(number, {
				number,
				name: group.name,
				level: group.level,
				line,
				last: group.last_line ?? known?.last,
				duration: group.duration_s ?? known?.duration,
				asked: group.folded,
			});
		} else if (end && line !== null) {
			const known = this.#groups.get(end.group);
			if (known && known.last === undefined) {
				this.#groups.set(end.group, { ...known, last: line - 1, duration: end.duration_s });
			}
		} else if (annotation && line !== null) {
			this.#mark({ line, level: annotation.level, message: annotation.message });
		} else if (test?.status === "failed" && line !== null) {
			this.#mark({
				line,
				level: "error",
				message: [test.name, test.message].filter(Boolean).join(": "),
			});
		} else {
			return false;
		}
		return true;
	}

	/** Of what is said of a line, the gravest counts, and of that the first. */
	#mark(mark: Mark): void {
		const known = this.#marks.get(mark.line);
		if (!known || gravity[mark.level] > gravity[known.level]) this.#marks.set(mark.line, mark);
	}

	/** Puts in order what has come, once for however many notes. */
	#settled(): Known {
		if (this.#known) return this.#known;
		const groups = [...this.#groups.values()].sort((a, b) => a.line - b.line || a.level - b.level);
		const marks = [...this.#marks.values()].sort((a, b) => a.line - b.line);
		this.#choose(groups, marks);
		const away = groups.filter((g) => g.last !== undefined && this.#chosen.get(g.number));
		const folded = new Set(away.map(({ number }) => number));
		this.#known = { groups, marks, folded, folds: new Folds(away) };
		return this.#known;
	}

	/**
	 * What had ended before the page was opened is folded, unless something in it went wrong; what ends
	 * while somebody reads stays as it is, for nothing may vanish from under a reader's eyes. A command may
	 * ask that a group be folded: then it is when it ends, unless somebody reads in it.
	 */
	#choose(groups: readonly Group[], marks: readonly Mark[]): void {
		if (!this.loaded) return;
		const errors = marks.filter(({ level }) => level === "error");
		for (const group of groups) {
			const { number, line, last, asked } = group;
			if (this.#chosen.has(number) || (asked && last === undefined)) continue;
			const wrong = errors.some((mark) => mark.line >= line && mark.line <= (last ?? line));
			const read = this.#watched && this.reads(group);
			this.#chosen.set(number, last !== undefined && !wrong && !read);
		}
		this.#watched = true;
	}
}

const gravity = { notice: 0, warning: 1, error: 2 } as const satisfies Record<Level, number>;
