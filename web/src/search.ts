import type { ReactiveController, ReactiveControllerHost } from "lit";
import { buildURL } from "./model.ts";
import { get, Refusal, reason } from "./request.ts";

/** What to look for. */
export interface Query {
	readonly q: string;
	readonly regex: boolean;
	/** Whether upper and lower case are told apart. */
	readonly case: boolean;
	/** The one step to look in; undefined: in all. */
	readonly step: string | undefined;
}

/** A line with a match. Ranges count UTF-16 units of the line without its escape sequences. */
export interface Match {
	readonly step: string;
	readonly line: number;
	/** An excerpt that begins at the unit at. */
	readonly text: string;
	readonly at: number;
	readonly ranges: readonly (readonly [from: number, to: number])[];
}

interface Page {
	readonly matches: readonly Match[];
	readonly total: number;
	readonly next: string | null;
	readonly end: string;
	readonly complete: boolean;
}

/** Matches that a page keeps; their number is known beyond that. */
const mostMatches = 20_000;
const pageSize = 2_000;
/** How long a growing log is left alone between searches, and typing before one, in milliseconds. */
const pause = 1_000;
const typing = 200;

/** A search through a build's logs by the server, which goes on while they grow. */
export class Search implements ReactiveController {
	query: Query = { q: "", regex: false, case: false, step: undefined };
	matches: readonly Match[] = [];
	/** How many lines match, those that are not here included. */
	total = 0;
	/** Whether the total is at least so many, because the search was cut short. */
	atLeast = false;
	state: "idle" | "searching" | "found" | "failed" = "idle";
	/** Why it failed, in a sentence. */
	failed = "";
	/** Whether that is because nobody is signed in any more. */
	signedOut = false;

	readonly #host: ReactiveControllerHost;
	readonly #build: () => string;
	readonly #changed: () => void;
	/** Where the matches go on that were counted and are not here. */
	#next: string | undefined;
	/** The end of what was counted. */
	#end: string | undefined;
	/** Whether more of those that were counted are wanted. */
	#loading = false;
	#request: AbortController | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#grew = false;

	/** Changed is called after each answer, before the host is rendered. */
	constructor(host: ReactiveControllerHost, build: () => string, changed: () => void) {
		this.#host = host;
		this.#build = build;
		this.#changed = changed;
		host.addController(this);
	}

	hostConnected(): void {
		this.#look(0);
	}

	hostDisconnected(): void {
		this.#cancel();
	}

	/** Looks for something else, as soon as typing pauses. */
	want(query: Query): void {
		if (JSON.stringify(query) === JSON.stringify(this.query)) return;
		this.query = query;
		this.#cancel();
		this.matches = [];
		this.total = 0;
		this.atLeast = false;
		this.#next = this.#end = undefined;
		this.#loading = false;
		this.state = query.q === "" ? "idle" : "searching";
		this.#look(typing);
		this.#tell();
	}

	/** The logs have grown: the rest of them is looked through soon. */
	grow(): void {
		if (this.state === "idle" || this.state === "failed") return;
		this.#grew = true;
		if (!this.#request && this.#timer === undefined) this.#look(pause);
	}

	/** Whether there are matches that can be asked for. */
	get more(): boolean {
		return this.#next !== undefined && this.matches.length < mostMatches;
	}

	/** Asks for the next matches. */
	load(): void {
		if (!this.more) return;
		this.#loading = true;
		if (!this.#request) this.#look(0);
	}

	retry(): void {
		this.state = "searching";
		this.#look(0);
	}

	#cancel(): void {
		this.#request?.abort();
		this.#request = undefined;
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#look(delay: number): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.query.q === "") return;
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			void this.#ask();
		}, delay);
	}

	async #ask(): Promise<void> {
		const { q, regex, case: exact, step } = this.query;
		// More of what was found, else what has come since, else all. While there is more of what was found,
		// what has come since is only counted: it comes after that.
		const after = this.#loading ? this.#next : this.#end;
		const kept = this.#loading || this.#next === undefined;
		const parameters = new URLSearchParams({
			q,
			regex: `${regex}`,
			case: `${exact}`,
			limit: `${kept ? pageSize : 1}`,
		});
		if (step) parameters.set("step", step);
		if (after) parameters.set("after", after);
		const request = new AbortController();
		this.#request = request;
		const counts = after === this.#end;
		if (counts) this.#grew = false;
		try {
			const path = `${buildURL(this.#build())}/search?${parameters}`;
			const page = await get<Page>(path, request.signal);
			if (request.signal.aborted) return;
			if (counts) {
				this.total += page.total;
				this.atLeast = !page.complete;
				this.#end = page.end;
			}
			if (kept) {
				this.#loading = false;
				this.matches = [...this.matches, ...page.matches].slice(0, mostMatches);
				this.#next = page.next ?? (page.end === this.#end ? undefined : page.end);
			}
			this.state = "found";
			this.failed = "";
		} catch (error) {
			if (request.signal.aborted) return;
			this.state = "failed";
			this.failed = reason(error);
			this.signedOut = error instanceof Refusal && error.status === 401;
		}
		this.#request = undefined;
		if (this.#loading && this.state === "found") this.#look(0);
		else if (this.#grew) this.grow();
		this.#tell();
	}

	#tell(): void {
		this.#changed();
		this.#host.requestUpdate();
	}
}
