import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Somebody's page, on another origin than the server, and of another site: its host has another name. */
export class Site {
	/** What stands in the body. */
	body = "";
	/** The page's Content-Security-Policy. */
	policy = "default-src 'none'";
	/** A script of the page's own, at /site.js. */
	script = "";
	headers: Record<string, string> = {};
	url = "";
	readonly #http: Server;

	constructor() {
		this.#http = createServer(({ url }, response) => {
			if (url === "/site.js") {
				response.writeHead(200, { "Content-Type": "text/javascript" }).end(this.script);
				return;
			}
			response.writeHead(200, {
				"Content-Type": "text/html; charset=utf-8",
				"Content-Security-Policy": this.policy,
				...this.headers,
			});
			response.end(`<!doctype html><title>Portal</title>${this.body}`);
		});
	}

	async start(): Promise<this> {
		await new Promise<void>((resolve) => this.#http.listen(0, "127.0.0.1", resolve));
		this.url = `http://localhost:${(this.#http.address() as AddressInfo).port}`;
		return this;
	}

	close(): void {
		this.#http.closeAllConnections();
		this.#http.close();
	}
}
