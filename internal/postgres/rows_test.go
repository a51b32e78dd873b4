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
			} else {
				raw := rapid.SliceOfN(rapid.Byte(), 1, 2000).Draw(t, "text")
				e.Chunk = ci.NewChunk(raw)
			}
			want, entries = append(want, e), append(entries, entry{e.At, e.Chunk, e.Lost})
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
	b := encodeBody([]entry{{time.Unix(1, 0), ci.NewChunk(bytes.Repeat([]byte("line\n"), 200)), 0}})
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
