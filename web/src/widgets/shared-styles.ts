import { css } from "lit";

/** What elements that are shared with the pages begin with there, as far as widgets need it. */
export const shared = css`
	:host {
		display: block;
		box-sizing: border-box;
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
`;
