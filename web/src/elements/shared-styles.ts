import { css } from "lit";

/** What every element's stylesheet starts with: custom elements do not see the page's. */
export const shared = css`
	:host {
		box-sizing: border-box;
	}

	:host([hidden]),
	[hidden] {
		display: none !important;
	}

	*,
	*::before,
	*::after {
		box-sizing: border-box;
	}

	a {
		color: var(--link);
	}

	:focus-visible {
		outline: 2px solid var(--link);
		outline-offset: 2px;
	}

	button {
		min-height: 1.75rem;
		padding: 0.125rem 0.625rem;
		border: 1px solid var(--control);
		border-radius: 0.375rem;
		background: var(--page);
		color: var(--link);
		font: inherit;
		cursor: pointer;
	}

	button:hover {
		background: var(--panel);
	}

	.muted {
		color: var(--muted);
	}

	.unseen {
		position: absolute;
		width: 1px;
		height: 1px;
		overflow: hidden;
		clip-path: inset(50%);
		white-space: nowrap;
	}

	@media (pointer: coarse) {
		button {
			min-height: 2.75rem;
		}
	}
`;
