package outline

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/stepcast/stepcast/internal/ci"
)

func showTests(tests []ci.Test) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, t := range tests {
		if err := e.Encode(t); err != nil {
			panic(err)
		}
	}
	return b.String()
}

// checkTests holds tests to the bounds of notes.
func checkTests(t failer, tests []ci.Test) {
	t.Helper()
	var notes []ci.NoteUpdate
	p := New(Options{}, func(u ci.NoteUpdate) { notes = append(notes, u) })
	p.Add(tests, noon)
	p.Close(noon, true)
	for i, u := range notes {
		if u.Note.Test == nil || *u.Note.Test != tests[i] {
			t.Fatalf("%+v was changed to keep the bounds: %+v", tests[i], u.Note.Test)
		}
	}
	check(t, notes)
}

func TestTests_UnderstandsReports(t *testing.T) {
	t.Parallel()
	for path, report := range fixtures(t, "testdata/reports/*") {
		if strings.HasSuffix(path, ".golden") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			tests, err := Tests(path, strings.NewReader(string(report)))
			if err != nil {
				t.Fatal(err)
			}
			checkTests(t, tests)
			golden(t, path, showTests(tests))
			slow, err := Tests(path, iotest.OneByteReader(strings.NewReader(string(report))))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tests, slow); diff != "" {
				t.Errorf("byte by byte (-whole +bytes):\n%s", diff)
			}
		})
	}
}

func TestTests_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, content, want string }{
		{"nothing", "", "r is empty; give a file of JUnit XML, TAP, or the output of go test -json"},
		{"blanks", " \n\n", "r is empty; give a file of JUnit XML, TAP, or the output of go test -json"},
		{"prose", "all tests passed\n", "r is neither JUnit XML nor TAP nor the output of go test -json"},
		{"another XML", "<html><body/></html>", `r: read the JUnit report: its root is "html", not testsuites or testsuite`},
		{"another JSON", `{"tests": []}`, "r: read the output of go test -json: it has no event of a test"},
		{"TAP without a point", "TAP version 14\n# nothing\n", "r: read the TAP report: it has no line that begins with ok or not ok"},
		{"a document type", `<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>`, "r: read the JUnit report: it has a document type declaration, which a report of tests has no use for"},
		{"UTF-16", `<?xml version="1.0" encoding="UTF-16"?><testsuite/>`, `r: read the JUnit report: xml: opening charset "UTF-16": its encoding is "UTF-16"; write it in UTF-8`},
		{"only comments", "<!-- <testsuite/> -->", "r: read the JUnit report: it has no testsuite"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if tests, err := Tests("r", strings.NewReader(c.content)); err == nil || err.Error() != c.want || len(tests) > 0 {
				t.Errorf("%v, %v, want %s", tests, err, c.want)
			}
		})
	}
	broken := errors.New("the disk is gone")
	if _, err := Tests("r", iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func TestJUnit_KeepsWhatCameBeforeItBroke(t *testing.T) {
	t.Parallel()
	tests, err := JUnit(strings.NewReader(`<testsuite name="s"><testcase name="a"/><testcase name="b"><failure`))
	if want := []ci.Test{{Suite: "s", Name: "a", Status: ci.Passed}}; err == nil || !cmp.Equal(tests, want) {
		t.Errorf("%v, %v", tests, err)
	}
}

// repeated is a reader of one text again and again, between two others.
func repeated(before, text string, n int64, after string) io.Reader {
	return io.MultiReader(strings.NewReader(before), io.LimitReader(&endless{text: text}, int64(len(text))*n), strings.NewReader(after))
}

type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

// TestJUnit_Hostile sends reports that would fill the memory of a parser that
// keeps what it reads.
func TestJUnit_Hostile(t *testing.T) {
	for _, c := range []struct {
		name  string
		in    io.Reader
		tests int
		fails string // what the error holds
	}{
		{"deep", repeated("<testsuite>", "<a>", 2e5, ""), 0, "nested more than 100 deep"},
		{"deep suites", repeated("", `<testsuite name="s">`, 2e5, ""), 0, "nested more than 100 deep"},
		{"a long tag", repeated("<testsuite ", `a="b" `, 1e6, "/>"), 0, "a tag of more than"},
		{"a long name", repeated("<", "x", 1e6, "/>"), 0, "a tag of more than"},
		{"a long processing instruction", repeated("<?x ", "x", 1e6, "?><testsuite/>"), 0, "a tag of more than"},
		{"long text", repeated("<testsuite><testcase><failure>", "é&amp;<!-- -->", 2e5, "</failure></testcase></testsuite>"), 1, ""},
		{"long data", repeated("<testsuite><testcase><failure><![CDATA[", "€]]", 5e5, "]]></failure></testcase></testsuite>"), 1, ""},
		{"many pieces of data", repeated("<testsuite><testcase><failure>", "<![CDATA[x]]>y", 1e5, "</failure></testcase></testsuite>"), 1, ""},
		{"a long comment", repeated("<testsuite><!--", "- >", 1e6, "--></testsuite>"), 0, ""},
		{"many failures", repeated("<testsuite><testcase>", "<failure>"+strings.Repeat("x", 1000)+"</failure>", 2e3, "</testcase></testsuite>"), 1, ""},
		{"many tests", repeated("<testsuite>", `<testcase name="x"/>`, 11e4, "</testsuite>"), ci.MaxNotes, ""},
		{"many long messages", repeated("<testsuite>", `<testcase><failure>`+strings.Repeat("x", 12000)+`</failure></testcase>`, 800, "</testsuite>"), 800, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := heap()
			tests, err := Tests("r", c.in)
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("got %v, want %q", err, c.fails)
			}
			if len(tests) != c.tests {
				t.Errorf("%d tests, want %d", len(tests), c.tests)
			}
			if grown := heap() - before; grown > 32<<20 {
				t.Errorf("%d MiB are kept", grown>>20)
			}
			runtime.KeepAlive(tests)
		})
	}
}

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// FuzzTests reads anything: whatever comes back keeps the bounds.
func FuzzTests(f *testing.F) {
	for path, report := range fixtures(f, "testdata/reports/*") {
		if !strings.HasSuffix(path, ".golden") && len(report) < 4000 {
			f.Add(report)
		}
	}
	f.Add([]byte("<testsuite><![CDATA[]]]]><testcase name='&#0;&#xD800;&lt'/></testsuite>"))
	f.Add([]byte("<testsuite><!----><!---><!-- --->\xff&\xc3</testsuite>"))
	f.Fuzz(func(t *testing.T, report []byte) {
		tests, _ := Tests("r", strings.NewReader(string(report)))
		checkTests(t, tests)
		slow, _ := Tests("r", iotest.OneByteReader(strings.NewReader(string(report))))
		if diff := cmp.Diff(tests, slow); diff != "" {
			t.Fatalf("byte by byte (-whole +bytes):\n%s", diff)
		}
	})
}

func BenchmarkJUnit(b *testing.B) {
	report := []byte("<testsuite name=\"s\">" + strings.Repeat("<testcase classname=\"com.example.AreaTest\" name=\"rectangle\" time=\"0.012\"><failure message=\"expected: &lt;6&gt;\">at com.example.AreaTest.rectangle(AreaTest.java:12)\n</failure></testcase>\n", 1000) + "</testsuite>")
	b.SetBytes(int64(len(report)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := JUnit(bytes.NewReader(report)); err != nil {
			b.Fatal(err)
		}
	}
}
