package server

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/postgres"
)

// oembedCache is how long whoever embeds may keep an answer, in seconds: what
// is embedded is live by itself, and only its title grows old.
const oembedCache = 3600

// frameRights is what a frame may do: it needs its scripts, and to be of this
// server's origin, or it could neither ask for nor remember anything; a click in
// it may open a page. It may not lead the page that it is in away by itself,
// send forms or open dialogs, whoever wrote what it shows.
const frameRights = "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"

// An oembedAnswer is one of the type rich, as version 1.0 has it:
// https://oembed.com.
type oembedAnswer struct {
	XMLName      xml.Name `json:"-" xml:"oembed"`
	Version      string   `json:"version" xml:"version"`
	Type         string   `json:"type" xml:"type"`
	Title        string   `json:"title" xml:"title"`
	ProviderName string   `json:"provider_name" xml:"provider_name"`
	ProviderURL  string   `json:"provider_url" xml:"provider_url"`
	CacheAge     int      `json:"cache_age" xml:"cache_age"`
	Width        int64    `json:"width" xml:"width"`
	Height       int64    `json:"height" xml:"height"`
	HTML         string   `json:"html" xml:"html"`
}

// A frameable is what can be embedded of what an address shows.
type frameable struct {
	path          string // of the frame, with its query
	token         string // in it, with which it is seen; "": none
	title         string
	width, height int64 // px, where there is room
}

// html is the frame, so many px wide and high.
func (f frameable) html(base string, width, height int64) string {
	return fmt.Sprintf(`<iframe src="%s" title="%s" width="%d" height="%d" sandbox="%s" loading="lazy" frameborder="0" style="max-width:100%%"></iframe>`,
		html.EscapeString(base+f.path), html.EscapeString(f.title), width, height, frameRights)
}

// oembed answers what to put into a page for an address of this server: that of
// a build, of the list of a project's builds, or of an embed. Consumers may add
// parameters of their own, which the standard lets them.
func (s *Server) oembed(c echo.Context) error {
	q, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return &ci.Problem{Code: ci.Invalid, Detail: "The query of the address is malformed: escape the address in url."}
	}
	format := q.Get("format")
	if format != "" && format != "json" && format != "xml" {
		return &ci.Problem{Code: badFormat, Field: "format", Detail: fmt.Sprintf("There is no format %s; there are json and xml.", printable(format))}
	}
	base, err := s.base(c)
	if err != nil {
		return err
	}
	of, err := url.Parse(q.Get("url"))
	if err != nil || q.Get("url") == "" {
		return &ci.Problem{Code: ci.Invalid, Field: "url", Detail: "The parameter url is the address of a page of this server, escaped."}
	}
	frame, err := s.frameable(c, of)
	if err != nil {
		return err
	}
	answer := oembedAnswer{Version: "1.0", Type: "rich", Title: frame.title, ProviderName: "Stepcast", ProviderURL: base + "/", CacheAge: oembedCache}
	if answer.Width, err = wholeParam(q, "maxwidth", frame.width, 1, 1<<20); err != nil {
		return err
	}
	if answer.Height, err = wholeParam(q, "maxheight", frame.height, 1, 1<<20); err != nil {
		return err
	}
	answer.Width, answer.Height = min(answer.Width, frame.width), min(answer.Height, frame.height)
	answer.HTML = frame.html(base, answer.Width, answer.Height)
	if format == "xml" {
		return s.xml(c, "text/xml; charset=utf-8", answer)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return s.whole(c, http.StatusOK, "application/json", append(body, '\n'))
}

// noFrame is the one answer for what is not there, what is not for the caller,
// and what is no address of this server.
func noFrame() error {
	return &ci.Problem{Code: ci.NotFound, Field: "url", Detail: "There is nothing to embed at that address: it is not of a build of this server, nor of an embed, nor of the list of a project's builds."}
}

// privateFrame says that there is something to embed, and that nobody would see
// it: whoever may see it here is not who looks at the page that it gets into.
func privateFrame() error {
	return &ci.Problem{Code: tokenMissing, Field: "url", Detail: "The project is private, so that others would not see the embed: link to the page instead, or add ?token=stp_…, a token with the scope status, to its address."}
}

// frameable finds what to embed for an address.
func (s *Server) frameable(c echo.Context, of *url.URL) (frameable, error) {
	if !s.serves(c, of) {
		return frameable{}, noFrame()
	}
	q := of.Query()
	f := frameable{width: 640, height: 400}
	if f.token = q.Get("token"); f.token == "" {
		f.token, _ = c.Get(inAddressKey).(string)
	}
	if f.token != "" {
		c.Set(inAddressKey, f.token)
		q.Set("token", f.token)
	}
	path := strings.TrimSuffix(of.EscapedPath(), "/")
	if id, ok := strings.CutPrefix(path, "/builds/"); ok {
		f.path = withQuery("/embed/steps/"+id, picked(q, "token"))
		return s.frameBuild(c, f, id)
	}
	if path == "" && q.Get("project") != "" {
		f.path = withQuery("/embed/board", picked(q, "project", "branch", "token"))
		return s.frameProjects(c, f, q["project"])
	}
	rest, ok := strings.CutPrefix(path, "/embed/")
	if !ok {
		return f, noFrame()
	}
	f.path = withQuery(path, q)
	kind, rest, _ := strings.Cut(rest, "/")
	switch kind {
	case "status":
		f.width, f.height = 320, 44
		project, err := url.PathUnescape(rest)
		if err != nil || ci.CheckProject(project) != nil {
			return f, noFrame()
		}
		return s.frameProjects(c, f, []string{project})
	case "board":
		return s.frameProjects(c, f, q["project"])
	case "steps", "log":
		if id, _, _ := strings.Cut(rest, "/"); id != "" {
			return s.frameBuild(c, f, id)
		}
		if project := q.Get("project"); ci.CheckProject(project) == nil {
			return s.frameProjects(c, f, []string{project})
		}
	}
	return f, noFrame()
}

// frameBuild completes what is embedded of a build.
func (s *Server) frameBuild(c echo.Context, f frameable, text string) (frameable, error) {
	id, err := ci.ParseBuildID(text)
	if err != nil {
		return f, noFrame()
	}
	ref, err := s.seen(c, id)
	if errors.Is(err, noBuild(status)) {
		return f, noFrame()
	}
	if err != nil {
		return f, err
	}
	if !ref.Public && f.token == "" {
		return f, privateFrame()
	}
	b, err := s.store.Build(c.Request().Context(), ref.ID)
	if err != nil {
		return f, fmt.Errorf("read build: %w", err)
	}
	f.title = fmt.Sprintf("%s #%d", b.Build.Project, b.Build.Number)
	if b.Build.Title != "" {
		f.title += ": " + page.Visible(string(b.Build.Title))
	}
	return f, nil
}

// frameProjects completes what is embedded of projects.
func (s *Server) frameProjects(c echo.Context, f frameable, patterns []string) (frameable, error) {
	reach := s.reach(c)
	if sees, err := s.sees(c, reach, patterns); err != nil || !sees {
		return f, cmp.Or(err, noFrame())
	}
	if f.token == "" {
		if all, err := s.sees(c, ci.Reach{}, patterns); err != nil || !all {
			return f, cmp.Or(err, privateFrame())
		}
	}
	f.title = "Builds"
	if len(patterns) > 0 {
		f.title += " of " + strings.Join(patterns, ", ")
	}
	return f, nil
}

// sees tells whether within a reach there is a build of what some patterns
// cover.
func (s *Server) sees(c echo.Context, reach ci.Reach, patterns []string) (bool, error) {
	if checkFilters(patterns) != nil {
		return false, nil
	}
	found, err := s.store.Standings(c.Request().Context(), reach, postgres.StandingsQuery{Projects: patterns, Limit: 1})
	if err != nil {
		return false, fmt.Errorf("look for projects: %w", err)
	}
	return len(found) > 0, nil
}

// picked has some of the parameters of an address.
func picked(q url.Values, names ...string) url.Values {
	some := url.Values{}
	for _, name := range names {
		if len(q[name]) > 0 {
			some[name] = q[name]
		}
	}
	return some
}

// An alternate is another form of what a page shows.
type alternate struct{ format, href string }

// alternatesWithin is how long a page waits for the database, to know what to
// say of its other forms.
const alternatesWithin = time.Second

// alternates are the other forms of the page that was asked for, as far as the
// caller may see what it shows. The page is there without them, so nothing that
// goes wrong here is an error.
func (s *Server) alternates(c echo.Context) []alternate {
	r := c.Request()
	ctx, cancel := context.WithTimeout(r.Context(), alternatesWithin)
	defer cancel()
	c.SetRequest(r.WithContext(ctx))
	defer c.SetRequest(r)
	base, err := s.base(c)
	if err != nil {
		return nil
	}
	var page string
	var feed url.Values
	switch c.Path() {
	case "/":
		if feed = picked(c.QueryParams(), "project", "branch", "status"); len(feed["project"]) > 0 {
			if sees, err := s.sees(c, s.reach(c), feed["project"]); err != nil || !sees {
				return nil
			}
			page = "/?" + picked(feed, "project", "branch").Encode()
		}
	case "/builds/:id":
		id, err := ci.ParseBuildID(c.Param("id"))
		if err != nil {
			return nil
		}
		ref, err := s.seen(c, id)
		if err != nil {
			return nil
		}
		page, feed = buildPath(id), url.Values{"project": {ref.Project}}
	default:
		return nil
	}
	var all []alternate
	if _, err := endedQuery(feed); err == nil { // there is no feed of builds that run, which the page can be of
		all = append(all, alternate{"application/atom+xml", base + withQuery("/builds.atom", feed)})
	}
	if page != "" {
		of := base + "/oembed?" + url.Values{"url": {base + page}}.Encode()
		all = append(all, alternate{"application/json+oembed", of + "&format=json"}, alternate{"text/xml+oembed", of + "&format=xml"})
	}
	return all
}
