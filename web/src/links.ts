import type { Link } from "./ansi.ts";

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

/** The link that an OSC 8 sequence makes of what follows it, to where a click may lead; undefined for any other sequence. */
export function linkOf(sequence: string): Link | undefined {
	const [, address] = hyperlink.exec(sequence) ?? [];
	if (address === undefined) return undefined;
	// Nothing that runs in the page.
	const leads = /^https?:\/\//i.test(address) && URL.canParse(address);
	return { href: leads ? address : "", text: "" };
}

/**
 * Text, with links where an address stands in it, or as a part of the link that it has: unless the text
 * of that is itself an address, and at another host.
 */
export function linked(text: string, of?: Link): (Node | string)[] {
	if (of) {
		const hosts = of.text.match(/(?<=https?:\/\/)[^\s/]+/gi);
		if (hosts?.some((host) => host !== of.href.split("/")[2])) of.href = "";
		of.text = ""; // looked at
		if (of.href) return [link(of.href, text)];
	}
	return text
		.split(address)
		.map((part, i) => (i % 2 && URL.canParse(part) ? link(part, part) : part))
		.filter((part) => part);
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
