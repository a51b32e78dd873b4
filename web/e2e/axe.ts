import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds on the page, and by how many pixels the page can be scrolled sideways. */
export async function violations(page: Page): Promise<string[]> {
	// Through the debugger, which the page's policy does not bind.
	await page.evaluate(source);
	return page.evaluate(async () => {
		const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
		const { violations } = await axe.run();
		const { scrollWidth, clientWidth } = document.documentElement;
		const beyond = (root: ParentNode): string[] =>
			[...root.querySelectorAll("*")].flatMap((e) => [
				...(e.getBoundingClientRect().right > clientWidth + 1 ? [e.localName] : []),
				...(e.shadowRoot ? beyond(e.shadowRoot) : []),
			]);
		return [
			...violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`),
			...(scrollWidth > clientWidth
				? [`scrolls ${scrollWidth - clientWidth} px sideways: ${beyond(document)}`]
				: []),
		];
	});
}
