package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/migrations"
)

// Health is the state of the database as a server process sees it.
type Health struct {
	Database   error             // nil: it answers
	Migrations error             // nil: the schema is the one that this program needs
	Writable   error             // nil: it takes writes
	Durability error             // nil: what is acknowledged is on disk
	Settings   map[string]string // the three settings on which that rests, as read
	ListenAge  time.Duration     // since LISTEN last proved to be alive; negative: it never did
	DiskFree   uint64            // bytes; 0: not known
}

const schemaSQL = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`

// Health asks the database.
func (s *Store) Health(ctx context.Context) (h Health) {
	h.DiskFree, _ = s.disk.bytes()
	h.ListenAge = s.listener.age()
	// As the committer does it: a pool's connection might be set otherwise.
	conn, err := connectWriter(ctx, s.cfg.DirectURL)
	switch {
	case err == nil:
		defer closeConn(conn)
		h.ask(ctx, conn)
		if s.cfg.DirectURL != s.cfg.URL && h.Database == nil {
			h.Database = s.read.Ping(ctx)
		}
		return h
	case !isFull(err) && errors.As(err, new(*unconnected)):
		h.Database = err
		return h
	}
	// Others have taken all connections but those that we have, which do, or a
	// setting is wrong.
	kept, err2 := s.read.Acquire(ctx)
	if err2 != nil {
		h.Database = err
		return h
	}
	defer kept.Release()
	switch {
	case errors.Is(err, errReadOnly):
		h.Writable = err
	case !isFull(err):
		h.Durability = err
	}
	h.ask(ctx, kept.Conn())
	return h
}

// ask reads the settings and the schema's version.
func (h *Health) ask(ctx context.Context, conn *pgx.Conn) {
	found, err := readSettings(ctx, conn)
	if err != nil {
		h.Database = err
		return
	}
	h.Settings = map[string]string{
		"synchronous_commit": found.synchronousCommit, "fsync": found.fsync, "full_page_writes": found.fullPageWrites,
	}
	var version int64
	if err := conn.QueryRow(ctx, schemaSQL).Scan(&version); err != nil {
		h.Migrations = fmt.Errorf("read the schema's version: %w", err)
	} else if want := newestMigration(); version < want {
		h.Migrations = fmt.Errorf("the schema is at version %d, this program needs %d", version, want)
	}
}

func newestMigration() (newest int64) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, n)
		}
	}
	return newest
}
