import { html, nothing } from "lit";

/**
 * What the server has written into the document for whoever loaded it: what one can do about who one is,
 * "Sign in" or "Sign out", where that can be done at all; and the number of the session, if there is one.
 */
export const { account, session } =
	document.querySelector<HTMLElement>("stepcast-app")?.dataset ?? ({} as DOMStringMap);

/** Behind a sentence that says what is not there. */
export const maybeSignIn = account
	? html` You may have to <a href="/sign-in">sign in</a>.`
	: nothing;

/** What a refusal means to whoever looks at something: a heading, and a sentence. */
export function refusal(status: number, what: string): [heading: string, sentence: string] {
	return status === 401
		? ["Not signed in", `Sign in to see this ${what}.`]
		: ["Not available", `The server refused this ${what} (HTTP status ${status}).`];
}
