import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { elements, manifest, reference } from "./manifest.mjs";

const folder = fileURLToPath(new URL("../src/widgets/", import.meta.url));
const raw = readdirSync(folder)
	.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
	.map((name) => readFileSync(folder + name, "utf8"));
// What stands in a comment is what is to be proved.
const sources = raw.map((source) => source.replace(/\/\*.*?\*\//gs, ""));
const all = elements(manifest());

/** What one of the lists has, of all elements, each name once. */
const said = (list) => [
	...new Set(all.flatMap((element) => element[list] ?? []).map(({ name }) => name)),
];

/** What the sources have in places that look like this. */
const used = (place) => [
	...new Set(
		sources.flatMap((source) =>
			[...source.matchAll(place)].flatMap((match) => match[1].trim().split(/\s+/)),
		),
	),
];

const same = (list, place) => assert.deepEqual(said(list).sort(), used(place).sort());

test("every element is described", () => {
	const defined = used(/customElements\.define\("([\w-]+)"/g);
	assert.deepEqual(all.map(({ tagName }) => tagName).sort(), defined.sort());
	for (const { tagName, description } of all) assert.ok(description, tagName);
});

test("every attribute that a class observes is documented there, and no other", () => {
	for (const [i, source] of sources.entries()) {
		const properties = /static override properties[^=]*= \{(.*?)\};/s.exec(source)?.[1] ?? "";
		const observed = [...properties.matchAll(/([\w]+): (\{[^}]*\})/g)]
			// What only the class itself sets is nobody else's business.
			.filter(([, name]) => !source.includes(`declare private ${name}:`))
			.map(([, name, options]) => /attribute: "([^"]+)"/.exec(options)?.[1] ?? name.toLowerCase());
		const styled = [...source.matchAll(/:host\(\[([\w-]+)=/g)].map(([, name]) => name);
		if (raw[i].includes("@attr"))
			observed.push(...styled.filter((name) => !observed.includes(name)));
		const documented = [...raw[i].matchAll(/@attr (?:\{.*?\} )?([\w-]+)/g)].map(([, name]) => name);
		assert.deepEqual(documented.sort(), [...new Set(observed)].sort());
	}
});

test("every part that there is, is documented, and no other", () => {
	same("cssParts", /\bpart="([^"$]+)"/g);
});

test("every custom property that there is, is documented, and no other", () => {
	// All that theme.css sets can be set, under names of the product; of numbered ones the first is named.
	const theme = readFileSync(new URL("../src/theme.css", import.meta.url), "utf8");
	const themed = [...theme.matchAll(/--([\w-]+):/g)]
		.map(([, name]) => name.replace(/^stepcast-/, "").replace(/^page$/, "background"))
		.map((name) => `--stepcast-${name}`)
		.filter((name) => name !== "--stepcast-header" && !/-([1-9]|1\d)$/.test(name));
	const literal = used(/var\((--stepcast-[\w-]+)/g);
	assert.deepEqual(said("cssProperties").sort(), [...new Set([...themed, ...literal])].sort());
});

test("every event that is told is documented, and no other", () => {
	same("events", /\btell(?:<[^(]*>)?\(\s*"([\w-]+)"/g);
});

test("whatever is documented is said in words", () => {
	for (const element of all) {
		for (const list of ["attributes", "events", "cssParts", "cssProperties", "slots"]) {
			for (const { name, description } of element[list] ?? []) {
				assert.ok(description, `${element.tagName}: ${list}: ${name}`);
			}
		}
	}
});

test("the reference is text, whatever stands in a comment", () => {
	const hostile = '</td><script>alert(1)</script>"';
	const [first] = all;
	const page = reference({
		modules: [
			{ declarations: [{ ...first, description: hostile, attributes: [{ name: hostile }] }] },
		],
	});
	assert.doesNotMatch(page, /<script/);
});
