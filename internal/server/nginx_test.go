//go:build linux

package server

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/sse"
)

// A front is one way into an nginx that stands before a server.
type front struct {
	name   string
	http2  bool
	url    string
	client *http.Client
}

// What an nginx does with requests; see also documentedPass.
const (
	plainPass = "location / { proxy_pass http://127.0.0.1:8080; }"
	// Control: nginx as it would treat any answer, but for the header that
	// every stream carries.
	deafPass = "location / { proxy_pass http://127.0.0.1:8080; proxy_ignore_headers X-Accel-Buffering; }"
)

// documentedPass is the snippet of docs/proxies.md itself, so that what the
// manual tells its readers is what was tried.
func documentedPass(t *testing.T) string {
	t.Helper()
	manual, err := os.ReadFile("../../docs/proxies.md")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)```nginx\n(.*?)```").FindAllStringSubmatch(string(manual), -1)
	if len(snippets) != 1 || !strings.Contains(snippets[0][1], "proxy_pass http://127.0.0.1:8080;") {
		t.Fatalf("docs/proxies.md has %d nginx snippets; this test knows one, with proxy_pass http://127.0.0.1:8080", len(snippets))
	}
	return snippets[0][1]
}

// nginx starts one before a server, with each front's location, and ends it
// with the test.
func (s *testServer) nginx(locations map[*front]string) {
	t := s.t
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // not on an ordinary user's PATH
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("nginx is not installed")
	}
	dir := t.TempDir()
	certificate := newCertificate(t, dir)

	// nginx takes over sockets that NGINX names, as it does when it is
	// upgraded: so no other process can take a port in between, and who
	// connects early waits.
	var files []*os.File
	var servers, inherited strings.Builder
	for f, location := range locations {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		file, err := ln.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		defer file.Close()
		fmt.Fprintf(&inherited, "%d;", 3+len(files))
		files = append(files, file)

		transport := &http.Transport{}
		f.client = &http.Client{Transport: transport}
		f.url = "http://" + ln.Addr().String()
		var tls string
		if f.http2 {
			f.url = "https://" + ln.Addr().String()
			transport.ForceAttemptHTTP2 = true
			transport.TLSClientConfig = certificate.Client().Transport.(*http.Transport).TLSClientConfig
			tls = " ssl http2"
		}
		t.Cleanup(transport.CloseIdleConnections)
		fmt.Fprintf(&servers, "server {\nlisten %s%s;\n%s\n}\n", ln.Addr(), tls, strings.ReplaceAll(location, "http://127.0.0.1:8080", s.url))
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // else the worker may not enter the folder
	}
	config := filepath.Join(dir, "nginx.conf")
	err = os.WriteFile(config, fmt.Appendf(nil, `
daemon off;
%[2]s
pid %[1]s/pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	ssl_certificate %[1]s/cert.pem;
	ssl_certificate_key %[1]s/key.pem;
	%[3]s
}`, dir, user, servers.String()), 0o644)
	if err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(path, "-p", dir, "-c", config)
	cmd.Env = append(os.Environ(), "NGINX="+inherited.String())
	cmd.ExtraFiles = files
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // a test that panics cleans nothing up
	started, exited := make(chan error), make(chan struct{})
	go func() {
		defer close(exited)
		runtime.LockOSThread() // Pdeathsig fires when the thread ends
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-exited
	})
}

// in is the same server, for a part of the test.
func (s *testServer) in(t *testing.T) *testServer {
	part := *s
	part.t = t
	return &part
}

// newCertificate makes cert.pem and key.pem. The result's client trusts it.
func newCertificate(t *testing.T, dir string) *httptest.Server {
	t.Helper()
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	pair := srv.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range []struct {
		name string
		pem.Block
	}{
		{"cert.pem", pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}},
		{"key.pem", pem.Block{Type: "PRIVATE KEY", Bytes: key}},
	} {
		if err := os.WriteFile(filepath.Join(dir, block.name), pem.EncodeToMemory(&block.Block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return srv
}

// A follower reads a stream of one build through a front, and holds it to
// dense ids.
type follower struct {
	t     *testing.T
	res   *http.Response
	r     *sse.Reader
	at    int // the number of the last event
	close func()
}

// follow begins after a cursor, which may be empty.
func (f *front) follow(t *testing.T, path, after string) *follower {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", f.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	res, err := f.client.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", f.name, err)
	}
	if f.http2 != (res.ProtoMajor == 2) {
		t.Errorf("%s: the answer is %s", f.name, res.Proto)
	}
	return &follower{t, res, sse.NewReader(res.Body, 0), number(after), cancel}
}

// number is the last part of an event's id.
func number(id string) int {
	n, _ := strconv.Atoi(id[strings.LastIndexByte(id, '-')+1:])
	return n
}

// next returns the next event of the log, or live or end.
func (f *follower) next() sse.Event {
	f.t.Helper()
	for {
		e, err := f.r.Next()
		if err != nil {
			f.t.Fatalf("after event %d: %v", f.at, err)
		}
		switch e.Name {
		case "ping":
			continue
		case "live", "end":
			if number(e.ID) != f.at {
				f.t.Fatalf("%s at %s, after event %d", e.Name, e.ID, f.at)
			}
		default:
			if f.at++; number(e.ID) != f.at {
				f.t.Fatalf("%s %s, want event %d", e.Name, e.ID, f.at)
			}
		}
		return e
	}
}

// until skips to an event of this name.
func (f *follower) until(name string) {
	f.t.Helper()
	for f.next().Name != name {
	}
}

// text waits for these bytes of a log, however they are cut.
func (f *follower) text(want string) {
	f.t.Helper()
	for got := ""; got != want; {
		var data struct{ Text string }
		if e := f.next(); e.Name == "log" {
			json.Unmarshal(e.Data, &data)
		}
		if got += data.Text; !strings.HasPrefix(want, got) {
			f.t.Fatalf("the log is %.100q at event %d, want %.100q", got, f.at, want)
		}
	}
}

// ended tells that the stream closes, with nothing more in it.
func (f *follower) ended() {
	f.t.Helper()
	if e, err := f.r.Next(); err != io.EOF {
		f.t.Errorf("after the end: %v, %v", e, err)
	}
}

// TestNginx_Streams follows builds through an nginx that knows nothing of
// streams, and through one set up as the manual says, over HTTP/1.1 and HTTP/2.
func TestNginx_Streams(t *testing.T) {
	t.Parallel()
	s := start(t)
	documented := documentedPass(t)
	fronts := []*front{
		{name: "plain"}, {name: "plain, HTTP2", http2: true},
		{name: "documented"}, {name: "documented, HTTP2", http2: true},
	}
	s.nginx(map[*front]string{fronts[0]: plainPass, fronts[1]: plainPass, fronts[2]: documented, fronts[3]: documented})
	for _, f := range fronts {
		t.Run(f.name, func(t *testing.T) {
			s := s.in(t)
			build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
			r := f.follow(t, build+"/events", "")
			r.until("live")
			offset := 0
			say := func(text string) {
				s.update(build, logText("a", offset, text))
				offset += len(text)
			}
			// Each is seen before the next is sent: nothing is held back.
			for i := range 30 {
				text := fmt.Sprintf("line %d 😀\n", i)
				say(text)
				r.text(text)
			}
			seen := r.r.LastID()
			r.close()
			s.awaitStreams(0)

			say("while nobody looked\n")
			r = f.follow(t, build+"/events", seen)
			r.text("while nobody looked\n")
			say("again live\n")
			r.text("again live\n")
			s.update(build, `{"step":{"key":"a","status":"passed"}},{"build":{"status":"passed"}}`)
			r.until("end")
			r.ended()
			if last := s.last(build); r.r.LastID() != last {
				t.Errorf("ended at %s, want %s", r.r.LastID(), last)
			}
			if r := f.follow(t, build+"/events", r.r.LastID()); r.res.StatusCode != http.StatusNoContent {
				t.Errorf("resumed after the end: %s", r.res.Status)
			}
			// Whoever comes late gets the same.
			r = f.follow(t, build+"/events", "")
			r.until("end")
			r.ended()
		})
	}
}

// TestNginx_Header looks whether it is X-Accel-Buffering that keeps streams
// live: where nginx ignores it, nothing comes through until the end.
func TestNginx_Header(t *testing.T) {
	t.Parallel()
	s := start(t)
	plain, deaf := &front{name: "plain"}, &front{name: "deaf"}
	s.nginx(map[*front]string{plain: plainPass, deaf: deafPass})
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	live := plain.follow(t, build+"/events", "")
	live.until("live")

	var late atomic.Int32 // events that came through
	done := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", deaf.url+build+"/events", nil)
		req.Header.Set("Accept", "text/event-stream")
		res, err := deaf.client.Do(req)
		if err != nil {
			done <- err
			return
		}
		defer res.Body.Close()
		for r := sse.NewReader(res.Body, 0); ; late.Add(1) {
			if _, err := r.Next(); err != nil {
				done <- err
				return
			}
		}
	}()
	s.awaitStreams(2)
	offset := 0
	for i := range 8 { // fewer than fill one of nginx' buffers
		text := fmt.Sprintf("line %d\n", i)
		s.update(build, logText("a", offset, text))
		offset += len(text)
		live.text(text)
	}
	if n := late.Load(); n > 0 {
		t.Errorf("%d events came through all the same", n)
	}
	s.update(build, `{"build":{"status":"passed"}}`)
	live.until("end")
	if err := <-done; err != io.EOF || int(late.Load()) < live.at {
		t.Errorf("%d events of %d, %v", late.Load(), live.at, err)
	}
}

// TestNginx_OneConnection has one browser's worth of readers, more than
// HTTP/1.1 would allow it, on one connection.
func TestNginx_OneConnection(t *testing.T) {
	t.Parallel()
	s := start(t)
	f := &front{name: "HTTP2", http2: true}
	s.nginx(map[*front]string{f: plainPass})
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	var readers []*follower
	for range 20 {
		r := f.follow(t, build+"/events", "")
		r.until("live")
		readers = append(readers, r)
	}
	offset := 0
	for i := range 10 {
		text := fmt.Sprintf("line %d\n", i)
		s.update(build, logText("a", offset, text))
		offset += len(text)
		for _, r := range readers {
			r.text(text)
		}
	}
	// One that leaves leaves the others.
	readers[0].close()
	s.awaitStreams(19)
	s.update(build, `{"build":{"status":"passed"}}`)
	for _, r := range readers[1:] {
		r.until("end")
		r.ended()
	}
}

// TestNginx_Uploads sends logs through nginx as the manual says, and reads
// them while they are sent.
func TestNginx_Uploads(t *testing.T) {
	t.Parallel()
	s := start(t)
	documented := documentedPass(t)
	fronts := []*front{{name: "documented"}, {name: "documented, HTTP2", http2: true}}
	plain := &front{name: "plain"}
	s.nginx(map[*front]string{fronts[0]: documented, fronts[1]: documented, plain: plainPass})

	patch := func(f *front, log string, offset int, body io.Reader) (answer, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "PATCH", f.url+log, body)
		if err != nil {
			return answer{}, err
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		req.Header.Set("Upload-Offset", strconv.Itoa(offset))
		res, err := f.client.Do(req)
		if err != nil {
			return answer{}, err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return answer{res.StatusCode, res.Header, string(text)}, err
	}
	for _, f := range fronts {
		t.Run(f.name, func(t *testing.T) {
			s := s.in(t)
			build := s.create(`{"project":"p"}`)
			log := build + "/steps/make/log"
			r := f.follow(t, build+"/events", "")
			r.until("live")
			body, send := io.Pipe()
			type result struct {
				answer
				err error
			}
			done := make(chan result, 1)
			go func() {
				a, err := patch(f, log, 0, body)
				body.CloseWithError(io.ErrClosedPipe)
				done <- result{a, err}
			}()
			var sent strings.Builder
			for i := range 20 {
				text := fmt.Sprintf("line %d 😀\n", i)
				fmt.Fprint(send, text)
				sent.WriteString(text)
				r.text(text) // while the upload goes on
			}
			// More than nginx takes by default, and as fast as it goes.
			much := strings.Repeat(strings.Repeat("0123456789abcde", 8)+"\n", 20_000) // 2.4 MB
			go func() {
				io.WriteString(send, much)
				send.Close()
			}()
			sent.WriteString(much)
			r.text(much)
			a := <-done
			if a.err != nil || a.status != http.StatusNoContent || a.header.Get("Upload-Offset") != strconv.Itoa(sent.Len()) {
				t.Errorf("the upload: %v, %d %v %s", a.err, a.status, a.header, a.body)
			}
			if got := s.get(log).body; got != sent.String() {
				t.Errorf("the log has %d bytes, want %d", len(got), sent.Len())
			}
			// A repeat is nothing new, and a gap is refused with the way on.
			if a, err := patch(f, log, 0, strings.NewReader(sent.String())); err != nil || a.status != http.StatusNoContent || a.header.Get("Upload-Offset") != strconv.Itoa(sent.Len()) {
				t.Errorf("a repeat: %v, %d %s", err, a.status, a.body)
			}
			if a, err := patch(f, log, sent.Len()+1, strings.NewReader("x")); err != nil || a.status != http.StatusConflict || a.header.Get("Upload-Offset") != strconv.Itoa(sent.Len()) {
				t.Errorf("a gap: %v, %d %s", err, a.status, a.body)
			}
			s.update(build, `{"step":{"key":"make","status":"passed"}},{"build":{"status":"passed"}}`)
			r.until("end")
			r.ended()
		})
	}
	// Without the settings it is too large, as the manual says.
	build := s.create(`{"project":"p"}`)
	if a, err := patch(plain, build+"/steps/make/log", 0, strings.NewReader(strings.Repeat("x", 1<<20+1))); err != nil || a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("plain, above 1 MiB: %v, %d", err, a.status)
	}
}

// TestNginx_WhoAsks tells clients apart behind nginx, with the settings that the
// manual shows, whatever they say of themselves, and gives the address by which
// they came.
func TestNginx_WhoAsks(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), func(cfg *Config) { cfg.Open, cfg.Proxies = true, trusted("127.0.0.1/32") })
	f := &front{name: "documented", http2: true}
	s.nginx(map[*front]string{f: documentedPass(t)})
	s.create(`{"project":"acme/api","status":"passed"}`)
	f.client.Transport.(*http.Transport).DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext
	ask := func(method, path, body string) answer {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
		req.Header = http.Header{
			"Authorization": {"Bearer " + s.token}, "Content-Type": {"application/json"},
			"X-Forwarded-For": {"203.0.113.5, 127.0.0.1"}, "Forwarded": {"for=203.0.113.5;host=evil.example"},
			"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"http"},
		}
		res, err := f.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return answer{res.StatusCode, res.Header, string(text)}
	}
	if a := ask("POST", "/api/v1/tokens", `{"name":"made through nginx","scopes":["read"],"project":"acme/*"}`); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := ask("GET", "/api/v1/audit?limit=1", ""); !strings.Contains(a.body, `"address":"127.0.0.2"`) {
		t.Errorf("the audit says %s", a.body)
	}
	if a := ask("GET", "/builds.atom", ""); !strings.Contains(a.body, f.url+"/builds/") || strings.Contains(a.body, "evil") || a.header.Get("Strict-Transport-Security") != strictTransport {
		t.Errorf("%v %s", a.header, a.body)
	}
}
