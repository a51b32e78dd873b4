package server

import (
	"testing"
	"time"

	"golang.org/x/time/rate"
	"pgregory.net/rapid"
)

// No key is let through more often than its rate and its burst allow, the wait
// that is told is enough and no more, and the table is bounded, however many
// keys come.
func TestRates_Promises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every, burst := float64(rapid.IntRange(1, 100).Draw(t, "rate")), rapid.IntRange(1, 50).Draw(t, "burst")
		r := newRates[int](rate.Limit(every), burst)
		start := time.Unix(1_700_000_000, 0)
		now, let := start, map[int]int{}
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "ms")) * time.Millisecond)
			key := rapid.IntRange(0, 3).Draw(t, "key")
			wait := r.take(key, now)
			if wait == 0 {
				let[key]++
			}
			if most := float64(burst) + every*now.Sub(start).Seconds() + 1e-6; float64(let[key]) > most {
				t.Fatalf("%d of key %d in %v, at most %f", let[key], key, now.Sub(start), most)
			}
			if wait > 0 {
				if r.take(key, now.Add(wait/2)) == 0 {
					t.Fatalf("told to wait for %v, and half of it is enough", wait)
				}
				if now = now.Add(wait + time.Microsecond); r.take(key, now) > 0 { // a wait is cut to whole nanoseconds
					t.Fatalf("told to wait for %v, which is not enough", wait)
				}
				let[key]++
			}
		}
	})
}

func TestRates_AreBounded(t *testing.T) {
	t.Parallel()
	r := newRates[int](1, 2)
	now := time.Unix(1_700_000_000, 0)
	for key := range 3 * mostRates {
		r.take(key, now)
	}
	if len(r.of) != mostRates {
		t.Fatalf("%d keys are kept", len(r.of))
	}
	if r.take(4*mostRates, now) == 0 {
		t.Error("those beyond share one, which is used up")
	}
	if r.take(0, now) > 0 {
		t.Error("one of those that are kept has to wait for others")
	}
	now = now.Add(time.Minute) // all of them have as much as they may: they are as good as new
	if r.take(4*mostRates, now) > 0 || len(r.of) != 1 {
		t.Errorf("%d keys are kept after a minute", len(r.of))
	}
}
