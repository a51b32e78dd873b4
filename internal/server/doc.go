// Package server is the HTTP surface: it alone knows Echo. routes.go lists
// every address, errors.go every answer that is no success.
//
// What it promises: a 2xx to a write means committed; a refusal stores nothing
// and says in one sentence what to do; no internal message reaches a user; and
// a stream sends each event once and in order, and is ended when its peer takes
// no byte for ten seconds, without anyone else noticing.
package server
