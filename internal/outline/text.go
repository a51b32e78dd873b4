package outline

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

const esc = 0x1b

// appendPlain appends a line as it reads once escape sequences and control
// characters are gone; tabs and carriage returns stay. A sequence that does not
// end takes the rest of the line, as it would on a terminal.
func appendPlain(dst, line []byte) []byte {
	for i := 0; i < len(line); {
		switch b := line[i]; {
		case b == esc:
			i += escapeLen(line[i:])
		case b < ' ' && b != '\t' && b != '\r' || b == 0x7f:
			i++
		default:
			n := i + 1
			for n < len(line) && (line[n] >= ' ' && line[n] != 0x7f || line[n] == '\t' || line[n] == '\r') {
				n++
			}
			dst = append(dst, line[i:n]...)
			i = n
		}
	}
	return dst
}

// escapeLen is the length of the escape sequence with which s begins (ECMA-48,
// sections 5.3 to 5.6). A broken one ends before the byte that breaks it.
func escapeLen(s []byte) int {
	if len(s) < 2 {
		return len(s)
	}
	within := func(i int, low, high byte) int {
		for i < len(s) && s[i] >= low && s[i] <= high {
			i++
		}
		return i
	}
	i := 2
	switch b := s[1]; {
	case b == '[':
		i = within(within(i, 0x30, 0x3f), 0x20, 0x2f)
		if i < len(s) && s[i] >= 0x40 && s[i] <= 0x7e {
			i++
		}
	case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_':
		for ; i < len(s); i++ {
			switch {
			case s[i] == 0x07 && b == ']':
				return i + 1
			case s[i] == esc && i+1 < len(s) && s[i+1] == '\\':
				return i + 2
			case s[i] == 0x18 || s[i] == 0x1a:
				return i + 1
			}
		}
	case b >= 0x20 && b <= 0x2f:
		i = within(i, 0x20, 0x2f)
		if i < len(s) && s[i] >= 0x30 && s[i] <= 0x7e {
			i++
		}
	case b < 0x20 || b > 0x7e:
		return 1
	}
	return i
}

// cleanName makes one printable line of at most ci.MaxNoteName bytes.
func cleanName(s string) string {
	return clean(strings.TrimSpace(cut(s, 4*ci.MaxNoteName)), ci.MaxNoteName, false)
}

// cleanMessage makes printable lines of at most ci.MaxNoteMessage bytes.
func cleanMessage(s string) string {
	s = cut(s, 2*ci.MaxNoteMessage)
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	return clean(strings.TrimRightFunc(strings.TrimLeft(s, "\n"), unicode.IsSpace), ci.MaxNoteMessage, true)
}

// clean replaces what is not UTF-8, and control characters, and cuts at most
// bytes with an ellipsis.
func clean(s string, most int, lines bool) string {
	if strings.IndexByte(s, esc) >= 0 {
		s = string(appendEscapeless(nil, s))
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case lines && (r == '\n' || r == '\t'):
			return r
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r):
			return utf8.RuneError
		}
		return r // invalid bytes arrive, and leave, as RuneError
	}, s)
	if len(s) > most {
		s = cut(s, most-len("…")) + "…"
	}
	return s
}

// appendEscapeless appends s without its escape sequences, line by line.
func appendEscapeless(dst []byte, s string) []byte {
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = appendPlain(dst, []byte(line))
	}
	return dst
}

// cut returns at most n bytes of s, cut between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := n; i > n-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}

// A place is where in the source something is.
type place struct {
	file         string
	line, column int64
}

// cutPlace reads path:12 or path:12:5 from the beginning of s.
func cutPlace(s string) (at place, rest string, ok bool) {
	i := strings.IndexByte(s[driveLen(s):], ':') + driveLen(s)
	if i <= 0 || i >= len(s) || s[i] != ':' || !isSource(s[:i]) {
		return place{}, s, false
	}
	at.file = s[:i]
	if at.line, rest, ok = cutNumber(s[i+1:]); !ok {
		return place{}, s, false
	}
	if strings.HasPrefix(rest, ":") {
		if column, after, ok := cutNumber(rest[1:]); ok {
			at.column, rest = column, after
		}
	}
	return at, rest, true
}

// driveLen is the length of the drive with which a path of Windows begins.
func driveLen(s string) int {
	if len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/') && letter(s[0]) {
		return 2
	}
	return 0
}

// cutNumber reads a number of at most nine digits.
func cutNumber(s string) (n int64, rest string, ok bool) {
	i := 0
	for ; i < len(s) && digit(s[i]); i++ {
		if i == 9 {
			return 0, s, false
		}
		n = 10*n + int64(s[i]-'0')
	}
	return n, s[i:], i > 0
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

// sources are the endings of files that a message with a line number may be
// about. Without such a list every "db.example.com:5432: error: …" is one.
var sources = func() map[string]bool {
	set := make(map[string]bool)
	for _, ext := range strings.Fields(`
		c cc cpp cxx c++ h hh hpp hxx h++ inc inl ipp tcc m mm s S asm cu cuh cl f F f90 F90 f95 f03 f08 for d di
		go rs swift java kt kts scala groovy gradle clj zig nim v sv vhd vhdl adb ads pas ml mli hs lhs ex exs erl hrl
		ts tsx mts cts js jsx mjs cjs vue svelte astro css scss less sass html htm xml xsl json jsonc yml yaml toml md mdx graphql proto thrift
		py pyi pyx rb rake erb php phtml pl pm t lua tcl r R jl dart cs fs fsx vb xaml csproj sh bash zsh ps1 sql y yy l ll lex tex rst
		cmake mk mak am ac in bzl nix tf hcl sol ld lds`) {
		set[ext] = true
	}
	return set
}()

// scripts are the endings of what Node runs and ESLint checks.
var scripts = map[string]bool{"js": true, "mjs": true, "cjs": true, "jsx": true, "ts": true, "tsx": true, "mts": true, "cts": true, "vue": true, "svelte": true}

// extension returns what follows the last dot of a path's last segment.
func extension(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		switch path[i] {
		case '.':
			if path[i-1] == '/' || path[i-1] == '\\' {
				return ""
			}
			return path[i+1:]
		case '/', '\\':
			return ""
		}
	}
	return ""
}

// isSource tells whether a path is that of a source file, as compilers print
// it: without blanks, quotes and brackets.
func isSource(path string) bool {
	if path == "" || len(path) > ci.MaxNoteName || strings.ContainsAny(path, " \t\"'`<>|(){}*,;=?\r") {
		return false
	}
	return sources[extension(path)] || strings.HasSuffix(path, "akefile")
}

// cutWord cuts the first word off a line.
func cutWord(s string) (word, rest string) {
	word, rest, _ = strings.Cut(s, " ")
	return word, strings.TrimLeft(rest, " ")
}

// indent is the number of blanks with which s begins.
func indent(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

// join puts lines into one text.
func join(lines ...string) string { return strings.Trim(strings.Join(lines, "\n"), "\n") }

// dedent takes from all lines the blanks that all of them begin with.
func dedent(lines []string) []string {
	margin := -1
	for _, l := range lines {
		if strings.TrimSpace(l) != "" && (margin < 0 || indent(l) < margin) {
			margin = indent(l)
		}
	}
	short := make([]string, len(lines))
	for i, l := range lines {
		short[i] = l[min(max(margin, 0), indent(l)):]
	}
	return short
}
