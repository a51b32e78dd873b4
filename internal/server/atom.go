package server

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/postgres"
)

// feedEntries is how many builds a page of the Atom feed has.
const feedEntries = 50

// An atomFeed is a feed as RFC 4287 has it.
type atomFeed struct {
	XMLName   xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Updated   string      `xml:"updated"`
	Author    atomAuthor  `xml:"author"`
	Generator string      `xml:"generator"`
	Links     []atomLink  `xml:"link"`
	Entries   []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Published  string         `xml:"published"`
	Updated    string         `xml:"updated"`
	Author     *atomAuthor    `xml:"author"`
	Categories []atomCategory `xml:"category"`
	Links      []atomLink     `xml:"link"`
	Summary    string         `xml:"summary"`
}

type atomCategory struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr,omitempty"`
}

// atom answers with a page of the builds that have ended, the last to do so
// first. The ids of feed and entries never change: a build's is its own, and a
// feed's is derived from its filter and from what this database began as.
func (s *Server) atom(c echo.Context) error {
	q, err := query(c, "project", "branch", "status", "before")
	if err != nil {
		return err
	}
	want, err := endedQuery(q)
	if err != nil {
		return err
	}
	base, err := s.base(c)
	if err != nil {
		return err
	}
	builds, next, lineage, err := s.store.Ended(c.Request().Context(), s.reach(c), want)
	if err != nil {
		return fmt.Errorf("list builds that have ended: %w", err)
	}
	filter := url.Values{}
	for _, name := range []string{"project", "branch", "status"} {
		filter[name] = slices.Compact(slices.Sorted(slices.Values(q[name])))
	}
	feed := atomFeed{
		ID:        uuid.NewSHA1(lineage, []byte("/builds.atom?"+filter.Encode())).URN(),
		Title:     feedTitle(filter),
		Updated:   atomTime(time.Unix(0, 0)),
		Author:    atomAuthor{"Stepcast"},
		Generator: "Stepcast",
		Links: []atomLink{
			{"self", "application/atom+xml", base + withQuery("/builds.atom", q)},
			{"alternate", "text/html", base + withQuery("/", firsts(filter))},
		},
	}
	if next != "" {
		q.Set("before", next)
		feed.Links = append(feed.Links, atomLink{"next", "application/atom+xml", base + withQuery("/builds.atom", q)})
	}
	for _, b := range builds {
		feed.Entries = append(feed.Entries, newAtomEntry(b, base))
	}
	if len(builds) > 0 {
		feed.Updated = feed.Entries[0].Updated
	}
	return s.xml(c, "application/atom+xml; charset=utf-8", feed)
}

// endedQuery reads which builds that have ended are asked for.
func endedQuery(q url.Values) (postgres.EndedQuery, error) {
	want := postgres.EndedQuery{Projects: q["project"], Branches: q["branch"], Before: q.Get("before"), Limit: feedEntries}
	if err := checkFilters(want.Projects, want.Branches, q["status"]); err != nil {
		return want, err
	}
	for _, status := range q["status"] {
		st := ci.Status(status)
		if !st.Final() && st != ci.Lost {
			return want, &ci.Problem{Code: ci.Invalid, Field: "status", Detail: fmt.Sprintf("The status %s is not one that a build ends with; those are passed, failed, canceled, skipped and lost.", printable(status))}
		}
		want.Statuses = append(want.Statuses, st)
	}
	return want, nil
}

func newAtomEntry(b ci.Build, base string) atomEntry {
	e := atomEntry{
		ID:         uuid.UUID(b.ID).URN(),
		Title:      fmt.Sprintf("%s #%d %s", b.Project, b.Number, b.Status),
		Published:  atomTime(b.CreatedAt),
		Updated:    atomTime(slices.MaxFunc([]time.Time{b.CreatedAt, *b.FinishedAt}, time.Time.Compare)), // the server's word, and its runner's
		Categories: []atomCategory{{Term: string(b.Status)}, {Term: b.Project}},
		Links:      []atomLink{{"alternate", "text/html", base + buildPath(b.ID)}},
	}
	if b.Title != "" {
		e.Title += ": " + page.Visible(string(b.Title))
	}
	if b.Author != "" {
		e.Author = &atomAuthor{page.Visible(string(b.Author))}
	}
	if u, err := url.Parse(string(b.URL)); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		e.Links = append(e.Links, atomLink{Rel: "related", Href: u.String()})
	}
	var summary []string
	for _, part := range []struct {
		name string
		text ci.Text
	}{{"branch", b.Branch}, {"commit", b.Commit}, {"started by", b.Trigger}} {
		if part.text != "" {
			summary = append(summary, part.name+" "+page.Visible(string(part.text)))
		}
	}
	if b.StartedAt != nil && !b.FinishedAt.Before(*b.StartedAt) {
		summary = append(summary, "took "+b.FinishedAt.Sub(*b.StartedAt).Round(time.Second).String())
	}
	e.Summary = strings.Join(summary, ", ")
	return e
}

func feedTitle(filter url.Values) string {
	title := "Builds"
	if projects := filter["project"]; len(projects) > 0 {
		title += " of " + strings.Join(projects, ", ")
	}
	if branches := filter["branch"]; len(branches) > 0 {
		title += " on " + strings.Join(branches, ", ")
	}
	if statuses := filter["status"]; len(statuses) > 0 {
		title += ": " + strings.Join(statuses, ", ")
	}
	return title
}

// firsts has of each parameter the first: the list of builds takes one of each.
func firsts(q url.Values) url.Values {
	one := url.Values{}
	for name, values := range q {
		if len(values) == 1 {
			one[name] = values
		}
	}
	return one
}

func atomTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
