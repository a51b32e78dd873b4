//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// writePage writes the results as a page in Markdown.
func writePage(path string, results []result) error {
	var page bytes.Buffer
	printPage(&page, results, time.Now(), describeMachine())
	return os.WriteFile(path, page.Bytes(), 0o666)
}

const pageHead = `# Figures

What Stepcast does, measured by ` + "`scripts/bench --page docs/figures.md`" + ` on %s: %s.

Each figure stands beside a reference that does the same work with as little as possible around it, measured in the same round; a time or a rate alone says as much about the machine as about the program. The ratio is the median of the rounds, with the lowest and the highest. "Others" is how much of the machine other programs used meanwhile, a browser under test among them. A target that was missed is said to be.
`

// printPage prints a section for each row, in the order of the results.
func printPage(out io.Writer, results []result, at time.Time, machine string) {
	fmt.Fprintf(out, pageHead, at.UTC().Format("2 January 2006"), machine)
	for i, r := range results {
		if i == 0 || results[i-1].row.name != r.row.name {
			fmt.Fprintf(out, "\n## %s\n\n%s.\n\n", r.row.name, markdown(upperFirst(r.row.about)))
			fmt.Fprint(out, "| Figure | Stepcast | Reference | Ratio | Others | Target |\n|---|--:|--:|--:|--:|--:|\n")
		}
		got, reference, ratio := amount(r.got)+" "+r.unit, amount(r.reference)+" "+r.unit, fmt.Sprintf("%.2f (%.2f to %.2f)", r.ratio, r.lowest, r.highest)
		target := r.target()
		switch {
		case r.skipped != "":
			got, reference, ratio = "not measured: "+r.skipped, "", ""
		case r.alone:
			reference, ratio = "", fmt.Sprintf("(%.4g to %.4g)", r.lowest, r.highest)
		}
		if !r.ok() {
			target += ", **missed**"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %.0f %% | %s |\n", markdown(r.name), markdown(got), reference, ratio, 100*r.others, target)
	}
}

// markdown keeps a text a text: backslashes, and what a cell ends at.
func markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`).Replace(text)
}

// upperFirst begins a sentence.
func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// describeMachine says what the figures were measured on.
func describeMachine() string {
	parts := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if model := fileLine("/proc/cpuinfo", `^model name\s*: (.*)`); model != "" {
		parts[0] += " of an " + model
	}
	if kib := fileLine("/proc/meminfo", `^MemTotal: +(\d+)`); kib != "" {
		var n int
		_, _ = fmt.Sscan(kib, &n)
		parts = append(parts, fmt.Sprintf("%d GiB of memory", (n+1<<19)>>20))
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		parts = append(parts, "Linux "+unix.ByteSliceToString(name.Release[:]))
	}
	if psql, err := findPsql(); err == nil {
		if said, err := exec.Command(psql, "--version").Output(); err == nil {
			if version := regexp.MustCompile(`[0-9.]+`).Find(said); version != nil {
				parts = append(parts, "PostgreSQL "+string(version))
			}
		}
	}
	return strings.Join(append(parts, "Go "+strings.TrimPrefix(runtime.Version(), "go")), ", ")
}

// fileLine is what an expression takes from the first line of a file that it
// matches, or "".
func fileLine(path, expression string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	re := regexp.MustCompile(expression)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if m := re.FindStringSubmatch(lines.Text()); m != nil {
			return m[1]
		}
	}
	return ""
}
