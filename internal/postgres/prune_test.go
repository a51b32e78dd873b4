package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Old builds go without a rest, and nothing else does: what is younger, what is
// kept, what somebody writes to, the feed's end, the history that readers' places
// belong to.
func TestPrune_DeletesOldBuilds(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	passed := ci.Update{Build: &ci.BuildUpdate{Status: ci.Set(ci.Passed)}}
	old, young := create(t, s, "acme/api"), create(t, s, "acme/api")
	before := must(t, s, young, text("test", 0, "x"))
	log := logOf(t, s, old)
	must(t, s, old, text("test", 0, "old"), passed)
	must(t, s, young, passed)
	other := create(t, s, "other/api")
	must(t, s, other, passed)
	sqlExec(t, url, `
		UPDATE build_heads SET ended_at = ended_at - interval '91 days' WHERE build IN (SELECT id FROM builds WHERE number = 1);
		UPDATE feed SET at = at - interval '91 days' WHERE id < (SELECT max(id) FROM feed)`)
	prune := func(dry bool, p postgres.Pruning, builds, bytes, events int64) {
		t.Helper()
		p.OlderThan = 90 * 24 * time.Hour
		done, err := postgres.Prune(t.Context(), url, ada, p, dry)
		if err != nil || done.Builds != builds || done.Bytes != bytes || done.Events != events {
			t.Errorf("%+v: %+v, %v; want %d builds, %d bytes, %d events", p, done, err, builds, bytes, events)
		}
	}
	var events int64
	for _, e := range all(t, s, ci.FeedLog, ci.Filter{}) {
		events = int64(e.ID) - 1
	}

	prune(true, postgres.Pruning{}, 2, 3, events)
	prune(true, postgres.Pruning{Keep: 1}, 1, 3, events)
	prune(false, postgres.Pruning{Keep: 2}, 0, 0, events)
	prune(false, postgres.Pruning{Project: "acme/*", Keep: 2}, 0, 0, 0)
	if got := lines(t, s, "*", "*"); len(got) > 0 {
		t.Errorf("nothing was deleted, and told of: %q", got)
	}
	writer := pgtest.Connect(t, url)
	if _, err := writer.Exec(t.Context(), `BEGIN; SELECT FROM build_heads FOR NO KEY UPDATE`); err != nil {
		t.Fatal(err)
	}
	prune(false, postgres.Pruning{}, 0, 0, 0)
	if _, err := writer.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{1, 0} { // again there is nothing left to do
		prune(false, postgres.Pruning{Project: "acme/*"}, n, 3*n, 0)
	}

	if got := lines(t, s, "*", "acme/*"); len(got) != 1 || !strings.HasPrefix(got[0], ada.Name+` build.prune acme/* {"keep": 0, "log_bytes": 3, "ended_before": "`) {
		t.Errorf("told of: %q", got)
	}
	for _, table := range []string{"build_heads", "steps", "events"} {
		if sqlBool(t, url, fmt.Sprintf(`SELECT EXISTS (SELECT FROM %s WHERE build NOT IN (SELECT id FROM builds))`, table)) {
			t.Errorf("%s are left of what was deleted", table)
		}
	}
	if _, err := s.Page(t.Context(), log, 0, ci.Filter{}); !errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
		t.Errorf("a page of what was deleted: %v", err)
	}
	if got := textOf(t, all(t, s, logOf(t, s, young), ci.Filter{}), "test"); got != "x" {
		t.Errorf("the log of what was not: %q", got)
	}
	if _, err := s.Build(t.Context(), other); err != nil {
		t.Errorf("a build of another project: %v", err)
	}
	if feed := all(t, s, ci.FeedLog, ci.Filter{}); len(feed) != 1 || int64(feed[0].ID) != events+1 {
		t.Errorf("of the feed more than the newest event is left, or less: %v", feed)
	}
	third := create(t, s, "acme/api")
	snap, err := s.Build(t.Context(), third)
	if err != nil || snap.Build.Number != 3 || snap.Epoch != before.Epoch {
		t.Errorf("the next build: %+v, %v", snap, err)
	}
}

// The feed has no holes: what is old behind something young stays, and all of
// the last days.
func TestPrune_TakesTheFeedFromItsBeginning(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	for range 6 {
		create(t, s, "acme/api")
	}
	sqlExec(t, url, `UPDATE feed SET at = at - interval '9 days' WHERE id IN (1, 2, 4); UPDATE feed SET at = at - interval '7 days' WHERE id = 3`)
	done, err := postgres.Prune(t.Context(), url, ada, postgres.Pruning{OlderThan: postgres.PruneAfter}, false)
	var ids []ci.EventID
	for _, e := range all(t, s, ci.FeedLog, ci.Filter{}) {
		ids = append(ids, e.ID)
	}
	if err != nil || done.Events != 2 || !slices.Equal(ids, []ci.EventID{3, 4, 5, 6}) {
		t.Errorf("%+v, %v: %v are left", done, err, ids)
	}
}
