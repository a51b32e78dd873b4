// Package judge finds out whether a Stepcast server keeps its word while
// things go wrong. It writes and reads as strangers do, over HTTP, records
// what it was told and what it was shown, and checks that history; it never
// looks into the database, and shares no code with the server, the runner or
// their parsers, so that a misunderstanding in those cannot hide itself here.
//
// What it promises:
//
//   - Every fault of [Kind] that a reader or a writer could notice is found,
//     once it is in the records. The package's tests plant each of them.
//   - It is memory-lean: an event costs 32 bytes however many readers saw it,
//     a reader costs one cursor per log. Log text is never kept; it is
//     computed again from its offset ([Text]).
//   - A run in which the fault never struck proves nothing, so strikes are
//     counted against the writes that were in flight ([Load.Strike]).
//
// A [Load] (writers and readers with one [Checker]) runs in a process of its
// own ([Start], [Main]), which the faults cannot touch. The other half, which
// strikes, is in the tests: servers to kill or stop ([Server]) and a proxy
// that cuts, hangs and swallows ([Proxy]).
package judge
