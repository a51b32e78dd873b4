package server

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// TestDatabaseAway asks for everything while there is no database.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	if err := postgres.Migrate(t.Context(), pg.URL(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	s := startOn(t, pg.URL())
	s.ping = 20 * time.Millisecond
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	s.update(build, logText("a", 0, "x"))
	watching, _, _ := s.dial(s.create(`{"project":"q"}`) + "/events") // of another build, so that nobody else has its tail
	watching.until("live")                                            // its first page has been read
	watching.until("ping")
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{build + "/events", build + "/events?tail=5", "/api/v1/events", "/api/v1/streams?log=feed&log=" + strings.TrimPrefix(build, "/api/v1/builds/")} {
		r, status, header := s.dial(path)
		if rest := r.rest(); status != 200 || header.Get("Content-Type") != "text/event-stream" || !strings.HasSuffix(stable(rest), "retry: N\n\nevent: unavailable\ndata: {}\n\n") {
			t.Errorf("%s: %d %q", path, status, rest)
		}
	}
	for _, path := range []string{build, build + "/events", "/api/v1/builds", "/api/v1/projects", log} {
		if a := s.get(path); a.status != 503 || a.problem().Type != "/problems/unavailable" || a.header.Get("Retry-After") == "" || strings.Contains(a.body, "pgx") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := s.get("/plain"); a.status != 503 || !strings.Contains(a.body, "<h1>Database unavailable</h1>") || a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the accessible view: %d %s", a.status, a.body)
	}
	if a := s.get("/badge/p.svg"); a.status != 503 || a.says() != "p: unavailable" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("ETag") != "" || a.header.Get("Retry-After") == "" {
		t.Errorf("a badge: %d %v %s", a.status, a.header, a.body)
	}
	for path, want := range map[string]int{"/shields/p.json": 503, "/cc.xml": 503, "/builds.atom": 503, "/": 200, "/?project=p": 200, strings.TrimPrefix(build, "/api/v1"): 200} {
		if a := s.get(path); a.status != want || a.header.Get("ETag") != "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	if a := s.write(build+"/updates", `{"updates":[`+logText("a", 1, "y")+`]}`); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("a write: %d %s", a.status, a.body)
	}
	ready := s.get("/readyz")
	for end := time.Now().Add(patience); ready.status == 200 && time.Now().Before(end); { // as it was a moment ago
		ready = s.get("/readyz")
	}
	if ready.status != 503 || !strings.Contains(ready.body, "The database does not answer.") {
		t.Errorf("readyz: %d %s", ready.status, ready.body)
	}
	if a := s.get("/healthz"); a.status != 200 {
		t.Errorf("healthz: %d", a.status)
	}
	// Who was there before is not told that nothing happens.
	end := time.Now().Add(patience)
	for quiet := false; !quiet; {
		if time.Now().After(end) {
			t.Fatal("a stream is pinged without a database")
		}
		watching.conn.SetReadDeadline(time.Now().Add(20 * s.ping))
		_, err := watching.r.ReadByte()
		silent := errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil && !silent {
			t.Fatalf("the stream that was open: %v", err)
		}
		quiet = silent && s.tails.Blind()
	}
}

// TestRewound gives the database a new history: readers are told, whether they
// are there or come back.
func TestRewound(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s := startOn(t, url)
	build := s.create(`{"project":"p"}`)
	last := s.update(build, logText("a", 0, "x"))
	open, _, _ := s.dial(build + "/events")
	open.until("live")
	if err := postgres.NewEpoch(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	frames := open.until("reset")
	if f := frames[len(frames)-1]; field(f, "data") != `{"reason":"rewound"}` || field(f, "id")[:6] == last[:6] {
		t.Errorf("%q", f)
	}
	if frames := open.until("live"); len(frames) != 5 {
		t.Errorf("after the reset: %q", frames)
	}
	r, _, _ := s.dial(build+"/events", "Last-Event-ID: "+last)
	if f := r.until("live"); field(f[1], "data") != `{"reason":"rewound"}` || len(f) != 7 {
		t.Errorf("%q", f)
	}
	if a := s.get(build + "/events?after=" + last); !strings.Contains(a.body, `"reset":"rewound"`) {
		t.Errorf("%s", a.body)
	}

	// One that is older than the build, as whose runner is not back yet: who has
	// seen something of it waits, and others are told that there is none.
	id := strings.TrimPrefix(build, "/api/v1/builds/")
	last = s.last(build)
	conn := pgtest.Connect(t, url)
	sql := func(text string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	sql(`DELETE FROM builds; UPDATE epochs SET place = 'elsewhere'`)
	if text := open.rest(); !strings.HasPrefix(text, "retry: ") || strings.Contains(text, "event: ") {
		t.Errorf("who was there is told %q", text)
	}
	streams := "/api/v1/streams?log=feed&log=" + id
	for _, path := range []string{build + "/events", build + "/events?after=" + last, streams, streams + ";after=" + last} {
		headers := []string{"Last-Event-ID: " + last}
		if strings.HasPrefix(path, streams) {
			headers[0] = "Last-Event-ID: ." + last
		}
		if strings.Contains(path, "after") {
			headers = nil
		}
		if r, status, _ := s.dial(path, headers...); status != 200 || !strings.Contains(r.rest(), "event: unavailable\n") {
			t.Errorf("%s: %d", path, status)
		}
	}
	// And who was cut off between the resets of a stream of several logs.
	if r, status, _ := s.dial(streams, "Last-Event-ID: .?"); status != 200 || !strings.Contains(r.rest(), "event: unavailable\n") {
		t.Errorf("with a cursor that the reset was to bring: %d", status)
	}
	if a := s.get(build + "/events?after=" + last); a.status != 503 || !strings.Contains(a.body, "/problems/rewound") || a.header.Get("Retry-After") == "" {
		t.Errorf("a page: %d %s", a.status, a.body)
	}
	if _, status, _ := s.dial(build + "/events"); status != 404 {
		t.Errorf("to who has seen nothing of it: %d", status)
	}
	s.create(`{"project":"p","id":"` + id + `"}`)
	r, _, _ = s.dial(build+"/events", "Last-Event-ID: "+last)
	if f := r.until("live"); field(f[1], "data") != `{"reason":"rewound"}` {
		t.Errorf("created again: %q", f)
	}
	// Another dump, from before the history that the reader has seen began.
	sql(`DELETE FROM builds; DELETE FROM epochs WHERE seq > (SELECT min(seq) FROM epochs); UPDATE epochs SET place = 'elsewhere'`)
	if a := s.get(build + "/events?after=" + last); a.status != 503 {
		t.Errorf("after another restore: %d %s", a.status, a.body)
	}
	sql(`UPDATE epochs SET made_at = made_at - interval '1 minute'`)
	if a := s.get(build + "/events?after=" + last); a.status != 404 {
		t.Errorf("a minute later: %d %s", a.status, a.body)
	}
}

func TestStream_Pings(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.ping = 20 * time.Millisecond
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	r, _, _ := s.dial(build + "/events?logs=none")
	r.until("live")
	// What is filtered out moves the cursor, and the ping says so.
	s.update(build, `{"step":{"key":"a","status":"running"}}`)
	r.until("step")
	last := s.update(build, logText("a", 0, "x"))
	for end := time.Now().Add(patience); ; {
		if f := r.frame(); field(f, "event") == "ping" && field(f, "id") == last {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no ping carries %s", last)
		}
	}
	// The reader that resumes there gets nothing twice.
	resumed, _, _ := s.dial(build+"/events?logs=none", "Last-Event-ID: "+last)
	if f := resumed.until("live"); len(f) != 2 || field(f[1], "id") != last {
		t.Errorf("%q", f)
	}
}

func TestStream_Head(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	if a := s.do("HEAD", build+"/events", "", "Accept: text/event-stream"); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %v", a.status, a.header)
	}
}

// TestTwoProcesses writes on one server what is read on the other.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	one, two := startOn(t, url), startOn(t, url)
	build := one.create(`{"project":"p"}`)
	r, _, _ := two.dial(build + "/events")
	r.until("live")
	for i := range 20 {
		s := []*testServer{one, two}[i%2]
		s.update(build, logText("a", i*2, fmt.Sprintf("%c\n", 'a'+i)))
		f := r.until("log")
		if want := fmt.Sprintf(`"text":"%c\n"`, 'a'+i); !strings.Contains(f[len(f)-1], want) {
			t.Fatalf("%q, want %s", f, want)
		}
	}
	one.update(build, `{"build":{"status":"passed"}}`)
	r.until("end")
}

// TestUpload_DatabaseRestarts kills PostgreSQL under an open upload, which
// waits for it.
func TestUpload_DatabaseRestarts(t *testing.T) {
	t.Parallel()
	pg := pgtest.Start(t)
	if err := postgres.Migrate(t.Context(), pg.URL(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	s := startOn(t, pg.URL())
	build := s.create(`{"project":"p"}`)
	log := build + "/steps/a/log"
	u := s.upload(log, "Upload-Offset: 0")
	u.send("before ")
	s.eventually(log, "before ")
	process, err := os.FindProcess(pg.PID())
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	u.send("during ")
	u.send("after")
	if status, offset := u.finish(); status != 204 || offset != "19" {
		t.Errorf("%d, offset %s", status, offset)
	}
	s.eventually(log, "before during after")
}
