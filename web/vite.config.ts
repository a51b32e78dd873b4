import { defineConfig } from "vite";

// The policy that the server sends allows nothing inline: no preload polyfill,
// and no asset small enough to become a data: address.
export default defineConfig({
	build: {
		target: "es2022",
		outDir: "dist",
		emptyOutDir: true,
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		reportCompressedSize: false,
	},
	server: { proxy: { "/api": process.env.STEPCAST_URL ?? "http://127.0.0.1:8080" } },
});
