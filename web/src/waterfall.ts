import { instant } from "./format.ts";
import { type Build, ended, type Step } from "./model.ts";
import { type Span, spans } from "./spans.ts";

/** A stretch of the axis; 0 is where the axis begins, 1 where it ends. */
export interface Bar {
	readonly from: number;
	readonly to: number;
}

/** A step on the axis. Durations are in milliseconds and never negative. */
export interface WaterfallRow {
	readonly step: Step;
	/** Since the axis begins; undefined: it has not started. */
	readonly start: number | undefined;
	/** How long it waited though nothing it needs kept it; undefined: it never could have started. */
	readonly queuedFor: number | undefined;
	/** Until now, if it runs; undefined: it has not started, or nobody knows when it ended. */
	readonly took: number | undefined;
	readonly queue: Bar | undefined;
	readonly run: Bar | undefined;
	readonly critical: boolean;
}

/** A build's steps along one axis of time. */
export interface Waterfall {
	/** What has started by its start, then the rest; in each the order of the build. */
	readonly rows: readonly WaterfallRow[];
	/** The length of the axis in milliseconds, at least 1. */
	readonly length: number;
	/** Round times from the beginning of the axis, in milliseconds, 0 first, evenly spaced. */
	readonly ticks: readonly number[];
	/** Where now is; undefined once the build has ended. */
	readonly now: number | undefined;
	/** The steps that the end of the build waited for, first to last. */
	readonly critical: readonly Step[];
}

/** Now is in milliseconds since 1970, on the reader's clock. */
export function waterfall(
	build: Pick<Build, "status" | "created_at" | "finished_at">,
	steps: readonly Step[],
	now: number,
): Waterfall {
	const { over, first, last, times } = spans(build, steps, now);
	const length = over ? Math.max(1, last - first) : roundedUp(last - first);
	const at = (time: number) => Math.min(1, Math.max(0, (time - first) / length));

	const path = criticalPath(steps, times);
	const critical = new Set(path);
	const byKey = new Map(steps.map((step) => [step.key, step]));
	const rows = steps.map((step): WaterfallRow => {
		const run = times.get(step.key);
		const ready = readyAt(step, byKey, times, instant(build.created_at) ?? first);
		const until = run?.started ?? (step.status === "queued" && !over ? last : undefined);
		const waits = ready !== undefined && until !== undefined;
		return {
			step,
			start: run && run.started - first,
			queuedFor: waits ? Math.max(0, until - ready) : undefined,
			took: run?.known ? run.finished - run.started : undefined,
			queue: waits && until > ready ? { from: at(ready), to: at(until) } : undefined,
			run: run && { from: at(run.started), to: at(run.finished) },
			critical: critical.has(step),
		};
	});
	const startOf = (row: WaterfallRow) => row.start ?? Number.MAX_VALUE;
	return {
		rows: rows.sort((a, b) => startOf(a) - startOf(b)),
		length,
		ticks: ticks(length),
		now: over ? undefined : at(last),
		critical: path,
	};
}

/**
 * When a step could have started: once all that it needs had ended, or at the creation of the build.
 * Undefined while something that it needs goes on. A need that the build does not have keeps nobody,
 * nor does one that never ran.
 */
function readyAt(
	step: Step,
	steps: ReadonlyMap<string, Step>,
	times: ReadonlyMap<string, Span>,
	created: number,
): number | undefined {
	let ready: number | undefined;
	for (const need of step.needs ?? []) {
		const needed = steps.get(need);
		if (!needed) continue;
		// What has started all the same was not kept.
		if (!ended(needed.status) && !step.started_at) return undefined;
		const end = times.get(need)?.finished;
		if (end !== undefined) ready = Math.max(ready ?? end, end);
	}
	return ready ?? created;
}

/**
 * The steps that the end of the build waited for, first to last. From the step that ended last it
 * goes back to the one that kept it: of what it needs, the one that ended last. In a build that names
 * no needs, that is the step that ended last before it started: steps that come one after another
 * wait for each other, and so do those that wait for a free runner.
 */
function criticalPath(steps: readonly Step[], times: ReadonlyMap<string, Span>): readonly Step[] {
	const ran = steps.filter(({ key }) => times.has(key));
	const named = steps.some((step) => step.needs?.length);
	const last = (among: readonly Step[]) =>
		among.reduce<Step | undefined>(
			(best, step) => (best && endOf(best) >= endOf(step) ? best : step),
			undefined,
		);
	const endOf = ({ key }: Step) => times.get(key)?.finished ?? 0;
	const path: Step[] = [];
	for (let step = last(ran); step && !path.includes(step); ) {
		path.unshift(step);
		const { key, needs } = step;
		const started = times.get(key)?.started ?? 0;
		step = last(
			named
				? ran.filter((one) => needs?.includes(one.key))
				: ran.filter((one) => one.key !== key && endOf(one) <= started),
		);
	}
	return path;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const round = [
	...[1, 2, 5, 10, 20, 50, 100, 200, 500],
	...[1, 2, 5, 10, 15, 30].map((n) => n * second),
	...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
	...[1, 2, 3, 6, 12, 24, 48].map((n) => n * hour),
];
const mostTicks = 6;

function tickOf(length: number): number {
	const days = Math.ceil(length / (mostTicks - 1) / (24 * hour)) * 24 * hour;
	return round.find((step) => length / step < mostTicks) ?? days;
}

/** While a build runs, its axis grows a tenth of a tick at a time, and not all its bars every second. */
function roundedUp(length: number): number {
	const piece = tickOf(length) / 10;
	return Math.max(1, Math.ceil(length / piece) * piece);
}

function ticks(length: number): readonly number[] {
	const step = tickOf(length);
	return Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step);
}

/** A time on the axis: "0", "500 ms", "30 s", "1 m 30 s", "2 h", "1 d". */
export function tickLabel(milliseconds: number): string {
	if (milliseconds === 0) return "0";
	const units = [
		[24 * hour, "d"],
		[hour, "h"],
		[minute, "m"],
		[second, "s"],
		[1, "ms"],
	] as const;
	const words: string[] = [];
	let rest = milliseconds;
	for (const [unit, name] of units) {
		if (rest >= unit) words.push(`${Math.floor(rest / unit)} ${name}`);
		rest %= unit;
	}
	return words.join(" ");
}
