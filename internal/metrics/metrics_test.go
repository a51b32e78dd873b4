package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/server"
)

func shown(t *testing.T, h http.Handler, path, host string) (int, string) {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

func sample() *Metrics {
	m := New()
	m.Observe("/api/v1/builds/:id", "GET", 404, 20*time.Millisecond)
	m.Observe("/api/v1/events", "GET", 200, 0)
	m.Read(Sources{
		Version: "1.2.3",
		Server: func() server.Stats {
			s := server.New(server.Config{}).Stats()
			s.Streams, s.Events, s.Bytes = 3, 40, 5000
			s.Refused["body_size"] = 7
			return s
		},
		Store: func() postgres.Stats {
			return postgres.Stats{Commits: 1, Events: 2, TextBytes: 3, OverBytes: 4, LostSteps: 5, QueueBytes: 6, QueueMost: 7, QueueFull: 8, ConnsInUse: 9, ConnsIdle: 10, ConnsMost: 11, ConnWaits: 12, ConnWaiting: 1500 * time.Millisecond, ListenAge: 250 * time.Millisecond, SweepAge: 5 * time.Second, DiskFree: 13}
		},
	})
	return m
}

func TestMetrics_AreShown(t *testing.T) {
	t.Parallel()
	status, text := shown(t, sample().Handler(false), "/metrics", "127.0.0.1:9090")
	if status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for _, line := range []string{
		`stepcast_http_requests_total{class="4xx",method="GET",route="/api/v1/builds/:id"} 1`,
		`stepcast_http_requests_total{class="2xx",method="GET",route="/api/v1/events"} 1`,
		`stepcast_http_request_seconds_bucket{method="GET",route="/api/v1/builds/:id",le="0.025"} 1`,
		`stepcast_streams_open 3`, `stepcast_stream_events_total 40`, `stepcast_stream_bytes_total 5000`,
		`stepcast_refused_total{limit="body_size"} 7`, `stepcast_refused_total{limit="write_queue"} 8`, `stepcast_refused_total{limit="streams"} 0`,
		`stepcast_commits_total 1`, `stepcast_events_total 2`, `stepcast_log_bytes_total 3`, `stepcast_log_bytes_over_quota_total 4`,
		`stepcast_lost_steps_total 5`, `stepcast_write_queue_bytes 6`, `stepcast_write_queue_limit_bytes 7`,
		`stepcast_database_connections{state="in_use"} 9`, `stepcast_database_connections{state="idle"} 10`, `stepcast_database_connections_limit 11`,
		`stepcast_database_waits_total 12`, `stepcast_database_wait_seconds_total 1.5`, `stepcast_listen_age_seconds 0.25`, `stepcast_sweep_age_seconds 5`, `stepcast_disk_free_bytes 13`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%s is not there", line)
		}
	}
	for _, bad := range []string{`http_request_seconds_count{method="GET",route="/api/v1/events"`} {
		if strings.Contains(text, bad) {
			t.Errorf("%s is there, of what lasts as long as its client likes", bad)
		}
	}
	if !regexp.MustCompile(`\nstepcast_build_info\{go="go[^"]+",version="1\.2\.3"\} 1\n`).MatchString(text) {
		t.Error("the versions are not there")
	}
}

// TestMetrics_AreDescribed holds the documentation to what there is, both ways:
// the metrics, their labels, and the limits that one of these is.
func TestMetrics_AreDescribed(t *testing.T) {
	t.Parallel()
	_, text := shown(t, sample().Handler(false), "/metrics", "localhost:9090")
	there := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(stepcast_\w+?)(?:_bucket)?(?:\{(.*)\})? \S+$`).FindAllStringSubmatch(text, -1) {
		if strings.HasSuffix(m[1], "_seconds_sum") || strings.HasSuffix(m[1], "_seconds_count") {
			continue
		}
		var labels []string
		for _, l := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				labels = append(labels, l[1])
			}
		}
		slices.Sort(labels)
		there[m[1]] = strings.Join(labels, ", ")
	}
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(stepcast_\\w+)` \\| (.*?) ?\\| .*\\|$").FindAllStringSubmatch(string(page), -1) {
		labels := strings.Split(strings.ReplaceAll(m[2], "`", ""), ", ")
		slices.Sort(labels)
		described[m[1]] = strings.Join(labels, ", ")
	}
	for name, labels := range there {
		if of, ok := described[name]; !ok || of != labels {
			t.Errorf("%s{%s} is described as %q, %v", name, labels, of, ok)
		}
	}
	for name := range described {
		if _, ok := there[name]; !ok {
			t.Errorf("%s is described but does not exist", name)
		}
	}

	manual, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\bstepcast_\w+`).FindAllString(string(manual), -1) {
		if _, ok := there[name]; !ok {
			t.Errorf("an operator is told of %s, which does not exist", name)
		}
	}

	limits, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, m := range regexp.MustCompile(`stepcast_refused_total\{limit="(\w+)"\}`).FindAllStringSubmatch(text, -1) {
		named = append(named, m[1])
		if !strings.Contains(string(limits), "`"+m[1]+"`") {
			t.Errorf("the limit %s is not described", m[1])
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\|.*\\| `(\\w+)` \\|$").FindAllStringSubmatch(string(limits), -1) {
		if !slices.Contains(named, m[1]) && !strings.HasPrefix(m[1], "stepcast_") {
			t.Errorf("the limit %s is described but does not exist", m[1])
		}
	}
}

// Nobody gets in by a name that a hostile site points here, and the command line
// is not shown.
func TestHandler_IsForThisMachine(t *testing.T) {
	t.Parallel()
	m := sample()
	for host, want := range map[string]int{"127.0.0.1:9090": 200, "[::1]:9090": 200, "localhost:9090": 200, "evil.example:9090": 421, "10.0.0.1:9090": 421, "": 421} {
		if status, _ := shown(t, m.Handler(false), "/metrics", host); status != want {
			t.Errorf("%q: %d, want %d", host, status, want)
		}
		if status, _ := shown(t, m.Handler(true), "/metrics", host); status != 200 {
			t.Errorf("%q of one that is open: %d", host, status)
		}
	}
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine": 200, "/debug/pprof/cmdline": 404, "/": 404, "/builds": 404} {
		if status, _ := shown(t, m.Handler(false), path, "localhost:9090"); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}
