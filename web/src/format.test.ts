import assert from "node:assert/strict";
import { test } from "node:test";
import {
	about,
	ago,
	buildTitle,
	clock,
	clockOrDay,
	counted,
	duration,
	elapsed,
	found,
	instant,
	onlyHere,
} from "./format.ts";

test("durations", () => {
	const cases: [number, string][] = [
		[-5, "0 ms"],
		[840, "840 ms"],
		[12_340, "12.3 s"],
		[59_999, "59.9 s"],
		[60_000, "1 m 00 s"],
		[247_000, "4 m 07 s"],
		[7_500_000, "2 h 05 m"],
		[273_600_000, "3 d 4 h"],
	];
	for (const [ms, want] of cases) assert.equal(duration(ms), want);
	assert.equal(elapsed(12_999), "12 s");
	assert.equal(elapsed(61_000), "1 m 01 s");
});

test("times", () => {
	const now = Date.parse("2026-11-22T10:00:00Z");
	assert.equal(ago(now + 1_000, now), "just now");
	assert.equal(ago(now - 12_000, now), "12 s ago");
	assert.equal(ago(now - 300_000, now), "5 min ago");
	assert.equal(ago(now - 7_200_000, now), "2 h ago");
	assert.equal(ago(now - 3 * 86_400_000, now), "3 d ago");
	assert.equal(clockOrDay(now, now), clock(now));
	assert.equal(clockOrDay(now, now + 3 * 86_400_000), `22 Nov 2026, ${clock(now)}`);
	assert.equal(instant("2026-11-22T10:00:00.123456Z"), now + 123);
	assert.equal(instant(null), undefined);
	assert.equal(instant("soon"), undefined);
});

test("counts", () => {
	assert.equal(counted(1, "line"), "1 line");
	assert.equal(counted(1_200, "line"), "1,200 lines");
});

test("what was found in a step's log", () => {
	assert.equal(found({}), "");
	assert.equal(found({ tests: null, annotations: null }), "");
	assert.equal(found({ tests: { passed: 1, failed: 0, skipped: 0 } }), "1 test passed.");
	assert.equal(
		found({ tests: { passed: 1200, failed: 2, skipped: 1 } }),
		"2 of 1,203 tests failed, 1 was skipped.",
	);
	assert.equal(
		found({
			tests: { passed: 3, failed: 0, skipped: 2 },
			annotations: { error: 1, warning: 4, notice: 9 },
		}),
		"3 tests passed, 2 were skipped. 1 error, 4 warnings.",
	);
	assert.equal(found({ annotations: { error: 0, warning: 0, notice: 1 } }), "");
});

test("estimates", () => {
	const cases: [number, string][] = [
		[0.2, "1 s"],
		[9.4, "9 s"],
		[42, "40 s"],
		[58, "1 min"],
		[372, "6 min"],
		[3_580, "1 h"],
		[4_900, "1 h 20 min"],
		[7_180, "2 h"],
	];
	for (const [seconds, want] of cases) assert.equal(about(seconds), want);
});

test("a build in the title of a tab", () => {
	const build = { project: "acme/api", number: 482, status: "failed", branch: "main" } as const;
	assert.equal(buildTitle(build), "✗ main #482 failed — acme/api");
	assert.equal(
		buildTitle({ ...build, status: "queued", branch: null }),
		"○ #482 queued — acme/api",
	);
});

test("an address that leads nobody else anywhere is said to", () => {
	for (const here of ["localhost:8080", "a.localhost:1", "127.0.0.1:80", "[::1]:8080"]) {
		assert.match(onlyHere(`http://${here}/builds/b#s`), /only on this device/, here);
	}
	for (const text of [
		"https://ci.example/?at=localhost",
		"http://localhost.example/",
		"<script>",
	]) {
		assert.equal(onlyHere(text), "", text);
		assert.match(onlyHere(text, true), /only on this device/, text);
	}
});
