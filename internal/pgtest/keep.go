//go:build unix

package pgtest

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/sweep"
)

// mostKept bounds what is kept of a table, in bytes. What requests leave is in
// small tables; a large one is filled by the test itself, with more of the same.
const mostKept = 2 << 20

// keep keeps what is in a test's database, and what PostgreSQL has said since
// it was last asked, for the search for secrets. A database that the test has
// broken is not kept.
func (c *shared) keep(ctx context.Context, tb testing.TB, url string) {
	if said := c.said(); len(said) > 0 {
		sweep.Keep(tb, sweep.Log, string(said))
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
	if err != nil {
		return
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return
	}
	var dump bytes.Buffer
	for _, table := range tables {
		dump.WriteString("table " + table + "\n")
		to := &bounded{w: &dump, left: mostKept}
		if _, err := conn.PgConn().CopyTo(ctx, to, "COPY (TABLE "+table+") TO STDOUT"); err != nil {
			return
		}
	}
	sweep.Keep(tb, sweep.Database, dump.String())
}

// bounded takes everything and passes on the beginning.
type bounded struct {
	w    io.Writer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n, err := b.w.Write(p[:min(len(p), b.left)])
	b.left -= n
	return len(p), err
}

// said is what was added to PostgreSQL's log since it was last asked.
func (c *shared) said() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := os.Open(filepath.Join(c.dir, "postgres.log"))
	if err != nil {
		return nil
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err != nil || size <= c.heard {
		c.heard = size // it was begun anew
		return nil
	}
	_, _ = f.Seek(c.heard, io.SeekStart)
	said, _ := io.ReadAll(f)
	c.heard += int64(len(said))
	return said
}
