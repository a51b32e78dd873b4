//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

type shownNotes struct {
	Notes []struct {
		Step       string
		Number     int
		Line       int
		Group      *struct{ Name string }
		Annotation *struct {
			Level, Message, File string
			Line                 int `json:"file_line"`
		}
		Test *struct{ Suite, Name, Status, Message string }
	}
}

// notes are a build's, each as one line of text.
func (s *testServer) notes(build, query string) string {
	s.t.Helper()
	var page shownNotes
	if err := json.Unmarshal(s.get("/api/v1/builds/"+build+"/notes?"+query), &page); err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for _, n := range page.Notes {
		switch {
		case n.Annotation != nil:
			fmt.Fprintf(&b, "%s %s:%d %s @%d\n", n.Annotation.Level, n.Annotation.File, n.Annotation.Line, n.Annotation.Message, n.Line)
		case n.Test != nil:
			fmt.Fprintf(&b, "%s %s.%s\n", n.Test.Status, n.Test.Suite, n.Test.Name)
		case n.Group != nil:
			fmt.Fprintf(&b, "group %s @%d\n", n.Group.Name, n.Line)
		}
	}
	return b.String()
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A Go module whose tests fail, in go test's own words.
func TestRun_UnderstandsGoTest(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	write(t, dir, map[string]string{
		"go.mod":    "module example.com/sum\n\ngo 1.26\n",
		"x_test.go": "package sum\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) {}\n\nfunc TestBad(t *testing.T) {\n\tt.Error(\"one and one is three\")\n}\n\nfunc TestLater(t *testing.T) { t.Skip(\"not yet\") }\n",
	})
	cmd := stepcast(t, s.env, "run", "--project", "acme/sum", "--step", "test", "--", "go", "test", "-json", "./...")
	cmd.Dir = dir
	if _, stderr, code := output(t, cmd); code != 1 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	b := s.build("acme/sum")
	if got, want := s.notes(b.ID, "kind=test"), "passed example.com/sum.TestGood\nfailed example.com/sum.TestBad\nskipped example.com/sum.TestLater\n"; got != want {
		t.Errorf("tests\n%swant\n%s", got, want)
	}
	if got := s.notes(b.ID, "kind=annotation"); !strings.HasPrefix(got, "error x_test.go:8 one and one is three @") || strings.Count(got, "\n") != 1 {
		t.Errorf("annotations\n%s", got)
	}
	if _, stderr, _ := output(t, stepcast(t, s.env, "tail", b.ID)); !strings.Contains(stderr, "; tests: 1 passed, 1 failed, 1 skipped; 1 error, 0 warnings\n") {
		t.Errorf("tail says %q", stderr)
	}
	var step struct {
		Steps []struct {
			Tests       struct{ Passed, Failed, Skipped int }
			Annotations struct{ Error int }
		}
	}
	if err := json.Unmarshal(s.get("/api/v1/builds/"+b.ID), &step); err != nil || fmt.Sprint(step.Steps) != "[{{1 1 1} {1}}]" {
		t.Errorf("the step counts %v, %v", step.Steps, err)
	}
}

// Groups, and a C program that does not compile, of which make says so too.
func TestRun_UnderstandsACompiler(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"make", "cc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	s, dir := newServer(t), t.TempDir()
	write(t, dir, map[string]string{
		"Makefile": "hello: hello.c\n\t@echo '::group::Compile'\n\tcc -o hello hello.c\n",
		"hello.c":  "int main(void) {\n\treturn x;\n}\n",
	})
	cmd := stepcast(t, s.env, "run", "--project", "acme/hello", "--", "make")
	cmd.Dir = dir
	if _, _, code := output(t, cmd); code != 2 {
		t.Fatalf("exit code %d", code)
	}
	b := s.build("acme/hello")
	if got := s.notes(b.ID, "kind=annotation"); !strings.HasPrefix(got, "error hello.c:2 ") || strings.Count(got, "\n") != 1 {
		t.Errorf("annotations\n%s", got)
	}
	if got := s.notes(b.ID, "kind=group"); got != "group Compile @1\n" {
		t.Errorf("groups\n%s", got)
	}
}

// Results in a file come with the step; a file of an earlier run does not.
func TestRun_ReadsTestResults(t *testing.T) {
	t.Parallel()
	s, dir := newServer(t), t.TempDir()
	write(t, dir, map[string]string{"old.xml": `<testsuite name="old"><testcase name="old"/></testsuite>`, "new.xml": `<testsuite name="math"><testcase name="adds" time="0.5"/><testcase name="divides"><failure message="by zero">at div.js:3</failure></testcase></testsuite>`})
	cmd := stepcast(t, s.env, "run", "--project", "acme/junit", "--tests", "*.xml,none.tap", "--", "sh", "-c", "touch -d '2030-01-01' new.xml; echo done")
	cmd.Dir = dir
	_, stderr, code := output(t, cmd)
	if code != 0 || !strings.Contains(stderr, "--tests none.tap: there is no such file\n") || !strings.Contains(stderr, "--tests old.xml: the command left it as it was before") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	b := s.build("acme/junit")
	if got, want := s.notes(b.ID, "kind=test"), "passed math.adds\nfailed math.divides\n"; got != want {
		t.Errorf("tests\n%swant\n%s", got, want)
	}
}
