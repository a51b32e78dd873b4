// Package ansi takes escape sequences out of log text.
//
// What it promises: a sequence is what the VT500 parser takes for one (the
// table of charmbracelet/x/ansi), save that it ends with its line at the
// latest, or one that was never closed would eat the log; text may come in
// pieces that end anywhere; a byte that is no part of a sequence comes out as
// it went in, whether it is UTF-8 or not.
package ansi

import (
	"bytes"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi/parser"
)

// A Stripper takes escape sequences out of one text. The zero value is at its
// beginning.
type Stripper struct {
	state parser.State
}

// Every byte of a character beyond ASCII counts as this one, the first of
// many: none is a control of one byte, as the table would have it, for text is
// UTF-8.
const beyondASCII = 0xe2

// Append appends what is left of the next piece of the text.
func (s *Stripper) Append(dst, piece []byte) []byte {
	for len(piece) > 0 {
		if s.state == parser.GroundState {
			i := bytes.IndexByte(piece, 0x1b)
			if i < 0 {
				return append(dst, piece...)
			}
			dst = append(dst, piece[:i]...)
			piece = piece[i+1:]
			if n := usual(piece); n > 0 {
				piece = piece[n:]
			} else {
				s.state = parser.EscapeState
			}
			continue
		}
		b := piece[0]
		piece = piece[1:]
		code := b
		if b >= utf8.RuneSelf {
			code = beyondASCII
		}
		next, action := parser.Table.Transition(s.state, code)
		switch {
		case b == '\n':
			next = parser.GroundState
			dst = append(dst, b)
		case next == parser.Utf8State: // broken off by text
			next = parser.GroundState
			dst = append(dst, b)
		case action == parser.PrintAction || action == parser.ExecuteAction:
			dst = append(dst, b)
		}
		s.state = next
	}
	return dst
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
