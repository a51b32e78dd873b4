package outline

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stepcast/stepcast/internal/ci"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// failer is what testing.T and testing.F have in common.
type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// read gives a log to a parser in pieces of so many bytes, or, with 0, line by
// line, a second each.
func read(t failer, o Options, log []byte, size int) []ci.NoteUpdate {
	t.Helper()
	return readStep(t, o, log, size, true)
}

// readStep is read, of a step that failed or did not.
func readStep(t failer, o Options, log []byte, size int, failed bool) []ci.NoteUpdate {
	t.Helper()
	var notes []ci.NoteUpdate
	p := New(o, func(u ci.NoteUpdate) { notes = append(notes, u) })
	at := noon
	for rest := log; len(rest) > 0; {
		n := size
		if size == 0 {
			at = at.Add(time.Second)
			if n = bytes.IndexByte(rest, '\n') + 1; n == 0 {
				n = len(rest)
			}
		}
		n = min(n, len(rest))
		p.Write(rest[:n], at)
		rest = rest[n:]
	}
	p.Close(at.Add(time.Second), failed)
	check(t, notes)
	return notes
}

// check holds notes to what the package promises of them.
func check(t failer, notes []ci.NoteUpdate) {
	t.Helper()
	open := make(map[int64]int)
	annotations := 0
	printable := func(s string, most int, lines bool) {
		if len(s) > most || !utf8.ValidString(s) {
			t.Fatalf("%d bytes, more than %d, or not UTF-8: %.100q", len(s), most, s)
		}
		for _, r := range s {
			if unicode.IsControl(r) && !(lines && (r == '\n' || r == '\t')) {
				t.Fatalf("a control character in %q", s)
			}
		}
	}
	if len(notes) > ci.MaxNotes {
		t.Fatalf("%d notes", len(notes))
	}
	for i, u := range notes {
		if u.Number != int64(i) {
			t.Fatalf("note %d has the number %d", i, u.Number)
		}
		switch n := u.Note; {
		case n.Group != nil:
			open[u.Number] = n.Group.Level
			if n.Group.Level != len(open) || n.Group.Level > ci.MaxNoteLevel {
				t.Fatalf("level %d with %d open", n.Group.Level, len(open))
			}
			printable(n.Group.Name, ci.MaxNoteName, false)
		case n.GroupEnd != nil:
			if open[n.GroupEnd.Group] != len(open) {
				t.Fatalf("group %d ends, but is not the innermost of %v", n.GroupEnd.Group, open)
			}
			if d := n.GroupEnd.Duration; !(d >= 0 && d <= 1e9) {
				t.Fatalf("%g seconds", d)
			}
			delete(open, n.GroupEnd.Group)
		case n.Annotation != nil:
			a := n.Annotation
			annotations++
			printable(a.Message, ci.MaxNoteMessage, true)
			printable(a.Title, ci.MaxNoteName, false)
			printable(a.File, ci.MaxNoteName, false)
			if a.Message == "" || a.Line < 0 || a.Column < 0 || a.EndLine != 0 && a.EndLine < a.Line {
				t.Fatalf("%+v", a)
			}
		case n.Test != nil:
			printable(n.Test.Suite, ci.MaxNoteName, false)
			printable(n.Test.Name, ci.MaxNoteName, false)
			printable(n.Test.Message, ci.MaxNoteMessage, true)
			if d := n.Test.Duration; !(d >= 0 && d <= 1e9) {
				t.Fatalf("%g seconds", d)
			}
		default:
			t.Fatalf("note %d is none", i)
		}
	}
	if len(open) > 0 {
		t.Fatalf("groups never ended: %v", open)
	}
	if annotations > maxAnnotations+2 {
		t.Fatalf("%d annotations", annotations)
	}
}

// show writes notes for people: number, line, note.
func show(notes []ci.NoteUpdate) string {
	var b strings.Builder
	for _, u := range notes {
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		if err := e.Encode(u.Note); err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "%d line %d %s", u.Number, u.Line, out.String())
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	path += ".golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func fixtures(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	files := make(map[string][]byte)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = content
	}
	return files
}

func optionsFor(path string) Options {
	name := filepath.Base(path)
	o := Options{Buildkite: strings.HasPrefix(name, "buildkite")}
	for prefix, dir := range map[string]string{"go-": "go", "ld": "c", "make": "c", "eslint": "eslint", "node": "node", "cmake": "cmake", "python": "python", "unittest": "python", "pytest": "python"} {
		if strings.HasPrefix(name, prefix) {
			o.Dir = "/tmp/shapes/" + dir
		}
	}
	if o.Dir == "/tmp/shapes/go" {
		o.Module = "example.com/shapes"
	}
	return o
}

// TestParser_UnderstandsTools reads what real tools printed (testdata/logs),
// and what was written after the documentation of CI systems.
func TestParser_UnderstandsTools(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"testdata/logs/*.log", "testdata/written/*.log"} {
		for path, log := range fixtures(t, pattern) {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".log"), func(t *testing.T) {
				t.Parallel()
				o := optionsFor(path)
				golden(t, path, show(read(t, o, log, 0)))
				whole := read(t, o, log, len(log))
				for _, size := range []int{1, 2, 7, 100} {
					if diff := cmp.Diff(show(whole), show(read(t, o, log, size))); diff != "" {
						t.Errorf("in pieces of %d (-whole +pieces):\n%s", size, diff)
					}
				}
			})
		}
	}
}

// TestParser_FindsNothing reads logs in which nothing is wrong, some of which
// talk of errors all the time.
func TestParser_FindsNothing(t *testing.T) {
	t.Parallel()
	for path, log := range fixtures(t, "testdata/clean/*.log") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".log"), func(t *testing.T) {
			t.Parallel()
			for _, o := range []Options{{}, {Buildkite: true}} {
				for _, u := range readStep(t, o, log, 0, false) {
					if u.Note.Test == nil || u.Note.Test.Status == ci.Failed {
						t.Errorf("%+v: %s", o, show([]ci.NoteUpdate{u}))
					}
				}
			}
		})
	}
}

func lines(n int, format string) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	return b.Bytes()
}

func TestParser_KeepsAThousandAnnotations(t *testing.T) {
	t.Parallel()
	notes := read(t, Options{}, append(lines(1500, "x.c:%d:1: error: wrong"), "::group::still\n"...), 1000)
	if len(notes) != maxAnnotations+3 {
		t.Fatalf("%d notes", len(notes))
	}
	said := notes[maxAnnotations]
	if a := said.Note.Annotation; a == nil || a.Level != ci.LevelNotice || a.Message != "The step has more than 1000 annotations; the rest was not kept." || said.Line != 1001 {
		t.Errorf("%s", show(notes[maxAnnotations:]))
	}
	if notes[maxAnnotations+1].Note.Group == nil {
		t.Errorf("%s", show(notes[maxAnnotations:]))
	}
}

// TestParser_LooseErrors finds lines that only say that they are errors where a step
// has failed and nothing better is known.
func TestParser_LooseErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		log  string
		want []int64 // lines
	}{
		{"deploying\nerror: rollout of node-07.eu-1 failed: connection refused\n12,500 nodes\n", []int64{2}},
		{"fatal: repository 'https://git.example/x' not found\nError: a\nERROR: b\nFatal: c\nFATAL: d\n", []int64{1, 2, 3, 4, 5}},
		{"\x1b[1;31merror\x1b[0m\x1b[1m:\x1b[0m a\n  50%\rerror: b\r\n12:00:00 \x1b[31merror: \x1b[0mc\n", []int64{1, 2, 3}},
		{"12:00:00 error: a\n[12:00:00.5] error: b\n2026-11-25T12:00:00.123456789Z error: c\n[2026/11/25 12:00:00,5] error: d\n2026-11-25 12:00:00+01:00 fatal: e\n2026-11-25T12:00:00-0800 ERROR: f\n", []int64{1, 2, 3, 4, 5, 6}},
		{"Error from server (Forbidden): deployments.apps \"web\" is forbidden\nError from server: x\n12:00:00 Error response from daemon: no such image\nError from servers\n", []int64{1, 2, 3}},
		{"make: *** \nerror: a\n", []int64{2}},
		{"error: again\nerror: again\n", []int64{1}},
		{"error: a\nmake: *** [Makefile:3: deploy] Error 1\n", []int64{1, 2}},
		{"error: a\nx.c:1:1: error: b\nerror: c\n", []int64{2}},
		{"error: a\n --> src/main.rs:7:24\n", []int64{1}}, // with its place
		{"make: *** [Makefile:3: deploy] Error 1\nerror: a\n", []int64{1, 2}},
		{"fatal: No names found, cannot describe anything.\nfatal: not a git repository (or any of the parent directories): .git\nmake: *** [Makefile:3: deploy] Error 1\n", []int64{3}},
		{" error: a\nan error: b\nerror:c\nerror: \nerror:  \nerrors: 3\neRROR: d\nfatal error: e\nerror\n", nil},
		{"12:00:00: error: a\n[12:00:00 error: b\n12:00:00] error: c\n2026-11-25 error: d\n12:00:00.error: e\n12:00:00 INFO error: f\n", nil},
	} {
		var got []int64
		for _, u := range read(t, Options{}, []byte(c.log), 0) {
			if u.Note.Annotation != nil && u.Note.Annotation.Level == ci.LevelError {
				got = append(got, u.Line)
			}
		}
		if slices.Sort(got); !slices.Equal(got, c.want) { // make's comes first
			t.Errorf("%q: lines %v, want %v", c.log, got, c.want)
		}
		for _, u := range readStep(t, Options{}, []byte(c.log), 0, false) {
			if c.want != nil && u.Note.Annotation.File == "" && u.Note.Annotation.Title != "make" {
				t.Errorf("%q, and it passed: %s", c.log, show([]ci.NoteUpdate{u}))
			}
		}
	}
	if notes := read(t, Options{}, lines(1500, "error: %d"), 1000); len(notes) != maxAnnotations+1 || notes[maxAnnotations].Note.Annotation.Level != ci.LevelNotice {
		t.Errorf("%d notes", len(notes))
	}
}

func TestParser_SaysWhatIsTheSameOnce(t *testing.T) {
	t.Parallel()
	notes := read(t, Options{}, []byte("x.c:1:1: error: a\n./x.c:1:9: error: a\nx.c:1:1: warning: a\nx.c:2:1: error: a\nx.c:1:1: error: b\ny.c:1:1: error: a\nx.c:1: error: a\n"), 0)
	if len(notes) != 5 {
		t.Errorf("want all but the second and the last:\n%s", show(notes))
	}
}

// TestParser_EndsGroupsWhenNothingElseFits fills a step with notes while groups
// are open.
func TestParser_EndsGroupsWhenNothingElseFits(t *testing.T) {
	t.Parallel()
	log := []byte("section_start:1:a\r\nsection_start:2:b\r\n")
	log = append(log, lines(ci.MaxNotes+10, "ok  \tp%d\t0s")...)
	log = append(log, "section_start:3:c\r\nsection_end:5:b\r\n"...)
	notes := read(t, Options{}, log, 1<<16)
	if len(notes) != ci.MaxNotes {
		t.Fatalf("%d notes", len(notes))
	}
	last := notes[ci.MaxNotes-3:]
	if a := last[0].Note.Annotation; a == nil || a.Level != ci.LevelNotice {
		t.Errorf("no word of what was left out:\n%s", show(last))
	}
	if b, a := last[1].Note.GroupEnd, last[2].Note.GroupEnd; b == nil || b.Group != 1 || b.Duration != 3 || a == nil || a.Group != 0 {
		t.Errorf("%s", show(last))
	}
}

func TestParser_NestsNoDeeperThanTheBound(t *testing.T) {
	t.Parallel()
	log := append(lines(40, "section_start:1:s%d\r"), "section_end:9:s39\r\nsection_end:9:s15\r\nsection_end:9:s0\r\n"...)
	notes := read(t, Options{}, log, 0)
	if len(notes) != 2*ci.MaxNoteLevel {
		t.Errorf("%s", show(notes))
	}
	if at := notes[ci.MaxNoteLevel].Line; at != 42 {
		t.Errorf("the innermost ends at line %d, want 42", at)
	}
}

func TestParser_CountsLinesThatItPassesOver(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxLine)
	for _, c := range []struct {
		log  string
		line int64 // of the only annotation; 0: there is none
	}{
		{long + "\n::error::a\n", 2},
		{long + "x\n\n::error::a", 3},
		{long + long + "\n" + long + long + "\n::error::a\n", 3},
		{"::error::" + long + "\n", 0},
		{"::error::" + long, 0},
		{"::error::" + long[len("::error::"):] + "\n", 1},
		{"\r\n\r\r\n\n::error::a\r\n", 4},
		{"10%\r20%\r::error::a\n", 1},
		{"::error::a\r20%\n", 0},
		{"\x1b]0;title\x07\x1b[1m\x1b(B::error::a\x1b[0m\n", 1},
		{"\x1b[31::error::a\n", 0},
		{"\x1b]8;;unended ::error::a\n::error::b\n", 2},
	} {
		for _, size := range []int{1, 1000, 1 << 20} {
			notes := read(t, Options{}, []byte(c.log), size)
			if c.line == 0 && len(notes) > 0 || c.line > 0 && (len(notes) != 1 || notes[0].Line != c.line) {
				t.Errorf("%.40q in pieces of %d, want line %d: %s", c.log, size, c.line, show(notes))
			}
		}
	}
}

// TestParser_Waits yields nothing before its line has ended, and then at once.
func TestParser_Waits(t *testing.T) {
	t.Parallel()
	var notes []ci.NoteUpdate
	p := New(Options{}, func(u ci.NoteUpdate) { notes = append(notes, u) })
	p.Write([]byte("::error::half"), noon)
	if len(notes) > 0 {
		t.Fatal(show(notes))
	}
	p.Write([]byte(" and whole\nx.c:1:1: error: a\n"), noon.Add(time.Second))
	if len(notes) != 2 || !notes[0].At.Equal(noon.Add(time.Second)) {
		t.Fatal(show(notes))
	}
	p.Add([]ci.Test{{Name: "a\x00b\xff", Status: ci.Passed, Duration: -1}}, noon.Add(time.Minute))
	p.Close(noon.Add(time.Minute), true)
	if want := "2 line 0 " + `{"test":{"name":"a�b�","status":"passed","duration_s":0}}` + "\n"; show(notes[2:]) != want {
		t.Errorf("%s, want %s", show(notes[2:]), want)
	}
}

func TestParser_NamesFilesRelativeToItsFolder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options Options
		log     string
		want    string
	}{
		{Options{Dir: "/src"}, "/src/x.c:1: error: a\n", "x.c"},
		{Options{Dir: "/src/"}, "/src/./x.c:1: error: a\n", "./x.c"},
		{Options{Dir: "/src"}, "/srcs/x.c:1: error: a\n", "/srcs/x.c"},
		{Options{Dir: `C:\src`}, "C:\\src\\lib\\x.c:1: error: a\n", `lib\x.c`},
		{Options{}, "./lib/x.c:1: error: a\n", "lib/x.c"},
		{Options{Module: "m.example/a"}, "--- FAIL: TestX (0.00s)\n    x_test.go:1: a\nFAIL\tm.example/a/b/c\t0.1s\n", "b/c/x_test.go"},
		{Options{Module: "m.example/a"}, "--- FAIL: TestX (0.00s)\n    x_test.go:1: a\nFAIL\tm.example/a\t0.1s\n", "x_test.go"},
		{Options{Module: "m.example/a"}, "--- FAIL: TestX (0.00s)\n    x_test.go:1: a\nFAIL\tm.example/ab\t0.1s\n", "x_test.go"},
		{Options{}, "--- FAIL: TestX (0.00s)\n    x_test.go:1: a\nFAIL\tm.example/a/b\t0.1s\n", "x_test.go"},
	} {
		notes := read(t, c.options, []byte(c.log), 0)
		if len(notes) == 0 || notes[0].Note.Annotation == nil || notes[0].Note.Annotation.File != c.want {
			t.Errorf("%+v %q: %s, want %s", c.options, c.log, show(notes), c.want)
		}
	}
}

// TestParser_NamesThePackageOfManyTests reads results of which the package is
// named after the last one.
func TestParser_NamesThePackageOfManyTests(t *testing.T) {
	t.Parallel()
	log := append(lines(10_000, "--- PASS: TestNormalized/of_the_string_%d (0.00s)"), "PASS\nok  \texample.com/norm\t1.5s\n"...)
	notes := read(t, Options{}, log, 1000)
	if len(notes) != 10_000 {
		t.Fatalf("%d notes", len(notes))
	}
	for _, u := range notes {
		if u.Note.Test.Suite != "example.com/norm" {
			t.Fatal(show([]ci.NoteUpdate{u}))
		}
	}
}

// TestParser_BlamesTestsThatWereRunning reads packages that failed though none
// of their tests had.
func TestParser_BlamesTestsThatWereRunning(t *testing.T) {
	t.Parallel()
	event := func(action, test, output string) string {
		e, _ := json.Marshal(map[string]string{"Action": action, "Package": "p", "Test": test, "Output": output})
		return strings.Replace(string(e), `,"Test":""`, "", 1) + "\n"
	}
	framed := func(verb, test string) string { return event("output", test, "=== "+verb+"   "+test+"\n") }
	for name, c := range map[string]struct {
		log  string
		want []string // names of failed tests
	}{
		"exit":                {"=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\ngoing\nexit status 3\nFAIL\tp\t0.1s\n", []string{"TestB"}},
		"in a subtest":        {"=== RUN   TestB\n=== RUN   TestB/sub\nFAIL\tp\t0.1s\n", []string{"TestB", "TestB/sub"}},
		"not those that wait": {"=== RUN   TestA\n=== PAUSE TestA\n=== RUN   TestB\nFAIL\tp\t0.1s\n", []string{"TestB"}},
		"those that went on":  {"=== RUN   TestA\n=== PAUSE TestA\n=== CONT  TestA\nFAIL\tp\t0.1s\n", []string{"TestA"}},
		"another failed":      {"=== RUN   TestA\n=== RUN   TestB\n--- FAIL: TestB (0.00s)\nFAIL\tp\t0.1s\n", []string{"TestB"}},
		"none was running":    {"=== RUN   TestA\n--- PASS: TestA (0.00s)\nFAIL\tp\t0.1s\n", []string{"p"}},
		"all is well":         {"=== RUN   TestA\nok  \tp\t0.1s\n", nil},
		"json":                {framed("RUN", "TestA") + event("pass", "TestA", "") + framed("RUN", "TestB") + event("output", "TestB", "going\n") + event("fail", "", ""), []string{"TestB"}},
		"json, waiting":       {framed("RUN", "TestA") + framed("PAUSE", "TestA") + framed("RUN", "TestB") + event("fail", "", ""), []string{"TestB"}},
		"json, another":       {framed("RUN", "TestA") + framed("RUN", "TestB") + event("fail", "TestB", "") + event("fail", "", ""), []string{"TestB"}},
		"json, none":          {framed("RUN", "TestA") + event("pass", "TestA", "") + event("fail", "", ""), []string{"p"}},
	} {
		var got []string
		for _, u := range read(t, Options{}, []byte(c.log), 0) {
			if u.Note.Test != nil && u.Note.Test.Status == ci.Failed {
				got = append(got, u.Note.Test.Name)
				if u.Note.Test.Suite != "p" || u.Note.Test.Message == "" && !strings.Contains(name, "another") {
					t.Errorf("%s: %s", name, show([]ci.NoteUpdate{u}))
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestGoModule(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"": "", "go 1.26\n": "", "module\n": "",
		"// module no\nmodule example.com/a // yes\n\ngo 1.26\n": "example.com/a",
		"module \"example.com/a\"\r\n":                           "example.com/a",
	} {
		if got := GoModule([]byte(file)); got != want {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

// TestParser_MemoryIsBounded feeds what each reader waits for more of, for
// ever.
func TestParser_MemoryIsBounded(t *testing.T) {
	x := strings.Repeat("x", 1000)
	for name, line := range map[string]string{
		"one line":          x,
		"python":            "Traceback (most recent call last):\n  File \"x.py\", line 3, in x\n",
		"pytest":            "___ t%d ___\nE   " + x + "\nFAILED x.py::t%[1]d - " + x + "\n",
		"go tests":          "=== RUN   Test%d\n    x_test.go:1: " + x + "\n",
		"go results":        "    --- FAIL: Test%d/" + x + " (0.00s)\n",
		"go json":           `{"Action":"output","Package":"p%d","Test":"T","Output":"` + x + `\n"}` + "\n",
		"go json tests":     `{"Action":"output","Package":"p","Test":"T%d","Output":"` + x + `\n"}` + "\n",
		"go json packages":  `{"Action":"output","Package":"p%d` + x + `","Output":"y\n"}` + "\n",
		"go begun":          "=== RUN   Test%d" + x[:900] + "\n",
		"go json one test":  `{"Action":"output","Package":"p","Test":"T","Output":"` + x + `"}` + "\n",
		"tap without plan":  "ok %d - " + x + "\n  ---\n  a: " + x + "\n  ...\n",
		"tap diagnostics":   "TAP version 13\nnot ok 1\n  ---\n  a%d: " + x + "\n  b: c\n",
		"tap subtests":      "TAP version 13\n# Subtest: " + x + "\n    # Subtest: %d\n",
		"node":              "/x.js:3\nx\n^\n\nError: " + x + "%d\n" + x + "\n",
		"jest":              "  ● a%d\n\n    " + x + "\n",
		"perl":              "#   Failed test 'a%d'\n#   " + x + "\n",
		"panic":             "panic: " + x + "\n\ngoroutine 1 [running]:\nruntime.x%d(" + x + ")\n",
		"cargo":             "running 9999999 tests\ntest a%d ... FAILED\n",
		"cargo's words":     "running 2 tests\ntest a ... FAILED\n---- a stdout ----\n" + x + "%d\n",
		"mocha":             "  1) a%d\n       b:\n      " + x + "\n",
		"vitest":            " FAIL  x.js > a%d\n" + x + "\n",
		"cmake":             "CMake Error at x.cmake:%d (x):\n  " + x + "\n",
		"sections":          "section_start:1:a%d" + x + "\r\n",
		"annotations":       "x.c:%d:1: error: " + x + "\n",
		"a diff":            "@@ -1,9999999 +1,9999999 @@\n-%d\n",
		"loose errors":      "error: %d" + x + "\n",
		"stopped commands":  "::stop-commands::a%d\n::error::" + x + "\n",
		"one ESLint's file": "/x.js\n  1:%d  error  " + x + "  rule\n",
	} {
		t.Run(name, func(t *testing.T) {
			count := 0
			p := New(Options{Buildkite: true}, func(ci.NoteUpdate) { count++ })
			before := heap()
			for i, size := 0, 0; size < 8<<20; i++ {
				text := line
				if strings.Contains(line, "%") {
					text = fmt.Sprintf(line, i+1)
				}
				p.Write([]byte(text), noon)
				size += len(text)
			}
			if grown := heap() - before; grown > 4<<20 {
				t.Errorf("%d KiB are kept", grown>>10)
			}
			p.Close(noon, true)
			if count > ci.MaxNotes {
				t.Errorf("%d notes", count)
			}
		})
	}
}

// FuzzParser reads anything in any pieces: it never panics, keeps the bounds,
// and finds the same as in one piece.
func FuzzParser(f *testing.F) {
	for _, pattern := range []string{"testdata/logs/*.log", "testdata/written/*.log", "testdata/clean/prose.log"} {
		for path, log := range fixtures(f, pattern) {
			if len(log) < 4000 {
				f.Add(log, uint16(len(log)), strings.Contains(path, "buildkite"))
			}
		}
	}
	f.Add([]byte("\x1b"), uint16(1), false)
	f.Add([]byte("running 1 test\n  \n  1) a\n       b:\n  \n FAIL  x.js\n  \nCMake Error at x:1 (y):\n  \nWARNING: DATA RACE\n  "), uint16(1), false)
	f.Add([]byte("::error file=\xff%,line=99999999999999999999,endLine=-1::%0"), uint16(3), false)
	f.Add([]byte("section_start:1e400:a\r\nsection_start:NaN:b[\r\nsection_end:-1:a"), uint16(3), false)
	f.Add([]byte(`{"Action":"fail","Package":"p","Elapsed":1e300}`+"\n"+`{"Action":"output","Package":"p","Output":""}`), uint16(9), false)
	f.Fuzz(func(t *testing.T, log []byte, size uint16, buildkite bool) {
		o := Options{Buildkite: buildkite, Dir: "/tmp", Module: "example.com/shapes"}
		whole := read(t, o, log, max(len(log), 1))
		pieces := read(t, o, log, int(size)+1)
		if diff := cmp.Diff(show(whole), show(pieces)); diff != "" {
			t.Fatalf("in pieces of %d (-whole +pieces):\n%s", size+1, diff)
		}
	})
}

// FuzzPlainEvent compares with encoding/json.
func FuzzPlainEvent(f *testing.F) {
	for line := range bytes.Lines(fixtures(f, "testdata/logs/go-test-json.log")["testdata/logs/go-test-json.log"]) {
		f.Add(strings.TrimSpace(string(line)))
	}
	f.Add(`{"Action":"\u00e4\ud83d","Elapsed":00.5}`)
	f.Add(`{"Action":"x","Action":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		e, ok := plainEvent(text)
		if !ok || !strings.HasPrefix(text, "{") {
			return
		}
		var want goEvent
		if err := json.Unmarshal([]byte(text), &want); err != nil || e != want {
			t.Fatalf("%q: %+v, want %+v, %v", text, e, want, err)
		}
	})
}

// BenchmarkParser reads logs in pieces of 32 KiB, as they come from a pipe.
func BenchmarkParser(b *testing.B) {
	all := func(pattern string) []byte {
		var log []byte
		for _, l := range fixtures(b, pattern) {
			log = append(log, l...)
		}
		return log
	}
	for _, c := range []struct {
		name string
		log  []byte
	}{
		{"plain", lines(1000, "2026-11-25T12:00:00.%06dZ INFO  worker[3]: request GET /api/v1/projects/acme/api/builds took 12.3ms, 200, 4096 bytes, cache hit")},
		{"short", lines(1000, "step %d of 1000")},
		{"indented", lines(1000, "      at position %d of the list, with an error: or a warning: or two")},
		{"paths", lines(1000, "src/lib/module/file%d.ts is being compiled for the browser, please wait")},
		{"colour", lines(1000, "\x1b[32m2026-11-25T12:00:00Z\x1b[0m \x1b[1mINFO\x1b[0m request %d took \x1b[36m12.3ms\x1b[0m, and there was nothing to be seen")},
		{"json", lines(1000, `{"time":"2026-11-25T12:00:00Z","level":"INFO","msg":"request","n":%d,"path":"/api/v1/projects","status":200}`)},
		{"warnings", lines(1000, "src/lib/file.c:%d:12: warning: unused variable ‘unused’ [-Wunused-variable]")},
		{"go-json", all("testdata/logs/go-test-json.log")},
		{"go-v", all("testdata/clean/go-test-v.log")},
	} {
		b.Run(c.name, func(b *testing.B) {
			log := bytes.Repeat(c.log, 1+(1<<20)/len(c.log))
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			p := New(Options{}, func(ci.NoteUpdate) {})
			for b.Loop() {
				for rest := log; len(rest) > 0; {
					n := min(32<<10, len(rest))
					p.Write(rest[:n], noon)
					rest = rest[n:]
				}
			}
		})
	}
}
