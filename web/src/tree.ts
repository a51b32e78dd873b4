import type { Status, Step } from "./model.ts";

/** A row of the tree of steps: a step, a folder, or both ("test" beside "test/linux"). */
export interface TreeRow {
	/** The key of the step, or what the keys below it begin with. */
	readonly path: string;
	/** What the row is called: the step's name, else what its key adds to the row above. */
	readonly label: string;
	/** The whole key, where the label alone would leave open which step this is. */
	readonly key: string | undefined;
	readonly step: Step | undefined;
	readonly rows: readonly TreeRow[];
	/** Of the row's step and everything below it. */
	readonly sum: Sum;
}

/** What several steps are together. Times are RFC 3339. */
export interface Sum {
	readonly steps: number;
	readonly status: Status;
	/** The first start; undefined when none has started. */
	readonly started: string | undefined;
	/** The last end; undefined while one may still run. */
	readonly finished: string | undefined;
	readonly errors: number;
	readonly failures: number;
}

/** From what asks for attention most to what does least. */
const worst: readonly Status[] = [
	"failed",
	"lost",
	"canceled",
	"running",
	"queued",
	"passed",
	"skipped",
];

/**
 * Steps by the segments of their keys, in the order in which the build names them; a folder stands
 * where its first step does. A folder with one row and no step of its own is one with that row.
 */
export function stepTree(steps: readonly Step[]): readonly TreeRow[] {
	const root = new Folder("");
	for (const step of steps) {
		let folder = root;
		for (const segment of step.key.split("/")) folder = folder.below(segment);
		folder.step = step;
	}
	const labels = new Map<string, number>();
	for (const folder of root.all()) {
		if (folder.step) labels.set(folder.label, (labels.get(folder.label) ?? 0) + 1);
	}
	return root.rows(labels);
}

/** The keys of all steps from top to bottom, folded or not: the order in which j and k walk. */
export function stepOrder(steps: readonly Step[]): readonly string[] {
	const walk = (rows: readonly TreeRow[]): string[] =>
		rows.flatMap(({ step, rows }) => [...(step ? [step.key] : []), ...walk(rows)]);
	return walk(stepTree(steps));
}

class Folder {
	readonly path: string;
	step: Step | undefined;
	readonly #below = new Map<string, Folder>();

	constructor(path: string) {
		this.path = path;
	}

	below(segment: string): Folder {
		const known = this.#below.get(segment);
		if (known) return known;
		const folder = new Folder(this.path === "" ? segment : `${this.path}/${segment}`);
		this.#below.set(segment, folder);
		return folder;
	}

	get segment(): string {
		return this.path.slice(this.path.lastIndexOf("/") + 1);
	}

	get label(): string {
		return this.step?.name || this.segment;
	}

	*all(): Iterable<Folder> {
		yield this;
		for (const folder of this.#below.values()) yield* folder.all();
	}

	rows(labels: ReadonlyMap<string, number>): readonly TreeRow[] {
		return [...this.#below.values()].map((folder) => folder.#row(labels, ""));
	}

	#row(labels: ReadonlyMap<string, number>, before: string): TreeRow {
		const [only, another] = this.#below.values();
		if (only && !another && !this.step) return only.#row(labels, `${before}${this.segment}/`);
		const rows = this.rows(labels);
		const step = this.step;
		const own = before + this.segment;
		const label = step?.name || own;
		const known =
			step && (label === step.key || ((labels.get(this.label) ?? 0) < 2 && label === own));
		return {
			path: this.path,
			label,
			key: known ? undefined : step?.key,
			step,
			rows,
			sum: sum([...(step ? [sumOf(step)] : []), ...rows.map((row) => row.sum)]),
		};
	}
}

function sumOf(step: Step): Sum {
	const started = step.started_at ?? undefined;
	return {
		steps: 1,
		status: step.status,
		started,
		finished: step.finished_at ?? undefined,
		errors: step.annotations?.error ?? 0,
		failures: step.tests?.failed ?? 0,
	};
}

function sum(parts: readonly Sum[]): Sum {
	const open = parts.some(({ status }) => status === "running" || status === "queued");
	const of = (select: (one: Sum) => number) => parts.reduce((all, one) => all + select(one), 0);
	return {
		steps: of((one) => one.steps),
		status: worst.find((status) => parts.some((one) => one.status === status)) ?? "queued",
		started: inOrder(parts.map((one) => one.started))[0],
		finished: open ? undefined : inOrder(parts.map((one) => one.finished)).at(-1),
		errors: of((one) => one.errors),
		failures: of((one) => one.failures),
	};
}

/** The times that are there, first to last. */
function inOrder(times: readonly (string | undefined)[]): readonly string[] {
	return times.filter((time) => time !== undefined).sort((a, b) => Date.parse(a) - Date.parse(b));
}

/** A long text with its middle left out: what tells names apart stands at their ends. */
export function elided(text: string, most = 96): string {
	const characters = [...text];
	if (characters.length <= most) return text;
	const end = Math.floor((most - 1) / 2);
	return `${characters.slice(0, most - 1 - end).join("")}…${characters.slice(-end).join("")}`;
}
