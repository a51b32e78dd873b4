/** Sets custom properties of the element in whose tag it stands: what ../vars.ts is to the pages. */
export function vars(properties: Readonly<Record<string, number | string>>) {
	return ({ style }: HTMLElement): void => {
		for (const [name, value] of Object.entries(properties)) style.setProperty(name, String(value));
	};
}
