package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/feed"
	"github.com/stepcast/stepcast/internal/idtoken"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/turns"
)

// Config is what a server is made of.
type Config struct {
	Store     *postgres.Store
	Tails     *feed.Tails
	Log       *slog.Logger // nil: slog.Default()
	Open      bool         // answer to any host name, not only to loopback
	PublicURL string       // where browsers reach the server: scheme, host and port; "": wherever they say
	Limits    Limits

	SignIn          bool              // readers have to sign in: who has not sees what is public
	OIDC            *OIDC             // the provider where people do; nil: none, they have tokens
	Roles           []Role            // what they are given
	SessionLifetime time.Duration     // 0: 12 h
	Runners         *idtoken.Verifier // whose ID tokens are exchanged; nil: nobody's
	RunnerLifetime  time.Duration     // of the tokens that they are exchanged for
	Proxies         Proxies           // through which clients come
	TLS             *tls.Config       // nil: plain HTTP

	// Observe is told of every request once it is answered: its route, of those
	// that there are, or "none"; its method, or "other"; its status; and how
	// long that took, or 0 for what lasts as long as its client likes. Nil:
	// nobody is.
	Observe func(route, method string, status int, took time.Duration)
}

// Server answers HTTP requests from a store and its feed.
type Server struct {
	cfg      Config
	store    *postgres.Store
	tails    *feed.Tails
	colours  *colours
	log      *slog.Logger
	echo     *echo.Echo
	open     streams // the streams that are open
	health   health
	sight    sight
	draining atomic.Bool   // from the beginning of a shutdown on
	stop     chan struct{} // closed then
	writers  writers
	provider *provider     // nil: there is none
	ping     time.Duration // pingAfter, but for tests

	limits    *limits
	delivered struct{ events, bytes atomic.Int64 } // over streams

	snapshots  *snapshots
	searches   *searches
	decoding   *turns.Turns // of reports, by token
	compares   *turns.Turns // of what was reported before, by token
	lists      *turns.Turns // of many builds, by caller
	builds     *turns.Turns // answers with one, by caller
	logs       *turns.Turns // answers with text of one, until they begin, by caller
	coming     *turns.Turns // requests over HTTP/2 of which it is not known yet whose they are, by address
	lookups    *turns.Turns // questions which builds there are, by caller
	reading    *turns.Room  // for what is read of logs and not yet written, by caller
	arriving   *turns.Room  // for bodies that arrive, by token or address
	uploading  atomic.Int64 // uploads that are under way
	authors    authors
	differed   differed
	searchTime time.Duration // searchTime, but for tests
}

// New makes a server. It starts nothing.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.SessionLifetime == 0 {
		cfg.SessionLifetime = sessionLifetime
	}
	s := &Server{cfg: cfg, store: cfg.Store, tails: cfg.Tails, log: cfg.Log, stop: make(chan struct{}), ping: pingAfter}
	s.colours = &colours{store: cfg.Store, far: farBack}
	s.limits = newLimits(cfg.Limits)
	s.open.limits = s.limits
	s.searches, s.searchTime = newSearches(), searchTime
	for _, t := range []**turns.Turns{&s.decoding, &s.compares, &s.lists, &s.builds, &s.logs, &s.lookups, &s.coming} {
		*t = turns.New(runtime.GOMAXPROCS(0))
	}
	s.reading, s.arriving = turns.NewRoom(mostUnread), turns.NewRoom(mostArriving)
	s.snapshots = newSnapshots(cfg.Store.FeedSnapshots)
	if cfg.OIDC != nil {
		s.provider = newProvider(*cfg.OIDC)
	}
	s.echo = s.router()
	return s
}

// Handler returns the whole HTTP surface, for a server of the caller's. Such a
// server calls Drain before it shuts down.
func (s *Server) Handler() http.Handler { return s.echo }

// The times of a shutdown.
const (
	drainStreams = 8 * time.Second  // over which open streams are closed
	drainAll     = 15 * time.Second // after which nothing is waited for
)

// httpServer bounds what a peer may make the server wait for, and hold.
func httpServer(h http.Handler, to *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second, // and a TLS handshake; bodies: see paced
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(errorLog{to}, "", 0),
		// OPTIONS * gets what every other address gets.
		DisableGeneralOptionsHandler: true,
		HTTP2: &http.HTTP2Config{
			// A peer that vanished is found as on a connection of a stream's own,
			// and one that takes nothing holds nobody up.
			SendPingTimeout:  15 * time.Second,
			PingTimeout:      15 * time.Second,
			WriteByteTimeout: writeWait,
			// Each takes 40 KB while it waits, and an address has hundreds of connections.
			MaxConcurrentStreams: 100, // the least that RFC 9113, section 6.5.2, recommends
			// A connection keeps room for the largest frame that it got; the
			// default is 1 MiB, and takes no token. Clients send no larger ones
			// than this unless they are let.
			MaxReadFrameSize: 16 << 10,
		},
	}
}

// Serve answers on ln until ctx is done, and then shuts down: /readyz turns
// red, streams are closed evenly over eight seconds, in random order, and
// requests in flight are finished; after 15 seconds it returns all the same.
// The store and the feed must outlast it.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	hs := httpServer(s.entrance(s.echo), s.log)
	hs.TLSConfig = s.cfg.TLS
	hs.ConnState, hs.ConnContext = s.track, withConn
	failed := make(chan error, 1)
	go func() {
		if s.cfg.TLS != nil {
			failed <- hs.ServeTLS(ln, "", "")
		} else {
			failed <- hs.Serve(ln)
		}
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainAll)
	defer cancel()
	hs.SetKeepAlivesEnabled(false)
	s.Drain(deadline)
	if err := hs.Shutdown(deadline); err != nil {
		s.log.Warn("shutdown: requests were cut off", "error", err)
		hs.Close()
	}
	<-failed
	return nil
}

// entrance lets whoever else is to do something do it before each request. A connection
// whose requests have all arrived already waits for nothing between them, and has a
// processor for as long as the runtime lets it, 10 ms: of 500 such ones others would come
// to their turn after seconds. Over HTTP/2 hundreds of a connection's requests are under
// way at once, and each step of anybody else's would come behind one of all of these: so
// they come in a few at a time, in turns of their addresses, until they wait for something,
// and go on so when that has come for hundreds at once.
func (s *Server) entrance(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			runtime.Gosched()
			h.ServeHTTP(w, r)
			return
		}
		e := &entrant{turns: s.coming, leave: func() {}}
		if addr, counted := s.limits.accountable(s.cfg.Proxies.origination(r).client); counted {
			e.from = addr.String()
			conn, _ := r.Context().Value(connKey{}).(net.Conn)
			if s.cfg.Proxies.sent(r) {
				conn = nil
			}
			many, onConn, done := s.limits.underWay.add(e.from, conn)
			defer done()
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
		defer e.wait()
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
	leave func()
}

func (e *entrant) enter(ctx context.Context) bool {
	leave, err := e.turns.Enter(ctx, e.from)
	if err == nil {
		e.leave = leave
	}
	return err == nil
}

func (e *entrant) wait() {
	e.leave()
	e.leave = func() {}
}

// waits says that a request is let in, or waits for something: others come in then.
func waits(r *http.Request) {
	if e, ok := r.Context().Value(entrantKey{}).(*entrant); ok {
		e.wait()
	}
}

// goesOn says that what a request has waited for has come, as for others at the same time.
func goesOn(r *http.Request) {
	if e, ok := r.Context().Value(entrantKey{}).(*entrant); ok {
		e.wait()
		e.enter(r.Context()) // who has left is in nobody's way
	}
}

// Drain turns /readyz red, ends uploads that have no end of their own, and
// closes open streams evenly over eight seconds. It returns when all are
// closed, or ctx is done.
func (s *Server) Drain(ctx context.Context) {
	if s.draining.Swap(true) {
		return
	}
	close(s.stop)
	s.open.closeEvenly(ctx, drainStreams)
}

// recover turns a panic into a 500 and a log entry. The process goes on: the
// state that matters is in the database.
func (s *Server) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				s.log.Error("panic", "value", v, "stack", string(debug.Stack()))
				err = errors.New("panic")
			}
		}()
		return next(c)
	}
}

// errorLog takes what net/http has to say.
type errorLog struct{ log *slog.Logger }

func (l errorLog) Write(p []byte) (int, error) {
	l.log.Debug("http", "error", string(p))
	return len(p), nil
}
