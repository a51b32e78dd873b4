import type { Page } from "@playwright/test";

/**
 * Texts that would do something if anything took them for more than text: markup in every place where
 * a text can stand, other languages of templates, links that run, letters that hide or turn around.
 */
export const texts = [
	"<script>owned()</script>",
	"<img src=x onerror=owned()>",
	'"><svg onload=owned()><!--',
	'\'><iframe srcdoc="<script>parent.owned()</script>">',
	'" autofocus onfocus="owned()" x="',
	"' onmouseover='owned()' x='",
	"` onclick=owned() `",
	"</title></textarea></style></noscript></template></bdi><script>owned()</script>",
	"<svg><animate onbegin=owned() attributeName=x></svg><math><mi xlink:href=javascript:owned()>",
	"<a href=javascript:owned()>x</a><form action=javascript:owned()><button>x",
	"<base href=https://elsewhere.example/><meta http-equiv=refresh content=0;url=//elsewhere.example>",
	"<link rel=stylesheet href=//elsewhere.example/x.css><style>@import '//elsewhere.example/y'</style>",
	"*{background:url(//elsewhere.example/z)}</style>",
	"javascript:owned()",
	"JaVaScRiPt://%0Aowned()",
	"data:text/html,<script>opener.owned()</script>",
	"{{constructor.constructor('owned()')()}}",
	// biome-ignore lint/suspicious/noTemplateCurlyInString: that is the point
	"${owned()} #{owned()} <%= owned() %> {% owned() %} [[owned()]]",
	"<?lit$0$?><!--?lit$1$--><template shadowrootmode=open><script>owned()</script>",
	"';owned();// \\u003cscript\\u003eowned()\\x3c/script>",
	"&lt;script&gt;owned()&lt;/script&gt; &#x3c;b&#x3e; %3Cscript%3Eowned()%3C%2Fscript%3E",
	"<![CDATA[ ]]> --> <!-- <!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]> &y;",
	"\u202egnp.exe\u202c \u2066\u2067\u2068 \u061c",
	"ze\u200bro\u200d\u2060\ufeff wi\u00addth \u{e0041}\u{e0042}",
	`Z${"\u0300\u0336\u0489\u20dd".repeat(25)}algo`,
	"\u2028owned()\u2029",
	"مرحبا #1 שלום (a)",
	"__proto__",
	"constructor",
	"toString",
	"hasOwnProperty",
	"null",
	"[object Object]",
	" ",
];

/** Says when anything was run that came as text. */
export async function trap(page: Page): Promise<void> {
	await page.addInitScript(() => {
		Object.defineProperty(globalThis, "owned", { value: () => console.error("owned") });
	});
}

/** What should not be in a document that only shows texts. */
export function foreign(page: Page): Promise<string[]> {
	return page.evaluate(() => {
		const found: string[] = [];
		const look = (root: Document | ShadowRoot) => {
			for (const element of root.querySelectorAll("*")) {
				const name = element.localName;
				if (["iframe", "object", "embed", "base", "animate", "math", "img"].includes(name)) {
					found.push(`<${name}>`);
				}
				if (name === "script" && !element.getAttribute("src")?.startsWith("/assets/")) {
					found.push("<script>");
				}
				for (const { name: attribute, value } of element.attributes) {
					if (/^on|^style$|^srcdoc$/i.test(attribute) && !element.hasAttribute("style")) {
						found.push(`${name} ${attribute}`);
					}
					if (
						/^(href|src|action|formaction|xlink:href)$/i.test(attribute) &&
						/^\s*(javascript|vbscript|data):/i.test(value) &&
						!(name === "link" && value.startsWith("data:image/svg+xml,"))
					) {
						found.push(`${name} ${attribute}=${value}`);
					}
				}
				if (element.shadowRoot) look(element.shadowRoot);
			}
		};
		look(document);
		return found;
	});
}
