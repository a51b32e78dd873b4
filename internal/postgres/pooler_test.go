//go:build unix

package postgres_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// pooler starts a PgBouncer before a database, with more of its settings, and
// ends it with the test. It hands each transaction to whichever of its sessions
// is free, so that what is kept in one is not found again.
func pooler(t *testing.T, database, settings string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not on an ordinary user's PATH
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("pgbouncer is not installed")
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	// It is not to be root, and PostgreSQL's own user is who gets to its socket.
	dir, sockets := pgtest.Dir(t), u.Query().Get("host")
	info, err := os.Stat(sockets)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	config := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
[databases]
%[1]s = host=%[2]s port=%[3]s user=%[4]s
[pgbouncer]
listen_addr =
listen_port = 5432
unix_socket_dir = %[5]s
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_round_robin = 1
%[6]s
`, name, sockets, u.Query().Get("port"), u.Query().Get("user"), dir, settings), 0o644); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, config)
	cmd.Stdout, cmd.Stderr = &said, &said
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	waitFor(t, newRecorder(), func() bool {
		_, err := os.Stat(filepath.Join(dir, ".s.PGSQL.5432"))
		return err == nil
	})
	q := u.Query()
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestPooler_ReadsThroughItAndWritesPastIt(t *testing.T) {
	t.Parallel()
	direct := pgtest.New(t)
	through := pooler(t, direct, "")
	s, _, _ := startWith(t, postgres.Config{URL: through, DirectURL: direct})
	// Whom the pooler alone refuses does not begin.
	if refused, err := postgres.Open(t.Context(), postgres.Config{URL: strings.Replace(through, "?", "x?", 1), DirectURL: direct}); err == nil {
		refused.Close()
		t.Error("it took a database that the pooler does not have")
	}
	var group errgroup.Group
	for range 8 { // as many connections as the pool may have
		group.Go(func() error {
			id := create(t, s, "acme/api")
			for offset := range int64(20) {
				receipt := must(t, s, id, text("test", offset, "x"))
				page, err := s.Page(t.Context(), logOf(t, s, id), 0, ci.Filter{})
				if err != nil {
					return err
				}
				if last := page.Events[len(page.Events)-1].ID; last != receipt.Last {
					return fmt.Errorf("read up to %d of %d", last, receipt.Last)
				}
				if _, err := s.Build(t.Context(), id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if h := s.Health(t.Context()); errors.Join(h.Database, h.Migrations, h.Durability) != nil {
		t.Fatalf("not ready: %+v", h)
	}
}

func TestPooler_IsNoticed(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	for name, settings := range map[string]string{
		"that refuses settings":  "",
		"that swallows settings": "ignore_startup_parameters = lock_timeout, statement_timeout, idle_in_transaction_session_timeout, tcp_keepalives_idle, tcp_keepalives_interval, tcp_keepalives_count",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := postgres.Migrate(t.Context(), pooler(t, database, settings), slog.New(slog.DiscardHandler)); !errors.Is(err, postgres.ErrPooler) {
				t.Fatalf("migrated through it: %v", err)
			}
		})
	}
}

// TestPooler_OfAnotherDatabase is of two addresses that lead to two databases, one of which
// may be a copy of the other.
func TestPooler_OfAnotherDatabase(t *testing.T) {
	t.Parallel()
	one, other := pgtest.New(t), pgtest.New(t)
	if _, err := postgres.Open(t.Context(), postgres.Config{URL: pooler(t, one, ""), DirectURL: other}); !errors.Is(err, postgres.ErrOtherDatabase) {
		t.Fatalf("opened: %v", err)
	}
	store, err := postgres.Open(t.Context(), postgres.Config{URL: pooler(t, one, ""), DirectURL: one})
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
}
