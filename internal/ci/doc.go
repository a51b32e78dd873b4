// Package ci is the domain: projects, builds, steps, the updates that a runner
// sends and the events that a log holds, and the state machine that turns the
// one into the other. It does no I/O and knows neither SQL nor HTTP.
//
// The promise of the state machine ([State.Decide]): a request is decided as a
// whole, from the state at one version, into the events that it appends; a
// request that is refused leaves the state as it was; and the same request
// decided again appends nothing.
package ci
