package ansi

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func TestStripper(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\x1b[1;31mred\x1b[0m":                    "red",
		"a\x1b[2K\rb\a":                           "a\rb\a",
		"\x1b]0;✓ done ✗\abc":                     "bc", // has the byte 0x9c, which would end it were it no part of a character
		"\x1b]8;;http://x/ü\x1b\\l\x1b]8;;\x1b\\": "l",
		"\x1b]0;never closed\nb":                  "\nb",
		"\x1b[3ü1m":                               "ü1m",
		"latin-1: \xfc\xa0\x9b[31m":               "latin-1: \xfc\xa0\x9b[31m",
		"\x1b":                                    "",
	} {
		var whole, bytewise Stripper
		var cut []byte
		for i := range len(text) {
			cut = bytewise.Append(cut, []byte{text[i]})
		}
		if got := string(whole.Append(nil, []byte(text))); got != want || string(cut) != want {
			t.Errorf("%q: %q, byte by byte %q, want %q", text, got, cut, want)
		}
	}
}

// TestStripper_Pieces strips random text in random pieces: as x/ansi does it
// line by line, and the same however it is cut.
func TestStripper_Pieces(t *testing.T) {
	t.Parallel()
	parts := rapid.SampledFrom([]string{"a", "text ", "\n", "ü", "€", "😀", "\x1b[1m", "\x1b[38;5;1m", "\x1b]0;t\a", "\x1b]8;;http://x\x1b\\", "\x1b(B", "\x1bP", "\x1b_", "\x1b[", "\x1b", "\r", "\t", "\x18", "\x7f"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(parts).Draw(t, "parts"), "")
		var whole Stripper
		got := string(whole.Append(nil, []byte(text)))
		var want strings.Builder
		for line := range strings.Lines(text) {
			body, ended := strings.CutSuffix(line, "\n")
			want.WriteString(ansi.Strip(body))
			if ended {
				want.WriteByte('\n')
			}
		}
		if got != want.String() {
			t.Fatalf("%q: %q, x/ansi says %q", text, got, want.String())
		}
		var pieces Stripper
		var cut []byte
		for i := 0; i < len(text); {
			n := rapid.IntRange(1, len(text)-i).Draw(t, "n")
			cut = pieces.Append(cut, []byte(text[i:i+n]))
			i += n
		}
		if string(cut) != got {
			t.Fatalf("%q in pieces: %q, want %q", text, cut, got)
		}
	})
}

func BenchmarkStripper(b *testing.B) {
	line := "\x1b[32m2026-11-22T10:00:00Z\x1b[0m level=info msg=\"processed invoice\" component=\x1b[1mbilling\x1b[0m trace=0123456789abcdef rows=17\n"
	text := bytes.Repeat([]byte(line), 64<<10/len(line))
	b.SetBytes(int64(len(text)))
	dst := make([]byte, 0, len(text))
	for b.Loop() {
		var s Stripper
		dst = s.Append(dst[:0], text)
	}
}
