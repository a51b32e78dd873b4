//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/idp"
)

// ciWorld is a GitHub and a GitLab that give their jobs ID tokens, and a server
// that takes those of acme's repositories.
type ciWorld struct {
	*testServer
	github, gitlab *idp.Provider
	asks           *httptest.Server // where a job on GitHub asks for an ID token
	asked, refused atomic.Int64     // how often it did; how often that is still refused
	spool          string           // of the jobs' machine
	jti            atomic.Int64
}

const ciAudience = "https://stepcast.example"

func newCIWorld(t *testing.T, settings ...string) *ciWorld {
	t.Helper()
	w := &ciWorld{github: idp.New(t), gitlab: idp.New(t), spool: filepath.Join(t.TempDir(), "spool")}
	w.asks = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		switch {
		case r.Header.Get("Authorization") != "Bearer request-secret" || r.URL.Query().Get("api-version") != "2.0":
			rw.WriteHeader(http.StatusUnauthorized)
		case w.refused.Add(-1) >= 0:
			rw.WriteHeader(http.StatusBadGateway)
		default:
			_ = json.NewEncoder(rw).Encode(map[string]string{"value": w.github.Sign(idp.Claims{
				"aud": r.URL.Query().Get("audience"), "jti": fmt.Sprint(w.jti.Add(1)), "repository": "acme/api", "repository_owner_id": "42",
				"run_id": "1658821493", "run_attempt": "1", "workflow": "CI", "ref": "refs/heads/main",
			})})
		}
	}))
	t.Cleanup(w.asks.Close)
	w.testServer = newServer(t, append(settings,
		"STEPCAST_RUNNER_ISSUER="+w.github.Issuer()+"=github:https://github.com,"+w.gitlab.Issuer()+"=gitlab:https://gitlab.example.com",
		"STEPCAST_RUNNER_ALLOW="+w.github.Issuer()+":acme/*,"+w.gitlab.Issuer()+":acme/*;ref_protected=true",
		"STEPCAST_RUNNER_AUDIENCE="+ciAudience)...)
	return w
}

// onGitHub is the environment of a job there.
func (w *ciWorld) onGitHub(job string, env ...string) []string {
	return append([]string{
		"GITHUB_ACTIONS=true", "GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=acme/api", "GITHUB_RUN_ID=1658821493", "GITHUB_RUN_ATTEMPT=1", "GITHUB_JOB=" + job,
		"GITHUB_ACTION=__run", "GITHUB_REF=refs/heads/main", "GITHUB_EVENT_NAME=push", "GITHUB_SHA=0123456789abcdef0123456789abcdef01234567", "ACTIONS_ORCHESTRATION_ID=", "GITHUB_EVENT_PATH=",
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + w.asks.URL + "/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-secret",
		"STEPCAST_URL=" + w.url, "STEPCAST_SPOOL_DIR=" + w.spool, "STEPCAST_AUDIENCE=" + ciAudience,
	}, env...)
}

// onGitLab is the environment of a job there, with an ID token of its own.
func (w *ciWorld) onGitLab(job string, env ...string) []string {
	token := w.gitlab.Sign(idp.Claims{"aud": ciAudience, "jti": fmt.Sprint(w.jti.Add(1)), "project_path": "acme/api", "pipeline_id": "4711", "job_id": "1", "ref_protected": "true"})
	return append(gitlab(job, "STEPCAST_ID_TOKEN="+token, "STEPCAST_URL="+w.url, "STEPCAST_SPOOL_DIR="+w.spool), env...)
}

// tells tells nothing that is secret: in the server's log, and in spools, beside
// where tokens are kept.
func (w *ciWorld) tells(said ...string) {
	w.t.Helper()
	secret := func(where, text string) {
		if strings.Contains(text, "stp_") || strings.Contains(text, "eyJ") || strings.Contains(text, "request-secret") {
			w.t.Errorf("a secret is in %s: %s", where, text)
		}
	}
	for _, text := range said {
		secret("what was said", text)
	}
	err := filepath.WalkDir(w.spool, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && d.Name() == "tokens" {
				if info, _ := d.Info(); info.Mode().Perm() != 0o700 {
					w.t.Errorf("%s: %v", path, info.Mode())
				}
			}
			return err
		}
		info, _ := d.Info()
		if filepath.Base(filepath.Dir(path)) == "tokens" {
			if info.Mode().Perm() != 0o600 {
				w.t.Errorf("%s: %v", path, info.Mode())
			}
			return nil
		}
		text, err := os.ReadFile(path)
		secret(path, string(text))
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
	w.kill() // so that its log is whole
	secret("the server's log", w.log.String())
}

// untilRefused waits until the server, which remembers tokens for a moment,
// takes one no more.
func (w *ciWorld) untilRefused(token any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+"/api/v1/tokens", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", fmt.Sprintf("Bearer %v", token))
	if !eventually(func() bool {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusUnauthorized
	}) {
		w.t.Fatal("the token is taken for ever")
	}
}

func (w *ciWorld) tokenFiles() []string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.spool, "tokens", "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

func TestExchange_GitHubJobs(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t)
	var said []string
	job := func(name string, want int, args ...string) {
		t.Helper()
		_, stderr, code := output(t, stepcast(t, w.onGitHub(name), args...))
		if said = append(said, stderr); code != want || strings.Contains(stderr, "not") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr)
		}
	}
	job("plan", 0, "build", "start", "--steps", "lint,test,deploy")
	job("lint", 0, "run", "--", "echo", "clean")
	job("test", 4, "run", "--", "sh", "-c", `echo "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" $(cat "$STEPCAST_SPOOL_DIR"/tokens/*.json); exit 4`)
	job("end", 0, "step", "set", "deploy", "--status", "skipped")
	if n := w.asked.Load(); n != 1 {
		t.Errorf("jobs of one run on one machine asked for %d ID tokens", n)
	}
	if _, stderr, code := output(t, stepcast(t, w.onGitHub("deploy", "STEPCAST_PROJECT=acme/api/deploy"), "run", "--", "sh", "-c", `cat "$STEPCAST_SPOOL_DIR"/tokens/*.json`)); code != 0 || stderr != "" {
		t.Errorf("another project: exit code %d, stderr %q", code, stderr)
	}
	if d := w.build("acme/api/deploy"); strings.Contains(string(w.get("/api/v1/builds/"+d.ID+"/steps/deploy/log")), "stp_") || w.asked.Load() != 2 {
		t.Errorf("the build is %+v, after %d ID tokens", d, w.asked.Load())
	}
	if err := os.RemoveAll(filepath.Join(w.spool, "tokens")); err != nil { // another machine
		t.Fatal(err)
	}
	job("end", 0, "build", "finish")
	b := w.build("acme/api")
	if b.Status != "failed" || b.Steps[0].Key != "lint" || b.Steps[0].Status != "passed" || !b.Steps[0].LogComplete || b.Steps[1].Key != "test" || *b.Steps[1].ExitCode != 4 || b.Steps[2].Status != "skipped" {
		t.Errorf("the build is %+v", b)
	}
	if log := string(w.get("/api/v1/builds/" + b.ID + "/steps/test/log")); !strings.HasPrefix(log, "*** {") || strings.Contains(log, "stp_") {
		t.Errorf("the log is %q", log)
	}
	w.tells(said...)
}

// Three commands of one GitLab job begin at once, and share its one ID token. A
// job that is tried again after the build's end begins another build.
func TestExchange_GitLabJobs(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t)
	env := w.onGitLab("test")
	var all sync.WaitGroup
	said := make([]string, 3)
	for i := range said {
		all.Go(func() {
			_, stderr, code := output(t, stepcast(t, env, "run", "--step", fmt.Sprintf("test/%d", i), "--", "sh", "-c", `echo "$STEPCAST_ID_TOKEN"`))
			if said[i] = stderr; code != 0 || stderr != "" {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
		})
	}
	all.Wait()
	b := w.build("acme/api")
	for i := range said {
		if log := string(w.get(fmt.Sprintf("/api/v1/builds/%s/steps/test/%d/log", b.ID, i))); log != "***\n" {
			t.Errorf("the log is %q", log)
		}
	}
	if n := len(w.tokenFiles()); n != 1 {
		t.Errorf("%d tokens are kept", n)
	}
	w.spool = filepath.Join(t.TempDir(), "spool") // another machine
	if _, stderr, code := output(t, stepcast(t, w.onGitLab("end"), "build", "finish")); code != 0 || !strings.HasPrefix(stderr, "stepcast: passed ") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	w.spool = filepath.Join(t.TempDir(), "spool")
	_, stderr, code := output(t, stepcast(t, w.onGitLab("test"), "run", "--", "echo", "again"))
	if code != 0 || stderr != "stepcast: the build has ended; this is reported into another one of the same run\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	var list struct{ Builds []shownBuild }
	if err := json.Unmarshal(w.get("/api/v1/builds?project=acme/api"), &list); err != nil || len(list.Builds) != 2 || list.Builds[0].Status != "running" {
		t.Errorf("the builds are %+v, %v", list.Builds, err)
	}
	w.tells(append(said, stderr)...)
}

// Neither who gives ID tokens nor who knows the issuer's keys is there at first.
// The command does not wait for them.
func TestExchange_IssuerAwayAtFirst(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t)
	w.refused.Store(2)
	w.github.Away(true)
	gate := filepath.Join(t.TempDir(), "gate")
	cmd := stepcast(t, w.onGitHub("test"), "run", "--", "sh", "-c", `echo here; while [ ! -e "$0" ]; do sleep 0.01; done`, gate)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("here\n"))
	if _, err := io.ReadFull(out, line); err != nil || string(line) != "here\n" {
		t.Errorf("the terminal has %q, %v", line, err)
	}
	if !eventually(func() bool { return w.github.Asked("/.well-known/openid-configuration") > 0 }) {
		t.Fatal("the server asks for no keys")
	}
	w.github.Away(false)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	said := stderr.String()
	if first, _, _ := strings.Cut(said, "\n"); !strings.HasPrefix(first, "stepcast: GitHub gives the job no ID token: it answers 502 Bad Gateway; the command goes on") || strings.Count(said, "\n") > 2 {
		t.Errorf("stderr %q", said)
	}
	if b := w.build("acme/api"); b.Steps[0].Status != "passed" || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	w.tells(said)
}

// The first answers to an exchange are lost on their way, after the server has
// made the token.
func TestExchange_AnswerLost(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t)
	lost := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), r.Method, w.url+r.URL.RequestURI(), r.Body)
		if err != nil {
			panic(err)
		}
		req.Header = r.Header
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer resp.Body.Close()
		if r.URL.Path == "/api/v1/exchange" && resp.StatusCode == http.StatusCreated {
			if lost++; lost <= 2 {
				panic(http.ErrAbortHandler)
			}
		}
		for name, values := range resp.Header {
			rw.Header()[name] = values
		}
		rw.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(rw, resp.Body)
	}))
	defer proxy.Close()
	_, stderr, code := output(t, stepcast(t, w.onGitLab("test", "STEPCAST_URL="+proxy.URL), "run", "--", "echo", "hello"))
	if code != 0 || lost != 3 || !strings.Contains(stderr, "is away") {
		t.Errorf("exit code %d, %d answers, stderr %q", code, lost, stderr)
	}
	if b := w.build("acme/api"); b.Steps[0].Status != "passed" || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	w.tells(stderr)
}

// A token that is getting old is made good for longer, by another ID token where
// the system gives one; and one that the server takes no more is asked for again.
func TestExchange_LongBuilds(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t)
	run := func(env []string, step string) {
		t.Helper()
		if _, stderr, code := output(t, stepcast(t, env, "run", "--step", step, "--", "true")); code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", step, code, stderr)
		}
	}
	conn, err := pgx.Connect(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	shorten := func(expires time.Duration) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), `UPDATE tokens SET expires_at = clock_timestamp() + $1 WHERE build IS NOT NULL`, expires); err != nil {
			t.Fatal(err)
		}
	}
	left := func() (hours float64) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), `SELECT extract(epoch FROM max(expires_at) - clock_timestamp()) / 3600 FROM tokens WHERE build IS NOT NULL`).Scan(&hours); err != nil {
			t.Fatal(err)
		}
		return hours
	}
	for _, c := range []struct {
		name string
		env  []string
		asks int64
	}{{"github", w.onGitHub("test"), 2}, {"gitlab", w.onGitLab("test"), 0}} {
		before := w.asked.Load()
		w.spool = filepath.Join(t.TempDir(), "spool")
		env := append(c.env, "STEPCAST_SPOOL_DIR="+w.spool)
		run(env, "first")
		path := w.tokenFiles()[0]
		text, err := os.ReadFile(path)
		var kept map[string]any
		if err != nil || json.Unmarshal(text, &kept) != nil {
			t.Fatalf("%s: %v", text, err)
		}
		kept["got_at"], kept["expires_at"] = time.Now().Add(-5*time.Hour), time.Now().Add(time.Hour)
		if text, err = json.Marshal(kept); err != nil || os.WriteFile(path, text, 0o600) != nil {
			t.Fatal(err)
		}
		shorten(time.Hour)
		run(env, "later")
		if hours := left(); hours < 5 || w.asked.Load() != before+c.asks {
			t.Errorf("%s: it lasts for %.1f h, and %d ID tokens were asked for", c.name, hours, w.asked.Load()-before)
		}
		shorten(-time.Second)
		w.untilRefused(kept["token"])
		run(env, "much-later")
		if hours := left(); hours < 5 {
			t.Errorf("%s: it lasts for %.1f h", c.name, hours)
		}
		if _, err := conn.Exec(t.Context(), `DELETE FROM exchanges`); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), `DELETE FROM tokens WHERE build IS NOT NULL`); err != nil { // a restored backup
			t.Fatal(err)
		}
		w.untilRefused(kept["token"])
		run(env, "after-all")
		left() // there is one
	}
}

// What a job could not deliver is delivered by a later command of its run, with a
// token for that build. A job of another run has none for it, and leaves it.
func TestExchange_Leftovers(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t)
	w.kill()
	if _, stderr, code := output(t, stepcast(t, w.onGitHub("test"), "run", "--drain-timeout", "0s", "--", "sh", "-c", "echo kept; exit 2")); code != 2 || !strings.Contains(stderr, "wait in "+w.spool) {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	w.start()
	if _, stderr, code := output(t, stepcast(t, w.onGitHub("test", "GITHUB_RUN_ID=7"), "flush")); code != 1 || !strings.Contains(stderr, "one report is left in "+w.spool) {
		t.Errorf("another run: exit code %d, stderr %q", code, stderr)
	}
	if _, stderr, code := output(t, stepcast(t, w.onGitHub("end"), "build", "finish")); code != 0 || !strings.HasPrefix(stderr, "stepcast: failed ") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if b := w.build("acme/api"); b.Status != "failed" || b.Steps[0].Status != "failed" || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
}

// Who is not let in runs the command all the same, and is told once.
func TestExchange_NotLetIn(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t)
	unprotected := w.gitlab.Sign(idp.Claims{"aud": ciAudience, "jti": "x", "project_path": "acme/api", "pipeline_id": "4711", "job_id": "1", "ref_protected": "false"})
	var said []string
	for _, c := range []struct {
		name string
		env  []string
		says string
	}{
		{"another audience", w.onGitHub("test", "STEPCAST_AUDIENCE="), "stepcast: nothing of this run is reported: The ID token was made for others; ask for one for the audience https://stepcast.example (401)\n"},
		{"a branch that is not protected", w.onGitLab("test", "STEPCAST_ID_TOKEN="+unprotected), "stepcast: nothing of this run is reported: Jobs of acme/api may report here only with ref_protected=true, and this one has another or none (403)\n"},
		{"another project", w.onGitHub("test", "STEPCAST_PROJECT=acme/web"), "stepcast: nothing of this run is reported: Jobs of acme/api may not report to this project; whoever runs the server can allow it with --runner-allow (403)\n"},
		{"no permission", w.onGitHub("test", "ACTIONS_ID_TOKEN_REQUEST_TOKEN="), "stepcast: this run is not reported: no token was found: give one in STEPCAST_TOKEN, or let the job get an ID token (GitHub: permissions, id-token: write; GitLab: id_tokens, STEPCAST_ID_TOKEN)\n"},
		{"a permission that is over", w.onGitHub("test", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=old"), "stepcast: nothing of this run is reported: GitHub gives the job no ID token: the job may have ended, or lack the permission id-token: write (401)\n"},
	} {
		w.spool = filepath.Join(t.TempDir(), "spool")
		stdout, stderr, code := output(t, stepcast(t, append(c.env, "STEPCAST_SPOOL_DIR="+w.spool), "run", "--", "sh", "-c", "echo on; exit 3"))
		if code != 3 || stdout != "on\n" || !strings.HasPrefix(stderr, c.says) || strings.Count(stderr, "\n") > 2 {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", c.name, code, stdout, stderr)
		}
		said = append(said, stderr)
	}
	if list := string(w.get("/api/v1/builds")); strings.Contains(list, "acme") {
		t.Errorf("the builds are %s", list)
	}
	w.tells(said...)
}

// Where readers have to sign in, jobs report all the same, and see their own
// build alone.
func TestExchange_WhereReadersSignIn(t *testing.T) {
	t.Parallel()
	w := newCIWorld(t, "STEPCAST_SIGN_IN=true")
	for _, args := range [][]string{{"build", "start", "--steps", "lint"}, {"run", "--step", "lint", "--", "echo", "clean"}, {"step", "set", "deploy", "--status", "passed"}, {"build", "finish"}} {
		if _, stderr, code := output(t, stepcast(t, w.onGitLab("test"), args...)); code != 0 || strings.Contains(stderr, "not") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr)
		}
	}
	first, err := os.ReadFile(filepath.Join(w.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v1/builds", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(first)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct{ Builds []shownBuild }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || len(list.Builds) != 1 || list.Builds[0].Status != "passed" {
		t.Errorf("the builds are %+v, %v", list.Builds, err)
	}
	if list := string(w.get("/api/v1/builds")); strings.Contains(list, "acme") {
		t.Errorf("a stranger sees %s", list)
	}
}

// What the server's flags say that cannot be is said at its start.
func TestServe_RunnerFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, says string }{
		{"--runner-allow=github:acme/*", "--runner-allow lets nobody in without --runner-issuer"},
		{"--runner-issuer=github", "--runner-issuer lets nobody in without --runner-allow"},
		{"--runner-issuer=github --runner-allow=github:acme/*", "give the server's address as --public-url"},
		{"--runner-issuer=gitlab --runner-allow=gitlab:* --runner-audience=x", "would let all the world report"},
		{"--runner-issuer=http://gitlab.example --runner-allow=gitlab:a/* --runner-audience=x", "an issuer is github, gitlab, or an address"},
		{"--runner-issuer=github --runner-allow=gitlab:a/* --runner-audience=x", "has to begin with an issuer of --runner-issuer"},
		{"--runner-issuer=github --runner-allow=github:a/* --runner-audience=x --runner-lifetime=1s", "--runner-lifetime is between 1m and 168h"},
	} {
		stdout, stderr, code := output(t, stepcast(t, nil, append([]string{"serve"}, strings.Fields(c.args)...)...))
		if code != 1 || stdout != "" || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", c.args, code, stderr)
		}
	}
}
