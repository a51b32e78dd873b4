package server

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/labstack/echo/v4"
	"golang.org/x/oauth2"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// OIDC is an OpenID provider where people sign in.
type OIDC struct {
	Issuer       string // its name, an address, to the letter
	ClientID     string
	ClientSecret string   // "": the provider knows this client as a public one
	Scopes       []string // to ask for, besides openid; nil: profile and email
	GroupsClaim  string   // what holds a person's groups; "": groups
	Name         string   // for people; "": the issuer's host
}

// The times of a sign-in.
const (
	signInLasts    = 10 * time.Minute // on the way to the provider and back
	providerWait   = 10 * time.Second // for one answer of the provider
	rediscover     = time.Hour        // what it says of itself is asked for again
	clockSkew      = 5 * time.Minute  // between its clock and ours
	providerAnswer = 1 << 20          // bytes of an answer, at most
)

// Bounds of what is kept of a person; in bytes, but mostGroups.
const (
	maxSubject  = 255 // OpenID Connect Core, section 2
	maxPersonal = 200
	maxGroup    = 256
	mostGroups  = 1000
)

// A provider is one as far as this process knows it. It may be away when the
// server starts, and later.
type provider struct {
	cfg    OIDC
	client *http.Client

	mu     sync.Mutex
	known  *discovered
	asking *discovery // nil: nobody asks
}

// discovered is what a provider says of itself.
type discovered struct {
	*oidc.Provider
	at     time.Time
	verify *oidc.IDTokenVerifier
	style  oauth2.AuthStyle
	info   bool // it has userinfo
	signs  bool // its answers say whose they are, RFC 9207
}

// discovery asks for that and, once done is closed, is what came of it.
type discovery struct {
	done  chan struct{}
	found *discovered
	err   error
}

func newProvider(cfg OIDC) *provider {
	cfg.GroupsClaim = cmp.Or(cfg.GroupsClaim, "groups")
	if cfg.Scopes == nil {
		cfg.Scopes = []string{"profile", "email"}
	}
	if u, err := url.Parse(cfg.Issuer); err == nil {
		cfg.Name = cmp.Or(cfg.Name, u.Host)
	}
	return &provider{cfg: cfg, client: &http.Client{
		Timeout:   providerWait,
		Transport: boundedTransport{},
		// Neither the client's secret nor a code goes to where an answer points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// boundedTransport cuts an answer off that is too long. Of one to a GET that is a
// failure it leaves nothing but the status, which is what a log may say.
type boundedTransport struct{}

func (boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	switch {
	case err != nil:
		return nil, err
	case r.Method == http.MethodGet && res.StatusCode != http.StatusOK:
		res.Body.Close()
		res.Body = http.NoBody
	default:
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, providerAnswer), res.Body}
	}
	return res, nil
}

// discover returns what the provider says of itself. All who wait for it wait
// for one answer; after a failure, who comes next asks again.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	if p.known != nil && time.Since(p.known.at) < rediscover {
		defer p.mu.Unlock()
		return p.known, nil
	}
	d := p.asking
	if d == nil {
		d = &discovery{done: make(chan struct{})}
		p.asking = d
		go p.ask(d)
	}
	p.mu.Unlock()
	select {
	case <-d.done:
		return d.found, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *provider) ask(d *discovery) {
	found, err := p.read(time.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.known = found
	} else if p.known != nil { // what it said before will do until it is back
		found, err = p.known, nil
	}
	d.found, d.err = found, err
	p.asking = nil
	close(d.done)
}

func (p *provider) read(now time.Time) (*discovered, error) {
	ctx, cancel := context.WithTimeout(p.context(context.Background()), providerWait) // nobody's own: others wait for it too
	defer cancel()
	found, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	var other *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &other):
		return nil, &misnamed{fmt.Errorf("the provider at %s calls itself %s, to the letter: give --oidc-issuer that name, if it is yours", p.cfg.Issuer, printable(other.Discovered))}
	case err != nil && strings.HasPrefix(err.Error(), "404 "):
		return nil, &misnamed{fmt.Errorf("no provider is at %s, which --oidc-issuer names: %w", p.cfg.Issuer, err)}
	case err != nil:
		return nil, fmt.Errorf("ask the provider about itself: %w", err)
	}
	var says struct {
		Keys   string   `json:"jwks_uri"`
		Styles []string `json:"token_endpoint_auth_methods_supported"`
		Signs  bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, fmt.Errorf("read what the provider says of itself: %w", err)
	}
	d := &discovered{Provider: found, at: now, info: found.UserInfoEndpoint() != "", signs: says.Signs}
	for _, address := range []string{found.Endpoint().AuthURL, found.Endpoint().TokenURL, says.Keys, cmp.Or(found.UserInfoEndpoint(), p.cfg.Issuer)} {
		if err := CheckIssuer(address); err != nil {
			return nil, &misnamed{fmt.Errorf("the provider names an address that cannot be trusted: %w", err)}
		}
	}
	d.verify = found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID}) // by what it signs with, of what is asymmetric
	switch {
	case p.cfg.ClientSecret == "":
		d.style = oauth2.AuthStyleInParams
	case len(says.Styles) == 0 || slices.Contains(says.Styles, "client_secret_basic"):
		d.style = oauth2.AuthStyleInHeader
	default:
		d.style = oauth2.AuthStyleInParams
	}
	return d, nil
}

// misnamed is why a provider that answers is not the one that was named. That does
// not pass by itself.
type misnamed struct{ error }

func (e *misnamed) Unwrap() error { return e.error }

// CheckProvider asks the provider about itself, so that the log says what is wrong
// before somebody wants to sign in.
func (s *Server) CheckProvider(ctx context.Context) {
	if s.provider == nil {
		return
	}
	// Of its own: whoever signs in meanwhile waits for no question that was asked
	// before the provider was there.
	if _, err := newProvider(*s.cfg.OIDC).discover(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("nobody can sign in with the provider for now", "error", err)
	}
}

// CheckIssuer tells what is wrong with the address of a provider: what it says
// has to come from it, and nobody in between may read or change it.
func CheckIssuer(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host)) {
		return fmt.Errorf("%s is no address that begins with https://, or with http:// on this machine", printable(address))
	}
	return nil
}

// context has the provider asked by the client that is made for it.
func (p *provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

func (p *provider) oauth(d *discovered, redirect string) *oauth2.Config {
	endpoint := d.Endpoint()
	endpoint.AuthStyle = d.style
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret,
		Endpoint: endpoint, RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...),
	}
}

// A trip is one way to the provider and back. Two random texts belong to it:
// what the browser keeps in a cookie, for all of its trips, and the state, which
// the provider gets and sends back. What else is secret is made of the two, so
// that it lies nowhere; the database knows the sum of both, which only the browser
// that set out can bring back.
type trip struct{ browser, state string }

func (t trip) sum() [32]byte { return sha256.Sum256([]byte(t.browser + t.state)) }

// secret is 43 characters, 256 bits, for one purpose.
func (t trip) secret(purpose string) string {
	mac := hmac.New(sha256.New, []byte(t.browser))
	mac.Write([]byte(purpose + " " + t.state))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (t trip) verifier() string { return t.secret("verifier") } // PKCE, RFC 7636
func (t trip) nonce() string    { return t.secret("nonce") }

const tripRandom = 43 // characters

// toProvider sends a browser to the provider.
func (s *Server) toProvider(c echo.Context) error {
	if s.provider == nil {
		return echo.ErrNotFound
	}
	if err := s.mayTry(c, &s.limits.signIns, "sign in"); err != nil {
		return err
	}
	back := localPath(c.QueryParam("back"))
	redirect, err := s.redirectURI(c)
	if err != nil {
		return err
	}
	d, err := s.provider.discover(c.Request().Context())
	if err != nil {
		return s.providerAway(c, back, err)
	}
	t := trip{ci.RandomText(tripRandom), ci.RandomText(tripRandom)}
	if cookie, err := c.Request().Cookie(s.cookieName(c, signInCookie)); err == nil && ci.IsRandomText(cookie.Value, tripRandom) {
		t.browser = cookie.Value // it may be on its way in another tab
	}
	if err := s.store.AddSignIn(c.Request().Context(), t.sum(), back, signInLasts); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	s.setCookie(c, signInCookie, t.browser, signInLasts)
	return c.Redirect(http.StatusSeeOther, s.provider.oauth(d, redirect).AuthCodeURL(t.state, oidc.Nonce(t.nonce()), oauth2.S256ChallengeOption(t.verifier())))
}

// redirectURI is where the provider sends browsers back to. It has to be told
// to the provider beforehand, so that it cannot be whatever a request says.
func (s *Server) redirectURI(c echo.Context) (string, error) {
	if s.cfg.PublicURL == "" && !loopback(c.Request().Host) {
		return "", &ci.Problem{Code: badHost, Detail: "The server does not know its own address, which the provider has to send you back to: start it with --public-url."}
	}
	base, err := s.base(c)
	return base + callbackPath, err
}

// fromProvider signs in whom the provider has sent back.
func (s *Server) fromProvider(c echo.Context) error {
	if s.provider == nil {
		return echo.ErrNotFound
	}
	q := c.QueryParams()
	t := trip{state: q.Get("state")}
	if cookie, err := c.Request().Cookie(s.cookieName(c, signInCookie)); err == nil {
		t.browser = cookie.Value
	}
	back, ok, err := "", false, error(nil)
	if ci.IsRandomText(t.browser, tripRandom) && ci.IsRandomText(t.state, tripRandom) {
		back, ok, err = s.store.TakeSignIn(c.Request().Context(), t.sum())
	}
	switch {
	case err != nil:
		return fmt.Errorf("sign in: %w", err)
	case !ok:
		return s.askToSignIn(c, http.StatusBadRequest, "", "This sign-in was begun in another browser or more than ten minutes ago, or it has ended already; begin again.")
	case q.Has("error"):
		return s.providerRefuses(c, back, q.Get("error"))
	}
	redirect, err := s.redirectURI(c)
	if err != nil {
		return err
	}
	d, err := s.provider.discover(c.Request().Context())
	if err != nil {
		return s.providerAway(c, back, err)
	}
	person, err := s.provider.identify(c.Request().Context(), d, redirect, t, q)
	if err != nil {
		s.log.Warn("sign-in with the provider", "error", err)
		return s.askToSignIn(c, http.StatusBadGateway, back, fmt.Sprintf("%s did not confirm who you are; try again, and if that does not help, the server's log says why.", s.provider.cfg.Name))
	}
	if err := s.beginSession(c, postgres.Session{Person: person}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, localPath(back))
}

func (s *Server) providerAway(c echo.Context, back string, err error) error {
	if c.Request().Context().Err() == nil {
		s.log.Warn("sign-in with the provider", "error", err)
	}
	if wrong := (*misnamed)(nil); errors.As(err, &wrong) {
		return s.askToSignIn(c, http.StatusBadGateway, back, fmt.Sprintf("This server was told something about %s that is wrong, which whoever runs it has to look into; its log says what. Until then, sign in with a token.", s.provider.cfg.Name))
	}
	c.Response().Header().Set("Retry-After", retryAfter())
	return s.askToSignIn(c, http.StatusServiceUnavailable, back, fmt.Sprintf("%s cannot be reached at the moment; try again soon, or sign in with a token.", s.provider.cfg.Name))
}

// providerRefuses says what the provider did not want, by its code of RFC 6749
// and OpenID Connect. Its own words are for the log: anybody could have written
// them into the address.
func (s *Server) providerRefuses(c echo.Context, back, code string) error {
	name := s.provider.cfg.Name
	s.log.Warn("sign-in with the provider", "code", printable(code), "description", printable(c.QueryParam("error_description")))
	switch code {
	case "access_denied":
		return s.askToSignIn(c, http.StatusForbidden, back, fmt.Sprintf("You were not signed in: either you canceled at %s, or it does not let you in here.", name))
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return s.askToSignIn(c, http.StatusForbidden, back, fmt.Sprintf("%s wants you to sign in there first; try again.", name))
	case "temporarily_unavailable", "server_error":
		return s.askToSignIn(c, http.StatusServiceUnavailable, back, fmt.Sprintf("%s cannot sign you in at the moment; try again soon, or sign in with a token.", name))
	}
	return s.askToSignIn(c, http.StatusBadGateway, back, fmt.Sprintf("%s refused the sign-in in a way that whoever runs this server has to look into; its log says how.", name))
}

// identify finds out who has come back: it has the provider's word for it over
// a connection of its own, signed, for this client and for this trip.
func (p *provider) identify(ctx context.Context, d *discovered, redirect string, t trip, q url.Values) (person postgres.Person, err error) {
	if iss := q.Get("iss"); iss != p.cfg.Issuer && (iss != "" || d.signs) {
		return person, errors.New("the answer is of another provider")
	}
	ctx, cancel := context.WithTimeout(p.context(ctx), 2*providerWait)
	defer cancel()
	oauth := p.oauth(d, redirect)
	tokens, err := oauth.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(t.verifier()))
	if err != nil {
		return person, fmt.Errorf("exchange the code: %w", discreet(err))
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return person, errors.New("the provider sent no ID token")
	}
	token, err := d.verify.Verify(ctx, raw)
	if err != nil {
		return person, fmt.Errorf("verify the ID token: %w", err)
	}
	claims := make(map[string]json.RawMessage)
	if err := token.Claims(&claims); err != nil {
		return person, fmt.Errorf("read the ID token: %w", err)
	}
	party, named := text(claims["azp"])
	switch {
	case !hmac.Equal([]byte(token.Nonce), []byte(t.nonce())):
		return person, errors.New("the ID token is of another sign-in: its nonce differs")
	case named && party != p.cfg.ClientID, !named && len(token.Audience) > 1:
		return person, errors.New("the ID token was made for another client, by its azp")
	case token.IssuedAt.After(time.Now().Add(clockSkew)):
		return person, errors.New("the ID token is of the future")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(tokens.AccessToken) != nil:
		return person, errors.New("the ID token belongs to another access token")
	case token.Subject == "" || len(token.Subject) > maxSubject || oneLine(token.Subject, maxSubject) != token.Subject:
		return person, errors.New("the ID token has no subject that can be kept")
	}
	if _, told := claims[p.cfg.GroupsClaim]; !told && d.info {
		info, err := d.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		switch {
		case err != nil:
			return person, fmt.Errorf("ask for userinfo: %w", err)
		case info.Subject != token.Subject:
			return person, errors.New("userinfo is of another person")
		}
		more := make(map[string]json.RawMessage)
		if err := info.Claims(&more); err != nil {
			return person, fmt.Errorf("read userinfo: %w", err)
		}
		for name, value := range more {
			if _, told := claims[name]; !told { // what is signed comes first
				claims[name] = value
			}
		}
	}
	person = postgres.Person{Issuer: p.cfg.Issuer, Subject: token.Subject, Groups: groups(claims[p.cfg.GroupsClaim])}
	// The audit tells people apart by it. Where the provider does not say that it is
	// theirs, they may have made it up: Entra ID does not, nor check it.
	if email, ok := text(claims["email"]); ok && strings.Trim(string(claims["email_verified"]), `"`) == "true" {
		person.Email = oneLine(email, maxPersonal)
	}
	for _, claim := range []string{"name", "preferred_username", "nickname"} {
		if name, _ := text(claims[claim]); person.Name == "" {
			person.Name = strings.TrimSpace(oneLine(name, maxPersonal))
		}
	}
	person.Name = cmp.Or(person.Name, person.Email, person.Subject)
	return person, nil
}

// discreet leaves out of an error what the provider answered: it may hold
// anything.
func discreet(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return err
	}
	if refused.Response == nil {
		return fmt.Errorf("refused with %s", printable(refused.ErrorCode))
	}
	return fmt.Errorf("refused with status %d, %s", refused.Response.StatusCode, printable(refused.ErrorCode))
}

// text reads a claim that is a text.
func text(claim json.RawMessage) (s string, ok bool) {
	return s, claim != nil && json.Unmarshal(claim, &s) == nil
}

// groups reads a claim that is a list of groups, or one group. What is none, or
// too long for one, is left out.
func groups(claim json.RawMessage) []string {
	groups := []string{}
	if one, ok := text(claim); ok {
		claim, _ = json.Marshal([]string{one})
	}
	var list []json.RawMessage
	if claim == nil || json.Unmarshal(claim, &list) != nil {
		return groups
	}
	for _, member := range list {
		group, ok := text(member)
		if ok && group != "" && len(groups) < mostGroups && oneLine(group, maxGroup) == group {
			groups = append(groups, group)
		}
	}
	return groups
}

// oneLine is a text as people may be shown it and the database can keep it: on
// one line, and not too long.
func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return -1
	}, s)
	for len(s) > most {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
