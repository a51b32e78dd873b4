/** How long an answer may take, in milliseconds. */
const timeout = 15_000;

/** Fired at the window when the server has said that something is not there for who asks. */
export const refused = "stepcast-refused";

/** A refusal of the server, in its own sentence, with the HTTP status. */
export class Refusal extends Error {
	readonly status: number;
	/** Whether it may be that access has ended, by the server's own word: what stands before it may say 404 too. */
	readonly gone: boolean;

	constructor(status: number, sentence: string | undefined) {
		super(sentence ?? `The server answered with HTTP status ${status}.`);
		this.status = status;
		this.gone = !!sentence && [401, 403, 404, 410].includes(status);
	}
}

/** What the server answers at a path, as JSON. It throws what reason can tell. */
export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
	const bound = AbortSignal.timeout(timeout);
	const response = await fetch(path, {
		headers: { Accept: "application/json" },
		signal: signal ? AbortSignal.any([signal, bound]) : bound,
	});
	if (response.ok) return (await response.json()) as Answer;
	const problem: unknown = await response.json().catch(() => undefined);
	const refusal = new Refusal(response.status, sentence(problem));
	if (refusal.gone) dispatchEvent(new Event(refused));
	throw refusal;
}

/** Why a request got no answer, in one sentence. */
export function reason(error: unknown): string {
	if (error instanceof Refusal) return error.message;
	if (error instanceof DOMException && error.name === "TimeoutError") {
		return "The server took too long to answer.";
	}
	return "The server could not be reached.";
}

/** The sentence of a problem (RFC 9457). */
function sentence(problem: unknown): string | undefined {
	if (typeof problem !== "object" || problem === null) return undefined;
	const { detail, title } = problem as { detail?: unknown; title?: unknown };
	return [detail, title].find((one) => typeof one === "string" && one !== "") as string | undefined;
}
