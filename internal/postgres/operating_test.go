package postgres_test

import (
	"errors"
	"os"
	"regexp"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// What docs/operating.md counts is there. What it deletes is gone without a rest,
// and nothing else is: what is younger, the feed's end, the history that readers'
// places belong to.
func TestOperating_DeletesOldBuilds(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(manual), -1)
	if len(snippets) != 2 {
		t.Fatalf("docs/operating.md has %d SQL snippets; this test knows two", len(snippets))
	}
	url := pgtest.New(t)
	s, _ := open(t, url)
	old, young := create(t, s, "acme/api"), create(t, s, "acme/api")
	before := must(t, s, young, text("test", 0, "x"))
	log := logOf(t, s, old)
	must(t, s, old, text("test", 0, "x"), ci.Update{Build: &ci.BuildUpdate{Status: ci.Set(ci.Passed)}})
	must(t, s, young, ci.Update{Build: &ci.BuildUpdate{Status: ci.Set(ci.Passed)}})
	sqlExec(t, url, `UPDATE build_heads SET ended_at = ended_at - interval '91 days' WHERE build = (SELECT min(id) FROM builds)`)
	sqlExec(t, url, `UPDATE feed SET at = at - interval '91 days'`)

	var project, kept string
	var builds int
	if err := pgtest.Connect(t, url).QueryRow(t.Context(), snippets[0][1]).Scan(&project, &builds, &kept); err != nil || project != "acme/api" || builds != 2 || kept == "0 bytes" {
		t.Errorf("the most is taken by %q with %d builds and %s, %v", project, builds, kept, err)
	}
	sqlExec(t, url, snippets[1][1])

	for _, table := range []string{"build_heads", "steps", "events"} {
		if !sqlBool(t, url, `SELECT count(DISTINCT build) = 1 FROM `+table) {
			t.Errorf("%s are not those of one build", table)
		}
	}
	if _, err := s.Page(t.Context(), log, 0, ci.Filter{}); !errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
		t.Errorf("a page of what was deleted: %v", err)
	}
	if got := textOf(t, all(t, s, logOf(t, s, young), ci.Filter{}), "test"); got != "x" {
		t.Errorf("the log of what was not: %q", got)
	}
	if !sqlBool(t, url, `SELECT count(*) = 1 AND max(id) > 1 FROM feed`) {
		t.Error("of the feed not the newest event is left")
	}
	third := create(t, s, "acme/api")
	snap, err := s.Build(t.Context(), third)
	if err != nil || snap.Build.Number != 3 || snap.Epoch != before.Epoch {
		t.Errorf("the next build: %+v, %v", snap, err)
	}
}
