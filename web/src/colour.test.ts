import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pen, plain, rgb } from "./ansi.ts";
import { clamp, contrast, grounds, hex, paint, type RGB } from "./colour.ts";

const every: number[] = [
	...Array.from({ length: 256 }, (_, i) => i),
	...Array.from(
		{ length: 4096 },
		(_, i) => rgb | ((i >> 8) * 0x110000 + ((i >> 4) & 15) * 0x1100 + (i & 15) * 0x11),
	),
];

function property(pen: Pen, name: string): RGB | undefined {
	const value = paint(pen).properties.find(([key]) => key === name)?.[1];
	const parts = value?.match(/\d+/g)?.map(Number);
	return parts ? [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0] : undefined;
}

test("every computed colour can be read on every ground of its theme", () => {
	for (const fg of every) {
		if (fg < 16) continue;
		const pen = { ...plain, fg };
		const [light, dark] = [property(pen, "--fg-light"), property(pen, "--fg-dark")];
		assert.ok(light && dark);
		for (const ground of ["#ffffff", "#f6f8fa", "#fff8c5"].map(hex)) {
			assert.ok(contrast(light, ground) >= 4.5, `${fg} on light`);
		}
		for (const ground of ["#0d1117", "#161b22", "#2d2a12"].map(hex)) {
			assert.ok(contrast(dark, ground) >= 4.5, `${fg} on dark`);
		}
	}
});

test("text on a coloured ground can be read, whatever the two colours", () => {
	for (const bg of every) {
		for (const fg of [undefined, bg, 0, 1, 7, 15, 120, rgb | 0x808080]) {
			for (const inverse of [false, true]) {
				const pen = inverse ? { ...plain, fg: bg, bg: fg, inverse } : { ...plain, fg, bg };
				const [text, ground] = [property(pen, "--fg"), property(pen, "--bg")];
				assert.ok(text && ground);
				assert.ok(contrast(text, ground) >= 4.5, `${fg} on ${bg}`);
			}
		}
	}
});

test("a colour that can be read stays as it is", () => {
	assert.deepEqual(clamp(hex("#0757b8"), grounds.light), hex("#0757b8"));
	assert.deepEqual(clamp(hex("#79b8ff"), grounds.dark), hex("#79b8ff"));
});

test("the sixteen are the theme's", () => {
	assert.deepEqual(paint({ ...plain, fg: 9, bold: true }), {
		classes: ["bold", "fg-9"],
		properties: [],
	});
	assert.deepEqual(paint({ ...plain, inverse: true }), { classes: ["inverse"], properties: [] });
	assert.deepEqual(paint({ ...plain, dim: true }), { classes: ["dim"], properties: [] });
});
