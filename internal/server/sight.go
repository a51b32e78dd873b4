package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/feed"
	"github.com/stepcast/stepcast/internal/postgres"
)

// recheckEvery is how often open streams are held to what their readers may see,
// and how long it is taken for granted which projects are public.
const recheckEvery = 2 * time.Second

// recheckWait bounds the query for it.
const recheckWait = 2 * time.Second

// sightChanged is the reason of a reset for a reader who sees other projects
// than before.
const sightChanged feed.Reason = "access"

// sight is what the server knows of which projects are public.
type sight struct {
	mu       sync.Mutex
	known    *ci.Publics
	at       time.Time
	changed  time.Time  // when this server changed it last: what was read before is of no use
	reading  *sightRead // nil: nobody asks, or what is read is of no use
	rechecks bool       // whether what is open is rechecked
}

// sightRead is a read of what is public and, once done is closed, what came of
// it.
type sightRead struct {
	done   chan struct{}
	public *ci.Publics
	err    error
}

// publics are the projects that are public. What it knows is older than recheckEvery by
// no more than a read takes. One read is for all who ask meanwhile.
func (s *Server) publics(ctx context.Context) (*ci.Publics, error) {
	s.sight.mu.Lock()
	if s.sight.known != nil && s.sight.at.After(s.sight.changed) && time.Since(s.sight.at) < recheckEvery {
		defer s.sight.mu.Unlock()
		return s.sight.known, nil
	}
	r := s.sight.reading
	if r == nil {
		r = &sightRead{done: make(chan struct{})}
		s.sight.reading = r
		go s.readPublics(r)
	}
	s.sight.mu.Unlock()
	select {
	case <-r.done:
		return r.public, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Server) readPublics(r *sightRead) {
	ctx, cancel := context.WithTimeout(context.Background(), recheckWait) // nobody's own: others wait for it too
	defer cancel()
	at := time.Now()
	public, _, err := s.store.Access(ctx, postgres.Shown{})
	s.sight.mu.Lock()
	defer s.sight.mu.Unlock()
	if err != nil {
		r.err = fmt.Errorf("read which projects are public: %w", err)
	} else {
		r.public = s.sight.take(public, at)
	}
	if s.sight.reading == r {
		s.sight.reading = nil
	}
	close(r.done)
}

// change has it read again before the next who asks is told: whoever makes a
// project public on this server, and then looks, is not told otherwise.
func (s *sight) change() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed, s.reading = time.Now(), nil
}

// take keeps what was read at a moment, and returns the newest that was. mu is
// held.
func (s *sight) take(public *ci.Publics, at time.Time) *ci.Publics {
	if at.Before(s.at) { // somebody else began later and was faster
		return s.known
	}
	s.known, s.at = public.After(s.known), at
	return s.known
}

// settleSight says what a member of the feed may see. Who comes back from a time
// when that was something else begins anew.
func (s *Server) settleSight(ctx context.Context, m *member, reach ci.Reach) error {
	if reach.All {
		return nil
	}
	public, err := s.publics(ctx)
	if err != nil {
		return err
	}
	m.filter.Sight = &ci.Sight{Reach: reach, Public: public}
	if m.given && m.cursor != feed.BadCursor && !m.filter.Sight.Holds(&m.filter, m.cursor.ID) {
		m.reset = sightChanged
	}
	return nil
}

// reach is what the reader of a member may see.
func (m *member) reach() ci.Reach {
	if m.filter.Sight == nil {
		return ci.Reach{All: true}
	}
	return m.filter.Sight.Reach
}

// watched is what is open for a caller who may not see everything.
type watched interface {
	// sees tells whether the caller may still see all of it.
	sees(who *caller, now *ci.Publics) bool
	shut()
}

// watch opens something, which is shut when its caller may not see it any more.
func (s *Server) watch(who *caller, entry *closer, shown watched) error {
	if who.open {
		return s.open.add(entry)
	}
	entry.who, entry.shown = who, shown
	if err := s.open.add(entry); err != nil {
		return err
	}
	s.startRechecks()
	return nil
}

// watchUpload watches an upload, which is no stream and counts as none, until done.
func (s *Server) watchUpload(who *caller, shown watched) (done func()) {
	entry := &closer{who: who, shown: shown}
	s.open.addAside(entry)
	s.startRechecks()
	return func() { s.open.remove(entry) }
}

// startRechecks has what is open rechecked every now and then, if it is not already.
func (s *Server) startRechecks() {
	s.sight.mu.Lock()
	defer s.sight.mu.Unlock()
	if !s.sight.rechecks {
		s.sight.rechecks = true
		go s.recheckUntilIdle()
	}
}

// recheckUntilIdle rechecks what is open, every now and then, until none is watched.
func (s *Server) recheckUntilIdle() {
	ticker := time.NewTicker(recheckEvery)
	defer ticker.Stop()
	for range ticker.C {
		s.sight.mu.Lock()
		watched := s.open.watched()
		s.sight.rechecks = len(watched) > 0
		s.sight.mu.Unlock()
		if len(watched) == 0 {
			return
		}
		s.recheck(watched)
	}
}

// recheck ends what readers may not see any more. While the database is away
// nothing can be known, and nothing new can be seen.
func (s *Server) recheck(watched []*closer) {
	shown := postgres.Shown{Tokens: make(map[[32]byte]bool), Sessions: make(map[int64]bool)}
	for _, entry := range watched {
		for _, sum := range entry.who.tokens {
			shown.Tokens[sum] = true
		}
		if session := entry.who.session; session != nil {
			shown.Sessions[session.ID] = true
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), recheckWait)
	defer cancel()
	at := time.Now()
	public, inForce, err := s.store.Access(ctx, shown)
	if err != nil {
		s.log.Warn("who may see the open streams cannot be read", "error", err)
		return
	}
	s.sight.mu.Lock()
	public = s.sight.take(public, at)
	s.sight.mu.Unlock()
	for _, entry := range watched {
		if !entry.who.holds(inForce) || !entry.shown.sees(entry.who, public) {
			entry.shown.shut()
		}
	}
}

// holds tells whether all that the caller has shown is in force.
func (w *caller) holds(inForce postgres.Shown) bool {
	for _, sum := range w.tokens {
		if !inForce.Tokens[sum] {
			return false
		}
	}
	return w.session == nil || inForce.Sessions[w.session.ID]
}
