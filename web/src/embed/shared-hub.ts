import {
	type Connection,
	type Follower,
	follow as followHere,
	staleAfter,
} from "../widgets/page-hub.ts";

export { type Connection, staleAfter };

/** A frame of this server, as its siblings see it. */
interface Frame extends Window {
	/** Only where it has the hub of the page. */
	stepcastFollow?: typeof followHere;
}

/** Somebody in this frame who follows a log. */
interface Seat {
	readonly server: string;
	readonly token: string | undefined;
	readonly follower: Follower;
	leave: () => void;
}

const here: Frame = window;
const seats = new Set<Seat>();
/** The frame whose hub this one uses. */
let hub: Frame | undefined;

/**
 * Follows a log of a server until the answer is called, as `follow` of page-hub.ts does, but all frames of
 * a page follow through the hub of the first: a page with seven frames would else use up the six
 * connections that HTTP/1.1 has for a server. They are of one origin, whatever the page is of, and so may
 * call each other; a SharedWorker would not start where browsers let third parties store nothing.
 */
export function follow(server: string, token: string | undefined, follower: Follower): () => void {
	const seat: Seat = { server, token, follower: toldOfToken(follower), leave: () => {} };
	seats.add(seat);
	enter(seat);
	return () => {
		seats.delete(seat);
		seat.leave();
	};
}

/** A frame whose token the server has refused is given none, and says that it shows what is public without. */
function toldOfToken(follower: Follower): Follower {
	if (!document.querySelector("[data-token-refused]")) return follower;
	return {
		get wanted() {
			return follower.wanted;
		},
		receive: (events) => follower.receive(events),
		changed: (connection, news) =>
			follower.changed(
				connection.name === "live" ? { ...connection, without: true } : connection,
				news,
			),
	};
}

function enter(seat: Seat): void {
	hub ??= find();
	seat.leave = hub.stepcastFollow?.(seat.server, seat.token, seat.follower) ?? (() => {});
}

/** The first frame beside this one that has a hub; this one, if there is none. */
function find(): Frame {
	for (let i = 0; i < parent.length; i++) {
		const frame = parent[i] as Frame;
		try {
			if (frame === here || !frame.stepcastFollow) continue;
			// When the frame is taken out of the page, another one takes over.
			frame.addEventListener("pagehide", ({ persisted }) => {
				if (!persisted) setTimeout(change);
			});
			return frame;
		} catch {
			// It is of another origin.
		}
	}
	here.stepcastFollow = followHere;
	return here;
}

/** The hub is gone: everybody is told by another one, from the beginning. */
function change(): void {
	hub = undefined;
	for (const seat of seats) {
		seat.follower.receive([{ kind: "reset", id: "", data: {} }]);
		enter(seat);
	}
}

addEventListener("pagehide", ({ persisted }) => {
	if (persisted) return;
	delete here.stepcastFollow;
	for (const seat of seats) seat.leave();
});
