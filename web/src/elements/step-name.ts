import { css, html } from "lit";
import type { Step } from "../model.ts";
import { elided } from "../tree.ts";

/** A step's name, and its key where that says more: steps of a matrix often share a name. */
export function stepName({ name, key }: Pick<Step, "name" | "key">) {
	if (!name || name === key) return html`<bdi title=${key}>${elided(key)}</bdi>`;
	return html`<bdi title=${name}>${elided(name)}</bdi> <bdi class="key" title=${key}>${elided(key)}</bdi>`;
}

export const stepNameStyles = css`
	.key {
		color: var(--muted);
		font: 0.75rem var(--mono);
	}
`;
