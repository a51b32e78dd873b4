/**
 * The token in the address, as requests have it in theirs: for a wallboard of projects that are not
 * public, on a screen at which nobody signs in. The hub's worker has it in its own address, so that it
 * is not shared with pages that have none.
 */
const token = new URLSearchParams(globalThis.location?.search).get("token");

export const tokenQuery = token ? `&token=${encodeURIComponent(token)}` : "";
