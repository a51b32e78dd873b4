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

// The policy that the server sends allows nothing inline: no preload polyfill,
// and no asset small enough to become a data: address.
export default defineConfig({
	plugins: [blocking],
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
