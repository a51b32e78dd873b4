package server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/certs"
	"github.com/stepcast/stepcast/internal/certtest"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// A tlsServer is a server over HTTPS, whose certificate is good for
// "ci.example".
type tlsServer struct {
	*testServer
	ca        *certtest.Authority
	cert, key string
}

func startTLS(t *testing.T, change ...func(*Config)) *tlsServer {
	t.Helper()
	s := &tlsServer{ca: certtest.New(t), cert: filepath.Join(t.TempDir(), "cert.pem"), key: filepath.Join(t.TempDir(), "key.pem")}
	s.ca.Issue(s.cert, s.key, time.Now().Add(90*24*time.Hour), "ci.example", "127.0.0.1")
	files, err := certs.Open(s.cert, s.key, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.testServer = startOn(t, pgtest.New(t), append(change, func(cfg *Config) {
		cfg.TLS, cfg.Open = files.Config(), true
		cfg.Log = slog.New(slog.NewTextHandler(faultless{t}, nil))
	})...)
	s.url = "https://" + s.address()
	s.transport = s.client("h2").Transport
	return s
}

// faultless fails a test whose server has a fault to tell of.
type faultless struct{ t *testing.T }

func (f faultless) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("level=ERROR")) {
		f.t.Errorf("the server says %s", line)
	}
	return len(line), nil
}

func (s *testServer) address() string {
	_, address, _ := strings.Cut(s.url, "://")
	return address
}

// client speaks one version of HTTP.
func (s *tlsServer) client(proto string) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(proto == "http/1.1")
	protocols.SetHTTP2(proto == "h2")
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool, ServerName: "ci.example"}, Protocols: &protocols, DisableCompression: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// open asks for what does not end.
func (s *tlsServer) open(client *http.Client, path string) *raw {
	s.t.Helper()
	req, _ := http.NewRequestWithContext(s.t.Context(), "GET", s.url+path, nil)
	req.Header.Set("Accept", "text/event-stream")
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.TLS == nil {
		s.t.Fatalf("%s: %d", path, res.StatusCode)
	}
	return &raw{s.t, nil, bufio.NewReader(res.Body)}
}

// TestTLS_PlainHTTPIsAnswered is of who speaks plain HTTP there, and has more to say than is read
// before the answer: it reads that to its end.
func TestTLS_PlainHTTPIsAnswered(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	for _, method := range []string{"POST", "PATCH", "DELETE"} {
		conn, err := net.Dial("tcp", s.address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "%s /api/v1/builds HTTP/1.1\r\nHost: ci.example\r\nContent-Length: 100000\r\n\r\n%s", method, strings.Repeat("x", 100_000)); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(patience))
		answer, err := io.ReadAll(conn)
		if err != nil || string(answer) != plainAnswer {
			t.Errorf("%s: %q, %v", method, answer, err)
		}
	}
}

// TestTLS_Streams follows a build over HTTPS, on a connection of the stream's own
// and as one of many on one connection: what comes after a silence longer than
// any write may take arrives, and the end is an end.
func TestTLS_Streams(t *testing.T) {
	t.Parallel()
	for _, proto := range []string{"http/1.1", "h2"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			s := startTLS(t)
			s.ping = writeWait + 500*time.Millisecond
			client := s.client(proto)
			build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
			id := strings.TrimPrefix(build, "/api/v1/builds/")
			s.update(build, logText("a", 0, "one\n"))

			events, feed := s.open(client, build+"/events"), s.open(client, "/api/v1/events")
			several, follow := s.open(client, "/api/v1/streams?log="+id+"&log=feed"), s.open(client, build+"/steps/a/log?follow=true")
			if line, err := follow.r.ReadString('\n'); line != "one\n" {
				t.Fatal(line, err)
			}
			for _, r := range []*raw{events, several} {
				r.until("log")
			}
			for _, r := range []*raw{events, feed, several} {
				r.until("ping")
			}
			if n := s.openStreams(); n != 4 {
				t.Errorf("%d streams are open", n)
			}
			text := strings.Repeat("two\n", 100_000/4) // more than one piece
			s.update(build, logText("a", 4, text)+fmt.Sprintf(`,{"step":{"key":"a","status":"passed","log_bytes":%d}},{"build":{"status":"passed"}}`, 4+len(text)))
			events.until("end")
			if frames := several.until("end"); !strings.Contains(strings.Join(frames, ""), `"status":"passed"`) {
				t.Errorf("%q", frames)
			}
			if rest := follow.rest(); rest != text {
				t.Errorf("the followed log has %d bytes after the first line, want %d", len(rest), len(text))
			}
			feed.until("build")
		})
	}
}

// TestTLS_Resume breaks a stream off after each of its events.
func TestTLS_Resume(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	for i := range 20 {
		s.update(build, logText("a", 2*i, "x\n"))
	}
	for _, proto := range []string{"http/1.1", "h2"} {
		client, after, seen := s.client(proto), "", 0
		for after != s.last(build) {
			r := s.open(client, build+"/events?after="+after)
			for field(r.frame(), "id") == after {
			}
			frame := r.frame()
			for field(frame, "event") == "" || field(frame, "event") == "live" {
				frame = r.frame()
			}
			after, seen = field(frame, "id"), seen+1
			if seen > 100 {
				t.Fatalf("%s: it does not end: %s", proto, frame)
			}
		}
	}
}

// TestTLS_Upload sends a log while it is read elsewhere.
func TestTLS_Upload(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	for _, proto := range []string{"http/1.1", "h2"} {
		client := s.client(proto)
		build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
		body, w := io.Pipe()
		req, _ := http.NewRequestWithContext(t.Context(), "PATCH", s.url+build+"/steps/a/log", body)
		req.Header.Set("Authorization", "Bearer "+s.token)
		req.Header.Set("Upload-Offset", "0")
		done := make(chan *http.Response, 1)
		go func() {
			res, err := client.Do(req)
			if err != nil {
				t.Error(err)
			}
			done <- res
		}()
		io.WriteString(w, "first\n")
		r := s.open(client, build+"/steps/a/log?follow=true") // 404 before the step began, but it is there
		if line, err := r.r.ReadString('\n'); line != "first\n" {
			t.Fatalf("%s: %q, %v", proto, line, err)
		}
		big := bytes.Repeat([]byte("0123456789abcdef\n"), 200_000) // beyond any window
		w.Write(big)
		w.Close()
		res := <-done
		if res == nil || res.StatusCode != http.StatusNoContent || res.Header.Get("Upload-Offset") != fmt.Sprint(6+len(big)) {
			t.Fatalf("%s: %+v", proto, res)
		}
		if got := s.get(build + "/steps/a/log"); got.body != "first\n"+string(big) {
			t.Errorf("%s: the log has %d bytes", proto, len(got.body))
		}
	}
}

// TestTLS_SlowReader lets go of a reader that takes nothing, which on HTTP/2 must
// not hold up the others on its connection.
func TestTLS_SlowReader(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	client := s.client("h2")
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	stalled, other := s.open(client, build+"/events"), s.open(client, build+"/events?logs=none")
	text, offset := strings.Repeat("0123456789abcde\n", 60_000/16), 0
	for range 100 { // more than the reader's window, which is 4 MiB
		s.update(build, logText("a", offset, text))
		offset += len(text)
	}
	s.awaitStreams(1)
	s.update(build, `{"build":{"status":"failed"}}`)
	other.until("end")
	if _, err := io.Copy(io.Discard, stalled.r); err == nil {
		t.Error("the stalled stream ended as if it were whole")
	}
}

// TestTLS_LargeFrames takes no more of a frame than clients send, as each connection
// keeps room for the largest.
func TestTLS_LargeFrames(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	frame := func(kind byte, bytes int) string {
		return string([]byte{byte(bytes >> 16), byte(bytes >> 8), byte(bytes), kind, 0, 0, 0, 0, 0}) + strings.Repeat("x", bytes)
	}
	const settings, goAway, unknown = 4, 7, 0x55
	for _, c := range []struct {
		bytes int
		taken bool
	}{{16 << 10, true}, {16<<10 + 1, false}} {
		conn, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: s.ca.Pool, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		// What a connection does not know it passes over, and goes on: to the last,
		// which is an error.
		go io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+frame(settings, 0)+frame(unknown, c.bytes)+frame(settings, 5))
		why := byte(0)
		for r, head := bufio.NewReader(conn), make([]byte, 9); ; {
			if _, err := io.ReadFull(r, head); err != nil {
				t.Fatalf("a frame of %d bytes: %v", c.bytes, err)
			}
			payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
			if _, err := io.ReadFull(r, payload); err != nil {
				t.Fatal(err)
			}
			if head[3] == goAway {
				why = payload[7]
				break
			}
		}
		const frameSize = 6
		if why != frameSize {
			t.Errorf("a frame of %d bytes ends the connection with code %d", c.bytes, why)
		}
	}
}

// TestTLS_AnswersThatNobodyTakes creates builds and gives no room for the answers, which are
// long: each begins all the same, and keeps no place at the entrance.
func TestTLS_AnswersThatNobodyTakes(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	conn, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: s.ca.Pool, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	const data, headers, settings, endStream, endHeaders = 0, 1, 4, 1, 4
	frame := func(kind, flags byte, stream int, payload string) string {
		n := len(payload)
		return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, 0, 0, 0, byte(stream)}) + payload
	}
	literal := func(index byte, value string) string { // RFC 7541, of a name in its table
		name := string([]byte{index})
		if index >= 15 {
			name = string([]byte{15, index - 15})
		}
		return name + string([]byte{byte(len(value))}) + value
	}
	var steps []string
	for i := range 200 {
		steps = append(steps, fmt.Sprintf(`{"key":"s%d"}`, i))
	}
	const many = 12
	ask := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(settings, 0, 0, "\x00\x04\x00\x00\x00\x00") // no window
	for i := range many {
		ask += frame(headers, endHeaders, 2*i+1, "\x83\x87"+literal(1, "ci.example")+literal(4, "/api/v1/builds")+literal(31, "application/json")+literal(23, "Bearer "+s.token))
		ask += frame(data, endStream, 2*i+1, `{"project":"p","steps":[`+strings.Join(steps, ",")+`]}`)
	}
	go io.WriteString(conn, ask)
	r, head := bufio.NewReader(conn), make([]byte, 9)
	for begun := 0; begun < many; {
		if _, err := io.ReadFull(r, head); err != nil {
			t.Fatalf("after the beginning of %d answers: %v", begun, err)
		}
		if _, err := r.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2])); err != nil {
			t.Fatal(err)
		}
		if head[3] == headers {
			begun++
		}
	}
}

// TestTLS_GivesUpAllTheTime asks and gives up, over and over: soon the connection is read no
// further, and others of the same address are answered meanwhile.
func TestTLS_GivesUpAllTheTime(t *testing.T) {
	t.Parallel()
	s := startTLS(t, func(cfg *Config) { cfg.Limits.Loopback = true })
	build := s.create(`{"project":"p"}`)
	conn, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: s.ca.Pool, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	const headers, reset, settings, ping, goAway, endOfBoth, ack = 1, 3, 4, 6, 7, 5, 1
	frame := func(kind, flags byte, stream int, payload string) string {
		n := len(payload)
		return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)}) + payload
	}
	const atOnce, rounds = 200, 200
	var read atomic.Int32 // rounds, of which the server says so
	ended := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+frame(settings, 0, 0, ""))
		r, head := bufio.NewReader(conn), make([]byte, 9)
		for stream := 1; err == nil && read.Load() < rounds; read.Add(1) {
			all := ""
			for range atOnce { // of GET / from localhost
				all += frame(headers, endOfBoth, stream, "\x82\x87\x84\x01\x09localhost") + frame(reset, 0, stream, "\x00\x00\x00\x08")
				stream += 2
			}
			_, err = io.WriteString(conn, all+frame(ping, 0, 0, "12345678"))
			for acked := false; err == nil && !acked; acked = head[3] == ping && head[4] == ack {
				if _, err = io.ReadFull(r, head); err == nil {
					_, err = r.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2]))
				}
				if head[3] == goAway {
					err = errors.New("the server says go away")
				}
			}
		}
		ended <- err
	}()
	tooMany := s.limits.refused[limitGivenUp]
	for last, same := int32(0), 0; same < 100 || tooMany.Load() == 0; same++ { // answers while nothing more is read
		if now := read.Load(); now != last {
			last, same = now, 0
		}
		if a := s.write(build+"/updates", `{"updates":[]}`); a.status != 200 {
			t.Fatalf("another is answered %d %s", a.status, a.body)
		}
		if len(ended) > 0 {
			t.Fatalf("after %d requests that were given up: %v", read.Load()*atOnce, <-ended)
		}
	}
	conn.Close()
	<-ended
}

// TestTLS_Closed lets go of readers that close.
func TestTLS_Closed(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	s.update(build, logText("a", 0, "x\n"))
	for _, proto := range []string{"http/1.1", "h2"} {
		client := s.client(proto)
		for _, path := range []string{build + "/events", "/api/v1/events", build + "/steps/a/log?follow=true"} {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
			req.Header.Set("Accept", "text/event-stream")
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			s.awaitStreams(1)
			res.Body.Close()
			if took := s.awaitStreams(0); took > pingAfter-2*time.Second {
				t.Errorf("%s, %s: only a ping noticed", proto, path)
			}
		}
	}
}

// TestTLS_Drain ends streams of both kinds, with the last word that all get.
func TestTLS_Drain(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	var all []*raw
	for _, proto := range []string{"http/1.1", "h2"} {
		r := s.open(s.client(proto), build+"/events")
		r.until("live")
		all = append(all, r)
	}
	go s.Drain(t.Context())
	for _, r := range all {
		if rest := r.rest(); !strings.Contains(rest, "retry: ") {
			t.Errorf("%q", rest)
		}
	}
}

// TestTLS_Handshake drops who does not shake hands in time, or not at all.
func TestTLS_Handshake(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	for what, sent := range map[string]string{
		"silence":          "",
		"half of a hello":  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"a hello too long": "\x16\x03\x01\x40\x00\x01\x7f\xff\xff" + strings.Repeat("x", 0x4000-4),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", s.address())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			io.WriteString(conn, sent)
			answer, err := io.ReadAll(conn)
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Error("it waits for ever")
			}
			if len(answer) > 0 && answer[0] != 21 { // an alert
				t.Errorf("it answers %q", answer)
			}
		})
	}
}

// TestTLS_PlainHTTP tells who speaks HTTP to an HTTPS port what is wrong.
func TestTLS_PlainHTTP(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	res, err := http.Get("http://" + s.address() + "/api/v1/builds")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 400 || string(body) != "Client sent an HTTP request to an HTTPS server.\n" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// TestTLS_Renewal renews the certificate under an open stream of each kind.
func TestTLS_Renewal(t *testing.T) {
	t.Parallel()
	s := startTLS(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	var all []*raw
	for _, proto := range []string{"http/1.1", "h2"} {
		r := s.open(s.client(proto), build+"/events")
		r.until("live")
		all = append(all, r)
	}
	until := time.Now().Add(60 * 24 * time.Hour)
	s.ca.Issue(s.cert, s.key, until, "ci.example")
	conn, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: s.ca.Pool, ServerName: "ci.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().PeerCertificates[0].NotAfter; got.Unix() != until.Unix() {
		t.Errorf("it shows the one until %v, want %v", got, until)
	}
	s.update(build, logText("a", 0, "after the renewal\n")+`,{"build":{"status":"passed"}}`)
	for _, r := range all {
		if frames := strings.Join(r.until("end"), ""); !strings.Contains(frames, "after the renewal") {
			t.Errorf("%q", frames)
		}
	}
}
