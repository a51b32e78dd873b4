import {
	type CSSResultGroup,
	css,
	html,
	type PropertyDeclarations,
	type PropertyValues,
} from "lit";
import type { Build, Status } from "../model.ts";
import { buildPath } from "../route.ts";
import { type BuildSteps, type Newest, newest } from "./build-steps.ts";
import { Watching } from "./watching.ts";
import { Widget } from "./widget.ts";
import { widgetStyles } from "./widget-styles.ts";
import "../elements/stepcast-mark.ts";

/**
 * One build: the one that is named, or the newest of a project, and when the next one begins, that.
 *
 * @attr build - id of the build
 * @attr project - instead of it, the project whose newest build this is
 * @attr branch - the branch of that project; without it, the newest build of any
 * @csspart head - the line above
 * @csspart link - the link in it, to the page on the server
 * @cssprop --stepcast-height - how high the part that scrolls is at most
 */
export abstract class ShownBuild extends Widget {
	static override properties: PropertyDeclarations = {
		...Widget.properties,
		build: {},
		project: {},
		branch: {},
	};
	declare build: string | undefined;
	declare project: string | undefined;
	declare branch: string | undefined;

	protected abstract override readonly watching: Pick<
		Watching<BuildSteps>,
		"state" | "connection" | "asOf" | "now"
	>;

	readonly #newest = new Watching<Newest | undefined>(
		this,
		() =>
			!this.build && this.project
				? { log: "feed", projects: [this.project], branches: this.branch ? [this.branch] : [] }
				: undefined,
		undefined,
		newest,
	);

	static override styles: CSSResultGroup = [
		widgetStyles,
		css`
			.frame {
				overflow: hidden;
				border: 1px solid var(--line);
				border-radius: var(--radius);
				background: var(--page);
			}

			p {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25em 0.75em;
				margin: 0;
				padding: 0.5em 0.75em;
			}

			.head {
				border-bottom: 1px solid var(--line);
			}

			stepcast-mark {
				height: 1.45em;
				align-items: center;
			}

			bdi {
				flex: 1 9em;
				min-width: 0;
				overflow-wrap: anywhere;
			}
		`,
	];

	/** When a build has ended its log has, too; whether it is the newest the feed says. */
	protected override get source() {
		return this.build ? this.watching : this.#newest;
	}

	#view: unknown;

	/** Shows a build of which something is known. */
	protected abstract shown(build: Build): unknown;

	/** What was shown is no longer what is wanted. */
	protected override willUpdate(changed: PropertyValues): void {
		if (changed.size > 0) this.#view = undefined;
	}

	/** A project's last build is shown until something is known of the next, but not when it has none. */
	protected override view(): unknown {
		const { build } = this.watching.state;
		if (!this.log && this.#newest.state) return this.unknown();
		if (build || this.build) this.#view = build && this.shown(build);
		return this.#view;
	}

	/** The id of the build; empty as long as it is not known. */
	protected get log(): string {
		return this.build || (this.#newest.state?.id ?? "");
	}

	/** The address of the build's page on the server. */
	protected get address(): string {
		return this.origin + buildPath(this.log);
	}

	protected override updated(changed: PropertyValues): void {
		super.updated(changed);
		const { build } = this.watching.state;
		if (build) this.tellChange("", build);
	}

	protected override unknown() {
		return html`<p>${super.unknown(html`<slot></slot>`)}</p>`;
	}

	/** The line above what is shown of the build. */
	protected head(status: Status, name: string, address: string, more: string) {
		return html`
			<p part="head" class="head">
				<stepcast-mark .status=${status}></stepcast-mark>
				<bdi><a part="link" target="_top" href=${address}>${name}</a></bdi>
				${this.warning()}
				<span class="muted">${more}</span>
			</p>
		`;
	}
}
