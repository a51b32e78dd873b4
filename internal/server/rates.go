package server

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// rates are how fast each of some keys may go on. They take no more memory than
// for mostRates of them: once so many have something to wait for, the rest
// shares one.
type rates[K comparable] struct {
	every rate.Limit
	burst int

	mu    sync.Mutex
	of    map[K]*rate.Limiter
	rest  *rate.Limiter
	swept time.Time
}

// mostRates is of about a hundred bytes each.
const mostRates = 10_000

func newRates[K comparable](every rate.Limit, burst int) rates[K] {
	if burst < 0 || burst > math.MaxInt/2 { // of no limit, or past what a number holds
		every, burst = rate.Inf, math.MaxInt32
	}
	return rates[K]{every: every, burst: burst, of: make(map[K]*rate.Limiter), rest: rate.NewLimiter(every, burst)}
}

// take uses one up, or tells how long to wait until there is one.
func (r *rates[K]) take(key K, now time.Time) (wait time.Duration) {
	if r.every == rate.Inf {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.limiter(key, now).ReserveN(now, 1)
	if wait = one.DelayFrom(now); wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// spent tells whether a key has none left.
func (r *rates[K]) spent(key K, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of[key]
	return one != nil && one.TokensAt(now) < 1
}

// limiter is that of a key. mu is held.
func (r *rates[K]) limiter(key K, now time.Time) *rate.Limiter {
	if one := r.of[key]; one != nil {
		return one
	}
	if len(r.of) >= mostRates && now.Sub(r.swept) >= time.Second {
		r.swept = now
		for key, one := range r.of {
			if one.TokensAt(now) >= float64(r.burst) { // as good as new
				delete(r.of, key)
			}
		}
	}
	if len(r.of) >= mostRates {
		return r.rest
	}
	one := rate.NewLimiter(r.every, r.burst)
	r.of[key] = one
	return one
}
