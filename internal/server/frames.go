package server

import (
	"bytes"
	"context"
	_ "embed" // of the frames' template
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/web"
)

// galleryPolicy is the pages' own, but that the gallery shows frames.
const galleryPolicy = pagePolicy + "; frame-src 'self'"

// gallery answers with the page that shows what can be embedded, and says in its
// header what its visitor can do about who it is.
func (s *Server) gallery(c echo.Context) error {
	body, err := fs.ReadFile(web.Files(), "gallery.html")
	if err != nil {
		return fmt.Errorf("read gallery: %w", err)
	}
	body = bytes.Replace(body, []byte("<embed-gallery"), []byte("<embed-gallery"+s.said(c)), 1)
	if account := s.account(c); account != "" {
		link := fmt.Sprintf(`<a href="%s">%s</a>`, template.HTMLEscapeString(forms.SignInTo(c.Request().URL.RequestURI())), account)
		body = bytes.Replace(body, []byte("<theme-button"), []byte(link+"<theme-button"), 1)
	}
	h := c.Response().Header()
	h.Add("Vary", variesByCaller)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", galleryPolicy)
	return sendHTML(c, http.StatusOK, body)
}

// framePolicy lets the document of a frame run the elements and what tells its
// height; who may show it follows behind.
const framePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types stepcast; frame-ancestors "

//go:embed frame.html
var framePage string

var frameTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("").Parse(framePage)) })

// An embedded is a document with one element of widgets.js, to be shown in a
// frame on the pages of others.
type embedded struct {
	Element string // without its prefix: "status"
	Title   string
	Link    string // where whoever has no JavaScript gets to

	Project, Branch, Build, Step string
	Projects, Branches           []string
	Mode, Lines, Theme           string

	// Token is what the element reads with: the one that the frame was given
	// if it is good for anything; noToken for a stranger's eyes; "", behind a
	// policy that shows the document to this server's own pages alone, for
	// theirs.
	Token string

	// Refused is why the token that the frame was given is no good. The frame
	// shows none of it; the browser's console, which names the element, does.
	Refused string

	Style, Script string
}

// embedStatus frames the status of a project: /embed/status/{project}.
func (s *Server) embedStatus(c echo.Context) error {
	project, ok := star(c)
	if !ok || ci.CheckProject(project) != nil {
		return echo.ErrNotFound
	}
	page := newEmbedded(c, "status")
	page.Title, page.Project, page.Projects = project, project, []string{project}
	page.Link = buildsPath(project, page.Branch)
	return s.embed(c, page)
}

// embedBoard frames a small wallboard: /embed/board?project=acme/*.
func (s *Server) embedBoard(c echo.Context) error {
	page := newEmbedded(c, "board")
	page.Title, page.Link = "Builds", "/wall"
	if len(page.Projects) > 0 {
		page.Title, page.Link = "Builds of "+strings.Join(page.Projects, ", "), "/wall?"+url.Values{"project": page.Projects}.Encode()
	}
	return s.embed(c, page)
}

// embedBuild frames the steps of a build or the log of one of them:
// /embed/steps/{id} and /embed/log/{id}/{step}; without an id, of the newest
// build of a project and branch.
func (s *Server) embedBuild(element string) echo.HandlerFunc {
	return func(c echo.Context) error {
		page := newEmbedded(c, element)
		if c.Param("*") != "" {
			key, err := stepParam(c)
			if err != nil {
				return echo.ErrNotFound
			}
			page.Step = string(key)
		}
		if c.Param("id") == "" {
			if ci.CheckProject(page.Project) != nil {
				return echo.ErrNotFound
			}
			page.Title, page.Projects, page.Link = page.Project, []string{page.Project}, buildsPath(page.Project, page.Branch)
			return s.embed(c, page)
		}
		id, err := ci.ParseBuildID(c.Param("id"))
		if err != nil {
			return echo.ErrNotFound
		}
		page.Build, page.Project, page.Branch, page.Projects = id.String(), "", "", nil
		page.Title, page.Link = "Build", "/builds/"+page.Build
		if page.Step != "" {
			page.Link += "#" + url.PathEscape(page.Step)
		}
		ref, err := s.lookup(c, id)
		if err == nil {
			page.Projects = []string{ref.Project}
			if ref.Kept && !ref.Public {
				err = s.askAnyway(c)
			}
		}
		if err != nil && !errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
			return fmt.Errorf("look up build %s: %w", id, err)
		}
		return s.embed(c, page)
	}
}

// newEmbedded takes from a frame's address what its element may be told. What
// is not understood is left out: a frame has nobody to complain to.
func newEmbedded(c echo.Context, element string) embedded {
	q := c.Request().URL.Query()
	word := func(name string, fits func(string) bool) string {
		if w := q.Get(name); fits(w) {
			return w
		}
		return ""
	}
	oneOf := func(words ...string) func(string) bool {
		return func(w string) bool { return slices.Contains(words, w) }
	}
	token, _ := c.Get(inAddressKey).(string)
	e := embedded{
		Element: element,
		Project: q.Get("project"),
		Branch:  word("branch", isBranch),
		Step:    word("step", func(w string) bool { return ci.CheckStepKey(w) == nil }),
		Mode:    word("mode", oneOf("all", "problems")),
		Theme:   word("theme", oneOf("light", "dark")),
		Lines:   word("lines", func(w string) bool { n, err := strconv.Atoi(w); return err == nil && n > 0 }),
		Token:   token,
		Style:   web.FrameStyle(),
		Script:  web.FrameScript(),
	}
	for _, pattern := range q["project"] {
		if len(e.Projects) < mostFilters && ci.CheckPattern(pattern) == nil {
			e.Projects = append(e.Projects, pattern)
		}
	}
	for _, branch := range q["branch"] {
		if len(e.Branches) < mostFilters && isBranch(branch) && branch != "" {
			e.Branches = append(e.Branches, branch)
		}
	}
	return e
}

// embed answers with the document of a frame. It says to whom it may be shown,
// and lets the element see no more than they may: whoever puts a frame into a
// page is not who looks at it. What is private looks exactly like what does not
// exist: on the pages of others both are unknown, as elements have it, and this
// server's own see all.
func (s *Server) embed(c echo.Context, page embedded) error {
	who := s.who(c) // a token that is no good makes a stranger
	var problem *ci.Problem
	if errors.As(who.refused, &problem) {
		page.Refused = problem.Detail
	}
	reach := ci.Reach{Patterns: who.patterns(asked(c))}
	ancestors, some, err := s.framers(c.Request().Context(), reach, page.Projects)
	if err != nil {
		return err
	}
	switch {
	case !some && foreign(c.Request()): // nothing is in it, and a browser's error page tells nobody more
		ancestors, page.Token = "*", noToken
	case !some:
		ancestors, page.Token = "'self'", ""
	case who.token == nil:
		page.Token = noToken
	}
	var body bytes.Buffer
	if err := frameTemplate().Execute(&body, page); err != nil {
		return fmt.Errorf("make a frame: %w", err)
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", framePolicy+ancestors)
	h.Set("Cross-Origin-Embedder-Policy", "require-corp") // so that pages that isolate themselves may show it too
	return sendHTML(c, http.StatusOK, body.Bytes())
}

// isBranch tells whether a text can be the name of a branch, or none.
func isBranch(w string) bool {
	return len(w) <= ci.MaxBranch && utf8.ValidString(w) && !strings.ContainsRune(w, 0)
}

// framers says who may frame what some patterns match within a reach, as the
// sources of frame-ancestors: this server, and whoever all of these projects
// let. some tells whether there is any.
func (s *Server) framers(ctx context.Context, reach ci.Reach, patterns []string) (sources string, some bool, err error) {
	lists, err := s.store.Framers(ctx, reach, patterns)
	if err != nil || len(lists) == 0 {
		return "", false, err
	}
	var all []string // nil: anybody
	for _, origins := range lists {
		switch {
		case origins == nil:
		case all == nil:
			all = origins
		default:
			all = slices.DeleteFunc(all, func(origin string) bool { return !slices.Contains(origins, origin) })
		}
	}
	if all == nil {
		return "*", true, nil
	}
	return strings.Join(append([]string{"'self'"}, all...), " "), true, nil
}
