package forms

import (
	"slices"
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
	Read   bool // its logs too, and not how its builds stand alone
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
			may = append(may, "read "+builds+of+", logs too")
		case ci.ScopeStatus:
			if !g.Has(func(s ci.Scope) bool { return s == ci.ScopeRead }) { // which says it too
				may = append(may, "see how "+builds+of+" stand")
			}
		case ci.ScopeAdmin:
			may = append(may, "change settings, tokens and links of "+of)
		}
	}
	return may
}

// May is what one may do, in words. What one grant allows that another one has
// already is not said again.
func (p Settings) May() (may []string) {
	for i, g := range p.Grants {
		g.Scopes = slices.DeleteFunc(slices.Clone(g.Scopes), func(scope ci.Scope) bool {
			has := func(s ci.Scope) bool { return s == scope }
			for j, wide := range p.Grants {
				if wide.Has(has) && wide.Covers(g.Project, g.Build) && (j < i || !g.Covers(wide.Project, wide.Build)) {
					return true
				}
			}
			return false
		})
		may = append(may, May(g)...)
	}
	return may
}
