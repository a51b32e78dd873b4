import { css, html, LitElement, nothing } from "lit";
import { counted } from "../format.ts";
import { nameOf, type Status, type Step, statuses } from "../model.ts";
import { vars } from "../vars.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";

/** Above so many steps their segments are narrow, above the second they are small. */
const narrow = 14;
const small = 28;
/** Above so many a status has one segment, as long as its part of them. */
const most = 300;

/**
 * The steps of a build as a strip of segments in their order, each with its name as a tooltip, or where
 * they are too many for a row of a list as one segment for each status; below it, in words, the first one
 * that matters most. A segment tells its status by its pattern as well.
 */
export class StepStrip extends LitElement {
	static override properties = { steps: { attribute: false } };
	declare steps: readonly Step[];

	constructor() {
		super();
		this.steps = [];
	}

	static override styles = [
		shared,
		css`
			:host {
				min-width: 0;
			}

			.strip {
				--wide: 10px;
				--high: 14px;
				display: flex;
				flex-wrap: wrap;
				gap: 2px;
			}

			.narrow {
				--wide: 5px;
				gap: 1px;
			}

			.small {
				--wide: 4px;
				--high: 7px;
				gap: 1px;
			}

			.whole {
				flex-wrap: nowrap;
			}

			.strip > * {
				width: var(--wide);
				height: var(--high);
				border: 1px solid var(--colour);
				border-radius: 1px;
				forced-color-adjust: none;
				--colour: var(--muted);
			}

			.strip > .passed {
				--colour: var(--passed);
				background: var(--colour);
			}

			.strip > .failed {
				--colour: var(--failed);
				background:
					linear-gradient(55deg, transparent 43%, var(--page) 43% 57%, transparent 57%),
					linear-gradient(-55deg, transparent 43%, var(--page) 43% 57%, transparent 57%), var(--colour);
			}

			.strip > .running {
				--colour: var(--running);
				background: repeating-linear-gradient(135deg, var(--colour) 0 2px, transparent 2px 4px);
			}

			.strip > .canceled {
				--colour: var(--canceled);
				background: linear-gradient(125deg, transparent 43%, var(--colour) 43% 57%, transparent 57%);
			}

			.strip > .skipped {
				border-color: transparent;
				background: linear-gradient(var(--colour), var(--colour)) center / 100% 2px no-repeat;
			}

			.strip > .lost {
				--colour: var(--stale);
				border-style: dashed;
			}

			.said {
				display: flex;
				gap: 0.25rem;
				margin-top: 0.125rem;
				font-size: 0.75rem;
			}

			bdi {
				overflow: hidden;
				text-overflow: ellipsis;
				white-space: nowrap;
			}

			.said .muted {
				white-space: nowrap;
			}
		`,
	];

	override render() {
		const { steps } = this;
		if (steps.length === 0) return nothing;
		const whole = steps.length > most;
		const size = steps.length > small ? "small" : steps.length > narrow ? "narrow" : "";
		return html`
			<div class="strip ${whole ? "whole" : size}" role="img" aria-label=${spoken(steps)}>
				${
					whole
						? statuses.map((status) => {
								const part = steps.filter((step) => step.status === status).length;
								return part === 0
									? nothing
									: html`<span class=${status} title="${part} ${status}" ${vars({ "--wide": `${(part / steps.length) * 100}%` })}></span>`;
							})
						: steps.map(
								(step) =>
									html`<span class=${step.status} title="${nameOf(step)}: ${step.status}"></span>`,
							)
				}
			</div>
			${this.#said()}
		`;
	}

	#said() {
		const status = (["failed", "lost", "running"] as const).find((grave) =>
			this.steps.some((step) => step.status === grave),
		);
		const [first, ...more] = this.steps.filter((step) => step.status === status);
		if (!first) return nothing;
		return html`
			<div class="said" aria-hidden="true">
				<stepcast-mark brief .status=${first.status}></stepcast-mark>
				<bdi class="muted" title=${nameOf(first)}>${nameOf(first)}</bdi>
				${more.length > 0 ? html`<span class="muted">+ ${more.length}</span>` : nothing}
			</div>
		`;
	}
}

/** "3 steps: 1 passed, 2 failed (lint, test)"; as many names as one can listen to. */
function spoken(steps: readonly Step[]): string {
	const said = statuses.flatMap((status: Status) => {
		const those = steps.filter((step) => step.status === status);
		if (those.length === 0) return [];
		const grave = status === "failed" || status === "running" || status === "lost";
		const names = those.slice(0, 3).map(nameOf);
		return `${those.length} ${status}${grave ? ` (${names.join(", ")}${those.length > 3 ? " …" : ""})` : ""}`;
	});
	return `${counted(steps.length, "step")}: ${said.join(", ")}`;
}

customElements.define("step-strip", StepStrip);
