package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// link makes a link to a build, and returns its id and its address without the
// server's.
func (s *testServer) link(build, want string) (id, path string) {
	s.t.Helper()
	a := s.write(build+"/links", want)
	var made struct{ ID, URL string }
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.status != http.StatusCreated {
		s.t.Fatalf("make a link: %d %s", a.status, a.body)
	}
	path, ok := strings.CutPrefix(made.URL, s.url)
	if !ok || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Location") != "/api/v1/links/"+made.ID {
		s.t.Fatalf("make a link: %v %s", a.header, a.body)
	}
	return made.ID, path
}

// textOf is the text of a link with that address.
func textOf(path string) string { return path[strings.LastIndexByte(path, '=')+1:] }

// visit goes to the address of a link, as somebody does who was sent it.
func (b *browser) visit(path string, headers ...string) answer {
	b.t.Helper()
	return b.get(path, append([]string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html"}, headers...)...)
}

// TestLink_ShowsOneBuild opens a link in a browser that nobody has signed in with:
// it sees that build, and it alone.
func TestLink_ShowsOneBuild(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build, other := s.secretive("acme/api"), s.secretive("acme/api")
	api := "/api/v1/builds/" + build
	_, path := s.link(api, `{}`)
	b := s.browser()
	if a := b.get(api); a.status != http.StatusNotFound {
		t.Fatalf("before: %d", a.status)
	}
	a := b.visit(path + "&step=test")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/builds/"+build+"?step=test" {
		t.Fatalf("it leads to %d %v %s", a.status, a.header, a.body)
	}
	for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if text := textOf(path); strings.Contains(fmt.Sprint(a.header)+a.body, text) || b.cookie() == "" {
		t.Errorf("%v %s", a.header, a.body)
	}
	for _, c := range []struct {
		path   string
		status int
		shows  bool // the text of the log
	}{
		{"/builds/{build}", 200, false},
		{"/api/v1/builds/{build}", 200, false},
		{"/api/v1/builds/{build}/steps/test/log", 200, true},
		{"/api/v1/builds/{build}/steps/test/lines", 200, true},
		{"/api/v1/builds/{build}/search?q=" + marker, 200, true},
		{"/api/v1/builds/{build}/notes", 200, true},
		{"/api/v1/builds/{build}/events", 200, true},
		{"/api/v1/streams?log={build}", 200, true},
		{"/plain/builds/{build}", 200, true},
		{"/plain/builds/{build}/steps/test", 200, true},
		{"/api/v1/builds/{other}", 404, false},
		{"/api/v1/builds/{other}/steps/test/log", 404, false},
		{"/api/v1/builds/{other}/events", 404, false},
		{"/api/v1/streams?log={other}", 404, false},
		{"/plain/builds/{other}", 404, false},
		{"/api/v1/builds", 200, false},
		{"/api/v1/builds?project=acme/api", 200, false},
		{"/api/v1/builds/latest?project=acme/api", 404, false},
		{"/api/v1/events", 200, false},
		{"/api/v1/projects", 200, false},
		{"/api/v1/projects/acme/api", 404, false},
		{"/cc.xml", 200, false},
		{"/builds.atom", 200, false},
		{"/badge/acme/api.svg", 200, false},
		{"/api/v1/builds/{build}/links", 403, false},
		{"/api/v1/tokens", 403, false},
		{"/api/v1/audit", 403, false},
	} {
		a := b.get(strings.NewReplacer("{build}", build, "{other}", other).Replace(c.path))
		if a.status != c.status || strings.Contains(a.body, marker) != c.shows {
			t.Errorf("%s: %d %.300s", c.path, a.status, a.body)
		}
		if strings.Contains(strings.ReplaceAll(a.body, "?back=%2fplain%2fbuilds%2f"+other, ""), other) || !strings.Contains(c.path, "{build}") && !strings.Contains(c.path, "={build}") && strings.Contains(a.body, build) {
			t.Errorf("%s tells of %.300s", c.path, a.body)
		}
	}
	if a := b.do("POST", api+"/updates", `{"updates":[]}`, "Content-Type: application/json"); a.status != http.StatusForbidden {
		t.Errorf("to write: %d %s", a.status, a.body)
	}
	if me := b.me(); me.Name != nil || len(me.Grants) != 1 || me.Grants[0].Build == nil || *me.Grants[0].Build != build {
		t.Errorf("it is taken for %+v", me)
	}

	// How long other builds of the project took is theirs.
	fourth := s.create(`{"project":"acme/api","branch":"quick","status":"running"}`)
	s.update(fourth, `{"build":{"status":"passed"}}`)
	later := s.create(`{"project":"acme/api","branch":"quick"}`)
	_, third := s.link(later, `{}`)
	if a := b.visit(third); a.status != http.StatusSeeOther {
		t.Errorf("the third link: %d", a.status)
	}
	if guest, member := b.get(later).body, s.get(later, "Authorization: Bearer "+s.tokenFor("acme/api", ci.ScopeRead)).body; !strings.Contains(guest, `"expected_s":null`) || strings.Contains(member, `"expected_s":null`) {
		t.Errorf("a guest sees %s\nand a member %s", guest, member)
	}

	// Another link, of its status alone, in the same browser.
	_, second := s.link("/api/v1/builds/"+other, `{"scope":"status"}`)
	cookie := b.cookie()
	if a := b.visit(second); a.status != http.StatusSeeOther || b.cookie() != cookie {
		t.Errorf("the second link: %d, another session %v", a.status, b.cookie() != cookie)
	}
	for path, status := range map[string]int{api + "/steps/test/log": 200, "/api/v1/builds/" + other: 200, "/api/v1/builds/" + other + "/events": 200, "/api/v1/builds/" + other + "/steps/test/log": 403, "/plain/builds/" + other: 403} {
		if a := b.get(path); a.status != status || strings.Contains(a.body, marker) != (strings.HasPrefix(path, api)) {
			t.Errorf("%s: %d %.300s", path, a.status, a.body)
		}
	}
}

// A link opens in addresses of its build, and is good for nothing else; a token is
// not good for that.
func TestLink_IsNoToken(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build, other := s.create(`{"project":"acme/api"}`), s.create(`{"project":"acme/api"}`)
	_, path := s.link(build, `{}`)
	text, page := textOf(path), strings.TrimPrefix(build, "/api/v1")
	html := "Accept: text/html"
	for _, c := range []struct {
		name, path string
		status     int
		says       string
		headers    []string
	}{
		{"as a token", build, 401, "no token; a token begins with stp_", []string{"Authorization: Bearer " + text}},
		{"as a token in an address", build + "?token=" + text, 401, "no token; a token begins with stp_", nil},
		{"in an address of the API", build + "?link=" + text, 404, "There is no such build", nil},
		{"in that of another build", strings.TrimPrefix(other, "/api/v1") + "?link=" + text, 404, "No link to this build has this text", []string{html}},
		{"cut", page + "?link=" + text[:30], 404, "not copied whole", []string{html}},
		{"a typo", page + "?link=" + text[:39] + string('a'+(text[39]-'a'+1)%26), 404, "not copied whole", []string{html}},
		{"none", page + "?link=", 404, "not copied whole", []string{html}},
		{"an unknown one", page + "?link=" + ci.NewLink(), 404, "No link to this build has this text", []string{html}},
		{"a token for a link", page + "?link=" + s.tokenFor("*", ci.ScopeRead), 404, "not copied whole", []string{html}},
		{"no build", "/builds/x?link=" + text, 400, "UUID", []string{html}},
		{"a picture on another site", path, 403, "another site", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}},
		{"a frame on another site", path, 403, "another site", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}},
	} {
		a := s.get(c.path, c.headers...)
		if a.status != c.status || !strings.Contains(a.body, c.says) || strings.Contains(a.body+fmt.Sprint(a.header), text) || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v %s", c.name, a.status, a.header, a.body)
		}
	}
	if a := s.get("/api/v1/tokens", "Authorization: Bearer "+s.token); strings.Contains(a.body, idOfLink(text)) {
		t.Errorf("it is among the tokens: %s", a.body)
	}
	if a := s.do("DELETE", "/api/v1/tokens/"+idOfLink(text), "", "Authorization: Bearer "+s.token); a.status != http.StatusNotFound {
		t.Errorf("it is revoked as a token: %d", a.status)
	}
}

func idOfLink(text string) string {
	sum, _ := ci.ParseLink(text)
	return ci.TokenID(sum)
}

// Over HTTP a page of a neighbouring host can put a cookie into somebody's browser: what they
// open is not shown to whoever has that one too.
func TestLink_SessionOfAnother(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build, other := s.create(`{"project":"acme/api"}`), s.create(`{"project":"acme/web"}`)
	_, path := s.link(build, `{}`)
	_, ofOther := s.link(other, `{}`)
	const host, goes, own = "Host: ci.example", "Upgrade-Insecure-Requests: 1", "Sec-Fetch-Site: same-origin"
	opened := func(path, cookie string) (renewed string) {
		t.Helper()
		a := s.get(path, host, goes, cookie, "Accept: text/html")
		name, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
		if a.status/100 != 3 || name == "" {
			t.Fatalf("a link is opened: %d %v %s", a.status, a.header, a.body)
		}
		return "Cookie: " + name
	}
	sees := func(who, build, cookie string, want int) {
		t.Helper()
		if a := s.get(build, host, own, cookie); a.status != want {
			t.Errorf("%s: %d %s, want %d", who, a.status, a.body, want)
		}
	}
	guest := opened(ofOther, "X: y")
	for name, planted := range map[string]string{
		"who is signed in with a token": "Cookie: stepcast=" + s.browser().signIn(s.tokenFor("evil/*", ci.ScopeStatus)).cookie(),
		"a guest of a link":             guest,
	} {
		victim := opened(path, planted)
		if victim == planted {
			t.Fatalf("%s: the cookie stays", name)
		}
		sees(name+", and plants it", build, planted, http.StatusUnauthorized)
		sees("whose browser it is", build, victim, http.StatusOK)
		sees("whose browser it is, and has what was planted too", build, planted+"; "+strings.TrimPrefix(victim, "Cookie: "), http.StatusOK)
		if planted == guest {
			sees("whose browser it is, of a link opened before", other, victim, http.StatusOK)
		}
	}
}

// Whoever looks at an address without going there, as what makes previews or a
// prefetch does, opens nothing: there is no session of it, and it is no use of the
// link.
func TestLink_LookedAt(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database, withSignIn)
	build := s.create(`{"project":"acme/api"}`)
	_, path := s.link(build, `{}`)
	for _, c := range []struct {
		method string
		status int
		header string
	}{
		{"HEAD", 303, "Accept: text/html"},
		{"GET", 303, "Accept: */*"},
		{"GET", 503, "Sec-Purpose: prefetch"},
		{"GET", 503, "Sec-Purpose: prefetch;prerender"},
		{"GET", 503, "Purpose: prefetch"},
		{"GET", 503, "X-Moz: prefetch"},
	} {
		a := s.do(c.method, path, "", c.header)
		if a.status != c.status || a.header.Get("Set-Cookie") != "" || a.header.Get("X-Robots-Tag") != "noindex, nofollow" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s with %s: %d %v", c.method, c.header, a.status, a.header)
		}
	}
	conn := pgtest.Connect(t, database)
	var sessions int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&sessions); err != nil {
		t.Fatal(err)
	}
	links := s.get(build+"/links", "Authorization: Bearer "+s.token)
	if sessions != 0 || !strings.Contains(links.body, `"used_at":null,"used_from":null`) {
		t.Errorf("there are %d sessions; %s", sessions, links.body)
	}
	if a := s.browser().visit(path); a.status != http.StatusSeeOther {
		t.Errorf("then: %d", a.status)
	}
	for !strings.Contains(s.get(build+"/links", "Authorization: Bearer "+s.token).body, `"used_from":"127.0.0.1"`) {
	}
}

// Whoever has a link can open it without end: a browser that has it open costs
// nothing more, and of others an address gets as many as of sign-ins.
func TestLink_OpenedTooOften(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database, withSignIn)
	_, path := s.link(s.create(`{"project":"acme/api"}`), `{}`)
	b := s.browser()
	for n := range 20 * attemptsAtOnce {
		if a := b.visit(path); a.status != http.StatusSeeOther || (a.header.Get("Set-Cookie") != "") != (n == 0) {
			t.Fatalf("the same browser, time %d: %d %v %s", n, a.status, a.header, a.body)
		}
		if n == 0 {
			s.forgetSessions()
		}
	}
	var last answer
	for range 20 * attemptsAtOnce {
		if last = s.browser().visit(path); last.status != http.StatusSeeOther {
			break
		}
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" || !strings.Contains(last.body, "too many attempts") || last.header.Get("Set-Cookie") != "" {
		t.Errorf("other browsers, in the end: %d %v %s", last.status, last.header, last.body)
	}
	if a := b.visit(path); a.status != http.StatusSeeOther {
		t.Errorf("the first one then: %d %s", a.status, a.body)
	}
	s.browser().signIn(s.token) // as ever: any page can have a browser open links
}

// Who opens a link in many browsers gets no more of the server than in one; and who
// signs in often searches no more at once.
func TestLink_OpenedOften(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn, func(cfg *Config) { cfg.Limits = Limits{Loopback: true} })
	build := s.create(`{"project":"acme/api"}`)
	_, path := s.link(build, `{}`)
	before := len(s.limits.reads.of)
	for range 2 {
		b := s.browser()
		b.visit(path)
		if a := b.get(build); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if n := len(s.limits.reads.of) - before; n != 1 {
		t.Errorf("two browsers with a link have %d rates", n)
	}
	b := s.browser() // what it searches is counted with what others there do who have no link
	b.visit(path)
	leave := s.searches.enterAs(t.Context(), "127.0.0.1")
	if a := b.get(build + "/search?q=x"); a.status != http.StatusServiceUnavailable {
		t.Errorf("a second search from an address, with a link: %d %s", a.status, a.body)
	}
	leave()
	if a := b.get(build + "/search?q=x"); a.status != http.StatusOK {
		t.Errorf("the only search from an address, with a link: %d %s", a.status, a.body)
	}
	for _, v := range []postgres.Session{{Token: &postgres.Token{ID: "a"}}, {Person: postgres.Person{Issuer: "i", Subject: "s"}}} {
		first, second := v, v
		first.ID, second.ID = 1, 2
		if one, other := (&caller{session: &first}).owner(), (&caller{session: &second}).owner(); one != other || one == "" {
			t.Errorf("two sessions of one are %q and %q", one, other)
		}
	}
}

// Once a link has ended its address says so, in words.
func TestLink_Ended(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database, withSignIn)
	build := s.create(`{"project":"acme/api"}`)
	revoked, revokedPath := s.link(build, `{"expires_in":60}`)
	expired, expiredPath := s.link(build, `{"expires_at":"`+time.Now().Add(time.Hour).Format(time.RFC3339)+`"}`)
	for range 2 {
		if a := s.do("DELETE", "/api/v1/links/"+revoked, "", "Authorization: Bearer "+s.token); a.status != http.StatusNoContent {
			t.Fatalf("revoke: %d %s", a.status, a.body)
		}
	}
	sql(t, database, `UPDATE tokens SET expires_at = '2026-01-02T15:04:05Z' WHERE encode(substring(sum FOR 8), 'hex') = $1`, expired)
	for path, says := range map[string]string{revokedPath: "This link was revoked on ", expiredPath: "This link expired on 2 January 2026 at 15:04 UTC; ask whoever sent it to you for another one."} {
		a := s.browser().visit(path)
		if a.status != http.StatusGone || !strings.Contains(a.body, says) || !strings.Contains(a.header.Get("Content-Type"), "text/html") || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%d %v %s", a.status, a.header, a.body)
		}
		if a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("X-Robots-Tag") == "" || a.header.Get("Cache-Control") != "no-store" || strings.Contains(a.body, textOf(path)) {
			t.Errorf("%v", a.header)
		}
	}
	var page struct{ Links []linkJSON }
	a := s.get(build+"/links", "Authorization: Bearer "+s.token)
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Links) != 2 || page.Links[0].ID != expired || page.Links[1].RevokedAt == nil {
		t.Errorf("the list is %s", a.body)
	}
}

// TestLink_StreamsEnd revokes a link on one process, and with it ends what its
// visitors have open on another; what they see otherwise goes on.
func TestLink_StreamsEnd(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	one, two := startOn(t, database, withSignIn), startOn(t, database, withSignIn)
	build := one.create(`{"project":"acme/api","status":"running"}`)
	one.update(build, `{"step":{"key":"test","status":"running"}},`+logText("test", 0, marker+"\n"))
	id, path := one.link(build, `{}`)
	for name, b := range map[string]*browser{"nobody": one.browser(), "somebody": one.browser().signIn(one.tokenFor("other/*", ci.ScopeRead))} {
		if a := b.visit(path); a.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		cookie := "Cookie: " + sessionCookie + "=" + b.cookie()
		var open []*raw
		for _, path := range []string{build + "/events", build + "/steps/test/log?follow=true", "/api/v1/streams?log=" + strings.TrimPrefix(build, "/api/v1/builds/")} {
			r, status, _ := two.dial(path, cookie)
			if status != http.StatusOK {
				t.Fatalf("%s: %s: %d", name, path, status)
			}
			open = append(open, r)
		}
		start := time.Now()
		if a := one.do("DELETE", "/api/v1/links/"+id, "", "Authorization: Bearer "+one.token); a.status != http.StatusNoContent {
			t.Fatalf("revoke: %d %s", a.status, a.body)
		}
		for i, r := range open {
			if _, err := io.Copy(io.Discard, r.r); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("%s: stream %d goes on", name, i)
			}
		}
		t.Logf("%s: ended after %v", name, time.Since(start))
		for _, s := range []*testServer{one, two} {
			if a := s.get(build, cookie); a.status != http.StatusNotFound {
				t.Errorf("%s: whoever comes back: %d %s", name, a.status, a.body)
			}
		}
		if named := b.name() != ""; named != (name == "somebody") {
			t.Errorf("%s: is somebody: %v", name, named)
		}
		id, path = one.link(build, `{}`) // for the next
	}
}

// TestLink_SessionLasts opens one link after another that lasts longer: the
// session lasts as long as the last, with what was opened before.
func TestLink_SessionLasts(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build, other := s.create(`{"project":"acme/api"}`), s.create(`{"project":"acme/web"}`)
	_, short := s.link(build, `{"expires_in":60}`)
	_, long := s.link(other, `{"expires_in":7776000}`)
	b := s.browser()
	b.visit(short)
	b.visit(long)
	b.visit(short)
	if a := b.get(build); a.status != http.StatusOK {
		t.Errorf("the first build: %d", a.status)
	}
	if me := b.me(); len(me.Grants) != 2 || time.Until(*me.ExpiresAt) < 89*24*time.Hour {
		t.Errorf("it is taken for %+v", me)
	}
	// Who signs in then keeps them, for as long as that lasts.
	b.signIn(s.tokenFor("other/*", ci.ScopeStatus))
	if me := b.me(); len(me.Grants) != 3 || time.Until(*me.ExpiresAt) > 24*time.Hour {
		t.Errorf("signed in it is taken for %+v", me)
	}
}

// TestLink_Refusals holds what is asked for of a link to what may be.
func TestLink_Refusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"acme/api"}`)
	for want, says := range map[string]string{
		`{"scope":"report"}`:                    "A link has the scope read or status",
		`{"expires_in":0}`:                      "between 1 and 7776000",
		`{"expires_in":7776001}`:                "between 1 and 7776000",
		`{"expires_at":"2020-01-01T00:00:00Z"}`: "90 days at most",
		`{"expires_at":"2126-01-01T00:00:00Z"}`: "90 days at most",
		`{"expires_in":9,"expires_at":"` + time.Now().Add(time.Hour).Format(time.RFC3339) + `"}`: "not both",
		`{"expires":9}`: "unknown here",
	} {
		if a := s.write(build+"/links", want); a.status != http.StatusBadRequest || !strings.Contains(a.problem().Detail, says) {
			t.Errorf("%s: %d %s", want, a.status, a.body)
		}
	}
}

// The text of a link is in no line of the server's own log, whatever comes of it.
func TestLink_IsNowhere(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	away := startOn(t, pgtest.New(t), withSignIn)
	build := away.create(`{"project":"acme/api"}`)
	_, path := away.link(build, `{}`)
	broken := New(Config{Store: away.store, SignIn: true, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	url := serveHandler(t, broken)
	b := away.browser()
	b.base = url
	b.visit(path)
	away.store.Close()
	for _, p := range []string{path, path + "&x=1", "/builds/x" + path[strings.IndexByte(path, '?'):], "/plain" + path, "/wall" + path[strings.IndexByte(path, '?'):]} {
		if a := b.visit(p); strings.Contains(a.body+fmt.Sprint(a.header), textOf(path)) {
			t.Errorf("%s: %d %v %s", p, a.status, a.header, a.body)
		}
	}
	if log.Len() == 0 || strings.Contains(log.String(), textOf(path)) {
		t.Errorf("the log is %s", log.String())
	}
}
