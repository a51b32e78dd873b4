import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { count, duration } from "../format.ts";
import type { Step } from "../model.ts";
import { Notes, placeOf, type TestResult, type TestStatus, testsOf } from "../notes.ts";
import { listEnd, listStyles, rowsAtOnce } from "./note-lists.ts";
import "./note-message.ts";
import { shared } from "./shared-styles.ts";
import "./status-mark.ts";
import { stepName, stepNameStyles } from "./step-name.ts";

const statuses = ["failed", "skipped", "passed"] as const satisfies readonly TestStatus[];

/**
 * The results of a build's tests, failed ones first, with links into the logs. What passed or was
 * skipped is loaded when someone wants to see it. A name that is looked for is looked for in all of them.
 */
export class TestResults extends LitElement {
	static override properties = {
		build: {},
		steps: { attribute: false },
		wanted: { state: true },
		text: { state: true },
		rows: { state: true },
	};
	/** The build's id. */
	declare build: string;
	declare steps: readonly Step[];
	declare private wanted: ReadonlySet<TestStatus>;
	/** What names have to contain, in lower case. */
	declare private text: string;
	/** How many rows of each list are shown at most. */
	declare private rows: Readonly<Record<TestStatus, number>>;

	readonly #lists: Readonly<Record<TestStatus, Notes<TestResult>>> = {
		failed: new Notes(this, "kind=test&status=failed"),
		skipped: new Notes(this, "kind=test&status=skipped"),
		passed: new Notes(this, "kind=test&status=passed"),
	};

	constructor() {
		super();
		this.build = "";
		this.steps = [];
		this.wanted = new Set(["failed"]);
		this.text = "";
		this.rows = { failed: rowsAtOnce, skipped: rowsAtOnce, passed: rowsAtOnce };
	}

	static override styles = [
		shared,
		listStyles,
		stepNameStyles,
		css`
			table {
				margin-bottom: 0.75rem;
				border-collapse: collapse;
				font-variant-numeric: tabular-nums;
			}

			th,
			td {
				padding: 0.125rem 1rem 0.125rem 0;
				font-weight: 400;
				text-align: end;
			}

			th:first-child {
				overflow-wrap: anywhere;
				text-align: start;
			}

			thead th {
				color: var(--muted);
				font-size: 0.8125rem;
			}

			summary {
				padding-bottom: 0.25rem;
				cursor: pointer;
			}

			.suite {
				color: var(--muted);
			}
		`,
	];

	protected override willUpdate(_changed: PropertyValues): void {
		for (const status of statuses) {
			if (!this.wanted.has(status)) continue;
			const list = this.#lists[status];
			list.want(this.build, testsOf(this.steps, status));
			if (this.text !== "" && list.more && list.state === "loaded") list.load();
		}
	}

	override render() {
		const all = statuses.reduce((sum, status) => sum + testsOf(this.steps, status), 0);
		if (all === 0) return html`<p class="muted">No test results were found in this build.</p>`;
		return html`
			<div class="bar">
				<span role="group" aria-label="Results to show">
					${statuses.map((status) => this.#toggle(status))}
				</span>
				<label>
					Name
					<input type="search" .value=${this.text} @input=${this.#typed} spellcheck="false" />
				</label>
			</div>
			${this.#bySteps()}
			${statuses.filter((status) => this.wanted.has(status)).map((status) => this.#list(status))}
			${this.wanted.size === 0 ? html`<p class="muted">Choose above which results to show.</p>` : nothing}
		`;
	}

	#toggle(status: TestStatus) {
		return html`<button
			aria-pressed=${this.wanted.has(status)}
			@click=${() => {
				const wanted = new Set(this.wanted);
				if (!wanted.delete(status)) wanted.add(status);
				this.wanted = wanted;
			}}
		>
			${count(testsOf(this.steps, status))} <status-mark .status=${status}></status-mark>
		</button>`;
	}

	#bySteps() {
		const tested = this.steps.filter(({ tests }) => tests);
		if (tested.length < 2) return nothing;
		return html`
			<details open>
				<summary>By step</summary>
				<table>
					<thead>
						<tr>
							<th scope="col">Step</th>
							${statuses.map((status) => html`<th scope="col">${status}</th>`)}
						</tr>
					</thead>
					<tbody>
						${tested.map(
							(step) => html`<tr>
								<th scope="row"><a href="#${encodeURIComponent(step.key)}">${stepName(step)}</a></th>
								${statuses.map((status) => {
									const n = step.tests?.[status] ?? 0;
									return html`<td class=${n > 0 ? status : "muted"}>${count(n)}</td>`;
								})}
							</tr>`,
						)}
					</tbody>
				</table>
			</details>
		`;
	}

	#list(status: TestStatus) {
		const list = this.#lists[status];
		const total = testsOf(this.steps, status);
		const matching = list.notes.filter(({ test }) => this.#matches(test));
		const shown = matching.slice(0, this.rows[status]);
		return html`
			<section aria-label=${title(status)}>
				<h2>
					${title(status)}
					<span class="muted">${
						this.text === ""
							? count(total)
							: `${count(matching.length)} of ${count(list.notes.length)} looked through`
					}</span>
				</h2>
				${total === 0 ? html`<p class="muted">${none[status]}</p>` : nothing}
				<ul role="list">
					${repeat(
						shown,
						(note) => `${note.step} ${note.number}`,
						(note) => html`<li>${this.#result(note)}</li>`,
					)}
				</ul>
				${listEnd(list, shown.length, matching.length, () => {
					this.rows = { ...this.rows, [status]: this.rows[status] + rowsAtOnce };
				})}
			</section>
		`;
	}

	#result(note: TestResult) {
		const { name, suite, status, message } = note.test;
		const seconds = note.test.duration_s ?? 0;
		return html`
			<div class="head">
				<status-mark brief .status=${status}></status-mark>
				<span class="name">
					${suite ? html`<bdi class="suite">${suite}</bdi> › ` : nothing}<bdi>${name}</bdi>
				</span>
				${seconds > 0 ? html`<span class="took">${duration(seconds * 1_000)}</span>` : nothing}
				<a href=${placeOf(note)}>${note.step}${
					note.line === null ? nothing : `, line ${count(note.line)}`
				}<span class="unseen">: ${name}</span></a>
			</div>
			${message ? html`<note-message .text=${message}></note-message>` : nothing}
		`;
	}

	#matches({ name, suite = "" }: TestResult["test"]): boolean {
		return this.text === "" || `${suite} ${name}`.toLowerCase().includes(this.text);
	}

	#typed(event: InputEvent): void {
		this.text = (event.target as HTMLInputElement).value.trim().toLowerCase();
	}
}

const none: Readonly<Record<TestStatus, string>> = {
	failed: "No test failed.",
	skipped: "No test was skipped.",
	passed: "No test passed.",
};

function title(status: TestStatus): string {
	return `${status.slice(0, 1).toUpperCase()}${status.slice(1)}`;
}

customElements.define("test-results", TestResults);
