// Package page is what all pages without JavaScript have in common, the
// accessible view and the forms: the document around them, the stylesheet, and
// how moments, counts and texts of strangers are said. It is pure: data in, HTML
// out.
//
// What it promises of each page: it needs no script and has none; and whatever
// people and builds say is text, which html/template escapes, and can neither
// become markup nor bend the direction of what stands around it.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/web"
)

// Style is the stylesheet of these pages, beside the colours of the others.
//
//go:embed page.css
var Style []byte

// StylePath is where Style has to be served; it changes with its content.
var StylePath = func() string {
	sum := sha256.Sum256(Style)
	return "/style-" + hex.EncodeToString(sum[:6]) + ".css"
}()

// Frame is what every page has around it.
type Frame struct {
	Address string    // of this very page, with its query
	At      time.Time // as of when it is true
	Account Account
}

// Account is what whoever looks can do about who it is. The zero Account is that
// of a server without sign-in, for somebody without a session.
type Account string

// The others are the words of a link to the page where one signs in and out.
const (
	SignIn  Account = "Sign in"
	SignOut Account = "Sign out"
)

//go:embed frame.html
var frame embed.FS

var common = template.FuncMap{
	"style":   func() []string { return []string{web.Stylesheet, StylePath} },
	"icon":    func() string { return web.Icon },
	"counted": func(n any, one string) string { return Counted(whole(n), one) },
	"count":   func(n any) string { return Count(whole(n)) },
	"moment":  func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") },
	"machine": func(t time.Time) string { return ci.Cut(t).Format(time.RFC3339Nano) },
	"visible": func(text any) string { return Visible(fmt.Sprint(text)) },
	"list":    func(members ...any) []any { return members },
}

// Set is a set of pages: one template each, in a file of its name. It has to say
// what they have at their head and their foot: the templates "header" and
// "footer".
type Set struct{ templates func() *template.Template }

// New is a set of the templates in files. They begin with the template "top" and
// end with "bottom", and have the functions of all sets besides their own. They
// are read with the first page, which panics where they are wrong: a command that
// makes none, as each step of a build is one, does not pay for them.
func New(files fs.FS, functions template.FuncMap) Set {
	return Set{sync.OnceValue(func() *template.Template {
		all := maps.Clone(common)
		maps.Copy(all, functions)
		t := template.Must(template.New("").Funcs(all).ParseFS(frame, "*.html"))
		return template.Must(t.ParseFS(files, "*.html"))
	})}
}

// HTML makes a whole document. It panics where a template and its data do not
// fit, which no input can bring about.
func (s Set) HTML(name string, data any) []byte {
	var b bytes.Buffer
	if err := s.templates().ExecuteTemplate(&b, name, data); err != nil {
		panic("page: " + err.Error())
	}
	return b.Bytes()
}

// Count is a number with commas: 1,234,567.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// whole is a number of any of the types that templates have.
func whole(n any) int64 {
	if i, ok := n.(int); ok {
		return int64(i)
	}
	return n.(int64)
}

// Counted is "1 line", "1,200 lines".
func Counted(n int64, one string) string {
	if n != 1 {
		one += "s"
	}
	return Count(n) + " " + one
}

// Visible is a text in which nothing hides: control characters are ^G or \u0085,
// and those that turn text around are \u202e.
func Visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		AppendVisible(&b, r)
	}
	return b.String()
}

// AppendVisible writes a character of such a text; of a byte that is no UTF-8,
// U+FFFD.
func AppendVisible(b *strings.Builder, r rune) {
	switch {
	case r == '\t':
		b.WriteByte('\t')
	case r < ' ' || r == 0x7f:
		b.WriteByte('^')
		b.WriteRune(r ^ 0x40)
	case r >= 0x80 && r < 0xa0, ci.TurnsText(r):
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteRune(r)
	}
}
