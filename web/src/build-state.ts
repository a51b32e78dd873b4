import { append, emptyLog, maxCharacters, type StepLog, trim } from "./log.ts";
import { type Build, type Chunk, mayFollow, type Step, type StreamEvent } from "./model.ts";

/** All that the page of a build knows. Values are never changed in place. */
export interface BuildState {
	readonly build: Build | undefined;
	/** In the order in which the build's log names them. */
	readonly steps: readonly Step[];
	/** The log of the step at the same place. Apart from steps, because it changes far more often. */
	readonly logs: readonly StepLog[];
	/** Where each key stands in both. */
	readonly places: ReadonlyMap<string, number>;
	/** Whether the replay is over. */
	readonly caughtUp: boolean;
	/** Whether the build is final for good and all of it is here. */
	readonly ended: boolean;
}

export const emptyBuild: BuildState = {
	build: undefined,
	steps: [],
	logs: [],
	places: new Map(),
	caughtUp: false,
	ended: false,
};

/** Characters that the logs of all steps may hold together. */
const maxTotal = 4 * maxCharacters;

/** The state after an event. One that it has seen leaves it as it is. */
export function apply(state: BuildState, event: StreamEvent): BuildState {
	switch (event.kind) {
		case "whole": {
			const { steps, ...build } = event.data;
			return (steps ?? []).reduce(applyStep, { ...state, build });
		}
		case "build":
			if (state.build && !mayFollow(state.build.status, event.data.status)) return state;
			return { ...state, build: event.data };
		case "step":
			return applyStep(state, event.data);
		case "log":
			return applyChunk(state, event.data);
		case "live":
			return state.caughtUp ? state : { ...state, caughtUp: true };
		case "end":
			return { ...state, caughtUp: true, ended: true };
		case "reset":
			return emptyBuild;
		default:
			return state;
	}
}

function applyStep(state: BuildState, step: Step): BuildState {
	const place = state.places.get(step.key);
	if (place === undefined) return withStep(state, step);
	const before = state.steps[place];
	if (before && !mayFollow(before.status, step.status)) return state;
	return { ...state, steps: state.steps.with(place, step) };
}

function applyChunk(state: BuildState, chunk: Chunk): BuildState {
	const place = state.places.get(chunk.step);
	if (place === undefined) {
		return applyChunk(withStep(state, { key: chunk.step, status: "running" }), chunk);
	}
	const before = state.logs[place] ?? emptyLog;
	const after = append(before, chunk);
	if (after === before) return state;
	return { ...state, logs: bounded(state.logs.with(place, after)) };
}

function withStep(state: BuildState, step: Step): BuildState {
	return {
		...state,
		steps: [...state.steps, step],
		logs: [...state.logs, emptyLog],
		places: new Map(state.places).set(step.key, state.steps.length),
	};
}

/** Takes from the longest log what all of them hold too much. */
function bounded(logs: readonly StepLog[]): readonly StepLog[] {
	let total = 0;
	let longest = 0;
	for (const [i, log] of logs.entries()) {
		total += log.characters;
		if (log.characters > (logs[longest]?.characters ?? 0)) longest = i;
	}
	const log = logs[longest];
	if (total <= maxTotal || !log) return logs;
	return logs.with(longest, trim(log, log.characters - (total - maxTotal)));
}
