package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// TestSettings_Refusals holds what is set of projects and of tokens to what may
// be, and an admin to what the token is for.
func TestSettings_Refusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, project := range []string{"acme/api", "other/api"} {
		s.create(`{"project":"` + project + `"}`)
	}
	admin := []string{"Content-Type: application/json", "Authorization: Bearer " + s.tokenFor("acme/*", ci.ScopeAdmin)}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code                     ci.Code
		says                     string
	}{
		{"an unknown setting", "PATCH", "/api/v1/projects/acme/api", `{"visible":true}`, 400, ci.Invalid, "The field visible is unknown here; there are visibility and frame_ancestors."},
		{"another visibility", "PATCH", "/api/v1/projects/acme/api", `{"visibility":"internal"}`, 400, ci.Invalid, "internal"},
		{"a path for an origin", "PATCH", "/api/v1/projects/acme/api", `{"frame_ancestors":["https://portal.example/x"]}`, 400, ci.Invalid, "https://portal.example/x"},
		{"too many origins", "PATCH", "/api/v1/projects/acme/api", `{"frame_ancestors":["https://x"` + strings.Repeat(`,"https://x"`, 20) + `]}`, 400, ci.TooMany, "20"},
		{"no JSON", "PATCH", "/api/v1/projects/acme/api", `visibility=public`, 400, invalidJSON, "byte"},
		{"another's project", "PATCH", "/api/v1/projects/other/api", `{"visibility":"public"}`, 404, ci.NotFound, "no such project"},
		{"a project that is not there", "PATCH", "/api/v1/projects/acme/none", `{"visibility":"public"}`, 404, ci.NotFound, "no such project"},
		{"no project", "PATCH", "/api/v1/projects/a//b", `{}`, 400, ci.Invalid, "segment"},
		{"no scope", "POST", "/api/v1/tokens", `{"project":"acme/*"}`, 400, ci.Invalid, "A token needs a scope"},
		{"an unknown scope", "POST", "/api/v1/tokens", `{"project":"acme/*","scopes":["write"]}`, 400, ci.Invalid, "write"},
		{"no project for a token", "POST", "/api/v1/tokens", `{"scopes":["status"]}`, 400, ci.Invalid, "A token needs the project"},
		{"no pattern", "POST", "/api/v1/tokens", `{"project":"*/api","scopes":["status"]}`, 400, ci.Invalid, "pattern"},
		{"an unknown field", "POST", "/api/v1/tokens", `{"project":"acme/*","scope":"status"}`, 400, ci.Invalid, "The field scope is unknown here"},
		{"in the past", "POST", "/api/v1/tokens", `{"project":"acme/*","scopes":["status"],"expires_at":"2020-01-01T00:00:00Z"}`, 400, ci.Invalid, "expired already"},
		{"no time at all", "POST", "/api/v1/tokens", `{"project":"acme/*","scopes":["status"],"expires_in":0}`, 400, ci.Invalid, "between 1 and"},
		{"two ends", "POST", "/api/v1/tokens", `{"project":"acme/*","scopes":["status"],"expires_in":60,"expires_at":"2126-01-01T00:00:00Z"}`, 400, ci.Invalid, "not both"},
		{"more than the admin has", "POST", "/api/v1/tokens", `{"project":"*","scopes":["status"]}`, 403, tokenProject, "acme/*"},
		{"another's project for a token", "POST", "/api/v1/tokens", `{"project":"other/api","scopes":["status"]}`, 403, tokenProject, "acme/*"},
		{"another's token", "DELETE", "/api/v1/tokens/" + idOf(t, s.tokenFor("other/*", ci.ScopeRead)), ``, 404, ci.NotFound, "no such token"},
	} {
		a := s.do(c.method, c.path, c.body, admin...)
		if p := a.problem(); a.status != c.status || p.Type != "/problems/"+string(c.code) || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	if a := s.get("/api/v1/tokens", admin...); strings.Contains(a.body, "other/") || !strings.Contains(a.body, "acme/*") {
		t.Errorf("an admin of acme/* sees %s", a.body)
	}
	if a := s.get("/api/v1/projects/acme/api"); a.body != `{"name":"acme/api","visibility":"private","frame_ancestors":null}`+"\n" {
		t.Errorf("after all that it is %s", a.body)
	}
}

func idOf(t *testing.T, token string) string {
	sum, err := ci.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	return ci.TokenID(sum)
}

// TestTokens_Life makes a token by the API, uses it, and ends it, twice.
func TestTokens_Life(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.create(`{"project":"acme/api"}`)
	a := s.write("/api/v1/tokens", `{"name":"portal","project":"acme/*","scopes":["status","status"],"expires_at":"2126-11-22T10:00:00Z"}`)
	var made struct{ ID, Token string }
	json.Unmarshal([]byte(a.body), &made)
	if a.status != http.StatusCreated || made.ID != idOf(t, made.Token) || a.header.Get("Cache-Control") != "no-store" || strings.Contains(a.header.Get("Location"), made.Token) {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	if a := s.get("/api/v1/builds?token=" + made.Token); a.status != http.StatusOK || !strings.Contains(a.body, "acme/api") {
		t.Errorf("with it: %d %s", a.status, a.body)
	}
	begin := ci.Cut(time.Now())
	var hour struct {
		ExpiresAt time.Time `json:"expires_at"`
	}
	json.Unmarshal([]byte(s.write("/api/v1/tokens", `{"project":"acme/*","scopes":["status"],"expires_in":3600}`).body), &hour)
	if end := hour.ExpiresAt.Add(-time.Hour); end.Before(begin) || end.After(time.Now()) {
		t.Errorf("in an hour, from %v on, is %v", begin, hour.ExpiresAt)
	}
	listed := s.get("/api/v1/tokens", "Authorization: Bearer "+s.token).body
	if strings.Contains(listed, made.Token) || !strings.Contains(listed, `"name":"portal","scopes":["status"],"project":"acme/*"`) {
		t.Errorf("the list is %s", listed)
	}
	for range 2 {
		if a := s.do("DELETE", "/api/v1/tokens/"+made.ID, "", "Authorization: Bearer "+s.token); a.status != http.StatusNoContent {
			t.Errorf("end it: %d %s", a.status, a.body)
		}
	}
	if a := s.get("/api/v1/builds?token=" + made.Token); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "token-revoked") {
		t.Errorf("after its end: %d %s", a.status, a.body)
	}
}

// TestToken_IsNowhere sends a token in addresses, in every way that it may stand
// there, and looks for it in what is answered and logged: also while there is no
// database.
func TestToken_IsNowhere(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"acme/api"}`)
	s.create(`{"project":"acme/api"}`)
	token := s.tokenFor("acme/*", ci.ScopeStatus)
	var log bytes.Buffer
	away, err := postgres.Open(t.Context(), postgres.Config{URL: pgtest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	away.Close()
	broken := s.in(t)
	broken.url = serveHandler(t, New(Config{Store: away, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}))
	for _, server := range []*testServer{s, broken} {
		for _, path := range []string{
			"/api/v1/builds?limit=1&token=%s", "/api/v1/builds?limit=1&%%74oken=%s", "/api/v1/builds/latest?token=%s&project=acme/api",
			"/api/v1/builds?limit=1&tokens=%s", "/api/v1/builds?limit=1&token=%s&token=%[1]s", "/api/v1/none?token=%s", "/api/v1/streams?log=x;token=%s", "/api/v1/streams?token=%s", build + "/search?q=x&token=%s",
			"/plain?token=%s", "/plain/builds/none?token=%s", "/api/v1/builds?token=%sx",
		} {
			a := server.get(fmt.Sprintf(path, token), stranger...)
			if strings.Contains(a.body, token) || strings.Contains(fmt.Sprint(a.header), token) {
				t.Errorf("%s: %d %v %s", path, a.status, a.header, a.body)
			}
		}
	}
	if a := s.get("/api/v1/builds?limit=1&token=" + token); a.header.Get("Link") == "" {
		t.Error("there is no second page, so that nothing was shown")
	}
	if log.Len() == 0 || strings.Contains(log.String(), token) {
		t.Errorf("the log is %s", log.String())
	}
}
