package search

import (
	"bytes"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ansi"
)

// Sizes in bytes. A block stays in the processor's cache while it is folded and
// searched. A window is smaller for an expression of many states, so that none
// takes more than a few seconds, after which the caller may stop.
const (
	blockSize   = 128 << 10
	windowSize  = 1 << 20
	leastWindow = 128 << 10
	overlapSize = 64 << 10
	windowWork  = 1 << 28 // states times bytes, for which a line's matches are told apart too

	maxPiece = 64 << 10 // so much of what is written is taken in one go
)

// A Place is a line, or, where holes divide one, a piece of it: what a hole
// ends is a line of its own but for its number.
type Place struct {
	Line  int64 // from 1
	Piece int   // from 0
}

// Before tells whether p comes before q.
func (p Place) Before(q Place) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Piece < q.Piece
}

// A Matcher finds the lines of one text, or of its end, that match. It tells
// each of them once, in order.
type Matcher struct {
	pattern *Pattern
	found   func(Hit)
	from    Place // what comes before is not told
	old     bool  // nor is anything before Renew

	strip ansi.Stripper
	buf   []byte // without escape sequences: whole lines, then what there is of the open one
	whole int    // where that begins
	place Place  // of the first line in buf
	open  bool   // the last line in buf has begun, even if there is nothing to be seen of it

	// Of a line of more than a window, whose end buf is.
	passed bool  // its beginning is no longer in buf
	units  int64 // so many UTF-16 units
	told   bool  // it matches, and nothing more is wanted of it

	bounds bounds
	lower  []byte // room for folded text
}

// bounds are what a Matcher holds, in bytes.
type bounds struct {
	block   int // whole lines are searched as soon as there are so many
	window  int // of a longer line so much is looked at in one go
	overlap int // of two windows
}

// NewMatcher begins a search at a place, of which the first byte that is
// written is that of the line. Found is called for each line that matches. With
// old, none is before Renew.
func (p *Pattern) NewMatcher(from Place, old bool, found func(Hit)) *Matcher {
	window := min(windowSize, max(leastWindow, windowWork/p.states))
	return &Matcher{
		pattern: p, found: found, from: from, old: old, place: Place{Line: from.Line},
		bounds: bounds{block: blockSize, window: window, overlap: overlapSize},
	}
}

// Write takes the next piece of the text, which is UTF-8 and may end anywhere
// between two characters.
func (m *Matcher) Write(text []byte) {
	for len(text) > 0 {
		n := min(len(text), maxPiece)
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n--
		}
		m.write(text[:n])
		text = text[n:]
	}
}

func (m *Matcher) write(text []byte) {
	start := max(m.whole, len(m.buf)-1) // a CR may be there
	m.buf = m.strip.Append(m.buf, text)
	m.buf = dropCR(m.buf, start)
	if i := bytes.LastIndexByte(m.buf[start:], '\n'); i >= 0 {
		m.whole = start + i + 1
	}
	m.open = text[len(text)-1] != '\n'
	if m.whole >= m.bounds.block {
		m.searchWhole()
	}
	if len(m.buf)-m.whole >= m.bounds.window {
		m.searchWhole()
		m.searchWindow()
	}
}

// dropCR takes out the CR before each LF from a place on.
func dropCR(buf []byte, from int) []byte {
	i := bytes.Index(buf[from:], crlf)
	if i < 0 {
		return buf
	}
	end := from + i
	for rest := buf[end+1:]; ; {
		i := bytes.Index(rest, crlf)
		if i < 0 {
			return append(buf[:end], rest...)
		}
		end += copy(buf[end:], rest[:i])
		rest = rest[i+1:]
	}
}

var crlf = []byte("\r\n")

// Hole says that text is missing here: it ends what there is of the line.
func (m *Matcher) Hole() {
	m.searchWhole()
	m.searchOpen()
	m.strip = ansi.Stripper{}
	m.buf, m.open = m.buf[:0], false
	m.passed, m.told, m.units = false, false, 0
	m.place.Piece++
}

// Renew says that what was written so far was searched at an earlier time,
// as it stood then: of it no line is told, nor is the open one if it matched
// already. What comes now is new.
func (m *Matcher) Renew() {
	if !m.old {
		return
	}
	m.searchWhole()
	m.searchOpen()
	m.old = false
}

// End says that there is no more text for now; an unended line is searched as
// it stands.
func (m *Matcher) End() {
	m.searchWhole()
	m.searchOpen()
}

// Place is where the search has come to: all lines before it were searched.
func (m *Matcher) Place() Place {
	m.searchWhole()
	at := m.place
	if m.told {
		at.Piece++ // the rest of the open line says nothing new
	}
	if at.Before(m.from) {
		return m.from
	}
	return at
}

// InLongLine tells whether the open line is longer than a window.
func (m *Matcher) InLongLine() bool { return m.passed }

// searchWhole searches the whole lines in the buffer and drops them.
func (m *Matcher) searchWhole() {
	if m.whole == 0 {
		return
	}
	block := m.buf[:m.whole]
	// The first line may be the rest of one, or not be wanted.
	if m.passed || m.told || m.place.Piece > 0 || m.place.Before(m.from) {
		n := bytes.IndexByte(block, '\n') + 1
		m.searchLine(block[:n-1], true)
		m.passed, m.told, m.units = false, false, 0
		m.place = Place{Line: m.place.Line + 1}
		block = block[n:]
	}
	if !m.old {
		m.searchBlock(block)
	}
	m.place.Line += int64(bytes.Count(block, []byte{'\n'}))
	m.buf = m.buf[:copy(m.buf, m.buf[m.whole:])]
	m.whole = 0
}

// searchOpen searches the open line as it stands.
func (m *Matcher) searchOpen() {
	if m.open {
		m.searchLine(withoutCR(m.buf), true)
	}
}

// withoutCR leaves out a CR at the end: it may be half of a line's end.
func withoutCR(line []byte) []byte { return bytes.TrimSuffix(line, []byte{'\r'}) }

// searchWindow searches a window of a line that is longer, and drops all of it
// but the overlap.
func (m *Matcher) searchWindow() {
	m.searchLine(withoutCR(m.buf), false)
	cut := len(m.buf) - m.bounds.overlap
	for !utf8.RuneStart(m.buf[cut]) {
		cut--
	}
	m.units += utf16Len(m.buf[:cut])
	m.buf = m.buf[:copy(m.buf, m.buf[cut:])]
	m.passed = true
}

// searchLine searches the line at the beginning of the buffer, or what there
// is of it.
func (m *Matcher) searchLine(text []byte, ends bool) {
	if m.told || !m.pattern.matches(text, !m.passed, ends, &m.lower) {
		return
	}
	m.told = true
	if !m.old && !m.place.Before(m.from) {
		m.found(Hit{Place: m.place, text: text, pattern: m.pattern, units: m.units, begins: !m.passed, ends: ends})
	}
}

// searchBlock searches whole lines, the first of which is at m.place.
func (m *Matcher) searchBlock(block []byte) {
	line, counted := m.place.Line, 0
	m.pattern.lines(block, &m.lower, func(start, end int) {
		line += int64(bytes.Count(block[counted:start], []byte{'\n'}))
		counted = start
		m.found(Hit{Place: Place{Line: line}, text: block[start:end], pattern: m.pattern, begins: true, ends: true})
	})
}
