import { css, html, LitElement, nothing } from "lit";
import { elapsed } from "../format.ts";
import { nameOf } from "../model.ts";
import { buildPath } from "../route.ts";
import { elided } from "../tree.ts";
import { vars } from "../vars.ts";
import type { Tile } from "../wall-state.ts";
import { culprits, progress, timeOf } from "../wall-view.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";

/**
 * One branch on a wallboard: a link to its newest build. It is as large as it is made, and so are its
 * words. Now is in milliseconds since 1970; coarse lets progress go in steps of 5 %.
 * Server is the origin of the build's page, where that is another one, and maybe there is a frame to
 * lead out of.
 */
export class StepcastTile extends LitElement {
	static override properties = {
		server: {},
		tile: {},
		now: {},
		coarse: {},
	};
	declare server: string;
	declare tile: Tile | undefined;
	declare now: number;
	declare coarse: boolean;

	constructor() {
		super();
		this.server = "";
		this.now = 0;
		this.coarse = false;
	}

	static override styles = [
		shared,
		css`
			:host {
				container-type: size;
				min-width: 0;
				min-height: 0;
			}

			a {
				position: relative;
				display: flex;
				flex-direction: column;
				justify-content: space-between;
				height: 100%;
				padding: 0.5em 0.75em 0.65em;
				overflow: hidden;
				/* For those who see no backgrounds. */
				border: 1px solid transparent;
				border-radius: 0.375rem;
				background: var(--tile);
				color: var(--tile-text);
				font-size: clamp(0.8125rem, min(5.5cqi, 11cqb), 3.5rem);
				line-height: 1.25;
				text-decoration: none;
			}

			a:hover .project {
				text-decoration: underline;
			}

			.project,
			.branch,
			.why {
				display: -webkit-box;
				overflow: hidden;
				overflow-wrap: anywhere;
				-webkit-box-orient: vertical;
				-webkit-line-clamp: 2;
			}

			.branch {
				-webkit-line-clamp: 1;
			}

			.project {
				font-size: 1.15em;
				font-weight: 700;
				line-height: 1.15;
			}

			.number {
				font-weight: 400;
				white-space: nowrap;
			}

			.status {
				display: flex;
				flex-wrap: wrap;
				align-items: baseline;
				gap: 0 0.6em;
			}

			stepcast-mark {
				color: inherit;
			}

			.status stepcast-mark {
				font-size: 1.5em;
			}

			.time {
				white-space: nowrap;
			}

			.track {
				position: absolute;
				inset: auto 0 0;
				height: 0.4em;
				background: rgb(0 0 0 / 35%);
			}

			.track::after {
				content: "";
				position: absolute;
				inset: 0;
				width: calc(var(--done) * 100%);
				background: var(--tile-text);
			}
		`,
	];

	override render() {
		if (!this.tile) return nothing;
		const { build } = this.tile;
		const done = progress(build, this.now);
		return html`
			<a target="_top" href=${this.server + buildPath(build.id)} ${vars({ "--tile": `var(--tile-${build.status})` })}>
				<span class="name">
					<span class="project">
						<bdi>${elided(build.project, 40)}</bdi>
						<span class="number">#${build.number}</span>
					</span>
					${build.branch ? html`<span class="branch"><bdi>${elided(build.branch, 28)}</bdi></span>` : nothing}
				</span>
				<span class="status">
					<stepcast-mark .status=${build.status}></stepcast-mark>
					<span class="time">${timeOf(build, this.now)}</span>
				</span>
				${this.#why(this.tile)}
				${
					done === undefined
						? nothing
						: html`<span
								class="track"
								${vars({ "--done": this.coarse ? Math.floor(done * 20) / 20 : done })}
							></span>`
				}
			</a>
		`;
	}

	/** The step that is to blame, since when the branch is broken, and by whose commit. */
	#why(tile: Tile) {
		const [step, ...more] = culprits(tile);
		const [broken] = tile.failures;
		const lines: unknown[] = [];
		if (step) {
			const { status } = step; // which may not be that of the build, while that still runs
			lines.push(
				html`${status === tile.build.status ? nothing : html`<stepcast-mark .status=${status}></stepcast-mark> `}<bdi>${elided(nameOf(step), 30)}</bdi>${more[0] ? ` and ${more.length} more` : ""}`,
			);
		}
		if (broken && tile.past !== "unknown") {
			const least = tile.past === "part" ? "at least " : "";
			lines.push(
				html`failing for ${least}${elapsed(this.now - Date.parse(broken.at))}, since #${broken.number}${
					broken.author ? html` by <bdi>${elided(broken.author, 24)}</bdi>` : nothing
				}`,
			);
		}
		if (lines.length === 0) return nothing;
		return html`<span>${lines.map((line) => html`<span class="why">${line}</span>`)}</span>`;
	}
}

customElements.define("stepcast-tile", StepcastTile);
