package server

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// A storm of readers costs one read for each thing that they ask for, and few
// of these at once; later ones get what is new.
func TestSnapshots_AreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &snapshots{slots: make(chan struct{}, snapshotReads), reads: make(map[string]*snapshotRead)}
		var reads, reading, atOnce atomic.Int32
		read := func() ([]byte, ci.Cursor, error) {
			atOnce.Store(max(atOnce.Load(), reading.Add(1)))
			time.Sleep(50 * time.Millisecond)
			reading.Add(-1)
			return []byte("{}"), ci.Cursor{ID: ci.EventID(reads.Add(1))}, nil
		}
		storm := func(size int) {
			var all sync.WaitGroup
			for i := range size {
				all.Go(func() {
					key := fmt.Sprint(i % 20)
					r, mine := s.join(key)
					if mine {
						go s.read(key, r, read)
					}
					if <-r.done; string(r.data) != "{}" || r.at.ID == 0 {
						t.Errorf("got %+v", r)
					}
				})
			}
			all.Wait()
		}
		storm(500)
		storm(500)
		if reads.Load() != 20 || atOnce.Load() != snapshotReads {
			t.Errorf("%d reads, %d at once", reads.Load(), atOnce.Load())
		}
		time.Sleep(snapshotKept)
		synctest.Wait()
		if len(s.reads) != 0 || s.bytes != 0 {
			t.Errorf("kept are %d of %d bytes", len(s.reads), s.bytes)
		}
		storm(20)
		if reads.Load() != 40 {
			t.Errorf("%d reads", reads.Load())
		}
	})
}

// What failed is tried again by the next who asks, and what is too large is
// kept for nobody.
func TestSnapshots_KeepWhatIsOfUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &snapshots{slots: make(chan struct{}, snapshotReads), reads: make(map[string]*snapshotRead)}
		large := make([]byte, snapshotBytes-10)
		for name, read := range map[string]func() ([]byte, ci.Cursor, error){
			"failed": func() ([]byte, ci.Cursor, error) { return nil, ci.Cursor{}, errors.New("away") },
			"large":  func() ([]byte, ci.Cursor, error) { return append(large, large...), ci.Cursor{}, nil },
		} {
			for range 2 {
				r, mine := s.join(name)
				if !mine {
					t.Fatalf("%s was kept", name)
				}
				s.read(name, r, read)
				<-r.done
			}
			if len(s.reads) != 0 || s.bytes != 0 {
				t.Errorf("%s: kept are %d of %d bytes", name, len(s.reads), s.bytes)
			}
		}
	})
}
