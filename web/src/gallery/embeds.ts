import type { Choice, Format, Framed } from "./choice.ts";

/** What stands in a snippet where a status token belongs. No token itself is ever put into one. */
export const tokenPlace = "STATUS_TOKEN";

/** Where the embeds come from, and what of. */
export interface Source {
	/** "https://stepcast.example.com": this server. */
	readonly origin: string;
	readonly choice: Choice;
	/** Whether strangers need a token to see the project. */
	readonly secret: boolean;
	/** Whether there are private projects beside it, which its board shows to whom may see them. */
	readonly hidden: boolean;
}

/** A text to copy, and what has to be true for it to work. */
export interface Snippet {
	readonly text: string;
	readonly about?: string;
}

/** One way to show a project's status elsewhere. */
export interface Embed {
	readonly id: string;
	readonly title: string;
	readonly about: string;
	/** To be copied; an embed that is only an address has the same in every format. */
	readonly snippets: Readonly<Record<Format, Snippet>> | Snippet;
	/** What a page with a Content-Security-Policy has to allow: directives and their sources. */
	readonly policy: Policy;
}

export type Policy = Readonly<Record<string, readonly string[]>>;

/** All of them, in the order of the gallery. */
export function embeds(source: Source): readonly Embed[] {
	return [badge, shields, status, board, steps, log, frame, cctray, oembed, atom].map((make) =>
		make(source),
	);
}

function badge(source: Source): Embed {
	const { origin, choice } = source;
	return {
		id: "badge",
		title: "Badge",
		about: "A picture for READMEs: the newest build of the branch, running ones included.",
		snippets: picture(origin + badgePath(source), origin + target(choice), words(choice)),
		policy: { "img-src": [origin] },
	};
}

function shields(source: Source): Embed {
	const { origin, choice } = source;
	const endpoint = address(source, `/shields/${encoded(choice.project)}.json`, { branch });
	const of = picture(
		`https://img.shields.io/endpoint?url=${encoded(endpoint)}`,
		origin + target(choice),
		words(choice),
	);
	const about = "shields.io asks this server, so that it must be able to reach it.";
	return {
		id: "shields",
		title: "Shields.io",
		about: "The same by shields.io, to look like the badges beside it.",
		snippets: {
			html: { ...of.html, about },
			markdown: { ...of.markdown, about },
			asciidoc: { ...of.asciidoc, about },
		},
		policy: { "img-src": ["https://img.shields.io"] },
	};
}

const status = (source: Source): Embed =>
	element(source, {
		title: "Status",
		name: "stepcast-status",
		about: "One line, live: status, progress, and a link to the build.",
		attributes: { project, branch },
	});

const board = (source: Source): Embed =>
	element(source, {
		title: "Board",
		name: "stepcast-board",
		about: `A small wallboard, live: the newest build of each project and branch.${elsewhere(source)}`,
		attributes: { projects: ({ project }) => around(project), branches },
		link: [
			`Builds of ${around(source.choice.project)}`,
			`/wall?project=${encoded(around(source.choice.project))}${ofBranch(branches(source.choice))}`,
		],
	});

/** What a board shows on other pages, where here it may show more. */
function elsewhere({ choice, secret, hidden }: Source): string {
	if (!hidden) return "";
	const more = secret ? ", and what its token may see" : "";
	return ` On another page it shows the public projects of ${around(choice.project)}${more}: you may see more here.`;
}

/** The branch, where a list of names with blanks between them can have it. */
export function branches({ branch }: Choice): string {
	return /\s/.test(branch) ? "" : branch;
}

const steps = (source: Source): Embed =>
	element(source, {
		title: "Steps",
		name: "stepcast-steps",
		about: "The steps of a build, live, one below the other and over time.",
		attributes: ofBuild,
	});

const log = (source: Source): Embed =>
	element(source, {
		title: "Log",
		name: "stepcast-log",
		about: source.secret
			? "The end of a log, live. Log text is shown of public projects only: no status token gives it."
			: "The end of a step’s log, live.",
		attributes: { ...ofBuild, step: ({ step }) => step, lines: () => "20" },
	});

function frame(source: Source): Embed {
	const { origin, choice } = source;
	const of = choice.frame;
	const src = escaped(origin + framePath(source));
	const title = escaped(of === "board" ? `Builds of ${around(choice.project)}` : words(choice));
	const width = choice.width === 0 ? "100%" : choice.width;
	return {
		id: "iframe",
		title: "Frame",
		about: `The same for pages that take no scripts. The second line, which may be left out, sets its height.${of === "board" ? elsewhere(source) : ""}`,
		snippets: markup(
			`<iframe src="${src}" title="${title}" width="${width}" height="${heights[of]}" frameborder="0" loading="lazy"></iframe>
<script async src="${origin}/embed.js"></script>`,
		),
		policy: { "frame-src": [origin], "script-src": [origin] },
	};
}

function cctray(source: Source): Embed {
	return {
		id: "cctray",
		title: "CCTray",
		about: "For CCMenu, Nevergreen, build lights, and whatever else reads cc.xml.",
		snippets: { text: address(source, "/cc.xml", { project, branch }) },
		policy: {},
	};
}

function oembed({ origin, choice, secret }: Source): Embed {
	const page = origin + target(choice);
	const token = `${page.includes("?") ? "&" : "?"}token=${tokenPlace}`;
	return {
		id: "oembed",
		title: "oEmbed",
		about: "Wikis and blogs that know oEmbed make a frame of this address by themselves.",
		snippets: { text: secret ? page + token : page },
		policy: { "frame-src": [origin] },
	};
}

function atom(source: Source): Embed {
	const { choice } = source;
	const feed = address(source, "/builds.atom", { project, branch });
	const title = `Builds of ${choice.project}`;
	return {
		id: "atom",
		title: "Atom feed",
		about: "The builds that have ended, for feed readers and chat rooms.",
		snippets: {
			html: {
				text: `<link rel="alternate" type="application/atom+xml" title="${escaped(title)}" href="${escaped(feed)}">`,
				about: "Belongs into the page’s head.",
			},
			markdown: { text: `[${literal(title)}](${feed})` },
			asciidoc: { text: `link:${feed}["${referenced(title)}"]` },
		},
		policy: {},
	};
}

/** The words of a choice that attributes and addresses take. */
type Of = (choice: Choice) => string;
const project: Of = ({ project }) => project;
const branch: Of = ({ branch }) => branch;
const theme: Of = ({ theme }) => (theme === "auto" ? "" : theme);

/** A build by its id, or the newest of a project and branch. */
const ofBuild: Readonly<Record<string, Of>> = {
	build: ({ build }) => build,
	project: ({ build, project }) => (build === "" ? project : ""),
	branch: ({ build, branch }) => (build === "" ? branch : ""),
};

/** An element of widgets.js, with a link for whom has no JavaScript. */
function element(
	{ origin, choice, secret }: Source,
	of: Pick<Embed, "title" | "about"> & {
		readonly name: string;
		readonly attributes: Readonly<Record<string, Of>>;
		/** What its link says, and where it leads; without it, to the builds that it is about. */
		readonly link?: readonly [words: string, path: string];
	},
): Embed {
	const given = Object.entries({ ...of.attributes, theme, token: () => (secret ? tokenPlace : "") })
		.map(([name, value]) => [name, value(choice)] as const)
		.filter(([, value]) => value !== "")
		.map(([name, value]) => ` ${name}="${escaped(value)}"`)
		.join("");
	const [said, leads] = of.link ?? [words(choice), target(choice)];
	const link = `<a href="${escaped(origin + leads)}">${escaped(said)}</a>`;
	return {
		id: of.name.replace("stepcast-", ""),
		title: of.title,
		about: of.about,
		snippets: markup(
			`<script async src="${origin}/widgets.js"></script>
<${of.name}${given}>${link}</${of.name}>`,
		),
		policy: { "script-src": [origin], "connect-src": [origin], "trusted-types": ["stepcast"] },
	};
}

/** Where whoever clicks on an embed gets to: its build, or the list of the builds it is about. */
export function target({ project, branch, build }: Choice): string {
	if (build !== "") return `/builds/${encoded(build).replaceAll("/", "%2F")}`;
	return `/?project=${encoded(project)}${ofBranch(branch)}`;
}

/** The branch, in an address that names the project already; empty for any. */
function ofBranch(branch: string): string {
	return branch === "" ? "" : `&branch=${encoded(branch)}`;
}

/** The address of the badge on this server. */
export function badgePath(source: Source): string {
	return path(source, `/badge/${encoded(source.choice.project)}.svg`, { branch });
}

/** The address of the frame on this server. */
export function framePath(source: Source, of: Framed = source.choice.frame): string {
	const { choice } = source;
	switch (of) {
		case "status":
			return path(source, `/embed/status/${encoded(choice.project)}`, { branch, theme });
		case "board":
			return path(source, "/embed/board", {
				project: () => around(choice.project),
				branch: branches,
				theme,
			});
		case "steps":
			return choice.build === ""
				? path(source, "/embed/steps", { project, branch, theme })
				: path(source, `/embed/steps/${encoded(choice.build)}`, { theme });
		case "log": {
			const lines = () => "20";
			const { step } = choice;
			if (choice.build === "" || step === "") {
				return path(source, "/embed/log", { ...ofBuild, step: () => step, lines, theme });
			}
			return path(source, `/embed/log/${encoded(choice.build)}/${encoded(step)}`, {
				lines,
				theme,
			});
		}
	}
}

/** How high a frame is until it says so itself, in pixels. */
export const heights: Readonly<Record<Framed, number>> = {
	status: 48,
	board: 240,
	steps: 320,
	log: 440,
};

function path(
	{ choice, secret }: Source,
	start: string,
	words: Readonly<Record<string, Of>>,
): string {
	const all: Readonly<Record<string, Of>> = { ...words, token: () => (secret ? tokenPlace : "") };
	const query = Object.entries(all)
		.map(([name, of]) => [name, of(choice)] as const)
		.filter(([, word]) => word !== "")
		.map(([name, word]) => `${name}=${encoded(word)}`)
		.join("&");
	return query === "" ? start : `${start}?${query}`;
}

function address(source: Source, start: string, words: Readonly<Record<string, Of>>): string {
	return source.origin + path(source, start, words);
}

/** All projects beside a project: acme/* for acme/api. */
export function around(project: string): string {
	const cut = project.lastIndexOf("/");
	return cut < 0 ? project : `${project.slice(0, cut)}/*`;
}

/** Whether a name is that of another project beside it. */
export function beside(name: string, project: string): boolean {
	const all = around(project);
	return name !== project && all.endsWith("*") && name.startsWith(all.slice(0, -1));
}

/** What an embed is about, in words. */
function words({ project, branch }: Choice): string {
	return `${project}${branch === "" ? "" : ` on ${branch}`}: build status`;
}

/** A picture that is a link. */
function picture(src: string, href: string, alt: string): Readonly<Record<Format, Snippet>> {
	return {
		html: {
			text: `<a href="${escaped(href)}"><img src="${escaped(src)}" alt="${escaped(alt)}"></a>`,
		},
		markdown: { text: `[![${literal(alt)}](${src})](${href})` },
		asciidoc: {
			text: `image:${src}["${referenced(alt)}", link="${href}"]`,
		},
	};
}

/** Markup in the formats that may carry some. */
function markup(text: string): Readonly<Record<Format, Snippet>> {
	return {
		html: { text },
		markdown: {
			text,
			about:
				"Where Markdown may hold HTML, as in most site generators. GitHub and GitLab take it out: use the badge there.",
		},
		asciidoc: {
			text: `++++\n${text}\n++++`,
			about:
				"Where passthrough blocks are allowed, as in Antora. GitHub and GitLab take them out: use the badge there.",
		},
	};
}

/**
 * As an attribute's value or as words in HTML, which may stand in Markdown too: that can make no link of
 * it, nor code. A star stays, as in a pattern of projects.
 */
function escaped(text: string): string {
	const entities: Readonly<Record<string, string>> = {
		"&": "&amp;",
		"<": "&lt;",
		">": "&gt;",
		'"': "&quot;",
	};
	return text.replace(/[&<>"[\]\\`\p{Cc}]/gu, (letter) => entities[letter] ?? reference(letter));
}

/** As words in Markdown. */
function literal(text: string): string {
	return text.replace(/[\\[\]<>`*_]/g, "\\$&").replace(/\p{Cc}/gu, reference);
}

function reference(letter: string): string {
	return `&#${letter.codePointAt(0)};`;
}

/** As words in AsciiDoc, which takes what is no letter or digit for its own unless it is a reference. */
function referenced(text: string): string {
	return text.replace(/[^\p{L}\p{N} _./:-]|_(?!\p{L})|(?<!\p{L})_/gu, reference);
}

/** As a part of an address that stands well in Markdown and AsciiDoc too. */
function encoded(text: string): string {
	return encodeURIComponent(text)
		.replaceAll("%2F", "/")
		.replace(/[!'()*]|__/g, (letters) =>
			[...letters].map((letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`).join(""),
		);
}

/** What a policy has to allow for all of these embeds: one line a directive. */
export function policyLines(policies: readonly Policy[]): readonly string[] {
	const all = new Map<string, Set<string>>();
	for (const policy of policies) {
		for (const [directive, sources] of Object.entries(policy)) {
			const known = all.get(directive) ?? new Set();
			for (const source of sources) known.add(source);
			all.set(directive, known);
		}
	}
	return [...all].map(([directive, sources]) => `${directive} ${[...sources].join(" ")};`);
}
