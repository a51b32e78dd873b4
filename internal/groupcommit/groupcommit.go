// Package groupcommit lets many callers share one commit. While one batch is
// being committed the next one gathers; nobody waits for a timer. An idle
// caller pays one commit, a busy server one commit for everybody.
package groupcommit

import (
	"container/heap"
	"context"
	"errors"
	"sync"
)

// ErrFull is returned by Add when the queue holds as much as it may.
var ErrFull = errors.New("groupcommit: the queue is full")

// ErrClosed is returned by Add once Run has ended.
var ErrClosed = errors.New("groupcommit: closed")

// Queue gathers items of type T into batches. What is in the queue was
// accepted: Run commits it even when it is told to end.
//
// Senders have turns, by the bytes that each has had, each sender's items in their
// order: what is taken next is what would be through first if all that have any
// were served at once, each at the same pace (weighted fair queueing). So who sends
// little waits for one batch, however much others send, and however many they are.
// None of them gets more of the queue than it leaves free: one alone fills half, two a
// third each, and so on, so that however many send much, there is room for who
// sends little. A sender without a name has turns like any other, but may fill the
// whole queue.
type Queue[T any] struct {
	maxQueued int64
	maxBatch  int64
	wake      chan struct{} // one slot: something was added

	mu      sync.Mutex
	senders map[string]*sender[T] // those that have items, or have had more than their part
	turns   turns[T]              // those that have items, a heap
	ahead   turns[T]              // the others, a heap
	had     float64               // bytes that each would have had since the queue was empty
	given   int64                 // how many turns were given
	queued  int64                 // the sum of the sizes of items
	closed  bool
}

type sender[T any] struct {
	name   string
	items  []sized[T]
	again  []sized[T] // what was put back, before items; the first is the last
	queued int64
	turn   float64 // what each will have had when the first item, or else the last one, is through
	order  int64   // of those whose turns are the same
	place  int     // in the heap that it is in
}

type sized[T any] struct {
	item T
	size int64
}

func (s *sender[T]) some() bool { return len(s.again)+len(s.items) > 0 }

// first is where the first item is.
func (s *sender[T]) first() *sized[T] {
	if n := len(s.again); n > 0 {
		return &s.again[n-1]
	}
	return &s.items[0]
}

// take takes the first item.
func (s *sender[T]) take() sized[T] {
	first := s.first()
	taken := *first
	*first = sized[T]{}
	if n := len(s.again); n > 0 {
		s.again = s.again[:n-1]
	} else {
		s.items = s.items[1:]
	}
	s.queued -= taken.size
	return taken
}

// New returns a queue that holds items of at most maxQueued bytes in all and
// cuts batches at maxBatch bytes; a single larger item is a batch of its own.
func New[T any](maxQueued, maxBatch int64) *Queue[T] {
	return &Queue[T]{maxQueued: maxQueued, maxBatch: maxBatch, wake: make(chan struct{}, 1), senders: make(map[string]*sender[T])}
}

// Add queues an item of size bytes, or returns ErrFull or ErrClosed.
func (q *Queue[T]) Add(from string, item T, size int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if !q.takes(from, size) {
		return ErrFull
	}
	s := q.sender(from, size)
	s.items = append(s.items, sized[T]{item, size})
	s.queued += size
	q.queued += size
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// takes tells whether an item of size bytes may be added.
func (q *Queue[T]) takes(from string, size int64) bool {
	own := size
	if s := q.senders[from]; s != nil {
		own += s.queued
	}
	free := q.maxQueued - q.queued - size
	return q.queued == 0 || free >= 0 && (from == "" || own <= free)
}

// Takes tells whether Add would take an item of size bytes now: who has to work for it
// first need not, where it would be refused.
func (q *Queue[T]) Takes(from string, size int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.takes(from, size)
}

// Queued is how many bytes of items wait for their batch.
func (q *Queue[T]) Queued() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.queued
}

// Run calls commit for one batch after the other until ctx is done and the
// queue is empty. Only one Run may be active.
func (q *Queue[T]) Run(ctx context.Context, commit func(batch []T)) {
	for {
		if batch := q.take(); len(batch) > 0 {
			commit(batch)
			continue
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			if q.close() {
				return
			}
		}
	}
}

// close refuses further items; it tells whether the queue was empty.
func (q *Queue[T]) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	return len(q.turns) == 0
}

// PutBack lets an item that was taken be the first of its sender's again: commit found
// that it takes longer than its size tells, and others have their turn before it. It is
// accepted already, and so there is always room. Of several, the last goes first.
func (q *Queue[T]) PutBack(from string, item T, size int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.sender(from, size)
	s.again = append(s.again, sized[T]{item, size})
	s.queued += size
	q.queued += size
}

// sender is who has a name, with a turn for an item of size bytes if it had none.
func (q *Queue[T]) sender(name string, size int64) *sender[T] {
	s, known := q.senders[name]
	switch {
	case !known:
		s = &sender[T]{name: name}
		q.senders[name] = s
	case s.some():
		return s
	default:
		heap.Remove(&q.ahead, s.place)
	}
	q.giveTurn(s, size)
	heap.Push(&q.turns, s)
	return s
}

// giveTurn sets when the first item of a sender, of size bytes, has its turn: behind
// the one before it, if there was one. Who was away has saved up nothing.
func (q *Queue[T]) giveTurn(s *sender[T], size int64) {
	q.given++
	s.turn, s.order = max(q.had, s.turn)+float64(size), q.given
}

// share lets all have had their part of some bytes. Those that are ahead leave when the
// others have had as much, and what is left is for these alone.
func (q *Queue[T]) share(bytes float64) {
	for len(q.senders) > 0 {
		each := bytes / float64(len(q.senders))
		if len(q.ahead) == 0 || q.had+each < q.ahead[0].turn {
			q.had += each
			return
		}
		first := heap.Pop(&q.ahead).(*sender[T])
		reached := max(q.had, first.turn)
		bytes -= (reached - q.had) * float64(len(q.senders))
		q.had = reached
		delete(q.senders, first.name)
	}
}

func (q *Queue[T]) take() (batch []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := int64(0)
	for len(q.turns) > 0 {
		s := q.turns[0]
		if len(batch) > 0 && size+s.first().size > q.maxBatch {
			break
		}
		next := s.take()
		batch = append(batch, next.item)
		size += next.size
		if s.some() {
			q.giveTurn(s, s.first().size)
			heap.Fix(&q.turns, 0)
		} else {
			heap.Pop(&q.turns)
			heap.Push(&q.ahead, s)
		}
		q.share(float64(next.size))
	}
	if q.queued -= size; len(q.turns) == 0 {
		clear(q.senders)
		q.ahead, q.had = nil, 0
	}
	return batch
}

// turns is a heap of senders, whose turn comes first at the front.
type turns[T any] []*sender[T]

func (t turns[T]) Len() int { return len(t) }
func (t turns[T]) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}
func (t turns[T]) Less(i, j int) bool {
	if t[i].turn != t[j].turn {
		return t[i].turn < t[j].turn
	}
	return t[i].order < t[j].order
}
func (t *turns[T]) Push(x any) {
	s := x.(*sender[T])
	s.place = len(*t)
	*t = append(*t, s)
}
func (t *turns[T]) Pop() any {
	last := len(*t) - 1
	s := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return s
}
