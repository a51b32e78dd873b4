package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/internal/postgres"
)

// sessionLifetime is how long a session lasts where nothing else is said,
// however much it is used.
const sessionLifetime = 12 * time.Hour

// outlasts is for how much longer a browser keeps the cookie of a session, so that
// pages that are open at its end are told of it.
const outlasts = 24 * time.Hour

// A Role is what whoever is in a group of the provider's is given.
type Role struct {
	Group   string   // Everybody: whoever has signed in there
	Scope   ci.Scope // status, read or admin
	Project string   // a pattern
}

// Everybody stands for a group that all are in who have signed in at the provider.
const Everybody = "*"

// grant is what a role comes to. Who administers a project reads it too.
func (r Role) grant() ci.Grant {
	scopes := []ci.Scope{r.Scope}
	if r.Scope == ci.ScopeAdmin {
		scopes = []ci.Scope{ci.ScopeRead, ci.ScopeAdmin}
	}
	return ci.Grant{Scopes: scopes, Project: r.Project}
}

// A visitor is what the session of a request, if it has one, lets its caller do.
// Groups are held to the roles as they are now: what the server is told at its
// start holds for sessions that began before.
func (s *Server) visitor(c echo.Context) (*caller, error) {
	w := s.nobody()
	v, cookie, err := s.session(c)
	if err != nil || v == nil {
		return w, err
	}
	w.session, w.cookie = v, cookie
	if v.Token != nil {
		w.hold(*v.Token)
		s.store.TokenUsed(v.Token.Sum, s.clientAddr(c))
	}
	for _, link := range v.Links {
		if inForce(link, time.Now()) == nil {
			w.hold(link)
		}
	}
	if addr, counted := s.limits.accountable(s.clientAddr(c)); counted && v.Token == nil && v.Person.Subject == "" {
		w.guest = "guest " + addr.String()
		if len(w.tokens) > 0 {
			w.guest += " " + ci.TokenID(w.tokens[0])
		}
	}
	if v.Person.Subject != "" {
		for _, role := range s.cfg.Roles {
			if role.Group == Everybody || slices.Contains(v.Person.Groups, role.Group) {
				w.grants = append(w.grants, role.grant())
			}
		}
	}
	return w, nil
}

// nobody is a caller who shows nothing, and is no stranger.
func (s *Server) nobody() *caller { return &caller{open: !s.cfg.SignIn} }

// mostCookies is how many of a request are looked for, of those that look like a session's. Over HTTPS there is one, but
// over HTTP pages of other hosts beside this one can add theirs, in front of it.
const mostCookies = 4

// session finds the session of a request, and its cookie. With cookies that are all no
// good, what scripts ask for is refused, each time: they would else be told what is
// public, and take it for all there is. To a page they are none, and one alone is taken
// back: of several, another may be one that is good elsewhere. Where readers need not sign
// in they are none to anybody and stay: browsers send cookies to every port of a host, and
// one may be of another server there.
func (s *Server) session(c echo.Context) (*postgres.Session, string, error) {
	cookies := c.Request().CookiesNamed(s.cookieName(c, sessionCookie))
	looked, guessed := 0, false
	for _, cookie := range cookies {
		key, ok := ci.ParseSession(cookie.Value)
		if !ok {
			continue
		}
		if looked++; looked > mostCookies {
			break
		}
		v, there, err := s.findSession(c, key, cookie.Value)
		if v != nil || err != nil {
			return v, cookie.Value, err
		}
		guessed = guessed || !there
	}
	if guessed {
		s.countFailure(c)
	}
	if len(cookies) == 0 {
		return nil, "", nil
	}
	return nil, "", s.sessionEnded(c, len(cookies) == 1)
}

// findSession finds the session of a cookie, if it is in force, and sends its browser a
// fresh one when it is time. there tells whether there is one, in force or not.
func (s *Server) findSession(c echo.Context, key ci.SessionKey, text string) (of *postgres.Session, there bool, err error) {
	leaveEntrance(c.Request()) // the database may take its time
	done, err := s.suspect(c.Request().Context(), s.clientAddr(c))
	if err != nil {
		return nil, false, err
	}
	v, there, err := s.store.FindSession(c.Request().Context(), key)
	done()
	if err != nil || !there {
		return nil, false, err
	}
	if v.Token != nil && inForce(*v.Token, time.Now()) != nil || v.Person.Issuer != "" && !s.takesWordOf(v.Person.Issuer) {
		return nil, true, nil
	}
	if v.Stale {
		next := ci.RenewSession(text)
		nextKey, _ := ci.ParseSession(next)
		sent, err := s.store.RenewSession(c.Request().Context(), key, nextKey)
		switch {
		case err != nil: // the next request will do
			s.log.Warn("the cookie of a session was not renewed", "error", err)
		case sent:
			s.setCookie(c, sessionCookie, next, time.Until(v.ExpiresAt)+outlasts)
		}
	}
	return &v, true, nil
}

// takesWordOf tells whether people may have signed in at that provider: at another
// than the one that is configured now, anybody may be in a group that is called
// like one of its.
func (s *Server) takesWordOf(issuer string) bool {
	return s.provider == nil || s.provider.cfg.Issuer == issuer // without one nobody is given anything
}

func (s *Server) sessionEnded(c echo.Context, takeBack bool) error {
	if !s.cfg.SignIn {
		return nil
	}
	if !beginsWith(c.Request().URL.Path, "/api/") {
		if takeBack {
			s.setCookie(c, sessionCookie, "", 0)
		}
		return nil
	}
	return signedOut()
}

func signedOut() error {
	return &ci.Problem{Code: sessionEnded, Detail: "You are signed out, here or elsewhere, were signed in for too long, or the token that you signed in with has ended; sign in again."}
}

// beginSession signs the browser of a request in, whatever it was before: a
// cookie that it had until then is worth nothing any more.
func (s *Server) beginSession(c echo.Context, v postgres.Session) error {
	text := ci.NewSession()
	key, _ := ci.ParseSession(text)
	var instead int64
	if former, err := s.visitor(c); err == nil && former.session != nil {
		instead = former.session.ID
	}
	v, err := s.store.AddSession(c.Request().Context(), s.actorOf(c, &caller{session: &v}), key, v, s.cfg.SessionLifetime, instead)
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	s.setCookie(c, sessionCookie, text, time.Until(v.ExpiresAt)+outlasts)
	return nil
}

// The cookies, without what they are called in front over HTTPS.
const (
	sessionCookie = "stepcast"
	signInCookie  = "stepcast-sign-in" // of a browser that is on the way to the provider
)

// cookieName is what a cookie is called. Over HTTPS no other host and no page
// over HTTP can set one of that name.
func (s *Server) cookieName(c echo.Context, name string) string {
	if s.secure(c) {
		return "__Host-" + name
	}
	return name
}

// setCookie gives the browser a cookie for so long, or takes it back. No cache
// may keep the answer that does so.
func (s *Server) setCookie(c echo.Context, name, value string, lasts time.Duration) {
	cookie := http.Cookie{
		Name: s.cookieName(c, name), Value: value, Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(c),
	}
	if value == "" || cookie.MaxAge <= 0 {
		cookie.MaxAge = -1
	}
	h := c.Response().Header()
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return strings.HasPrefix(line, cookie.Name+"=") })
	h.Add("Set-Cookie", cookie.String())
	c.Response().Before(func() { h.Set("Cache-Control", "no-store") })
}

// signOut ends the session of a request, or with the field everywhere all that
// its person has.
func (s *Server) signOut(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	who, err := s.visitor(c)
	if err != nil {
		return err
	}
	if who.session != nil {
		if c.Request().PostForm.Get("everywhere") == "1" {
			err = s.store.EndSessions(c.Request().Context(), s.actorOf(c, who), *who.session)
		} else {
			err = s.store.EndSession(c.Request().Context(), *who.session)
		}
		if err != nil {
			return fmt.Errorf("sign out: %w", err)
		}
	}
	s.setCookie(c, sessionCookie, "", 0)
	c.Response().Header().Set("Clear-Site-Data", `"cache"`) // pages to go back to, too
	return c.Redirect(http.StatusSeeOther, forms.SignInTo(localPath(c.Request().PostForm.Get("back")))+"&done=signed-out")
}

// meJSON is who asks, and what that caller was given.
type meJSON struct {
	SignIn    bool        `json:"sign_in"` // readers have to
	OIDC      bool        `json:"oidc"`    // there is a provider to sign in at
	Name      *string     `json:"name"`
	Grants    []grantJSON `json:"grants"`
	ExpiresAt *time.Time  `json:"expires_at"`
}

type grantJSON struct {
	Scopes  []ci.Scope  `json:"scopes"`
	Project string      `json:"project"` // a pattern
	Build   *ci.BuildID `json:"build"`   // null: all of them
}

// me answers with who asks.
func (s *Server) me(c echo.Context) error {
	if _, err := query(c); err != nil {
		return err
	}
	who := s.who(c)
	me := meJSON{SignIn: s.cfg.SignIn, OIDC: s.provider != nil, Grants: make([]grantJSON, len(who.grants))}
	for i, g := range who.grants {
		me.Grants[i] = grantJSON{Scopes: g.Scopes, Project: g.Project}
		if !g.Whole() {
			me.Grants[i].Build = &g.Build
		}
	}
	if name := who.name(); name != "" {
		me.Name = &name
	}
	switch {
	case who.session != nil:
		me.ExpiresAt = &who.session.ExpiresAt
	case who.token != nil:
		me.ExpiresAt = who.token.ExpiresAt
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.json(c, http.StatusOK, me)
}

// name is what a caller is called to people; "": nobody is known.
func (w *caller) name() string {
	token := w.token
	if w.session != nil {
		if p := w.session.Person; p.Subject != "" {
			return p.Name
		}
		token = w.session.Token
	}
	if token == nil {
		return ""
	}
	return token.Name
}
