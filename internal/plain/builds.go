package plain

import (
	"net/url"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Builds is a page of the list of builds, the newest first.
type Builds struct {
	Frame
	Filter Filter
	Builds []Listed
	Newer  bool   // this is not the first page
	Older  string // the opaque place where the next page goes on; empty: this is the last
}

// Filter is what the list is restricted to; an empty member lets all pass.
type Filter struct {
	Project string // or a pattern of them
	Branch  string
	Status  ci.Status
	Author  string
}

// Listed is a build in a list.
type Listed struct {
	ci.Build
	Steps []ci.Step
}

// HTML is the whole document.
func (b Builds) HTML() []byte { return pages.HTML("builds", b) }

// Title is the page's.
func (b Builds) Title() string { return "Builds" }

// FirstPage is the address of the newest builds that the filter lets pass.
func (b Builds) FirstPage() string { return b.Filter.address("") }

// NextPage is the address of the builds before these.
func (b Builds) NextPage() string { return b.Filter.address(b.Older) }

func (f Filter) address(before string) string {
	q := url.Values{}
	for name, value := range map[string]string{"project": f.Project, "branch": f.Branch, "status": string(f.Status), "author": f.Author, "before": before} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return Root
	}
	return Root + "?" + q.Encode()
}

// Any tells whether the filter holds anything back.
func (f Filter) Any() bool { return f != Filter{} }

// Span is how long the build took, or has taken until now.
func (l Listed) Span(now time.Time) string { return span(l.StartedAt, l.FinishedAt, now) }

// Failed lists the steps that did not pass, though they should have.
func (l Listed) Failed() (failed []ci.Step) {
	for _, step := range l.Steps {
		if step.Status == ci.Failed || step.Status == ci.Lost {
			failed = append(failed, step)
		}
	}
	return failed
}
