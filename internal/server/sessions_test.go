package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
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
	if set := a.header["Set-Cookie"]; len(set) != 1 || !strings.HasPrefix(set[0], "stepcast=sts_") || !strings.HasSuffix(set[0], "; Path=/; Max-Age=43199; HttpOnly; SameSite=Lax") {
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
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/sign-in" || b.cookie() != "" {
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
	revoked := s.tokenFor("*", ci.ScopeRead)
	sum, _ := ci.ParseToken(revoked)
	if err := s.store.RevokeToken(t.Context(), postgres.Actor{}, []string{"*"}, ci.TokenID(sum)); err != nil {
		t.Fatal(err)
	}
	typo := []byte(ci.NewToken())
	typo[9] = map[bool]byte{true: 'y', false: 'x'}[typo[9] == 'x']
	for token, says := range map[string]string{
		"": "begins with stp_", "hunter2": "begins with stp_", s.token[:20]: "too short", string(typo): "a typo",
		ci.NewToken(): "No token of this server", expired: "expired at", revoked: "was revoked at",
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
