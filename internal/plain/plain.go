package plain

import (
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
)

// Root is the address of the list of builds; the other pages lie below it.
const Root = "/plain"

// BuildPath is the address of a build.
func BuildPath(id ci.BuildID) string { return Root + "/builds/" + id.String() }

// StepPath is the address of a step's log. A key needs no escaping.
func StepPath(id ci.BuildID, key ci.StepKey) string { return BuildPath(id) + "/steps/" + string(key) }

// LinePath is an address that leads to the page that a line is on, and there to
// the line.
func LinePath(id ci.BuildID, key ci.StepKey, line int64) string {
	return fmt.Sprintf("%s?line=%d", StepPath(id, key), line)
}

// Frame is what every page has around it.
type Frame = page.Frame

// Message is a page of a few words: an error, or what one means.
type Message struct {
	Frame
	Title, Text string
	Hidden      bool   // what is not there for whoever asks may be for others
	Far         bool   // it is read from across a room
	Kinds       []Kind // of problems, where all are listed
}

// Kind is a kind of problem.
type Kind struct {
	Path, Title, Text string
	Status            int
}

// HTML is the whole document.
func (m Message) HTML() []byte { return pages.HTML("message", m) }

//go:embed *.html
var files embed.FS

var pages = page.New(files, template.FuncMap{
	"root":      func() string { return Root },
	"build":     BuildPath,
	"step":      StepPath,
	"line":      LinePath,
	"took":      took,
	"clock":     func(t time.Time) string { return t.UTC().Format("15:04:05.000") },
	"mark":      func(s ci.Status) string { return marks[s] },
	"sign":      func(l ci.Level) string { return signs[l] },
	"brief":     brief,
	"tested":    tested,
	"annotated": annotated,
	"weblink":   weblink,
	"statuses":  func() []ci.Status { return statuses },
})

var statuses = []ci.Status{ci.Queued, ci.Running, ci.Passed, ci.Failed, ci.Canceled, ci.Skipped, ci.Lost}

// A shape for each status, which stands beside its word.
var marks = map[ci.Status]string{
	ci.Queued: "○", ci.Running: "●", ci.Passed: "✓", ci.Failed: "✗", ci.Canceled: "⊘", ci.Skipped: "–", ci.Lost: "!",
}

var signs = map[ci.Level]string{ci.LevelError: "✗", ci.LevelWarning: "▲", ci.LevelNotice: "•"}

// took says a duration in seconds: "840 ms", "12.3 s", "4 min 7 s", "2 h 5 min",
// "3 d 4 h".
func took(seconds float64) string {
	ms := int64(max(0, min(seconds, ci.MaxNoteSeconds)) * 1000)
	s := ms / 1000
	switch {
	case ms < 1000:
		return fmt.Sprintf("%d ms", ms)
	case s < 60:
		return fmt.Sprintf("%d.%d s", s, ms%1000/100)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
	}
	return fmt.Sprintf("%d d %d h", s/86400, s/3600%24)
}

// span is how long something took, or has taken until now; empty before it
// began.
func span(from, to *time.Time, now time.Time) string {
	switch {
	case from == nil:
		return ""
	case to == nil:
		return took(now.Sub(*from).Seconds()) + " so far"
	}
	return took(to.Sub(*from).Seconds())
}

// brief is the beginning of a text that may be long and have lines; nothing hides in it.
func brief(s string) string {
	const most = 1000 // characters
	var b strings.Builder
	n := 0
	for _, r := range s {
		switch n++; {
		case n > most:
			return b.String() + "…"
		case r == '\n':
			b.WriteRune(r)
		default:
			page.AppendVisible(&b, r)
		}
	}
	return b.String()
}

// weblink returns an address that may be linked to, or nothing.
func weblink(s ci.Text) string {
	u, err := url.Parse(string(s))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.String()
}
