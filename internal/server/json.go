package server

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// A decoder reads the JSON of a request, strictly: unknown fields and
// duplicate keys are refused by name, and the text of a log is never decoded,
// only scanned. It stops at the first thing that is wrong and remembers it, so
// that the code that describes a request reads like the request.
type decoder struct {
	data  []byte
	pos   int
	err   *ci.Problem
	field string // the member that is being read
	index int    // the position of the update or step that is being read; -1: none
	key   ci.StepKey
	in    bool // what comes next is an element of the list field
	lines bool // data is up to the end of a line, which is a value of its own
}

func newDecoder(data []byte) *decoder { return &decoder{data: data, index: -1} }

const byteOrderMark = "\xef\xbb\xbf"

// fail remembers the first refusal.
func (d *decoder) fail(code ci.Code, format string, args ...any) {
	if d.err != nil {
		return
	}
	d.err = &ci.Problem{Code: code, Field: d.field, Detail: fmt.Sprintf(format, args...)}
	if d.index >= 0 {
		i := d.index
		d.err.Index = &i
	}
}

func (d *decoder) invalid(format string, args ...any) { d.fail(ci.Invalid, format, args...) }

func (d *decoder) limit(code ci.Code, limit int64, format string, args ...any) {
	if d.err == nil {
		d.fail(code, format, args...)
		d.err.Limit = limit
	}
}

// refuse remembers what a check of the domain said.
func (d *decoder) refuse(err error) {
	if err == nil || d.err != nil {
		return
	}
	p := ci.AsProblem(err)
	d.limit(p.Code, p.Limit, "%s", p.Detail)
}

func (d *decoder) syntax(format string, args ...any) {
	if d.err == nil {
		where := "The body is not valid JSON at byte %d: %s."
		switch {
		case d.pos == len(d.data) && d.lines:
			where = "The line ends at byte %d, within an update: %s. Put each update on one line."
		case d.pos == len(d.data):
			where = "The body breaks off at byte %d: %s."
		}
		d.fail(invalidJSON, where, d.pos, fmt.Sprintf(format, args...))
		d.err.Field = ""
	}
}

// peek skips white space and returns the byte that comes next, 0 at the end.
func (d *decoder) peek() byte {
	for d.pos < len(d.data) {
		switch b := d.data[d.pos]; b {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return b
		}
	}
	return 0
}

// kind says what the value that comes next is.
func (d *decoder) kind() string {
	switch b := d.peek(); {
	case b == '"':
		return "a string"
	case b == '{':
		return "an object"
	case b == '[':
		return "a list"
	case b == 't' || b == 'f':
		return "a truth value"
	case b == 'n':
		return "null"
	case b == '-' || b >= '0' && b <= '9':
		return "a number"
	}
	return ""
}

// expect reads the byte that begins the wanted kind of value.
func (d *decoder) expect(b byte, want string) bool {
	if d.err != nil {
		return false
	}
	element := d.in
	d.in = false
	if d.peek() == b {
		d.pos++
		return true
	}
	body := d.field == "" && d.index < 0
	switch kind := d.kind(); {
	case body && d.pos == len(d.data):
		d.fail(invalidJSON, "The body is empty; send a JSON object.")
	case body && bytes.HasPrefix(d.data, []byte("\x1f\x8b")):
		d.syntax("it begins as gzip does, which Content-Encoding has to say")
	case body && (bytes.HasPrefix(d.data, []byte("\xff\xfe")) || bytes.HasPrefix(d.data, []byte("\xfe\xff"))):
		d.syntax("it begins as UTF-16 does, where UTF-8 is wanted")
	case bytes.HasPrefix(d.data[d.pos:], []byte(byteOrderMark)):
		d.syntax("a byte order mark is there; send it without")
	case kind == "":
		d.syntax("%s was expected", want)
	case body:
		d.invalid("The body must be %s, not %s.", want, kind)
	case d.field == "":
		d.invalid("An update must be %s, not %s.", want, kind)
	case element:
		d.invalid("Each element of %s must be %s, not %s.", d.field, want, kind)
	default:
		d.invalid("The field %s must be %s, not %s.", d.field, want, kind)
	}
	return false
}

// end refuses anything but white space.
func (d *decoder) end() {
	if d.err == nil && d.peek() != 0 || d.err == nil && d.pos < len(d.data) {
		d.syntax("something follows the end of the value")
	}
}

// An object is being read member by member: for d.member(&o) { switch o.name … }.
type object struct {
	name []byte
	seen [16][]byte // more than any of our objects has members
	n    int
	open bool
}

// member goes on to the object's next member and reads its name.
func (d *decoder) member(o *object) bool {
	if !o.open {
		if !d.expect('{', "an object") {
			return false
		}
		o.open = true
		if d.peek() == '}' {
			d.pos++
			return false
		}
	} else if !d.more('}') {
		return false
	}
	if d.peek() != '"' {
		d.syntax("a name in quotes was expected")
		return false
	}
	d.field = ""
	name := d.text()
	if d.err != nil {
		return false
	}
	o.name = name.literal
	if name.escaped {
		o.name = ci.AppendUnescaped(nil, name.literal)
	}
	for _, seen := range o.seen[:o.n] {
		if bytes.Equal(seen, o.name) {
			d.field = string(o.name)
			d.invalid("The field %s is given twice.", d.field)
			return false
		}
	}
	if d.peek() != ':' {
		d.syntax("a colon was expected")
		return false
	}
	d.pos++
	d.field = shown(o.name)
	if o.n < len(o.seen) {
		o.seen[o.n] = o.name
		o.n++
	}
	return true
}

// shown returns a member's name for an answer, without allocating for those
// that log updates and test results have.
func shown(name []byte) string {
	for _, known := range [...]string{"updates", "log", "step", "offset", "at", "text", "note", "number", "test", "name", "suite", "status", "duration_s"} {
		if string(name) == known {
			return known
		}
	}
	if len(name) > 60 {
		name = name[:60]
	}
	s := strconv.Quote(string(bytes.ToValidUTF8(name, nil)))
	return s[1 : len(s)-1]
}

// unknown refuses the member that was just named.
func (d *decoder) unknown(known string) {
	d.invalid("The field %s is unknown here; there are %s.", d.field, known)
}

// more goes past the comma before the next element, or past the close.
func (d *decoder) more(closing byte) bool {
	if d.err != nil {
		return false
	}
	switch d.peek() {
	case ',':
		d.pos++
		return true
	case closing:
		d.pos++
	default:
		d.syntax("a comma or %q was expected", closing)
	}
	return false
}

// A list is being read element by element: for d.element(&l) { … }.
type list struct {
	field string // the member that it is
	n     int    // elements begun
	open  bool
}

// element goes on to the list's next element.
func (d *decoder) element(l *list) bool {
	if !l.open {
		if !d.expect('[', "a list") {
			return false
		}
		l.open, l.field = true, d.field
		if d.peek() == ']' {
			d.pos++
			return false
		}
	} else if !d.more(']') {
		return false
	}
	l.n++
	d.field, d.in = l.field, true
	return true
}

// null reads a null, if one comes.
func (d *decoder) null() bool {
	if d.err == nil && d.peek() == 'n' && bytes.HasPrefix(d.data[d.pos:], []byte("null")) {
		d.pos += len("null")
		return true
	}
	return false
}

// integer reads a whole number.
func (d *decoder) integer(least, most int64) int64 {
	if kind := d.kind(); d.err == nil && kind != "a number" {
		d.expect('0', "a whole number")
	}
	if d.err != nil {
		return 0
	}
	start := d.pos
	if d.data[d.pos] == '-' {
		d.pos++
	}
	digits := d.pos
	for d.pos < len(d.data) && d.data[d.pos] >= '0' && d.data[d.pos] <= '9' {
		d.pos++
	}
	switch {
	case d.pos == digits || d.data[digits] == '0' && d.pos > digits+1:
		d.pos = start
		d.syntax("this is not a number")
		return 0
	case d.pos < len(d.data) && (d.data[d.pos] == '.' || d.data[d.pos]|0x20 == 'e'):
		d.invalid("The field %s must be a whole number, without a fraction or an exponent.", d.field)
		return 0
	}
	n, err := strconv.ParseInt(string(d.data[start:d.pos]), 10, 64)
	if err != nil || n < least || n > most {
		d.invalid("The field %s must lie between %d and %d.", d.field, least, most)
		return 0
	}
	return n
}

// seconds reads a length of time.
func (d *decoder) seconds(most float64) float64 {
	if kind := d.kind(); d.err == nil && kind != "a number" {
		d.expect('0', "a number")
	}
	if d.err != nil {
		return 0
	}
	start := d.pos
	for d.pos < len(d.data) && bytes.IndexByte([]byte("+-.0123456789Ee"), d.data[d.pos]) >= 0 {
		d.pos++
	}
	literal := d.data[start:d.pos]
	if !json.Valid(literal) {
		d.pos = start
		d.syntax("this is not a number")
		return 0
	}
	n, err := strconv.ParseFloat(string(literal), 64)
	if err != nil || n < 0 || n > most {
		d.invalid("The field %s must lie between 0 and %.0f, in seconds.", d.field, most)
		return 0
	}
	return n
}

// truth reads true or false.
func (d *decoder) truth() bool {
	if kind := d.kind(); d.err == nil && kind != "a truth value" {
		d.expect('t', "true or false")
	}
	if d.err != nil {
		return false
	}
	for _, value := range []bool{true, false} {
		if word := strconv.FormatBool(value); bytes.HasPrefix(d.data[d.pos:], []byte(word)) {
			d.pos += len(word)
			return value
		}
	}
	d.syntax("true or false was expected")
	return false
}

// timestamp reads an RFC 3339 time and brings it to UTC and microseconds.
func (d *decoder) timestamp() time.Time {
	const form = "a time such as 2026-11-22T10:00:00.25Z"
	if kind := d.kind(); d.err == nil && kind != "a string" {
		d.expect('"', form)
	}
	s := d.text()
	if d.err != nil {
		return time.Time{}
	}
	var t time.Time
	if s.escaped || t.UnmarshalText(s.literal) != nil && t.UnmarshalText(bytes.ToUpper(s.literal)) != nil { // RFC 3339 takes t and z
		if n := len(s.literal); n > 5 && t.UnmarshalText(slices.Concat(s.literal[:n-2], []byte{':'}, s.literal[n-2:])) == nil {
			d.invalid("The time zone of the field %s lacks its colon; write +01:00, as date +%%:z does, or Z for UTC.", d.field)
		} else if t.UnmarshalText(append(s.literal[:len(s.literal):len(s.literal)], 'Z')) == nil {
			d.invalid("The field %s says no time zone; end it with Z for UTC, or with an offset such as +01:00.", d.field)
		} else {
			d.invalid("The field %s must be %s (RFC 3339).", d.field, form)
		}
		return time.Time{}
	}
	d.refuse(ci.CheckTime(t))
	return ci.Cut(t)
}

// line reads a piece of text for people: one line, anything printable.
func (d *decoder) line(most int) string {
	s := d.str()
	if d.err != nil {
		return ""
	}
	if len(s) > most {
		d.limit(ci.TooLong, int64(most), "The field %s has %d bytes; it may have at most %d.", d.field, len(s), most)
		return ""
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			d.invalid("The field %s holds the control character U+%04X; it must be one line of printable text.", d.field, r)
			return ""
		}
	}
	return s
}

// words reads a piece of text for people of any content, lines and colours
// included.
func (d *decoder) words(most int64) string {
	s := d.text()
	switch {
	case d.err != nil:
		return ""
	case s.bytes > most:
		d.limit(ci.TooLong, most, "The field %s has %d bytes; it may have at most %d.", d.field, s.bytes, most)
		return ""
	}
	return s.String()
}

// str reads a string of any content.
func (d *decoder) str() string {
	s := d.text()
	return s.String()
}

// stepKey reads a step's key. A request mostly speaks of one step, so the last
// one is kept.
func (d *decoder) stepKey() ci.StepKey {
	s := d.text()
	if d.err != nil {
		return ""
	}
	if !s.escaped && d.key != "" && string(s.literal) == string(d.key) {
		return d.key
	}
	key := string(s.literal)
	if s.escaped {
		key = string(ci.AppendUnescaped(nil, s.literal))
	}
	d.refuse(ci.CheckStepKey(key))
	d.key = ci.StepKey(key)
	return d.key
}

// base64 reads bytes.
func (d *decoder) base64() []byte {
	s := d.text()
	if d.err != nil {
		return nil
	}
	literal := s.literal
	if s.escaped {
		literal = ci.AppendUnescaped(nil, literal)
	}
	raw, err := base64.StdEncoding.AppendDecode(make([]byte, 0, base64.StdEncoding.DecodedLen(len(literal))), literal)
	if err != nil {
		d.invalid("The field %s must be base64 with the standard alphabet and padding (RFC 4648, section 4).", d.field)
	}
	return raw
}

// A jsonText is a JSON string as it stands in the body, checked but not
// decoded.
type jsonText struct {
	literal []byte // between the quotes; a part of the body
	escaped bool   // there are escapes in it
	bytes   int64  // length of the text itself
	lines   int64  // newlines in it
	ended   bool   // its last character is a newline
}

// String returns the text itself.
func (s *jsonText) String() string {
	if s.escaped {
		return string(ci.AppendUnescaped(make([]byte, 0, s.bytes), s.literal))
	}
	return string(s.literal)
}

// chunk makes log text of it. The body must not be used again.
func (s *jsonText) chunk() ci.Chunk {
	return ci.Chunk{Body: s.literal[:len(s.literal):len(s.literal)], Escaped: true, Bytes: s.bytes, Lines: s.lines, Ended: s.ended}
}

// text reads a string without decoding it.
func (d *decoder) text() jsonText {
	if !d.expect('"', "a string") {
		return jsonText{}
	}
	s, n, why := scanString(d.data[d.pos:])
	d.pos += n
	if why != "" {
		d.syntax("%s", why)
		return jsonText{}
	}
	d.pos++ // the closing quote
	return s
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// special marks, in the high bit of each byte, the bytes of a word that do not
// stand for themselves in a JSON string of ASCII: quotes, backslashes, control
// characters, and what is not ASCII. The lowest mark is exact; above it there
// may be marks too many, from borrows.
func special(word uint64) uint64 {
	return (word | (word - 0x20*ones) | ((word ^ '"'*ones) - ones) | ((word ^ '\\'*ones) - ones)) & highs
}

// scanString scans the rest of a JSON string up to its closing quote, which is
// data[n]. When that is impossible why says so, and n is the place.
//
// This is the hot path of all writing: eight bytes at a time while they are
// plain ASCII, which is what logs mostly are.
func scanString(data []byte) (s jsonText, n int, why string) {
	i, saved, afterLine := 0, 0, -1
	for {
		for i+8 <= len(data) {
			m := special(binary.LittleEndian.Uint64(data[i : i+8 : i+8]))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(data) {
			return s, i, "the string does not end"
		}
		switch b := data[i]; {
		case b == '"':
			s.literal, s.bytes, s.escaped, s.ended = data[:i], int64(i-saved), saved > 0, afterLine == i
			return s, i, ""
		case b == '\\' && i+1 < len(data) && oneByte[data[i+1]]:
			i += 2
			saved++
			if data[i-1] == 'n' {
				s.lines++
				afterLine = i
			}
		case b == '\\':
			r, size := scanEscape(data[i:])
			switch {
			case size == 0 && cutEscape(data[i:]), size < 0 && cutEscape(data[i+6:]):
				return s, len(data), "the string does not end"
			case size == 0:
				return s, i, "this is not an escape that JSON knows"
			case size < 0:
				return s, i, "a surrogate stands alone; send log text that is not UTF-8 as base64"
			}
			i += size
			saved += size - utf8.RuneLen(r)
			if r == '\n' {
				s.lines++
				afterLine = i
			}
		case b < 0x20:
			return s, i, fmt.Sprintf("a control character (U+%04X) must be escaped in a string", b)
		case b < utf8.RuneSelf: // within the last seven bytes
			i++
		default:
			for i < len(data) && data[i] >= utf8.RuneSelf {
				r, size := utf8.DecodeRune(data[i:])
				if r == utf8.RuneError && size == 1 {
					if !utf8.FullRune(data[i:]) {
						return s, len(data), "the string does not end"
					}
					return s, i, "this is not UTF-8; send log text that is not as base64"
				}
				i += size
			}
		}
	}
}

// oneByte marks what may follow a backslash to make one byte of the two.
var oneByte = [256]bool{'n': true, 't': true, 'r': true, '"': true, '\\': true, '/': true, 'b': true, 'f': true}

// scanEscape reads the \u escape at the start of data. The size is 0 when it is
// none, and negative when half a surrogate pair is missing.
func scanEscape(data []byte) (r rune, size int) {
	r, ok := scanHex(data)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	low, _ := scanHex(data[6:])
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, -1
	}
	return r, 12
}

// cutEscape tells whether all of data is the beginning of an escape, or nothing.
func cutEscape(data []byte) bool {
	const escape = `\u0000`
	if len(data) >= len(escape) {
		return false
	}
	_, ok := scanHex(append(bytes.Clone(data), escape[len(data):]...))
	return ok
}

// scanHex reads \uXXXX.
func scanHex(data []byte) (r rune, ok bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	for _, b := range data[2:6] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			b = b | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	return r, true
}
