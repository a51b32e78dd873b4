package ci

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of one log event.
const (
	MaxChunkBytes = 64 << 10
	MaxChunkLines = 1000
)

// Chunk is a piece of log text. Text that is UTF-8 is kept as the inside of a
// JSON string, escapes and all, because that is how it arrives and how it
// leaves: nothing on the way decodes it. Other bytes are kept as they are.
type Chunk struct {
	Body    []byte // the literal, or the bytes themselves
	Escaped bool   // Body is a literal
	Bytes   int64  // length of the text itself
	Lines   int64  // newlines in it
	Ended   bool   // its last byte is a newline
}

// NewChunk makes a chunk of bytes. It does not keep raw when that is UTF-8.
func NewChunk(raw []byte) Chunk {
	c := Chunk{Body: raw, Bytes: int64(len(raw)), Lines: int64(bytes.Count(raw, []byte{'\n'}))}
	c.Ended = len(raw) > 0 && raw[len(raw)-1] == '\n'
	if utf8.Valid(raw) {
		c.Body, c.Escaped = AppendEscaped(make([]byte, 0, len(raw)+len(raw)/32+16), raw), true
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

// AppendRaw appends the exact bytes of the text.
func (c *Chunk) AppendRaw(dst []byte) []byte {
	if !c.Escaped {
		return append(dst, c.Body...)
	}
	return AppendUnescaped(dst, c.Body)
}

// From returns the rest of the chunk from byte n of its text on.
func (c *Chunk) From(n int64) Chunk {
	raw := c.AppendRaw(make([]byte, 0, c.Bytes))
	return NewChunk(raw[n:])
}

// Split cuts the chunk into pieces that fit an event: at the last line end
// that fits, else between two characters.
func (c *Chunk) Split() []Chunk {
	if c.Bytes <= MaxChunkBytes && (c.Lines < MaxChunkLines || c.Lines == MaxChunkLines && c.Ended) {
		return []Chunk{*c}
	}
	var pieces []Chunk
	for raw := c.AppendRaw(make([]byte, 0, c.Bytes)); len(raw) > 0; {
		n := pieceLen(raw)
		pieces = append(pieces, NewChunk(raw[:n:n]))
		raw = raw[n:]
	}
	return pieces
}

func pieceLen(raw []byte) int {
	end := min(len(raw), MaxChunkBytes)
	lines, last := 0, 0
	for last < end && lines < MaxChunkLines {
		i := bytes.IndexByte(raw[last:end], '\n')
		if i < 0 {
			break
		}
		last += i + 1
		lines++
	}
	switch {
	case lines == MaxChunkLines:
		return last
	case end == len(raw):
		return end
	case last > 0:
		return last
	}
	return CharEnd(raw, end)
}

// CharEnd returns the largest n ≤ end at which raw can be cut without cutting
// a character; end itself where the bytes are no characters anyway.
func CharEnd(raw []byte, end int) int {
	for n := end; n > end-utf8.UTFMax && n > 0; n-- {
		if utf8.RuneStart(raw[n-1]) {
			if size := runeLen(raw[n-1]); n-1+size > end {
				if n == 1 {
					return end
				}
				return n - 1
			}
			break
		}
	}
	return end
}

// runeLen is how many bytes a character takes that begins with b.
func runeLen(b byte) int {
	switch {
	case b >= 0xf0 && b < 0xf8:
		return 4
	case b >= 0xe0:
		return 3
	case b >= 0xc0:
		return 2
	}
	return 1
}

const hex = "0123456789abcdef"

// plain marks the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for b := 0x20; b < utf8.RuneSelf; b++ {
		t[b] = b != '"' && b != '\\'
	}
	return t
}()

// AppendEscaped appends raw as the inside of a JSON string. Bytes that are not
// UTF-8 become U+FFFD, one for each, as a browser's decoder would not all do,
// but every reader of ours sees.
func AppendEscaped(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		start := i
		for i < len(raw) && plain[raw[i]] {
			i++
		}
		dst = append(dst, raw[start:i]...)
		if i == len(raw) {
			break
		}
		if b := raw[i]; b < utf8.RuneSelf {
			switch b {
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
			continue
		}
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, "\uFFFD"...)
		} else {
			dst = append(dst, raw[i:i+size]...)
		}
		i += size
	}
	return dst
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
			r := rune(unhex(literal))
			literal = literal[4:]
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, rune(unhex(literal[2:])))
				literal = literal[6:]
			}
			dst = utf8.AppendRune(dst, r)
		default: // '"', '\\', '/'
			dst = append(dst, b)
		}
	}
}

func unhex(four []byte) uint64 {
	n, err := strconv.ParseUint(string(four[:4]), 16, 32)
	if err != nil {
		panic("ci: an unchecked literal: " + err.Error())
	}
	return n
}
