package ci

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shownLog is the log events of a change: the text, or <n of> for a hole.
func shownLog(c *Change) string {
	var out []string
	for _, e := range c.Events {
		switch {
		case e.Kind != KindLog:
		case e.Lost > 0:
			out = append(out, string(e.AppendData(nil)[strings.Index(string(e.AppendData(nil)), `"offset"`):]))
		default:
			out = append(out, string(e.Chunk.AppendRaw(nil)))
		}
	}
	return strings.Join(out, "|")
}

// TestQuota_CutsALogOnce tells the story of one log that grows beyond its
// build's quota: what fits is kept, in whole lines; one hole says that the rest
// is not; a flood of it is taken and appends nothing; and the length that the
// runner proves at the end makes the second and last hole.
func TestQuota_CutsALogOnce(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b")
	s.state.Quotas = Quotas{Build: 16}
	say := func(step StepKey, offset int64, text string) *Change {
		t.Helper()
		c, err := s.state.Decide(Request{Updates: []Update{{Log: &LogUpdate{Step: step, Offset: offset, Chunk: NewChunk([]byte(text))}}}}, s.now)
		if err != nil {
			t.Fatalf("%q at %d: %v", text, offset, err)
		}
		return c
	}
	tell := func(want string, c *Change) {
		t.Helper()
		if got := shownLog(c); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	tell("one\n", say("a", 0, "one\n"))
	c := say("a", 4, "two two\nthree three\nfour")
	tell("two two\n|"+`"offset":12,"bytes":16,"lost":16,"quota":{"of":"build","bytes":16,"why":"The rest was not kept: this build's log quota of 16 bytes is used up."}}`, c)
	if c.Receipt.Logs["a"] != 28 || c.Receipt.Cut["a"] != (Quota{OfBuild, 16}) || c.Over != 16 {
		t.Fatalf("the receipt is %+v, over %d", c.Receipt, c.Over)
	}
	for offset := int64(28); offset < 100_000; offset += 1000 {
		c := say("a", offset, strings.Repeat("x", 1000))
		if len(c.Events) > 0 || c.Receipt.Logs["a"] != offset+1000 || len(c.Heard) != 1 {
			t.Fatalf("at %d: %+v", offset, c)
		}
	}
	if c := say("a", AtEnd, "whoever does not count"); len(c.Events) > 0 || c.Receipt.Logs["a"] != 28 {
		t.Fatalf("at the end: %+v", c)
	}

	// What is left of the quota is the other step's.
	tell("12\n|"+`"offset":3,"bytes":3,"lost":3,"quota":{"of":"build","bytes":16,"why":"The rest was not kept: this build's log quota of 16 bytes is used up."}}`, say("b", 0, "12\n34\n"))

	// A quota that is raised does not bring back what was cut.
	s.state.Quotas = Quotas{}
	tell("", say("a", 28, "again"))
	for range 2 { // and the second time it is there already
		c, err := s.state.Decide(Request{Updates: []Update{{Step: &StepUpdate{Key: "a", Status: Set(Passed), LogBytes: Set(int64(1_000_000))}}}}, s.now)
		if err != nil {
			t.Fatal(err)
		}
		if step := s.state.Step("a"); step.LogBytes != 1_000_000 || !step.LogComplete || step.Holes != 1_000_000-12 || step.LogLines != 3 {
			t.Fatalf("the step is %+v", step)
		}
		if len(c.Events) > 0 {
			tell(`"offset":28,"bytes":999972,"lost":999972,"quota":{"of":"build","bytes":16,"why":"The rest was not kept: this build's log quota of 16 bytes is used up."}}`, c)
		}
	}
	if _, err := s.state.Decide(Request{Updates: []Update{{Log: &LogUpdate{Step: "a", Offset: 1_000_000, Chunk: NewChunk([]byte("x"))}}}}, s.now); AsProblem(err) == nil || AsProblem(err).Code != LogComplete {
		t.Fatalf("text beyond the proven end: %v", err)
	}
}

// TestQuota_AsFarAsTheRequestWent sends text of a log that was cut out of order:
// what the receipt counts, and a length is held to, is the furthest of it.
func TestQuota_AsFarAsTheRequestWent(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a")
	s.state.Quotas = Quotas{Build: 4}
	text := func(offset int64) Update {
		return Update{Log: &LogUpdate{Step: "a", Offset: offset, Chunk: NewChunk([]byte("one\n"))}}
	}
	proof := func(length int64) Update {
		return Update{Step: &StepUpdate{Key: "a", Status: Set(Passed), LogBytes: Set(length)}}
	}
	c, err := s.state.Decide(Request{Updates: []Update{text(0), text(4), text(12), text(8)}}, s.now)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Receipt.Logs["a"]; n != 16 {
		t.Fatalf("the receipt counts %d bytes", n)
	}
	short := Request{Updates: []Update{text(12), text(8), proof(15)}}
	if _, err := s.state.Decide(short, s.now); AsProblem(err) == nil || AsProblem(err).Code != LogLonger || *AsProblem(err).Offset != 16 {
		t.Fatalf("a length that is too short: %v", err)
	}
	whole := Request{Updates: []Update{text(12), text(8), proof(16)}}
	for range 2 {
		if _, err := s.state.Decide(whole, s.now); err != nil {
			t.Fatalf("the length: %v", err)
		}
	}
}

// TestQuota_CountsWhatVerySmallPiecesTake sends a byte at a time, and holes: rows take
// more than their text, so once there are many they count by their number.
func TestQuota_CountsWhatVerySmallPiecesTake(t *testing.T) {
	t.Parallel()
	for _, quotas := range []Quotas{{Build: 10 * eventBytes}, {Project: 10*eventBytes + 7, Spent: 7}} {
		for _, piece := range []LogUpdate{{Chunk: NewChunk([]byte("x"))}, {Lost: 1}} {
			if piece.Lost > 0 && quotas.Build == 0 {
				continue // what a day has no room for is no reason to end a log that has a hole in it
			}
			s := newStory(t, "a")
			s.state.Quotas = quotas
			s.state.Last = freeEvents
			piece.Step, piece.Offset = "a", AtEnd
			spent := int64(0)
			for i := range 20 {
				c, err := s.state.Decide(Request{Updates: []Update{{Log: &piece}}}, s.now)
				if err != nil {
					t.Fatal(err)
				}
				if cut := len(c.Receipt.Cut) > 0; cut != (spent >= 10*eventBytes) {
					t.Fatalf("%+v: piece %d of %+v: cut %v after %d", quotas, i, piece, cut, spent)
				}
				if spent += c.Spent; quotas.Project > 0 {
					s.state.Quotas.Spent += c.Spent
				}
			}
			if spent > 12*eventBytes {
				t.Errorf("%+v: %+v: %d of %d are spent", quotas, piece, spent, 10*eventBytes)
			}
		}
	}
}

// TestQuota_OfAProject counts what other builds of the project have used, and
// what the same request has.
func TestQuota_OfAProject(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a", "b")
	s.state.Quotas = Quotas{Build: 100, Project: 1000, Spent: 990}
	c, err := s.state.Decide(Request{Updates: []Update{
		{Log: &LogUpdate{Step: "a", Chunk: NewChunk([]byte("12345"))}},
		{Log: &LogUpdate{Step: "b", Chunk: NewChunk([]byte("1€34567"))}},
	}}, s.now)
	if err != nil {
		t.Fatal(err)
	}
	want := `12345|1€3|"offset":5,"bytes":4,"lost":4,"quota":{"of":"project","bytes":1000,"why":"The rest was not kept: the project's log quota of 1000 bytes a day is used up."}}`
	if got := shownLog(c); got != want || c.Kept != 10 || c.Over != 4 {
		t.Fatalf("got %s, kept %d, over %d; want %s", got, c.Kept, c.Over, want)
	}
}

func TestQuota_IsStoredAsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := Quota{rapid.SampledFrom([]string{OfBuild, OfProject}).Draw(t, "of"), rapid.Int64Min(1).Draw(t, "bytes")}
		if got, ok := ParseQuota(q.String()); !ok || got != q {
			t.Fatalf("%q became %v", q.String(), got)
		}
		text := rapid.String().Draw(t, "text")
		if q, ok := ParseQuota(text); ok && q.String() != text {
			t.Fatalf("%q was read as %v", text, q)
		}
	})
}

func TestQuota_Why(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quota Quota
		want  string
	}{
		{Quota{OfBuild, 4 << 30}, "this build's log quota of 4 GiB is used up"},
		{Quota{OfProject, 3 << 29}, "the project's log quota of 1.5 GiB a day is used up"},
		{Quota{OfBuild, 1}, "this build's log quota of 1 byte is used up"},
		{Quota{OfBuild, 1023}, "this build's log quota of 1023 bytes is used up"},
	} {
		if got := c.quota.Why(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
