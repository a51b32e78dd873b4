package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/badge"
	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// A verdict is what a badge says. Whoever reads it wants to know whether the
// project works, and then whether that is about to change: so it is the last
// result, and beside it what has not ended yet.
type verdict struct {
	label  string
	said   []string // one word or two: statuses, or else a reason why there is none
	title  string   // the whole of it
	style  badge.Style
	failed bool // there is no status to tell
	status int  // of the answer
}

// badge answers with a picture of a project's status. It is a picture whatever
// happens, for who looks at one sees nothing else: a parameter that is wrong is
// told on it, and with 200, since those who fetch pictures for others throw
// away the rest. Only what will pass is an error.
func (s *Server) badge(c echo.Context) error {
	v, err := s.verdict(c, ".svg", "branch", "step", "label", "style")
	if err != nil {
		return err
	}
	picture := badge.Badge{Label: v.label, Title: v.title, Style: v.style}
	for _, word := range v.said {
		picture.Parts = append(picture.Parts, badge.Part{Text: word, Status: word})
	}
	h := c.Response().Header()
	// Where somebody opens it by itself. In a frame it would have its reader's own
	// eyes over HTTP, and a width.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'")
	return s.whole(c, v.status, "image/svg+xml; charset=utf-8", picture.SVG())
}

// shieldsCache is how long shields.io may keep what it was told, in seconds: the
// shortest that it takes.
const shieldsCache = 300

// shields answers with the same for shields.io to make a badge of, by its
// "endpoint" schema, version 1: https://shields.io/badges/endpoint-badge.
func (s *Server) shields(c echo.Context) error {
	v, err := s.verdict(c, ".json", "branch", "step", "label")
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
		IsError       bool   `json:"isError,omitempty"`
		CacheSeconds  int    `json:"cacheSeconds"`
	}{1, v.label, strings.Join(v.said, ", "), badge.LookOf(v.said[0]).Colour, v.failed, shieldsCache})
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return s.whole(c, v.status, "application/json", append(body, '\n'))
}

// verdict finds out what a badge says; its address ends with the project's name
// and a suffix. Projects that are not there and those that the caller may not
// see are unknown alike.
func (s *Server) verdict(c echo.Context, suffix string, params ...string) (verdict, error) {
	project, ok := star(c)
	if !ok {
		return verdict{}, echo.ErrNotFound
	}
	project, ok = strings.CutSuffix(project, suffix)
	if !ok {
		return verdict{}, &ci.Problem{Code: ci.NotFound, Detail: fmt.Sprintf("A badge has the address of its project with %s at the end.", suffix)}
	}
	v := verdict{label: "build", status: http.StatusOK}
	q, err := query(c, params...)
	if p := ci.AsProblem(err); p != nil {
		v.unknown("unknown parameter")
		if p.Field == "" || slices.Contains(params, p.Field) {
			v.said = []string{"malformed address"}
		}
		return v, nil
	}
	branch, step := q.Get("branch"), q.Get("step")
	if step != "" {
		v.label = step
	}
	if q.Has("label") {
		v.label = q.Get("label")
	}
	if v.style = badge.Style(q.Get("style")); v.style != "" && !slices.Contains(badge.Styles, v.style) {
		v.unknown("unknown style")
		return v, nil
	}
	newest, ended, err := s.stand(c.Request().Context(), s.reach(c), project, branch, ci.StepKey(step))
	switch p := ci.AsProblem(err); {
	case p != nil && p.Code == ci.NotFound && c.Get(inAddressKey) != nil && s.who(c).token == nil:
		v.unknown("token refused")
	case p != nil && p.Code == ci.NotFound:
		v.unknown("unknown")
	case err != nil:
		v.unknown("unavailable")
		v.status = problems[s.problem(err, c).Code].status
	case ended == "" || ended == newest:
		v.said = []string{string(newest)}
	default:
		v.said = []string{string(ended), string(newest)}
	}
	about := []string{project}
	for _, more := range []string{branch, step} {
		if more != "" {
			about = append(about, more)
		}
	}
	v.title = strings.Join(about, ", ") + ": " + strings.Join(v.said, ", ")
	return v, nil
}

// unknown is a verdict without a status.
func (v *verdict) unknown(why string) { v.said, v.failed = []string{why}, true }

// stand tells how the newest build of a project stands, or a step, and how the
// last one ended that has ended, which may be the same; NotFound where there is
// none.
func (s *Server) stand(ctx context.Context, reach ci.Reach, project, branch string, step ci.StepKey) (newest, ended ci.Status, err error) {
	if ci.CheckProject(project) != nil || step != "" && ci.CheckStepKey(string(step)) != nil {
		return "", "", noBuild(status)
	}
	if step != "" {
		newest, ended, err = s.store.StepStanding(ctx, reach, project, branch, step)
		if err != nil {
			return "", "", fmt.Errorf("find how %s of %s stands: %w", step, project, err)
		}
		return newest, ended, nil
	}
	found, err := s.store.Standings(ctx, reach, postgres.StandingsQuery{Projects: []string{project}, Branch: branch, Limit: 1})
	if err != nil {
		return "", "", fmt.Errorf("find how %s stands: %w", project, err)
	}
	if len(found) == 0 {
		return "", "", noBuild(status)
	}
	if e := found[0].Ended; e != nil {
		ended = e.Status
	}
	return found[0].Newest.Status, ended, nil
}

// whole answers with a document that others keep and ask for again. A browser that does
// not say for which site it asks keeps nothing that a visitor alone may see: the next page
// that shows it may be another's.
func (s *Server) whole(c echo.Context, status int, contentType string, body []byte) error {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	if status == http.StatusOK && !(s.saysNoSite(c) && s.who(c).visits()) {
		h.Set("Cache-Control", "no-cache")
		sum := sha256.Sum256(body)
		if notModified(c, fmt.Sprintf(`"%x"`, sum[:16])) {
			return c.NoContent(http.StatusNotModified)
		}
	}
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", retryAfter())
	}
	h.Set("Content-Type", contentType)
	return send(c, status, body)
}
