package forms

// Refused is the page that says why something may not be seen or done, and who
// could help.
type Refused struct {
	Frame
	Heading string
	Says    string // what is missing, in a sentence
	Help    string // who could help, and how; "": nobody
}

// HTML is the whole document.
func (p Refused) HTML() []byte { return pages.HTML("refused", p) }

// Title is the page's.
func (p Refused) Title() string { return p.Heading }
