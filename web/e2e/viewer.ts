import type { Locator, Page } from "@playwright/test";
import { expect, log, type Reporter, type Server } from "./stepcast.ts";

export function numbered(from: number, to: number, suffix = ""): string {
	return Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}${suffix}\n`).join("");
}

/** A line of the log that is drawn. */
export function line(page: Page, number: number): Locator {
	return log(page).locator(`.line[data-line="${number}"]`);
}

/** The number beside a line, a link. */
export function numberOf(page: Page, number: number): Locator {
	return line(page, number).locator("> a");
}

export function region(page: Page): Locator {
	return log(page).locator("[role=region]");
}

/** The heading of a group among the lines. */
export function heading(page: Page, name: string): Locator {
	return region(page).locator(".group", { hasText: name }).getByRole("button");
}

export function field(page: Page): Locator {
	return page.getByRole("searchbox", { name: "Search the logs" });
}

export function matchCount(page: Page): Locator {
	return page.locator("log-search .count");
}

/** Where a line is, in pixels below the upper edge of the log; undefined while it is not drawn. */
export function yOf(page: Page, number: number): Promise<number | undefined> {
	return log(page).evaluate((element, number) => {
		const region = element.shadowRoot?.querySelector("[role=region]");
		const line = region?.querySelector(`.line[data-line="${number}"]`);
		if (!region || !line) return undefined;
		return line.getBoundingClientRect().top - region.getBoundingClientRect().top;
	}, number);
}

/** The number of the first line in view, and where it is; undefined while there is none. */
export function top(page: Page): Promise<{ line: number; y: number } | undefined> {
	return log(page).evaluate((element) => {
		const region = element.shadowRoot?.querySelector("[role=region]");
		const edge = region?.getBoundingClientRect().top ?? 0;
		const line = [...(region?.querySelectorAll<HTMLElement>(".line") ?? [])].find(
			(line) => line.getBoundingClientRect().bottom > edge + 1,
		);
		if (!line) return undefined;
		return { line: Number(line.dataset.line), y: line.getBoundingClientRect().top - edge };
	});
}

/** Waits until the log stands still, and answers with the first line in view. */
export async function atRest(page: Page): Promise<{ line: number; y: number }> {
	// Between two frames there may be a layout that nobody sees, before the log has answered it.
	const painted = async () => {
		await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
		return top(page);
	};
	let before = await painted();
	await expect
		.poll(async () => {
			const [then, now] = [before, await painted()];
			before = now;
			return now !== undefined && now.line === then?.line && now.y === then.y;
		})
		.toBe(true);
	return before ?? { line: 0, y: 0 };
}

/** How many ranges are painted as matches, and as the current one. */
export function painted(page: Page): Promise<[others: number, current: number]> {
	return page.evaluate(() => {
		const size = (name: string) => CSS.highlights.get(name)?.size ?? 0;
		return [size("match"), size("current-match")];
	});
}

/** The time of the page's own next attempt at what failed never comes from now on. */
export function noOwnAttempts(page: Page): Promise<void> {
	return page.evaluate(() => {
		const { setTimeout } = window;
		const soon = (run: () => void, wait = 0) => (wait < 500 ? setTimeout(run, wait) : 0);
		window.setTimeout = soon as typeof window.setTimeout;
	});
}

/** Whether a line is in the middle third of the log. */
export async function expectCentred(page: Page, number: number): Promise<void> {
	const height = await region(page).evaluate((r) => r.clientHeight);
	await expect.poll(async () => ((await yOf(page, number)) ?? -1) > height / 3).toBe(true);
	expect((await yOf(page, number)) ?? 0).toBeLessThan((2 * height) / 3);
}

/** Reports what stands beside the lines of a step, numbered in its order. */
export class Notes {
	readonly #build: Reporter;
	readonly #step: string;
	#number = 0;

	constructor(build: Reporter, step: string) {
		this.#build = build;
		this.#step = step;
	}

	async add(line: number, note: Record<string, unknown>): Promise<number> {
		const number = this.#number++;
		await this.#build.send({ note: { step: this.#step, number, line, ...note } });
		return number;
	}

	/** Begins a group, and answers with its number. */
	begin(line: number, name: string, level = 1, folded = false): Promise<number> {
		return this.add(line, { group: { name, level, folded } });
	}

	/** Ends a group before a line. */
	end(line: number, group: number, duration_s = 1.5): Promise<number> {
		return this.add(line, { group_end: { group, duration_s } });
	}

	annotate(line: number, level: string, message: string): Promise<number> {
		return this.add(line, { annotation: { level, message } });
	}
}

/** A build of one step with a log of so many lines. */
export async function written(
	server: Server,
	text: string,
	status: "passed" | "failed" | undefined,
): Promise<Reporter> {
	const build = await server.build({ project: "acme/viewer", steps: [{ key: "s" }] });
	await build.step("s", "running");
	await build.log("s", text);
	if (status) await build.finish("s", status);
	return build;
}
