package plain

import (
	"bytes"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
)

// Bounds of a page of a log.
const (
	PageLines = 1000
	PageBytes = 4 << 20 // of the log, as it stands in HTML, in whole lines; what is beyond is on the next page
	maxLine   = 10_000  // characters of a line; the rest is in the log itself
)

// PageOf is the first line of the page that a line is on, unless the lines before
// it are so long that the page ends early.
func PageOf(line int64) int64 { return line - (line-1)%PageLines }

// Row is a line of a log, or a piece of it that is missing.
type Row struct {
	Hole   int64     // bytes that are gone for good; then there is only the number
	Quota  ci.Quota  // of these: which one was used up
	Number int64     // of the line, from 1; of a hole, that of the line in which it begins
	At     time.Time // when its first byte was printed
	Text   string    // as a terminal would have left it, without colours
	Cut    bool      // the line is longer
	Rest   bool      // it goes on after a hole, and its number was there before
}

// Lines makes rows of a log's text, from the start of a line on. A line on
// which a carriage return went back to the start shows what was written last;
// control characters that are left are shown as ^G or \u0085.
type Lines struct {
	rows   []Row
	number int64 // of the line that is being read
	last   int64 // the last line that is wanted
	at     time.Time
	open   bool   // something of the line was read
	rest   bool   // it began before a hole
	text   []byte // since the last carriage return that something followed
	before []byte // the last that was not blank before that
	back   bool   // a carriage return came, and nothing after it
}

// NewLines reads from one line to another, or, with last 0, to the end.
func NewLines(first, last int64) *Lines {
	if last == 0 {
		last = math.MaxInt64
	}
	return &Lines{number: first, last: last}
}

// Full tells that nothing more is wanted.
func (l *Lines) Full() bool { return l.number > l.last }

// Text takes the next text, of which escape sequences were taken out.
func (l *Lines) Text(at time.Time, text []byte) {
	for len(text) > 0 && !l.Full() {
		if !l.open {
			l.open, l.at = true, at
		}
		i := bytes.IndexAny(text, "\r\n")
		if i < 0 {
			l.write(text)
			return
		}
		l.write(text[:i])
		if text[i] == '\n' {
			l.end()
			l.number++
			l.rest = false
		} else {
			l.back = true
		}
		text = text[i+1:]
	}
}

func (l *Lines) write(text []byte) {
	if len(text) == 0 {
		return
	}
	if l.back {
		l.keep()
		l.back = false
	}
	// One more than is shown, so that the cut is noticed.
	if room := (maxLine + 1) * utf8.UTFMax; len(l.text) < room {
		l.text = append(l.text, text[:min(len(text), room-len(l.text))]...)
	}
}

// keep puts aside what a carriage return will have written over.
func (l *Lines) keep() {
	if len(bytes.TrimSpace(l.text)) > 0 {
		l.before, l.text = l.text, l.before
	}
	l.text = l.text[:0]
}

// end makes a row of the line.
func (l *Lines) end() {
	if len(bytes.TrimSpace(l.text)) == 0 && len(l.before) > 0 {
		l.text, l.before = l.before, l.text
	}
	text, cut := shown(l.text)
	l.rows = append(l.rows, Row{Number: l.number, At: l.at, Text: text, Cut: cut, Rest: l.rest})
	l.text, l.before, l.open, l.back = l.text[:0], l.before[:0], false, false
}

// Hole says that so many bytes are missing here, for want of a quota or, if that
// is zero, since they were lost.
func (l *Lines) Hole(bytes int64, quota ci.Quota) {
	if l.Full() {
		return
	}
	if l.open {
		l.end()
		l.rest = true
	}
	if n := len(l.rows); n > 0 && l.rows[n-1].Hole > 0 && l.rows[n-1].Quota == quota {
		l.rows[n-1].Hole += bytes
		return
	}
	l.rows = append(l.rows, Row{Hole: bytes, Quota: quota, Number: l.number})
}

// Stop ends the page here, in the middle of a line if need be.
func (l *Lines) Stop() {
	if l.open && !l.Full() {
		l.end()
		l.rows[len(l.rows)-1].Cut = true
		l.number++
	}
	l.last = l.number - 1
}

// Rows returns all that was read; the last line may have no end yet.
func (l *Lines) Rows() []Row {
	if l.open && !l.Full() {
		l.end()
		l.number++
	}
	return l.rows
}

// shown is a line as it is put on a page.
func shown(text []byte) (string, bool) {
	var b strings.Builder
	n := 0
	for _, r := range string(text) {
		if n == maxLine {
			return b.String(), true
		}
		n++
		page.AppendVisible(&b, r)
	}
	return b.String(), false
}
