package forms

import (
	"slices"

	"github.com/stepcast/stepcast/internal/ci"
)

// Made is the page that shows the text of a token, or of a link, this once.
type Made struct {
	Frame
	Token Token
	Text  string // of the token; of a link, its address
	URL   string // of this server
	Here  string // that, if no link leads there from elsewhere
}

// HTML is the whole document.
func (p Made) HTML() []byte { return pages.HTML("made-page", p) }

// Title is the page's.
func (p Made) Title() string {
	if p.Token.Link {
		return "A new link"
	}
	return "A new token"
}

// Back is where one came from.
func (p Made) Back() string {
	if p.Token.Link {
		return SharePath(p.Token.Build)
	}
	return TokensPath
}

// Shell is what a shell has to be told, in which no character needs a quote.
func (p Made) Shell() string { return "export STEPCAST_URL=" + p.URL + " STEPCAST_TOKEN=" + p.Text }

// InAddress tells whether the token may stand in an address.
func (p Made) InAddress() bool {
	return !slices.ContainsFunc(p.Token.Scopes, func(s ci.Scope) bool { return s != ci.ScopeStatus })
}
