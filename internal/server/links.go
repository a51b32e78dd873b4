package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// How long a link lasts.
const (
	defaultLink = 7 * 24 * time.Hour
	longestLink = 90 * 24 * time.Hour
)

// linkJSON is what is told of a link to one build.
type linkJSON struct {
	ID        string     `json:"id"`
	Build     ci.BuildID `json:"build"`
	Scope     ci.Scope   `json:"scope"` // read or status
	MadeBy    ci.Text    `json:"made_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	UsedAt    *time.Time `json:"used_at"` // the last time that it was opened, a minute late at most
	UsedFrom  ci.Text    `json:"used_from"`
}

func newLinkJSON(t postgres.Token) linkJSON {
	return linkJSON{
		ID: t.ID, Build: t.Build, Scope: t.Scopes[0], MadeBy: ci.Text(t.MadeBy),
		CreatedAt: t.CreatedAt, ExpiresAt: *t.ExpiresAt, RevokedAt: t.RevokedAt, UsedAt: t.UsedAt, UsedFrom: ci.Text(t.UsedFrom),
	}
}

// createLink makes a link to a build, whose address is told this once.
func (s *Server) createLink(c echo.Context, ref postgres.Ref) error {
	if _, err := query(c); err != nil {
		return err
	}
	body, err := readObject(c.Request())
	if err != nil {
		return err
	}
	scope, expires, err := decodeLink(body, time.Now())
	if err != nil {
		return err
	}
	base, err := s.base(c)
	if err != nil {
		return err
	}
	t, text, err := s.makeLink(c, ref, scope, expires, rand.Reader)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Location", "/api/v1/links/"+t.ID)
	return s.json(c, http.StatusCreated, struct {
		linkJSON
		URL string `json:"url"`
	}{newLinkJSON(t), base + linkPath(ref.ID, text)})
}

// makeLink makes a link to a build and returns it with its text.
func (s *Server) makeLink(c echo.Context, ref postgres.Ref, scope ci.Scope, expires time.Time, random io.Reader) (postgres.Token, string, error) {
	text := ci.LinkFrom(random)
	sum, _ := ci.ParseLink(text)
	t, err := s.store.AddToken(c.Request().Context(), s.actor(c), sum, postgres.Token{Scopes: []ci.Scope{scope}, Project: ref.Project, Build: ref.ID, Link: true, ExpiresAt: &expires})
	if err != nil {
		return t, "", fmt.Errorf("create a link: %w", err)
	}
	return t, text, nil
}

// linkPath is the address of a build for whoever has the text of a link to it.
func linkPath(build ci.BuildID, text string) string {
	return withQuery(buildPath(build), url.Values{linkParam: {text}})
}

// linkParam is the parameter of such an address.
const linkParam = "link"

// buildPage answers with the page of a build. For whoever comes with a link it is
// opened first.
func (s *Server) buildPage(c echo.Context) error {
	if text, ok := takeParam(c.Request(), linkParam); ok {
		return s.openLink(c, text)
	}
	return s.page(c)
}

// openLink lets the browser of a request see the build that a link is for from
// now on, and sends it there, to an address without the link's text: that gets
// into no history, no Referer and no log. Whoever only looks, as a prefetch does or
// what makes a preview and asks for no page, is no visitor.
func (s *Server) openLink(c echo.Context, text string) error {
	r, h := c.Request(), c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	if prefetches(r) { // the browser comes again when somebody goes there
		return c.NoContent(http.StatusServiceUnavailable)
	}
	build, err := ci.ParseBuildID(c.Param("id"))
	if err != nil {
		return err
	}
	sum, ok := ci.ParseLink(text)
	if !ok {
		return &ci.Problem{Code: linkUnknown, Detail: "This link was not copied whole: ask whoever sent it to you to send it again."}
	}
	t, ok, err := s.findToken(c, sum)
	switch {
	case err != nil:
		return err
	case !ok || !t.Link || t.Build != build:
		return s.failed(c, &ci.Problem{Code: linkUnknown, Detail: "No link to this build has this text; ask whoever sent it to you for another one."})
	case t.RevokedAt != nil:
		return &ci.Problem{Code: linkRevoked, Detail: "This link was revoked " + on(*t.RevokedAt) + "; ask whoever sent it to you for another one."}
	case !time.Now().Before(*t.ExpiresAt):
		return &ci.Problem{Code: linkExpired, Detail: "This link expired " + on(*t.ExpiresAt) + "; ask whoever sent it to you for another one."}
	}
	if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		if err := s.keepLink(c, t); err != nil {
			return err
		}
		s.store.TokenUsed(sum, s.clientAddr(c))
	}
	h.Set("Location", withQuery(buildPath(build), r.URL.Query())) // without the link
	return c.NoContent(http.StatusSeeOther)
}

// on is a moment in a sentence for people.
func on(at time.Time) string { return "on " + at.UTC().Format("2 January 2006 at 15:04 UTC") }

// prefetches tells whether a browser asks for what nobody has gone to yet.
func prefetches(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		if purpose := r.Header.Get(name); strings.HasPrefix(purpose, "prefetch") || purpose == "preview" {
			return true
		}
	}
	return false
}

// keepLink opens a link in the session of a browser, where it is not open yet.
// Whoever has the link can ask for that without end, so it counts as signing in.
func (s *Server) keepLink(c echo.Context, link postgres.Token) error {
	who, err := s.visitor(c)
	switch {
	case errors.Is(err, &ci.Problem{Code: sessionEnded}):
		who = &caller{}
	case err != nil:
		return err
	case slices.Contains(who.tokens, link.Sum):
		return nil
	}
	if err := s.mayTry(c, &s.limits.openings, "open links"); err != nil {
		return err
	}
	session, err := s.sessionForLink(c, who, link)
	if err != nil {
		return err
	}
	if err := s.store.OpenLink(c.Request().Context(), session, link); err != nil {
		return fmt.Errorf("open a link: %w", err)
	}
	return nil
}

// sessionForLink is the session in which a link is opened: the browser's own. One
// that has none, or one of nobody that ends before the link does, gets one that
// lasts longer than the link, so that it does for the next one too. Over HTTP a page of a
// neighbour of this host can have put its own session's cookie there: it gets another, with
// all that it showed, and that one is over.
func (s *Server) sessionForLink(c echo.Context, who *caller, link postgres.Token) (id int64, err error) {
	v := who.session
	ofSomebody := v != nil && (v.Token != nil || v.Person.Subject != "")
	planted := v != nil && !s.secure(c) && !loopback(c.Request().Host)
	if !planted && (ofSomebody || v != nil && !v.ExpiresAt.Before(*link.ExpiresAt)) {
		return v.ID, nil
	}
	text := ci.NewSession()
	key, _ := ci.ParseSession(text)
	lasts := time.Until(*link.ExpiresAt) + 24*time.Hour
	var begun postgres.Session
	if v == nil {
		begun, err = s.store.AddSession(c.Request().Context(), s.actorOf(c, who), key, postgres.Session{}, lasts, 0)
	} else {
		if left := time.Until(v.ExpiresAt); ofSomebody || left > lasts {
			lasts = left
		}
		begun, err = s.store.ReplaceSession(c.Request().Context(), key, *v, lasts)
	}
	if err != nil {
		return 0, fmt.Errorf("begin a session for a link: %w", err)
	}
	s.setCookie(c, sessionCookie, text, time.Until(begun.ExpiresAt))
	return begun.ID, nil
}

func decodeLink(body []byte, now time.Time) (scope ci.Scope, expires time.Time, err error) {
	scope, expires = ci.ScopeRead, ci.Cut(now.Add(defaultLink))
	d := updatesDecoder{decoder: *newDecoder(body)}
	said := 0
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "scope":
			if scope = ci.Scope(d.str()); scope != ci.ScopeRead && scope != ci.ScopeStatus {
				d.invalid("A link has the scope read or status, not %s.", printable(string(scope)))
			}
		case "expires_in":
			said++
			expires = d.lasting(now, longestLink)
		case "expires_at":
			said++
			if expires = d.timestamp(); d.err == nil && (!expires.After(now) || expires.After(now.Add(longestLink))) {
				d.invalid("The field expires_at is a time to come, in %d days at most.", longestLink/(24*time.Hour))
			}
		default:
			d.unknown("scope, expires_in and expires_at")
		}
	}
	d.end()
	if said > 1 {
		d.invalid("Give expires_in or expires_at, not both.")
	}
	if d.err != nil {
		return scope, expires, d.err
	}
	return scope, expires, nil
}

// lasting reads how many seconds something lasts, and returns when it ends.
func (d *updatesDecoder) lasting(now time.Time, most time.Duration) time.Time {
	return ci.Cut(now.Add(time.Duration(d.integer(1, int64(most/time.Second))) * time.Second))
}

// listLinks answers with the links to a build, those that have ended too.
func (s *Server) listLinks(c echo.Context, ref postgres.Ref) error {
	q, err := query(c, "limit", "before")
	if err != nil {
		return err
	}
	limit, err := listedParam(q)
	if err != nil {
		return err
	}
	links, next, err := s.store.Tokens(c.Request().Context(), []string{ref.Project}, postgres.TokensQuery{Links: ref.ID, Limit: limit, Before: q.Get("before")})
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	return s.listed(c, q, next, struct {
		Links []linkJSON `json:"links"`
		Next  ci.Text    `json:"next"`
	}{each(links, newLinkJSON), ci.Text(next)})
}

// revokeLink ends a link for good. To end it twice is to end it once.
func (s *Server) revokeLink(c echo.Context) error {
	if err := s.store.RevokeLink(c.Request().Context(), s.actor(c), s.who(c).patterns(asked(c)), c.Param("link")); err != nil {
		return fmt.Errorf("revoke a link: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}
