package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stepcast/stepcast/internal/ci"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestDecodeUpdates(t *testing.T) {
	t.Parallel()
	r, err := decodeUpdates([]byte(`{"updates":[
		{"step":{"key":"test","name":"Unit tests","needs":["build/linux"],"status":"running","started_at":"2026-11-22t10:00:00.1234567+01:00"}},
		{"log":{"step":"test","offset":0,"at":"2026-11-22T10:00:00.2Z","text":"=== RUN \u001b[1m\ud83d\ude00 ü\\\"\/\n"}},
		{"log":{"step":"test","offset":21,"base64":"/wAK"}},
		{"log":{"step":"test","offset":24,"lost":5}},
		{"note":{"step":"test","number":0,"at":"2026-11-22T10:00:00Z","line":1,"group":{"name":"","level":2,"folded":true}}},
		{"note":{"step":"test","number":1,"line":null,"group_end":{"duration_s":1.5e1,"group":0}}},
		{"note":{"step":"test","annotation":{"level":"warning","message":"a\n\u001b[1mb\u0000","title":"t","file":"x.go","file_line":3,"file_end_line":4,"file_column":5},"line":7,"number":2}},
		{"note":{"step":"test","number":3,"test":{"suite":"s","name":"n","status":"skipped","duration_s":0.25,"message":"m"}}},
		{"note":{"step":"test","number":99999,"line":0,"group":{}}},
		{"step":{"key":"test","reporter":"job 1 (~)","status":"passed","exit_code":0,"finished_at":null,"log_bytes":29}},
		{"build":{"status":"passed","title":"A \"title\"","author":null,"url":"https://example.com/x"}}
	],"alive":["test"]}`), false, noon)
	if err != nil {
		t.Fatal(err)
	}
	text := "=== RUN \x1b[1m😀 ü\\\"/\n"
	want := ci.Request{Alive: []ci.StepKey{"test"}, Updates: []ci.Update{
		{Step: &ci.StepUpdate{Key: "test", Name: ci.Set("Unit tests"), Needs: ci.Set([]ci.StepKey{"build/linux"}), Status: ci.Set(ci.Running),
			StartedAt: ci.Set(time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC))}},
		{Log: &ci.LogUpdate{Step: "test", At: time.Date(2026, 11, 22, 10, 0, 0, 2e8, time.UTC),
			Chunk: ci.Chunk{Body: []byte(`=== RUN \u001b[1m\ud83d\ude00 ü\\\"\/\n`), Escaped: true, Bytes: int64(len(text)), Lines: 1, Ended: true}}},
		{Log: &ci.LogUpdate{Step: "test", Offset: 21, At: noon, Chunk: ci.Chunk{Body: []byte("\xff\x00\n"), Bytes: 3, Lines: 1, Ended: true}}},
		{Log: &ci.LogUpdate{Step: "test", Offset: 24, At: noon, Lost: 5}},
		{Note: &ci.NoteUpdate{Step: "test", At: noon.Add(-2 * time.Hour), Line: 1, Note: ci.Note{Group: &ci.Group{Level: 2, Folded: true}}}},
		{Note: &ci.NoteUpdate{Step: "test", Number: 1, At: noon, Note: ci.Note{GroupEnd: &ci.GroupEnd{Duration: 15}}}},
		{Note: &ci.NoteUpdate{Step: "test", Number: 2, At: noon, Line: 7, Note: ci.Note{Annotation: &ci.Annotation{
			Level: ci.LevelWarning, Message: "a\n\x1b[1mb\x00", Title: "t", File: "x.go", Line: 3, EndLine: 4, Column: 5}}}},
		{Note: &ci.NoteUpdate{Step: "test", Number: 3, At: noon, Note: ci.Note{Test: &ci.Test{Suite: "s", Name: "n", Status: ci.Skipped, Duration: 0.25, Message: "m"}}}},
		{Note: &ci.NoteUpdate{Step: "test", Number: 99999, At: noon, Note: ci.Note{Group: &ci.Group{Level: 1}}}},
		{Step: &ci.StepUpdate{Key: "test", Reporter: "job 1 (~)", Status: ci.Set(ci.Passed), ExitCode: ci.Set(0), FinishedAt: ci.Field[time.Time]{Present: true, Null: true}, LogBytes: ci.Set[int64](29)}},
		{Build: &ci.BuildUpdate{Status: ci.Set(ci.Passed), Title: ci.Set(`A "title"`), Author: ci.Field[string]{Present: true, Null: true}, URL: ci.Set("https://example.com/x")}},
	}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if raw := r.Updates[1].Log.Chunk.AppendRaw(nil); string(raw) != text {
		t.Errorf("%q, want %q", raw, text)
	}
}

// What somebody signs in with does not get into a link that everybody reads.
func TestDecodeUpdates_URLWithoutUser(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"https://ci:s3cret@git.example/a@b?c@d#e@f": "https://git.example/a@b?c@d#e@f",
		"https://ci:p@ss@git.example":               "https://git.example",
		"https://github.com@evil.example/":          "https://evil.example/",
		"https://@git.example?x@y":                  "https://git.example?x@y",
		"https://git.example/a@b":                   "https://git.example/a@b",
	} {
		r, err := decodeUpdates([]byte(`{"updates":[{"build":{"url":"`+sent+`"}}]}`), false, noon)
		if err != nil || r.Updates[0].Build.URL.Value != want {
			t.Errorf("%s is %+v, %v", sent, r.Updates, err)
		}
	}
}

func TestDecodeUpdates_NDJSON(t *testing.T) {
	t.Parallel()
	r, err := decodeUpdates([]byte("{\"log\":{\"step\":\"a\",\"offset\":0,\"text\":\"x\"}}\r\n\n \n{\"build\":{\"status\":\"running\"}}"), true, noon)
	if err != nil || len(r.Updates) != 2 || r.Updates[0].Log == nil || r.Updates[1].Build == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	_, err = decodeUpdates([]byte("{\"build\":{}}\n\n{\"build\":{}}{\"build\":{}}\n"), true, noon)
	if p := ci.AsProblem(err); p == nil || p.Code != invalidJSON || *p.Index != 1 {
		t.Errorf("two updates on one line: %v", err)
	}
	_, err = decodeUpdates([]byte("{\"build\":\n{}}\n"), true, noon)
	if p := ci.AsProblem(err); p == nil || p.Code != invalidJSON || *p.Index != 0 {
		t.Errorf("an update on two lines: %v", err)
	}
	for body, says := range map[string]string{
		"{\n  \"build\": {}\n}\n":      "The line ends at byte 1, within an update: ",
		"{\"build\":":                  "The body breaks off at byte 9: ",
		`{"build":{"title":"a\`:        "The body breaks off at byte 21: the string does not end.",
		`{"build":{"title":"a\u00`:     "The body breaks off at byte 24: the string does not end.",
		`{"build":{"title":"\ud83d`:    "The body breaks off at byte 25: the string does not end.",
		`{"build":{"title":"\ud83d\ud`: "The body breaks off at byte 28: the string does not end.",
		"{\"build\":{\"title\":\"\xc3": "The body breaks off at byte 20: the string does not end.",
		`{"build":{"title":"a\x`:       "The body is not valid JSON at byte 20: this is not an escape that JSON knows.",
		"":                             "The body is empty; send one update a line.",
		" \n\n":                        "The body is empty; send one update a line.",
		"\xef\xbb\xbf{\"build\":{}}\n": "The body is not valid JSON at byte 0: a byte order mark is there; send it without.",
	} {
		_, err := decodeUpdates([]byte(body), true, noon)
		if p := ci.AsProblem(err); p == nil || p.Code != invalidJSON || !strings.HasPrefix(p.Detail, says) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// badUpdates are refused, with the field and the position of the update where
// there is one. TestBadInput posts them too.
var badUpdates = []struct {
	name, body string
	code       ci.Code
	index      int // -1: none
	field      string
	says       string
}{
	{"nothing", ``, invalidJSON, -1, "", "The body is empty; send a JSON object."},
	{"no JSON", `hello`, invalidJSON, -1, "", "byte 0"},
	{"cut off", `{"updates":[`, invalidJSON, 0, "", "breaks off at byte 12"},
	{"gzip that does not say so", "\x1f\x8b\x08\x00", invalidJSON, -1, "", "gzip"},
	{"byte order mark", "\xef\xbb\xbf{\"updates\":[]}", invalidJSON, -1, "", "byte order mark"},
	{"trailing", `{"updates":[]} {}`, invalidJSON, -1, "", "follows the end"},
	{"trailing NUL", "{\"updates\":[]}\x00", invalidJSON, -1, "", "follows the end"},
	{"trailing comma", `{"updates":[],}`, invalidJSON, -1, "", "a name in quotes"},
	{"comma in list", `{"updates":[{"build":{}},]}`, invalidJSON, 1, "", "expected"},
	{"a list", `[]`, ci.Invalid, -1, "", "an object, not a list"},
	{"empty object", `{}`, ci.Invalid, -1, "updates", "no list"},
	{"null list", `{"updates":null}`, ci.Invalid, -1, "updates", "not null"},
	{"unknown field", `{"updates":[],"alife":["a"]}`, ci.Invalid, -1, "alife", "alife is unknown"},
	{"duplicate", `{"updates":[],"updates":[]}`, ci.Invalid, -1, "updates", "twice"},
	{"empty update", `{"updates":[{}]}`, ci.Invalid, 0, "", "exactly one"},
	{"two in one", `{"updates":[{"build":{}},{"build":{},"step":{"key":"a"}}]}`, ci.Invalid, 1, "step", "exactly one"},
	{"unknown kind", `{"updates":[{"stpe":{}}]}`, ci.Invalid, 0, "stpe", "step, log, note and build"},
	{"unknown in step", `{"updates":[{"step":{"key":"a","statsu":"passed"}}]}`, ci.Invalid, 0, "statsu", "status"},
	{"unknown in log", `{"updates":[{"log":{"step":"a","offset":0,"txet":""}}]}`, ci.Invalid, 0, "txet", "text"},
	{"project in build", `{"updates":[{"build":{"project":"x"}}]}`, ci.Invalid, 0, "project", "unknown here"},
	{"escaped duplicate", `{"updates":[{"step":{"key":"a","\u006bey":"b"}}]}`, ci.Invalid, 0, "key", "twice"},
	{"no key", `{"updates":[{"step":{}}]}`, ci.Invalid, 0, "key", "needs its key"},
	{"empty key", `{"updates":[{"step":{"key":""}}]}`, ci.Invalid, 0, "key", "is empty"},
	{"NUL in key", `{"updates":[{"step":{"key":"a\u0000b"}}]}`, ci.Invalid, 0, "key", "may hold only"},
	{"control in key", `{"updates":[{"step":{"key":"a\u001bb"}}]}`, ci.Invalid, 0, "key", "may hold only"},
	{"dots in key", `{"updates":[{"step":{"key":"a/../b"}}]}`, ci.Invalid, 0, "key", "segment"},
	{"long key", `{"updates":[{"step":{"key":"` + strings.Repeat("k", 201) + `"}}]}`, ci.TooLong, 0, "key", "200 bytes"},
	{"null key", `{"updates":[{"step":{"key":null}}]}`, ci.Invalid, 0, "key", "not null"},
	{"number for key", `{"updates":[{"step":{"key":1}}]}`, ci.Invalid, 0, "key", "not a number"},
	{"control in name", `{"updates":[{"step":{"key":"a","name":"x\ny"}}]}`, ci.Invalid, 0, "name", "U+000A"},
	{"C1 in name", "{\"updates\":[{\"step\":{\"key\":\"a\",\"name\":\"x\u0085\"}}]}", ci.Invalid, 0, "name", "U+0085"},
	{"long name", `{"updates":[{"step":{"key":"a","name":"` + strings.Repeat("n", 1001) + `"}}]}`, ci.TooLong, 0, "name", "1000"},
	{"unknown status", `{"updates":[{"step":{"key":"a","status":"done"}}]}`, ci.Invalid, 0, "status", "passed"},
	{"lost status", `{"updates":[{"step":{"key":"a","status":"lost"}}]}`, ci.Invalid, 0, "status", "server alone"},
	{"null status", `{"updates":[{"step":{"key":"a","status":null}}]}`, ci.Invalid, 0, "status", "not null"},
	{"fraction", `{"updates":[{"step":{"key":"a","exit_code":1.5}}]}`, ci.Invalid, 0, "exit_code", "whole number"},
	{"string for number", `{"updates":[{"step":{"key":"a","exit_code":"1"}}]}`, ci.Invalid, 0, "exit_code", "not a string"},
	{"huge exit code", `{"updates":[{"step":{"key":"a","exit_code":99999999999}}]}`, ci.Invalid, 0, "exit_code", "between"},
	{"leading zero", `{"updates":[{"step":{"key":"a","exit_code":01}}]}`, invalidJSON, 0, "", "not a number"},
	{"year 10000", `{"updates":[{"step":{"key":"a","started_at":"10000-01-01T00:00:00Z"}}]}`, ci.Invalid, 0, "started_at", "RFC 3339"},
	{"year 10000 in UTC", `{"updates":[{"step":{"key":"a","started_at":"9999-12-31T23:59:59-05:00"}}]}`, ci.Invalid, 0, "started_at", "9999"},
	{"no zone", `{"updates":[{"step":{"key":"a","started_at":"2026-11-22T10:00:00"}}]}`, ci.Invalid, 0, "started_at", "no time zone"},
	{"no T", `{"updates":[{"step":{"key":"a","started_at":"2026-11-22 10:00:00Z"}}]}`, ci.Invalid, 0, "started_at", "RFC 3339"},
	{"unix time", `{"updates":[{"step":{"key":"a","started_at":1700000000}}]}`, ci.Invalid, 0, "started_at", "25Z, not a number"},
	{"too many needs", `{"updates":[{"step":{"key":"a","needs":["b"` + strings.Repeat(`,"b"`, 100) + `]}}]}`, ci.TooMany, 0, "needs", "100"},
	{"log without step", `{"updates":[{"log":{"offset":0,"text":"x"}}]}`, ci.Invalid, 0, "step", "key of its step"},
	{"log without offset", `{"updates":[{"log":{"step":"a","text":"x"}}]}`, ci.Invalid, 0, "offset", "needs its offset"},
	{"negative offset", `{"updates":[{"log":{"step":"a","offset":-1,"text":"x"}}]}`, ci.Invalid, 0, "offset", "between 0"},
	{"offset beyond int64", `{"updates":[{"log":{"step":"a","offset":9223372036854775808,"text":"x"}}]}`, ci.Invalid, 0, "offset", "between 0"},
	{"log without text", `{"updates":[{"log":{"step":"a","offset":0}}]}`, ci.Invalid, 0, "text", "exactly one"},
	{"text and base64", `{"updates":[{"log":{"step":"a","offset":0,"text":"x","base64":"eA=="}}]}`, ci.Invalid, 0, "text", "exactly one"},
	{"text and lost", `{"updates":[{"log":{"step":"a","offset":0,"text":"x","lost":1}}]}`, ci.Invalid, 0, "text", "exactly one"},
	{"lost nothing", `{"updates":[{"log":{"step":"a","offset":0,"lost":0}}]}`, ci.Invalid, 0, "lost", "between 1"},
	{"lost too much", `{"updates":[{"log":{"step":"a","offset":0,"lost":1125899906842625}}]}`, ci.Invalid, 0, "lost", "between 1"},
	{"bad base64", `{"updates":[{"log":{"step":"a","offset":0,"base64":"a"}}]}`, ci.Invalid, 0, "base64", "RFC 4648"},
	{"null text", `{"updates":[{"log":{"step":"a","offset":0,"text":null}}]}`, ci.Invalid, 0, "text", "not null"},
	{"lone surrogate", `{"updates":[{"log":{"step":"a","offset":0,"text":"\ud83d"}}]}`, invalidJSON, 0, "", "base64"},
	{"wrong pair", `{"updates":[{"log":{"step":"a","offset":0,"text":"\ud83d\ud83d"}}]}`, invalidJSON, 0, "", "base64"},
	{"low surrogate", `{"updates":[{"log":{"step":"a","offset":0,"text":"\ude00"}}]}`, invalidJSON, 0, "", "base64"},
	{"unknown escape", `{"updates":[{"log":{"step":"a","offset":0,"text":"\x41"}}]}`, invalidJSON, 0, "", "escape"},
	{"raw newline", "{\"updates\":[{\"log\":{\"step\":\"a\",\"offset\":0,\"text\":\"x\n\"}}]}", invalidJSON, 0, "", "U+000A"},
	{"raw NUL", "{\"updates\":[{\"log\":{\"step\":\"a\",\"offset\":0,\"text\":\"12345678901234567890\x00\"}}]}", invalidJSON, 0, "", "U+0000"},
	{"not UTF-8", "{\"updates\":[{\"log\":{\"step\":\"a\",\"offset\":0,\"text\":\"\xff\"}}]}", invalidJSON, 0, "", "base64"},
	{"surrogate in UTF-8", "{\"updates\":[{\"log\":{\"step\":\"a\",\"offset\":0,\"text\":\"\xed\xa0\x80\"}}]}", invalidJSON, 0, "", "base64"},
	{"open string", `{"updates":[{"log":{"step":"a","offset":0,"text":"x`, invalidJSON, 0, "", "does not end"},
	{"long reporter", `{"updates":[{"step":{"key":"a","reporter":"` + strings.Repeat("r", 101) + `"}}]}`, ci.TooLong, 0, "reporter", "100 bytes"},
	{"empty reporter", `{"updates":[{"step":{"key":"a","reporter":""}}]}`, ci.Invalid, 0, "reporter", "ASCII"},
	{"null reporter", `{"updates":[{"step":{"key":"a","reporter":null}}]}`, ci.Invalid, 0, "reporter", "not null"},
	{"control in reporter", `{"updates":[{"step":{"key":"a","reporter":"a\tb"}}]}`, ci.Invalid, 0, "reporter", "ASCII"},
	{"umlaut in reporter", `{"updates":[{"step":{"key":"a","reporter":"ü"}}]}`, ci.Invalid, 0, "reporter", "ASCII"},
	{"note without step", `{"updates":[{"note":{"number":0,"group":{}}}]}`, ci.Invalid, 0, "step", "key of its step"},
	{"note without number", `{"updates":[{"note":{"step":"a","group":{}}}]}`, ci.Invalid, 0, "number", "needs its number"},
	{"negative number", `{"updates":[{"note":{"step":"a","number":-1,"group":{}}}]}`, ci.Invalid, 0, "number", "between 0"},
	{"100001 notes", `{"updates":[{"build":{}},{"note":{"step":"a","number":100000,"group":{}}}]}`, ci.TooMany, 1, "number", "100000"},
	{"empty note", `{"updates":[{"note":{"step":"a","number":0}}]}`, ci.Invalid, 0, "note", "exactly one"},
	{"two notes in one", `{"updates":[{"note":{"step":"a","number":0,"group":{},"test":{"name":"x","status":"passed"}}}]}`, ci.Invalid, 0, "note", "exactly one"},
	{"unknown in note", `{"updates":[{"note":{"step":"a","number":0,"gruop":{}}}]}`, ci.Invalid, 0, "gruop", "group_end"},
	{"negative line", `{"updates":[{"note":{"step":"a","number":0,"line":-1,"group":{}}}]}`, ci.Invalid, 0, "line", "between 0"},
	{"long group name", `{"updates":[{"note":{"step":"a","number":0,"group":{"name":"` + strings.Repeat("n", 1001) + `"}}}]}`, ci.TooLong, 0, "name", "1000"},
	{"lines in a group name", `{"updates":[{"note":{"step":"a","number":0,"group":{"name":"a\nb"}}}]}`, ci.Invalid, 0, "name", "U+000A"},
	{"deep group", `{"updates":[{"note":{"step":"a","number":0,"group":{"level":17}}}]}`, ci.Invalid, 0, "level", "between 1 and 16"},
	{"folded no truth", `{"updates":[{"note":{"step":"a","number":0,"group":{"folded":"yes"}}}]}`, ci.Invalid, 0, "folded", "true or false, not a string"},
	{"half a truth", `{"updates":[{"note":{"step":"a","number":0,"group":{"folded":tru}}}]}`, invalidJSON, 0, "", "true or false"},
	{"unknown in group", `{"updates":[{"note":{"step":"a","number":0,"group":{"title":"x"}}}]}`, ci.Invalid, 0, "title", "folded"},
	{"end of no group", `{"updates":[{"note":{"step":"a","number":1,"group_end":{}}}]}`, ci.Invalid, 0, "group", "number of the note"},
	{"end of itself", `{"updates":[{"note":{"step":"a","number":1,"group_end":{"group":1}}}]}`, ci.Invalid, 0, "group", "higher number"},
	{"end of a later group", `{"updates":[{"note":{"step":"a","group_end":{"group":7},"number":1}}]}`, ci.Invalid, 0, "group", "higher number"},
	{"negative duration", `{"updates":[{"note":{"step":"a","number":1,"group_end":{"group":0,"duration_s":-0.5}}}]}`, ci.Invalid, 0, "duration_s", "between 0"},
	{"endless duration", `{"updates":[{"note":{"step":"a","number":1,"group_end":{"group":0,"duration_s":1e400}}}]}`, ci.Invalid, 0, "duration_s", "between 0"},
	{"no duration", `{"updates":[{"note":{"step":"a","number":1,"group_end":{"group":0,"duration_s":1.}}}]}`, invalidJSON, 0, "", "not a number"},
	{"duration in words", `{"updates":[{"note":{"step":"a","number":1,"group_end":{"group":0,"duration_s":"1s"}}}]}`, ci.Invalid, 0, "duration_s", "a number, not a string"},
	{"annotation without level", `{"updates":[{"note":{"step":"a","number":0,"annotation":{"message":"x"}}}]}`, ci.Invalid, 0, "level", "needs its level"},
	{"annotation without message", `{"updates":[{"note":{"step":"a","number":0,"annotation":{"level":"error","message":""}}}]}`, ci.Invalid, 0, "message", "needs its message"},
	{"unknown level", `{"updates":[{"note":{"step":"a","number":0,"annotation":{"level":"fatal","message":"x"}}}]}`, ci.Invalid, 0, "level", "error, warning, notice"},
	{"long message", `{"updates":[{"note":{"step":"a","number":0,"annotation":{"level":"error","message":"` + strings.Repeat("m", 16385) + `"}}}]}`, ci.TooLong, 0, "message", "16384"},
	{"long file", `{"updates":[{"note":{"step":"a","number":0,"annotation":{"level":"error","message":"x","file":"` + strings.Repeat("f", 1001) + `"}}}]}`, ci.TooLong, 0, "file", "1000"},
	{"far column", `{"updates":[{"note":{"step":"a","number":0,"annotation":{"level":"error","message":"x","file_column":2147483648}}}]}`, ci.Invalid, 0, "file_column", "2147483647"},
	{"unknown in annotation", `{"updates":[{"note":{"step":"a","number":0,"annotation":{"level":"error","message":"x","line":1}}}]}`, ci.Invalid, 0, "line", "file_line"},
	{"test without name", `{"updates":[{"note":{"step":"a","number":0,"test":{"status":"passed"}}}]}`, ci.Invalid, 0, "name", "needs its name"},
	{"test without status", `{"updates":[{"note":{"step":"a","number":0,"test":{"name":"x"}}}]}`, ci.Invalid, 0, "status", "needs its status"},
	{"running test", `{"updates":[{"note":{"step":"a","number":0,"test":{"name":"x","status":"running"}}}]}`, ci.Invalid, 0, "status", "passed, failed, skipped"},
	{"long suite", `{"updates":[{"note":{"step":"a","number":0,"test":{"suite":"` + strings.Repeat("s", 1001) + `","name":"x","status":"passed"}}}]}`, ci.TooLong, 0, "suite", "1000"},
	{"long test message", `{"updates":[{"note":{"step":"a","number":0,"test":{"name":"x","status":"passed","message":"` + strings.Repeat("m", 16385) + `"}}}]}`, ci.TooLong, 0, "message", "16384"},
	{"unknown in test", `{"updates":[{"note":{"step":"a","number":0,"test":{"name":"x","status":"passed","level":"error"}}}]}`, ci.Invalid, 0, "level", "suite, name"},
	{"javascript url", `{"updates":[{"build":{"url":"javascript:alert(1)"}}]}`, ci.Invalid, 0, "url", "https://"},
	{"long url", `{"updates":[{"build":{"url":"https://e/` + strings.Repeat("u", 2000) + `"}}]}`, ci.TooLong, 0, "url", "2000"},
	{"long title", `{"updates":[{"build":{"title":"` + strings.Repeat("t", 1001) + `"}}]}`, ci.TooLong, 0, "title", "1000"},
	{"long branch", `{"updates":[{"build":{"branch":"` + strings.Repeat("b", 251) + `"}}]}`, ci.TooLong, 0, "branch", "250"},
	{"1001 updates", `{"updates":[{"build":{}}` + strings.Repeat(`,{"build":{}}`, 1000) + `]}`, ci.TooMany, 1000, "updates", "1000"},
	{"10000 updates", `{"updates":[{"build":{}}` + strings.Repeat(`,{"build":{}}`, 9999) + `]}`, ci.TooMany, 1000, "updates", "1000"},
	{"a list", `[]`, ci.Invalid, -1, "", "The body must be an object, not a list."},
	{"updates no list", `{"updates":{}}`, ci.Invalid, -1, "updates", "The field updates must be a list, not an object."},
	{"update no object", `{"updates":[{"build":{}},"x"]}`, ci.Invalid, 1, "", "An update must be an object, not a string."},
	{"need no string", `{"updates":[{"step":{"key":"a","needs":["b",1]}}]}`, ci.Invalid, 0, "needs", "Each element of needs must be a string, not a number."},
	{"heartbeat no string", `{"alive":["a",{}]}`, ci.Invalid, -1, "alive", "Each element of alive must be a string, not an object."},
	{"2001 heartbeats", `{"alive":["a"` + strings.Repeat(`,"a"`, 2000) + `]}`, ci.TooMany, -1, "alive", "2000"},
}

func TestDecodeUpdates_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range badUpdates {
		_, err := decodeUpdates([]byte(c.body), false, noon)
		p := ci.AsProblem(err)
		switch {
		case p == nil:
			t.Errorf("%s: accepted", c.name)
		case p.Code != c.code || p.Field != c.field || !strings.Contains(p.Detail, c.says):
			t.Errorf("%s: %s, field %q: %s", c.name, p.Code, p.Field, p.Detail)
		case (p.Index == nil) != (c.index < 0) || p.Index != nil && *p.Index != c.index:
			t.Errorf("%s: index is wrong: %s", c.name, p.Detail)
		}
	}
}

func TestDecodeCreation(t *testing.T) {
	t.Parallel()
	c, err := decodeCreation([]byte(`{"id":"0190F3C4-8f5e-7c3a-9d2b-1f6f2f1c7a10","project":"acme/api","branch":"main","commit":null,"status":"running",
		"steps":[{"key":"build","name":"Build"},{"key":"test","needs":["build"]}]}`))
	if err != nil || c.ID.String() != "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10" || c.Project != "acme/api" || len(c.Steps) != 2 || c.Status.Value != ci.Running {
		t.Fatalf("%+v, %v", c, err)
	}
	if c, err = decodeCreation([]byte(`{"project":"a"}`)); err != nil || c.ID != (ci.BuildID{}) {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, bad := range []struct{ body, field, says string }{
		{`{}`, "project", "needs its project"},
		{`{"project":""}`, "project", "is empty"},
		{`{"project":"a/b/c/d/e"}`, "project", "4 segments"},
		{`{"project":"a.svg"}`, "project", ".svg"},
		{"", "", "The body is empty; send a JSON object."},
		{`[]`, "", "The body must be an object, not a list."},
		{`{"project":1}`, "project", "The field project must be a string, not a number."},
		{`{"project":"a","steps":["lint"]}`, "steps", "Each element of steps must be an object, not a string."},
		{`{"project":"a","steps":[{"key":"lint"},"test"]}`, "steps", "Each element of steps must be an object, not a string."},
		{`{"project":"a","id":"x"}`, "id", "UUID"},
		{`{"project":"a","id":null}`, "id", "not null"},
		{`{"project":"a","id":"00000000-0000-0000-0000-000000000000"}`, "id", "nil UUID"},
		{`{"project":"a","number":1}`, "number", "unknown here"},
		{`{"project":"a","started_at":"2026-01-01T00:00:00Z"}`, "started_at", "unknown here"},
		{`{"project":"a","status":"lost"}`, "status", "server alone"},
		{`{"project":"a","steps":[{"name":"x"}]}`, "key", "needs its key"},
		{`{"project":"a","steps":[{"key":"x","status":"passed"}]}`, "status", "unknown here"},
		{`{"project":"a","steps":[{"key":"x"}` + strings.Repeat(`,{"key":"x"}`, 2000) + `]}`, "steps", "2000"},
	} {
		_, err := decodeCreation([]byte(bad.body))
		if p := ci.AsProblem(err); p != nil && p.Code == ci.TooMany && (p.Index == nil || *p.Index != 2000) {
			t.Errorf("2001 steps: the index is %v", p.Index)
		}
		if p := ci.AsProblem(err); p == nil || p.Field != bad.field || !strings.Contains(p.Detail, bad.says) {
			t.Errorf("%.60s: %v, field %q", bad.body, err, p.Field)
		}
	}
}

// FuzzDecodeUpdates holds the scanner against encoding/json: whatever it
// accepts is JSON of the same meaning, and no text is refused that is one.
func FuzzDecodeUpdates(f *testing.F) {
	for _, c := range badUpdates {
		if len(c.body) < 500 {
			f.Add([]byte(c.body))
		}
	}
	f.Add([]byte(`{"updates":[{"log":{"step":"a","offset":3,"text":"plain \u00e9\ud83d\ude00 \\ \" \/ \b\f\n\r\t and more than thirty-two bytes\n"}}]}`))
	f.Add([]byte(`{"updates":[{"log":{"step":"a","offset":0,"base64":"\/w=="}},{"build":{"title":"ü"}}],"alive":["a"]}`))
	f.Add([]byte(`{"updates":[{"note":{"step":"a","number":0,"line":3,"group":{"name":"Install","level":2,"folded":true}}},{"note":{"step":"a","number":1,"group_end":{"group":0,"duration_s":2.5e-1}}}]}`))
	f.Add([]byte(`{"updates":[{"note":{"step":"a","number":0,"annotation":{"level":"error","message":"a\nb","title":"t","file":"x.go","file_line":1,"file_end_line":2,"file_column":3}}}]}`))
	f.Add([]byte(`{"updates":[{"note":{"step":"a","number":0,"test":{"suite":"s","name":"n","status":"failed","duration_s":1,"message":"\u00e9"}}},{"step":{"key":"a","reporter":"job 1"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decodeUpdates(bytes.Clone(body), false, noon)
		if err != nil {
			p := ci.AsProblem(err)
			if p == nil || p.Detail == "" || !utf8.ValidString(p.Detail) || !utf8.ValidString(p.Field) {
				t.Fatalf("not a problem: %q", err)
			}
			return
		}
		var want struct {
			Updates []struct {
				Log *struct {
					Offset int64
					Text   string
					Base64 []byte
				}
				Note  *struct{ ci.Note }
				Build *struct{ Title string }
			}
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("accepted, but: %v", err)
		}
		if len(want.Updates) != len(r.Updates) {
			t.Fatalf("%d updates, want %d", len(r.Updates), len(want.Updates))
		}
		for i, u := range r.Updates {
			if u.Build != nil && u.Build.Title.Value != want.Updates[i].Build.Title {
				t.Fatalf("title %q, want %q", u.Build.Title.Value, want.Updates[i].Build.Title)
			}
			if u.Note != nil && !cmp.Equal(u.Note.Note, wanted(want.Updates[i].Note.Note)) {
				t.Fatalf("note %+v, want %+v", u.Note.Note, want.Updates[i].Note.Note)
			}
			if u.Log == nil {
				continue
			}
			text := want.Updates[i].Log.Text + string(want.Updates[i].Log.Base64)
			checkChunk(t, u.Log.Chunk, text)
			if u.Log.Offset != want.Updates[i].Log.Offset {
				t.Fatalf("offset %d, want %d", u.Log.Offset, want.Updates[i].Log.Offset)
			}
		}
	})
}

// wanted fills in what a group need not say.
func wanted(n ci.Note) ci.Note {
	if n.Group != nil && n.Group.Level == 0 {
		n.Group.Level = 1
	}
	return n
}

// FuzzScanString holds the scanner of one string against encoding/json, in
// both directions.
func FuzzScanString(f *testing.F) {
	for _, s := range []string{"", "plain", `a\nb\n`, `\ud83d\ude00`, `\ud83d`, `\u000a`, "ü€😀", "\xff", strings.Repeat("x", 40) + "\x1f", `\`, `\u12`, strings.Repeat("ab\\n", 20)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, inside []byte) {
		quoted := append(append([]byte{'"'}, inside...), '"')
		got, n, why := scanString(quoted[1:])
		var want string
		err := json.Unmarshal(quoted, &want)
		if why == "" && n == len(inside) {
			if err != nil {
				t.Fatalf("accepted, but: %v", err)
			}
			checkChunk(t, got.chunk(), want)
			return
		}
		// encoding/json lets two things pass: what is not UTF-8, and lone
		// surrogates. Both become U+FFFD there.
		if err == nil && utf8.Valid(inside) && !strings.Contains(want, "\uFFFD") {
			t.Fatalf("refused at %d (%s), but it is %q", n, why, want)
		}
	})
}

func checkChunk(t *testing.T, c ci.Chunk, text string) {
	t.Helper()
	if raw := string(c.AppendRaw(nil)); raw != text {
		t.Fatalf("text %q, want %q", raw, text)
	}
	if c.Bytes != int64(len(text)) || c.Lines != int64(strings.Count(text, "\n")) || c.Ended != strings.HasSuffix(text, "\n") {
		t.Fatalf("%d bytes, %d lines, ended %v of %q", c.Bytes, c.Lines, c.Ended, text)
	}
}

// post is a request of so many lines of about 120 bytes.
func post(lines int) []byte {
	var text bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&text, "2026-11-22T10:00:00.%06dZ  ok  \tgithub.com/acme/api/internal/service_%04d\t0.0%02ds\tcoverage: %d.%d%% of statements\n", i, i%977, i%100, i%100, i%10)
	}
	quoted, _ := json.Marshal(text.String())
	return []byte(`{"updates":[{"log":{"step":"test/linux","offset":123456,"at":"2026-11-22T10:00:00.2Z","text":` + string(quoted) + `}}]}`)
}

func BenchmarkDecodeUpdates(b *testing.B) {
	unicode, _ := json.Marshal(strings.Repeat("✓ prüfe „alles“ 日本語 \x1b[32mgrün\x1b[0m\n", 600))
	bodies := map[string][]byte{
		"200lines": post(200),
		"1line":    post(1),
		"unicode":  []byte(`{"updates":[{"log":{"step":"t","offset":0,"text":` + string(unicode) + `}}]}`),
	}
	for _, name := range []string{"200lines", "1line", "unicode"} {
		body := bodies[name]
		b.Run(name+"/stepcast", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeUpdates(body, false, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var r struct {
					Updates []struct {
						Log struct {
							Step   string
							Offset int64
							At     time.Time
							Text   string
						}
					}
				}
				if err := json.Unmarshal(body, &r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/copy", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			to := make([]byte, len(body))
			for b.Loop() {
				copy(to, body)
			}
		})
	}
}
