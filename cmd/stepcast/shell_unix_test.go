//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/pgtest"
)

// shellFunction is the function in docs/shell-runner.md, as it stands there.
func shellFunction(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/shell-runner.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```sh\n")
	text, _, found := strings.Cut(text, "```\n")
	if !found || !strings.HasPrefix(text, "stepcast_run() (") || !strings.HasSuffix(text, "\n)\n") {
		t.Fatal("the first sh block of docs/shell-runner.md is not the function")
	}
	return text
}

func TestShellFunction_IsShort(t *testing.T) {
	t.Parallel()
	text := shellFunction(t)
	if n := strings.Count(text, "\n"); n > 30 {
		t.Errorf("it has %d lines", n)
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > len("\n")+110 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

// A shellUser has the function in a file, and calls it in one of the shells.
type shellUser struct {
	t     *testing.T
	dir   string
	shell []string
	env   []string
	token string
	said  bytes.Buffer // on stderr
	shown bytes.Buffer // on stdout
}

func newShellUser(t *testing.T, s *testServer, shell []string) *shellUser {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(s.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err)
	}
	u := &shellUser{t: t, dir: t.TempDir(), shell: shell, token: strings.TrimSpace(string(token))}
	u.write("stepcast.sh", shellFunction(t))
	// What ps would show of curl is kept.
	bin := filepath.Join(u.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if shell[0] == "busybox" { // with its tools as well, as on Alpine
		if out, err := exec.CommandContext(t.Context(), "busybox", "--install", "-s", bin).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	u.write("bin/curl", "#!/bin/sh\necho \"$@\" >>'"+filepath.Join(u.dir, "args")+"'\nexec "+curl+" \"$@\"\n")
	if err := os.Mkdir(filepath.Join(u.dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	u.env = append(os.Environ(), "STEPCAST_URL="+s.url, "STEPCAST_TOKEN="+u.token, "MAKEFLAGS=", "MAKELEVEL=",
		"TMPDIR="+filepath.Join(u.dir, "tmp"), "PATH="+bin+":"+os.Getenv("PATH"))
	return u
}

func (u *shellUser) write(name, text string) {
	u.t.Helper()
	pgtest.WriteProgram(u.t, filepath.Join(u.dir, name), []byte(text))
}

// start runs a line of shell after the function was read.
func (u *shellUser) start(line string, env ...string) *exec.Cmd {
	u.t.Helper()
	u.said.Reset()
	u.shown.Reset()
	cmd := exec.CommandContext(u.t.Context(), u.shell[0], append(u.shell[1:len(u.shell):len(u.shell)], "-c", ". ./stepcast.sh; "+line)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = u.dir, append(u.env, env...), &u.shown, &u.said
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	return cmd
}

// ended waits for the exit code, and that nothing was left behind or said.
func (u *shellUser) ended(cmd *exec.Cmd, code int) {
	u.t.Helper()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code {
		u.t.Errorf("exit code %d, want %d", got, code)
	}
	if left, _ := filepath.Glob(filepath.Join(u.dir, "tmp", "*")); len(left) > 0 || strings.Contains(u.said.String(), "stepcast: ") {
		u.t.Errorf("left behind: %v; said: %s", left, u.said.String())
	}
	args, err := os.ReadFile(filepath.Join(u.dir, "args"))
	if err != nil || bytes.Contains(args, []byte(u.token)) {
		u.t.Errorf("the token is in an argument of curl (%v)", err)
	}
}

// reported wants a build whose only step has this end, and what was shown as
// its log.
func (u *shellUser) reported(s *testServer, project, status string, code int) {
	u.t.Helper()
	b := s.build(project)
	if b.Status != status || len(b.Steps) != 1 || b.Steps[0].Status != status || *b.Steps[0].ExitCode != code || !b.Steps[0].LogComplete {
		u.t.Errorf("the build is %+v", b)
	}
	if log := s.get("/api/v1/builds/" + b.ID + "/steps/" + b.Steps[0].Key + "/log"); !bytes.Equal(log, u.shown.Bytes()) {
		u.t.Errorf("the log of %s has %d bytes, the output %d", project, len(log), u.shown.Len())
	}
}

// live waits until a project has a running step with text.
func live(t *testing.T, s *testServer, project string) {
	t.Helper()
	if !eventually(func() bool {
		var list struct{ Builds []shownBuild }
		json.Unmarshal(s.get("/api/v1/builds?project="+project), &list)
		if len(list.Builds) != 1 {
			return false
		}
		b := s.build(project)
		return len(b.Steps) == 1 && b.Steps[0].LogBytes > 0 && b.Steps[0].Status == "running"
	}) {
		t.Fatalf("the log of %s is not live", project)
	}
}

// The function in docs/shell-runner.md in every shell of this machine.
func TestServer_ShellFunction(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"curl", "make"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	for _, shell := range [][]string{{"sh"}, {"dash"}, {"bash"}, {"busybox", "sh"}} {
		t.Run(shell[0], func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skip(err)
			}
			s := newServer(t)
			u := newShellUser(t, s, shell)
			u.write("Makefile", "all:\n\t@i=0; while [ ! -e $(GATE) ]; do i=$$((i+1)); echo \"line $$i\"; echo \"err $$i\" >&2; sleep 0.02; done; exit 3\n")

			// The server is killed in the middle of a make that fails.
			cmd := u.start("stepcast_run acme/shell test/make make --no-print-directory GATE=one")
			live(t, s, "acme/shell")
			s.kill()
			s.start()
			u.write("one", "")
			u.ended(cmd, 2) // make's own
			u.reported(s, "acme/shell", "failed", 2)

			// It is away at first, and killed for as long as the command runs on.
			s.kill()
			cmd = u.start("set -eu; stepcast_run acme/late test make --no-print-directory GATE=two")
			s.start()
			live(t, s, "acme/late")
			s.kill()
			u.write("two", "")
			s.start()
			u.ended(cmd, 2)
			u.reported(s, "acme/late", "failed", 2)

			// A signal ends the command.
			u.ended(u.start(`stepcast_run acme/signal test sh -c 'echo bye; kill -KILL $$'`), 128+9)
			u.reported(s, "acme/signal", "failed", 137)

			// What is printed are bytes; what is read comes from stdin.
			random := make([]byte, 3<<20)
			rand.NewChaCha8([32]byte{5}).Read(random)
			u.write("random", string(random))
			u.ended(u.start("stepcast_run acme/bytes test cat <random"), 0)
			u.reported(s, "acme/bytes", "passed", 0)
			if !bytes.Equal(u.shown.Bytes(), random) {
				t.Errorf("%d bytes were shown of %d", u.shown.Len(), len(random))
			}

			// What is refused is said once, with the place of the log.
			cmd = u.start("stepcast_run acme/refused test sh -c 'echo on; exit 4'", "STEPCAST_TOKEN=stp_wrong")
			cmd.Wait()
			logs, _ := filepath.Glob(filepath.Join(u.dir, "tmp", "*", "log"))
			if code := cmd.ProcessState.ExitCode(); code != 4 || u.shown.String() != "on\n" || len(logs) != 1 ||
				strings.Count(u.said.String(), "\n") != 1 || !strings.HasPrefix(u.said.String(), "stepcast: not all was reported (The token is too short or too long; it was not copied whole.") || !strings.HasSuffix(u.said.String(), "; the log is "+logs[0]+"\n") {
				t.Errorf("with a wrong token: exit code %d, %q, logs %v, %q", code, u.shown.String(), logs, u.said.String())
			}
			if secret, _ := filepath.Glob(filepath.Join(u.dir, "tmp", "*", "curl")); len(secret) > 0 {
				t.Errorf("the token is left in %v", secret)
			}

			// Without a token, as in a fork, the command runs all the same.
			cmd = u.start("set -eu; stepcast_run acme/none test sh -c 'echo on; exit 5'", "STEPCAST_TOKEN=")
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 5 || u.shown.String() != "on\n" || strings.Count(u.said.String(), "\n") != 1 || !strings.HasPrefix(u.said.String(), "stepcast: not reported: ") {
				t.Errorf("without a token: exit code %d, %q, %q", code, u.shown.String(), u.said.String())
			}
		})
	}
}
