import type { ReactiveControllerHost } from "lit";
import type { Connection } from "./connection.ts";

/** Has an element listen for as long as it is connected; of what: to the window, unless that is said. */
export function listening(
	host: ReactiveControllerHost,
	type: string,
	act: (event: never) => void,
	target: EventTarget = window,
): void {
	const listener = act as EventListener;
	host.addController({
		hostConnected: () => target.addEventListener(type, listener),
		hostDisconnected: () => target.removeEventListener(type, listener),
	});
}

/** Has an element act each time that the server is there again. */
export function returning(host: ReactiveControllerHost, act: () => void): void {
	listening(host, "connection", ({ detail }: CustomEvent<Connection>) => {
		if (/live|finished/.test(detail.name)) act();
	});
}
