package server

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// settingsJSON is what can be set of a project.
type settingsJSON struct {
	Name           string   `json:"name"`
	Visibility     string   `json:"visibility"`
	FrameAncestors []string `json:"frame_ancestors"` // origins; null: any
}

func newSettingsJSON(v postgres.Settings) settingsJSON {
	return settingsJSON{v.Project, visibility(v.Public), v.FrameAncestors}
}

func visibility(public bool) string {
	if public {
		return "public"
	}
	return "private"
}

// getProject answers with a project's settings.
func (s *Server) getProject(c echo.Context) error {
	if _, err := query(c); err != nil {
		return err
	}
	v, err := s.project(c)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	return s.json(c, http.StatusOK, newSettingsJSON(v))
}

// project reads the settings of the project in an address, if they are for the
// caller: where something is asked for that takes a grant, it does not matter
// whether the project is public.
func (s *Server) project(c echo.Context) (v postgres.Settings, err error) {
	project, err := projectParam(c)
	if err != nil {
		return v, err
	}
	v, err = s.store.Settings(c.Request().Context(), project)
	if a, _ := asked(c); err == nil && !s.reach(c).Sees(v.Project, v.Public && !a.needsGrant()) {
		err = noProject()
	}
	if err != nil {
		return v, fmt.Errorf("read settings: %w", err)
	}
	return v, nil
}

// patchProject changes a project's settings: those that are named.
func (s *Server) patchProject(c echo.Context) error {
	project, err := projectParam(c)
	if err != nil {
		return err
	}
	if !s.reach(c).Sees(project, false) {
		return noProject()
	}
	body, err := readObject(c.Request())
	if err != nil {
		return err
	}
	change, err := decodeSettings(body)
	if err != nil {
		return err
	}
	v, err := s.changeSettings(c, project, change)
	if err != nil {
		return err
	}
	return s.json(c, http.StatusOK, newSettingsJSON(v))
}

// changeSettings changes those of a project that the caller administers.
func (s *Server) changeSettings(c echo.Context, project string, change postgres.SettingsChange) (postgres.Settings, error) {
	v, err := s.store.ChangeSettings(c.Request().Context(), s.actor(c), project, change)
	s.sight.change() // if it failed, it may have come to pass all the same
	if err != nil {
		return v, fmt.Errorf("change settings: %w", err)
	}
	return v, nil
}

// noProject is the one answer for projects that are not there and those that
// are not for the caller.
func noProject() error {
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such project; the first report makes it."}
}

// projectParam reads the project at the end of an address, with plain or
// escaped slashes.
func projectParam(c echo.Context) (string, error) {
	project, ok := star(c)
	if !ok {
		return "", &ci.Problem{Code: ci.Invalid, Field: "project", Detail: "The project in the address is not escaped correctly."}
	}
	return project, ci.CheckProject(project)
}

// readObject reads a body that is one JSON object.
func readObject(r *http.Request) ([]byte, error) {
	if err := isObject(r); err != nil {
		return nil, err
	}
	return readBody(r)
}

func isObject(r *http.Request) error {
	if kind := announced(r); kind != "application/json" {
		return &ci.Problem{Code: mediaType, Detail: fmt.Sprintf("The body is announced as %s; send one JSON object as application/json.", printable(kind))}
	}
	return nil
}

// mostAncestors is how many origins may frame a project's embeds.
const mostAncestors = 20

func decodeSettings(body []byte) (change postgres.SettingsChange, err error) {
	d := newDecoder(body)
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "visibility":
			s := d.str()
			if s != "public" && s != "private" {
				d.invalid("The visibility is public or private, not %s.", printable(s))
			}
			change.Public = ci.Set(s == "public")
		case "frame_ancestors":
			if change.FrameAncestors.Present = true; !d.null() {
				change.FrameAncestors.Value = d.origins()
			}
		default:
			d.unknown("visibility and frame_ancestors")
		}
	}
	d.end()
	if d.err != nil {
		return change, d.err
	}
	return change, nil
}

func (d *decoder) origins() []string {
	origins := []string{}
	for l := (list{}); d.element(&l); {
		if l.n > mostAncestors {
			d.limit(ci.TooMany, mostAncestors, "At most %d origins may be given.", mostAncestors)
			break
		}
		if s := d.str(); d.err == nil {
			d.refuse(ci.CheckOrigin(s))
			origins = append(origins, s)
		}
	}
	return origins
}

// tokenJSON is what is told of a token.
type tokenJSON struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Scopes    []ci.Scope  `json:"scopes"`
	Project   string      `json:"project"` // a pattern
	Build     *ci.BuildID `json:"build"`   // of the project, for which alone it is; null: for all
	MadeBy    ci.Text     `json:"made_by"`
	CreatedAt time.Time   `json:"created_at"`
	ExpiresAt *time.Time  `json:"expires_at"`
	RevokedAt *time.Time  `json:"revoked_at"`
	UsedAt    *time.Time  `json:"used_at"` // the last time, a minute late at most
	UsedFrom  ci.Text     `json:"used_from"`
}

func newTokenJSON(t postgres.Token) tokenJSON {
	v := tokenJSON{
		ID: t.ID, Name: t.Name, Scopes: t.Scopes, Project: t.Project, MadeBy: ci.Text(t.MadeBy),
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt, UsedAt: t.UsedAt, UsedFrom: ci.Text(t.UsedFrom),
	}
	if t.Build != (ci.BuildID{}) {
		v.Build = &t.Build
	}
	return v
}

// createToken makes a token, whose text is told this once.
func (s *Server) createToken(c echo.Context) error {
	body, err := readObject(c.Request())
	if err != nil {
		return err
	}
	want, err := decodeToken(body, time.Now())
	if err != nil {
		return err
	}
	t, text, err := s.makeToken(c, want, rand.Reader)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Location", "/api/v1/tokens/"+t.ID)
	return s.json(c, http.StatusCreated, struct {
		tokenJSON
		Token string `json:"token"`
	}{newTokenJSON(t), text})
}

// makeToken makes a token for projects that the caller administers, and returns
// it with its text.
func (s *Server) makeToken(c echo.Context, want postgres.Token, random io.Reader) (t postgres.Token, text string, err error) {
	if own := s.who(c).patterns(asked(c)); !slices.ContainsFunc(own, func(pattern string) bool { return ci.MatchProject(pattern, want.Project) }) {
		return t, "", &ci.Problem{Code: tokenProject, Field: "project", Detail: fmt.Sprintf("You administer %s and cannot make a token for %s.", strings.Join(own, ", "), want.Project)}
	}
	text = ci.TokenFrom(random)
	sum, err := ci.ParseToken(text)
	if err != nil {
		return t, "", err
	}
	t, err = s.store.AddToken(c.Request().Context(), s.actor(c), sum, want)
	if err != nil {
		return t, "", fmt.Errorf("create a token: %w", err)
	}
	return t, text, nil
}

const (
	maxTokenName = 200                        // bytes
	longestToken = 100 * 365 * 24 * time.Hour // that is said in seconds
)

func decodeToken(body []byte, now time.Time) (t postgres.Token, err error) {
	d := updatesDecoder{decoder: *newDecoder(body)}
	said := 0
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "name":
			t.Name = d.line(maxTokenName)
		case "project":
			if t.Project = d.str(); d.err == nil {
				d.refuse(ci.CheckPattern(t.Project))
			}
		case "scopes":
			t.Scopes = d.scopes()
		case "expires_in":
			said++
			at := d.lasting(now, longestToken)
			t.ExpiresAt = &at
		case "expires_at":
			if at := optional(&d, d.timestamp); !at.Null {
				said++
				if t.ExpiresAt = &at.Value; !at.Value.After(now) {
					d.invalid("The token would have expired already; expires_at is a time to come.")
				}
			}
		default:
			d.unknown("name, project, scopes, expires_in and expires_at")
		}
	}
	d.end()
	if said > 1 {
		d.invalid("Give expires_in or expires_at, not both.")
	}
	d.need(t.Project != "", "project", "A token needs the project, or the pattern of projects, that it is for.")
	d.need(len(t.Scopes) > 0, "scopes", "A token needs a scope: report, read, status or admin.")
	if d.err != nil {
		return t, d.err
	}
	return t, nil
}

func (d *updatesDecoder) scopes() (scopes []ci.Scope) {
	all := []ci.Scope{ci.ScopeReport, ci.ScopeRead, ci.ScopeStatus, ci.ScopeAdmin}
	for l := (list{}); d.element(&l); {
		switch scope := ci.Scope(d.str()); {
		case !slices.Contains(all, scope):
			d.invalid("The scope %s is unknown; it is one of report, read, status, admin.", printable(string(scope)))
		case !slices.Contains(scopes, scope):
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// listTokens answers with the tokens for what the caller administers.
func (s *Server) listTokens(c echo.Context) error {
	q, err := query(c, "builds", "limit", "before")
	if err != nil {
		return err
	}
	want := postgres.TokensQuery{Before: q.Get("before")}
	if want.OfBuilds, err = flagParam(q, "builds"); err != nil {
		return err
	}
	if want.Limit, err = listedParam(q); err != nil {
		return err
	}
	tokens, next, err := s.store.Tokens(c.Request().Context(), s.who(c).patterns(asked(c)), want)
	if err != nil {
		return fmt.Errorf("list tokens: %w", err)
	}
	return s.listed(c, q, next, struct {
		Tokens []tokenJSON `json:"tokens"`
		Next   ci.Text     `json:"next"`
	}{each(tokens, newTokenJSON), ci.Text(next)})
}

// revokeToken ends a token for good. To end it twice is to end it once.
func (s *Server) revokeToken(c echo.Context) error {
	if err := s.store.RevokeToken(c.Request().Context(), s.actor(c), s.who(c).patterns(asked(c)), c.Param("token")); err != nil {
		return fmt.Errorf("revoke a token: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}
