package search

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/stepcast/stepcast/internal/ansi"
)

// hole stands for one in the texts of tests.
const hole = "\x00hole\x00"

// find searches a text of pieces.
func find(t interface{ Fatal(...any) }, query string, o Options, pieces ...string) (matches []string) {
	p, err := Compile(query, o)
	if err != nil {
		t.Fatal(err)
	}
	m := p.NewMatcher(Place{Line: 1}, false, func(h Hit) { matches = append(matches, describe(h)) })
	write(m, pieces)
	m.End()
	return matches
}

func write(m *Matcher, pieces []string) {
	for _, piece := range pieces {
		for i, text := range strings.Split(piece, hole) {
			if i > 0 {
				m.Hole()
			}
			m.Write([]byte(text))
		}
	}
}

func describe(h Hit) string {
	m := h.Match()
	return fmt.Sprintf("%d.%d %d%v%s", h.Line, h.Piece, m.At, m.Ranges, m.Text)
}

// naive finds what find should, each line by itself.
func naive(query string, o Options, text string, from Place) (matches []string) {
	if !o.Regexp {
		query = regexp.QuoteMeta(query)
	}
	if !o.Case {
		query = "(?i)" + query
	}
	re := regexp.MustCompile(query)
	place := Place{Line: 1}
	for rest := text; rest != ""; {
		i, isHole := strings.Index(rest, "\n"), false
		if h := strings.Index(rest, hole); h >= 0 && (i < 0 || h < i) {
			i, isHole = h, true
		}
		line, here := rest, place
		switch {
		case isHole:
			line, rest = rest[:i], rest[i+len(hole):]
			place.Piece++
			if line == "" {
				continue
			}
		case i >= 0:
			line, rest = rest[:i], rest[i+1:]
			place = Place{Line: place.Line + 1}
		default:
			rest = ""
		}
		line = strings.TrimSuffix(string(new(ansi.Stripper).Append(nil, []byte(line))), "\r")
		if here.Before(from) || !re.MatchString(line) {
			continue
		}
		ranges := [][2]int64{}
		units := func(at int) int64 { return int64(len(utf16.Encode([]rune(line[:at])))) }
		for _, r := range re.FindAllStringIndex(line, -1) {
			if r[0] < r[1] && len(ranges) < MaxRanges {
				ranges = append(ranges, [2]int64{units(r[0]), units(r[1])})
			}
		}
		matches = append(matches, fmt.Sprintf("%d.%d 0%v%s", here.Line, here.Piece, ranges, line))
	}
	return matches
}

var (
	words = rapid.SampledFrom([]string{
		"a", "B", "ab", "Error", "error", " ", "7", "k", "K", "\u212a", "s", "ſ", "ß", "ẞ", "straße", "Ω", "\u2126", "ω", "Ⱥ", "ⱥ", "ü", "Ü", "€", "😀", "я", "Я",
		"\n", "\n", "\r\n", "\r", "\x1b[31m", "\x1b[0m", "\x1b]0;error ✓\a", "\x1b[", "\x1b", hole,
	})
	literals    = rapid.SampledFrom([]string{"a", "ab", "error", "ERROR", "k", "sk", "SS", "ß", "straße", "Ω", "ⱥ", "aⱥ", "ü", "я7", "😀", "\r", "b \u212a", "7"})
	expressions = rapid.SampledFrom([]string{
		"a", "err(or)?", "error.*7", "^a", "a$", "^$", "$", "", "a*", "(a|b)+k", `\bk\b`, `\Aa`, `7\z`, "(?m)^a$", "(?s)a.b", `a\sb`, `[^x]7`, `(?-i)Error`, `\x0a`, `a\nb`, `(?i:k)S`,
		"é|ü", "[a-z]{3}", "(a)(b)", "a(?:b|)", `\W$`, "x*", `ß`, `[\n]`, `s?ss`, `\pL+7`, "(ab){2}", "(k){0}a", "error|7", `.`, "(error|ab|straße)", `(?-i)Error|ß`, `(?i:K|sk)7?`,
	})
)

// drawQuery draws a pattern, and whether it is one.
func drawQuery(t *rapid.T) (string, Options) {
	o := Options{Regexp: rapid.Bool().Draw(t, "regexp"), Case: rapid.Bool().Draw(t, "case")}
	if o.Regexp {
		return expressions.Draw(t, "query"), o
	}
	return literals.Draw(t, "query"), o
}

// cut cuts a text into pieces between characters, though not in a hole.
func cut(t *rapid.T, parts []string) (pieces []string) {
	for _, part := range parts {
		if part != hole && rapid.Bool().Draw(t, "cut") {
			for _, r := range part {
				pieces = append(pieces, string(r))
			}
			continue
		}
		if n := len(pieces); n > 0 && rapid.Bool().Draw(t, "join") {
			pieces[n-1] += part
		} else {
			pieces = append(pieces, part)
		}
	}
	return pieces
}

// TestMatcher_AsLineByLine holds the search to what a plain one finds, however
// the text is cut and whatever the size of blocks.
func TestMatcher_AsLineByLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		query, o := drawQuery(t)
		parts := rapid.SliceOfN(words, 0, 60).Draw(t, "parts")
		text := strings.Join(parts, "")
		from := Place{Line: 1, Piece: rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "from")}
		p, err := Compile(query, o)
		if err != nil {
			t.Fatal(err)
		}
		got := []string(nil)
		m := p.NewMatcher(from, false, func(h Hit) { got = append(got, describe(h)) })
		m.bounds.block = rapid.IntRange(1, 100).Draw(t, "block")
		write(m, cut(t, parts))
		m.End()
		if want := naive(query, o, text, from); !slices.Equal(got, want) {
			t.Fatalf("%q %+v in %q:\n%q, want\n%q", query, o, text, got, want)
		}
	})
}

// TestMatcher_Renewed searches a text while it grows: what is told is what
// matches now and did not when it was searched before. Of literal text, that is
// each line once.
func TestMatcher_Renewed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		query, o := drawQuery(t)
		parts := rapid.SliceOfN(words, 0, 60).Draw(t, "parts")
		p, err := Compile(query, o)
		if err != nil {
			t.Fatal(err)
		}
		places := func(end int) (places []Place) {
			for _, match := range naive(query, o, strings.Join(parts[:end], ""), Place{}) {
				var at Place
				fmt.Sscanf(match, "%d.%d", &at.Line, &at.Piece)
				places = append(places, at)
			}
			return places
		}
		for searched := 0; searched < len(parts); {
			end := rapid.IntRange(searched+1, len(parts)).Draw(t, "end")
			var told []Place
			m := p.NewMatcher(Place{Line: 1}, true, func(h Hit) { told = append(told, h.Place) })
			write(m, parts[:searched])
			m.Renew()
			write(m, parts[searched:end])
			m.End()
			before, want := places(searched), places(end)
			if !o.Regexp {
				for _, place := range before {
					if !slices.Contains(want, place) {
						t.Fatalf("%q in %q: %v matched after %d parts, but not after %d", query, parts, place, searched, end)
					}
				}
			}
			want = slices.DeleteFunc(want, func(place Place) bool { return slices.Contains(before, place) })
			if !slices.Equal(told, want) {
				t.Fatalf("%q %+v in %q, %d to %d: told %v, want %v", query, o, parts, searched, end, told, want)
			}
			searched = end
		}
	})
}

// TestMatcher_Windows looks at long lines a window at a time: lines match that
// match as a whole, when no match is longer than the overlap.
func TestMatcher_Windows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		query, o := drawQuery(t)
		if o.Regexp { // of these, matches are short, and \b asks for no more than there is
			query = rapid.SampledFrom([]string{"a", "err(or)?", "^a", "a$", "^7$", "[a-z]{3}", "(a)(b)", `\x0a`, "k$|^ß", "ü.я"}).Draw(t, "query")
		}
		parts := rapid.SliceOfN(words, 0, 200).Draw(t, "parts")
		p, err := Compile(query, o)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		m := p.NewMatcher(Place{Line: 1}, false, func(h Hit) { got = append(got, fmt.Sprint(h.Line, ".", h.Piece)) })
		m.bounds = bounds{block: 1, window: 64, overlap: 32}
		write(m, cut(t, parts))
		m.End()
		var want []string
		for _, match := range naive(query, o, strings.Join(parts, ""), Place{}) {
			place, _, _ := strings.Cut(match, " ")
			want = append(want, place)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q %+v in %q:\n%q, want\n%q", query, o, parts, got, want)
		}
	})
}

func TestMatcher_Finds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 800)
	for _, c := range []struct {
		query string
		o     Options
		text  string
		want  []string
	}{
		{"two words", Options{}, "one\ntwo \x1b[1;31mWORDS\x1b[0m here\n", []string{"2.0 0[[0 9]]two WORDS here"}},
		{"two words", Options{Case: true}, "two WORDS\ntwo words", []string{"2.0 0[[0 9]]two words"}},
		{"d$", Options{Regexp: true}, "ended\r\nunended\r", []string{"1.0 0[[4 5]]ended", "2.0 0[[6 7]]unended"}},
		{"😀b", Options{}, "a😀B😀b\n", []string{"1.0 0[[1 4] [4 7]]a😀B😀b"}},
		{"two", Options{}, "one\ntw" + hole + "o two\n", []string{"2.1 0[[2 5]]o two"}},
		{"a\nb", Options{}, "a\nb\n", nil},
		{"", Options{Regexp: true}, "a\n\n", []string{"1.0 0[]a", "2.0 0[]"}},
		{"needle", Options{}, long + "needle" + long + "\n", []string{"1.0 700[[800 806]]" + long[:100] + "needle" + long[:394]}},
		{"needle", Options{}, long + "needle\n", []string{"1.0 306[[800 806]]" + long[:494] + "needle"}},
		{"a", Options{}, strings.Repeat("😀", 300) + "a", []string{"1.0 102[[600 601]]" + strings.Repeat("😀", 249) + "a"}},
		{"İx", Options{}, "ix\n", nil},
		{"İx", Options{}, "ix\nİX\n", []string{"2.0 0[[0 2]]İX"}},
		{"\u212a", Options{}, "k\nK\n\u212a\n", []string{"1.0 0[[0 1]]k", "2.0 0[[0 1]]K", "3.0 0[[0 1]]\u212a"}},
	} {
		if got := find(t, c.query, c.o, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.query, got, c.want)
		}
	}
	many := find(t, "a", Options{}, strings.Repeat("a ", 200))
	if len(many) != 1 || strings.Count(many[0], "[") != MaxRanges+1 {
		t.Errorf("%q", many)
	}
}

// TestMatcher_LongLine finds things in a line that is longer than what is held
// of it.
func TestMatcher_LongLine(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"needle", "^x", "needle.*y$", "z$"} {
		p, err := Compile(query, Options{Regexp: true})
		if err != nil {
			t.Fatal(err)
		}
		hits := ""
		m := p.NewMatcher(Place{Line: 1}, false, func(h Hit) { hits += fmt.Sprint(h.Line, " ", h.Match().Ranges) })
		fill := []byte(strings.Repeat("x", 50_000))
		for range 400 { // 20 MB
			m.Write(fill)
		}
		m.Write([]byte("Needle yy"))
		if cap(m.buf) > 4*windowSize || cap(m.lower) > 4*windowSize {
			t.Errorf("%d and %d bytes are held", cap(m.buf), cap(m.lower))
		}
		m.Write([]byte("\n\n\n"))
		m.End()
		want := map[string]string{"needle": "1 [[20000000 20000006]]", "^x": "1 [[0 1]]", "needle.*y$": "1 [[20000000 20000009]]"}[query]
		if hits != want {
			t.Errorf("%s: %s, want %s", query, hits, want)
		}
	}
}

// TestMatch_LongLine looks for matches of which each takes a look at the whole
// line: not for all of them.
func TestMatch_LongLine(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("a", 300_000) + "\n"
	if got := find(t, "a.*b{500}|a", Options{Regexp: true}, line); len(got) != 1 || !strings.HasPrefix(got[0], "1.0 0[[0 1]]") {
		t.Errorf("%.100q", got)
	}
	if got := find(t, "a", Options{}, line); len(got) != 1 || strings.Count(got[0], "[") != MaxRanges+1 {
		t.Errorf("%.100q", got)
	}
}

func TestMatcher_Place(t *testing.T) {
	t.Parallel()
	p, err := Compile("x", Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := p.NewMatcher(Place{Line: 3, Piece: 1}, false, func(Hit) {})
	for _, c := range []struct {
		text string
		want Place
	}{{"", Place{3, 1}}, {"a" + hole, Place{3, 1}}, {"b", Place{3, 1}}, {hole, Place{3, 2}}, {"c\nd\ne", Place{5, 0}}, {"\n", Place{6, 0}}} {
		write(m, []string{c.text})
		if got := m.Place(); got != c.want {
			t.Errorf("after %q: %v, want %v", c.text, got, c.want)
		}
	}
}

func TestCompile_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"a**":                               `at character 2, “**”: a repetition cannot`,
		"*a":                                `at character 1, “*”: there is nothing before it`,
		"ü(b":                               `at character 2, “(b”: this parenthesis is never closed`,
		`\((a(b)[)]`:                        `at character 3, “(a(b)[)]”: this parenthesis is never closed`,
		`(a))`:                              `at character 4, “)”: this parenthesis was never opened`,
		`[(]\Q(\E)`:                         `at character 9, “)”: this parenthesis was never opened`,
		"a[bc":                              `at character 2, “[bc”: this bracket is never closed`,
		"[z-a]":                             `at character 2, “z-a”: this is no range`,
		`\\q\q`:                             `at character 4, “\q”: this escape has no meaning`,
		`a\`:                                `at character 2, “\”: nothing comes after`,
		"(?=a)":                             `at character 1, “(?=”: this kind of group is not known`,
		"a(?P<n":                            `at character 2, “(?P<n”: a group is named as in`,
		"a{3,2}":                            `at character 2, “{3,2}”: this repeats too often`,
		"x{1001}":                           `at character 2, “{1001}”: this repeats`,
		"(.{90}){10}(.{90}){10}(.{90}){10}": `cannot be used: it is too large`,
		`[[:none:]]`:                        `at character 2, “[:none:]”: this is no range`,
		`\pX`:                               `at character 1, “\pX”: this is no range`,
		strings.Repeat("(", 30):             `at character 30, “(”: this parenthesis`,
	} {
		_, err := Compile(query, Options{Regexp: true})
		var e *SyntaxError
		if !errors.As(err, &e) || !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
}

// FuzzCompile looks for patterns at which it panics or that mean something
// else than to package regexp.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"err(or)?: .*line \\d+7\\b", "(", "[[:alpha:]", "a{2}{3}", "\\Q(\\E)", "(?i)ß|\\pL", "^(?:$|\\A)*", "(?sm:.^)+?"} {
		f.Add(s, "Error: x line 77\n", true, false)
	}
	f.Fuzz(func(t *testing.T, query, text string, isRegexp, exact bool) {
		o := Options{Regexp: isRegexp, Case: exact}
		if strings.Contains(query, "\n") || len(query) > MaxPattern || query == "" && !isRegexp {
			return
		}
		p, err := Compile(query, o)
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || !strings.HasSuffix(e.Error(), ".") {
				t.Fatal(err)
			}
			if _, err := syntax.Parse(query, syntax.Perl); err == nil && e.Why != tooLarge {
				t.Fatalf("%q: %v", query, e)
			}
			return
		}
		text = strings.ToValidUTF8(text, "\uFFFD")
		var got []string
		m := p.NewMatcher(Place{Line: 1}, false, func(h Hit) { got = append(got, describe(h)) })
		m.Write([]byte(text))
		m.End()
		if len(text) > MaxExcerpt || strings.Contains(text, hole) || strings.Contains(text, "\x1b") {
			return
		}
		if want := naive(query, o, text, Place{}); !slices.Equal(got, want) {
			t.Fatalf("%q %+v in %q: %q, want %q", query, o, text, got, want)
		}
	})
}
