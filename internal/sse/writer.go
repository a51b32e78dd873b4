package sse

import "time"

// ValidID tells whether s can stand as an id or as an event's name: it holds
// no line end and no NUL.
func ValidID(s string) bool { panic("stub") }

// Open appends the beginning of a frame: its id and name, each left out when
// empty, and the start of its data. The caller appends the data to the result
// and then calls Close with the length that Open's result had. It panics when
// id or event is not [ValidID].
func Open[S string | []byte](dst []byte, id S, event string) []byte { panic("stub") }

// Close ends the frame whose data begins at dst[at]. Line ends in the data
// become further data lines.
func Close(dst []byte, at int) []byte { panic("stub") }

// AppendFrame appends a whole frame. Id and event are left out when empty; it
// panics when one of them is not [ValidID].
func AppendFrame(dst []byte, id, event string, data []byte) []byte { panic("stub") }

// AppendRetry appends a frame that does nothing but set the time that a client
// waits before it connects again, in whole milliseconds.
func AppendRetry(dst []byte, d time.Duration) []byte { panic("stub") }

// AppendComment appends a comment, which readers ignore.
func AppendComment(dst []byte, text string) []byte { panic("stub") }
