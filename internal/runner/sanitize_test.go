package runner

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/stepcast/stepcast/internal/ci"
)

func TestCleaner(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want, plain string }{
		"text":                  {"plain\ttext\r\né🙂\n", "plain\ttext\r\né🙂\n", "plain\ttext\r\né🙂\n"},
		"colour":                {"a \x1b[31mred\x1b[0m b\n", "a \x1b[0;31mred\x1b[0m b\n", "a red b\n"},
		"style over lines":      {"\x1b[1;92mone\ntwo\x1b[m\n", "\x1b[0;1;92mone\x1b[0m\n\x1b[0;1;92mtwo\x1b[0m\n", "one\ntwo\n"},
		"true colour":           {"\x1b[38;2;1;2;3;48;5;200mx\n", "\x1b[0;38;2;1;2;3;48;5;200mx\x1b[0m\n", "x\n"},
		"colons":                {"\x1b[38:2::1:2:3;4:3mx\n", "\x1b[0;4:3;38;2;1;2;3mx\x1b[0m\n", "x\n"},
		"attributes go off":     {"\x1b[1;3;31mx\x1b[22;39my\n", "\x1b[0;1;3;31mx\x1b[0;3my\x1b[0m\n", "xy\n"},
		"concealed":             {"\x1b[1;8mx\x1b[28my\x1b[0;8mz\n", "\x1b[0;1mxy\x1b[0mz\n", "xyz\n"},
		"as its ground":         {"\x1b[30;40mx\x1b[48;2;0;0;0;38;5;16mx\x1b[48;2;9;9;9mx\x1b[37my\x1b[1;30;100mx\n", "xxx\x1b[0;37;48;2;9;9;9my\x1b[0;1mx\x1b[0m\n", "xxxyx\n"},
		"of another kind":       {"\x1b[30;48;5;16mx\x1b[97;48;2;250;250;250mx\x1b[0;2;38;5;240;48;5;236mx\n", "xx\x1b[0;2mx\x1b[0m\n", "xxx\n"},
		"pictures":              {"\x1b[42;32m  █▀\x1b[41;31m \n", "\x1b[0;32;42m  █▀\x1b[0;31;41m \x1b[0m\n", "  █▀ \n"},
		"alike, and seen":       {"\x1b[33;100mx\x1b[36;100my\n", "\x1b[0;33;100mx\x1b[0;36;100my\x1b[0m\n", "xy\n"},
		"colours out of range":  {"\x1b[38;5;999mx\x1b[38;2;1mx\x1b[999999999999999999999mx\n", "xxx\n", "xxx\n"},
		"link":                  {"\x1b]8;id=1;https://ci.example/1\x07here\x1b]8;;\x07.\n", "here (https://ci.example/1).\n", "here.\n"},
		"link over lines":       {"\x1b]8;;https://ci.example/1\ahere\nand\x1b[1m here\n", "here (https://ci.example/1)\nand\x1b[0;1m here\x1b[0m\n", "here\nand here\n"},
		"link with a colour":    {"\x1b]8;;https://ci.example/1\a\x1b[31mhere\x1b]8;;\a\x1b[m.\n", "\x1b[0;31mhere (https://ci.example/1)\x1b[0m.\n", "here.\n"},
		"link after a link":     {"\x1b]8;;http://a\ax\x1b]8;;http://b\ay\n", "x (http://a)y (http://b)\n", "xy\n"},
		"link as it says":       {"\x1b]8;;https://ci.example/1\ahttps://ci\x1b[1m.example/1\x1b]8;;\a.\n", "https://ci\x1b[0;1m.example/1.\x1b[0m\n", "https://ci.example/1.\n"},
		"link that goes on":     {"\x1b]8;;http://a\ahttp://a.b\x1b]8;;\a\n", "http://a.b (http://a)\n", "http://a.b\n"},
		"link with a password":  {"\x1b]8;;http://u:p@a/x\ahttp://u:p@a/x\x1b]8;;\a\n", "http://u:p@a/x (http://a/x)\n", "http://u:p@a/x\n"},
		"link without text":     {"\x1b]8;;http://a\a\x1b]8;;\ax\x1b]8;;http://a\a\n", "x\n", "x\n"},
		"link written over":     {"\x1b]8;;http://a\axx//b\rhttp:\r\n", "xx//b (http://a)\rhttp:\r\n", "xx//b\rhttp:\r\n"},
		"link to a file":        {"\x1b]8;;file:///etc/passwd\x1b\\here\x1b]8;;\x1b\\\n", "here\n", "here\n"},
		"link with a space":     {"\x1b]8;;http://a b\x1b\\here\n", "here\n", "here\n"},
		"title":                 {"\x1b]0;owned\x07x\n", "x\n", "x\n"},
		"clipboard":             {"\x1b]52;c;cm0gLXJmIC8=\x07x\n", "x\n", "x\n"},
		"cursor and screen":     {"\x1b[2J\x1b[1;1H\x1b[?1049h\x1bcx\x1b[6n\n", "x\n", "x\n"},
		"private m":             {"\x1b[>4;1mx\x1b[?4mx\x1b[1 mx\n", "xxx\n", "xxx\n"},
		"strings":               {"\x1bPq#0\x1b\\a\x1b_Gi=1;AAAA\x1b\\b\x1b^x\x1b\\c\x1bXy\x1b\\d\n", "abcd\n", "abcd\n"},
		"unended string":        {"a\x1b]0;never ended\nb\n", "a\nb\n", "a\nb\n"},
		"controls":              {"a\a\b\v\f\x00\x7fb\n", "ab\n", "ab\n"},
		"8-bit controls":        {"a\u009b31mb\u0085\u0090c\n", "a31mbc\n", "a31mbc\n"},
		"turned around":         {"a\u202eb\u2066c\u200fd\n", "a\\u202eb\\u2066c\\u200fd\n", "a\\u202eb\\u2066c\\u200fd\n"},
		"not UTF-8":             {"a\xff\x9b31mb\n", "a\uFFFD\uFFFD31mb\n", "a\uFFFD\uFFFD31mb\n"},
		"colour without text":   {"\x1b[31m\n\x1b[0m\n", "\n\n", "\n\n"},
		"escape before a break": {"\x1b\n[31mx\n", "\n[31mx\n", "\n[31mx\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(newCleaner(false).clean(nil, []byte(tt.in))); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if got := string(newCleaner(true).clean(nil, []byte(tt.in))); got != tt.plain {
				t.Errorf("plain: got  %q\nwant %q", got, tt.plain)
			}
		})
	}
}

// A line that is broken off within a link says where that leads.
func TestCleaner_EndLine(t *testing.T) {
	t.Parallel()
	c := newCleaner(false)
	out := c.endLine(c.clean(nil, []byte("\x1b]8;;http://a/\x1b\\see")))
	if out = c.clean(out, []byte(" there\n")); string(out) != "see (http://a/) there\n" {
		t.Errorf("%q", out)
	}
}

func TestCleaner_End(t *testing.T) {
	t.Parallel()
	c := newCleaner(false)
	out := c.clean(nil, []byte("\x1b[31mred"))
	out = c.end(out)
	out = append(out, "other\n"...)
	out = c.clean(out, []byte(" and on\n"))
	if want := "\x1b[0;31mred\x1b[0mother\n\x1b[0;31m and on\x1b[0m\n"; string(out) != want {
		t.Errorf("got  %q\nwant %q", out, want)
	}
}

// FuzzCleaner parses what comes out again: there is nothing in it but text and
// colours; and it does not matter how the log was cut.
func FuzzCleaner(f *testing.F) {
	for _, s := range []string{
		"plain", "\x1b[31mred\x1b[0m", "\x1b]8;;https://ci.example/\x1b\\x\x1b]8;;\x1b\\", "\x1b]0;t\x07", "\x1bP1$r\x1b\\", "\u009b31m",
		"\x1b[38;2;1;2;3m\n", "\x1b[38:5:1mx", "\xc3\x1b[2J", "\x1b\x1b[31m", "\x1b]8;;http://\x1b[31m\x07", "\x1b[" + strings.Repeat("1;", 50) + "2mx", "\x1b(0x\x1b[4:3m",
	} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		c := newCleaner(false)
		out := c.clean(nil, text)
		again := ansi.NewParser()
		bad := func(what string, v any) { t.Errorf("%s %v in %q, made of %q", what, v, out, text) }
		again.SetHandler(ansi.Handler{
			Print: func(r rune) {
				if unicode.IsControl(r) {
					bad("control character", r)
				}
			},
			Execute: func(b byte) {
				if b != '\n' && b != '\r' && b != '\t' {
					bad("control", b)
				}
			},
			HandleCsi: func(cmd ansi.Cmd, _ ansi.Params) {
				if cmd != 'm' {
					bad("CSI", cmd)
				}
			},
			HandleOsc: func(cmd int, _ []byte) { bad("OSC", cmd) },
			HandleEsc: func(cmd ansi.Cmd) { bad("ESC", cmd) },
			HandleDcs: func(cmd ansi.Cmd, _ ansi.Params, _ []byte) { bad("DCS", cmd) },
			HandlePm:  func(data []byte) { bad("PM", data) },
			HandleApc: func(data []byte) { bad("APC", data) },
			HandleSos: func(data []byte) { bad("SOS", data) },
		})
		for _, b := range out {
			again.Advance(b)
		}
		// What carriage returns leave of a line, they leave alone.
		for line := range bytes.SplitSeq(out, []byte{'\n'}) {
			once := visible(nil, line)
			if twice := visible(nil, once); !bytes.Equal(twice, once) || bytes.Count(bytes.TrimSuffix(once, []byte{'\r'}), []byte{'\r'}) > 0 {
				t.Errorf("of %q is left %q, and of that %q", line, once, twice)
			}
		}
		// A second cleaning has nothing to take away.
		if twice := newCleaner(false).clean(nil, out); string(newCleaner(true).clean(nil, twice)) != string(newCleaner(true).clean(nil, out)) {
			t.Errorf("cleaned again, %q is %q", out, twice)
		}
		// Pieces of a log are cut between characters.
		if n := cut; n > 0 && n < len(text) && ci.Unfinished(text[:n]) == 0 {
			pieces := newCleaner(false)
			if got := pieces.clean(pieces.clean(nil, text[:n]), text[n:]); !bytes.Equal(got, out) {
				t.Errorf("in two pieces %q, in one %q", got, out)
			}
		}
	})
}
