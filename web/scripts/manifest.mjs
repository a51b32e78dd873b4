// What is said of the elements of widgets.js in the JSDoc of src/widgets: as a custom-elements manifest
// (schema 2.1.0), and made of it, the gallery's tables and the types of the npm package.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { create, ts } from "@custom-elements-manifest/analyzer";

/** The elements, in the order in which they are shown. */
const tags = ["stepcast-status", "stepcast-board", "stepcast-steps", "stepcast-log"];

export function manifest() {
	const folder = fileURLToPath(new URL("../src/widgets/", import.meta.url));
	const modules = readdirSync(folder)
		.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
		.sort()
		.map((name) =>
			ts.createSourceFile(
				`src/widgets/${name}`,
				readFileSync(folder + name, "utf8"),
				ts.ScriptTarget.ES2022,
				true,
			),
		);
	const found = create({ modules, plugins: [], context: { dev: false } }).modules.flatMap(
		({ declarations }) => declarations,
	);
	const declarations = tags
		.map((tag) => found.find(({ tagName }) => tagName === tag))
		.filter((one) => one !== undefined)
		.map(declaration);
	return {
		schemaVersion: "2.1.0",
		modules: [
			{
				kind: "javascript-module",
				path: "widgets.js",
				declarations,
				exports: declarations.map(({ name, tagName }) => ({
					kind: "custom-element-definition",
					name: tagName,
					declaration: { name, module: "widgets.js" },
				})),
			},
		],
	};
}

/** What an embedder may rely on of an element: what its JSDoc says, wherever it inherits it from. */
function declaration(found) {
	// Some attributes are there for the stylesheet alone, and no property has their name.
	const fields = (found.members ?? []).filter(({ kind }) => kind === "field");
	const named = new Set(fields.map(({ name }) => name));
	const list = (name) => {
		const said = (found[name] ?? [])
			.filter(({ description }) => description)
			.map(({ inheritedFrom, fieldName, ...rest }) => rest);
		if (name === "attributes") {
			for (const one of said) if (named.has(camel(one.name))) one.fieldName = camel(one.name);
		}
		return said.length > 0 ? { [name]: said } : {};
	};
	return {
		kind: "class",
		name: found.name,
		description: found.description,
		tagName: found.tagName,
		customElement: true,
		superclass: { name: "HTMLElement" },
		...list("attributes"),
		...list("slots"),
		...list("events"),
		...list("cssParts"),
		...list("cssProperties"),
	};
}

/** The elements of a manifest. */
export function elements({ modules }) {
	return modules.flatMap(({ declarations }) => declarations);
}

/** What the tables are of: the manifest's list, the caption, and the head of the first column. */
const tables = [
	["attributes", "Attributes", "Attribute"],
	["cssProperties", "Custom properties", "Property"],
	["cssParts", "Parts", "Part"],
	["events", "Events", "Event"],
	["slots", "Slots", "Slot"],
];

/** The gallery's tables, as HTML: what all elements have, once, and then what each has besides. */
export function reference(manifest) {
	const all = elements(manifest);
	const shared = (list) => (row) =>
		all.length > 1 &&
		all.every((element) =>
			element[list]?.some(
				({ name, description }) => name === row.name && description === row.description,
			),
		);
	const section = (id, title, words, rows) => `<h3 id="${id}">${title}</h3>
<p>${prose(words)}</p>
${tables.map(([list, caption, head]) => table(rows(list), caption, head)).join("")}`;
	const common = section(
		"ref-all",
		"All elements",
		"What each of them has; what it has besides stands below its name.",
		(list) => (all[0]?.[list] ?? []).filter(shared(list)),
	);
	const each = all.map((element) =>
		section(
			`ref-${element.tagName}`,
			`<code>${escaped(`<${element.tagName}>`)}</code>`,
			element.description,
			(list) => (element[list] ?? []).filter((row) => !shared(list)(row)),
		),
	);
	return [common, ...each].join("\n");
}

function table(rows, caption, head) {
	if (rows.length === 0) return "";
	const cells = rows.map(
		({ name, description, type }) =>
			`<tr><th scope="row"><code>${escaped(name || "(default)")}</code></th><td>${prose(description)}${
				type ? ` <code class="type">${escaped(type.text)}</code>` : ""
			}</td></tr>`,
	);
	return `<table><caption>${caption}</caption>
<thead><tr><th scope="col">${head}</th><th scope="col">What it is</th></tr></thead>
<tbody>${cells.join("\n")}</tbody></table>
`;
}

/** Sentences of a comment: `code` is code. */
function prose(text = "") {
	return escaped(text.trim()).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function escaped(text) {
	return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** The types of the npm package. */
export function types(manifest) {
	const all = elements(manifest);
	return `/* Made of custom-elements.json, which says it in full, and of the server's own words. */

${fromSource("model.ts", "statuses", "Status", "Build")}
${fromSource("widgets/page-hub.ts", "Connection")}
export type ConnectionState = Connection["name"];

${all.map(classOf).join("\n")}
declare global {
	interface HTMLElementTagNameMap {
${all.map(({ tagName, name }) => `\t\t"${tagName}": ${name};`).join("\n")}
	}
}
`;
}

/** What a source declares under these names, as it stands there. */
function fromSource(file, ...names) {
	const path = fileURLToPath(new URL(`../src/${file}`, import.meta.url));
	const source = ts.createSourceFile(
		file,
		readFileSync(path, "utf8"),
		ts.ScriptTarget.ES2022,
		true,
	);
	const declares = (statement) =>
		names.includes(statement.name?.text ?? statement.declarationList?.declarations[0]?.name.text);
	return source.statements
		.filter(declares)
		.map((statement) => statement.getText())
		.join("\n\n")
		.replace(/const statuses = (\[[^\]]*\]) as const;/, "declare const statuses: readonly $1;")
		.replace("export declare", "declare");
}

function classOf({ name, tagName, description, attributes = [], events = [] }) {
	const properties = attributes
		.filter(({ fieldName }) => fieldName)
		.map(
			({ fieldName, type, description }) => `	/** ${description} */
	${fieldName}: ${type?.text ?? "string"};`,
		);
	const map = `${name}EventMap`;
	return `export interface ${map} extends HTMLElementEventMap {
${events.map(({ name, type, description }) => `	/** ${description} */\n	"${name}": ${type?.text ?? "Event"};`).join("\n")}
}

/** <${tagName}>: ${description.replaceAll("\n", " ")} */
export interface ${name} extends HTMLElement {
${properties.join("\n")}
	addEventListener<K extends keyof ${map}>(
		type: K,
		listener: (this: ${name}, event: ${map}[K]) => unknown,
		options?: boolean | AddEventListenerOptions,
	): void;
	addEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject,
		options?: boolean | AddEventListenerOptions,
	): void;
	removeEventListener<K extends keyof ${map}>(
		type: K,
		listener: (this: ${name}, event: ${map}[K]) => unknown,
		options?: boolean | EventListenerOptions,
	): void;
	removeEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject,
		options?: boolean | EventListenerOptions,
	): void;
}
`;
}

function camel(name) {
	return name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
}
