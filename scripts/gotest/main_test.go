package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun_CountsTruthfully runs a module in which most things go wrong.
func TestRun_CountsTruthfully(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"good/good_test.go": `package good
import ("fmt"; "testing")
func TestOne(t *testing.T) { t.Run("sub", func(*testing.T) {}) }
func TestTwo(t *testing.T) { fmt.Println("--- FAIL: TestNever (0.00s)"); fmt.Println("9 passed, 9 failed, 9 skipped in a log") }
func TestNotHere(t *testing.T) { t.Skip("there is no nginx") }`,
		"bad/bad_test.go": `package bad
import "testing"
func TestFine(t *testing.T) {}
func TestBad(t *testing.T) { t.Run("sub", func(t *testing.T) { t.Error("it is bad") }) }`,
		"panics/panics_test.go": `package panics
import "testing"
func TestFine(t *testing.T) {}
func TestPanics(t *testing.T) { panic("oh dear") }
func TestNeverRun(t *testing.T) {}`,
		"exits/exits_test.go": `package exits
import ("os"; "testing")
func TestMain(m *testing.M) { m.Run(); println("left too early"); os.Exit(3) }
func TestFine(t *testing.T) {}`,
		"broken/broken_test.go": `package broken
import "testing"
func TestBroken(t *testing.T) { undefined() }`,
		"none/none.go": "package none\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	got := run(dir, []string{"./..."}, &out)
	// Passed: TestOne, TestTwo and three TestFine. Failed: TestBad, TestPanics,
	// and the packages exits and broken.
	if want := (count{passed: 5, failed: 4, skipped: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	for _, want := range []string{"it is bad", "oh dear", "left too early", "undefined: undefined", "there is no nginx", "5 passed, 4 failed, 1 skipped\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not to be seen", want)
		}
	}
	if strings.Contains(out.String(), "in a log") {
		t.Error("the output of a test that passed is to be seen")
	}
	if t.Failed() {
		t.Log(out.String())
	}
	if got := run(dir, []string{"./no-such-package"}, &out); got.failed != 1 {
		t.Errorf("without a package: %+v", got)
	}
}
