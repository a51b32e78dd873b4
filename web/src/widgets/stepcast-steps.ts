import { css, html, nothing } from "lit";
import { elapsed, lasted } from "../format.ts";
import { stepFragment } from "../fragment.ts";
import { type Build, ended, nameOf, type Step } from "../model.ts";
import { type Spans, spans } from "../spans.ts";
import { elided } from "../tree.ts";
import { vars } from "../vars.ts";
import { apply, noBuild } from "./build-steps.ts";
import { ShownBuild } from "./shown-build.ts";
import { Watching } from "./watching.ts";

/**
 * The steps of a build, live: how each stands, when it ran beside the others, and for how long, with links
 * to their logs. Where there is little room a step's bar is a line below it.
 *
 * @attr view - steps: without bars; waterfall: with more room for them than for names
 * @csspart list - the list of steps
 * @csspart step - one of them, a link to its log
 * @csspart bar - when it ran: within the width of this, which is the whole time of the build
 */
export class StepcastSteps extends ShownBuild {
	protected readonly watching = new Watching(
		this,
		() => (this.log ? { log: this.log } : undefined),
		noBuild,
		apply,
	);

	static override styles = [
		ShownBuild.styles,
		css`
			.frame {
				container-type: inline-size;
			}

			ul {
				max-height: var(--stepcast-height, 32em);
				margin: 0;
				padding: 0;
				overflow: auto;
				list-style: none;
			}

			ul a {
				position: relative;
				display: flex;
				gap: 0.5em;
				padding: 0.25em 0.75em;
				color: var(--text);
				outline-offset: -2px;
				text-decoration: none;
			}

			a:hover {
				background: var(--panel);
			}

			.bar {
				width: var(--lane, 45cqi);
				height: 1.2em;
				border-bottom: 1px solid var(--line);
			}

			.bar::before {
				content: "";
				display: block;
				height: 100%;
				margin-inline-start: calc(var(--from) * 100%);
				width: max(3px, calc(var(--took) * 100%));
				border-radius: 0.125em;
				background: var(--bar);
				forced-color-adjust: none;
			}

			:host([view="waterfall"]) {
				--lane: 65cqi;
			}

			.took {
				width: 5.5em;
				color: var(--muted);
				text-align: end;
			}

			@container (max-width: 32em) {
				.bar {
					position: absolute;
					inset: auto 0 0;
					width: auto;
					height: 3px;
				}
			}

			:host([view="steps"]) .bar {
				display: none;
			}
		`,
	];

	protected override shown(build: Build) {
		const { steps } = this.watching.state;
		const { number, project, status, title } = build;
		// What has ended stands still, but not since when there is no news.
		this.ticking.wanted = !ended(status) || this.source.connection.name === "reconnecting";
		const when = spans(build, steps, this.watching.now);
		const name = `#${number} ${elided(title || project)}`;
		return html`
			${this.head(status, name, this.address, lasted(when.last - when.first, !when.over))}
			<ul role="list" part="list">${steps.map((step) => this.#row(step, when))}</ul>
			${steps.length === 0 ? html`<p class="none muted">This build has no steps yet.</p>` : nothing}
		`;
	}

	#row(step: Step, { first, last, times }: Spans) {
		const { key, status } = step;
		const name = nameOf(step);
		// What a key has in common with others is its beginning.
		const folder = name === key ? key.slice(0, key.lastIndexOf("/") + 1) : "";
		const time = times.get(key);
		const { started = first, finished = first } = time ?? {};
		const whole = Math.max(1, last - first);
		return html`
			<li>
				<a part="step" target="_top" href=${this.address + stepFragment(key)}>
					<stepcast-mark brief .status=${status}></stepcast-mark>
					<bdi title=${key}><span class="muted">${elided(folder)}</span>${elided(name.slice(folder.length))}</bdi>
					${time && html`<span class="unseen">started after ${elapsed(started - first)}, took</span>`}
					<span
						part="bar"
						class="bar"
						${vars({
							"--bar": time ? `var(--${status})` : "transparent",
							"--from": (started - first) / whole,
							"--took": (finished - started) / whole,
						})}
					></span>
					<span class="took">${time?.known ? lasted(finished - started, status === "running") : ""}</span>
				</a>
			</li>
		`;
	}
}

customElements.define("stepcast-steps", StepcastSteps);
