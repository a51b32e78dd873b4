import type { ReactiveController, ReactiveControllerHost } from "lit";
import { prefs } from "./prefs.ts";

/** What a key does while its element is on the page. */
export interface Key {
	/**
	 * Names of keys, any of which will do, as in KeyboardEvent.key: "/", "n", "G", "Enter". "g g" is one
	 * after the other. "Mod+k" is k with Ctrl, or with Command on a Mac; only such ones work in a field,
	 * and when single keys are switched off.
	 */
	readonly keys: readonly string[];
	/** What it does, as an imperative: "Go to the next error". */
	readonly help: string;
	/** Whether it does something now; always, without it. Else the key is the browser's. */
	readonly when?: () => boolean;
	readonly run: (event: KeyboardEvent) => void;
}

/** How long the first of two keys is remembered, in milliseconds. */
const patience = 1_000;

const registered = new Set<Keys>();
const modals = new Set<HTMLDialogElement>();
let first = "";
let forget: ReturnType<typeof setTimeout> | undefined;

/**
 * Gives an element keys for as long as it is connected. A key belongs to whoever registered it last.
 * Single keys mean nothing while focus is in a field or a modal dialog is open, nor with a modifier
 * other than Shift, and can be switched off (WCAG 2.1.4).
 */
export class Keys implements ReactiveController {
	readonly group: string;
	readonly keys: readonly Key[];

	/** The group is the heading of its keys in the help. */
	constructor(host: ReactiveControllerHost & HTMLElement, group: string, keys: readonly Key[]) {
		this.group = group;
		this.keys = keys;
		host.addController(this);
	}

	hostConnected(): void {
		if (registered.size === 0) addEventListener("keydown", pressed);
		registered.add(this);
	}

	hostDisconnected(): void {
		registered.delete(this);
		if (registered.size === 0) removeEventListener("keydown", pressed);
	}
}

/** All keys of the page, by group, in the order in which they were registered. */
export function groups(): ReadonlyMap<string, readonly Key[]> {
	const all = new Map<string, readonly Key[]>();
	for (const { group, keys } of registered) all.set(group, [...(all.get(group) ?? []), ...keys]);
	return all;
}

/** Opens a dialog above the page, whose keys rest until it is closed. */
export function showModal(dialog: HTMLDialogElement): void {
	modals.add(dialog);
	dialog.showModal();
}

function pressed(event: KeyboardEvent): void {
	if (event.defaultPrevented || event.isComposing || modalOpen()) return;
	const name = named(event);
	const target = event.composedPath()[0];
	if (name === "" || (!name.startsWith("Mod+") && !single(name, target))) return;
	const key = find(`${first} ${name}`) ?? find(name);
	clearTimeout(forget);
	first = "";
	if (key) {
		event.preventDefault();
		key.run(event);
	} else if (find(`${name} `, true)) {
		first = name;
		forget = setTimeout(() => {
			first = "";
		}, patience);
	}
}

function modalOpen(): boolean {
	for (const dialog of modals) if (!dialog.open || !dialog.isConnected) modals.delete(dialog);
	return modals.size > 0;
}

/** The key's name in Key.keys, or "" for one that belongs to the browser or the system. */
function named(event: KeyboardEvent): string {
	const { key, ctrlKey, metaKey, altKey } = event;
	// Some keyboards have [ or : on a third level: AltGr, which Windows reports as Ctrl and Alt, or Option.
	const level = event.getModifierState("AltGraph") || (altKey && /^[^\p{L}\p{N}\s]$/u.test(key));
	if (level && !metaKey) return key;
	if (altKey) return "";
	return ctrlKey || metaKey ? `Mod+${key.toLowerCase()}` : key;
}

/** Whether a single key may mean something where it was pressed. */
function single(name: string, target: EventTarget | undefined): boolean {
	if (!prefs.get("keys")) return false;
	if (!(target instanceof HTMLElement)) return true;
	if (target.isContentEditable || target.matches("textarea, select")) return false;
	if (target instanceof HTMLInputElement && !target.matches("[type=checkbox], [type=button]")) {
		return false;
	}
	// What has the focus and can be pressed or opened, is.
	return (
		!["Enter", " "].includes(name) || !target.matches("a, button, summary, input, [role=button]")
	);
}

function find(name: string, prefix = false): Key | undefined {
	for (const { keys } of [...registered].reverse()) {
		const key = keys.find(
			(one) =>
				one.keys.some((known) => (prefix ? known.startsWith(name) : known === name)) &&
				(one.when?.() ?? true),
		);
		if (key) return key;
	}
	return undefined;
}
