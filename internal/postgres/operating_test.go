package postgres_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stepcast/stepcast/internal/pgtest"
)

// What docs/operating.md counts is there.
func TestOperating_CountsWhatProjectsTake(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(manual), -1)
	if len(snippets) != 1 {
		t.Fatalf("docs/operating.md has %d SQL snippets; this test knows one", len(snippets))
	}
	url := pgtest.New(t)
	s, _ := open(t, url)
	create(t, s, "acme/api")
	must(t, s, create(t, s, "acme/api"), text("test", 0, "x"))
	var project, kept string
	var builds int
	if err := pgtest.Connect(t, url).QueryRow(t.Context(), snippets[0][1]).Scan(&project, &builds, &kept); err != nil || project != "acme/api" || builds != 2 || kept == "0 bytes" {
		t.Errorf("the most is taken by %q with %d builds and %s, %v", project, builds, kept, err)
	}
}
