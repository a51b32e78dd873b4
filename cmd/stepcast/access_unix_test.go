//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/sweep"
)

// elsewhere asks as a browser does on behalf of a page of another site.
func (s *testServer) elsewhere(path string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Origin", "https://portal.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestAccess_ByCommand opens and closes a project to other sites, by its
// visibility and by a token.
func TestAccess_ByCommand(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	do := s.do
	do(0, "run", "--project", "acme/api", "--", "echo", "hello")
	path := "/api/v1/builds/" + s.build("acme/api").ID

	if status := s.elsewhere(path); status != http.StatusNotFound {
		t.Errorf("a new project: %d", status)
	}
	do(0, "project", "set", "acme/api", "--public", "--frame-ancestors", "https://portal.example,http://127.0.0.1:8080")
	if stdout, _ := do(0, "project", "list"); stdout != "PROJECT   VISIBILITY\nacme/api  public\n" {
		t.Errorf("the list is %q", stdout)
	}
	if got := string(s.get("/api/v1/projects/acme/api")); got != `{"name":"acme/api","visibility":"public","frame_ancestors":["https://portal.example","http://127.0.0.1:8080"]}`+"\n" {
		t.Errorf("it is %s", got)
	}
	if !eventually(func() bool { return s.elsewhere(path) == http.StatusOK }) {
		t.Error("it does not become public")
	}
	do(0, "project", "set", "acme/api", "--private", "--frame-ancestors", "default")
	if !eventually(func() bool { return s.elsewhere(path) == http.StatusNotFound }) {
		t.Error("it does not become private")
	}

	stdout, stderr := do(0, "token", "create", "--scope", "status", "--project", "acme/*", "--name", "portal", "--expires", "90d")
	token := strings.TrimSpace(stdout)
	sum, err := ci.ParseToken(token)
	if err != nil || strings.Contains(stderr, token) || !strings.Contains(stderr, "status for acme/*, expires in 90 days; ") {
		t.Fatalf("%q, %q", stdout, stderr)
	}
	if status := s.elsewhere(path + "?token=" + token); status != http.StatusOK {
		t.Errorf("with the token: %d", status)
	}
	if status := s.elsewhere(path + "/steps/echo/log?token=" + token); status != http.StatusForbidden {
		t.Errorf("a log with the token: %d", status)
	}
	if stdout, _ := do(0, "token", "list"); strings.Count(stdout, "\n") != 3 || !strings.Contains(stdout, ci.TokenID(sum)) || !strings.Contains(stdout, "portal") || !strings.Contains(stdout, "first token") {
		t.Errorf("the tokens are\n%s", stdout)
	}
	do(0, "token", "revoke", ci.TokenID(sum))
	if !eventually(func() bool { return s.elsewhere(path+"?token="+token) == http.StatusUnauthorized }) {
		t.Error("it is not revoked")
	}

	for _, args := range [][]string{
		{"project", "set", "acme/api"},
		{"project", "set", "acme/api", "--public", "--private"},
		{"project", "set", "acme/api", "--frame-ancestors", "https://portal.example/path"},
		{"token", "create", "--project", "acme/*"},
		{"token", "create", "--scope", "status", "--project", "acme/*", "--expires", "soon"},
		{"token", "create", "--scope", "status", "--project", "*/api"},
		{"token", "revoke", "../builds"},
		{"link", "create", "latest"},
		{"link", "create", "--expires", "91d", "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10"},
		{"link", "revoke", "../builds"},
		{"audit", "--project", "*/api"},
		{"audit", "--limit", "-1"},
	} {
		do(2, args...)
	}
	do(1, "project", "set", "acme/none", "--public")
	do(1, "token", "create", "--scope", "write", "--project", "acme/*")
	do(1, "token", "revoke", "0123456789abcdef")
	do(1, "link", "create", "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10")
	do(1, "link", "revoke", "0123456789abcdef")
}

// TestAccess_Lists makes a token and a link, uses and ends them, and reads what
// the lists say of that, to people and to scripts, and what the audit does.
func TestAccess_Lists(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	do := func(args ...string) string {
		t.Helper()
		stdout, stderr, code := output(t, stepcast(t, s.env, args...))
		if code != 0 {
			t.Fatalf("%q: exit code %d, %q, %q", args, code, stdout, stderr)
		}
		return stdout
	}
	do("run", "--project", "acme/api", "--", "echo", "hello")
	build := s.build("acme/api").ID
	first, err := os.ReadFile(filepath.Join(s.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	firstSum, _ := ci.ParseToken(strings.TrimSpace(string(first)))
	token := strings.TrimSpace(do("token", "create", "--scope", "report,read", "--project", "acme/*", "--name", "ci"))
	sum, _ := ci.ParseToken(token)
	id, maker := ci.TokenID(sum), "token first token ("+ci.TokenID(firstSum)+")"
	if stdout, _, code := output(t, stepcast(t, append(s.env, "STEPCAST_TOKEN="+token), "tail", build)); code != 0 || stdout != "hello\n" {
		t.Fatalf("with the token: exit code %d, %q", code, stdout)
	}
	matches := func(pattern, text string) {
		t.Helper()
		if !regexp.MustCompile("(?m)^" + pattern + "$").MatchString(text) {
			t.Errorf("%s\nis not in\n%s", pattern, text)
		}
	}
	wasUsed := regexp.MustCompile(id + ` .*just now from 127\.0\.0\.1`)
	if !eventually(func() bool { return wasUsed.MatchString(do("token", "list")) }) {
		t.Error("it is not told that it was used")
	}
	matches(`ID +NAME +SCOPES +PROJECT +MADE +USED +LASTS +MADE BY`, do("token", "list"))
	matches(id+` +ci +report,read +acme/\* +just now +just now from 127\.0\.0\.1 +never expires +`+regexp.QuoteMeta(maker), do("token", "list"))
	type listed struct {
		ID, Name string
		UsedFrom string `json:"used_from"`
	}
	var tokens []listed
	for line := range strings.Lines(do("token", "list", "--json")) {
		var token listed
		if err := json.Unmarshal([]byte(line), &token); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		tokens = append(tokens, token)
	}
	if len(tokens) != 2 || tokens[0].ID != id || tokens[0].Name != "ci" || tokens[0].UsedFrom != "127.0.0.1" {
		t.Errorf("to scripts the list is %+v", tokens)
	}

	address := strings.TrimSpace(do("link", "create", "--expires", "30d", "--status", s.url+"/builds/"+build))
	text, ok := strings.CutPrefix(address, s.url+"/builds/"+build+"?link=")
	linkSum, valid := ci.ParseLink(text)
	if !ok || !valid {
		t.Fatalf("the address of the link is %s", address)
	}
	link := ci.TokenID(linkSum)
	matches(link+` +status +just now +never +expires in 30 days +`+regexp.QuoteMeta(maker), do("link", "list", build))
	do("link", "revoke", link)
	do("token", "revoke", id)
	matches(link+` +status +just now +never +revoked just now +.*`, do("link", "list", build))
	if list := do("token", "list"); strings.Contains(list, link) || strings.Contains(list, text) {
		t.Errorf("the link is among the tokens\n%s", list)
	}
	do("project", "set", "acme/api", "--public")

	audit := do("audit")
	who := `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +` + regexp.QuoteMeta(maker) + ` +127\.0\.0\.1 +`
	matches(who+`project\.set +acme/api +acme/api +visibility private → public`, audit)
	matches(who+`token\.revoke +acme/\* +`+id+` +name ci`, audit)
	matches(who+`link\.create +acme/api +`+link+` +build `+build+`, expires_at \S+ \S+, scope status`, audit)
	matches(`\S+ \S+ +the server +token\.create +\* +`+ci.TokenID(firstSum)+` +name first token, scopes report read status admin`, audit)
	if n := strings.Count(audit, "\n"); n != 1+6 {
		t.Errorf("the audit has %d lines:\n%s", n, audit)
	}
	if n := strings.Count(do("audit", "--project", "acme/api", "--json", "--limit", "2"), "\n"); n != 2 {
		t.Errorf("two lines of it are %d", n)
	}
	for _, secret := range []string{token, text, strings.TrimSpace(string(first))} {
		if strings.Contains(audit+do("audit", "--json", "--limit", "0"), secret) {
			t.Error("a secret is in the audit")
		}
	}
}

// A token that cannot be one is said to be so without any server being asked,
// and is sent nowhere; what a command is wrapped in runs, and its report waits for
// a better one.
func TestAccess_MalformedTokenIsNotSent(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer server.Close()
	good := ci.NewToken()
	for token, says := range map[string]string{
		good[:39] + "!": "the token's checksum is wrong; there is a typo in it",
		good[:20]:       "the token is too short or too long; it was not copied whole",
		ci.NewLink():    "this is the text of a link, which is opened in a browser, and no token; a token begins with stp_",
		"hunter2":       "a token begins with stp_; this is something else",
	} {
		env := []string{"STEPCAST_URL=" + server.URL, "STEPCAST_TOKEN=" + token}
		for _, args := range [][]string{{"token", "list"}, {"audit"}, {"tail", "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10"}, {"build", "start", "--project", "acme/api"}} {
			if _, stderr, code := output(t, stepcast(t, env, args...)); code == 0 || !strings.Contains(strings.ToLower(stderr), says) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%q: exit code %d, %q", args, code, stderr)
			}
		}
		stdout, stderr, code := output(t, stepcast(t, env, "run", "--project", "acme/api", "--", "sh", "-c", "echo on; exit 3"))
		if code != 3 || stdout != "on\n" || !strings.Contains(strings.ToLower(stderr), "nothing of this run is reported: "+says+"; check --token or stepcast_token\n") || strings.Contains(stderr, token) {
			t.Errorf("run: exit code %d, %q, %q", code, stdout, stderr)
		}
	}
	if len(asked) > 0 {
		t.Errorf("the server was asked %d times", len(asked))
	}
}

// TestLocalToken_StaysHere listens where the data directory's server does not:
// its token does not come there, by whatever name of this machine.
func TestLocalToken_StaysHere(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s %s came with a token", r.Method, r.URL)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"type":"/problems/not-found","detail":"There is no such build."}`)
	}))
	defer stranger.Close()
	for name, address := range map[string]string{"no address": "", "another port": "http://127.0.0.1:1\n", "spoken to otherwise": strings.Replace(stranger.URL, "http", "https", 1) + "\n"} {
		dir := t.TempDir()
		token := ci.NewToken()
		sweep.Secret(t, token, false)
		if err := os.WriteFile(filepath.Join(dir, "token"), []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if address != "" {
			if err := os.WriteFile(filepath.Join(dir, "address"), []byte(address), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, url := range []string{stranger.URL, strings.Replace(stranger.URL, "127.0.0.1", "localhost", 1)} {
			env := []string{"STEPCAST_DATA_DIR=" + dir, "STEPCAST_URL=" + url}
			stdout, stderr, code := output(t, stepcast(t, env, "run", "--drain-timeout", "0s", "--", "echo", "on"))
			if code != 0 || stdout != "on\n" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "STEPCAST_TOKEN") {
				t.Errorf("%s: exit code %d, %q, %q", name, code, stdout, stderr)
			}
			output(t, stepcast(t, env, "tail", "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10"))
		}
	}
	if asked.Load() == 0 {
		t.Error("nobody came")
	}
}

// TestLocalToken_NotToWhoComesAfter kills a server and listens at its address: its
// token does not come there, and what was to be reported waits for the server.
func TestLocalToken_NotToWhoComesAfter(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.do(0, "run", "--project", "acme/before", "--", "echo", "on")
	for _, named := range []bool{false, true} {
		s.kill()
		if named { // as after a clean stop, but to an address that is known by other means
			if err := os.Rename(filepath.Join(s.dir, "address"), filepath.Join(s.dir, formerAddress)); err != nil {
				t.Fatal(err)
			}
		}
		ln, err := net.Listen("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		var came atomic.Int32
		stranger := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			t.Errorf("%s %s came", r.Method, r.URL)
		}), ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				came.Add(1)
			}
		}}
		go stranger.Serve(ln)
		env := s.env
		if named {
			env = append(slices.Clone(env), "STEPCAST_URL="+s.url)
		}
		spool := t.TempDir()
		env = append(slices.Clone(env), "STEPCAST_SPOOL_DIR="+spool)
		project := fmt.Sprintf("acme/after-%v", named)
		cmd := stepcast(t, env, "run", "--project", project, "--drain-timeout", "0s", "--", "sh", "-c", "cat; exit 3")
		var said transcript
		cmd.Stderr = &said
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if !eventually(func() bool { return strings.Contains(said.String(), "is not, or not yet, the server") }) {
			t.Errorf("it says %q", said.String())
		}
		in.Close()
		if cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
			t.Errorf("exit code %d, %q", cmd.ProcessState.ExitCode(), said.String())
		}
		if came.Load() == 0 {
			t.Error("nobody came")
		}
		stranger.Close()
		s.start()
		if _, stderr, code := output(t, stepcast(t, env, "flush")); code != 0 {
			t.Errorf("flush: exit code %d, %q", code, stderr)
		}
		if b := s.build(project); b.Status != "failed" {
			t.Errorf("the build is %+v", b)
		}
	}
}

func TestSameServer(t *testing.T) {
	for _, same := range [][2]string{
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/"},
		{"http://localhost:8080", "http://127.0.0.1:8080"},
		{"http://LOCALHOST:8080", "http://[::1]:8080"},
		{"http://127.0.0.1:8080", "http://[::]:8080"},
		{"https://ci.example", "https://ci.example:443"},
		{"http://localhost", "http://127.0.0.1:80"},
	} {
		if !sameServer(same[0], same[1]) {
			t.Errorf("%s is not %s", same[0], same[1])
		}
	}
	for _, other := range [][2]string{
		{"http://127.0.0.1:8080", ""},
		{"", ""},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081"},
		{"http://127.0.0.1:8080", "https://127.0.0.1:8080"},
		{"http://127.0.0.2:8080", "http://127.0.0.1:8080"},
		{"http://localhost.example:8080", "http://localhost:8080"},
		{"http://localhost:8080@evil.example:8080", "http://localhost:8080"},
	} {
		if sameServer(other[0], other[1]) {
			t.Errorf("%s is %s", other[0], other[1])
		}
	}
}
