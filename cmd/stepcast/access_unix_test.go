//go:build unix

package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
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
	do := func(wantCode int, args ...string) (stdout, stderr string) {
		t.Helper()
		stdout, stderr, code := output(t, stepcast(t, s.env, args...))
		if code != wantCode {
			t.Fatalf("%q: exit code %d, %q, %q", args, code, stdout, stderr)
		}
		return stdout, stderr
	}
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
	if err != nil || strings.Contains(stderr, token) || !strings.Contains(stderr, "status for acme/*, expires ") {
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
	} {
		do(2, args...)
	}
	do(1, "project", "set", "acme/none", "--public")
	do(1, "token", "create", "--scope", "write", "--project", "acme/*")
	do(1, "token", "revoke", "0123456789abcdef")
}
