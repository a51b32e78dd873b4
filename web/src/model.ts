/** What the server says, in its own words. Unknown fields and unknown event kinds are ignored. */

export const statuses = [
	"queued",
	"running",
	"passed",
	"failed",
	"canceled",
	"skipped",
	"lost",
] as const;
export type Status = (typeof statuses)[number];

export function isStatus(word: string): word is Status {
	return (statuses as readonly string[]).includes(word);
}

/** One run of a project's pipeline. Times are RFC 3339 in UTC. */
export interface Build {
	readonly id: string;
	readonly project: string;
	readonly number: number;
	readonly status: Status;
	readonly branch?: string | null;
	readonly commit?: string | null;
	readonly title?: string | null;
	readonly author?: string | null;
	readonly url?: string | null;
	readonly trigger?: string | null;
	readonly created_at: string;
	readonly started_at?: string | null;
	readonly finished_at?: string | null;
	/** How long it will take by what earlier builds took, in seconds; null when there are none. Not in events. */
	readonly expected_s?: number | null;
}

/** One unit of work in a build. In a list of builds only key, name and status are certain. */
export interface Step {
	readonly key: string;
	readonly status: Status;
	readonly name?: string | null;
	readonly needs?: readonly string[] | null;
	readonly exit_code?: number | null;
	readonly started_at?: string | null;
	readonly finished_at?: string | null;
	readonly log_bytes?: number;
	readonly log_lines?: number;
	readonly log_complete?: boolean;
	/** What was found in the log and in files of results; null when nothing was. */
	readonly annotations?: Readonly<Partial<Record<"error" | "warning" | "notice", number>>> | null;
	readonly tests?: Readonly<Record<"passed" | "failed" | "skipped", number>> | null;
}

/** What a step is called. */
export function nameOf({ name, key }: Pick<Step, "name" | "key">): string {
	return name || key;
}

export interface BuildWithSteps extends Build {
	readonly steps?: readonly Step[] | null;
	/** In the feed's snapshot: whether the last build before it, of its branch, that passed or failed, failed. */
	readonly broken?: boolean;
}

/**
 * A piece of a step's log. Offset and bytes count the log's own bytes; line is the 1-based number of
 * the line that the first byte belongs to. A hole has lost instead of text.
 */
export interface Chunk {
	readonly at: string;
	readonly step: string;
	readonly line: number;
	readonly offset: number;
	readonly bytes: number;
	readonly text?: string;
	readonly lost?: number;
	readonly quota?: Quota;
}

/** A quota of log text that is used up. */
export interface Quota {
	/** A sentence for people. */
	readonly why: string;
}

/** A part of a step's log, by lines: GET …/lines. The first chunk begins with the first byte of a line. */
export interface LinesPage {
	/** The extent of the whole log at that moment; an unended last line counts. */
	readonly lines: number;
	readonly bytes: number;
	/** The parameters of the one SGR sequence that sets the colours in force at the first chunk. */
	readonly sgr: string;
	readonly chunks: readonly Chunk[];
}

/** In the feed, an event also names its build. */
export interface InFeed {
	readonly at: string;
	readonly build_id?: string;
	readonly project?: string;
}

/** What every note says; notes.ts has the rest of it. */
export interface NoteOf {
	readonly step: string;
	readonly annotation?: { readonly level: "error" | "warning" | "notice" };
}

export interface Snapshot {
	readonly builds: readonly BuildWithSteps[];
	readonly truncated?: boolean;
}

/** One page of the list of builds. */
export interface BuildsPage {
	readonly builds: readonly BuildWithSteps[];
	readonly next?: string | null;
}

/** The list of projects. */
export interface ProjectsPage {
	readonly projects: readonly {
		readonly name: string;
		readonly visibility: "public" | "private";
		readonly latest: Build | null;
	}[];
}

/** What a stream delivers. The id is a cursor: opaque, to be handed back and never compared. */
export type StreamEvent =
	| { readonly kind: "build"; readonly id: string; readonly data: Build & InFeed }
	| { readonly kind: "step"; readonly id: string; readonly data: Step & InFeed }
	| { readonly kind: "log"; readonly id: string; readonly data: Chunk }
	| { readonly kind: "note"; readonly id: string; readonly data: NoteOf }
	| { readonly kind: "snapshot"; readonly id: string; readonly data: Snapshot }
	/**
	 * The hub's own, when a page joins a build's log, and each time that it joins anew: the whole state.
	 * Text and notes after this are told; what lies before it is asked for by whoever wants it.
	 */
	| { readonly kind: "whole"; readonly id: string; readonly data: BuildWithSteps }
	| { readonly kind: "reset"; readonly id: string; readonly data: { readonly reason?: string } }
	| { readonly kind: "live" | "ping" | "end" | "unavailable"; readonly id: string };

export const kinds = [
	"build",
	"step",
	"log",
	"note",
	"snapshot",
	"reset",
	"live",
	"ping",
	"end",
	"unavailable",
] as const satisfies readonly StreamEvent["kind"][];

/** Whether nothing more is expected of it, though a reporter that comes back may still correct lost and skipped. */
export function ended(status: Status): boolean {
	return status !== "queued" && status !== "running";
}

/**
 * Whether an object may follow another of the same build or step: a final status stands, while lost
 * and skipped may be corrected. An older state that arrives late is recognised by this.
 */
export function mayFollow(before: Status, after: Status): boolean {
	return !final(before) || before === after;
}

/** Whether a status stands for good. */
export function final(status: Status): boolean {
	return status === "passed" || status === "failed" || status === "canceled";
}

/** The address of a build in the API, behind which its events, notes and steps lie. */
export function buildURL(build: string): string {
	return `/api/v1/builds/${encodeURIComponent(build)}`;
}

/** The address of a step, behind which its log and its lines lie. */
export function stepURL(build: string, step: string): string {
	return `${buildURL(build)}/steps/${stepPath(step)}`;
}

/** A step's key in a path, where its slashes stay what they are. */
export function stepPath(key: string): string {
	return key.split("/").map(encodeURIComponent).join("/");
}
