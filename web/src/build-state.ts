import {
	type Build,
	type BuildWithSteps,
	mayFollow,
	type Step,
	type StreamEvent,
} from "./model.ts";

/** What the page of a build knows of it, but for the text of its logs. Values are never changed in place. */
export interface BuildState {
	readonly build: Build | undefined;
	/** In the order in which the build's log names them. */
	readonly steps: readonly Step[];
	/** Where each key stands in them. */
	readonly places: ReadonlyMap<string, number>;
	/** Whether the build is final for good and all of it is here. */
	readonly ended: boolean;
	/** Whether its history was rewound: then all of this holds only until the state of now is here. */
	readonly rewound: boolean;
}

export const emptyBuild: BuildState = {
	build: undefined,
	steps: [],
	places: new Map(),
	ended: false,
	rewound: false,
};

/** The state after an event. One that it has seen leaves it as it is. */
export function apply(state: BuildState, event: StreamEvent): BuildState {
	switch (event.kind) {
		case "whole":
			return whole(state.rewound ? emptyBuild : state, event.data);
		case "build": {
			if (state.build && !mayFollow(state.build.status, event.data.status)) return state;
			// What to expect is not in events, and does not change during a build.
			const expected_s = event.data.expected_s ?? state.build?.expected_s ?? null;
			return { ...state, build: { ...event.data, expected_s } };
		}
		case "step":
			return withStep(state, event.data);
		case "log":
			if (state.places.has(event.data.step)) return state;
			return withStep(state, { key: event.data.step, status: "running" });
		case "note": {
			// It says itself what the next event of its step will have counted.
			const { step, annotation } = event.data;
			const before = state.steps[state.places.get(step) ?? -1];
			if (!before || !annotation) return state;
			const { level } = annotation;
			const annotations = { ...before.annotations };
			annotations[level] = (annotations[level] ?? 0) + 1;
			return withStep(state, { ...before, annotations });
		}
		case "end":
			return state.ended ? state : { ...state, ended: true };
		case "reset":
			return { ...state, ended: false, rewound: true };
		default:
			return state;
	}
}

/** A snapshot may be older than an event that came while it was on its way. */
function whole(state: BuildState, { steps, ...build }: BuildWithSteps): BuildState {
	const before = state.build;
	const newer = before !== undefined && !mayFollow(before.status, build.status);
	const after: BuildState = { ...state, ended: false, build: newer ? before : build };
	return (steps ?? []).reduce(withStep, after);
}

function withStep(state: BuildState, step: Step): BuildState {
	const place = state.places.get(step.key);
	if (place === undefined) {
		return {
			...state,
			steps: [...state.steps, step],
			places: new Map(state.places).set(step.key, state.steps.length),
		};
	}
	const before = state.steps[place];
	if (before && !mayFollow(before.status, step.status)) return state;
	return { ...state, steps: state.steps.with(place, step) };
}
