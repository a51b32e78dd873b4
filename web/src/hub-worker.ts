import { Hub } from "./hub.ts";

const hub = new Hub();

addEventListener("connect", (event) => {
	const [port] = (event as MessageEvent).ports;
	if (port) hub.attach(port);
});
