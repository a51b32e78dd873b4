import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { duration, elapsed, lasted } from "../format.ts";
import { formatFragment } from "../fragment.ts";
import { keyed } from "../keyed.ts";
import { type Build, ended, nameOf, type Step } from "../model.ts";
import { Ticking } from "../ticking.ts";
import { elided } from "../tree.ts";
import { vars } from "../vars.ts";
import { type Bar, tickLabel, type Waterfall, type WaterfallRow, waterfall } from "../waterfall.ts";
import { shared } from "./shared-styles.ts";
import "./stepcast-mark.ts";
import { stepName, stepNameStyles } from "./step-name.ts";

/**
 * When each step of a build waited and ran, as a table; the bars say the same to the eye. The row
 * under the pointer or with the focus shows arrows from what it needs.
 */
export class StepcastWaterfall extends LitElement {
	static override properties = {
		build: { attribute: false },
		steps: { attribute: false },
		selected: {},
		asof: { type: Number },
		looked: { state: true },
	};
	declare build: Build | undefined;
	declare steps: readonly Step[];
	/** A step's key. */
	declare selected: string;
	/** As of when, in milliseconds since 1970; 0: now. */
	declare asof: number;
	/** The key of the row whose needs are shown. */
	declare private looked: string;

	readonly #ticking = new Ticking(this);
	readonly #resized = new ResizeObserver(() => this.requestUpdate());

	constructor() {
		super();
		this.steps = [];
		this.selected = "";
		this.asof = 0;
		this.looked = "";
	}

	static override styles = [
		shared,
		stepNameStyles,
		css`
			:host {
				container-type: inline-size;
				font-size: 0.875rem;
			}

			.path,
			.legend {
				margin: 0 0 0.75rem;
				overflow-wrap: anywhere;
			}

			.legend {
				display: flex;
				flex-wrap: wrap;
				gap: 0.25rem 1.25rem;
				color: var(--muted);
				font-size: 0.8125rem;
			}

			.legend span {
				display: inline-flex;
				align-items: center;
				gap: 0.375rem;
			}

			.chart {
				position: relative;
				isolation: isolate;
			}

			table {
				width: 100%;
				table-layout: fixed;
				border-collapse: collapse;
			}

			th,
			td {
				padding: 0.25rem 0.5rem;
				border-bottom: 1px solid var(--line);
				font-weight: 400;
				text-align: start;
				vertical-align: top;
			}

			thead th {
				color: var(--muted);
				font-size: 0.8125rem;
				white-space: nowrap;
			}

			.number {
				width: 6rem;
				text-align: end;
				white-space: nowrap;
			}

			tbody th {
				overflow-wrap: anywhere;
			}

			th:first-child {
				width: 24%;
			}

			tbody tr:hover,
			tbody tr:focus-within {
				background: var(--panel);
			}

			.chosen {
				box-shadow: inset 3px 0 0 var(--link);
			}

			.needed {
				background: var(--highlight);
			}

			th a {
				display: inline-block;
				min-height: 1.5rem;
				color: var(--text);
				text-decoration: none;
			}

			th a:hover {
				text-decoration: underline;
			}

			th stepcast-mark {
				height: 1.45em;
				vertical-align: top;
			}

			th .key {
				display: block;
			}

			.axis,
			.lane {
				/* As wide as the outline of a bar at the end of the axis. */
				padding-inline: 3px;
			}

			.axis div,
			.lane div {
				position: relative;
				height: 1.5rem;
			}

			.axis span {
				position: absolute;
				left: calc(var(--at) * 100%);
				padding-left: 0.25rem;
				white-space: nowrap;
				border-left: 1px solid var(--control);
			}

			.lane {
				background-image: linear-gradient(to right, var(--line) 1px, transparent 1px);
				background-origin: content-box;
				background-size: calc(var(--tick) * 100%) 100%;
			}

			/* Apart from the lanes: to move it costs no layout of theirs. It stands where their column does. */
			.now {
				--lane: calc(24% + 18rem + 3px);
				position: absolute;
				pointer-events: none;
				inset: 2rem auto 0 calc(var(--lane) + var(--now) * (100% - 3px - var(--lane)) - 1px);
				border-left: 2px dashed var(--link);
			}

			.queue,
			.run {
				position: absolute;
				top: 0.3125rem;
				left: calc(var(--from) * 100%);
				width: max(3px, (var(--to) - var(--from)) * 100%);
				height: 0.875rem;
				border-radius: 0.125rem;
				forced-color-adjust: none;
			}

			.queue {
				background: repeating-linear-gradient(
					-45deg,
					transparent 0 3px,
					var(--muted) 3px 4.5px
				);
				border: 1px solid var(--muted);
			}

			.run {
				background: var(--bar);
			}

			.legend i {
				--bar: var(--muted);
				position: static;
				width: 1.5rem;
				height: 0.625rem;
			}

			.critical {
				outline: 2px solid var(--text);
				outline-offset: 1px;
			}

			.label {
				position: absolute;
				top: 0.0625rem;
				padding: 0 0.375rem;
				font-size: 0.75rem;
				line-height: 1.375rem;
				white-space: nowrap;
			}

			.after {
				left: max(var(--to) * 100%, var(--from) * 100% + 3px);
			}

			.before {
				right: calc(100% - var(--from) * 100%);
			}

			.inside {
				right: calc(100% - var(--to) * 100%);
				color: var(--page);
			}

			svg {
				position: absolute;
				inset: 0;
				width: 100%;
				height: 100%;
				overflow: visible;
				pointer-events: none;
				fill: none;
				stroke: var(--link);
				stroke-width: 1.5;
			}

			svg .head {
				fill: var(--link);
				stroke: none;
			}

			/* Every second time is one of few letters. */
			@container (max-width: 64rem) {
				.axis span:nth-child(even) {
					display: none;
				}
			}

			/* Bars below names; the roles say that it still is a table. */
			@container (max-width: 44rem) {
				thead tr,
				tbody tr {
					display: grid;
					grid-template-columns: repeat(3, auto) 1fr;
					column-gap: 0.75rem;
					padding: 0.375rem 0.25rem;
					border-bottom: 1px solid var(--line);
				}

				th,
				td:not(.lane):not(.axis) {
					width: auto;
					padding: 0;
					border: 0;
				}

				td {
					border: 0;
				}

				thead th:not(.axis) {
					position: absolute;
					width: 1px;
					height: 1px;
					overflow: hidden;
					clip-path: inset(50%);
				}

				th:first-child,
				.axis,
				.lane {
					grid-column: 1 / -1;
					width: auto;
				}

				.number {
					width: auto;
					padding: 0;
					color: var(--muted);
					font-size: 0.8125rem;
				}

				.now {
					--lane: 3px;
					z-index: -1;
					opacity: 0.4;
				}

				.number:empty {
					display: none;
				}

				.number[data-of]::before {
					content: attr(data-of) " ";
				}
			}

			@media (pointer: coarse) {
				th a {
					min-height: 2.75rem;
					padding-block: 0.625rem;
				}
			}
		`,
	];

	override connectedCallback(): void {
		super.connectedCallback();
		this.#resized.observe(this);
	}

	override disconnectedCallback(): void {
		super.disconnectedCallback();
		this.#resized.disconnect();
	}

	protected override willUpdate(_changed: PropertyValues): void {
		this.#ticking.wanted = Boolean(this.build && !ended(this.build.status)) && this.asof === 0;
	}

	override render() {
		if (!this.build) return nothing;
		if (this.steps.length === 0) return html`<p class="muted">This build has no steps yet.</p>`;
		const chart = waterfall(this.build, this.steps, this.asof || Date.now());
		const [, tick = chart.length * 2] = chart.ticks;
		const needs = this.steps.find(({ key }) => key === this.looked)?.needs ?? [];
		return html`
			${this.#path(chart)}
			<p class="legend" aria-hidden="true">
				<span><i class="queue"></i> queued</span>
				<span><i class="run"></i> ran</span>
				<span><i class="run critical"></i> on the critical path</span>
				${chart.now === undefined ? nothing : html`<span>┆ now</span>`}
			</p>
			<div class="chart">
				<table
					role="table"
					@pointerover=${this.#look}
					@pointerleave=${this.#lookAway}
					@focusin=${this.#look}
					@focusout=${this.#lookAway}
					${vars({ "--tick": tick / chart.length })}
				>
					<caption class="unseen">When each step waited and ran</caption>
					<thead role="rowgroup">
						<tr role="row">
							<th role="columnheader" scope="col">Step</th>
							<th role="columnheader" scope="col" class="number">Start</th>
							<th role="columnheader" scope="col" class="number">Queued for</th>
							<th role="columnheader" scope="col" class="number">Duration</th>
							<td class="axis" aria-hidden="true"><div>${this.#ticks(chart)}</div></td>
						</tr>
					</thead>
					<tbody role="rowgroup">
						${keyed(
							chart.rows,
							({ step }) => step.key,
							(row) => this.#row(row, needs.includes(row.step.key)),
						)}
					</tbody>
				</table>
				${chart.now === undefined ? nothing : html`<i class="now" ${vars({ "--now": chart.now })}></i>`}
				<svg aria-hidden="true"></svg>
			</div>
		`;
	}

	protected override updated(_changed: PropertyValues): void {
		this.#arrows();
	}

	#path({ critical, length, now }: Waterfall) {
		if (critical.length < 2) return nothing;
		const names = critical.map(nameOf);
		const shown = names.length > 6 ? [...names.slice(0, 3), "…", ...names.slice(-2)] : names;
		return html`<p class="path">
			Critical path: ${shown.map((name, i) => html`${i > 0 ? " → " : ""}<bdi>${elided(name, 48)}</bdi>`)},
			${now === undefined ? duration(length) : elapsed(length * now)} since creation.
		</p>`;
	}

	/** Without those for which there is no room before the end. */
	#ticks({ ticks, length }: Waterfall) {
		return ticks.map((tick) =>
			tick / length > 0.84
				? nothing
				: html`<span ${vars({ "--at": tick / length })}>${tickLabel(tick)}</span>`,
		);
	}

	#row(row: WaterfallRow, needed: boolean) {
		const { step, start, queuedFor, took } = row;
		const chosen = step.key === this.selected;
		return html`
			<tr
				role="row"
				data-key=${step.key}
				${vars({ "--bar": `var(--${step.status})` })}
				class="${chosen ? "chosen" : ""} ${needed ? "needed" : ""}"
			>
				<th role="rowheader" scope="row">
					<a href=${formatFragment(step.key)} aria-current=${chosen ? "true" : nothing}>
						<stepcast-mark brief .status=${step.status}></stepcast-mark>
						${stepName(step)}
					</a>
					<span class="unseen">
						${row.critical ? "On the critical path." : ""}
						${step.needs?.length ? `Needs ${step.needs.join(", ")}.` : ""}
					</span>
				</th>
				<td role="cell" class="number" data-of="at">${start === undefined ? "" : elapsed(start)}</td>
				<td role="cell" class="number" data-of="queued">${queuedFor ? lasted(queuedFor, start === undefined) : ""}</td>
				<td role="cell" class="number" data-of="took">${took === undefined ? "" : lasted(took, step.status === "running")}</td>
				<td class="lane" aria-hidden="true">
					<div>
						${row.queue ? html`<span class="queue" ${bar(row.queue)}></span>` : nothing}
						${row.run ? html`<span class="run ${row.critical ? "critical" : ""}" ${bar(row.run)}></span>` : nothing}
						${this.#label(row)}
					</div>
				</td>
			</tr>
		`;
	}

	/** A bar's duration stands where there is room for all of it: after it, before it, or in it. */
	#label({ step, run, queue, took, queuedFor }: WaterfallRow) {
		const shown = run ?? queue;
		const time = run ? took : queuedFor;
		if (!shown || time === undefined) return nothing;
		const words = lasted(time, !run || step.status === "running");
		const width = this.renderRoot.querySelector(".axis div")?.clientWidth ?? 240;
		const room = (words.length * 7 + 12) / width;
		const { from } = queue ?? shown;
		const { to } = shown;
		const place =
			1 - to > room
				? "after"
				: from > room
					? "before"
					: run && to - run.from > room
						? "inside"
						: "";
		return place && html`<span class="label ${place}" ${bar({ from, to })}>${words}</span>`;
	}

	/** Draws arrows from the ends of what the row needs to its beginning, where they are on the page now. */
	#arrows(): void {
		const drawing = this.renderRoot.querySelector("svg");
		if (!drawing) return;
		drawing.replaceChildren();
		if (this.looked === "") return;
		const needs = this.steps.find(({ key }) => key === this.looked)?.needs ?? [];
		const lanes = new Map<string, DOMRect>();
		const wanted = new Set([this.looked, ...needs]);
		for (const row of this.renderRoot.querySelectorAll<HTMLElement>("tr[data-key]")) {
			const bars = row.querySelectorAll(".run, .queue");
			const key = row.dataset.key ?? "";
			const shown = key === this.looked ? bars[0] : bars[bars.length - 1];
			if (wanted.has(key) && shown) lanes.set(key, shown.getBoundingClientRect());
		}
		const origin = drawing.getBoundingClientRect();
		const to = lanes.get(this.looked);
		for (const need of to ? needs : []) {
			const from = lanes.get(need);
			if (from && to) drawing.append(...arrow(from, to, origin));
		}
	}

	#look(event: Event): void {
		const row = event.target instanceof Element ? event.target.closest("tr") : null;
		this.looked = row?.dataset.key ?? "";
	}

	#lookAway(): void {
		const focused = this.shadowRoot?.activeElement?.closest("tr");
		this.looked = focused?.dataset.key ?? "";
	}
}

const bar = ({ from, to }: Bar) => vars({ "--from": from, "--to": to });

const space = "http://www.w3.org/2000/svg";

/** From the end of one bar along the gap between rows to the beginning of another. */
function arrow(from: DOMRect, to: DOMRect, origin: DOMRect): readonly SVGElement[] {
	const [x1, y1] = [from.right - origin.left, from.top + from.height / 2 - origin.top];
	const [x2, y2] = [to.left - origin.left, to.top + to.height / 2 - origin.top];
	const turn = Math.min(x1 + 6, x2 - 8);
	const line = document.createElementNS(space, "path");
	line.setAttribute(
		"d",
		`M${x1} ${y1}H${Math.max(x1, turn)}V${(y1 + y2) / 2}H${turn}V${y2}H${x2 - 5}`,
	);
	const head = document.createElementNS(space, "path");
	head.setAttribute("class", "head");
	head.setAttribute("d", `M${x2} ${y2}l-6 -4v8z`);
	return [line, head];
}

customElements.define("stepcast-waterfall", StepcastWaterfall);
