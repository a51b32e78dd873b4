package feed

import "github.com/stepcast/stepcast/internal/ci"

// Empty empties the log's tail, as may happen at any moment.
func (t *Tails) Empty(log ci.LogID) {
	t.mu.Lock()
	tail := t.tails[log]
	t.mu.Unlock()
	if tail == nil {
		return
	}
	tail.mu.Lock()
	tail.base, tail.segments = tail.end, nil
	tail.unlock()
}

// Held returns how much the log's tail holds, and how many readers wait at it.
// ok is false when there is no tail.
func (t *Tails) Held(log ci.LogID) (events, bytes, waiting int, ok bool) {
	t.mu.Lock()
	tail := t.tails[log]
	t.mu.Unlock()
	if tail == nil {
		return 0, 0, 0, false
	}
	tail.mu.Lock()
	defer tail.mu.Unlock()
	return int(tail.end - tail.base), tail.bytes(), len(tail.waiters.eager) + len(tail.waiters.waiting), true
}
