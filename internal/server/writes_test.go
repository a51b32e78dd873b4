package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"golang.org/x/time/rate"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Text that is there already stays, and the answer says where what was sent now is
// something else: its sender counts characters, of which "wörld" has one less than bytes,
// or takes each piece for the first, or is not alone. A repeat is no such thing.
func TestWriting_WhatDiffers(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for _, one := range []struct{ updates, want string }{
		{logText("a", 0, "wörld\n"), `"logs":{"a":7}}`},
		{logText("a", 0, "wörld\n"), `"logs":{"a":7}}`},
		{logText("a", 0, "wörld\nand more\n"), `"logs":{"a":16}}`},
		{logText("a", 15, "next\n"), `"logs":{"a":20},"differs":{"a":15}}`},
		{logText("a", 15, "next\n"), `"logs":{"a":20},"differs":{"a":15}}`}, // the same says the same
		{logText("a", 0, "wOrld\n"), `"logs":{"a":20},"differs":{"a":1}}`},
		{logText("a", 16, "ext\n"), `"logs":{"a":20}}`},
		{logText("b", 0, "b\n") + `,{"log":{"step":"b","offset":2,"lost":5}}`, `"logs":{"b":7}}`},
		{logText("b", 2, "found"), `"logs":{"b":7}}`}, // what is lost is not known
		{logText("b", 1, "\nfound"), `"logs":{"b":7}}`},
		{`{"log":{"step":"c","offset":0,"lost":5}},` + logText("c", 5, "text\n") + `,` + logText("c", 10, "more\n"), `"logs":{"c":15}}`},
		{logText("c", 0, "found"), `"logs":{"c":15}}`},
		{logText("c", 0, "foundtext\nmore\n"), `"logs":{"c":15}}`},
		{logText("c", 0, "foundtext\nm0re\n"), `"logs":{"c":15},"differs":{"c":11}}`}, // behind other events
	} {
		if a := s.write(build+"/updates", `{"updates":[`+one.updates+`]}`); a.status != 200 || !strings.HasSuffix(unhinted(a.body), one.want+"\n") || strings.Contains(one.want, "differs") != strings.Contains(a.body, "is something else than") {
			t.Errorf("%s: %d %s, want %s", one.updates, a.status, a.body, one.want)
		}
	}
	// The proof of the length holds, and says so again; of another step it says nothing.
	end := `{"updates":[{"step":{"key":"a","status":"passed","log_bytes":20}},{"step":{"key":"b","status":"passed","log_bytes":7}}]}`
	other := s.create(`{"project":"p"}`)
	s.write(other+"/updates", `{"updates":[`+logText("a", 0, "wörld\n")+`,`+logText("a", 6, "this is more than it\n")+`,`+logText("b", 0, "1234567")+`]}`)
	s.write(other+"/updates", `{"updates":[`+logText("a", 6, "something else that is long\n")+`]}`)
	if a := s.write(other+"/updates", strings.Replace(end, "20", "34", 1)); a.status != 200 || !strings.HasSuffix(unhinted(a.body), `"logs":{},"differs":{"a":6}}`+"\n") {
		t.Errorf("the end: %d %s", a.status, a.body)
	}
	auth := "Authorization: Bearer " + s.token
	for _, one := range []struct{ offset, text, differs string }{
		{"0", "wörld\nand more\n", ""},
		{"15", "another\n", "15"},
		{"", "at the end\n", ""},
	} {
		headers := []string{auth}
		if one.offset != "" {
			headers = append(headers, "Upload-Offset: "+one.offset)
		}
		status, says := 204, ""
		if one.differs != "" {
			status, says = 200, "Byte "+one.differs+" of the log is something else"
		}
		if a := s.do("PATCH", build+"/steps/a/log", one.text, headers...); a.status != status || a.header.Get("Stepcast-Differs") != one.differs || !strings.Contains(a.body, says) {
			t.Errorf("%q at %s: %d %v %s, want %q", one.text, one.offset, a.status, a.header, a.body, one.differs)
		}
	}
	if a := s.do("PATCH", build+"/steps/a/log", "x", auth, "Upload-Offset: 0", "Content-Range: bytes 600-600/601"); a.status != 400 || !strings.Contains(a.problem().Detail, "that it begins at") {
		t.Errorf("two places: %d %s", a.status, a.body)
	}
	form := []string{auth, "Content-Type: application/x-www-form-urlencoded"}
	for text, says := range map[string]string{"one two": "curl -d drops them", "one\ntwo": ""} {
		a := s.do("PATCH", build+"/steps/form/log", text, form...)
		if a.status/100 != 2 || (a.status == 204) != (says == "") || !strings.Contains(a.body, says) {
			t.Errorf("%q as a form: %d %s", text, a.status, a.body)
		}
	}
	for _, header := range []string{"X-Upload-Offset: 0", "Offset: 0", "Content-Type: application/x-ndjson", "Content-Type: application/gzip"} {
		if a := s.do("PATCH", build+"/steps/a/log", "x", auth, header); a.status != 400 && a.status != 415 {
			t.Errorf("%s: %d %s", header, a.status, a.body)
		}
	}
	twice := s.upload(build+"/steps/a/log", "Upload-Offset: 0", "Upload-Offset: 8")
	if res, err := http.ReadResponse(twice.r, nil); err != nil || res.StatusCode != 400 {
		t.Errorf("two offsets: %v %v", res, err)
	}
}

// unhinted is an answer to updates without the sentences at its end.
func unhinted(body string) string {
	if i := strings.Index(body, `,"hints":`); i >= 0 {
		return body[:i] + "}\n"
	}
	return body
}

func TestWriting(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := ci.NewBuildID().String()
	create := fmt.Sprintf(`{"id":%q,"project":"acme/api","branch":"main","title":"A title","steps":[{"key":"test/linux","name":"Unit tests"}]}`, id)
	a := s.write("/api/v1/builds", create)
	var b struct {
		ID, Project, Branch, Status string
		Number                      int
		Steps                       []struct {
			Key, Name, Status string
			LogBytes          int `json:"log_bytes"`
		}
		Last string `json:"last_event_id"`
	}
	json.Unmarshal([]byte(a.body), &b)
	if a.status != 201 || b.ID != id || b.Number != 1 || b.Status != "queued" || len(b.Steps) != 1 || b.Steps[0].Name != "Unit tests" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if again := s.write("/api/v1/builds", create); again.status != 200 || again.body != a.body {
		t.Errorf("repeated: %d %s", again.status, again.body)
	}
	build := "/api/v1/builds/" + id
	post := `{"updates":[` + logText("test/linux", 0, "hello\nwörld") + `,{"step":{"key":"test/linux","status":"passed","exit_code":0,"log_bytes":12}},{"build":{"status":"passed"}}]}`
	first := s.write(build+"/updates", post)
	if first.status != 200 || !strings.HasSuffix(first.body, `"logs":{"test/linux":12}}`+"\n") {
		t.Fatalf("%d %s", first.status, first.body)
	}
	if again := s.write(build+"/updates", post); again.status != 200 || again.body != first.body {
		t.Errorf("repeated: %d %s, want %s", again.status, again.body, first.body)
	}
	for _, path := range []string{"/steps/test/linux/log", "/steps/test%2Flinux/log", "/steps/test%2flinux/log"} {
		if a := s.get(build + path); a.status != 200 || a.body != "hello\nwörld" {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
	}
	if a := s.write(build+"/updates", `{"updates":[{"build":{"status":"failed"}}]}`); a.status != 409 || a.problem().Current != "passed" || a.problem().Status != 409 || *a.problem().Index != 0 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.get(build, "If-None-Match: "+s.get(build).header.Get("ETag")); a.status != 304 {
		t.Errorf("ETag: %d", a.status)
	}
}

func TestUpdates_Compressed(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	gz := func(body []byte) string {
		var out bytes.Buffer
		w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
		w.Write(body)
		w.Close()
		return out.String()
	}
	zs := func(body []byte) string {
		w, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
		return string(w.EncodeAll(body, nil))
	}
	zsStream := func(body []byte) string { // no content size, a large window
		var out bytes.Buffer
		w, _ := zstd.NewWriter(&out, zstd.WithWindowSize(8<<20))
		w.Write(body)
		w.Close()
		return out.String()
	}
	offset := 0
	for name, pack := range map[string]func([]byte) string{"gzip": gz, "zstd": zs, "zstd ": zsStream} {
		a := s.write(build+"/updates", pack([]byte(`{"updates":[`+logText("a", offset, name)+`]}`)), "Content-Encoding: "+strings.TrimSpace(name))
		if a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		offset += len(name)
		bomb := pack(make([]byte, 64<<20))
		for _, body := range []string{bomb, pack([]byte(`{"updates":[],"alive":["` + strings.Repeat("x", 1<<20) + `"]}`))} {
			if a := s.write(build+"/updates", body, "Content-Encoding: "+strings.TrimSpace(name)); a.status != 413 || a.problem().Limit != 1<<20 {
				t.Errorf("%s bomb of %d bytes: %d %s", name, len(body), a.status, a.body)
			}
		}
		if a := s.write(build+"/updates", "no such format", "Content-Encoding: "+strings.TrimSpace(name)); a.status != 415 {
			t.Errorf("not %s: %d %s", name, a.status, a.body)
		}
	}
	// Frames that unpack to nothing, for ever.
	if a := s.write(build+"/updates", strings.Repeat("\x50\x2a\x4d\x18\x00\x00\x00\x00", 1<<18), "Content-Encoding: zstd"); a.status != 413 {
		t.Errorf("skippable frames: %d %s", a.status, a.body)
	}
	if a := s.write(build+"/updates", "x", "Content-Encoding: br"); a.status != 415 || a.header.Get("Accept-Encoding") == "" {
		t.Errorf("br: %d %s", a.status, a.body)
	}
}

func TestUpdates_NDJSON(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	a := s.write(build+"/updates", logText("a", 0, "x")+"\n"+logText("a", 1, "y")+"\n", "Content-Type: application/x-ndjson")
	if a.status != 200 || !strings.Contains(a.body, `"logs":{"a":2}`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestBadInput posts everything that is wrong, and looks whether anything was
// stored.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	s.update(build, logText("a", 0, "hello"))
	before, builds := s.last(build), s.get("/api/v1/builds").body
	expired := noon.AddDate(-1, 0, 0)
	good := ci.NewToken()
	typo := good[:39] + string('A'+(good[39]-'A'+1)%26)
	report := []ci.Scope{ci.ScopeReport}

	type bad struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     ci.Code
	}
	token := []string{"Authorization: Bearer " + s.token, "Content-Type: application/json"}
	with := func(h ...string) []string { return append(append([]string(nil), token...), h...) }
	updates := build + "/updates"
	cases := []bad{
		{"an unknown build", "POST", "/api/v1/builds/0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10/updates", `{"updates":[]}`, token, 404, ci.NotFound},
		{"no UUID", "POST", "/api/v1/builds/latest1/updates", `{"updates":[]}`, token, 400, ci.InvalidID},
		{"a UUID in braces", "POST", "/api/v1/builds/%7B0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10%7D/updates", `{"updates":[]}`, token, 400, ci.InvalidID},
		{"too large", "POST", updates, `{"updates":[],"alive":["` + strings.Repeat("x", 1<<20) + `"]}`, token, 413, tooLarge},
		{"a form", "POST", updates, `{"updates":[]}`, with("Content-Type: application/x-www-form-urlencoded"), 415, mediaType},
		{"a gap", "POST", updates, `{"updates":[` + logText("a", 7, "x") + `]}`, token, 409, ci.LogGap},
		{"a gap after text", "POST", updates, `{"updates":[` + logText("a", 5, "xy") + "," + logText("a", 8, "z") + `]}`, token, 409, ci.LogGap},
		{"a heartbeat of nobody", "POST", updates, `{"updates":[` + logText("a", 5, "xy") + `],"alive":["b"]}`, token, 404, ci.UnknownStep},
		{"a cycle", "POST", updates, `{"updates":[{"step":{"key":"a","needs":["b"]}},{"step":{"key":"b","needs":["a"]}}]}`, token, 400, ci.NeedsCycle},
		{"an incomplete log", "POST", updates, `{"updates":[{"step":{"key":"a","status":"passed","log_bytes":6}}]}`, token, 409, ci.LogIncomplete},
		{"no token", "POST", updates, `{"updates":[]}`, nil, 401, tokenMissing},
		{"a token in the address", "POST", updates + "?token=" + strings.TrimPrefix(token[0], "Authorization: Bearer "), `{"updates":[]}`, nil, 401, tokenInAddress},
		{"a password", "POST", updates, `{"updates":[]}`, []string{"Authorization: Basic eDp5"}, 401, ci.TokenMalformed},
		{"half a token", "POST", updates, `{"updates":[]}`, []string{"Authorization: Bearer stp_123"}, 401, ci.TokenMalformed},
		{"a typo", "POST", updates, `{"updates":[]}`, []string{"Authorization: Bearer " + typo}, 401, ci.TokenMalformed},
		{"an unknown token", "POST", updates, `{"updates":[]}`, []string{"Authorization: Bearer " + good}, 401, tokenUnknown},
		{"an expired token", "POST", updates, `{"updates":[]}`, []string{"Authorization: Bearer " + s.addToken(postgres.Token{Name: "x", Scopes: report, Project: "*", ExpiresAt: &expired})}, 401, tokenExpired},
		{"a reader's token", "POST", updates, `{"updates":[]}`, []string{"Authorization: Bearer " + s.addToken(postgres.Token{Name: "z", Scopes: []ci.Scope{ci.ScopeRead}, Project: "*"})}, 403, tokenScope},
		{"another project's token", "POST", updates, `{"updates":[]}`, []string{"Authorization: Bearer " + s.addToken(postgres.Token{Name: "o", Scopes: report, Project: "other/*"})}, 404, ci.NotFound},
		{"a bad token to read", "GET", build, ``, []string{"Authorization: Bearer " + typo}, 401, ci.TokenMalformed},
		{"another site's page", "POST", updates, `{"updates":[]}`, with("Sec-Fetch-Site: cross-site"), 403, crossOrigin},
		{"another site's script", "GET", build, ``, []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors"}, 404, ci.NotFound},
		{"another origin", "GET", build, ``, []string{"Origin: https://evil.example"}, 404, ci.NotFound},
		{"another origin to a page", "GET", "/", ``, []string{"Origin: https://evil.example"}, 403, crossOrigin},
		{"another host", "GET", build, ``, []string{"Host: evil.example"}, 421, badHost},
		{"create as a form", "POST", "/api/v1/builds", `{"project":"x"}`, with("Content-Type: text/plain"), 415, mediaType},
		{"create with a number", "POST", "/api/v1/builds", `{"project":"x","number":7}`, token, 400, ci.Invalid},
		{"create in other letters", "POST", "/api/v1/builds", `{"project":"P"}`, token, 409, ci.ProjectCase},
		{"create elsewhere", "POST", "/api/v1/builds", `{"project":"x"}`, []string{"Authorization: Bearer " + s.addToken(postgres.Token{Name: "o2", Scopes: report, Project: "other/*"})}, 403, tokenProject},
		{"create with a build's token", "POST", "/api/v1/builds", `{"project":"x"}`, []string{"Authorization: Bearer " + s.addToken(postgres.Token{Name: "o3", Scopes: report, Project: "other/api", Build: ci.NewBuildID()})}, 403, tokenProject},
		{"create with a taken id", "POST", "/api/v1/builds", `{"project":"x","id":"` + strings.TrimPrefix(build, "/api/v1/builds/") + `"}`, token, 409, ci.BuildIDTaken},
		{"an upload to a bad key", "PATCH", build + "/steps/a%00b/log", `x`, token, 400, ci.Invalid},
		{"an upload to no log", "PATCH", build + "/steps/a", `x`, token, 404, ci.NotFound},
		{"an upload at a bad offset", "PATCH", build + "/steps/a/log", `x`, with("Upload-Offset: -1"), 400, ci.Invalid},
		{"an upload beyond the end", "PATCH", build + "/steps/a/log", `x`, with("Upload-Offset: 6"), 409, ci.LogGap},
		{"an unknown parameter", "GET", "/api/v1/builds?brnach=x", ``, nil, 400, ci.Invalid},
		{"a bad limit", "GET", "/api/v1/builds?limit=201", ``, nil, 400, ci.Invalid},
		{"a bad status", "GET", "/api/v1/builds?status=done", ``, nil, 400, ci.Invalid},
		{"a bad tail", "GET", build + "/events?tail=x", ``, nil, 400, ci.Invalid},
		{"a bad step", "GET", build + "/events?step=", ``, nil, 400, ci.Invalid},
		{"no logs", "GET", "/api/v1/streams", ``, nil, 400, ci.Invalid},
		{"a malformed log", "GET", "/api/v1/streams?log=x", ``, nil, 400, ci.InvalidID},
		{"another method", "PUT", build, ``, nil, 405, badMethod},
		{"another address", "GET", "/api/v2/builds", ``, nil, 404, ci.NotFound},
	}
	for _, c := range badUpdates {
		cases = append(cases, bad{c.name, "POST", updates, c.body, token, 400, c.code})
	}
	for _, c := range cases {
		a := s.do(c.method, c.path, c.body, c.headers...)
		p := a.problem()
		if a.status != c.status || p.Type != "/problems/"+string(c.code) || p.Status != c.status || p.Title == "" || len(p.Detail) < 10 || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
		if (a.status == 401) != (a.header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: WWW-Authenticate is %q", c.name, a.header.Get("WWW-Authenticate"))
		}
		if after := s.last(build); after != before {
			t.Fatalf("%s: stored something: %s, was %s", c.name, after, before)
		}
	}
	ofABuild := s.addToken(postgres.Token{Name: "o4", Scopes: report, Project: "other/api", Build: ci.NewBuildID()})
	if a := s.do("POST", "/api/v1/builds", `{"project":"x"}`, "Authorization: Bearer "+ofABuild); !strings.Contains(a.body, " of other/api alone; create that one.") {
		t.Errorf("a build's token: %s", a.body)
	}
	if after := s.get("/api/v1/builds").body; after != builds {
		t.Errorf("the list of builds was %s, is %s", builds, after)
	}
	if a := s.get("/builds", "Accept: text/html"); a.status != 404 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || strings.Contains(a.body, "openapi") {
		t.Errorf("an unknown page: %d %s", a.status, a.body)
	}
}

// TestRefusals_SayWhatToDo makes the mistakes that are made first by whoever
// writes a runner of their own. The sentence alone has to lead on.
func TestRefusals_SayWhatToDo(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	s.update(build, logText("a", 0, "hello"))
	updates, log := build+"/updates", build+"/steps/a/log"
	const none = `{"updates":[]}`
	elsewhere := s.tokenFor("other/*", ci.ScopeReport)
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		says                     string
	}{
		{"a variable that is not set", "POST", updates, none, []string{"Authorization: Bearer "}, 401, "may be empty"},
		{"a build that is not set", "POST", "/api/v1/builds//updates", none, nil, 400, "may be empty"},
		{"an id that is not set", "POST", "/api/v1/builds", `{"id":"","project":"p"}`, nil, 400, "may be empty"},
		{"before it is created", "POST", "/api/v1/builds/" + ci.NewBuildID().String() + "/updates", none, nil, 404, "POST /api/v1/builds"},
		{"with the token of another project", "POST", updates, none, []string{"Authorization: Bearer " + elsewhere}, 404, "none that the token is for"},
		{"curl -T", "PUT", log, "hello", nil, 405, `takes GET, HEAD and PATCH, not "PUT"; its text is sent with PATCH`},
		{"curl --data-binary", "POST", log, "hello", nil, 405, "sent with PATCH"},
		{"text without its line ends", "POST", updates, `{"updates":[{"step":{"key":"a","status":"passed","log_bytes":9}}]}`, nil, 409, "as curl -d does"},
		{"put for post", "PUT", updates, none, nil, 405, `takes POST, not "PUT"`},
		{"a build as in other APIs", "PATCH", build, `{"status":"passed"}`, nil, 405, "…/updates with POST"},
		{"a step as in other APIs", "POST", build + "/steps/a", `{"status":"running"}`, nil, 404, "…/updates with POST"},
		{"a step's status, changed", "PATCH", build + "/steps/a", `{"status":"running"}`, nil, 404, "…/updates with POST"},
		{"a slash too many", "POST", updates + "/", none, nil, 404, "without a slash"},
		{"a slash behind the log", "PATCH", log + "/", "hello", nil, 404, "without a slash"},
		{"a slash behind the log, and curl -T", "PATCH", log + "/make.log", "hello", nil, 404, "without a slash"},
		{"two slashes", "POST", "//api/v1/builds", `{"project":"p"}`, nil, 404, "two slashes"},
		{"a guess", "POST", "/v1/builds", `{"project":"p"}`, nil, 404, "/api/v1/openapi.json"},
		{"the API", "GET", "/api", "", nil, 404, "/api/v1/openapi.json"},
		{"an offset in the address", "PATCH", log + "?offset=0", "hello", nil, 400, "no parameters"},
		{"an offset that is not set", "PATCH", log, "hello", []string{"Upload-Offset: "}, 400, `not ""`},
		{"curl -C", "PATCH", log, "hello", []string{"Content-Range: bytes 5-9/10"}, 400, "Upload-Offset, not by Content-Range"},
		{"a parameter of updates", "POST", updates + "?step=a", none, nil, 400, "no parameters"},
		{"curl -F", "PATCH", log, "--x\r\n\r\nhello\r\n--x--\r\n", []string{"Content-Type: multipart/form-data; boundary=x", "Upload-Offset: 0"}, 415, "without a form"},
		{"curl -d", "POST", updates, none, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "application/x-ndjson"},
		{"lines that curl -d joined", "POST", updates, `{"step":{"key":"a"}}{"step":{"key":"b"}}`, []string{"Content-Type: application/x-ndjson"}, 400, "--data-binary"},
		{"a count that is too low", "POST", updates, `{"updates":[{"step":{"key":"a","status":"passed","log_bytes":4}}]}`, nil, 409, "some came twice"},
		{"text behind the count", "POST", updates, `{"updates":[{"step":{"key":"b","status":"passed","log_bytes":0}},` + logText("b", 0, "x") + `]}`, nil, 409, "after the last text"},
		{"a form that creates", "POST", "/api/v1/builds", "project=p", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "one JSON object"},
		{"updates that create", "POST", "/api/v1/builds", `{"project":"p"}`, []string{"Content-Type: application/x-ndjson"}, 415, "one JSON object"},
		{"a letter that is none of ours", "POST", updates, `{"updates":[{"step":{"key":"tést"}}]}`, nil, 400, "A-Z, a-z, 0-9"},
		{"a status of a list", "GET", "/api/v1/builds?status=errored", "", nil, 400, "skipped, lost"},
		{"no log of several", "GET", "/api/v1/streams", "", nil, 400, "log=<build>;step=<key>"},
	} {
		headers := append([]string{"Authorization: Bearer " + s.token, "Content-Type: application/json"}, c.headers...)
		a := s.do(c.method, c.path, c.body, headers...)
		if a.status != c.status || !strings.Contains(a.problem().Detail, c.says) || strings.Contains(a.body, `\u00`) {
			t.Errorf("%s: %d, not %q: %s", c.name, a.status, c.says, a.body)
		}
	}
	if a := s.get(log); a.body != "hello" {
		t.Errorf("the log is %q", a.body)
	}
	if a := s.write(updates, `{"updates":[{"step":{"key":""}}]}`, "Accept: text/plain"); a.status != 400 || a.body != "The step key \"\" is empty; the variable that it is taken from may be empty. Nothing of the request was stored.\n" || a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("to a shell: %d %s", a.status, a.body)
	}
}

func TestProblems_Explained(t *testing.T) {
	t.Parallel()
	s := start(t)
	list, page := s.get("/problems/"), s.get("/problems/", "Accept: text/html")
	for code, k := range problems {
		path := "/problems/" + string(code)
		if a := s.get(path); a.status != 200 || !strings.Contains(a.body, k.title) {
			t.Errorf("%s: %d %s", code, a.status, a.body)
		}
		if !strings.Contains(list.body, path+": "+k.title) || !strings.Contains(page.body, `<a href="`+path+`">`) {
			t.Errorf("%s is not listed: %s %s", code, list.body, page.body)
		}
	}
	if a := s.get("/problems/log-gap", "Accept: text/html"); !strings.HasPrefix(a.body, "<!doctype html>") {
		t.Error(a.body)
	}
}

// Who is refused for what is known before the body has the answer as soon.
func TestBody_TooSlow(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for host, want := range map[string]string{"localhost": "408 ", "evil.example": "421 "} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			fmt.Fprintf(conn, "POST %s/updates HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n{", build, host, s.token)
			text, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 "+want) {
				t.Errorf("%v, %q", err, text)
			}
		})
	}
}

// Who is refused, and waits to be asked for the body, is not asked: the connection ends
// instead.
func TestBody_NotAskedFor(t *testing.T) {
	t.Parallel()
	s := start(t)
	r := s.connect()
	fmt.Fprintf(r.conn, "PATCH /api/v1/builds/%s/steps/a/log HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n", ci.NewBuildID(), s.token)
	res, err := http.ReadResponse(r.r, nil)
	if err != nil || res.StatusCode != 404 || !res.Close {
		t.Errorf("%v %v", res, err)
	}
}

// A body that the network cut off is not its sender's fault, who is told to send it again.
func TestBody_BrokenOff(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for _, head := range []string{"POST " + build + "/updates", "PATCH " + build + "/steps/a/log"} {
		r := s.connect()
		fmt.Fprintf(r.conn, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\nhalf a \xe2\x82", head, s.token)
		r.conn.(*net.TCPConn).CloseWrite()
		text, err := io.ReadAll(r.r)
		if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 408 ") || !strings.Contains(string(text), "/problems/broken-off") {
			t.Errorf("%s: %v, %s", head, err, text)
		}
	}
	// A character that was cut comes whole with what is sent from there.
	if a := s.get(build + "/steps/a/log"); a.body != "half a " {
		t.Errorf("of an upload there is %q", a.body)
	}
}

// An uploader is a PATCH by hand.
type uploader struct {
	raw
}

func (s *testServer) upload(path string, headers ...string) *uploader {
	s.t.Helper()
	return s.uploadAs(s.token, path, headers...)
}

// uploadAs is upload, with another token.
func (s *testServer) uploadAs(token, path string, headers ...string) *uploader {
	s.t.Helper()
	r := s.connect()
	fmt.Fprintf(r.conn, "PATCH %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n", path, token)
	for _, h := range headers {
		fmt.Fprintf(r.conn, "%s\r\n", h)
	}
	fmt.Fprint(r.conn, "\r\n")
	return &uploader{*r}
}

func (u *uploader) send(text string) { fmt.Fprintf(u.conn, "%x\r\n%s\r\n", len(text), text) }

func (u *uploader) finish() (status int, offset string) {
	u.t.Helper()
	fmt.Fprint(u.conn, "0\r\n\r\n")
	res, err := http.ReadResponse(u.r, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Upload-Offset")
}

// eventually polls until the log is this.
func (s *testServer) eventually(path, want string) {
	s.t.Helper()
	var a answer
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if a = s.get(path); a.body == want {
			return
		}
	}
	s.t.Fatalf("%s is %d %q, want %q", path, a.status, a.body, want)
}

func TestUpload(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/make/all/log"
	if a := s.do("HEAD", log, ""); a.status != 404 || a.header.Get("Upload-Offset") != "0" {
		t.Errorf("HEAD of nothing: %d %v", a.status, a.header)
	}
	u := s.upload(log, "Upload-Offset: 0")
	u.send("live ")
	s.eventually(log, "live ")
	u.send("wörld \xe2\x82") // half a euro
	s.eventually(log, "live wörld ")
	u.send("\xac\n")
	s.eventually(log, "live wörld €\n")
	if status, offset := u.finish(); status != 204 || offset != "16" {
		t.Errorf("%d, offset %s", status, offset)
	}
	if a := s.do("HEAD", log, ""); a.status != 200 || a.header.Get("Upload-Offset") != "16" || a.header.Get("Content-Length") != "16" {
		t.Errorf("HEAD: %d %v", a.status, a.header)
	}
	// Once more from the start, with more: only what is missing is stored.
	auth := "Authorization: Bearer " + s.token
	if a := s.do("PATCH", log, "live wörld €\nand more", auth, "Upload-Offset: 0"); a.status != 204 || a.header.Get("Upload-Offset") != "24" {
		t.Errorf("resumed: %d %v", a.status, a.header)
	}
	// Without an offset it goes to the end.
	if a := s.do("PATCH", log, "!", auth); a.status != 204 || a.header.Get("Upload-Offset") != "25" {
		t.Errorf("appended: %d %v", a.status, a.header)
	}
	if a := s.do("PATCH", log, "x", auth, "Upload-Offset: 26"); a.status != 409 || a.header.Get("Upload-Offset") != "25" || *a.problem().Offset != 25 {
		t.Errorf("gap: %d %v %s", a.status, a.header, a.body)
	}
	if a := s.do("PATCH", build+"/steps/empty/log", "", auth, "Upload-Offset: 0"); a.status != 200 || a.header.Get("Upload-Offset") != "0" {
		t.Errorf("empty: %d %v", a.status, a.header)
	}
	s.eventually(log, "live wörld €\nand more!")

	// A peer that vanishes leaves what it had sent, but for half a character.
	u = s.upload(log)
	u.send(" \xff tail \xe2")
	s.eventually(log, "live wörld €\nand more! \xff tail ")
	u.conn.Close()

	// And one that waits to be asked.
	u = s.upload(log, "Expect: 100-continue")
	if line, _ := u.r.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Errorf("100-continue: %q", line)
	}
	u.r.ReadString('\n')
	if status, offset := u.finish(); status != 204 || offset != "33" {
		t.Errorf("%d, offset %s", status, offset)
	}
}

func TestUpload_Large(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	text := strings.Repeat("0123456789 öäü €\r\n\x1b[1mbold\x1b[0m\xff", 150_000)
	if a := s.do("PATCH", log, text, "Authorization: Bearer "+s.token, "Upload-Offset: 0"); a.status != 204 || a.header.Get("Upload-Offset") != fmt.Sprint(len(text)) {
		t.Fatalf("%d %v", a.status, a.header)
	}
	if a := s.get(log); a.body != text {
		t.Errorf("%d bytes, want %d: %.200s", len(a.body), len(text), a.body)
	}
}

func TestUpload_Shutdown(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	u := s.upload(log)
	u.send("before")
	s.eventually(log, "before")
	short := s.connect()
	fmt.Fprintf(short.conn, "PATCH %s/steps/short/log HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 12\r\n\r\nbefore", build, s.token)
	s.eventually(build+"/steps/short/log", "before")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.stop()
	}()
	res, err := http.ReadResponse(u.r, nil)
	if err != nil || res.StatusCode != 503 || res.Header.Get("Upload-Offset") != "6" {
		t.Errorf("%v, %v", err, res)
	}
	// One that is over soon is taken as a whole.
	io.WriteString(short.conn, "behind")
	if res, err := http.ReadResponse(short.r, nil); err != nil || res.StatusCode != 204 || res.Header.Get("Upload-Offset") != "12" {
		t.Errorf("a short one: %v, %v", err, res)
	}
	<-stopped
}

// TestCreate_AnothersRun has somebody who reports to another project, and can
// guess what the run of a project is called, come first with the ids of its
// builds.
func TestCreate_AnothersRun(t *testing.T) {
	t.Parallel()
	s := start(t)
	for n := range ci.MaxSeries {
		id := ci.DerivedBuildID(ci.RunOf("acme/api", "gitlab https://gitlab.example 4711"), n)
		body := func(project string) string { return fmt.Sprintf(`{"id":"%s","project":"%s"}`, id, project) }
		if a := s.write("/api/v1/builds", body("evil/x")); a.status != 400 || a.problem().Field != "id" {
			t.Errorf("taken by another project: %d %s", a.status, a.body)
		}
		if a := s.write("/api/v1/builds", body("acme/api")); a.status != 201 {
			t.Errorf("its own: %d %s", a.status, a.body)
		}
	}
}

// An upload that is open ends when its token is revoked on another server, or expires,
// and the answer says why.
func TestUpload_EndsWithItsToken(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	one, two := startOn(t, url), startOn(t, url)
	build := one.create(`{"project":"p"}`)
	for end, code := range map[string]string{"revoked_at": "token-revoked", "expires_at": "token-expired"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			one, two := one.in(t), two.in(t)
			two.token = one.tokenFor("p", ci.ScopeReport)
			sum, err := ci.ParseToken(two.token)
			if err != nil {
				t.Fatal(err)
			}
			log := build + "/steps/" + code + "/log"
			u := two.upload(log)
			u.send("before\n")
			one.eventually(log, "before\n")
			if _, err := pgtest.Connect(t, url).Exec(t.Context(), `UPDATE tokens SET `+end+` = clock_timestamp() WHERE sum = $1`, sum[:]); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(u.r, nil) // though nothing more is sent
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusUnauthorized || !strings.Contains(string(text), `"/problems/`+code+`"`) || !strings.Contains(string(text), `"offset":7`) {
				t.Errorf("%d %s %v", res.StatusCode, text, err)
			}
			u.send("after\n") // to a connection that is gone, or about to be
			if a := one.get(log); a.body != "before\n" {
				t.Errorf("the log is %q", a.body)
			}
		})
	}
}

// TestRefusals_AreReadAtABoundedPace is of many long bodies that are refused: no more of
// them is read on than there is time for.
func TestRefusals_AreReadAtABoundedPace(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	s.readingOn = rate.NewLimiter(0, readOnAhead)
	send := func() error {
		r := s.connect()
		defer r.conn.Close()
		const long = 40 << 20 // more than some libraries send before they look
		fmt.Fprintf(r.conn, "POST /api/v1/builds HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", long)
		if _, err := r.conn.Write(bytes.Repeat([]byte{' '}, long)); err != nil {
			return err
		}
		_, err := http.ReadResponse(r.r, nil)
		return err
	}
	if err := send(); err == nil {
		t.Error("all of a body was read that there was no time for")
	}
	s.readingOn.SetLimit(rate.Inf)
	if err := send(); err != nil {
		t.Errorf("once there is: %v", err)
	}
}

// TestRefusals_AreReadByWhoSendsAllFirst is of clients that send a whole body, or much of one,
// before they read an answer: it is there then.
func TestRefusals_AreReadByWhoSendsAllFirst(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build := s.create(`{"project":"p"}`)
	s.update(build, logText("shut", 0, "x\n")+`,{"step":{"key":"shut","status":"passed","log_bytes":2}}`)
	page := strings.TrimPrefix(build, "/api/v1")
	const form = "application/x-www-form-urlencoded"
	const long = 4 << 20
	for _, one := range []struct {
		request, token, kind string
		status               int
	}{
		{"POST " + build + "/updates", s.token, "application/json", 413},
		{"POST /api/v1/builds", "stp_wrong", "application/json", 401},
		{"PATCH " + build + "/steps/s/log", "", "text/plain", 401},
		{"POST /sign-in", "", "application/json", 415},
		{"POST /sign-in", "", form, 413},
		{"POST " + page + "/share", "", form, 303},
		{"PATCH " + build + "/steps/shut/log", s.token, "text/plain", 409},
	} {
		for length, ends := range map[string][2]string{
			fmt.Sprintf("Content-Length: %d", long):   {},
			fmt.Sprintf("Content-Length: %d", 9*long): {},
			"Transfer-Encoding: chunked":              {fmt.Sprintf("%x\r\n", long), "\r\n0\r\n\r\n"},
		} {
			r := s.connect()
			if one.token != "" {
				length += "\r\nAuthorization: Bearer " + one.token
			}
			fmt.Fprintf(r.conn, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n%s\r\n\r\n%s", one.request, one.kind, length, ends[0])
			if _, err := r.conn.Write(append(bytes.Repeat([]byte{' '}, long), ends[1]...)); err != nil {
				t.Errorf("%s, %s: %v", one.request, length, err)
				continue
			}
			res, err := http.ReadResponse(r.r, nil)
			if err != nil {
				t.Errorf("%s, %s: %v", one.request, length, err)
				continue
			}
			if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != one.status || res.ContentLength != int64(len(body)) {
				t.Errorf("%s, %s: %d %s, %v, want %d", one.request, length, res.StatusCode, body, err, one.status)
			}
			r.conn.Close()
		}
	}
}
