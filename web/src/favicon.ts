import type { Status } from "./model.ts";
import { shapes } from "./shapes.ts";
import { straight } from "./turning.ts";

/** White on these is at least 6.6:1, so the shape can be told on a tab of any colour. */
const grounds: Readonly<Record<Status, string>> = {
	passed: "#116329",
	failed: "#b3212b",
	running: "#7d4e00",
	queued: "#4a525c",
	canceled: "#5b3fa8",
	skipped: "#4a525c",
	lost: "#8a3b00",
};

/** What a tab shows: its title, and the shape of a status as its icon, or Stepcast's own without one. */
export interface Result {
	readonly status?: Status;
	readonly title: string;
}

let own: string | undefined;

/** Shows a result in the tab of the page. */
export function showResult({ status, title: text }: Result): void {
	const title = straight(text);
	if (document.title !== title) document.title = title;
	const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
	if (!link) return;
	own ??= link.href;
	const href = status === undefined ? own : icon(status);
	if (link.href !== href) link.href = href;
}

function icon(status: Status): string {
	const { line, solid } = shapes[status] ?? shapes.queued;
	const ground = grounds[status] ?? grounds.queued;
	const svg =
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 20 20" fill="none" stroke="#fff" ` +
		`stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round">` +
		`<rect x="-2" y="-2" width="20" height="20" rx="4.5" fill="${ground}" stroke="none"/>` +
		`<path d="${line}"/><path fill="#fff" d="${solid}"/></svg>`;
	return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
