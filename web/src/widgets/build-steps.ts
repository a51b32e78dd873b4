import { mergeSteps } from "../builds-state.ts";
import { type Build, mayFollow, type Step, type StreamEvent } from "../model.ts";

/** A build and its steps, in the order in which its log names them. Values are never changed in place. */
export interface BuildSteps {
	readonly build: Build | undefined;
	readonly steps: readonly Step[];
}

export const noBuild: BuildSteps = { build: undefined, steps: [] };

/** The state after an event of the build's log. One that it has seen leaves it as it is. */
export function apply<State extends BuildSteps>(state: State, event: StreamEvent): State {
	if (event.kind === "step") return { ...state, steps: mergeSteps(state.steps, [event.data]) };
	if (event.kind !== "build") return state;
	const { build } = state;
	return build && !mayFollow(build.status, event.data.status)
		? state
		: { ...state, build: event.data };
}

/** Whose log is shown where none is named: of the step that runs, else the first that failed, else the last that ran. */
export function chosen(steps: readonly Step[]): Step | undefined {
	const first = (status: string) => steps.find((step) => step.status === status);
	return (
		first("running") ?? first("failed") ?? steps.findLast((step) => step.started_at) ?? steps[0]
	);
}

/** What tells a build from the other ones of its project. */
export interface Newest {
	readonly id: string;
	readonly number: number;
}

/** What a project has that has no build. */
const none: Newest = { id: "", number: 0 };

/**
 * The newest build after an event of the feed; undefined until the feed has said what there is. An event
 * that it has seen leaves it as it is.
 */
export function newest(state: Newest | undefined, event: StreamEvent): Newest | undefined {
	const told = event.kind === "snapshot";
	const builds = told ? event.data.builds : event.kind === "build" ? [event.data] : [];
	return builds.reduce(
		(best: Newest | undefined, build) => (best && best.number >= build.number ? best : build),
		told ? (state ?? none) : state,
	);
}
