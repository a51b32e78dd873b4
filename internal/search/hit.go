package search

import "unicode/utf8"

// Bounds of what is shown of a line.
const (
	MaxExcerpt = 500 // UTF-16 units
	MaxRanges  = 100
	lead       = 100 // UTF-16 units of an excerpt before the first match
)

// A Hit is a line that matches. It is valid until Found returns.
type Hit struct {
	Place
	text         []byte // the line, or a window of it
	pattern      *Pattern
	units        int64 // UTF-16 units of the line before text
	begins, ends bool  // where the line does
}

// A Match is what is shown of a line that matches. Places count UTF-16 units of
// the line without escape sequences, as strings of JavaScript do.
type Match struct {
	Text   string     // the line, or at most MaxExcerpt units of it
	At     int64      // where Text begins in the line
	Ranges [][2]int64 // begins and ends of the matches, the first MaxRanges of them; in a line of several windows, of the first that has any
}

// Match makes the excerpt.
func (h Hit) Match() Match {
	found := h.pattern.ranges(h.text, h.begins, h.ends, MaxRanges)
	m := Match{At: h.units, Ranges: make([][2]int64, len(found))}
	at, units := 0, h.units
	to := func(place int) int64 {
		units += utf16Len(h.text[at:place])
		at = place
		return units
	}
	for i, r := range found {
		m.Ranges[i] = [2]int64{to(r[0]), to(r[1])}
	}
	all := to(len(h.text))
	text := h.text
	if first := h.units; all-first > MaxExcerpt {
		if len(found) > 0 {
			first = max(first, min(m.Ranges[0][0]-lead, all-MaxExcerpt))
		}
		var skipped int
		skipped, m.At = forward(text, h.units, first)
		text = text[skipped:]
		size, end := forward(text, m.At, m.At+MaxExcerpt)
		if end > m.At+MaxExcerpt { // the last character takes two
			_, last := utf8.DecodeLastRune(text[:size])
			size -= last
		}
		text = text[:size]
	}
	m.Text = string(text)
	return m
}

// forward finds the first character at or behind a place in UTF-16 units, as
// bytes of text, which begins at units, and as units.
func forward(text []byte, units, place int64) (at int, reached int64) {
	for at < len(text) && units < place {
		r, size := utf8.DecodeRune(text[at:])
		at += size
		if units++; r > 0xffff {
			units++
		}
	}
	return at, units
}

// utf16Len is how many UTF-16 units UTF-8 text takes.
func utf16Len(text []byte) (n int64) {
	for _, b := range text {
		if b < utf8.RuneSelf || b >= 0xc0 {
			n++
		}
		if b >= 0xf0 {
			n++
		}
	}
	return n
}
