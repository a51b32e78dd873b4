package server

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/postgres"
)

// mostEntries bounds the entries of cc.xml.
const mostEntries = 5000

// ccProject is an entry of CCTray's XML, version 1: https://cctray.org/v1.
type ccProject struct {
	Name     string `xml:"name,attr"`
	Activity string `xml:"activity,attr"`
	Status   string `xml:"lastBuildStatus,attr"`
	Label    string `xml:"lastBuildLabel,attr,omitempty"`
	Time     string `xml:"lastBuildTime,attr"`
	URL      string `xml:"webUrl,attr"`
}

// ccStatuses are the words of CCTray for those of ours. Readers tell a person of
// every change, so what says nothing about the code is not Failure: a build that
// somebody canceled, or skipped, is Unknown, and one whose runner was lost, which
// somebody should look after, is Exception.
var ccStatuses = map[ci.Status]string{
	ci.Passed: "Success", ci.Failed: "Failure", ci.Lost: "Exception", ci.Canceled: "Unknown", ci.Skipped: "Unknown",
}

// cctray answers with how projects stand, for CCMenu and the like: an entry for
// each project, or, with each=branch, for each of its branches. The last result
// stays where it is while a build is on its way.
func (s *Server) cctray(c echo.Context) error {
	q, err := query(c, "project", "branch", "each")
	if err != nil {
		return err
	}
	want := postgres.StandingsQuery{Projects: q["project"], Branch: q.Get("branch"), Limit: mostEntries}
	if err := checkFilters(want.Projects); err != nil {
		return err
	}
	switch each := q.Get("each"); {
	case each == "branch" && want.Branch == "":
		want.EachBranch = true
	case each == "branch":
		return &ci.Problem{Code: ci.Invalid, Field: "each", Detail: "Name a branch, or ask for each of them, not both."}
	case each != "" && each != "project":
		return &ci.Problem{Code: ci.Invalid, Field: "each", Detail: "The parameter each is branch, for an entry a branch, or left out."}
	}
	base, err := s.base(c)
	if err != nil {
		return err
	}
	standings, err := s.store.Standings(c.Request().Context(), s.reach(c), want)
	if err != nil {
		return fmt.Errorf("list how projects stand: %w", err)
	}
	list := struct {
		XMLName  xml.Name    `xml:"Projects"`
		Projects []ccProject `xml:"Project"`
	}{Projects: make([]ccProject, len(standings))}
	for i, standing := range standings {
		entry := newCCProject(standing)
		branch := want.Branch
		if want.EachBranch && standing.Branch != "" {
			branch = string(standing.Branch)
			entry.Name += " (" + page.Visible(branch) + ")"
		}
		entry.URL = base + buildsPath(standing.Project, branch)
		list.Projects[i] = entry
	}
	return s.xml(c, "application/xml; charset=utf-8", list)
}

func newCCProject(s postgres.Standing) ccProject {
	p := ccProject{Name: s.Project, Activity: "Sleeping", Status: "Unknown"}
	if s.Newest.Status == ci.Queued || s.Newest.Status == ci.Running {
		p.Activity = "Building"
	}
	at := s.Newest.CreatedAt // the time is not optional, and there is no other
	if e := s.Ended; e != nil {
		p.Status, p.Label = ccStatuses[e.Status], strconv.FormatInt(e.Number, 10)
		if at = e.CreatedAt; e.FinishedAt != nil {
			at = *e.FinishedAt
		}
	}
	p.Time = at.UTC().Format(time.RFC3339) // of whole seconds: some readers know no others
	return p
}

// A browser that shows XML puts a stylesheet and pictures of its own into it.
const xmlPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"

// xml answers with a document. What XML cannot have becomes U+FFFD.
func (s *Server) xml(c echo.Context, contentType string, v any) error {
	body, err := xml.MarshalIndent(v, "", "\t")
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	c.Response().Header().Set("Content-Security-Policy", xmlPolicy)
	return s.whole(c, http.StatusOK, contentType, append([]byte(xml.Header), append(body, '\n')...))
}
