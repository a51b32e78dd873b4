import type { LogText } from "./log-text.ts";
import type { LinesPage } from "./model.ts";
import { get, reason } from "./request.ts";

/** How long a failed request waits before it is repeated, in milliseconds, the first time. */
const patience = 1_000;
const mostPatience = 30_000;

/** Asks for lines of a step's log, one request at a time, until they have come. */
export class Lines {
	/** Why lines could not be had, in a sentence; empty when they can. */
	failed = "";

	readonly #path: string;
	readonly #text: LogText;
	readonly #changed: () => void;
	#request: AbortController | undefined;
	#wanted: readonly [from: number, to: number] | undefined;
	#retry: ReturnType<typeof setTimeout> | undefined;
	#failures = 0;

	/** The path is that of the step; changed is called when lines have come, or will not come now. */
	constructor(path: string, text: LogText, changed: () => void) {
		this.#path = path;
		this.#text = text;
		this.#changed = changed;
	}

	/** Says which lines are wanted now; what was wanted before, and is not on its way, is not any more. */
	need(from: number, to: number): void {
		this.#wanted = [from, to];
		if (!this.#request && this.#retry === undefined) void this.#ask();
	}

	/** Does not wait for the next attempt. */
	retryNow(): void {
		clearTimeout(this.#retry);
		this.#retry = undefined;
		if (!this.#request) void this.#ask();
	}

	stop(): void {
		this.#request?.abort();
		clearTimeout(this.#retry);
	}

	async #ask(): Promise<void> {
		const wanted = this.#wanted;
		if (!wanted) return;
		this.#wanted = undefined;
		const request = new AbortController();
		this.#request = request;
		try {
			const path = `${this.#path}/lines?from=${wanted[0]}&to=${wanted[1]}`;
			const page = await get<LinesPage>(path, request.signal);
			if (request.signal.aborted) return;
			this.#text.fill(page);
			this.failed = "";
			if (page.chunks.length > 0) this.#failures = 0;
			// A log that has fewer lines than was said: whoever wants them would ask at once again.
			else this.#later(wanted);
		} catch (error) {
			if (request.signal.aborted) return;
			this.failed = reason(error);
			this.#later(wanted);
		} finally {
			if (this.#request === request) this.#request = undefined;
		}
		// What else is wanted is said by whoever looks at what has come.
		this.#changed();
	}

	#later(wanted: readonly [from: number, to: number]): void {
		this.#wanted ??= wanted;
		const delay = Math.min(mostPatience, patience * 2 ** this.#failures++);
		this.#retry = setTimeout(() => this.retryNow(), delay * (0.5 + Math.random() / 2));
	}
}
