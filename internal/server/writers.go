package server

import (
	"runtime"
	"sync"
)

// writers take turns for the streams that have a connection of their own. A
// stream that waits has no goroutine that could be woken: whoever pokes it
// queues it, and one of a few goroutines, as many as there are processors,
// writes to one stream after the other without ever waiting for a peer. A peer
// that does not take everything at once gets a goroutine until it has caught
// up. They begin with the first stream that is queued and end with the last.
type writers struct {
	mu      sync.Mutex
	queued  []*stream
	next    int // in queued
	running int
}

// writersTake is how many streams a writer takes from the queue at once.
const writersTake = 16

// The state of a driven stream. It has one owner at a time: nobody while it is
// idle, the queue, or whoever has its turn.
const (
	idle    int32 = iota
	queued        // its turn will come
	running       // somebody has its turn
	again         // and was poked since it began
)

// queue sees to it that the stream has a turn that begins after this moment.
func (st *stream) queue() {
	for {
		switch state := st.state.Load(); state {
		case idle:
			if st.state.CompareAndSwap(idle, queued) {
				st.server.writers.add(st)
				return
			}
		case running:
			if st.state.CompareAndSwap(running, again) {
				return
			}
		default:
			return
		}
	}
}

// drive takes turns until the stream is idle, handed on or at its end. The
// caller has its turn.
func (st *stream) drive(patient bool) {
	for {
		st.state.Store(running)
		switch st.turn(patient) {
		case handedOn:
			return
		case over: // it stays running: nothing queues it any more
			if patient {
				st.end()
			} else {
				go st.end() // over TLS the goodbye may wait five seconds for a peer that takes nothing
			}
			return
		}
		if st.state.CompareAndSwap(running, idle) {
			return
		}
	}
}

func (w *writers) add(st *stream) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queued = append(w.queued, st)
	if w.running < runtime.GOMAXPROCS(0) {
		w.running++
		go w.run()
	}
}

func (w *writers) run() {
	var batch [writersTake]*stream
	for {
		n := w.take(batch[:])
		if n == 0 {
			return
		}
		for i, st := range batch[:n] {
			st.drive(false)
			batch[i] = nil
		}
	}
}

// take takes streams from the queue; none ends the writer.
func (w *writers) take(batch []*stream) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := copy(batch, w.queued[w.next:])
	clear(w.queued[w.next : w.next+n])
	if w.next += n; w.next == len(w.queued) {
		w.queued, w.next = w.queued[:0], 0
		if cap(w.queued) > 64<<10 {
			w.queued = nil
		}
	}
	if n == 0 {
		w.running--
	}
	return n
}
