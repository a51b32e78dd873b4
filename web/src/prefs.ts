import type { ReactiveControllerHost } from "lit";
import { listening } from "./listening.ts";

/** What someone has chosen for this browser. */
export interface Preferences {
	readonly theme: "auto" | "light" | "dark";
	/** Whether single keys do something. */
	readonly keys: boolean;
	/** What stands before a line of a log: nothing, the time, or the time since its build or step began. */
	readonly times: "off" | "absolute" | "build" | "step";
	/** Whether long lines of a log are wrapped. */
	readonly wrap: boolean;
	/** Whether a log's own colours are shown as they are, readable or not. */
	readonly exact: boolean;
	/** The name by which builds call the reader as their author; empty when they have not said. */
	readonly me: string;
}

const initial: Preferences = {
	theme: "auto",
	keys: true,
	times: "off",
	wrap: true,
	exact: false,
	me: "",
};

const either = [true, false];
/** What can be chosen, in the order in which one comes after the other. */
const choices: {
	readonly [Name in Exclude<keyof Preferences, "me">]: readonly Preferences[Name][];
} = {
	theme: ["auto", "light", "dark"],
	keys: either,
	times: ["off", "absolute", "build", "step"],
	wrap: either,
	exact: either,
};

const prefix = "stepcast.";

/**
 * The preferences, kept in localStorage: all pages of the browser share them. Where that is forbidden
 * they last as long as the page.
 *
 * @fires change - a preference changed, here or in another tab
 */
class Store extends EventTarget {
	#values = load();

	constructor() {
		super();
		addEventListener("storage", ({ key, storageArea }) => {
			// Without a key, everything was cleared.
			if (storageArea !== storage() || (key !== null && !key.startsWith(prefix))) return;
			this.#values = load();
			this.dispatchEvent(new Event("change"));
		});
	}

	get<Name extends keyof Preferences>(name: Name): Preferences[Name] {
		return this.#values[name];
	}

	set<Name extends keyof Preferences>(name: Name, value: Preferences[Name]): void {
		if (value === this.#values[name]) return;
		this.#values = { ...this.#values, [name]: value };
		try {
			storage()?.setItem(prefix + name, JSON.stringify(value));
		} catch {
			// A full or forbidden store keeps nothing, and the page has it all the same.
		}
		this.dispatchEvent(new Event("change"));
	}

	/** Goes to the next choice, and after the last to the first. */
	next<Name extends keyof typeof choices>(name: Name): void {
		const all = choices[name];
		const at = all.indexOf(this.get(name));
		this.set(name, all[(at + 1) % all.length] as Preferences[Name]);
	}
}

function storage(): Storage | undefined {
	try {
		return localStorage;
	} catch {
		return undefined;
	}
}

/** What is stored. A value of another release, or one that somebody wrote by hand, may be anything. */
function load(): Preferences {
	const stored = Object.entries(initial).map(([name, fallback]) => {
		try {
			const value: unknown = JSON.parse(storage()?.getItem(prefix + name) ?? "");
			const allowed = (choices as Readonly<Record<string, readonly unknown[]>>)[name];
			const fits = allowed ? allowed.includes(value) : typeof value === typeof fallback;
			return [name, fits ? value : fallback];
		} catch {
			return [name, fallback];
		}
	});
	return Object.fromEntries(stored) as Preferences;
}

export const prefs = new Store();

/** Renders an element whenever a preference changes. */
export function followPrefs(host: ReactiveControllerHost): void {
	listening(host, "change", () => host.requestUpdate(), prefs);
}
