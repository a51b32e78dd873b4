package server

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stepcast/stepcast/internal/ci"
)

// TestColours_Random cuts random sequences into random rows and asks for what
// is in force at random bytes: what a look from the start finds, whatever is
// remembered of the answers before.
func TestColours_Random(t *testing.T) {
	t.Parallel()
	s := start(t)
	parts := rapid.SampledFrom([]string{
		"text", "\n", "é", "\x1b[31m", "\x1b[32m", "\x1b[1;44m", "\x1b[39m", "\x1b[22m", "\x1b[38;5;9m", "\x1b[7;58:5:3m",
		"\x1b[0m", "\x1b[;3m", "\x1b[31;0;4m", "\x1b[2K", "\x1b[3\n3m", "\x1b[4\x1b[9m", "\x1b[3", "\x1b",
	})
	rapid.Check(t, func(rt *rapid.T) {
		s.colours.far = rapid.SampledFrom([]int64{0, 20, farBack}).Draw(rt, "far")
		build, text := s.create(`{"project":"p"}`), strings.Join(rapid.SliceOfN(parts, 1, 20).Draw(rt, "parts"), "")
		for at := 0; at < len(text); {
			var updates []string
			for range rapid.IntRange(1, 2).Draw(rt, "updates") {
				end := at + ci.CharEnd([]byte(text[at:]), min(len(text)-at, rapid.IntRange(1, 12).Draw(rt, "bytes")))
				if end > at {
					updates = append(updates, logText("a", at, text[at:end]))
				}
				at = end
			}
			s.update(build, strings.Join(updates, ","))
		}
		id, err := ci.ParseBuildID(strings.TrimPrefix(build, "/api/v1/builds/"))
		if err != nil {
			rt.Fatal(err)
		}
		extent, err := s.store.StepLog(t.Context(), id, "a")
		if err != nil {
			rt.Fatal(err)
		}
		for _, place := range rapid.SliceOfN(rapid.IntRange(0, len(text)), 10, 40).Draw(rt, "places") {
			var want sgr
			want.write([]byte(text[:place]))
			got, err := s.colours.at(t.Context(), &extent, int64(place))
			if err != nil || got.String() != want.String() {
				rt.Fatalf("after %q: %q, %v, want %q", text[:place], got.String(), err, want.String())
			}
		}
	})
}
