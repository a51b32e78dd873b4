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
type Queue[T any] struct {
	maxQueued int64
	maxBatch  int64
	wake      chan struct{} // one slot: something was added

	mu     sync.Mutex
	items  []sized[T]
	queued int64 // the sum of the sizes of items
	closed bool
}

type sized[T any] struct {
	item T
	size int64
}

// New returns a queue that holds items of at most maxQueued bytes in all and
// cuts batches at maxBatch bytes; a single larger item is a batch of its own.
func New[T any](maxQueued, maxBatch int64) *Queue[T] {
	return &Queue[T]{maxQueued: maxQueued, maxBatch: maxBatch, wake: make(chan struct{}, 1)}
}

// Add queues an item of size bytes, or returns ErrFull or ErrClosed.
func (q *Queue[T]) Add(item T, size int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.queued > 0 && q.queued+size > q.maxQueued {
		return ErrFull
	}
	q.items = append(q.items, sized[T]{item, size})
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
	return len(q.items) == 0
}

func (q *Queue[T]) take() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, int64(0)
	for n < len(q.items) && (n == 0 || size+q.items[n].size <= q.maxBatch) {
		size += q.items[n].size
		n++
	}
	batch := make([]T, n)
	for i := range batch {
		batch[i] = q.items[i].item
	}
	rest := copy(q.items, q.items[n:])
	clear(q.items[rest:])
	q.items = q.items[:rest]
	q.queued -= size
	return batch
}
