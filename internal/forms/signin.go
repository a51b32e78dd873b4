package forms

import "github.com/stepcast/stepcast/internal/ci"

// SignIn is the page where one signs in and out.
type SignIn struct {
	Frame
	Back     string   // the path to go on to
	Who      string   // as whom one is signed in; "": nobody
	Provider string   // what the provider is called where people sign in; "": there is none
	Needed   bool     // readers have to sign in on this server
	Why      string   // what brought one here, in a sentence; "": nothing did
	Scope    ci.Scope // what a token takes to go on with
	Token    Field    // its value is never shown
}

// HTML is the whole document.
func (p SignIn) HTML() []byte { return pages.HTML("signin", p) }

// Title is the page's.
func (p SignIn) Title() string {
	switch {
	case p.Token.Wrong != "":
		return "Not signed in: " + p.Token.Wrong
	case p.Who != "":
		return "Signed in"
	}
	return "Sign in"
}

// WithProvider is where one signs in at the provider.
func (p SignIn) WithProvider() string {
	return SignInPath + "/oidc" + SignInTo(p.Back)[len(SignInPath):]
}
