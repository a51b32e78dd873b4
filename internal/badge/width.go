package badge

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Widths in units, of which an em has unitsPerEm.
const (
	unitsPerEm = 128
	ideograph  = unitsPerEm         // and whatever else is as wide as high
	emoji      = unitsPerEm * 5 / 4 // the fonts differ, from 1.17 to 1.37 em
	unmeasured = unitsPerEm * 5 / 8 // a letter of a script that no table here has
)

// mostMarks is how many characters without a width may follow one that has
// one: enough for any language and any emoji, too few to draw over the page.
const mostMarks = 8

// A cluster is what a reader sees as one character, or nearly: a letter with its
// accents, an emoji of several, a flag.
type cluster struct {
	text  string
	width int // units
}

// clusters divides a text that is clean.
func clusters(text string) []cluster {
	var all []cluster
	var last rune
	joined, marks, paired := false, 0, false
	for _, r := range text {
		w := width(r)
		flag := r >= 0x1f1e6 && r <= 0x1f1ff
		switch n := len(all) - 1; {
		case n < 0 || w > 0 && !joined && !(flag && paired):
			if w == 0 { // a mark without its letter
				continue
			}
			all = append(all, cluster{string(r), w})
			marks, paired = 0, flag
		case marks < mostMarks:
			all[n].text += string(r)
			marks++
			paired = false
			if r == variation && width(last) > 0 || r == keycap {
				all[n].width = emoji
			}
		}
		joined = r == joiner && pictograph(last)
		if r != variation && !modifier(r) {
			last = r
		}
	}
	return all
}

// The characters that make one emoji of several.
const (
	joiner    = 0x200d
	variation = 0xfe0f
	keycap    = 0x20e3
)

func modifier(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

// width is how far a character moves the next one, in units, in Verdana and what
// is like it.
func width(r rune) int {
	switch {
	case r == 0xad || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Variation_Selector) || modifier(r):
		return 0
	case pictograph(r):
		return emoji
	case wide(r):
		return ideograph
	}
	for _, block := range advances {
		if i := int(r - block.first); i >= 0 && i < len(block.widths) && block.widths[i] > 0 {
			return int(block.widths[i])
		}
	}
	return unmeasured
}

type span struct{ first, last rune }

func within(r rune, spans []span) bool {
	for _, s := range spans {
		if r >= s.first && r <= s.last {
			return true
		}
	}
	return false
}

// wide tells whether a character takes a square: the East Asian Width W or F of
// Unicode Standard Annex 11, in whole blocks.
func wide(r rune) bool { return r >= 0x1100 && within(r, squares) }

var squares = []span{
	{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7a3},
	{0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f}, {0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18d8f}, {0x1b000, 0x1b2ff}, {0x20000, 0x3fffd},
}

// pictograph tells whether a character is drawn as an emoji without being asked
// to: Emoji_Presentation of Unicode Technical Standard 51, the supplementary
// planes in whole blocks.
func pictograph(r rune) bool { return r >= 0x231a && within(r, pictographs) }

var pictographs = []span{
	{0x231a, 0x231b}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3}, {0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653},
	{0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce},
	{0x26d4, 0x26d4}, {0x26ea, 0x26ea}, {0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705},
	{0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2764, 0x2764},
	{0x2795, 0x2797}, {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x1f000, 0x1faff},
}

// clean makes text of anything: UTF-8 that XML may have, on one line, without
// blanks at its ends or in a row, which SVG would not show, and without the
// controls that turn the direction of what comes after them.
func clean(s string) string {
	var b strings.Builder
	blank := true
	for _, r := range s {
		switch {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029:
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
			continue
		case unicode.IsControl(r) || r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef || unicode.Is(unicode.Bidi_Control, r):
			r = utf8.RuneError
		}
		b.WriteRune(r)
		blank = false
	}
	return strings.TrimSuffix(b.String(), " ")
}

// fit returns what of a text is at most so many units wide, with an ellipsis for
// the rest, and how wide that is.
func fit(text string, most int) (string, int) {
	const ellipsis = "…"
	all := clusters(clean(text))
	sum, short, kept := 0, 0, 0 // of all; of what would leave room for the ellipsis
	var b strings.Builder
	for _, c := range all {
		if sum += c.width; sum > most {
			break
		}
		if b.WriteString(c.text); sum <= most-width('…') {
			short, kept = sum, b.Len()
		}
	}
	if sum <= most {
		return b.String(), sum
	}
	return b.String()[:kept] + ellipsis, short + width('…')
}
