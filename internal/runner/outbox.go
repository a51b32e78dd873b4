package runner

import (
	"bytes"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

const (
	slabBytes  = 64 << 10
	pieceBytes = ci.MaxChunkBytes
	// markEvery bounds how far the time of a piece of text may be off: text
	// that waits in the outbox keeps its times this exactly.
	markEvery = 100 * time.Millisecond
)

// outbox holds the text of a step's log between the command that prints it and
// the sender, as one stream of bytes counted from the start of the log. It is
// the place where a spool on disk can stand instead: append keeps text, next
// hands it over in order, and whoever took a piece owns it until the server
// has it.
//
// It is bounded. Past the limit the oldest text goes, up to a line end, and
// next tells of it as a lost piece.
type outbox struct {
	limit int64
	wake  chan struct{} // one slot: text has come, or the stream ended

	mu     sync.Mutex
	slabs  [][]byte // what is kept; all but the last are full
	base   int64    // offset of slabs[0]
	taken  int64    // everything below was handed over
	start  int64    // the oldest text that is still here; taken..start is lost
	end    int64
	marks  []mark // when the text from each offset on arrived
	spare  []byte // a slab that was emptied
	sealed bool
}

type mark struct {
	offset int64
	at     time.Time
}

// piece is a run of log text: at most 64 KiB of it, or the news that so many
// bytes were dropped.
type piece struct {
	offset int64
	at     time.Time
	data   []byte
	lost   int64
}

func (p *piece) end() int64 { return p.offset + int64(len(p.data)) + p.lost }

func newOutbox(limit int64) *outbox {
	return &outbox{limit: max(limit, 2*slabBytes), wake: make(chan struct{}, 1)}
}

// append keeps text that was read at the time now. After seal it does nothing.
func (b *outbox) append(p []byte, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed || len(p) == 0 {
		return
	}
	before := b.end - b.taken
	if n := len(b.marks); n == 0 || before == 0 || now.Sub(b.marks[n-1].at) >= markEvery {
		b.marks = append(b.marks, mark{b.end, now})
	}
	for len(p) > 0 {
		last := len(b.slabs) - 1
		if last < 0 || len(b.slabs[last]) == slabBytes {
			b.grow()
			last = len(b.slabs) - 1
		}
		n := min(len(p), slabBytes-len(b.slabs[last]))
		b.slabs[last] = append(b.slabs[last], p[:n]...)
		b.end += int64(n)
		p = p[n:]
	}
	if after := b.end - b.taken; before == 0 || before < flushBytes && after >= flushBytes {
		b.signal()
	}
}

// grow adds an empty slab, in the place of the oldest one if the limit is
// reached.
func (b *outbox) grow() {
	if int64(len(b.slabs)+1)*slabBytes > b.limit {
		b.dropOldest()
	}
	slab := b.spare
	b.spare = nil
	if slab == nil {
		slab = make([]byte, 0, slabBytes)
	}
	if len(b.slabs) == 0 {
		b.base = b.end
	}
	b.slabs = append(b.slabs, slab)
}

// dropOldest gives up the oldest slabs and what is left of the last one's last
// line: a sixteenth of the limit at once, so that a log has few long holes and
// not many short ones.
func (b *outbox) dropOldest() {
	for least := b.limit - b.limit/16; int64(len(b.slabs)+1)*slabBytes > least && len(b.slabs) > 1; {
		b.shift()
	}
	b.start = max(b.start, b.base)
	rest := b.slabs[0][b.start-b.base:]
	b.start += int64(bytes.IndexByte(rest, '\n') + 1)
	b.forgetMarks(b.start)
}

// shift removes the first slab.
func (b *outbox) shift() {
	b.spare = b.slabs[0][:0]
	b.slabs[0] = nil
	b.slabs = b.slabs[1:]
	b.base += slabBytes
}

// forgetMarks keeps the mark that tells the time at the offset, and those
// after it.
func (b *outbox) forgetMarks(offset int64) {
	for len(b.marks) > 1 && b.marks[1].offset <= offset {
		b.marks = b.marks[1:]
	}
}

// next hands over the next piece, of at most limit bytes of text; ok is false
// when there is none.
func (b *outbox) next(limit int) (p piece, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == b.end {
		return piece{}, false
	}
	b.forgetMarks(b.start)
	p = piece{offset: b.taken, at: b.marks[0].at}
	if b.taken < b.start {
		p.lost = b.start - b.taken
		b.taken = b.start
		return p, true
	}
	until := min(b.end, b.start+int64(min(limit, pieceBytes)))
	cut := until < b.end
	if len(b.marks) > 1 && b.marks[1].offset <= until {
		until, cut = b.marks[1].offset, false
	}
	p.data = b.copy(b.start, until)
	if cut {
		p.data = p.data[:cutAt(p.data)]
	}
	b.start += int64(len(p.data))
	b.taken = b.start
	for len(b.slabs) > 0 && b.start >= b.base+slabBytes {
		b.shift()
	}
	return p, true
}

func (b *outbox) copy(from, until int64) []byte {
	out := make([]byte, 0, until-from)
	for from < until {
		slab := b.slabs[(from-b.base)/slabBytes]
		low := (from - b.base) % slabBytes
		high := min(int64(len(slab)), low+until-from)
		out = append(out, slab[low:high]...)
		from += high - low
	}
	return out
}

// cutAt returns where a piece that more text follows ends: after a line, else
// between two characters.
func cutAt(p []byte) int {
	if i := bytes.LastIndexByte(p, '\n'); i >= 0 {
		return i + 1
	}
	if n := len(p) - unfinished(p); n > 0 {
		return n
	}
	return len(p)
}

// unfinished returns how many bytes at the end of p begin a character of which
// the rest has not come yet.
func unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// waiting tells how much has not been handed over, and since when the first
// byte of it waits.
func (b *outbox) waiting() (n int64, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = b.end - b.taken
	if n > 0 {
		b.forgetMarks(b.start)
		since = b.marks[0].at
	}
	return n, since
}

// seal ends the stream and returns its length in bytes.
func (b *outbox) seal() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	b.signal()
	return b.end
}

// discard gives up the text: what is here goes, what comes is not kept.
func (b *outbox) discard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	b.slabs, b.spare, b.marks = nil, nil, nil
	b.taken, b.start = b.end, b.end
	b.signal()
}

func (b *outbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default: // a wake is waiting already
	}
}
