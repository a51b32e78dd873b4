package sse

import (
	"bytes"
	"strconv"
	"time"
)

// Open appends the beginning of a frame: its id and name, each left out when
// empty, and the start of its data. The caller appends the data to the result
// and then calls Close with the length that Open's result had. It panics when
// id or event has a line end or a NUL in it.
func Open[S string | []byte](dst []byte, id S, event string) []byte {
	from := len(dst)
	if len(id) > 0 {
		dst = append(dst, "id: "...)
		dst = append(dst, id...)
		mustFit(dst[from:])
		dst = append(dst, '\n')
	}
	if event != "" {
		from = len(dst)
		dst = append(dst, "event: "...)
		dst = append(dst, event...)
		mustFit(dst[from:])
		dst = append(dst, '\n')
	}
	return append(dst, "data: "...)
}

// mustFit panics when a field would end its line early. Ids and names are made
// by the program, so this is a fault of the program.
func mustFit(field []byte) {
	for _, b := range field {
		if b == '\n' || b == '\r' || b == 0 {
			panic("sse: an id or event name with a line end or NUL: " + strconv.Quote(string(field)))
		}
	}
}

// Close ends the frame whose data begins at dst[at]. Line ends in the data
// become further data lines.
func Close(dst []byte, at int) []byte {
	if lineEnd(dst[at:]) >= 0 {
		rest := bytes.Clone(dst[at:])
		dst = dst[:at]
		for {
			i := lineEnd(rest)
			if i < 0 {
				break
			}
			dst = append(dst, rest[:i]...)
			dst = append(dst, "\ndata: "...)
			if bytes.HasPrefix(rest[i:], []byte("\r\n")) {
				i++
			}
			rest = rest[i+1:]
		}
		dst = append(dst, rest...)
	}
	return append(dst, '\n', '\n')
}

// lineEnd finds the first line end; -1: there is none. Two searches by machine
// word beat one by byte.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// AppendFrame appends a whole frame. Id and event are left out when empty; it
// panics when one of them has a line end or a NUL in it.
func AppendFrame(dst []byte, id, event string, data []byte) []byte {
	dst = Open(dst, id, event)
	at := len(dst)
	return Close(append(dst, data...), at)
}

// AppendRetry appends a frame that does nothing but set the time that a client
// waits before it connects again, in whole milliseconds.
func AppendRetry(dst []byte, d time.Duration) []byte {
	dst = append(dst, "retry: "...)
	dst = strconv.AppendInt(dst, max(0, d.Milliseconds()), 10)
	return append(dst, '\n', '\n')
}
