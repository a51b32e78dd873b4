package ci

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestState_Promises lets random reporters loose on a build, with losses and
// waits between, and holds the state machine to what its package promises:
//
//   - a refused request leaves the state exactly as it was, and so does Undo;
//   - a repeated request appends nothing and changes nothing;
//   - ids are dense; what changed has an event, and events are what changed;
//   - the log text put together from the events is what was sent, and so are
//     the notes;
//   - no more text is kept than the quota at its time; a log that was cut has
//     nothing after it but the length of the rest, and a flood of that appends
//     nothing;
//   - the newest event of everything shows it as it is.
func TestState_Promises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := []StepKey{"a", "b", "c", "d/e"}
		s := &story{tb: t, now: testStart}
		s.state = NewState(7, 0, Build{Project: "acme/api", Number: 3}, time.Time{}, nil)
		change, err := s.state.Create(Creation{Project: "acme/api", Steps: []StepUpdate{{Key: "a"}, {Key: "b"}}}, s.now)
		if err != nil {
			t.Fatal(err)
		}
		log := change.Events
		quota := rapid.SampledFrom([]int64{0, 0, 1, 15, 40, 70})
		texts := make(map[StepKey][]byte)
		for _, key := range keys {
			texts[key] = rapid.SliceOfN(rapid.SampledFrom([]byte("ab\n\"\\\x1b\xe2\x82\xac\xff")), 40, 40).Draw(t, "text")
		}

		for range rapid.IntRange(1, 30).Draw(t, "requests") {
			s.state.Quotas = Quotas{Build: quota.Draw(t, "quota"), Project: quota.Draw(t, "project's quota"), Spent: quota.Draw(t, "spent")}
			s.now = s.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1000, int(23 * time.Hour / time.Millisecond)}).Draw(t, "later")) * time.Millisecond)
			before := cloneState(s.state)
			if key := rapid.SampledFrom([]StepKey{"a", "b", "build", "", "", "", ""}).Draw(t, "lose"); key != "" {
				lose := s.state.LoseBuild
				if key != "build" {
					lose = func(now time.Time) *Change { return s.state.LoseStep(key, now) }
				}
				change := lose(s.now)
				log = append(log, change.Events...)
				mustBeConsistent(t, s.state, before, change, log)
				continue
			}
			request := drawRequest(t, keys, texts)
			for _, step := range s.state.Steps {
				if step.Cut != (Quota{}) && rapid.IntRange(0, 3).Draw(t, "prove the cut log") == 0 {
					length := step.LogBytes + int64(rapid.IntRange(0, 40-int(step.LogBytes)).Draw(t, "rest"))
					request.Updates = append(request.Updates, Update{Step: &StepUpdate{Key: step.Key, Status: Set(Passed), LogBytes: Set(length)}})
				}
			}

			change, err := s.state.Decide(request, s.now)
			if err != nil {
				if AsProblem(err) == nil {
					t.Fatalf("not a problem: %v", err)
				}
				mustEqualStates(t, "refused", before, s.state)
				continue
			}
			mustKeepQuotas(t, before, s.state, request, change)
			change.Undo()
			mustEqualStates(t, "undone", before, s.state)
			if change, err = s.state.Decide(request, s.now); err != nil {
				t.Fatalf("decided again after Undo: %v", err)
			}
			log = append(log, change.Events...)
			mustBeConsistent(t, s.state, before, change, log)

			after := cloneState(s.state)
			s.state.Quotas.Spent += change.Kept
			after.Quotas = s.state.Quotas
			again, err := s.state.Decide(request, s.now.Add(time.Millisecond))
			if err != nil {
				t.Fatalf("a repeat was refused: %v\n%s", err, mustJSON(request))
			}
			if len(again.Events) > 0 {
				t.Fatalf("a repeat appended %s\n%s", shown(again), mustJSON(request))
			}
			mustEqualStates(t, "repeated", after, s.state)
		}

		for _, key := range keys {
			notes := int64(0)
			var counted Step
			for _, e := range log {
				if e.Kind != KindNote || e.Step != key {
					continue
				}
				if want := noteOf(key, notes); !equalJSON(e.Note, want) || !bytes.Equal(e.Data, noteData(testStart, want)) {
					t.Fatalf("step %s: note %d is %s", key, notes, e.Data)
				}
				counted.count(&e.Note.Note)
				notes++
			}
			if step := s.state.Step(key); step != nil && (step.Notes != notes || step.Annotations != counted.Annotations || step.Tests != counted.Tests) {
				t.Fatalf("step %s: %d notes in the events, the state has %s", key, notes, mustJSON(step))
			}
			var got []byte
			var cut Quota
			end, holes := int64(0), 0
			for _, e := range log {
				if e.Kind != KindLog || e.Step != key {
					continue
				}
				if e.Offset != end {
					t.Fatalf("step %s: an event at %d after %d bytes", key, e.Offset, end)
				}
				if want := int64(bytes.Count(got, []byte{'\n'})) + 1; e.Line != want {
					t.Fatalf("step %s: line %d, want %d", key, e.Line, want)
				}
				if end += e.Bytes(); e.Lost > 0 {
					if holes++; e.Quota == (Quota{}) || cut != (Quota{}) && e.Quota != cut {
						t.Fatalf("step %s: a hole for %q after one for %q", key, e.Quota, cut)
					}
					cut = e.Quota
				} else if cut != (Quota{}) {
					t.Fatalf("step %s: text at %d of a log that was cut", key, e.Offset)
				}
				got = e.Chunk.AppendRaw(got)
			}
			if holes > 2 {
				t.Fatalf("step %s: %d holes tell of one cut", key, holes)
			}
			if !bytes.Equal(got, texts[key][:len(got)]) {
				t.Fatalf("step %s: %q came out of %q", key, got, texts[key])
			}
			if step := s.state.Step(key); step != nil && (step.LogBytes != end || step.LogBytes-step.Holes != int64(len(got)) || step.Cut != cut) {
				t.Fatalf("step %s: %d bytes in the events, %d of them text, cut for %q; the state has %s", key, end, len(got), cut, mustJSON(step))
			}
		}
	})
}

// mustKeepQuotas holds a change to the quotas that it was decided with: what
// is kept fits, and what is taken and not kept has been told of by one hole.
func mustKeepQuotas(t *rapid.T, before, after *State, r Request, c *Change) {
	kept := int64(0)
	for _, e := range c.Events {
		if kept += e.Chunk.Bytes; e.Quota != (Quota{}) && before.Step(e.Step) != nil && before.Step(e.Step).Cut != (Quota{}) && !after.Step(e.Step).LogComplete {
			t.Fatalf("step %s was cut and gets another hole of %d bytes before its end", e.Step, e.Lost)
		}
	}
	if kept != c.Kept || after.Text != before.Text+kept {
		t.Fatalf("%d bytes of text in the events, %d in the change, and the build went from %d to %d", kept, c.Kept, before.Text, after.Text)
	}
	if n := before.Quotas.Build; n > 0 && kept > max(0, n-before.Text) {
		t.Fatalf("%d bytes are kept, the build's quota is %d and %d were used", kept, n, before.Text)
	}
	if n := before.Quotas.Project; n > 0 && kept > max(0, n-before.Quotas.Spent) {
		t.Fatalf("%d bytes are kept, the project's quota is %d and %d were used", kept, n, before.Quotas.Spent)
	}
	for _, step := range after.Steps {
		proven := slices.ContainsFunc(r.Updates, func(u Update) bool {
			return u.Step != nil && u.Step.Key == step.Key && u.Step.LogBytes.Present && u.Step.LogBytes.Value == step.LogBytes
		})
		if old := before.Step(step.Key); step.LogComplete && (old == nil || !old.LogComplete) && !proven {
			t.Fatalf("step %s is complete at %d bytes, which nobody said", step.Key, step.LogBytes)
		}
		if old := before.Step(step.Key); old != nil && old.Cut != (Quota{}) && step.Cut != old.Cut {
			t.Fatalf("step %s was cut for %q and is for %q", step.Key, old.Cut, step.Cut)
		}
	}
}

// drawRequest draws what can be repeated blindly: it gives no field two values
// and clears none (there the last write wins), and names every offset.
func drawRequest(t *rapid.T, keys []StepKey, texts map[StepKey][]byte) (r Request) {
	reported := rapid.SampledFrom([]Status{"", Queued, Running, Running, Passed, Failed, Canceled, Skipped})
	coin := func(what string) bool { return rapid.IntRange(0, 4).Draw(t, what) == 0 }
	status := func() (f Field[Status]) {
		if st := reported.Draw(t, "status"); st != "" {
			f = Set(st)
		}
		return f
	}
	reportedAt := Set(testStart.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "at")) * time.Hour))
	name := Set(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name"))
	exit := Set(rapid.IntRange(0, 1).Draw(t, "exit"))
	need := Set([]StepKey{rapid.SampledFrom(keys).Draw(t, "need")})
	for range rapid.IntRange(0, 5).Draw(t, "updates") {
		key := rapid.SampledFrom(keys).Draw(t, "key")
		switch rapid.IntRange(0, 11).Draw(t, "kind") {
		case 0:
			u := &BuildUpdate{Status: status()}
			if coin("describe") {
				u.Title, u.Branch = name, name
			}
			if coin("time") {
				u.StartedAt, u.FinishedAt = reportedAt, reportedAt
			}
			r.Updates = append(r.Updates, Update{Build: u})
		case 1, 2, 3, 4:
			u := &StepUpdate{Key: key, Status: status()}
			if coin("describe") {
				u.Name, u.ExitCode = name, exit
			}
			if coin("needs") {
				u.Needs = need
			}
			if coin("time") {
				u.StartedAt, u.FinishedAt = reportedAt, reportedAt
			}
			if coin("claim") {
				u.Reporter = rapid.SampledFrom([]string{"one", "two"}).Draw(t, "reporter")
			}
			if coin("proof") {
				u.LogBytes = Set(int64(rapid.IntRange(0, 40).Draw(t, "bytes")))
			}
			r.Updates = append(r.Updates, Update{Step: u})
		case 5, 6:
			r.Updates = append(r.Updates, Update{Note: noteOf(key, int64(rapid.IntRange(0, 5).Draw(t, "number")))})
		default:
			from := rapid.IntRange(0, 40).Draw(t, "from")
			to := rapid.IntRange(from, 40).Draw(t, "to")
			r.Updates = append(r.Updates, Update{Log: &LogUpdate{Step: key, Offset: int64(from), At: testStart, Chunk: NewChunk(texts[key][from:to:to])}})
		}
	}
	if coin("alive") {
		r.Alive = append(r.Alive, rapid.SampledFrom(keys).Draw(t, "beat"))
	}
	return r
}

// noteOf is the note of that number that a step's reporter would send.
func noteOf(key StepKey, number int64) *NoteUpdate {
	u := &NoteUpdate{Step: key, Number: number, At: testStart, Line: number / 2}
	switch number % 4 {
	case 0:
		u.Note.Group = &Group{Name: string(key), Level: 1}
	case 1:
		u.Note.GroupEnd = &GroupEnd{Group: number - 1, Duration: 0.5}
	case 2:
		u.Note.Annotation = &Annotation{Level: LevelError, Message: "<wrong>"}
	case 3:
		u.Note.Test = &Test{Name: "TestParse", Status: Failed, Message: "a\nb"}
	}
	return u
}

func mustBeConsistent(t *rapid.T, now, before *State, c *Change, log []Event) {
	for i, e := range log {
		if e.ID != EventID(i+1) {
			t.Fatalf("event %d has the id %d", i+1, e.ID)
		}
	}
	if now.Last != EventID(len(log)) || c.Receipt.Last != now.Last {
		t.Fatalf("the state is at %d, the receipt at %d, the log at %d", now.Last, c.Receipt.Last, len(log))
	}
	if len(c.Events) == 0 {
		mustEqualStates(t, "no event", before, now)
	}
	for _, step := range now.Steps {
		old := before.Step(step.Key)
		if old != nil && old.Reporter != "" && step.Reporter != old.Reporter {
			t.Fatalf("step %s went from the reporter %s to %s", step.Key, old.Reporter, step.Reporter)
		}
		if (old == nil || !equalJSON(old, step)) && !slices.Contains(c.Touched, step) {
			t.Fatalf("step %s changed but is not among the touched", step.Key)
		}
		newest := lastOf(log, func(e Event) bool { return e.Kind == KindStep && e.Step == step.Key })
		var shows Step
		if err := json.Unmarshal(newest.Data, &shows); err != nil {
			t.Fatal(err)
		}
		shows.LogBytes, shows.LogLines = step.LogBytes, step.LogLines // log events tell these
		shows.Annotations, shows.Tests = step.Annotations, step.Tests // and note events these
		if !equalJSON(shows, step.Step) {
			t.Fatalf("step %s is %s, its newest event shows %s", step.Key, mustJSON(step.Step), newest.Data)
		}
		if ended := step.Status != Queued && step.Status != Running; ended == step.EndedAt.IsZero() {
			t.Fatalf("step %s is %s and ended at %v", step.Key, step.Status, step.EndedAt)
		}
		if step.Status == Running && now.Build.Status != Running {
			t.Fatalf("step %s is running in a build that is %s", step.Key, now.Build.Status)
		}
	}
	newest := lastOf(log, func(e Event) bool { return e.Kind == KindBuild })
	var shows Build
	if err := json.Unmarshal(newest.Data, &shows); err != nil {
		t.Fatal(err)
	}
	if !equalJSON(shows, now.Build) {
		t.Fatalf("the build is %s, its newest event shows %s", mustJSON(now.Build), newest.Data)
	}
	if c.Build != slices.ContainsFunc(c.Events, func(e Event) bool { return e.Kind == KindBuild }) {
		t.Fatal("the build's change and its event do not agree")
	}
}

func equalJSON(a, b any) bool { return bytes.Equal(mustJSON(a), mustJSON(b)) }

func lastOf(log []Event, which func(Event) bool) Event {
	for _, e := range slices.Backward(log) {
		if which(e) {
			return e
		}
	}
	return Event{Data: []byte("{}")}
}

// TestState_UndoOfSeveral undoes changes in reverse order, as a batch that was
// not committed does.
func TestState_UndoOfSeveral(t *testing.T) {
	t.Parallel()
	s := newStory(t, "a")
	var changes []*Change
	var before []*State
	for _, line := range []string{"a running", "a log 0 x; b log 0 y", "c needs=a; a note 0 error", "a note 1 passed", "build failed", "c passed"} {
		before = append(before, cloneState(s.state))
		change, err := s.state.Decide(said(t, line), s.now)
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, change)
	}
	for i, change := range slices.Backward(changes) {
		change.Undo()
		mustEqualStates(t, "undone", before[i], s.state)
	}
}
