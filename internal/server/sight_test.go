package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
)

var stranger = []string{"Origin: https://portal.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}

// feedOf follows the feed and returns it after its snapshot, which has to be of
// these projects.
func (s *testServer) feedOf(path string, projects string, headers ...string) *raw {
	s.t.Helper()
	r, status, _ := s.dial(path, headers...)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d", path, status)
	}
	r.wantSnapshot(projects)
	r.until("live")
	return r
}

// wantSnapshot reads on to a snapshot, which has to be of these projects.
func (r *raw) wantSnapshot(projects string) {
	r.t.Helper()
	frames := r.until("snapshot")
	snapshot := frames[len(frames)-1]
	for _, project := range []string{"acme/a", "acme/b"} {
		if got, want := strings.Contains(snapshot, `"project":"`+project+`"`), strings.Contains(projects, project); got != want {
			r.t.Fatalf("of %s the snapshot tells %v\n%s", project, got, snapshot)
		}
	}
}

// wantNext reads the next event of the feed, which has to be of that project.
func (r *raw) wantNext(project string) (id string) {
	r.t.Helper()
	for {
		switch f := r.frame(); {
		case strings.Contains(f, "event: ping"), strings.Contains(f, "event: live"):
		case strings.Contains(f, `"project":"`+project+`"`) && !strings.Contains(f, "event: snapshot"):
			return field(f, "id")
		default:
			r.t.Fatalf("an event of %s was to come, not\n%s", project, f)
		}
	}
}

// TestSight_Moves watches the feed on one process while projects become public
// and private on another.
func TestSight_Moves(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	one, two := startOn(t, url), startOn(t, url)
	a, b := one.create(`{"project":"acme/a"}`), one.create(`{"project":"acme/b"}`)
	one.setVisibility("acme/a", "public")
	title := func(build string, n int) {
		one.update(build, fmt.Sprintf(`{"build":{"title":"title %d"}}`, n))
	}
	token := two.tokenFor("acme/*", ci.ScopeStatus)
	onlyB := two.tokenFor("acme/b", ci.ScopeStatus)
	for name, path := range map[string]string{"feed": "/api/v1/events?project=acme/*", "streams": "/api/v1/streams?log=feed;project=acme/*"} {
		t.Run(name, func(t *testing.T) {
			two, none := two.in(t), two.in(t)
			none.t = t
			r := two.feedOf(path, "acme/a", stranger...)
			all := two.feedOf(path+"&token="+token, "acme/a acme/b", stranger...)
			both := two.feedOf(path+"&token="+onlyB, "acme/a acme/b", stranger...)
			here := two.feedOf(path, "acme/a acme/b")
			title(b, 1)
			title(a, 1)
			before := r.wantNext("acme/a")

			one.setVisibility("acme/b", "public")
			frames := r.until("reset")
			if last := frames[len(frames)-1]; !strings.Contains(last, `"reason":"access"`) {
				t.Fatalf("it begins anew with %s", last)
			}
			r.wantSnapshot("acme/a acme/b")
			title(b, 2)
			r.wantNext("acme/b")
			// Whoever was away at the change begins anew.
			if name == "feed" {
				away, _, _ := two.dial(path, append(stranger[:3:3], "Last-Event-ID: "+before)...)
				away.until("reset")
				away.wantSnapshot("acme/a acme/b")
				if page := two.get(path+"&after="+before, stranger...); !strings.Contains(page.body, `"reset":"access"`) || !strings.Contains(page.body, "acme/b") {
					t.Errorf("a page after the change is %s", page.body)
				}
			}

			one.setVisibility("acme/b", "private")
			r.until("reset")
			r.wantSnapshot("acme/a")
			title(b, 3)
			title(a, 3)
			r.wantNext("acme/a")

			for who, r := range map[string]*raw{"a token for all": all, "a token for one, which sees the other while it is public": both, "a page of the server": here} {
				for _, project := range []string{"acme/b", "acme/a", "acme/b", "acme/b", "acme/a"} {
					if r.wantNext(project); t.Failed() {
						t.Fatal(who)
					}
				}
			}
		})
	}
}

// A slow look at what is public does not undo a later one, or a stream would
// begin anew with a project that is private again.
func TestSight_SlowLook(t *testing.T) {
	t.Parallel()
	var s sight
	before := time.Now()
	s.take(&ci.Publics{Number: 2}, before.Add(time.Millisecond))
	was := &ci.Publics{Projects: map[string]ci.Visibility{"acme/api": {Public: true}}, Number: 1}
	if got := s.take(was, before); got.Projects["acme/api"].Public || s.known.Projects["acme/api"].Public {
		t.Error("the project is public again")
	}
}

// While the database does not answer nobody waits in a row: all for one read,
// and none for longer than they care to.
func TestSight_NobodyWaitsInARow(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database)
	conn := pgtest.Connect(t, database)
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE projects`); err != nil {
		t.Fatal(err)
	}
	first := make(chan error, 1)
	go func() {
		_, err := s.publics(t.Context())
		first <- err
	}()
	for waiting := false; !waiting; {
		if err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'projects'::regclass AND NOT granted)`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.publics(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("who has left: %v", err)
	}
	select {
	case err := <-first:
		t.Fatalf("they waited for the one before them, until %v", err)
	default:
	}
	if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	<-first
}

// A process that has not heard of a change yet takes its readers past it. Who
// leaves then and comes back much later begins anew all the same.
func TestSight_AwayWithAPlaceAfterTheChange(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database)
	a := s.create(`{"project":"acme/a"}`)
	s.setVisibility("acme/a", "public")
	place := func() string {
		_, next, _ := strings.Cut(s.get("/api/v1/events").body, `"next":"`)
		next, _, _ = strings.Cut(next, `"`)
		return next
	}
	s.update(a, `{"build":{"title":"at once"}}`)
	near := place()
	conn := pgtest.Connect(t, database)
	for _, sql := range []string{`UPDATE projects SET visibility_at = visibility_at - interval '1 hour'`, `UPDATE feed SET at = at - interval '1 hour'`} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	s.update(a, `{"build":{"title":"later"}}`)
	if page := s.get("/api/v1/events?after="+near, stranger...); !strings.Contains(page.body, `"reset":"access"`) {
		t.Errorf("from a moment after the change: %s", page.body)
	}
	if page := s.get("/api/v1/events?after="+place(), stranger...); strings.Contains(page.body, `"reset"`) {
		t.Errorf("from long after the change: %s", page.body)
	}
}

// TestSight_PatternOfNothing lets a stranger watch a project that is not there
// for him, until it is.
func TestSight_PatternOfNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	r := s.feedOf("/api/v1/events?project=acme/a", "", stranger...)
	s.create(`{"project":"acme/a"}`)
	s.setVisibility("acme/a", "public")
	r.until("reset")
	r.wantSnapshot("acme/a")
}

// Who changes a project on a server and then looks there is told what is now.
func TestSight_AtOnceWhereItWasChanged(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.secretive("acme/api")
	for _, want := range []int{404, 200, 404, 200} {
		if want == 200 {
			s.setVisibility("acme/api", "public")
		} else {
			s.setVisibility("acme/api", "private")
		}
		for _, path := range []string{"/api/v1/builds/" + build, "/api/v1/builds/" + build + "/events", "/api/v1/builds/latest?project=acme/api"} {
			got := s.get(path, stranger...).status
			if got == 302 { // to the build
				got = 200
			}
			if got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
	}
}

// TestAccess_ListsEnd ends the access of a reader who has taken a part of a long
// list: nothing more is read for it.
func TestAccess_ListsEnd(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	srv := startOn(t, url)
	if _, err := pgtest.Connect(t, url).Exec(t.Context(), `INSERT INTO projects (name) SELECT 'p/' || n FROM generate_series(1000, 2999) n`); err != nil {
		t.Fatal(err)
	}
	token := srv.tokenFor("p/*", ci.ScopeRead)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, srv.url+"/api/v1/projects", nil)
	for _, header := range append(stranger[:3:3], "Authorization: Bearer "+token) {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := &firstWrite{ResponseRecorder: httptest.NewRecorder(), then: func() {
		sum, err := ci.ParseToken(token)
		if err != nil {
			t.Fatal(err)
		}
		if a := srv.do("DELETE", "/api/v1/tokens/"+ci.TokenID(sum), "", "Authorization: Bearer "+srv.token); a.status != http.StatusNoContent {
			t.Fatalf("revoke: %d %s", a.status, a.body)
		}
		srv.recheck(srv.open.watched())
	}}
	defer func() {
		if end := recover(); end != http.ErrAbortHandler || !strings.Contains(w.Body.String(), `"p/1000"`) || strings.Contains(w.Body.String(), `"p/2000"`) {
			t.Errorf("it ended with %v, after %d bytes", end, w.Body.Len())
		}
	}()
	srv.Handler().ServeHTTP(w, r)
}

// firstWrite is a peer for whom something comes to pass while it takes the first of
// an answer.
type firstWrite struct {
	*httptest.ResponseRecorder
	then func()
}

func (w *firstWrite) Write(data []byte) (int, error) {
	if w.then != nil {
		w.then()
		w.then = nil
	}
	return w.ResponseRecorder.Write(data)
}

// TestAccess_StreamsEnd ends access on one process, and with it what is open on
// another; whoever comes back is told why.
func TestAccess_StreamsEnd(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	one, two := startOn(t, url), startOn(t, url)
	conn := pgtest.Connect(t, url)
	id := func(token string) string {
		sum, err := ci.ParseToken(token)
		if err != nil {
			t.Fatal(err)
		}
		return ci.TokenID(sum)
	}
	revoke := func(token string) {
		if a := one.do("DELETE", "/api/v1/tokens/"+id(token), "", "Authorization: Bearer "+one.token); a.status != http.StatusNoContent {
			t.Fatalf("revoke: %d %s", a.status, a.body)
		}
	}
	expire := func(token string) {
		if _, err := conn.Exec(t.Context(), `UPDATE tokens SET expires_at = clock_timestamp() WHERE encode(substring(sum FOR 8), 'hex') = $1`, id(token)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, project string
		public        bool
		scope         ci.Scope // "": no token
		path          string
		end           func(token string)
		status        int // of the next request
	}{
		{"a revoked token, a build", "p/1", false, ci.ScopeStatus, "{build}/events", revoke, 401},
		{"a revoked token, several", "p/2", false, ci.ScopeStatus, "/api/v1/streams?log={id}&log=feed", revoke, 401},
		{"a revoked token, the feed", "p/3", true, ci.ScopeStatus, "/api/v1/events", revoke, 401},
		{"a revoked token, a log", "p/4", false, ci.ScopeRead, "{build}/steps/test/log?follow=true", revoke, 401},
		{"a revoked token, a public project", "p/5", true, ci.ScopeStatus, "{build}/events", revoke, 401},
		{"an expired token", "p/6", false, ci.ScopeStatus, "{build}/events", expire, 401},
		{"private again, a build", "p/7", true, "", "{build}/events", nil, 404},
		{"private again, several", "p/8", true, "", "/api/v1/streams?log={id};logs=none&log=feed", nil, 404},
		{"private again, a log", "p/9", true, "", "{build}/steps/test/log?follow=true", nil, 404},
		{"private again, text for a status token", "p/10", true, ci.ScopeStatus, "{build}/events", nil, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			one, two := one.in(t), two.in(t)
			build := one.create(`{"project":"` + c.project + `","status":"running"}`)
			one.update(build, `{"step":{"key":"test","status":"running"}},`+logText("test", 0, marker+"\n"))
			if c.public {
				one.setVisibility(c.project, "public")
			}
			path := strings.NewReplacer("{build}", build, "{id}", strings.TrimPrefix(build, "/api/v1/builds/")).Replace(c.path)
			headers, token := stranger[:3:3], ""
			if c.scope != "" {
				token = one.tokenFor("p/*", c.scope)
				headers = append(headers, "Authorization: Bearer "+token)
			}
			for c.public && two.get(build, stranger...).status != http.StatusOK { // the other process does not know yet
			}
			r, status, _ := two.dial(path, headers...)
			if status != http.StatusOK {
				t.Fatalf("GET %s: %d", path, status)
			}
			start := time.Now()
			if c.end != nil {
				c.end(token)
			} else {
				one.setVisibility(c.project, "private")
			}
			if _, err := io.Copy(io.Discard, r.r); errors.Is(err, os.ErrDeadlineExceeded) { // a log is broken off, a stream ends
				t.Fatal("it goes on")
			}
			t.Logf("ended after %v", time.Since(start))
			r, status, _ = two.dial(path, headers...)
			if status != c.status {
				t.Fatalf("whoever comes back is answered %d, want %d", status, c.status)
			}
			if status == http.StatusOK {
				if frames := strings.Join(r.until("live"), "\n"); strings.Contains(frames, marker) || !strings.Contains(frames, "event: step") {
					t.Errorf("whoever comes back sees\n%s", frames)
				}
			}
		})
	}
}

// TestAccess_StatusTokenSeesNoText streams with a status token while text is
// written.
func TestAccess_StatusTokenSeesNoText(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"acme/api","status":"running"}`)
	id := strings.TrimPrefix(build, "/api/v1/builds/")
	s.update(build, `{"step":{"key":"test","status":"running"}},`+logText("test", 0, marker+"\n"))
	token := "token=" + s.tokenFor("acme/api", ci.ScopeStatus)
	var streams []*raw
	for _, path := range []string{
		build + "/events?" + token, build + "/events?step=test&tail=10&" + token, build + "/events?" + token + "&after=nonsense",
		"/api/v1/streams?log=" + id + ";tail=5&" + token, "/api/v1/streams?" + token + "&log=feed&log=" + id + ";step=test",
		"/api/v1/events?" + token,
	} {
		r, status, header := s.dial(path, stranger...)
		if status != http.StatusOK || header.Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("GET %s: %d %v", path, status, header)
		}
		streams = append(streams, r)
	}
	s.update(build, logText("test", len(marker)+1, marker+" again\n")+
		`,{"note":{"step":"test","number":0,"line":1,"annotation":{"level":"error","message":"`+marker+`"}}}`)
	s.update(build, fmt.Sprintf(`{"step":{"key":"test","status":"failed","log_bytes":%d}},{"build":{"status":"failed"}}`, 2*len(marker)+8))
	for i, r := range streams {
		var all strings.Builder
		for done := false; !done; {
			f := r.frame()
			all.WriteString(f)
			done = strings.Contains(f, `"status":"failed"`) && strings.Contains(f, "event: build")
		}
		if strings.Contains(all.String(), marker) || strings.Contains(all.String(), "event: log") || strings.Contains(all.String(), "event: note") {
			t.Errorf("stream %d has the text:\n%s", i, all.String())
		}
	}
}

// An answer to whoever follows a link is not one to the picture or the script of
// a page elsewhere, though both come from another site: no cache may take one
// for the other.
func TestAccess_Vary(t *testing.T) {
	t.Parallel()
	s := start(t)
	log := s.create(`{"project":"acme/api"}`) + "/steps/test/log"
	s.write(strings.TrimSuffix(log, "/steps/test/log")+"/updates", `{"updates":[`+logText("test", 0, "x\n")+`]}`)
	const site = "Sec-Fetch-Site: cross-site"
	link := s.get(log, site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
	for _, differs := range []string{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: iframe"} {
		a := s.get(log, site, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", differs)
		name, _, _ := strings.Cut(differs, ":")
		if a.body == link.body || !strings.Contains(link.header.Get("Vary"), name) || !strings.Contains(a.header.Get("Vary"), name) {
			t.Errorf("with %s: %s, Vary: %s", differs, a.body, a.header.Get("Vary"))
		}
	}
}

// TestAccess_Preflight asks what scripts of other sites may send.
func TestAccess_Preflight(t *testing.T) {
	t.Parallel()
	s := New(Config{Open: true})
	url := serveHandler(t, s)
	for _, c := range []struct {
		path, method string
		status       int
	}{
		{"/api/v1/events", "GET", 204},
		{"/api/v1/builds/x/steps/a/b/log", "HEAD", 204},
		{"/api/v1/projects/acme/api", "GET", 204},
		{"/api/v1/projects/acme/api", "PATCH", 403},
		{"/api/v1/builds", "POST", 403},
		{"/api/v1/builds", "", 403},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "OPTIONS", url+c.path, nil)
		for _, h := range stranger {
			name, value, _ := strings.Cut(h, ": ")
			req.Header.Set(name, value)
		}
		req.Header.Set("Access-Control-Request-Method", c.method)
		req.Header.Set("Access-Control-Request-Headers", "authorization,last-event-id")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		allowed := res.Header.Get("Access-Control-Allow-Headers") == "Authorization, Last-Event-ID" && res.Header.Get("Access-Control-Allow-Origin") == "*"
		if res.StatusCode != c.status || allowed != (c.status == 204) {
			t.Errorf("%s %s: %d %v", c.method, c.path, res.StatusCode, res.Header)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), "OPTIONS", url+"/api/v1/builds", nil)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 204 || res.Header.Get("Allow") != "GET, HEAD, OPTIONS, POST" || res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a program: %d %v", res.StatusCode, res.Header)
	}
}
