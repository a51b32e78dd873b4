package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxBatch bounds the bytes of one batch, and so of one write.
const maxBatch = 256 << 10

// BadCursor is the cursor of a reader whose own could not be parsed: its
// subscription begins with a reset for [UnknownCursor].
var BadCursor = ci.Cursor{ID: -1}

// Errors of a subscription. io.EOF follows the batch with End.
var (
	ErrClosed  = errors.New("feed: the subscription is closed")
	ErrStopped = errors.New("feed: stopped")
	// ErrMoved: the history was rewound. Look the log up again and subscribe
	// with the cursor that was reached; a reset follows.
	ErrMoved = errors.New("feed: the history was rewound")
)

// Reason says why a reader must forget what it had.
type Reason string

// The reasons, as they stand on the wire.
const (
	UnknownCursor Reason = "unknown_cursor" // beyond the end of the log, or no cursor at all
	WrongLog      Reason = "wrong_log"      // the cursor is of another log
	Rewound       Reason = "rewound"        // the history was rewound
	Expired       Reason = "expired"        // events after the cursor are no longer kept
)

// Subscription reads one log for one reader. Next, TryNext and Batch belong to
// one goroutine at a time; Close and Cursor may be called from any.
type Subscription struct {
	tail      *tail
	given     ci.Cursor // by the reader
	filter    ci.Filter
	tested    *ci.Filter // that the tail's events have to pass; nil: they all do
	sifted    *ci.Filter // that a page's events have to pass; nil: the source has seen to it
	asks      ci.Filter  // of the source: the feed's pages are read whole, and shared by all
	filterKey string     // its fingerprint
	by        asker      // in whose turns its pages are read
	ready     chan struct{}
	hook      func() // in place of ready

	// Guarded by tail.mu.
	cursor ci.EventID // up to here everything was yielded or held back by the filter
	placed bool       // the cursor is known to be one of this log
	fresh  bool       // there is no cursor: begin with the first event that is kept
	reset  Reason     // to be yielded before anything else
	replay ci.EventID // live comes once the cursor is here
	live   bool       // it has come
	ended  bool
	closed bool

	page    *page  // to be yielded before anything of the tail
	spent   *page  // all of it was, the last of it by the last batch
	reading *read  // on its way
	late    bool   // it was sent before this subscription joined it
	reason  Reason // what it found out about a foreign cursor
	err     error  // what became of it instead
	place   int    // in a list of tail.waiters; -1: in none
	patient bool   // and that is the list of the choosy
	held    uint64 // against which place its filter was held last, of choosy.places

	shown  ci.Cursor // what Cursor returns
	parts  []part    // of the last batch, to be used again
	frames [][]byte  // likewise
}

// Batch is what a subscription yields: a reset and nothing else, or frames,
// then live, then end, each of which may be missing, but not all.
type Batch struct {
	// Reset, when not empty, says that the reader must forget what it had.
	// The log follows from Cursor on.
	Reset Reason

	// Frames are ready to be sent, in this order: about 256 KiB at most, but
	// at least one event. The bytes are shared and must not be changed; they
	// stay as they are for ever. The outer slice is valid until the next call
	// of Next or TryNext.
	Frames [][]byte
	Size   int // bytes of Frames
	Count  int // events in Frames, but for those that Take took

	// Read: Frames were read of the table for this reader and others like it. They
	// count as held by it until the next call of Next or TryNext, or Close.
	Read bool

	// Live: the replay is over. It comes once, and once more after a reset.
	Live bool
	// End: the build is final for good and everything has been yielded.
	End bool

	// Cursor is where the reader is after this batch: the id of the frames
	// for live, end and reset.
	Cursor ci.Cursor

	parts []part // of what Take has not taken
	taken int    // entries of the first one that it has
}

// Event is one event of a batch, for readers that put several logs into one
// stream.
type Event struct {
	ID   ci.EventID
	Kind ci.Kind
	Data []byte // the JSON object: shared, not to be changed
}

// Events iterates over the events of Frames.
func (b *Batch) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		rest := *b
		for e, some := rest.Take(); some && yield(e); e, some = rest.Take() {
		}
	}
}

// Take takes out the next event of Frames, for who cannot send them all at once. It is
// valid as long as the outer slice of Frames is.
func (b *Batch) Take() (e Event, some bool) {
	for ; len(b.parts) > 0; b.parts, b.taken = b.parts[1:], 0 {
		p := &b.parts[0]
		if b.taken == len(p.entries) {
			continue
		}
		e := &p.entries[b.taken]
		b.taken++
		b.Count--
		data := p.frames[e.data-p.start : e.end-p.start-2] // without the blank line
		return Event{e.id, e.kind, data[:len(data):len(data)]}, true
	}
	return Event{}, false
}

// Next blocks until there is something to yield. An error other than ctx's,
// ErrClosed, ErrStopped, ErrMoved and io.EOF is the source's: it may pass, and Next may
// be called again.
func (s *Subscription) Next(ctx context.Context) (Batch, error) {
	for {
		b, ok, err := s.TryNext()
		if ok || err != nil {
			return b, err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
}

// TryNext is Next without waiting. When ok is false and err is nil there is
// nothing now: Ready, or the hook of OnReady, says when to try again. There
// may be false alarms.
func (s *Subscription) TryNext() (b Batch, ok bool, err error) {
	t := s.tail
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unwait(s)
	for {
		s.release()
		switch {
		case s.closed:
			return Batch{}, false, ErrClosed
		case t.over != nil:
			return Batch{}, false, t.over
		case s.ended:
			return Batch{}, false, io.EOF
		case s.err != nil:
			err, s.err = s.err, nil
			return Batch{}, false, err
		case s.reading != nil: // its delivery wakes
			return Batch{}, false, nil
		case !t.born:
			s.ask(readKey{after: max(0, s.cursor)})
		case !s.placed:
			s.check()
		case s.page != nil:
			b, err = s.fromPage()
		case s.fresh, s.cursor < t.base && s.cursor < t.released, s.cursor > t.seen:
			s.ask(readKey{after: s.cursor})
		case s.cursor < t.released:
			s.parts, s.cursor = t.after(s.cursor, s.tested, s.parts)
			b = s.batch()
		default:
			if b = s.batch(); b.empty() {
				t.wait(s)
				return Batch{}, false, nil
			}
		}
		if err != nil || !b.empty() {
			return b, err == nil, err
		}
	}
}

// check places the reader's own cursor. The tail is born.
func (s *Subscription) check() {
	t := s.tail
	switch {
	case s.given == ci.Cursor{}:
		s.fresh = true
	case s.given.Prefix == t.prefix:
	case len(s.given.Prefix) != len(t.prefix):
		s.forget(UnknownCursor)
	case s.reason != "":
		s.forget(s.reason)
	default:
		s.hold(nil) // else it might wait for room that it takes itself
		s.ask(readKey{foreign: s.given.Prefix})
		return
	}
	s.placed = true
}

// forget makes the reader begin with the first event that is kept, once a page
// has told which that is.
func (s *Subscription) forget(why Reason) {
	s.cursor, s.fresh, s.reset = 0, true, why
	s.replay, s.live = 0, false
}

// ask gets a page: one that is kept, or one that is on its way, or a new one.
func (s *Subscription) ask(key readKey) {
	t := s.tail
	key.filter = s.filterKey
	if s.placed && key.own == 0 {
		if p := t.tails.kept.find(t.log, t.prefix, key.filter, key.after); p != nil && t.tails.queue.mayHold(s.by, p) {
			s.hold(p)
			s.late = false
			return
		}
	}
	r := t.read(key, s.asks, s.by)
	r.waiters = append(r.waiters, s)
	s.reading, s.late = r, r.sent
}

// hold makes p the page to be yielded, nil for none. tail.mu is held.
func (s *Subscription) hold(p *page) {
	q := &s.tail.tails.queue
	if p != nil {
		q.hold(s.by, p, 1)
	}
	if s.page != nil {
		q.hold(s.by, s.page, -1)
	}
	s.page = p
}

// spend notes that all of the page has been yielded, or is about to be. It is held until
// release: whoever writes it may be slow. tail.mu is held.
func (s *Subscription) spend() {
	s.spent, s.page = s.page, nil
}

// unspend counts the page that was yielded no longer. tail.mu is held.
func (s *Subscription) unspend() {
	if s.spent != nil {
		s.tail.tails.queue.hold(s.by, s.spent, -1)
		s.spent = nil
	}
}

// askAlone gets a page that was read after this moment.
func (s *Subscription) askAlone() {
	s.tail.own++
	s.ask(readKey{after: s.cursor, own: s.tail.own})
}

// fromPage yields what the page has past the cursor.
func (s *Subscription) fromPage() (Batch, error) {
	t, p := s.tail, s.page
	switch {
	case p.after > s.cursor: // it was asked for with a cursor that turned out to be none
		s.hold(nil)
		return Batch{}, nil
	case s.fresh:
		return s.begin(), nil
	case s.cursor > p.head.Last && s.late:
		s.hold(nil)
		s.askAlone() // it may be older than the event at the cursor
		return Batch{}, nil
	case s.cursor > p.head.Last:
		s.hold(nil)
		s.forget(UnknownCursor)
		return Batch{}, nil
	case s.cursor < p.first-1:
		s.forget(Expired)
		return s.begin(), nil
	case p.through <= s.cursor && s.cursor < p.head.Last: // and not just a page that was taken late
		s.hold(nil)
		return Batch{}, fmt.Errorf("log %d has nothing after %d, although it ends at %d", t.log, s.cursor, p.head.Last)
	}
	if s.cursor <= p.after { // just begun
		t.readAhead(p, s.asks, s.by)
	}
	i := sort.Search(len(p.entries), func(i int) bool { return p.entries[i].id > s.cursor })
	parts, j, _, _ := p.pick(s.parts, i, len(p.entries), 0, s.sifted)
	if s.parts = parts; j < len(p.entries) {
		s.cursor = p.entries[j-1].id
	} else {
		s.cursor = max(s.cursor, p.through)
		s.spend()
	}
	b := s.batch()
	b.Read = len(b.Frames) > 0
	return b, nil
}

// begin goes to the first event that is kept, as the page says.
func (s *Subscription) begin() Batch {
	s.fresh = false
	s.cursor = max(s.cursor, s.page.first-1)
	b := Batch{Reset: s.reset, Cursor: s.show()}
	s.reset = ""
	return b
}

// batch makes a batch of the parts, and of what else is to be said where the
// cursor is now.
func (s *Subscription) batch() Batch {
	t := s.tail
	b := Batch{Cursor: s.show(), parts: s.parts}
	for _, p := range s.parts {
		s.frames = append(s.frames, p.frames)
		b.Size += len(p.frames)
		b.Count += len(p.entries)
	}
	b.Frames = s.frames
	if s.replay == 0 {
		s.replay = t.seen
	}
	if !s.live && s.cursor >= s.replay {
		s.live, b.Live = true, true
	}
	if t.final && s.page == nil && t.heard <= t.end && s.cursor >= t.end {
		s.ended, b.End = true, true
	}
	return b
}

// release lets go of the last batch, so that an idle reader keeps no segment
// alive. tail.mu is held.
func (s *Subscription) release() {
	s.unspend()
	clear(s.parts)
	clear(s.frames)
	s.parts, s.frames = s.parts[:0], s.frames[:0]
	if cap(s.parts) > 16 {
		s.parts, s.frames = nil, nil
	}
}

func (s *Subscription) show() ci.Cursor {
	s.shown = ci.Cursor{Prefix: s.tail.prefix, ID: s.cursor}
	return s.shown
}

func (b *Batch) empty() bool {
	return b.Reset == "" && len(b.Frames) == 0 && !b.Live && !b.End
}

// Ready has a value once TryNext is worth trying again.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// OnReady makes the subscription call f in place of filling Ready. f must
// neither block nor call the subscription; no lock is held when it is called,
// and one call may still come after Close. It is set before the first TryNext,
// and then Next must not be used.
func (s *Subscription) OnReady(f func()) { s.hook = f }

// OnBehalf names who reads, as whose all subscriptions with that name have turns
// with those of others; without a name, the readers of a log have. It is set
// before the first TryNext.
func (s *Subscription) OnBehalf(who string) {
	if who != "" {
		s.by = asker{who: who}
	}
}

// wake says that TryNext is worth trying. No lock is held.
func (s *Subscription) wake() {
	if s.hook != nil {
		s.hook()
		return
	}
	select {
	case s.ready <- struct{}{}:
	default: // one is enough
	}
}

// Cursor is where the reader is: everything of its stream up to there was
// yielded or is filtered out. The prefix is empty until the log was first
// read.
func (s *Subscription) Cursor() ci.Cursor {
	s.tail.mu.Lock()
	defer s.tail.mu.Unlock()
	if s.place >= 0 {
		s.tail.catchUp(s)
		s.show()
	}
	return s.shown
}

// Close ends the subscription; it may be called more than once, also while
// Next blocks, which then returns ErrClosed.
func (s *Subscription) Close() { s.tail.tails.leave(s) }
