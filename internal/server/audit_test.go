package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// TestAudit_WhoSeesWhat makes, sets and revokes as the admins of two projects,
// and reads what each of them is told of it.
func TestAudit_WhoSeesWhat(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, project := range []string{"acme/api", "other/api"} {
		s.create(`{"project":"` + project + `"}`)
	}
	acme, other := s.tokenFor("acme/*", ci.ScopeAdmin), s.tokenFor("other/*", ci.ScopeAdmin)
	as := func(token string) []string {
		return []string{"Content-Type: application/json", "Authorization: Bearer " + token}
	}
	a := s.do("POST", "/api/v1/tokens", `{"name":"portal","project":"acme/api","scopes":["status"]}`, as(acme)...)
	var made struct {
		ID, Token string
		MadeBy    string `json:"made_by"`
	}
	json.Unmarshal([]byte(a.body), &made)
	actor := "token for acme/* (" + idOf(t, acme) + ")"
	if made.MadeBy != actor {
		t.Errorf("it says to be made by %q", made.MadeBy)
	}
	for _, visibility := range []string{"public", "public", "private"} {
		s.do("PATCH", "/api/v1/projects/acme/api", `{"visibility":"`+visibility+`"}`, as(acme)...)
	}
	s.do("PATCH", "/api/v1/projects/other/api", `{"frame_ancestors":["https://portal.example"]}`, as(other)...)
	s.do("DELETE", "/api/v1/tokens/"+made.ID, "", as(acme)...)
	read := func(token, query string) (lines []string, body string) {
		t.Helper()
		a := s.get("/api/v1/audit"+query, as(token)...)
		var page struct{ Entries []entryJSON }
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v %s", a.status, a.header, a.body)
		}
		for _, e := range page.Entries {
			lines = append(lines, fmt.Sprintf("%s from %s: %s of %s, %s", e.Actor, e.Address, e.Action, e.Project, e.Detail))
		}
		return lines, a.body
	}
	got, body := read(acme, "?limit=4")
	want := []string{
		actor + ` from 127.0.0.1: token.revoke of acme/api, {"name":"portal"}`,
		actor + ` from 127.0.0.1: project.set of acme/api, {"visibility":{"to":"private","from":"public"}}`,
		actor + ` from 127.0.0.1: project.set of acme/api, {"visibility":{"to":"public","from":"private"}}`,
		actor + ` from 127.0.0.1: token.create of acme/api, {"name":"portal","scopes":["status"],"expires_at":null}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("it tells\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(body, made.Token) || strings.Contains(body, "other") {
		t.Errorf("it tells of what it must not: %s", body)
	}
	if got, _ := read(other, ""); len(got) != 2 || !strings.Contains(got[0], `{"frame_ancestors":{"to":["https://portal.example"],"from":null}}`) {
		t.Errorf("the other admin is told\n%s", strings.Join(got, "\n"))
	}
	if got, _ := read(other, "?project=acme/*"); len(got) != 0 {
		t.Errorf("of acme the other admin is told %q", got)
	}
	all, _ := read(s.token, "")
	if of, _ := read(s.token, "?project=acme/*"); len(of) != 5 || len(all) != 5+2+1 { // and the token of this test
		t.Errorf("who administers all is told %d lines, %d of acme\n%s", len(all), len(of), strings.Join(all, "\n"))
	}
	first := s.get("/api/v1/audit?project=acme/*&limit=2", as(s.token)...)
	if link := first.header.Get("Link"); !strings.HasPrefix(link, "</api/v1/audit?before=") || !strings.HasSuffix(link, `>; rel="next"`) {
		t.Errorf("to the next page leads %q", link)
	}
}

// A token that a job got for its build is listed when it is asked for: there are
// as many as there are builds.
func TestTokens_OfBuilds(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.secretive("acme/api")
	id := idOf(t, s.tokenOf("acme/api", build, ci.ScopeReport))
	for query, want := range map[string]bool{"": false, "?builds=true": true, "?builds=0": false} {
		a := s.get("/api/v1/tokens"+query, "Authorization: Bearer "+s.token)
		if strings.Contains(a.body, `"id":"`+id+`"`) != want || want && !strings.Contains(a.body, `"build":"`+build+`"`) {
			t.Errorf("%q: %d %s", query, a.status, a.body)
		}
	}
}

// TestTokens_LastUse uses a token on one process and reads on another when and
// from where. One that is revoked is not used by being shown; one in force is,
// where it may not do what is asked too.
func TestTokens_LastUse(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	one, two := startOn(t, url), startOn(t, url)
	used, revoked := one.tokenFor("acme/*", ci.ScopeRead), one.tokenFor("acme/*", ci.ScopeRead)
	if err := one.store.RevokeToken(t.Context(), postgres.Itself, []string{"*"}, idOf(t, revoked)); err != nil {
		t.Fatal(err)
	}
	listed := func() map[string]tokenJSON {
		t.Helper()
		var page struct{ Tokens []tokenJSON }
		a := two.get("/api/v1/tokens?limit=10", "Authorization: Bearer "+two.token)
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Fatal(err)
		}
		tokens := make(map[string]tokenJSON)
		for _, token := range page.Tokens {
			tokens[token.ID] = token
		}
		return tokens
	}
	if a := one.get("/api/v1/builds", "Authorization: Bearer "+revoked); a.status != http.StatusUnauthorized {
		t.Fatalf("a revoked token: %d", a.status)
	}
	if a := one.get("/api/v1/tokens", "Authorization: Bearer "+used); a.status != http.StatusForbidden {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var token tokenJSON
	for token.UsedAt == nil { // or told to ask less often
		token = listed()[idOf(t, used)]
	}
	if token.UsedFrom != "127.0.0.1" {
		t.Errorf("it was used from %q", token.UsedFrom)
	}
	if token := listed()[idOf(t, revoked)]; token.UsedAt != nil {
		t.Errorf("a revoked token was used at %v", token.UsedAt)
	}
}

// TestAudit_NobodyIsAnother has people who call themselves what others are known by.
func TestAudit_NobodyIsAnother(t *testing.T) {
	t.Parallel()
	s := &Server{}
	c := echo.New().NewContext(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder())
	for _, of := range []struct {
		person postgres.Person
		want   string
	}{
		{postgres.Person{Subject: "7", Name: "Ada", Email: "ada@example.com"}, "Ada <ada@example.com>"},
		{postgres.Person{Subject: "8", Name: "Ada"}, "Ada <8>"},
		{postgres.Person{Subject: "8", Name: "Ada <ada@example.com>"}, "Ada ada@example.com <8>"},
	} {
		if by := s.actorOf(c, &caller{session: &postgres.Session{Person: of.person}}); by.Name != of.want {
			t.Errorf("%+v is %q, want %q", of.person, by.Name, of.want)
		}
	}
}
