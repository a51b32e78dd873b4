//go:build unix

package main

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/pgtest"
)

func TestServe_SaysWhatIsWrongWithTheDatabase(t *testing.T) {
	t.Parallel()
	there, err := url.Parse(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	absent := *there
	absent.Path = "/nobody-made-it"
	readOnly := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), readOnly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	ascii := *there
	ascii.Path += "_ascii"
	name := pgx.Identifier{strings.TrimPrefix(ascii.Path, "/")}.Sanitize()
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)") })
	if _, err := conn.Exec(t.Context(), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`); err != nil {
		t.Fatal(err)
	}
	for database, want := range map[string]string{
		absent.String(): `database "nobody-made-it" does not exist (SQLSTATE 3D000): make it with CREATE DATABASE "nobody-made-it" OWNER`,
		ascii.String():  "the database is in SQL_ASCII, which does not hold every text",
		readOnly:        "PostgreSQL takes no writes there, as a standby does not: name the primary",
	} {
		_, stderr, code := output(t, stepcast(t, nil, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--database-url", database))
		if lines := strings.Split(strings.TrimSpace(stderr), "\n"); code != 1 || len(lines) != 1 || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d, %q, want %q in one line", code, stderr, want)
		}
	}
}
