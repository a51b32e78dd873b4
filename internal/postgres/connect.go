package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrPooler says that an address leads to a connection pooler, where a
// connection of PostgreSQL's own is needed.
var ErrPooler = errors.New("this address leads to a connection pooler, not to PostgreSQL itself")

// Connections name their purpose as application_name, so that an operator, and
// a fault test, can tell them apart.
const (
	writeName  = "stepcast-write"
	rareName   = "stepcast-rare"
	readName   = "stepcast-read"
	listenName = "stepcast-listen"
)

// How long a connection may take to be made, a commit to end one way or the other, and a
// statement that reads. statement_timeout ends the last two earlier.
const (
	connectTimeout = 5 * time.Second
	commitTimeout  = 15 * time.Second
	readTimeout    = 12 * time.Second
)

// idleInTransaction frees the locks of a process that stalls with them. That it
// is in force shows that a connection is PostgreSQL's own: see readSettings.
const idleInTransaction = "2s"

func connConfig(url, name string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	setParams(cfg, name)
	return cfg, nil
}

func setParams(cfg *pgx.ConnConfig, name string) {
	cfg.ConnectTimeout = connectTimeout
	cfg.RuntimeParams["application_name"] = name
	cfg.RuntimeParams["tcp_keepalives_idle"] = "5"
	cfg.RuntimeParams["tcp_keepalives_interval"] = "2"
	cfg.RuntimeParams["tcp_keepalives_count"] = "3"
	cfg.RuntimeParams["timezone"] = "UTC"
	switch name {
	case writeName, rareName:
		cfg.RuntimeParams["lock_timeout"] = "3s"
		cfg.RuntimeParams["statement_timeout"] = "10s"
		cfg.RuntimeParams["idle_in_transaction_session_timeout"] = idleInTransaction
	case readName:
		cfg.RuntimeParams["statement_timeout"] = "10s"
		cfg.RuntimeParams["default_transaction_read_only"] = "on"
	}
}

// connect makes a connection.
func connect(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, connectError(err)
	}
	return conn, nil
}

// bounded gives up each statement that is not answered within so long, and the wait for a
// connection of a pool. PostgreSQL ends a statement earlier by statement_timeout, unless it
// stands still, is cut off, or is behind a pooler.
type bounded time.Duration

type giveUp struct{}

func (b bounded) begin(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b))
	return context.WithValue(ctx, giveUp{}, cancel)
}

func (bounded) end(ctx context.Context) {
	if cancel, ok := ctx.Value(giveUp{}).(context.CancelFunc); ok {
		cancel()
	}
}

func (b bounded) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	return b.begin(ctx)
}

func (b bounded) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireEndData) {
	b.end(ctx)
}

func (b bounded) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return b.begin(ctx)
}

func (b bounded) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) { b.end(ctx) }

func (b bounded) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return b.begin(ctx)
}

func (bounded) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (b bounded) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) { b.end(ctx) }

// connectError tells in one line why there is no connection. What was tried with
// TLS and then without is two errors, and where TLS was refused only the other
// says anything.
func connectError(err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Code == "08P01" && strings.Contains(said.Message, "startup parameter") {
		return fmt.Errorf("connect: %w (%w)", ErrPooler, said)
	}
	var tried *pgconn.ConnectError
	if !errors.As(err, &tried) {
		return fmt.Errorf("connect: %w", err)
	}
	var lines []string
	for line := range strings.SplitSeq(tried.Unwrap().Error(), "\n") {
		if !slices.Contains(lines, line) && !strings.HasSuffix(line, "server refused TLS connection") {
			lines = append(lines, line)
		}
	}
	return &unconnected{"connect: " + cmp.Or(strings.Join(lines, "; "), "the server refused TLS"), err}
}

// unconnected is an error of pgx in other words.
type unconnected struct {
	text string
	err  error
}

func (e *unconnected) Error() string { return e.text }
func (e *unconnected) Unwrap() error { return e.err }

// connectWriter makes a connection whose commits are on disk when they are
// acknowledged, or fails.
func connectWriter(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := connConfig(url, writeName)
	if err != nil {
		return nil, err
	}
	conn, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := ensureDurable(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// settings are the three on which "acknowledged means on disk" rests, whether
// anything can be written at all, and whether what was asked for is in force.
type settings struct{ synchronousCommit, fsync, fullPageWrites, readOnly, timeout string }

const settingsSQL = `
	SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'),
		current_setting('transaction_read_only'), current_setting('idle_in_transaction_session_timeout')`

// readSettings leaves no prepared statement behind: a pooler would give it to
// others.
func readSettings(ctx context.Context, conn *pgx.Conn) (s settings, err error) {
	err = conn.QueryRow(ctx, settingsSQL, pgx.QueryExecModeExec).Scan(&s.synchronousCommit, &s.fsync, &s.fullPageWrites, &s.readOnly, &s.timeout)
	if err != nil {
		return s, fmt.Errorf("read the durability settings: %w", err)
	}
	return s, nil
}

var errReadOnly = errors.New("PostgreSQL takes no writes there, as a standby does not: name the primary, or several hosts and target_session_attrs=read-write")

// problem says what keeps a write from being made, or from being on disk when it
// is acknowledged.
func (s settings) problem() error {
	switch {
	case s.timeout != idleInTransaction:
		return ErrPooler
	case s.readOnly != "off":
		return errReadOnly
	case s.fsync != "on":
		return fmt.Errorf("PostgreSQL runs with fsync=%s; an acknowledged write could be lost: set fsync=on", s.fsync)
	case s.fullPageWrites != "on":
		return fmt.Errorf("PostgreSQL runs with full_page_writes=%s; an acknowledged write could be lost: set full_page_writes=on", s.fullPageWrites)
	case s.synchronousCommit != "on" && s.synchronousCommit != "remote_apply":
		return fmt.Errorf("PostgreSQL refuses synchronous_commit=on (it is %s); an acknowledged write could be lost", s.synchronousCommit)
	}
	return nil
}

func ensureDurable(ctx context.Context, conn *pgx.Conn) error {
	s, err := readSettings(ctx, conn)
	if err != nil {
		return err
	}
	if s.synchronousCommit != "remote_apply" && s.timeout == idleInTransaction {
		if _, err := conn.Exec(ctx, `SET synchronous_commit = on`); err != nil {
			return fmt.Errorf("set synchronous_commit: %w", err)
		}
		if s, err = readSettings(ctx, conn); err != nil {
			return err
		}
	}
	return s.problem()
}

// openPool opens the connections for reading. Through a pooler each transaction
// may have another session of PostgreSQL's, so nothing is kept in one: no
// prepared statement, and none of the settings, which it would refuse.
func openPool(ctx context.Context, url string, conns int, pooler bool) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	setParams(cfg.ConnConfig, readName)
	if pooler {
		cfg.ConnConfig.RuntimeParams = map[string]string{"application_name": readName, "timezone": "UTC"}
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	cfg.ConnConfig.Tracer = bounded(readTimeout)
	cfg.PingTimeout = connectTimeout
	cfg.MaxConns = int32(conns)
	cfg.MinConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	return pool, nil
}

// mostRare is how many connections there are at once for what is rare and asked
// for. Who asks for more of it waits: the database has connections for so many,
// and those that write builds need some. mostOfItself more are for what the store
// does of itself: to look for silence, to count texts, to find the epoch, to see
// whether a log was rewound, and twice to note that a reporter is there.
const (
	mostRare     = 8
	mostOfItself = 6
)

// A connection for what is rare is kept for restRare when nobody wants it, and
// has lookAtRested to show that it is still good for anything.
const (
	restRare     = 30 * time.Second
	lookAtRested = 2 * time.Second
)

// hasRested is noted in a connection for what is rare once it was looked at.
const hasRested = "stepcast: has rested"

// openRare opens the connections for what is rare. Each is looked at as a new one
// is before it is used: what has rested may have ended, lead to nobody, or be
// read-only by now. Those are given up together: what became of one did of all.
func openRare(url string) (pool *pgxpool.Pool, err error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	setParams(cfg.ConnConfig, rareName)
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = mostRare+mostOfItself, 0, 0
	cfg.MaxConnIdleTime, cfg.HealthCheckPeriod = restRare, restRare/2
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	cfg.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (ok bool, err error) {
		known := conn.PgConn().CustomData()
		rested, bound := known[hasRested] != nil, connectTimeout
		if known[hasRested] = true; rested {
			bound = lookAtRested
		}
		looking, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		if err := ensureDurable(looking, conn); err == nil || !rested {
			return err == nil, err
		}
		if ctx.Err() == nil { // who asked has not just gone
			pool.Reset()
		}
		return false, ctx.Err() // without one the pool goes on to the next, and then to a new one
	}
	if pool, err = pgxpool.NewWithConfig(context.Background(), cfg); err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	return pool, nil
}

// acquireRare takes one of them, whose commits are on disk when they are
// acknowledged, or fails. Whoever took it releases it.
func (s *Store) acquireRare(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := s.rare.Acquire(ctx)
	if errors.As(err, new(*pgconn.ConnectError)) {
		err = connectError(err)
	}
	return conn, err
}

// ErrOtherDatabase says that what is read through a pooler is not what is written past it.
var ErrOtherDatabase = errors.New("the two addresses lead to two databases")

// identitySQL tells one database from every other, a copy of it included.
const identitySQL = `SELECT system_identifier, (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) FROM pg_control_system()`

type identity struct{ cluster, database int64 }

// sameDatabase makes sure that both addresses lead to one database, or to standbys of it.
// Where that cannot be asked, as some that are run by others do not let it, it is taken for
// granted.
func (s *Store) sameDatabase(ctx context.Context) error {
	conn, err := s.acquireRare(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	var written, read identity
	err = errors.Join(
		conn.QueryRow(ctx, identitySQL).Scan(&written.cluster, &written.database),
		s.read.QueryRow(ctx, identitySQL).Scan(&read.cluster, &read.database))
	if err == nil && written != read {
		return ErrOtherDatabase
	}
	return nil
}
