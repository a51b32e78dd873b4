package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap of a server is small, and to collect it all the time costs a tenth of the
// ingest: it may grow to five times what lives in it, or to roomyHeap, but for a large
// one to twice that. What strangers make large for a moment is not to be five times as
// large.
const (
	roomyPercent = 400
	leastPercent = 100
	roomyHeap    = 256 << 20 // bytes
)

// heapPercent is the GOGC for a heap in which so many bytes live.
func heapPercent(live uint64) int {
	if live == 0 {
		return roomyPercent
	}
	return max(leastPercent, min(roomyPercent, int(100*roomyHeap/live)-100))
}

// paceHeap sets GOGC after each collection, unless whoever runs the server did.
func paceHeap() {
	if os.Getenv("GOGC") != "" {
		return
	}
	percent := roomyPercent
	debug.SetGCPercent(percent)
	afterCollections(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if next := heapPercent(live[0].Value.Uint64()); next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
	})
}

// afterCollections calls something after each collection: what nothing leads to is
// cleaned up then, and the next such thing is made.
func afterCollections(do func()) {
	type mark struct{ _ [16]byte }
	runtime.AddCleanup(new(mark), func(struct{}) {
		do()
		afterCollections(do)
	}, struct{}{})
}
