// Package turns shares a few places, and memory, between many who wait for them.
package turns

import (
	"context"
	"sync"
)

// Turns are places for work that takes memory and a processor, such as to unpack and
// decode a report: few bytes may become megabytes, and as many at once as there are
// connections would be gigabytes. Who asks is known, and all who wait have turns: one
// of each, then one more, and so on, so that who sends little waits for one piece of
// work of each other, however much these send.
type Turns struct {
	mu   sync.Mutex
	free int
	line Line[string, chan struct{}]
}

// New returns so many places, all of them free.
func New(places int) *Turns {
	return &Turns{free: places}
}

// Enter waits for a place, or for ctx; leave is called, once, behind the work.
func (t *Turns) Enter(ctx context.Context, who string) (leave func(), err error) {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return t.leave, nil
	}
	turn := make(chan struct{})
	t.line.Add(who, turn)
	t.mu.Unlock()
	select {
	case <-turn:
		return t.leave, nil
	case <-ctx.Done():
		t.giveUp(who, turn)
		return nil, ctx.Err()
	}
}

// giveUp takes somebody out of the line, or gives on the place that they have just got.
func (t *Turns) giveUp(who string, turn chan struct{}) {
	t.mu.Lock()
	waited := t.line.Remove(who, turn)
	t.mu.Unlock()
	if !waited {
		t.leave()
	}
}

// leave gives a place to whose turn it is.
func (t *Turns) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, some := t.line.First(); !some {
		t.free++
		return
	}
	_, turn := t.line.Next()
	close(turn)
}

// Waiting is how many wait.
func (t *Turns) Waiting() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, of := range t.line.waiting {
		n += len(of)
	}
	return n
}
