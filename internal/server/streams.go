package server

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// A closer is something open that a shutdown has to close, and that has to end
// when its reader may not see it any more.
type closer struct {
	close func()
	slots []slot // that it counts to

	who   *caller // nil: it sees everything
	shown watched
}

// streams are all that are open.
type streams struct {
	limits *limits

	mu     sync.Mutex
	open   map[*closer]struct{}
	aside  map[*closer]struct{} // what is only watched: it counts to nothing, and ends by itself
	slots  tally
	closed bool
	empty  chan struct{} // closed when closed and empty
}

func (s *streams) add(c *closer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return &ci.Problem{Code: shuttingDown, Detail: "The server is shutting down; come back in a few seconds."}
	case len(s.open) >= s.limits.Streams:
		s.limits.refused[limitStreams].Add(1)
		return &ci.Problem{Code: ci.Overloaded, Limit: int64(s.limits.Streams), Detail: fmt.Sprintf("The server has %d streams open and takes no more; come back later.", s.limits.Streams)}
	case s.open == nil:
		s.open, s.slots = make(map[*closer]struct{}), make(tally)
	}
	if full, ok := s.slots.take(c.slots); !ok {
		return s.limits.tooManyOpen(full)
	}
	s.open[c] = struct{}{}
	return nil
}

// addAside adds what is only watched.
func (s *streams) addAside(c *closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aside == nil {
		s.aside = make(map[*closer]struct{})
	}
	s.aside[c] = struct{}{}
}

func (s *streams) remove(c *closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.aside, c)
	if _, there := s.open[c]; there {
		delete(s.open, c)
		s.slots.give(c.slots)
		if s.closed && len(s.open) == 0 {
			close(s.empty)
		}
	}
}

// watched are those that end when their readers may not see them any more.
func (s *streams) watched() (all []*closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if c.who != nil {
			all = append(all, c)
		}
	}
	return slices.AppendSeq(all, maps.Keys(s.aside))
}

func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// closeAll closes all at once.
func (s *streams) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		c.close()
	}
}

// closeEvenly closes all, evenly spread over a time and in random order, so
// that they do not all come back at once; then it waits until they are gone.
func (s *streams) closeEvenly(ctx context.Context, over time.Duration) {
	s.mu.Lock()
	s.closed = true
	s.empty = make(chan struct{})
	all := make([]*closer, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	s.mu.Unlock()
	if len(all) == 0 {
		return
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, c := range all {
		if wait := time.Until(start.Add(over * time.Duration(i) / time.Duration(len(all)))); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-s.empty:
				return
			case <-ctx.Done():
				s.closeAll()
				return
			}
		}
		c.close()
	}
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
}
