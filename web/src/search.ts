import type { ReactiveController, ReactiveControllerHost } from "lit";
import { buildURL } from "./model.ts";
import { get, reason } from "./request.ts";

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

	readonly #host: ReactiveControllerHost;
	readonly #build: () => string;
	readonly #changed: () => void;
	#next: string | undefined;
	#end: string | undefined;
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
		const { q, regex, step } = this.query;
		if (
			q === query.q &&
			regex === query.regex &&
			step === query.step &&
			this.query.case === query.case
		) {
			return;
		}
		this.query = query;
		this.#cancel();
		this.matches = [];
		this.total = 0;
		this.atLeast = false;
		this.#next = this.#end = undefined;
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
		if (this.more && !this.#request) this.#look(0);
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
		const { q, regex, step } = this.query;
		// More of what was found, else what has come since, else all.
		const after = this.#next ?? this.#end;
		const counted = this.#next !== undefined;
		const parameters = new URLSearchParams({ q, limit: String(pageSize) });
		if (regex) parameters.set("regex", "true");
		if (this.query.case) parameters.set("case", "true");
		if (step !== undefined) parameters.set("step", step);
		if (after !== undefined) parameters.set("after", after);
		const request = new AbortController();
		this.#request = request;
		this.#grew = false;
		try {
			const path = `${buildURL(this.#build())}/search?${parameters}`;
			const page = await get<Page>(path, request.signal);
			if (request.signal.aborted) return;
			const before = this.matches.length;
			this.matches = [...this.matches, ...page.matches].slice(0, mostMatches);
			this.total = counted ? before + page.total : this.total + page.total;
			this.atLeast = !page.complete;
			this.#next = page.next ?? undefined;
			this.#end = page.end;
			this.state = "found";
			this.failed = "";
		} catch (error) {
			if (request.signal.aborted) return;
			this.state = "failed";
			this.failed = reason(error);
		}
		this.#request = undefined;
		if (this.#grew) this.grow();
		this.#tell();
	}

	#tell(): void {
		this.#changed();
		this.#host.requestUpdate();
	}
}
