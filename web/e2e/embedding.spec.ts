import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, type Server, test } from "./stepcast.ts";

/** What docs/embedding.md and the README give to copy, of this server. */
function copied(server: Server, page: string, language: string): string[] {
	const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
	const fences = text.matchAll(/^ *```(\w*)\n(.*?)^ *```/gms);
	return [...fences]
		.filter(([, name]) => name === language)
		.map(([, , code = ""]) => code.replaceAll("https://ci.example", server.url));
}

/** As somebody with the server's first token. */
async function as(server: Server, method: string, path: string, body: unknown) {
	const response = await fetch(server.url + path, {
		method,
		headers: { Authorization: `Bearer ${server.token}`, "Content-Type": "application/json" },
		body: JSON.stringify(body),
	});
	if (!response.ok)
		throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
	return response.json();
}

test("what the documentation gives to copy works on a page of another site, under the policy that it names", async ({
	page,
	server,
}) => {
	const doc = "docs/embedding.md";
	const project = "/api/v1/projects/acme/api";
	const build = await server.build({ project: "acme/api", branch: "main", author: "Ada" });
	await build.step("test", "running");
	await as(server, "PATCH", project, { visibility: "public" });

	let body = "";
	const [rules = ""] = copied(server, doc, "").filter((code) => code.includes("script-src"));
	const policy = `default-src 'none'; style-src 'self'; img-src ${server.url}; frame-src ${server.url}; ${rules}`;
	const site = createServer((request, response) => {
		if (request.url === "/style.css") {
			response.setHeader("Content-Type", "text/css");
			response.end(copied(server, doc, "css").join("\n"));
			return;
		}
		response.setHeader("Content-Type", "text/html");
		response.setHeader("Content-Security-Policy", policy.replace(/\s+/g, " ").trim());
		response.end(
			`<!doctype html><title>A page</title><link rel="stylesheet" href="/style.css">${body}`,
		);
	});
	await new Promise<void>((resolve) => site.listen(0, resolve));
	const show = async (html: string) => {
		body = html;
		await page.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
	};

	const [element = "", frame = "", secret = ""] = copied(server, doc, "html");
	const status = page.locator("stepcast-status");
	await show(element);
	await expect(status).toContainText("running");
	await page.evaluate(copied(server, doc, "js")[0] ?? "");
	await build.finish("test", "failed");
	await expect(status).toContainText("failed");
	await expect(page).toHaveTitle("failed: acme/api");

	await show(frame);
	await expect(page.frameLocator("iframe").locator("stepcast-board")).toContainText("acme/api");

	const [readme = ""] = copied(server, "README.md", "html");
	await show(readme);
	await expect(status).toContainText("failed");
	await expect
		.poll(() => page.locator("img").evaluate((image: HTMLImageElement) => image.naturalWidth))
		.toBeGreaterThan(0);

	// A private project is seen with a token and not without one, and not in a frame.
	await as(server, "PATCH", project, { visibility: "private" });
	const { token } = await as(server, "POST", "/api/v1/tokens", {
		name: "portal",
		scopes: ["status"],
		project: "acme/*",
	});
	await show(secret.replace("stp_…", token));
	await expect(status).toContainText("failed");
	await show(readme);
	await expect(status).toContainText("unknown");
	site.closeAllConnections();
	site.close();
});
