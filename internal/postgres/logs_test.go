package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// TestStore_PassesOverRowsWithoutEscapes reads a log backwards for what may
// hold escape sequences. Rows that an earlier release wrote may.
func TestStore_PassesOverRowsWithoutEscapes(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "p")
	for i, piece := range []string{"\x1b[1m one", "two one ", "three  \x1b", "[0m four", "\xff\x1b[2m  !", "\xff\xffbinary", "\\u001b! ", "the end "} {
		must(t, s, id, text("a", int64(8*i), piece))
	}
	must(t, s, id, text("b", 0, "\x1b[1m"))
	read := func(from, to int64, most int) string {
		t.Helper()
		events, err := s.EscapesBack(t.Context(), logOf(t, s, id), "a", from, to, most)
		if err != nil {
			t.Fatal(err)
		}
		offsets := make([]int64, len(events))
		for i := range events {
			offsets[i] = events[i].Offset
		}
		return fmt.Sprint(offsets)
	}
	for _, c := range []struct {
		from, to int64
		most     int
		want     string
	}{
		{0, 64, 10, "[0 16 32 48]"}, // what only looks like an escape is read in vain
		{0, 64, 2, "[32 48]"},
		{0, 33, 10, "[0 16 32]"},
		{0, 32, 10, "[0 16]"},
		{18, 64, 10, "[16 32 48]"},
		{25, 40, 10, "[32]"},
		{56, 64, 10, "[]"},
	} {
		if got := read(c.from, c.to, c.most); got != c.want {
			t.Errorf("the last %d from %d to %d: %s, want %s", c.most, c.from, c.to, got, c.want)
		}
	}
	before := all(t, s, logOf(t, s, id), ci.Filter{})
	sqlExec(t, url, `UPDATE events SET form = form & ~4 WHERE kind = 2 AND log_offset >= 32`)
	if got, want := read(0, 64, 10), "[0 16 32 40 48 56]"; got != want {
		t.Errorf("with rows of before: %s, want %s", got, want)
	}
	if got, want := textOf(t, all(t, s, logOf(t, s, id), ci.Filter{}), "a"), textOf(t, before, "a"); got != want {
		t.Errorf("the log is %q, want %q", got, want)
	}
}

// TestStore_HolesAreBounded tells of a log no more holes than a header has room for, and
// looks for them no further than through its first rows with some.
func TestStore_HolesAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "p")
	lost := func(step ci.StepKey, offset, bytes int64) ci.Update {
		return ci.Update{Log: &ci.LogUpdate{Step: step, Offset: offset, Lost: bytes}}
	}
	var rows, apart []ci.Update
	for i := range int64(70) { // a row each, and together
		rows = append(rows, lost("rows", 7*i, 7), text("other", 2*i, "x\n"))
		apart = append(apart, lost("apart", 3*i, 1), text("apart", 3*i+1, "x\n"))
	}
	must(t, s, id, rows...)
	must(t, s, id, apart[:128]...)
	for _, c := range []struct {
		step        ci.StepKey
		n           int
		first, last postgres.Hole
		more        bool
	}{
		{"rows", 1, postgres.Hole{Bytes: 7 * 64}, postgres.Hole{Bytes: 7 * 64}, true},
		{"apart", 64, postgres.Hole{Bytes: 1}, postgres.Hole{Offset: 3 * 63, Bytes: 1}, false},
		{"other", 0, postgres.Hole{}, postgres.Hole{}, false},
	} {
		log, err := s.StepLog(t.Context(), id, c.step)
		if err != nil {
			t.Fatal(err)
		}
		if len(log.Holes) != c.n || log.More != c.more || c.n > 0 && (log.Holes[0] != c.first || log.Holes[c.n-1] != c.last) {
			t.Errorf("%s: %v, more %v", c.step, log.Holes, log.More)
		}
	}
	must(t, s, id, apart[128:]...)
	if log, err := s.StepLog(t.Context(), id, "apart"); err != nil || len(log.Holes) != 64 || !log.More {
		t.Errorf("apart: %d holes, more %v, %v", len(log.Holes), log.More, err)
	}
}
