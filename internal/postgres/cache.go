package postgres

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"
)

// Hits are kept this long. Only what hardly ever changes is: which row and
// project a build has, what a token may do. A status or a head never.
const (
	keepHits = 5 * time.Second
	maxHits  = 10_000
)

// cache keeps hits for a few seconds, so that a storm of reconnects asks the
// database once. The zero value is empty.
type cache[K comparable, V any] struct {
	keep time.Duration // 0: keepHits

	mu      sync.Mutex
	hits    map[K]kept[V]
	cleared int // how often something of it was
}

type kept[V any] struct {
	value V
	until time.Time
}

func (c *cache[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.hits[key]
	if !ok || time.Now().After(hit.until) {
		var none V
		return none, false
	}
	return hit.value, true
}

// had tells whether there was a hit of a key lately, even if it is to be looked up
// again by now.
func (c *cache[K, V]) had(key K) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.hits[key]
	return ok
}

// generation is which one what is asked of the database now belongs to: it is taken before,
// and given to put.
func (c *cache[K, V]) generation() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cleared
}

// put keeps a hit, unless something was cleared since its generation: then it may be
// of a history that is past.
func (c *cache[K, V]) put(generation int, key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.cleared {
		return
	}
	if c.hits == nil || len(c.hits) >= maxHits {
		c.hits = make(map[K]kept[V])
	}
	c.hits[key] = kept[V]{value, time.Now().Add(cmp.Or(c.keep, keepHits))}
}

// drop lets the database be asked again.
func (c *cache[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.hits, key)
	c.cleared++
}

func (c *cache[K, V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hits = nil
	c.cleared++
}

// Space below which nothing is written any more: a full disk under the
// write-ahead log stops the whole database.
const minDiskFree = 256 << 20

// diskGauge knows how much space is left, a second late at most.
type diskGauge struct {
	free func() (uint64, error)

	asked atomic.Int64  // unix nanoseconds
	left  atomic.Uint64 // one more than there is; 0: not known yet
}

// bytes returns the space left; ok is false where it cannot be known.
func (g *diskGauge) bytes() (left uint64, ok bool) {
	if g.free == nil {
		return 0, false
	}
	now, asked := time.Now().UnixNano(), g.asked.Load()
	if now-asked > int64(time.Second) && g.asked.CompareAndSwap(asked, now) {
		left, err := g.free()
		if err != nil {
			return 0, false
		}
		g.left.Store(left + 1)
		return left, true
	}
	if left = g.left.Load(); left == 0 {
		return 0, false
	}
	return left - 1, true
}

func (s *Store) diskIsFull() bool {
	left, ok := s.disk.bytes()
	return ok && left < minDiskFree
}
