package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// guard is the door of a server without sign-in: it answers to loopback names
// only, since any other may be one that a hostile site points here, and not to
// browsers that ask on behalf of another site.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	forgery := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		r := c.Request()
		if !s.cfg.Open && !loopback(r.Host) {
			return &ci.Problem{Code: badHost, Detail: fmt.Sprintf("This server answers to loopback names only, not to %s; use http://localhost, or start it with --open.", printable(r.Host))}
		}
		if forgery.Check(r) != nil || foreign(r) {
			return &ci.Problem{Code: crossOrigin, Detail: "A browser asked on behalf of another site; this server answers its own pages and programs that are no browsers."}
		}
		return next(c)
	}
}

// loopback tells whether a Host header names this very machine.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.IsLoopback()
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// foreign tells whether a browser asks to read for another site. Following a
// link to a page is no such thing.
func foreign(r *http.Request) bool {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "same-origin", "none":
		return false
	case "":
		origin := r.Header.Get("Origin")
		if origin == "" {
			return false // no browser, or too old a one to read across sites without it
		}
		u, err := url.Parse(origin)
		return err != nil || u.Host != r.Host
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// An access is what a route asks of its caller.
type access string

// Every route names one of these.
const (
	public access = "public" // anyone who passes the guard
	read   access = "read"   // for now anyone, but not with a bad token
	report access = access(postgres.ScopeReport)
)

const tokenKey = "token" // of a request's postgres.Token

// check wraps a handler in what its route asks for.
func (s *Server) check(a access, h echo.HandlerFunc) echo.HandlerFunc {
	switch a {
	case public:
		return h
	case read:
		return func(c echo.Context) error {
			if c.Request().Header.Get("Authorization") == "" {
				return h(c)
			}
			if _, err := s.token(c.Request()); err != nil {
				return err
			}
			return h(c)
		}
	case report:
		return func(c echo.Context) error {
			t, err := s.token(c.Request())
			if err != nil {
				return err
			}
			if !slices.Contains(t.Scopes, postgres.ScopeReport) {
				return &ci.Problem{Code: tokenScope, Detail: "The token may not write; it needs the scope report."}
			}
			c.Set(tokenKey, t)
			return h(c)
		}
	}
	panic("server: a route without access: " + string(a))
}

// token finds the valid token of a request.
func (s *Server) token(r *http.Request) (postgres.Token, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return postgres.Token{}, &ci.Problem{Code: tokenMissing, Detail: "This needs a token: send Authorization: Bearer stp_…, a token with the scope report; the server says at its start where its first token lies."}
	}
	scheme, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return postgres.Token{}, &ci.Problem{Code: ci.TokenMalformed, Detail: "The Authorization header must be of the form Bearer stp_…."}
	}
	sum, err := ci.ParseToken(strings.TrimSpace(text))
	if err != nil {
		return postgres.Token{}, err
	}
	t, ok, err := s.store.FindToken(r.Context(), sum)
	if err != nil {
		return t, err
	}
	if !ok {
		return t, &ci.Problem{Code: tokenUnknown, Detail: "No token of this server has this text."}
	}
	return t, inForce(t, time.Now())
}

// inForce says why a token is no longer one.
func inForce(t postgres.Token, now time.Time) error {
	switch {
	case t.RevokedAt != nil:
		return &ci.Problem{Code: tokenRevoked, Detail: fmt.Sprintf("The token %s was revoked at %s.", printable(t.Name), t.RevokedAt.UTC().Format(time.RFC3339))}
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return &ci.Problem{Code: tokenExpired, Detail: fmt.Sprintf("The token %s expired at %s.", printable(t.Name), t.ExpiresAt.UTC().Format(time.RFC3339))}
	}
	return nil
}

// A buildHandler answers a request about one build.
type buildHandler func(c echo.Context, ref postgres.Ref) error

// build finds the build of a route with :id. One that the caller's token is
// not for does not exist.
func (s *Server) build(h buildHandler) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := ci.ParseBuildID(c.Param("id"))
		if err != nil {
			return err
		}
		ref, err := s.store.Lookup(c.Request().Context(), id)
		if errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
			return noBuild()
		}
		if err != nil {
			return fmt.Errorf("look up build %s: %w", id, err)
		}
		if t, ok := c.Get(tokenKey).(postgres.Token); ok && !ci.MatchProject(t.Project, ref.Project) {
			return noBuild()
		}
		return h(c, ref)
	}
}

// noBuild is the one answer for builds that are not there and those that are
// not for the caller.
func noBuild() error {
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build."}
}
