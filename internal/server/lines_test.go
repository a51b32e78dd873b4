package server

import (
	"fmt"
	"strings"
	"testing"
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
	if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-cache" {
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
	s.update(build, `{"step":{"key":"a/b","status":"passed","log_bytes":42}}`)
	if b := s.get(lines); !strings.Contains(b.header.Get("Cache-Control"), "immutable") {
		t.Errorf("closed: %v", b.header)
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
