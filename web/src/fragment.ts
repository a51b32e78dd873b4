/** What the fragment of a build's address names: a step, and lines of its log. */
export interface Place {
	/** The step's key; empty: none is named. */
	readonly step: string;
	/** The lines, from 1; undefined: none are named. */
	readonly lines: readonly [first: number, last: number] | undefined;
}

const pattern = /^([^:]*)(?::L([1-9]\d{0,9})(?:-L?([1-9]\d{0,9}))?)?$/;

/** Reads "#test%2Flinux:L120-L140". */
export function parseFragment(hash: string): Place {
	const [, key = "", first, last] = pattern.exec(hash.replace(/^#/, "")) ?? [];
	let step = "";
	try {
		step = decodeURIComponent(key);
	} catch {
		// No step has such a key.
	}
	if (first === undefined) return { step, lines: undefined };
	const [a, b] = [Number(first), Number(last ?? first)];
	return { step, lines: [Math.min(a, b), Math.max(a, b)] };
}

/** Writes it, of a step alone. */
export function stepFragment(step: string): string {
	return `#${encodeURIComponent(step)}`;
}

/** Writes it. */
export function formatFragment(
	step: string,
	lines?: readonly [first: number, last: number],
): string {
	const key = stepFragment(step);
	if (!lines) return key;
	return lines[0] === lines[1] ? `${key}:L${lines[0]}` : `${key}:L${lines[0]}-L${lines[1]}`;
}
