//go:build unix

package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// crowd is a log with readers that wait at its end.
type crowd struct {
	table   *table
	tails   *Tails
	readers int
	last    ci.EventID
	got     atomic.Int64  // deliveries
	all     chan struct{} // everybody has the last event
}

func newCrowd(b *testing.B, readers int) *crowd {
	// The heads of the table do not follow: no polls.
	c := &crowd{table: newTable(256), readers: readers, last: 1, all: make(chan struct{}, 1)}
	c.tails = New(c.table, Options{Beat: -1, Poll: time.Hour, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { c.tails.Run(ctx) })
	b.Cleanup(func() { cancel(); running.Wait() })
	c.table.append(aLog, "build")
	return c
}

func (c *crowd) subscribe(b *testing.B) *Subscription {
	sub := c.tails.Subscribe(ci.Epoch{}, aLog, aName, ci.Cursor{}, ci.Filter{})
	b.Cleanup(sub.Close)
	return sub
}

func (c *crowd) count(batch *Batch) {
	n := int64(0)
	for range batch.Events() {
		n++
	}
	if n > 0 && c.got.Add(n) == int64(c.readers)*int64(c.last) {
		c.all <- struct{}{}
	}
}

// run commits one event after the other, each when everybody has the one
// before.
func (c *crowd) run(b *testing.B) {
	<-c.all
	e := []ci.Event{event(1, "log/a")}
	b.ReportAllocs()
	cpu := cpuTime()
	for b.Loop() {
		c.last++
		e[0].ID = c.last
		c.tails.Committed(c.table.epoch, aLog, e, ci.Head{Last: c.last})
		<-c.all
	}
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N)/float64(c.readers), "cpu-ns/delivery")
}

func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkFanOut is what one small event costs per reader that has it ready
// to be written, without sockets: with a goroutine for each reader, and with
// one for all of them.
func BenchmarkFanOut(b *testing.B) {
	for _, readers := range []int{1, 200, 1000, 5000} {
		b.Run(fmt.Sprintf("goroutines/%d", readers), func(b *testing.B) {
			c := newCrowd(b, readers)
			for range readers {
				sub := c.subscribe(b)
				go func() {
					for {
						batch, err := sub.Next(context.Background())
						if err != nil {
							return
						}
						c.count(&batch)
					}
				}()
			}
			c.run(b)
		})
		b.Run(fmt.Sprintf("one goroutine/%d", readers), func(b *testing.B) {
			c := newCrowd(b, readers)
			ready := make(chan *Subscription, 2*readers)
			for range readers {
				sub := c.subscribe(b)
				sub.OnReady(func() { ready <- sub })
				ready <- sub
			}
			over := make(chan struct{})
			b.Cleanup(func() { close(over) })
			go func() {
				for {
					select {
					case sub := <-ready:
						for ok := true; ok; {
							var batch Batch
							batch, ok, _ = sub.TryNext()
							c.count(&batch)
						}
					case <-over:
						return
					}
				}
			}()
			c.run(b)
		})
	}
}

// BenchmarkCommitted is what handing over 200 lines costs the committer.
func BenchmarkCommitted(b *testing.B) {
	e := event(1, "log/a")
	text := make([]byte, 0, 30_000)
	for range 200 {
		text = append(text, "2026-11-22T10:00:00.2Z a line of a log that is neither short nor long, with some words in it, and then some more of them, 130\n"...)
	}
	e.Chunk = ci.NewChunk(text)
	run := func(b *testing.B, c *crowd) {
		events := []ci.Event{e}
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			c.last++
			events[0].ID = c.last
			c.tails.Committed(c.table.epoch, aLog, events, ci.Head{Last: c.last})
		}
	}
	b.Run("not watched", func(b *testing.B) { run(b, newCrowd(b, 0)) })
	b.Run("watched", func(b *testing.B) {
		c := newCrowd(b, 1)
		if _, err := c.subscribe(b).Next(b.Context()); err != nil {
			b.Fatal(err)
		}
		run(b, c)
	})
}
