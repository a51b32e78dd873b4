import type { Keyed } from "./templates.ts";

/** A template for each item: what ../keyed.ts is to the pages. */
export function keyed<T>(
	items: readonly T[],
	key: (item: T) => unknown,
	template: (item: T) => unknown,
): Keyed {
	return { entries: items.map((item) => [key(item), template(item)]) };
}
