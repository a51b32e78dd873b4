import { css } from "lit";

/** What every element's stylesheet starts with: custom elements do not see the page's. */
export const shared = css`
	:host {
		display: block;
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

	/* Of no weight, so that any element may have it otherwise. */
	:where(button, .button, select, input:not([type="checkbox"])) {
		min-height: 1.75rem;
		padding: 0.125rem 0.5rem;
		border: 1px solid var(--control);
		border-radius: 0.375rem;
		background: var(--page);
		color: var(--text);
		font: inherit;
	}

	:where(button, .button) {
		padding: 0.125rem 0.625rem;
		color: var(--link);
		cursor: pointer;
	}

	button:hover {
		background: var(--panel);
	}

	:disabled {
		color: var(--muted);
		cursor: default;
	}

	[aria-pressed="true"] {
		box-shadow: inset 0 -2px 0 var(--link);
		font-weight: 600;
	}

	button.icon {
		display: inline-flex;
		align-items: center;
		justify-content: center;
		min-width: 1.75rem;
		padding: 0.125rem;
	}

	.icon svg {
		width: 1.125rem;
		height: 1.125rem;
		fill: none;
		stroke: currentColor;
		stroke-width: 1.5;
		stroke-linecap: round;
		stroke-linejoin: round;
	}

	.icon .solid {
		fill: currentColor;
	}

	::placeholder {
		color: var(--muted);
		opacity: 1;
	}

	kbd {
		display: inline-block;
		min-width: 1.5rem;
		padding: 0 0.3125rem;
		border: 1px solid var(--control);
		border-radius: 0.25rem;
		background: var(--panel);
		color: var(--text);
		font: 0.8125rem / 1.375rem var(--mono);
		text-align: center;
	}

	dialog {
		border: 1px solid var(--line);
		border-radius: 0.5rem;
		background: var(--page);
		color: var(--text);
	}

	dialog::backdrop {
		background: #0007;
	}

	.muted {
		color: var(--muted);
	}

	.over {
		margin: 0 0 0.5rem;
		color: var(--stale);
	}

	/* What may be old is no colour to go by, and does not move. */
	:host([over]) {
		--running: var(--muted);
		--pulse: paused;
	}

	/* What is mostly over before anybody could read it. */
	.slow {
		animation: appear 0s 300ms backwards;
	}

	@keyframes appear {
		from {
			visibility: hidden;
		}
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
		:is(button, .button, select, input:not([type="checkbox"])) {
			min-height: 2.75rem;
		}

		button,
		button.icon {
			min-width: 2.75rem;
		}
	}
`;
