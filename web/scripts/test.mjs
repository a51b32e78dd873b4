// Runs src/**/*.test.ts under node --test. Node 20 does not read TypeScript, so Vite bundles the
// tests into a temporary folder first. What scripts/*.test.mjs are about is scripts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const scripts = readdirSync(join(root, "scripts"))
	.filter((name) => name.endsWith(".test.mjs"))
	.map((name) => join(root, "scripts", name));
const outDir = mkdtempSync(join(tmpdir(), "stepcast-web-test-"));
try {
	const input = Object.fromEntries(
		readdirSync(join(root, "src"), { recursive: true })
			.filter((name) => name.endsWith(".test.ts"))
			.map((name) => [name.replace(/\.ts$/, ""), join(root, "src", name)]),
	);
	await build({
		root,
		configFile: false,
		logLevel: "warn",
		build: {
			ssr: true,
			target: "node20",
			outDir,
			emptyOutDir: true,
			sourcemap: "inline",
			rollupOptions: { input, output: { entryFileNames: "[name].mjs" } },
		},
	});
	const built = Object.keys(input).map((name) => join(outDir, `${name}.mjs`));
	const tests = [...built, ...scripts];
	const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...tests], {
		stdio: "inherit",
	});
	process.exitCode = run.status ?? 1;
} finally {
	rmSync(outDir, { recursive: true });
}
