package plain

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/page/pagetest"
)

var (
	now   = time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)
	id, _ = ci.ParseBuildID("3b241101-e2bb-4255-8caf-4136c566a962")
	frame = Frame{Address: `/plain?project="><script>`, At: now, Account: "Sign in"}
)

func ptr[T any](v T) *T { return &v }

// rows is a log of numbered lines.
func rows(first, last int64) (rows []Row) {
	for n := first; n <= last; n++ {
		rows = append(rows, Row{Number: n, At: now, Text: fmt.Sprintf("line %d", n)})
	}
	return rows
}

const hostile = pagetest.Hostile

func TestPages_Hostile(t *testing.T) {
	t.Parallel()
	build := ci.Build{ID: id, Project: "acme/api", Number: 7, Status: ci.Failed, CreatedAt: now, StartedAt: &now}
	var ofBuild []string // each text is another, so that none is found for the sake of another
	for field, value := range reflect.ValueOf(&build).Elem().Fields() {
		if text, ok := value.Addr().Interface().(*ci.Text); ok {
			*text = ci.Text("javascript:alert(1)//" + hostile + field.Name)
			ofBuild = append(ofBuild, string(*text))
		}
	}
	step := ci.Step{Key: "a", Name: hostile, Status: ci.Failed, LogLines: 1, Annotations: ci.Annotations{Error: 1, Warning: 1}, Tests: ci.Tests{Failed: 1}}
	annotation := Note{Step: "a", Line: 1, Annotation: &ci.Annotation{Level: ci.LevelError, Message: hostile, Title: hostile, File: hostile, Line: 3}}
	test := Note{Step: "a", Line: 1, Test: &ci.Test{Suite: hostile, Name: hostile, Status: ci.Failed, Message: hostile}}
	for name, document := range map[string][]byte{
		"message": Message{frame, hostile, hostile, true, true, []Kind{{"/problems/x", hostile, hostile, 409}}}.HTML(),
		"builds":  Builds{Frame: frame, Filter: Filter{hostile, hostile, hostile, hostile}, Builds: []Listed{{build, []ci.Step{step}}}, Older: hostile}.HTML(),
		"build":   Build{frame, build, []ci.Step{step}, []Note{test}, []Note{annotation}, []Note{annotation}, &annotation, true}.HTML(),
		"log": Log{
			Frame: frame, Build: build, Step: step, First: 1, Rows: []Row{{Number: 1, At: now, Text: hostile, Cut: true}},
			Notes: []Note{{Step: "a", Line: 1, Group: &Group{Name: hostile, Level: 1}}, annotation, test},
		}.HTML(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wanted := []string{page.Visible(hostile)}
			switch name {
			case "message": // the server's own words
				wanted[0] = hostile
			case "build":
				for _, text := range ofBuild {
					wanted = append(wanted, page.Visible(text))
				}
			}
			all := pagetest.Parse(t, document)
			for _, text := range wanted {
				if !strings.Contains(all[0].Text, text) {
					t.Errorf("%q is not shown as it is:\n%s", text, document)
				}
			}
		})
	}
}

// TestPages_ControlCharacters are for people who read them with curl: what a runner says
// does nothing to a terminal.
func TestPages_ControlCharacters(t *testing.T) {
	t.Parallel()
	const said = "a\x1b[2J\x9c\u009b31m\u202e\x07b\x7f"
	build := ci.Build{ID: id, Project: "acme/api", Number: 7, Title: said, Status: ci.Failed, CreatedAt: now, StartedAt: &now}
	step := ci.Step{Key: "a", Name: said, Status: ci.Failed, LogLines: 1}
	annotation := Note{Step: "a", Line: 1, Annotation: &ci.Annotation{Level: ci.LevelError, Message: "of two\n" + said, Title: said, File: said}}
	test := Note{Step: "a", Line: 1, Test: &ci.Test{Suite: said, Name: said, Status: ci.Failed, Message: said}}
	for name, page := range map[string][]byte{
		"builds": Builds{Frame: frame, Builds: []Listed{{build, []ci.Step{step}}}}.HTML(),
		"build":  Build{frame, build, []ci.Step{step}, []Note{test}, []Note{annotation}, []Note{annotation}, &annotation, true}.HTML(),
		"log":    Log{Frame: frame, Build: build, Step: step, First: 1, Rows: []Row{{Number: 1, At: now}}, Notes: []Note{annotation, test}}.HTML(),
	} {
		if i := strings.IndexFunc(string(page), func(r rune) bool { return r != '\n' && r != '\t' && (unicode.IsControl(r) || ci.TurnsText(r)) }); i >= 0 {
			t.Errorf("%s has %q", name, page[max(0, i-40):min(len(page), i+20)])
		}
		if !strings.Contains(string(page), `a^[[2J`) || !strings.Contains(string(page), `\u009b31m\u202e^Gb^?`) {
			t.Errorf("%s does not show what was said:\n%s", name, page)
		}
	}
}

func TestBuild_SaysWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	build := ci.Build{ID: id, Project: "acme/api", Number: 12, Status: ci.Failed, CreatedAt: now, URL: "https://example.org/1"}
	first := Note{Step: "test/linux", Line: 2345, Annotation: &ci.Annotation{Level: ci.LevelError, Message: "undefined: foo", File: "main.go", Line: 12, Column: 3}}
	page := Build{
		Frame: Frame{Address: BuildPath(id), At: now}, Build: build,
		Steps: []ci.Step{
			{Key: "lint", Status: ci.Passed, ExitCode: ptr(0), StartedAt: &now, FinishedAt: ptr(now.Add(247 * time.Second)), LogLines: 1200},
			{Key: "test/linux", Status: ci.Failed, ExitCode: ptr(2), LogLines: 3000, Annotations: ci.Annotations{Error: 150}, Tests: ci.Tests{Passed: 40, Failed: 2, Skipped: 1}},
			{Key: "deploy", Status: ci.Skipped},
		},
		Failed: []Note{{Step: "test/linux", Test: &ci.Test{Suite: "parser", Name: "nested", Status: ci.Failed}}},
		Errors: []Note{first}, First: &first,
	}
	all := pagetest.Parse(t, page.HTML())
	if got, want := pagetest.Texts(all, "title")[0], "✗ failed: acme/api #12 · Stepcast"; got != want {
		t.Errorf("the title is %q, want %q", got, want)
	}
	line := StepPath(id, "test/linux") + "?line=2345"
	for text, want := range map[string]string{
		"First error: test/linux, line 2,345": line,
		"test/linux, line 2,345":              line,
		"parser nested":                       StepPath(id, "test/linux"),
		"lint":                                StepPath(id, "lint"),
		"https://example.org/1":               "https://example.org/1",
		"Load again":                          BuildPath(id),
	} {
		if got := pagetest.Linked(all, text); got != want {
			t.Errorf("%q leads to %q, want %q", text, got, want)
		}
	}
	if got, want := pagetest.Texts(all, "h3"), []string{"2 failed tests", "150 errors"}; !slices.Equal(got, want) {
		t.Errorf("the headings are %q, want %q", got, want)
	}
	if !strings.Contains(all[0].Text, "These are the first 1.") {
		t.Error("it is not said that the list is cut")
	}
	if got, want := pagetest.Texts(all, "tr")[1:], []string{
		"lint ✓ passed 0 22 Nov 2026, 10:00:00 UTC 4 min 7 s 1,200 none none",
		"test/linux ✗ failed 2 not started none 3,000 2 of 43 failed, 1 skipped 150 errors",
		"deploy – skipped none not started none 0 none none",
	}; !slices.Equal(got, want) {
		t.Errorf("the rows are %q, want %q", got, want)
	}
	for _, th := range pagetest.Named(all, "th") {
		if th.Attr["scope"] == "" {
			t.Errorf("the header %q has no scope", th.Text)
		}
	}
	// Without an error that was understood, the end of the log is the place.
	page.First, page.Errors, page.Failed = nil, nil, nil
	if got := pagetest.Linked(pagetest.Parse(t, page.HTML()), "The end of the log of test/linux"); got != StepPath(id, "test/linux")+"?line=3000" {
		t.Errorf("the end of the log is at %q", got)
	}
}

// outline is what a page of a log says besides its lines, which it has as
// ranges of numbers.
func outline(l Log) (said []string) {
	for _, b := range l.Blocks() {
		switch {
		case b.Heading != nil:
			text := fmt.Sprintf("h%d %s", b.Heading.Level, b.Heading.Name)
			if b.Heading.Continued {
				text += " continued"
			}
			if b.Heading.Facts != "" {
				text += " (" + b.Heading.Facts + ")"
			}
			said = append(said, text)
		case b.End != "":
			said = append(said, "end "+b.End)
		case b.Hole > 0:
			said = append(said, fmt.Sprintf("%d bytes%s", b.Hole, b.Cut))
		default:
			said = append(said, fmt.Sprintf("%d-%d", b.Lines[0].Number, b.Lines[len(b.Lines)-1].Number))
		}
	}
	return said
}

func group(line int64, name string, level int, last int64) Note {
	g := &Group{Name: name, Level: level}
	if last >= 0 {
		g.Last, g.Duration = &last, ptr(1.5)
	}
	return Note{Line: line, Group: g}
}

func TestLog_Headings(t *testing.T) {
	t.Parallel()
	notes := []Note{
		group(2, "A", 1, 9), group(4, "B", 2, 6), group(4, "C", 3, 5), group(8, "empty", 2, 7), group(12, "D", 1, -1), group(20, "E", 9, -1),
		group(28, "F", 1, -1), group(30, "G", 1, -1),
	}
	for _, c := range []struct {
		first, last int64
		want        string
	}{
		{1, 20, "1-1|h3 A (8 lines, 1.5 s)|2-3|h4 B (3 lines, 1.5 s)|h5 C (2 lines, 1.5 s)|4-5|end C|6-6|end B|7-7|h4 empty (0 lines, 1.5 s)|end empty|8-9|end A|10-11|h3 D|12-19|h6 E|20-20"},
		{5, 6, "h3 A continued (8 lines, 1.5 s)|h4 B continued (3 lines, 1.5 s)|h5 C continued (2 lines, 1.5 s)|5-5|end C|6-6"},
		{10, 13, "10-11|h3 D|12-13"},
		{15, 19, "h3 D continued|15-19"},
		{21, 27, "h3 D continued|h6 E continued|21-27"},
		{26, 30, "h3 D continued|h6 E continued|26-27|h3 F|28-29|h3 G|30-30"},
		{29, 30, "h3 F continued|29-29|h3 G|30-30"},
	} {
		got := strings.Join(outline(Log{First: c.first, Rows: rows(c.first, c.last), Notes: notes, Step: ci.Step{LogLines: 30}}), "|")
		if got != c.want {
			t.Errorf("lines %d to %d:\n%s, want\n%s", c.first, c.last, got, c.want)
		}
	}
	// What began behind the last line is on the last page.
	if got := strings.Join(outline(Log{First: 1, Rows: rows(1, 2), Notes: []Note{group(3, "F", 1, -1)}, Step: ci.Step{LogLines: 2}}), "|"); got != "1-2|h3 F" {
		t.Error(got)
	}
}

// TestLog_AnyGroups: whatever a runner reports, each line is there once.
func TestLog_AnyGroups(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		var notes []Note
		for range r.IntN(12) {
			notes = append(notes, group(r.Int64N(14), "g", r.IntN(18), r.Int64N(16)-1))
		}
		var got []int64
		l := Log{Frame: frame, First: 3, Rows: rows(3, 12), Notes: notes, Step: ci.Step{Key: "a", LogLines: 12}, Build: ci.Build{ID: id}}
		for _, b := range l.Blocks() {
			for _, line := range b.Lines {
				got = append(got, line.Number)
			}
		}
		if !slices.Equal(got, []int64{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) {
			t.Fatalf("seed %d: %v", seed, got)
		}
		pagetest.Parse(t, l.HTML())
	}
}

func TestLog_MarksLinesInWords(t *testing.T) {
	t.Parallel()
	l := Log{
		Frame: frame, Build: ci.Build{ID: id, Project: "p", Number: 1}, Step: ci.Step{Key: "a", Status: ci.Running, LogLines: 4}, First: 1,
		Rows: []Row{
			{Number: 1, At: now, Text: "main.go:12:3: undefined: foo"},
			{Number: 2, At: now, Text: "tw"}, {Hole: 4096, Number: 2}, {Number: 2, At: now, Text: "o", Rest: true},
			{Number: 3, At: now}, {Number: 4, At: now, Text: "long", Cut: true},
		},
		Notes: []Note{
			{Line: 1, Annotation: &ci.Annotation{Level: ci.LevelError, Message: "undefined: foo", File: "main.go", Line: 12, Column: 3}},
			{Line: 3, Annotation: &ci.Annotation{Level: ci.LevelWarning, Message: "old", Title: "Deprecated", File: "util.go"}},
			{Line: 3, Test: &ci.Test{Name: "TestX", Status: ci.Failed}},
		},
	}
	all := pagetest.Parse(t, l.HTML())
	if got, want := pagetest.Texts(all, "li")[6:], []string{
		"✗ error: main.go:12:3: undefined: foo", "tw", "o", "▲ warning: ✗ failed test: Deprecated old util.go TestX", "long Line 4 is longer: all of it",
	}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := pagetest.Linked(all, "Line 4 is longer: all of it"); got != l.Raw(4) || !strings.HasSuffix(got, "/steps/a/log?lines=4") {
		t.Errorf("the whole line is at %q", got)
	}
	if !strings.Contains(all[0].Text, "4,096 bytes of the log are missing here") {
		t.Error("the hole is not said")
	}
	var starts, ids []string
	for _, e := range all {
		if e.Name == "ol" && e.Attr["start"] != "" {
			starts = append(starts, e.Attr["start"])
		}
		if strings.HasPrefix(e.Attr["id"], "L") {
			ids = append(ids, e.Attr["id"])
		}
	}
	if got := strings.Join(starts, " ") + "; " + strings.Join(ids, " "); got != "1 2; L1 L2 L3 L4" {
		t.Error(got)
	}
	if got := len(pagetest.Named(all, "time")); got != 1 { // the page's own
		t.Errorf("%d times though nobody asked", got)
	}
	l.Times = true
	if times := pagetest.Named(pagetest.Parse(t, l.HTML()), "time"); len(times) != 6 || times[0].Attr["datetime"] != "2026-11-22T10:00:00.123456Z" {
		t.Errorf("%d times", len(times))
	}
}

func TestLog_Pages(t *testing.T) {
	t.Parallel()
	at := StepPath(id, "a/b")
	for _, c := range []struct {
		first, last, lines int64
		previous, next     string
		title              string
	}{
		{1, 0, 0, "", "", "● running: a/b, p #1"},
		{1, 1000, 1000, "", "", "● running: a/b, p #1"},
		{1, 1000, 1001, "", at + "?from=1001", "● running: a/b, p #1, lines 1 to 1,000"},
		{1001, 1001, 1001, at + "?from=1", "", "● running: a/b, p #1, lines 1,001 to 1,001"},
		{500, 501, 4000, at + "?from=1", at + "?from=502", "● running: a/b, p #1, lines 500 to 501"},
	} {
		l := Log{Frame: frame, Build: ci.Build{ID: id, Project: "p", Number: 1}, Step: ci.Step{Key: "a/b", Status: ci.Running, LogLines: c.lines}, First: c.first, Rows: rows(c.first, c.last)}
		if l.Previous() != c.previous || l.Next() != c.next || l.Title() != c.title {
			t.Errorf("%d to %d of %d: %q, %q, %q", c.first, c.last, c.lines, l.Previous(), l.Next(), l.Title())
		}
		pagetest.Parse(t, l.HTML())
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", maxLine)
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"\n", []string{""}},
		{"one\ntwo", []string{"one", "two"}},
		{"one\r\ntwo\r\n", []string{"one", "two"}},
		{"10%\r20%\r100%\n", []string{"100%"}},
		{"10%\r20%\r", []string{"20%"}},
		{"done\r    \n", []string{"done"}},
		{"\r\r\n \n", []string{"", " "}},
		{"first\rsecond\nthird\n", []string{"second", "third"}},
		{"a\tb\x00\x07\x7f\u0085\xff\u202ex", []string{`a	b^@^G^?\u0085` + "\ufffd" + `\u202ex`}},
		{long + "\n" + long + "ü\n", []string{long, long}},
	} {
		whole := NewLines(1, 0)
		whole.Text(now, []byte(c.text))
		pieces := NewLines(1, 0)
		for i := range len(c.text) {
			pieces.Text(now, []byte(c.text[i:i+1]))
		}
		for _, l := range []*Lines{whole, pieces} {
			var got []string
			for i, row := range l.Rows() {
				if got = append(got, row.Text); row.Number != int64(i+1) {
					t.Errorf("%.60q: row %d has the number %d", c.text, i, row.Number)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%.60q: %.60q, want %.60q", c.text, got, c.want)
			}
		}
	}
	l := NewLines(1, 0)
	l.Text(now, []byte(long+"\n"+long+"ü\n"))
	if rows := l.Rows(); rows[0].Cut || !rows[1].Cut {
		t.Error("only the line that is longer is cut")
	}
}

func TestLines_HolesAndBounds(t *testing.T) {
	t.Parallel()
	show := func(l *Lines) (s string) {
		for _, r := range l.Rows() {
			switch {
			case r.Hole > 0:
				s += fmt.Sprintf("[%d]", r.Hole)
			default:
				s += fmt.Sprintf("(%d %s", r.Number, r.Text)
				if r.Rest {
					s += " rest"
				}
				if r.Cut {
					s += " cut"
				}
				s += ")"
			}
		}
		return s
	}
	l := NewLines(5, 7)
	l.Hole(1, ci.Quota{})
	l.Hole(2, ci.Quota{})
	l.Text(now, []byte("tw"))
	l.Hole(4, ci.Quota{})
	l.Text(now, []byte("o\nthree\nfour\nfive\n"))
	l.Hole(8, ci.Quota{})
	if got, want := show(l), "[3](5 tw)[4](5 o rest)(6 three)(7 four)"; got != want || !l.Full() {
		t.Errorf("%s, want %s", got, want)
	}
	l = NewLines(1, 0)
	l.Hole(1, ci.Quota{})
	l.Hole(2, ci.Quota{Of: ci.OfBuild, Bytes: 100}) // the log is cut here,
	l.Hole(4, ci.Quota{Of: ci.OfBuild, Bytes: 100}) // and this is what else came
	if got, want := show(l), "[1][6]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	l = NewLines(5, 0)
	l.Text(now, []byte("a\nbc"))
	l.Stop()
	l.Text(now, []byte("d\ne\n"))
	if got, want := show(l), "(5 a)(6 bc cut)"; got != want || !l.Full() {
		t.Errorf("%s, want %s", got, want)
	}
	l = NewLines(5, 0)
	l.Text(now, []byte("a\n"))
	l.Stop()
	if got, want := show(l), "(5 a)"; got != want || !l.Full() {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTook(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{
		-1: "0 ms", 0: "0 ms", 0.84: "840 ms", 12.34: "12.3 s", 247: "4 min 7 s", 7500: "2 h 5 min", 273600: "3 d 4 h", 1e300: "11574 d 1 h",
	} {
		if got := took(seconds); got != want {
			t.Errorf("%v s: %q, want %q", seconds, got, want)
		}
	}
}
