import { html, nothing } from "lit";

// What the server has written into the document about who has loaded it.
const app = document.querySelector("stepcast-app");

/** What one can do about who one is, "Sign in" or "Sign out"; nothing where there is no sign-in. */
export const account = app?.getAttribute("account");

/** The number of the session; nothing without one. */
export const session = app?.getAttribute("session");

/** A link to where one signs in, behind a sentence that says what may not be seen. */
export const signIn = account ? html` <a href="/sign-in">Sign in</a>` : nothing;

/** What a refusal means to whoever looks at something: a heading, and a sentence. */
export function refusal(status: number, what: string): [heading: string, sentence: string] {
	return status === 401
		? ["Not signed in", `Sign in to see this ${what}.`]
		: ["Not available", `The server refused this ${what} (HTTP status ${status}).`];
}
