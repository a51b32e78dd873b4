//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
)

const unreported = "stepcast: this run is not reported: no server was found in " + nowhere + ": start one with `stepcast serve`, name one with --url or STEPCAST_URL, or say where its data is with --data-dir\n"

func TestRun_ExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "no-first-line")
	pgtest.WriteProgram(t, script, []byte("echo ran $1; exit 5\n"))
	for name, tt := range map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"passed":             {[]string{"true"}, 0, "", ""},
		"failed":             {[]string{"sh", "-c", "exit 3"}, 3, "", ""},
		"highest":            {[]string{"sh", "-c", "exit 255"}, 255, "", ""},
		"killed":             {[]string{"sh", "-c", "kill -9 $$"}, 137, "", ""},
		"terminated":         {[]string{"sh", "-c", "kill -TERM $$"}, 143, "", ""},
		"not found":          {[]string{"no-such-command"}, 127, "", "stepcast: no-such-command: command not found\n"},
		"no such path":       {[]string{"./no/such"}, 127, "", "stepcast: ./no/such: command not found\n"},
		"not executable":     {[]string{"/etc/passwd"}, 126, "", "stepcast: /etc/passwd: cannot be executed: permission denied\n"},
		"a directory":        {[]string{dir}, 126, "", "stepcast: " + dir + ": cannot be executed: permission denied\n"},
		"script without #!":  {[]string{script, "so"}, 5, "ran so\n", ""},
		"flags of its own":   {[]string{"sh", "-c", `echo "$@"`, "--", "-x", "--help", "--", "y"}, 0, "-x --help -- y\n", ""},
		"stepcast's own 125": {[]string{"sh", "-c", "exit 125"}, 125, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := output(t, stepcast(t, nil, append([]string{"run", "--"}, tt.args...)...))
			if code != tt.code || stdout != tt.stdout || stderr != unreported+tt.stderr {
				t.Errorf("exit code %d, want %d\nstdout %q, want %q\nstderr %q, want %q", code, tt.code, stdout, tt.stdout, stderr, unreported+tt.stderr)
			}
		})
	}
}

func TestRun_OwnMistakes(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"which command? Such":     {"run"},
		"which command?":          {"run", "--"},
		"which command? Such as:": {"run", "--step", "test"},
		"see `stepcast run --he":  {"run", "--stepp=x", "--", "true"},
	} {
		stdout, stderr, code := output(t, stepcast(t, nil, args...))
		if code != 125 || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

// Variables that are set and empty, as Compose and CI systems leave them, are as
// if they were not set.
func TestRun_EmptyVariables(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var env []string
	err := kong.Visit(newParser(&cli{}, stdio{}).Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			for _, name := range flag.Envs {
				env = append(env, name+"=")
			}
		}
		return next(nil)
	})
	if err != nil || len(env) < 50 {
		t.Fatalf("%v: %q", err, env)
	}
	env = append(append(env, "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir()), s.env...)
	stdout, stderr, code := output(t, stepcast(t, env, "run", "--project", "acme/empty", "--", "sh", "-c", "echo on; exit 3"))
	if code != 3 || stdout != "on\n" || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if b := s.build("acme/empty"); b.Status != "failed" {
		t.Errorf("the build is %+v", b)
	}
}

// What is wrong with the report alone is no reason not to run the command.
func TestRun_WhatCannotBeReported(t *testing.T) {
	t.Parallel()
	for want, flag := range map[string]string{
		"People read --name, which may": "--step=a b",
		`The project "a//b" has`:        "--project=a//b",
		"is not a UUID such":            "--build=12",
		"--link is an address":          "--link=javascript:x",
		"the server's address \"x\" is": "--url=x",
	} {
		stdout, stderr, code := output(t, stepcast(t, nil, "run", flag, "--", "sh", "-c", "echo on; exit 3"))
		if code != 3 || stdout != "on\n" || !strings.HasPrefix(stderr, "stepcast: this run is not reported: ") || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", flag, code, stdout, stderr)
		}
	}
}

func TestRun_OutputGoesThroughUntouched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	random := rand.NewChaCha8([32]byte{1})
	want := make([][]byte, 2)
	for i := range want {
		want[i] = make([]byte, 3<<20+i)
		random.Read(want[i])
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), want[i], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", "cat 1 >&2 & cat 0; wait; cat; exit 9")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader("and stdin")
	stdout, stderr, code := output(t, cmd)
	if code != 9 || stdout != string(want[0])+"and stdin" || stderr != unreported+string(want[1]) {
		t.Errorf("exit code %d; %d bytes of stdout, %d of stderr", code, len(stdout), len(stderr))
	}
}

// One stream for both: what is written to the one and the other keeps its
// order.
func TestRun_OneTerminalForBoth(t *testing.T) {
	t.Parallel()
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", "for i in $(seq 500); do echo out $i; echo err $i >&2; done")
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for i := range 500 {
		fmt.Fprintf(&want, "out %d\nerr %[1]d\n", i+1)
	}
	if string(got) != unreported+want.String() {
		t.Errorf("the order is not kept")
	}
}

// started runs a command until it has printed the line "ready".
func started(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = &bytes.Buffer{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(stdout)
	if line, err := r.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return r
}

func TestRun_PassesSignalsOn(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT, "USR1": syscall.SIGUSR1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := stepcast(t, nil, "run", "--", "sh", "-c", `trap 'echo got it; exit 7' `+name+`; echo ready; while :; do sleep 0.05; done`)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
			r := started(t, cmd)
			cmd.Process.Signal(s)
			rest, _ := io.ReadAll(r)
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 7 || string(rest) != "got it\n" {
				t.Errorf("exit code %d, output %q", code, rest)
			}
		})
	}
}

func TestRun_EndsWithTheCommandThatASignalEnds(t *testing.T) {
	t.Parallel()
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", `echo ready; exec sleep 1000`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	started(t, cmd)
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 128+15 {
		t.Errorf("exit code %d", code)
	}
}

func TestRun_IgnoredSignalsStayIgnored(t *testing.T) {
	t.Parallel()
	self := stepcast(t, nil)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `trap '' HUP; exec "$0" run -- sh -c 'echo ready; read line; echo "$line"'`, self.Path)
	cmd.Env = self.Env
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r := started(t, cmd)
	cmd.Process.Signal(syscall.SIGHUP)
	io.WriteString(stdin, "alive\n")
	rest, _ := io.ReadAll(r)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 0 || string(rest) != "alive\n" {
		t.Errorf("exit code %d, output %q", code, rest)
	}
}

// Without us, a command whose reader has gone is ended by SIGPIPE; with us too.
func TestRun_AReaderThatGoesAway(t *testing.T) {
	t.Parallel()
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", "echo ready; exec yes")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(stdout).ReadString('\n')
	stdout.Close()
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 128+13 {
		t.Errorf("exit code %d, want that of SIGPIPE", code)
	}
}

func TestRun_DoesNotWaitForBackgroundProcesses(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", "sleep 1000 & echo $!; exit 4")
	stdout, _, code := output(t, cmd)
	pid, err := strconv.Atoi(strings.TrimSpace(stdout))
	if err != nil {
		t.Fatalf("stdout %q", stdout)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	if took := time.Since(begin); code != 4 || took > time.Minute {
		t.Errorf("exit code %d after %v", code, took)
	}
}

// A background process that prints for ever does not keep us, and nothing that
// the command itself printed is lost to it.
func TestRun_DoesNotWaitForBackgroundOutput(t *testing.T) {
	t.Parallel()
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", "yes & echo $! >&2; yes b | head -c 1000000; exit 4")
	stdout, stderr, code := output(t, cmd)
	pid, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(stderr, unreported)))
	if err != nil {
		t.Fatalf("stderr %q", stderr)
	}
	syscall.Kill(pid, syscall.SIGKILL) // SIGPIPE has come first, most likely
	if n := strings.Count(stdout, "b"); code != 4 || n != 500000 {
		t.Errorf("exit code %d, %d lines of the command's own", code, n)
	}
}

// A server that is away changes nothing but one line on stderr, and its wait
// at the end is bounded.
func TestRun_ServerAway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	env := []string{"STEPCAST_URL=http://" + address, "STEPCAST_TOKEN=" + ci.NewToken()}
	stdout, stderr, code := output(t, stepcast(t, env, "run", "--drain-timeout", "1s", "--", "sh", "-c", "sleep 0.2; seq 10000; echo err >&2; exit 3"))
	if code != 3 || strings.Count(stdout, "\n") != 10000 {
		t.Errorf("exit code %d, %d lines", code, strings.Count(stdout, "\n"))
	}
	if strings.Count(stderr, "\n") != 3 || !strings.Contains(stderr, "err\n") || !strings.Contains(stderr, "stepcast: http://"+address+" is away (") ||
		!strings.Contains(stderr, " is still away: the end of the step and 47 KiB of its log wait in ") || !strings.HasSuffix(stderr, "; `stepcast flush` sends them, and so does the next `stepcast run`\n") {
		t.Errorf("stderr %q", stderr)
	}
	if _, stderr, _ = output(t, stepcast(t, env, "run", "--drain-timeout", "0s", "--", "true")); !strings.Contains(stderr, " is still away: the end of the step waits in ") || !strings.Contains(stderr, "; `stepcast flush` sends it, and ") {
		t.Errorf("without output: stderr %q", stderr)
	}
}

// Once the command has ended, a signal ends the waiting for the server.
func TestRun_ASignalLeavesTheServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // whoever connects is never answered
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd := stepcast(t, []string{"STEPCAST_URL=http://" + l.Addr().String(), "STEPCAST_TOKEN=" + ci.NewToken()}, "run", "--drain-timeout", "1h", "--", "sh", "-c", "echo on; exit 3")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C to leave it") {
	}
	cmd.Process.Signal(syscall.SIGTERM)
	for lines.Scan() {
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d", code)
	}
}

func TestRun_KeepsTheTokenOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"address", formerAddress} {
		dir := t.TempDir()
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "token"), []byte("stp_secret\n"), 0o600), os.WriteFile(filepath.Join(dir, name), []byte("http://127.0.0.1:1\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
		for url, found := range map[string]bool{"http://127.0.0.1:1": true, "http://localhost:1": true, "http://127.0.0.1:2": false, "https://ci.example": false} {
			f := serverFlags{URL: url, DataDir: dir}
			c, err := f.client(nil)
			if c == nil || (c.Token == "stp_secret") != found || (err == nil) != found {
				t.Errorf("%s, %s: %+v, %v", name, url, c, err)
			}
		}
	}
}

// What is pasted, or read from a file of Windows, brings a space or a line end
// along.
func TestClient_TakesNoLineEnd(t *testing.T) {
	t.Parallel()
	token := ci.NewToken()
	f := serverFlags{URL: "http://127.0.0.1:1\r\n", Token: " " + token + "\r\n", DataDir: t.TempDir()}
	if c, err := f.client(nil); err != nil || c.URL != "http://127.0.0.1:1" || c.Token != token {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestClient_SaysWhereItLooked(t *testing.T) {
	t.Parallel()
	empty, stopped, running := t.TempDir(), t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(stopped, formerAddress): "http://127.0.0.1:1",
		filepath.Join(running, "address"):     "http://127.0.0.1:1",
		filepath.Join(running, "token"):       ci.NewToken(),
	} {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for want, f := range map[string]serverFlags{
		"no server was found in " + empty + ": start one":                       {DataDir: empty},
		"the server that has its data in " + stopped + " has stopped: start it": {DataDir: stopped},
		"; the one in " + running + " goes to http://127.0.0.1:1 alone":         {DataDir: running, URL: "http://127.0.0.1:2"},
		"no token was found: give one with --token or STEPCAST_TOKEN":           {DataDir: empty, URL: "http://127.0.0.1:2"},
	} {
		if _, err := f.client(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", f, err, want)
		}
	}
}

// What is run while the server of this machine restarts is reported to it, which is not
// waited for: it may have been stopped for good.
func TestRun_WhileTheServerRestarts(t *testing.T) {
	t.Parallel()
	dir, spool := t.TempDir(), t.TempDir()
	forget, err := leaveAddress(dir, "https://127.0.0.1:1", "/ca.pem")
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, "token"), []byte(ci.NewToken()+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-2 * restartTime)
	if err := os.Chtimes(filepath.Join(dir, addressName), before, before); err != nil {
		t.Fatal(err)
	}
	forget()
	if readLine(dir, certificateName) != "" || readLine(dir, formerCertificate) != "/ca.pem" {
		t.Error("whom to trust is forgotten, or is not")
	}
	run := func() string {
		_, stderr, code := output(t, stepcast(t, []string{"STEPCAST_DATA_DIR=" + dir}, "run", "--spool-dir", spool, "--drain-timeout", "10ms", "--project", "p", "--", "true"))
		if code != 0 {
			t.Errorf("exit code %d, %q", code, stderr)
		}
		return stderr
	}
	if said := run(); !strings.Contains(said, "https://127.0.0.1:1 is ") || !strings.Contains(said, "stepcast flush") {
		t.Errorf("while it restarts: %q", said)
	}
	if _, err := (&serverFlags{DataDir: dir}).client(nil); err == nil || !strings.Contains(err.Error(), "has stopped: start it again") {
		t.Errorf("to read: %v", err)
	}
	if err := os.Chtimes(filepath.Join(dir, formerAddress), before, before); err != nil {
		t.Fatal(err)
	}
	if said := run(); !strings.Contains(said, "has stopped: start it again") {
		t.Errorf("two minutes later: %q", said)
	}
}

// Who gives a step a key means it to be read, and a name that it was given before
// stays.
func TestRun_WhatAStepIsCalled(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	stdout, _, _ := output(t, stepcast(t, s.env, "build", "start", "--project", "acme/names", "--steps", "deploy"))
	env := append(s.env, "STEPCAST_BUILD="+strings.TrimSpace(stdout))
	for _, args := range [][]string{
		{"step", "set", "deploy", "--name", "To staging"},
		{"run", "--step", "deploy", "--", "echo", "deployed"},
		{"run", "--step", "lint", "--", "echo", "clean"},
		{"run", "--step", "test", "--name", "Unit tests", "--", "echo", "ok"},
		{"run", "--", "echo", "it is done"},
	} {
		if _, stderr, code := output(t, stepcast(t, env, args...)); code != 0 || stderr != "" {
			t.Fatalf("%q: exit code %d, %q", args, code, stderr)
		}
	}
	want := map[string]string{"deploy": "To staging", "lint": "", "test": "Unit tests", "echo": "echo 'it is done'"}
	steps := s.build("acme/names").Steps
	for _, step := range steps {
		if name, ok := want[step.Key]; !ok || step.Name != name {
			t.Errorf("%s is called %q, want %q", step.Key, step.Name, name)
		}
	}
	if len(steps) != len(want) {
		t.Errorf("%d steps, want %d", len(steps), len(want))
	}
}
