package idtoken

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// A Rule lets jobs of some repositories report to some projects.
type Rule struct {
	issuer       string // URL
	repositories string // a pattern, as of projects
	projects     string // a pattern; "": the one that is called as the repository, and what is below it
	claims       []claim
}

// claim is what a claim of the token has to be, or, before a star at its end,
// begin with.
type claim struct{ name, value string }

func (c claim) String() string { return c.name + "=" + c.value }

// Repositories are paths, and what is allowed is one, or what is below one at
// any depth.
var (
	repositoryForm   = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+$`)
	repositoriesForm = regexp.MustCompile(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*(/[A-Za-z0-9._-]+|/\*)$`)
)

// ParseRule reads a rule: an issuer, a pattern of its repositories, the pattern
// of projects if it is another, and what else has to be true of the token.
//
//	github:acme/*
//	github:acme/*;repository_owner_id=1342004
//	gitlab:acme/backend/api=api/*;ref_protected=true
//	https://gitlab.example:*
//
// All repositories of a system that anybody may use are refused.
func ParseRule(s string, issuers []Issuer) (r Rule, err error) {
	parts := strings.Split(s, ";")
	who, projects, other := strings.Cut(parts[0], "=")
	at := strings.LastIndexByte(who, ':')
	issuer, ok := find(issuers, who[:max(at, 0)])
	if !ok {
		return r, fmt.Errorf("%q has to begin with an issuer of --runner-issuer and a colon, as in github:acme/*", s)
	}
	r = Rule{issuer: issuer.URL, repositories: who[at+1:], projects: projects}
	switch {
	case r.repositories == "*" && issuer.shared():
		return r, fmt.Errorf("%q would let all the world report: name an owner, as in acme/*", s)
	case r.repositories != "*" && !repositoriesForm.MatchString(r.repositories):
		return r, fmt.Errorf("%q has to name a repository, or an owner followed by /*", s)
	}
	if other {
		if err := ci.CheckPattern(projects); err != nil {
			return r, fmt.Errorf("%q: %s", s, ci.AsProblem(err).Detail)
		}
	}
	for _, part := range parts[1:] {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" || value == "" {
			return r, fmt.Errorf("%q has to say what a claim of the token must be, as in ;ref=refs/heads/main", s)
		}
		r.claims = append(r.claims, claim{name, value})
	}
	return r, nil
}

// covers tells whether the rule is for a job's repository.
func (r *Rule) covers(j *Job) bool {
	return r.issuer == j.Issuer && ci.MatchProject(r.repositories, j.Repository)
}

// lacks returns the first claim that is not as the rule wants it.
func (r *Rule) lacks(j *Job) (claim, bool) {
	for _, c := range r.claims {
		have, ok := j.claims.text(c.name)
		if prefix, open := strings.CutSuffix(c.value, "*"); !ok || have != c.value && !(open && strings.HasPrefix(have, prefix)) {
			return c, true
		}
	}
	return claim{}, false
}

// allows tells whether the rule is for a project.
func (r *Rule) allows(j *Job, project string) bool {
	if r.projects != "" {
		return ci.MatchProject(r.projects, project)
	}
	// A repository whose name no project can have has none of its own.
	own := ci.ProjectName(j.Repository)
	return own == j.Repository && (project == own || ci.MatchProject(own+"/*", project))
}
