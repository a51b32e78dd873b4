//go:build unix

package pgtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"

	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/sweep"
	"github.com/stepcast/stepcast/migrations"
)

// maxSlots is how many test processes of one user can run at once.
const maxSlots = 64

// patience bounds whatever should take a second, on a machine that is busy.
const patience = 2 * time.Minute

// cluster is this process's PostgreSQL, from the first New to its end.
var cluster = sync.OnceValues(func() (*shared, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return take(ctx)
})

// New makes a fresh, migrated database and returns its address. It is dropped
// when the test ends, with whatever sessions are left in it.
func New(tb testing.TB) string {
	tb.Helper()
	c, err := cluster()
	if err != nil {
		tb.Fatalf("pgtest: start PostgreSQL: %v", err)
	}
	name := fmt.Sprintf("test_%d", c.last.Add(1))
	if err := c.exec(tb.Context(), "CREATE DATABASE "+name+" TEMPLATE "+c.template); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if sweep.On() {
			c.keep(ctx, tb, database(c.server.URL(), name))
		}
		if err := c.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return database(c.server.URL(), name)
}

// Start runs a PostgreSQL for this test alone, which may be killed: it comes
// back by itself. Its database, at its URL, is empty. It ends, and is removed,
// with the test.
func Start(tb testing.TB) *embedded.Server {
	tb.Helper()
	dir := Dir(tb)
	server, err := embedded.Start(tb.Context(), embedded.Config{DataDir: dir, Log: quiet})
	if err != nil {
		tb.Fatalf("pgtest: start PostgreSQL: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("pgtest: stop PostgreSQL: %v", err)
		}
	})
	return server
}

// Dir is a folder like tb.TempDir's, but one that PostgreSQL's own user can
// enter when the test runs as root, and in memory where there is enough.
func Dir(tb testing.TB) string {
	tb.Helper()
	clearOld()
	dir, err := os.MkdirTemp(tempDir(), fmt.Sprintf("stepcast-test-%d-", os.Getpid()))
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return dir
}

// WriteProgram writes a file that can be run at once: no process that another
// test begins meanwhile has it open for writing, in which case the system would
// refuse to run it.
func WriteProgram(tb testing.TB, path string, text []byte) {
	tb.Helper()
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, text, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		tb.Fatal(err)
	}
}

// clearOld removes the folders of test processes that were killed.
var clearOld = sync.OnceFunc(func() {
	left, _ := filepath.Glob(filepath.Join(tempDir(), "stepcast-test-*-*"))
	for _, dir := range left {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), "stepcast-test-%d-", &pid); err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // another user's stays
		}
	}
})

// quiet keeps the starts and restarts that tests cause out of their output.
var quiet = slog.New(slog.DiscardHandler)

// small keeps a cluster of the pool small, since it stays.
var small = map[string]string{"min_wal_size": "32MB", "max_wal_size": "256MB"}

// shared is a cluster with a migrated template.
type shared struct {
	lock     *flock.Flock // held to the end of the process
	server   *embedded.Server
	template string
	last     atomic.Int64 // number of the last database made

	dir string

	mu    sync.Mutex // guards what follows
	admin *pgx.Conn
	heard int64 // bytes of PostgreSQL's log that were kept, or are older than we
}

// take starts the first cluster of the pool that no other test process has.
func take(ctx context.Context) (*shared, error) {
	pool, err := poolDir()
	if err != nil {
		return nil, err
	}
	for slot := range maxSlots {
		dir := filepath.Join(pool, strconv.Itoa(slot))
		lock := flock.New(dir + ".lock")
		if mine, err := lock.TryLock(); err != nil {
			return nil, fmt.Errorf("take a cluster: %w", err)
		} else if mine {
			return open(ctx, dir, lock)
		}
	}
	return nil, fmt.Errorf("all %d clusters in %s are in use", maxSlots, pool)
}

// poolDir is where the clusters lie: a known place among temporary files, so
// it has to be ours.
func poolDir() (string, error) {
	dir := filepath.Join(tempDir(), fmt.Sprintf("stepcast-pgtest-%d", os.Geteuid()))
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make the clusters' folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("make the clusters' folder: %w", err)
	}
	if !info.IsDir() || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
		return "", fmt.Errorf("%s is not ours", dir)
	}
	return dir, nil
}

// tempDir is memory where the system has enough of it for files, and else the
// usual place. Every setting about durability stays on, as the tests want it,
// but a database is 300 files to sync, which on a disk that is busy with builds
// takes longer than most tests.
func tempDir() string {
	const memory, enough = "/dev/shm", 4 << 30
	var fs unix.Statfs_t
	if unix.Access(memory, unix.W_OK) == nil && unix.Statfs(memory, &fs) == nil && uint64(fs.Bavail)*uint64(fs.Bsize) >= enough {
		return memory
	}
	return os.TempDir()
}

// open starts a cluster of the pool and gives it the template.
func open(ctx context.Context, dir string, lock *flock.Flock) (*shared, error) {
	cfg := embedded.Config{DataDir: dir, Log: quiet, Settings: small}
	server, err := embedded.Start(ctx, cfg)
	if err != nil && ctx.Err() == nil && os.RemoveAll(dir) == nil {
		// Another major version's, or damaged with the machine: begin again.
		server, err = embedded.Start(ctx, cfg)
	}
	if err != nil {
		return nil, err
	}
	c := &shared{server: server, lock: lock, dir: dir}
	c.said()
	if err := c.prepare(ctx); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return c, nil
}

// prepare drops what test processes before us left, and makes the template of
// these migrations, unless it is there.
func (c *shared) prepare(ctx context.Context) error {
	var err error
	if c.admin, err = pgx.Connect(ctx, c.server.URL()); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if c.template, err = templateName(migrations.FS); err != nil {
		return err
	}
	rows, err := c.admin.Query(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 'test\_%' OR datname LIKE 'template\_%'`)
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	made := false
	for _, name := range names {
		if name == c.template {
			made = true
			continue
		}
		if err := c.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	if made {
		return nil
	}
	const unfinished = "test_template" // dropped as above when we do not get to the end
	if err := c.exec(ctx, "CREATE DATABASE "+unfinished); err != nil {
		return err
	}
	if err := migrate(ctx, database(c.server.URL(), unfinished)); err != nil {
		return err
	}
	return c.exec(ctx, "ALTER DATABASE "+unfinished+" RENAME TO "+c.template)
}

// exec runs one administrative statement. Names in it are our own, so it needs
// no quoting. One connection does them all: PostgreSQL makes one database at a
// time anyway, and a template must have no other sessions.
func (c *shared) exec(ctx context.Context, sql string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.admin.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", strings.ToLower(sql), err)
	}
	return nil
}

// templateName changes with every change of a migration.
func templateName(files fs.FS) (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the migrations: %w", err)
	}
	return fmt.Sprintf("template_%x", hash.Sum(nil)[:8]), nil
}

// migrate is not postgres.Migrate, so that this package does not depend on one
// that it helps to test.
func migrate(ctx context.Context, url string) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	db := stdlib.OpenDB(*cfg)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// database is a server's address with another database in it.
func database(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // we made it
	}
	u.Path = "/" + name
	return u.String()
}
