package server

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/turns"
)

// Bounds of the feed's snapshots.
const (
	snapshotMost   = 1000                   // builds in one
	snapshotReads  = 2                      // of the database at once, of what is quick
	snapshotBatch  = 32                     // in one of these
	snapshotQuick  = 250 * time.Millisecond // for one by itself, each statement
	snapshotShared = time.Second            // for one that is shared: the database may be slow for all
	snapshotWait   = 10 * time.Second
	snapshotLarge  = 4 << 20     // bytes
	snapshotHeavy  = time.Minute // for which whoever asked for what was not quick, or large, counts as asking for such
)

// snapshotBuild is one of a snapshot's builds: {"builds":[…],"truncated":true}.
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
//
// Nobody waits for long because another's is large, or looked for among very many
// projects and branches: a read that was not quick, or not small, is made again for each
// by itself; and what was not quick by itself, or is large, behind whatever else is so.
type snapshots struct {
	ask func(ctx context.Context, queries []postgres.FeedQuery, limit int, within time.Duration) ([]postgres.FeedSnapshot, error)

	mu          sync.Mutex
	byKey       map[string]*snapshotRead // those that can be joined
	quick, slow snapshotLine
	heavy       map[string]time.Time // until when somebody counts as asking for what is not quick
}

func newSnapshots(ask func(context.Context, []postgres.FeedQuery, int, time.Duration) ([]postgres.FeedSnapshot, error)) *snapshots {
	return &snapshots{ask: ask, byKey: make(map[string]*snapshotRead), heavy: make(map[string]time.Time)}
}

// snapshotLine are reads that come one of each asker after the other.
type snapshotLine struct {
	turns.Line[string, *snapshotRead]
	reading int
}

// snapshotRead is a snapshot and, once done is closed, what came of it.
type snapshotRead struct {
	key   string
	query postgres.FeedQuery
	asked int             // by how many who still wait for it; guarded by mu
	by    map[string]bool // in whose turns it is read, whichever comes first; guarded by mu
	begun bool            // or given up; guarded by mu
	alone bool            // it shares no read; guarded by mu
	heavy bool            // it was not quick by itself; guarded by mu
	done  chan struct{}
	data  []byte    // JSON
	at    ci.Cursor // the event at which it is true
	err   error
}

// snapshot lets a member of the feed begin with what is, rather than with what
// was.
func (s *Server) snapshot(ctx context.Context, m *member) error {
	r := s.snapshots.join(m.payer, postgres.FeedQuery{Reach: m.reach(), Filter: m.filter})
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

// join returns the snapshot that answers somebody's query, once it has been read.
func (s *snapshots) join(who string, query postgres.FeedQuery) *snapshotRead {
	key := fmt.Sprintf("%#v", query.Filter) // and of its reader's sight
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byKey[key]
	if r == nil {
		r = &snapshotRead{key: key, query: query, by: make(map[string]bool), done: make(chan struct{})}
		s.byKey[key] = r
	}
	if r.asked++; !r.by[who] {
		r.by[who] = true
		s.line(who, r, false)
	}
	return r
}

// line lets a read wait for somebody's turn, behind what else waits for it unless it was
// tried already: who asks for what is not quick is to be known by the next turn, and not
// when all of theirs has been in somebody's way.
func (s *snapshots) line(who string, r *snapshotRead, tried bool) {
	l, most := &s.quick, snapshotReads
	if r.heavy || s.isHeavy(who) {
		l, most = &s.slow, 1
	}
	if tried {
		l.AddFirst(who, r)
	} else {
		l.Add(who, r)
	}
	if l.reading < most {
		l.reading++
		go s.readAll(l)
	}
}

func (s *snapshots) isHeavy(who string) bool { return time.Now().Before(s.heavy[who]) }

// leave is for who waits no longer. What nobody waits for is not read.
func (s *snapshots) leave(r *snapshotRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.asked--; r.asked == 0 {
		s.begin(r)
		for who := range r.by {
			s.quick.Remove(who, r)
			s.slow.Remove(who, r)
		}
	}
}

// begin lets nobody join any more.
func (s *snapshots) begin(r *snapshotRead) {
	r.begun = true
	if s.byKey[r.key] == r {
		delete(s.byKey, r.key)
	}
}

// readAll reads until none waits.
func (s *snapshots) readAll(l *snapshotLine) {
	for {
		batch := s.take(l)
		if len(batch) == 0 {
			return
		}
		s.read(batch, l == &s.quick)
	}
}

// take takes those that are read next; none ends the reader.
func (s *snapshots) take(l *snapshotLine) (batch []*snapshotRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(batch) < snapshotBatch {
		r, some := l.First()
		if !some || r.alone && len(batch) > 0 {
			break
		}
		who, _ := l.Next()
		if r.begun { // it was read in another's turn
			continue
		}
		if l == &s.quick && (r.heavy || s.isHeavy(who)) { // by now
			s.line(who, r, false)
			continue
		}
		s.begin(r)
		if batch = append(batch, r); r.alone {
			break
		}
	}
	if len(batch) == 0 {
		l.reading--
	}
	return batch
}

// read answers a batch, as one read of the database.
func (s *snapshots) read(batch []*snapshotRead, quick bool) {
	ctx, cancel := context.WithTimeout(context.Background(), snapshotWait) // nobody's own: others wait for it too
	defer cancel()
	queries := make([]postgres.FeedQuery, len(batch))
	for i, r := range batch {
		queries[i] = r.query
	}
	within := snapshotWait
	switch {
	case quick && len(batch) > 1:
		within = snapshotShared
	case quick:
		within = snapshotQuick
	}
	snaps, err := s.ask(ctx, queries, snapshotMost, within)
	if (quick || len(batch) > 1) && postgres.IsTooMuch(err) {
		s.again(batch)
		return
	}
	for i, r := range batch {
		if r.err = err; err != nil {
			r.err = fmt.Errorf("read snapshot: %w", err)
		} else {
			r.at = ci.Cursor{Prefix: ci.CursorPrefix(snaps[i].Epoch, ci.FeedName), ID: snaps[i].At}
			r.data, r.err = snapshotData(&snaps[i])
		}
		if len(r.data) > snapshotLarge {
			s.markHeavy(r)
		}
		close(r.done)
	}
}

// markHeavy says that a read is not quick, or large: for snapshotHeavy, what else those ask for
// who asked for it has turns behind all that is quick.
func (s *snapshots) markHeavy(r *snapshotRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.heavy, func(_ string, until time.Time) bool { return !now.Before(until) })
	r.heavy = true
	for who := range r.by {
		if who != "" { // that is nobody in particular
			s.heavy[who] = now.Add(snapshotHeavy)
		}
	}
}

// again gives the reads of a batch that took too long another turn each, alone. A read that
// is slow alone too is marked as heavy: it, and whatever else those ask for who asked for
// it, have turns behind all that is quick.
func (s *snapshots) again(batch []*snapshotRead) {
	if len(batch) == 1 {
		s.markHeavy(batch[0])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(batch) { // each before those of the same asker that came after it
		if r.asked == 0 {
			continue
		}
		if r.begun, r.alone = false, true; s.byKey[r.key] == nil {
			s.byKey[r.key] = r
		}
		for who := range r.by {
			s.line(who, r, true)
		}
	}
}

func snapshotData(snap *postgres.FeedSnapshot) ([]byte, error) {
	builds, total := make([][]byte, len(snap.Builds)), 0 // by itself each, so that no buffer is twice as large as all of them
	for i, b := range snap.Builds {
		data, err := encoded(snapshotBuild{b.Build, append([]ci.Step{}, b.Steps...), b.Expected, b.Broken})
		if err != nil {
			return nil, err
		}
		builds[i] = bytes.TrimSuffix(data, []byte("\n"))
		total += len(data)
	}
	end := "]}"
	if snap.Truncated {
		end = `],"truncated":true}`
	}
	whole := make([]byte, 0, len(`{"builds":[`)+total+len(end))
	whole = append(whole, `{"builds":[`...)
	for i, build := range builds {
		if i > 0 {
			whole = append(whole, ',')
		}
		whole = append(whole, build...)
		builds[i] = nil
	}
	return append(whole, end...), nil
}
