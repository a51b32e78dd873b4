package ansi

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

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

func TestStripper_Bare(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\tb\r\nc\x1b[31md":                          "a\tb\r\ncd",
		"FAILED\b\b\b\b\b\bPASSED\a\x0e\x0f\x00\x7f.": "FAILEDPASSED.",
		"\u009b2J\u009b31mred":                        "red",
		"\u009d8;;http://x/\u009clink\u009d0;t\ab":    "linkb",
		"\u0090q\u009ca\u0098x\x1b\\b\u009fy\u009cc":  "abc",
		"\x1b]0;title\u009ctext":                      "text",
		"\u009d0;never closed\nb":                     "\nb",
		"\u0085a\u0080\u009ab":                        "ab",
		"«é» °\u00a0✓":                                "«é» °\u00a0✓",
		"\xc2\x1b[m\x9b31m":                           "\xc231m", // of the two bytes no U+009B is made
		"\xc2\a\x9b31m":                               "\xc231m",
		"\xc2\xc2\x9b31mx":                            "\xc2x",
		"latin-1: \xfc\xa0\x9b[31m":                   "latin-1: \xfc\xa0\x9b[31m",
	} {
		whole, bytewise := Stripper{Bare: true}, Stripper{Bare: true}
		var cut []byte
		for i := range len(text) {
			cut = bytewise.Append(cut, []byte{text[i]})
		}
		if got := string(whole.Append(nil, []byte(text))); got != want || string(cut) != want {
			t.Errorf("%q: %q, byte by byte %q, want %q", text, got, cut, want)
		}
	}
}

// TestStripper_BareDoesNothing strips random bytes in random pieces: no control
// characters are left, it does not matter how the text was cut, and of text
// without any all is left.
func TestStripper_BareDoesNothing(t *testing.T) {
	t.Parallel()
	parts := rapid.SampledFrom([]string{"a", "eight letters ", "\n", "ü", "€", "°", "\x1b[1m", "\x1b]0;t\a", "\x1b", "[", "\u009b", "\u009d", "\u009c", "1m", "\b", "\a", "\x0e", "\x7f", "\r", "\t", "\xc2", "\x9b", "\x9d", "\xff", "\x18"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(parts).Draw(t, "parts"), "")
		whole, pieces := Stripper{Bare: true}, Stripper{Bare: true}
		got := string(whole.Append(nil, []byte(text)))
		controls := func(text string) bool {
			return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) })
		}
		if controls(got) {
			t.Fatalf("%q: %q", text, got)
		}
		if !controls(text) && !strings.HasSuffix(text, "\xc2") && got != text {
			t.Fatalf("%q: %q", text, got)
		}
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
	const plain = "2026-11-22T10:00:00Z level=info msg=\"processed invoice\" component=billing trace=0123456789abcdef rows=17\n"
	for _, of := range []struct{ name, line string }{
		{"colours", "\x1b[32m2026-11-22T10:00:00Z\x1b[0m level=info msg=\"processed invoice\" component=\x1b[1mbilling\x1b[0m trace=0123456789abcdef rows=17\n"},
		{"plain", plain},
		{"cyrillic", "2026-11-22T10:00:00Z сборка прошла успешно, ошибок не найдено, всего строк 17\n"},
	} {
		text := bytes.Repeat([]byte(of.line), 64<<10/len(of.line))
		dst := make([]byte, 0, len(text))
		for _, bare := range []bool{false, true} {
			name := of.name
			if bare {
				name += "/bare"
			}
			b.Run(name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					s := Stripper{Bare: bare}
					dst = s.Append(dst[:0], text)
				}
			})
		}
	}
}
