package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// crowd has n readers that wait at the end of a log.
func crowd(b *testing.B, n int, each func(*Subscription)) (commit func(id ci.EventID), tb *table) {
	tb = newTable(256)
	tails := New(tb, Options{Beat: -1, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { tails.Run(ctx) })
	b.Cleanup(func() { cancel(); running.Wait() })
	tb.append(aLog, "build")
	for range n {
		sub := tails.Subscribe(aLog, aName, ci.Cursor{}, ci.Filter{})
		each(sub)
		b.Cleanup(sub.Close)
	}
	events := make([]ci.Event, 1)
	return func(id ci.EventID) {
		events[0] = event(1, "log/a")
		events[0].ID = id
		tb.set(func() { tb.logs[aLog].last = id })
		tails.Committed(tb.epoch, aLog, events, ci.Head{Last: id})
	}, tb
}

// BenchmarkFanOut is the cost of one small event per reader that has it ready
// to be written: without sockets, with a goroutine for each reader, or with
// one goroutine for all of them.
func BenchmarkFanOut(b *testing.B) {
	for _, readers := range []int{1, 200, 1000, 5000} {
		b.Run(fmt.Sprintf("goroutines/%d", readers), func(b *testing.B) {
			var got atomic.Int64
			commit, _ := crowd(b, readers, func(sub *Subscription) {
				go func() {
					for {
						batch, err := sub.Next(context.Background())
						if err != nil {
							return
						}
						n := int64(0)
						for range batch.Events() {
							n++
						}
						got.Add(n)
					}
				}()
			})
			id := fanOut(b, readers, &got, 1, func() {})
			measure(b, readers, &got, commit, id, func() {})
		})
		b.Run(fmt.Sprintf("one goroutine/%d", readers), func(b *testing.B) {
			var got atomic.Int64
			var mu sync.Mutex
			var ready, taken []*Subscription
			commit, _ := crowd(b, readers, func(sub *Subscription) {
				sub.OnReady(func() {
					mu.Lock()
					ready = append(ready, sub)
					mu.Unlock()
				})
				ready = append(ready, sub)
			})
			drain := func() {
				mu.Lock()
				taken, ready = ready, taken[:0]
				mu.Unlock()
				n := int64(0)
				for _, sub := range taken {
					for {
						batch, ok, err := sub.TryNext()
						if !ok || err != nil {
							break
						}
						for range batch.Events() {
							n++
						}
					}
				}
				got.Add(n)
			}
			id := fanOut(b, readers, &got, 1, drain)
			measure(b, readers, &got, commit, id, drain)
		})
	}
}

// fanOut waits until every reader has the event.
func fanOut(b *testing.B, readers int, got *atomic.Int64, id ci.EventID, drain func()) ci.EventID {
	for deadline := time.Now().Add(10 * time.Second); got.Load() < int64(readers)*int64(id); drain() {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d deliveries", got.Load(), int64(readers)*int64(id))
		}
		time.Sleep(0)
	}
	return id
}

func measure(b *testing.B, readers int, got *atomic.Int64, commit func(ci.EventID), id ci.EventID, drain func()) {
	b.ReportAllocs()
	for b.Loop() {
		id++
		commit(id)
		fanOut(b, readers, got, id, drain)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(readers), "ns/delivery")
}

// BenchmarkCommitted is what a hand-over of 200 lines costs the committer.
func BenchmarkCommitted(b *testing.B) {
	commitAll := func(b *testing.B, readers int) {
		tb := newTable(256)
		tails := New(tb, Options{Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(b.Context())
		var running sync.WaitGroup
		running.Go(func() { tails.Run(ctx) })
		b.Cleanup(func() { cancel(); running.Wait() })
		tb.append(aLog, "build")
		if readers > 0 {
			sub := tails.Subscribe(aLog, aName, ci.Cursor{}, ci.Filter{})
			b.Cleanup(sub.Close)
			if _, err := sub.Next(ctx); err != nil {
				b.Fatal(err)
			}
		}
		e := event(1, "log/a")
		text := make([]byte, 0, 26_000)
		for range 200 {
			text = append(text, "2026-11-22T10:00:00.2Z a line of a log that is neither short nor long, with some words in it, and then some more of them, 130\n"...)
		}
		e.Chunk = ci.NewChunk(text)
		events := []ci.Event{e}
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for id := ci.EventID(2); b.Loop(); id++ {
			events[0].ID = id
			tails.Committed(tb.epoch, aLog, events, ci.Head{Last: id})
		}
	}
	b.Run("watched", func(b *testing.B) { commitAll(b, 1) })
	b.Run("not watched", func(b *testing.B) { commitAll(b, 0) })
}
