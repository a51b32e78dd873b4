import {
	createServer,
	type Server as HttpServer,
	type IncomingMessage,
	request,
	type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";

/**
 * What a relay does with a request: passes it on, leaves it without an answer, answers with a status or a
 * page, or passes it on and keeps the server's answer until it is told to go on.
 */
export type Answer =
	| "pass"
	| "silence"
	| number
	| { readonly page: string }
	| { readonly late: (goOn: () => void) => void };

/** A stream that is open through the relay. */
interface OpenStream {
	readonly path: string;
	readonly response: ServerResponse;
	/** Whether what the server says is kept from the page. */
	silent: boolean;
}

/**
 * Stands between the browser and a real server, as the proxies of this world do on their bad days.
 * It is also where connections can be counted.
 */
export class Relay {
	readonly #server: HttpServer;
	readonly #open = new Set<OpenStream>();
	/** The browser's connections that are open. */
	readonly #sockets = new Set<Socket>();
	/** Those that nothing gets through any more. */
	readonly #dead = new WeakSet<Socket>();
	/** What waits for the network to come back; undefined while there is one. */
	#held: (() => void)[] | undefined;
	/** When anything was passed on to the browser on a stream. */
	readonly #heard: number[] = [];
	/** Whether streams that are opened now have a head, and nothing after it but what `say` says. */
	headOnly = false;
	/** Decides what becomes of each request, by its address. */
	answer: (path: string) => Answer = () => "pass";
	/** Requests for streams, in order: address and Last-Event-ID. */
	readonly asked: { readonly path: string; readonly after: string | undefined }[] = [];
	/** Requests for anything, in order. */
	readonly paths: string[] = [];
	/** What the server has answered, in order. */
	readonly answered: { readonly path: string; readonly status: number | undefined }[] = [];
	url = "";

	constructor(upstream: () => string) {
		this.#server = createServer((incoming, response) => {
			this.#pass(() => this.#handle(upstream(), incoming, response));
		});
		// As long as the server does.
		this.#server.keepAliveTimeout = 120_000;
		this.#server.on("connection", (socket) => {
			this.#sockets.add(socket);
			socket.on("close", () => this.#sockets.delete(socket));
		});
	}

	async start(): Promise<this> {
		await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
		this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
		return this;
	}

	/** The addresses of the streams that are open now. */
	get streams(): readonly string[] {
		return [...this.#open].map(({ path }) => path);
	}

	/** Breaks all streams that are open. */
	cut(): void {
		for (const { response } of this.#open) response.destroy();
	}

	/** Keeps all that comes from the page, on the streams that are open, without closing them. */
	hush(): void {
		for (const stream of this.#open) stream.silent = true;
	}

	/**
	 * Leaves the streams that are open dead, and so many idle connections, and closes none of them; the others
	 * are closed. New ones work, as behind a router that reaches the world by another way now.
	 */
	strand(idle: number): void {
		this.hush();
		const streams = new Set([...this.#open].map(({ response }) => response.socket));
		for (const socket of this.#sockets) {
			if (streams.has(socket) || idle-- > 0) this.#dead.add(socket.setTimeout(0));
			else socket.destroy();
		}
	}

	/** Lets nothing through in either direction, and closes nothing, as a network that loses every packet. */
	hold(): void {
		this.#held ??= [];
	}

	/** What was held back arrives, as TCP has it: in order, and without a byte missing. */
	release(): void {
		const held = this.#held ?? [];
		this.#held = undefined;
		for (const go of held) go();
	}

	/** Does it now, or when the network is back. */
	#pass(go: () => void): void {
		if (this.#held) this.#held.push(go);
		else go();
	}

	/** When the browser was told nothing on any stream for longer than that, in milliseconds since 1970. */
	silences(longer: number): readonly (readonly [from: number, to: number])[] {
		const heard = [...this.#heard, Date.now()];
		return heard.flatMap((to, i) => {
			const from = heard[i - 1] ?? to;
			return to - from > longer ? [[from, to] as const] : [];
		});
	}

	/** Says something on the server's behalf, and then lets the stream go on, or ends it. */
	say(frames: string, end: boolean): void {
		for (const { response } of this.#open) {
			response.write(frames);
			if (end) response.end();
		}
	}

	close(): void {
		this.#server.closeAllConnections();
		this.#server.close();
	}

	#handle(upstream: string, incoming: IncomingMessage, response: ServerResponse): void {
		const path = incoming.url ?? "";
		const streams = path.startsWith("/api/v1/streams");
		const last = incoming.headers["last-event-id"];
		if (streams) this.asked.push({ path, after: last === undefined ? undefined : String(last) });
		this.paths.push(path);
		if (this.#dead.has(incoming.socket)) return;
		const answer = this.answer(path);
		if (answer === "silence") return;
		if (typeof answer === "object" && "page" in answer) {
			response.writeHead(200, { "Content-Type": "text/html" }).end(answer.page);
			return;
		}
		if (typeof answer === "number") {
			// For any origin, so that the browser does not complain of the address, in which a token may be.
			response.writeHead(answer, { "Access-Control-Allow-Origin": "*" }).end();
			return;
		}
		const outgoing = request(
			upstream + path,
			{ method: incoming.method ?? "GET", headers: incoming.headers, agent: false },
			(got) => {
				this.answered.push({ path, status: got.statusCode });
				const { connection: _hop, "transfer-encoding": _coding, ...headers } = got.headers;
				if (typeof answer === "object") {
					answer.late(() => got.pipe(response.writeHead(got.statusCode ?? 502, headers)));
					return;
				}
				response.writeHead(got.statusCode ?? 502, headers);
				if (!streams) {
					got.pipe(response);
					return;
				}
				const stream: OpenStream = { path, response, silent: this.headOnly };
				this.#open.add(stream);
				got.on("data", (piece) => {
					if (stream.silent) return;
					this.#pass(() => {
						if (response.destroyed) return;
						this.#heard.push(Date.now());
						response.write(piece);
					});
				});
				got.on("close", () => {
					if (stream.silent) return;
					this.#pass(() => (got.complete ? response.end() : response.destroy()));
				});
				response.on("close", () => this.#open.delete(stream));
			},
		);
		outgoing.on("error", () => {
			if (!response.headersSent) response.writeHead(502);
			response.end();
		});
		response.on("close", () => outgoing.destroy());
		incoming.pipe(outgoing);
	}
}
