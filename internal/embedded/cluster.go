//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// maxSocketDir is how long the path of the socket's folder may be: the kernels
// allow 104 to 108 bytes for the whole path, and the socket's name takes 19.
const maxSocketDir = 100 - len("/.s.PGSQL.5432")

// dataDir knows what lies where in a data directory.
type dataDir string

func (d dataDir) lock() string    { return filepath.Join(string(d), "lock") }
func (d dataDir) cluster() string { return filepath.Join(string(d), "pg") }
func (d dataDir) run() string     { return filepath.Join(string(d), "run") }
func (d dataDir) log() string     { return filepath.Join(string(d), "postgres.log") }

// create makes the data directory where there is none and returns its real
// path. Other users may enter it, the cluster's own among them; what is in it
// guards itself.
func create(dir string) (dataDir, error) {
	if dir == "" {
		return "", errors.New("no data directory was given")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if err := mkdirOpen(dir); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	return dataDir(dir), nil
}

// mkdirOpen makes a folder that other users can enter, whatever the umask is,
// unless it is there already.
func mkdirOpen(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	return diskFull(dir, err)
}

// major is the major version that made the cluster, 0 when there is none.
func (d dataDir) major() (int, error) {
	text, err := os.ReadFile(filepath.Join(d.cluster(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(d.cluster()); err == nil {
			return 0, fmt.Errorf("%s is there, but is no PostgreSQL data directory (it has no PG_VERSION)", d.cluster())
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the cluster's version: %w", err)
	}
	number, _, _ := strings.Cut(strings.TrimSpace(string(text)), ".") // as 9.6
	major, err := strconv.Atoi(number)
	if err != nil {
		return 0, fmt.Errorf("%s has an unreadable PG_VERSION: %w", d.cluster(), err)
	}
	if major < minMajor {
		return 0, fmt.Errorf("%s was made by PostgreSQL %d, and Stepcast needs %d or newer: choose another data directory, or upgrade this one with pg_upgrade", d.cluster(), major, minMajor)
	}
	return major, nil
}

// initialize makes the cluster: in a folder beside it, with one sync at the
// end, and then in its place by one rename, so that a cluster that exists is a
// whole one.
func (d dataDir) initialize(ctx context.Context, bin binaries, as *account, log *slog.Logger) error {
	leftovers, _ := filepath.Glob(filepath.Join(string(d), "pg.init-*"))
	for _, dir := range leftovers {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove an unfinished cluster: %w", err)
		}
	}
	log.Info("making a PostgreSQL cluster", "version", bin.version, "dir", d.cluster())
	tmp, err := os.MkdirTemp(string(d), "pg.init-") // 0700
	if err != nil {
		return d.because("make the cluster", err, nil)
	}
	defer os.RemoveAll(tmp)
	if err := as.give(tmp); err != nil {
		return fmt.Errorf("give the cluster to user %s: %w", as.name, err)
	}
	if err := d.initdb(ctx, bin, as, tmp); err != nil {
		return err
	}
	// A single-user session costs a tenth of a second, and spares a state in
	// which the cluster is there and its database is not.
	single := bin.command(ctx, as, bin.postgres(), "--single", "-D", tmp, "-c", "fsync=off", "-c", "log_checkpoints=off", "postgres")
	single.Stdin = strings.NewReader("CREATE DATABASE " + owner + "\n")
	if out, err := single.CombinedOutput(); err != nil {
		return d.because("create the database", err, out)
	}
	if out, err := bin.command(ctx, as, bin.initdb(), "--sync-only", "-D", tmp).CombinedOutput(); err != nil {
		return d.because("sync the cluster", err, out)
	}
	if err := os.Rename(tmp, d.cluster()); err != nil {
		return fmt.Errorf("put the cluster in its place: %w", err)
	}
	return syncDir(string(d))
}

// initdb fills an empty folder. Access is by trust, since the way to the
// socket is closed: whoever can enter its folder is the cluster's own user, who
// can read the files anyway, or root. (peer would have to map root and whatever
// that user is called, and would let in the same two.)
func (d dataDir) initdb(ctx context.Context, bin binaries, as *account, dir string) error {
	var out []byte
	var err error
	for _, locale := range locales() {
		args := append([]string{
			"-D", dir, "--no-sync", "--no-instructions", "--data-checksums",
			"--username=" + owner, "--auth=trust",
			"--encoding=UTF8", "--locale-provider=libc", "--lc-messages=C",
		}, locale...)
		out, err = bin.command(ctx, as, bin.initdb(), args...).CombinedOutput()
		if err == nil {
			return nil
		}
		if !strings.Contains(string(out), "invalid locale") {
			break
		}
	}
	return d.because("make the cluster", err, out)
}

// locales are tried in order. Text sorts by its bytes, everywhere alike and
// without the C library's changing rules; what is a letter is by Unicode where
// the system can say so.
func locales() [][]string {
	unicode := []string{"--locale=C.UTF-8"}
	if runtime.GOOS == "darwin" {
		unicode = []string{"--locale=C", "--lc-ctype=UTF-8"}
	}
	return [][]string{unicode, {"--locale=C"}}
}

// command is one of PostgreSQL's programs, run as the account.
func (b binaries) command(ctx context.Context, as *account, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	cmd.Env = slices.Concat(baseEnv, b.env)
	as.apply(cmd)
	return cmd
}

// because is the error of one of PostgreSQL's programs, in the program's own
// words where it left some, and says so when a full disk is behind it.
func (d dataDir) because(what string, err error, said []byte) error {
	reason := err
	if len(said) > 0 {
		reason = fmt.Errorf("%w: %s", err, lastLine(said))
	}
	for line := range strings.Lines(string(said)) {
		// The first complaint is the cause, what follows are consequences.
		if m := complaint.FindStringSubmatch(line); m != nil {
			reason = errors.New(m[1])
			break
		}
	}
	return diskFull(string(d), fmt.Errorf("%s: %w", what, reason))
}

var complaint = regexp.MustCompile(`(?:FATAL|PANIC|error):\s+(.*\S)`)

// diskFull marks an error whose cause is a full disk.
func diskFull(dir string, err error) error {
	if err == nil {
		return nil
	}
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	for _, words := range []string{"No space left", "quota exceeded", "wrote only"} {
		full = full || strings.Contains(err.Error(), words)
	}
	if full {
		return fmt.Errorf("%w: %s has no room for PostgreSQL's files: %w", ErrDiskFull, dir, err)
	}
	return err
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return nil
}

// socketDir makes the folder of the socket, which only the cluster's user (and
// root) can enter. Where its path will not do for a socket, run is a link to a
// private temporary folder; one that a killed server left is used again.
func (d dataDir) socketDir(ctx context.Context, as *account) (string, error) {
	if dir, err := filepath.EvalSymlinks(d.run()); err == nil && fitsSocket(dir) && private(dir, as) {
		return dir, nil
	}
	if err := os.RemoveAll(d.run()); err != nil {
		return "", fmt.Errorf("make the socket's folder: %w", err)
	}
	dir := d.run()
	if fitsSocket(dir) {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return "", diskFull(string(d), fmt.Errorf("make the socket's folder: %w", err))
		}
	} else {
		var err error
		if dir, err = os.MkdirTemp(shortTemp(), "stepcast-"); err != nil { // 0700
			return "", fmt.Errorf("make the socket's folder: %w", err)
		}
		if err := os.Symlink(dir, d.run()); err != nil {
			return "", diskFull(string(d), fmt.Errorf("make the socket's folder: %w", err))
		}
	}
	if err := as.give(dir); err != nil {
		return "", fmt.Errorf("give the socket's folder to user %s: %w", as.name, err)
	}
	return dir, as.reach(ctx, dir)
}

// fitsSocket says whether dir can hold a socket. In an address a comma would
// be the end of the path.
func fitsSocket(dir string) bool {
	return len(dir) <= maxSocketDir && !strings.Contains(dir, ",")
}

// private says whether dir is a folder that only the cluster's user can enter:
// anybody may have put something in the place of a temporary folder.
func private(dir string, as *account) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && info.Mode().Perm() == 0o700 &&
		info.Sys().(*syscall.Stat_t).Uid == as.uid()
}

func shortTemp() string {
	if dir := os.TempDir(); len(dir) <= maxSocketDir-len("/stepcast-4294967295") {
		return dir
	}
	return "/tmp"
}
