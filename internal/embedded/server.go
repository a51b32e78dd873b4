//go:build unix

package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// settings are given to every start. Those about durability and access are the
// promise; the rest suits a small machine that does other work too.
var settings = []string{
	"listen_addresses=",
	"port=5432", // a part of the socket's name, no more
	"unix_socket_permissions=0700",
	"fsync=on",
	"full_page_writes=on",
	"synchronous_commit=on",

	"max_connections=100",
	"shared_buffers=128MB",
	// Recovery after a kill replays at most so much, and is to take seconds.
	"max_wal_size=256MB",
	// In the cluster, not in /dev/shm, which containers keep small.
	"dynamic_shared_memory_type=mmap",
	"jit=off", // our queries are short
	"timezone=UTC",

	"logging_collector=off",
	"log_destination=stderr",
	"log_timezone=UTC",
	"log_line_prefix=%m [%p] ",
	"log_checkpoints=off",
	"log_error_verbosity=terse", // without the rows, which hold people's logs
	"cluster_name=" + owner,     // for ps
}

// Server is a PostgreSQL that was started by Start. URL, PID and DiskFree may
// be called from any goroutine, Run and Stop from one.
type Server struct {
	dir      dataDir
	bin      binaries
	as       *account
	settings []string
	socket   string // the folder of the socket
	lock     *flock.Flock
	log      *slog.Logger
	process  atomic.Pointer[process]
	stopped  atomic.Bool // so that Run does not start it again
}

// Start finds or fetches PostgreSQL, makes the cluster when there is none,
// starts it, and returns when it takes connections. ctx bounds the start only;
// the server then runs until Stop, or until Run's context is done.
//
// Errors are one sentence for the person who started the server: ErrLocked,
// ErrDiskFull and *NoBinariesError can be told apart.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{log: cmp.Or(cfg.Log, slog.Default())}
	var err error
	if s.dir, err = create(cfg.DataDir); err != nil {
		return nil, err
	}
	if err := s.takeLock(ctx); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, cfg); err != nil {
		s.lock.Close()
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.lock.Close()
		return nil, err
	}
	return s, nil
}

// takeLock makes this process the only one on the data directory. The kernel
// frees the lock when we end, however that is; a server that was just killed
// gets a moment for it.
func (s *Server) takeLock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s.lock = flock.New(s.dir.lock(), flock.SetPermissions(0o600))
	locked, err := s.lock.TryLockContext(ctx, 20*time.Millisecond)
	if err != nil && ctx.Err() == nil {
		return diskFull(string(s.dir), fmt.Errorf("lock the data directory: %w", err))
	}
	if !locked {
		other, _ := os.ReadFile(s.dir.lock())
		return fmt.Errorf("%w: another stepcast server (process %s) runs on %s: use that one, or another data directory",
			ErrLocked, cmp.Or(strings.TrimSpace(string(other)), "unknown"), s.dir)
	}
	// The number is for that sentence only; on a full disk it may be missing.
	_ = os.WriteFile(s.dir.lock(), fmt.Appendln(nil, os.Getpid()), 0o600)
	return nil
}

// prepare does all that comes before the first start.
func (s *Server) prepare(ctx context.Context, cfg Config) error {
	major, err := s.dir.major()
	if err != nil {
		return err
	}
	if s.as, err = chooseAccount(s.dir.cluster()); err != nil {
		return err
	}
	if err := s.as.reach(ctx, string(s.dir)); err != nil {
		return err
	}
	if s.bin, err = cfg.find(ctx, major, s.as); err != nil {
		return err
	}
	if err := endOrphan(ctx, s.dir.cluster()); err != nil {
		return err
	}
	if major == 0 {
		if err := s.dir.initialize(ctx, s.bin, s.as, s.log); err != nil {
			return err
		}
	}
	if s.socket, err = s.dir.socketDir(ctx, s.as); err != nil {
		return err
	}
	s.settings = slices.Concat(settings, systemSettings())
	// The list of folders is parsed: quoted, any path is one folder.
	s.settings = append(s.settings, `unix_socket_directories="`+strings.ReplaceAll(s.socket, `"`, `""`)+`"`)
	for _, name := range slices.Sorted(maps.Keys(cfg.Settings)) {
		s.settings = append(s.settings, name+"="+cfg.Settings[name])
	}
	return nil
}

// start runs PostgreSQL once and waits until it takes connections.
func (s *Server) start(ctx context.Context) error {
	begun := time.Now()
	endStragglers(ctx, s.dir.cluster())
	if err := boundLog(s.dir.log()); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("PostgreSQL's log could not be cut", "error", err)
	}
	log, offset, err := openLog(s.dir.log())
	if err != nil {
		return diskFull(string(s.dir), err)
	}
	defer log.Close()
	args := []string{"-D", s.dir.cluster()}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	// Not under ctx, which ends with the start.
	cmd := s.bin.command(context.WithoutCancel(ctx), s.as, s.bin.postgres(), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if stale, err := readPIDFile(s.dir.cluster()); err == nil && !serves(stale.pid, s.dir.cluster()) {
		// PostgreSQL would refuse when the number in a stale file is another
		// program's by now, as in a container, where numbers come again. This
		// tells it that the number means nothing; it goes on to look for shared
		// memory in use, which is its real guard.
		cmd.Env = append(cmd.Env, "PG_GRANDPARENT_PID="+strconv.Itoa(stale.pid))
	}
	dieWithUs(cmd.SysProcAttr)
	p, err := launch(cmd)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := p.awaitReady(ctx, s.dir.cluster(), s.socket); err != nil {
		p.stop()
		return s.explain(err, offset)
	}
	s.process.Store(p)
	s.log.Info("PostgreSQL is ready", "version", s.bin.version, "pid", p.pid, "dir", s.dir.cluster(),
		"after", time.Since(begun).Round(time.Millisecond))
	return nil
}

// explain adds PostgreSQL's own words to an error. A full disk may have left
// no room for them.
func (s *Server) explain(err error, offset int64) error {
	said := logSince(s.dir.log(), offset)
	if free, e := s.DiskFree(); e == nil && free < 1<<20 && len(said) == 0 {
		err = fmt.Errorf("%w (%w)", unix.ENOSPC, err)
	}
	return s.dir.because("start PostgreSQL", err, said)
}

// URL is the address of the database, for libpq and pgx alike.
func (s *Server) URL() string { return urlOf(s.socket) }

// Running is the address of the database while another process is the server of
// a data directory: when Start says ErrLocked.
func Running(dir string) (string, error) {
	socket, err := filepath.EvalSymlinks(dataDir(dir).run())
	if err != nil {
		return "", fmt.Errorf("find the database of the server: %w", err)
	}
	return urlOf(socket), nil
}

func urlOf(socket string) string {
	query := url.Values{"host": {socket}, "port": {"5432"}, "user": {owner}, "sslmode": {"disable"}}
	// libpq does not know + as a space.
	return "postgres:///" + owner + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// PID is the process id of PostgreSQL, for tests that end it; it changes with each restart.
func (s *Server) PID() int { return s.process.Load().pid }

// DiskFree is how many bytes the file system under the cluster's log of
// changes still takes from an unprivileged user.
func (s *Server) DiskFree() (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Join(s.dir.cluster(), "pg_wal"), &fs); err != nil {
		return 0, fmt.Errorf("ask for free disk space: %w", err)
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil
}

// Run keeps PostgreSQL running until Stop, or until ctx is done, and then stops
// it: ctx has to outlive whoever still uses the database. When PostgreSQL ends, it is
// started again, at once and then every second for as long as it takes; each
// try is logged.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.Stop()
		case <-tick.C:
			if err := boundLog(s.dir.log()); err != nil {
				s.log.Warn("PostgreSQL's log could not be cut", "error", err)
			}
		case <-s.process.Load().done:
			if s.stopped.Load() {
				return nil
			}
			how, _ := s.process.Load().ended()
			s.log.Error("PostgreSQL ended, starting it again", "how", how, "log", s.dir.log())
			s.restart(ctx)
		}
	}
}

// restart starts PostgreSQL until it is there, or ctx is done.
func (s *Server) restart(ctx context.Context) {
	const first, longest = 50 * time.Millisecond, time.Second
	for pause := first; ; pause = min(2*pause, longest) {
		err := s.start(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.log.Error("PostgreSQL does not start, trying again", "error", err, "in", pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Stop ends PostgreSQL, with everything written, and Run, and frees the data
// directory. It may be called again.
func (s *Server) Stop() error {
	s.stopped.Store(true)
	s.process.Load().stop()
	if s.socket != s.dir.run() {
		_ = os.Remove(s.socket) // a temporary folder; the next start makes another
	}
	if err := s.lock.Close(); err != nil {
		return fmt.Errorf("free the data directory: %w", err)
	}
	return nil
}
