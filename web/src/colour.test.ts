import assert from "node:assert/strict";
import { test } from "node:test";
import { type Pen, plain, rgb } from "./ansi.ts";
import { paint } from "./colour.ts";

test("how a pen looks", async (t) => {
	const cases: [Partial<Pen>, classes: string, properties: Record<string, string>][] = [
		[{}, "", {}],
		[
			{ fg: 9, bold: true },
			"bold fg",
			{ "--fg": "var(--stepcast-ansi-9, light-dark(#b3212b, #ff8a80))" },
		],
		[{ fg: 8 }, "fg", { "--fg": "var(--stepcast-ansi-8, #57606a)" }],
		[{ fg: 16 }, "fg", { "--fg": "rgb(0 0 0)" }],
		[{ fg: 208 }, "fg", { "--fg": "rgb(255 135 0)" }],
		[{ fg: 255 }, "fg", { "--fg": "rgb(238 238 238)" }],
		[{ fg: rgb | 0xfafaa0 }, "fg", { "--fg": "#fafaa0" }],
		[{ fg: 0, bg: 3 }, "on fg", { "--bg": "#7d4e00", "--fg": "#24292f" }],
		[{ bg: 3 }, "on", { "--bg": "#7d4e00" }],
		[{ inverse: true }, "inverse", {}],
		[{ fg: 1, inverse: true }, "on", { "--bg": "#b3212b" }],
		[
			{ bg: 1, inverse: true },
			"inverse fg",
			{ "--fg": "var(--stepcast-ansi-1, light-dark(#b3212b, #ff8a80))" },
		],
		[{ dim: true }, "dim", {}],
		[
			{ dim: true, fg: 1, strike: true },
			"strike fg",
			{ "--fg": "var(--stepcast-ansi-1, light-dark(#b3212b, #ff8a80))" },
		],
	];
	for (const [pen, classes, properties] of cases) {
		await t.test(JSON.stringify(pen), () => {
			const look = paint({ ...plain, ...pen });
			assert.equal(look.classes.join(" "), classes);
			assert.deepEqual(Object.fromEntries(look.properties), properties);
		});
	}
});
