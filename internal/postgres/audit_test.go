package postgres_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

var ada = postgres.Actor{Name: "Ada <ada@example.com>", Address: "192.0.2.7"}

func addToken(t testing.TB, s *postgres.Store, token postgres.Token) (text string, stored postgres.Token) {
	t.Helper()
	text = ci.NewToken()
	sum, err := ci.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	if stored, err = s.AddToken(t.Context(), ada, sum, token); err != nil {
		t.Fatal(err)
	}
	return text, stored
}

// lines are the entries of the audit of what some patterns cover, the newest
// first.
func lines(t *testing.T, s *postgres.Store, project string, within ...string) (lines []string) {
	t.Helper()
	entries, _, err := s.Audit(t.Context(), within, postgres.AuditQuery{Project: project, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", e.By.Name, e.Action, e.Project, e.Detail))
	}
	return lines
}

// TestAudit_TellsChanges changes what can be changed, twice, and reads what is
// told of it: each change once, and to those whom it concerns.
func TestAudit_TellsChanges(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	build := create(t, s, "acme/api")
	create(t, s, "other/api")
	text, token := addToken(t, s, postgres.Token{Name: "portal", Scopes: []ci.Scope{ci.ScopeStatus}, Project: "acme/*"})
	later := time.Now().Add(time.Hour)
	linkText := ci.NewLink()
	sum, _ := ci.ParseLink(linkText)
	link, err := s.AddToken(t.Context(), ada, sum, postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "acme/api", Build: build, Link: true, ExpiresAt: &later})
	if err != nil || link.MadeBy != ada.Name || !link.Link || link.Build != build {
		t.Fatalf("%+v, %v", link, err)
	}
	if _, err := s.AddToken(t.Context(), postgres.Itself, sum, postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.ChangeSettings(t.Context(), ada, "acme/api", postgres.SettingsChange{Public: ci.Set(true), FrameAncestors: ci.Set([]string{"https://portal.example"})}); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeLink(t.Context(), ada, []string{"acme/api"}, link.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeToken(t.Context(), ada, []string{"*"}, token.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		s.RevokeToken(t.Context(), ada, []string{"*"}, link.ID),
		s.RevokeLink(t.Context(), ada, []string{"*"}, token.ID),
		s.RevokeToken(t.Context(), ada, []string{"other/*", "acme/api"}, token.ID),
		s.RevokeToken(t.Context(), ada, []string{"*"}, token.ID[:8]),
		s.RevokeToken(t.Context(), ada, []string{"*"}, strings.ToUpper(token.ID)+"x"),
	} {
		if p := ci.AsProblem(err); p == nil || p.Code != ci.NotFound {
			t.Errorf("what is not there, or another's, is revoked: %v", err)
		}
	}
	want := []string{
		ada.Name + ` token.revoke acme/* {"name": "portal"}`,
		ada.Name + ` link.revoke acme/api {"build": "` + build.String() + `"}`,
		ada.Name + ` project.set acme/api {"visibility": {"to": "public", "from": "private"}, "frame_ancestors": {"to": ["https://portal.example"], "from": null}}`,
		ada.Name + ` link.create acme/api {"build": "` + build.String() + `", "scope": "read", "expires_at": `,
		ada.Name + ` token.create acme/* {"name": "portal", "scopes": ["status"], "expires_at": null}`,
	}
	got := lines(t, s, "", "*")
	if len(got) != len(want) {
		t.Fatalf("it says\n%s", strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("it says %s, not %s", got[i], want[i])
		}
		if strings.Contains(got[i], text) || strings.Contains(got[i], linkText) {
			t.Errorf("a secret is in %s", got[i])
		}
	}
	for _, c := range []struct {
		project string
		within  []string
		n       int
	}{
		{"", []string{"acme/*"}, 5},
		{"", []string{"acme/api"}, 3},
		{"", []string{"other/*", "acme/api"}, 3},
		{"acme/api", []string{"acme/*"}, 3},
		{"acme/*", []string{"*"}, 5},
		{"other/*", []string{"*"}, 0},
		{"acme/*", []string{"other/*"}, 0},
		{"", nil, 0},
	} {
		if got := lines(t, s, c.project, c.within...); len(got) != c.n {
			t.Errorf("of %q, to who has %q, it tells %d lines, not %d", c.project, c.within, len(got), c.n)
		}
	}
}

func TestAudit_Pages(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	var made []string
	for range 5 {
		_, token := addToken(t, s, postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "acme/*"})
		made = append([]string{token.ID}, made...)
	}
	var told, listed []string
	for q := (postgres.AuditQuery{Limit: 2}); ; {
		entries, next, err := s.Audit(t.Context(), []string{"*"}, q)
		if err != nil || len(entries) > 2 {
			t.Fatal(entries, err)
		}
		for _, e := range entries {
			told = append(told, e.Target)
		}
		if q.Before = next; next == "" {
			break
		}
	}
	for q := (postgres.TokensQuery{Limit: 2}); ; {
		tokens, next, err := s.Tokens(t.Context(), []string{"*"}, q)
		if err != nil || len(tokens) > 2 {
			t.Fatal(tokens, err)
		}
		for _, token := range tokens {
			listed = append(listed, token.ID)
		}
		if q.Before = next; next == "" {
			break
		}
	}
	if fmt.Sprint(told) != fmt.Sprint(made) || fmt.Sprint(listed) != fmt.Sprint(made) {
		t.Errorf("made %v\ntold %v\nlisted %v", made, told, listed)
	}
	for _, before := range []string{"!", "-", "zzzzzzzzzzzzzzzz", "0-00"} {
		if _, _, err := s.Audit(t.Context(), []string{"*"}, postgres.AuditQuery{Before: before, Limit: 1}); ci.AsProblem(err) == nil {
			t.Errorf("audit before %q: %v", before, err)
		}
		if _, _, err := s.Tokens(t.Context(), []string{"*"}, postgres.TokensQuery{Before: before, Limit: 1}); ci.AsProblem(err) == nil {
			t.Errorf("tokens before %q: %v", before, err)
		}
	}
}

// TestAudit_IsOnlyAddedTo tries to change what is written, as the owner of the
// database and as one who takes its session for a replica.
func TestAudit_IsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	addToken(t, s, postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"})
	conn := pgtest.Connect(t, url)
	for _, sql := range []string{
		`UPDATE audit SET actor = 'nobody'`, `DELETE FROM audit`, `DELETE FROM audit WHERE false`, `TRUNCATE audit`,
		`SET session_replication_role = replica; DELETE FROM audit`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "the audit is added to") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if got := lines(t, s, "", "*"); len(got) != 1 {
		t.Errorf("it says %q", got)
	}
}

// What cannot be told of is not done.
func TestAudit_NoneWithoutTheOther(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	create(t, s, "acme/api")
	_, token := addToken(t, s, postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"})
	conn := pgtest.Connect(t, url)
	if _, err := conn.Exec(t.Context(), `ALTER TABLE audit ADD CHECK (action = '') NOT VALID`); err != nil {
		t.Fatal(err)
	}
	sum, _ := ci.ParseToken(ci.NewToken())
	if _, err := s.AddToken(t.Context(), ada, sum, postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"}); err == nil {
		t.Error("a token was made")
	}
	if err := s.RevokeToken(t.Context(), ada, []string{"*"}, token.ID); err == nil {
		t.Error("a token was revoked")
	}
	if _, err := s.ChangeSettings(t.Context(), ada, "acme/api", postgres.SettingsChange{Public: ci.Set(true)}); err == nil {
		t.Error("a project was changed")
	}
	tokens, _, err := s.Tokens(t.Context(), []string{"*"}, postgres.TokensQuery{Limit: 10})
	if err != nil || len(tokens) != 1 || tokens[0].RevokedAt != nil {
		t.Errorf("the tokens are %+v, %v", tokens, err)
	}
	if v, err := s.Settings(t.Context(), "acme/api"); err != nil || v.Public {
		t.Errorf("the settings are %+v, %v", v, err)
	}
}

// A name with what the database does not take keeps nothing from being told.
func TestAudit_StrangeNames(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	sum, _ := ci.ParseToken(ci.NewToken())
	strange := "a\x00b\xff" + strings.Repeat("c", 1000)
	if _, err := s.AddToken(t.Context(), postgres.Actor{Name: strange}, sum, postgres.Token{Name: "ok", Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"}); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, s, "", "*"); len(got) != 1 || !strings.HasPrefix(got[0], "a\uFFFDb\uFFFDccc") || len(got[0]) > 700 {
		t.Errorf("it says %q", got)
	}
}

// TestTokenUsed_Written uses tokens on two processes of one database, and waits
// until that is told of them: the newest use, once a minute, and of a token that
// was never used nothing.
func TestTokenUsed_Written(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	one, _ := open(t, url)
	two, _, stop := start(t, url)
	text, used := addToken(t, one, postgres.Token{Name: "used", Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"})
	_, idle := addToken(t, one, postgres.Token{Name: "idle", Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"})
	lastText, last := addToken(t, one, postgres.Token{Name: "last", Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"})
	find := func(id string) postgres.Token {
		t.Helper()
		tokens, _, err := one.Tokens(t.Context(), []string{"*"}, postgres.TokensQuery{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range tokens {
			if token.ID == id {
				return token
			}
		}
		t.Fatal("the token is not there")
		return postgres.Token{}
	}
	sum, _ := ci.ParseToken(text)
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	one.TokenUsed(sum, here)
	for find(used.ID).UsedAt == nil {
	}
	first := find(used.ID)
	if first.UsedFrom != "192.0.2.1" || time.Since(*first.UsedAt) > time.Minute {
		t.Errorf("it was used %v from %s", first.UsedAt, first.UsedFrom)
	}
	// A minute has not gone by: not for another process either, which writes what
	// it knows at its end.
	two.TokenUsed(sum, there)
	lastSum, _ := ci.ParseToken(lastText)
	two.TokenUsed(lastSum, there)
	stop()
	if again := find(used.ID); !again.UsedAt.Equal(*first.UsedAt) || again.UsedFrom != "192.0.2.1" {
		t.Errorf("within a minute it was written again: %v from %s", again.UsedAt, again.UsedFrom)
	}
	if token := find(last.ID); token.UsedAt == nil || token.UsedFrom != "2001:db8::1" {
		t.Errorf("what was used last is told as %v from %s", token.UsedAt, token.UsedFrom)
	}
	if token := find(idle.ID); token.UsedAt != nil || token.UsedFrom != "" {
		t.Errorf("it was never used, but %v from %s", token.UsedAt, token.UsedFrom)
	}
}

// TestOpenLink_Bounded opens many links in one session: those that last longest
// stay open.
func TestOpenLink_Bounded(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	build := create(t, s, "acme/api")
	key, _ := ci.ParseSession(ci.NewSession())
	session, err := s.AddSession(t.Context(), ada, key, postgres.Session{}, time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	var first, last postgres.Token
	for n := range 103 {
		expires := time.Now().Add(time.Hour + time.Duration(n)*time.Minute)
		sum, _ := ci.ParseLink(ci.NewLink())
		link, err := s.AddToken(t.Context(), ada, sum, postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "acme/api", Build: build, Link: true, ExpiresAt: &expires})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.OpenLink(t.Context(), session.ID, link); err != nil {
				t.Fatal(err)
			}
		}
		if last = link; n == 0 {
			first = link
		}
	}
	found, ok, err := s.FindSession(t.Context(), key)
	if err != nil || !ok || len(found.Links) != 100 {
		t.Fatalf("%d links are open, %v", len(found.Links), err)
	}
	has := func(link postgres.Token) bool {
		return slices.ContainsFunc(found.Links, func(t postgres.Token) bool { return t.ID == link.ID })
	}
	if has(first) || !has(last) {
		t.Errorf("the first is open: %v, the last: %v", has(first), has(last))
	}
}
