import type { Build, InFeed, Step, StreamEvent } from "./model.ts";

/** What a page wants to follow: the feed, or a build, with the text of one step or none. */
export type Wanted =
	| { readonly log: "feed"; readonly step?: undefined }
	| { readonly log: string; readonly step?: string | undefined };

/**
 * Where a subscriber stands.
 *
 * - waiting: it wants what it has not been told from its beginning: a snapshot has to be asked for.
 * - asked: the snapshot is on its way.
 * - joined: it is told what happens.
 * - behind: it did not take what it was sent, is sent nothing more, and joins anew when it has.
 * - over: nothing more will come, ever.
 */
export type Phase = "waiting" | "asked" | "joined" | "behind" | "over";

/** Characters that are sent to a page before it has taken them. */
export const maxUntaken = 4 << 20;
/** Milliseconds after which a page that takes nothing is behind, once there is more to say. */
export const maxUntakenFor = 15_000;

/** One message to a page, which says so when it has taken it. */
export interface Batch {
	readonly number: number;
	readonly events: readonly StreamEvent[];
}

/**
 * One page's place in the hub: what it is told, in which order, and how much of it at once. Times are
 * in milliseconds since 1970, and given by the caller: there is no clock and no I/O here.
 *
 * A page is told the state first (`whole`, or `snapshot` for the feed), then what happens. Of what
 * happens until the state is here the newest of each build and step is held back: the state may be older
 * than that. It may be newer too, but all that leads from there to the newest has come, or comes. So is
 * the newest piece of text, which says how long the log is; the text before it the page asks for.
 */
export class Subscriber {
	#wanted: Wanted;
	#phase: Phase = "waiting";
	#held = new Map<string, { readonly event: StreamEvent; readonly size: number }>();
	#queue: StreamEvent[] = [];
	#queued = 0;
	#sent: { readonly number: number; readonly size: number; readonly at: number }[] = [];
	#untaken = 0;
	#number = 0;
	#told = false;
	/** The id of the last state that it was told. */
	#known: string | undefined;
	/** Whether it was away since: behind, or without a hub. */
	#away: boolean;

	/** Known is what a page that comes back knows: the id of the last state that it was told. */
	constructor(wanted: Wanted, known?: string) {
		this.#wanted = wanted;
		this.#known = known;
		this.#away = known !== undefined;
	}

	get wanted(): Wanted {
		return this.#wanted;
	}

	get phase(): Phase {
		return this.#phase;
	}

	/** Whether it was told a state, and was not behind since. */
	get told(): boolean {
		return this.#told;
	}

	/** Of one that was away, the cursor after which it may have missed something. */
	get missing(): string | undefined {
		return this.#away ? this.#known : undefined;
	}

	/** Wants another step of the same log. */
	want(wanted: Wanted): void {
		if (wanted.step === this.#wanted.step) return;
		this.#wanted = wanted;
		this.#held.delete("log");
		if (this.#phase === "joined" || this.#phase === "asked") this.#phase = "waiting";
	}

	/** The snapshot was asked for. */
	asked(): void {
		if (this.#phase === "waiting") this.#phase = "asked";
	}

	/** The snapshot could not be had, or is of no use any more. */
	again(): void {
		if (this.#phase === "asked" || this.#phase === "joined") this.#phase = "waiting";
	}

	/** The state arrived. From here on all is told. Forget: what it knew from before it was away is of no use. */
	join(state: StreamEvent, forget: boolean, now: number): void {
		if (this.#phase !== "asked") return;
		if (this.#away && forget) {
			this.#add({ kind: "reset", id: state.id, data: { reason: "missed" } }, 0, now);
		}
		this.#phase = "joined";
		this.#told = true;
		this.#known = state.id;
		this.#away = false;
		const held = [...this.#held.values()];
		this.#held.clear();
		// The state comes once however long it is; else a page with a long one would be behind for ever.
		this.#add(state, 0, now);
		for (const { event, size } of held) this.#add(event, size, now);
	}

	/** An event of its log; size in characters. */
	hear(event: StreamEvent, size: number, now: number): void {
		if (event.kind === "reset") {
			if (this.#phase === "behind" || this.#phase === "over") return;
			this.#held.clear();
			this.again();
			if (this.#known !== undefined) this.#add(event, size, now);
		} else if (this.#phase === "waiting" || this.#phase === "asked") {
			const { kind } = event;
			const newer =
				this.#phase === "asked" && kind === "log" && event.data.step === this.#wanted.step;
			if (newer || kind === "build" || kind === "step") this.#hold(event, size);
		} else if (this.#phase === "joined") {
			const text = event.kind === "log" || event.kind === "note";
			if (text && event.data.step !== this.#wanted.step) return;
			this.#add(event, size, now);
			if (event.kind === "end") this.close();
		}
	}

	/** Nothing more will come; what is queued may still be sent. */
	close(): void {
		this.#phase = "over";
		this.#held.clear();
	}

	/** The next message, with all there is to say, perhaps nothing. Undefined for a page that is behind. */
	batch(now: number): Batch | undefined {
		if (this.#late(now)) this.#cut();
		if (this.#phase === "behind") return undefined;
		const batch = { number: ++this.#number, events: this.#queue };
		this.#sent.push({ number: batch.number, size: this.#queued, at: now });
		this.#queue = [];
		this.#queued = 0;
		return batch;
	}

	/** The page has taken this message and those before it. One that was behind waits to join anew. */
	took(number: number): void {
		while (this.#sent[0] && this.#sent[0].number <= number) {
			this.#untaken -= this.#sent.shift()?.size ?? 0;
		}
		if (this.#phase === "behind" && this.#sent.length === 0) this.#phase = "waiting";
	}

	#hold(event: StreamEvent & { kind: "build" | "step" | "log" }, size: number): void {
		const key = event.kind === "log" ? "log" : heldAs(event.data);
		this.#held.delete(key);
		this.#held.set(key, { event, size });
	}

	#add(event: StreamEvent, size: number, now: number): void {
		const full = this.#sent.length > 0 && this.#untaken > maxUntaken;
		if (full || this.#late(now)) this.#cut();
		if (this.#phase === "behind") return;
		this.#queue.push(event);
		this.#queued += size;
		this.#untaken += size;
	}

	#late(now: number): boolean {
		const oldest = this.#sent[0];
		return oldest !== undefined && this.#phase !== "over" && now - oldest.at > maxUntakenFor;
	}

	#cut(): void {
		this.#phase = "behind";
		this.#told = false;
		this.#away = this.#known !== undefined;
		this.#held.clear();
		this.#queue = [];
		this.#untaken -= this.#queued;
		this.#queued = 0;
	}
}

function heldAs(what: (Build | Step) & InFeed): string {
	return "key" in what ? `${what.build_id ?? ""} ${what.key}` : (what.build_id ?? "");
}
