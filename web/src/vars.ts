import { noChange } from "lit";
import { Directive, directive, type ElementPart } from "lit/directive.js";

/**
 * Sets custom properties of an element: `<td ${vars({ "--from": 0.25 })}>`. It goes through the CSSOM,
 * which the policy allows, while a style attribute is refused. The names stay the same from render to render.
 */
class Vars extends Directive {
	readonly #set = new Map<string, number | string>();

	override render(_properties: Readonly<Record<`--${string}`, number | string>>): unknown {
		return noChange;
	}

	override update(part: ElementPart, [properties]: Parameters<this["render"]>): unknown {
		const { style } = part.element as HTMLElement;
		for (const [name, value] of Object.entries(properties)) {
			if (this.#set.get(name) === value) continue;
			this.#set.set(name, value);
			style.setProperty(name, String(value));
		}
		return noChange;
	}
}

export const vars = directive(Vars);
