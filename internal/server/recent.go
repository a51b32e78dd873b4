package server

import "sync"

// A recent remembers what was said of a few keys lately, through this process: at least half
// as many as it may, the newest ones.
type recent[K comparable, V any] struct {
	most int // it may remember so many

	mu          sync.Mutex
	now, former map[K]V
}

// remember remembers what is said of a key, for the next time.
func (r *recent[K, V]) remember(key K, said V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(key, said)
}

func (r *recent[K, V]) put(key K, said V) {
	if _, there := r.now[key]; r.now == nil || !there && len(r.now) >= r.most/2 {
		r.former, r.now = r.now, make(map[K]V)
	}
	r.now[key] = said
}

// swap is remember, and tells what was said of the key before.
func (r *recent[K, V]) swap(key K, said V) (before V, known bool) {
	r.change(key, func(of V, there bool) V {
		before, known = of, there
		return said
	})
	return before, known
}

// change remembers of a key what follows from what was said of it before.
func (r *recent[K, V]) change(key K, after func(before V, known bool) V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(key, after(r.find(key)))
}

// recall tells what was said of a key.
func (r *recent[K, V]) recall(key K) (said V, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.find(key)
}

func (r *recent[K, V]) find(key K) (V, bool) {
	said, known := r.now[key]
	if !known {
		said, known = r.former[key]
	}
	return said, known
}
