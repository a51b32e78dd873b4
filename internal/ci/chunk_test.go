package ci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// awkward are texts with something in them that JSON, SSE, UTF-8 or a terminal
// treats in a way of its own. They also seed the fuzz tests.
var awkward = []string{
	"", "\n", "a", "ok  \tgithub.com/acme/api\t0.012s\n", "\x00\x01\x1f\x7f\x80", "\"\\/\b\f\r\t",
	"\x1b[31mFAIL\x1b[0m\r\n", "prüfe „alles“ ✓ 日本語 𝛼\u2028\u2029\ufeff\ufffd\U0010ffff",
	"\xe2\x82", "\xe2\x82A", "\xf0\x9f\x92", "\xf0\x9f\x92\xf0\x9f\x92\xa9", "\xf0\x80\x80\x80", "\xed\xa0\x80", "\xc0\xaf", "\xc3",
	"\xf5\x80\x80\x80", "\xff\xfe", "\xe0\x80\x80", "\xe0\xa0", "\xf4\x90\x80\x80", "\xf4\x8f\xbf", "a\xc3(b", "\x80\xbf\x80",
	"1234567\"", "12345678\\", "1234567\n1234567\n", strings.Repeat("x", 300) + "\xf0\x9f",
}

// TestAppendEscaped_AsTextDecoder compares with what a browser's TextDecoder
// makes of the bytes (encoding.spec.whatwg.org; the cases below were taken
// from it and from Table 3-8 of the Unicode Standard 16, "U+FFFD Substitution
// of Maximal Subparts").
func TestAppendEscaped_AsTextDecoder(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64": "a���b�c��d",
		"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41":                 "��������A",
		"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41":                 "��������A",
		"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42":                 "�����A��B",
		"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41":                 "����A",
		"\xe2\x82":                                             "�",
		"\xe2\x82\xac":                                         "€",
		"\xf0\x9f\x92":                                         "�",
		"\xf0\x9f\x92\xf0\x9f":                                 "��",
		"\xef\xbb\xbfx":                                        "\ufeffx", // the log's own bytes; TextDecoder with ignoreBOM
	} {
		chunk := NewChunk([]byte(raw))
		if got := chunk.AppendText(nil); string(got) != want {
			t.Errorf("%q: the text is %q, want %q", raw, got, want)
		}
		if got := AppendEscaped(nil, []byte(raw)); string(got) != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// decoded is the WHATWG decoder once more, written down state by state as the
// standard has it, to compare with.
func decoded(raw []byte) string {
	var out []rune
	needed, seen, lower, upper := 0, 0, byte(0x80), byte(0xbf)
	var point rune
	for i := 0; i < len(raw); i++ {
		b := raw[i]
		if needed == 0 {
			switch {
			case b <= 0x7f:
				out = append(out, rune(b))
			case b >= 0xc2 && b <= 0xdf:
				needed, point = 1, rune(b&0x1f)
			case b >= 0xe0 && b <= 0xef:
				if b == 0xe0 {
					lower = 0xa0
				}
				if b == 0xed {
					upper = 0x9f
				}
				needed, point = 2, rune(b&0xf)
			case b >= 0xf0 && b <= 0xf4:
				if b == 0xf0 {
					lower = 0x90
				}
				if b == 0xf4 {
					upper = 0x8f
				}
				needed, point = 3, rune(b&0x7)
			default:
				out = append(out, utf8.RuneError)
			}
			continue
		}
		if b < lower || b > upper {
			needed, seen, lower, upper = 0, 0, 0x80, 0xbf
			out = append(out, utf8.RuneError)
			i-- // the byte is looked at again
			continue
		}
		lower, upper = 0x80, 0xbf
		point = point<<6 | rune(b&0x3f)
		if seen++; seen == needed {
			out = append(out, point)
			needed, seen = 0, 0
		}
	}
	if needed > 0 {
		out = append(out, utf8.RuneError)
	}
	return string(out)
}

func FuzzEscape(f *testing.F) {
	for _, s := range awkward {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		escaped := AppendEscaped([]byte("before"), raw)
		literal, ok := bytes.CutPrefix(escaped, []byte("before"))
		if !ok {
			t.Fatalf("what stood before is gone: %q", escaped)
		}
		var got string
		if err := json.Unmarshal([]byte(`"`+string(literal)+`"`), &got); err != nil {
			t.Fatalf("%q: %v", literal, err)
		}
		if want := decoded(raw); got != want {
			t.Fatalf("%q shows as %q, want %q", raw, got, want)
		}
		if bytes.ContainsAny(literal, "\n\r") {
			t.Fatalf("%q holds a line end", literal)
		}
		if back := AppendUnescaped(nil, literal); utf8.Valid(raw) && !bytes.Equal(back, raw) {
			t.Fatalf("%q came back as %q", raw, back)
		}
		chunk := NewChunk(raw)
		if back := chunk.AppendRaw(nil); !bytes.Equal(back, raw) {
			t.Fatalf("the chunk of %q holds %q", raw, back)
		}
		if most := chunk.LiteralBytes(); most < len(literal) || chunk.Escaped && most > len(literal) {
			t.Errorf("%q is %d bytes as a literal, and said to be %d", raw, len(literal), most)
		}
		if shown := chunk.AppendLiteral(nil); !bytes.Equal(shown, literal) {
			t.Fatalf("the chunk of %q shows %q, want %q", raw, shown, literal)
		}
		for n := range min(len(raw), 20) {
			rest := chunk.From(int64(n))
			if back := rest.AppendRaw(nil); !bytes.Equal(back, raw[n:]) {
				t.Fatalf("%q from %d is %q", raw, n, back)
			}
		}
	})
}

// checked is how a literal gets its counts where it comes in; the server's
// decoder does the same in one pass.
func checked(literal []byte) Chunk {
	raw := AppendUnescaped(nil, literal)
	c := NewChunk(raw)
	c.Body = literal
	return c
}

func FuzzUnescape(f *testing.F) {
	for _, s := range []string{
		"", "a", `\n\r\t\b\f\"\\\/`, `\u0041\u00e9\u20ac\u000a\u000A`, `\ud83d\ude00`, `\uD83D\uDE00x`, `\u0000`, `\u2028`,
		"prüfe ✓ 𝛼", `a\\nb`, `\\\\`, `\u001b[0m`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, literal []byte) {
		// What a decoder lets in: JSON, UTF-8 and no lone surrogate, which
		// encoding/json takes for U+FFFD.
		var want string
		quoted := append(append([]byte{'"'}, literal...), '"')
		if !utf8.Valid(literal) || json.Unmarshal(quoted, &want) != nil {
			return
		}
		if strings.Count(want, "\ufffd") != bytes.Count(literal, []byte("\ufffd"))+bytes.Count(bytes.ToLower(literal), []byte(`\ufffd`)) {
			return
		}
		if got := AppendUnescaped(nil, literal); string(got) != want {
			t.Fatalf("%q is %q, want %q", literal, got, want)
		}
		chunk := checked(literal)
		if again := AppendUnescaped(nil, NewChunk([]byte(want)).Body); string(again) != want {
			t.Fatalf("%q came back as %q", want, again)
		}
		mustSplit(t, &chunk)
	})
}

func mustSplit(t rapid.TB, c *Chunk) []Chunk {
	t.Helper()
	raw := c.AppendRaw(nil)
	shown := c.AppendLiteral(nil)
	pieces := c.Split()
	var sum, text []byte
	for i, piece := range pieces {
		got := piece.AppendRaw(nil)
		want := NewChunk(got)
		if piece.Bytes != want.Bytes || piece.Lines != want.Lines || piece.Ended != want.Ended {
			t.Fatalf("piece %d counts %d bytes, %d lines, %v; want %d, %d, %v", i, piece.Bytes, piece.Lines, piece.Ended, want.Bytes, want.Lines, want.Ended)
		}
		if lines := piece.Lines + map[bool]int64{false: 1, true: 0}[piece.Ended]; len(got) > 0 && (len(got) > MaxChunkBytes || lines > MaxChunkLines) {
			t.Fatalf("piece %d has %d bytes and %d lines", i, len(got), lines)
		}
		if len(got) == 0 && len(raw) > 0 {
			t.Fatalf("piece %d is empty", i)
		}
		sum, text = append(sum, got...), piece.AppendLiteral(text)
		if i == len(pieces)-1 || piece.Ended {
			continue
		}
		if bytes.IndexByte(got, '\n') >= 0 {
			t.Fatalf("piece %d is cut inside a line though it holds the end of one", i)
		}
		if utf8.Valid(raw) && !utf8.Valid(got) {
			t.Fatalf("piece %d is cut inside a character", i)
		}
		if len(got) <= MaxChunkBytes-utf8.UTFMax {
			t.Fatalf("piece %d is cut at %d bytes for no reason", i, len(got))
		}
	}
	if !bytes.Equal(sum, raw) {
		t.Fatalf("the pieces of %d bytes have %d", len(raw), len(sum))
	}
	if !bytes.Equal(text, shown) {
		t.Fatalf("the pieces show something else than the whole")
	}
	return pieces
}

func TestChunk_Split(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		raw    string
		pieces []int
	}{
		"empty":                          {"", []int{0}},
		"short":                          {"a\nb", []int{3}},
		"1000 lines":                     {strings.Repeat("\n", 1000), []int{1000}},
		"1000 lines and a rest":          {strings.Repeat("\n", 1000) + "x", []int{1000, 1}},
		"2500 lines":                     {strings.Repeat("ab\n", 2500), []int{3000, 3000, 1500}},
		"64 KiB":                         {strings.Repeat("x", 65536), []int{65536}},
		"64 KiB and a line end":          {strings.Repeat("x", 65536) + "\n", []int{65536, 1}},
		"a line ends at 64 KiB":          {strings.Repeat("x", 65535) + "\ny", []int{65536, 1}},
		"cut after the last line":        {strings.Repeat("x", 60000) + "\n" + strings.Repeat("y", 10000), []int{60001, 10000}},
		"cut before a character":         {"a" + strings.Repeat("€", 30000), []int{65536 - 0, 24465}},
		"cut before a long character":    {strings.Repeat("𝛼", 16384)[:65532] + "aa𝛼b", []int{65534, 5}},
		"escapes count as what they are": {strings.Repeat("\x01", 65537), []int{65536, 1}},
		"not UTF-8":                      {strings.Repeat("\xff", 65537), []int{65536, 1}},
		"not UTF-8, a character cut":     {"\xff" + strings.Repeat("€", 30000), []int{65536, 24465}},
		"not UTF-8 with a beginning":     {"\xff" + strings.Repeat("x", 65533) + "\xe2\x82" + "y", []int{65534, 3}},
		"not UTF-8, a beginning split":   {"\xff" + strings.Repeat("x", 65534) + "\xe2\x82" + "y", []int{65535, 3}},
	} {
		chunk := NewChunk([]byte(want.raw))
		var got []int
		for _, piece := range mustSplit(t, &chunk) {
			got = append(got, int(piece.Bytes))
		}
		if fmt.Sprint(got) != fmt.Sprint(want.pieces) {
			t.Errorf("%s: %v, want %v", name, got, want.pieces)
		}
	}

	// Literals as others write them: everything escaped, pairs of surrogates.
	for _, unit := range []string{`\u0061`, `\u000a`, `\ud83d\ude00`, `\u00e9`, `\u20ac`, `é`, `\n`, `aé\ud83d\ude00\u000A`} {
		for _, shift := range []string{"", "a", "aa", "aaa", `\n`} {
			chunk := checked([]byte(shift + strings.Repeat(unit, 140000/len(unit))))
			mustSplit(t, &chunk)
		}
	}
}

func TestChunk_SplitsAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		random := rand.New(rand.NewPCG(seed, 0))
		units := []string{"a", "\n", "é", "€", "𝛼", "\x1b", "\"", "\\"}
		if rapid.Bool().Draw(t, "broken") {
			units = append(units, "\xff", "\xe2", "\x82", "\xf0\x9f")
		}
		newlines := rapid.SampledFrom([]int{1, 20, 200, 100000}).Draw(t, "one newline in")
		var raw []byte
		for len(raw) < rapid.SampledFrom([]int{10, 70000, 200000}).Draw(t, "size") {
			unit := units[random.IntN(len(units))]
			if unit == "\n" && random.IntN(newlines) > 0 {
				unit = "plain text"
			}
			raw = append(raw, unit...)
		}
		chunk := NewChunk(raw)
		mustSplit(t, &chunk)
	})
}

// TestEvent_CutsAtLines cuts literals of all kinds, and bytes, at lines and
// compares with the text cut there.
func TestEvent_CutsAtLines(t *testing.T) {
	t.Parallel()
	units := rapid.SampledFrom([]string{"a", `\u0061`, `\n`, `\n`, `\u000a`, `\u000A`, `\\n`, `\ud83d\ude00`, `\u00e9`, "é", `\u20ac`, "€", `\t`, `\/`, `\"`})
	rapid.Check(t, func(t *rapid.T) {
		whole := Event{Kind: KindLog, Line: 7, Offset: 100}
		if rapid.Bool().Draw(t, "bytes") {
			whole.Chunk = NewChunk(append([]byte("\xff"), rapid.SliceOf(rapid.SampledFrom([]byte("a\n\xe2"))).Draw(t, "raw")...))
		} else {
			whole.Chunk = checked([]byte(strings.Join(rapid.SliceOfN(units, 1, 20).Draw(t, "units"), "")))
		}
		raw := whole.Chunk.AppendRaw(nil)
		lines := bytes.SplitAfter(raw, []byte{'\n'})
		n := rapid.IntRange(0, len(lines)+1).Draw(t, "lines")
		kept := bytes.Join(lines[:min(n, len(lines))], nil)
		rest := raw[len(kept):]
		same := func(what string, got Event, line, offset int64, raw []byte) {
			if want := (Chunk{Bytes: int64(len(raw)), Lines: int64(bytes.Count(raw, []byte{'\n'})), Ended: bytes.HasSuffix(raw, []byte{'\n'}), Escaped: whole.Chunk.Escaped, Body: got.Chunk.Body}); got.Line != line || got.Offset != offset ||
				fmt.Sprint(got.Chunk) != fmt.Sprint(want) || !bytes.Equal(got.Chunk.AppendRaw(nil), raw) {
				t.Fatalf("%s %d lines of %q: %+v, want %q", what, n, whole.Chunk.Body, got, raw)
			}
		}
		head, tail := whole, whole
		if head.KeepLines(int64(n)); len(kept) > 0 {
			same("keep", head, 7, 100, kept)
		}
		switch ok := tail.SkipLines(int64(n)); {
		case ok != (len(rest) > 0):
			t.Fatalf("skip %d lines of %q: %v", n, whole.Chunk.Body, ok)
		case ok:
			same("skip", tail, int64(7+n), int64(100+len(kept)), rest)
		default:
			same("skip in vain", tail, 7, 100, raw)
		}
	})
}

func TestChunk_Plain(t *testing.T) {
	t.Parallel()
	for literal, want := range map[string]bool{"": true, "text": true, `\n\\u002b`: true, `a\u001b[m`: false, `\u001B`: false} {
		if c := checked([]byte(literal)); c.Plain() != want {
			t.Errorf("%s: %v", literal, c.Plain())
		}
	}
	for raw, want := range map[string]bool{"\xff": true, "\xff\x1b": false} {
		if c := NewChunk([]byte(raw)); c.Plain() != want {
			t.Errorf("%q: %v", raw, c.Plain())
		}
	}
}

func TestCharEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw       string
		end, want int
	}{
		{"", 0, 0}, {"a", 1, 1}, {"a€", 4, 4}, {"a€", 3, 1}, {"a€", 2, 1}, {"€", 1, 0}, {"€", 2, 0}, {"€", 3, 3},
		{"𝛼", 3, 0}, {"x𝛼", 4, 1}, {"x𝛼", 5, 5}, {"é", 1, 0},
		{"\xff", 1, 1}, {"a\xff", 2, 2}, {"\xc0", 1, 1}, {"\x80\x80\x80\x80\x80", 4, 4}, {"€\x80", 4, 4}, {"\xe0\x80", 2, 2}, {"\xf0\x9f\x92A", 4, 4}, {"\xf0\x9f\x92A", 3, 0},
	} {
		if got := CharEnd([]byte(c.raw), c.end); got != c.want {
			t.Errorf("CharEnd(%q, %d) = %d, want %d", c.raw, c.end, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(rapid.String().Draw(t, "text"))
		end := rapid.IntRange(0, len(raw)).Draw(t, "end")
		n := CharEnd(raw, end)
		if n > end || n <= end-utf8.UTFMax || !utf8.Valid(raw[:n]) || utf8.FullRune(raw[n:end]) {
			t.Fatalf("CharEnd(%q, %d) = %d", raw, end, n)
		}
	})
}

// Texts like those of real builds, one 64 KiB chunk each.
func benchTexts() map[string][]byte {
	fill := func(line string) []byte {
		return []byte(strings.Repeat(line, MaxChunkBytes/len(line)+1)[:MaxChunkBytes])
	}
	return map[string][]byte{
		"plain":  fill("ok  \tgithub.com/acme/api/internal/server\t0.012s  coverage: 81.2% of statements in all of its packages, and so on\n"),
		"ansi":   fill("\x1b[32m✓\x1b[0m \x1b[90m[chromium]\x1b[39m › tests/login.spec.ts:14:1 › \x1b[1msigns in\x1b[22m (1.2s)\n"),
		"json":   fill(`{"level":"info","msg":"compiled \"main\"","path":"C:\\work\\api","ms":12}` + "\n"),
		"utf8":   fill("日本語のログ行です。これは長い行です。prüfe alles\n"),
		"binary": fill("\x00\x01\xff\xfe\x80plain\xe2\x82 and so on\n"),
	}
}

func BenchmarkAppendEscaped(b *testing.B) {
	for name, raw := range benchTexts() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			dst := make([]byte, 0, 6*len(raw))
			for b.Loop() {
				dst = AppendEscaped(dst[:0], raw)
			}
		})
	}
}

func BenchmarkAppendUnescaped(b *testing.B) {
	for name, raw := range benchTexts() {
		literal := AppendEscaped(nil, raw)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			dst := make([]byte, 0, 2*len(raw))
			for b.Loop() {
				dst = AppendUnescaped(dst[:0], literal)
			}
		})
	}
}

func BenchmarkChunk_Split(b *testing.B) {
	for name, raw := range benchTexts() {
		chunk := NewChunk(bytes.Repeat(raw, 8))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(chunk.Bytes)
			b.ReportAllocs()
			for b.Loop() {
				chunk.Split()
			}
		})
	}
}
