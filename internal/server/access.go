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
// only, since any other may be one that a hostile site points here. A browser
// that asks on behalf of another site is a stranger: it never writes, and reads
// what routes let anybody read.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	forgery := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		r := c.Request()
		if !s.cfg.Open && !loopback(r.Host) {
			return &ci.Problem{Code: badHost, Detail: fmt.Sprintf("This server answers to loopback names only, not to %s; use http://localhost, or start it with --open.", printable(r.Host))}
		}
		if forgery.Check(r) != nil {
			return refuseStranger()
		}
		return next(c)
	}
}

func refuseStranger() error {
	return &ci.Problem{Code: crossOrigin, Detail: "A browser asked on behalf of another site; this address answers this server's own pages and programs that are no browsers."}
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

// pictured tells whether a browser asks for a picture that another site may show,
// and measure. Over HTTP it says nothing of itself but in a loopback name, nor, if
// that site likes, where the picture is shown.
func pictured(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") != "" || !strings.HasPrefix(r.Header.Get("Accept"), "image/") {
		return false
	}
	u, err := url.Parse(r.Referer())
	return err != nil || u.Host != r.Host
}

// An access is what a route asks of its caller.
type access string

// Every route names one of these. Where it asks for no more than to read, a
// public project is open to anybody, and all are to a caller without a token
// who is no stranger; a token has to have a scope that will do.
const (
	public   access = "public"               // nothing; a token that is no good is as none
	status   access = "status, read"         // how builds and steps stand
	progress access = "status, read, report" // the same, of what a runner reports itself
	read     access = "read"                 // everything
	uploaded access = "read, report to HEAD" // the same; a runner asks how much of it is there
	settings access = "status, read, admin"  // what is set of a project
	report   access = "report"               // to write; a token is needed
	admin    access = "admin"                // to change what is set, and tokens; a token is needed
)

// needsToken tells whether nobody gets in without one.
func (a access) needsToken() bool { return a == report || a == admin }

// takes tells whether a token of that scope will do.
func (a access) takes(scope postgres.Scope, method string) bool {
	switch scope {
	case postgres.ScopeReport:
		return a == report || a == progress || a == uploaded && method == http.MethodHead
	case postgres.ScopeRead:
		return a == status || a == progress || a == settings || a == read || a == uploaded
	case postgres.ScopeStatus:
		return a == status || a == progress || a == settings
	case postgres.ScopeAdmin:
		return a == settings || a == admin
	}
	return false
}

// An origin is whose pages may use a route.
type origin string

// Strangers, which are browsers that ask on behalf of another site, only get to
// what is open to anywhere.
const (
	here     origin = "here"
	anywhere origin = "anywhere"
)

// A caller is who asks.
type caller struct {
	reach ci.Reach
	token *postgres.Token // nil: it has none
	sum   [32]byte        // of the token
}

// has tells whether the caller has a scope, or needs none.
func (w *caller) has(takes func(postgres.Scope) bool) bool {
	return w.token == nil || slices.ContainsFunc(w.token.Scopes, takes)
}

// text tells whether the caller may see the text of a project that it sees.
func (w *caller) text(public bool) bool {
	return public || w.has(func(scope postgres.Scope) bool { return scope == postgres.ScopeRead })
}

// Of a request.
const (
	callerKey    = "caller"           // its *caller
	inAddressKey = "token in address" // the token that its address had
)

// check wraps a route's handler in what the route asks for.
func (s *Server) check(r route) echo.HandlerFunc {
	if r.from != here && r.from != anywhere || !slices.Contains([]access{public, status, progress, read, uploaded, settings, report, admin}, r.access) {
		panic("server: a route that does not say who may use it: " + r.path)
	}
	return func(c echo.Context) error {
		if text, ok := takeToken(c.Request()); ok {
			c.Set(inAddressKey, text)
		}
		stranger := foreign(c.Request())
		switch {
		case r.from == anywhere:
			openToAnywhere(c.Response().Header(), stranger)
		case stranger:
			return refuseStranger()
		}
		if r.access == public {
			return r.handler(c)
		}
		who, err := s.caller(c)
		if err != nil {
			return err
		}
		if r.access.needsToken() && who.token == nil {
			return &ci.Problem{Code: tokenMissing, Detail: fmt.Sprintf("This needs a token: send Authorization: Bearer stp_…, a token with the scope %s; the server says at its start where its first token lies.", r.access)}
		}
		c.Set(callerKey, who)
		able := who.has(func(scope postgres.Scope) bool { return r.access.takes(scope, c.Request().Method) })
		if ofBuild := strings.Contains(r.path, "/builds/:id"); !able && ofBuild && !r.access.needsToken() {
			c.Set(publicOnlyKey, r.access) // see build
		} else if !able {
			return lacksScope(r.access)
		}
		return r.handler(c)
	}
}

// publicOnlyKey is of the access of a request whose token has not the scope
// for it: builds of public projects are open to it all the same.
const publicOnlyKey = "public only"

func lacksScope(a access) error {
	if a.needsToken() {
		return &ci.Problem{Code: tokenScope, Detail: fmt.Sprintf("The token may not do this; it needs the scope %s.", a)}
	}
	return &ci.Problem{Code: tokenScope, Detail: fmt.Sprintf("The token has none of the scopes that are good for this: %s.", a)}
}

// reach is which projects the caller of a request may see.
func (s *Server) reach(c echo.Context) ci.Reach { return s.who(c).reach }

// who is the caller of a request. On a public route, where none was asked for,
// a token that is no good makes its caller a stranger.
func (s *Server) who(c echo.Context) *caller {
	if who, ok := c.Get(callerKey).(*caller); ok {
		return who
	}
	who, err := s.caller(c)
	if err != nil || !who.has(func(scope postgres.Scope) bool { return status.takes(scope, http.MethodGet) }) {
		who = &caller{}
	}
	c.Set(callerKey, who)
	return who
}

// caller finds out who asks.
func (s *Server) caller(c echo.Context) (*caller, error) {
	r := c.Request()
	text, inAddress := c.Get(inAddressKey).(string)
	header := r.Header.Get("Authorization")
	switch {
	case header != "":
		scheme, rest, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, &ci.Problem{Code: ci.TokenMalformed, Detail: "The Authorization header must be of the form Bearer stp_…."}
		}
		text, inAddress = strings.TrimSpace(rest), false
	case !inAddress:
		return &caller{reach: ci.Reach{All: !foreign(r) && !pictured(r)}}, nil
	case text == noToken:
		return &caller{}, nil
	}
	sum, err := ci.ParseToken(text)
	if err != nil {
		return nil, err
	}
	t, ok, err := s.store.FindToken(r.Context(), sum)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &ci.Problem{Code: tokenUnknown, Detail: "No token of this server has this text."}
	}
	if err := inForce(t, time.Now()); err != nil {
		return nil, err
	}
	if inAddress && slices.ContainsFunc(t.Scopes, func(scope postgres.Scope) bool { return scope != postgres.ScopeStatus }) {
		return nil, &ci.Problem{Code: tokenInAddress, Detail: "Addresses are seen by many, so that a token in one may have the scope status and no other; send this one as Authorization: Bearer stp_…."}
	}
	return &caller{reach: ci.Reach{Pattern: t.Project}, token: &t, sum: sum}, nil
}

// noToken stands for a token where a page of this server asks with a stranger's
// eyes: a frame that is shown on pages of others.
const noToken = "none"

// takeToken takes the parameter token out of the address of a request to read,
// so that it gets into nothing that repeats the address.
func takeToken(r *http.Request) (text string, ok bool) {
	if r.URL.RawQuery == "" || !safe(r.Method) {
		return "", false
	}
	rest := make([]string, 0, 8)
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name, _ = url.QueryUnescape(name); name != "token" {
			rest = append(rest, part)
		} else if !ok {
			text, _ = url.QueryUnescape(value)
			ok = true
		}
	}
	if ok {
		r.URL.RawQuery = strings.Join(rest, "&")
	}
	return text, ok
}

// What scripts of other sites may read of an answer.
const exposedHeaders = "ETag, Upload-Offset, Stepcast-SGR, Stepcast-Holes, Retry-After"

// variesBy is what an answer depends on besides its address: see foreign and caller.
const variesBy = "Origin, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest, Authorization"

// openToAnywhere lets the scripts of other sites read an answer, whatever comes
// of it. What they get is not what the server's own pages get, so no cache may
// take the one for the other.
func openToAnywhere(h http.Header, stranger bool) {
	h.Add("Vary", variesBy)
	if stranger {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", exposedHeaders)
	}
}

// preflight answers a browser that asks what another site's script may send.
func preflight(c echo.Context) error {
	switch c.Request().Header.Get("Access-Control-Request-Method") {
	case http.MethodGet, http.MethodHead:
	default:
		return refuseStranger()
	}
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "Authorization, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "7200") // seconds; browsers keep it no longer
	return c.NoContent(http.StatusNoContent)
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

// build finds the build of a route with :id.
func (s *Server) build(h buildHandler) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := ci.ParseBuildID(c.Param("id"))
		if err != nil {
			return err
		}
		ref, err := s.seen(c, id)
		if err != nil {
			return err
		}
		return h(c, ref)
	}
}

// seen finds a build that the caller may see. Any other does not exist.
func (s *Server) seen(c echo.Context, id ci.BuildID) (postgres.Ref, error) {
	ref, err := s.store.Lookup(c.Request().Context(), id)
	if errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
		return ref, noBuild()
	}
	if err != nil {
		return ref, fmt.Errorf("look up build %s: %w", id, err)
	}
	reach := s.reach(c)
	if reach.All {
		return ref, nil
	}
	public := false
	if safe(c.Request().Method) { // what is public is so to be read
		if public, err = s.isPublic(c.Request().Context(), ref.Project); err != nil {
			return ref, err
		}
	}
	if !reach.Sees(ref.Project, public) {
		return ref, noBuild()
	}
	if a, ok := c.Get(publicOnlyKey).(access); ok && !public {
		return ref, lacksScope(a)
	}
	ref.Public = public // known later than ref is
	return ref, nil
}

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// noBuild is the one answer for builds that are not there and those that are
// not for the caller.
func noBuild() error {
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build."}
}
