package feed

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/turns"
)

const (
	pageTimeout = 10 * time.Second // of one page's queries
	keepPages   = 2 * time.Second
	keepBytes   = 16 << 20
)

// read is one page on its way from the table. Whoever comes to the same place
// meanwhile shares it.
type read struct {
	tail   *tail
	key    readKey
	filter ci.Filter

	// Guarded by tail.mu.
	asked      map[asker]struct{} // for it: it is in the line of each of them
	waiters    []*Subscription
	gap        bool // the tail itself waits for it
	ahead      bool // somebody will, soon: see readAhead
	sent       bool
	turn       asker      // in whose it was sent
	generation int        // in which it was sent
	seen       ci.EventID // likewise
	heard      ci.EventID // likewise
}

type readKey struct {
	after   ci.EventID
	filter  string // fingerprint
	foreign string // a cursor's prefix that is not this log's: find out why
	own     int    // sets a read apart that must not be shared with one sent earlier
}

// asker is on whose behalf a page is read: somebody's, or else of a log's readers.
type asker struct {
	who string
	log ci.LogID
}

// result is what became of a read.
type result struct {
	page   *page
	reason Reason // for key.foreign
	err    error
}

// read returns the read with that key, a new one if there is none. It is done when one
// of those who asked for it has a turn. tail.mu is held.
func (t *tail) read(key readKey, f ci.Filter, by asker) *read {
	r := t.reads[key]
	if r == nil {
		r = &read{tail: t, key: key, filter: f, asked: make(map[asker]struct{}, 1)}
		t.reads[key] = r
	}
	if _, asked := r.asked[by]; !asked && !r.sent {
		r.asked[by] = struct{}{}
		t.tails.queue.push(by, r)
	}
	return r
}

// readAhead gets the page after p while a reader is still busy with p. It is
// kept for a moment, and found there. tail.mu is held.
func (t *tail) readAhead(p *page, f ci.Filter, by asker) {
	key := readKey{after: p.through, filter: p.filter}
	if p.through >= t.base || p.through >= p.head.Last || t.tails.kept.crowded() || t.tails.queue.full(by) || t.tails.kept.find(t.log, t.prefix, key.filter, key.after) != nil {
		return
	}
	t.read(key, f, by).ahead = true
}

// unread takes s from those who wait for a read, which is then not done if nobody else
// does. tail.mu is held.
func (t *tail) unread(s *Subscription) {
	r := s.reading
	if s.reading = nil; r == nil {
		return
	}
	if i := slices.Index(r.waiters, s); i >= 0 {
		r.waiters = slices.Delete(r.waiters, i, i+1)
	}
	if len(r.waiters) == 0 && !r.gap && !r.ahead && !r.sent && t.reads[r.key] == r {
		delete(t.reads, r.key)
		t.tails.queue.remove(r)
	}
}

// abandonReads makes sure that no read which is queued or in flight is
// delivered. tail.mu is held.
func (t *tail) abandonReads() {
	for _, r := range t.reads {
		t.tails.queue.remove(r)
		for _, s := range r.waiters {
			if s.reading == r {
				s.reading = nil
				t.wait(s)
			}
		}
	}
	clear(t.reads)
	t.filling = false
}

// do reads the page in somebody's turn and delivers it. No lock is held while the source works.
func (r *read) do(ctx context.Context, turn asker) {
	if !r.send(turn) {
		return
	}
	timed, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	res := r.ask(timed)
	if ctx.Err() == nil { // else subscriptions are about to be told that this is the end
		r.deliver(res)
	}
}

// send notes what is known when the query goes out. It returns false when
// nobody waits for it any more, or it was sent in the turn of another who did.
func (r *read) send(turn asker) bool {
	t := r.tail
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reads[r.key] != r || r.sent {
		return false
	}
	wanted := r.gap || r.ahead
	for _, s := range r.waiters {
		wanted = wanted || s.reading == r
	}
	if !wanted {
		delete(t.reads, r.key)
		return false
	}
	r.sent, r.turn = true, turn
	t.tails.queue.remove(r) // out of the lines of all others who asked
	r.generation, r.seen, r.heard = t.generation, t.seen, t.heard
	return true
}

func (r *read) ask(ctx context.Context) result {
	t := r.tail
	from, err := t.tails.source.Page(ctx, t.log, r.key.after, r.filter)
	if err != nil {
		return result{err: fmt.Errorf("read a page: %w", err)}
	}
	if err := t.tails.admit(r.generation, from.Epoch); err != nil {
		return result{err: err}
	}
	if from.Head.Last < r.seen {
		return result{err: t.tails.fellBack(ctx, r.generation, t.log, r.seen, from.Head.Last)}
	}
	res := result{page: newPage(t.log, t.name, r.key.after, r.key.filter, &from)}
	if r.key.foreign != "" {
		res.reason, err = t.tails.reason(ctx, t.name, r.key.foreign)
		if err != nil {
			return result{err: err}
		}
	}
	return res
}

// deliver hands the result to the tail and to the subscriptions that wait for
// it.
func (r *read) deliver(res result) {
	t := r.tail
	t.mu.Lock()
	if t.reads[r.key] != r { // the history was rewound meanwhile, or everybody has left
		t.mu.Unlock()
		return
	}
	delete(t.reads, r.key)
	end := t.end
	if res.err == nil {
		t.learn(r, res.page)
	}
	if r.gap {
		t.filling = false
		// Asking again at once would only press a database that is in trouble.
		t.stuck = res.err != nil || t.end == end && t.heard == r.heard
	}
	var woken []*Subscription
	for _, s := range r.waiters {
		if s.reading == r {
			s.reading, s.reason, s.err = nil, res.reason, res.err
			// One that has come in another's turn is asked for again by who holds enough.
			if p := res.page; p != nil && (s.by == r.turn || t.tails.queue.mayHold(s.by, p)) {
				s.hold(p)
			}
			woken = append(woken, s)
		}
	}
	t.unlock()
	if r.gap && res.err != nil {
		t.tails.log.Warn("a log's newest events could not be read", "log", t.log, "error", res.err)
	}
	for _, s := range woken {
		s.wake()
	}
}

// learn takes over what the page says of the log. mu is held.
func (t *tail) learn(r *read, p *page) {
	t.see(p.head)
	if !t.born {
		t.isBorn(p.prefix, p.head)
	}
	if p.first-1 > t.end { // what is missing is no longer kept
		t.jump(p.first - 1)
	}
	if r.filter.All() {
		t.appendPage(p)
	}
	if t.heard == r.heard && p.head.Last <= t.end {
		t.heard = t.end // what was heard before the query went out is not so
	}
	t.tails.kept.put(p)
}

// queue is where reads wait for one of the few goroutines that do them, one of each asker
// after the other: of a long log some may take long, and some read many. It holds at most
// one read for each subscription and tail, and one ahead.
//
// A page is held until its reader comes for more, and may be slow to write what it has:
// whose readers hold much have no turn until they hold less.
type queue struct {
	mu    sync.Mutex
	more  sync.Cond // on mu
	reads turns.Line[asker, *read]
	most  int           // bytes of pages that one may hold, about
	held  map[asker]int // that they do
	over  bool
}

func (q *queue) push(by asker, r *read) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reads.Add(by, r)
	q.more.Signal()
}

// remove takes a read out of all lines. Its tail's mu is held.
func (q *queue) remove(r *read) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for by := range r.asked {
		q.reads.Remove(by, r)
	}
}

// pop blocks until there is a read of somebody whose readers may hold more, and tells of
// whom; nil: the queue is closed.
func (q *queue) pop() (asker, *read) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.over {
		if by, r, some := q.reads.NextOf(func(by asker) bool { return q.held[by] < q.most }); some {
			return by, r
		}
		q.more.Wait()
	}
	return asker{}, nil
}

// hold counts that one more subscription of an asker holds a page, or one less. A page
// that several hold is counted once.
func (q *queue) hold(by asker, p *page, more int) {
	if by.who == "" {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.holders == nil {
		p.holders = make(map[asker]int, 1)
	}
	before := p.holders[by]
	switch now := before + more; {
	case now == 0:
		delete(p.holders, by)
		if q.held[by] -= p.weight(); q.held[by] == 0 {
			delete(q.held, by)
		}
		q.more.Broadcast()
	default:
		if p.holders[by] = now; before == 0 {
			q.held[by] += p.weight()
		}
	}
}

// full tells whether the readers of one hold all that they may.
func (q *queue) full(by asker) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held[by] >= q.most
}

// mayHold tells whether the readers of one may hold that page too, or one of them does already.
func (q *queue) mayHold(by asker, p *page) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held[by] < q.most || p.holders[by] > 0
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	q.reads = turns.Line[asker, *read]{}
	q.more.Broadcast()
}

// kept holds pages for a moment, for readers that come to the same place a
// little later, such as all those that a restart has disconnected. An event
// never changes, so a page that is kept is only ever too short.
type kept struct {
	mu    sync.Mutex
	pages []keptPage // oldest first
	bytes int
}

type keptPage struct {
	*page
	until time.Time
}

func (k *kept) put(p *page) {
	if p.through == p.after {
		return // nobody can read on from inside it
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pages = append(k.pages, keptPage{p, time.Now().Add(keepPages)})
	k.bytes += p.weight()
	for k.bytes > keepBytes {
		k.dropOldest()
	}
}

// find returns a page that the cursor lies in, or nil.
func (k *kept) find(log ci.LogID, prefix, filter string, cursor ci.EventID) *page {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := len(k.pages) - 1; i >= 0; i-- {
		p := k.pages[i]
		if p.log == log && p.prefix == prefix && p.filter == filter && p.after <= cursor && cursor < p.through {
			return p.page
		}
	}
	return nil
}

// crowded tells whether a page that is kept for later might be dropped before.
func (k *kept) crowded() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.bytes > keepBytes/2
}

// sweep drops what was kept long enough.
func (k *kept) sweep() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for now := time.Now(); len(k.pages) > 0 && k.pages[0].until.Before(now); {
		k.dropOldest()
	}
}

func (k *kept) dropOldest() {
	k.bytes -= k.pages[0].weight()
	k.pages[0].page = nil
	k.pages = k.pages[1:]
}
