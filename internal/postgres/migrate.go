package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/stepcast/stepcast/migrations"
)

// Migrate brings the database's schema up to date. Several processes may call
// it at once: a session lock lets one of them work and the others wait. The
// url must lead to PostgreSQL itself: through a pooler it is ErrPooler.
func Migrate(ctx context.Context, url string, log *slog.Logger) error {
	// What is wrong with the database is found before anything is changed in it.
	conn, err := connectWriter(ctx, url)
	if err != nil {
		return explain(err, url)
	}
	if encoding := conn.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" {
		closeConn(conn)
		return fmt.Errorf("the database is in %s, which does not hold every text: make one with ENCODING 'UTF8' TEMPLATE template0", encoding)
	}
	var version int64
	if err := conn.QueryRow(ctx, schemaSQL).Scan(&version); err != nil {
		version = 0 // an empty database
	}
	closeConn(conn)
	switch newest := newestMigration(); {
	case version > newest:
		log.Warn("the schema is a later release's", "version", version, "known", newest)
	case version > 0 && version < newest: // a large database may take minutes, in which nothing else is heard
		log.Info("the schema is brought up to date", "version", version, "to", newest)
	}
	return withGoose(url, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return explain(fmt.Errorf("migrate: %w", err), url)
		}
		return nil
	})
}

func withGoose(url string, do func(*goose.Provider) error) error {
	cfg, err := connConfig(url, writeName)
	if err != nil {
		return err
	}
	cfg.RuntimeParams["statement_timeout"] = "0" // a migration may take its time
	cfg.RuntimeParams["lock_timeout"] = "0"
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

// explain adds what to do to an error that only a person at the database can
// mend.
func explain(err error, url string) error {
	cfg, parseErr := pgx.ParseConfig(url)
	var said *pgconn.PgError
	if parseErr != nil || !errors.As(err, &said) {
		return err
	}
	user, database := pgx.Identifier{cfg.User}.Sanitize(), pgx.Identifier{cfg.Database}.Sanitize()
	switch said.Code {
	case "3D000":
		return fmt.Errorf("%w: make it with CREATE DATABASE %s OWNER %s", err, database, user)
	case "42501":
		return fmt.Errorf("migrate: %w: the tables have to be %s's own, and it has to be let make them, as with ALTER DATABASE %s OWNER TO %s", said, user, database, user)
	}
	return err
}
