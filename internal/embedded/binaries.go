//go:build unix

package embedded

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// binaries is one installation of PostgreSQL.
type binaries struct {
	dir     string // holds postgres and initdb
	version string // as "15.18"
	major   int
	env     []string // what its programs need besides baseEnv
}

func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }
func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }

// baseEnv is all that PostgreSQL inherits: a stray PGPORT, PGOPTIONS or TZ of
// whoever started the server must not change the cluster, and messages are in
// the one language that we can read.
var baseEnv = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}

// usualDirs are where packages put PostgreSQL's programs outside of PATH.
var usualDirs = []string{
	"/usr/lib/postgresql/*/bin",                               // Debian
	"/usr/pgsql-*/bin",                                        // Red Hat, from postgresql.org
	"/usr/lib64/pgsql/bin",                                    // SUSE
	"/usr/lib/postgresql*/bin",                                // SUSE, older Alpine
	"/usr/libexec/postgresql*",                                // Alpine
	"/opt/homebrew/opt/postgresql@*/bin",                      // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",                         // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",         // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/[0-9]*/bin", // Postgres.app
	"/usr/local/pgsql/bin",                                    // make install
}

// systemDirs lists the folders to look in: PATH in its order, then the usual
// ones.
func systemDirs() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range usualDirs {
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		dirs = append(dirs, found...)
	}
	return dirs
}

// find chooses the binaries for a cluster: of exactly the major version that
// made it, or the newest when there is none yet (want is 0). What the machine
// has comes before what has to be fetched.
func (c Config) find(ctx context.Context, want int, as *account) (binaries, error) {
	dirs := c.BinDirs
	if dirs == nil {
		dirs = systemDirs()
	}
	missing := &NoBinariesError{Want: want}
	var fitting []binaries
	seen := map[string]bool{}
	for _, dir := range dirs {
		bin, ok := inspect(ctx, dir, as)
		switch {
		case !ok || seen[bin.dir]:
		case want == 0 && bin.major >= minMajor || want == bin.major:
			fitting = append(fitting, bin)
		default:
			missing.Found = append(missing.Found, bin.version)
		}
		seen[bin.dir] = true
	}
	if len(fitting) > 0 {
		// Stable: of one major version, the first in PATH.
		slices.SortStableFunc(fitting, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
		return fitting[0], nil
	}
	if c.NoFetch || want != 0 && want != npmMajor {
		return binaries{}, missing
	}
	bin, err := c.fetch(ctx, as)
	if err != nil {
		missing.Cause = err
		return binaries{}, missing
	}
	return bin, nil
}

// inspect looks for PostgreSQL in a folder. Links are followed, since
// PostgreSQL finds its other files from where its program really is.
func inspect(ctx context.Context, dir string, as *account) (binaries, bool) {
	program, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil || !filepath.IsAbs(program) {
		return binaries{}, false
	}
	bin := binaries{dir: filepath.Dir(program)}
	if _, err := os.Stat(bin.initdb()); err != nil {
		return binaries{}, false
	}
	if err := bin.askVersion(ctx, as); err != nil {
		return binaries{}, false
	}
	return bin, true
}

var versionLine = regexp.MustCompile(`^postgres \(PostgreSQL\) ((\d+)\S*)`)

// askVersion runs postgres --version, which also proves that the program
// starts on this machine, as this user.
func (b *binaries) askVersion(ctx context.Context, as *account) error {
	cmd := exec.CommandContext(ctx, b.postgres(), "--version")
	cmd.Dir = "/"
	cmd.Env = slices.Concat(baseEnv, b.env)
	as.apply(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %s: %w: %s", b.postgres(), err, lastLine(out))
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return fmt.Errorf("run %s: unexpected answer %q", b.postgres(), lastLine(out))
	}
	b.version = string(m[1])
	b.major, err = strconv.Atoi(string(m[2]))
	return err
}

// lastLine is the last line of a program's output, which names its error.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
