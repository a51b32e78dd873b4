package forms

import (
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Settings is the page of who one is, and of the projects that one sees.
type Settings struct {
	Frame
	Who      string     // "": nobody is signed in
	Until    *time.Time // when the session ends
	Open     bool       // this server lets whoever reaches it read
	Grants   []ci.Grant
	Projects []Project
	More     bool // there are more
}

// Project is a project in the list, or whose settings are shown.
type Project struct {
	Name   string
	Public bool
	Admin  bool // its settings may be changed
}

// HTML is the whole document.
func (p Settings) HTML() []byte { return pages.HTML("settings", p) }

// Title is the page's.
func (p Settings) Title() string { return "Settings" }

// May is what a grant allows, in words.
func May(g ci.Grant) []string {
	of, builds := g.Project, "builds of "
	switch {
	case !g.Whole():
		builds = "one build of "
	case g.Project == "*":
		of = "all projects"
	case strings.HasSuffix(g.Project, "/*"):
		of = "all projects below " + strings.TrimSuffix(g.Project, "/*")
	}
	var may []string
	for _, scope := range ci.Scopes() {
		if !g.Has(func(s ci.Scope) bool { return s == scope }) {
			continue
		}
		switch scope {
		case ci.ScopeReport:
			may = append(may, "report "+builds+of)
		case ci.ScopeRead:
			may = append(may, "read everything of "+builds+of)
		case ci.ScopeStatus:
			may = append(may, "see how "+builds+of+" stand")
		case ci.ScopeAdmin:
			may = append(may, "change settings, tokens and links of "+of)
		}
	}
	return may
}

// May is what one may do, in words.
func (p Settings) May() (may []string) {
	for _, g := range p.Grants {
		may = append(may, May(g)...)
	}
	return may
}
