package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
)

func TestRemoteProject(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"git@github.example:acme/api.git":                       "acme/api",
		"https://github.example/acme/api.git":                   "acme/api",
		"https://user:secret@github.example/acme/api":           "acme/api",
		"https://host.example/acme/api.git?private_token=x#y":   "acme/api",
		"https://user:p?w@host.example/acme/api":                "acme/api",
		"ssh://git@host.example/team/c#-lib.git":                "team/c--lib",
		"file:///srv/c#/api.git":                                "api",
		"ssh://git@host.example:2222/group/sub/deep/er/api/":    "sub/deep/er/api",
		"https://host.example/~jane/my%20project.git":           "jane/my-20project",
		"/srv/git/api.git":                                      "api",
		"/srv/acme/.git":                                        "acme",
		"HTTPS://host.example/acme/api.git#secret":              "acme/api",
		"https://host.example/acme/api.git/?t":                  "acme/api",
		"../api":                                                "api",
		"file:///srv/git/api.git":                               "api",
		`C:/work/api`:                                           "api",
		"https://host.example/acme/logo.svg":                    "acme/logo-svg",
		"https://host.example/":                                 "",
		"":                                                      "",
		"git@host.example:a/../b.git":                           "a/b",
		"https://host.example/" + strings.Repeat("x", 300):      "unnamed",
		"git@host.example:\u65e5\u672c/\u8a9e-\u30c6.git":       "unnamed",
		"https://host.example/acme/\x1b[31mevil\x07\n.git/..//": "acme/31mevil-.git",
	} {
		got := remoteProject(remote)
		if got != want {
			t.Errorf("%q is %q, want %q", remote, got, want)
		}
		if got != "" && ci.CheckProject(got) != nil {
			t.Errorf("%q is no project", got)
		}
	}
}

func TestStepName(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]ci.StepKey{
		"make": "make", "/usr/bin/make": "make", "./scripts/test.sh": "test.sh", "g++": "g", "[": "run", "日本": "run", "..": "run", "": "run", "tool.exe": "tool",
	} {
		if got := StepName(command); got != want {
			t.Errorf("%q is %q, want %q", command, got, want)
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	if got, want := CommandLine([]string{"sh", "-c", "echo it's $1", "", "a-b=c"}), `sh -c 'echo it'\''s $1' '' a-b=c`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), "My Project")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if project, d := Describe(t.Context(), dir); project != "My-Project" || d != (Details{}) {
		t.Errorf("outside of git: %q, %+v", project, d)
	}
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=b@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v, %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-b", "topic/x")
	if project, d := Describe(t.Context(), dir); project != "My-Project" || d != (Details{Branch: "topic/x"}) {
		t.Errorf("before the first commit: %q, %+v", project, d)
	}
	git("commit", "--allow-empty", "-m", "parser: accept tabs\n\nbecause")
	git("remote", "add", "origin", "git@host.example:acme/api.git")
	commit := git("rev-parse", "HEAD")
	want := Details{Branch: "topic/x", Commit: commit, Title: "parser: accept tabs", Author: "Ada"}
	if project, d := Describe(t.Context(), dir); project != "acme/api" || d != want {
		t.Errorf("got %q, %+v, want %+v", project, d, want)
	}
	git("checkout", "--detach")
	want.Branch = ""
	if _, d := Describe(t.Context(), dir); d != want {
		t.Errorf("with a commit checked out: %+v", d)
	}

	if runtime.GOOS == "windows" {
		return
	}
	// What somebody has unpacked may name other names' file: one that never ends.
	git("config", "mailmap.file", "/dev/zero")
	if _, d := Describe(t.Context(), dir); d != want {
		t.Errorf("with a map of names without end: %+v", d)
	}
	// It may lack the commit, and say that any program fetches it.
	ran := filepath.Join(dir, "ran")
	for _, url := range []string{"ssh://host.example/acme/api.git", "ext::touch " + ran} {
		for name, value := range map[string]string{
			"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
			"remote.origin.url": url, "core.sshCommand": "touch '" + ran + "' #", "protocol.allow": "always", "protocol.ext.allow": "always",
		} {
			git("config", name, value)
		}
		object := filepath.Join(dir, ".git", "objects", commit[:2])
		if err := os.RemoveAll(object); err != nil {
			t.Fatal(err)
		}
		Describe(t.Context(), dir)
		if _, err := os.Stat(ran); err == nil {
			t.Errorf("to look at a working copy ran what fetches from %s", url)
		}
	}
}

// TestDetails_TextsAreAll: a text that is left out would be shown with the secrets
// that are in it.
func TestDetails_TextsAreAll(t *testing.T) {
	t.Parallel()
	var d Details
	for _, text := range d.texts() {
		*text = "x"
	}
	for field, value := range reflect.ValueOf(d).Fields() {
		if value.String() != "x" {
			t.Errorf("%s is not one of the texts", field.Name)
		}
	}
	if got := (Details{}).Or(d); got != d {
		t.Errorf("of %+v came %+v", d, got)
	}
}

func TestDetails_Tidy(t *testing.T) {
	t.Parallel()
	d := Details{Title: "one\ntwo\x1b " + strings.Repeat("é", 1000), Branch: strings.Repeat("b", ci.MaxBranch) + "é", Author: strings.Repeat("a", 300), Commit: "abc"}.tidy()
	if !strings.HasPrefix(d.Title, "one two") || len(d.Title) > ci.MaxTitle || d.Branch != "" || len(d.Author) != ci.MaxShort || d.Commit != "abc" {
		t.Errorf("%+v", d)
	}
	// The server would refuse the build for any of them that is forgotten.
	for _, text := range d.texts() {
		*text = "https://example.org/\n" + strings.Repeat("x", 10_000)
	}
	for field, value := range reflect.ValueOf(d.tidy()).Fields() {
		if text := value.String(); len(text) > ci.MaxURL || strings.Contains(text, "\n") {
			t.Errorf("%s is left with %d bytes", field.Name, len(text))
		}
	}
}
