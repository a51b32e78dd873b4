package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/sse"
)

// startNginx puts Debian's nginx in front: plainly at the first address, over
// HTTP/2 at the second, and set up for uploads below /api/v1/builds.
func startNginx(t *testing.T, upstream string) (plain, h2 string) {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	dir := t.TempDir()
	writeCertificate(t, dir)
	plain, h2 = freeAddress(t), freeAddress(t)
	config := fmt.Sprintf(`
daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server {
		listen %[2]s;
		location / { proxy_pass %[4]s; }
		location ~ ^/api/v1/builds/.*/log$ { proxy_pass %[4]s; proxy_http_version 1.1; proxy_request_buffering off; client_max_body_size 0; }
	}
	server {
		listen %[3]s ssl http2;
		ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;
		location / { proxy_pass %[4]s; }
	}
}`, dir, plain, h2, upstream)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), nginx, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-exited })
	for end := time.Now().Add(patience); ; {
		if conn, err := net.Dial("tcp", h2); err == nil {
			conn.Close()
			return "http://" + plain, "https://" + h2
		}
		select {
		case <-exited:
			t.Fatalf("nginx: %s", said.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatal("nginx does not answer")
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNginx follows a build through it while it runs, and uploads a log.
func TestNginx(t *testing.T) {
	t.Parallel()
	s := start(t)
	plain, h2 := startNginx(t, s.url)
	build := s.create(`{"project":"p"}`)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := http.Client{Transport: transport, Timeout: patience}
	streams := map[string]*sse.Reader{}
	for base, major := range map[string]int{plain: 1, h2: 2} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", base+build+"/events", nil)
		req.Header.Set("Accept", "text/event-stream")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 200 || res.ProtoMajor != major {
			t.Fatalf("%s: %v", base, res)
		}
		streams[base] = sse.NewReader(res.Body, 0)
	}
	wait := func(name, data string) {
		t.Helper()
		for base, r := range streams {
			for {
				e, err := r.Next()
				if err != nil {
					t.Fatalf("%s: waiting for %s: %v", base, name, err)
				}
				if e.Name == name && strings.Contains(string(e.Data), data) {
					break
				}
			}
		}
	}
	wait("live", "")
	offset := 0
	for i := range 20 {
		text := fmt.Sprintf("line %d\n", i)
		s.update(build, logText("a", offset, text))
		offset += len(text)
		wait("log", fmt.Sprintf(`"text":"line %d\n"`, i))
	}

	body, send := io.Pipe()
	done := make(chan *http.Response)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), "PATCH", plain+build+"/steps/b/log", body)
		req.Header.Set("Authorization", "Bearer "+s.token)
		res, err := client.Do(req)
		if err != nil {
			t.Errorf("upload: %v", err)
		}
		done <- res
	}()
	for i := range 5 {
		fmt.Fprintf(send, "piece %d\n", i)
		wait("log", fmt.Sprintf(`"text":"piece %d\n"`, i))
	}
	send.Close()
	if res := <-done; res != nil {
		if res.Body.Close(); res.StatusCode != 204 || res.Header.Get("Upload-Offset") != "40" {
			t.Errorf("upload: %v", res)
		}
	}
	s.update(build, `{"build":{"status":"passed"}}`)
	wait("end", "")
	last := s.last(build)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", h2+build+"/events", nil)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", last)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusNoContent {
		t.Errorf("after the end: %d", res.StatusCode)
	}
}

// TestStream_StoppedReaders has readers that take nothing: they are let go,
// and whoever reads and writes beside them notices nothing.
func TestStream_StoppedReaders(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as the server's patience")
	}
	s := start(t)
	build := s.create(`{"project":"p"}`)
	const stopped = 50
	for range stopped {
		r, _, _ := s.dial(build + "/events")
		r.conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	}
	reader, _, _ := s.dial(build + "/events")
	reader.until("live")
	piece := strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n", 4<<10) // 256 KiB
	read := make(chan int)
	go func() {
		n := 0
		for range 16 * 4 { // each piece is four events
			for field(reader.frame(), "event") != "log" {
			}
			n++
		}
		read <- n
	}()
	for i := range 16 {
		s.update(build, logText("a", i*len(piece), piece))
	}
	if n := <-read; n != 64 {
		t.Errorf("%d events", n)
	}
	for end := time.Now().Add(patience); !strings.Contains(s.get("/readyz").body, `"streams":1`+"}"); {
		if time.Now().After(end) {
			t.Fatalf("%d streams are still open", s.open.count())
		}
	}
}
