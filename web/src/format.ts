/** Words and figures for people. The pages are in English, whatever the browser's language. */

import type { Build, Status, Step } from "./model.ts";

const integer = new Intl.NumberFormat("en-US");
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

export function count(n: number): string {
	return integer.format(n);
}

/** "1 line", "1,200 lines". */
export function counted(n: number, one: string): string {
	return `${count(n)} ${one}${n === 1 ? "" : "s"}`;
}

/** "2 of 41 tests failed, 1 was skipped. 3 errors, 1 warning."; empty when nothing was found. */
export function found(step: Pick<Step, "tests" | "annotations">): string {
	const sentences: string[] = [];
	const tests = step.tests;
	if (tests) {
		const all = tests.passed + tests.failed + tests.skipped;
		const skipped = tests.skipped
			? `, ${count(tests.skipped)} ${tests.skipped === 1 ? "was" : "were"} skipped`
			: "";
		sentences.push(
			tests.failed
				? `${count(tests.failed)} of ${counted(all, "test")} failed${skipped}.`
				: `${counted(tests.passed, "test")} passed${skipped}.`,
		);
	}
	const { error = 0, warning = 0 } = step.annotations ?? {};
	const grave = [error && counted(error, "error"), warning && counted(warning, "warning")];
	const said = grave.filter(Boolean).join(", ");
	if (said) sentences.push(`${said}.`);
	return sentences.join(" ");
}

/** A sign of its own for each status, where there can only be text. */
const signs: Readonly<Record<Status, string>> = {
	passed: "✓",
	failed: "✗",
	running: "●",
	queued: "○",
	canceled: "⊘",
	skipped: "–",
	lost: "!",
};

/** "✗ main #482 failed — acme/api": what a tab has room for comes first. */
export function buildTitle(build: Pick<Build, "status" | "branch" | "number" | "project">): string {
	const branch = build.branch ? `${build.branch} ` : "";
	return `${signs[build.status] ?? ""} ${branch}#${build.number} ${build.status} — ${build.project}`;
}

/** "840 ms", "12.3 s", "4 m 07 s", "2 h 05 m", "3 d 4 h". */
export function duration(milliseconds: number): string {
	const ms = Math.max(0, milliseconds);
	if (ms < 1_000) return `${Math.round(ms)} ms`;
	if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
	const seconds = Math.floor(ms / 1_000);
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
	const hours = Math.floor(minutes / 60);
	if (hours < 24) return `${hours} h ${two(minutes % 60)} m`;
	return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The same for something that still runs, in whole seconds, so that it does not flicker. */
export function elapsed(milliseconds: number): string {
	const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
	return seconds < 60 ? `${seconds} s` : duration(seconds * 1_000);
}

/** Either of them: how long something took, or, while it still does, has been taking. */
export function lasted(milliseconds: number, still: boolean): string {
	return still ? elapsed(milliseconds) : duration(milliseconds);
}

/** An estimate in seconds, as exact as it can be meant: "40 s", "6 min", "1 h 20 min". */
export function about(seconds: number): string {
	if (seconds < 9.5) return `${Math.max(1, Math.round(seconds))} s`;
	if (seconds < 57.5) return `${Math.round(seconds / 5) * 5} s`;
	const minutes = Math.round(seconds / 60);
	if (minutes < 60) return `${minutes} min`;
	const tens = Math.round(minutes / 10) * 10;
	const rest = tens % 60;
	return `${Math.floor(tens / 60)} h${rest === 0 ? "" : ` ${rest} min`}`;
}

/** "just now", "12 s ago", "5 min ago", "3 h ago", "2 d ago", and after a week the day. */
export function ago(time: number, now: number): string {
	const seconds = Math.floor((now - time) / 1_000);
	if (seconds < 5) return "just now";
	if (seconds < 60) return `${seconds} s ago`;
	if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
	if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
	if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
	return day.format(time);
}

/** "14:05". */
export function clock(time: number): string {
	return clockTime.format(time);
}

/** "14:02:11.123", local. */
export function timeOfDay(time: number): string {
	const at = new Date(time);
	const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
	return `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** "0:02.345", "1:02:03.456": since some start, or before it. */
export function stopwatch(milliseconds: number): string {
	const ms = Math.abs(milliseconds);
	const seconds = Math.floor(ms / 1_000);
	const minutes = Math.floor(seconds / 60);
	const hours = Math.floor(minutes / 60);
	const head = hours > 0 ? `${hours}:${two(minutes % 60)}` : String(minutes);
	const rest = `${two(seconds % 60)}.${String(Math.floor(ms % 1_000)).padStart(3, "0")}`;
	return `${milliseconds < 0 ? "-" : ""}${head}:${rest}`;
}

/** "14:05", of another day "22 Nov 2026, 14:05". */
export function clockOrDay(time: number, now: number): string {
	return day.format(time) === day.format(now) ? clock(time) : `${day.format(time)}, ${clock(time)}`;
}

/** The whole of a time, for a title. */
export function moment(time: number): string {
	return full.format(time);
}

/** An RFC 3339 time in milliseconds since 1970, or undefined. */
export function instant(text: string | null | undefined): number | undefined {
	const time = Date.parse(text ?? "");
	return Number.isNaN(time) ? undefined : time;
}

/** What there is to add where an address was copied that leads nobody else anywhere, as one of a guest. */
export function onlyHere(address: string, guest = false): string {
	return guest || /^https?:\/\/([^/]*localhost[:/]|127\.|\[::1])/.test(address)
		? "; it opens only on this device"
		: "";
}

/** "Passed". */
export function capital(word: string): string {
	return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function two(n: number): string {
	return String(n).padStart(2, "0");
}
