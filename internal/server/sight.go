package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// sightKept is how long it is taken for granted which projects are public.
const sightKept = 2 * time.Second

// publics are the public projects, as of sightKept ago at most.
type publics struct {
	mu    sync.Mutex
	known *ci.Publics
	at    time.Time
}

// publics reads which projects are public, unless that was just done.
func (s *Server) publics(ctx context.Context) (*ci.Publics, error) {
	p := &s.public
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil && time.Since(p.at) < sightKept {
		return p.known, nil
	}
	at := time.Now()
	now, err := s.store.Publics(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which projects are public: %w", err)
	}
	if p.known == nil || !p.known.Same(now) {
		p.known = now
	}
	p.at = at
	return p.known, nil
}

// look settles what a member of the feed may see.
func (s *Server) look(ctx context.Context, m *member) error {
	if m.reach.All {
		return nil
	}
	public, err := s.publics(ctx)
	if err != nil {
		return err
	}
	m.filter.Sight = &ci.Sight{Reach: m.reach, Public: public}
	return nil
}
