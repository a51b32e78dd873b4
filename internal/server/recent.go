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
	if r.now == nil || len(r.now) >= r.most/2 {
		r.former, r.now = r.now, make(map[K]V)
	}
	r.now[key] = said
}

// swap is remember, and tells what was said of the key before.
func (r *recent[K, V]) swap(key K, said V) (before V, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known = r.find(key)
	r.put(key, said)
	return before, known
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
