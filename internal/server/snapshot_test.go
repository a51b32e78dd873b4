package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// A storm of readers costs few reads, however many things they ask for, and few
// at once; nobody gets one that began before they asked.
func TestSnapshots_AreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reads, reading, atOnce, answers atomic.Int32
		s := newSnapshots(func(_ context.Context, queries []postgres.FeedQuery, _ int, _ time.Duration) ([]postgres.FeedSnapshot, error) {
			began := time.Now()
			reads.Add(1)
			answers.Add(int32(len(queries)))
			atOnce.Store(max(atOnce.Load(), reading.Add(1)))
			time.Sleep(50 * time.Millisecond)
			reading.Add(-1)
			snaps := make([]postgres.FeedSnapshot, len(queries))
			for i, q := range queries {
				snaps[i].At = ci.EventID(began.UnixMicro())
				snaps[i].Builds = []postgres.Listed{{Build: ci.Build{Project: q.Filter.Projects[0]}}}
			}
			return snaps, nil
		})
		var all sync.WaitGroup
		for i := range 500 { // one each ms, of twenty kinds, while a read takes 50
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				asked, project := time.Now(), fmt.Sprint(i%20)
				r := s.join(fmt.Sprint(i%30), postgres.FeedQuery{Filter: ci.Filter{Projects: []string{project}}})
				if <-r.done; int64(r.at.ID) < asked.UnixMicro() || r.query.Filter.Projects[0] != project || !bytes.Contains(r.data, []byte(`"project":"`+project+`"`)) {
					t.Errorf("who asked at %v for %s got %s of %v", asked, project, r.data, time.UnixMicro(int64(r.at.ID)))
				}
			})
		}
		all.Wait()
		synctest.Wait()
		if n := reads.Load(); n > 25 || answers.Load() > n*20 || atOnce.Load() != snapshotReads || s.quick.reading != 0 || len(s.byKey) != 0 {
			t.Errorf("%d reads with %d answers, %d at once; %d go on, %d wait", n, answers.Load(), atOnce.Load(), s.quick.reading, len(s.byKey))
		}
	})
}

// What fails is told to those who waited, and asked again by the next.
func TestSnapshots_Fail(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	s := newSnapshots(func(context.Context, []postgres.FeedQuery, int, time.Duration) ([]postgres.FeedSnapshot, error) {
		return nil, away
	})
	for range 2 {
		r := s.join("", postgres.FeedQuery{})
		if <-r.done; !errors.Is(r.err, away) {
			t.Errorf("got %v", r.err)
		}
	}
}

// Whoever goes away while others are read for makes the database read nothing,
// unless another waits for the same.
func TestSnapshots_ForThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var asked []string
		free := make(chan struct{})
		s := &Server{snapshots: newSnapshots(nil)}
		s.snapshots.ask = func(_ context.Context, queries []postgres.FeedQuery, _ int, _ time.Duration) ([]postgres.FeedSnapshot, error) {
			<-free
			mu.Lock()
			defer mu.Unlock()
			for _, q := range queries {
				asked = append(asked, q.Filter.Projects[0])
			}
			return make([]postgres.FeedSnapshot, len(queries)), nil
		}
		var all sync.WaitGroup
		wait := func(ctx context.Context, project string, want error) {
			all.Go(func() {
				if err := s.snapshot(ctx, &member{filter: ci.Filter{Projects: []string{project}}}); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", project, err, want)
				}
			})
			synctest.Wait()
		}
		short, end := context.WithCancel(t.Context())
		wait(t.Context(), "read", nil)
		wait(t.Context(), "read too", nil)
		wait(short, "left", context.Canceled)
		wait(short, "shared", context.Canceled)
		wait(t.Context(), "shared", nil)
		wait(short, "read", context.Canceled)
		end()
		synctest.Wait()
		close(free)
		all.Wait()
		synctest.Wait()
		slices.Sort(asked)
		if got := strings.Join(asked, ", "); got != "read, read too, shared" || len(s.snapshots.byKey) != 0 {
			t.Errorf("read: %s; %d wait", got, len(s.snapshots.byKey))
		}
	})
}

// What takes long keeps nobody waiting who asks for something else: it is read again
// behind what else took long, and what its asker asks for next comes there at once.
func TestSnapshots_OfVeryManyKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var ended atomic.Int32 // reads, for taking long
		s := newSnapshots(func(_ context.Context, queries []postgres.FeedQuery, _ int, within time.Duration) ([]postgres.FeedSnapshot, error) {
			var takes time.Duration
			for _, q := range queries {
				if takes += time.Millisecond; strings.HasPrefix(q.Filter.Projects[0], "large") {
					takes += 5 * time.Second
				}
			}
			time.Sleep(min(takes, within))
			if takes > within {
				ended.Add(1)
				return nil, &pgconn.PgError{Code: "57014"}
			}
			return make([]postgres.FeedSnapshot, len(queries)), nil
		})
		var all sync.WaitGroup
		ask := func(who, project string, most time.Duration) {
			asked := time.Now()
			r := s.join(who, postgres.FeedQuery{Filter: ci.Filter{Projects: []string{project}}})
			all.Go(func() {
				if <-r.done; r.err != nil || time.Since(asked) > most {
					t.Errorf("%s: %v, after %v", project, r.err, time.Since(asked))
				}
			})
		}
		for i := range 40 {
			ask("much", fmt.Sprint("large", i), 300*time.Second)
		}
		ask("other", "large other", 17*time.Second) // behind one that is being read, and one more
		ask("other", "small other", 22*time.Second)
		for i := range 400 { // of many, and one that waits for what much asked for as well
			ask(fmt.Sprint("little", i%50), fmt.Sprint("small", i), snapshotShared+5*snapshotQuick)
			time.Sleep(10 * time.Millisecond)
		}
		ask("much", "small", 300*time.Second)
		synctest.Wait()
		ask("little", "small", 10*time.Millisecond)
		time.Sleep(time.Second)
		all.Wait()
		synctest.Wait()
		if took := time.Since(began); ended.Load() > 12 || took < 200*time.Second || len(s.byKey) != 0 || s.quick.reading != 0 || s.slow.reading != 0 {
			t.Errorf("after %v, %d reads ended; %d wait, %d and %d go on", took, ended.Load(), len(s.byKey), s.quick.reading, s.slow.reading)
		}
	})
}
