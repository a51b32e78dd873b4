package sse

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"time"
)

// ErrTooLong is returned for a line or an event beyond the reader's bound.
var ErrTooLong = errors.New("sse: event is too long")

// DefaultMaxEvent is the bound of a reader that was given none, in bytes. The
// largest frame that Stepcast sends is below 512 KiB.
const DefaultMaxEvent = 4 << 20

// Event is one dispatched event.
type Event struct {
	ID   string // the last event id of the stream as of this event
	Name string // "message" when the frame names none
	Data []byte // as sent, not checked to be UTF-8; valid until the next call of Next
}

// Reader takes a stream apart. It is not safe for concurrent use.
type Reader struct {
	src io.Reader
	max int

	buf        []byte // what was read; buf[start:end] is still to be taken apart
	start, end int
	afterCR    bool  // the last line ended with \r: a \n right after belongs to it
	begun      bool  // the first line, which may begin with a byte order mark, is over
	readErr    error // counts once buf is used up
	err        error // Next is over

	data   []byte // of the frame so far, each line followed by \n
	name   string
	id     string // as the frame so far says; becomes lastID when it ends
	lastID string
	retry  time.Duration
}

// NewReader reads from r. Lines, and the data of an event, are at most
// maxEvent bytes; 0: [DefaultMaxEvent].
func NewReader(r io.Reader, maxEvent int) *Reader {
	if maxEvent == 0 {
		maxEvent = DefaultMaxEvent
	}
	return &Reader{src: r, max: maxEvent}
}

// Next returns the next event. At the end of the stream it returns io.EOF, and
// what the last frame had begun is dropped, as the standard says. Any other
// error is the underlying reader's, or [ErrTooLong].
func (r *Reader) Next() (Event, error) {
	r.data = r.data[:0]
	for r.err == nil {
		var line []byte
		if line, r.err = r.line(); r.err != nil {
			break
		}
		if len(line) > 0 {
			r.err = r.field(line)
			continue
		}
		r.lastID = r.id
		name := r.name
		r.name = ""
		if len(r.data) == 0 {
			continue // a frame without data is no event, but its id counts
		}
		if name == "" {
			name = "message"
		}
		return Event{ID: r.lastID, Name: name, Data: r.data[:len(r.data)-1]}, nil
	}
	return Event{}, r.err
}

// LastID is the id to resume from. It is set by the end of every frame with an
// id, also when that frame has no data and is no event.
func (r *Reader) LastID() string { return r.lastID }

// Retry is the last reconnection time that the stream has set, 0 when none.
func (r *Reader) Retry() time.Duration { return r.retry }

func (r *Reader) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte{':'})
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) { // a comment has the empty name
	case "data":
		if len(r.data)+len(value) > r.max {
			return ErrTooLong
		}
		r.data = append(append(r.data, value...), '\n')
	case "event":
		r.name = string(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			r.id = string(value)
		}
	case "retry":
		if d, ok := parseRetry(value); ok {
			r.retry = d
		}
	}
	return nil
}

// parseRetry reads digits and nothing else; more than a Duration holds is the
// longest one.
func parseRetry(digits []byte) (time.Duration, bool) {
	for _, b := range digits {
		if b < '0' || b > '9' {
			return 0, false
		}
	}
	if len(digits) == 0 {
		return 0, false
	}
	ms, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64, true
	}
	return time.Duration(ms) * time.Millisecond, true
}

// line returns the next line without its end, valid until the next call. Lines
// end with \n, \r\n or \r, and one that ends with \r is returned without
// waiting for what follows. A last line that does not end is dropped.
func (r *Reader) line() ([]byte, error) {
	seen := 0 // bytes after start that hold no line end
	for {
		if r.afterCR && r.start < r.end {
			r.afterCR = false
			if r.buf[r.start] == '\n' {
				r.start++
			}
		}
		if i := lineEnd(r.buf[r.start+seen : r.end]); i >= 0 {
			line := r.buf[r.start : r.start+seen+i]
			r.start += seen + i + 1
			r.afterCR = r.buf[r.start-1] == '\r'
			if !r.begun {
				r.begun = true
				line = bytes.TrimPrefix(line, []byte("\uFEFF"))
			}
			if len(line) > r.max {
				return nil, ErrTooLong
			}
			return line, nil
		}
		seen = r.end - r.start
		if seen > r.max {
			return nil, ErrTooLong
		}
		if r.readErr != nil {
			return nil, r.readErr
		}
		r.fill()
	}
}

// fill reads once more, into the free end of the buffer, which grows as long
// as a line does not fit.
func (r *Reader) fill() {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, max(4<<10, len(r.buf)))...)
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		r.readErr = err
		if n > 0 || err != nil {
			return
		}
	}
	r.readErr = io.ErrNoProgress
}
