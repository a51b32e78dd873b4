// Package ansi takes escape sequences out of log text.
//
// What it promises: a sequence is what the VT500 parser takes for one (the
// table of charmbracelet/x/ansi), save that it ends with its line at the
// latest, or one that was never closed would eat the log; text may come in
// pieces that end anywhere; a byte that is no part of a sequence comes out as
// it went in, whether it is UTF-8 or not. Control characters are text, as places in
// a line count them, unless they are to go too.
package ansi

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi/parser"
)

// A Stripper takes escape sequences out of one text. The zero value is at its
// beginning.
type Stripper struct {
	// Bare takes out control characters too, those of one character that begin a
	// sequence with what they begin, but for tab, line feed and carriage return: what
	// is left does nothing else to a terminal.
	Bare bool

	state parser.State
	lead  bool // a byte 0xc2 was read, which with the next may be a control character
	alone bool // the last byte that was appended was such a byte, and nothing has followed it yet
}

// Every byte of a character beyond ASCII counts as this one, the first of
// many: none is a control of one byte, as the table would have it, for text is
// UTF-8.
const beyondASCII = 0xe2

// controlLead is the first byte of the control characters beyond ASCII, U+0080 to
// U+009F; the second is their number.
const controlLead = 0xc2

func isControlEnd(b byte) bool { return b >= 0x80 && b <= 0x9f }

// Append appends what is left of the next piece of the text. Of a Bare one a
// byte 0xc2 at the end comes with the next piece.
func (s *Stripper) Append(dst, piece []byte) []byte {
	for len(piece) > 0 {
		if s.state == parser.GroundState && !s.lead && !s.alone {
			i := 0
			if s.Bare {
				i = special(piece)
			} else {
				i = bytes.IndexByte(piece, 0x1b)
			}
			if i < 0 {
				return append(dst, piece...)
			}
			dst = append(dst, piece[:i]...)
			piece = piece[i:]
			if piece[0] == 0x1b {
				piece = piece[1:]
				if n := usual(piece); n > 0 {
					piece = piece[n:]
				} else {
					s.state = parser.EscapeState
				}
				continue
			}
		}
		b := piece[0]
		piece = piece[1:]
		switch {
		case s.lead && isControlEnd(b):
			s.lead = false
			s.state, _ = parser.Table.Transition(s.state, b)
			continue
		case s.lead:
			s.lead = false
			dst = s.take(dst, controlLead)
		}
		if s.Bare && b == controlLead {
			s.lead = true
			continue
		}
		dst = s.take(dst, b)
	}
	return dst
}

// take appends a byte unless it is part of a sequence.
func (s *Stripper) take(dst []byte, b byte) []byte {
	code := b
	if b >= utf8.RuneSelf {
		code = beyondASCII
	}
	next, action := parser.Table.Transition(s.state, code)
	text := action == parser.PrintAction || action == parser.ExecuteAction
	switch {
	case b == '\n':
		next, text = parser.GroundState, true
	case next == parser.Utf8State: // broken off by text
		next, text = parser.GroundState, true
	}
	s.state = next
	if !text || s.Bare && isControl(b) {
		return dst
	}
	// Nor do two bytes make a control character between which something was taken out.
	if s.alone && isControlEnd(b) {
		s.alone = false
		return dst
	}
	s.alone = s.Bare && b == controlLead
	return append(dst, b)
}

// special is where the first control character is, or what may become one; -1:
// there is none.
func special(piece []byte) int {
	for i := 0; i < len(piece); {
		if len(piece)-i >= 8 && usualText(binary.LittleEndian.Uint64(piece[i:])) {
			i += 8
			continue
		}
		for end := min(i+8, len(piece)); i < end; i++ {
			if b := piece[i]; isControl(b) || b == controlLead && (i+1 == len(piece) || piece[i+1] < 0xa0) {
				return i
			}
		}
	}
	return -1
}

// usualText tells whether of eight bytes none is less than 0x20, 0x7f, or a
// controlLead.
func usualText(eight uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	del, lead := eight^0x7f*ones, eight^controlLead*ones // where there is one, a zero
	return ((eight-0x20*ones)&^eight|(del-ones)&^del|(lead-ones)&^lead)&highs == 0
}

// isControl tells whether a byte is a control character of ASCII that text has no
// use for.
func isControl(b byte) bool {
	return b < ' ' && b != '\t' && b != '\n' && b != '\r' || b == 0x7f
}

// usual is the length of what follows ESC where that is a whole control
// sequence without intermediate bytes, as nearly all in logs are: the table
// would take it as well, byte by byte. 0: it is something else.
func usual(piece []byte) int {
	if len(piece) == 0 || piece[0] != '[' {
		return 0
	}
	for i, b := range piece[1:] {
		if b >= '@' && b <= '~' {
			return i + 2
		}
		if b < '0' || b > '?' {
			return 0
		}
	}
	return 0
}
