package server

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/turns"
)

// entrance keeps busy connections from starving the others.
//
// Over HTTP/1.1, a connection whose requests have all arrived never waits between them, and
// would keep a processor until the runtime takes it away, after 10 ms: behind 500 of them
// everybody else would wait for seconds. So before each request the others go first.
//
// Over HTTP/2, hundreds of one connection's requests are under way at once, and each step of
// anybody else's would wait behind a step of all of these. So they come in a few at a time,
// the addresses taking turns. A request gives its place back when it waits for something
// (leaveEntrance); where that comes for hundreds at once, they come in again
// (returnToEntrance).
//
// A request that its peer gives up is over at once, and never one of many; so a connection
// that brings more and more of these is read no further for a while.
func (s *Server) entrance(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			runtime.Gosched()
			h.ServeHTTP(w, r)
			return
		}
		e := &entrant{turns: s.coming}
		if addr, counted := s.limits.accountable(s.cfg.Proxies.origination(r).client); counted {
			e.from = addr.String()
			conn, _ := r.Context().Value(connKey{}).(net.Conn)
			if s.cfg.Proxies.sent(r) {
				conn = nil
			}
			many, onConn, done := s.limits.underWay.add(e.from, conn)
			defer done()
			defer s.countGivenUp(r, conn)
			switch {
			case many <= mostUnderWay || conn != nil && onConn <= fewUnderWay:
			case conn != nil:
				s.limits.refused[limitUnderWay].Add(1)
				hangUp(conn)
				return
			default: // a trusted proxy's, which is everybody's
				s.limits.refused[limitUnderWay].Add(1)
				w.Header().Set("Retry-After", retryAfter())
				w.WriteHeader(http.StatusServiceUnavailable) // without a text, which need not be taken
				return
			}
			if many > manyUnderWay { // its peer may not take the answers
				defer http.NewResponseController(w).Flush()
			}
		}
		if !e.enter(r.Context()) {
			return // as has its peer
		}
		defer e.leave()
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), entrantKey{}, e)))
	})
}

// How many requests of an address may be under way over HTTP/2, each of which takes some
// 40 KB, before a connection with more than a few of them is closed: to refuse each would
// cost as much as to answer it. From many on one is under way until its answer was taken.
const (
	mostUnderWay = 4096
	manyUnderWay = 256
	fewUnderWay  = 16
)

type entrantKey struct{}

// An entrant is a request at the entrance, and comes from an address.
type entrant struct {
	turns *turns.Turns
	from  string
	place func() // gives it back; nil: it has none
}

func (e *entrant) enter(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false // though there may be a place
	}
	place, err := e.turns.Enter(ctx, e.from)
	if err == nil {
		e.place = place
	}
	return err == nil
}

func (e *entrant) leave() {
	if e.place != nil {
		e.place()
		e.place = nil
	}
}

// leaveEntrance says that a request is let in, or waits for something: others come in then.
// It has to be said before anything that may take its time, as may the peer that an answer
// is for.
func leaveEntrance(r *http.Request) {
	if e, ok := r.Context().Value(entrantKey{}).(*entrant); ok {
		e.leave()
	}
}

// returnToEntrance says that what a request has waited for has come, as for others at the
// same time, and waits for its turn to go on.
func returnToEntrance(r *http.Request) {
	if e, ok := r.Context().Value(entrantKey{}).(*entrant); ok {
		e.leave()
		e.enter(r.Context()) // who has gone goes on without
	}
}

// underWay are requests over HTTP/2 that have come and are not over.
type underWay struct {
	mu sync.Mutex
	of map[string]int // by address
	on map[net.Conn]int
}

// add counts one of an address, and of its connection unless that is nil, until done, and
// says how many there are.
func (u *underWay) add(addr string, conn net.Conn) (many, onConn int, done func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.of[addr]++
	if conn != nil {
		u.on[conn]++
	}
	return u.of[addr], u.on[conn], func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.of[addr]--; u.of[addr] == 0 {
			delete(u.of, addr)
		}
		if u.on[conn]--; u.on[conn] <= 0 {
			delete(u.on, conn)
		}
	}
}

// givenUp are the requests of a connection over HTTP/2 that its peer did not wait for. A
// browser gives up a few at a time, or all that a page had open when it goes. To ask and to
// give up thousands of times a second costs a peer some bytes, and the server a request each,
// so the connection waits until its pace is kept again. Were it closed, it would be back at
// once, for a handshake.
type givenUp struct {
	mu   sync.Mutex
	upTo time.Time // what was given up so far would have taken until then, at its pace
}

// All that a connection may have under way may be given up at once, if nothing was for a
// while, and then one after the other.
const (
	mostGivenUp  = 250
	givenUpEvery = 100 * time.Millisecond
)

// add counts one more, and tells for how long nothing more is to be read.
func (g *givenUp) add(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if least := now.Add(-mostGivenUp * givenUpEvery); g.upTo.Before(least) {
		g.upTo = least
	}
	g.upTo = g.upTo.Add(givenUpEvery)
	return g.upTo.Sub(now)
}

// wait waits until the pace is kept, or the connection is closed.
func (g *givenUp) wait(open context.Context) {
	for {
		g.mu.Lock()
		rest := time.Until(g.upTo)
		g.mu.Unlock()
		if rest <= 0 {
			return
		}
		select {
		case <-time.After(rest): // and there may be more by then
		case <-open.Done():
			return
		}
	}
}

// countGivenUp counts a request that is over to its connection, if its peer has not waited
// for that. Conn is nil where it is a trusted proxy's, which is read on for the others.
func (s *Server) countGivenUp(r *http.Request, conn net.Conn) {
	if r.Context().Err() == nil {
		return
	}
	if c := belowTLS(conn); c != nil && c.givenUp.add(time.Now()) > 0 {
		s.limits.refused[limitGivenUp].Add(1)
	}
}
