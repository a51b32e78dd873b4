//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
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
