import { blockLines, blockOf, firstOf, type LogText } from "./log-text.ts";
import type { LinesPage } from "./model.ts";
import { get, reason } from "./request.ts";

/** How long a failed request waits before it is repeated, in milliseconds, the first time. */
const patience = 1_000;
const mostPatience = 30_000;

interface Wanted {
	readonly from: number;
	readonly to: number;
	readonly end: boolean;
}

/** Asks for lines of a step's log, one request at a time, until they have come. */
export class Lines {
	/** Why lines could not be had, in a sentence; empty when they can. */
	failed = "";

	readonly #path: string;
	readonly #text: LogText;
	readonly #changed: () => void;
	#request: AbortController | undefined;
	#wanted: Wanted | undefined;
	#pause: ReturnType<typeof setTimeout> | undefined;
	#failures = 0;
	/** Whether lines are so long that those of the last block do not come in one answer. */
	#long = false;

	/** The path is that of the step; changed is called when lines have come, or will not come now. */
	constructor(path: string, text: LogText, changed: () => void) {
		this.#path = path;
		this.#text = text;
		this.#changed = changed;
	}

	/**
	 * Says which lines are wanted now; what was wanted before, and is not on its way, is not any more. With
	 * end, they are the end of the log, wherever that is when the server answers: by the time that lines
	 * with certain numbers have come over a slow network, the end of a fast log is elsewhere.
	 */
	need(from: number, to: number, end: boolean): void {
		this.#wanted = { from, to, end };
		if (!this.#request && this.#pause === undefined) void this.#ask();
	}

	/** The server may be there again: the next attempt, if there is to be one, does not wait. */
	retry(): void {
		this.#failures = 0;
		if (this.#pause === undefined) return;
		clearTimeout(this.#pause);
		this.#again();
	}

	stop(): void {
		this.#request?.abort();
		clearTimeout(this.#pause);
	}

	readonly #again = (): void => {
		this.#pause = undefined;
		void this.#ask();
	};

	async #ask(): Promise<void> {
		const wanted = this.#wanted;
		if (!wanted) return;
		this.#wanted = undefined;
		const request = new AbortController();
		this.#request = request;
		try {
			const tail = wanted.end && !this.#long;
			const query = tail ? `tail=${2 * blockLines}` : `from=${wanted.from}&to=${wanted.to}`;
			const page = await get<LinesPage>(`${this.#path}/lines?${query}`, request.signal);
			if (request.signal.aborted) return;
			this.#text.fill(page);
			this.#long ||= tail && (page.chunks[0]?.line ?? 0) > firstOf(blockOf(page.lines));
			this.failed = "";
			if (page.chunks.length > 0) this.#failures = 0;
			// A log that has fewer lines than was said: whoever wants them would ask at once again.
			else this.#later(wanted);
		} catch (error) {
			if (request.signal.aborted) return;
			this.failed = reason(error);
			this.#later(wanted);
		} finally {
			this.#request = undefined;
		}
		// What else is wanted is said by whoever looks at what has come.
		this.#changed();
	}

	#later(wanted: Wanted): void {
		this.#wanted ??= wanted;
		const delay = Math.min(mostPatience, patience * 2 ** this.#failures++);
		this.#pause = setTimeout(this.#again, delay * (0.5 + Math.random() / 2));
	}
}
