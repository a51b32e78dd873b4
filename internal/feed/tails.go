package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Source is where logs are kept. Its methods are called from several
// goroutines. Each answer is as of a moment after the call was made, which is
// what makes a head that falls a sign of a rewound history: an implementation
// must not answer from what it kept. (Readers at one cursor share a read here.)
type Source interface {
	// Page reads the events of a log after a cursor: some, if there are any.
	Page(ctx context.Context, log ci.LogID, after ci.EventID, f ci.Filter) (ci.Page, error)
	// Heads reads where logs end. Logs that do not exist are left out.
	Heads(ctx context.Context, logs []ci.LogID) (map[ci.LogID]ci.Head, ci.Epoch, error)
	// Rewound is told that a query which was sent after the log's head had
	// been seen at seen returned a lower one. If the log really is behind, it
	// replaces the epoch; it returns the present one.
	Rewound(ctx context.Context, log ci.LogID, seen ci.EventID) (ci.Epoch, error)
	// Epochs returns the present epoch and the former ones.
	Epochs(ctx context.Context) (current ci.Epoch, former []ci.Epoch, err error)
}

// Options of Tails; the zero value is what the server uses.
type Options struct {
	TailEvents int           // events that a tail holds at most; 0: 1,000; negative: none
	TailBytes  int           // bytes of frames that a tail holds at most; 0: 1 MiB
	Room       int           // bytes that all tails hold, about, a poll after they held more; 0: 64 MiB
	Beat       time.Duration // at which text is released while it keeps coming; 0: 20 ms; negative: at once
	Poll       time.Duration // between two looks at the heads of all watched logs; 0: 1 s
	Reads      int           // pages read at once, at most; 0: 8
	Held       int           // bytes of pages that the readers of one may hold, about; 0: 64 MiB
	Log        *slog.Logger  // nil: slog.Default()
}

func (o *Options) complete() {
	switch {
	case o.TailEvents == 0:
		o.TailEvents = 1000
	case o.TailEvents < 0:
		o.TailEvents = 0
	}
	if o.TailBytes == 0 {
		o.TailBytes = 1 << 20
	}
	switch {
	case o.Beat == 0:
		o.Beat = 20 * time.Millisecond
	case o.Beat < 0:
		o.Beat = 0
	}
	if o.Room == 0 {
		o.Room = 64 << 20
	}
	if o.Held == 0 {
		o.Held = 64 << 20
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Reads == 0 {
		o.Reads = 8
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// headsTimeout bounds one query of the poll.
const headsTimeout = 5 * time.Second

// Tails holds the newest part of every log that somebody here watches. Its
// methods may be called from any goroutine; Committed, Hint and Dirty are
// those of postgres.Watcher.
type Tails struct {
	source Source
	o      Options
	log    *slog.Logger
	queue  queue
	kept   kept
	dirty  chan struct{} // has a value when the poll should not wait
	blind  atomic.Bool   // the last poll failed

	mu    sync.Mutex // locked before any tail's
	tails map[ci.LogID]*tail
	over  bool

	// epoch is the history that everything here belongs to. What was asked in
	// an earlier generation, before this epoch was known, says nothing about it.
	epoch      ci.Epoch // zero: not known yet
	generation int
	// former epochs are told from a new one when a commit comes late.
	former  map[ci.Epoch]struct{}
	rewound []*tail // since mu was locked: unlock wakes their readers
}

// New returns tails over a source. Nothing is read before Run.
func New(source Source, o Options) *Tails {
	o.complete()
	t := &Tails{
		source: source, o: o, log: o.Log,
		dirty:  make(chan struct{}, 1),
		tails:  make(map[ci.LogID]*tail),
		former: make(map[ci.Epoch]struct{}),
	}
	t.queue.more.L = &t.queue.mu
	t.queue.most, t.queue.held = o.Held, make(map[asker]int)
	return t
}

// Run reads pages and polls until ctx is done. After it every subscription
// returns [ErrStopped].
func (t *Tails) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for range t.o.Reads {
		running.Go(func() {
			for by, r := t.queue.pop(); r != nil; by, r = t.queue.pop() {
				r.do(ctx, by)
			}
		})
	}
	t.pollUntil(ctx)
	t.queue.close()
	running.Wait()
	t.stop()
	return nil
}

func (t *Tails) stop() {
	t.mu.Lock()
	t.over = true
	tails := t.tails
	t.tails = nil
	t.mu.Unlock()
	for _, tail := range tails {
		tail.mu.Lock()
		tail.close(ErrStopped)
		tail.unlock()
	}
}

// Committed hands over what this process has just committed: consecutive
// events of one log, and its head after them. Calls may come late, repeatedly,
// in any order, or never.
func (t *Tails) Committed(epoch ci.Epoch, log ci.LogID, events []ci.Event, head ci.Head) {
	tail, generation, ok := t.committed(epoch, log)
	if !ok || tail == nil {
		return
	}
	tail.mu.Lock()
	if tail.generation == generation && tail.over == nil {
		tail.see(head)
		if tail.born {
			tail.appendEvents(events)
		}
	}
	tail.unlock()
}

// committed finds the log's tail, if it has one. ok is false when the commit
// does not belong to the present history. It may be of a new one, or, coming
// late, of one that was over before anybody here heard of it: the table knows.
func (t *Tails) committed(epoch ci.Epoch, log ci.LogID) (tail *tail, generation int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch == (ci.Epoch{}) {
		t.epoch = epoch
	}
	if epoch != t.epoch {
		if _, past := t.former[epoch]; !past {
			t.Dirty()
		}
		return nil, 0, false
	}
	return t.tails[log], t.generation, true
}

// Hint says that a log has grown to last.
func (t *Tails) Hint(log ci.LogID, last ci.EventID) {
	t.mu.Lock()
	tail := t.tails[log]
	t.mu.Unlock()
	if tail == nil {
		return
	}
	tail.mu.Lock()
	tail.hear(last)
	tail.unlock()
}

// Dirty says that logs may have grown. Which ones does not matter: one query looks at all
// that are watched.
func (t *Tails) Dirty() {
	select {
	case t.dirty <- struct{}{}:
	default: // it is asked for already
	}
}

// Subscribe starts to read a log after a cursor, through a filter. The zero
// cursor means from the first event that is kept. Any other is checked, its
// prefix too, against the log and the present epoch; one that does not fit
// makes the subscription begin with a reset. Subscribe itself reads nothing
// and never waits. The subscription must be closed.
//
// A build's log has its number only within one history: a dump that is put
// back may bring it, or another build, under another. So epoch says in which
// history log was found to be the one with that name, and once that is past
// the subscription returns [ErrMoved]. The zero epoch is for the feed, which
// has one number in all of them.
func (t *Tails) Subscribe(epoch ci.Epoch, log ci.LogID, name ci.LogName, cursor ci.Cursor, filter ci.Filter) *Subscription {
	s := &Subscription{
		given: cursor, cursor: max(0, cursor.ID),
		filter: filter, by: asker{log: log}, ready: make(chan struct{}, 1), place: -1,
	}
	if !filter.All() {
		s.tested = &s.filter
		if log == ci.FeedLog {
			s.sifted = &s.filter
		} else {
			s.asks, s.filterKey = filter, fmt.Sprintf("%#v", filter) // maps are printed in order
		}
	}
	t.mu.Lock()
	defer t.unlock()
	_, past := t.former[epoch]
	if epoch != (ci.Epoch{}) && !past {
		t.enter(epoch)
	}
	s.tail = t.tails[log]
	if s.tail == nil || past || t.over {
		s.tail = &tail{tails: t, log: log, name: name, generation: t.generation, reads: make(map[readKey]*read)}
		switch {
		case past:
			s.tail.over = ErrMoved
		case t.over:
			s.tail.over = ErrStopped
		default:
			t.tails[log] = s.tail
		}
	}
	s.tail.mu.Lock()
	defer s.tail.mu.Unlock()
	s.tail.subs++
	if s.sifted != nil {
		s.tail.enroll(s)
	}
	return s
}

// leave drops the tail when its last subscription has gone.
func (t *Tails) leave(s *Subscription) {
	tail := s.tail
	t.mu.Lock()
	tail.mu.Lock()
	if s.closed {
		tail.mu.Unlock()
		t.mu.Unlock()
		return
	}
	s.closed = true
	s.hold(nil)
	s.unspend()
	tail.unread(s)
	tail.unwait(s)
	if s.sifted != nil {
		tail.dismiss(s)
	}
	tail.subs--
	if tail.subs == 0 && tail.over == nil {
		delete(t.tails, tail.log)
		tail.close(ErrClosed)
	}
	tail.mu.Unlock()
	t.mu.Unlock()
	s.wake()
}

// The epoch.

// errStale marks an answer that belongs to a former history.
var errStale = errors.New("feed: the history was rewound meanwhile")

// admit tells whether an answer of that epoch, asked for in that generation, belongs
// to the present history. If it shows that there is a new one, everything that
// was known is forgotten, and every subscription ends with ErrMoved.
func (t *Tails) admit(generation int, epoch ci.Epoch) error {
	t.mu.Lock()
	defer t.unlock()
	if generation == t.generation {
		t.enter(epoch)
	}
	if generation != t.generation {
		return errStale
	}
	return nil
}

// enter makes epoch the present one. mu is held, and unlock must follow.
func (t *Tails) enter(epoch ci.Epoch) {
	if epoch == t.epoch {
		return
	}
	if t.epoch == (ci.Epoch{}) {
		t.epoch = epoch
		return
	}
	t.former[t.epoch] = struct{}{}
	delete(t.former, epoch)
	t.epoch = epoch
	t.generation++
	t.log.Warn("the history was rewound: all readers begin anew")
	for _, tail := range t.tails {
		tail.mu.Lock()
		tail.close(ErrMoved)
		tail.mu.Unlock()
		t.rewound = append(t.rewound, tail)
	}
	t.tails = make(map[ci.LogID]*tail)
}

func (t *Tails) unlock() {
	rewound := t.rewound
	t.rewound = nil
	t.mu.Unlock()
	for _, tail := range rewound {
		tail.mu.Lock()
		tail.unlock()
	}
}

// fellBack reports to the source that a log is shorter than it was.
func (t *Tails) fellBack(ctx context.Context, generation int, log ci.LogID, seen, last ci.EventID) error {
	epoch, err := t.source.Rewound(ctx, log, seen)
	if err != nil {
		return fmt.Errorf("replace the epoch: %w", err)
	}
	if err := t.admit(generation, epoch); err != nil {
		return err
	}
	return fmt.Errorf("log %d was read as ending at %d after it had been seen at %d", log, last, seen)
}

// reason finds out why a prefix is not the log's.
func (t *Tails) reason(ctx context.Context, name ci.LogName, prefix string) (Reason, error) {
	current, former, err := t.source.Epochs(ctx)
	if err != nil {
		return "", fmt.Errorf("read the epochs: %w", err)
	}
	for _, epoch := range append(former, current) {
		if ci.CursorPrefix(epoch, name) == prefix {
			return Rewound, nil
		}
	}
	return WrongLog, nil
}

// The poll.

func (t *Tails) pollUntil(ctx context.Context) {
	ticker := time.NewTicker(t.o.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-t.dirty:
		}
		t.share()
		err := t.poll(ctx)
		blind := err != nil && !errors.Is(err, errStale)
		switch was := t.blind.Swap(blind); {
		case err != nil && !was && ctx.Err() == nil:
			t.log.Warn("the heads of the watched logs cannot be read", "error", err)
		case err == nil && was:
			t.log.Info("the heads of the watched logs can be read again")
		}
		t.kept.sweep()
	}
}

// share has the tails give up what they hold together beyond their room: those that hold
// most, down to a level. Who still needed it reads a page.
func (t *Tails) share() {
	t.mu.Lock()
	defer t.mu.Unlock()
	sizes := make([]int, 0, len(t.tails))
	for _, tail := range t.tails {
		tail.mu.Lock()
		sizes = append(sizes, tail.bytes())
		tail.mu.Unlock()
	}
	slices.Sort(sizes)
	level, room := math.MaxInt, t.o.Room
	for i, size := range sizes {
		if part := room / (len(sizes) - i); size > part {
			level = part
			break
		}
		room -= size
	}
	if level == math.MaxInt {
		return
	}
	for _, tail := range t.tails {
		tail.mu.Lock()
		tail.trim(level)
		tail.mu.Unlock()
	}
}

// Blind reports whether the last poll failed: nobody here can say then that
// nothing has happened.
func (t *Tails) Blind() bool { return t.blind.Load() }

// poll looks where all watched logs end, in one query. It is what makes up for
// every hand-over and notification that was lost.
func (t *Tails) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, headsTimeout)
	defer cancel()
	generation, tails, seen := t.watched()
	if len(tails) == 0 && !t.Blind() {
		return nil
	}
	logs := make([]ci.LogID, len(tails))
	for i, tail := range tails {
		logs[i] = tail.log
	}
	heads, epoch, err := t.source.Heads(ctx, logs)
	if err != nil {
		return fmt.Errorf("read heads: %w", err)
	}
	if err := t.admit(generation, epoch); err != nil {
		return err
	}
	for i, tail := range tails {
		head, ok := heads[tail.log]
		if !ok {
			continue // readers hear of it when they next read a page
		}
		if head.Last < seen[i] {
			return t.fellBack(ctx, generation, tail.log, seen[i], head.Last)
		}
		tail.mu.Lock()
		if tail.generation == generation {
			tail.see(head)
		}
		tail.unlock()
	}
	return nil
}

// watched returns the tails there are and where their logs were seen to end.
func (t *Tails) watched() (generation int, tails []*tail, seen []ci.EventID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tail := range t.tails {
		tail.mu.Lock()
		tails = append(tails, tail)
		seen = append(seen, tail.seen)
		tail.mu.Unlock()
	}
	return t.generation, tails, seen
}
