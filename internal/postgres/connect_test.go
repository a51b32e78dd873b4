package postgres

import (
	"context"
	"errors"
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
}
