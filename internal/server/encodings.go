package server

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

// decodedWrongly says what a text looks like that a program decoded on the way, and not
// as it was encoded; "": it looks as it should. It is to cost little of text without.
func decodedWrongly(chunk *ci.Chunk) string {
	body := chunk.Body
	switch {
	case !chunk.Escaped: // it is no UTF-8
	case mayBeMisread(body) && misread(chunk.AppendRaw(nil)):
		return "looks like UTF-8 that was read as ISO-8859-1 or Windows-1252"
	case bytes.Contains(body, []byte("\ufffd")),
		(bytes.Contains(body, []byte(`\ufff`)) || bytes.Contains(body, []byte(`\uFFF`))) && bytes.Contains(chunk.AppendRaw(nil), []byte("\ufffd")):
		return "has U+FFFD, which stands for bytes that were lost before it was sent"
	}
	return ""
}

// mayBeMisread tells whether misread has to look: whether a character that begins what it
// looks for stands before one that goes on so, or characters like these are escaped.
func mayBeMisread(literal []byte) bool {
	for rest := literal; ; rest = rest[2:] {
		i := bytes.IndexByte(rest, 0xc3) // of U+00C0 to U+00FF
		if i < 0 || len(rest) < i+3 {
			break
		}
		rest = rest[i:]
		if misreadLead(rune(rest[1])+0x40) > 0 && bytes.IndexByte([]byte("\xc2\xc5\xc6\xcb\xe2"), rest[2]) >= 0 {
			return true
		}
	}
	for rest := literal; ; rest = rest[5:] {
		i := bytes.Index(rest, []byte(`\u00`))
		if i < 0 || len(rest) < i+6 {
			return false
		}
		rest = rest[i:]
		if bytes.IndexByte([]byte("CcDdEeFf"), rest[4]) >= 0 {
			return true
		}
	}
}

// misreadLead tells how many more characters misread looks at behind one that is the first
// byte of another, read alone; 0: it is none of these.
func misreadLead(r rune) int {
	switch r {
	case 0xc2, 0xc3, 0xc4, 0xc5, 0xd0, 0xd1: // of letters, and signs such as © and °
		return 1
	case 0xe2, 0xf0: // of symbols, and emoji
		return 2
	}
	return 0
}

// closing is what may stand behind a letter in any text, and is a later byte of a
// character as well.
const closing = "\u00a0«»‘’‚“”„‹›…–—·•"

// misread tells whether a text has characters that UTF-8 becomes when each of its bytes
// is read as one, as by ISO-8859-1 or Windows-1252.
func misread(text []byte) bool {
	for at := 0; ; at += 2 {
		i := bytes.IndexByte(text[at:], 0xc3)
		if i < 0 {
			return false
		}
		at += i
		lead, size := utf8.DecodeRune(text[at:])
		if size != 2 {
			continue
		}
		var behind [2]rune
		rest, want := text[at+2:], misreadLead(lead)
		for n := range want {
			r, size := utf8.DecodeRune(rest)
			if !laterByte(r) {
				want = 0
				break
			}
			behind[n], rest = r, rest[size:]
		}
		before, _ := utf8.DecodeLastRune(text[:at])
		after, _ := utf8.DecodeRune(rest)
		if want > 0 && !ordinary(before, lead, behind, after) {
			return true
		}
	}
}

// ordinary tells whether characters that may be the bytes of one are as likely what they
// are: a capital letter, or an â, with a quotation mark or the like behind it, as in the
// Portuguese «AMANHÃ» and the Turkish “hâlâ”; or a unit.
func ordinary(before, lead rune, behind [2]rune, after rune) bool {
	closed := func(r rune) bool { return strings.ContainsRune(closing, r) }
	switch {
	case lead == 0xf0: // of 🚀 and others
		return behind[0] != 'Ÿ' && behind[0] != 0x9f
	case lead == 0xe2:
		return closed(behind[0]) && (unicode.IsLetter(before) || closed(behind[1]))
	case lead == 0xc2 && behind[0] > 0xbf: // no sign has such a byte
		return true
	case lead == 0xc5 && behind[0] >= 0xa0: // 12 Å²
		return !unicode.IsLower(before)
	case closed(behind[0]):
		return !unicode.IsLower(before) && !unicode.IsDigit(before) && (lead != 0xc3 || unicode.IsUpper(before) || after < 'a' || after > 'z')
	}
	return false
}

// laterByte tells whether a character is what ISO-8859-1, or Windows-1252, makes of a byte
// that goes on a character of UTF-8.
func laterByte(r rune) bool {
	return r >= 0x80 && r <= 0xbf || r > 0xff && strings.ContainsRune("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ", r)
}

// looksLike names what begins as no log does.
func looksLike(piece []byte) string {
	for _, one := range []struct{ begins, name string }{{"\x1f\x8b\x08", "gzip"}, {"\x28\xb5\x2f\xfd", "zstd"}, {"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"}} {
		if bytes.HasPrefix(piece, []byte(one.begins)) {
			return one.name
		}
	}
	const unmarked = 8 // letters of ASCII, each with a zero beside it
	if len(piece) < 2*unmarked {
		return ""
	}
	for i := 0; i < 2*unmarked; i += 2 {
		if low, high := piece[i], piece[i+1]; low == 0 || low >= utf8.RuneSelf || high != 0 {
			return ""
		}
	}
	return "UTF-16"
}

// looksLatin tells whether a piece looks like text in ISO-8859-1, or in a code like it:
// letters of it stand beside those of ASCII, and nothing in it is UTF-8 or no text.
func looksLatin(piece []byte) bool {
	if piece = piece[:len(piece)-ci.Unfinished(piece)]; len(piece) < 5 || utf8.Valid(piece) { // of less it cannot be told
		return false
	}
	beside := func(i int) bool {
		return i >= 0 && i < len(piece) && unicode.IsLetter(rune(piece[i])) && piece[i] < utf8.RuneSelf
	}
	letters := false
	for i, b := range piece {
		switch {
		case b < utf8.RuneSelf:
			if unicode.IsControl(rune(b)) && !bytes.ContainsRune([]byte("\t\n\r\b\f\x1b"), rune(b)) {
				return false
			}
		case b < 0xa0:
			return false
		case b >= 0xc0 && (beside(i-1) || beside(i+1)):
			letters = true
		}
		if r, n := utf8.DecodeRune(piece[i:]); n > 1 && r != utf8.RuneError {
			return false
		}
	}
	return letters
}

// endsWithin tells whether a text is UTF-8 that ends within a character.
func endsWithin(text []byte) bool {
	n := ci.Unfinished(text)
	return n > 0 && utf8.Valid(text[:len(text)-n])
}
