import { css, html, nothing, type PropertyValues } from "lit";
import type { Build } from "../model.ts";
import { buildPath } from "../route.ts";
import { apply, emptyWall, type WallState } from "../wall-state.ts";
import { Watching } from "./watching.ts";
import { target, Widget } from "./widget.ts";
import { widgetStyles } from "./widget-styles.ts";
import "../elements/stepcast-mark.ts";
import "../elements/stepcast-time.ts";

/**
 * How the newest build of a project is, live, in one line beside text: its status, and a link to it.
 *
 * @attr project - the project
 * @attr branch - the branch; without it, the newest build of any
 */
export class StepcastStatus extends Widget {
	static override properties = { project: {}, branch: {} };
	declare project: string;
	declare branch: string;

	protected readonly watching = new Watching<WallState>(
		this,
		() =>
			this.project
				? {
						log: "feed",
						projects: [this.project],
						branches: this.branch ? [this.branch] : [],
					}
				: undefined,
		emptyWall,
		apply,
	);

	constructor() {
		super();
		this.project = "";
		this.branch = "";
	}

	static override styles = [
		widgetStyles,
		css`
			:host {
				display: inline-block !important;
			}
		`,
	];

	get #build(): Build | undefined {
		const builds = [...this.watching.state.tiles.values()].map(({ build }) => build);
		return builds.sort((a, b) => b.number - a.number)[0];
	}

	protected override view() {
		const build = this.#build;
		if (!build) return undefined;
		return html`<a part="link" target=${target} href=${this.origin + buildPath(build.id)}
			><stepcast-mark .status=${build.status}></stepcast-mark> ${build.project}
			${build.branch ?? nothing} #${build.number}</a
		>`;
	}

	protected override updated(changed: PropertyValues): void {
		super.updated(changed);
	}
}

customElements.define("stepcast-status", StepcastStatus);
