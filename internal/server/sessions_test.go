package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/idp"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// withSignIn has readers sign in.
func withSignIn(cfg *Config) { cfg.SignIn = true }

// A browser keeps cookies, sends what pages of the server send, and goes to
// where it is sent.
type browser struct {
	t    *testing.T
	base string
	jar  http.CookieJar
}

func (s *testServer) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{s.t, s.url, jar}
}

// at is the same browser at another process, which has the same address to it.
func (b *browser) at(s *testServer) *browser {
	other := s.browser()
	u, _ := url.Parse(b.base)
	there, _ := url.Parse(s.url)
	other.jar.SetCookies(there, b.jar.Cookies(u))
	return other
}

// do sends one request.
func (b *browser) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.base + path
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, h := range append([]string{"Sec-Fetch-Site: same-origin"}, headers...) {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	client := http.Client{Jar: b.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: patience}
	res, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (b *browser) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.do("GET", path, "", headers...)
}

// send sends a form: name, value, name, value.
func (b *browser) send(path string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for pair := range slices.Chunk(fields, 2) {
		form.Set(pair[0], pair[1])
	}
	return b.do("POST", path, form.Encode(), "Content-Type: application/x-www-form-urlencoded")
}

// signIn signs in with a token, which has to be good.
func (b *browser) signIn(token string) *browser {
	b.t.Helper()
	if a := b.send("/sign-in", "token", token); a.status != http.StatusSeeOther {
		b.t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	return b
}

// session makes one with a token, and returns its cookie.
func (s *testServer) session(token string) string {
	s.t.Helper()
	sum, err := ci.ParseToken(token)
	if err != nil {
		s.t.Fatal(err)
	}
	found, _, err := s.store.FindToken(s.t.Context(), sum)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.begin(postgres.Session{Token: &found})
}

// sessionOf makes one of somebody in a group, and returns its cookie.
func (s *testServer) sessionOf(group string) string {
	s.t.Helper()
	return s.begin(postgres.Session{Person: postgres.Person{Issuer: "https://id.example", Subject: group, Name: group, Groups: []string{group}}})
}

func (s *testServer) begin(v postgres.Session) (cookie string) {
	s.t.Helper()
	cookie = ci.NewSession()
	key, _ := ci.ParseSession(cookie)
	if _, err := s.store.AddSession(s.t.Context(), postgres.Actor{}, key, v, time.Hour, 0); err != nil {
		s.t.Fatal(err)
	}
	return cookie
}

// TestSession_BesideOthersCookies is of a browser in which pages of other hosts beside the
// server's have put cookies of that name, in front of its own.
func TestSession_BesideOthersCookies(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build := s.create(`{"project":"acme/api"}`)
	good := s.browser().signIn(s.tokenFor("acme/*", ci.ScopeRead)).cookie()
	for _, one := range []struct {
		before []string
		status int
	}{
		{nil, 200},
		{[]string{"garbage"}, 200},
		{[]string{"", "b", "c", "d", "e", ci.NewSession(), good + "x", ci.NewSession(), ci.NewSession()}, 200},
		{[]string{ci.NewSession(), ci.NewSession(), ci.NewSession(), ci.NewSession()}, 401},
	} {
		cookies := "Cookie: stepcast=" + strings.Join(append(one.before, good), "; stepcast=")
		a := s.get(build, cookies)
		page := s.get("/", cookies, "Accept: text/html")
		if a.status != one.status || page.header.Get("Set-Cookie") != "" {
			t.Errorf("behind %q: %d %s, and a page sets the cookie %q", one.before, a.status, a.body, page.header.Get("Set-Cookie"))
		}
	}
}

// forgetSessions has the database asked again.
func (s *testServer) forgetSessions() {
	s.t.Helper()
	if _, _, err := s.store.Access(s.t.Context(), postgres.Shown{Sessions: map[int64]bool{-1: true}}); err != nil { // which is in force no more
		s.t.Fatal(err)
	}
}

// cookie is what the browser has of the session; "" without one.
func (b *browser) cookie() string {
	u, _ := url.Parse(b.base)
	for _, cookie := range b.jar.Cookies(u) {
		if cookie.Name == sessionCookie {
			return cookie.Value
		}
	}
	return ""
}

// me is what the server says of who asks.
func (b *browser) me() (me struct {
	SignIn, OIDC bool
	Name         *string
	Grants       []struct {
		Scopes  []ci.Scope
		Project string
		Build   *string
	}
	ExpiresAt *time.Time `json:"expires_at"`
}) {
	b.t.Helper()
	a := b.get("/api/v1/me")
	if a.status != http.StatusOK {
		b.t.Fatalf("GET /api/v1/me: %d %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &me); err != nil {
		b.t.Fatal(err)
	}
	return me
}

// name is who the server takes the browser for; "" for nobody.
func (b *browser) name() string {
	b.t.Helper()
	if name := b.me().Name; name != nil {
		return *name
	}
	return ""
}

// sql changes the database behind the server's back.
func sql(t *testing.T, database, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestSignIn_ByToken(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build := s.create(`{"project":"acme/api"}`)
	b := s.browser()
	if a := b.get(build); a.status != http.StatusNotFound || b.name() != "" {
		t.Fatalf("before: %d %s", a.status, a.body)
	}
	a := b.send("/sign-in", "token", " "+s.tokenFor("acme/*", ci.ScopeStatus)+"\n", "back", "/?project=acme/api")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/?project=acme/api" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("sign in: %d %v %s", a.status, a.header, a.body)
	}
	if set := a.header["Set-Cookie"]; len(set) != 1 || !strings.HasPrefix(set[0], "stepcast=sts_") || !strings.HasSuffix(set[0], "; Path=/; Max-Age=129599; HttpOnly; SameSite=Lax") {
		t.Errorf("it sets %q", set)
	}
	if a := b.get(build); a.status != http.StatusOK {
		t.Errorf("signed in: %d %s", a.status, a.body)
	}
	me := b.me()
	if me.Name == nil || *me.Name != "for acme/*" || len(me.Grants) != 1 || me.Grants[0].Project != "acme/*" || me.ExpiresAt == nil {
		t.Errorf("it is taken for %+v", me)
	}
	cookie := b.cookie()
	a = b.send("/sign-out")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/sign-in?back=%2F&done=signed-out" || b.cookie() != "" {
		t.Errorf("sign out: %d %v", a.status, a.header)
	}
	if a := b.get(build); a.status != http.StatusNotFound {
		t.Errorf("signed out: %d %s", a.status, a.body)
	}
	if a := s.get(build, "Cookie: stepcast="+cookie); a.status != http.StatusUnauthorized || a.problem().Type != "/problems/session-ended" {
		t.Errorf("with the cookie that was: %d %s", a.status, a.body)
	}
}

// What is wrong with a token is said, and nothing of it is told on.
func TestSignIn_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	past := time.Now().Add(-time.Hour)
	expired := s.addToken(postgres.Token{Name: "old", Scopes: []ci.Scope{ci.ScopeRead}, Project: "*", ExpiresAt: &past})
	revoked := s.addToken(postgres.Token{Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"})
	sum, _ := ci.ParseToken(revoked)
	id := ci.TokenID(sum)
	nameless := s.browser()
	nameless.send("/sign-in", "token", revoked)
	if a := nameless.get("/settings"); !strings.Contains(a.body, "the token "+id) {
		t.Errorf("signed in with a token without a name: %s", a.body)
	}
	if err := s.store.RevokeToken(t.Context(), postgres.Actor{}, []string{"*"}, id); err != nil {
		t.Fatal(err)
	}
	typo := []byte(ci.NewToken())
	typo[9] = map[bool]byte{true: 'y', false: 'x'}[typo[9] == 'x']
	for token, says := range map[string]string{
		"": "begins with stp_", "hunter2": "begins with stp_", s.token[:20]: "too short", string(typo): "a typo",
		ci.NewToken(): "No token of this server", expired: "The token &#34;old&#34; expired on", revoked: "The token was revoked on",
	} {
		b := s.browser()
		a := b.send("/sign-in", "token", token, "back", "/wall")
		if a.status != http.StatusUnauthorized || !strings.Contains(a.body, says) || !strings.Contains(a.body, `value="/wall"`) || b.cookie() != "" {
			t.Errorf("%q: %d, not %q: %s", token, a.status, says, a.body)
		}
		if token != "" && (strings.Contains(a.body, token) || strings.Contains(fmt.Sprint(a.header), token)) {
			t.Errorf("%q is in the answer", token)
		}
	}
}

// TestSignIn_TakesWhatStandsAround: a token is copied from a terminal, a file or
// a letter, with what it has around it there.
func TestSignIn_TakesWhatStandsAround(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	for _, around := range []string{"%s", "  %s\r\n", "Bearer %s", `"%s"`, "export STEPCAST_URL=https://ci.example STEPCAST_TOKEN=%s", "?token=%s&x"} {
		b := s.browser()
		if a := b.send("/sign-in", "token", fmt.Sprintf(around, s.token), "back", "/wall"); a.leadsTo() != "/wall" || b.cookie() == "" {
			t.Errorf("%q: %d %s", around, a.status, a.body)
		}
	}
}

func TestSignIn_TooOften(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	var last answer
	for range 20 * attemptsAtOnce {
		if last = s.browser().send("/sign-in", "token", "x"); last.status != http.StatusUnauthorized {
			break
		}
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" || !strings.Contains(last.body, "too many attempts") {
		t.Errorf("in the end: %d %s", last.status, last.body)
	}
	if a := s.browser().get("/sign-in"); a.status != http.StatusOK {
		t.Errorf("the page itself: %d", a.status)
	}
}

// TestSession_EndsWhatIsOpen has a stream and a log that is followed open on one
// process, while what they are read by ends on another.
func TestSession_EndsWhatIsOpen(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	p.SignIn(ada)
	database := pgtest.New(t)
	provider := at(p, Role{"developers", ci.ScopeRead, "acme/*"})
	one, two := startOn(t, database, provider), startOn(t, database, provider)
	build := one.create(`{"project":"acme/api","status":"running"}`)
	one.update(build, `{"step":{"key":"test","status":"running"}},`+logText("test", 0, "before\n"))
	withToken := func(b *browser) (token string) {
		token = one.tokenFor("acme/*", ci.ScopeRead)
		b.signIn(token)
		return token
	}
	atProvider := func(b *browser) {
		b.t.Helper()
		if a := b.come(b.toCallback("/")); a.status != http.StatusSeeOther {
			b.t.Fatalf("sign in: %d %s", a.status, a.body)
		}
	}
	for name, c := range map[string]struct {
		begin func(t *testing.T, b *browser) (end func())
		stays bool
	}{
		"signed out": {func(t *testing.T, b *browser) func() {
			withToken(b)
			return func() { b.send("/sign-out") }
		}, false},
		"signed out in another browser": {func(t *testing.T, b *browser) func() {
			atProvider(b)
			other := one.browser()
			atProvider(other)
			return func() { other.send("/sign-out") }
		}, true},
		"everywhere, in another browser": {func(t *testing.T, b *browser) func() {
			p.SignIn(idp.Person{IDToken: idp.Claims{"sub": "everywhere", "groups": []string{"developers"}}})
			defer p.SignIn(ada)
			atProvider(b)
			other := one.browser()
			atProvider(other)
			return func() { other.send("/sign-out", "everywhere", "1") }
		}, false},
		"everywhere, where the token is another's": {func(t *testing.T, b *browser) func() {
			withToken(b)
			other := one.browser()
			withToken(other)
			return func() { other.send("/sign-out", "everywhere", "1") }
		}, true},
		"everywhere, with the same token": {func(t *testing.T, b *browser) func() {
			token := withToken(b)
			return func() { one.browser().signIn(token).send("/sign-out", "everywhere", "1") }
		}, false},
		"the token is revoked": {func(t *testing.T, b *browser) func() {
			sum, _ := ci.ParseToken(withToken(b))
			return func() {
				if err := one.store.RevokeToken(t.Context(), postgres.Actor{}, []string{"*"}, ci.TokenID(sum)); err != nil {
					t.Error(err)
				}
			}
		}, false},
		"the token expires": {func(t *testing.T, b *browser) func() {
			sum, _ := ci.ParseToken(withToken(b))
			return func() { sql(t, database, `UPDATE tokens SET expires_at = clock_timestamp() WHERE sum = $1`, sum[:]) }
		}, false},
		"the session expires": {func(t *testing.T, b *browser) func() {
			withToken(b)
			key, _ := ci.ParseSession(b.cookie())
			return func() {
				sql(t, database, `UPDATE sessions SET expires_at = clock_timestamp() WHERE key = $1`, key.Name[:])
			}
		}, false},
		"a link that was opened is revoked": {func(t *testing.T, b *browser) func() {
			b.signIn(one.tokenFor("other", ci.ScopeStatus))
			sum, _ := ci.ParseToken(one.tokenFor("acme/*", ci.ScopeRead))
			key, _ := ci.ParseSession(b.cookie())
			sql(t, database, `INSERT INTO session_links SELECT id, $2 FROM sessions WHERE key = $1`, key.Name[:], sum[:])
			return func() {
				if err := one.store.RevokeToken(t.Context(), postgres.Actor{}, []string{"*"}, ci.TokenID(sum)); err != nil {
					t.Error(err)
				}
			}
		}, false},
	} {
		b := one.browser()
		b.t = t
		end := c.begin(t, b)
		cookie := "Cookie: stepcast=" + b.cookie()
		stream, status, _ := two.dial(build+"/events", cookie)
		if status != http.StatusOK {
			t.Errorf("%s: the stream begins with %d", name, status)
			continue
		}
		stream.until("live")
		log, status, _ := two.dial(build+"/steps/test/log?follow=true", cookie)
		if status != http.StatusOK {
			t.Errorf("%s: the log begins with %d", name, status)
			continue
		}
		end()
		if c.stays {
			two.recheck(two.open.watched()) // as it does every now and then
			one.update(build, `{"build":{"title":"`+name+`"}}`)
			for !strings.Contains(stream.frame(), name) {
			}
			stream.conn.Close()
			log.conn.Close()
			continue
		}
		if _, err := io.ReadAll(stream.r); err != nil {
			t.Errorf("%s: the stream ends with %v", name, err)
		}
		io.Copy(io.Discard, log.r) // broken off, if it ends at all
		if a := two.get(build+"/events", cookie, "Accept: text/event-stream"); name == "a link that was opened is revoked" {
			if a.status != http.StatusNotFound {
				t.Errorf("%s: then it is %d %s", name, a.status, a.body)
			}
		} else if a.status != http.StatusUnauthorized || a.problem().Type != "/problems/session-ended" {
			t.Errorf("%s: then it is %d %v %s", name, a.status, a.header, a.body)
		}
	}
}

// A session ends for the one who keeps using a cookie that was followed by
// another, and for everybody else who has the session.
func TestSession_Rotates(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	// What each finds does not linger in the other.
	process := func() *testServer { return startOn(t, database, withSignIn) }
	s := process()
	ask := func(cookie string) answer {
		t.Helper()
		s.forgetSessions()
		return s.get("/api/v1/me", "Cookie: stepcast="+cookie)
	}
	fresh := func(a answer) string {
		text, _, _ := strings.Cut(strings.TrimPrefix(a.header.Get("Set-Cookie"), "stepcast="), ";")
		return text
	}
	good := func(what string, a answer) {
		t.Helper()
		if a.status != http.StatusOK || !strings.Contains(a.body, `"project":"*"`) {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	later := func(by string) {
		t.Helper()
		sql(t, database, `UPDATE sessions SET rotated_at = rotated_at - $1::interval, sent_at = sent_at - $1::interval`, by)
	}
	begin := func() string { return s.browser().signIn(s.token).cookie() }

	first := begin()
	later("59 minutes")
	if a := ask(first); fresh(a) != "" {
		t.Errorf("too early it is sent %s", fresh(a))
	}
	later("2 minutes")
	a := ask(first)
	good("an hour later", a)
	lost := fresh(a)
	if lost == "" || lost == first || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("an hour later it is sent %q, %v", lost, a.header)
	}
	if a := ask(first); fresh(a) != "" {
		t.Errorf("at once it is sent another one, %s", fresh(a))
	}
	later("2 minutes")
	a = ask(first)
	good("with the first, when the answer with the second was lost", a)
	second := fresh(a)
	good("with the second", ask(second))
	good("with the first, by a request that was under way", ask(first))
	good("with the second again", ask(second))
	later("61 minutes")
	a = ask(second)
	third := fresh(a)
	good("with the third", ask(third))

	for what, stolen := range map[string]string{"the one before": second, "one of hours ago": first, "one that never arrived": lost} {
		good(what+": before", ask(third))
		sql(t, database, `CREATE TABLE kept AS SELECT * FROM sessions`)
		later("2 minutes")
		if a := ask(stolen); a.status != http.StatusUnauthorized || a.problem().Type != "/problems/session-ended" {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
		if a := ask(third); a.status != http.StatusUnauthorized {
			t.Errorf("%s: the right one is still good: %d %s", what, a.status, a.body)
		}
		sql(t, database, `INSERT INTO sessions OVERRIDING SYSTEM VALUE SELECT * FROM kept; DROP TABLE kept`)
	}
	entries, _, err := s.store.Audit(t.Context(), []string{"*"}, postgres.AuditQuery{Limit: 1})
	if err != nil || len(entries) != 1 || entries[0].Action != postgres.SessionEnd || entries[0].By != postgres.Itself {
		t.Errorf("of that is told %+v, %v", entries, err)
	}
	if a := ask(third[:4+21] + ci.RandomText(22)); a.status != http.StatusUnauthorized {
		t.Errorf("one with the right name that never was: %d", a.status)
	}

	// The fresh cookie comes with a stream too, which writes its header itself.
	cookie := begin()
	later("61 minutes")
	s.forgetSessions()
	_, status, header := s.dial("/api/v1/events", "Cookie: stepcast="+cookie)
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Set-Cookie"), "stepcast="+cookie[:4+21]) || !strings.Contains(strings.Join(header["Vary"], ", "), "Cookie") {
		t.Errorf("a stream begins with %d %v", status, header)
	}
	// All who come at once are answered, and one of them is sent a fresh one.
	sql(t, database, `UPDATE sessions SET rotated_at = rotated_at - interval '2 hours', next = NULL, sent_at = NULL`)
	two := process()
	answers := make(chan answer)
	for i := range 20 {
		go func() { answers <- []*testServer{s, two}[i%2].get("/api/v1/me", "Cookie: stepcast="+cookie) }()
	}
	sent := 0
	for range 20 {
		a := <-answers
		good("of many at once", a)
		if fresh(a) != "" {
			sent++
		}
	}
	if sent != 1 {
		t.Errorf("%d of them were sent a fresh cookie", sent)
	}
}

// TestSession_Cookie asks when a cookie counts: for this server's own pages,
// where nothing else is shown.
func TestSession_Cookie(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database, withSignIn)
	build := s.create(`{"project":"acme/api"}`)
	cookie := "Cookie: stepcast=" + s.browser().signIn(s.token).cookie()
	for _, c := range []struct {
		what, path string
		headers    []string
		status     int
	}{
		{"a page of this server", build, []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"no browser", build, nil, 200},
		{"a link that was followed", "/plain" + strings.TrimPrefix(build, "/api/v1"), cross, 200},
		{"a link to the API", build, cross, 404},
		{"a script of another site", build, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}, 404},
		{"a script of a neighbour", build, []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors"}, 404},
		{"a script in an old browser", build, []string{"Origin: https://portal.example"}, 404},
		{"a frame on another site", build, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 404},
		{"a picture elsewhere, over HTTP", build, []string{"Accept: image/*"}, 404},
		{"with a token in the address too", build + "?token=" + s.tokenFor("other", ci.ScopeStatus), nil, 404},
		{"with a stranger's eyes", build + "?token=none", nil, 404},
		{"with a token in the header too", build, []string{"Authorization: Bearer " + s.tokenFor("other", ci.ScopeRead)}, 404},
		{"with a bad token in the header too", build, []string{"Authorization: Bearer stp_1"}, 401},
		{"an accessible page", "/plain" + strings.TrimPrefix(build, "/api/v1"), nil, 200},
	} {
		a := s.get(c.path, append(c.headers, cookie)...)
		if a.status != c.status || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v %s", c.what, a.status, a.header["Set-Cookie"], a.body)
		}
	}
	// What a frame shows, it shows to anybody.
	if a := s.get("/embed/status/acme/api", cookie); a.status != 200 || !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'self'") || a.body != s.get("/embed/status/acme/api").body {
		t.Errorf("a frame: %d %v", a.status, a.header)
	}
	// One that is no good is refused, and to a page, which takes it back, it is none.
	const none = "Cookie: stepcast=sts_0"
	if a := s.get("/api/v1/builds", none); a.status != 401 || a.problem().Type != "/problems/session-ended" || strings.Contains(a.header.Get("WWW-Authenticate"), "error") {
		t.Errorf("to a program: %d %v %s", a.status, a.header, a.body)
	}
	for _, path := range []string{"/", "/plain", "/badge/acme/api.svg", "/sign-in"} {
		if a := s.get(path, none); a.status != 200 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := s.get("/plain", none); !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("a page does not take it back: %v", a.header)
	}
	open := start(t)
	build = open.create(`{"project":"acme/api"}`)
	if a := open.get("/plain"+strings.TrimPrefix(build, "/api/v1"), none); a.status != 200 {
		t.Errorf("a page where nobody has to sign in: %d", a.status)
	}
	if a := open.get("/badge/acme/api.svg", none); a.says() != "acme/api: queued" {
		t.Errorf("a badge there says %s", a.says())
	}

	// Over HTTPS it has a name that nobody else can give it.
	secure := startOn(t, database, withSignIn, func(cfg *Config) { cfg.PublicURL = "https://ci.example" })
	a := secure.browser().send("/sign-in", "token", s.token)
	set, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil || set.Name != "__Host-stepcast" || !set.Secure || !set.HttpOnly || set.SameSite != http.SameSiteLaxMode || set.Path != "/" || set.Domain != "" {
		t.Fatalf("over HTTPS: %v", a.header)
	}
	for name, status := range map[string]int{"__Host-stepcast": 200, "stepcast": 404} {
		if a := secure.get(build, "Cookie: "+name+"="+set.Value); name == "stepcast" && a.status != status {
			t.Errorf("as %s it is %d", name, a.status)
		}
		if a := secure.get("/api/v1/me", "Cookie: "+name+"="+set.Value); strings.Contains(a.body, `"project":"*"`) != (status == 200) {
			t.Errorf("as %s: %s", name, a.body)
		}
	}
}

// Each sign-in makes a session of its own: what a browser was given before, by
// whomever, is worth nothing after it. Links that nobody's session had opened go
// on to the person's.
func TestSession_IsNewAtEachSignIn(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database, withSignIn)
	link, _ := ci.ParseToken(s.tokenFor("linked", ci.ScopeRead))
	opened := func(b *browser) {
		key, _ := ci.ParseSession(b.cookie())
		sql(t, database, `INSERT INTO session_links SELECT id, $2 FROM sessions WHERE key = $1`, key.Name[:], link[:])
		s.forgetSessions()
	}
	b := s.browser().signIn(s.tokenFor("a", ci.ScopeStatus))
	opened(b)
	before := b.cookie()
	if me := b.me(); len(me.Grants) != 2 {
		t.Fatalf("with a link: %+v", me)
	}
	b.signIn(s.tokenFor("b", ci.ScopeStatus))
	if me := b.me(); len(me.Grants) != 1 || me.Grants[0].Project != "b" {
		t.Errorf("the next has what the one before had: %+v", me)
	}
	if a := s.get("/api/v1/me", "Cookie: stepcast="+before); a.status != http.StatusUnauthorized {
		t.Errorf("the cookie before: %d %s", a.status, a.body)
	}
	// Nobody's session is what a link makes of a browser without one.
	key, _ := ci.ParseSession(b.cookie())
	sql(t, database, `UPDATE sessions SET token = NULL WHERE key = $1`, key.Name[:])
	opened(b)
	if me := b.me(); me.Name != nil || len(me.Grants) != 1 || me.Grants[0].Project != "linked" {
		t.Errorf("nobody, with a link: %+v", me)
	}
	b.signIn(s.tokenFor("c", ci.ScopeStatus))
	if me := b.me(); len(me.Grants) != 2 {
		t.Errorf("who signs in after opening a link: %+v", me)
	}
}

// TestRoles holds what is given to groups to what their people may do.
func TestRoles(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	s := startOn(t, pgtest.New(t), at(p,
		Role{"watchers", ci.ScopeStatus, "acme/*"}, Role{"developers", ci.ScopeRead, "acme/*"}, Role{"managers", ci.ScopeAdmin, "acme/*"}, Role{Everybody, ci.ScopeStatus, "lobby"}))
	build := s.secretive("acme/api")
	lobby := strings.TrimPrefix(s.create(`{"project":"lobby"}`), "/api/v1/builds/")
	for group, want := range map[string][5]int{ // a build, its log, to set the project, to make a token for it, and for others
		"watchers":   {200, 403, 403, 403, 403},
		"developers": {200, 200, 403, 403, 403},
		"managers":   {200, 200, 200, 201, 403},
		"others":     {404, 404, 403, 403, 403},
	} {
		p.SignIn(idp.Person{IDToken: idp.Claims{"sub": group, "groups": []string{group}}})
		b := s.browser()
		b.come(b.toCallback("/"))
		json := "Content-Type: application/json"
		got := [5]int{
			b.get("/api/v1/builds/" + build).status,
			b.get("/api/v1/builds/" + build + "/steps/test/log").status,
			b.do("PATCH", "/api/v1/projects/acme/api", `{"frame_ancestors":null}`, json).status,
			b.do("POST", "/api/v1/tokens", `{"project":"acme/api","scopes":["report"]}`, json).status,
			b.do("POST", "/api/v1/tokens", `{"project":"other","scopes":["status"]}`, json).status,
		}
		if got != want {
			t.Errorf("%s: %v, want %v", group, got, want)
		}
		if a := b.get("/api/v1/builds/" + lobby); a.status != 200 {
			t.Errorf("%s, of what everybody sees: %d", group, a.status)
		}
		if a := b.do("POST", "/api/v1/builds", `{"project":"acme/api"}`, json); a.status != 403 {
			t.Errorf("%s reports: %d", group, a.status)
		}
	}
}

// TestSession_MakesNoReports: a page in a browser is not what runs a build, even
// if it was signed in with a token that may.
func TestSession_MakesNoReports(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build := s.create(`{"project":"acme/api"}`)
	b := s.browser().signIn(s.tokenFor("acme/*", ci.ScopeReport, ci.ScopeRead))
	json := "Content-Type: application/json"
	for path, body := range map[string]string{"/api/v1/builds": `{"project":"acme/api"}`, build + "/updates": `{"updates":[{"build":{"title":"mine"}}]}`} {
		if a := b.do("POST", path, body, json); a.status != http.StatusForbidden || !strings.HasPrefix(a.problem().Detail, "A session makes no reports") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := b.get(build); a.status != http.StatusOK {
		t.Errorf("it reads: %d %s", a.status, a.body)
	}
	if me := b.me(); len(me.Grants) != 1 || !slices.Equal(me.Grants[0].Scopes, []ci.Scope{ci.ScopeRead}) {
		t.Errorf("what it was given: %+v", me)
	}
	if a := b.get("/settings"); !a.tells(t, "read builds of all projects below acme, logs too") || strings.Contains(a.body, "report builds") {
		t.Errorf("what the settings say: %s", a.body)
	}
}

// TestSession_CrossOrigin sends what writes with everything that a browser says
// of where it comes from.
func TestSession_CrossOrigin(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	s.create(`{"project":"acme/api"}`)
	const other = "https://portal.example"
	for _, site := range []string{"", "same-origin", "none", "same-site", "cross-site", "odd"} {
		for _, origin := range []string{"", s.url, "null", other, strings.Replace(s.url, "http:", "https:", 1), s.url + ".example", strings.Replace(s.url, "127.0.0.1", "localhost", 1)} {
			let := site == "same-origin" || site == "none"
			if site == "" { // an old browser
				let = origin == "" || strings.TrimPrefix(strings.TrimPrefix(origin, "https://"), "http://") == strings.TrimPrefix(s.url, "http://")
			}
			cookie := s.session(s.token)
			send := func(method, path, kind, body string) int {
				headers := []string{"Content-Type: " + kind, "Cookie: stepcast=" + cookie}
				if site != "" {
					headers = append(headers, "Sec-Fetch-Site: "+site)
				}
				if origin != "" {
					headers = append(headers, "Origin: "+origin)
				}
				return s.do(method, path, body, headers...).status
			}
			const form, json = "application/x-www-form-urlencoded", "application/json"
			for _, c := range []struct {
				method, path, kind, body string
				status                   int
			}{
				{"PATCH", "/api/v1/projects/acme/api", json, `{"visibility":"private"}`, 200},
				{"POST", "/api/v1/tokens", json, `{"project":"acme/api","scopes":["status"]}`, 201},
				{"POST", "/api/v1/tokens", "text/plain", `{"project":"acme/api","scopes":["status"]}`, 415}, // what a form of another site could send
				{"DELETE", "/api/v1/tokens/0123456789abcdef", json, "", 404},
				{"POST", "/sign-in", form, "token=x", 401},
				{"POST", "/sign-out", form, "", 303}, // the last: it ends the session
			} {
				want := c.status
				if !let {
					want = 403
				}
				if got := send(c.method, c.path, c.kind, c.body); got != want && (got != 429 || !let) {
					t.Errorf("%s %s, Sec-Fetch-Site: %s, Origin: %s: %d, want %d", c.method, c.path, site, origin, got, want)
				}
			}
		}
	}
}

// A cookie of another server of the same host is none to one where readers need
// not sign in, and it stays: to its own server it is good.
func TestSession_OfAnotherServer(t *testing.T) {
	t.Parallel()
	s, other := startOn(t, pgtest.New(t)), startOn(t, pgtest.New(t), withSignIn)
	build := s.create(`{"project":"acme/api"}`)
	b := other.browser().signIn(other.token)
	here := b.at(s)
	for _, path := range []string{"/", build, "/settings", "/sign-in", "/api/v1/me"} {
		if a := here.get(path); a.status != http.StatusOK || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v %s", path, a.status, a.header, a.body)
		}
	}
	if a := here.get("/api/v1/audit"); a.status != http.StatusUnauthorized || a.problem().Type != "/problems/token-missing" {
		t.Errorf("what needs a token: %d %s", a.status, a.body)
	}
	if b.name() == "" {
		t.Error("it is no good any more where it is from")
	}
}

// TestSession_OfThePage asks as a page does that was loaded in a session: in none any more, it
// is told that it is signed out, and not what is public, as if that were all.
func TestSession_OfThePage(t *testing.T) {
	t.Parallel()
	s, open := startOn(t, pgtest.New(t), withSignIn), startOn(t, pgtest.New(t))
	page := regexp.MustCompile(`data-session="(\d+)"`)
	b, other := s.browser().signIn(s.token), s.browser().signIn(s.token)
	session := page.FindStringSubmatch(b.get("/").body)[1]
	asked := "/api/v1/streams?log=feed&session=" + session
	for name, one := range map[string]struct {
		by     *browser
		path   string
		status int
	}{
		"its own":                 {b, asked, http.StatusOK},
		"one in its place":        {other, "/api/v1/events?limit=1&session=" + session, http.StatusOK},
		"none":                    {s.browser(), asked, http.StatusUnauthorized},
		"none, of events":         {s.browser(), "/api/v1/events?limit=1&session=" + session, http.StatusUnauthorized},
		"no number":               {b, "/api/v1/events?limit=1&session=x", http.StatusBadRequest},
		"none, which is not said": {s.browser(), "/api/v1/events?limit=1", http.StatusOK},
		"none, where all is open": {open.browser(), "/api/v1/events?limit=1&session=" + session, http.StatusOK},
	} {
		if name == "its own" {
			stream, status, _ := s.dial(one.path, "Cookie: stepcast="+b.cookie())
			if status != one.status {
				t.Errorf("%s: %d", name, status)
			}
			stream.conn.Close()
		} else if a := one.by.get(one.path); a.status != one.status || a.status == http.StatusUnauthorized && a.problem().Type != "/problems/session-ended" {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.body, one.status)
		}
	}
}

// TestSession_IsNowhere looks for cookies where none may be.
func TestSession_IsNowhere(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	var log journal
	s := startOn(t, database, withSignIn, log.into)
	b := s.browser().signIn(s.token)
	cookie := b.cookie()
	b.get("/api/v1/me")
	s.get("/api/v1/builds/x?cookie", "Cookie: stepcast="+cookie)
	conn := pgtest.Connect(t, database)
	var row string
	if err := conn.QueryRow(t.Context(), `SELECT sessions::text FROM sessions`).Scan(&row); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{cookie[4:25], cookie[25:], fmt.Sprintf("%x", cookie[4:25]), fmt.Sprintf("%x", cookie[25:]), s.token, fmt.Sprintf("%x", s.token)} {
		if strings.Contains(row, part) || strings.Contains(log.take(), part) {
			t.Errorf("%s is in %s", part, row)
		}
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/": "/", "/wall?project=acme/*#x": "/wall?project=acme/*#x", "/builds/1#L3": "/builds/1#L3", "/?u=https://x.example": "/?u=https://x.example",
		"": "/", "wall": "/", "//x.example": "/", "///x.example": "/", "/\\x.example": "/", "\\/x.example": "/", "https://x.example": "/", "https:/x": "/",
		"javascript:alert(1)": "/", "/\t/x.example": "/", "/\n/x.example": "/", "\t//x.example": "/", " //x.example": "/", "/a\r\nSet-Cookie: x": "/", "/a\x00": "/", "/é": "/", "/a b": "/",
		"/" + strings.Repeat("a", maxBack): "/",
	} {
		if got := localPath(text); got != want {
			t.Errorf("%q leads to %q", text, got)
		}
	}
}
