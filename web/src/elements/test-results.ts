import { css, html, nothing, type PropertyValues } from "lit";
import { capital, count, duration } from "../format.ts";
import { formatFragment } from "../fragment.ts";
import { keyed } from "../keyed.ts";
import { type Notes, placeOf, type TestResult, type TestStatus, testsOf } from "../notes.ts";
import { NoteLists } from "./note-lists.ts";
import "./note-message.ts";
import "./stepcast-mark.ts";
import { stepName } from "./step-name.ts";

const statuses = ["failed", "skipped", "passed"] as const satisfies readonly TestStatus[];

/**
 * The results of a build's tests, failed ones first, with links into the logs. What passed or was
 * skipped is loaded when someone wants to see it. A name that is looked for is looked for in all of them.
 */
export class TestResults extends NoteLists<TestStatus, TestResult> {
	static override properties = { text: { state: true } };
	/** What names have to contain, in lower case. */
	declare private text: string;

	protected readonly nothing = "No test results in this build.";

	constructor() {
		super(statuses, ["failed"], "kind=test&status=");
		this.text = "";
	}

	static override styles = [
		super.styles,
		css`
			table {
				margin-bottom: 0.75rem;
				border-collapse: collapse;
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

		`,
	];

	protected override willUpdate(changed: PropertyValues): void {
		super.willUpdate(changed);
		for (const [, list] of this.shown) {
			if (this.text !== "" && list.more && list.state === "loaded") list.load();
		}
	}

	protected override count(status: TestStatus): number {
		return testsOf(this.steps, status);
	}

	protected override label(status: TestStatus) {
		return html`${count(this.count(status))} <stepcast-mark .status=${status}></stepcast-mark>`;
	}

	protected override beside() {
		return html`<label>
			Name
			<input type="search" .value=${this.text} @input=${this.#typed} spellcheck="false" />
		</label>`;
	}

	/** The results by step, where there are several. */
	protected override above() {
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
								<th scope="row"><a href=${formatFragment(step.key)}>${stepName(step)}</a></th>
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

	protected override list(status: TestStatus, list: Notes<TestResult>) {
		const total = this.count(status);
		const matching = list.notes.filter(({ test }) => this.#matches(test));
		return html`
			<section aria-label=${capital(status)}>
				<h2>
					${capital(status)}
					<span class="muted">${
						this.text === ""
							? count(total)
							: `${count(matching.length)} of ${count(list.notes.length)} looked through`
					}</span>
				</h2>
				${total === 0 ? html`<p class="muted">${none[status]}</p>` : nothing}
				<ul role="list">
					${keyed(
						this.first(status, matching),
						(note) => `${note.step} ${note.number}`,
						(note) => html`<li>${this.#result(note)}</li>`,
					)}
				</ul>
				${this.end(status, list, matching)}
			</section>
		`;
	}

	#result(note: TestResult) {
		const { name, suite, status, message } = note.test;
		const seconds = note.test.duration_s ?? 0;
		return html`
			<div class="head">
				<stepcast-mark brief .status=${status}></stepcast-mark>
				<span class="name">
					${suite ? html`<bdi class="muted">${suite}</bdi> › ` : nothing}<bdi>${name}</bdi>
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

customElements.define("test-results", TestResults);
