package plain

// SignIn is the page where one signs in.
type SignIn struct {
	Frame
	Back     string // the path to go on to
	Provider string // what the provider is called where people sign in; "": there is none
	Why      string // one is not signed in, though one has tried; "": one has not
}

// HTML is the whole document.
func (p SignIn) HTML() []byte { return pages.HTML("signin", p) }

// Title is the page's.
func (p SignIn) Title() string { return "Sign in" }
