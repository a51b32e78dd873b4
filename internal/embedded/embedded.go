package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// minMajor is the oldest PostgreSQL that Stepcast works with.
const minMajor = 15

// owner is the name of the cluster's superuser and of the one database.
const owner = "stepcast"

// Config says where the cluster lives and what may run it.
type Config struct {
	// DataDir is the server's data directory; it is made when there is none.
	DataDir string
	// CacheDir keeps the binaries that were fetched; empty: DefaultCacheDir.
	CacheDir string
	// Settings are passed to PostgreSQL with -c, after our own, so they win.
	Settings map[string]string
	// Log is where starts and restarts are noted; nil: slog.Default.
	Log *slog.Logger

	// BinDirs are the folders to look in for PostgreSQL; nil: PATH and the
	// usual folders of the system. Empty but not nil: none of them.
	BinDirs []string
	// NoFetch forbids the npm package, cached or not.
	NoFetch bool
}

// ErrLocked is in the error of a second server on one data directory.
var ErrLocked = errors.New("data directory in use")

// ErrDiskFull is in an error whose cause is a full disk.
var ErrDiskFull = errors.New("disk full")

// NoBinariesError says that there is no PostgreSQL to run.
type NoBinariesError struct {
	Want  int      // the major version that the data directory needs; 0: any from 15
	Found []string // versions that were found, but do not fit
	Cause error    // why the npm package could not be had
}

// Error names the three ways out.
func (e *NoBinariesError) Error() string {
	what := fmt.Sprintf("no PostgreSQL %d or newer was found", minMajor)
	install := fmt.Sprintf("install PostgreSQL %d or newer", minMajor)
	if e.Want != 0 {
		what = fmt.Sprintf("the data directory was made by PostgreSQL %d, and no PostgreSQL %d was found", e.Want, e.Want)
		install = fmt.Sprintf("install PostgreSQL %d", e.Want)
	}
	if len(e.Found) > 0 {
		what += fmt.Sprintf(" (only %s)", strings.Join(e.Found, ", "))
	}
	if e.Want != 0 && e.Want != npmMajor {
		return fmt.Sprintf("%s: %s, or choose another data directory, or set STEPCAST_DATABASE_URL to a database of your own", what, install)
	}
	s := fmt.Sprintf("%s: set STEPCAST_DATABASE_URL to a database of your own, or %s, or let npm reach its registry so that the package %s can be fetched",
		what, install, npmName())
	if e.Cause != nil {
		s += fmt.Sprintf(" (%v)", e.Cause)
	}
	return s
}

func (e *NoBinariesError) Unwrap() error { return e.Cause }

// DefaultDataDir is where a server keeps its data when nothing else is said:
// /var/lib/stepcast for root, whose home is closed to the user that PostgreSQL
// runs as; for others $XDG_DATA_HOME/stepcast, which is
// ~/.local/share/stepcast when that is not set, and on Windows the local
// application data.
func DefaultDataDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/stepcast", nil
	}
	return homeDir("XDG_DATA_HOME", ".local/share", "data")
}

// DefaultCacheDir is where fetched binaries are kept: /var/cache/stepcast for
// root, for the reason above; for others $XDG_CACHE_HOME/stepcast, which is
// ~/.cache/stepcast when that is not set.
func DefaultCacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/stepcast", nil
	}
	return homeDir("XDG_CACHE_HOME", ".cache", "cache")
}

// homeDir follows the XDG rules: a relative path in the variable is ignored.
func homeDir(variable, fallback, windows string) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return filepath.Join(dir, "stepcast"), nil
	}
	if runtime.GOOS == "windows" {
		dir, err := os.UserCacheDir() // %LocalAppData%
		if err != nil {
			return "", fmt.Errorf("find the local application data: %w", err)
		}
		return filepath.Join(dir, "stepcast", windows), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the home directory: %w", err)
	}
	return filepath.Join(home, fallback, "stepcast"), nil
}
