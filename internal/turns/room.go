package turns

import (
	"context"
	"sync"
)

// A Room is memory that each of many may take so much of at once: who has taken it all
// waits for what it lets go of, and nobody else does.
type Room struct {
	most int // bytes of one
	mu   sync.Mutex
	of   map[string]*taken
}

// taken is what one has of a room.
type taken struct {
	bytes   int
	waiting []*Hold // in their order
}

// NewRoom returns a room of so many bytes for each.
func NewRoom(most int) *Room {
	return &Room{most: most, of: make(map[string]*taken)}
}

// A Hold is bytes that somebody has taken, or waits for. Nil holds nothing.
type Hold struct {
	room  *Room
	who   string
	bytes int
	ready chan struct{} // closed when they are taken
}

// Take waits until there are so many bytes for who, or for ctx. Whoever has taken none
// gets them at once, however many they are. The one without a name always does.
func (r *Room) Take(ctx context.Context, who string, bytes int) (*Hold, error) {
	if who == "" {
		return nil, nil
	}
	bytes = max(bytes, 1)
	h := &Hold{r, who, bytes, nil}
	r.mu.Lock()
	one := r.of[who]
	if one == nil {
		one = &taken{}
		r.of[who] = one
	}
	if len(one.waiting) == 0 && r.fits(one, bytes) {
		one.bytes += bytes
		r.mu.Unlock()
		return h, nil
	}
	h.ready = make(chan struct{})
	one.waiting = append(one.waiting, h)
	r.mu.Unlock()
	select {
	case <-h.ready:
		return h, nil
	case <-ctx.Done():
		r.giveUp(h)
		return nil, ctx.Err()
	}
}

// Begin returns a hold of nothing, which may grow. The one without a name may at will.
func (r *Room) Begin(who string) *Hold {
	if who == "" {
		return nil
	}
	return &Hold{r, who, 0, nil}
}

// Grow takes so many bytes more if there is room for them, and nobody waits for it. A hold
// alone may be of any size.
func (h *Hold) Grow(bytes int) bool {
	if h == nil || bytes == 0 {
		return true
	}
	r := h.room
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of[h.who]
	if one == nil {
		one = &taken{}
		r.of[h.who] = one
	}
	if one.bytes != h.bytes && (one.bytes+bytes > r.most || len(one.waiting) > 0) {
		return false
	}
	one.bytes, h.bytes = one.bytes+bytes, h.bytes+bytes
	return true
}

// Full tells whether so many bytes more have to wait now.
func (r *Room) Full(who string, bytes int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of[who]
	return one != nil && (len(one.waiting) > 0 || !r.fits(one, bytes))
}

func (r *Room) fits(one *taken, bytes int) bool {
	return one.bytes == 0 || one.bytes+bytes <= r.most
}

// Keep lets go of all but so many bytes. With none, it is the end of the hold.
func (h *Hold) Keep(bytes int) {
	if h == nil {
		return
	}
	h.room.mu.Lock()
	defer h.room.mu.Unlock()
	if less := h.bytes - bytes; less > 0 {
		h.bytes = bytes
		h.room.let(h.who, less)
	}
}

// let gives bytes back, to those who wait. The caller holds mu.
func (r *Room) let(who string, bytes int) {
	one := r.of[who]
	one.bytes -= bytes
	for len(one.waiting) > 0 && r.fits(one, one.waiting[0].bytes) {
		next := one.waiting[0]
		one.waiting = one.waiting[1:]
		one.bytes += next.bytes
		close(next.ready)
	}
	if one.bytes == 0 && len(one.waiting) == 0 {
		delete(r.of, who)
	}
}

// giveUp takes a hold out of the line, or gives back what it has just got.
func (r *Room) giveUp(h *Hold) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of[h.who]
	for i, w := range one.waiting {
		if w == h {
			one.waiting = append(one.waiting[:i], one.waiting[i+1:]...)
			r.let(h.who, 0) // the next may fit where this one did not
			return
		}
	}
	r.let(h.who, h.bytes)
}

// Waiting is how many wait.
func (r *Room) Waiting() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.of {
		n += len(one.waiting)
	}
	return n
}
