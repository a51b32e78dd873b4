// Package idp is an OpenID provider of the tests' own: one that signs what it
// is told to, forgeries too.
//
//	provider := idp.New(t)
//	token := provider.Sign(idp.Claims{"sub": "repo:acme/api", "aud": "stepcast"})
//	forged := provider.Sign(idp.Claims{"sub": "repo:acme/api", "aud": "stepcast"}, idp.None)
//
// It answers over HTTP at a loopback address: discovery, keys, the code flow
// (with PKCE, for the client [ClientID], for whom the person at the browser is
// [Provider.SignIn]'s) and userinfo. A code is good for once.
package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The one client that a provider knows.
const (
	ClientID     = "stepcast"
	ClientSecret = "the client's secret"
)

// A Person is who sits at the browser.
type Person struct {
	IDToken   Claims                    // besides what every ID token says; a nil takes such a claim away
	UserInfo  Claims                    // nil: there is no userinfo
	Signature Signature                 // of the ID token
	Error     string                    // what the provider says instead of a code, such as access_denied
	Answer    func(http.ResponseWriter) // of the token endpoint, in place of the right one
}

// A Provider is one that runs until its test ends.
type Provider struct {
	server *httptest.Server

	mu     sync.Mutex
	keys   *keys
	others *keys // a forger's
	person Person
	codes  map[string]grant
	access map[string]Claims // userinfo, by access token
	away   bool
	asked  map[string]int // by path
}

// grant is what a code stands for.
type grant struct {
	redirect, challenge, nonce string
	person                     Person
}

// New starts a provider.
func New(tb testing.TB) *Provider {
	tb.Helper()
	p := &Provider{keys: newKeys(tb), others: newKeys(tb), codes: make(map[string]grant), access: make(map[string]Claims), asked: make(map[string]int)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discover)
	mux.HandleFunc("GET /jwks", p.jwks)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userInfo)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked[r.URL.Path]++
		if p.away {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(p.server.Close)
	return p
}

// Issuer is its name, and its address.
func (p *Provider) Issuer() string { return p.server.URL }

// Sign makes a token. It holds for five minutes, and is this provider's, unless
// the claims say otherwise.
func (p *Provider) Sign(claims Claims, how ...Signature) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sign(claims, how...)
}

func (p *Provider) sign(claims Claims, how ...Signature) string {
	var signature Signature
	if len(how) > 0 {
		signature = how[0]
	}
	return p.keys.sign(claims.complete(p.server.URL, time.Now()), signature, p.others)
}

// Rotate has new keys from now on; those before are no longer any.
func (p *Provider) Rotate(tb testing.TB) {
	tb.Helper()
	fresh := newKeys(tb)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = fresh
}

// Away has it answer nothing but 503, or come back.
func (p *Provider) Away(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

// Asked is how often a path was asked for, such as /jwks.
func (p *Provider) Asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

// SignIn sets who signs in from now on.
func (p *Provider) SignIn(person Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = person
}

func (p *Provider) discover(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer":                                         p.server.URL,
		"authorization_endpoint":                         p.server.URL + "/authorize",
		"token_endpoint":                                 p.server.URL + "/token",
		"userinfo_endpoint":                              p.server.URL + "/userinfo",
		"jwks_uri":                                       p.server.URL + "/jwks",
		"response_types_supported":                       []string{"code"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256", "ES256", "HS256", "none"}, // the last two are not for us
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true, // RFC 9207
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, p.keys.set())
}

// authorize sends the browser back at once, as for somebody who is signed in
// here and has agreed before.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || !back.IsAbs() || q.Get("client_id") != ClientID || q.Get("response_type") != "code" ||
		q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256" || q.Get("state") == "" || q.Get("nonce") == "" {
		http.Error(w, "not a request that a careful client makes: "+q.Encode(), http.StatusBadRequest)
		return
	}
	told := url.Values{"state": {q.Get("state")}, "iss": {p.server.URL}}
	if p.person.Error != "" {
		told.Set("error", p.person.Error)
		told.Set("error_description", "so says the provider")
	} else {
		code := rand.Text()
		p.codes[code] = grant{q.Get("redirect_uri"), q.Get("code_challenge"), q.Get("nonce"), p.person}
		told.Set("code", code)
	}
	back.RawQuery = told.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth() // each escaped, RFC 6749 section 2.3.1
	if ok {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != ClientID || secret != ClientSecret {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	g, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != g.redirect || encode(verifier[:]) != g.challenge {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	if g.person.Answer != nil {
		g.person.Answer(w)
		return
	}
	claims := Claims{"aud": ClientID, "nonce": g.nonce}
	for name, value := range g.person.IDToken {
		claims[name] = value
	}
	access := rand.Text()
	p.access[access] = g.person.UserInfo
	answer(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 300,
		"id_token": p.sign(claims, g.person.Signature),
	})
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	info := p.access[token]
	if info == nil {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	answer(w, http.StatusOK, info)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
