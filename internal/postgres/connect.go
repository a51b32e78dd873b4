package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Connections name their purpose as application_name, so that an operator, and
// a fault test, can tell them apart.
const (
	writeName  = "stepcast-write"
	readName   = "stepcast-read"
	listenName = "stepcast-listen"
)

// How long a connection may take to be made, and a commit to end one way or
// the other. statement_timeout ends a commit earlier.
const (
	connectTimeout = 5 * time.Second
	commitTimeout  = 15 * time.Second
)

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
	case writeName:
		cfg.RuntimeParams["lock_timeout"] = "3s"
		cfg.RuntimeParams["statement_timeout"] = "10s"
		cfg.RuntimeParams["idle_in_transaction_session_timeout"] = "2s"
	case readName:
		cfg.RuntimeParams["statement_timeout"] = "10s"
		cfg.RuntimeParams["default_transaction_read_only"] = "on"
	}
}

// connectWriter makes a connection whose commits are on disk when they are
// acknowledged, or fails.
func connectWriter(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := connConfig(url, writeName)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := ensureDurable(ctx, conn); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

// settings are the three on which "acknowledged means on disk" rests.
type settings struct{ synchronousCommit, fsync, fullPageWrites string }

const settingsSQL = `
	SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes')`

func readSettings(ctx context.Context, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (s settings, err error) {
	err = db.QueryRow(ctx, settingsSQL).Scan(&s.synchronousCommit, &s.fsync, &s.fullPageWrites)
	if err != nil {
		return s, fmt.Errorf("read the durability settings: %w", err)
	}
	return s, nil
}

// problem says which setting lets an acknowledged commit be lost.
func (s settings) problem() error {
	switch {
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
	if s.synchronousCommit != "remote_apply" {
		if _, err := conn.Exec(ctx, `SET synchronous_commit = on`); err != nil {
			return fmt.Errorf("set synchronous_commit: %w", err)
		}
		if s, err = readSettings(ctx, conn); err != nil {
			return err
		}
	}
	return s.problem()
}

func openPool(ctx context.Context, url string, conns int) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	setParams(cfg.ConnConfig, readName)
	cfg.MaxConns = int32(conns)
	cfg.MinConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	return pool, nil
}

// openPlain makes a connection without asking what its commits are worth.
func openPlain(ctx context.Context, url string) (*pgx.Conn, error) {
	cfg, err := connConfig(url, readName)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}
