import { css, html, type PropertyValues } from "lit";
import { keyed } from "../keyed.ts";
import { emptyWall, type WallState } from "../wall-state.ts";
import { missing, problem, type WallConfig, wanted } from "../wall-view.ts";
import { apply } from "./tiles.ts";
import { Watching } from "./watching.ts";
import { Widget } from "./widget.ts";
import { widgetStyles } from "./widget-styles.ts";
import "../elements/stepcast-mark.ts";
import "../elements/stepcast-tile.ts";

/**
 * A small wallboard: the newest build of each branch of some projects, problems first. Where it may be
 * old it has a striped frame, and says since when there is no news.
 *
 * @attr projects - projects, or patterns like acme/*, separated by blanks; without it, all that may be seen
 * @attr branches - branches, separated by blanks; without it, all
 * @attr project - the same as projects
 * @attr branch - the same as branches
 * @attr {"all" | "problems"} mode - all, or problems: only what somebody should look at, and one calm line when that is nothing
 * @cssprop --stepcast-tile-width - the least width of a tile; 14em without it
 * @cssprop --stepcast-tile-height - the height of a tile; 8em without it
 * @cssprop --stepcast-tile-text - colour of the words of a tile
 * @cssprop --stepcast-tile-passed - colour of the tile of a build that passed
 * @cssprop --stepcast-tile-failed - of one that failed
 * @cssprop --stepcast-tile-running - of one that runs
 * @cssprop --stepcast-tile-queued - of one that waits
 * @cssprop --stepcast-tile-canceled - of one that was canceled
 * @cssprop --stepcast-tile-skipped - of one that was skipped
 * @cssprop --stepcast-tile-lost - of one that nobody reports any more
 * @csspart tiles - the list
 * @csspart tile - a branch in it
 * @csspart calm - what is there instead when there are no problems, or no builds
 * @csspart alarm - the line that says since when there is no news
 */
export class StepcastBoard extends Widget {
	static override properties = {
		...Widget.properties,
		projects: {},
		project: {},
		branches: {},
		branch: {},
		mode: {},
	};
	declare projects: string | undefined;
	declare project: string | undefined;
	declare branches: string | undefined;
	declare branch: string | undefined;
	declare mode: string | undefined;

	protected readonly watching = new Watching<WallState>(
		this,
		() => ({ log: "feed", ...this.#config }),
		emptyWall,
		apply,
	);

	static override styles = [
		widgetStyles,
		css`
			.frame.stale {
				padding: 0.75em;
				background: repeating-linear-gradient(-45deg, #333b44 0 0.5em, #e3b341 0.5em 1em);
			}

			.alarm {
				display: block;
				padding: 0.25em 0.5em;
				background: #333b44;
				color: #ffffff;
				font-weight: 700;
				text-align: center;
			}

			ul {
				display: grid;
				grid-template-columns: repeat(
					auto-fill,
					minmax(min(100%, var(--stepcast-tile-width, 14em)), 1fr)
				);
				grid-auto-rows: var(--stepcast-tile-height, 8em);
				gap: 0.5em;
				margin: 0;
				padding: 0;
				list-style: none;
			}

			li {
				display: grid;
				min-width: 0;
			}

			.stale :is(ul, .calm) {
				background: var(--page);
			}

			.absent {
				align-content: center;
				padding: 0.5em 1em;
				border: 2px dashed var(--control);
				border-radius: var(--radius);
				overflow-wrap: anywhere;
			}

			.calm {
				padding: 1em;
				font-size: 1.25em;
				font-weight: 700;
				text-align: center;
			}
		`,
	];

	get #config(): Omit<WallConfig, "cols"> {
		const words = (text: string | undefined) => [...new Set(text?.match(/\S+/g))];
		return {
			projects: words(this.projects ?? this.project),
			branches: words(this.branches ?? this.branch),
			problems: this.mode === "problems",
		};
	}

	protected override view() {
		const { state, now } = this.watching;
		if (!state.loaded) return undefined;
		const config = this.#config;
		const all = wanted(state, config);
		const absent = all.length > 0 ? missing(all, config) : config.projects;
		const tiles = config.problems ? all.filter(problem) : all;
		if (tiles.length + absent.length === 0) {
			return html`${this.warning()}<div part="calm" class="calm">${
				state.truncated
					? "Too much for a board"
					: all.length > 0
						? html`<stepcast-mark brief .status=${"passed"}></stepcast-mark> No problems, ${all.length} watched`
						: "No builds yet"
			}</div>`;
		}
		return html`${this.warning()}
			<ul part="tiles" role="list">
				${keyed(
					[...tiles, ...absent],
					(one) => (typeof one === "string" ? one : one.key),
					(one) =>
						typeof one === "string"
							? html`<li part="tile" class="absent">${this.unknown(html`<bdi>${one}</bdi>`)}</li>`
							: html`<li part="tile"><stepcast-tile
									.server=${this.origin}
									.tile=${one}
									.now=${now}
									.coarse=${calmly.matches}
								></stepcast-tile></li>`,
				)}
			</ul>`;
	}

	protected override updated(changed: PropertyValues): void {
		super.updated(changed);
		for (const { key, build } of this.watching.state.tiles.values()) this.tellChange(key, build);
	}
}

const calmly = matchMedia("(prefers-reduced-motion: reduce)");

customElements.define("stepcast-board", StepcastBoard);
