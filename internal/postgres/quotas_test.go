package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// logRows is how many rows a build's log has.
func logRows(t *testing.T, url string, log ci.LogID, want int) {
	t.Helper()
	if !sqlBool(t, url, fmt.Sprintf(`SELECT count(*) = %d FROM events WHERE build = %d`, want, log)) {
		t.Fatalf("there are not %d rows", want)
	}
}

// A flood beyond a build's quota, on two processes in turn, costs one event.
// What came before it, statuses, notes and heartbeats are as they would be
// without, and the log's length is proven at the end.
func TestStore_AFloodBeyondTheQuotaIsOneHole(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	var stores [2]*postgres.Store
	for i := range stores {
		stores[i], _, _ = startWith(t, postgres.Config{URL: url, BuildLog: 1000})
	}
	id := create(t, stores[0], "acme/api")
	line := strings.Repeat("x", 99) + "\n"
	const flood = 200
	for i := range int64(flood) {
		r := must(t, stores[i/7%2], id, text("test", 100*i, line))
		if r.Logs["test"] != 100*(i+1) || (r.Cut != nil) != (i >= 10) {
			t.Fatalf("line %d: %+v", i, r)
		}
	}
	if r := must(t, stores[1], id, text("other", 0, "no room\n")); r.Cut["other"] != (ci.Quota{Of: ci.OfBuild, Bytes: 1000}) {
		t.Fatalf("another step of the build: %+v", r)
	}
	note := ci.NoteUpdate{Step: "test", At: ci.Cut(time.Now()), Note: ci.Note{Annotation: &ci.Annotation{Level: ci.LevelError, Message: "broken"}}}
	must(t, stores[0], id, ci.Update{Note: &note})
	end := ci.Update{Step: &ci.StepUpdate{Key: "test", Status: ci.Set(ci.Failed), LogBytes: ci.Set(int64(100 * flood))}}
	for _, s := range stores {
		if _, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{end}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{text("test", 3000, line)}}); err != nil {
			t.Fatalf("a repeat after the end: %v", err)
		}
	}

	log := logOf(t, stores[1], id)
	events := all(t, stores[1], log, ci.Filter{Steps: []ci.StepKey{"test"}})
	var kept int
	var holes []ci.Event
	for _, e := range all(t, stores[1], log, ci.Filter{}) {
		switch {
		case e.Kind != ci.KindLog || e.Step != "test":
		case e.Lost > 0:
			holes = append(holes, e)
		case len(holes) > 0:
			t.Fatalf("text at %d, after the cut", e.Offset)
		default:
			kept += int(e.Chunk.Bytes)
		}
	}
	if kept != 1000 || len(holes) != 2 || holes[0].Offset != 1000 || holes[1].End() != 100*flood {
		t.Fatalf("%d bytes are kept, the holes are %+v", kept, holes)
	}
	for _, e := range holes {
		if e.Quota != (ci.Quota{Of: ci.OfBuild, Bytes: 1000}) {
			t.Fatalf("the hole at %d is of %v", e.Offset, e.Quota)
		}
	}
	wantDense(t, all(t, stores[1], log, ci.Filter{}))
	if last := events[len(events)-1]; last.Kind != ci.KindStep {
		t.Fatalf("the newest event is a %s", last.Kind)
	}
	// build; step, 10 lines, hole; step and hole of the other; note; hole, end.
	extent, err := stores[0].StepLog(t.Context(), id, "test")
	if err != nil {
		t.Fatal(err)
	}
	if len(extent.Holes) != 1 || extent.Holes[0] != (postgres.Hole{Offset: 1000, Bytes: 100*flood - 1000}) || !extent.Over || !extent.Step.LogComplete {
		t.Fatalf("the log is %+v", extent)
	}
	if events := len(all(t, stores[1], log, ci.Filter{})); events > 25 {
		t.Fatalf("%d events came of it", events)
	}
	logRows(t, url, log, len(all(t, stores[1], log, ci.Filter{})))
}

// A project's quota counts what all its builds on all processes have kept, once
// these have told each other.
func TestStore_AProjectsQuotaIsOfAllItsBuildsAndProcesses(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	var stores [2]*postgres.Store
	for i := range stores {
		stores[i], _, _ = startWith(t, postgres.Config{URL: url, ProjectLog: 1000})
	}
	count := func() {
		t.Helper()
		for range 2 {
			for _, s := range stores {
				if err := s.CountTexts(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	first, second, other := create(t, stores[0], "acme/api"), create(t, stores[1], "acme/api"), create(t, stores[1], "acme/web")
	must(t, stores[0], first, text("test", 0, strings.Repeat("x", 600)))
	must(t, stores[1], second, text("test", 0, "y\n"))
	must(t, stores[1], other, text("test", 0, strings.Repeat("z", 900)))
	count()
	if r := must(t, stores[1], second, text("test", 2, strings.Repeat("y", 300))); r.Cut != nil {
		t.Fatalf("902 of 1000: %+v", r)
	}
	count()
	if r := must(t, stores[0], first, text("test", 600, strings.Repeat("x", 200))); r.Cut["test"] != (ci.Quota{Of: ci.OfProject, Bytes: 1000}) || r.Logs["test"] != 800 {
		t.Fatalf("1102 of 1000: %+v", r)
	}
	if r := must(t, stores[1], other, text("test", 900, "z")); r.Cut != nil {
		t.Fatalf("another project: %+v", r)
	}
	count()

	// It is of a day.
	sqlExec(t, url, `UPDATE project_texts SET hour = hour - interval '25 hours'`)
	count()
	if r := must(t, stores[1], second, text("test", 302, strings.Repeat("y", 300))); r.Cut != nil {
		t.Fatalf("on the next day: %+v", r)
	}
	if r := must(t, stores[0], first, text("test", 800, "x")); r.Cut == nil {
		t.Fatal("a log that was cut goes on")
	}
}
