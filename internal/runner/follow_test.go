package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/sse"
)

// script is the event stream of a build of one step with n log lines and a
// note, each frame with its id.
func script(n int) (frames []string, text string) {
	frame := func(name, data string) {
		frames = append(frames, fmt.Sprintf("id: abcdef-%d\nevent: %s\ndata: %s\n\n", len(frames)+1, name, data))
	}
	frame("build", `{"project":"acme/api","number":7,"title":"T","status":"running"}`)
	frame("step", `{"key":"test","status":"running"}`)
	for i := range n {
		line := fmt.Sprintf("line %d\n", i)
		frame("log", fmt.Sprintf(`{"step":"test","line":%d,"offset":%d,"bytes":%d,"text":%q}`, i+1, len(text), len(line), line))
		text += line
		if i == 1 { // which nothing of the client shows
			frame("note", `{"step":"test","number":0,"line":2,"test":{"name":"TestParse","status":"passed","duration_s":0}}`)
		}
	}
	frame("step", `{"key":"test","status":"passed","exit_code":0}`)
	frame("build", `{"project":"acme/api","number":7,"title":"T","status":"passed"}`)
	return frames, text
}

// cutStream serves the script, and breaks off each connection somewhere.
func cutStream(t *testing.T, frames []string, cut func(int) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := 0
		if id := r.Header.Get("Last-Event-ID"); id != "" {
			after, _ = strconv.Atoi(strings.TrimPrefix(id, "abcdef-"))
		}
		if after == len(frames) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		body := "retry: 5\n\n" + strings.Join(frames[after:], "")
		body += fmt.Sprintf("id: abcdef-%d\nevent: end\ndata: {}\n\n", len(frames))
		n := min(cut(len(body)), len(body))
		io.WriteString(w, body[:n])
		w.(http.Flusher).Flush()
		if n < len(body) && n%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	})
}

func TestFollow_AnyNumberOfCuts(t *testing.T) {
	t.Parallel()
	frames, want := script(200)
	server := httptest.NewServer(cutStream(t, frames, func(n int) int { return rand.IntN(2000) }))
	defer server.Close()
	client, err := NewClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	p := &Printer{Out: &out, Status: &said}
	f := Follow{Client: client, Build: ci.NewBuildID(), Lines: -1, Handle: p.Handle}
	if err := f.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if out.String() != want || p.Outcome != ci.Passed {
		t.Errorf("%d bytes, want %d; outcome %s", out.Len(), len(want), p.Outcome)
	}
	if want := "stepcast: acme/api #7 T\nstepcast: test running\nstepcast: test passed\nstepcast: build passed\n"; said.String() != want {
		t.Errorf("said %q, want %q", said.String(), want)
	}
}

// A cut after every single byte of a short stream.
func TestFollow_ACutAtEveryByte(t *testing.T) {
	t.Parallel()
	frames, want := script(3)
	length := len(strings.Join(frames, "")) + 60
	for at := range length {
		synctest.Test(t, func(t *testing.T) {
			var once sync.Once
			h := cutStream(t, frames, func(n int) int {
				once.Do(func() { n = at })
				return n
			})
			var out bytes.Buffer
			p := &Printer{Out: &out, Status: io.Discard}
			f := Follow{Client: clientOf(t, "http://127.0.0.1:1", h), Build: ci.NewBuildID(), Lines: -1, Handle: p.Handle}
			if err := f.Do(t.Context()); err != nil || out.String() != want || p.Outcome != ci.Passed {
				t.Errorf("cut at %d: error %v, %q", at, err, out.String())
			}
		})
	}
}

// answers serves each request with the next of a list.
type answers []func(w http.ResponseWriter, r *http.Request)

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next := (*a)[0]
	if len(*a) > 1 {
		*a = (*a)[1:]
	}
	next(w, r)
}

func stream(text string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		io.WriteString(w, text)
	}
}

const ended = "id: x-9\nevent: build\ndata: {\"status\":\"failed\"}\n\nid: x-9\nevent: end\ndata: {}\n\n"

func TestFollow_WhatAServerMaySay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers answers
		waits   time.Duration // at least
		out     string
		said    string
		away    int
		err     error
	}{
		"the end":                {answers: answers{stream(ended)}},
		"204":                    {answers: answers{func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }}},
		"no build":               {answers: answers{func(w http.ResponseWriter, r *http.Request) { problem(w, 404, "not-found", nil) }}, err: ErrNoBuild},
		"no right":               {answers: answers{func(w http.ResponseWriter, r *http.Request) { problem(w, 401, "unauthorized", nil) }}, err: &refusal{}},
		"overload":               {answers: answers{stream("retry: 20000\n\nevent: unavailable\ndata: {}\n\n"), stream(ended)}, waits: 20 * time.Second, away: 1},
		"a pause without an end": {answers: answers{stream("retry: 999999999999\n\nevent: unavailable\ndata: {}\n\n"), stream(ended)}, waits: 5 * time.Minute, away: 1},
		"a proxy":                {answers: answers{func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, stream(ended)}, away: 1},
		"a page":                 {answers: answers{func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, stream(ended)}, away: 1},
		"503s": {answers: answers{func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(503)
		}, stream(ended)}, waits: 9 * time.Second, away: 1},
		"reset": {
			answers: answers{stream("id: x-1\nevent: log\ndata: {\"step\":\"a\",\"offset\":0,\"bytes\":2,\"text\":\"a\\n\"}\n\nid: y-1\nevent: reset\ndata: {\"reason\":\"wrong_log\"}\n\nid: y-2\nevent: log\ndata: {\"step\":\"a\",\"offset\":0,\"bytes\":2,\"text\":\"b\\n\"}\n\n" + ended)},
			out:     "a\nb\n", said: "stepcast: the server begins again (wrong log)\n",
		},
		"null for a build": {answers: answers{stream("id: x-1\nevent: build\ndata: null\n\n"), stream(ended)}, away: 1},
		"null for a step":  {answers: answers{stream("id: x-1\nevent: step\ndata: null\n\n"), stream(ended)}, away: 1},
		"null for a log":   {answers: answers{stream("id: x-1\nevent: log\ndata: null\n\n"), stream(ended)}, away: 1},
		"what later servers may say": {
			answers: answers{stream("id: x-1\nevent: note\ndata: {\"step\":\"a\",\"line\":1}\n\nid: x-2\nevent: new\ndata: not JSON\n\nid: x-3\nevent: log\ndata: {\"step\":\"a\",\"offset\":0,\"bytes\":2,\"text\":\"a\\n\"}\n\n" + ended)},
			out:     "a\n", said: "stepcast: build failed\n",
		},
		"a log that is cut": {
			answers: answers{stream("id: x-1\nevent: log\ndata: {\"step\":\"a\",\"offset\":0,\"bytes\":2,\"text\":\"a\\n\"}\n\nid: x-2\nevent: log\ndata: {\"step\":\"a\",\"offset\":2,\"bytes\":70,\"lost\":70,\"quota\":{\"of\":\"project\",\"bytes\":2048}}\n\nid: x-3\nevent: log\ndata: {\"step\":\"a\",\"offset\":72,\"bytes\":9,\"lost\":9,\"quota\":{\"of\":\"project\",\"bytes\":2048}}\n\n" + ended)},
			out:     "a\n[the rest was not kept: the project's log quota of 2 KiB a day is used up]\n",
		},
		"a log that is cut within a line, and within a sequence": {
			answers: answers{stream("id: x-1\nevent: log\ndata: {\"step\":\"a\",\"offset\":0,\"bytes\":5,\"text\":\"a\\u001b]0;\"}\n\nid: x-2\nevent: log\ndata: {\"step\":\"a\",\"offset\":5,\"bytes\":70,\"lost\":70,\"quota\":{\"of\":\"build\",\"bytes\":5}}\n\n" + ended)},
			out:     "a\n[the rest was not kept: this build's log quota of 5 bytes is used up]\n",
		},
		"lost text": {
			answers: answers{stream("id: x-1\nevent: log\ndata: {\"step\":\"a\",\"offset\":0,\"bytes\":2,\"text\":\"a\\n\"}\n\nid: x-2\nevent: log\ndata: {\"step\":\"a\",\"offset\":2,\"bytes\":70,\"lost\":70}\n\nid: x-3\nevent: log\ndata: {\"step\":\"a\",\"offset\":72,\"bytes\":1,\"text\":\"b\"}\n\n" + ended)},
			out:     "a\n[70 bytes were lost here]\nb\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin, away, back := time.Now(), 0, 0
				var out, said bytes.Buffer
				p := &Printer{Out: &out, Status: &said, Outcome: ci.Running}
				f := Follow{Client: clientOf(t, "http://127.0.0.1:1", &tt.answers), Build: ci.NewBuildID(), Lines: -1, Handle: p.Handle, Away: func(error) { away++ }, Back: func() { back++ }}
				err := f.Do(t.Context())
				p.Close()
				if back != away {
					t.Errorf("away %d times, and back %d", away, back)
				}
				var refused *refusal
				if _, any := tt.err.(*refusal); any && errors.As(err, &refused) {
					err = tt.err
				}
				if err != tt.err || out.String() != tt.out || away != tt.away || !strings.HasPrefix(said.String(), tt.said) {
					t.Errorf("error %v, out %q, said %q, away %d times", err, out.String(), said.String(), away)
				}
				if took := time.Since(begin); took < tt.waits || took > tt.waits+10*time.Second {
					t.Errorf("took %v, want %v and little more", took, tt.waits)
				}
			})
		})
	}
}

// Every event is handed over as the server said it, once, also those that are
// of no known kind; what is about the connection is not.
func TestFollow_EventsAsTheyAre(t *testing.T) {
	t.Parallel()
	first := "id: x-1\nevent: build\ndata: {\"status\":\"running\",\"new\": [1.0]}\n\nid: x-2\nevent: note\ndata: {\"line\":1}\n\nid: x-2\nevent: live\ndata: {}\n\nid: x-2\nevent: ping\ndata: {}\n\n"
	second := "id: x-3\nevent: log\ndata: {\"step\":\"a\",\"text\":\"\u009b1m\x7f\\n<&>\u2028\"}\n\nid: x-3\nevent: odd\ndata: no\ndata: JSON\n\nid: x-3\nevent: end\ndata: {\ndata: }\n\n"
	var got []byte
	f := Follow{Client: clientOf(t, "http://127.0.0.1:1", &answers{stream(first), stream(second)}), Build: ci.NewBuildID(), Lines: -1,
		Handle: func(e *FollowEvent) { got = e.AppendJSON(got) }}
	synctest.Test(t, func(t *testing.T) {
		if err := f.Do(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	want := `{"id":"x-1","event":"build","data":{"status":"running","new": [1.0]}}
{"id":"x-2","event":"note","data":{"line":1}}
{"id":"x-2","event":"live","data":{}}
{"id":"x-3","event":"log","data":{"step":"a","text":"\u009b1m\u007f\n<&>` + "\u2028" + `"}}
{"id":"x-3","event":"odd","data":"no\nJSON"}
{"id":"x-3","event":"end","data":{}}
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A server whose clock is another than ours is told by its answers.
func TestFollow_TheServersClock(t *testing.T) {
	t.Parallel()
	for by, want := range map[time.Duration]time.Duration{0: 0, time.Second: 0, -time.Second: 0, time.Hour: time.Hour, -time.Minute: -time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			answer := func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(by).UTC().Format(http.TimeFormat))
				stream("id: x-1\nevent: live\ndata: {}\n\n"+ended)(w, r)
			}
			got := time.Duration(-1)
			f := Follow{Client: clientOf(t, "http://127.0.0.1:1", &answers{answer}), Build: ci.NewBuildID(), Lines: -1, Handle: func(e *FollowEvent) {
				if e.Live {
					got = e.Ahead
				}
			}}
			if err := f.Do(t.Context()); err != nil || (got-want).Abs() > time.Second {
				t.Errorf("ahead by %v: got %v; %v", by, got, err)
			}
		})
	}
}

func FuzzFollowEvent_AppendJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"text":"a\u0000"}`, "[1,\n2]", "no JSON", "\"\u0085\x7f\xff\"", ""} {
		f.Add("x-1", "log", []byte(s))
	}
	f.Fuzz(func(t *testing.T, id, kind string, data []byte) {
		e := FollowEvent{ID: id, Kind: kind, Data: data}
		line := e.AppendJSON(nil)
		var got struct{ ID, Event, Data any }
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		text := strings.TrimSuffix(string(line), "\n")
		if strings.ContainsFunc(text, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) || !utf8.ValidString(text) {
			t.Errorf("%q is not one line of printable text", line)
		}
		var want any
		if json.Unmarshal(data, &want) != nil {
			return
		}
		if !reflect.DeepEqual(got.Data, want) {
			t.Errorf("%q became %q", data, line)
		}
	})
}

// silentBody is a stream on which nothing comes any more.
type silentBody struct{ ctx context.Context }

func (b silentBody) Read([]byte) (int, error) { <-b.ctx.Done(); return 0, b.ctx.Err() }
func (silentBody) Close() error               { return nil }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A server begins with the piece that the first of the last lines is in.
func TestFollow_LastLines(t *testing.T) {
	t.Parallel()
	for lines, want := range map[int]string{-1: "1\n2\n3\n4\n5", 0: "", 1: "5", 2: "4\n5", 3: "3\n4\n5", 9: "1\n2\n3\n4\n5"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/events") {
				io.WriteString(w, `{"steps":[{"key":"test","log_lines":5}]}`)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			for _, piece := range []string{`"line":1,"offset":0,"bytes":4,"text":"1\n2\n"`, `"line":3,"offset":4,"bytes":1,"text":"3"`, `"line":3,"offset":5,"bytes":4,"text":"\n4\n5"`} {
				fmt.Fprintf(w, "event: log\ndata: {\"step\":\"test\",%s}\n\n", piece)
			}
			io.WriteString(w, "event: end\ndata: {}\n\n")
		}))
		client, err := NewClient(server.URL, "")
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		follow := Follow{Client: client, Lines: lines, Handle: func(e *FollowEvent) {
			if e.Log != nil {
				got.WriteString(e.Log.Text)
			}
		}}
		if err := follow.Do(t.Context()); err != nil || got.String() != want {
			t.Errorf("the last %d lines are %q, want %q; %v", lines, got.String(), want, err)
		}
		server.Close()
	}
}

func TestFollow_ADeadStreamIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin, connections := time.Now(), 0
		client := clientOf(t, "http://127.0.0.1:1", nil)
		client.HTTP.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: silentBody{r.Context()}}
			if connections++; connections > 1 {
				resp.Body = io.NopCloser(strings.NewReader(ended))
			}
			return resp, nil
		})
		f := Follow{Client: client, Build: ci.NewBuildID(), Lines: -1, Handle: func(*FollowEvent) {}}
		if err := f.Do(t.Context()); err != nil || connections != 2 || time.Since(begin) < silence || time.Since(begin) > 2*silence {
			t.Errorf("error %v, %d connections, after %v", err, connections, time.Since(begin))
		}
	})
}

// A server that has no room for another reader is said to have none, once each time.
func TestFollow_AServerThatIsBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const busy = "retry: 5000\n\nevent: unavailable\ndata: {}\n\n"
		const cut = "retry: 5000\n\nid: x-1\nevent: build\ndata: {\"status\":\"running\"}\n\nid: x-1\nevent: live\ndata: {}\n\n"
		h := &answers{stream(busy), stream(busy), stream(cut + busy), stream(busy), stream(ended)}
		var said []string
		f := Follow{Client: clientOf(t, "http://127.0.0.1:1", h), Build: ci.NewBuildID(), Lines: -1, Handle: func(*FollowEvent) {}, Away: func(err error) { said = append(said, err.Error()) }}
		if err := f.Do(t.Context()); err != nil || len(said) != 2 || said[0] != said[1] || said[0] != errBusy.Error() {
			t.Errorf("error %v, said %q", err, said)
		}
	})
}

func sseLog(key ci.StepKey, offset int64, text string) sse.Event {
	data, err := json.Marshal(map[string]any{"step": key, "offset": offset, "bytes": len(text), "text": text})
	if err != nil {
		panic(err)
	}
	return sse.Event{Name: "log", Data: data}
}

func TestPrinter_SeveralSteps(t *testing.T) {
	t.Parallel()
	var out, said bytes.Buffer
	p := &Printer{Out: &out, Status: &said, Colour: true}
	offsets := make(map[ci.StepKey]int64)
	log := func(key ci.StepKey, text string) {
		e := &FollowEvent{}
		if err := (&Follow{Handle: func(got *FollowEvent) { e = got }}).handle(sseLog(key, offsets[key], text)); err != nil {
			t.Fatal(err)
		}
		offsets[key] += int64(len(text))
		p.Handle(e)
	}
	log("a", "alone, ")
	log("b", "\x1b[31mred ")
	log("a", "continued\n")
	log("b", "still\nred\n1%\r2%\r\x1b[32m100%\r\n")
	log("a", "unended")
	p.Close()
	want := "alone, \n" +
		"a | continued\n" +
		"b | \x1b[0;31mred still\x1b[0m\n" +
		"b | \x1b[0;31mred\x1b[0m\n" +
		"b | \x1b[0;31m\x1b[0;32m100%\x1b[0m\n" +
		"a | unended\n"
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

// Text that a server sends again is shown, and said to be.
func TestPrinter_TextThatComesAgain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &Printer{Out: &out, Status: io.Discard, Alone: true}
	f := Follow{Handle: p.Handle}
	for _, offset := range []int64{0, 4, 1} {
		if err := f.handle(sseLog("a", offset, "abc\n")); err != nil {
			t.Fatal(err)
		}
	}
	if want := "abc\nabc\n[7 bytes come again here]\nabc\n"; out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

// Of more steps than a build may have none is taken.
func TestFollow_MoreStepsThanABuildHas(t *testing.T) {
	t.Parallel()
	f := Follow{Handle: func(*FollowEvent) {}}
	for n := range ci.MaxSteps + 1 {
		if err := f.handle(sseLog(ci.StepKey(fmt.Sprint("step-", n)), 0, "a")); (err != nil) != (n == ci.MaxSteps) {
			t.Fatalf("step %d: %v", n, err)
		}
	}
	if err := f.handle(sseLog("step-0", 1, "a")); err != nil {
		t.Errorf("one that is known: %v", err)
	}
}

// Where a log is shown as it comes, a line that waits for its end leaves the
// terminal plain: a shell, or whoever else prints there, may go on.
func TestPrinter_AnOpenLineLeavesTheTerminalPlain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &Printer{Out: &out, Status: io.Discard, Colour: true, Alone: true}
	f := Follow{Handle: p.Handle}
	offset := int64(0)
	for _, text := range []string{"\x1b[31m\x1b]8;;https://ci.example/1\x1b\\wait", " here", "and here\n"} {
		if err := f.handle(sseLog("a", offset, text)); err != nil {
			t.Fatal(err)
		}
		if offset += int64(len(text)); text == " here" {
			offset += 7
		}
	}
	const begin, end = "\x1b[0;31m", "\x1b[0m"
	want := begin + "wait" + end + begin + " here" + end + " (https://ci.example/1)\n[7 bytes are missing here]\n" + begin + "and here" + end + "\n"
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}
