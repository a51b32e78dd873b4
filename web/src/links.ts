/**
 * What makes links of what a log says. Pages have them; a widget does not: on a page of somebody else's
 * a build's output is text, and leads nowhere.
 */

// An address in running text, without the punctuation that follows it in a sentence.
const address = /(https?:\/\/[^\s<>"'`\\\p{Cc}]*[^\s<>"'`\\.,;:!?)\]}\p{Cc}])/u;

// OSC 8 ; parameters ; address: the text up to the next one is a link; an empty address ends it.
// https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const hyperlink = /^\x1b\]8;[^;]*;(.*?)(?:\x07|\x1b\\)$/;

/** The address that an OSC 8 sequence gives to what follows it, if a click may open it; undefined for any other sequence. */
export function addressOf(sequence: string): string | undefined {
	const [, address] = hyperlink.exec(sequence) ?? [];
	if (address === undefined) return undefined;
	// Nothing that runs in the page.
	return /^https?:\/\//i.test(address) && URL.canParse(address) ? address : "";
}

/**
 * Text, with links where an address stands in it, or as one link to the address that it was given: then
 * the host is said before it, for the text may say anything.
 */
export function linked(text: string, href?: string): (Node | string)[] {
	if (href) return [link(href, text)];
	return text
		.split(address)
		.map((part, i) => (i % 2 && URL.canParse(part) ? link(part, part) : part))
		.filter((part) => part);
}

/**
 * Where it leads gets no word of where it was read, and no hold of the page. The host, unless the text
 * begins with it, is shown by the stylesheet, and so no part of the text.
 */
function link(href: string, text: string): HTMLElement {
	const anchor = document.createElement("a");
	anchor.href = href;
	// A click sends nobody's password.
	anchor.username = anchor.password = "";
	anchor.target = "_blank";
	anchor.rel = "noopener noreferrer";
	const [before, after] = text.split(anchor.origin);
	if (before || /^[^/?#]/.test(after ?? "")) anchor.dataset.host = anchor.host;
	anchor.append(text);
	return anchor;
}
