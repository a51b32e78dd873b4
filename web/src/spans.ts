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
	const known = steps
		.filter((step) => step.started_at)
		.flatMap((step) => [instant(step.started_at), instant(step.finished_at)])
		.concat(instant(build.finished_at))
		.filter((time) => time !== undefined);
	const latest = known.length > 0 ? Math.max(...known) : (created ?? 0);
	// The reader's clock may be behind the runner's: nothing that was said lies in the future.
	const last = over ? latest : Math.max(now, latest);

	const times = new Map<string, Span>();
	for (const step of steps) {
		const started = instant(step.started_at);
		if (started === undefined) continue;
		const finished = instant(step.finished_at);
		const end = finished ?? last;
		const known = finished !== undefined || !ended(step.status);
		times.set(step.key, { started, finished: Math.max(started, end), known });
	}
	const first = Math.min(created ?? last, ...[...times.values()].map((one) => one.started));
	return { over, first, last, times };
}
