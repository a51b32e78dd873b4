import { css, html, nothing } from "lit";
import { count } from "../format.ts";
import { mostNotes, type Note, type Notes } from "../notes.ts";

/** What the lists of notes look like, whatever is in them. */
export const listStyles = css`
	:host {
		display: block;
		font-size: 0.875rem;
	}

	.bar,
	.bar [role="group"] {
		display: flex;
		flex-wrap: wrap;
		align-items: center;
		gap: 0.5rem;
	}

	.bar {
		margin-bottom: 0.75rem;
	}

	.bar button[aria-pressed="true"] {
		background: var(--panel);
		box-shadow: inset 0 -2px 0 var(--link);
		font-weight: 600;
	}

	.bar label {
		display: flex;
		flex: 1 1 14rem;
		align-items: center;
		gap: 0.5rem;
		max-width: 26rem;
	}

	.bar input {
		flex: 1;
		min-width: 0;
		min-height: 1.75rem;
		padding: 0.125rem 0.5rem;
		border: 1px solid var(--control);
		border-radius: 0.375rem;
		background: var(--page);
		color: var(--text);
		font: inherit;
	}

	h2 {
		margin: 1rem 0 0.25rem;
		font-size: 0.9375rem;
	}

	h3 {
		margin: 0.75rem 0 0;
		font-size: 0.875rem;
		overflow-wrap: anywhere;
	}

	ul {
		margin: 0;
		padding: 0;
		list-style: none;
	}

	li {
		padding: 0.4375rem 0;
		border-bottom: 1px solid var(--line);
		content-visibility: auto;
		contain-intrinsic-size: auto 2.25rem;
	}

	.head {
		display: flex;
		flex-wrap: wrap;
		align-items: baseline;
		gap: 0.125rem 0.75rem;
	}

	.head status-mark,
	.head .sign {
		flex: none;
		align-items: center;
		align-self: flex-start;
		height: 1.45em;
	}

	.name {
		flex: 1 1 16rem;
		min-width: 0;
		overflow-wrap: anywhere;
	}

	.took {
		color: var(--muted);
		font-variant-numeric: tabular-nums;
		white-space: nowrap;
	}

	.head a,
	td a,
	th a,
	h3 a {
		display: inline-block;
		min-height: 1.5rem;
		overflow-wrap: anywhere;
	}

	.failed,
	.error {
		color: var(--failed);
	}

	@media (pointer: coarse) {
		.bar input,
		.head a,
		td a,
		th a,
		h3 a {
			min-height: 2.75rem;
		}

		.head a,
		h3 a {
			padding-block: 0.625rem;
		}
	}
`;

/** Rows that a list shows at first, and more each time that someone asks. */
export const rowsAtOnce = 100;

/** What stands below the rows of a list: what it does, and how to get more of it. */
export function listEnd<N extends Note>(
	list: Notes<N>,
	shown: number,
	matching: number,
	showMore: () => void,
) {
	if (list.state === "failed") {
		return html`<p role="alert">
			The list could not be loaded. <button @click=${() => list.load()}>Try again</button>
		</p>`;
	}
	if (list.state === "loading" && list.notes.length === 0)
		return html`<p class="muted">Loading…</p>`;
	if (shown < matching || list.more) {
		return html`<p>
			<button
				?disabled=${list.state === "loading"}
				@click=${() => {
					showMore();
					if (shown + rowsAtOnce > matching && list.more) list.load();
				}}
			>
				${list.state === "loading" ? "Loading…" : "Show more"}
			</button>
		</p>`;
	}
	if (list.full) {
		return html`<p class="muted">
			The first ${count(mostNotes)} are here; the API has all of them.
		</p>`;
	}
	return nothing;
}
