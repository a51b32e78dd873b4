// Package sse writes and reads frames of server-sent events, as the WHATWG
// HTML standard defines them ("Server-sent events", section 9.2).
//
// What it promises: whatever the writer appends, the parser reads back as one
// event with the same id, name and data (line ends in data become \n, the only
// ones that the format can carry); nothing that is put into a frame can end it
// early or begin another; and the parser's memory is bounded, whatever it is
// sent.
package sse
