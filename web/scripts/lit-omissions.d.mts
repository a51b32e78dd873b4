export interface Omission {
	readonly name: string;
	readonly file: string;
	readonly why: string;
	readonly cuts: readonly (readonly [pattern: string | RegExp, instead?: string])[];
}

export const omissions: readonly Omission[];
export function without(file: string, code: string, all?: readonly Omission[]): string;
