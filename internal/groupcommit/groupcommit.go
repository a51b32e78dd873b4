// Package groupcommit lets many callers share one commit. While one batch is
// being committed the next one gathers; nobody waits for a timer. An idle
// caller pays one commit, a busy server one commit for everybody.
package groupcommit

import (
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
// Senders have turns: a batch takes one item of each that has any, then one more,
// and so on, each sender's in their order. So who sends little waits for one
// batch, however much others send. None of them gets more of the queue than it
// leaves free: one alone fills half, two a third each, and so on, so that however
// many send much, there is room for who sends little. A sender without a name has
// turns like any other, but may fill the whole queue.
type Queue[T any] struct {
	maxQueued int64
	maxBatch  int64
	wake      chan struct{} // one slot: something was added

	mu      sync.Mutex
	senders map[string]*sender[T]
	turns   []*sender[T] // those that have items, whose turn comes first at the front
	queued  int64        // the sum of the sizes of items
	closed  bool
}

type sender[T any] struct {
	name   string
	items  []sized[T] // at least one
	queued int64
}

type sized[T any] struct {
	item T
	size int64
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
	s := q.senders[from]
	own := size
	if s != nil {
		own += s.queued
	}
	if free := q.maxQueued - q.queued - size; q.queued > 0 && (free < 0 || from != "" && own > free) {
		return ErrFull
	}
	if s == nil {
		s = &sender[T]{name: from}
		q.senders[from] = s
		q.turns = append(q.turns, s)
	}
	s.items = append(s.items, sized[T]{item, size})
	s.queued += size
	q.queued += size
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
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

func (q *Queue[T]) take() (batch []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := int64(0)
	for len(q.turns) > 0 {
		s := q.turns[0]
		next := s.items[0]
		if len(batch) > 0 && size+next.size > q.maxBatch {
			break
		}
		batch = append(batch, next.item)
		size += next.size
		s.queued -= next.size
		s.items[0] = sized[T]{}
		s.items = s.items[1:]
		q.turns[0] = nil
		if q.turns = q.turns[1:]; len(s.items) > 0 {
			q.turns = append(q.turns, s)
		} else {
			delete(q.senders, s.name)
		}
	}
	q.queued -= size
	return batch
}
