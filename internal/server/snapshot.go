package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Bounds of the feed's snapshots.
const (
	snapshotMost  = 1000 // builds in one
	snapshotReads = 2    // of the database at once
	snapshotBatch = 32   // in one of these
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
	Broken   bool      `json:"broken"`
}

// snapshots are those that wait to be read. All the pages that a restart has
// disconnected come back at once, each for a project or a few: those that wait share
// a read, which begins after the last of them has asked, so that each gets what is
// true then; and who waits for the same shares the answer too.
type snapshots struct {
	ask func(ctx context.Context, queries []postgres.FeedQuery, limit int) ([]postgres.FeedSnapshot, error)

	mu      sync.Mutex
	waiting []*snapshotRead // in order
	byKey   map[string]*snapshotRead
	reading int
}

// snapshotRead is a snapshot and, once done is closed, what came of it.
type snapshotRead struct {
	key   string
	query postgres.FeedQuery
	asked int // by how many who still wait for it; guarded by mu
	done  chan struct{}
	data  []byte    // JSON
	at    ci.Cursor // the event at which it is true
	err   error
}

// snapshot lets a member of the feed begin with what is, rather than with what
// was.
func (s *Server) snapshot(ctx context.Context, m *member) error {
	r := s.snapshots.join(postgres.FeedQuery{Reach: m.reach(), Filter: m.filter})
	select {
	case <-r.done:
	case <-ctx.Done():
		s.snapshots.leave(r)
		return ctx.Err()
	}
	if r.err == nil {
		m.begin, m.cursor = r.data, r.at
	}
	return r.err
}

// join returns the snapshot that answers a query, once it has been read.
func (s *snapshots) join(query postgres.FeedQuery) *snapshotRead {
	key := fmt.Sprintf("%#v", query.Filter) // and of its reader's sight
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, there := s.byKey[key]; there {
		r.asked++
		return r
	}
	r := &snapshotRead{key: key, query: query, asked: 1, done: make(chan struct{})}
	if s.byKey == nil {
		s.byKey = make(map[string]*snapshotRead)
	}
	s.waiting, s.byKey[key] = append(s.waiting, r), r
	if s.reading < snapshotReads {
		s.reading++
		go s.readAll()
	}
	return r
}

// leave is for who waits no longer. What nobody waits for is not read.
func (s *snapshots) leave(r *snapshotRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.asked--; r.asked > 0 || s.byKey[r.key] != r {
		return
	}
	delete(s.byKey, r.key)
	s.waiting = slices.DeleteFunc(s.waiting, func(other *snapshotRead) bool { return other == r })
}

// readAll reads until none waits.
func (s *snapshots) readAll() {
	for {
		batch := s.take()
		if len(batch) == 0 {
			return
		}
		s.read(batch)
	}
}

// take takes those that are read next; none ends the reader.
func (s *snapshots) take() []*snapshotRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), snapshotBatch)
	if n == 0 {
		s.waiting = nil
		s.reading--
	}
	batch := s.waiting[:n]
	s.waiting = s.waiting[n:]
	for _, r := range batch {
		delete(s.byKey, r.key)
	}
	return batch
}

// read answers a batch, as one read of the database.
func (s *snapshots) read(batch []*snapshotRead) {
	ctx, cancel := context.WithTimeout(context.Background(), snapshotWait) // nobody's own: others wait for it too
	defer cancel()
	queries := make([]postgres.FeedQuery, len(batch))
	for i, r := range batch {
		queries[i] = r.query
	}
	snaps, err := s.ask(ctx, queries, snapshotMost)
	for i, r := range batch {
		if r.err = err; err != nil {
			r.err = fmt.Errorf("read snapshot: %w", err)
		} else {
			r.at = ci.Cursor{Prefix: ci.CursorPrefix(snaps[i].Epoch, ci.FeedName), ID: snaps[i].At}
			r.data, r.err = snapshotData(&snaps[i])
		}
		close(r.done)
	}
}

func snapshotData(snap *postgres.FeedSnapshot) ([]byte, error) {
	v := snapshotJSON{Builds: make([]snapshotBuild, len(snap.Builds)), Truncated: snap.Truncated}
	for i, b := range snap.Builds {
		v.Builds[i] = snapshotBuild{b.Build, append([]ci.Step{}, b.Steps...), b.Expected, b.Broken}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return data, nil
}
