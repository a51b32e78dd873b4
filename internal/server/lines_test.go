package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/stepcast/stepcast/internal/ci"
)

func TestLines_Answer(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	s.update(build, logText("a/b", 0, "one\n\x1b[1;31mtwo\nthree\x1b[0")+","+logText("a/b", 23, ";4m\nfour\n")+
		`,{"log":{"step":"a/b","offset":32,"at":"2026-11-22T10:00:00Z","lost":5}},`+logText("a/b", 37, "five"))
	const (
		extent = `{"lines":5,"bytes":41,"sgr":`
		piece  = `{"at":"2026-11-22T10:00:00Z","step":"a/b","line":`
		one    = piece + `1,"offset":0,"bytes":4,"text":"one\n"}`
		hole   = piece + `5,"offset":32,"bytes":5,"lost":5}`
		five   = piece + `5,"offset":37,"bytes":4,"text":"five"}`
	)
	for query, want := range map[string]string{
		"?from=1&to=1":  extent + `"","chunks":[` + one + `]}`,
		"?to=1":         extent + `"","chunks":[` + one + `]}`,
		"?from=2&to=2":  extent + `"","chunks":[` + piece + `2,"offset":4,"bytes":11,"text":"\u001b[1;31mtwo\n"}]}`,
		"?from=3&to=3":  extent + `"1;31","chunks":[` + piece + `3,"offset":15,"bytes":8,"text":"three\u001b[0"},` + piece + `3,"offset":23,"bytes":4,"text":";4m\n"}]}`,
		"?from=4&to=4":  extent + `"4","chunks":[` + piece + `4,"offset":27,"bytes":5,"text":"four\n"}]}`,
		"?from=5&to=99": extent + `"4","chunks":[` + hole + `,` + five + `]}`,
		"?from=5":       extent + `"4","chunks":[` + hole + `,` + five + `]}`,
		"?tail=1":       extent + `"4","chunks":[` + hole + `,` + five + `]}`,
		"?from=6":       extent + `"","chunks":[]}`,
	} {
		if a := s.get(build + "/steps/a/b/lines" + query); a.status != 200 || a.body != want+"\n" {
			t.Errorf("%s: %d %s\nwant %s", query, a.status, a.body, want)
		}
	}
	lines := build + "/steps/a%2Fb/lines?from=5"
	a := s.get(lines)
	etag := a.header.Get("ETag")
	if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("%v", a.header)
	}
	if b := s.get(lines, "If-None-Match: "+etag); b.status != 304 || b.body != "" {
		t.Errorf("unchanged: %d %q", b.status, b.body)
	}
	if b := s.do("HEAD", lines, ""); b.status != 200 || b.body != "" || b.header.Get("Content-Length") != fmt.Sprint(len(a.body)) {
		t.Errorf("HEAD: %d %q %v", b.status, b.body, b.header)
	}
	s.update(build, logText("a/b", 41, "5"))
	if b := s.get(lines, "If-None-Match: "+etag); b.status != 200 || !strings.HasPrefix(b.body, `{"lines":5,"bytes":42,`) {
		t.Errorf("grown: %d %s", b.status, b.body)
	}
	s.update(build, `{"step":{"key":"empty"}}`)
	if b := s.get(build + "/steps/empty/lines"); b.status != 200 || b.body != `{"lines":0,"bytes":0,"sgr":"","chunks":[]}`+"\n" {
		t.Errorf("empty: %d %s", b.status, b.body)
	}
	for query, field := range map[string]string{"from=0": "from", "from=x": "from", "to=0": "to", "from=3&to=2": "to", "tail=0": "tail", "tail=10001": "tail", "tail=1&from=1": "tail", "lines=1": "lines"} {
		if b := s.get(build + "/steps/a/b/lines?" + query); b.status != 400 || b.problem().Field != field {
			t.Errorf("%s: %d %s", query, b.status, b.body)
		}
	}
	for path, want := range map[string]string{"/steps/none/lines": "unknown-step", "/steps/a/b/text": "not-found", "/steps/lines": "invalid", "/steps/": "not-found"} {
		if b := s.get(build + path); b.problem().Type != "/problems/"+want {
			t.Errorf("%s: %d %s", path, b.status, b.body)
		}
	}
}

// A written is a log as it was written: its bytes, holes included, whose bytes
// are of no account.
type written struct {
	bytes  []byte
	events []ci.Event // as the server is expected to cut it, without text
	holes  int
}

// line is where a line begins, 1-based, and the end of the log for those
// beyond.
func (w *written) line(n int64) (place int64) {
	for i := range w.events {
		e := &w.events[i]
		for _, b := range w.bytes[e.Offset:e.End()] {
			if n <= 1 {
				return place
			}
			place++
			if b == '\n' && e.Lost == 0 {
				n--
			}
		}
	}
	if n <= 1 {
		return place
	}
	return int64(len(w.bytes))
}

// lines is how many there are, and colours what is in force at a place, by
// looking from the start.
func (w *written) lines(to int64) (n int64) {
	for _, e := range w.events {
		if e.Lost == 0 {
			n += int64(bytes.Count(w.bytes[e.Offset:max(e.Offset, min(to, e.End()))], []byte{'\n'}))
		}
	}
	return n
}

func (w *written) colours(to int64) string {
	var s sgr
	for _, e := range w.events {
		if e.Lost == 0 {
			s.write(w.bytes[e.Offset:max(e.Offset, min(to, e.End()))])
		} else {
			s.inSequence = false
		}
	}
	return s.String()
}

// quote writes text as a JSON string, some of it in needless escapes.
func quote(t *rapid.T, text string) string {
	var literal strings.Builder
	literal.WriteByte('"')
	for _, r := range text {
		switch style := rapid.IntRange(0, 9).Draw(t, "style"); {
		case style == 0 && r > 0xffff:
			a, b := utf16.EncodeRune(r)
			fmt.Fprintf(&literal, `\u%04x\u%04X`, a, b)
		case style == 0 && r <= 0xffff:
			fmt.Fprintf(&literal, `\u%04X`, r)
		case style == 1 && r == '/':
			literal.WriteString(`\/`)
		default:
			literal.Write(ci.AppendEscaped(nil, []byte(string(r))))
		}
	}
	literal.WriteByte('"')
	return literal.String()
}

// TestLines_Random writes random logs in random pieces and asks for random
// lines of them. What comes is what was written there, cut where the events
// were, and the colours are those of a look from the start.
func TestLines_Random(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.colours.far = 0
	parts := rapid.SampledFrom([]string{
		"a", "some text", "\n", "\n", "line\n", "\n\n", "\r", "ü", "€", "😀", "/", "\"", "\\", "\\u001b", "\x00", "\xff", "\xe2", "\x82\xac",
		"\x1b", "[", "[31", ";1", "m", "\x1b[31m", "\x1b[1;32m", "\x1b[0;4m", "\x1b[39m", "\x1b[m", "\x1b[48;5;9m", "\x1b[2K", "\x1b[22;24m",
		strings.Repeat("x", 3000), strings.Repeat("y\n", 1001),
	})
	rapid.Check(t, func(rt *rapid.T) {
		build, w := s.create(`{"project":"p"}`), written{}
		for range rapid.IntRange(0, 12).Draw(rt, "requests") {
			var updates []string
			for range rapid.IntRange(1, 4).Draw(rt, "updates") {
				offset := len(w.bytes)
				at := time.Date(2026, 11, 22, 10, 0, 0, offset*1000, time.UTC)
				if rapid.IntRange(0, 15).Draw(rt, "hole") == 0 {
					w.holes++
					w.bytes = append(w.bytes, "\x1b[0m\n"...)
					w.events = append(w.events, ci.Event{At: at, Offset: int64(offset), Lost: 5})
					updates = append(updates, fmt.Sprintf(`{"log":{"step":"a","offset":%d,"at":%q,"lost":5}}`, offset, at.Format(time.RFC3339Nano)))
					continue
				}
				text := strings.Join(rapid.SliceOfN(parts, 1, 6).Draw(rt, "parts"), "")
				chunk := ci.NewChunk([]byte(text))
				for _, piece := range chunk.Split() {
					w.events = append(w.events, ci.Event{At: at, Offset: int64(len(w.bytes)), Chunk: ci.Chunk{Bytes: piece.Bytes}})
					w.bytes = piece.AppendRaw(w.bytes)
				}
				content := `"base64":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"`
				if utf8.ValidString(text) && len(text) < 1000 {
					content = `"text":` + quote(rt, text)
				}
				updates = append(updates, fmt.Sprintf(`{"log":{"step":"a","offset":%d,"at":%q,%s}}`, offset, at.Format(time.RFC3339Nano), content))
			}
			s.update(build, strings.Join(updates, ","))
		}
		if len(w.bytes) == 0 {
			return
		}
		count := w.lines(int64(len(w.bytes)))
		if last := w.events[len(w.events)-1]; last.Lost > 0 || w.bytes[len(w.bytes)-1] != '\n' {
			count++
		}
		for range 6 {
			first := rapid.Int64Range(1, count+1).Draw(rt, "from")
			last := rapid.Int64Range(first, count+2).Draw(rt, "to")
			query := fmt.Sprintf("?from=%d&to=%d", first, last)
			if rapid.IntRange(0, 4).Draw(rt, "tail") == 0 {
				first, last = max(1, count+1-min(last, mostLines)), count
				query = fmt.Sprintf("?tail=%d", count+1-first)
			}
			a := s.get(build + "/steps/a/lines" + query)
			var got struct {
				Lines, Bytes int64
				SGR          string
				Chunks       []struct {
					At                        time.Time
					Step                      string
					Line, Offset, Bytes, Lost int64
					Text                      *string
				}
			}
			if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || got.Lines != count || got.Bytes != int64(len(w.bytes)) {
				rt.Fatalf("%s: %d %v %.300s, want %d lines of %d bytes", query, a.status, err, a.body, count, len(w.bytes))
			}
			at, end := w.line(first), w.line(last+1)
			most := w.line(min(last, first+mostLines-1) + 1) // of an answer with chunks
			colours := w.colours(at)
			if got.SGR != colours && len(got.Chunks) > 0 {
				rt.Fatalf("%s: colours %q, want %q of %q", query, got.SGR, colours, w.bytes)
			}
			if log := s.get(fmt.Sprintf("%s/steps/a/log?lines=%d-%d", build, first, last)); first <= count && w.holes == 0 && (log.body != string(w.bytes[at:end]) || log.header.Get("Stepcast-SGR") != colours) {
				rt.Fatalf("%s: the log has %q, %v, want %q after %q", query, log.body, log.header, w.bytes[at:end], colours)
			}
			for _, c := range got.Chunks {
				i := slices.IndexFunc(w.events, func(e ci.Event) bool { return e.Offset <= at && at < e.End() })
				e := &w.events[i]
				raw := w.bytes[at:min(most, e.End())]
				if !c.At.Equal(e.At) || c.Step != "a" || c.Offset != at || c.Bytes != int64(len(raw)) || c.Line != w.lines(at)+1 || c.Lost != e.Lost || (c.Text == nil) != (e.Lost > 0) {
					rt.Fatalf("%s: the chunk is %+v, want one of %q at %d", query, c, raw, at)
				}
				var text string
				json.Unmarshal(append(ci.AppendEscaped([]byte{'"'}, raw), '"'), &text)
				if c.Text != nil && *c.Text != text {
					rt.Fatalf("%s: the text is %q, want %q", query, *c.Text, text)
				}
				at += c.Bytes
			}
			if at != most {
				rt.Fatalf("%s: the chunks end at %d, want %d", query, at, most)
			}
		}
	})
}

// TestLines_Bounded asks for more than an answer takes.
func TestLines_Bounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	sizes := map[string]int{}
	add := func(step, text string) {
		for len(text) > 0 {
			n := min(len(text), 500_000)
			s.update(build, logText(step, sizes[step], text[:n]))
			sizes[step], text = sizes[step]+n, text[n:]
		}
	}
	long := strings.Repeat("x", 3<<20)
	add("ends", "one\n"+long+"\nend\n")
	add("long", "one\ntwo\n"+long)
	add("short", strings.Repeat("line\n", 20_000))
	for i := range 12 { // each line an event
		updates := make([]string, 1000)
		for k := range updates {
			updates[k] = logText("slow", 5*(1000*i+k), "slow\n")
		}
		s.update(build, strings.Join(updates, ","))
	}
	sizes["slow"] = 60_000
	for range 20 {
		s.update(build, logText("grows", sizes["grows"], strings.Repeat(strings.Repeat("x", 139)+"\n", 460)))
		sizes["grows"] += 140 * 460
	}
	for range 100 { // small events behind large ones
		s.update(build, logText("grows", sizes["grows"], "end\n"))
		sizes["grows"] += 4
	}
	for _, c := range []struct {
		step, query string
		line        int64 // the first
		lines       int64 // to the end of the last; 0: not known
		ends        bool  // with the log
	}{
		{"ends", "from=2", 2, 0, false},
		{"ends", "from=3", 3, 1, true},
		{"ends", "tail=3", 3, 1, true},
		{"long", "from=1", 1, 2, false},
		{"long", "tail=2", 3, 0, false},
		{"short", "from=1", 1, 10_000, false},
		{"short", "from=5&to=20000", 5, 10_000, false},
		{"short", "tail=10000", 10_001, 10_000, true},
		{"slow", "from=1", 1, 0, false},
		{"slow", "tail=10000", 0, 0, true},
		{"grows", "tail=10000", 0, 0, true},
	} {
		a := s.get(build + "/steps/" + c.step + "/lines?" + c.query)
		var got struct {
			Chunks []struct {
				Line, Offset, Bytes int64
				Text                string
			}
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || len(got.Chunks) == 0 {
			t.Errorf("%s?%s: %d %.300s", c.step, c.query, a.status, a.body)
			continue
		}
		lines, end := int64(0), int64(0)
		for _, chunk := range got.Chunks {
			lines += int64(strings.Count(chunk.Text, "\n"))
			end = chunk.Offset + chunk.Bytes
		}
		if first := got.Chunks[0].Line; c.line > 0 && first != c.line || c.lines > 0 && lines != c.lines || (end == int64(sizes[c.step])) != c.ends || len(a.body) > linesBytes*5/4 {
			t.Errorf("%s?%s: from line %d, %d lines, to byte %d of %d, %d bytes", c.step, c.query, first, lines, end, sizes[c.step], len(a.body))
		}
	}
}
