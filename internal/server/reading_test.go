package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
)

func TestBuilds_List(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 7 {
		s.create(fmt.Sprintf(`{"project":"acme/%s","branch":"%s","author":"ann","steps":[{"key":"a"}]}`, []string{"api", "web"}[i%2], []string{"main", "next"}[i/4]))
	}
	type page struct {
		Builds []struct {
			Project, Branch string
			Number          int
			Steps           []struct{ Key, Status string }
		}
		Next string
	}
	list := func(query string) (p page) {
		t.Helper()
		a := s.get("/api/v1/builds" + query)
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 200 {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		if (p.Next != "") != strings.Contains(a.header.Get("Link"), `rel="next"`) {
			t.Errorf("%s: Link is %q", query, a.header.Get("Link"))
		}
		return p
	}
	for query, want := range map[string]int{"": 7, "?project=acme/api": 4, "?project=acme/*&branch=next": 3, "?status=queued&status=lost": 7, "?status=passed": 0, "?author=ann&limit=2": 2, "?project=acme/web&number=2": 1} {
		if p := list(query); len(p.Builds) != want {
			t.Errorf("%s: %d builds, want %d", query, len(p.Builds), want)
		}
	}
	n := 0
	for p := list("?limit=3"); ; p = list("?limit=3&before=" + p.Next) {
		n += len(p.Builds)
		if p.Next == "" {
			break
		}
	}
	if n != 7 {
		t.Errorf("%d builds in pages", n)
	}
	if a := s.get("/api/v1/builds?before=nonsense"); a.status != 400 {
		t.Errorf("before=nonsense: %d %s", a.status, a.body)
	}
	a := s.get("/api/v1/builds/latest?project=acme/api&branch=main")
	if a.status != 302 || !strings.HasPrefix(a.header.Get("Location"), "/api/v1/builds/") {
		t.Errorf("latest: %d %v", a.status, a.header)
	}
	if a := s.get("/api/v1/builds/latest?project=acme/none"); a.status != 404 {
		t.Errorf("latest of none: %d %s", a.status, a.body)
	}
	if a := s.get("/api/v1/projects"); a.status != 200 || !strings.Contains(a.body, `"name":"acme/web"`) {
		t.Errorf("projects: %d %s", a.status, a.body)
	}
}

// TestBuilds_Expected checks what builds are said to take: the median of the
// last ten before them that passed.
func TestBuilds_Expected(t *testing.T) {
	t.Parallel()
	s := start(t)
	begin := func(branch string) string {
		return s.create(fmt.Sprintf(`{"project":"p","branch":%s,"status":"running"}`, branch))
	}
	end := func(build, status string, seconds int) {
		at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		s.update(build, fmt.Sprintf(`{"build":{"status":%q,"started_at":%q,"finished_at":%q}}`, status, at.Format(time.RFC3339), at.Add(time.Duration(seconds)*time.Second).Format(time.RFC3339)))
	}
	type expects struct {
		ID       string
		Expected *float64 `json:"expected_s"`
		ETA      *float64 `json:"eta_s"`
	}
	shown := func(seconds *float64) string {
		if seconds == nil {
			return "null"
		}
		return fmt.Sprint(*seconds)
	}
	want := func(build, want string) {
		t.Helper()
		var one expects
		json.Unmarshal([]byte(s.get(build).body), &one)
		var list struct{ Builds []expects }
		json.Unmarshal([]byte(s.get("/api/v1/builds?limit=1").body), &list)
		var projects struct{ Projects []struct{ Latest expects } }
		json.Unmarshal([]byte(s.get("/api/v1/projects").body), &projects)
		var feed struct {
			Events []struct{ Data struct{ Builds []expects } }
		}
		json.Unmarshal([]byte(s.get("/api/v1/events").body), &feed)
		listed := list.Builds[0]
		if got := []string{shown(one.Expected), shown(listed.Expected), shown(projects.Projects[0].Latest.Expected), shown(feed.Events[0].Data.Builds[0].Expected)}; !slices.Equal(got, []string{want, want, want, want}) || listed.ID != one.ID || (listed.ETA == nil) != (want == "null") {
			t.Errorf("%s is expected to take %v s, want %s", build, got, want)
		}
	}
	first := begin(`"main"`)
	second := begin(`"main"`)
	want(second, "null")
	etag := s.get(second).header.Get("ETag")
	if a := s.get(second, "If-None-Match: "+etag); a.status != 304 {
		t.Errorf("unchanged: %d", a.status)
	}
	end(first, "passed", 10)
	if a := s.get(second, "If-None-Match: "+etag); a.status != 200 || !strings.Contains(a.body, `"expected_s":10}`) {
		t.Errorf("after an earlier one passed: %d %s", a.status, a.body)
	}
	want(second, "10")
	end(second, "passed", 20)
	end(begin(`"main"`), "passed", 90)
	end(begin(`"main"`), "failed", 1000)
	end(begin(`"other"`), "passed", 2)
	want(begin(`"main"`), "20")
	want(begin(`"other"`), "2")
	want(begin(`"new"`), "15") // of the project
	want(begin(`null`), "15")
	for range 10 {
		end(begin(`"main"`), "passed", 500)
	}
	want(begin(`"main"`), "500")
	for range 100 {
		end(begin(`"main"`), "canceled", 1)
	}
	want(begin(`"main"`), "null") // not for ever
}

func TestOperations(t *testing.T) {
	t.Parallel()
	s := start(t)
	if a := s.get("/healthz"); a.status != 200 {
		t.Errorf("healthz: %d", a.status)
	}
	// LISTEN may take a moment.
	var a answer
	for end := time.Now().Add(patience); a.status != 200 && time.Now().Before(end); {
		a = s.get("/readyz")
	}
	if a.status != 200 || !strings.Contains(a.body, `"ready":true`) || !strings.Contains(a.body, `"fsync":"on"`) {
		t.Errorf("readyz: %d %s", a.status, a.body)
	}
}

// Pages of any origin load the script, and need not load it again.
func TestWidgets_Headers(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	srv := &testServer{t: t, Server: s, url: serveHandler(t, s)}
	tags := map[string]bool{}
	for _, coding := range []string{"identity", "gzip"} {
		asked := []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script", "Accept-Encoding: " + coding}
		a := srv.get("/widgets.js", asked...)
		tag := a.header.Get("Etag")
		if a.status != 200 || tag == "" || tags[tag] || (a.header.Get("Content-Encoding") == "gzip") != (coding == "gzip") {
			t.Errorf("%s: %d %v", coding, a.status, a.header)
		}
		tags[tag] = true
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-cache",
			"Content-Type": "text/javascript; charset=utf-8", "X-Content-Type-Options": "nosniff",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", coding, name, got)
			}
		}
		if a := srv.get("/widgets.js", append(asked, "If-None-Match: "+tag)...); a.status != 304 || a.body != "" {
			t.Errorf("%s, known: %d", coding, a.status)
		}
	}
}

// Whoever opens a link from a phone waits for as much as the page weighs.
func TestAnswers_Compressed(t *testing.T) {
	t.Parallel()
	srv := start(t)
	build := srv.create(`{"project":"p"}`)
	srv.update(build, logText("s", 0, strings.Repeat("all is well\n", 1000)))
	paths := []string{build + "/steps/s/lines"}
	for _, quoted := range strings.Split(srv.get("/").body, `"`) {
		if strings.HasPrefix(quoted, "/assets/") {
			paths = append(paths, quoted)
		}
	}
	for _, path := range paths {
		plain, small := srv.get(path, "Accept-Encoding: identity"), srv.get(path, "Accept-Encoding: gzip")
		z, err := gzip.NewReader(strings.NewReader(small.body))
		if err != nil {
			t.Errorf("%s: %v %v", path, small.header, err)
			continue
		}
		if body, err := io.ReadAll(z); err != nil || string(body) != plain.body || len(small.body) >= len(body) {
			t.Errorf("%s: %d bytes are %d, compressed: %v", path, len(plain.body), len(small.body), err)
		}
		if plain.header.Get("Content-Encoding") != "" || small.header.Get("Content-Encoding") != "gzip" || !strings.Contains(strings.Join(plain.header["Vary"], ", "), "Accept-Encoding") {
			t.Errorf("%s: %v, compressed: %v", path, plain.header, small.header)
		}
		tag := small.header.Get("ETag")
		if a := srv.get(path, "Accept-Encoding: gzip", "If-None-Match: "+tag); tag == plain.header.Get("ETag") || a.status != 304 || a.body != "" {
			t.Errorf("%s, known as %s: %d", path, tag, a.status)
		}
	}
}

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"gzip": true, "gzip, deflate, br": true, "br;q=1.0, GZIP;q=0.8": true, "gzip;q=0.001": true,
		"": false, "identity": false, "gzip;q=0": false, "gzip; q=0.000, br": false, "x-gzip2": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := takesGzip(echo.New().NewContext(r, httptest.NewRecorder())); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// What was sent and a secret may stand side by side in the answer to a write:
// compressed, its length would tell of the secret.
func TestAnswers_ToWritesAreNotCompressed(t *testing.T) {
	t.Parallel()
	srv := start(t)
	build := srv.create(`{"project":"p"}`)
	var updates []string
	for i := range 100 {
		updates = append(updates, logText(fmt.Sprintf("a-step-of-some-length-%d", i), 0, "one\n"))
	}
	a := srv.do("POST", build+"/updates", `{"updates":[`+strings.Join(updates, ",")+`]}`, "Authorization: Bearer "+srv.token, "Content-Type: application/json", "Accept-Encoding: gzip")
	if a.status != 200 || len(a.body) < worthwhile || a.header.Get("Content-Encoding") != "" {
		t.Errorf("%d, %d bytes, %v", a.status, len(a.body), a.header)
	}
}

func TestPages_Headers(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for _, path := range []string{"/", "/builds/0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10"} {
		a := srv.get(path)
		policy := a.header.Get("Content-Security-Policy")
		if a.status != 200 || !strings.Contains(policy, "require-trusted-types-for 'script'") || !strings.Contains(policy, "worker-src 'self';") || a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
		for _, quoted := range strings.Split(a.body, `"`) {
			if strings.HasPrefix(quoted, "/assets/") {
				if a := srv.get(quoted); a.status != 200 || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s: %d %v", quoted, a.status, a.header)
				} else if strings.HasSuffix(quoted, ".js") && !strings.Contains(a.header.Get("Content-Security-Policy"), "connect-src 'self'") {
					t.Errorf("%s: a worker made of it would have no policy", quoted)
				}
			}
		}
	}
	for _, path := range []string{"/assets/none.js", "/assets/", "/assets/../index.html", "/assets/%2e%2e/index.html"} {
		if a := srv.get(path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	for path, page := range map[string]bool{"/nowhere": true, "/nowhere/at/all": true, "/assets/none.js": false, "/api/v1/nothing": false} {
		a := srv.get(path, "Accept: text/html,*/*;q=0.8")
		if a.status != 404 || strings.Contains(a.body, "<stepcast-app>") != page {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// TestLists_AreBounded reads lists of builds that are as large as builds may be:
// a page ends early and leads on, what has no pages leaves steps out and says so.
func TestLists_AreBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	var want []string
	for i := range 7 {
		project := fmt.Sprintf("p%d", 6-i)
		s.createLong(project, ci.MaxSteps)
		want = append(want, project)
	}
	slices.Reverse(want)
	type list struct {
		Builds, Projects []struct {
			Project, Name string
			Steps         []struct{}
			Latest        struct{ Steps []struct{} }
		}
		Next      string
		Truncated bool
	}
	read := func(text string) (l list) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %.200s", err, text)
		}
		return l
	}
	var got []string
	pages := 0
	for before := ""; ; pages++ {
		page := read(s.get("/api/v1/builds?limit=200" + before).body)
		for _, b := range page.Builds {
			if got = append(got, b.Project); len(b.Steps) != ci.MaxSteps {
				t.Errorf("%s has %d steps", b.Project, len(b.Steps))
			}
		}
		if page.Next == "" {
			break
		}
		before = "&before=" + page.Next
	}
	if !slices.Equal(got, want) || pages != 1 {
		t.Errorf("builds of %v, want %v, %d pages lead on", got, want, pages)
	}
	whole := s.get("/api/v1/projects", "Accept-Encoding: identity")
	projects := read(whole.body)
	small := s.get("/api/v1/projects", "Accept-Encoding: gzip")
	z, err := gzip.NewReader(strings.NewReader(small.body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || string(body) != whole.body {
		t.Errorf("compressed there are %d bytes of %d, %v", len(body), len(whole.body), err)
	}
	if head := s.do("HEAD", "/api/v1/projects", ""); head.status != 200 || head.body != "" || whole.header.Get("Content-Length") != "" {
		t.Errorf("HEAD: %d, %d bytes; in parts: %v", head.status, len(head.body), whole.header)
	}
	stream, _, _ := s.dial("/api/v1/events")
	frames := stream.until("snapshot")
	_, data, _ := strings.Cut(frames[len(frames)-1], "data: ")
	snapshot := read(data)
	if !projects.Truncated || !snapshot.Truncated || len(projects.Projects) != 7 || len(snapshot.Builds) != 7 {
		t.Fatalf("%d projects, truncated %v; %d builds in a snapshot, truncated %v", len(projects.Projects), projects.Truncated, len(snapshot.Builds), snapshot.Truncated)
	}
	if n := len(snapshot.Builds[6].Steps); n != 0 || len(snapshot.Builds[0].Steps) != ci.MaxSteps {
		t.Errorf("a snapshot has %d steps of the first build, %d of the last", len(snapshot.Builds[0].Steps), n)
	}
	if n := len(projects.Projects[6].Latest.Steps); n != 0 || len(projects.Projects[0].Latest.Steps) != ci.MaxSteps {
		t.Errorf("%d steps of the first project's build, %d of the last's", len(projects.Projects[0].Latest.Steps), n)
	}
}
