//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		exit(runRole(role))
		return
	}
	os.Exit(m.Run())
}

// Some rows run with next to no load, to see that servers, references, readers and
// the table work together: what they yield says nothing.
func TestRows_Measure(t *testing.T) {
	t.Parallel()
	if _, err := findPsql(); err != nil {
		t.Skip(err)
	}
	chosen, err := choose([]string{"ingest", "fanout-200", "widgets", "search", "latency", "siege", "run", "run-away", "run-pass", "pages", "pages-live"})
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "stepcast")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/stepcast").CombinedOutput(); err != nil {
		t.Fatalf("build the server: %v\n%s", err, out)
	}
	b := &bench{bin: bin, web: "../../web", size: tiny, progress: t.Output()}
	results, err := b.run(t.Context(), chosen, 1)
	if err != nil {
		t.Fatal(err)
	}
	print(t.Output(), results)
	for _, r := range results {
		seen := r.unit == "ms" && r.got == 0 // before it was acknowledged
		if r.got <= 0 && r.skipped == "" && !seen {
			t.Errorf("%s is %v", r.name, r.got)
		}
	}
}

// TestPrintPage_SaysWhatWasMissed: a page for the documentation shows a missed
// target, a row once, and texts as they are.
func TestPrintPage_SaysWhatWasMissed(t *testing.T) {
	t.Parallel()
	posts := row{name: "posts", about: `posts, against \copy`}
	results := []result{
		{row: posts, figure: figure{name: `posts / \copy`, unit: "lines/s", limit: 0.9}, value: value{got: 1234, reference: 2000, ratio: 0.617, others: 0.02}, lowest: 0.6, highest: 0.7},
		{row: posts, figure: figure{name: "waits", unit: "ms", limit: 5, atMost: true, alone: true}, value: value{got: 2, ratio: 2}, lowest: 2, highest: 3},
		{row: row{name: "pages", about: "pages"}, figure: figure{name: "opened", unit: "ms", limit: 4, atMost: true}, value: value{skipped: "no Chromium"}},
	}
	var page strings.Builder
	printPage(&page, results, time.Date(2026, 5, 4, 23, 0, 0, 0, time.UTC), "2 cores")
	for _, want := range []string{
		"on 4 May 2026: 2 cores.",
		"## posts\n\nPosts, against \\\\copy.\n\n| Figure",
		"| posts / \\\\copy | 1,234 lines/s | 2,000 lines/s | 0.62 (0.60 to 0.70) | 2 % | ≥ 0.9, **missed** |\n| waits | 2 ms |  | (2 to 3) | 0 % | ≤ 5 |\n\n## pages",
		"| opened | not measured: no Chromium |  |  | 0 % | ≤ 4 |\n",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %q:\n%s", want, page.String())
		}
	}
	if strings.Count(page.String(), "## posts") != 1 {
		t.Errorf("a row has more than a section:\n%s", page.String())
	}
}
