import { defineConfig, type Plugin } from "vite";

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
 * Takes the indentation out of templates, and the comments and blanks out of stylesheets. No text that
 * is shown begins a line with a tab.
 */
const slim: Plugin = {
	name: "slim",
	apply: "build",
	enforce: "pre",
	transform: (code, id) =>
		id.endsWith(".ts")
			? code
					.replace(/\bcss`[^`]*`/g, (sheet) =>
						sheet
							.replace(/\/\*.*?\*\//gs, "")
							.replace(/\s+/g, " ")
							.replace(/ ?([{};,>]) ?/g, "$1")
							.replace(/: /g, ":")
							.replace(/;}/g, "}"),
					)
					.replace(/\n\t+/g, "\n")
			: undefined,
};

// The policy that the server sends allows nothing inline: no preload polyfill,
// and no asset small enough to become a data: address.
export default defineConfig({
	plugins: [blocking, slim],
	build: {
		target: "es2022",
		// The first with light-dark(), which Vite would else imitate for older ones.
		cssTarget: ["chrome123", "firefox120", "safari17.5"],
		outDir: "dist",
		emptyOutDir: true,
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		reportCompressedSize: false,
	},
	server: { proxy: { "/api": process.env.STEPCAST_URL ?? "http://127.0.0.1:8080" } },
});
