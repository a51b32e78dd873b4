package main

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// A small heap has room, and a large one no more than it needs.
func TestHeapPercent(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 51 << 20: 400, 64 << 20: 300, 100 << 20: 156, 128 << 20: 100, 8 << 30: 100} {
		if got := heapPercent(live); got != want {
			t.Errorf("of %d MiB that live: %d, want %d", live>>20, got, want)
		}
	}
}

// After collections, not only after the first.
func TestAfterCollections(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	afterCollections(func() { times.Add(1) })
	patience := time.After(time.Minute)
	for times.Load() < 3 {
		select {
		case <-patience:
			t.Fatalf("it was called %d times", times.Load())
		default:
			runtime.GC()
		}
	}
}
