package server

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/sse"
)

// stable replaces what differs from run to run: prefixes of ids, times of the
// server's clock, and the pace.
func stable(s string) string {
	s = regexp.MustCompile(`[a-z2-7]{6}-(\d+)`).ReplaceAllString(s, "prefix-$1")
	s = regexp.MustCompile(`retry: \d+`).ReplaceAllString(s, "retry: N")
	s = regexp.MustCompile(`"(at|created_at|started_at|finished_at)":"20[^"]+"`).ReplaceAllString(s, `"$1":"TIME"`)
	return regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}`).ReplaceAllString(s, "UUID")
}

// A finished build with everything that is awkward in a stream.
func (s *testServer) finished(project string) (build string) {
	s.t.Helper()
	build = s.create(`{"project":"` + project + `","branch":"main","steps":[{"key":"build"},{"key":"test"}]}`)
	s.update(build, logText("build", 0, "one\ntwo\r\nthree\rfour")+","+logText("test", 0, "half €")+","+
		logText("build", 19, "")+`,{"log":{"step":"build","offset":19,"at":"2026-11-22T10:00:00Z","lost":3}},`+
		logText("build", 22, "data: x\n\nid: 7\nevent: end\n\u2028\ufeff\x00\x1b[1m")+
		`,{"log":{"step":"test","offset":8,"at":"2026-11-22T10:00:00Z","base64":"4oL/AA=="}}`) // half a character
	s.update(build, `{"note":{"step":"build","number":0,"at":"2026-11-22T10:00:00Z","line":1,"group":{"name":"data: <b> & \u2028","folded":true}}},`+
		`{"note":{"step":"build","number":1,"at":"2026-11-22T10:00:01Z","line":3,"group_end":{"group":0,"duration_s":1.25}}},`+
		`{"note":{"step":"test","number":0,"test":{"suite":"a","name":"TestX","status":"failed","message":"\n\nid: 7\nevent: end\n\n"}}},`+
		`{"note":{"step":"test","number":1,"annotation":{"level":"error","message":"undefined: x","file":"x.go","file_line":7}}}`)
	s.update(build, `{"step":{"key":"build","status":"passed"}},{"step":{"key":"test","status":"failed","exit_code":2}},{"build":{"status":"failed"}}`)
	return build
}

func TestStream_Bytes(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.finished("acme/api")
	r, status, header := s.dial(build + "/events")
	text := r.rest()
	if status != 200 || header.Get("Content-Type") != "text/event-stream" || header.Get("Cache-Control") != "no-store, no-transform" || header.Get("X-Accel-Buffering") != "no" || header.Get("Transfer-Encoding") != "" {
		t.Errorf("%d %v", status, header)
	}
	golden(t, "build.sse", []byte(stable(text)))
	// The feed, with the snapshot of the build first.
	f, _, _ := s.dial("/api/v1/events?project=acme/*")
	golden(t, "feed.sse", []byte(stable(strings.Join(f.until("live"), "\n")+"\n")))
	// And as one of several, of which there is one.
	m, _, _ := s.dial("/api/v1/streams?log=" + strings.TrimPrefix(build, "/api/v1/builds/") + "%3Bstep%3Dtest")
	golden(t, "streams.sse", []byte(stable(m.rest())))
}

func TestStream_HTTP10(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.finished("p")
	r := s.connect()
	fmt.Fprintf(r.conn, "GET %s/events HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", build)
	text := r.rest()
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || strings.Contains(head, "chunked") || !strings.HasSuffix(body, "event: end\ndata: {}\n\n") {
		t.Errorf("%q … %q", head, body[max(0, len(body)-200):])
	}
}

// TestStream_HTTP2 reads the same stream where there is no connection to take
// over.
func TestStream_HTTP2(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.finished("acme/api")
	front := httptest.NewUnstartedServer(s.Handler())
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)
	read := func(path string) (*http.Response, string) {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", front.URL+path, nil)
		req.Header.Set("Accept", "text/event-stream")
		res, err := front.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
	res, text := read(build + "/events")
	if res.ProtoMajor != 2 || res.StatusCode != 200 {
		t.Fatal(res)
	}
	golden(t, "build.sse", []byte(stable(text)))
}

// TestStream_ResumeAnywhere cuts a stream off after every event, and once more
// with every filter.
func TestStream_ResumeAnywhere(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.finished("p")
	for _, query := range []string{"", "?logs=none", "?step=test", "?step=build&step=test"} {
		r, _, _ := s.dial(build + "/events" + query)
		all := r.until("end")
		frames := all[1 : len(all)-2] // retry; live, end
		for i, f := range frames {
			resumed, status, _ := s.dial(build+"/events"+query, "Last-Event-ID: "+field(f, "id"))
			if i == len(frames)-1 {
				if status != http.StatusNoContent {
					t.Errorf("%s after the last event: %d, want 204", query, status)
				}
				continue
			}
			rest := resumed.until("end")
			if got, want := strings.Join(rest[1:], "\n"), strings.Join(all[i+2:], "\n"); got != want {
				t.Errorf("%s after %s:\n%s\nwant\n%s", query, field(f, "id"), got, want)
			}
		}
	}
	// The header wins over after.
	r, _, _ := s.dial(build+"/events?after=x", "Last-Event-ID: "+s.last(build)[:7]+"3")
	if f := r.until("end"); strings.Contains(f[1], "reset") || !strings.HasSuffix(field(f[1], "id"), "-4") {
		t.Errorf("%q", f[1])
	}
}

func TestStream_Live(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"},{"key":"b"}]}`)
	r, _, _ := s.dial(build + "/events")
	if f := r.until("live"); len(f) != 5 {
		t.Fatalf("%q", f)
	}
	filtered, _, _ := s.dial(build + "/events?step=a")
	filtered.until("live")
	offset := 0
	for i := range 50 {
		text := fmt.Sprintf("line %d 😀\n", i)
		s.update(build, logText("b", offset, text))
		offset += len(text)
		var data struct{ Text string }
		for data.Text == "" {
			if err := json.Unmarshal([]byte(field(r.frame(), "data")), &data); err != nil {
				t.Fatal(err)
			}
		}
		if data.Text != text {
			t.Fatalf("%q, want %q", data.Text, text)
		}
	}
	s.update(build, logText("a", 0, "x")+`,{"build":{"status":"passed"}}`)
	last := s.last(build)
	for _, r := range []*raw{r, filtered} {
		frames := r.until("end")
		if end := frames[len(frames)-1]; field(end, "id") != last {
			t.Errorf("end is %q, want id %s", end, last)
		}
		if rest := r.rest(); rest != "" {
			t.Errorf("after the end: %q", rest)
		}
		if _, status, _ := s.dial(build+"/events", "Last-Event-ID: "+last); status != http.StatusNoContent {
			t.Errorf("after the end: %d", status)
		}
	}
	// What comes after the end is for whoever resumes, with a second end.
	s.update(build, logText("a", 1, "late")+`,{"note":{"step":"a","number":0,"test":{"name":"TestX","status":"passed"}}}`)
	late, _, _ := s.dial(build+"/events", "Last-Event-ID: "+last)
	if f := late.until("end"); len(f) != 5 || !strings.Contains(f[1], `"text":"late"`) || !strings.Contains(f[2], "event: note\ndata: {") {
		t.Errorf("%q", f)
	}
}

func TestStream_Tail(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for i := range 20 {
		s.update(build, logText("a", 2*i, fmt.Sprintf("%c\n", 'a'+i)))
	}
	s.update(build, logText("b", 0, "b\n"))
	r, _, _ := s.dial(build + "/events?tail=3")
	var text string
	for _, f := range r.until("live") {
		if field(f, "event") == "log" {
			var data struct{ Step, Text string }
			json.Unmarshal([]byte(field(f, "data")), &data)
			text += data.Text
		}
	}
	if text != "r\ns\nt\nb\n" {
		t.Errorf("the tail is %q", text)
	}
}

func TestStream_Reset(t *testing.T) {
	t.Parallel()
	s := start(t)
	build, other := s.finished("p"), s.finished("q")
	prefix := s.last(build)[:7]
	for cursor, reason := range map[string]string{
		"nonsense":                         "unknown_cursor",
		prefix + "007":                     "unknown_cursor",
		prefix + "999":                     "unknown_cursor",
		prefix + "99999999999999999999999": "unknown_cursor",
		s.last(other):                      "wrong_log",
		"aaaaaa-3":                         "wrong_log",
	} {
		r, status, _ := s.dial(build+"/events", "Last-Event-ID: "+cursor)
		if status != 200 {
			t.Errorf("%s: %d", cursor, status)
			continue
		}
		f := r.until("end")
		if field(f[1], "event") != "reset" || field(f[1], "data") != `{"reason":"`+reason+`"}` || field(f[1], "id") == "" {
			t.Errorf("%s: %q", cursor, f[1])
		}
		if !strings.HasSuffix(field(f[2], "id"), "-1") {
			t.Errorf("%s: goes on with %q", cursor, f[2])
		}
		var page struct {
			Events []struct{ ID string }
			Reset  string
			End    bool
		}
		json.Unmarshal([]byte(s.get(build+"/events?after="+cursor).body), &page)
		if page.Reset != reason || !strings.HasSuffix(page.Events[0].ID, "-1") || !page.End {
			t.Errorf("page after %s: %+v", cursor, page)
		}
	}
	// The feed begins anew with a snapshot.
	r, _, _ := s.dial("/api/v1/events", "Last-Event-ID: "+s.last(build))
	f := r.until("live")
	if field(f[1], "event") != "reset" || field(f[2], "event") != "snapshot" || field(f[2], "id") != field(f[3], "id") {
		t.Errorf("%q", f)
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	s := start(t)
	done := s.finished("p")
	open := s.create(`{"project":"q","steps":[{"key":"a"}]}`)
	doneID, openID := strings.TrimPrefix(done, "/api/v1/builds/"), strings.TrimPrefix(open, "/api/v1/builds/")
	path := "/api/v1/streams?log=" + doneID + "&log=" + openID + "&log=feed;project=q"
	r, _, _ := s.dial(path)
	seen := map[string]int{}
	note := func(f string) string {
		var data struct{ Log string }
		json.Unmarshal([]byte(field(f, "data")), &data)
		seen[field(f, "event")+" "+data.Log]++
		return field(f, "id")
	}
	var id string
	for seen["live "+doneID] == 0 || seen["live "+openID] == 0 || seen["live feed"] == 0 || seen["end "+doneID] == 0 {
		id = note(r.frame())
	}
	if seen["snapshot feed"] != 1 || seen["log "+doneID] == 0 || strings.Count(id, ".") != 2 {
		t.Errorf("%v, id %s", seen, id)
	}
	r.conn.Close()

	s.update(open, logText("a", 0, "x\n"))
	resumed, _, _ := s.dial(path, "Last-Event-ID: "+id)
	clear(seen)
	for seen["log "+openID] == 0 || seen["build feed"] == 0 || seen["step feed"] == 0 || seen["end "+doneID] == 0 {
		note(resumed.frame())
	}
	if seen["log "+doneID] != 0 || seen["log "+openID] != 1 || seen["snapshot feed"] != 0 {
		t.Errorf("resumed: %v", seen)
	}
	resumed.conn.Close()

	// With builds alone the stream ends when all have, and then is no more.
	s.update(open, `{"build":{"status":"passed"}}`)
	builds := "/api/v1/streams?log=" + doneID + ";logs=none&log=" + openID
	last, _, _ := s.dial(builds)
	frames, err := io.ReadAll(last.r)
	if err != nil || strings.Count(string(frames), "event: end\n") != 2 {
		t.Errorf("%v: %s", err, frames)
	}
	all := sse.NewReader(strings.NewReader(string(frames)), 0)
	for {
		if _, err := all.Next(); err != nil {
			break
		}
	}
	if _, status, _ := s.dial(builds, "Last-Event-ID: "+all.LastID()); status != http.StatusNoContent {
		t.Errorf("after all ends: %d", status)
	}
	// A log that joins later says where it begins.
	joined, _, _ := s.dial("/api/v1/streams?log=" + doneID + ";after=" + s.last(done) + "&log=" + openID)
	if text := joined.rest(); strings.Contains(text, `"log":"`+doneID+`","at"`) || !strings.Contains(text, `"log":"`+openID+`","at"`) {
		t.Error(text)
	}
}

// A reader of three logs, whose events are of all sizes that are treated in their own way,
// is cut off again and again, and goes on from the last id that it saw: each frame is one
// event further in the log that it names, and nowhere else.
func TestStreams_OneEventAfterTheOther(t *testing.T) {
	t.Parallel()
	s := start(t)
	sizes := []int{1, 100, copyMost - 100, copyMost, 2 * copyMost, writeOwn, 60_000}
	var builds, names [3]string
	var offsets, at [3]int
	write := func(i int) {
		var updates []string
		for bytes := 400_000; bytes > 0; {
			n := sizes[rand.IntN(len(sizes))]
			updates = append(updates, logText("a", offsets[i], strings.Repeat("x", n-1)+"\n"), fmt.Sprintf(`{"step":{"key":"b%d"}}`, rand.IntN(50)))
			offsets[i] += n
			bytes -= n
		}
		s.update(builds[i], strings.Join(updates, ","))
	}
	for i := range builds {
		builds[i] = s.create(`{"project":"p"}`)
		names[i] = strings.TrimPrefix(builds[i], "/api/v1/builds/")
		for range 4 {
			write(i)
		}
	}
	var last string
	read := func(frames int) (over bool) {
		r, status, _ := s.dial("/api/v1/streams?log="+strings.Join(names[:], "&log="), "Last-Event-ID: "+last)
		defer r.conn.Close()
		if status == http.StatusNoContent {
			return true
		}
		for ended := 0; frames > 0 && ended < len(names); frames-- {
			frame := r.frame()
			event, id := field(frame, "event"), field(frame, "id")
			if id == "" {
				continue // retry
			}
			want := at
			switch event {
			case "live", "ping":
			case "end":
				ended++
			default:
				want[slices.IndexFunc(names[:], func(name string) bool { return strings.Contains(frame, name) })]++
			}
			for i, cursor := range strings.Split(id, ".") {
				_, number, _ := strings.Cut(cursor, "-")
				at[i], _ = strconv.Atoi(number) // of a log that nothing has come of yet there is none
			}
			if at != want {
				t.Fatalf("%s at %v, want %v", event, at, want)
			}
			last = id
		}
		return false
	}
	for i := range builds { // some of it is in memory, and some comes between; all of it is more than is read here
		read(1 + rand.IntN(40))
		write(i)
		read(1 + rand.IntN(40))
	}
	for _, build := range builds {
		s.update(build, `{"build":{"status":"passed"}}`)
	}
	for !read(20 + rand.IntN(1000)) {
	}
	for i, build := range builds {
		if _, end, _ := strings.Cut(s.last(build), "-"); end != strconv.Itoa(at[i]) {
			t.Errorf("a log ends at %s, its reader at %v", end, at[i])
		}
	}
}

// A batch that fills a write to its last event is over with it: what follows it comes at
// once, and not with the next ping.
func TestStreams_WritesThatAreFull(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	const events, size = 3, 64 << 10 // of one character, which is six in JSON
	for i := range events {
		s.update(build, logText("a", i*size, strings.Repeat("\x01", size)))
	}
	r, _, _ := s.dial("/api/v1/streams?log=" + strings.TrimPrefix(build, "/api/v1/builds/") + ";after=")
	var logs int
	for f := r.frame(); field(f, "event") != "live"; f = r.frame() {
		switch field(f, "event") {
		case "log":
			logs++
		case "ping":
			t.Fatalf("there was nothing else to say for the whole of a ping's time, after %d of %d log events", logs, events)
		}
	}
	if logs != events {
		t.Errorf("%d log events came, want %d", logs, events)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.finished("p")
	r, _, _ := s.dial(build + "/events")
	frames := r.until("end")
	frames = frames[1 : len(frames)-2]
	var got []string
	for after, end := "", false; !end; {
		var page struct {
			Events []struct {
				ID, Kind string
				Data     json.RawMessage
			}
			Next string
			End  bool
		}
		a := s.get(build + "/events?limit=2&after=" + after)
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Events) > 2 {
			t.Fatalf("%v: %s", err, a.body)
		}
		for _, e := range page.Events {
			got = append(got, "id: "+e.ID+"\nevent: "+e.Kind+"\ndata: "+string(e.Data)+"\n")
		}
		after, end = page.Next, page.End
	}
	// encoding/json escapes U+2028 and compacts; the values are the same.
	if len(got) != len(frames) {
		t.Fatalf("%d events, want %d", len(got), len(frames))
	}
	for i := range got {
		var a, b any
		json.Unmarshal([]byte(field(got[i], "data")), &a)
		json.Unmarshal([]byte(field(frames[i], "data")), &b)
		if field(got[i], "id") != field(frames[i], "id") || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("page: %s\nstream: %s", got[i], frames[i])
		}
	}
	a := s.get(build + "/events?after=" + s.last(build))
	if a.status != 200 || !strings.HasPrefix(a.body, `{"events":[],`) || !strings.Contains(a.body, `"end":true`) {
		t.Errorf("at the end: %d %s", a.status, a.body)
	}
	var feed struct {
		Events []struct{ Kind string }
		Next   string
	}
	json.Unmarshal([]byte(s.get("/api/v1/events").body), &feed)
	if len(feed.Events) != 1 || feed.Events[0].Kind != "snapshot" {
		t.Errorf("%+v", feed)
	}
	s.create(`{"project":"p"}`)
	json.Unmarshal([]byte(s.get("/api/v1/events?after="+feed.Next).body), &feed)
	if len(feed.Events) != 1 || feed.Events[0].Kind != "build" {
		t.Errorf("%+v", feed)
	}
}

// TestStream_PeerGone looks whether a stream is let go of when its reader
// closes.
func TestStream_PeerGone(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	r, _, _ := s.dial(build + "/events")
	r.until("live")
	if n := s.open.count(); n != 1 {
		t.Fatalf("%d streams are open", n)
	}
	r.conn.Close()
	for end := time.Now().Add(patience); !strings.Contains(s.get("/readyz").body, `"streams":0`); {
		if time.Now().After(end) {
			t.Fatal("the stream outlives its reader")
		}
	}
}

func TestStream_Shutdown(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	var readers []*raw
	for range 5 {
		r, _, _ := s.dial(build + "/events")
		r.until("live")
		readers = append(readers, r)
	}
	s.stop()
	for _, r := range readers {
		if rest := r.rest(); stable(rest) != "retry: N\n\n" {
			t.Errorf("the last frame is %q", rest)
		}
	}
}

// TestStream_Draining asks a server that is on its way out.
func TestStream_Draining(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	s.Drain(t.Context())
	r, status, header := s.dial(build + "/events")
	if rest := r.rest(); status != 200 || header.Get("Content-Type") != "text/event-stream" || stable(rest) != "retry: N\n\nevent: unavailable\ndata: {}\n\n" {
		t.Errorf("%d %v %q", status, header, rest)
	}
	if a := s.get("/readyz"); a.status != 503 || !strings.Contains(a.body, "shutting down") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.get(build + "/events"); a.status != 200 {
		t.Errorf("a page: %d", a.status)
	}
	if a := s.write(build+"/updates", `{"updates":[`+logText("a", 0, "x")+`]}`); a.status != 200 {
		t.Errorf("a write: %d %s", a.status, a.body)
	}
}

func TestStream_TooMany(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.limits.Streams = 1
	build := s.create(`{"project":"p"}`)
	first, _, _ := s.dial(build + "/events")
	first.until("live")
	r, status, _ := s.dial(build + "/events")
	if rest := r.rest(); status != 200 || stable(rest) != "retry: N\n\nevent: unavailable\ndata: {}\n\n" {
		t.Errorf("%d %q", status, rest)
	}
}

func TestStream_Refuses(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for path, want := range map[string]int{
		"/api/v1/builds/" + ci.NewBuildID().String() + "/events":        404,
		build + "/events?tail=0":                                        400,
		build + "/events?limit=5":                                       400,
		"/api/v1/events?project=a//b":                                   400,
		"/api/v1/streams?log=feed&log=feed":                             400,
		"/api/v1/streams?log=feed" + strings.Repeat("&log=x", 32):       400,
		"/api/v1/streams?log=" + ci.NewBuildID().String() + "&log=feed": 404,
	} {
		if _, status, _ := s.dial(path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

// Whoever asks for pages until next stays the same has everything, however rare
// it is among what others do.
func TestFeed_PagesUntilNextStays(t *testing.T) {
	t.Parallel()
	s := start(t)
	var page struct {
		Events []struct {
			ID, Kind string
			Data     struct{ Project string }
		}
		Next, Reset string
		End         bool
	}
	read := func(query string) string {
		page.Events, page.Reset = nil, ""
		if a := s.get("/api/v1/events" + query); a.status != 200 || json.Unmarshal([]byte(a.body), &page) != nil || page.End {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		return page.Next
	}
	after := read("?project=rare")
	for i := range 25 {
		s.create(`{"project":"common"}`)
		if i%10 == 5 {
			s.create(`{"project":"rare","branch":"main"}`)
		}
	}
	got := 0
	for next := ""; next != after; {
		if next != "" {
			after = next
		}
		next = read("?project=rare&limit=4&after=" + after)
		for _, e := range page.Events {
			if got++; e.Data.Project != "rare" {
				t.Errorf("%+v", e)
			}
		}
	}
	if got != 2 {
		t.Errorf("%d events came", got)
	}
	if read("?project=rare&branch=dev&after=aaaaaa-1"); page.Reset != "wrong_log" || len(page.Events) != 1 || page.Events[0].Kind != "snapshot" {
		t.Errorf("%+v", page)
	}
}

// What is asked for is asked for rightly, or refused in words.
func TestFeed_Query(t *testing.T) {
	t.Parallel()
	s := start(t)
	many := func(name string, n int) string { return strings.Repeat("&"+name+"=a", n)[1:] }
	for query, want := range map[string]int{
		"project=acme/api&project=acme/*&project=*": 200, "branch=": 200, many("project", 100): 200, many("branch", 100): 200, "limit=10000": 200, "after=nonsense": 200,
		many("project", 101): 400, many("branch", 101): 400, "project=": 400, "project=acm*": 400, "project=*/api": 400, "projct=a": 400, "limit=0": 400, "limit=10001": 400, "limit=a": 400,
	} {
		a := s.get("/api/v1/events?" + query)
		if a.status != want || want == 400 && !strings.Contains(a.body, `"detail":"`) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
		if head := s.do("HEAD", "/api/v1/events?"+query, ""); head.status != want || head.body != "" {
			t.Errorf("HEAD %s: %d %s", query, head.status, head.body)
		}
	}
	if head := s.do("HEAD", "/api/v1/events", "", "Accept: text/event-stream"); head.status != 200 || head.header.Get("Content-Type") != "text/event-stream" || s.openStreams() != 0 {
		t.Errorf("%d %v", head.status, head.header)
	}
}
