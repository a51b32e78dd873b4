//go:build unix

package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

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

func TestNew_IsDroppedWithItsSessions(t *testing.T) {
	t.Parallel()
	var conn *pgx.Conn
	t.Run("inner", func(t *testing.T) {
		var err error
		if conn, err = pgx.Connect(context.Background(), pgtest.New(t)); err != nil {
			t.Fatal(err)
		}
	})
	defer conn.Close(t.Context())
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the database is still there")
	}
}

func TestStart_ComesBackWhenKilled(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	pid := server.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for server.PID() == pid {
		select {
		case <-ctx.Done():
			t.Fatal("it did not come back")
		case <-tick.C:
		}
	}
	again, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	again.Close(t.Context())
}

// A test process that is killed leaves its databases to the next one.
func TestNew_AfterAKilledProcess(t *testing.T) {
	t.Parallel()
	for range 2 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
		cmd.Env = append(os.Environ(), victim+"=1")
		cmd.Stderr = os.Stderr
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "postgres://") {
			t.Errorf("the process said %q, %v", line, err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
}

// victim, in the environment, is for a process that makes a database and waits
// to be killed.
const victim = "PGTEST_TEST_VICTIM"

func TestVictim(t *testing.T) {
	if os.Getenv(victim) == "" {
		return
	}
	fmt.Println(pgtest.New(t))
	_, _ = io.Copy(io.Discard, os.Stdin) // for ever: the pipe is held by who kills us
}
