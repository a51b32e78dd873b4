import type { ReactiveController, ReactiveControllerHost } from "lit";

const hosts = new Set<ReactiveControllerHost>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Renders its host once a second, all hosts at the same moment, with one timer for the page. */
export class Ticking implements ReactiveController {
	readonly #host: ReactiveControllerHost;
	#connected = false;
	#wanted = true;

	constructor(host: ReactiveControllerHost) {
		this.#host = host;
		host.addController(this);
	}

	/** What stands still needs no ticks. */
	set wanted(wanted: boolean) {
		this.#wanted = wanted;
		this.#apply();
	}

	hostConnected(): void {
		this.#connected = true;
		this.#apply();
	}

	hostDisconnected(): void {
		this.#connected = false;
		this.#apply();
	}

	#apply(): void {
		if (this.#connected && this.#wanted) hosts.add(this.#host);
		else hosts.delete(this.#host);
		if (hosts.size > 0) {
			timer ??= setInterval(() => {
				for (const host of hosts) host.requestUpdate();
			}, 1_000);
		} else {
			clearInterval(timer);
			timer = undefined;
		}
	}
}
