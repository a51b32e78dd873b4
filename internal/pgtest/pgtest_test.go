//go:build unix

package pgtest_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/pgtest"
)

func TestNew_IsMigratedAndAlone(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			conn, err := pgx.Connect(t.Context(), pgtest.New(t))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			if _, err := conn.Exec(t.Context(), "CREATE TABLE mine (id int)"); err != nil {
				t.Fatalf("another test's table is here: %v", err)
			}
			var version int
			if err := conn.QueryRow(t.Context(), "SELECT max(version_id) FROM goose_db_version").Scan(&version); err != nil || version == 0 {
				t.Fatalf("want migrations, got version %d, %v", version, err)
			}
		})
	}
}
