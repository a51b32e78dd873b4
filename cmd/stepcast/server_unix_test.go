//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/sweep"
)

// testServer is a server in a process of its own, which can be killed and comes
// back at the same address.
type testServer struct {
	t   *testing.T
	dir string
	url string
	env []string // for clients
	set []string // for the server, beside where it is
	db  string
	log transcript
	cmd *exec.Cmd
}

// newServer starts one. More variables of its environment may be set.
func newServer(t *testing.T, set ...string) *testServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := &testServer{t: t, dir: t.TempDir(), url: "http://" + address, db: pgtest.New(t), set: set}
	s.env = []string{"STEPCAST_DATA_DIR=" + s.dir}
	t.Cleanup(func() { // once it has ended
		sweep.Keep(t, sweep.Log, s.log.String())
		sweep.KeepFiles(t, sweep.Disk, s.dir, "token")
	})
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *testServer) start() {
	s.t.Helper()
	s.cmd = stepcast(s.t, append([]string{"STEPCAST_DATA_DIR=" + s.dir, "STEPCAST_DATABASE_URL=" + s.db, "STEPCAST_LISTEN=" + strings.TrimPrefix(s.url, "http://")}, s.set...), "serve")
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	if !eventually(func() bool {
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}) {
		s.kill()
		s.t.Fatalf("the server is not ready: %s", s.log.String())
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "token"))
	if err != nil {
		s.t.Fatal(err)
	}
	sweep.Secret(s.t, strings.TrimSpace(string(token)), false)
}

func (s *testServer) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// eventually waits for a condition, with a bound that only a hang reaches.
func eventually(condition func() bool) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !condition(); <-tick.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func (s *testServer) get(path string) []byte {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %d, %v, %s", path, resp.StatusCode, err, body)
	}
	return body
}

type shownBuild struct {
	ID, Project, Status, Title, Branch string
	Steps                              []struct {
		Key, Name, Status string
		ExitCode          *int `json:"exit_code"`
		LogBytes          int  `json:"log_bytes"`
		LogComplete       bool `json:"log_complete"`
	}
}

// do runs the program as a client of the server, and ends the test when its exit
// code is another.
func (s *testServer) do(wantCode int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	stdout, stderr, code := output(s.t, stepcast(s.t, s.env, args...))
	if code != wantCode {
		s.t.Fatalf("%q: exit code %d, %q, %q", args, code, stdout, stderr)
	}
	return stdout, stderr
}

// build returns the only build of a project.
func (s *testServer) build(project string) shownBuild {
	s.t.Helper()
	var list struct{ Builds []shownBuild }
	if err := json.Unmarshal(s.get("/api/v1/builds?project="+project), &list); err != nil || len(list.Builds) != 1 {
		s.t.Fatalf("%d builds of %s, %v", len(list.Builds), project, err)
	}
	var b shownBuild
	if err := json.Unmarshal(s.get("/api/v1/builds/"+list.Builds[0].ID), &b); err != nil {
		s.t.Fatal(err)
	}
	return b
}

func TestServer_TheLogIsTheOutput(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	random := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{2}).Read(random)
	file := filepath.Join(t.TempDir(), "random")
	if err := os.WriteFile(file, random, 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := output(t, stepcast(t, s.env, "run", "--project", "acme/bytes", "--step", "build/linux", "--", "sh", "-c", `cat "$0"; seq 20000; exit 3`, file))
	if code != 3 || stderr != "" || len(stdout) < len(random)+100_000 || stdout[:len(random)] != string(random) {
		t.Fatalf("exit code %d, %d bytes, stderr %q", code, len(stdout), stderr)
	}
	b := s.build("acme/bytes")
	if log := s.get("/api/v1/builds/" + b.ID + "/steps/build/linux/log"); string(log) != stdout {
		t.Errorf("the log has %d bytes, the output %d", len(log), len(stdout))
	}
	if b.Status != "failed" || b.Steps[0].Status != "failed" || *b.Steps[0].ExitCode != 3 || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
}

// Both ends of a build go through a server that is killed again and again.
func TestServer_KilledUnderRunAndTail(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	gate := filepath.Join(t.TempDir(), "gate")
	run := stepcast(t, s.env, "run", "--project", "acme/kill", "--step", "test", "--", "sh", "-c",
		`i=0; while [ ! -e "$0" ] || [ $i -lt 300 ]; do i=$((i+1)); echo "line $i of a build that goes on"; sleep 0.01; done; exit 5`, gate)
	var printed bytes.Buffer
	run.Stdout = &printed
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool {
		return strings.Contains(string(s.get("/api/v1/builds?project=acme/kill")), `"status":"running"`)
	}) {
		t.Fatal("the build does not appear")
	}
	id := s.build("acme/kill").ID
	tail := stepcast(t, s.env, "tail", s.url+"/builds/"+id)
	var shown, said bytes.Buffer
	tail.Stdout, tail.Stderr = &shown, &said
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		before := s.build("acme/kill").Steps[0].LogBytes
		if !eventually(func() bool { return s.build("acme/kill").Steps[0].LogBytes > before }) {
			t.Fatal("the log does not grow")
		}
		s.kill()
		s.start()
	}
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run.Wait()
	tail.Wait()
	if code := run.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit code %d", code)
	}
	if log := s.get("/api/v1/builds/" + id + "/steps/test/log"); !bytes.Equal(log, printed.Bytes()) {
		t.Errorf("the log has %d bytes, the output %d", len(log), printed.Len())
	}
	if code := tail.ProcessState.ExitCode(); code != 1 || !bytes.Equal(shown.Bytes(), printed.Bytes()) {
		t.Errorf("tail: exit code %d, %d bytes of %d; %s", code, shown.Len(), printed.Len(), said.String())
	}
}

func TestServer_ABuildOfSeveralSteps(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	stdout, stderr, code := output(t, stepcast(t, s.env, "build", "start", "--project", "acme/steps", "--title", "All of it", "--steps", "lint,test,deploy"))
	id := strings.TrimSpace(stdout)
	if code != 0 || stdout != id+"\n" || stderr != "stepcast: watch "+s.url+"/builds/"+id+"\n" {
		t.Fatalf("exit code %d, %q, %q", code, stdout, stderr)
	}
	env := append(s.env, "STEPCAST_BUILD="+id)
	for key, command := range map[string]string{"lint": "echo clean", "test": "echo broken; exit 2"} {
		output(t, stepcast(t, env, "run", "--step", key, "--", "sh", "-c", command))
	}
	_, stderr, code = output(t, stepcast(t, env, "build", "finish"))
	if code != 0 || !strings.HasPrefix(stderr, "stepcast: failed ") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	b := s.build("acme/steps")
	got := b.Title + " " + b.Status
	for _, step := range b.Steps {
		got += fmt.Sprintf(", %s %s", step.Key, step.Status)
	}
	if want := "All of it failed, lint passed, test failed, deploy skipped"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	stdout, _, code = output(t, stepcast(t, env, "tail"))
	if code != 1 || !strings.Contains(stdout, "lint   | clean\n") || !strings.Contains(stdout, "test   | broken\n") {
		t.Errorf("tail: exit code %d, %q", code, stdout)
	}
	stdout, _, code = output(t, stepcast(t, env, "tail", "--step", "lint"))
	if code != 1 || stdout != "clean\n" {
		t.Errorf("tail --step: exit code %d, %q", code, stdout)
	}
	if _, stderr, code = output(t, stepcast(t, s.env, "tail", "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10")); code != 2 {
		t.Errorf("tail of an unknown build: exit code %d, %q", code, stderr)
	}
	if stdout, stderr, code = output(t, stepcast(t, append(env, "STEPCAST_TOKEN=stp_wrong"), "run", "--", "echo", "on")); code != 0 || stdout != "on\n" || strings.Count(stderr, "\n") != 2 || !strings.Contains(stderr, "; check --token or STEPCAST_TOKEN\n") || !strings.HasSuffix(stderr, "`stepcast flush` sends them\n") {
		t.Errorf("with a wrong token: exit code %d, %q, %q", code, stdout, stderr)
	}
}

// TestServer_FlagsOfABuildArrive gives each text of a build by its flag, to both commands
// that begin one, and once one that is too long.
func TestServer_FlagsOfABuildArrive(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var names, flags, long []string
	for field := range reflect.TypeFor[ci.Build]().Fields() {
		if field.Type != reflect.TypeFor[ci.Text]() {
			continue
		}
		name := field.Tag.Get("json")
		flag := "--" + strings.ReplaceAll(name, "_", "-")
		if name == "url" { // --url is where the server is
			flag = "--link"
		}
		names = append(names, name)
		flags = append(flags, flag, "https://example.org/"+name)
		long = append(long, flag, "https://example.org/"+strings.Repeat("x", 10_000))
	}
	for project, command := range map[string][]string{
		"acme/run":   append([]string{"run", "--project", "acme/run"}, append(flags, "--", "true")...),
		"acme/start": append([]string{"build", "start", "--project", "acme/start"}, flags...),
	} {
		if _, stderr, code := output(t, stepcast(t, s.env, command...)); code != 0 {
			t.Errorf("%s: exit code %d, %q", project, code, stderr)
			continue
		}
		var build map[string]any
		if err := json.Unmarshal(s.get("/api/v1/builds/"+s.build(project).ID), &build); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if want := "https://example.org/" + name; build[name] != want {
				t.Errorf("%s: %s is %v, want %q", project, name, build[name], want)
			}
		}
	}
	if _, stderr, code := output(t, stepcast(t, s.env, append([]string{"build", "start", "--project", "acme/long"}, long...)...)); code != 0 {
		t.Errorf("of texts that are too long: exit code %d, %q", code, stderr)
	}
}

func TestServer_CanceledByASignal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	run := stepcast(t, s.env, "run", "--project", "acme/cancel", "--", "sh", "-c", "echo ready; exec sleep 1000")
	run.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	started(t, run)
	run.Process.Signal(syscall.SIGTERM)
	run.Wait()
	if code := run.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d", code)
	}
	if b := s.build("acme/cancel"); b.Status != "canceled" || b.Steps[0].Status != "canceled" || *b.Steps[0].ExitCode != 143 || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	stdout, stderr, code := output(t, stepcast(t, s.env, "tail", "latest", "--project", "acme/cancel"))
	if code != 1 || stdout != "ready\n" || !strings.Contains(stderr, "stepcast: sh canceled (exit code 143)") {
		t.Errorf("tail: exit code %d, %q, %q", code, stdout, stderr)
	}
}

// A migration of a large database takes longer than one waits for a database to
// start.
func TestOpenStore_LetsMigrationsTakeTheirTime(t *testing.T) {
	t.Parallel()
	store, err := openStore(t.Context(), postgres.Config{URL: pgtest.New(t)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
}

// A second server says that the first one is there, and where.
func TestServe_Twice(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	_, stderr, code := output(t, stepcast(t, append(s.env, "STEPCAST_DATABASE_URL="+s.db), "serve", "--listen", strings.TrimPrefix(s.url, "http://")))
	if code != 1 || !strings.Contains(stderr, "is taken, it seems by the server that has its data in "+s.dir+": use that one") {
		t.Errorf("at its address: exit code %d, %q", code, stderr)
	}
	_, stderr, code = output(t, stepcast(t, nil, "serve", "--data-dir", t.TempDir(), "--listen", strings.TrimPrefix(s.url, "http://")))
	if code != 1 || !strings.Contains(stderr, "is taken by another program") {
		t.Errorf("with data elsewhere: exit code %d, %q", code, stderr)
	}
	lock := flock.New(filepath.Join(s.dir, "lock")) // as a server has it that runs its own PostgreSQL
	if locked, err := lock.TryLock(); !locked || err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	_, stderr, code = output(t, stepcast(t, s.env, "serve", "--listen", "127.0.0.1:0"))
	if code != 1 || !strings.Contains(stderr, "the server at "+s.url+" has its data in "+s.dir+": use that one") {
		t.Errorf("on its data: exit code %d, %q", code, stderr)
	}
}
