package server

import (
	"bytes"
	"fmt"
	"html"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/plain"
	"github.com/stepcast/stepcast/web"
)

// pagePolicy lets a page load and run what this server serves as a file, and
// nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types lit-html stepcast"

// page answers with the one document that every page is, but for the links in it
// to the same page without JavaScript, and in formats of others.
func (s *Server) page(c echo.Context) error {
	return s.document(c, http.StatusOK, s.alternates(c)...)
}

// wall is the page of a wallboard, whose address says all there is to set. What is
// wrong with it is told here: what is looked at from across a room is never a
// board of something else.
func (s *Server) wall(c echo.Context) error {
	q, err := query(c, "project", "branch", "mode", "cols", "token")
	if err != nil {
		return err
	}
	if mode := q.Get("mode"); !slices.Contains([]string{"", "all", "problems"}, mode) {
		return &ci.Problem{Code: ci.Invalid, Field: "mode", Detail: "The parameter mode is all or problems."}
	}
	if c.Get(inAddressKey) != nil {
		_, err := s.caller(c)
		if p := ci.AsProblem(err); p != nil && problems[p.Code].status == http.StatusUnauthorized {
			return err // else it is the page that goes on trying
		}
	}
	return s.page(c)
}

// document is that one document, which says what its visitor can do about who it
// is; with status 404 it says that there is no such page.
func (s *Server) document(c echo.Context, status int, alternates ...alternate) error {
	body, err := fs.ReadFile(web.Files(), "index.html")
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	body = bytes.Replace(body, []byte(`href="`+plain.Root+`"`), []byte(`href="`+html.EscapeString(withoutScript(c))+`"`), 1)
	body = bytes.Replace(body, []byte("<stepcast-app"), []byte("<stepcast-app"+s.said(c)), 1)
	h := c.Response().Header()
	h.Add("Vary", variesByCaller)
	var links strings.Builder
	for _, a := range alternates {
		h.Add("Link", fmt.Sprintf(`<%s>; rel="alternate"; type="%s"`, a.href, a.format))
		fmt.Fprintf(&links, `<link rel="alternate" type="%s" href="%s" />`, a.format, html.EscapeString(a.href))
	}
	body = bytes.Replace(body, []byte("</head>"), []byte(links.String()+"</head>"), 1)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("Content-Security-Policy", pagePolicy)
	return sendHTML(c, status, body)
}

// said is what the document says of its visitor: what one can do about who one
// is, a number for each session, by which pages of one tell themselves from
// those of another, and what of the page is not for the visitor.
func (s *Server) said(c echo.Context) (attributes string) {
	if account := s.account(c); account != "" {
		attributes = ` data-account="` + string(account) + `"`
	}
	if session := s.who(c).session; session != nil {
		attributes += fmt.Sprintf(` data-session="%d"`, session.ID)
	}
	if without := s.without(c); len(without) > 0 {
		attributes += ` data-without="` + strings.Join(without, " ") + `"`
	}
	return attributes
}

// without is what the page of a request does without, since it would not work
// for its visitor: how to report the first build, unless one reads all there
// are, and of a build the text of its logs, links to it, and what else there is
// of its project.
func (s *Server) without(c echo.Context) (parts []string) {
	who := s.who(c)
	switch {
	case who.session == nil && who.open:
		return nil
	case who.session == nil:
		return []string{"start", "share"}
	}
	if r := who.reach(read, http.MethodGet); !r.All && !slices.Contains(r.Patterns, "*") {
		parts = append(parts, "start")
	}
	id, err := ci.ParseBuildID(c.Param("id"))
	if err != nil {
		return parts
	}
	ref, err := s.seen(c, id)
	if err != nil {
		return parts
	}
	if !who.open && !who.text(ref.Project, id, ref.Public) {
		parts = append(parts, "logs")
	}
	if !who.may(admin, http.MethodGet, ref.Project, id) {
		parts = append(parts, "share")
	}
	if !ref.Public && !who.knows(ref.Project, ci.BuildID{}) {
		parts = append(parts, "others")
	}
	return parts
}

// asset answers with a file of the page, whose name changes with its content.
func (s *Server) asset(c echo.Context) error {
	name := path.Join("assets", path.Clean("/"+c.Param("*")))
	asset, ok := assets()[name]
	if !ok {
		return echo.ErrNotFound
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", contentType(path.Ext(name)))
	switch path.Ext(name) {
	case ".svg":
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'")
	case ".js": // where it is a worker, whose policy is not its page's
		h.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; frame-ancestors 'none'")
	}
	return asset.serve(c)
}

// assets are all files of the page, by name.
var assets = sync.OnceValue(func() map[string]file {
	assets := make(map[string]file)
	err := fs.WalkDir(web.Files(), "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(web.Files(), name)
		assets[name] = newFile(body)
		return err
	})
	if err != nil {
		panic(err) // they are embedded
	}
	return assets
})

// contentType does not ask the machine, whose table may say anything.
func contentType(ext string) string {
	switch ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".json", ".webmanifest", ".map":
		return "application/json"
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}
