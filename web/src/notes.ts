import type { ReactiveController, ReactiveControllerHost } from "lit";
import { formatFragment } from "./fragment.ts";
import { returning } from "./listening.ts";
import { buildURL, type Step } from "./model.ts";
import { get, Refusal } from "./request.ts";
import { straightened } from "./turning.ts";

export type Level = "error" | "warning" | "notice";
export type TestStatus = "passed" | "failed" | "skipped";

/** What a runner understood of a step's log. Number counts the step's notes from 0. */
export interface Note {
	readonly step: string;
	readonly number: number;
	/** The line of the step's log, from 1. */
	readonly line: number | null;
}

export interface Annotation extends Note {
	readonly annotation: {
		readonly level: Level;
		readonly message: string;
		readonly title?: string;
		readonly file?: string;
		/** From 1. 0 or absent: unknown. */
		readonly file_line?: number;
		readonly file_column?: number;
	};
}

export interface TestResult extends Note {
	readonly test: {
		readonly name: string;
		readonly status: TestStatus;
		readonly suite?: string;
		/** Seconds. 0 or absent: unknown. */
		readonly duration_s?: number;
		readonly message?: string;
	};
}

interface Page<N> {
	readonly notes: readonly N[];
	readonly next: string | null;
}

/** How many notes are asked for at once; the server may answer with fewer, and says that there are more. */
const pageSize = 1_000;
/** Notes of one list that are kept in the page. */
export const mostNotes = 20_000;
/** While a build reports, its list is asked for at most so often. */
const pause = 1_000;

/**
 * A list of a build's notes that an element shows: page by page on demand, and what came since when
 * their number grows. Notes never change and come in the order in which they were reported, so only
 * the last page is ever asked for again.
 */
export class Notes<N extends Note> implements ReactiveController {
	/** In the order in which they were reported. */
	notes: readonly N[] = [];
	state: "idle" | "loading" | "failed" | "loaded" = "idle";

	readonly #host: ReactiveControllerHost;
	readonly #filter: string;
	#build = "";
	/** How many there are, as the steps say. */
	#count = 0;
	/** The count as of the last request that was answered, or is under way. */
	#asked = 0;
	/** Where the last page begins, and how many notes come before it. */
	#after = "";
	#before = 0;
	/** Where the next page begins; undefined while the last page is the end of the list. */
	#next: string | undefined;
	#request: AbortController | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#last = 0;

	/** The filter is a query of the list of notes: "kind=test&status=failed". */
	constructor(host: ReactiveControllerHost, filter: string) {
		this.#host = host;
		this.#filter = filter;
		host.addController(this);
		returning(host, () => {
			if (this.state === "failed") this.load();
		});
	}

	hostConnected(): void {
		this.#follow();
	}

	hostDisconnected(): void {
		this.#request?.abort();
		this.#request = undefined;
		clearTimeout(this.#timer);
		this.#timer = undefined;
		// What was under way, and what came meanwhile, is asked for again.
		this.#asked = -1;
		if (this.state === "loading") this.state = "idle";
	}

	/** Whether there are notes after those that are here. */
	get more(): boolean {
		return this.#next !== undefined && this.notes.length < mostNotes;
	}

	/** Whether there are more of them than the page keeps. */
	get full(): boolean {
		return this.#next !== undefined && this.notes.length >= mostNotes;
	}

	/** Says of which build the notes are, and how many it has now. A change of that asks the server. */
	want(build: string, count: number): void {
		if (build !== this.#build) {
			this.#forget();
			this.#build = build;
		}
		this.#count = count;
		this.#follow();
	}

	/** Asks for the next page, or again for one that failed. */
	load(): void {
		if (this.state === "loading") return;
		if (this.#next !== undefined) {
			this.#before = this.notes.length;
			this.#after = this.#next;
			this.#next = undefined;
		}
		void this.#ask();
	}

	#follow(): void {
		if (this.#count === this.#asked || this.#timer !== undefined || this.state === "loading")
			return;
		// News of later pages is for whoever asks for those.
		if (this.#next !== undefined) return;
		const wait = this.#last + pause - Date.now();
		if (wait <= 0) {
			void this.#ask();
			return;
		}
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			this.#follow();
		}, wait);
	}

	async #ask(): Promise<void> {
		const request = new AbortController();
		this.#request = request;
		this.#asked = this.#count;
		this.#last = Date.now();
		if (this.#count === 0 && this.#after === "") return;
		this.state = "loading";
		this.#host.requestUpdate();
		try {
			const page = await this.#page(request.signal);
			this.notes = [...this.notes.slice(0, this.#before), ...page.notes];
			this.#next = page.next ?? undefined;
			this.state = "loaded";
		} catch {
			if (request.signal.aborted) return;
			this.state = "failed";
		}
		this.#host.requestUpdate();
		this.#follow();
	}

	async #page(aborted: AbortSignal): Promise<Page<N>> {
		const query = new URLSearchParams(this.#filter);
		query.set("limit", String(pageSize));
		if (this.#after !== "") query.set("after", this.#after);
		try {
			return straightened(await get<Page<N>>(`${buildURL(this.#build)}/notes?${query}`, aborted));
		} catch (error) {
			if (!(error instanceof Refusal && error.status === 400 && this.#after !== "")) throw error;
			// The place is of a history that is gone.
			this.#after = "";
			this.#before = 0;
			return this.#page(aborted);
		}
	}

	#forget(): void {
		this.#request?.abort();
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.notes = [];
		this.state = "idle";
		this.#asked = 0;
		this.#after = "";
		this.#before = 0;
		this.#next = undefined;
	}
}

/** The address of a place in a build's logs: "#test%2Flinux:L120". */
export function placeOf({ step, line }: Pick<Note, "step" | "line">): string {
	return formatFragment(step, line === null ? undefined : [line, line]);
}

/** How many tests ended so, in all steps. */
export function testsOf(steps: readonly Step[], status: TestStatus): number {
	return steps.reduce((all, { tests }) => all + (tests?.[status] ?? 0), 0);
}

/** How many annotations of a level all steps have. */
export function annotationsOf(steps: readonly Step[], level: Level): number {
	return steps.reduce((all, { annotations }) => all + (annotations?.[level] ?? 0), 0);
}

/** The first lines of a text, and whether there are more. */
export function firstLines(
	text: string,
	most: number,
	characters = 1_000,
): readonly [string, boolean] {
	const lines = text.trimEnd().split("\n");
	const first = lines.slice(0, most).join("\n");
	if (first.length > characters) return [first.slice(0, characters), true];
	return [first, lines.length > most];
}
