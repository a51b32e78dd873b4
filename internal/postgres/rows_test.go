package postgres

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stepcast/stepcast/internal/ci"
)

func TestRow_KeepsEventsExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := ci.Event{ID: ci.EventID(rapid.Int64Range(1, 1<<40).Draw(t, "id")), Kind: ci.KindLog, Step: "s",
			Offset: rapid.Int64Range(0, 1<<40).Draw(t, "offset"), Line: rapid.Int64Range(1, 1<<30).Draw(t, "line")}
		var want []ci.Event
		var entries []entry
		next := first
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			e := next
			e.At = time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "at")).UTC()
			if rapid.IntRange(0, 9).Draw(t, "hole") == 0 {
				e.Lost = rapid.Int64Range(1, 1<<50).Draw(t, "lost")
				if rapid.Bool().Draw(t, "over a quota") {
					e.Quota = ci.Quota{Of: ci.OfProject, Bytes: rapid.Int64Range(1, 1<<50).Draw(t, "quota")}
				}
			} else {
				raw := rapid.SliceOfN(rapid.Byte(), 1, 2000).Draw(t, "text")
				e.Chunk = ci.NewChunk(raw)
			}
			want, entries = append(want, e), append(entries, entry{e.At, e.Chunk, e.Lost, e.Quota})
			next.ID++
			next.Offset += e.Bytes()
			next.Line += e.Chunk.Lines
		}
		b := encodeBody(entries)
		got, err := decodeBody(nil, b, len(entries), first)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got { // an empty body and none are the same
			if len(got[i].Chunk.Body) == 0 {
				got[i].Chunk.Body = nil
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 2, 'x'}, 1, false)
	b := encodeBody([]entry{{at: time.Unix(1, 0), chunk: ci.NewChunk(bytes.Repeat([]byte("line\n"), 200))}})
	f.Add(b.data, 1, true)
	f.Fuzz(func(t *testing.T, data []byte, n int, packed bool) {
		form := int16(0)
		if packed {
			form = formZstd
		}
		events, err := decodeBody(nil, body{form, data}, min(max(n, 0), maxRowEvents), ci.Event{ID: 1})
		if err != nil && events != nil {
			t.Fatal("events of a damaged row")
		}
	})
}

// The prepared bodies must be used only for exactly what they were made of.
func TestPrepare_IsUsedOnlyForWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state := ci.NewState(1, 1, ci.Build{Status: ci.Queued}, time.Time{}, nil)
		now := time.Unix(1_700_000_000, 0)
		sent := map[ci.StepKey][]byte{}
		for range rapid.IntRange(1, 5).Draw(t, "requests") {
			var r ci.Request
			for range rapid.IntRange(1, 8).Draw(t, "updates") {
				step := ci.StepKey(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "step"))
				have := sent[step]
				back := rapid.IntRange(0, min(len(have), 30)).Draw(t, "overlap")
				fresh := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\n\xff")), 1, 40).Draw(t, "text")
				offset := len(have) - back
				raw := append(bytes.Clone(have[offset:]), fresh...)
				sent[step] = append(have, fresh...)
				r.Updates = append(r.Updates, ci.Update{Log: &ci.LogUpdate{Step: step, Offset: int64(offset), At: now, Chunk: ci.NewChunk(raw)}})
			}
			ready := prepare(&r)
			change, err := state.Decide(r, now)
			if err != nil {
				t.Fatal(err)
			}
			rows := rowsOf(nil, change, ready, func(key ci.StepKey) int { return len(key) })
			var got []ci.Event
			for _, row := range rows {
				if row.kind != kindLog {
					continue
				}
				first := ci.Event{ID: row.first, Kind: ci.KindLog, Offset: *row.offset, Line: *row.line}
				if got, err = decodeBody(got, body{row.form, row.body}, int(row.last-row.first)+1, first); err != nil {
					t.Fatal(err)
				}
			}
			i := 0
			for _, e := range change.Events {
				if e.Kind != ci.KindLog {
					continue
				}
				if got[i].ID != e.ID || got[i].Offset != e.Offset || !bytes.Equal(got[i].Chunk.AppendRaw(nil), e.Chunk.AppendRaw(nil)) {
					t.Fatalf("event %d was stored as %q at %d, want %q at %d", e.ID, got[i].Chunk.AppendRaw(nil), got[i].Offset, e.Chunk.AppendRaw(nil), e.Offset)
				}
				i++
			}
			if i != len(got) {
				t.Fatalf("%d events stored, want %d", len(got), i)
			}
		}
	})
}

// The rows of any notes hold the bytes of their events, each row of one step
// and one sort.
func TestRow_KeepsNotesExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state := ci.NewState(1, 1, ci.Build{Status: ci.Running}, time.Time{}, nil)
		var r ci.Request
		numbers := map[ci.StepKey]int64{}
		for range rapid.IntRange(1, 600).Draw(t, "notes") {
			u := &ci.NoteUpdate{Step: ci.StepKey(rapid.SampledFrom([]string{"a", "a", "a", "bb"}).Draw(t, "step"))}
			text := rapid.SampledFrom([]string{"", "x", "a\nb\r\u2028\x00", string(bytes.Repeat([]byte("\x01"), ci.MaxNoteMessage))}).Draw(t, "text")
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				u.Note.Group = &ci.Group{Name: text}
			case 1:
				u.Note.GroupEnd = &ci.GroupEnd{Group: numbers[u.Step]}
			case 2:
				u.Note.Annotation = &ci.Annotation{Level: rapid.SampledFrom([]ci.Level{ci.LevelError, ci.LevelNotice}).Draw(t, "level"), Message: text}
			default:
				u.Note.Test = &ci.Test{Status: rapid.SampledFrom([]ci.Status{ci.Passed, ci.Passed, ci.Failed}).Draw(t, "status"), Message: text}
			}
			u.Number = numbers[u.Step]
			numbers[u.Step]++
			r.Updates = append(r.Updates, ci.Update{Note: u})
		}
		change, err := state.Decide(r, time.Unix(1_700_000_000, 0))
		if err != nil {
			t.Fatal(err)
		}
		want := change.Events
		for _, row := range rowsOf(nil, change, nil, func(key ci.StepKey) int { return len(key) }) {
			if row.kind != kindNote {
				want = want[1:]
				continue
			}
			n := int(row.last-row.first) + 1
			got, err := decodeNotes(nil, body{row.form, row.body}, n, ci.Event{ID: row.first, Kind: ci.KindNote})
			if err != nil {
				t.Fatal(err)
			}
			size := int64(n - 1)
			for i, e := range got {
				w := want[i]
				if e.ID != w.ID || !bytes.Equal(e.Data, w.Data) || len(w.Step) != row.step || sortOf(&w.Note.Note) != noteSort(row.form>>formSort) || w.Note.Number != *row.offset+int64(i) {
					t.Fatalf("event %d of row %+v is %s, want %s", e.ID, row, e.Data, w.Data)
				}
				size += int64(len(e.Data))
			}
			if end := want[0].Note.Note.GroupEnd; *row.bytes != size || (row.line == nil) != (end == nil) || end != nil && (n > 1 || *row.line != end.Group) {
				t.Fatalf("row %+v of %d events of %d bytes", row, n, size)
			}
			if n > maxRowEvents || n > 1 && size > maxRowBytes+int64(n) {
				t.Fatalf("a row of %d notes and %d bytes", n, size)
			}
			want = want[n:]
		}
		if len(want) > 0 {
			t.Fatalf("%d events in no row", len(want))
		}
	})
}

func FuzzDecodeNotes(f *testing.F) {
	f.Add([]byte(`{"a":1}`), 1, false)
	f.Add([]byte("{}\n{}"), 2, false)
	f.Add([]byte("{}\n"), 2, false)
	b, _ := encodeNotes(sortPassed, []ci.Event{{Data: bytes.Repeat([]byte("x"), 600)}, {Data: []byte("y")}})
	f.Add(b.data, 2, true)
	f.Fuzz(func(t *testing.T, data []byte, n int, packed bool) {
		form := int16(0)
		if packed {
			form = formZstd
		}
		n = min(max(n, 0), maxRowEvents)
		events, err := decodeNotes(nil, body{form, data}, n, ci.Event{ID: 1})
		if err == nil && len(events) != n || err != nil && events != nil {
			t.Fatalf("%d events of a row of %d, %v", len(events), n, err)
		}
	})
}

// Text of steps in turn is a row each time, which takes the database longer than the same
// text of one step after the other.
func TestWeight_OfRows(t *testing.T) {
	t.Parallel()
	of := func(steps ...ci.StepKey) int {
		state := ci.NewState(1, 1, ci.Build{Status: ci.Running}, time.Time{}, nil)
		var r ci.Request
		for _, step := range steps {
			r.Updates = append(r.Updates, ci.Update{Log: &ci.LogUpdate{Step: step, Offset: ci.AtEnd, Chunk: ci.NewChunk([]byte("text\n"))}})
		}
		change, err := state.Decide(r, time.Unix(1_700_000_000, 0))
		if err != nil {
			t.Fatal(err)
		}
		return weight(change)
	}
	if runs, turns := of("a", "a", "a", "b", "b", "b"), of("a", "b", "a", "b", "a", "b"); turns-runs < 3*turnBytes {
		t.Errorf("in turn %d bytes, one after the other %d", turns, runs)
	}
}

// A request that there is no room for is refused before its rows are made.
func TestStore_ReadyRefusesFirst(t *testing.T) {
	t.Parallel()
	s := &Store{}
	c := newCommitter(s)
	s.committers = []*committer{c}
	text := ci.NewChunk(bytes.Repeat([]byte("text\n"), 100_000))
	r := ci.Request{From: "one", Updates: []ci.Update{{Log: &ci.LogUpdate{Step: "s", Chunk: text}}}}
	for {
		ready, err := s.Ready(r)
		if err != nil {
			if p := ci.AsProblem(err); p == nil || p.Code != ci.Overloaded || ready.rows != nil {
				t.Errorf("%v, %d rows", err, len(ready.rows))
			}
			return
		}
		if err := c.queue.Add(r.From, &task{}, ready.size); err != nil {
			t.Fatalf("no room where it was said to be: %v", err)
		}
	}
}

// Notes of one step lie together in rows, as its text does; of steps in turn they do not.
func TestTask_Rows(t *testing.T) {
	t.Parallel()
	note := func(step ci.StepKey) ci.Update { return ci.Update{Note: &ci.NoteUpdate{Step: step}} }
	status := ci.Update{Step: &ci.StepUpdate{Key: "a"}}
	text := ci.Update{Log: &ci.LogUpdate{Step: "a", Chunk: ci.NewChunk([]byte("text\n"))}}
	for want, updates := range map[int][]ci.Update{
		1: {note("a"), note("a"), note("a")},
		2: {status, note("a"), note("a")},
		3: {note("a"), note("b"), note("a")},
		4: {note("a"), text, note("a"), status},
	} {
		r := ci.Request{Updates: updates}
		if got := (&task{request: &r, ready: prepare(&r)}).rows(); got != want {
			t.Errorf("%d rows, want %d", got, want)
		}
	}
}
