package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// buildJSON is a build with its steps, true at last_event_id.
type buildJSON struct {
	ci.Build
	Steps       []ci.Step `json:"steps"`
	LastEventID string    `json:"last_event_id"`
}

func newBuildJSON(b postgres.Snapshot) buildJSON {
	steps := b.Steps
	if steps == nil {
		steps = []ci.Step{}
	}
	cursor := ci.Cursor{Prefix: ci.CursorPrefix(b.Epoch, b.Build.ID.Name()), ID: b.Last}
	return buildJSON{Build: b.Build, Steps: steps, LastEventID: cursor.String()}
}

// repeatedKey is set of a request to write that has written nothing: what it asked for is
// there already.
const repeatedKey = "stepcast.repeated"

func (s *Server) createBuild(c echo.Context) error {
	if err := isObject(c.Request()); err != nil {
		return err
	}
	who := s.who(c)
	var request uint64 // a hash of it, where the build gets its id here
	creation, err := decoded(s, c, func(body []byte) (ci.Creation, error) {
		creation, err := decodeCreation(body)
		if err != nil {
			return creation, err
		}
		if creation.ID == (ci.BuildID{}) {
			creation.ID = ci.NewBuildID()
			request = s.creations.hash(who.holder(), body)
		}
		if !who.may(report, http.MethodPost, creation.Project, creation.ID) {
			return creation, reportsElsewhere(who, creation)
		}
		if err := creation.ID.CheckProject(creation.Project); err != nil {
			return creation, err
		}
		creation.From = who.holder()
		return creation, s.store.CheckNew(&creation)
	})
	if err != nil {
		return err
	}
	var h hints
	if request != 0 {
		h.alike(&s.creations, request, creation.ID, time.Now())
	}
	b, created, err := s.store.Create(c.Request().Context(), creation)
	returnToEntrance(c.Request()) // as all of a commit
	if err != nil {
		return fmt.Errorf("create build: %w", err)
	}
	status := http.StatusCreated
	if !created {
		status = http.StatusOK
		c.Set(repeatedKey, true)
	}
	c.Response().Header().Set("Location", "/api/v1/builds/"+b.Build.ID.String())
	h.branch(creation.Branch)
	if !created {
		h.creation(&creation, &b)
	}
	return s.json(c, status, struct {
		buildJSON
		Hints hints `json:"hints,omitempty"`
	}{newBuildJSON(b), h})
}

func reportsElsewhere(who *caller, want ci.Creation) error {
	patterns := who.patterns(report, http.MethodPost)
	for _, g := range who.grants {
		if !g.Whole() && slices.Contains(g.Scopes, ci.ScopeReport) && (g.Project == want.Project || len(patterns) == 0) {
			return &ci.Problem{Code: tokenProject, Field: "id", Detail: fmt.Sprintf("The token reports for the build %s of %s alone; create that one.", g.Build, g.Project)}
		}
	}
	return &ci.Problem{Code: tokenProject, Field: "project", Detail: fmt.Sprintf("The token reports for %s, not for %s.", strings.Join(patterns, ", "), want.Project)}
}

// getBuild answers with a snapshot. Its ETag is the cursor, for whatever
// changes a build appends an event, and beside it what the build is expected to
// take: that changes without an event of this build when an earlier one passes.
func (s *Server) getBuild(c echo.Context, ref postgres.Ref) error {
	b, err := s.store.Build(c.Request().Context(), ref.ID)
	if err != nil {
		return fmt.Errorf("read build: %w", err)
	}
	if !ref.Public && !s.who(c).may(progress, http.MethodGet, ref.Project, ci.BuildID{}) { // but this build alone
		b.Expected = nil // which says how long others took
	}
	v := struct {
		buildJSON
		Expected *float64 `json:"expected_s"` // seconds
	}{newBuildJSON(b), b.Expected}
	etag := `"` + v.LastEventID + `"`
	if b.Expected != nil {
		etag = fmt.Sprintf(`"%s-%g"`, v.LastEventID, *b.Expected)
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	if notModified(c, etag) {
		return c.NoContent(http.StatusNotModified)
	}
	return s.json(c, http.StatusOK, v)
}

func (s *Server) latestBuild(c echo.Context) error {
	q, err := query(c, "project", "branch")
	if err != nil {
		return err
	}
	project := q.Get("project")
	if err := ci.CheckProject(project); err != nil {
		return err
	}
	id, err := s.store.Latest(c.Request().Context(), s.reach(c), project, q.Get("branch"))
	if err != nil {
		return fmt.Errorf("find latest build: %w", err)
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Redirect(http.StatusFound, "/api/v1/builds/"+id.String())
}

// Bounds of the list of builds.
const (
	defaultBuilds = 50
	mostBuilds    = 200
)

// listedStep is the short form of a step.
type listedStep struct {
	Key        ci.StepKey `json:"key"`
	Name       ci.Text    `json:"name"`
	Status     ci.Status  `json:"status"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

type listedBuild struct {
	ci.Build
	Steps    []listedStep `json:"steps"`
	Expected *float64     `json:"expected_s"` // seconds
	ETA      *float64     `json:"eta_s"`      // seconds
}

func newListedBuild(b postgres.Listed) listedBuild {
	v := listedBuild{Build: b.Build, Steps: make([]listedStep, len(b.Steps)), Expected: b.Expected, ETA: b.ETA}
	for i, step := range b.Steps {
		v.Steps[i] = listedStep{step.Key, step.Name, step.Status, step.StartedAt, step.FinishedAt}
	}
	return v
}

func (s *Server) listBuilds(c echo.Context) error {
	q, err := query(c, "project", "branch", "status", "author", "number", "limit", "before")
	if err != nil {
		return err
	}
	want := postgres.BuildsQuery{Projects: q["project"], Branches: q["branch"], Author: q.Get("author"), Before: q.Get("before")}
	if err := checkFilters(want.Projects, want.Branches, q["status"]); err != nil {
		return err
	}
	for _, status := range q["status"] {
		st, err := ci.ParseStatus(status)
		if err != nil {
			return err
		}
		want.Statuses = append(want.Statuses, st)
	}
	if want.Number, err = wholeParam(q, "number", 0, 1, 1<<53); err != nil {
		return err
	}
	limit, err := wholeParam(q, "limit", defaultBuilds, 1, mostBuilds)
	if err != nil {
		return err
	}
	want.Limit = int(limit)
	builds, next, err := s.store.Builds(c.Request().Context(), s.reach(c), want)
	if err != nil {
		return fmt.Errorf("list builds: %w", err)
	}
	leadOn(c, q, next)
	c.Response().Header().Set("Cache-Control", "no-cache")
	return s.json(c, http.StatusOK, struct {
		Builds []listedBuild `json:"builds"`
		Next   ci.Text       `json:"next"`
	}{each(builds, newListedBuild), ci.Text(next)})
}

type listedProject struct {
	Name       string       `json:"name"`
	Visibility string       `json:"visibility"`
	Latest     *listedBuild `json:"latest"`
}

// listProjects answers with all of them, of which it keeps a page at a time.
func (s *Server) listProjects(c echo.Context) error {
	if _, err := query(c); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	c.Response().Header().Set("Cache-Control", "no-cache")
	out, between, end := parts{s: s, c: c, part: []byte(`{"projects":[`)}, "", "]}\n"
	for page, err := range s.store.Projects(ctx, s.reach(c)) {
		if err != nil {
			return fmt.Errorf("list projects: %w", err)
		}
		projects := make([]listedProject, len(page))
		for i, p := range page {
			projects[i] = listedProject{Name: p.Name, Visibility: visibility(p.Public)}
			if p.Latest != nil {
				latest := newListedBuild(*p.Latest)
				projects[i].Latest = &latest
			}
			if p.Cut || p.Latest != nil && p.Latest.Bare { // the steps of some are left out, or the builds themselves
				end = `],"truncated":true}` + "\n"
			}
		}
		data, err := encoded(projects)
		if err != nil {
			return err
		}
		data = bytes.Trim(data, "[]\n")
		if len(data) == 0 {
			continue
		}
		if between != "" { // there was a page before this one
			if out.out == nil {
				done, err := s.keep(c, 2*len(out.part)) // and the part after it
				if err != nil {
					return err
				}
				defer done()
				entry := &closer{close: func() {}} // it ends by itself
				if err := s.watch(s.who(c), entry, listing(cancel)); err != nil {
					return err
				}
				defer s.open.remove(entry)
			}
			if err := out.send(); err != nil {
				return err
			}
		}
		out.part = append(append(out.part, between...), data...)
		between = ","
	}
	return out.end(end)
}

// A listing is a list whose later pages are read while its peer takes the first:
// they are of what is public then, and of nothing once its reader is nobody any more.
type listing context.CancelFunc

func (l listing) sees(*caller, *ci.Publics) bool { return true }

func (l listing) shut() { l() }

// json answers with a value.
func (s *Server) json(c echo.Context, status int, v any) error {
	body, err := encoded(v)
	if err != nil {
		return err
	}
	return s.jsonBody(c, status, body)
}

func encoded(v any) ([]byte, error) {
	data, err := ci.JSON(v) // events are the same bytes here as in a stream
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return append(data, '\n'), nil
}

// jsonBody answers with a value that is encoded already. What is read may be
// long, and is compressed. What answers a write is not: what was sent and a
// secret, such as a new token's, stand side by side in it.
func (s *Server) jsonBody(c echo.Context, status int, body []byte) error {
	h := c.Response().Header()
	h.Set("Content-Type", "application/json")
	if len(body) >= worthwhile && safe(c.Request().Method) && takesGzip(c) {
		small, err := gzipped(body)
		if err != nil {
			return fmt.Errorf("compress answer: %w", err)
		}
		h.Set("Content-Encoding", "gzip")
		if tag := h.Get("ETag"); tag != "" {
			h.Set("ETag", "W/"+tag) // the same answer in other bytes
		}
		body = small
	}
	done, err := s.keep(c, cap(body)) // which may be twice as much
	if err != nil {
		return err
	}
	defer done()
	return send(c, status, body)
}

// parts are an answer in JSON that may be longer than what is kept of it: a peer
// takes one part before the next is made.
type parts struct {
	s    *Server
	c    echo.Context
	part []byte
	out  io.WriteCloser // nil: none was sent yet
}

// send sends a part that is not the last.
func (p *parts) send() error {
	if p.out == nil {
		h := p.c.Response().Header()
		h.Set("Content-Type", "application/json")
		if p.out = (slowWriter{p.c}); takesGzip(p.c) {
			h.Set("Content-Encoding", "gzip")
			p.out = gzippedParts(p.out)
		}
		p.c.Response().WriteHeader(http.StatusOK)
	}
	_, err := p.out.Write(p.part)
	p.part = p.part[:0]
	return err
}

// end sends the last, which may be the only one, with what is left to be said.
func (p *parts) end(rest string) error {
	p.part = append(p.part, rest...)
	if p.out == nil {
		return p.s.jsonBody(p.c, http.StatusOK, p.part)
	}
	if err := p.send(); err != nil {
		return err
	}
	return p.out.Close()
}

// slowWriter writes a body for as long as the peer takes some of it; none after
// HEAD.
type slowWriter struct{ c echo.Context }

func (w slowWriter) Write(data []byte) (int, error) {
	if w.c.Request().Method != http.MethodHead && writeSlowly(w.c.Response(), data) != nil {
		return 0, errGone
	}
	return len(data), nil
}

func (w slowWriter) Close() error { return nil }

// query reads the parameters of a request, of which it has only these: a typo
// must not be lost silently.
func query(c echo.Context, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, &ci.Problem{Code: ci.Invalid, Detail: "The query of the address is malformed: a % needs two hexadecimal digits after it, and parameters are joined by &."}
	}
	return q, knownParams(q, known)
}

func knownParams(q url.Values, known []string) error {
next:
	for name, values := range q {
		for _, k := range known {
			if name != k {
				continue
			}
			for _, value := range values {
				if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
					return &ci.Problem{Code: ci.Invalid, Field: name, Detail: fmt.Sprintf("The parameter %s must be UTF-8 text without NUL.", name)}
				}
			}
			continue next
		}
		if len(known) == 0 {
			return &ci.Problem{Code: ci.Invalid, Field: shown([]byte(name)), Detail: "This address has no parameters."}
		}
		return &ci.Problem{Code: ci.Invalid, Field: shown([]byte(name)), Detail: fmt.Sprintf("The parameter %s is unknown here; there are %s.", printable(name), strings.Join(known, ", "))}
	}
	return nil
}

// wholeParam reads a parameter that is a whole number, or absent.
func wholeParam(q url.Values, name string, absent, least, most int64) (int64, error) {
	if !q.Has(name) {
		return absent, nil
	}
	n, err := strconv.ParseInt(q.Get(name), 10, 64)
	if err != nil || n < least || n > most {
		return 0, &ci.Problem{Code: ci.Invalid, Field: name, Limit: most, Detail: fmt.Sprintf("The parameter %s is a whole number from %d to %d.", name, least, most)}
	}
	return n, nil
}

// flagParam reads a parameter that is on, or off, or absent.
func flagParam(q url.Values, name string) (bool, error) {
	switch q.Get(name) {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	}
	return false, &ci.Problem{Code: ci.Invalid, Field: name, Detail: fmt.Sprintf("The parameter %s is true, or left out.", name)}
}

// notModified sets the ETag and tells whether the caller has that already.
func notModified(c echo.Context, etag string) bool {
	c.Response().Header().Set("ETag", etag)
	for _, have := range strings.Split(c.Request().Header.Get("If-None-Match"), ",") {
		if have = strings.TrimSpace(have); strings.TrimPrefix(have, "W/") == etag || have == "*" {
			return true
		}
	}
	return false
}
