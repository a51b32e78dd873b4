// What the pages do not need of Lit, and is taken out of it when they are built. Lit comes minified: a newer one has
// other names, and then what is not found any more is said by its name (see vite.config.ts and npm test).

/**
 * Each entry has a name, the file that it is about, why nobody misses what it takes out, and what that is: pairs of
 * a pattern and of what stands there instead, nothing if it is not said.
 */
export const omissions = [
	{
		name: "older browsers' stylesheets",
		file: "css-tag",
		why: "all browsers that know what our stylesheets say (cssTarget) have constructable ones",
		cuts: [[/(?<=,e=)t\.ShadowRoot&&.*?(?=,)/, "!0"]],
	},
	{
		name: "the guard of stylesheets",
		file: "css-tag",
		why: "all of them are made by slim, which calls unsafeCSS",
		cuts: [[/if\(this\._\$cssResult\$=!0,.*?\);/]],
	},
	{
		name: "polyfills of templates",
		file: "lit-html",
		why: "there are none",
		cuts: [["B?.(S,k)", "0"]],
	},
	{
		name: "polyfills of properties",
		file: "reactive-element",
		why: "there are none",
		cuts: [["p?.({ReactiveElement:y})", "0"]],
	},
	{
		name: "polyfills of elements, and pages drawn by a server",
		file: "lit-element",
		why: "there are none",
		cuts: [
			["s.litElementHydrateSupport?.({LitElement:i})", "0"],
			["o?.({LitElement:i})", "0"],
		],
	},
	...["lit-html", "lit-element", "reactive-element"].map((file) => ({
		name: `the version of ${file}`,
		file,
		why: "it is left at the window for others, and nobody looks for it there",
		cuts: [[/,?\(\w\.\w+Versions\?\?=\[\]\)\.push\("[\d.]+"\)/]],
	})),
	{
		name: "initializers of decorators",
		file: "reactive-element",
		why: "no class has decorators",
		cuts: [
			[/static addInitializer\(.*?\}/],
			[",void 0!==t.l&&(this.l=[...t.l])"],
			[",this.constructor.l?.forEach(t=>t(this))"],
		],
	},
	{
		name: "metadata of decorators",
		file: "reactive-element",
		why: "no class has decorators",
		cuts: [[/Symbol\.metadata\?.*?;/], [/const t=this\[Symbol\.metadata\];if\(null!==t\)\{.*?\}/]],
	},
	{
		name: "accessors of one's own",
		file: "reactive-element",
		why: "no class has a property with get or set of its own, which it would have to call",
		cuts: [
			[",this.prototype.hasOwnProperty(t)&&((s=Object.create(s)).wrapped=!0)"],
			[",wrapped:h"],
			[",!0!==h||void 0!==r)||(", ")||("],
			[/const t=this\.constructor\.elementProperties;if\(t\.size.*?i,e\)\}/],
		],
	},
	{
		name: "defaults that attributes go back to",
		file: "reactive-element",
		why: "no property says useDefault",
		cuts: [
			["useDefault:!1,"],
			["useDefault:i,"],
			[/\|\|i\.useDefault&&.*?\(t,i\)\)/],
			["??this._$Ej?.get(e)??r"],
			[/i&&!\(this\._\$Ej.*?\|\|(?=\()/],
			["||i||(s=void 0)", "||(s=void 0)"],
		],
	},
	{
		name: "templates of MathML, and the words of an error",
		file: "lit-html",
		why: "no template is of formulas, and none is made by hand",
		cuts: [['3===i?"<math>":'], ['3===i?"</math>":'], [/"invalid template.*?"/]],
	},
	{
		name: "whether to draw at all, and when that is done",
		file: "reactive-element",
		why: "no element asks",
		cuts: [
			[/(?<=t=)this\.shouldUpdate\(s\),t\?\((.*?\(s\))\):this\._\$EM\(\)(?=\})/, "!0,$1"],
			[
				"return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(t){return!0}",
				"return this._$ES}",
			],
		],
	},
	{
		name: "properties that have a symbol for a name",
		file: "reactive-element",
		why: "there are none",
		cuts: [["getOwnPropertySymbols:o,"], [",...o(t)"]],
	},
	{
		name: "attributes that are numbers, objects and lists",
		file: "reactive-element",
		why: "slim takes numbers out, for nobody writes such an attribute, and of the others there are none",
		cuts: [
			[/case Number:.*?break;/],
			[/case Object:case Array:t=null==t.*?stringify\(t\)/],
			[/case Object:case Array:try\{.*?\}catch\(t\)\{i=null\}/],
		],
	},
	{
		name: "converters of one's own",
		file: "reactive-element",
		why: "no property has one",
		cuts: [
			["(void 0!==i.converter?.toAttribute?i.converter:u)", "u"],
			[/"function"==typeof t\.converter.*?\.converter:u/, "u"],
		],
	},
];

/** A file of Lit without what is taken out of it. What is not in it any more is an error that names the entry. */
export function without(file, code, all = omissions) {
	for (const { name, cuts } of all.filter((omission) => omission.file === file)) {
		for (const [pattern, instead = ""] of cuts) {
			const left = code.replace(pattern, instead);
			if (left === code)
				throw new Error(
					`${file}.js of Lit has no ${pattern} any more: mend “${name}” in scripts/lit-omissions.mjs, or take it out`,
				);
			code = left;
		}
	}
	return code;
}
