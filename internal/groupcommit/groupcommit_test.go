package groupcommit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stepcast/stepcast/internal/groupcommit"
)

func TestQueue_GathersWhileACommitIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := groupcommit.New[int](1<<20, 1<<20)
		ctx, cancel := context.WithCancel(t.Context())
		hold := make(chan struct{})
		var batches [][]int
		done := make(chan struct{})
		go func() {
			defer close(done)
			q.Run(ctx, func(batch []int) { batches = append(batches, batch); <-hold })
		}()
		add(t, q, 1, 1)
		synctest.Wait() // the first commit is in flight
		for i := 2; i <= 5; i++ {
			add(t, q, i, 1)
		}
		hold <- struct{}{}
		hold <- struct{}{}
		synctest.Wait()
		cancel()
		<-done
		if len(batches) != 2 || len(batches[0]) != 1 || len(batches[1]) != 4 {
			t.Fatalf("batches %v, want [1] and [2 3 4 5]", batches)
		}
	})
}

func TestQueue_BoundsBatchesAndItself(t *testing.T) {
	t.Parallel()
	q := groupcommit.New[int](100, 40)
	add(t, q, 1, 30)
	add(t, q, 2, 30)
	add(t, q, 3, 40)
	if err := q.Add("", 4, 1); !errors.Is(err, groupcommit.ErrFull) {
		t.Fatalf("a 101st byte: %v, want ErrFull", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var sizes []int
	q.Run(ctx, func(batch []int) { sizes = append(sizes, len(batch)) })
	if len(sizes) != 3 {
		t.Fatalf("batches of %v items, want three of one", sizes)
	}
}

func TestQueue_TakesAnItemLargerThanItself(t *testing.T) {
	t.Parallel()
	q := groupcommit.New[int](10, 10)
	add(t, q, 1, 1000)
	if err := q.Add("", 2, 1); !errors.Is(err, groupcommit.ErrFull) {
		t.Fatalf("behind it: %v, want ErrFull", err)
	}
}

// TestQueue_HasTurns lets nobody who sends much keep others waiting, nor keep
// them out.
func TestQueue_HasTurns(t *testing.T) {
	t.Parallel()
	q := groupcommit.New[int](100, 4)
	for i := range 50 {
		if err := q.Add("much", i, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Add("much", 50, 1); !errors.Is(err, groupcommit.ErrFull) {
		t.Fatalf("more than half of the queue: %v, want ErrFull", err)
	}
	for i := range 3 {
		if err := q.Add("little", 100+i, 1); err != nil {
			t.Fatal(err)
		}
	}
	add(t, q, 200, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var batches [][]int
	q.Run(ctx, func(batch []int) { batches = append(batches, batch) })
	if got, want := fmt.Sprint(batches[:3]), "[[0 100 200 1] [101 2 102 3] [4 5 6 7]]"; got != want {
		t.Errorf("batches begin with %s, want %s", got, want)
	}
	if n := len(slices.Concat(batches...)); n != 54 || q.Queued() != 0 {
		t.Errorf("%d items were committed, want 54; %d bytes are queued", n, q.Queued())
	}
}

// TestQueue_TurnsGoByBytes lets many senders of much together keep nobody waiting for
// more than a batch, as one who has many tokens would, nor who sends little, time and
// again, keep those waiting for good.
func TestQueue_TurnsGoByBytes(t *testing.T) {
	t.Parallel()
	const much, little = 1000, 1
	q := groupcommit.New[int](1_000_000, 4*much)
	for i := range 200 {
		for range 2 {
			if err := q.Add(fmt.Sprint("much ", i), much, much); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch, sent := 0, 0
	var large, late []int // the batches that have large items, and that have none of the small ones
	q.Run(ctx, func(items []int) {
		batch++
		if sent > 0 && !slices.Contains(items, little) {
			late = append(late, batch)
		}
		for _, size := range items {
			if size == much {
				large = append(large, batch)
			}
		}
		if q.Queued() > 0 {
			sent++
			if err := q.Add("little", little, little); err != nil {
				t.Error(err)
			}
		}
	})
	if len(late) > 0 {
		t.Errorf("who sends little waited behind 200 who send much, in the batches %v of %d", late, batch)
	}
	if len(large) != 400 || large[399] > 150 {
		t.Errorf("who sends much waited behind who sends little: the last of %d large items was in batch %d", len(large), large[len(large)-1])
	}
}

// TestQueue_RemembersNothing lets one who has sent much, beside many who come and go,
// wait no longer for one who is new than for one who was there.
func TestQueue_RemembersNothing(t *testing.T) {
	t.Parallel()
	const much = 1000
	q := groupcommit.New[string](64*much, 8*much)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fill := func(who string) {
		for q.Add(who, who, much) == nil {
		}
	}
	fill("old")
	batch, waits := 0, map[string]int{}
	q.Run(ctx, func(items []string) {
		batch++
		for _, who := range []string{"old", "new"} {
			if batch <= 200 && who == "new" || batch > 400 {
				continue
			}
			if waits[who]++; slices.Contains(items, who) {
				waits[who] = 0
			}
			if waits[who] > 2 {
				t.Errorf("%s waits for %d batches on end, in batch %d", who, waits[who], batch)
			}
			fill(who)
		}
		for i := 0; batch <= 400 && i < 50; i++ {
			if err := q.Add(fmt.Sprint("little ", batch, i), "little", 1); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestQueue_HasRoomForOneMore lets many senders together keep nobody out, as one
// who has many tokens would.
func TestQueue_HasRoomForOneMore(t *testing.T) {
	t.Parallel()
	for _, senders := range []int{1, 2, 20, 500} {
		for _, size := range []int64{1, 7, 1000} {
			q := groupcommit.New[int](100_000, 4000)
			for full := 0; full < senders; {
				full = 0
				for i := range senders {
					if err := q.Add(fmt.Sprint("much ", i), i, size); err != nil {
						full++
					}
				}
			}
			free := 100_000 - q.Queued()
			if share := 100_000 / int64(senders+1); free < share-size || free < size {
				t.Errorf("%d senders, %d bytes at a time: %d bytes are free, want a share like theirs, %d", senders, size, free, share)
			}
			if err := q.Add("little", 0, free/2); err != nil {
				t.Errorf("%d senders, %d bytes at a time: one more: %v", senders, size, err)
			}
		}
	}
}

// TestQueue_PutBack lets what was put back stay in its order, and others have their turn
// before it, also when the queue ends.
func TestQueue_PutBack(t *testing.T) {
	t.Parallel()
	q := groupcommit.New[int](100, 100)
	for i := range 4 {
		if err := q.Add("much", i, 1); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var batches [][]int
	q.Run(ctx, func(batch []int) {
		batches = append(batches, slices.Clone(batch))
		if len(batches) == 1 {
			if err := q.Add("little", 10, 1); err != nil {
				t.Error(err)
			}
		}
		done := slices.IndexFunc(batch, func(item int) bool { return item < 10 }) + 1 // one of much
		for _, item := range slices.Backward(batch[done:]) {
			if item < 10 {
				q.PutBack("much", item, 1)
			}
		}
	})
	if got, want := fmt.Sprint(batches), "[[0 1 2 3] [10 1 2 3] [2 3] [3]]"; got != want {
		t.Errorf("batches are %s, want %s", got, want)
	}
	if q.Queued() != 0 {
		t.Errorf("%d bytes are queued", q.Queued())
	}
}

func TestQueue_CommitsWhatItAcceptedBeforeItEnds(t *testing.T) {
	t.Parallel()
	q := groupcommit.New[int](1<<20, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var accepted, committed int
	var wg sync.WaitGroup
	wg.Go(func() {
		q.Run(ctx, func(batch []int) { committed += len(batch) })
	})
	var mu sync.Mutex
	var adders sync.WaitGroup
	for range 8 {
		adders.Go(func() {
			for i := range 1000 {
				if i == 500 {
					cancel()
				}
				if err := q.Add("", i, 1); err == nil {
					mu.Lock()
					accepted++
					mu.Unlock()
				} else if !errors.Is(err, groupcommit.ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	adders.Wait()
	wg.Wait()
	if accepted != committed || accepted == 0 {
		t.Fatalf("%d accepted, %d committed", accepted, committed)
	}
}

func add(t *testing.T, q *groupcommit.Queue[int], item int, size int64) {
	t.Helper()
	if err := q.Add("", item, size); err != nil {
		t.Fatal(err)
	}
}
