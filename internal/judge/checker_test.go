package judge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tale is a history made by hand: one build with one step as several readers
// saw it, complete and right until somebody spoils it.
type tale struct {
	Acked  int64      // bytes of the step's text that were acknowledged
	Notes  int64      // of the step, that were
	Finish bool       // the end of the build was acknowledged
	Saw    [][]sawing // by reader
	Quota  int64      // of the build
}

type sawing struct {
	ID   string
	Kind string // of the event; or live, end
	Data string
}

const talesBuild = "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10"

func statusData(key, status string) string {
	if key == "" {
		return fmt.Sprintf(`{"at":"2026-11-22T10:00:00Z","id":%q,"project":"acme/api","status":%q}`, talesBuild, status)
	}
	return fmt.Sprintf(`{"at":"2026-11-22T10:00:00Z","key":%q,"status":%q}`, key, status)
}

func logData(offset, n int64) string {
	text := TextOf(talesBuild, "test")
	quoted, _ := json.Marshal(string(text.Append(nil, offset, n)))
	return fmt.Sprintf(`{"at":"2026-11-22T10:00:00Z","step":"test","line":%d,"offset":%d,"bytes":%d,"text":%s}`, text.Line(offset), offset, n, quoted)
}

func noteData(number int64) string {
	return fmt.Sprintf(`{"at":"2026-11-22T10:00:00Z","step":"test","number":%d,"line":%d,"test":{"name":%q,"status":"passed"}}`, number, number+1, noteName(number))
}

// goodTale has as many log events as asked for, of one to three lines each.
func goodTale(events, readers int) *tale {
	width := TextOf(talesBuild, "test").Width()
	saw := []sawing{{Kind: "build", Data: statusData("", "queued")}, {Kind: "step", Data: statusData("test", "queued")},
		{Kind: "build", Data: statusData("", "running")}, {Kind: "step", Data: statusData("test", "running")}}
	t := &tale{Finish: true}
	for i := range events {
		n := width * int64(1+i%3)
		saw = append(saw, sawing{Kind: "log", Data: logData(t.Acked, n)})
		t.Acked += n
	}
	saw = append(saw, sawing{Kind: "step", Data: statusData("test", "passed")}, sawing{Kind: "build", Data: statusData("", "passed")})
	for ; t.Notes < 2; t.Notes++ {
		saw = append(saw, sawing{Kind: "note", Data: noteData(t.Notes)})
	}
	for range readers {
		t.Saw = append(t.Saw, number(slices.Clone(saw)))
	}
	return t
}

// number gives events the ids 1, 2, 3 … and ends the stream.
func number(saw []sawing) []sawing {
	n := 0
	for i := range saw {
		n++
		saw[i].ID = fmt.Sprintf("abcdef-%d", n)
	}
	return append(saw, sawing{ID: fmt.Sprintf("abcdef-%d", n), Kind: "end"})
}

// retell spoils the log itself, so that all readers saw the same.
func (t *tale) retell(spoil func([]sawing) []sawing) {
	for i, saw := range t.Saw {
		t.Saw[i] = number(spoil(saw[:len(saw)-1]))
	}
}

// cut lets the last four lines of ten log events be holes for want of a quota, of
// so many lines each, or of fewer than none text. Of the quota a byte less than
// room is left; of a room of 0 the judge is told nothing.
func (t *tale) cut(room int64, pieces ...int64) {
	width := TextOf(talesBuild, "test").Width()
	offset := t.Acked - 4*width
	if room > 0 {
		t.Quota = offset + room - 1
	}
	var saw []sawing
	for _, lines := range pieces {
		n := max(lines, -lines) * width
		data := logData(offset, n)
		if lines > 0 {
			data = fmt.Sprintf(`{"at":"2026-11-22T10:00:00Z","step":"test","line":%d,"offset":%d,"bytes":%d,"lost":%d,"quota":{"of":"build","bytes":%d}}`, TextOf(talesBuild, "test").Line(t.Acked-4*width), offset, n, n, t.Quota)
		}
		saw = append(saw, sawing{Kind: "log", Data: data})
		offset += n
	}
	t.retell(func(told []sawing) []sawing { return slices.Replace(slices.Clone(told), 12, 14, saw...) })
}

func (t *tale) judge() map[Kind]int64 {
	c := NewChecker()
	c.quota = t.Quota
	say := func(acked bool, claims ...Claim) {
		w := c.Sending("a", claims...)
		if acked {
			w.Answered(Answer{Status: 200})
		} else {
			w.Answered(Answer{})
		}
	}
	say(true, Claim{Build: talesBuild, Status: "running"}, Claim{Build: talesBuild, Step: "test", Status: "running", Bytes: t.Acked, Notes: t.Notes})
	say(t.Finish, Claim{Build: talesBuild, Step: "test", Status: "passed"}, Claim{Build: talesBuild, Status: "passed"})
	for i, saw := range t.Saw {
		v := c.View(fmt.Sprint("reader ", i), talesBuild, Watch{})
		for _, s := range saw {
			switch s.Kind {
			case "end":
				v.End(1, s.ID)
			case "live", "ping":
				v.Mark(1, s.ID, s.Kind)
			case "reset":
				v.Reset(1, s.ID, s.Data)
			default:
				v.Event(1, s.ID, s.Kind, []byte(s.Data))
			}
		}
	}
	_, count := c.Findings()
	return count
}

// Every kind of fault is planted once, and must be found as what it is.
func TestChecker_FindsEachKind(t *testing.T) {
	t.Parallel()
	const readers = 3
	width := TextOf(talesBuild, "test").Width()
	tests := []struct {
		name  string
		spoil func(*tale)
		want  []Kind
	}{
		{"nothing", func(*tale) {}, nil},
		{"text acknowledged and stored nowhere", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Delete(saw, 13, 14) })
		}, []Kind{Lost}},
		{"a status acknowledged and stored nowhere", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Delete(saw, 14, 15) })
		}, []Kind{Lost}},
		{"a note acknowledged and stored nowhere", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Delete(saw, 17, 18) })
		}, []Kind{Lost}},
		{"a note left out", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Delete(saw, 16, 17) })
		}, []Kind{OffsetHole}},
		{"a note stored twice", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Insert(saw, 17, saw[16]) })
		}, []Kind{Duplicate}},
		{"a note that nobody sent", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return append(saw, sawing{Kind: "note", Data: noteData(2)}) })
		}, []Kind{Phantom}},
		{"another note than was sent", func(h *tale) {
			h.retell(func(saw []sawing) []sawing {
				saw[16].Data = strings.Replace(noteData(0), noteName(0), noteName(7), 1)
				return saw
			})
		}, []Kind{Phantom}},
		{"an end that comes too early", func(h *tale) {
			h.Saw[1] = append(h.Saw[1][:15], sawing{ID: "abcdef-15", Kind: "end"})
		}, []Kind{Lost}},
		{"an id twice", func(h *tale) { h.Saw[1] = slices.Insert(h.Saw[1], 8, h.Saw[1][7]) }, []Kind{Duplicate}},
		{"a text stored twice", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Insert(saw, 8, saw[7]) })
		}, []Kind{Duplicate}},
		{"a status stored twice", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Insert(saw, 4, saw[3]) })
		}, []Kind{Duplicate}},
		{"an id left out", func(h *tale) { h.Saw[2] = slices.Delete(h.Saw[2], 9, 10) }, []Kind{Skip}},
		{"live beyond what was sent", func(h *tale) {
			h.Saw[0] = slices.Insert(h.Saw[0], 5, sawing{ID: "abcdef-9", Kind: "live"})
		}, []Kind{Skip}},
		{"two ids exchanged", func(h *tale) { h.Saw[0][6], h.Saw[0][7] = h.Saw[0][7], h.Saw[0][6] }, []Kind{Skip, NonMonotonic}},
		{"a ping behind the events", func(h *tale) {
			h.Saw[0] = slices.Insert(h.Saw[0], 5, sawing{ID: "abcdef-2", Kind: "ping"})
		}, []Kind{NonMonotonic}},
		{"one reader shown something else", func(h *tale) { h.Saw[2][6].Data = logData(0, width) }, []Kind{Inconsistent}},
		{"an id of another epoch", func(h *tale) { h.Saw[2][6].ID = "ghijkl-7" }, []Kind{Inconsistent}},
		{"a wrong line number", func(h *tale) {
			h.retell(func(saw []sawing) []sawing {
				saw[4].Data = `{"step":"test","line":2` + logData(0, width)[len(`{"at":"2026-11-22T10:00:00Z","step":"test","line":1`):]
				return saw
			})
		}, []Kind{Inconsistent}},
		{"text that nobody sent", func(h *tale) {
			h.retell(func(saw []sawing) []sawing {
				saw[4].Data = fmt.Sprintf(`{"step":"test","line":1,"offset":0,"bytes":%d,"text":"%0*d"}`, width, width, 7)
				return saw
			})
		}, []Kind{Phantom}},
		{"text beyond what was sent", func(h *tale) {
			h.retell(func(saw []sawing) []sawing {
				return slices.Insert(saw, 14, sawing{Kind: "log", Data: logData(h.Acked, width)})
			})
		}, []Kind{Phantom}},
		{"a status that nobody said", func(h *tale) {
			h.retell(func(saw []sawing) []sawing {
				return slices.Insert(saw, 6, sawing{Kind: "step", Data: statusData("test", "lost")})
			})
		}, []Kind{Phantom}},
		{"a step that nobody reported", func(h *tale) {
			h.retell(func(saw []sawing) []sawing {
				return slices.Insert(saw, 6, sawing{Kind: "step", Data: statusData("tset", "running")})
			})
		}, []Kind{Phantom}},
		{"a hole in the text", func(h *tale) {
			h.retell(func(saw []sawing) []sawing { return slices.Delete(saw, 6, 7) })
		}, []Kind{OffsetHole}},
		{"a log that is cut where it is full", func(h *tale) { h.cut(width, 1, 3) }, nil},
		{"a log that is cut too early", func(h *tale) { h.cut(2*width, 1, 3) }, []Kind{Lost}},
		{"a log that goes on behind its cut", func(h *tale) { h.cut(width, 1, -3) }, []Kind{Phantom}},
		{"a cut that is told of three times", func(h *tale) { h.cut(width, 1, 1, 2) }, []Kind{Duplicate}},
		{"a hole that says nothing of a quota", func(h *tale) { h.cut(0, 1, 3) }, []Kind{OffsetHole}},
		{"more than the quota", func(h *tale) { h.Quota = h.Acked - 1 }, []Kind{Phantom}},
		{"an end that one reader never saw", func(h *tale) { h.Saw[0] = h.Saw[0][:len(h.Saw[0])-1] }, []Kind{Stale}},
		{"a reset for no reason", func(h *tale) {
			h.Saw[0] = append([]sawing{{ID: "abcdef-0", Kind: "reset", Data: "rewound"}}, h.Saw[0]...)
		}, []Kind{NeedlessDrop}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := goodTale(10, readers)
			test.spoil(h)
			found := h.judge()
			for _, kind := range test.want {
				if found[kind] == 0 {
					t.Errorf("%s was not found; found: %v", kind, found)
				}
			}
			if len(test.want) == 0 && len(found) > 0 {
				t.Errorf("found in a right history: %v", found)
			}
		})
	}
}

// A right history passes, whatever its shape; any one change to what one
// reader saw, or to what all of them saw, is found.
func TestChecker_FindsAnyMutation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := goodTale(rapid.IntRange(0, 20).Draw(t, "events"), rapid.IntRange(1, 4).Draw(t, "readers"))
		if found := h.judge(); len(found) > 0 {
			t.Fatalf("found in a right history: %v", found)
		}
		reader := rapid.IntRange(0, len(h.Saw)-1).Draw(t, "reader")
		saw := h.Saw[reader]
		events := len(saw) - 1 // without the end
		at := rapid.IntRange(0, events-1).Draw(t, "at")
		other := rapid.IntRange(0, events-1).Filter(func(n int) bool { return n != at }).Draw(t, "other")
		mutation := rapid.SampledFrom([]string{"drop", "repeat", "exchange", "alter", "rename", "cut", "drop for all", "repeat for all", "exchange for all"}).Draw(t, "mutation")
		switch mutation {
		case "drop":
			h.Saw[reader] = slices.Delete(saw, at, at+1)
		case "repeat":
			h.Saw[reader] = slices.Insert(saw, max(at, other)+1, saw[at])
		case "exchange":
			saw[at], saw[other] = saw[other], saw[at]
		case "alter":
			if len(h.Saw) == 1 && saw[at].Kind != "log" {
				t.Skip("with one reader, nothing says what a build's fields are")
			}
			data := []byte(saw[at].Data)
			i := rapid.IntRange(0, len(data)-1).Draw(t, "byte")
			data[i] ^= 1
			if len(h.Saw) == 1 && i < 40 {
				t.Skip("with one reader, nothing says when it was")
			}
			saw[at].Data = string(data)
		case "rename":
			saw[at].ID = fmt.Sprintf("abcdef-%d", other+1)
		case "cut":
			h.Saw[reader] = saw[:at]
		case "drop for all":
			if saw[at].Data == statusData("", "queued") || saw[at].Data == statusData("test", "queued") {
				t.Skip("what the server says of its own accord, it need not say")
			}
			h.retell(func(saw []sawing) []sawing { return slices.Delete(saw, at, at+1) })
		case "repeat for all":
			h.retell(func(saw []sawing) []sawing { return slices.Insert(saw, at+1, saw[at]) })
		case "exchange for all":
			if saw[at].Kind != "log" || saw[other].Kind != "log" {
				t.Skip("the order between steps and their text is free")
			}
			h.retell(func(saw []sawing) []sawing { saw[at], saw[other] = saw[other], saw[at]; return saw })
		}
		if found := h.judge(); len(found) == 0 {
			t.Fatalf("%s of %d (%d) by reader %d was not found", mutation, at, other, reader)
		}
	})
}
