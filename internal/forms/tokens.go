package forms

import (
	"slices"

	"github.com/stepcast/stepcast/internal/ci"
)

// Tokens is the page of tokens, and of the form to make one.
type Tokens struct {
	Frame
	Tokens []Token // the newest first
	Newer  bool    // this is not the first page
	Older  string  // the opaque place where the next page goes on; "": this is the last
	Wanted Wanted
}

// Wanted is a token that somebody would like to have made, as it was typed.
type Wanted struct {
	Name, Project Field
	Scopes        []ci.Scope
	ScopesWrong   string
	Age           Field  // the key of an Age
	Wrong         string // what is wrong with the whole
}

// Ok tells whether nothing is wrong with it.
func (w Wanted) Ok() bool {
	return !slices.ContainsFunc([]string{w.Name.Wrong, w.Project.Wrong, w.ScopesWrong, w.Age.Wrong, w.Wrong}, func(s string) bool { return s != "" })
}

// Chosen tells whether a scope is.
func (w Wanted) Chosen(s ci.Scope) bool { return slices.Contains(w.Scopes, s) }

// ScopesField is what is wrong with the scopes.
func (w Wanted) ScopesField() Field { return Field{Wrong: w.ScopesWrong} }

// HTML is the whole document.
func (p Tokens) HTML() []byte { return pages.HTML("tokenlist", p) }

// Title is the page's.
func (p Tokens) Title() string {
	if !p.Wanted.Ok() {
		return "No token was made: Tokens"
	}
	return "Tokens"
}

// Good are those that are in force.
func (p Tokens) Good() []Token { return inForce(p.Tokens, p.At, true) }

// Ended are the others.
func (p Tokens) Ended() []Token { return inForce(p.Tokens, p.At, false) }
