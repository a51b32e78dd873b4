import { css } from "lit";

/** The pages to try an embed on. The hostile one is the worst of what is found in the wild, at once. */
export const hostStyles = css`
	.host {
		display: flow-root;
		padding: 1rem;
		background: var(--page);
	}

	.host.light {
		color-scheme: light;
	}

	.host.dark {
		color-scheme: dark;
	}

	.host > .width {
		width: var(--width);
		max-width: 100%;
	}

	img {
		display: block;
	}

	.hostile {
		background: repeating-linear-gradient(45deg, #ffd9ec 0 12px, #d9f2ff 12px 24px);
		color: #b8007a;
		font: italic 700 1.5rem/2.5 fantasy;
		letter-spacing: 0.2em;
		text-align: right;
		text-transform: uppercase;
		text-shadow: 2px 2px 0 #fff200;
		word-spacing: 1em;
		cursor: crosshair;
	}

	.hostile :not(.width, img, iframe) {
		margin: 1rem !important;
		border: 3px dashed #b8007a !important;
		background: #fff200 !important;
		color: #ff00aa !important;
		font: 700 2rem/3 fantasy !important;
		letter-spacing: 0.3em !important;
		text-transform: uppercase !important;
		text-indent: 2em !important;
	}

`;
