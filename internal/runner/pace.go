package runner

import "time"

// leastPace is how small a body may be made for a way to the server that is slow, or is cut, or
// for a proxy that finds ours too large.
const leastPace = 1 << 10

// A pace is how long bodies are: over a slow way, over one on which whatever takes long is cut
// off, and past a proxy with a bound of its own, as long as arrives. When the way is quick they
// are longer again, until one does not arrive: the more often that is so of what is longer than
// what does, the more rarely it is tried. A server that is away tells nothing of that; see
// docs/decisions/pace.md.
type pace struct {
	bytes   int       // of a body
	good    int       // bytes of the longest body that has arrived, as the way is now
	failed  int       // how many have not since the last that did
	inVain  int       // bytes of the last body that did not arrive
	shorter bool      // one that was shorter has since
	strikes int       // how often that was so
	longer  time.Time // when they may be longer again
}

// arrived notes a body that did.
func (p *pace) arrived(body int, took time.Duration) {
	p.good, p.failed = max(p.good, body), 0
	if p.shorter = body < p.inVain; !p.shorter {
		p.inVain, p.strikes, p.longer = 0, 0, time.Time{}
	}
	// Twice as much may arrive, within the time that any body has.
	if body >= p.bytes/2 && took < patience/2 && !time.Now().Before(p.longer) {
		p.bytes = min(2*p.bytes, maxBody)
	}
}

// lost notes a body that did not arrive, for its length surely or perhaps, and tells whether the
// next one is to be shorter.
func (p *pace) lost(body int, took time.Duration, surely bool) bool {
	quick := took < patience
	p.failed++
	if body <= leastPace || !surely && quick && body <= p.good && p.failed < 3 {
		return false // it was not its length
	}
	p.good = min(p.good, body-1)
	if p.shorter {
		p.shorter, p.strikes = false, p.strikes+1
	}
	p.inVain = body
	p.longer = time.Now().Add(min(flushAfter<<min(p.strikes, 10), time.Minute))
	part := 4
	if quick {
		part = 2
	}
	next := max(min(body, p.bytes)/part, leastPace)
	shorter := next < p.bytes
	p.bytes = min(next, p.bytes)
	return shorter
}
