import type { ReactiveControllerHost } from "lit";

/** Has an element listen for as long as it is connected; of what: to the window, unless that is said. */
export function listening<E extends Event>(
	host: ReactiveControllerHost,
	type: string,
	act: (event: E) => void,
	target: EventTarget = window,
): void {
	const listener = act as EventListener;
	host.addController({
		hostConnected: () => target.addEventListener(type, listener),
		hostDisconnected: () => target.removeEventListener(type, listener),
	});
}
