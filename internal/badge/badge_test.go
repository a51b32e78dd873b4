package badge

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// ours are the elements that a badge is made of.
var ours = []string{"svg", "title", "style", "g", "path", "circle", "rect", "text"}

// A picture is what is in a badge.
type picture struct {
	width    int
	label    string // aria-label
	title    string
	texts    []string
	lengths  []float64
	elements []string
}

// read parses a badge as XML, and fails unless it is one.
func read(t *testing.T, svg []byte) (p picture) {
	t.Helper()
	if !utf8.Valid(svg) {
		t.Fatalf("not UTF-8: %q", svg)
	}
	attr := func(e xml.StartElement, name string) string {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	var text strings.Builder
	for decoder := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			p.elements = append(p.elements, e.Name.Local)
			text.Reset()
			switch e.Name.Local {
			case "svg":
				p.width, _ = strconv.Atoi(attr(e, "width"))
				p.label = attr(e, "aria-label")
				if attr(e, "role") != "img" {
					t.Error("not an image")
				}
			case "text":
				length, err := strconv.ParseFloat(attr(e, "textLength"), 64)
				if err != nil {
					t.Error(err)
				}
				p.lengths = append(p.lengths, length)
			}
		case xml.CharData:
			text.Write(e)
		case xml.EndElement:
			switch e.Name.Local {
			case "title":
				p.title = text.String()
			case "text":
				p.texts = append(p.texts, text.String())
			}
			text.Reset()
		case xml.Comment, xml.Directive, xml.ProcInst:
			t.Fatalf("%T in %s", token, svg)
		}
	}
}

func TestBadge_Says(t *testing.T) {
	t.Parallel()
	p := read(t, Badge{Label: "build", Parts: []Part{{"passed", "passed"}, {"running", "running"}}}.SVG())
	if !slices.Equal(p.texts, []string{"build", "passed", "running"}) || p.title != "build: passed, running" || p.label != p.title {
		t.Errorf("%+v", p)
	}
	p = read(t, Badge{Parts: []Part{{"passed", "passed"}}, Title: "acme/api on main: passed"}.SVG())
	if !slices.Equal(p.texts, []string{"passed"}) || p.title != "acme/api on main: passed" {
		t.Errorf("%+v", p)
	}
	if p := read(t, Badge{}.SVG()); p.width != 0 || p.texts != nil {
		t.Errorf("nothing: %+v", p)
	}
}

// TestBadge_Golden holds pictures to files, which docs/badges.md shows. UPDATE=1
// writes them anew: look at them.
func TestBadge_Golden(t *testing.T) {
	t.Parallel()
	pictures := map[string]Badge{
		"passed-running": {Label: "build", Parts: []Part{{"passed", "passed"}, {"running", "running"}}},
		"step":           {Label: "test/linux", Parts: []Part{{"failed", "failed"}}},
		"square":         {Label: "build", Parts: []Part{{"passed", "passed"}}, Style: FlatSquare},
		"unknown":        {Label: "build", Parts: []Part{{"unknown", Unknown}}},
		"style":          {Label: "build", Parts: []Part{{"unknown style", Unknown}}},
	}
	for status := range looks {
		pictures[status] = Badge{Label: "build", Parts: []Part{{status, status}}}
	}
	for name, picture := range pictures {
		path, got := "testdata/"+name+".svg", picture.SVG()
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs (UPDATE=1 writes it anew); got:\n%s", path, got)
		}
	}
}

// TestBadge_MovesOnlyWhatRuns: only a running part has a style, and that stops
// by itself.
func TestBadge_MovesOnlyWhatRuns(t *testing.T) {
	t.Parallel()
	for status := range looks {
		svg := string(Badge{Label: "x", Parts: []Part{{status, status}}}.SVG())
		if moves := strings.Contains(svg, "animation"); moves != (status == "running") {
			t.Errorf("%s moves: %v", status, moves)
		}
		if strings.Contains(svg, "infinite") || strings.Contains(svg, "animation") && !strings.Contains(svg, "prefers-reduced-motion:no-preference") {
			t.Errorf("%s: %s", status, svg)
		}
	}
}

// contrast is that of WCAG 2.2 between two colours.
func contrast(a, b string) float64 {
	luminance := func(colour string) float64 {
		n, _ := strconv.ParseUint(colour[1:], 16, 32)
		linear := func(byte uint64) float64 {
			c := float64(byte&0xff) / 255
			if c <= 0.04045 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestBadge_Contrast(t *testing.T) {
	t.Parallel()
	colours := []string{labelColour, LookOf(Unknown).Colour}
	seen := map[string]string{}
	for status, look := range looks {
		colours = append(colours, look.Colour)
		if look.mark == "" || seen[look.mark] != "" {
			t.Errorf("%s has no shape of its own", status)
		}
		seen[look.mark] = status
	}
	for _, colour := range colours {
		if c := contrast("#ffffff", colour); c < 4.5 {
			t.Errorf("white on %s: %.1f:1", colour, c)
		}
	}
}

func TestBadge_CutsWhatIsLong(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("long name ", 100), strings.Repeat("長", 500), strings.Repeat("👩‍👩‍👧‍👦", 200), strings.Repeat("W", 1e5), strings.Repeat("a\u0301", 5000)} {
		p := read(t, Badge{Label: text, Parts: []Part{{text, "passed"}, {text, ""}, {text, "lost"}, {text, "lost"}}}.SVG())
		if p.width > MaxWidth || len(p.texts) != 4 {
			t.Errorf("%.20q: %d px, %d texts", text, p.width, len(p.texts))
		}
		for i, shown := range p.texts {
			if !strings.HasSuffix(shown, "…") || strings.HasSuffix(shown, "\u200d…") || p.lengths[i] > mostText {
				t.Errorf("%.20q: %q, %f px", text, shown, p.lengths[i])
			}
		}
		if n := utf8.RuneCountInString(p.title); n > mostSays+1 {
			t.Errorf("%.20q: the title has %d characters", text, n)
		}
	}
	if text, _ := fit("exactly", func() int { _, w := fit("exactly", 1e6); return w }()); text != "exactly" {
		t.Errorf("what fits is cut: %s", text)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  two\n\twords ":       "two words",
		"a\x00b\x1b[31m":        "a\ufffdb\ufffd[31m",
		"\xff\xfeutf":           "\ufffd\ufffdutf",
		"\u202egnp.exe":         "\ufffdgnp.exe",
		"a\u2028b\ufffe\ufdd0":  "a b\ufffd\ufffd",
		"\U0001ffff<b>&amp;\"'": "\ufffd<b>&amp;\"'",
		"नमस्ते 👩🏽‍💻 שלום مرحبا": "नमस्ते 👩🏽‍💻 שלום مرحبا",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{ // emoji and letters by width
		"👩🏽‍💻": 1, "👨‍👩‍👧‍👦": 1, "🇩🇪🇫🇷": 2, "🇩🇪🇫": 2, "1️⃣": 1, "❤️": 1, "e\u0301": 1, "किं": 2, "日本": 2, "\u0301": 0, "a\u200db": 2,
	} {
		if got := clusters(text); len(got) != want {
			t.Errorf("%s: %d clusters, want %d", text, len(got), want)
		}
	}
	zalgo := "a" + strings.Repeat("\u0335", 1000)
	if text, _ := fit(zalgo, 1e6); utf8.RuneCountInString(text) > 1+mostMarks {
		t.Errorf("%d marks on one letter", utf8.RuneCountInString(text)-1)
	}
}

// FuzzSVG lets anything be a text: what comes out is well-formed, of our
// elements alone, and says the texts, as far as they fit.
func FuzzSVG(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s, s, "passed", "flat")
	}
	f.Add("build", "passed", "", "running", "flat-square")
	f.Fuzz(func(t *testing.T, label, text, title, status, style string) {
		p := read(t, Badge{Label: label, Parts: []Part{{text, status}}, Title: title, Style: Style(style)}.SVG())
		for _, element := range p.elements {
			if !slices.Contains(ours, element) {
				t.Fatalf("an element %s", element)
			}
		}
		if p.width > MaxWidth {
			t.Fatalf("%d px", p.width)
		}
		var want []string
		for _, s := range []string{label, text} {
			if shown, _ := fit(s, mostText*unitsPerEm/fontSize); shown != "" {
				want = append(want, shown)
				if !strings.HasPrefix(withoutMarks(clean(s)), withoutMarks(strings.TrimSuffix(shown, "…"))) {
					t.Fatalf("%q is shown as %q", s, shown)
				}
			}
		}
		if fmt.Sprint(p.texts) != fmt.Sprint(want) {
			t.Fatalf("%q, want %q", p.texts, want)
		}
		if p.label != p.title || clean(title) != "" && len(title) < mostSays && p.title != clean(title) {
			t.Fatalf("%q is called %q and %q", title, p.label, p.title)
		}
	})
}

// withoutMarks leaves what has a width, for a badge does not draw any number of
// marks.
func withoutMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if width(r) == 0 {
			return -1
		}
		return r
	}, s)
}

var hostile = []string{
	`"><script>alert(1)</script>`, `' onload='x`, `]]><svg onload=x>`, `--><!ENTITY x SYSTEM "file:///etc/passwd">`, `&xxe;&#0;&#x1;`,
	"\x00\x08\x1b[31m\r\n", "\xff\xc3\xed\xa0\x80", "\ufffe\uffff\U0001fffe", "\u202e\u2066abc", "</text></g></svg>", "</title></style>", "<![CDATA[", "%s%!d(MISSING)",
	"👩🏽‍💻🇩🇪1️⃣", strings.Repeat("\u0335", 50), strings.Repeat("﷽𒐫", 40),
}
