/**
 * What makes links of what a log says. Pages have them; a widget does not: on a page of somebody else's
 * a build's output is text, and leads nowhere.
 */

// An address in running text, without the punctuation that follows it in a sentence.
const address = /https?:\/\/[^\s<>"'`\\\p{Cc}]*[^\s<>"'`\\.,;:!?)\]}\p{Cc}]/gu;

// OSC 8 ; parameters ; address: the text up to the next one is a link; an empty address ends it.
// https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const hyperlink = /^\x1b\]8;[^;]*;(.*?)(?:\x07|\x1b\\)$/;

/** The address that an OSC 8 sequence gives to what follows it, if a click may open it; undefined for any other sequence. */
export function addressOf(sequence: string): string | undefined {
	const [, text] = hyperlink.exec(sequence) ?? [];
	if (text === undefined) return undefined;
	// Nothing that runs in the page.
	return /^https?:\/\//i.test(text) && URL.canParse(text) ? text : "";
}

/** Text, with links where an address stands in it, or as one link to the address that it was given. */
export function linked(text: string, href?: string): (Node | string)[] {
	if (href) return [link(href, text)];
	if (!text.includes("://")) return [text];
	const nodes: (Node | string)[] = [];
	let from = 0;
	for (const match of text.matchAll(address)) {
		if (!URL.canParse(match[0])) continue;
		if (match.index > from) nodes.push(text.slice(from, match.index));
		nodes.push(link(match[0], match[0]));
		from = match.index + match[0].length;
	}
	if (from < text.length) nodes.push(text.slice(from));
	return nodes;
}

/** Where it leads gets no word of where it was read, and no hold of the page. */
function link(href: string, text: string): HTMLElement {
	const anchor = document.createElement("a");
	anchor.href = href;
	anchor.target = "_blank";
	anchor.rel = "noopener noreferrer";
	anchor.append(text);
	return anchor;
}
