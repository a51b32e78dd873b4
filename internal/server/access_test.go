package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// TestRoutes_DefaultDeny walks the router: what is there is listed, what writes
// asks for a token and is not for other sites, and what is open to all is on
// this list.
func TestRoutes_DefaultDeny(t *testing.T) {
	t.Parallel()
	open := map[string]bool{"/healthz": true, "/readyz": true, "/api/v1/openapi.json": true, problemsPath: true, problemsPath + ":code": true, "/": true, "/builds/:id": true, "/wall": true, "/assets/*": true, "/badge/*": true, "/shields/*": true, "/oembed": true, "/widgets.js": true, "/embed": true, "/embed.js": true, "/embed/status/*": true, "/embed/board": true, "/embed/steps": true, "/embed/steps/:id": true, "/embed/log": true, "/embed/log/:id": true, "/embed/log/:id/*": true, page.StylePath: true,
		signInPath: true, signInPath + "/oidc": true, callbackPath: true, "/sign-out": true, "/api/v1/exchange": true}
	// Forms of this server's pages, by whoever is not signed in yet; an exchange shows a token of another kind.
	forms := map[string]bool{signInPath: true, "/sign-out": true, "/api/v1/exchange": true}
	s := New(Config{})
	listed := map[string]bool{}
	for _, r := range s.routes() {
		path, _, below := strings.Cut(r.path, "*/")
		if below { // those of a step are one to Echo
			path += "*"
		}
		listed[r.method+" "+path] = true
		switch {
		case r.method != http.MethodGet && (!r.access.needsGrant() && !forms[r.path] || r.from != here):
			t.Errorf("%s %s writes without a token, or for other sites", r.method, r.path)
		case (r.access == public) != open[r.path]:
			t.Errorf("%s %s: access is %s", r.method, r.path, r.access)
		}
	}
	for _, r := range s.echo.Routes() {
		if r.Method == http.MethodOptions {
			continue
		}
		method := strings.Replace(r.Method, http.MethodHead, http.MethodGet, 1)
		if !listed[method+" "+r.Path] {
			t.Errorf("%s %s is not in routes()", r.Method, r.Path)
		}
	}
}

// TestBuild_IsNotThere asks for a build that is private, and for one that nobody
// has made: what tells them apart would tell of the first.
func TestBuild_IsNotThere(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database, withSignIn)
	private := s.secretive("acme/api")
	absent := ci.NewBuildID().String()
	alike := func(ask func(id string) answer) {
		t.Helper()
		var said [2]string
		for i, id := range []string{private, absent} {
			a := ask(id)
			a.header.Del("Date")
			a.header.Del("Retry-After") // which differs each time
			said[i] = strings.ReplaceAll(fmt.Sprint(a.status, a.header, a.body), id, "")
		}
		if said[0] != said[1] {
			t.Errorf("of one that is private: %s\nof one that is not there: %s", said[0], said[1])
		}
	}
	alike(func(id string) answer { // whoever has just made it forgot the token
		a := s.get("/api/v1/builds/" + id + "/events")
		if !strings.Contains(a.problem().Detail, "without a token") {
			t.Errorf("%d %s", a.status, a.body)
		}
		return a
	})
	for _, cookie := range []string{"", ci.NewSession()} {
		alike(func(id string) answer {
			return s.get("/oembed?url="+url.QueryEscape(s.url+"/builds/"+id), "Cookie: "+sessionCookie+"="+cookie)
		})
	}
	// How many look, and how full the disk is, says of others what a stranger is not told.
	if a := s.get("/readyz"); a.status != 200 || strings.Contains(a.body, `"streams"`) || strings.Contains(a.body, "disk_free") {
		t.Errorf("to a stranger: %d %s", a.status, a.body)
	}
	if a := startOn(t, database).get("/readyz"); !strings.Contains(a.body, `"streams":0`) {
		t.Errorf("where nobody signs in: %d %s", a.status, a.body)
	}
	before, _, err := s.store.Epochs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := postgres.NewEpoch(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	alike(func(id string) answer { // for whoever has seen something of it before a restore
		a := s.get("/api/v1/builds/" + id + "/events?after=" + ci.Cursor{Prefix: ci.CursorPrefix(before, ci.LogName(id)), ID: 3}.String())
		if a.status != http.StatusServiceUnavailable {
			t.Errorf("%d %s", a.status, a.body)
		}
		return a
	})

	// The database is asked for the first each time too, though the server knows it.
	ask := func() {
		if a := s.get("/api/v1/builds/" + private); a.status != http.StatusNotFound {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	ask()
	lock := pgtest.Connect(t, database)
	if _, err := lock.Exec(t.Context(), `BEGIN; LOCK TABLE builds IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	asking.Go(ask)
	for end, waiting := time.Now().Add(patience), false; !waiting; {
		if _, err := lock.Exec(t.Context(), `SELECT pg_stat_clear_snapshot()`); err != nil { // else it is as it was at first
			t.Fatal(err)
		}
		if err := lock.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM builds b JOIN projects p ON p.id = b.project WHERE b.uuid = $1')`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Error("the database is not asked")
			break
		}
	}
	if _, err := lock.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	asking.Wait()
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8080": true, "LOCALHOST:1": true, "localhost.": true, "app.localhost:80": true,
		"127.0.0.1": true, "127.1.2.3:8080": true, "[::1]": true, "[::1]:8080": true,
		"": false, "example.com": false, "localhost.example.com": false, "127.0.0.1.example.com": false, "10.0.0.1:80": false,
		"0.0.0.0": false, "[::]:80": false, "notlocalhost": false, "[::ffff:10.0.0.1]": false,
		"[::ffff:127.0.0.1]": false, "[::ffff:7f00:1]:8080": false,
	} {
		if got := loopback(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		headers string
		want    bool
	}{
		{"", false},
		{"Sec-Fetch-Site: same-origin", false},
		{"Sec-Fetch-Site: none", false},
		{"Sec-Fetch-Site: same-site", true},
		{"Sec-Fetch-Site: cross-site", true},
		{"Sec-Fetch-Site: cross-site|Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: document", false},
		{"Sec-Fetch-Site: cross-site|Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: iframe", true},
		{"Origin: http://localhost:8080", false},
		{"Origin: http://localhost:3000", true},
		{"Origin: null", true},
	} {
		r, _ := http.NewRequest("GET", "http://localhost:8080/", nil)
		for h := range strings.SplitSeq(c.headers, "|") {
			if name, value, ok := strings.Cut(h, ": "); ok {
				r.Header.Set(name, value)
			}
		}
		if got := foreign(r); got != c.want {
			t.Errorf("%q: %v", c.headers, got)
		}
	}
}

// Over HTTP a browser does not say for which site it asks. It is one's own where it comes
// from a page of this server, or where somebody goes to the address.
func TestUnsaid(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), func(c *Config) { c.Open, c.PublicURL = true, "http://public.example" })
	build := s.create(`{"project":"acme/api","status":"running"}`)
	s.write(build+"/updates", `{"updates":[`+logText("test", 0, "secret\n")+`]}`)
	const (
		picture = "Accept: image/avif,image/webp,*/*;q=0.8"
		browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/150.0"
		goes    = "Upgrade-Insecure-Requests: 1"
		ours    = "Referer: http://ci.example:8080/embed"
	)
	for _, c := range []struct {
		headers      []string
		reads, finds bool // the log, and what is for programs
		kept         string
	}{
		{nil, true, true, "no-cache"}, // no browser
		{[]string{"Accept: */*"}, true, true, "no-cache"},
		{[]string{"Accept: text/html,image/avif,*/*;q=0.8"}, true, true, "no-cache"},
		{[]string{picture}, false, false, "no-cache"},
		{[]string{picture, "Referer: http://portal.example/"}, false, false, "no-cache"},
		{[]string{picture, ours}, true, true, "no-store"},
		{[]string{picture, "Sec-Fetch-Site: same-origin"}, true, true, "no-cache"},
		{[]string{browser}, false, false, "no-cache"},
		{[]string{browser, "Host: localhost"}, true, true, "no-cache"}, // where a browser says so
		{[]string{"User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.26100"}, true, true, "no-cache"},
		{[]string{"User-Agent: Mozilla/5.0 (compatible; reader/1.0)"}, true, true, "no-cache"},
		{[]string{browser, "Accept: text/html", "Purpose: prefetch", goes}, false, false, "no-cache"},
		{[]string{browser, goes, "Referer: http://portal.example/"}, true, false, "no-cache"},
		{[]string{browser, goes}, true, false, "no-cache"},
		{[]string{browser, "Referer: http://ci.example/embed", "Host: ci.example:80"}, true, true, "no-store"},
		{[]string{browser, "Referer: http://public.example/embed"}, true, true, "no-store"}, // by a proxy that does not say so
		{[]string{browser, "Accept-Language: "}, false, false, "no-cache"},
		{[]string{browser, ours}, true, true, "no-store"},
		{[]string{browser, "Origin: http://ci.example:8080"}, true, true, "no-store"},
		{[]string{browser, "Authorization: Bearer " + s.tokenFor("*", ci.ScopeRead)}, true, true, "private, no-cache"},
		{[]string{browser, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, true, true, "no-cache"},
		{[]string{browser, "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, true, false, "no-cache"},
	} {
		c.headers = append([]string{"Host: ci.example:8080"}, c.headers...)
		if slices.Contains(c.headers, browser) {
			c.headers = append([]string{"Accept-Language: de"}, c.headers...)
		}
		a := s.get("/badge/acme/api.svg", c.headers...)
		want := map[bool]string{true: "acme/api: running", false: "acme/api: unknown"}[c.finds]
		if got := a.says(); got != want || a.header.Get("Cache-Control") != c.kept {
			t.Errorf("%v: %s, %s; want %s, %s", c.headers, got, a.header.Get("Cache-Control"), want, c.kept)
		}
		if !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Error("a page could measure it in a frame too")
		}
		if a := s.get(build+"/steps/test/log", c.headers...); (a.body == "secret\n") != c.reads {
			t.Errorf("%v: %d %s", c.headers, a.status, a.body)
		}
		for _, path := range []string{"/search?q=secret", "/steps/test/log?download=true", "/events?after=0&limit=1", ""} {
			if a := s.get(build+path, c.headers...); (a.status == 200) != c.finds {
				t.Errorf("%v: %s is %d %s", c.headers, path, a.status, a.body)
			}
		}
	}
	if a := s.get("/assets/none", picture); a.status != 404 { // such as the icon of a page
		t.Errorf("a picture of the pages: %d", a.status)
	}
	s.do("PATCH", "/api/v1/projects/acme/api", `{"visibility":"public"}`, "Authorization: Bearer "+s.token, "Content-Type: application/json")
	for _, headers := range [][]string{{"Host: ci.example", "Accept-Language: de", browser}, {"Host: ci.example", "Accept-Language: de", browser, goes}, {"Sec-Fetch-Site: cross-site"}} {
		if a := s.get(build+"/search?q=secret", headers...); a.status != 200 {
			t.Errorf("%v: a search of what is public is %d %s", headers, a.status, a.body)
		}
	}
}

func TestInForce(t *testing.T) {
	t.Parallel()
	later := noon.Add(time.Second)
	for _, c := range []struct {
		t    postgres.Token
		code ci.Code
	}{
		{postgres.Token{}, ""},
		{postgres.Token{ExpiresAt: &later}, ""},
		{postgres.Token{ExpiresAt: &noon}, tokenExpired},
		{postgres.Token{RevokedAt: &later}, tokenRevoked},
	} {
		if err := inForce(c.t, noon); c.code == "" && err != nil || c.code != "" && !errors.Is(err, &ci.Problem{Code: c.code}) {
			t.Errorf("%+v: %v", c.t, err)
		}
	}
}
