package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

func TestLog_StripLeavesText(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	s.update(build, logText("a", 0, "\x1b[31mred\x1b[0m \u009b2J\u009b31mC1\u009d8;;http://x/\u009c FAILED\b\b\a\x0e\n")+","+logText("b", 0, "10%\r20%\r\n\ttab\u00a0°\n"))
	for step, want := range map[string]string{"a": "red C1 FAILED\n", "b": "10%\r20%\r\n\ttab\u00a0°\n"} {
		if a := s.get(build + "/steps/" + step + "/log?ansi=strip"); a.body != want {
			t.Errorf("%q, want %q", a.body, want)
		}
	}
}

func TestLog_Parts(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	s.update(build, logText("a", 0, "one\n\x1b[1;31mtwo\n")+","+logText("a", 15, "three\x1b[0")+","+logText("a", 23, ";4m\nfour \xc3")+","+logText("a", 23, ""))
	whole := s.get(log).body
	if !strings.HasPrefix(whole, "one\n\x1b[1;31mtwo\nthree\x1b[0;4m\nfour ") {
		t.Fatalf("%q", whole)
	}
	size := len(whole)
	etag := s.get(log).header.Get("ETag")
	for _, c := range []struct {
		query   string
		headers []string
		status  int
		want    string
		header  string // "Name: value"
	}{
		{"", nil, 200, whole, "Content-Type: text/plain; charset=utf-8"},
		{"", nil, 200, whole, "Cache-Control: private, no-cache"},
		{"", []string{"If-None-Match: " + etag}, 304, "", "Etag: " + etag},
		{"?download=1", nil, 200, whole, `Content-Disposition: attachment; filename="a.log"`},
		{"", []string{"Range: bytes=0-2"}, 206, "one", fmt.Sprintf("Content-Range: bytes 0-2/%d", size)},
		{"", []string{"Range: bytes=4-"}, 206, whole[4:], fmt.Sprintf("Content-Range: bytes 4-%d/%d", size-1, size)},
		{"", []string{"Range: bytes=-5"}, 206, whole[size-5:], "Accept-Ranges: bytes"},
		{"", []string{"Range: bytes=14-19"}, 206, whole[14:20], "Content-Length: 6"},
		{"", []string{"Range: bytes=0-99999"}, 206, whole, ""},
		{"", []string{fmt.Sprintf("Range: bytes=%d-", size)}, 416, "", fmt.Sprintf("Content-Range: bytes */%d", size)},
		{"", []string{"Range: bytes=0-1,3-4"}, 200, whole, ""},
		{"", []string{"Range: bytes=2-1"}, 200, whole, ""},
		{"", []string{"Range: lines=2-1"}, 200, whole, ""},
		{"", []string{"Range: bytes=0-2", "If-Range: \"x\""}, 200, whole, ""},
		{"", []string{"Range: bytes=0-2", "If-Range: " + etag}, 206, "one", ""},
		{"?lines=1", nil, 200, "one\n", "Stepcast-Sgr: "},
		{"?lines=2-2", nil, 200, "\x1b[1;31mtwo\n", "Stepcast-Sgr: "},
		{"?lines=3-3", nil, 200, "three\x1b[0;4m\n", "Stepcast-Sgr: 1;31"},
		{"?lines=4-", nil, 200, whole[strings.Index(whole, "four"):], "Stepcast-Sgr: 4"},
		{"?lines=2-99", nil, 200, whole[4:], ""},
		{"?lines=5", nil, 416, "", ""},
		{"?lines=0", nil, 400, "", ""},
		{"?lines=3-2", nil, 400, "", ""},
		{"?ansi=strip", nil, 200, strings.NewReplacer("\x1b[1;31m", "", "\x1b[0;4m", "").Replace(whole), ""},
		{"?ansi=strip&lines=2-3", nil, 200, "two\nthree\n", ""},
		{"?ansi=html", nil, 400, "", ""},
	} {
		a := s.get(log+c.query, c.headers...)
		name, value, _ := strings.Cut(c.header, ": ")
		if a.status != c.status || a.status < 300 && a.body != c.want || c.header != "" && a.header.Get(name) != value {
			t.Errorf("%s %q: %d %q %v", c.query, c.headers, a.status, a.body, a.header)
		}
	}
	if a := s.do("HEAD", log, ""); a.status != 200 || a.header.Get("Content-Length") != fmt.Sprint(size) || a.header.Get("Upload-Offset") != fmt.Sprint(size) {
		t.Errorf("HEAD: %d %v", a.status, a.header)
	}
	if a := s.get(build + "/steps/b/log"); a.status != 404 || a.problem().Type != "/problems/unknown-step" {
		t.Errorf("unknown step: %d %s", a.status, a.body)
	}
	// Closed, it may be kept for ever.
	s.update(build, fmt.Sprintf(`{"step":{"key":"a","status":"passed","log_bytes":%d}}`, size))
	if a := s.get(log); !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.body != whole {
		t.Errorf("closed: %v", a.header)
	}
}

func TestLog_Holes(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	s.update(build, logText("a", 0, "one\ntw")+`,{"log":{"step":"a","offset":6,"lost":10}},`+logText("a", 16, "o\n")+`,{"log":{"step":"a","offset":18,"lost":5}}`)
	want := "one\ntw\n[stepcast: 10 bytes lost at offset 6]\no\n[stepcast: 5 bytes lost at offset 18]\n"
	a := s.get(log, "Range: bytes=0-1")
	if a.status != 200 || a.body != want || a.header.Get("Stepcast-Holes") != "6+10, 18+5" || a.header.Get("Accept-Ranges") != "" || a.header.Get("Upload-Offset") != "23" {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
}

// A few bytes of a report make many holes. The header names as many as any client and
// proxy take.
func TestLog_ManyHoles(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	var updates, named []string
	for i := range 500 {
		updates = append(updates, logText("a", 3*i, "x\n"), fmt.Sprintf(`{"log":{"step":"a","offset":%d,"lost":1}}`, 3*i+2))
		named = append(named, fmt.Sprintf("%d+1", 3*i+2))
	}
	s.update(build, strings.Join(updates, ","))
	for _, a := range []answer{s.get(log), s.do("HEAD", log, "")} {
		if got, want := a.header.Get("Stepcast-Holes"), strings.Join(named[:64], ", ")+", more"; a.status != 200 || got != want {
			t.Errorf("%d %s, want %s", a.status, got, want)
		}
	}
	if n := strings.Count(s.get(log).body, "[stepcast: 1 bytes lost"); n != 500 {
		t.Errorf("%d marks of 500 holes", n)
	}
}

// While two releases run side by side, the older one keeps text behind the hole
// that ended a log: what is not kept after that is said once more.
func TestLogWriter_TextBehindACut(t *testing.T) {
	t.Parallel()
	to := httptest.NewRecorder()
	w := logWriter{c: echo.New().NewContext(httptest.NewRequest("GET", "/", nil), to), to: 100}
	quota := ci.Quota{Of: ci.OfBuild, Bytes: 2}
	for _, e := range []ci.Event{
		{Offset: 0, Chunk: ci.NewChunk([]byte("a\n"))},
		{Offset: 2, Lost: 10, Quota: quota},
		{Offset: 12, Lost: 10, Quota: quota},
		{Offset: 22, Chunk: ci.NewChunk([]byte("b\n"))},
		{Offset: 24, Lost: 10, Quota: quota},
	} {
		if err := w.event(&e); err != nil {
			t.Fatal(err)
		}
	}
	cut := "[stepcast: the rest was not kept: this build's log quota of 2 bytes is used up]\n"
	if got, want := to.Body.String(), "a\n"+cut+"b\n"+cut; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A log that was cut says so, once, wherever it is shown, and whoever writes it
// is told that all is well.
func TestLog_Cut(t *testing.T) {
	t.Parallel()
	s := startWith(t, postgres.Config{URL: pgtest.New(t), BuildLog: 10}, Config{})
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	auth := "Authorization: Bearer " + s.token
	quota := `{"of":"build","bytes":10,"why":"The rest was not kept: this build's log quota of 10 bytes is used up."}`
	receipt := s.write(build+"/updates", `{"updates":[`+logText("a", 0, "one\ntwo\nthree\n")+`]}`).body
	if want := `"logs":{"a":14},"cut":{"a":` + quota + `}}`; !strings.HasSuffix(strings.TrimSpace(receipt), want) {
		t.Errorf("%s", receipt)
	}
	follower, err := http.Get(s.url + log + "?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer follower.Body.Close()
	told := `{"cut":{"a":` + quota + `},"detail":"The log was cut: this build's log quota of 10 bytes is used up. The rest is taken, and not kept; statuses, notes and heartbeats are as ever."}` + "\n"
	for range 100 {
		if a := s.do("PATCH", log, strings.Repeat("x", 100), auth, "Upload-Offset: 14"); a.status != 200 || a.body != told || a.header.Get("Upload-Offset") != "114" {
			t.Fatalf("an upload: %d %s %v", a.status, a.body, a.header)
		}
	}
	if a := s.do("PATCH", log, "at the end", auth); a.status != 200 || a.body != told || a.header.Get("Upload-Offset") != "14" {
		t.Errorf("an upload without an offset: %d %s %v", a.status, a.body, a.header)
	}
	want := "one\ntwo\n[stepcast: the rest was not kept: this build's log quota of 10 bytes is used up]\n"
	if a := s.get(log); a.body != want || a.header.Get("Stepcast-Holes") != "8+6" {
		t.Errorf("%q %v", a.body, a.header)
	}
	s.update(build, `{"step":{"key":"a","status":"passed","log_bytes":10014}}`)
	if a := s.get(log); a.body != want || a.header.Get("Stepcast-Holes") != "8+10006" || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("%q %v", a.body, a.header)
	}
	if all, err := io.ReadAll(follower.Body); err != nil || string(all) != want {
		t.Errorf("a follower has %q, %v", all, err)
	}
	if a := s.get("/plain" + strings.TrimPrefix(build, "/api/v1") + "/steps/a"); strings.Count(a.body, "The rest was not kept: this build&#39;s log quota of 10 bytes is used up.") != 1 {
		t.Errorf("the plain page: %d %s", a.status, a.body)
	}
	lines := s.get(build + "/steps/a/lines").body
	if want := `"offset":14,"bytes":10000,"lost":10000,"quota":` + quota + `}]}`; !strings.HasSuffix(strings.TrimSpace(lines), want) {
		t.Errorf("%s", lines)
	}
}

func TestLog_Follow(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	s.update(build, logText("a", 0, "one\n"))
	res, err := http.Get(s.url + log + "?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 4)
	want := 4
	for _, text := range []string{"one\n", "two\n", "end\n"} {
		if text != "one\n" {
			s.update(build, logText("a", want, text))
			want += 4
		}
		if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != text {
			t.Fatalf("%q, %v, want %q", buf, err, text)
		}
	}
	s.update(build, logText("a", want, "rest")+`,{"step":{"key":"a","status":"passed"}}`)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "rest" {
		t.Errorf("%q, %v", rest, err)
	}
	// A follower that is cut off is not taken for one that has everything.
	s.update(build, logText("b", 0, "x"))
	res, err = http.Get(s.url + build + "/steps/b/log?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, buf[:1]); err != nil {
		t.Fatal(err)
	}
	s.stop()
	if rest, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("%q and a clean end", rest)
	}
}

func TestSGR(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                     "",
		"plain":                                "",
		"\x1b[31mred":                          "31",
		"\x1b[1m\x1b[4;32m":                    "1;4;32",
		"\x1b[1;31m\x1b[0m":                    "",
		"\x1b[1;31m\x1b[m":                     "",
		"\x1b[1;2;3;4;5;6;7;8;9m":              "1;2;3;4;5;6;7;8;9",
		"\x1b[1;2;3;4;5;7;8;9m\x1b[22;23;24m":  "5;7;8;9",
		"\x1b[5;7;8;9m\x1b[25;27;28;29m":       "",
		"\x1b[38;5;208;48;2;1;2;3m":            "38;5;208;48;2;1;2;3",
		"\x1b[38:2::1:2:3;58:5:9m":             "38:2::1:2:3;58:5:9",
		"\x1b[31;41;58;5;1m\x1b[39;49;59m":     "",
		"\x1b[91;107m":                         "91;107",
		"\x1b[21;53m":                          "21;53",
		"\x1b[21;53m\x1b[24;55m":               "",
		"\x1b[4:3m\x1b[4:0m":                   "",
		"\x1b[31m\x1b[2K\x1b[1A\x1b]0;title\a": "31",
		"\x1b[>4;1m":                           "",
		"\x1b[38;5m\x1b[38m":                   "",
		"\x1b[\x1b[32m":                        "32",
		"\x1b[32m\x1b[1\nmake: done":           "32",
		"\x1b\n[31m":                           "",
		"\x1b(B\x1b[33m":                       "33",
		"\x1b[1" + strings.Repeat(";1", 200) + "m\x1b[34m": "34",
	} {
		var whole, bytewise sgr
		whole.write([]byte(text))
		for i := range len(text) {
			bytewise.write([]byte{text[i]})
		}
		if whole.String() != want || bytewise.String() != want {
			t.Errorf("%q: %q, byte by byte %q, want %q", text, whole.String(), bytewise.String(), want)
		}
	}
}
