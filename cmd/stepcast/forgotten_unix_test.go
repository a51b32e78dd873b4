//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/pgtest"
)

// begun starts a build of three steps, and returns its id and the environment of whoever
// reports into it from elsewhere, with a token for such projects alone.
func (s *testServer) begun() (id string, env []string) {
	s.t.Helper()
	id, _ = s.do(0, "build", "start", "--project", "acme/begun", "--title", "All of it", "--branch", "release", "--steps", "lint,test,deploy")
	token, _ := s.do(0, "token", "create", "--scope", "report", "--project", "acme/*")
	id = strings.TrimSpace(id)
	return id, append(s.env, "STEPCAST_URL="+s.url, "STEPCAST_BUILD="+id, "STEPCAST_TOKEN="+strings.TrimSpace(token), "STEPCAST_SPOOL_DIR="+filepath.Join(s.t.TempDir(), "spool"))
}

// forget makes the server forget every build, as a dump from before them does.
func (s *testServer) forget() {
	s.t.Helper()
	s.kill()
	if _, err := pgtest.Connect(s.t, s.db).Exec(s.t.Context(), `DELETE FROM builds`); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

// ending runs commands elsewhere, each of which has to end with the exit code that is wanted.
func ending(t *testing.T, env []string) func(want int, args ...string) {
	return func(want int, args ...string) {
		t.Helper()
		if _, stderr, code := output(t, elsewhere(t, stepcast(t, env, args...))); code != want {
			t.Fatalf("%q: exit code %d, stderr %q", args, code, stderr)
		}
	}
}

// startedApart starts a command in a process group of its own, which forgetKilled ends.
func startedApart(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := elsewhere(t, stepcast(t, env, args...))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started(t, cmd)
	return cmd
}

// forgetKilled ends a command with kill -9, while the server is away, and then makes the
// server forget every build.
func (s *testServer) forgetKilled(cmd *exec.Cmd) {
	s.t.Helper()
	s.kill()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	cmd.Wait()
	s.start()
	s.forget()
}

// told is a build in a few words; empty: it is not there.
func (s *testServer) told(id string) string {
	s.t.Helper()
	var list struct{ Builds []shownBuild }
	if err := json.Unmarshal(s.get("/api/v1/builds"), &list); err != nil {
		s.t.Fatal(err)
	}
	for _, b := range list.Builds {
		if b.ID != id {
			continue
		}
		text := fmt.Sprintf("%s, %q of %q is %s:", b.Project, b.Title, b.Branch, b.Status)
		for _, step := range b.Steps {
			text += fmt.Sprintf(" %s %s", step.Key, step.Status)
		}
		return text
	}
	return ""
}

// beganAt is when a build began, as the server has it.
func (s *testServer) beganAt(id string) string {
	s.t.Helper()
	var b struct {
		StartedAt string `json:"started_at"`
	}
	if err := json.Unmarshal(s.get("/api/v1/builds/"+id), &b); err != nil || b.StartedAt == "" {
		s.t.Fatalf("the build began at %q: %v", b.StartedAt, err)
	}
	return b.StartedAt
}

// elsewhere has a command run in a directory that is not the build's project.
func elsewhere(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	cmd.Dir = filepath.Join(t.TempDir(), "work")
	if err := os.Mkdir(cmd.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// A build that is gone under its run comes back as what it was, not as what the directory
// or the CI system of whoever reports into it would make of it. A project that was named
// stays.
func TestRun_ABuildOfOthersThatIsForgotten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	type running struct {
		id, want string
		began    string
		cmd      *exec.Cmd
		stdin    io.Writer
		stdout   io.Reader
	}
	var all []running
	for _, c := range []struct {
		env  []string
		want string
	}{
		{nil, `acme/begun, "All of it" of "release" is running: test failed deploy queued`},
		{gitlab("test"), `acme/begun, "All of it" of "release" is running: test failed deploy queued`},
		{[]string{"STEPCAST_PROJECT=acme/begun"}, `acme/begun, "All of it" of "release" is running: test failed deploy queued`},
		{[]string{"STEPCAST_PROJECT=acme/other"}, `acme/other, "" of "" is running: test failed`},
	} {
		id, env := s.begun()
		if _, _, code := output(t, elsewhere(t, stepcast(t, env, "step", "set", "lint", "--status", "passed"))); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		cmd := elsewhere(t, stepcast(t, append(env, c.env...), "run", "--step", "test", "--", "sh", "-c", `echo ready; read line; echo "$line"; exit 3`))
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout := started(t, cmd)
		if !eventually(func() bool { return strings.Contains(string(s.get("/api/v1/builds/"+id)), `"log_bytes":6,`) }) {
			t.Fatalf("the log does not come: %s", s.told(id))
		}
		all = append(all, running{id, c.want, s.beganAt(id), cmd, stdin, stdout})
	}
	s.forget()
	for _, r := range all {
		io.WriteString(r.stdin, "on\n")
		io.Copy(io.Discard, r.stdout)
		r.cmd.Wait()
		stderr := r.cmd.Stderr.(*bytes.Buffer).String()
		if code := r.cmd.ProcessState.ExitCode(); code != 3 || !strings.Contains(stderr, "it is created again\n") || strings.Contains(stderr, "not reported") {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
		if got := s.told(r.id); got != r.want {
			t.Errorf("the build is %s, want %s", got, r.want)
			continue
		}
		if log := s.get("/api/v1/builds/" + r.id + "/steps/test/log"); string(log) != "ready\non\n" {
			t.Errorf("the log is %q", log)
		}
		if got := s.beganAt(r.id); got != r.began && strings.HasPrefix(r.want, "acme/begun") {
			t.Errorf("the build began at %s, and before the server forgot it at %s", got, r.began)
		}
	}
}

// A build of several steps comes back with its steps in their order, whichever comes first,
// as far as they are reported again: a step that nobody here reported would be skipped for
// ever. Those that had ended come at once, not when the one that goes on has.
func TestRun_StepsOfAForgottenBuildKeepTheirOrder(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, _ := s.do(0, "build", "start", "--project", "acme/begun", "--title", "All of it", "--branch", "release")
	id = strings.TrimSpace(id)
	env := append(s.env, "STEPCAST_URL="+s.url, "STEPCAST_BUILD="+id, "STEPCAST_SPOOL_DIR="+filepath.Join(t.TempDir(), "spool"))
	do := func(args ...string) {
		t.Helper()
		if _, stderr, code := output(t, elsewhere(t, stepcast(t, env, args...))); code != 0 {
			t.Fatalf("%q: exit code %d, stderr %q", args, code, stderr)
		}
	}
	do("run", "--step", "lint", "--", "echo", "clean")
	do("step", "set", "vet", "--status", "passed")
	do("step", "set", "approve", "--status", "running")
	do("run", "--step", "build", "--", "echo", "built")
	type running struct {
		step  string
		cmd   *exec.Cmd
		stdin io.Writer
		out   io.Reader
	}
	var both []running
	for _, step := range []string{"test", "deploy"} {
		cmd := elsewhere(t, stepcast(t, env, "run", "--step", step, "--", "sh", "-c", `echo ready; while read line; do echo "$line"; done`))
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out := started(t, cmd)
		if !eventually(func() bool { return strings.Contains(s.told(id), step+" running") }) {
			t.Fatalf("it does not come: %s", s.told(id))
		}
		both = append(both, running{step, cmd, stdin, out})
	}
	s.forget()
	io.WriteString(both[1].stdin, "on\n")
	want := `acme/begun, "All of it" of "release" is running: lint passed approve running build passed test running deploy running`
	if !eventually(func() bool { return strings.ReplaceAll(s.told(id), "queued", "running") == want }) {
		t.Errorf("the build is %s, want %s", s.told(id), want)
	}
	for _, r := range both {
		r.stdin.(io.Closer).Close()
		io.Copy(io.Discard, r.out)
		if err := r.cmd.Wait(); err != nil {
			t.Errorf("%s: %v, stderr %q", r.step, err, r.cmd.Stderr)
		}
	}
	do("step", "set", "approve", "--status", "passed")
	do("build", "finish")
	want = `acme/begun, "All of it" of "release" is passed: lint passed approve passed build passed test passed deploy passed`
	if got := s.told(id); got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
	for _, step := range []struct{ key, log string }{{"lint", "clean\n"}, {"build", "built\n"}, {"test", "ready\n"}, {"deploy", "ready\non\n"}} {
		if log := s.get("/api/v1/builds/" + id + "/steps/" + step.key + "/log"); string(log) != step.log {
			t.Errorf("the log of %s is %q", step.key, log)
		}
	}
}

// After kill -9 another process knows it too, wherever it runs.
func TestFlush_ABuildOfOthersThatIsForgotten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, env := s.begun()
	cmd := startedApart(t, env, "run", "--step", "test", "--", "sh", "-c", "echo ready; exec sleep 1000")
	if !eventually(func() bool { return strings.Contains(string(s.get("/api/v1/builds/"+id)), `"log_bytes":6,`) }) {
		t.Fatalf("the log does not come: %s", s.told(id))
	}
	s.forgetKilled(cmd)
	if _, stderr, code := output(t, stepcast(t, env, "flush")); code != 0 || !strings.Contains(stderr, "delivered what there is of step test") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is running: lint queued test running deploy queued`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
}

// What had ended is sent again by whoever brings the build back, not only by a run; in the
// order in which it began, though nobody had planned it.
func TestFlush_AllOfABuildThatIsForgotten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, _ := s.do(0, "build", "start", "--project", "acme/begun", "--title", "All of it", "--branch", "release")
	id = strings.TrimSpace(id)
	env := append(s.env, "STEPCAST_URL="+s.url, "STEPCAST_BUILD="+id, "STEPCAST_SPOOL_DIR="+filepath.Join(t.TempDir(), "spool"))
	do := ending(t, env)
	do(3, "run", "--step", "lint", "--", "sh", "-c", "echo unclean; exit 3")
	do(0, "run", "--step", "build", "--", "echo", "built")
	cmd := startedApart(t, env, "run", "--step", "test", "--", "sh", "-c", "echo ready; exec sleep 1000")
	if !eventually(func() bool { return strings.Contains(s.told(id), "test running") }) {
		t.Fatalf("it does not come: %s", s.told(id))
	}
	s.forgetKilled(cmd)
	do(0, "flush")
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is running: lint failed build passed test running`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
	s.forget()
	do(0, "run", "--step", "deploy", "--", "echo", "deployed")
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is running: lint failed build passed test running deploy passed`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
}

// Commands that say something of a build that is forgotten bring it back first, as far as
// this machine has reported it.
func TestBuild_OfOthersThatIsForgotten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, env := s.begun()
	do := func(args ...string) {
		t.Helper()
		if _, stderr, code := output(t, elsewhere(t, stepcast(t, env, args...))); code != 0 {
			t.Errorf("%q: exit code %d, stderr %q", args, code, stderr)
		}
	}
	do("run", "--step", "lint", "--", "echo", "clean")
	s.forget()
	do("step", "set", "deploy", "--status", "passed")
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is running: lint passed test queued deploy passed`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
	s.forget()
	do("run", "--step", "test", "--", "echo", "tested")
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is running: lint passed test passed deploy queued`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
	s.forget()
	do("build", "finish")
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is passed: lint passed test passed deploy skipped`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
}

// dumped keeps the database as it is now; what it returns puts that back, as a snapshot is.
func (s *testServer) dumped() (restore func()) {
	s.t.Helper()
	cfg, err := pgx.ParseConfig(s.db)
	if err != nil {
		s.t.Fatal(err)
	}
	name := cfg.Database
	cfg.Database = "postgres"
	admin, err := pgx.ConnectConfig(s.t.Context(), cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	between := func(statements ...string) {
		s.t.Helper()
		for _, statement := range statements {
			if _, err := admin.Exec(context.Background(), statement); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	s.t.Cleanup(func() {
		_, _ = admin.Exec(context.Background(), "DROP DATABASE "+name+"_dump")
		_ = admin.Close(context.Background())
	})
	s.kill()
	between("ALTER DATABASE "+name+" ALLOW_CONNECTIONS false", ended(name), "CREATE DATABASE "+name+"_dump TEMPLATE "+name, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true")
	s.start()
	return func() {
		s.t.Helper()
		s.kill()
		between("DROP DATABASE "+name+" WITH (FORCE)", "CREATE DATABASE "+name+" TEMPLATE "+name+"_dump")
		if _, stderr, code := output(s.t, stepcast(s.t, nil, "admin", "new-epoch", "--database-url", s.db)); code != 0 {
			s.t.Fatalf("exit code %d, stderr %q", code, stderr)
		}
		s.start()
	}
}

// ended ends the connections to a database; that a process which was killed has gone,
// PostgreSQL may not have noticed yet.
func ended(database string) string {
	return "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '" + database + "'"
}

// A build that was under way in the dump has what has happened since again: from a run that
// goes on, its own step as it began and those before it.
func TestRun_ABuildThatIsRestored(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, env := s.begun()
	do := ending(t, env)
	restore := s.dumped()
	do(3, "run", "--step", "lint", "--", "sh", "-c", "echo unclean; exit 3")
	do(0, "run", "--step", "test", "--", "echo", "tested")
	cmd := elsewhere(t, stepcast(t, env, "run", "--step", "deploy", "--", "sh", "-c", `echo ready; while read line; do echo "$line"; done`))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := started(t, cmd)
	began := func() string {
		var b struct {
			Steps []struct {
				StartedAt string `json:"started_at"`
			}
		}
		if err := json.Unmarshal(s.get("/api/v1/builds/"+id), &b); err != nil || len(b.Steps) != 3 {
			t.Fatalf("%v, %d steps", err, len(b.Steps))
		}
		return b.Steps[2].StartedAt
	}
	if !eventually(func() bool { return strings.Contains(string(s.get("/api/v1/builds/"+id)), `"log_bytes":6,`) }) {
		t.Fatalf("the log does not come: %s", s.told(id))
	}
	at := began()
	restore()
	io.WriteString(stdin, "on\n")
	want := `acme/begun, "All of it" of "release" is running: lint failed test passed deploy running`
	if !eventually(func() bool { return s.told(id) == want }) {
		t.Errorf("the build is %s, want %s", s.told(id), want)
	}
	stdin.Close()
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v, stderr %q", err, cmd.Stderr)
	}
	if got := began(); got != at {
		t.Errorf("the step began at %s, and before the restore at %s", got, at)
	}
	for step, log := range map[string]string{"lint": "unclean\n", "test": "tested\n", "deploy": "ready\non\n"} {
		if got := s.get("/api/v1/builds/" + id + "/steps/" + step + "/log"); string(got) != log {
			t.Errorf("the log of %s is %q", step, got)
		}
	}
	do(0, "build", "finish")
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is failed: lint failed test passed deploy passed`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
}

// A build that was under way in the dump is not ended as it was then, where this machine
// knows what has happened since.
func TestBuild_FinishedAfterARestore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	id, env := s.begun()
	do := ending(t, env)
	do(0, "run", "--step", "lint", "--", "echo", "clean")
	restore := s.dumped()
	do(3, "run", "--step", "test", "--", "sh", "-c", "echo failing; exit 3")
	restore()
	// It waits for a server that is away, and does not take what that has then for all there is.
	s.kill()
	finish := elsewhere(t, stepcast(t, env, "build", "finish"))
	stderr := new(transcript)
	finish.Stderr = stderr
	if err := finish.Start(); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return strings.Contains(stderr.String(), "is away") }) {
		t.Fatalf("stderr %q", stderr)
	}
	s.start()
	if err := finish.Wait(); err != nil {
		t.Fatalf("%v, stderr %q", err, stderr)
	}
	if got, want := s.told(id), `acme/begun, "All of it" of "release" is failed: lint passed test failed deploy skipped`; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
	if log := s.get("/api/v1/builds/" + id + "/steps/test/log"); string(log) != "failing\n" {
		t.Errorf("the log is %q", log)
	}
}
