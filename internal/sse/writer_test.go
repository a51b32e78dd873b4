package sse

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAppendFrame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, id, event, data, want string }{
		{"all of it", "k3f9qa-1", "log", `{"text":"a"}`, "id: k3f9qa-1\nevent: log\ndata: {\"text\":\"a\"}\n\n"},
		{"no id", "", "unavailable", "{}", "event: unavailable\ndata: {}\n\n"},
		{"data alone", "", "", "x", "data: x\n\n"},
		{"empty data is still an event", "1", "e", "", "id: 1\nevent: e\ndata: \n\n"},
		{"line feeds", "", "", "a\nb\n", "data: a\ndata: b\ndata: \n\n"},
		{"every line end", "", "", "a\r\nb\rc\n\nd\r", "data: a\ndata: b\ndata: c\ndata: \ndata: d\ndata: \n\n"},
		{"a frame inside data", "", "", "x\n\nevent: evil\ndata: y", "data: x\ndata: \ndata: event: evil\ndata: data: y\n\n"},
		{"a leading blank", "", "", " x", "data:  x\n\n"},
		{"other separators are text", "", "", "a\u2028b\x00c\x0bd", "data: a\u2028b\x00c\x0bd\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := string(AppendFrame([]byte("before"), c.id, c.event, []byte(c.data))); got != "before"+c.want {
				t.Errorf("got %q, want %q", got, "before"+c.want)
			}
		})
	}
}

func TestAppendFrame_RefusesWhatCannotStand(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a\nb", "a\rb", "a\x00b", "\n"} {
		for _, frame := range []func(){
			func() { AppendFrame(nil, bad, "e", nil) },
			func() { AppendFrame(nil, "1", bad, nil) },
			func() { Open(nil, []byte(bad), "") },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%q went into a frame", bad)
					}
				}()
				frame()
			}()
		}
	}
}

func TestAppendRetry(t *testing.T) {
	t.Parallel()
	if got, want := string(AppendRetry(nil, 2731*time.Millisecond)), "retry: 2731\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := string(AppendRetry(nil, -time.Second)), "retry: 0\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// normal is what becomes of data on the wire: every line end is a line feed.
func normal(data []byte) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
}

func checkRoundTrip(t interface{ Fatalf(string, ...any) }, id, event string, data []byte) {
	stream := AppendFrame(nil, id, event, data)
	stream = AppendRetry(stream, 1234*time.Millisecond)
	stream = AppendFrame(stream, "", "sentinel", []byte("s"))
	r := NewReader(bytes.NewReader(stream), len(stream))
	got, err := r.Next()
	if err != nil {
		t.Fatalf("the frame %q: %v", stream, err)
	}
	name := event
	if name == "" {
		name = "message"
	}
	if got.ID != id || got.Name != name || string(got.Data) != normal(data) {
		t.Fatalf("wrote %q %q %q, read %+v", id, event, data, got)
	}
	if got, err := r.Next(); err != nil || got.Name != "sentinel" || got.ID != id || string(got.Data) != "s" {
		t.Fatalf("after %q came %+v, %v", data, got, err)
	}
	if r.Retry() != 1234*time.Millisecond {
		t.Fatalf("retry is %v", r.Retry())
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatalf("at the end: %v", err)
	}
}

func TestFrame_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != '\n' && r != '\r' && r != 0 }))
		piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\n", "\r", "\r\n", "data: ", "id: 1", "\n\n", "", "\xff\xfe", "\uFEFF"}))
		checkRoundTrip(t, word.Draw(t, "id"), word.Draw(t, "event"), []byte(strings.Join(rapid.SliceOf(piece).Draw(t, "data"), "")))
	})
}

func FuzzAppendFrame(f *testing.F) {
	f.Add("k3f9qa-1", "log", []byte(`{"text":"a\n"}`))
	f.Add("", "", []byte("a\r\n\rb\n"))
	f.Add("7", "message", []byte("\n\nid: 8\ndata: x"))
	f.Fuzz(func(t *testing.T, id, event string, data []byte) {
		if strings.ContainsAny(id+event, "\r\n\x00") {
			t.Skip()
		}
		checkRoundTrip(t, id, event, data)
	})
}

func BenchmarkAppendFrame(b *testing.B) {
	data := []byte(`{"at":"2026-11-22T10:00:00.2Z","step":"test","line":120,"offset":5678,"bytes":21,"text":"=== RUN   TestParse\n"}`)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendFrame(dst[:0], "k3f9qa-1201", "log", data)
	}
	b.SetBytes(int64(len(dst)))
}
