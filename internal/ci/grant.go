package ci

import "slices"

// Scope is what somebody may do.
type Scope string

// The scopes, of which none holds another.
const (
	ScopeReport Scope = "report" // write
	ScopeRead   Scope = "read"   // everything of a project
	ScopeStatus Scope = "status" // the status of builds and steps, never log text
	ScopeAdmin  Scope = "admin"  // settings, tokens and links
)

// Scopes are all of them, in the order in which they are told.
func Scopes() []Scope { return []Scope{ScopeReport, ScopeRead, ScopeStatus, ScopeAdmin} }

// Grant is what somebody was given: scopes for the projects that a pattern
// covers, or for one build of them.
type Grant struct {
	Scopes  []Scope
	Project string  // a pattern
	Build   BuildID // the zero one: all of them
}

// Whole tells whether a grant is for projects, and not for one build.
func (g *Grant) Whole() bool { return g.Build == BuildID{} }

// Covers tells whether a grant is for a build of a project; the zero id is that
// of no build, and stands for what is of the project itself.
func (g *Grant) Covers(project string, build BuildID) bool {
	return MatchProject(g.Project, project) && (g.Whole() || g.Build == build)
}

// Has tells whether a grant has a scope that will do.
func (g *Grant) Has(takes func(Scope) bool) bool { return slices.ContainsFunc(g.Scopes, takes) }
