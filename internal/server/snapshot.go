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
	snapshotKept  = time.Second // for others who ask for the same
	snapshotBytes = 16 << 20    // kept in all
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

// snapshots are those that are being read or were read a moment ago. All the
// pages that a restart has disconnected come back at once, and many ask for the
// same. A snapshot that is a moment old is as good as any: whoever gets it goes on
// from the event at which it is true.
type snapshots struct {
	slots chan struct{} // one in it for each that is being read

	mu    sync.Mutex
	reads map[string]*snapshotRead // by what is asked for
	bytes int                      // of those that were read
}

// snapshotRead is a snapshot and, once done is closed, what came of it.
type snapshotRead struct {
	done chan struct{}
	data []byte    // JSON
	at   ci.Cursor // the event at which it is true
	err  error
}

// snapshot lets a member of the feed begin with what is, rather than with what
// was. If it has a cursor, that is of the history which is meant.
func (s *Server) snapshot(ctx context.Context, m *member) error {
	key := fmt.Sprintf("%#v", m.filter) // and of its reader's sight
	for {
		r, mine := s.snapshots.join(key)
		if mine {
			filter, reach := m.filter, m.reach()
			go s.snapshots.read(key, r, func() ([]byte, ci.Cursor, error) { return s.readSnapshot(reach, filter) })
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if r.err != nil {
			return r.err
		}
		if mine || m.cursor.Prefix == "" || m.cursor.Prefix == r.at.Prefix {
			m.begin, m.cursor = r.data, r.at
			return nil
		}
		s.snapshots.drop(key, r) // the history that it is of is past
	}
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

// join returns the snapshot that is asked for, or a new one, which is the
// caller's to read.
func (s *snapshots) join(key string) (r *snapshotRead, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, there := s.reads[key]; there {
		return r, false
	}
	r = &snapshotRead{done: make(chan struct{})}
	s.reads[key] = r
	return r, true
}

// read reads a snapshot when its turn comes, and keeps it for a moment unless
// that would be too much.
func (s *snapshots) read(key string, r *snapshotRead, read func() ([]byte, ci.Cursor, error)) {
	s.slots <- struct{}{}
	r.data, r.at, r.err = read()
	<-s.slots
	close(r.done)
	s.mu.Lock()
	s.bytes += len(r.data)
	keep := r.err == nil && s.bytes <= snapshotBytes
	s.mu.Unlock()
	if keep {
		time.AfterFunc(snapshotKept, func() { s.forget(key, r) })
	} else {
		s.forget(key, r)
	}
}

func (s *snapshots) forget(key string, r *snapshotRead) {
	s.drop(key, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= len(r.data)
}

// drop lets nobody else join.
func (s *snapshots) drop(key string, r *snapshotRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads[key] == r {
		delete(s.reads, key)
	}
}
