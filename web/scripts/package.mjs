// Lays out the npm package of the widgets in bin/npm/widgets, from what npm run build has written. It is
// not published from here. The version is the first argument where that is one: v1.2.3.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { manifest, types } from "./manifest.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const into = `${root}bin/npm/widgets/`;
const version = /^v?(\d+\.\d+\.\d+(?:-[\w.-]+)?)$/.exec(process.argv[2] ?? "")?.[1] ?? "0.0.0";
const { license } = JSON.parse(readFileSync(`${root}web/package.json`, "utf8"));

const description = {
	name: "@stepcast/widgets",
	version,
	private: true,
	description: "Custom elements that show the builds of a Stepcast server, live",
	license,
	type: "module",
	exports: {
		".": { types: "./index.d.ts", default: "./widgets.js" },
		"./custom-elements.json": "./custom-elements.json",
		"./package.json": "./package.json",
	},
	types: "./index.d.ts",
	customElements: "custom-elements.json",
	// All that it does is to define the elements.
	sideEffects: true,
	files: ["custom-elements.json", "index.d.ts", "widgets.js"],
};

const said = manifest();
const json = (value) => `${JSON.stringify(value, null, "\t")}\n`;
rmSync(into, { recursive: true, force: true });
mkdirSync(into, { recursive: true });
copyFileSync(`${root}web/dist/widgets.js`, `${into}widgets.js`);
copyFileSync(`${root}web/npm/README.md`, `${into}README.md`);
copyFileSync(`${root}LICENSE`, `${into}LICENSE`);
writeFileSync(`${into}package.json`, json(description));
writeFileSync(`${into}custom-elements.json`, json(said));
writeFileSync(`${into}index.d.ts`, types(said));
