import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFragment, parseFragment } from "./fragment.ts";

test("an address names a step and lines", () => {
	assert.deepEqual(parseFragment("#test%2Flinux:L120-L140"), {
		step: "test/linux",
		lines: [120, 140],
	});
	assert.deepEqual(parseFragment("#test/linux:L140-120"), {
		step: "test/linux",
		lines: [120, 140],
	});
	assert.deepEqual(parseFragment("#a:L7"), { step: "a", lines: [7, 7] });
	assert.deepEqual(parseFragment("#a"), { step: "a", lines: undefined });
	for (const hash of ["", "#", "#%", "#a:L0", "#a:", "#a:L1-", "#:L99999999999"]) {
		assert.equal(parseFragment(hash).lines, undefined, hash);
	}
	assert.equal(formatFragment("test/linux", [120, 140]), "#test%2Flinux:L120-L140");
	assert.deepEqual(parseFragment(formatFragment("a/b", [3, 3])), { step: "a/b", lines: [3, 3] });
});
