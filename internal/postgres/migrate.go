package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/stepcast/stepcast/migrations"
)

// Migrate brings the database's schema up to date. Several processes may call
// it at once: a session lock lets one of them work and the others wait. The
// url must lead to PostgreSQL itself, not to a transaction pooler.
func Migrate(ctx context.Context, url string) error {
	return withGoose(url, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return nil
	})
}

func withGoose(url string, do func(*goose.Provider) error) error {
	cfg, err := connConfig(url, writeName)
	if err != nil {
		return err
	}
	delete(cfg.RuntimeParams, "statement_timeout") // a migration may take its time
	delete(cfg.RuntimeParams, "lock_timeout")
	var db *sql.DB = stdlib.OpenDB(*cfg)
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("make the migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return do(provider)
}
