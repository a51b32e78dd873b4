import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const made = join(web, "../bin/npm/widgets");
let dir;

before(() => {
	execFileSync(process.execPath, [join(web, "scripts/package.mjs"), "v1.2.3"]);
	dir = mkdtempSync(join(tmpdir(), "stepcast-consumer-"));
	const installed = join(dir, "node_modules/@stepcast/widgets");
	mkdirSync(installed, { recursive: true });
	cpSync(made, installed, { recursive: true });
});

after(() => rmSync(dir, { recursive: true }));

/** What a strict TypeScript compiler says of some source; empty when nothing. */
function complaints(source, options = []) {
	writeFileSync(join(dir, "page.ts"), source);
	const tsc = join(web, "node_modules/.bin/tsc");
	const strict = [
		"--strict",
		"--noEmit",
		"--target",
		"es2022",
		"--module",
		"nodenext",
		"--types",
		"",
	];
	try {
		execFileSync(tsc, [...strict, ...options, "page.ts"], { cwd: dir });
		return "";
	} catch (error) {
		return String(error.stdout);
	}
}

test("the package has these files and no other", () => {
	const [packed] = JSON.parse(
		execFileSync("npm", ["pack", "--dry-run", "--json"], {
			cwd: made,
			stdio: ["ignore", "pipe", "ignore"],
		}),
	);
	assert.equal(packed.name, "@stepcast/widgets");
	assert.equal(packed.version, "1.2.3");
	assert.deepEqual(packed.files.map(({ path }) => path).sort(), [
		"LICENSE",
		"README.md",
		"custom-elements.json",
		"index.d.ts",
		"package.json",
		"widgets.js",
	]);
});

test("nobody publishes it by mistake", () => {
	assert.equal(JSON.parse(readFileSync(join(made, "package.json"), "utf8")).private, true);
});

test("its script is the one that the server serves", () => {
	assert.ok(
		readFileSync(join(made, "widgets.js")).equals(readFileSync(join(web, "dist/widgets.js"))),
	);
});

test("a strict TypeScript page knows the elements and their events", () => {
	const page = `
import "@stepcast/widgets";
const status = document.createElement("stepcast-status");
status.project = "acme/api";
status.theme = "dark";
status.addEventListener("stepcast-change", ({ detail }) => {
	const now: string = detail.build.status;
	console.log(now, detail.previous?.toUpperCase());
});
status.addEventListener("stepcast-connection", (event) => console.log(event.detail.state.length));
status.addEventListener("click", (event) => console.log(event.clientX));
document.querySelector("stepcast-log")?.setAttribute("lines", "20");
`;
	assert.equal(complaints(page), "");
	assert.match(complaints(page.replace("status.project", "status.projekt")), /projekt/);
	assert.match(complaints(page.replace("event.detail.state", "event.detail.stat")), /stat/);
});

test("the manifest fits the schema", () => {
	const types = join(web, "node_modules/custom-elements-manifest/schema.d.ts");
	cpSync(types, join(dir, "schema.d.ts"));
	const manifest = readFileSync(join(made, "custom-elements.json"), "utf8");
	const source = (text) =>
		`import type { Package } from "./schema.js";\nexport const manifest: Package = ${text};`;
	assert.equal(complaints(source(manifest)), "");
	assert.notEqual(complaints(source(manifest.replace('"cssParts"', '"parts"'))), "");
});
