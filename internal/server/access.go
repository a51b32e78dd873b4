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

// guard is the door. A server without sign-in answers to loopback names only,
// since any other may be one that a hostile site points here. What a trusted
// proxy says counts beside the Host that came, not in place of it: on the
// proxy's machine a page can say it too. A browser that asks on behalf of another
// site is a stranger: it never writes, and reads what routes let anybody read.
func (s *Server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	forgery := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		r := c.Request()
		if !s.cfg.Open && !s.cfg.SignIn {
			hosts := []string{r.Host}
			if inner, ok := c.Get(innerHostKey).(string); ok {
				hosts = append(hosts, inner)
			}
			for _, host := range hosts {
				if !loopback(host) {
					return &ci.Problem{Code: badHost, Detail: fmt.Sprintf("This server answers to loopback names only, not to %s; use http://localhost, or start it with --open.", printable(host))}
				}
			}
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

// loopback tells whether a Host header names this very machine, and browsers take it for
// that: they do not take ::ffff:127.0.0.1, and do not say there for which site they ask.
func loopback(host string) bool {
	if addr, err := netip.ParseAddr(hostName(host)); err == nil {
		return addr.IsLoopback() && !addr.Is4In6()
	}
	return localName(host)
}

// hostName is the name or the address in a Host header.
func hostName(host string) string {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	return strings.ToLower(strings.TrimSuffix(name, "."))
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

// unsaid tells whether a browser asks and does not say for which site, as over HTTP but in
// a loopback name: a page of another site may have it ask, and see no answer, but measure
// a picture, or for how long it waits. What this server's own pages ask for has their
// address as its Referer.
func (s *Server) unsaid(c echo.Context) bool {
	h := c.Request().Header
	return s.saysNoSite(c) && !s.isHere(c, h.Get("Origin")) && !s.isHere(c, h.Get("Referer"))
}

// saysNoSite tells whether a browser asks that never says for which site. A browser is what
// calls itself one and says which languages are read, as no page can keep it from; and what
// asks for a picture.
func (s *Server) saysNoSite(c echo.Context) bool {
	r := c.Request()
	_, read := r.Header["Accept-Language"]
	browser := read && strings.HasPrefix(r.UserAgent(), "Mozilla/") && !loopback(r.Host)
	return r.Header.Get("Sec-Fetch-Site") == "" && !s.secure(c) && (browser || strings.HasPrefix(r.Header.Get("Accept"), "image/"))
}

// isHere tells whether an address is one of this server.
func (s *Server) isHere(c echo.Context, address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && s.serves(c, u)
}

// navigates tells, of what does not say for which site, whether somebody goes to the
// address: what a page asks for cannot have that header, but in a frame.
func navigates(r *http.Request) bool {
	return r.Header.Get("Upgrade-Insecure-Requests") != "" && !prefetches(r)
}

// ledTo tells whether a browser goes where a page of another site may have led it.
func (s *Server) ledTo(c echo.Context) bool {
	switch c.Request().Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		return s.unsaid(c)
	}
	return true
}

// linked tells whether who follows a link of another site to an address sees there what
// they may see: pages and logs. What else there is is for programs, and that site can tell
// whether a window shows it, by the time that takes, or whether it stays as it was, as at a
// download or a 204.
func linked(r *http.Request) bool {
	log := strings.HasPrefix(r.URL.Path, "/api/v1/builds/") && strings.HasSuffix(r.URL.Path, "/log") && !r.URL.Query().Has("download")
	return log || !beginsWith(r.URL.Path, forPrograms...)
}

// An access is what a route asks of its caller.
type access string

// Every route names one of these. Where it asks for no more than to read, a
// public project is open to anybody, and all are to a caller of a server
// without sign-in who shows nothing and is no stranger. Whoever shows something
// needs a grant with a scope that will do.
const (
	public   access = "public"               // nothing; a token that is no good is as none
	status   access = "status, read"         // how builds and steps stand
	progress access = "status, read, report" // the same, of what a runner reports itself
	read     access = "read"                 // everything
	uploaded access = "read, report to HEAD" // the same; a runner asks how much of it is there
	settings access = "status, read, admin"  // what is set of a project
	report   access = "report"               // to write; a token is needed
	admin    access = "admin"                // to change what is set, and tokens; a token is needed
	anyone   access = "any"                  // nothing, but not what is no good either
)

// needsGrant tells whether nobody gets in without one.
func (a access) needsGrant() bool { return a == report || a == admin }

// takes tells whether a scope will do.
func (a access) takes(scope ci.Scope, method string) bool {
	if a == anyone {
		return true
	}
	switch scope {
	case ci.ScopeReport:
		return a == report || a == progress || a == uploaded && method == http.MethodHead
	case ci.ScopeRead:
		return a == status || a == progress || a == settings || a == read || a == uploaded
	case ci.ScopeStatus:
		return a == status || a == progress || a == settings
	case ci.ScopeAdmin:
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

// A caller is who asks, and what it was given.
type caller struct {
	open    bool // reads everything that is not written by runners alone: there is no sign-in
	grants  []ci.Grant
	tokens  [][32]byte        // the sums of those by which it was given them
	token   *postgres.Token   // nil: it has shown none
	session *postgres.Session // nil: it has none
	cookie  string            // of the session
	guest   string            // the link and the address of a session of nobody; "": it is counted by itself
	refused error             // why the token that it has shown is no good, where that makes it a stranger
}

// hold gives the caller what a token is for. To report takes the token itself:
// a session with it, or a link, does not.
func (w *caller) hold(t postgres.Token) {
	g := t.Grant()
	if w.session != nil {
		g.Scopes = slices.DeleteFunc(slices.Clone(g.Scopes), func(scope ci.Scope) bool { return scope == ci.ScopeReport })
	}
	w.grants, w.tokens = append(w.grants, g), append(w.tokens, t.Sum)
}

// shows tells whether the caller has said who it is.
func (w *caller) shows() bool { return w.token != nil || w.session != nil }

// visits tells whether it sees what it does by the browser that it comes in, or as this
// server asks nobody: then a page of another site may have sent it.
func (w *caller) visits() bool { return w.token == nil && (w.open || w.session != nil) }

// able tells whether the caller may do such a thing anywhere. Without a token
// that is to look at what is public.
func (w *caller) able(a access, method string) bool {
	if w.token == nil && !a.needsGrant() {
		return true
	}
	return slices.ContainsFunc(w.grants, func(g ci.Grant) bool { return a.givenBy(g, method) })
}

// may tells whether the caller may do such a thing to a build, or with the zero
// id to a project, that is not public.
func (w *caller) may(a access, method, project string, build ci.BuildID) bool {
	return w.open && !a.needsGrant() || slices.ContainsFunc(w.grants, func(g ci.Grant) bool {
		return a.givenBy(g, method) && g.Covers(project, build)
	})
}

// knows tells whether the caller was given anything for a build, or with the
// zero id for a project: it may learn that there is such a thing.
func (w *caller) knows(project string, build ci.BuildID) bool {
	return w.open || slices.ContainsFunc(w.grants, func(g ci.Grant) bool { return g.Covers(project, build) })
}

// text tells whether the caller may see the text of a build that it sees.
func (w *caller) text(project string, build ci.BuildID, public bool) bool {
	return public || w.may(read, http.MethodGet, project, build)
}

// patterns are the projects all of which the caller may do such a thing to.
func (w *caller) patterns(a access, method string) (patterns []string) {
	for _, g := range w.grants {
		if g.Whole() && a.givenBy(g, method) && !slices.Contains(patterns, g.Project) {
			patterns = append(patterns, g.Project)
		}
	}
	return patterns
}

// reach is which projects the caller may see as a route asks for it.
func (w *caller) reach(a access, method string) ci.Reach {
	if w.open && !a.needsGrant() {
		return ci.Reach{All: true}
	}
	return ci.Reach{Patterns: w.patterns(a, method)}
}

// givenBy tells whether a grant has a scope that will do.
func (a access) givenBy(g ci.Grant, method string) bool {
	return g.Has(func(scope ci.Scope) bool { return a.takes(scope, method) })
}

// Of a request.
const (
	callerKey    = "caller"           // its *caller
	accessKey    = "access"           // the access of its route
	inAddressKey = "token in address" // the token that its address had
)

// check wraps a route's handler in what the route asks for.
func (s *Server) check(r route) echo.HandlerFunc {
	if r.from != here && r.from != anywhere || !slices.Contains([]access{public, status, progress, read, uploaded, settings, report, admin, anyone}, r.access) {
		panic("server: a route that does not say who may use it: " + r.path)
	}
	return func(c echo.Context) error {
		c.Set(routeKey, r.path)
		if text, ok := takeParam(c.Request(), "token"); ok {
			c.Set(inAddressKey, text)
		}
		session, _ := takeParam(c.Request(), "session")
		if session != "" && strings.Trim(session, "0123456789") != "" {
			return &ci.Problem{Code: ci.Invalid, Field: "session", Detail: "The parameter session is the number of a session, as the document of a page has it."}
		}
		stranger := foreign(c.Request())
		switch {
		case r.from == anywhere:
			openToAnywhere(c.Response().Header(), stranger)
		case stranger:
			return refuseStranger()
		case r.access != public:
			c.Response().Header().Add("Vary", variesByCaller)
		}
		if r.from == anywhere && !strings.HasPrefix(r.path, "/api/") {
			embeddable(c.Response().Header())
		}
		c.Set(accessKey, r.access)
		if r.access == public {
			if err := s.admit(c, r.access, nil); err != nil {
				return err
			}
			leaveEntrance(c.Request())
			return r.handler(c)
		}
		who, err := s.caller(c)
		if err != nil {
			return err
		}
		if err := s.admit(c, r.access, who); err != nil {
			return err
		}
		if session != "" && s.cfg.SignIn && !who.shows() && !s.ledTo(c) {
			return signedOut() // in another tab: what is public would be taken for all there is
		}
		leaveEntrance(c.Request())
		if r.access.needsGrant() && !who.shows() {
			if c.Request().URL.Query().Has("token") {
				return tokenAddressed()
			}
			return missingToken(r.access)
		}
		c.Set(callerKey, who)
		ofBuild := strings.Contains(r.path, "/builds/:id") && !r.access.needsGrant() // builds of public projects are open all the same: see seen
		if !ofBuild && !who.able(r.access, c.Request().Method) {
			return who.lacks(r.access)
		}
		if r.access == report && c.Request().URL.RawQuery != "" { // an offset there would be lost, and the text stored twice
			if _, err := query(c); err != nil {
				return err
			}
		}
		return r.handler(c)
	}
}

func missingToken(a access) error {
	return &ci.Problem{Code: tokenMissing, Detail: fmt.Sprintf("This needs a token: send Authorization: Bearer stp_…, a token with the scope %s; the server says at its start where its first token lies.", a)}
}

func tokenAddressed() error {
	return &ci.Problem{Code: tokenInAddress, Detail: "Addresses are seen by many, so that a token in one may have the scope status and no other; send this one as Authorization: Bearer stp_…."}
}

// lacks says that the caller was not given what a route asks for.
func (w *caller) lacks(a access) error {
	switch {
	case w.session != nil && a == report:
		return &ci.Problem{Code: tokenScope, Detail: "A session makes no reports, whatever it was begun with: send Authorization: Bearer stp_…, a token with the scope report."}
	case w.session != nil && w.session.Token == nil:
		return &ci.Problem{Code: tokenScope, Detail: fmt.Sprintf("This takes a role that you were not given (%s).", a)}
	case a.needsGrant():
		return &ci.Problem{Code: tokenScope, Detail: fmt.Sprintf("The token may not do this; it needs the scope %s.", a)}
	}
	return &ci.Problem{Code: tokenScope, Detail: fmt.Sprintf("The token has none of the scopes that are good for this: %s.", a)}
}

// asked is what a request asks for. A public route shows how things stand to
// whoever may see it.
func asked(c echo.Context) (access, string) {
	a, _ := c.Get(accessKey).(access)
	if a == public {
		a = status
	}
	return a, c.Request().Method
}

// reach is which projects the caller of a request may see for what it asks.
func (s *Server) reach(c echo.Context) ci.Reach { return s.who(c).reach(asked(c)) }

// who is the caller of a request. On a public route, where none was asked for,
// a token that is no good makes its caller a stranger.
func (s *Server) who(c echo.Context) *caller {
	if who, ok := c.Get(callerKey).(*caller); ok {
		return who
	}
	who, err := s.caller(c)
	switch {
	case errors.Is(err, &ci.Problem{Code: sessionEnded}):
		who = s.nobody()
	case err != nil || !who.able(status, http.MethodGet):
		who = &caller{refused: err}
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
		if text == "" {
			return nil, &ci.Problem{Code: ci.TokenMalformed, Detail: "Nothing follows Bearer in the Authorization header; the variable that the token is taken from may be empty."}
		}
	case !inAddress && (foreign(r) || s.unsaid(c) && !navigates(r) || s.ledTo(c) && !linked(r)):
		return &caller{}, nil
	case !inAddress && beginsWith(r.URL.Path, "/embed/"): // who looks at it is not who shows it
		return s.nobody(), nil
	case !inAddress:
		return s.visitor(c)
	case text == noToken:
		return &caller{}, nil
	}
	sum, err := ci.ParseToken(text)
	if err != nil {
		return nil, s.failed(c, err)
	}
	t, ok, err := s.findToken(c, sum)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, s.failed(c, unknownToken())
	}
	if err := inForce(t, time.Now()); err != nil {
		return nil, s.failed(c, err)
	}
	if inAddress && slices.ContainsFunc(t.Scopes, func(scope ci.Scope) bool { return scope != ci.ScopeStatus }) {
		return nil, tokenAddressed()
	}
	s.store.TokenUsed(sum, s.clientAddr(c))
	who := &caller{token: &t}
	who.hold(t)
	return who, nil
}

func unknownToken() error {
	return &ci.Problem{Code: tokenUnknown, Detail: "No token of this server has this text."}
}

func (s *Server) findToken(c echo.Context, sum [32]byte) (t postgres.Token, ok bool, err error) {
	leaveEntrance(c.Request()) // the database may take its time
	ctx := c.Request().Context()
	if s.store.KnewToken(sum) {
		return s.store.FindToken(ctx, sum)
	}
	done, err := s.suspect(ctx, s.clientAddr(c))
	if err != nil {
		return t, false, err
	}
	defer done()
	return s.store.FindToken(ctx, sum)
}

// noToken stands for a token where a page of this server asks with a stranger's
// eyes: a frame that is shown on pages of others.
const noToken = "none"

// takeParam takes a secret out of the address of a request to read, so that it
// gets into nothing that repeats the address.
func takeParam(r *http.Request, secret string) (text string, ok bool) {
	if r.URL.RawQuery == "" || !safe(r.Method) {
		return "", false
	}
	rest := make([]string, 0, 8)
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name, _ = url.QueryUnescape(name); name != secret {
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

// What an answer depends on besides its address: who asks, and for which site,
// where that makes a difference; see foreign and caller.
const (
	variesByCaller = "Authorization, Cookie"
	variesBySite   = "Origin, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest"
)

// openToAnywhere lets the scripts of other sites read an answer, whatever comes
// of it. What they get is not what the server's own pages get, so no cache may
// take the one for the other.
func openToAnywhere(h http.Header, stranger bool) {
	h.Add("Vary", variesBySite+", "+variesByCaller)
	if stranger {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", exposedHeaders)
	}
}

// preflight answers a browser that asks what another site's script may send, and
// anybody else what there is.
func preflight(c echo.Context) error {
	h := c.Response().Header()
	if !foreign(c.Request()) {
		var methods []string
		for _, r := range c.Echo().Routes() {
			if r.Path == c.Path() {
				methods = append(methods, r.Method)
			}
		}
		slices.Sort(methods)
		h.Set("Allow", strings.Join(methods, ", "))
		return c.NoContent(http.StatusNoContent)
	}
	switch c.Request().Header.Get("Access-Control-Request-Method") {
	case http.MethodGet, http.MethodHead:
	default:
		return refuseStranger()
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "Authorization, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "7200") // seconds; browsers keep it no longer
	return c.NoContent(http.StatusNoContent)
}

// inForce says why a token is no longer one.
func inForce(t postgres.Token, now time.Time) error {
	called := "The token"
	if t.Name != "" {
		called += " " + printable(t.Name)
	}
	switch {
	case t.RevokedAt != nil:
		return &ci.Problem{Code: tokenRevoked, Detail: fmt.Sprintf("%s was revoked %s; ask for another one.", called, on(*t.RevokedAt))}
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return &ci.Problem{Code: tokenExpired, Detail: fmt.Sprintf("%s expired %s; ask for another one.", called, on(*t.ExpiresAt))}
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

// seen finds a build that the caller may see. Any other does not exist, and
// neither what the answer says nor the time that it takes tells which it is: who
// asks and what is public is found out first, and the database is asked once.
func (s *Server) seen(c echo.Context, id ci.BuildID) (postgres.Ref, error) {
	ctx := c.Request().Context()
	who := s.who(c)
	a, method := asked(c)
	all := who.open && !a.needsGrant()
	public := new(ci.Publics)
	if !all && safe(method) && !a.needsGrant() { // what is public is so to be read
		var err error
		if public, err = s.publics(ctx); err != nil {
			return postgres.Ref{}, err
		}
	}
	ref, err := s.lookup(c, id)
	switch {
	case errors.Is(err, &ci.Problem{Code: ci.NotFound}):
		return ref, s.unseen(c, a)
	case err != nil:
		return ref, fmt.Errorf("look up build %s: %w", id, err)
	case all:
		return ref, nil
	}
	ref.Public = public.Projects[ref.Project].Public // ref may be of longer ago
	switch {
	case ref.Public || who.may(a, method, ref.Project, id):
		return ref, nil
	case who.knows(ref.Project, id):
		return ref, who.lacks(a)
	case ref.Kept:
		if err := s.askAnyway(c); err != nil {
			return ref, fmt.Errorf("look up build %s: %w", id, err)
		}
	}
	return ref, s.unseen(c, a)
}

// lookup finds a build. What was not found lately is asked of the database, in turns: one
// may ask without end for builds that are not there, and who writes waits for the same
// connections.
func (s *Server) lookup(c echo.Context, id ci.BuildID) (postgres.Ref, error) {
	if ref, ok := s.store.KnewBuild(id); ok {
		return ref, nil
	}
	leave, err := s.enter(c, s.lookups)
	if err != nil {
		return postgres.Ref{}, err
	}
	defer leave()
	return s.store.Lookup(c.Request().Context(), id)
}

// askAnyway makes what was kept take as long as what is not there, which never is kept:
// one question to the database.
func (s *Server) askAnyway(c echo.Context) error {
	if _, err := s.lookup(c, ci.BuildID{}); !errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
		return err
	}
	return nil
}

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// unseen is noBuild for who may have come by a link of another site, which led a stranger.
func (s *Server) unseen(c echo.Context, a access) error {
	if a != report && s.ledTo(c) && !linked(c.Request()) {
		return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build, or none that may be seen by a link of another site; load the address anew."}
	}
	return noBuild(a)
}

// noBuild is the one answer for builds that are not there and those that are
// not for the caller.
func noBuild(a access) error {
	if a == report {
		return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build, or none that the token is for; create it first with POST /api/v1/builds."}
	}
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build, or none that may be seen without a token for it, or without signing in."}
}
