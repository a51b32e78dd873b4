package judge

import (
	"bytes"
	"hash/fnv"
	"strconv"
	"unicode/utf8"
)

// Text is the endless log text of one step. Any part of it can be computed
// from its offset alone, which is how the checker knows what must stand where
// without keeping it. Every line says its step and its number, holds
// characters of one to four bytes, quotes, tabs and escapes, and all lines of
// a text are equally long.
type Text struct {
	step  string
	width int64
	fill  []byte
}

// fillers are what lines are filled with; the awkward ones for JSON, SSE,
// UTF-8 and terminals among them.
var fillers = []string{
	"ok  \tgithub.com/acme/api\t0.01s ",
	"\x1b[32m✓\x1b[0m prüfe „alles“ ",
	`"quoted" \back\ {"json":[1,2]} `,
	"日本語 𝛼𝛽 data: id: retry: ",
	"plain words and nothing else ",
	"\u2028 \u00a0 \x7f \r overwritten ",
}

// TextOf returns the text of a step. The same names give the same text.
func TextOf(build, step string) Text {
	hash := fnv.New32a()
	hash.Write([]byte(build + "/" + step))
	n := hash.Sum32()
	filler := fillers[n%uint32(len(fillers))]
	return Text{
		step:  step,
		width: int64(len(step)) + 40 + int64(n>>8%97),
		fill:  bytes.Repeat([]byte(filler), 256/len(filler)+1),
	}
}

// Width is the length of a line in bytes, its end included.
func (t Text) Width() int64 { return t.width }

// Line is the 1-based number of the line that the byte at offset belongs to.
func (t Text) Line(offset int64) int64 { return offset/t.width + 1 }

// Append appends n bytes of the text from offset on.
func (t Text) Append(dst []byte, offset, n int64) []byte {
	start := len(dst)
	skip := offset % t.width
	for i := offset / t.width; int64(len(dst)-start) < skip+n; i++ {
		dst = t.appendLine(dst, i)
	}
	copy(dst[start:], dst[start+int(skip):])
	return dst[:start+int(n)]
}

func (t Text) appendLine(dst []byte, i int64) []byte {
	end := len(dst) + int(t.width)
	dst = append(dst, t.step...)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, i+1, 10)
	dst = append(dst, ' ')
	// The filler ends between two characters; what is missing are dots.
	room := end - 1 - len(dst)
	n := room
	for n > 0 && !utf8.RuneStart(t.fill[n]) {
		n--
	}
	dst = append(dst, t.fill[:n]...)
	for len(dst) < end-1 {
		dst = append(dst, '.')
	}
	return append(dst, '\n')
}

// Mismatch returns the first offset at which text, said to stand at offset,
// is not this text; -1 if there is none.
func (t Text) Mismatch(offset int64, text string) int64 {
	want := t.Append(make([]byte, 0, len(text)+2*int(t.width)), offset, int64(len(text)))
	if string(want) == text {
		return -1
	}
	for i := range want {
		if want[i] != text[i] {
			return offset + int64(i)
		}
	}
	panic("unreachable: equal texts that differ")
}
