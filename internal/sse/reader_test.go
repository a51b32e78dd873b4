package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// stream is all that a reader says of a stream.
type stream struct {
	Events []string // id|name|data
	LastID string
	Retry  time.Duration
}

func readAll(t interface{ Fatalf(string, ...any) }, src io.Reader) stream {
	r := NewReader(src, 0)
	var s stream
	for {
		e, err := r.Next()
		if err == io.EOF {
			s.LastID, s.Retry = r.LastID(), r.Retry()
			return s
		}
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		s.Events = append(s.Events, fmt.Sprintf("%s|%s|%s", e.ID, e.Name, e.Data))
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     stream
	}{
		{"nothing", "", stream{}},
		{"the standard's stocks", "data: YHOO\ndata: +2\ndata: 10\n\n", stream{Events: []string{"|message|YHOO\n+2\n10"}}},
		{"the standard's four blocks", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
			stream{Events: []string{"1|message|first event", "|message|second event", "|message| third event"}}},
		{"the standard's empty data", "data\n\ndata\ndata\n\ndata:", stream{Events: []string{"|message|", "|message|\n"}}},
		{"the standard's one blank", "data:test\n\ndata: test\n\n", stream{Events: []string{"|message|test", "|message|test"}}},
		{"carriage returns", "id: 1\revent: a\rdata: x\r\rdata: y\r\r", stream{Events: []string{"1|a|x", "1|message|y"}, LastID: "1"}},
		{"all line ends mixed", "id: 1\r\ndata: x\ndata: y\r\r\ndata: z\n\r", stream{Events: []string{"1|message|x\ny", "1|message|z"}, LastID: "1"}},
		{"a byte order mark", "\uFEFFdata: x\n\n", stream{Events: []string{"|message|x"}}},
		{"only the first one", "\uFEFF\uFEFFdata: x\n\ndata: \uFEFF\n\n", stream{Events: []string{"|message|\uFEFF"}}},
		{"a mark on a later line", "\n\uFEFFdata: x\n\n", stream{}},
		{"an id without data counts", "id: 7\n\n", stream{LastID: "7"}},
		{"and with its name", "id: 7\nevent: x\n\ndata: y\n\n", stream{Events: []string{"7|message|y"}, LastID: "7"}},
		{"an id that never ended does not", "id: 1\ndata: a\n\nid: 2\ndata: b\n", stream{Events: []string{"1|message|a"}, LastID: "1"}},
		{"the last line has no end", "data: a\n\ndata: b", stream{Events: []string{"|message|a"}}},
		{"an id with NUL is ignored", "id: 1\nid: a\x00b\ndata: x\n\n", stream{Events: []string{"1|message|x"}, LastID: "1"}},
		{"an id can be taken back", "id: 1\ndata: x\n\nid:\ndata: y\n\n", stream{Events: []string{"1|message|x", "|message|y"}}},
		{"the last name counts", "event: a\nevent: b\ndata: x\n\n", stream{Events: []string{"|b|x"}}},
		{"an empty name", "event: a\nevent\ndata: x\n\n", stream{Events: []string{"|message|x"}}},
		{"retry", "retry: 2731\n\n", stream{Retry: 2731 * time.Millisecond}},
		{"retry counts at once", "retry: 10", stream{}},
		{"retry counts without a blank line", "retry: 10\n", stream{Retry: 10 * time.Millisecond}},
		{"retry is digits only", "retry: 1\nretry: 2s\nretry: -3\nretry: +4\nretry:\nretry:  5\nretry: 1.5\nretry: ٣\n\n", stream{Retry: time.Millisecond}},
		{"retry beyond all bounds", "retry: 99999999999999999999999\n\n", stream{Retry: math.MaxInt64}},
		{"unknown fields and comments", ":x\n:\nfoo: bar\nDATA: no\ndata : no\n data: no\ndata: yes\n\n", stream{Events: []string{"|message|yes"}}},
		{"colons in values", "id:a:b\ndata: c:d\n\n", stream{Events: []string{"a:b|message|c:d"}, LastID: "a:b"}},
		{"other separators are text", "data: a\u2028b\u0085c\x0bd\x00e\n\n", stream{Events: []string{"|message|a\u2028b\u0085c\x0bd\x00e"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for how, src := range map[string]io.Reader{
				"whole":         strings.NewReader(c.in),
				"byte by byte":  iotest.OneByteReader(strings.NewReader(c.in)),
				"in halves":     iotest.HalfReader(strings.NewReader(c.in)),
				"end with data": iotest.DataErrReader(strings.NewReader(c.in)),
			} {
				if diff := cmp.Diff(c.want, readAll(t, src)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
			}
		})
	}
}

// A frame that ends with a carriage return must not wait for the byte after
// it, which may be a minute away.
func TestReader_DoesNotWaitAfterCarriageReturn(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	r := NewReader(in, 0)
	go func() { out.Write([]byte("data: a\r\n\r")) }()
	if e, err := r.Next(); err != nil || string(e.Data) != "a" {
		t.Fatalf("got %+v, %v", e, err)
	}
	go func() { out.Write([]byte("\ndata: b\n\n")); out.CloseWithError(io.ErrUnexpectedEOF) }()
	if e, err := r.Next(); err != nil || string(e.Data) != "b" {
		t.Fatalf("got %+v, %v", e, err)
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("got %v, want the source's error", err)
		}
	}
}

func TestReader_Bounds(t *testing.T) {
	t.Parallel()
	line := func(n int) string { return "data:" + strings.Repeat("x", n-5) + "\n" }
	for _, c := range []struct {
		name, in string
		want     error
	}{
		{"a line that just fits", line(100) + "\n", io.EOF},
		{"a line that does not", line(101) + "\n", ErrTooLong},
		{"a line without end", strings.Repeat("x", 1<<20), ErrTooLong},
		{"a comment without end", ":" + strings.Repeat("x", 1<<20), ErrTooLong},
		{"many lines that just fit", line(55) + line(54) + "\n", io.EOF},
		{"many lines that do not", line(55) + line(55) + line(20) + "\n", ErrTooLong},
		{"empty lines without end", strings.Repeat("data\n", 1000), ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(strings.NewReader(c.in), 100)
			err := error(nil)
			for err == nil {
				_, err = r.Next()
			}
			if err != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, again := r.Next(); again != err {
				t.Errorf("then %v", again)
			}
			if len(r.buf) > 16<<10 {
				t.Errorf("the buffer grew to %d bytes", len(r.buf))
			}
		})
	}
}

func TestReader_NoProgress(t *testing.T) {
	t.Parallel()
	if _, err := NewReader(stuck{}, 0).Next(); err != io.ErrNoProgress {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// byTheBook takes a whole stream apart as the standard's text reads.
func byTheBook(in string) stream {
	var s stream
	in = strings.TrimPrefix(in, "\uFEFF")
	in = strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(in, "\n")
	data, name, id := "", "", ""
	for _, line := range lines[:len(lines)-1] {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			s.LastID = id
			if data != "" {
				if name == "" {
					name = "message"
				}
				s.Events = append(s.Events, fmt.Sprintf("%s|%s|%s", id, name, strings.TrimSuffix(data, "\n")))
			}
			data, name = "", ""
		case field == "data":
			data += value + "\n"
		case field == "event":
			name = value
		case field == "id" && !strings.Contains(value, "\x00"):
			id = value
		case field == "retry":
			if d, ok := parseRetry([]byte(value)); ok {
				s.Retry = d
			}
		}
	}
	return s
}

// cuts reads its input in pieces of the given lengths, over and over.
type cuts struct {
	in   []byte
	lens []byte
	n    int
}

func (c *cuts) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	want := 1
	if len(c.lens) > 0 {
		want = 1 + int(c.lens[c.n%len(c.lens)])%16
		c.n++
	}
	n := copy(p[:min(len(p), want)], c.in)
	c.in = c.in[n:]
	return n, nil
}

func TestReader_ByTheBook(t *testing.T) {
	t.Parallel()
	token := rapid.OneOf(
		rapid.SampledFrom([]string{"\n", "\r", "\r\n", "\n\n", "data", "data:", "data: x", "id: 1", "id:\x00", "event: e", "retry: 5", ":", " ", "\uFEFF", "foo: bar"}),
		rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOf(token).Draw(t, "stream"), "")
		lens := rapid.SliceOf(rapid.Byte()).Draw(t, "cuts")
		if diff := cmp.Diff(byTheBook(in), readAll(t, &cuts{in: []byte(in), lens: lens})); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", in, diff)
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("\uFEFF: hi\r\n\r\nid: 1\revent: log\rdata: {}\r\rretry: 10\n\ndata\n\n"), []byte{1, 2, 3})
	f.Add([]byte("id: 1\n\ndata: x\r\n\r\n"), []byte{})
	f.Fuzz(func(t *testing.T, in, lens []byte) {
		if diff := cmp.Diff(byTheBook(string(in)), readAll(t, &cuts{in: in, lens: lens})); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", in, diff)
		}
		if r := NewReader(bytes.NewReader(in), 16); len(in) > 0 {
			for err := error(nil); err == nil; {
				var e Event
				if e, err = r.Next(); len(e.Data) > 16 {
					t.Fatalf("an event of %d bytes passed a bound of 16", len(e.Data))
				}
			}
		}
	})
}

func BenchmarkReader(b *testing.B) {
	frame := AppendFrame(nil, "k3f9qa-1201", "log", []byte(`{"at":"2026-11-22T10:00:00.2Z","step":"test","line":120,"offset":5678,"bytes":21,"text":"=== RUN   TestParse\n"}`))
	in := bytes.Repeat(frame, 1000)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(in), 0)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
