import { instant } from "./format.ts";
import { type Build, ended, type Step } from "./model.ts";

/** When a step ran, in milliseconds since 1970. */
export interface Span {
	readonly started: number;
	/** Now, if it runs. Not before started, whatever the clocks of two machines said. */
	readonly finished: number;
	/** Whether that is when it ended, or now; else nobody knows when it ended. */
	readonly known: boolean;
}

/** When a build and its steps ran. */
export interface Spans {
	/** Whether the build has ended. */
	readonly over: boolean;
	/** The build's creation, or the start of a step that a clock put before that. */
	readonly first: number;
	/** The end of the last step, or now. */
	readonly last: number;
	/** By key, of all that have started. */
	readonly times: ReadonlyMap<string, Span>;
}

/** Now is in milliseconds since 1970, on the reader's clock. */
export function spans(
	build: Pick<Build, "status" | "created_at" | "finished_at">,
	steps: readonly Step[],
	now: number,
): Spans {
	const over = ended(build.status);
	const created = instant(build.created_at);
	// A step that never started has no part in it, whenever it was given up.
	const ran = steps.flatMap(({ key, status, started_at, finished_at }) => {
		const started = instant(started_at);
		const end = instant(finished_at);
		return started === undefined ? [] : [{ key, started, end, known: end || !ended(status) }];
	});
	const latest = Math.max(
		instant(build.finished_at) ?? 0,
		...ran.flatMap(({ started, end = 0 }) => [started, end]),
	);
	// The reader's clock may be behind the runner's: nothing that was said lies in the future.
	const last = Math.max(latest || (created ?? 0), over ? 0 : now);
	return {
		over,
		first: Math.min(created ?? last, ...ran.map(({ started }) => started)),
		last,
		times: new Map(
			ran.map(({ key, started, end, known }) => [
				key,
				{ started, finished: Math.max(started, end ?? last), known: Boolean(known) },
			]),
		),
	};
}
