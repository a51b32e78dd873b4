package forms

import (
	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
)

// Share is the page of the links to a build.
type Share struct {
	Frame
	Build ci.Build
	Links []Token // the newest first
	More  bool    // there are more
	Scope ci.Scope
	Age   Field  // the key of an Age that ends
	Wrong string // what is wrong with the whole
}

// HTML is the whole document.
func (p Share) HTML() []byte { return pages.HTML("share", p) }

// Title is the page's.
func (p Share) Title() string {
	title := "Share " + p.Build.Project + " #" + page.Count(int64(p.Build.Number))
	if p.Wrong != "" || p.Age.Wrong != "" {
		title = "No link was made: " + title
	}
	return title
}

// Good are the links that are in force.
func (p Share) Good() []Token { return inForce(p.Links, p.At, true) }

// Ended are the others.
func (p Share) Ended() []Token { return inForce(p.Links, p.At, false) }
