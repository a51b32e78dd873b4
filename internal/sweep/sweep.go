// Package sweep finds secrets where none may be, after all tests have run.
//
// A run of scripts/test names a folder in the environment ([Env]). In it the
// tests keep whatever a server or a runner leaves behind that could hold a
// secret ([Keep]), and the text of each secret that they are given ([Secret]).
// At the end [Search] reads all of it: for what has the form of a secret of
// Stepcast or of a signed token, and for each exact text in every encoding that
// [mask] knows. Nothing here is kept without such a run.
//
// The folder is laid out plainly, so that tests in other languages keep things
// there too: a folder for each kind, in it a file for each place, and secrets, a
// line for each, "status " before those that may stand in addresses.
//
// Kept are not: the answers that show a secret on purpose, once, to whoever
// made it; <data-dir>/token, which is there to be read; tokens/ among the spools,
// where the commands of one job find its token of one build
// (docs/decisions/runner-tokens.md); and the pictures of tests that failed, which
// are not text.
package sweep

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// Env is the environment variable with the folder.
const Env = "STEPCAST_SWEEP"

// Kind is what was kept.
type Kind string

// The kinds.
const (
	Database Kind = "database" // all rows of all tables, as COPY writes them
	Log      Kind = "log"      // what servers, runners, PostgreSQL and tests print
	Answer   Kind = "answer"   // errors and redirects, with their headers
	Address  Kind = "address"  // what pages asked for; here may be tokens of the scope status, and links that are opened
	Metrics  Kind = "metrics"
	Disk     Kind = "disk" // files of runners and servers, spools among them
)

// Kinds are all of them.
var Kinds = []Kind{Database, Log, Answer, Address, Metrics, Disk}

// secretsName is the file with the secrets that are known.
const secretsName = "secrets"

// On is whether something is kept.
func On() bool { return os.Getenv(Env) != "" }

// LogLevel is what a server in a test logs: warnings, or all when it is kept.
func LogLevel() slog.Level {
	if On() {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// Secret says of a text that it is secret, but for what Search knows by its
// form anyway: such a text is then found in other encodings too. One that is
// for addresses is a token of the scope status.
func Secret(tb testing.TB, text string, forAddresses bool) {
	tb.Helper()
	if forAddresses {
		text = statusMark + text
	}
	add(tb, secretsName, text+"\n")
}

const statusMark = "status "

// Keep lays aside what could hold a secret. The place is the test's name.
func Keep(tb testing.TB, kind Kind, text string) {
	tb.Helper()
	name := url.PathEscape(tb.Name())
	add(tb, filepath.Join(string(kind), name[:min(len(name), 200)]), text+"\n")
}

// KeepFiles keeps all files below a folder, but those of the given names, or in
// folders of them.
func KeepFiles(tb testing.TB, kind Kind, dir string, but ...string) {
	tb.Helper()
	if !On() {
		return
	}
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		for _, name := range but {
			switch {
			case err != nil || entry.Name() != name:
			case entry.IsDir():
				return filepath.SkipDir
			default:
				return nil
			}
		}
		if err == nil && entry.Type().IsRegular() {
			if text, err := os.ReadFile(path); err == nil { // it may be gone
				Keep(tb, kind, path+"\n"+string(text))
			}
		}
		return nil
	})
}

// add appends to a file of the folder, whole even among several processes.
func add(tb testing.TB, name, text string) {
	tb.Helper()
	if !On() {
		return
	}
	path := filepath.Join(os.Getenv(Env), name)
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	}
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		tb.Errorf("sweep: %v", err)
	}
}
