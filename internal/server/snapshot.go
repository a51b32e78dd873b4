package server

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Bounds of the feed's snapshots.
const (
	snapshotMost  = 1000 // builds in one
	snapshotReads = 4    // at once
	snapshotWait  = 10 * time.Second
)

// snapshotJSON is the newest build of each project and branch.
type snapshotJSON struct {
	Builds    []snapshotBuild `json:"builds"`
	Truncated bool            `json:"truncated,omitempty"`
}

type snapshotBuild struct {
	ci.Build
	Steps    []ci.Step `json:"steps"`
	Expected *float64  `json:"expected_s"` // seconds
}

// snapshots are those that wait to be read. All the pages that a restart has
// disconnected come back at once, and many ask for the same: they share a read,
// which begins after the last of them has asked, so that each gets what is true
// then.
type snapshots struct {
	slots chan struct{} // one in it for each that is being read

	mu      sync.Mutex
	waiting map[string]*snapshotRead // by what is asked for
}

// snapshotRead is a snapshot and, once done is closed, what came of it.
type snapshotRead struct {
	done chan struct{}
	data []byte    // JSON
	at   ci.Cursor // the event at which it is true
	err  error
}

// snapshot lets a member of the feed begin with what is, rather than with what
// was.
func (s *Server) snapshot(ctx context.Context, m *member) error {
	filter, reach := m.filter, m.reach()
	key := fmt.Sprintf("%#v", filter) // and of its reader's sight
	r := s.snapshots.join(key, func() ([]byte, ci.Cursor, error) { return s.readSnapshot(reach, filter) })
	select {
	case <-r.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.err == nil {
		m.begin, m.cursor = r.data, r.at
	}
	return r.err
}

func (s *Server) readSnapshot(reach ci.Reach, filter ci.Filter) ([]byte, ci.Cursor, error) {
	ctx, cancel := context.WithTimeout(context.Background(), snapshotWait) // nobody's own: others may wait for it
	defer cancel()
	snap, err := s.store.FeedSnapshot(ctx, reach, filter, snapshotMost)
	if err != nil {
		return nil, ci.Cursor{}, fmt.Errorf("read snapshot: %w", err)
	}
	v := snapshotJSON{Builds: make([]snapshotBuild, len(snap.Builds)), Truncated: snap.Truncated}
	for i, b := range snap.Builds {
		v.Builds[i] = snapshotBuild{b.Build, append([]ci.Step{}, b.Steps...), b.Expected}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, ci.Cursor{}, fmt.Errorf("encode snapshot: %w", err)
	}
	return data, ci.Cursor{Prefix: ci.CursorPrefix(snap.Epoch, ci.FeedName), ID: snap.At}, nil
}

// join returns the snapshot of this key that waits to be read, or has one read.
func (s *snapshots) join(key string, read func() ([]byte, ci.Cursor, error)) *snapshotRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, there := s.waiting[key]
	if !there {
		r = &snapshotRead{done: make(chan struct{})}
		s.waiting[key] = r
		go s.read(key, r, read)
	}
	return r
}

// read reads a snapshot when its turn comes.
func (s *snapshots) read(key string, r *snapshotRead, read func() ([]byte, ci.Cursor, error)) {
	s.slots <- struct{}{}
	s.mu.Lock()
	delete(s.waiting, key)
	s.mu.Unlock()
	r.data, r.at, r.err = read()
	<-s.slots
	close(r.done)
}
