package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// A database that stands still does not keep its own statement_timeout.
func TestBounded_AStatementWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	pool, err := openPool(t.Context(), pgtest.New(t), 1, true)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if got := pool.Config().ConnConfig.Tracer; got != bounded(readTimeout) {
		t.Errorf("what reads is bounded by %v", got)
	}
	cfg := pool.Config()
	cfg.ConnConfig.Tracer = bounded(100 * time.Millisecond)
	short, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	batch := &pgx.Batch{}
	batch.Queue(`SELECT pg_sleep(3600)`)
	for name, ask := range map[string]func() error{
		"rows":  func() error { _, err := short.Exec(t.Context(), `SELECT pg_sleep(3600)`); return err },
		"a row": func() error { return short.QueryRow(t.Context(), `SELECT pg_sleep(3600)`).Scan(new(string)) },
		"batch": func() error { return short.SendBatch(t.Context(), batch).Close() },
	} {
		err := ask()
		if p := ci.AsProblem(unavailable("read", err)); !errors.Is(err, context.DeadlineExceeded) || p == nil || p.Code != ci.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	taken, err := short.Acquire(t.Context())
	for errors.Is(err, context.DeadlineExceeded) { // it may take longer to connect
		taken, err = short.Acquire(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := short.Query(t.Context(), `SELECT 1`); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with all connections taken: %v", err)
	}
	taken.Release()

	// One that has rested is asked whether it still is one.
	still := new(atomic.Bool)
	cfg = pool.Config()
	cfg.ConnConfig.Tracer, cfg.PingTimeout = bounded(2*time.Second), 0
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true }
	dial := cfg.ConnConfig.DialFunc
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &frozen{conn, still}, err
	}
	rested, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer rested.Close()
	err = rested.Ping(t.Context())
	for errors.Is(err, context.DeadlineExceeded) { // likewise
		err = rested.Ping(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	still.Store(true)
	if _, err := rested.Exec(t.Context(), `SELECT 1`); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a connection that brings nothing: %v", err)
	}
	still.Store(false) // else closing waits for as long as pgx asks to cancel
}

// frozen is a connection to a database that stands still at times.
type frozen struct {
	net.Conn
	still *atomic.Bool
}

func (f *frozen) Write(b []byte) (int, error) {
	if f.still.Load() {
		return len(b), nil
	}
	return f.Conn.Write(b)
}
