import { Hub } from "./hub.ts";

const hub = new Hub();

/** Each page sends a port: by connecting to a worker that pages share, or in a message to its own. */
function join(event: Event): void {
	const [port] = (event as MessageEvent).ports;
	if (port) hub.attach(port);
}

addEventListener("connect", join);
addEventListener("message", join);
