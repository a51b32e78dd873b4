import { Folds, type Group } from "./folds.ts";
import { buildURL } from "./model.ts";
import type { Level } from "./notes.ts";
import { get } from "./request.ts";

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

/** Notes of a step that its log shows at most. */
const mostNotes = 20_000;

/**
 * What is known of one step's log: its groups and annotations, from the list of notes and from the
 * stream. A note that comes twice is one note.
 */
export class StepNotes {
	/** In order of their lines, those around before those within. */
	groups: readonly Group[] = [];
	/** One for each line, the gravest, in order of their lines. */
	marks: readonly Mark[] = [];
	/** Whether the list has been read, so that what is not here is not there. */
	loaded = false;
	/** The groups that are folded. */
	folded: ReadonlySet<number> = new Set();
	folds = new Folds();

	readonly #groups = new Map<number, Group>();
	readonly #marks = new Map<number, Mark>();
	/** Groups that the reader, or the page by itself, has opened or folded: they stay as they are. */
	readonly #chosen = new Map<number, boolean>();
	#request: AbortController | undefined;

	/** Reads the list, and answers when it is read, or cannot be. */
	async load(build: string, step: string): Promise<void> {
		this.#request?.abort();
		const request = new AbortController();
		this.#request = request;
		const query = new URLSearchParams({ step, limit: "10000" });
		for (const kind of ["group", "annotation"]) query.append("kind", kind);
		try {
			for (let read = 0; read < mostNotes; ) {
				const path = `${buildURL(build)}/notes?${query}`;
				const page = await get<NotesPage>(path, request.signal);
				for (const note of page.notes) this.#take(note);
				read += page.notes.length;
				if (!page.next) break;
				query.set("after", page.next);
			}
		} catch {
			// The log is there without them; the next connection asks again.
		}
		if (request.signal.aborted) return;
		this.loaded = true;
		this.#settle();
	}

	/** One more note of the stream. */
	add(note: AnyNote): void {
		if (this.#take(note)) this.#settle();
	}

	stop(): void {
		this.#request?.abort();
	}

	/** Folds a group, or unfolds it. */
	fold(number: number, folded: boolean): void {
		this.#chosen.set(number, folded);
		this.#settle();
	}

	/** Folds all groups that have ended, or unfolds all. */
	foldAll(folded: boolean): void {
		for (const number of this.#groups.keys()) this.#chosen.set(number, folded);
		this.#settle();
	}

	/** Unfolds whatever hides a line; tells whether anything did. */
	unfold(line: number): boolean {
		if (!this.folds.hides(line)) return false;
		for (const { number, line: first, last } of this.groups) {
			if (first <= line && (last ?? 0) >= line) this.#chosen.set(number, false);
		}
		this.#settle();
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
		const { number, line, group, group_end: end, annotation } = note;
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
			const known = this.#marks.get(line);
			if (!known || gravity[annotation.level] > gravity[known.level]) {
				this.#marks.set(line, { line, level: annotation.level, message: annotation.message });
			}
		} else {
			return false;
		}
		return true;
	}

	#settle(): void {
		this.groups = [...this.#groups.values()].sort((a, b) => a.line - b.line || a.level - b.level);
		this.marks = [...this.#marks.values()].sort((a, b) => a.line - b.line);
		this.#choose();
		this.folded = new Set(
			this.groups
				.filter((g) => g.last !== undefined && this.#chosen.get(g.number))
				.map((g) => g.number),
		);
		this.folds = new Folds(this.groups.filter(({ number }) => this.folded.has(number)));
	}

	/**
	 * What had ended before the page was opened is folded, unless something in it went wrong; what ends
	 * while somebody reads stays as it is, for nothing may vanish from under a reader's eyes.
	 */
	#choose(): void {
		if (!this.loaded) return;
		for (const { number, line, last, asked } of this.groups) {
			if (this.#chosen.has(number)) continue;
			const wrong = this.marks.some(
				(mark) => mark.level === "error" && mark.line >= line && mark.line <= (last ?? line),
			);
			this.#chosen.set(number, (last !== undefined || asked) && !wrong);
		}
	}
}

const gravity = { notice: 0, warning: 1, error: 2 } as const satisfies Record<Level, number>;
