import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { minify } from "terser";
import { type BuildOptions, defineConfig, type Plugin, type UserConfig } from "vite";
import { omissions, without } from "./scripts/lit-omissions.mjs";
import { manifest, reference } from "./scripts/manifest.mjs";

/**
 * Nothing is drawn before the script has run: it draws all there is, and sets the theme that was chosen,
 * which would else flash up in the other one.
 */
const blocking: Plugin = {
	name: "blocking",
	transformIndexHtml: {
		order: "post",
		handler: (page) => page.replace('<script type="module"', '$& blocking="render"'),
	},
};

/**
 * Takes the indentation out of templates: no text that is shown begins a line with a tab. A line that
 * begins as they do, with a tag, an attribute or a value, goes on in the one before it; at the ends of a
 * template, and between an element's content and a closing tag of a line of its own, there is no blank.
 * Takes the comments and blanks out of stylesheets, and puts those of all elements into one module, like
 * beside like, for gzip sees that they are alike only where they are no more than 32 KB apart. Takes out of
 * properties that they have no attribute, or one that is a number: nobody writes an attribute that is called
 * so. Fixed are those whose rem are pixels: the root of somebody else's page may have letters of any size.
 */
const slim = (fixed = false): Plugin => {
	const literal = /\bcss`[^`]*`/g;
	const written = ["widgets", "elements", "gallery"].flatMap((name) => {
		const folder = fileURLToPath(new URL(`src/${name}`, import.meta.url));
		return readdirSync(folder)
			.sort()
			.flatMap((file) =>
				(readFileSync(join(folder, file), "utf8").match(literal) ?? []).map(
					(sheet, i) => [`${name}/${file} ${i + 1}`, sheet] as const,
				),
			);
	});
	const sheets = fixed
		? [...new Set(written.map(([, sheet]) => sheet))]
		: [...new Set(inOrder(new Map(written)))];
	const name = (sheet: string) => `sheet${sheets.indexOf(sheet)}`;
	return {
		name: "slim",
		apply: "build",
		enforce: "pre",
		resolveId: (id) => (id === "sheets" ? "\0sheets" : undefined),
		load: (id) =>
			id === "\0sheets"
				? // What css adds is a check of what is put into a sheet, and nothing is.
					`import { unsafeCSS } from "lit";
					${sheets.map((sheet) => `export const ${name(sheet)} = /*#__PURE__*/ unsafeCSS(${slimmed(sheet, fixed)});`).join("")}`
				: undefined,
		transform(code, id) {
			if (!id.endsWith(".ts")) return undefined;
			const own = (code.match(literal) ?? []).map(name);
			const imported = own.length > 0 ? `import { ${own} } from "sheets";` : "";
			const rest = code
				.replace(literal, name)
				.replace(/\{ (state: true|attribute: false|type: Number) \}/g, "{}")
				.replace(/= (?=new Intl\.)/g, "= /*#__PURE__*/ ")
				.replace(/\n\t+(?=>|<\/|`)|(?<=html`)\n\t+/g, "")
				.replace(/\n\t+(?=[<@`]|\$\{|[.?]?[\w-]+=["$])/g, " ")
				.replace(/\n\t+/g, "\n");
			// In HTML a word needs no quotes; what else is written here may be XML.
			return (
				imported +
				(/\/(elements|widgets)\//.test(id) ? rest.replace(/="([\w-]+)"(?=[\s>])/g, "=$1") : rest)
			);
		},
	};
};

/** The names of the sheets, in the order in which gzip says them in the fewest bytes, or nearly. */
const orderFile = fileURLToPath(new URL("scripts/sheets.txt", import.meta.url));

/**
 * Puts the sheets of the pages, by their names, into the order of that file; new ones stand at the end. With
 * ORDER=1 it is found anew: each sheet is put where it fits best, twice. Not at each build, for zlib's
 * releases differ, and the build is to be the same everywhere.
 */
function inOrder(sheets: ReadonlyMap<string, string>): string[] {
	let order = readFileSync(orderFile, "utf8")
		.split("\n")
		.filter((name) => sheets.has(name));
	order.push(...[...sheets.keys()].filter((name) => !order.includes(name)));
	if (process.env.ORDER) {
		const slim = new Map([...sheets].map(([name, sheet]) => [name, slimmed(sheet, false)]));
		const size = (names: readonly string[]) =>
			deflateSync(names.map((name) => slim.get(name)).join("`"), { level: 9 }).length;
		for (const name of [...order, ...order]) {
			const others = order.filter((other) => other !== name);
			const tried = order.map((_, at) => [...others.slice(0, at), name, ...others.slice(at)]);
			order = tried.reduce((least, one) => (size(one) < size(least) ? one : least), order);
		}
		writeFileSync(orderFile, `${order.join("\n")}\n`);
	}
	return order.map((name) => sheets.get(name) ?? "");
}

function slimmed(sheet: string, fixed: boolean): string {
	return sheet
		.replace(fixed ? /([\d.]+)rem\b/g : /^$/, (_, rem) => `${Number(rem) * 16}px`)
		.replace(/^css/, "")
		.replace(/\/\*.*?\*\//gs, "")
		.replace(/\s+/g, " ")
		.replace(/ ?([{};,>`!]) ?|(\() | (\))/g, "$1$2$3")
		.replace(/: /g, ":")
		.replace(/ ([*/]) /g, "$1")
		.replace(/#(\w)\1(\w)\2(\w)\3\b/g, "#$1$2$3")
		.replace(/(?<![\d.])0\./g, ".")
		.replace(/="([\w-]+)"\]/g, "=$1]")
		.replace(/;}/g, "}");
}

/** Takes out of Lit what nobody here needs of it: scripts/lit-omissions.mjs says what. */
const alone = (): Plugin => {
	const open = new Set(omissions.map(({ file }) => file));
	return {
		name: "alone",
		apply: "build",
		transform(code, id) {
			const file = /\/([\w-]+)\.js$/.exec(id)?.[1] ?? "";
			if (!/\/(@lit|lit-\w+)\//.test(id) || !omissions.some((omission) => omission.file === file))
				return undefined;
			open.delete(file);
			return without(file, code);
		},
		buildEnd(error) {
			if (!error && open.size > 0) this.error(`Lit has no ${[...open].join(", ")} any more`);
		},
	};
};

/**
 * What the pages have of Lit, widgets have of files of the same name in src/widgets, which are smaller,
 * and leave nothing at the window of somebody else's page.
 */
const guest: Plugin = {
	name: "guest",
	apply: "build",
	enforce: "pre",
	resolveId(id) {
		const name = /^lit$|(?<=\/)(shared-styles|keyed|vars)(?=\.ts$)/.exec(id)?.[0];
		return name && fileURLToPath(new URL(`src/widgets/${name}.ts`, import.meta.url));
	},
	/**
	 * Of the theme, colours, and the first and the last of each list of fonts. The sixteen colours of a log
	 * have a value in colour.ts too.
	 */
	transform(code, id) {
		if (!id.endsWith("/theme.css?inline")) return undefined;
		return code
			.replace(/(?<=\}).*/s, "")
			.replace(/\t(color-scheme|--(stepcast-|header|highlight)).*\n/g, "")
			.replace(/, ".*, /g, ",");
	},
	/** A page may load the file twice, or two of it: whoever comes second does nothing. */
	generateBundle(_options, bundle) {
		for (const file of Object.values(bundle)) {
			if (file.type === "chunk") file.code = `customElements.get("stepcast-status")||${file.code}`;
		}
	},
};

/** Puts what the JSDoc of the widgets says into the gallery's document, where it needs no script. */
const documented: Plugin = {
	name: "documented",
	transformIndexHtml: (page) => page.replace("<!-- reference -->", () => reference(manifest())),
};

/** Has the elements of a frame follow logs through the hub that frames share. */
const sharing: Plugin = {
	name: "sharing",
	enforce: "pre",
	resolveId: (id, importer) =>
		id === "./page-hub.ts" && importer?.includes("/widgets/")
			? fileURLToPath(new URL("src/embed/shared-hub.ts", import.meta.url))
			: undefined,
};

/** Gives what a script calls by a name of its own shorter ones than the bundler does. */
const renamed = (): Plugin => ({
	name: "renamed",
	apply: "build",
	async generateBundle(_options, bundle) {
		for (const file of Object.values(bundle)) {
			if (file.type !== "chunk") continue;
			const { code } = await minify(file.code, { module: true, compress: false });
			file.code = code ?? file.code;
		}
	},
});

/** Where the files of the gallery and of frames are: apart from those of the app, which have a budget. */
const embed = "assets/embed";

const common = {
	target: "es2022",
	// The first with light-dark() and with colours made of others, which Vite would else imitate for older ones.
	cssTarget: ["chrome123", "firefox128", "safari18"],
	outDir: "dist",
	assetsInlineLimit: 0,
	reportCompressedSize: false,
	// Terser sees more that can be said shorter; names and blanks it leaves to the bundler (output.minify).
	minify: "terser",
	terserOptions: { mangle: false, compress: { passes: 3, ecma: 2020, pure_getters: true } },
	// Nothing here is read for what reading it does.
	rolldownOptions: {
		treeshake: { propertyReadSideEffects: false },
		output: { minify: true },
		// That Terser takes a few seconds is known.
		checks: { pluginTimings: false },
	},
} satisfies BuildOptions;

// The policy that the server sends allows nothing inline: no preload polyfill,
// and no asset small enough to become a data: address.
const pages: UserConfig = {
	plugins: [blocking, slim(), alone(), renamed()],
	worker: { rolldownOptions: common.rolldownOptions, plugins: () => [renamed()] },
	build: { ...common, emptyOutDir: true, modulePreload: { polyfill: false } },
	server: { proxy: { "/api": process.env.STEPCAST_URL ?? "http://127.0.0.1:8080" } },
};

/** The elements for pages of others: one classic script, beside the pages. */
const widgets: UserConfig = {
	plugins: [guest, slim(true)],
	build: {
		...common,
		emptyOutDir: false,
		rolldownOptions: {
			...common.rolldownOptions,
			input: fileURLToPath(new URL("src/widgets/main.ts", import.meta.url)),
			output: { ...common.rolldownOptions.output, format: "iife", entryFileNames: "widgets.js" },
		},
	},
};

/** The gallery, with its reference in the document itself. */
const gallery: UserConfig = {
	plugins: [documented, slim(), alone()],
	build: {
		...common,
		emptyOutDir: false,
		modulePreload: { polyfill: false },
		assetsDir: embed,
		rolldownOptions: {
			...common.rolldownOptions,
			input: fileURLToPath(new URL("gallery.html", import.meta.url)),
		},
	},
};

/** What a frame runs: the elements, and the hub that frames share; and what the page around it may run. */
const frames: UserConfig = {
	plugins: [{ ...guest, generateBundle: () => {} }, sharing, slim()],
	build: {
		...common,
		emptyOutDir: false,
		modulePreload: false,
		assetsDir: embed,
		rolldownOptions: {
			...common.rolldownOptions,
			input: {
				frame: fileURLToPath(new URL("src/embed/frame.ts", import.meta.url)),
				embed: fileURLToPath(new URL("src/embed/embed.ts", import.meta.url)),
			},
			output: {
				...common.rolldownOptions.output,
				entryFileNames: ({ name }) => (name === "embed" ? "embed.js" : `${embed}/[name]-[hash].js`),
			},
		},
	},
};

const modes: Readonly<Record<string, UserConfig>> = { widgets, gallery, frames };

export default defineConfig(({ mode }) => modes[mode] ?? pages);
