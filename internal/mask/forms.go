package mask

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxPattern is the length of the longest pattern, in bytes. A longer one is
	// looked for in pieces, each of which is hidden for itself: so what a stream
	// holds back is bounded, and the whole is gone all the same.
	maxPattern = 1 << 10
	// minRest is how long the rest of a base64 or hex pattern must be to be looked
	// for without its first characters; a shorter one would be found in other texts.
	minRest = 8
)

// patterns are what is looked for: byte strings of minValue to maxPattern bytes.
type patterns struct {
	plain   []string // as they are
	wrapped []string // also with line ends in between, after the first minValue bytes
}

func (p *patterns) cost() int {
	cost := 0
	for _, list := range [][]string{p.plain, p.wrapped} {
		for _, pattern := range list {
			cost += len(pattern) + patternCost
		}
	}
	return cost
}

// patternsOf returns all forms of a value, each once, in order.
func patternsOf(value string) patterns {
	var p patterns
	for _, secret := range secretsOf(value) {
		eachForm(secret, func(form string) { p.plain = cut(p.plain, form) })
		eachWrapped(secret, func(form string) { p.wrapped = cutWrapped(p.wrapped, form) })
	}
	for _, list := range []*[]string{&p.plain, &p.wrapped} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return p
}

// secretsOf returns what must not be seen of a value: all of it, with the line
// ends of files and those of terminals, and each line without the white space
// around it.
func secretsOf(value string) []string {
	unix := strings.ReplaceAll(value, "\r\n", "\n")
	secrets := []string{value, unix, strings.ReplaceAll(unix, "\n", "\r\n")}
	for line := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); len(line) >= minValue {
			secrets = append(secrets, line)
		}
	}
	slices.Sort(secrets)
	return slices.Compact(secrets)
}

// cut appends a form in pieces of nearly equal length.
func cut(list []string, form string) []string {
	for n := (len(form) + maxPattern - 1) / maxPattern; n > 0; n-- {
		at := len(form) / n
		list, form = append(list, form[:at]), form[at:]
	}
	return list
}

// cutWrapped does so with a form that is printed in lines. One may break within a
// piece's first characters, where it is not known: so each piece is looked for
// without them too, and reaches as far into the next.
func cutWrapped(list []string, form string) []string {
	const unknown = minValue - 1
	const most = maxPattern - unknown
	for n := (len(form) + most - 1) / most; n > 0; n-- {
		at := len(form) / n
		piece := form[:min(at+unknown, len(form))]
		list, form = append(list, piece), form[at:]
		for i := 1; i <= unknown && len(piece)-i >= minRest; i++ {
			list = append(list, piece[i:])
		}
	}
	return list
}

// eachWrapped yields a secret in the encodings that are printed in lines.
func eachWrapped(secret string, yield func(string)) {
	lower := hex.EncodeToString([]byte(secret))
	yield(lower)
	yield(strings.ToUpper(lower))
	eachBase64(secret, yield)
}

// eachBase64 yields the characters that a secret has in base64 wherever it
// stands: after a number of bytes that 3 divides, after one more or two more.
// Those that also hold bits of a neighbour are not known but at the end of the
// text, or of a line as echo(1) writes it.
func eachBase64(secret string, yield func(string)) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for shift := range 3 {
			before := append(make([]byte, shift, shift+len(secret)+1), secret...)
			text := encoding.EncodeToString(before)
			from, to := (shift*8+5)/6, len(before)*8/6
			yield(text[from:to])
			if len(before)%3 > 0 {
				yield(text[from : to+1])
				yield(text[from:])
				yield(encoding.EncodeToString(append(before, '\n'))[from : to+1])
			}
		}
	}
}

// eachForm yields a secret as it is and in every encoding that is not printed in
// lines, often the same string again.
func eachForm(secret string, yield func(string)) {
	yield(secret)

	for _, digits := range []string{lowerHex, upperHex} {
		for _, kept := range urlKept {
			yield(percentEncoded(secret, kept, digits))
		}
	}

	yield(unquoted(strconv.Quote(secret)))
	yield(unquoted(strconv.QuoteToASCII(secret)))
	for _, special := range []string{"", "<>&", `<>&'"+` + "`"} {
		eachJSON(secret, special, yield)
	}

	for _, quote := range []string{`'\''`, `'"'"'`, `\'`} {
		yield(strings.ReplaceAll(secret, "'", quote))
	}
	for _, special := range []string{"\"\\$`", "\"\\$`!", `"\`, shellSpecial, shellSpecial + "#~", strings.Replace(shellSpecial, ",", "", 1)} {
		yield(backslashed(secret, special))
	}
	if s := backslashed(secret, shellSpecial); strings.HasPrefix(s, "#") || strings.HasPrefix(s, "~") {
		yield(`\` + s)
	}
	for _, ascii := range []bool{false, true} {
		yield(ansiQuoted(secret, ascii))
		yield(gnuQuoted(secret, ascii))
	}
}

const (
	lowerHex = "0123456789abcdef"
	upperHex = "0123456789ABCDEF"
)

// urlKept are the characters that percent-encodings leave as they are, besides
// letters and digits. Where a + is kept and no %20 stands for the space, the
// list begins with a space.
var urlKept = []string{
	"",                              // everything but letters and digits
	"-_.~",                          // RFC 3986, curl, Python's quote with safe=''
	" -_.~",                         // Go's QueryEscape
	" -_.",                          // PHP's urlencode
	" -_.*",                         // HTML forms, Java
	"-_.~/",                         // Python's quote
	"-_.!~*'()",                     // JavaScript's encodeURIComponent
	"-_.!~*'();/?:@&=+$,#",          // JavaScript's encodeURI
	"-_.~$&+=:@",                    // Go's PathEscape
	"-_.~$&+=:@/;,",                 // Go's URL.EscapedPath
	"-_.~$&+,;=",                    // Go's Userinfo
	"-_.~!$&'()*+,;=:@",             // RFC 3986, a segment of a path
	"-_.~!$&'()*+,;=:@/?",           // RFC 3986, a query
	"-_.~!$&'()*+,%",                // WHATWG, a user or password
	"-_.~!$&'()*+,;=:@/%[\\]|",      // WHATWG, a path
	"-_.~!$&'()*+,;=:@/%[\\]|?^{}`", // WHATWG, a query
	"-_.~!$&()*+,;=:@/%[\\]|?^{}`",  // WHATWG, a query of http
	" -_.!~*'()",                    // encodeURIComponent with a + for the space
	everythingEscaped,               // letters and digits too
}

const everythingEscaped = "\x00"

func percentEncoded(s, kept, digits string) string {
	plus := strings.HasPrefix(kept, " ")
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		switch {
		case c == ' ' && plus:
			b.WriteByte('+')
		case kept != everythingEscaped && (alnum || c > ' ' && strings.IndexByte(kept, c) >= 0):
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

func unquoted(s string) string { return s[1 : len(s)-1] }

// jsonStyle says what an encoder escapes besides what it must.
type jsonStyle struct {
	special    string // ASCII characters that become \u00XX
	digits     string
	invalid    string // what stands for a byte that is no UTF-8; empty: itself
	slash      bool   // / becomes \/, as in PHP
	ascii      bool   // what is not ASCII is escaped, as in Python
	long       bool   // \b and \f become \u0008 and \u000c, as in older Go
	separators bool   // U+2028 and U+2029 are escaped, as in Go
}

func eachJSON(secret, special string, yield func(string)) {
	invalid, styles := []string{""}, 8
	if !utf8.ValidString(secret) {
		invalid = append(invalid, "\uFFFD", `\ufffd`)
	}
	if strings.ContainsAny(secret, "\u2028\u2029") {
		styles = 16
	}
	for _, digits := range []string{lowerHex, upperHex} {
		for _, invalid := range invalid {
			for n := range styles {
				yield(jsonEscaped(secret, jsonStyle{special, digits, invalid, n&1 > 0, n&2 > 0, n&4 > 0, n&8 > 0}))
			}
		}
	}
}

func jsonEscaped(s string, style jsonStyle) string {
	var b strings.Builder
	unit := func(u rune) {
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(style.digits[u>>shift&15])
		}
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1 && style.invalid != "":
			b.WriteString(style.invalid)
		case r == utf8.RuneError && n == 1:
			b.WriteByte(s[i])
		case r < utf8.RuneSelf && strings.IndexByte(style.special, byte(r)) >= 0:
			unit(r)
		case r == '"' || r == '\\' || r == '/' && style.slash:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b' && !style.long:
			b.WriteString(`\b`)
		case r == '\f' && !style.long:
			b.WriteString(`\f`)
		case r < ' ' || r > '~' && r < 0x10000 && (style.ascii || style.separators && r|1 == '\u2029'):
			unit(r)
		case r > '~' && style.ascii:
			r -= 0x10000
			unit(0xd800 + r>>10)
			unit(0xdc00 + r&0x3ff)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// shellSpecial is what bash's printf %q puts a backslash before, anywhere in a
// word. A # or ~ at its beginning, and a ~ after a : or =, get one as well.
const shellSpecial = " !\"$&'()*,;<>?[\\]^`{|}"

func backslashed(s, special string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) >= 0 ||
			s[i] == '~' && i > 0 && (s[i-1] == ':' || s[i-1] == '=') && special == shellSpecial {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// ansiQuoted is what bash puts into $'…', where letters beyond ASCII show, or
// in a locale where they do not.
func ansiQuoted(s string, ascii bool) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		n, printable := character(s[i:], ascii)
		switch {
		case s[i] == '\'' || s[i] == '\\':
			b.WriteByte('\\')
			b.WriteByte(s[i])
		case printable:
			b.WriteString(s[i : i+n])
		case s[i] == '\x1b':
			b.WriteString(`\E`)
		default:
			ansiEscape(&b, s[i:i+n])
		}
		i += n
	}
	return b.String()
}

// gnuQuoted is what GNU's tools print between single quotes: only what cannot
// be shown stands in $'…', with quotes around that end and begin the others.
func gnuQuoted(s string, ascii bool) string {
	var b strings.Builder
	escaping := false
	for i := 0; i < len(s); {
		n, printable := character(s[i:], ascii)
		if escaping == printable {
			b.WriteString(map[bool]string{true: `'$'`, false: `''`}[!printable])
			escaping = !printable
		}
		switch {
		case s[i] == '\'':
			b.WriteString(`'\''`)
		case printable:
			b.WriteString(s[i : i+n])
		default:
			ansiEscape(&b, s[i:i+n])
		}
		i += n
	}
	return b.String()
}

// character tells how long the first character of s is, and whether glibc's
// iswprint says that it can be shown.
func character(s string, ascii bool) (n int, printable bool) {
	r, n := utf8.DecodeRuneInString(s)
	broken := r == utf8.RuneError && n == 1
	return n, !broken && !unicode.IsControl(r) && r|1 != '\u2029' && (r < utf8.RuneSelf || !ascii)
}

func ansiEscape(b *strings.Builder, s string) {
	if short := strings.IndexByte("\a\b\f\n\r\t\v", s[0]); short >= 0 {
		b.WriteByte('\\')
		b.WriteByte(`abfnrtv`[short])
		return
	}
	for _, c := range []byte(s) {
		fmt.Fprintf(b, `\%03o`, c)
	}
}
