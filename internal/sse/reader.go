package sse

import (
	"errors"
	"io"
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
	Data []byte // valid until the next call of Next
}

// Reader takes a stream apart. It is not safe for concurrent use.
type Reader struct{}

// NewReader reads from r. Lines, and the data of an event, are at most
// maxEvent bytes; 0: [DefaultMaxEvent].
func NewReader(r io.Reader, maxEvent int) *Reader { panic("stub") }

// Next returns the next event. At the end of the stream it returns io.EOF, and
// what the last frame had begun is dropped, as the standard says. Any other
// error is the underlying reader's, or [ErrTooLong].
func (r *Reader) Next() (Event, error) { panic("stub") }

// LastID is the id to resume from. It is set by the end of every frame with an
// id, also when that frame has no data and is no event.
func (r *Reader) LastID() string { panic("stub") }

// Retry is the last reconnection time that the stream has set, 0 when none.
func (r *Reader) Retry() time.Duration { panic("stub") }
