package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
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
