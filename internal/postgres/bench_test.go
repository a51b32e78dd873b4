package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// BenchmarkStore_Append appends posts of so many lines from 8 callers, each
// into a build of its own. It says how many lines went through in a second.
func BenchmarkStore_Append(b *testing.B) {
	for _, lines := range []int{1, 20, 200} {
		b.Run(fmt.Sprintf("%d-lines", lines), func(b *testing.B) {
			s, _ := open(b, pgtest.New(b))
			var log strings.Builder
			for range lines {
				fmt.Fprintf(&log, "2026-11-22T10:00:00Z ok github.com/stepcast/stepcast/internal/p%04d (%d.%03ds) coverage of %x statements\n",
					rand.IntN(9999), rand.IntN(90), rand.IntN(1000), rand.Uint64())
			}
			var writers atomic.Int64
			b.SetParallelism(max(1, 16/2))
			b.SetBytes(int64(log.Len()))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				id := create(b, s, fmt.Sprintf("bench/w%d", writers.Add(1)))
				for offset := int64(0); pb.Next(); offset += int64(log.Len()) {
					must(b, s, id, ci.Update{Log: &ci.LogUpdate{Step: "test", Offset: offset, Chunk: ci.NewChunk([]byte(log.String()))}})
				}
			})
			b.ReportMetric(float64(b.N*lines)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
