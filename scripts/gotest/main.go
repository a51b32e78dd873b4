// Command gotest runs `go test -json` with its arguments, shows a line for each
// package and the output of what failed, and counts the tests:
//
//	ok    internal/ci                     31 passed   2.1s
//	...
//	312 passed, 0 failed, 4 skipped
//
// Only top-level tests count. A package that does not build, or whose process
// ends badly, counts as one failure more.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build output
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

type count struct{ passed, failed, skipped int }

// results gathers what the events say.
type results struct {
	out     io.Writer
	total   count
	byPkg   map[string]*count
	output  map[string][]string // of each package, test and build, until its end is known
	skipped []string
}

func main() {
	total := run("", os.Args[1:], os.Stdout)
	if total.failed > 0 {
		os.Exit(1)
	}
}

// run tests in a folder and writes what there is to see.
func run(dir string, args []string, out io.Writer) count {
	keep, err := kept()
	if err != nil {
		fmt.Fprintln(out, "gotest:", err)
		return count{failed: 1}
	}
	defer keep.Close()
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(out, "gotest:", err)
		return count{failed: 1}
	}
	r := results{out: out, byPkg: make(map[string]*count), output: make(map[string][]string)}
	for lines := bufio.NewReader(io.TeeReader(stdout, keep)); ; {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) > 0 && json.Unmarshal(line, &e) == nil:
			r.take(e)
		case len(line) > 0:
			out.Write(line) // not of this protocol, so worth seeing
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	for _, line := range r.skipped {
		fmt.Fprintln(out, line)
	}
	if err != nil && r.total.failed == 0 {
		fmt.Fprintln(out, "gotest:", err)
		r.total.failed++
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", r.total.passed, r.total.failed, r.total.skipped)
	return r.total
}

// kept is where all output goes for the search for secrets; see package sweep.
func kept() (*os.File, error) {
	dir := os.Getenv("STEPCAST_SWEEP")
	if dir == "" {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	dir = filepath.Join(dir, "log")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, "go test ")
}

func (r *results) take(e event) {
	pkg := strings.TrimPrefix(e.Package, "github.com/stepcast/stepcast/")
	n := r.byPkg[pkg]
	if n == nil {
		n = new(count)
		r.byPkg[pkg] = n
	}
	// A subtest's output is its top-level test's.
	test, _, sub := strings.Cut(e.Test, "/")
	key := pkg + " " + test
	switch e.Action {
	case "build-output":
		r.output["build "+e.ImportPath] = append(r.output["build "+e.ImportPath], e.Output)
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "pass", "fail", "skip":
		if sub {
			return
		}
		if test == "" {
			r.endPackage(e, pkg, n)
			return
		}
		switch e.Action {
		case "pass":
			n.passed++
		case "fail":
			n.failed++
			r.show(key)
		case "skip":
			n.skipped++
			r.skipped = append(r.skipped, "skip  "+key+r.reason(key))
		}
		delete(r.output, key)
	}
}

func (r *results) endPackage(e event, pkg string, n *count) {
	if e.Action == "fail" && n.failed == 0 {
		n.failed++ // no test of it failed, so it did by itself
	}
	if e.Action == "fail" {
		r.show("build " + e.FailedBuild)
		for key := range r.output {
			if strings.HasPrefix(key, pkg+" ") { // tests that never ended among them
				r.show(key)
			}
		}
	}
	for key := range r.output {
		if strings.HasPrefix(key, pkg+" ") {
			delete(r.output, key)
		}
	}
	r.total.passed += n.passed
	r.total.failed += n.failed
	r.total.skipped += n.skipped
	word := map[string]string{"pass": "ok", "fail": "FAIL", "skip": "-"}[e.Action]
	line := fmt.Sprintf("%-5s %-32s %4d passed", word, pkg, n.passed)
	if n.failed > 0 {
		line += fmt.Sprintf(", %d failed", n.failed)
	}
	if n.skipped > 0 {
		line += fmt.Sprintf(", %d skipped", n.skipped)
	}
	fmt.Fprintf(r.out, "%s  %.1fs\n", line, e.Elapsed)
}

// show prints the output under a key and forgets it.
func (r *results) show(key string) {
	for _, line := range r.output[key] {
		if line != "FAIL\n" && !strings.HasPrefix(line, "FAIL\t") { // endPackage says that
			io.WriteString(r.out, line)
		}
	}
	delete(r.output, key)
}

// reason is what a skipped test said.
func (r *results) reason(key string) string {
	for _, line := range r.output[key] {
		if _, why, ok := strings.Cut(line, "_test.go:"); ok {
			_, why, _ = strings.Cut(why, ": ")
			return ": " + strings.TrimSpace(why)
		}
	}
	return ""
}
