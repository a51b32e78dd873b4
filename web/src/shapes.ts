import type { Status } from "./model.ts";

/** A shape in a square of 16: the path that is drawn as a line, and the one that is filled too. */
export interface Shape {
	readonly line: string;
	readonly solid: string;
}

/** A shape of its own for each status, so that colour is never the only sign. */
export const shapes: Readonly<Record<Status, Shape>> = {
	passed: { line: "M3 8.5 6.5 12 13 4.5", solid: "" },
	failed: { line: "M4 4l8 8M12 4l-8 8", solid: "" },
	running: { line: "", solid: circle(5) },
	queued: { line: circle(5), solid: "" },
	canceled: { line: `${circle(5.5)}M4.2 4.2l7.6 7.6`, solid: "" },
	skipped: { line: "M3 8h10", solid: "" },
	lost: { line: "M8 2.5v7", solid: "M8 12.4a.6.6 0 1 0 0 1.2a.6.6 0 1 0 0-1.2z" },
};

function circle(r: number): string {
	return `M8 ${8 - r}a${r} ${r} 0 1 0 0 ${2 * r}a${r} ${r} 0 1 0 0-${2 * r}z`;
}
