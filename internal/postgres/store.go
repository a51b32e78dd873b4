package postgres

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/turns"
)

// Config says where the database is and how it is used.
type Config struct {
	URL       string // of the database, as pgx reads it
	DirectURL string // past the transaction pooler that URL leads to, for all but reading; empty: URL is direct
	ReadConns int    // at most so many connections for reading; 0: 8
	// Committers commit side by side; a build is always with the same one.
	// 0: 1, which is best on few cores.
	Committers int
	LostAfter  time.Duration // silence after which a step without heartbeats is lost; 0: 1 h
	// Bytes of log text that are kept of a build, and of a project in a day.
	// 0: any number.
	BuildLog, ProjectLog int64
	DiskFree             func() (uint64, error) // bytes left for the database, if it can be known
	Log                  *slog.Logger           // nil: slog.Default()
}

// Watcher is told what may have changed in the logs. Its methods are called
// from several goroutines and must not block.
type Watcher interface {
	// Committed hands over what this process has just committed. The events
	// of one call are consecutive, but calls for one log may come out of
	// order.
	Committed(epoch ci.Epoch, log ci.LogID, events []ci.Event, head ci.Head)
	// Hint says that a log has grown to last, as heard from some process.
	Hint(log ci.LogID, last ci.EventID)
	// Dirty says that logs may have grown, whichever.
	Dirty()
}

// Store is the database. Its methods may be called from any goroutine; writes
// are committed while Run runs.
type Store struct {
	cfg        Config
	log        *slog.Logger
	read       *pgxpool.Pool
	committers []*committer
	repeats    *turns.Turns  // of creations, by sender
	slow       *turns.Room   // for what takes long to write, by sender
	touching   chan struct{} // one in it for each Touch that is under way
	notifier   *notifier
	listener   *listener
	watcher    Watcher // set by Run
	epoch      atomic.Pointer[ci.Epoch]
	renewing   sync.Mutex // held by whoever looks for the epoch in force
	refs       cache[ci.BuildID, Ref]
	tokens     cache[[32]byte, Token]
	asked      singleflight.Group // of tokens

	lastCommits time.Duration // lastCommits, but for tests
	uses        uses
	sessions    sessions
	rare        *pgxpool.Pool             // for what is rarely written
	asking      chan struct{}             // one in it for each that does what is rare and asked for; see administer
	swept       atomic.Pointer[time.Time] // when silence was last looked for; nil: not yet
	away        atomic.Bool               // there was no connection to write, as the log says
	disk        diskGauge
	texts       texts
	counts      counts
}

// Open connects to a migrated database and checks that it keeps what it
// acknowledges.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	pooler := cfg.DirectURL != ""
	cfg.DirectURL = cmp.Or(cfg.DirectURL, cfg.URL)
	if cfg.ReadConns == 0 {
		cfg.ReadConns = 8
	}
	if cfg.LostAfter == 0 {
		cfg.LostAfter = time.Hour
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Store{cfg: cfg, log: cfg.Log, lastCommits: lastCommits}
	s.disk.free = cfg.DiskFree
	s.texts.build, s.texts.project = cfg.BuildLog, cfg.ProjectLog
	s.tokens.keep = keepToken
	s.uses = uses{latest: make(map[[32]byte]use), due: make(chan struct{}, 1)}
	s.sessions = sessions{writing: make(chan struct{}, 1), ways: make(chan struct{}, mostWays)}
	s.asking = make(chan struct{}, mostRare)
	s.sessions.found.keep = keepToken
	s.repeats, s.slow = turns.New(runtime.GOMAXPROCS(0)), turns.NewRoom(mostSlow)
	s.touching = make(chan struct{}, 2)
	for range max(1, cfg.Committers) {
		s.committers = append(s.committers, newCommitter(s))
	}
	s.notifier = newNotifier(s)
	s.listener = &listener{store: s}
	if err := s.connect(ctx, pooler); err != nil {
		s.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return s, nil
}

// connect opens what is not opened by Run, and makes sure that there is a database behind it.
func (s *Store) connect(ctx context.Context, pooler bool) (err error) {
	if s.rare, err = openRare(s.cfg.DirectURL); err != nil {
		return err
	}
	if err := s.renewEpoch(ctx); err != nil {
		return err
	}
	if s.read, err = openPool(ctx, s.cfg.URL, s.cfg.ReadConns, pooler); err != nil {
		return err
	}
	if err := s.read.Ping(ctx); err != nil { // a pooler has a password of its own
		return err
	}
	if pooler {
		return s.sameDatabase(ctx)
	}
	return nil
}

// Run commits, listens, looks for lost steps and writes down when tokens were
// used until ctx is done; what was
// accepted by then is committed first.
func (s *Store) Run(ctx context.Context, w Watcher) error {
	s.watcher = w
	// Notifications go on until the last commit has sent its own.
	late, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error {
		defer stop()
		var committing sync.WaitGroup
		for _, c := range s.committers {
			committing.Go(func() { c.run(ctx) })
		}
		committing.Wait()
		return nil
	})
	group.Go(func() error { s.notifier.run(late); return nil })
	group.Go(func() error { s.listener.run(late); return nil })
	group.Go(func() error { s.sweep(ctx); return nil })
	group.Go(func() error { s.keepUses(ctx); return nil })
	group.Go(func() error { s.countTexts(ctx); return nil })
	group.Go(func() error { s.keepSessions(ctx); return nil })
	return group.Wait()
}

// Close frees the connections that Run does not.
func (s *Store) Close() {
	var closing sync.WaitGroup // a connection that leads to nobody takes some seconds
	for _, pool := range []*pgxpool.Pool{s.read, s.rare} {
		if pool != nil {
			closing.Go(pool.Close)
		}
	}
	closing.Wait()
}

// forget drops everything that was kept of the database.
func (s *Store) forget() {
	for _, c := range s.committers {
		c.forget()
	}
	s.refs.clear()
	s.tokens.clear()
	s.sessions.found.clear()
}
