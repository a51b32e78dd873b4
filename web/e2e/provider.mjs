// An OpenID provider, as a process of its own. It prints its issuer and, once it
// has read where to send browsers back to, a line of its standard input, answers.
// Whoever signs in is who they say, with any password.
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const people = {
	ada: { name: "Ada Lovelace", email: "ada@example.com", groups: ["developers"] },
	eve: { name: "Eve", email: "eve@example.com", groups: ["visitors"] },
};

const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(issuer);
const [redirect] = await once(createInterface({ input: process.stdin }), "line");

const provider = new Provider(issuer, {
	clients: [
		{
			client_id: "stepcast",
			client_secret: process.env.CLIENT_SECRET,
			redirect_uris: [redirect],
			grant_types: ["authorization_code"],
			response_types: ["code"],
		},
	],
	// Which of these are in the ID token the standard leaves open: here none, as is the default.
	claims: { openid: ["sub"], profile: ["name"], email: ["email"], groups: ["groups"] },
	findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
	pkce: { required: () => true },
});
server.on("request", provider.callback());
console.log("ready");
