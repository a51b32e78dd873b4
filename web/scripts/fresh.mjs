// Fails when the committed dist is not what the sources build to.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = mkdtempSync(join(tmpdir(), "stepcast-web-dist-"));
try {
	for (const mode of ["production", "widgets", "gallery", "frames"]) {
		await build({
			root,
			mode,
			logLevel: "warn",
			build: { outDir: built, emptyOutDir: mode === "production" },
		});
	}
	const [want, have] = [contents(built), contents(join(root, "dist"))];
	const names = [...new Set([...want.keys(), ...have.keys()])].sort();
	const stale = names.filter((name) => want.get(name) !== have.get(name));
	if (stale.length > 0) {
		console.error(`web/dist is not what web/src builds to: ${stale.join(", ")}`);
		console.error("Run `npm run build` in web and commit dist.");
		process.exitCode = 1;
	}
} finally {
	rmSync(built, { recursive: true });
}

/** Every file below a folder, by its path there. */
function contents(folder) {
	return new Map(
		readdirSync(folder, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => {
				const path = join(entry.parentPath ?? entry.path, entry.name);
				return [path.slice(folder.length + 1).replaceAll("\\", "/"), readFileSync(path, "latin1")];
			}),
	);
}
