package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// masked is what a stream makes of a text that is written in these pieces.
func masked(m *Masker, pieces ...string) string {
	var out []byte
	s := m.Stream(func(p []byte) { out = append(out, p...) })
	for _, piece := range pieces {
		s.Write([]byte(piece))
	}
	s.Close()
	return string(out)
}

func with(t interface {
	Helper()
	Fatalf(string, ...any)
}, values ...string) *Masker {
	t.Helper()
	m := New()
	for _, value := range values {
		if err := m.Add(value); err != nil {
			t.Fatalf("add %q: %v", value, err)
		}
	}
	return m
}

// mustMask tries the text whole, byte by byte, and cut in two at every place,
// and returns how many times that was.
func mustMask(t rapid.TB, m *Masker, text, want string) int {
	t.Helper()
	check := func(pieces ...string) {
		if got := masked(m, pieces...); got != want {
			t.Fatalf("%q becomes %q, want %q", pieces, got, want)
		}
	}
	check(text)
	check(inPieces(text, nil)...)
	for i := range len(text) {
		check(text[:i], text[i:])
	}
	return len(text) + 2
}

func TestStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		values     []string
		text, want string
	}{
		{"no values", nil, "nothing to hide", "nothing to hide"},
		{"nothing", []string{"s3cret"}, "", ""},
		{"one value", []string{"s3cret"}, "a s3cret b", "a *** b"},
		{"all of it", []string{"s3cret"}, "s3cret", "***"},
		{"its beginning only", []string{"s3cret"}, "a s3cre", "a s3cre"},
		{"its beginning, then itself", []string{"s3cret"}, "s3cs3cret", "s3c***"},
		{"twice at once", []string{"s3cret"}, "s3crets3cret", "***"},
		{"twice with something between", []string{"s3cret"}, "s3cret s3cret", "*** ***"},
		{"overlapping itself", []string{"abcabc"}, "xabcabcabcx", "x***x"},
		{"one begins with the other", []string{"abcd", "abcdefgh"}, "abcd abcdef abcdefgh", "*** ***ef ***"},
		{"one begins with the other, which is longer", []string{"abcdefgh", "abcd"}, "abcdefg", "***efg"},
		{"one ends with the other", []string{"abcdefgh", "efgh"}, "abcdefgh efgh", "*** ***"},
		{"one within the other", []string{"abcdefgh", "cdef"}, "abcdefgh abcdefg", "*** ab***g"},
		{"two that overlap", []string{"abcdef", "defghi"}, "xabcdefghix", "x***x"},
		{"three that overlap", []string{"abcdef", "efghij", "cdefgh"}, "xabcdefghijx", "x***x"},
		{"two that touch", []string{"abcd", "efgh"}, "abcdefgh", "***"},
		{"one that might go on over another", []string{"abcdefghij", "cdef", "ghix"}, "abcdefghix", "ab***"},
		{"line ends around", []string{"\r\ns3cret\n\n"}, "s3cret\n", "***\n"},
		{"white space around", []string{"  s3cret "}, "[s3cret] [  s3cret ]", "[***] [***]"},
		{"several lines", []string{"first\nsecond\n"}, "first\nsecond\n", "***\n"},
		{"several lines on a terminal", []string{"first\nat\nsecond"}, "first\r\nat\r\nsecond\r\n", "***\r\n"},
		{"several lines from Windows", []string{"first\r\nat\r\nsecond"}, "first\nat\nsecond\n", "***\n"},
		{"one line of several", []string{"first\n  second  \nno\n"}, "no second\nfirst", "no ***\n***"},
		{"one line of several, in hex", []string{"first\nsecond"}, "7365636f6e64 666972 7374", "*** 666972 7374"},
		{"beside characters of several bytes", []string{"s3cret", "日本"}, "é日本é\u2028s3cret\u2028日", "é***é\u2028***\u2028日"},
		{"that looks like what hides it", []string{"******"}, "*** ******", "*** ***"},
		{"NUL and other bytes", []string{"a\x00\xff\x80b"}, "\x00a\x00\xff\x80b\xff", "\x00***\xff"},
		{"no base64 yet", []string{"s3cret"}, "czNj cmV0", "czNj cmV0"},
		{"an empty line ends base64", []string{"s3cret-value"}, "czNjcmV0\n\nLXZhbHVl", "czNjcmV0\n\nLXZhbHVl"},
		{"base64 in lines", []string{"s3cret-value"}, "czNjcmV0\nLXZh\r\nbHVl\n", "***\n"},
		{"base64 that only begins in lines", []string{"s3cret-value"}, "czNjcmV0\nLXZh\r\nbHV\n", "czNjcmV0\nLXZh\r\nbHV\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mustMask(t, with(t, c.values...), c.text, c.want)
		})
	}
}

// embedding is an encoding of a value as somebody else writes it: what stands
// around it shows, what is hidden does not.
type embedding struct {
	name                  string
	before, hidden, after string
	mixed                 int // characters at the end of before that may be hidden too
}

// embeddings are written down here from the encodings' standards, with nothing
// of the package's own.
func embeddings(value string) []embedding {
	list := []embedding{
		{name: "plain", hidden: value},
		{name: "in lines of a terminal", hidden: strings.ReplaceAll(value, "\n", "\r\n")},
		{name: "hex", hidden: hex.EncodeToString([]byte(value))},
		{name: "HEX", hidden: fmt.Sprintf("%X", value)},
		{name: "query", hidden: url.QueryEscape(value)},
		{name: "query with %20", hidden: strings.ReplaceAll(url.QueryEscape(value), "+", "%20")},
		{name: "path", hidden: url.PathEscape(value)},
		{name: "user", hidden: url.User(value).String()},
		{name: "Go", before: `"`, hidden: unquoted(strconv.Quote(value)), after: `"`},
	}
	for _, digits := range []string{"%%%02x", "%%%02X"} {
		var all, some string
		for _, c := range []byte(value) {
			all += fmt.Sprintf(digits, c)
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("-_.~", c) >= 0 {
				some += string(rune(c))
			} else {
				some += fmt.Sprintf(digits, c)
			}
		}
		list = append(list, embedding{name: "all of " + digits, hidden: all}, embedding{name: "some of " + digits, hidden: some})
	}
	for _, html := range []bool{true, false} {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(html)
		e.Encode(value)
		text := strings.TrimSpace(b.String())
		list = append(list, embedding{name: fmt.Sprintf("JSON, HTML %v", html), before: `"`, hidden: unquoted(text), after: `"`})
		if !html {
			list = append(list, embedding{name: `JSON with \/`, before: `"`, hidden: strings.ReplaceAll(unquoted(text), "/", `\/`), after: `"`})
		}
	}
	double := strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "$", "\\$", "`", "\\`").Replace(value)
	list = append(list,
		embedding{name: "single quotes", before: "'", hidden: strings.ReplaceAll(value, "'", `'\''`), after: "'"},
		embedding{name: "double quotes", before: `"`, hidden: double, after: `"`},
	)

	for i, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		name := []string{"base64", "base64url", "raw base64", "raw base64url"}[i]
		list = append(list, embedding{name: name, hidden: encoding.EncodeToString([]byte(value))})
		if len(value) < 9 {
			continue // in a longer text so few characters may stand by chance
		}
		for shift := range 6 {
			// The bits after the value are ones: those of a text that ends there
			// would be zeros, and be hidden too.
			around := strings.Repeat("\xa5", shift) + value + "\xff\x5a\xa5\x5a"
			text := encoding.EncodeToString([]byte(around))
			from, to := (8*shift+5)/6, 8*(shift+len(value))/6
			list = append(list, embedding{fmt.Sprintf("%s after %d bytes", name, shift), text[:from], text[from:to], text[to:], min(from, 3)})
			for _, columns := range []int{60, 64, 70, 76} {
				for _, end := range []string{"\n", "\r\n"} {
					for margin := range 4 {
						shift := shift + 15*margin
						around := strings.Repeat("\xa5", shift) + value + "\xff\x5a\xa5\x5a"
						name := fmt.Sprintf("%s after %d bytes", name, shift)
						list = append(list, inLines(name, encoding.EncodeToString([]byte(around)), (8*shift+5)/6, 8*(shift+len(value))/6, columns, end))
					}
				}
			}
		}
	}
	if len(value) < 6 {
		return list // as with base64
	}
	for _, columns := range []int{59, 60, 64} { // 60: xxd -p
		for _, end := range []string{"\n", "\r\n"} {
			for shift := range 33 {
				text := hex.EncodeToString([]byte(strings.Repeat("\xa5", shift) + value + "\xff\x5a\xa5\x5a"))
				list = append(list, inLines(fmt.Sprintf("hex after %d bytes", shift), text, 2*shift, 2*(shift+len(value)), columns, end))
			}
		}
	}
	return list
}

// Of a secret of any length no line of its encodings stays, wherever the lines break.
func TestStream_LongSecretsInLines(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for n := 100; n < 4000; n += 41 {
		value := make([]byte, n)
		for i := range value {
			value[i] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[random.IntN(56)]
		}
		m := New()
		if err := m.Add(string(value)); err != nil {
			t.Fatal(err)
		}
		lower := hex.EncodeToString(value)
		for name, text := range map[string]string{"hex": lower, "HEX": strings.ToUpper(lower), "base64": base64.StdEncoding.EncodeToString(value)} {
			for _, columns := range []int{60, 64, 76, 11 + random.IntN(90)} {
				for _, margin := range []int{0, columns - 1, columns - 2, columns - 3, random.IntN(columns)} {
					before := strings.Repeat(".", margin)
					left := strings.NewReplacer(before, "", Hidden, "", "\n", "").Replace(masked(m, before+wrap(text, columns, margin, "\n")))
					if len(left) > 3 {
						t.Fatalf("%s of %d bytes in lines of %d after %d: %q is left", name, n, columns, margin, left)
					}
				}
			}
		}
	}
}

// inLines is an encoded text in lines, of which what lies between two places is to
// be hidden.
func inLines(name, text string, from, to, columns int, end string) embedding {
	little := 0
	if next := (from + columns - 1) / columns * columns; next-from < 4 {
		little, from = next-from, next // what little stood before the line's end may stay
	}
	e := embedding{
		name:   fmt.Sprintf("%s in lines of %d and %q", name, columns, end),
		before: wrap(text[:from], columns, 0, end),
		hidden: wrap(text[from:to], columns, from, end),
		after:  wrap(text[to:], columns, to, end),
	}
	if strings.HasPrefix(e.hidden, end) {
		e.before, e.hidden = e.before+end, e.hidden[len(end):]
	}
	e.mixed = min(len(e.before)-1-strings.LastIndexByte(e.before, '\n'), 3)
	if little > 0 {
		e.mixed = min(len(e.before), 1+little+len(end))
	}
	return e
}

// wrap puts line ends into a text that begins at a column.
func wrap(text string, columns, at int, end string) string {
	var b strings.Builder
	for i := range len(text) {
		if at+i > 0 && (at+i)%columns == 0 {
			b.WriteString(end)
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func drawValue(t *rapid.T, earlier []string) string {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if len(earlier) == 0 {
		kind += 3
	}
	unit := rapid.SampledFrom([]string{
		"a", "b", "Q", "Z", "0", "7", "-", "_", ".", "~", "+", "/", "=", " ", "'", `"`, `\`, "$", "`", "!", "#", "%", "&", "<", ">", "?", ":", "@", "(", "{", "[", "^", "|", ";", ",",
		"\t", "\n", "\x00", "\x01", "\x1b", "\x7f", "é", "日", "😀", "\u2028", "\xff", "\xc3",
	})
	if kind > 4 {
		unit = rapid.SampledFrom(strings.Split("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", ""))
	}
	value := strings.Join(rapid.SliceOfN(unit, 4, 60).Draw(t, "value"), "")
	if kind < 3 {
		other := rapid.SampledFrom(earlier).Draw(t, "other")
		switch kind {
		case 0:
			value = other[:rapid.IntRange(1, len(other)).Draw(t, "beginning")]
		case 1:
			value = other + value
		case 2:
			value = other[rapid.IntRange(0, len(other)-1).Draw(t, "end"):] + value
		}
	}
	value = strings.Trim(value, "\n")
	if len(strings.TrimSpace(value)) < 4 {
		value += "fill"
	}
	return value
}

// Whatever the values, their encoding and the cuts, none is seen, and all that
// stands around them is: more than 100,000 cases, and a few with -short.
func TestStream_HidesWhatOthersEncode(t *testing.T) {
	t.Parallel()
	cases := 0
	rapid.Check(t, func(t *rapid.T) {
		var values []string
		for range rapid.IntRange(1, 4).Draw(t, "values") {
			values = append(values, drawValue(t, values))
		}
		m := with(t, values...)
		var all []embedding
		for _, value := range values {
			all = append(all, embeddings(value)...)
		}
		// These stand in no value and no encoding.
		around := rapid.SampledFrom([]string{"§", "ж¶", "→→→", ""})
		for range 16 {
			var text, want strings.Builder // want is a regular expression
			alone := true                  // what stands around the values holds none by chance
			for range rapid.IntRange(1, 3).Draw(t, "pieces") {
				e := rapid.SampledFrom(all).Draw(t, "embedding")
				before, after := around.Draw(t, "around")+e.before, e.after+"§"+around.Draw(t, "around")
				text.WriteString(before + e.hidden + after)
				alone = alone && masked(m, before) == before && masked(m, after) == after
				shown := len(before) - e.mixed
				want.WriteString(regexp.QuoteMeta(before[:shown]))
				for i := range e.mixed {
					want.WriteString("(" + regexp.QuoteMeta(before[shown+i:shown+i+1]))
				}
				want.WriteString(strings.Repeat(")?", e.mixed) + `\*\*\*`)
				// By chance, what follows may be the end of a value that begins with this one.
				chance := min(len(e.after), 3)
				for i := range chance {
					want.WriteString("(?:" + regexp.QuoteMeta(after[i:chance]) + "|")
				}
				want.WriteString(strings.Repeat(")", chance) + regexp.QuoteMeta(after[chance:]))
			}
			got := masked(m, text.String())
			if alone && !regexp.MustCompile("^"+want.String()+"$").MatchString(got) {
				t.Fatalf("%q in %q: becomes %q, want %s", values, text.String(), got, want.String())
			}
			if alone {
				cases++
			}
			if !testing.Short() {
				cases += mustMask(t, m, text.String(), got)
			}
			for _, e := range all {
				if strings.Contains(got, e.hidden) {
					t.Fatalf("%s of a value shows in %q", e.name, got)
				}
			}
		}
	})
	t.Logf("%d cases", cases)
}

// A long value is hidden as a whole though it is looked for in pieces, and
// little of what only begins like it is held back.
func TestStream_LongValue(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 800 {
		fmt.Fprintf(&b, "%d/%c", i*i, 'a'+i%26)
	}
	value := b.String()
	m := with(t, value)
	for _, e := range embeddings(value)[:20] {
		text := "before " + e.before + e.hidden + e.after + " after"
		want := "before " + e.before + "***" + e.after + " after"
		var out []byte
		s := m.Stream(func(p []byte) { out = append(out, p...) })
		for piece := range slices.Chunk([]byte(text), 1000) {
			s.Write(piece)
			if len(s.held) > 4<<10 {
				t.Fatalf("%s: %d bytes are held back", e.name, len(s.held))
			}
		}
		if s.Close(); string(out) != want {
			t.Errorf("%s: something of the value shows", e.name)
		}
	}
}

func TestStream_HoldsBackOnlyWhatBeginsAValue(t *testing.T) {
	t.Parallel()
	var out string
	s := with(t, "s3cret-value").Stream(func(p []byte) { out += string(p) })
	for _, c := range []struct{ write, want string }{
		{"compiled\n", "compiled\n"},
		{"s3cr", ""},
		{"et", ""},
		{"!\n", "s3cret!\n"},
		{"s3cret-value", "***"},
		{"\n", "\n"},
		{"s3cret-s3cret", "s3cret-"},
		{"-value", "***"},
		{"s3cret-valu", ""}, // adjacent, so one with the one before
		{"e", ""},
		{".", "."},
		{"czNjcmV0\n", ""},
		{"ok\n", "czNjcmV0\nok\n"},
		{"c\n", "c\n"},
		{"s3c", ""},
	} {
		out = ""
		s.Write([]byte(c.write))
		if out != c.want {
			t.Errorf("%q releases %q, want %q", c.write, out, c.want)
		}
	}
	out = ""
	if s.Close(); out != "s3c" {
		t.Errorf("the end releases %q", out)
	}
}

func TestStream_WithoutValuesPassesTheBytesThemselves(t *testing.T) {
	t.Parallel()
	m := New()
	text := []byte("# a line\n  ::group::x\n" + strings.Repeat("::warning::y\n", 10000) + "the end, without one")
	for _, commands := range []bool{false, true} {
		var got [][]byte
		s := m.Stream(func(p []byte) { got = append(got, p) })
		if commands {
			s.Commands(nil)
		}
		s.Write(text)
		if len(got) != 1 || &got[0][0] != &text[0] || len(got[0]) != len(text) {
			t.Errorf("commands %v: %d pieces, not the one that was written", commands, len(got))
		}
	}
}

func TestStream_KeepsNoReference(t *testing.T) {
	t.Parallel()
	var out []byte
	s := with(t, "s3cret").Stream(func(p []byte) { out = append(out, p...) })
	s.Commands(nil)
	p := make([]byte, 4)
	text := "a s3cret s3cr\n::add-mask::hidden-too\n::add-nothing hidden-too s3c"
	for piece := range slices.Chunk([]byte(text), len(p)) {
		s.Write(p[:copy(p, piece)])
		clear(p)
	}
	s.Close()
	if want := "a *** s3cr\n::add-mask::***\n::add-nothing *** s3c"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestStream_ValueAddedMidway(t *testing.T) {
	t.Parallel()
	m := with(t, "begin-and-more")
	var out []byte
	s := m.Stream(func(p []byte) { out = append(out, p...) })
	s.Write([]byte("later begin-and"))
	if err := m.Add("later"); err != nil {
		t.Fatal(err)
	}
	if err := m.Add("and-then"); err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("-then later"))
	s.Close()
	if want := "later begin-*** ***"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

// Whoever has added a value sees it nowhere, whatever others add meanwhile.
func TestStream_ManyAtOnce(t *testing.T) {
	t.Parallel()
	m := New()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			var out []byte
			s := m.Stream(func(p []byte) { out = append(out, p...) })
			var want string
			for j := range 50 {
				value := fmt.Sprintf("value-%d-of-%d", j, i)
				if err := m.Add(value + "-"); err != nil {
					t.Error(err)
				}
				for _, piece := range []string{"see ", value[:5], value[5:], "-\n"} {
					s.Write([]byte(piece))
				}
				want += "see ***\n"
			}
			if s.Close(); string(out) != want {
				t.Errorf("got %q", out)
			}
		})
	}
	all.Wait()
}

// byTheBook hides the values in a whole text as the package's comment reads:
// every pattern at every place.
func byTheBook(p patterns, text string) string {
	hidden := make([]bool, len(text))
	for _, pattern := range p.plain {
		for i := 0; i+len(pattern) <= len(text); i++ {
			if strings.HasPrefix(text[i:], pattern) {
				for j := range len(pattern) {
					hidden[i+j] = true
				}
			}
		}
	}
	for _, pattern := range p.wrapped {
		for i := range len(text) {
			at := i
			for j := 0; j < len(pattern) && at < len(text); at++ {
				if j >= 4 && !strings.HasPrefix(text[at:], pattern[j:j+1]) {
					// One line end may stand here.
					rest := strings.TrimPrefix(strings.TrimPrefix(text[at:], "\r"), "\n")
					if cut := text[at : len(text)-len(rest)]; cut == "\n" || cut == "\r\n" {
						at += len(cut)
					}
				}
				if at >= len(text) || text[at] != pattern[j] {
					break
				}
				if j++; j == len(pattern) {
					for k := i; k <= at; k++ {
						hidden[k] = true
					}
				}
			}
		}
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !hidden[i]:
			b.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			b.WriteString("***")
		}
	}
	return b.String()
}

// mayGoOn tells whether a text is the beginning of something to hide.
func mayGoOn(p patterns, text string) bool {
	content := strings.ReplaceAll(strings.TrimSuffix(text, "\r"), "\r\n", "\n")
	if !strings.Contains(content, "\n\n") && !strings.ContainsAny(text[:min(len(text), 4)], "\r\n") {
		content = strings.ReplaceAll(content, "\n", "")
	}
	longer := func(beginning string) func(string) bool {
		return func(pattern string) bool {
			return len(pattern) > len(beginning) && strings.HasPrefix(pattern, beginning)
		}
	}
	return slices.ContainsFunc(p.plain, longer(text)) || slices.ContainsFunc(p.wrapped, longer(content))
}

// inPieces cuts a text at the given lengths, over and over.
func inPieces(text string, lens []byte) []string {
	var pieces []string
	for i := 0; text != ""; i++ {
		n := 1
		if len(lens) > 0 {
			n = min(1+int(lens[i%len(lens)])%16, len(text))
		}
		pieces, text = append(pieces, text[:n]), text[n:]
	}
	return pieces
}

func FuzzStream(f *testing.F) {
	f.Add("abcabc\x1ecabcx", "xabcabcabcxabc", []byte{1, 2, 3})
	f.Add("s3cret-value", "czNjcmV0\nLXZh\r\nbHVl\n\nLXZhbHVl\n s3cret%2Dvalue", []byte{})
	f.Add("aaaa\x1eaaaaa\x1ebaaaab", "aaaaaaaabaaaa\r\nbaaab", []byte{4})
	f.Add("first\nsecond", "first\r\nsecond c2Vjb25k", []byte{7, 1})
	f.Add("\xff\xff\xff\xff", "////\n///\r////\r\n////", []byte{2})
	f.Fuzz(func(t *testing.T, values, text string, lens []byte) {
		if len(values) > 200 || len(text) > 2000 {
			return
		}
		m := New()
		var p patterns
		for value := range strings.SplitSeq(values, "\x1e") {
			if m.Add(value) == nil {
				more := patternsOf(strings.Trim(value, "\r\n"))
				p.plain, p.wrapped = append(p.plain, more.plain...), append(p.wrapped, more.wrapped...)
			}
		}
		want := byTheBook(p, text)
		if got := masked(m, text); got != want {
			t.Fatalf("%q in %q: %q, want %q", values, text, got, want)
		}
		var got []byte
		s := m.Stream(func(p []byte) { got = append(got, p...) })
		for _, piece := range inPieces(text, lens) {
			s.Write([]byte(piece))
			if held := string(s.held); held != "" && !mayGoOn(p, held) {
				t.Fatalf("%q is held back for %q", held, values)
			}
		}
		if s.Close(); string(got) != want {
			t.Fatalf("%q in pieces of %q: %q, want %q", values, text, got, want)
		}
	})
}
