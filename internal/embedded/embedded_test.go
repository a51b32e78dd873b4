//go:build unix

package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// patience bounds what should take a second, on a machine that is busy.
const patience = time.Minute

// serveDir, in the environment, turns the test binary into a server.
const serveDir = "EMBEDDED_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveDir); dir != "" {
		if err := serve(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve is a server in small: it says "ready", its PostgreSQL's process id and
// address, and when it is interrupted, whether PostgreSQL is still there.
func serve(dir string) error {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	server, err := embedded.Start(context.Background(), embedded.Config{DataDir: dir, Log: quiet})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	fmt.Println("ready", server.PID(), server.URL())
	<-interrupted
	fmt.Println("drained", query[int](ctx, server.URL(), "SELECT 1").err)
	cancel()
	return <-ended
}

var quiet = slog.New(slog.DiscardHandler)

// start runs a server for the length of the test.
func start(t *testing.T, cfg embedded.Config) (*embedded.Server, error) {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = quiet
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := embedded.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server, nil
}

// supervise runs a server that is started again when it ends.
func supervise(t *testing.T, cfg embedded.Config) *embedded.Server {
	t.Helper()
	server, err := start(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server
}

type result[T any] struct {
	value T
	err   error
}

// query reads one value over a connection of its own.
func query[T any](ctx context.Context, url, sql string) (r result[T]) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		r.err = err
		return r
	}
	defer conn.Close(ctx)
	r.err = conn.QueryRow(ctx, sql).Scan(&r.value)
	return r
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// until polls a condition that nothing announces.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("%s: not within %s", what, patience)
		case <-tick.C:
		}
	}
}

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// child is a server in a process of its own.
type child struct {
	*exec.Cmd
	postgres int
	url      string
	out      *bufio.Reader
}

// spawn starts a server process, as another user unless cred is nil, in a
// process group of its own, as a shell would.
func spawn(t *testing.T, dir string, cred *syscall.Credential) *child {
	t.Helper()
	// The test binary lies where other users cannot go.
	program := filepath.Join(pgtest.Dir(t), "server")
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		self, _ := os.Executable()
		if text, err = os.ReadFile(self); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.WriteProgram(t, program, text)
	c := &child{Cmd: exec.Command(program)}
	c.Env = append(os.Environ(), serveDir+"="+dir)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: cred}
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := c.out.ReadString('\n')
	if _, e := fmt.Sscanf(line, "ready %d %s", &c.postgres, &c.url); e != nil {
		t.Fatalf("the server said %q, %v", line, err)
	}
	return c
}

// nobody is an ordinary user, to be had when the tests run as root.
func nobody(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func TestStart_ColdThenWarm(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "stepcast-test-") // a disk, if there is one
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	dir = filepath.Join(dir, `odd "name", ü`)
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}

	begun := time.Now()
	server, err := start(t, embedded.Config{DataDir: dir, Settings: map[string]string{"work_mem": "5MB"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("PostgreSQL %s: cold start %s", server.Version(), time.Since(begun).Round(time.Millisecond))
	for setting, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on",
		"listen_addresses": "", "server_encoding": "UTF8", "work_mem": "5MB",
	} {
		if got := query[string](t.Context(), server.URL(), "SHOW "+setting); got.err != nil || got.value != want {
			t.Errorf("%s = %q, %v; want %q", setting, got.value, got.err, want)
		}
	}
	if got := query[string](t.Context(), server.URL(), "SELECT lower('ÄÖ') || current_user || current_database()"); got.value != "äöstepcaststepcast" {
		t.Errorf("got %q, %v", got.value, got.err)
	}
	for _, name := range []string{"pg", "run"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v; want it closed to others", name, info.Mode(), err)
		}
	}
	if free, err := server.DiskFree(); err != nil || free == 0 {
		t.Errorf("free disk space: %d, %v", free, err)
	}
	exec1(t, server.URL(), "CREATE TABLE kept AS SELECT 42 AS n")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}

	begun = time.Now()
	if server, err = start(t, embedded.Config{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	t.Logf("warm start %s", time.Since(begun).Round(time.Millisecond))
	if got := query[int](t.Context(), server.URL(), "SELECT n FROM kept"); got.value != 42 {
		t.Errorf("got %d, %v", got.value, got.err)
	}
}

func TestStart_AsOrdinaryUser(t *testing.T) {
	t.Parallel()
	dir, cred := pgtest.Dir(t), nobody(t)
	if cred != nil {
		if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	c := spawn(t, dir, cred)
	info, err := os.Stat(filepath.Join(dir, "pg"))
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; cred != nil && uid != cred.Uid {
		t.Errorf("the cluster belongs to user %d, want %d", uid, cred.Uid)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if line, _ := c.out.ReadString('\n'); line != "drained <nil>\n" {
		t.Errorf("the server said %q", line)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// Whoever once ran it as nobody keeps it so when the user postgres comes.
func TestStart_KeepsTheClustersOwner(t *testing.T) {
	t.Parallel()
	cred := nobody(t)
	if cred == nil {
		t.Skip("only root can be another user")
	}
	dir := pgtest.Dir(t)
	server, err := start(t, embedded.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "-R", fmt.Sprint(cred.Uid), filepath.Join(dir, "pg")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if server, err = start(t, embedded.Config{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	if server.Credential().Uid != cred.Uid {
		t.Errorf("PostgreSQL runs as user %d, want %d", server.Credential().Uid, cred.Uid)
	}
}

func TestRun_StartsPostgresAgain(t *testing.T) {
	t.Parallel()
	server := supervise(t, embedded.Config{DataDir: pgtest.Dir(t)})
	exec1(t, server.URL(), "CREATE TABLE kept (n int)")
	for n := range 3 {
		exec1(t, server.URL(), fmt.Sprintf("INSERT INTO kept VALUES (%d)", n))
		// A session in a long query does not notice that PostgreSQL is gone.
		busy := make(chan error, 1)
		go func() {
			busy <- query[int](t.Context(), server.URL(), "SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS busy").err
		}()
		until(t, "a busy session", func() bool {
			return query[int](t.Context(), server.URL(), "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%AS busy'").value == 1
		})
		pid, begun := server.PID(), time.Now()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		until(t, "PostgreSQL is back", func() bool { return server.PID() != pid })
		t.Logf("ready again after %s", time.Since(begun).Round(time.Millisecond))
		if <-busy == nil {
			t.Error("the query outlived its PostgreSQL")
		}
		if got := query[int](t.Context(), server.URL(), "SELECT count(*) FROM kept"); got.value != n+1 {
			t.Errorf("got %d rows, %v; want %d", got.value, got.err, n+1)
		}
	}
	pid := server.PID()
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Run(t.Context()); err != nil || server.PID() != pid {
		t.Errorf("PostgreSQL was started again after it was stopped: %v", err)
	}
}

func TestStart_AfterKillOfServer(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	for range 3 {
		c := spawn(t, dir, nil)
		exec1(t, c.url, "CREATE TABLE IF NOT EXISTS kept (n int)")
		exec1(t, c.url, "INSERT INTO kept VALUES (1)")
		if err := syscall.Kill(-c.Process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
	}
	server, err := start(t, embedded.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := query[int](t.Context(), server.URL(), "SELECT count(*) FROM kept"); got.value != 3 {
		t.Errorf("got %d rows, %v; want 3", got.value, got.err)
	}
}

func TestStart_EndsAnOrphan(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string]bool{"running": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := pgtest.Dir(t)
			server, err := start(t, embedded.Config{DataDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			exec1(t, server.URL(), "CREATE TABLE kept AS SELECT 42 AS n")
			if err := server.Stop(); err != nil {
				t.Fatal(err)
			}
			orphan, err := server.Orphan()
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- orphan.Wait() }()
			until(t, "the orphan answers", func() bool { return query[int](t.Context(), server.URL(), "SELECT 1").err == nil })
			if stopped {
				if err := orphan.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
			}
			if server, err = start(t, embedded.Config{DataDir: dir}); err != nil {
				t.Fatal(err)
			}
			<-ended
			if got := query[int](t.Context(), server.URL(), "SELECT n FROM kept"); got.value != 42 {
				t.Errorf("got %d, %v", got.value, got.err)
			}
		})
	}
}

// In a container process ids come again: the one in a stale postmaster.pid may
// be anything of the same user's, and must be left alone.
func TestStart_StaleProcessID(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	server, err := start(t, embedded.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command("sleep", "600")
	other.SysProcAttr = &syscall.SysProcAttr{Credential: server.Credential()}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	file := filepath.Join(dir, "pg", "postmaster.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	text = fmt.Appendf(nil, "%d%s", other.Process.Pid, text[strings.IndexByte(string(text), '\n'):])
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if cred := server.Credential(); cred != nil {
		if err := os.Chown(file, int(cred.Uid), int(cred.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := start(t, embedded.Config{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	if gone(other.Process.Pid) {
		t.Error("a process that is none of ours was ended")
	}
}

// Ctrl-C in a terminal goes to the whole foreground process group. The server
// has to drain before PostgreSQL ends.
func TestRun_CtrlCReachesTheServerOnly(t *testing.T) {
	t.Parallel()
	c := spawn(t, pgtest.Dir(t), nil)
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if line, _ := c.out.ReadString('\n'); line != "drained <nil>\n" {
		t.Errorf("the server said %q", line)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if !gone(c.postgres) {
		t.Error("PostgreSQL outlived its server")
	}
}

func TestStart_SecondServer(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	c := spawn(t, dir, nil)
	_, err := start(t, embedded.Config{DataDir: dir})
	if !errors.Is(err, embedded.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", c.Process.Pid)) {
		t.Errorf("got %v", err)
	}
	t.Log(err)
	if got := query[int](t.Context(), c.url, "SELECT 1"); got.err != nil {
		t.Errorf("the first server's PostgreSQL: %v", got.err)
	}
	if url, err := embedded.Running(dir); err != nil || url != c.url {
		t.Errorf("it is said to be at %s, %v; want %s", url, err, c.url)
	}
}

func TestStart_LongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(pgtest.Dir(t), strings.Repeat("long/", 30))
	c := spawn(t, dir, nil)
	socket, err := os.Readlink(filepath.Join(dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder: %v, %v; want it closed to others", info.Mode(), err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	server, err := start(t, embedded.Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if server.Socket() != socket {
		t.Errorf("a killed server's %s was left behind for %s", socket, server.Socket())
	}
	if url, err := embedded.Running(dir); err != nil || url != server.URL() {
		t.Errorf("it is said to be at %s, %v; want %s", url, err, server.URL())
	}
	if got := query[int](t.Context(), server.URL(), "SELECT 1"); got.err != nil {
		t.Error(got.err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there, %v", socket, err)
	}
}

func TestStart_ClosedParent(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root runs PostgreSQL as another user")
	}
	closed := filepath.Join(pgtest.Dir(t), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := start(t, embedded.Config{DataDir: filepath.Join(closed, "deep", "data")})
	if err == nil || !strings.Contains(err.Error(), "cannot enter "+closed+":") {
		t.Errorf("got %v, want it to name %s", err, closed)
	}
	t.Log(err)
}

func TestStart_OtherMajorVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"9.6": "made by PostgreSQL 9, and Stepcast needs 15 or newer",
		"14":  "made by PostgreSQL 14, and Stepcast needs 15 or newer",
		"99":  "made by PostgreSQL 99, and no PostgreSQL 99 was found (only ",
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := pgtest.Dir(t)
			file := filepath.Join(dir, "pg", "PG_VERSION")
			if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(version+"\n"), 0o600), os.Chown(filepath.Dir(file), owner(t), -1)); err != nil {
				t.Fatal(err)
			}
			_, err := start(t, embedded.Config{DataDir: dir})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			t.Log(err)
		})
	}
}

// owner is who a cluster may belong to.
func owner(t *testing.T) int {
	if cred := nobody(t); cred != nil {
		return int(cred.Uid)
	}
	return os.Geteuid()
}

// A folder that somebody else filled is not ours to use or to empty.
func TestStart_NoCluster(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	if err := os.Mkdir(filepath.Join(dir, "pg"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := start(t, embedded.Config{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "no PostgreSQL data directory") {
		t.Errorf("got %v", err)
	}
}

func TestStart_NoBinaries(t *testing.T) {
	// A program that is not PostgreSQL, and no npm.
	bin := pgtest.Dir(t)
	for _, name := range []string{"postgres", "initdb"} {
		pgtest.WriteProgram(t, filepath.Join(bin, name), []byte("#!/bin/sh\necho hello\n"))
	}
	t.Setenv("PATH", bin)
	_, err := start(t, embedded.Config{DataDir: pgtest.Dir(t), CacheDir: pgtest.Dir(t), BinDirs: []string{bin}})
	var missing *embedded.NoBinariesError
	if !errors.As(err, &missing) {
		t.Fatalf("got %v", err)
	}
	for _, way := range []string{"STEPCAST_DATABASE_URL", "install PostgreSQL 15", "npm is not installed"} {
		if !strings.Contains(err.Error(), way) {
			t.Errorf("%q does not say %q", err, way)
		}
	}
	t.Log(err)
}

func TestStart_NoRegistry(t *testing.T) {
	t.Setenv("npm_config_registry", "http://127.0.0.1:9")
	_, err := start(t, embedded.Config{DataDir: pgtest.Dir(t), CacheDir: pgtest.Dir(t), BinDirs: []string{}})
	var missing *embedded.NoBinariesError
	if !errors.As(err, &missing) || missing.Cause == nil {
		t.Fatalf("got %v", err)
	}
	t.Log(err)
}

func TestStart_WrongPackage(t *testing.T) {
	bin, cache := pgtest.Dir(t), pgtest.Dir(t)
	pgtest.WriteProgram(t, filepath.Join(bin, "npm"), []byte("#!/bin/sh\necho other >package.tgz\n"))
	t.Setenv("PATH", bin)
	_, err := start(t, embedded.Config{DataDir: pgtest.Dir(t), CacheDir: cache, BinDirs: []string{}})
	if err == nil || !strings.Contains(err.Error(), "pinned") {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(cache); len(left) != 0 {
		t.Errorf("the cache holds %v", left)
	}
}

// The package comes through npm the first time, and from the cache from then
// on: this test needs the network once on a machine.
func TestStart_FromPackage(t *testing.T) {
	t.Parallel()
	dir := pgtest.Dir(t)
	for _, what := range []string{"cold", "warm"} {
		begun := time.Now()
		server, err := start(t, embedded.Config{DataDir: dir, BinDirs: []string{}})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("PostgreSQL %s: %s start %s", server.Version(), what, time.Since(begun).Round(time.Millisecond))
		if !strings.HasPrefix(embedded.NpmVersion, server.Version()) {
			t.Errorf("got version %s, want %s", server.Version(), embedded.NpmVersion)
		}
		if got := query[string](t.Context(), server.URL(), "SELECT lower('ÄÖ')"); got.value != "äö" {
			t.Errorf("got %q, %v", got.value, got.err)
		}
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	// Its cluster is not for another version.
	if _, err := start(t, embedded.Config{DataDir: dir, NoFetch: true, BinDirs: []string{"/usr/lib/postgresql/15/bin"}}); err == nil {
		t.Error("another version ran the cluster")
	}
}

// smallDisk is a file system of its own, of so many megabytes.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := pgtest.Dir(t)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm,mode=0755", megabytes), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no right to mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

func TestStart_FullDisk(t *testing.T) {
	t.Parallel()
	for _, megabytes := range []int{1, 20, 35} {
		dir := smallDisk(t, megabytes)
		_, err := start(t, embedded.Config{DataDir: dir})
		if !errors.Is(err, embedded.ErrDiskFull) {
			t.Errorf("%d MB: got %v", megabytes, err)
		}
		t.Log(err)
		if left, _ := filepath.Glob(filepath.Join(dir, "pg*")); len(left) != 0 {
			t.Errorf("%d MB: there remains %v", megabytes, left)
		}
	}
}

// A full disk ends PostgreSQL; when there is room again, it is back, with all
// that it had acknowledged.
func TestRun_FullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 150)
	server := supervise(t, embedded.Config{DataDir: dir})
	exec1(t, server.URL(), "CREATE TABLE kept (n int, filler text)")

	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	zeros := make([]byte, 64<<10)
	for err == nil {
		_, err = filler.Write(zeros)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if free, err := server.DiskFree(); err != nil || free != 0 {
		t.Errorf("free: %d, %v", free, err)
	}
	acknowledged := 0
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	pid := server.PID()
	for err == nil {
		if _, err = conn.Exec(t.Context(), "INSERT INTO kept VALUES ($1, repeat('x', 1000))", acknowledged); err == nil {
			acknowledged++
		}
	}
	t.Logf("after %d rows: %v", acknowledged, err)
	// Whether it refuses, or panics and cannot recover, depends on the file
	// that it could not extend. The worst is that it ends.
	if server.PID() == pid {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	until(t, "PostgreSQL is gone", func() bool { return gone(pid) })
	if err := errors.Join(filler.Truncate(0), os.Remove(filler.Name())); err != nil {
		t.Fatal(err)
	}
	until(t, "PostgreSQL is back", func() bool { return query[int](t.Context(), server.URL(), "SELECT 1").err == nil })
	if got := query[int](t.Context(), server.URL(), "SELECT count(*) FROM kept"); got.value < acknowledged {
		t.Errorf("got %d rows, %v; %d were acknowledged", got.value, got.err, acknowledged)
	}
}

func TestHomeDir(t *testing.T) {
	t.Setenv("HOME", "/home/someone")
	for value, want := range map[string]string{
		"":           "/home/someone/.local/share/stepcast",
		"/elsewhere": "/elsewhere/stepcast",
		"relative":   "/home/someone/.local/share/stepcast",
	} {
		t.Setenv("XDG_DATA_HOME", value)
		if got, err := embedded.HomeDir("XDG_DATA_HOME", ".local/share", ""); err != nil || got != want {
			t.Errorf("XDG_DATA_HOME=%q: got %q, %v; want %q", value, got, err, want)
		}
	}
}

func TestBoundLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "postgres.log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	write := func(text string) {
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
		if err := embedded.BoundLog(path); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Repeat("x", embedded.MaxLog))
	if got := size(path); got != embedded.MaxLog {
		t.Errorf("cut too early, to %d", got)
	}
	write("x")
	write("after")
	if now, old := size(path), size(path+".1"); now != 5 || old != embedded.MaxLog+1 {
		t.Errorf("got %d and %d bytes", now, old)
	}
}
