//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// spools are the folders in a root.
func spools(t *testing.T, root string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// A server that is away for the whole of a run: `flush` delivers it, and is not
// asked twice.
func TestFlush_DeliversWhatARunLeft(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.kill()
	root := filepath.Join(t.TempDir(), "spool")
	env := append(s.env, "STEPCAST_SPOOL_DIR="+root)
	stdout, stderr, code := output(t, stepcast(t, append(env, "STEPCAST_URL="+s.url), "run", "--project", "acme/left", "--drain-timeout", "0s", "--", "sh", "-c", "seq 5000; exit 3"))
	if code != 3 || !strings.Contains(stderr, "wait in "+root) {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	_, stderr, code = output(t, stepcast(t, env, "flush", "--timeout", "200ms"))
	if code != 1 || !strings.Contains(stderr, "one report is left in "+root+", 23893 bytes of logs\n") {
		t.Errorf("flush without a server: exit code %d, stderr %q", code, stderr)
	}
	s.start()
	_, stderr, code = output(t, stepcast(t, env, "flush"))
	if code != 0 || !strings.HasPrefix(stderr, "stepcast: delivered the rest of step sh of "+s.url) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("flush: exit code %d, stderr %q", code, stderr)
	}
	b := s.build("acme/left")
	if b.Status != "failed" || b.Steps[0].Status != "failed" || *b.Steps[0].ExitCode != 3 || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	if got := s.get("/api/v1/builds/" + b.ID + "/steps/sh/log"); string(got) != stdout {
		t.Errorf("the log has %d bytes, want %d", len(got), len(stdout))
	}
	if left := spools(t, root); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	_, stderr, code = output(t, stepcast(t, env, "flush"))
	if code != 0 || stderr != "stepcast: nothing was left behind\n" {
		t.Errorf("flush again: exit code %d, stderr %q", code, stderr)
	}
}

// The next run delivers what an earlier one left, and says nothing of it.
func TestRun_DeliversWhatAnEarlierOneLeft(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.kill()
	root := filepath.Join(t.TempDir(), "spool")
	env := append(s.env, "STEPCAST_SPOOL_DIR="+root, "STEPCAST_URL="+s.url)
	output(t, stepcast(t, env, "run", "--project", "acme/first", "--drain-timeout", "0s", "--", "echo", "one"))
	s.start()
	if _, stderr, code := output(t, stepcast(t, env, "run", "--project", "acme/second", "--", "echo", "two")); code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if b := s.build("acme/first"); b.Status != "passed" || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	if left := spools(t, root); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A report of a project that the token is not for stays, with its reason, and holds
// up no newer one; neither in a flush, nor in a run, whose own is refused or not.
func TestFlush_WhatTheTokenIsNotForStays(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	stdout, _ := s.do(0, "token", "create", "--scope", "report", "--project", "acme/billing")
	for _, c := range []struct {
		name string
		args []string
		code int
		says string // matched
	}{
		{"flush", []string{"flush"}, 1, `^stepcast: the report of step echo of build \S+ is not taken: The token reports for acme/billing, not for acme/other \(403\); check --token or STEPCAST_TOKEN
(stepcast: delivered the rest of step echo of \S+
){2}stepcast: one report is left in \S+, 4 bytes of logs
$`},
		{"run", []string{"run", "--project", "acme/billing", "--", "true"}, 0, "^$"},
		{"a refused run", []string{"run", "--project", "acme/other", "--", "true"}, 0, "^stepcast: nothing of this run is reported: .* \\(403\\); .*\nstepcast: .*\n$"},
	} {
		root := filepath.Join(t.TempDir(), "spool")
		env := append(s.env, "STEPCAST_SPOOL_DIR="+root, "STEPCAST_URL="+s.url, "STEPCAST_TOKEN="+strings.TrimSpace(stdout))
		s.kill()
		for _, report := range []string{"acme/other one", "acme/billing three", "acme/billing five"} {
			project, text, _ := strings.Cut(report, " ")
			output(t, stepcast(t, env, "run", "--project", project, "--drain-timeout", "0s", "--", "echo", text))
		}
		s.start()
		_, stderr, code := output(t, stepcast(t, env, c.args...))
		if code != c.code || !regexp.MustCompile(c.says).MatchString(stderr) {
			t.Errorf("%s: exit code %d, stderr %q", c.name, code, stderr)
		}
		want := 1
		if c.name == "a refused run" {
			want++
		}
		if left := spools(t, root); len(left) != want {
			t.Errorf("%s left: %v", c.name, left)
		}
	}
}

// After kill -9 the stored log holds all that the terminal has shown; nobody
// knows how the command ended, and nobody says.
func TestFlush_AfterTheRunnerWasKilled(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.kill()
	root := filepath.Join(t.TempDir(), "spool")
	env := append(s.env, "STEPCAST_SPOOL_DIR="+root, "STEPCAST_URL="+s.url)
	cmd := stepcast(t, env, "run", "--project", "acme/killed", "--", "sh", "-c", "seq 20000; exec sleep 1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	shown := make([]byte, 50_000)
	if _, err := io.ReadFull(stdout, shown); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	rest, _ := io.ReadAll(io.LimitReader(stdout, 64<<10)) // what the terminal had
	shown = append(shown, rest...)
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	cmd.Wait()

	s.start()
	_, stderr, code := output(t, stepcast(t, env, "flush"))
	if code != 0 || !strings.HasPrefix(stderr, "stepcast: delivered what there is of step sh of ") {
		t.Errorf("flush: exit code %d, stderr %q", code, stderr)
	}
	b := s.build("acme/killed")
	if b.Status != "running" || b.Steps[0].Status != "running" || b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	got := s.get("/api/v1/builds/" + b.ID + "/steps/sh/log")
	var want bytes.Buffer
	seq := stepcast(t, env, "run", "--", "seq", "20000")
	seq.Stdout = &want
	if err := seq.Run(); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(got, shown) || !bytes.HasPrefix(want.Bytes(), got) {
		t.Errorf("the log has %d bytes, the terminal showed %d", len(got), len(shown))
	}
}

// What cannot be kept on disk is said once, and changes nothing for the
// command.
func TestRun_ASpoolThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(s.env, "STEPCAST_SPOOL_DIR="+filepath.Join(file, "spool"))
	stdout, stderr, code := output(t, stepcast(t, env, "run", "--project", "acme/memory", "--", "sh", "-c", "echo on; exit 3"))
	if code != 3 || stdout != "on\n" || !strings.HasPrefix(stderr, "stepcast: the spool "+file) || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if b := s.build("acme/memory"); b.Status != "failed" || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
}
