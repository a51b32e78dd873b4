package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/idp"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// at has people sign in at a provider, and gives them roles.
func at(p *idp.Provider, roles ...Role) func(*Config) {
	return func(cfg *Config) {
		cfg.SignIn, cfg.Roles = true, roles
		cfg.OIDC = &OIDC{Issuer: p.Issuer(), ClientID: idp.ClientID, ClientSecret: idp.ClientSecret, Name: "Acme"}
	}
}

// ada is who signs in in these tests.
var ada = idp.Person{IDToken: idp.Claims{"sub": "ada", "name": "Ada Lovelace", "email": "ada@example.com", "groups": []string{"developers", "engine"}}}

// A journal is a log that a test reads.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// take returns what was logged since the last time.
func (j *journal) take() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := j.text.String()
	j.text.Reset()
	return text
}

func (j *journal) into(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(j, nil)) }

// toCallback goes to the provider and returns the address that it sends the
// browser back to, as this server's path.
func (b *browser) toCallback(back string) string {
	b.t.Helper()
	a := b.get("/sign-in/oidc?back=" + url.QueryEscape(back))
	if a.status != http.StatusSeeOther {
		b.t.Fatalf("on the way to the provider: %d %s", a.status, a.body)
	}
	a = b.get(a.header.Get("Location"))
	if a.status != http.StatusFound {
		b.t.Fatalf("the provider says %d %s", a.status, a.body)
	}
	u, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	return u.RequestURI()
}

// cross is what the browser sends where another site has sent it.
var cross = []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}

// come comes back from the provider.
func (b *browser) come(callback string) answer {
	b.t.Helper()
	return b.get(callback, cross...)
}

func TestOIDC_SignsIn(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	s := startOn(t, pgtest.New(t), at(p, Role{"engine", ci.ScopeRead, "acme/*"}, Role{"managers", ci.ScopeAdmin, "*"}))
	build := s.create(`{"project":"acme/api"}`)
	other := s.create(`{"project":"other"}`)
	p.SignIn(ada)
	b := s.browser()
	a := b.come(b.toCallback("/builds/1?q=2"))
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/builds/1?q=2" {
		t.Fatalf("back from the provider: %d %v %s", a.status, a.header, a.body)
	}
	me := b.me()
	if me.Name == nil || *me.Name != "Ada Lovelace" || len(me.Grants) != 1 || me.Grants[0].Project != "acme/*" {
		t.Errorf("she is taken for %+v", me)
	}
	if a := b.get(build); a.status != http.StatusOK {
		t.Errorf("what her group may read: %d %s", a.status, a.body)
	}
	if a := b.get(other); a.status != http.StatusNotFound {
		t.Errorf("what it may not: %d %s", a.status, a.body)
	}
	if a := b.do("PATCH", "/api/v1/projects/acme/api", `{"visibility":"public"}`, "Content-Type: application/json"); a.status != http.StatusForbidden {
		t.Errorf("to change what she reads: %d %s", a.status, a.body)
	}
}

// TestOIDC_Forged tries whatever a provider, or somebody who takes its place,
// could say that is not to be believed. Each is refused for its own reason, in
// the log; the person is told that it did not work.
func TestOIDC_Forged(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	var log journal
	s := startOn(t, pgtest.New(t), at(p), log.into)
	now := time.Now()
	for name, c := range map[string]struct {
		claims idp.Claims
		sign   idp.Signature
		why    string // "": it is right
	}{
		"right":                                  {},
		"right, with another algorithm":          {sign: idp.ByES256},
		"right, for several, by us":              {claims: idp.Claims{"aud": []string{"other", idp.ClientID}, "azp": idp.ClientID}},
		"another issuer":                         {claims: idp.Claims{"iss": "https://issuer.example"}, why: "different provider"},
		"another audience":                       {claims: idp.Claims{"aud": "other"}, why: "expected audience"},
		"no audience":                            {claims: idp.Claims{"aud": nil}, why: "expected audience"},
		"expired":                                {claims: idp.Claims{"exp": now.Add(-time.Minute).Unix()}, why: "expired"},
		"without an end":                         {claims: idp.Claims{"exp": nil}, why: "expired"},
		"not yet valid":                          {claims: idp.Claims{"nbf": now.Add(time.Hour).Unix()}, why: "not before"},
		"of the future":                          {claims: idp.Claims{"iat": now.Add(time.Hour).Unix()}, why: "of the future"},
		"not signed":                             {sign: idp.None, why: "algorithm"},
		"signed with the public key as secret":   {sign: idp.ByPublic, why: "algorithm"},
		"signed by another key":                  {sign: idp.ByOther, why: "verify signature"},
		"signed by a key that nobody knows":      {sign: idp.UnknownKey, why: "verify signature"},
		"a broken signature":                     {sign: idp.Broken, why: "verify signature"},
		"the signature taken away":               {sign: idp.Bare, why: "verify the ID token"},
		"the signature of other claims":          {sign: idp.Swapped, why: "verify signature"},
		"another sign-in's nonce":                {claims: idp.Claims{"nonce": "x"}, why: "nonce differs"},
		"no nonce":                               {claims: idp.Claims{"nonce": nil}, why: "nonce differs"},
		"made for another client":                {claims: idp.Claims{"azp": "other"}, why: "azp"},
		"made for several, nobody knows by whom": {claims: idp.Claims{"aud": []string{"other", idp.ClientID}}, why: "azp"},
		"another access token":                   {claims: idp.Claims{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, why: "another access token"},
		"nobody":                                 {claims: idp.Claims{"sub": nil}, why: "no subject"},
		"a subject that is none":                 {claims: idp.Claims{"sub": "a\x00b"}, why: "no subject"},
		"a subject that is too long":             {claims: idp.Claims{"sub": strings.Repeat("a", 256)}, why: "no subject"},
	} {
		claims := idp.Claims{"sub": "ada", "groups": []string{}}
		for name, value := range c.claims {
			claims[name] = value
		}
		p.SignIn(idp.Person{IDToken: claims, Signature: c.sign})
		b := s.browser()
		a := b.come(b.toCallback("/wall"))
		said := log.take()
		if c.why == "" {
			if a.status != http.StatusSeeOther || b.name() != "ada" {
				t.Errorf("%s: %d %s\n%s", name, a.status, a.body, said)
			}
			continue
		}
		if a.status != http.StatusBadGateway || !strings.Contains(a.body, "did not confirm who you are") || !strings.Contains(a.body, `value="/wall"`) || b.cookie() != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if !strings.Contains(said, c.why) {
			t.Errorf("%s: it is not refused for %q, but: %s", name, c.why, said)
		}
	}
}

// TestOIDC_Replayed brings back what was brought back before, or belongs to
// another browser.
func TestOIDC_Replayed(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	var log journal
	database := pgtest.New(t)
	s := startOn(t, database, at(p), log.into)
	p.SignIn(ada)
	refused := func(what string, b *browser, a answer) {
		t.Helper()
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, "begin again") || b.cookie() != "" {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	b := s.browser()
	first := b.toCallback("/")
	// Whoever gets somebody to open such an address does not sign them in.
	victim := s.browser()
	refused("in another browser", victim, victim.come(first))
	victim.toCallback("/")
	refused("in another browser, which is on its way too", victim, victim.come(first))
	query := func(callback, name, value string) string {
		u, _ := url.Parse(callback)
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	refused("without a state", victim, victim.come(query(first, "state", "")))
	refused("with a state that is none", victim, victim.come(query(first, "state", "x")))
	if a := b.come(first); a.status != http.StatusSeeOther {
		t.Fatalf("in its own browser: %d %s", a.status, a.body)
	}
	b.send("/sign-out")
	refused("once more", b, b.come(first))

	u, _ := url.Parse(first)
	if a := b.come(query(b.toCallback("/"), "code", u.Query().Get("code"))); a.status != http.StatusBadGateway || b.cookie() != "" || !strings.Contains(log.take(), "invalid_grant") {
		t.Errorf("an old code with a new state: %d %s", a.status, a.body)
	}
	// A code that is good, and another's: whoever puts theirs into somebody's way
	// back does not have them work as them.
	u, _ = url.Parse(s.browser().toCallback("/"))
	if a := b.come(query(b.toCallback("/"), "code", u.Query().Get("code"))); a.status != http.StatusBadGateway || b.cookie() != "" || !strings.Contains(log.take(), "invalid_grant") {
		t.Errorf("another's code: %d %s", a.status, a.body)
	}
	for _, issuer := range []string{"https://issuer.example", ""} {
		if a := b.come(query(b.toCallback("/"), "iss", issuer)); a.status != http.StatusBadGateway || b.cookie() != "" || !strings.Contains(log.take(), "of another provider") {
			t.Errorf("by another provider, %q: %d %s", issuer, a.status, a.body)
		}
	}
	late := b.toCallback("/")
	sql(t, database, `UPDATE sign_ins SET expires_at = clock_timestamp()`)
	refused("too late", b, b.come(late))

	// Two tabs are two ways, and both lead there.
	one, two := b.toCallback("/1"), b.toCallback("/2")
	for _, callback := range []string{two, one} {
		if a := b.come(callback); a.status != http.StatusSeeOther {
			t.Errorf("in one of two tabs: %d %s", a.status, a.body)
		}
	}
}

// Any process takes back whom any other has sent to the provider, and knows the
// session. What a group is given is what that process was told.
func TestOIDC_AnyProcess(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	database := pgtest.New(t)
	public := func(cfg *Config) { cfg.PublicURL = "http://ci.example" }
	one := startOn(t, database, at(p, Role{"developers", ci.ScopeRead, "acme/*"}), public)
	two := startOn(t, database, at(p, Role{Everybody, ci.ScopeStatus, "other"}), public)
	p.SignIn(ada)
	b := one.browser()
	callback := b.toCallback("/wall")
	there := b.at(two)
	if a := there.come(callback); a.status != http.StatusSeeOther || a.header.Get("Location") != "/wall" {
		t.Fatalf("on the other process: %d %s", a.status, a.body)
	}
	for what, b := range map[string]*browser{"acme/*": there.at(one), "other": there} {
		if me := b.me(); *me.Name != "Ada Lovelace" || len(me.Grants) != 1 || me.Grants[0].Project != what {
			t.Errorf("%s: %+v", what, me)
		}
	}
}

// The provider may be away when the server starts, and later.
func TestOIDC_ProviderAway(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	p.Away(true)
	p.SignIn(ada)
	var log journal
	s := startOn(t, pgtest.New(t), at(p), log.into)
	b := s.browser()
	for range 2 {
		a := b.get("/sign-in/oidc?back=/wall")
		if a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "Acme cannot be reached at the moment") || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, `value="/wall"`) {
			t.Errorf("while it is away: %d %s", a.status, a.body)
		}
		if said := log.take(); !strings.Contains(said, "503") || strings.Contains(said, "away") { // which is what it answers
			t.Errorf("the log says %s", said)
		}
	}
	p.Away(false)
	if a := b.come(b.toCallback("/")); a.status != http.StatusSeeOther {
		t.Errorf("when it is back: %d %s", a.status, a.body)
	}
	b.send("/sign-out")
	callback := b.toCallback("/")
	p.Away(true)
	if a := b.come(callback); a.status != http.StatusBadGateway || b.cookie() != "" {
		t.Errorf("away between there and back: %d %s", a.status, a.body)
	}
	p.Away(false)
	p.Rotate(t)
	if a := b.come(b.toCallback("/")); a.status != http.StatusSeeOther {
		t.Errorf("with new keys: %d %s", a.status, a.body)
	}
}

// A name that is not the provider's to the letter, and an address where there is
// none, are said in the log at once, and nobody is told to try again.
func TestOIDC_WrongIssuer(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	for issuer, says := range map[string]string{p.Issuer() + "/": "to the letter: give --oidc-issuer that name", p.Issuer() + "/realms/acme": "no provider is at "} {
		var log journal
		s := startOn(t, pgtest.New(t), at(p), func(cfg *Config) { cfg.OIDC.Issuer = issuer }, log.into)
		s.CheckProvider(t.Context())
		if said := log.take(); !strings.Contains(said, says) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: the log says %s", issuer, said)
		}
		a := s.browser().get("/sign-in/oidc?back=/wall")
		if a.status != http.StatusBadGateway || strings.Contains(a.body, "try again") || !strings.Contains(a.body, "its log says what") || a.header.Get("Retry-After") != "" {
			t.Errorf("%s: %d %s", issuer, a.status, a.body)
		}
	}
}

func TestOIDC_ProviderRefuses(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	var log journal
	s := startOn(t, pgtest.New(t), at(p), log.into)
	for code, want := range map[string]struct {
		status int
		says   string
	}{
		"access_denied":           {403, "either you canceled at Acme, or it does not let you in here"},
		"login_required":          {403, "sign in there first"},
		"temporarily_unavailable": {503, "try again soon"},
		"invalid_scope":           {502, "its log says how"},
		"<script>":                {502, "its log says how"},
	} {
		p.SignIn(idp.Person{Error: code})
		b := s.browser()
		a := b.come(b.toCallback("/wall"))
		if a.status != want.status || !strings.Contains(a.body, want.says) || !strings.Contains(a.body, "/sign-in/oidc?back=") || strings.Contains(a.body, "so says the provider") {
			t.Errorf("%s: %d %s", code, a.status, a.body)
		}
		if !strings.Contains(log.take(), "so says the provider") {
			t.Errorf("%s: the log does not say what the provider does", code)
		}
	}
}

// What a provider answers gets into no log: it may hold anything.
func TestOIDC_OddAnswers(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	var log journal
	s := startOn(t, pgtest.New(t), at(p), log.into)
	const secret = "hx8wq2"
	for name, body := range map[string]string{
		"no ID token":        `{"access_token":"` + secret + `","token_type":"Bearer"}`,
		"an ID token is not": `{"access_token":"` + secret + `","token_type":"Bearer","id_token":"` + secret + `"}`,
		"not JSON":           `<p>` + secret,
		"too long":           `{"access_token":"` + strings.Repeat(secret, 1<<18) + `"}`,
	} {
		for _, status := range []int{200, 500} {
			p.SignIn(idp.Person{Answer: func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				fmt.Fprint(w, body)
			}})
			b := s.browser()
			a := b.come(b.toCallback("/"))
			if said := log.take(); a.status != http.StatusBadGateway || b.cookie() != "" || strings.Contains(said, secret) || strings.Contains(a.body, secret) || said == "" {
				t.Errorf("%s, %d: %d %s\n%s", name, status, a.status, a.body, said)
			}
		}
	}
}

// TestOIDC_Groups asks where a person's groups, and names, come from.
func TestOIDC_Groups(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	var log journal
	role := Role{"developers", ci.ScopeRead, "acme/*"}
	s := startOn(t, pgtest.New(t), at(p, role), log.into)
	teams := startOn(t, pgtest.New(t), at(p, role), func(cfg *Config) { cfg.OIDC.GroupsClaim = "https://acme.example/teams" })
	in, out := []string{"developers"}, []string{"managers"}
	for name, c := range map[string]struct {
		at       *testServer
		id, info idp.Claims
		in       bool
		called   string // "": nobody signs in
	}{
		"in the ID token":            {s, idp.Claims{"groups": in, "preferred_username": "ada"}, nil, true, "ada"},
		"not one of them":            {s, idp.Claims{"groups": out, "email": "ada@example.com", "email_verified": true}, nil, false, "ada@example.com"},
		"an email of nobody's word":  {s, idp.Claims{"groups": in, "email": "ada@example.com"}, nil, true, "1"},
		"an email of anybody's":      {s, idp.Claims{"groups": in, "email": "root@example.com", "email_verified": false}, nil, true, "1"},
		"of anybody's, in userinfo":  {s, idp.Claims{}, idp.Claims{"sub": "1", "groups": in, "email": "root@example.com", "email_verified": "false"}, true, "1"},
		"an email that is one's own": {s, idp.Claims{"groups": in, "email": "ada@example.com", "email_verified": true}, nil, true, "ada@example.com"},
		"in userinfo":                {s, idp.Claims{}, idp.Claims{"sub": "1", "groups": in, "name": "Ada"}, true, "Ada"},
		"in both, and they differ":   {s, idp.Claims{"groups": out}, idp.Claims{"sub": "1", "groups": in}, false, "1"},
		"names in both":              {s, idp.Claims{"name": "Ada"}, idp.Claims{"sub": "1", "groups": in, "name": "Eve"}, true, "Ada"},
		"nowhere":                    {s, idp.Claims{}, idp.Claims{"sub": "1"}, false, "1"},
		"somebody else's":            {s, idp.Claims{}, idp.Claims{"sub": "2", "groups": in}, false, ""},
		"userinfo does not answer":   {s, idp.Claims{}, nil, false, ""},
		"one, not a list":            {s, idp.Claims{"groups": "developers"}, nil, true, "1"},
		"no list":                    {s, idp.Claims{"groups": map[string]any{"developers": true}}, nil, false, "1"},
		"with something else in it":  {s, idp.Claims{"groups": []any{7, nil, "developers"}}, nil, true, "1"},
		"a longer one":               {s, idp.Claims{"groups": []string{"developers2", "dev", "Developers", " developers"}}, nil, false, "1"},
		"the star is no group":       {s, idp.Claims{"groups": []string{"*"}}, nil, false, "1"},
		"by another claim":           {teams, idp.Claims{"https://acme.example/teams": in, "groups": out}, nil, true, "1"},
		"an odd name":                {s, idp.Claims{"groups": out, "name": "A\x00d\na \u202e" + strings.Repeat("é", 200)}, nil, false, "Ada " + strings.Repeat("é", 98)},
	} {
		c.id["sub"] = "1"
		p.SignIn(idp.Person{IDToken: c.id, UserInfo: c.info})
		b := c.at.browser()
		a := b.come(b.toCallback("/"))
		if c.called == "" {
			if a.status != http.StatusBadGateway || b.cookie() != "" {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
			continue
		}
		if a.status != http.StatusSeeOther {
			t.Errorf("%s: %d %s\n%s", name, a.status, a.body, log.take())
			continue
		}
		if me := b.me(); *me.Name != c.called || (len(me.Grants) > 0) != c.in {
			t.Errorf("%s: %s, who is given %v", name, *me.Name, me.Grants)
		}
	}
}

// Once people sign in somewhere else, those who did at the provider before have
// to do so again: groups there are others'.
func TestOIDC_AnotherProvider(t *testing.T) {
	t.Parallel()
	before, now := idp.New(t), idp.New(t)
	before.SignIn(ada)
	database := pgtest.New(t)
	role := Role{"developers", ci.ScopeRead, "acme/*"}
	one, two := startOn(t, database, at(before, role)), startOn(t, database, at(now, role))
	build := one.create(`{"project":"acme/api"}`)
	b := one.browser()
	b.come(b.toCallback("/"))
	if a := b.get(build); a.status != http.StatusOK {
		t.Fatalf("before: %d %s", a.status, a.body)
	}
	if a := b.at(two).get(build); a.status != http.StatusUnauthorized || a.problem().Type != "/problems/session-ended" {
		t.Errorf("then: %d %s", a.status, a.body)
	}
	if a := b.get(build); a.status != http.StatusOK {
		t.Errorf("on a process that is yet to be replaced: %d %s", a.status, a.body)
	}
}

// The provider is told where to send browsers back to. That is no name that
// somebody else may have made up.
func TestOIDC_OnlyFromItsOwnAddress(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	s := startOn(t, pgtest.New(t), at(p))
	if a := s.get("/sign-in/oidc", "Host: ci.example"); a.status != http.StatusMisdirectedRequest || !strings.Contains(a.body, "--public-url") {
		t.Errorf("by another name: %d %s", a.status, a.body)
	}
	public := startOn(t, pgtest.New(t), at(p), func(cfg *Config) { cfg.PublicURL = "https://ci.example" })
	a := public.get("/sign-in/oidc", "Host: elsewhere.example")
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || to.Query().Get("redirect_uri") != "https://ci.example/sign-in/callback" {
		t.Errorf("with an address of its own: %d %v", a.status, a.header)
	}
	if set := a.header.Get("Set-Cookie"); !strings.HasPrefix(set, "__Host-stepcast-sign-in=") || !strings.HasSuffix(set, "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("it sets %s", set)
	}
	// No page can send its visitors, unseen, through all of it.
	for _, headers := range [][]string{{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, {"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}} {
		for _, path := range []string{"/sign-in", "/sign-in/oidc", "/sign-in/callback"} {
			if a := s.get(path, headers...); a.status != http.StatusForbidden || a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s, %v: %d %s", path, headers, a.status, a.body)
			}
		}
	}
}
