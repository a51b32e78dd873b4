package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/pgtest"
)

// found is an answer to a search, its matches as "step:line text".
type found struct {
	Matches []struct {
		Step, Text string
		Line, At   int64
		Ranges     [][2]int64
	}
	Total     int64
	Next, End string
	Complete  bool
}

func (f *found) String() string {
	parts := make([]string, len(f.Matches))
	for i, m := range f.Matches {
		parts[i] = fmt.Sprint(m.Step, ":", m.Line, " ", m.Text)
	}
	return strings.Join(parts, "|")
}

// search looks for q, with more parameters such as "case", "true".
func (s *testServer) search(build, q string, more ...string) (f found) {
	s.t.Helper()
	v := url.Values{"q": {q}}
	for i := 0; i < len(more); i += 2 {
		v.Add(more[i], more[i+1])
	}
	a := s.get(build + "/search?" + v.Encode())
	if err := json.Unmarshal([]byte(a.body), &f); err != nil || a.status != 200 {
		s.t.Fatalf("search %s: %d %s", v.Encode(), a.status, a.body)
	}
	if link := a.header.Get("Link"); (f.Next != "") != strings.Contains(link, `rel="next"`) || !strings.Contains(link, url.QueryEscape(f.Next)) {
		s.t.Errorf("search %s: Link is %q", v.Encode(), link)
	}
	return f
}

func TestSearch_Finds(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"b"},{"key":"a/x"},{"key":"none"}]}`)
	bytes := base64.StdEncoding.EncodeToString([]byte("caf\xe9 caf\xc3\xa9\n"))
	s.update(build, logText("a/x", 0, "one\n\x1b[31mEr\x1b[1mror\x1b[0m: x\r\nan err")+","+logText("a/x", 33, "or here\n")+
		`,{"log":{"step":"b","offset":0,"base64":"`+bytes+`"}},{"log":{"step":"b","offset":11,"lost":5}},`+logText("b", 16, "ror\nKELVIN error\nund"))
	for _, c := range []struct {
		q    string
		more []string
		want string
	}{
		{"error", nil, "b:3 KELVIN error|a/x:2 Error: x|a/x:3 an error here"},
		{"error", []string{"case", "true"}, "b:3 KELVIN error|a/x:3 an error here"},
		{"error", []string{"step", "a/x"}, "a/x:2 Error: x|a/x:3 an error here"},
		{"error", []string{"step", "none", "step", "later"}, ""},
		{"^err(or)?: x$", []string{"regex", "true"}, "a/x:2 Error: x"},
		{`\d|err.*$`, []string{"regex", "1", "case", "1", "step", "a/x"}, "a/x:3 an error here"},
		{"er.*", nil, ""},
		{"caf\uFFFD CAFÉ", nil, "b:1 caf\uFFFD café"},
		{"und", nil, "b:4 und"},
		{"\u212aelvin", nil, "b:3 KELVIN error"},
	} {
		f := s.search(build, c.q, c.more...)
		if f.String() != c.want || f.Total != int64(len(f.Matches)) || f.Next != "" || !f.Complete || f.End != s.last(build) {
			t.Errorf("%s %q: %+v, want %s", c.q, c.more, f, c.want)
		}
	}
	if m := s.search(build, "here").Matches[0]; m.At != 0 || fmt.Sprint(m.Ranges) != "[[9 13]]" {
		t.Errorf("%+v", m)
	}
	if a := s.do("HEAD", build+"/search?q=x", ""); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
	if a := s.get("/api/v1/builds/0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10/search?q=x"); a.status != 404 {
		t.Errorf("no such build: %d %s", a.status, a.body)
	}
	for query, field := range map[string]string{
		"": "q", "q=": "q", "q=a%0Ab": "q", "q=%ff": "q", "q=" + strings.Repeat("x", 1001): "q", "q=a**&regex=true": "q",
		"q=a&regex=yes": "regex", "q=a&case=2": "case", "q=a&limit=0": "limit", "q=a&limit=10001": "limit", "q=a&x=1": "x", "q=a&step=/": "key",
		"q=a&after=x": "after", "q=a&after=" + s.last(s.create(`{"project":"p"}`)): "after", "q=a&after=" + s.last(build) + "9": "after",
		"q=a&after=" + s.last(build) + "-1-1-1": "after", "q=a&after=" + s.last(build) + "-1-1-1-0": "after",
	} {
		if a := s.get(build + "/search?" + query); a.status != 400 || a.problem().Field != field {
			t.Errorf("%.60s: %d %s", query, a.status, a.body)
		}
	}
	if a := s.get(build + "/search?regex=true&q=ü(a"); a.problem().Detail != "The regular expression is wrong at character 2, “(a”: this parenthesis is never closed; write \\( to find one." {
		t.Error(a.body)
	}
}

// bytes is the length of a step's log.
func (s *testServer) bytes(build, step string) (n int) {
	s.t.Helper()
	fmt.Sscan(s.do("HEAD", build+"/steps/"+step+"/log", "").header.Get("Upload-Offset"), &n)
	return n
}

// pages searches page by page and calls between after each but the last.
func (s *testServer) pages(build, q string, between func(), more ...string) (matches []string, requests int, end string) {
	s.t.Helper()
	for after := []string(nil); ; {
		f := s.search(build, q, append(after, more...)...)
		requests++
		for _, m := range f.Matches {
			matches = append(matches, fmt.Sprint(m.Step, ":", m.Line))
		}
		if f.Next == "" {
			return matches, requests, f.End
		}
		if between(); requests > 1000 {
			s.t.Fatal("this has no end")
		}
		after = []string{"after", f.Next}
	}
}

// TestSearch_Pages looks at pages while logs grow: what comes in between is
// found after the end, each line once.
func TestSearch_Pages(t *testing.T) {
	t.Parallel()
	s := start(t)
	for limit, requests := range map[string]int{"1": 21, "4": 6, "7": 3, "20": 2, "21": 1, "10000": 1} {
		build := s.create(`{"project":"p"}`)
		var want []string
		for _, step := range []string{"c", "b", "a"} {
			for line := range 7 {
				s.update(build, logText(step, s.bytes(build, step), fmt.Sprintf("%d match\n\n", line)))
				want = append(want, fmt.Sprint(step, ":", 2*line+1))
			}
		}
		if f := s.search(build, "match", "limit", limit); f.Total != 21 {
			t.Errorf("limit %s: %d in all", limit, f.Total)
		}
		var later []string
		grow := func() {
			s.update(build, logText("c", s.bytes(build, "c"), "match\n"))
			later = append(later, fmt.Sprint("c:", 15+len(later)))
		}
		got, n, end := s.pages(build, "match", grow, "limit", limit)
		if fmt.Sprint(got) != fmt.Sprint(want) || n != requests {
			t.Errorf("limit %s: %q in %d requests, want %q", limit, got, n, want)
		}
		if got, _, _ := s.pages(build, "match", func() {}, "limit", limit, "after", end); fmt.Sprint(got) != fmt.Sprint(later) {
			t.Errorf("limit %s, after the end: %q, want %q", limit, got, later)
		}
	}
}

// TestSearch_Grows searches a log after each piece of it: a line is found once,
// when it first matches, be it unended or not.
func TestSearch_Grows(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	step := func(end *string, q string, more ...string) string {
		f := s.search(build, q, append(more, "after", *end)...)
		*end = f.End
		return f.String()
	}
	ends := make([]string, 3)
	ends[0] = s.search(build, "x").End
	ends[1], ends[2] = ends[0], ends[0]
	for _, c := range []struct {
		updates                string
		literal, dollar, other string
	}{
		{logText("a", 0, "nothing\nan err"), "", "a:2 an err", ""},
		{logText("a", 14, "or\n"), "a:2 an error", "", ""},
		{logText("b", 0, "an error, un"), "b:1 an error, un", "", ""},
		{logText("b", 12, "ended"), "", "", "b:1 an error, unended"},
		{logText("a", 17, "\x1b[31mer\x1b[0") + "," + logText("b", 17, "\r"), "", "", ""},
		{logText("a", 27, "mror\n") + "," + logText("b", 18, "\nerr"), "a:3 error", "b:2 err", ""},
		{`{"log":{"step":"a","offset":32,"lost":9}},` + logText("a", 41, "error unended err"), "a:4 error unended err", "a:4 error unended err", "a:4 error unended err"},
		{`{"log":{"step":"a","offset":58,"lost":9}},` + logText("a", 67, "error") + "," + logText("c", 0, "unended"), "a:4 error", "", "c:1 unended"},
		{`{"build":{"title":"no text"}}`, "", "", ""},
	} {
		s.update(build, c.updates)
		for i, got := range []string{step(&ends[0], "error"), step(&ends[1], "err$", "regex", "true"), step(&ends[2], "unended")} {
			if want := []string{c.literal, c.dollar, c.other}[i]; got != want {
				t.Errorf("after %s: %q, want %q", c.updates, got, want)
			}
		}
	}
}

// TestSearch_TimeBound gives a search no time: it answers with what it has, and
// goes on from there, without a loss.
func TestSearch_TimeBound(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.searchTime = 0
	build := s.create(`{"project":"p"}`)
	var want []string
	for _, step := range []string{"a", "b"} {
		for line := range 5 {
			s.update(build, logText(step, s.bytes(build, step), "mat"))
			s.update(build, logText(step, s.bytes(build, step), "ch\nx\nmatch"))
			s.update(build, logText(step, s.bytes(build, step), "\n"))
			want = append(want, fmt.Sprint(step, ":", 3*line+1), fmt.Sprint(step, ":", 3*line+3))
		}
	}
	first := s.search(build, "match")
	if first.Complete || first.Next == "" || first.End != first.Next || first.Total != int64(len(first.Matches)) {
		t.Errorf("%+v", first)
	}
	if got, n, _ := s.pages(build, "match", func() {}); fmt.Sprint(got) != fmt.Sprint(want) || n < 10 {
		t.Errorf("%q in %d requests, want %q", got, n, want)
	}
	// A line that takes all the time is left as far as it was searched.
	long := s.create(`{"project":"p"}`)
	for _, step := range []string{"a", "b"} {
		s.update(long, logText(step, 0, map[string]string{"b": "match "}[step]))
		for range 40 {
			s.update(long, logText(step, s.bytes(long, step), strings.Repeat("x", 60_000)))
		}
		s.update(long, logText(step, s.bytes(long, step), " match\nmatch\n"))
	}
	if got, _, _ := s.pages(long, "match", func() {}); fmt.Sprint(got) != "[a:2 b:1 b:2]" {
		t.Errorf("%q", got)
	}
}

func TestSearch_Bounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.searchTime = time.Minute // it is bounded by what it finds
	build := s.create(`{"project":"p"}`)
	line := strings.Repeat("match ", 100) + "\n"
	for range 30 {
		s.update(build, logText("a", s.bytes(build, "a"), strings.Repeat(line, 100)))
	}
	f := s.search(build, "match", "limit", "10000")
	if f.Total != 3000 || len(f.Matches) == 3000 || f.Next == "" || len(f.Matches[0].Text) != 500 || len(f.Matches[0].Ranges) != 100 {
		t.Errorf("%d of %d", len(f.Matches), f.Total)
	}
	if got, _, _ := s.pages(build, "match", func() {}, "limit", "10000"); len(got) != 3000 {
		t.Errorf("%d in pages", len(got))
	}
	// Answers that nobody reads, larger than a socket holds, keep nobody from
	// searching.
	for range 20 {
		s.update(build, logText("c", s.bytes(build, "c"), strings.Repeat(strings.Repeat("\x01", 490)+" large\n", 100)))
	}
	for range mostSearches {
		slow := s.connect()
		slow.conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(slow.conn, "GET %s/search?q=large&limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n", build)
		if _, err := slow.r.Peek(1); err != nil {
			t.Fatal(err)
		}
	}
	if f := s.search(build, "nothing"); f.Total != 0 {
		t.Errorf("%+v", f)
	}
	// Text that is stored six times as long as it is.
	for range 30 {
		s.update(build, logText("b", s.bytes(build, "b"), strings.Repeat("\x01", 60_000)+" needle\n"))
	}
	if f := s.search(build, "\x01 needle", "limit", "1"); f.Matches[0].Ranges[0] != [2]int64{59_999, 60_007} {
		t.Errorf("%+v", f.Matches)
	}
	// On a busy machine that takes longer than one request may.
	if got, _, _ := s.pages(build, "\x01 needle", func() {}); len(got) != 30 || got[29] != "b:30" {
		t.Errorf("%q", got)
	}
	// Two at once are enough.
	s.searches.places <- struct{}{}
	s.searches.places <- struct{}{}
	if a := s.get(build + "/search?q=x"); a.status != 503 || a.problem().Type != "/problems/overloaded" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	// Who goes away makes room.
	<-s.searches.places
	for range 3 {
		gone := s.connect()
		fmt.Fprintf(gone.conn, "GET %s/search?q=x HTTP/1.1\r\nHost: localhost\r\n\r\n", build)
		gone.conn.Close()
	}
	s.searches.places <- struct{}{}
	<-s.searches.places
	if f := s.search(build, "x"); f.Total != 0 {
		t.Errorf("%+v", f)
	}
}

// TestSearch_OneOfEach lets whoever searches on and on have one place, so that
// the other is there for the rest.
func TestSearch_OneOfEach(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), func(cfg *Config) { cfg.Limits.Loopback = true })
	build := s.create(`{"project":"p"}`)
	query := build + "/search?q=x"
	slow := s.searches.enterAs(t.Context(), "127.0.0.1")
	if a := s.get(query); a.status != 503 || a.problem().Type != "/problems/overloaded" || a.header.Get("Retry-After") == "" {
		t.Errorf("once more from the same address: %d %s", a.status, a.body)
	}
	if a := s.get(query, "Authorization: Bearer "+s.token); a.status != 200 {
		t.Errorf("with a token: %d %s", a.status, a.body)
	}
	slow()
	if a := s.get(query); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
	if n := len(s.searches.of); n != 0 {
		t.Errorf("%d are kept who search no more", n)
	}
}
