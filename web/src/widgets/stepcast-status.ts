import { css, html, nothing, type PropertyValues } from "lit";
import type { Build } from "../model.ts";
import { buildPath } from "../route.ts";
import { vars } from "../vars.ts";
import { emptyWall, type WallState } from "../wall-state.ts";
import { progress, timeOf } from "../wall-view.ts";
import { apply } from "./tiles.ts";
import { Watching } from "./watching.ts";
import { Widget } from "./widget.ts";
import { widgetStyles } from "./widget-styles.ts";
import "../elements/stepcast-mark.ts";

/**
 * How the newest build of a project is, live, in one line beside text: its status, how far it is, and a
 * link to it.
 *
 * @attr project - the project
 * @attr branch - the branch; without it, the newest build of any
 * @csspart link - the badge, which is the link to the build
 * @csspart name - project, branch and number
 * @csspart time - how long it runs, or when it ended
 * @csspart bar - how much of the time is over that builds of the branch take
 */
export class StepcastStatus extends Widget {
	static override properties = { ...Widget.properties, project: {}, branch: {} };
	declare project: string | undefined;
	declare branch: string | undefined;

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

	static override styles = [
		widgetStyles,
		css`
			:host {
				display: inline-block !important;
				max-width: 100%;
				vertical-align: middle;
			}

			.badge {
				position: relative;
				display: flex;
				flex-wrap: wrap;
				align-items: baseline;
				gap: 0 0.5em;
				padding: 0.0625em 0.5em;
				overflow: hidden;
				border: 1px solid var(--line);
				border-radius: var(--radius);
				background: var(--page);
				color: inherit;
				text-decoration: none;
				white-space: nowrap;
			}

			a:hover .name {
				text-decoration: underline;
			}

			.name {
				overflow: hidden;
				text-overflow: ellipsis;
			}

			.bar {
				position: absolute;
				inset: auto auto 0 0;
				width: calc(var(--done) * 100%);
				height: 2px;
				background: var(--running);
				forced-color-adjust: none;
			}
		`,
	];

	get #build(): Build | undefined {
		const builds = [...this.watching.state.tiles.values()].map(({ build }) => build);
		return builds.sort((a, b) => b.number - a.number)[0];
	}

	protected override unknown() {
		return html`<span class="badge">${super.unknown(this.#name(this))}</span>`;
	}

	protected override view() {
		const build = this.#build;
		const { state, now } = this.watching;
		if (!build) return state.loaded ? this.unknown() : undefined;
		const done = progress(build, now);
		return html`<a
			part="link"
			class="badge"
			target="_top"
			href=${this.origin + buildPath(build.id)}
			title=${build.title}
			><stepcast-mark .status=${build.status}></stepcast-mark>
			${this.#name(build)}
			<span part="time" class="muted">${timeOf(build, now)}</span>
			${this.warning()}
			${done === undefined ? nothing : html`<span part="bar" class="bar" ${vars({ "--done": done })}></span>`}</a
		>`;
	}

	#name({ project, branch, number }: Named) {
		return html`<span part="name" class="name"><bdi>${project}</bdi> <bdi class="muted">${branch}</bdi> ${number && `#${number}`}</span>`;
	}

	protected override updated(changed: PropertyValues): void {
		super.updated(changed);
		const build = this.#build;
		if (build) this.tellChange(this.project ?? "", build);
	}
}

/** What of a build stands in its name, as far as it is known. */
interface Named {
	readonly project: string | undefined;
	readonly branch?: string | null | undefined;
	readonly number?: number;
}

customElements.define("stepcast-status", StepcastStatus);
