package ci

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of one log event.
const (
	MaxChunkBytes = 64 << 10 // of the text itself, not of its literal
	MaxChunkLines = 1000     // an unended rest counts as one
)

// MaxLogBytes is the greatest length of a step's log, and so the greatest
// offset: up to here every JSON reader counts exactly (RFC 8259, section 6).
const MaxLogBytes = 1<<53 - 1

// Chunk is a piece of log text. Text that is UTF-8 is kept as the inside of a
// JSON string, escapes and all, because that is how it arrives and how it
// leaves: nothing on the way decodes it. Other bytes are kept as they are.
//
// A literal has been checked before it gets here: it is UTF-8 without control
// characters or bare quotes, its escapes are those of JSON, and its surrogates
// come in pairs.
type Chunk struct {
	Body    []byte // the literal, or the bytes themselves
	Escaped bool   // Body is a literal
	Bytes   int64  // length of the text itself
	Lines   int64  // newlines in it
	Ended   bool   // its last byte is a newline
}

// NewChunk makes a chunk of bytes. It keeps raw unless that is UTF-8.
func NewChunk(raw []byte) Chunk {
	c := Chunk{Body: raw, Bytes: int64(len(raw)), Lines: int64(bytes.Count(raw, []byte{'\n'}))}
	c.Ended = len(raw) > 0 && raw[len(raw)-1] == '\n'
	if utf8.Valid(raw) {
		c.Body, c.Escaped = escapeValid(make([]byte, 0, len(raw)+len(raw)/32+16), raw), true
	}
	return c
}

// AppendLiteral appends the inside of a JSON string that shows the chunk: the
// exact text, or with U+FFFD where the bytes are not UTF-8.
func (c *Chunk) AppendLiteral(dst []byte) []byte {
	if c.Escaped {
		return append(dst, c.Body...)
	}
	return AppendEscaped(dst, c.Body)
}

// LiteralBytes is how long the literal becomes, at most.
func (c *Chunk) LiteralBytes() (n int) {
	if c.Escaped {
		return len(c.Body)
	}
	for _, b := range c.Body {
		switch {
		case b < ' ':
			n += len(`\u0001`)
		case b == '"', b == '\\':
			n += len(`\"`)
		case b >= utf8.RuneSelf:
			n += len("\ufffd")
		default:
			n++
		}
	}
	return n
}

// AppendText appends the text as streams show it: UTF-8, with U+FFFD where the
// bytes are not.
func (c *Chunk) AppendText(dst []byte) []byte {
	if c.Escaped {
		return AppendUnescaped(dst, c.Body)
	}
	return appendMended(dst, c.Body, func(dst, valid []byte) []byte { return append(dst, valid...) })
}

// AppendRaw appends the exact bytes of the text.
func (c *Chunk) AppendRaw(dst []byte) []byte {
	if !c.Escaped {
		return append(dst, c.Body...)
	}
	return AppendUnescaped(dst, c.Body)
}

// Plain tells that no escape sequence begins in the text: it holds no ESC. False
// means that one may.
func (c *Chunk) Plain() bool {
	if !c.Escaped {
		return bytes.IndexByte(c.Body, 0x1b) < 0
	}
	return !bytes.Contains(c.Body, []byte(`\u001`)) // \u001b and \u001B, and neighbours that are as rare
}

// From returns the rest of the chunk from byte n of its text on.
func (c *Chunk) From(n int64) Chunk {
	raw := c.AppendRaw(make([]byte, 0, c.Bytes))
	return NewChunk(raw[n:])
}

// Until returns the beginning of the chunk, at most n bytes of its text: up to
// the last line that fits, or within the first between two characters.
func (c *Chunk) Until(n int64) Chunk {
	raw := c.AppendRaw(make([]byte, 0, c.Bytes))
	end := bytes.LastIndexByte(raw[:n], '\n') + 1
	if end == 0 {
		end = CharEnd(raw, int(n))
	}
	return NewChunk(raw[:end:end])
}

// Split cuts the chunk into pieces that fit an event: after the last line that
// fits, or within a longer line between two characters. The pieces share the
// chunk's memory where they can.
func (c *Chunk) Split() []Chunk {
	if c.Bytes <= MaxChunkBytes && (c.Lines < MaxChunkLines || c.Lines == MaxChunkLines && c.Ended) {
		return []Chunk{*c}
	}
	pieces := make([]Chunk, 0, c.Bytes/MaxChunkBytes+c.Lines/MaxChunkLines+2)
	for rest := c.Body; len(rest) > 0; {
		var piece Chunk
		if c.Escaped {
			piece = cutLiteral(rest)
			rest = rest[len(piece.Body):]
		} else {
			n := cutRaw(rest)
			piece = NewChunk(rest[:n:n])
			rest = rest[n:]
		}
		pieces = append(pieces, piece)
	}
	return pieces
}

// cutLines cuts the chunk behind its first n newlines; with fewer in it, after
// is empty. The pieces share the chunk's memory and are kept as it is.
func (c *Chunk) cutLines(n int64) (before, after Chunk) {
	if n > c.Lines || n == c.Lines && c.Ended {
		return *c, Chunk{}
	}
	var place, text, lines int64 // in the body; what that is of the text; newlines up to there
	for ; lines < n; lines++ {
		if c.Escaped {
			size, long := lineEnd(c.Body[place:])
			place, text = place+size, text+long
		} else {
			place += int64(bytes.IndexByte(c.Body[place:], '\n')) + 1
			text = place
		}
	}
	before = Chunk{Body: c.Body[:place:place], Escaped: c.Escaped, Bytes: text, Lines: n, Ended: n > 0}
	after = Chunk{Body: c.Body[place:], Escaped: c.Escaped, Bytes: c.Bytes - text, Lines: c.Lines - n, Ended: c.Ended}
	return before, after
}

// lineEnd tells how long the first line of a literal is, and its text, with
// the newline that it must have.
func lineEnd(literal []byte) (size, text int64) {
	for at := literal; ; {
		run := bytes.IndexByte(at, '\\')
		long, short := escape(at[run:])
		size, text = size+int64(run+long), text+int64(run+short)
		if newline(at[run:]) {
			return size, text
		}
		at = at[run+long:]
	}
}

// cutRaw is how many bytes the first piece of raw has.
func cutRaw(raw []byte) int {
	window := raw[:min(len(raw), MaxChunkBytes)]
	end := 0 // of the last whole line
	for range MaxChunkLines {
		i := bytes.IndexByte(window[end:], '\n')
		switch {
		case i >= 0:
			end += i + 1
		case len(window) == len(raw):
			return len(raw)
		case end > 0:
			return end
		default:
			return CharEnd(raw, len(window))
		}
	}
	return end
}

// cutLiteral returns the first piece of a literal.
func cutLiteral(literal []byte) Chunk {
	var here, line struct{ literal, text int } // how far; and to where, in whole lines
	lines := int64(0)
	for lines < MaxChunkLines && here.literal < len(literal) {
		rest, room := literal[here.literal:], MaxChunkBytes-here.text
		run := bytes.IndexByte(rest[:min(len(rest), room+1)], '\\')
		if run < 0 {
			run = min(len(rest), room+1)
		}
		if run > room { // the piece ends in this run, which is text as it stands
			n := CharEnd(rest, room)
			here.literal += n
			here.text += n
			break
		}
		here.literal += run
		here.text += run
		if run == len(rest) {
			break
		}
		size, text := escape(rest[run:])
		if here.text+text > MaxChunkBytes {
			break
		}
		here.literal += size
		here.text += text
		if newline(rest[run:]) {
			lines++
			line = here
		}
	}
	if here.literal < len(literal) && line.literal > 0 {
		here = line
	}
	return Chunk{
		Body: literal[:here.literal:here.literal], Escaped: true,
		Bytes: int64(here.text), Lines: lines, Ended: here == line,
	}
}

// escape tells how long the escape is with which a literal begins, and how
// many bytes the character takes that it stands for.
func escape(literal []byte) (size, text int) {
	if literal[1] != 'u' {
		return 2, 1
	}
	if r := unhex(literal[2:]); !utf16.IsSurrogate(r) {
		return 6, utf8.RuneLen(r)
	}
	return 12, 4
}

// newline tells whether a literal begins with an escaped newline.
func newline(literal []byte) bool {
	return literal[1] == 'n' || literal[1] == 'u' && unhex(literal[2:]) == '\n'
}

// CharEnd returns the largest n ≤ end at which raw can be cut without cutting
// a character. It is 0 when raw[:end] is only the beginning of one, and end
// where the bytes are no characters anyway.
func CharEnd(raw []byte, end int) int {
	for n := end - 1; n >= 0 && n > end-utf8.UTFMax; n-- {
		if !utf8.RuneStart(raw[n]) {
			continue
		}
		if !utf8.FullRune(raw[n:end]) {
			return n
		}
		break
	}
	return end
}

// Unfinished returns how many bytes at the end of p begin a character of which
// the rest has not come yet.
func Unfinished(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if tail := p[len(p)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// AppendEscaped appends raw as the inside of a JSON string. Bytes that are not
// UTF-8 become U+FFFD just as in a browser's TextDecoder (and Python's
// errors="replace"): one for each maximal beginning of a character, so that a
// page shows what a decoder makes of the log itself.
// Source: encoding.spec.whatwg.org, "UTF-8 decoder".
func AppendEscaped(dst, raw []byte) []byte { return appendMended(dst, raw, escapeValid) }

// appendMended appends U+FFFD for what is not UTF-8, and the rest with
// appendValid.
func appendMended(dst, raw []byte, appendValid func(dst, valid []byte) []byte) []byte {
	if utf8.Valid(raw) {
		return appendValid(dst, raw)
	}
	start := 0
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			dst = appendValid(dst, raw[start:i])
			dst = append(dst, "\uFFFD"...)
			for i+size < len(raw) && !utf8.FullRune(raw[i:i+size+1]) {
				size++
			}
			start = i + size
		}
		i += size
	}
	return appendValid(dst, raw[start:])
}

// escapeValid is AppendEscaped for what is known to be UTF-8. Only what JSON
// demands is escaped, eight bytes are looked at in one go.
func escapeValid(dst, raw []byte) []byte {
	start, i := 0, 0
	for i < len(raw) {
		if i+8 <= len(raw) {
			mask := unplain(binary.LittleEndian.Uint64(raw[i:]))
			if mask == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(mask) / 8
		} else if b := raw[i]; b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, raw[start:i]...)
		switch b := raw[i]; b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		}
		i++
		start = i
	}
	return append(dst, raw[start:]...)
}

const hex = "0123456789abcdef"

// unplain marks, in the high bit of its byte, the lowest of eight bytes that
// has to be escaped; marks above the lowest mean nothing. 0: there is none.
func unplain(x uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^ones*'"', x^ones*'\\'
	return ((x-ones*' ')&^x | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}

// AppendUnescaped appends the text that a checked literal stands for.
func AppendUnescaped(dst, literal []byte) []byte {
	for {
		i := bytes.IndexByte(literal, '\\')
		if i < 0 {
			return append(dst, literal...)
		}
		dst = append(dst, literal[:i]...)
		b := literal[i+1]
		literal = literal[i+2:]
		switch b {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r := unhex(literal)
			literal = literal[4:]
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, unhex(literal[2:]))
				literal = literal[6:]
			}
			dst = utf8.AppendRune(dst, r)
		default: // '"', '\\', '/'
			dst = append(dst, b)
		}
	}
}

// unhex reads four hexadecimal digits.
func unhex(digits []byte) rune {
	r := rune(0)
	for _, b := range digits[:4] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b >= 'a' && b <= 'f':
			b -= 'a' - 10
		case b >= 'A' && b <= 'F':
			b -= 'A' - 10
		default:
			panic("ci: an unchecked literal")
		}
		r = r<<4 | rune(b)
	}
	return r
}
