package forms

import (
	"net/url"

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
	Here  string // the server's address, if no link leads there from elsewhere
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

// OnlyHere says that links to a server with such an address open on its own
// machine alone, and what it takes that others can open them, at the same port.
func OnlyHere(address string) string {
	port := "8080"
	if u, err := url.Parse(address); err == nil && u.Port() != "" {
		port = u.Port()
	}
	return "Links to this server open only on its own machine: its address is " + address + ". For others to open them, start the server with --listen 0.0.0.0:" + port + " and --public-url http://NAME:" + port + ", where NAME is how they reach this machine, and with --sign-in or --open."
}

// Good are the links that are in force.
func (p Share) Good() []Token { return inForce(p.Links, p.At, true) }

// Ended are the others.
func (p Share) Ended() []Token { return inForce(p.Links, p.At, false) }
