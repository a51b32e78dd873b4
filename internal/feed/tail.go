package feed

import (
	"iter"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// tail is the newest part of one watched log, as ready frames, and what this
// process knows of the log. It lives while somebody subscribes to the log.
//
// It has one owner, whoever holds mu, and one rule: only the event after end is
// appended; what is at or below end is cut off; what is above shows that the
// tail is behind, and then the gap is read from the table, by one read at a
// time. That covers two committers, other processes, and calls that come
// repeatedly, late or never. It may be emptied at any moment (base = end):
// readers then take a page from the table.
type tail struct {
	tails *Tails
	log   ci.LogID
	name  ci.LogName

	mu         sync.Mutex // locked after Tails.mu
	generation int        // the Tails' generation that all this belongs to
	born       bool       // the table said where the log ends
	prefix     string     // of cursors

	segments  []*segment
	base, end ci.EventID // the segments hold the events after base, up to end
	released  ci.EventID // readers may have the events up to here

	seen  ci.EventID // the newest event that the table, or a commit, has shown
	heard ci.EventID // at least seen: the newest event that was spoken of
	final bool       // the build is final for good as of seen

	textAt time.Time   // when text was last released
	beat   *time.Timer // nil until text first comes fast
	armed  bool        // beat will release what is held back

	reads   map[readKey]*read // queued or in flight
	own     int               // the last number of a read that is not shared
	filling bool              // one of them closes the gap after end
	stuck   bool              // the last one did not: wait for news before the next

	subs int
	waiters
	changed bool  // since mu was locked, in a way that waiters wait for
	over    error // the tail is of no more use, and why
}

// unlock ends a change: it asks for what is missing and, with no lock held any
// more, wakes whoever waits for what is new.
func (t *tail) unlock() {
	if t.born && t.heard > t.end && !t.filling && !t.stuck && t.over == nil {
		t.filling = true
		t.read(readKey{after: t.end}, ci.Filter{}, asker{log: t.log}).gap = true
	}
	var woken []*Subscription
	if t.changed {
		t.changed = false
		woken = t.concerned()
	}
	t.mu.Unlock()
	if len(woken) == 0 {
		return
	}
	for _, s := range woken {
		s.wake()
	}
	clear(woken)
	t.mu.Lock()
	t.spare = woken[:0]
	t.mu.Unlock()
}

// hear notes that the log is said to have grown to last.
func (t *tail) hear(last ci.EventID) {
	t.heard = max(t.heard, last)
	t.stuck = false
}

// see notes where the log ends, by the word of the table or of a commit.
func (t *tail) see(head ci.Head) {
	t.seen = max(t.seen, head.Last)
	t.hear(t.seen)
	if head.Final && !t.final {
		t.final, t.changed = true, true
	}
}

// isBorn makes the tail begin, empty, where the log ends.
func (t *tail) isBorn(prefix string, head ci.Head) {
	t.born, t.prefix = true, prefix
	t.jump(head.Last)
}

// jump empties the tail and makes it go on after an event.
func (t *tail) jump(to ci.EventID) {
	t.segments = nil
	t.base, t.end, t.released = to, to, to
	t.heard = max(t.heard, to)
	t.changed = true
}

// appendEvents appends what follows on end. mu is held.
func (t *tail) appendEvents(events []ci.Event) {
	var status ci.EventID
	for i := range events {
		e := &events[i]
		if e.ID != t.end+1 {
			continue
		}
		if t.tails.o.TailEvents > 0 {
			t.room(frameSize(e)).add(t.prefix, e)
		}
		t.end = e.ID
		if e.Kind.OfStatus() {
			status = e.ID
		}
	}
	t.release(status)
}

// appendPage appends what follows on end from an unfiltered page. mu is held.
func (t *tail) appendPage(p *page) {
	var status ci.EventID
	for i := range p.entries {
		e := &p.entries[i]
		if e.id != t.end+1 {
			continue
		}
		if t.tails.o.TailEvents > 0 {
			t.room(e.end-p.start(i)).copy(&p.segment, i)
		}
		t.end = e.id
		if e.kind.OfStatus() {
			status = e.id
		}
	}
	t.release(status)
}

// room returns the segment that the next frame goes into. The first one grows
// as it is needed: most tails stay small.
func (t *tail) room(size int) *segment {
	n := len(t.segments)
	if n > 0 && len(t.segments[n-1].buf)+size <= segmentBytes {
		return t.segments[n-1]
	}
	s := &segment{}
	if n > 0 {
		s.buf = make([]byte, 0, max(size, segmentBytes))
	}
	t.segments = append(t.segments, s)
	return s
}

// bytes is how much memory the tail holds, about.
func (t *tail) bytes() (bytes int) {
	for _, s := range t.segments {
		bytes += s.weight()
	}
	return bytes
}

// trim keeps the tail within its bounds, and within so many bytes.
func (t *tail) trim(most int) {
	t.base = max(t.base, t.end-ci.EventID(t.tails.o.TailEvents))
	bytes := t.bytes()
	drop := 0
	for ; drop < len(t.segments); drop++ {
		s := t.segments[drop]
		last := s.entries[len(s.entries)-1].id
		if last > t.base && bytes <= most {
			break
		}
		t.base = max(t.base, last)
		bytes -= s.weight()
	}
	clear(t.segments[:drop])
	t.segments = t.segments[drop:]
}

// release lets readers have what was appended, of which status is the newest
// build or step event. A log that was quiet is released at once; text or notes
// that keep coming, once a beat, so that readers get several events in one write.
// A build or step event takes everything before it along at once.
func (t *tail) release(status ci.EventID) {
	t.trim(t.tails.o.TailBytes)
	if t.released == t.end {
		return
	}
	beat := t.tails.o.Beat
	now := time.Now()
	switch wait := beat - now.Sub(t.textAt); {
	case status == t.end:
		t.released, t.changed = t.end, true
		return
	case !t.armed && wait <= 0:
		t.released, t.changed = t.end, true
		t.textAt = now
		return
	case !t.armed && t.beat == nil:
		t.beat = time.AfterFunc(wait, t.onBeat)
	case !t.armed:
		t.beat.Reset(wait)
	}
	t.armed = true
	if status > t.released {
		t.released, t.changed = status, true
	}
}

func (t *tail) onBeat() {
	t.mu.Lock()
	t.armed = false
	if t.over == nil && t.released < t.end {
		t.released, t.changed = t.end, true
		t.textAt = time.Now()
	}
	t.unlock()
}

// close ends the tail: no read of it is delivered any more, and subscriptions
// return err.
func (t *tail) close(err error) {
	t.over = err
	if t.beat != nil {
		t.beat.Stop()
	}
	t.abandonReads()
	t.segments = nil
	t.changed = true
}

// after appends to parts the frames past the cursor that are released and pass
// the filter (nil: all), maxBatch bytes or one frame at most, and returns how far it got:
// up to there everything is in parts or held back by the filter. The cursor is
// at least base.
func (t *tail) after(cursor ci.EventID, f *ci.Filter, parts []part) ([]part, ci.EventID) {
	size, full := 0, false
	for s, i := range t.segmentsAfter(cursor) {
		to := min(len(s.entries), int(t.released+1-s.entries[0].id))
		from := i
		if parts, i, size, full = s.pick(parts, i, to, size, f); i > from {
			cursor = s.entries[i-1].id
		}
		if full {
			break
		}
	}
	return parts, cursor
}

// segmentsAfter yields the segments that have events past the cursor, and where
// these begin in each. The cursor is at least base.
func (t *tail) segmentsAfter(cursor ci.EventID) iter.Seq2[*segment, int] {
	return func(yield func(*segment, int) bool) {
		from := len(t.segments) - 1
		for from > 0 && t.segments[from].entries[0].id > cursor+1 {
			from--
		}
		for _, s := range t.segments[max(from, 0):] {
			first := s.entries[0].id // and the next ones without holes
			if !yield(s, int(max(cursor+1, first)-first)) {
				return
			}
		}
	}
}

// entries yields the events after one, which is at least base, up to another.
func (t *tail) entries(after, upTo ci.EventID) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for s, i := range t.segmentsAfter(after) {
			for ; i < len(s.entries) && s.entries[i].id <= upTo; i++ {
				if !yield(&s.entries[i]) {
					return
				}
			}
		}
	}
}
