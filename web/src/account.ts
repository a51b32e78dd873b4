import { html, nothing } from "lit";
import type { Connection } from "./connection.ts";
import { clockOrDay } from "./format.ts";

/**
 * What the server has written into the document for whoever loaded it: what one can do about who one is,
 * "Sign in" or "Sign out", where that can be done at all; the number of the session, if there is one; and
 * what the page does without, because it would be refused: "start", how to report the first build,
 * "logs", the text of this build, "share", links to it, "others", what else there is of its project.
 */
export const {
	account,
	session,
	without = "",
} = document.querySelector<HTMLElement>("stepcast-app")?.dataset ?? ({} as DOMStringMap);

/** Whether the visitor came by a link to this build, and may see no other of the project. */
export const alone = without.includes("others");

/** The way there, for whoever was refused something, and is nobody, or not any more who they were. */
export const signIn = (connection: Connection) =>
	connection.name === "refused" && (account === "Sign in" || connection.status === 401)
		? html`<a href="/sign-in">Sign in</a>`
		: undefined;

/** Behind a sentence that says what is not there. */
export const maybeSignIn =
	account === "Sign in"
		? html` You may have to <a href="/sign-in">sign in</a>.`
		: account && " Whoever runs this server can give you a role.";

/** What is said to whoever sees nothing where there may be something. */
export const noneToSee = html`There is no build here that you may see.${maybeSignIn}`;

/** What a refusal means to whoever looks at something: a heading, and a sentence. */
export function refusal(status: number, what: string): [heading: string, sentence: string] {
	return status === 401
		? ["Not signed in", `Sign in to see this ${what}.`]
		: ["Not available", `The server refused this ${what} (HTTP status ${status}).`];
}

/**
 * What is said above something that was seen until the server refused it: it stays, and is news no more. Of
 * a build nobody is told whether it is gone.
 */
export function accessEnded(connection: Connection, asOf: number, build = false) {
	return connection.name === "refused"
		? html`<p role="alert" class="over">
				${build && connection.status === 404 ? ["The build is gone", account && ", or not for you to see any more"] : "Your access has ended"}: this is as of ${clockOrDay(asOf, Date.now())}.
				${signIn(connection) ?? maybeSignIn}
			</p>`
		: nothing;
}
