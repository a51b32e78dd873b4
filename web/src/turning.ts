/**
 * A text without the characters that turn what follows them around, so that it reads otherwise than it
 * stands, and is copied as something else: embeddings, overrides, isolates, and marks of right to left
 * (Unicode's UAX #9). Letters that are written from right to left need none of them in what a build says.
 */
export const straight = (text: string): string =>
	text.replace(/[\u061c\u200f\u202a-\u202e\u2066-\u2069]/g, "");

/** The same of all texts in what came as JSON. */
export const straightened = <Data>(data: Data): Data => JSON.parse(straight(JSON.stringify(data)));
