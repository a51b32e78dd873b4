// Package feed gives readers the events of logs: replay, live tail, falling
// behind, reconnecting, a lost notification and a finished build are one loop
// over one cursor.
//
// What it promises:
//
//   - Order. A [Subscription] yields the events of its log after its cursor
//     that its filter lets pass, each exactly once, by ascending id. When that
//     is impossible (the cursor is not of this log, its events are no longer
//     kept, the history was rewound) it yields a [Reason], and then the log
//     from the first event that is kept. There is never a silent hole.
//   - Truth. The table decides. What is handed over or heard ([Tails.Committed],
//     [Tails.Hint], [Tails.Dirty]) only makes things faster: with all of it lost
//     every event arrives within a poll.
//   - Blocking. Committed, Hint, Dirty, Subscribe, TryNext and Close never wait
//     for the database or for a reader. Hooks are called with no lock held.
//   - Who may lag. Any reader, for as long as it likes. It is one number, the
//     cursor; nothing is queued for it, nothing is dropped, and neither writers
//     nor other readers notice.
//   - Bounds. A tail holds a bounded number of events and bytes, and may be
//     emptied at any moment; at most Options.Reads pages are read at once, for
//     one asker after the other, whose readers hold at most about Options.Held
//     bytes of them; no lock is held and no read is open while a reader writes
//     to its client.
//
// Nothing is ordered between logs.
package feed
