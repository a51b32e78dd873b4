//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Metrics and profiles are where operators look, and nowhere at the public
// address; and nothing that comes from outside is in them.
func TestServe_MetricsAreForOperatorsAlone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin := l.Addr().String()
	l.Close()
	s := newServer(t, "STEPCAST_ADMIN_LISTEN="+admin, "STEPCAST_MAX_BUILD_LOG=100")
	const secret = "acme/kq7xw2"
	_, stderr, code := output(t, stepcast(t, s.env, "run", "--project", secret, "--", "seq", "1", "1000"))
	if want := "the end of the log of step seq was not kept: this build's log quota of 100 bytes is used up"; code != 0 || strings.Count(stderr, want) != 1 {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	for _, path := range []string{"/kq7xw2", "/api/v1/builds?project=kq7xw2", "/builds/kq7xw2"} {
		resp, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}

	status, text := s.at("http://"+admin+"/metrics", "")
	if status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for _, line := range []string{
		`stepcast_log_bytes_total 99`, // up to the end of a line
		`stepcast_log_bytes_over_quota_total 3794`,
		`stepcast_http_requests_total{class="2xx",method="POST",route="/api/v1/builds/:id/updates"} `,
		`stepcast_http_requests_total{class="4xx",method="GET",route="none"} `,
		`go_goroutines `, `process_resident_memory_bytes `,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("%s is not there", line)
		}
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"kq7xw2", "acme", strings.TrimSpace(string(token)), "127.0.0.1"} {
		if strings.Contains(text, word) {
			t.Errorf("%q is in the metrics", word)
		}
	}
	if status, _ := s.at("http://"+admin+"/debug/pprof/heap", ""); status != 200 {
		t.Errorf("a profile: %d", status)
	}
	if status, _ := s.at("http://"+admin+"/metrics", "evil.example"); status != 421 {
		t.Errorf("by another name: %d", status)
	}

	// The public address, whatever may be guessed.
	for _, path := range []string{
		"/metrics", "/api/v1/metrics", "/debug", "/debug/", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine",
		"/debug/pprof/profile", "/debug/pprof/cmdline", "/debug/pprof/trace", "/debug/vars", "/debug/requests", "/admin", "/admin/metrics", "/stats", "/status", "/varz", "/statusz", "/threadz",
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 404 && resp.StatusCode != 405 || strings.Contains(string(body), "goroutine") {
				t.Errorf("%s %s: %d", method, path, resp.StatusCode)
			}
		}
	}
}

// at asks for an address of some host's, "" being its own.
func (s *testServer) at(url, host string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServe_RefusesWrongLimits(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--admin-listen 0.0.0.0:0":       "let --admin-listen be a loopback address such as 127.0.0.1:9090, or add --admin-open",
		"--admin-listen :9090":           "or add --admin-open",
		"--admin-listen 9090":            "--admin-listen wants HOST:PORT",
		"--max-streams=-1":               "a limit is a number such as 250, or 0 for none, not -1",
		"--max-build-log much":           "--max-build-log: a size is a number of bytes such as 512MiB or 1GiB, not \"much\"; 0 keeps everything",
		"--max-project-log=-1":           "--max-project-log: a size",
		"--max-uploads-per-token=plenty": "--max-uploads-per-token",
	} {
		_, stderr, code := output(t, stepcast(t, nil, append([]string{"serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, strings.Fields(args)...)...))
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %q", args, code, stderr)
		}
	}
}

// TestLimits_AreDescribed holds the table of limits to the flags, both ways, and
// to their defaults.
func TestLimits_AreDescribed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| [^|]+ \\| ([^|]+) \\| `--([a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		described[m[2]] = strings.NewReplacer("²", "", ",", "", " ", "").Replace(m[1])
	}
	elsewhere := []string{"limit-loopback", "admin-listen", "admin-open"}
	for _, n := range newParser(&cli{}, stdio{Out: io.Discard, Err: io.Discard}).Model.Leaves(false) {
		for _, f := range n.Flags {
			if f.Group == nil || f.Group.Key != "Limits" || slices.Contains(elsewhere, f.Name) {
				continue
			}
			if got, ok := described[f.Name]; !ok || got != f.Default {
				t.Errorf("--%s: its default is %s, described is %q", f.Name, f.Default, got)
			}
			delete(described, f.Name)
		}
	}
	for name := range described {
		t.Errorf("--%s is described but does not exist", name)
	}
}
