package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

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
	gaps       gaps
	readingOn  *rate.Limiter // in bytes
	creations  creations
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
	s.authors.texts.most, s.authors.notes.most = mostAuthors, mostAuthors
	s.differed.at.most, s.creations.by.most = mostDiffered, mostCreations
	s.readingOn = rate.NewLimiter(readOnPace, readOnAhead)
	s.gaps.last.most, s.gaps.seed = mostGaps, maphash.MakeSeed()
	s.creations.seed = maphash.MakeSeed()
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
	hs := httpServer(handling(s.entrance(s.echo)), s.log)
	hs.TLSConfig = s.cfg.TLS
	hs.ConnState, hs.ConnContext = s.track, withConn
	failed := make(chan error, 1)
	go func() {
		if s.cfg.TLS != nil {
			failed <- hs.ServeTLS(aroundListener{ln, answering}, "", "")
		} else {
			failed <- hs.Serve(aroundListener{ln, telling})
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
