package forms

import "strings"

// ProjectSettings is the page of what is set of a project.
type ProjectSettings struct {
	Frame
	Project Project
	Framers Field   // origins, one a line
	Any     bool    // any site may frame it; then Framers is of no matter
	Tokens  []Token // that are for it, links too, in force and not, the newest first
	More    bool    // there are more
}

// HTML is the whole document.
func (p ProjectSettings) HTML() []byte { return pages.HTML("project", p) }

// Title is the page's.
func (p ProjectSettings) Title() string {
	if p.Framers.Wrong != "" {
		return "Not saved: settings of " + p.Project.Name
	}
	return "Settings of " + p.Project.Name
}

// Good are the tokens that are in force.
func (p ProjectSettings) Good() []Token { return inForce(p.Tokens, p.At, true) }

// Origins are the lines of a field that are not blank.
func Origins(lines string) []string {
	origins := []string{}
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			origins = append(origins, line)
		}
	}
	return origins
}
