package forms

// Question is asked before something happens that cannot be undone. It is
// answered by sending the same form once more.
type Question struct {
	Frame
	Heading string
	Says    []string    // what will be, a paragraph each
	Fields  [][2]string // names and values that are sent
	Yes     string      // the words of the button
	No      string      // where one goes who will not
}

// HTML is the whole document.
func (p Question) HTML() []byte { return pages.HTML("question", p) }

// Title is the page's.
func (p Question) Title() string { return p.Heading }
