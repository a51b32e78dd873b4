package server

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// A storm of readers costs few reads for each thing that they ask for, and few
// at once; nobody gets one that began before they asked.
func TestSnapshots_AreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &snapshots{slots: make(chan struct{}, snapshotReads), waiting: make(map[string]*snapshotRead)}
		var reads, reading, atOnce atomic.Int32
		read := func() ([]byte, ci.Cursor, error) {
			began := time.Now()
			reads.Add(1)
			atOnce.Store(max(atOnce.Load(), reading.Add(1)))
			time.Sleep(50 * time.Millisecond)
			reading.Add(-1)
			return nil, ci.Cursor{ID: ci.EventID(began.UnixMicro())}, nil
		}
		storm := func(size int) {
			var all sync.WaitGroup
			for i := range size {
				all.Go(func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					asked := time.Now()
					r := s.join(fmt.Sprint(i%20), read)
					if <-r.done; int64(r.at.ID) < asked.UnixMicro() {
						t.Errorf("who asked at %v got what was read at %v", asked, time.UnixMicro(int64(r.at.ID)))
					}
				})
			}
			all.Wait()
		}
		storm(500) // reads of 50 ms, four at once, while somebody asks each ms for 500 ms
		if n := reads.Load(); n > 2*20+40 || atOnce.Load() != snapshotReads || len(s.waiting) != 0 {
			t.Errorf("%d reads, %d at once, %d left", n, atOnce.Load(), len(s.waiting))
		}
	})
}
