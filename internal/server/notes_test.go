package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// resultOf is a note update with a test's result.
func resultOf(step string, number int, name, status string) string {
	return fmt.Sprintf(`{"note":{"step":%q,"number":%d,"test":{"name":%q,"status":%q}}}`, step, number, name, status)
}

func TestNotes_Written(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"},{"key":"b"}]}`)
	post := `{"updates":[` + logText("a", 0, "x\n") + "," + resultOf("a", 0, "x", "passed") + "," + resultOf("a", 1, "y", "failed") + "," +
		`{"note":{"step":"b","number":0,"annotation":{"level":"notice","message":"z"}}}]}`
	first := s.write(build+"/updates", post)
	if first.status != 200 || !strings.Contains(first.body, `"logs":{"a":2},"notes":{`) || !strings.Contains(first.body, `"a":2`) || !strings.Contains(first.body, `"b":1`) {
		t.Fatalf("%d %s", first.status, first.body)
	}
	last := s.last(build)
	if again := s.write(build+"/updates", post); again.status != 200 || s.last(build) != last {
		t.Errorf("repeated: %d %s", again.status, again.body)
	}
	if a := s.write(build+"/updates", `{"updates":[{"build":{}},`+resultOf("a", 3, "x", "passed")+`]}`); a.status != 409 || a.problem().Type != "/problems/note-gap" || *a.problem().Index != 1 || !strings.Contains(a.body, `"number":2`) {
		t.Errorf("a gap: %d %s", a.status, a.body)
	}
	// Results that come after the log was closed, and before the final status's
	// event tells them.
	s.update(build, `{"step":{"key":"a","status":"failed","log_bytes":2}}`)
	s.update(build, resultOf("a", 2, "late", "skipped"))
	var b struct {
		Steps []struct{ Annotations, Tests json.RawMessage }
	}
	json.Unmarshal([]byte(s.get(build).body), &b)
	if got := fmt.Sprintf("%s %s %s %s", b.Steps[0].Annotations, b.Steps[0].Tests, b.Steps[1].Annotations, b.Steps[1].Tests); got != `null {"passed":1,"failed":1,"skipped":1} {"error":0,"warning":0,"notice":1} null` {
		t.Error(got)
	}
	var page struct{ Events []eventJSON }
	json.Unmarshal([]byte(s.get(build+"/events?logs=none").body), &page)
	for i, e := range page.Events {
		if !e.Kind.OfStatus() {
			t.Errorf("logs=none: %s", e.Data)
		}
		if i == len(page.Events)-1 && !strings.Contains(string(e.Data), `"tests":{"passed":1,"failed":1,"skipped":0}`) {
			t.Errorf("the last step event is %s", e.Data)
		}
	}
}

func TestReporter_Owns(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	claim := func(reporter string) string {
		return `{"updates":[{"step":{"key":"a","reporter":"` + reporter + `","status":"running"}},` + logText("a", 0, reporter) + `]}`
	}
	if a := s.write(build+"/updates", claim("job 1")); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	last := s.last(build)
	if a := s.write(build+"/updates", claim("job 1")); a.status != 200 || s.last(build) != last {
		t.Errorf("the same again: %d %s", a.status, a.body)
	}
	if a := s.write(build+"/updates", claim("job 2")); a.status != 409 || a.problem().Type != "/problems/step-taken" || a.problem().Field != "reporter" || *a.problem().Index != 0 || !strings.Contains(a.problem().Detail, "another key") {
		t.Errorf("another: %d %s", a.status, a.body)
	}
	if a := s.get(build + "/steps/a/log"); a.body != "job 1" {
		t.Errorf("the log is %q", a.body)
	}
	s.update(build, `{"step":{"key":"a","name":"Anyone"}}`)
	if all := s.get(build).body + s.get(build+"/events?logs=none").body; strings.Contains(all, "reporter") || strings.Contains(all, "job 1") {
		t.Errorf("the reporter is shown: %s", all)
	}
}

func TestNotes_List(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	s.update(build, `{"note":{"step":"a","number":0,"at":"2026-11-22T10:00:00Z","line":1,"group":{"name":"<g>"}}},`+
		`{"note":{"step":"a","number":1,"at":"2026-11-22T10:00:00Z","line":2,"annotation":{"level":"error","message":"e"}}},`+
		`{"note":{"step":"a","number":2,"at":"2026-11-22T10:00:00Z","line":4,"group_end":{"group":0,"duration_s":2}}},`+
		resultOf("b/c", 0, "x", "passed")+","+resultOf("b/c", 1, "y", "failed")+`,{"note":{"step":"b/c","number":2,"annotation":{"level":"warning","message":"w"}}}`)
	type list struct {
		Notes []json.RawMessage
		Next  string
	}
	read := func(query string) (l list, names string) {
		t.Helper()
		a := s.get(build + "/notes" + query)
		if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.status != 200 {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		if link := a.header.Get("Link"); (l.Next != "") != strings.Contains(link, `rel="next"`) || !strings.Contains(link, l.Next) {
			t.Errorf("%s: Link is %q", query, link)
		}
		for _, note := range l.Notes {
			var n struct {
				Group      *struct{ Name string }
				Annotation *struct{ Message string }
				Test       *struct{ Name string }
			}
			json.Unmarshal(note, &n)
			switch {
			case n.Group != nil:
				names += n.Group.Name
			case n.Annotation != nil:
				names += n.Annotation.Message
			default:
				names += n.Test.Name
			}
		}
		return l, names
	}
	for query, want := range map[string]string{
		"":                               "<g>exyw",
		"?kind=group":                    "<g>",
		"?kind=annotation&kind=test":     "exyw",
		"?kind=annotation&level=warning": "w",
		"?level=error":                   "e",
		"?level=error&status=failed":     "ey",
		"?status=failed&status=passed":   "xy",
		"?kind=group&status=failed":      "<g>y",
		"?step=b/c":                      "xyw",
		"?step=a&step=b/c&level=warning": "w",
		"?step=none":                     "",
		"?status=skipped":                "",
	} {
		if _, got := read(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	all := ""
	for query := "?limit=2"; ; {
		l, names := read(query)
		if all += names; l.Next == "" {
			break
		}
		query = "?limit=2&after=" + url.QueryEscape(l.Next)
	}
	if all != "<g>exyw" {
		t.Errorf("in pages: %s", all)
	}
	l, _ := read("?kind=group")
	if got, want := string(l.Notes[0]), `{"at":"2026-11-22T10:00:00Z","step":"a","number":0,"line":1,"group":{"name":"<g>","level":1,"folded":false,"last_line":3,"duration_s":2}}`; got != want {
		t.Errorf("the group is %s, want %s", got, want)
	}
	etag := s.get(build + "/notes").header.Get("ETag")
	if a := s.get(build+"/notes", "If-None-Match: "+etag); a.status != 304 {
		t.Errorf("ETag: %d", a.status)
	}
	s.update(build, resultOf("b/c", 3, "z", "passed"))
	if a := s.get(build+"/notes", "If-None-Match: "+etag); a.status != 200 {
		t.Errorf("ETag after another note: %d", a.status)
	}
	if a := s.do("HEAD", build+"/notes", ""); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
	other := s.last(s.create(`{"project":"p"}`))
	for _, query := range []string{"kind=tests", "status=running", "level=fatal", "limit=0", "limit=10001", "after=x", "after=" + other, "name=x"} {
		if a := s.get(build + "/notes?" + query); a.status != 400 || a.problem().Field != strings.Split(query, "=")[0] {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}
