package server

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// limited is a server that holds loopback addresses to limits too.
func limited(t *testing.T, l Limits) *testServer {
	t.Helper()
	l.Loopback = true
	return startWith(t, postgres.Config{URL: pgtest.New(t)}, Config{Limits: l})
}

// from is a client at another address of this machine.
func (s *testServer) from(address string) *http.Client {
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}).DialContext, DisableKeepAlives: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// ask sends a GET from some address and returns status and body.
func (s *testServer) ask(c *http.Client, path string, headers ...string) (int, http.Header, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := c.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(body)
}

func TestLimits_Accountable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		addr, of string
		loopback bool // are counted
	}{
		{"192.0.2.1", "192.0.2.1", false},
		{"::ffff:192.0.2.1", "192.0.2.1", false},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", false},
		{"2001:db8:1:2:ffff::1", "2001:db8:1:2::", false},
		{"2001:db8:1:3::1", "2001:db8:1:3::", false},
		{"fe80::1%eth0", "fe80::", false},
		{"127.0.0.1", "", false},
		{"::1", "", false},
		{"::ffff:127.0.0.1", "", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"::1", "::", true},
	} {
		l := newLimits(Limits{Loopback: c.loopback})
		of, counted := l.accountable(netip.MustParseAddr(c.addr))
		if counted != (c.of != "") || counted && of != netip.MustParseAddr(c.of) {
			t.Errorf("%s is counted as %v, %v; want %s", c.addr, of, counted, c.of)
		}
	}
	if _, counted := newLimits(Limits{}).accountable(netip.Addr{}); !counted {
		t.Error("an address that nobody knows is not counted")
	}
}

func TestLimits_Defaults(t *testing.T) {
	t.Parallel()
	l := newLimits(Limits{Streams: 3, Reads: -1, Failures: -1})
	if l.Streams != 3 || l.StreamsOfAddress != 250 || l.Reads != math.MaxInt {
		t.Errorf("%+v", l.Limits)
	}
	for range 10_000 {
		if l.reads.take("a", time.Time{}) > 0 || l.failures.take(netip.Addr{}, time.Time{}) > 0 {
			t.Fatal("what is not bounded has to wait")
		}
	}
}

const beyond = "retry: N\n\nevent: unavailable\ndata: {}\n\n"

// An EventSource over a cap is told to come back later, in the one way in which
// it does; whatever else stays open is told 429.
func TestLimits_Streams(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{StreamsOfAddress: 3, StreamsOfToken: 2, StreamsOfProject: 5})
	build, other := s.create(`{"project":"p"}`), s.create(`{"project":"q"}`)
	s.update(build, logText("a", 0, "x\n"))
	reader := "Authorization: Bearer " + s.tokenFor("*", ci.ScopeRead)
	open := func(path string, headers ...string) *raw {
		t.Helper()
		r, status, _ := s.dial(path, headers...)
		if status != 200 {
			t.Fatalf("%s: %d", path, status)
		}
		r.until("live")
		return r
	}
	refused := func(path string, headers ...string) {
		t.Helper()
		r, status, header := s.dial(path, headers...)
		if rest := r.rest(); status != 200 || header.Get("Content-Type") != "text/event-stream" || stable(rest) != beyond {
			t.Errorf("%s: %d %q", path, status, rest)
		}
	}
	first, _ := open(build+"/events", reader), open(build+"/events", reader)
	refused(build+"/events", reader) // of the token
	open("/api/v1/events")
	refused("/api/v1/events") // of the address
	if a := s.get(build + "/steps/a/log?follow=true"); a.status != 429 || a.problem().Limit != 3 || a.header.Get("Retry-After") == "" || a.problem().Type != "/problems/too-many-requests" {
		t.Errorf("a log that is followed: %d %s %v", a.status, a.body, a.header)
	}
	if a := s.get(build + "/events"); a.status != 200 {
		t.Errorf("a page: %d %s", a.status, a.body)
	}
	if a := s.get(build + "/steps/a/log"); a.status != 200 {
		t.Errorf("a log: %d %s", a.status, a.body)
	}
	there := s.from("127.0.0.2")
	for range 3 { // what is open counts to its project, and to no other
		res, err := there.Get(s.url + build + "/steps/a/log?follow=true")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 200 {
			t.Fatalf("from another address: %d", res.StatusCode)
		}
	}
	elsewhere := s.from("127.0.0.3")
	if status, _, body := s.ask(elsewhere, build+"/events", "Accept: text/event-stream"); status != 200 || stable(body) != beyond {
		t.Errorf("the sixth of the project: %d %q", status, body)
	}
	res, err := elsewhere.Get(s.url + other + "/steps/a/log?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 404 { // it has no such step, and was not refused
		t.Errorf("another project: %d", res.StatusCode)
	}
	first.conn.Close()
	s.awaitStreams(5)
	open(build+"/events", reader)
	for l, want := range map[limit]int64{limitStreamsOfAddress: 2, limitStreamsOfToken: 1, limitStreamsOfProject: 1, limitStreams: 0} {
		if got := s.limits.refused[l].Load(); got != want {
			t.Errorf("%s has refused %d, want %d", l, got, want)
		}
	}
}

// Whoever shows nothing is counted by address, whoever shows a token by that,
// and who reports a build not at all.
func TestLimits_Rates(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{Requests: 1, Reads: 2})
	build := s.create(`{"project":"p"}`)
	offset := 0
	report := func() {
		t.Helper()
		for range 50 {
			if a := s.write(build+"/updates", `{"updates":[`+logText("a", offset, "x\n")+`]}`); a.status != 200 {
				t.Fatalf("a report: %d %s", a.status, a.body)
			}
			offset += 2
		}
	}
	report()
	until429 := func(c *http.Client, path string, headers ...string) (answers int) {
		t.Helper()
		for range 100 {
			status, header, body := s.ask(c, path, headers...)
			if status == 200 {
				answers++
				continue
			}
			if wait, err := strconv.Atoi(header.Get("Retry-After")); status != 429 || err != nil || wait < 1 || !strings.Contains(body, "/problems/too-many-requests") {
				t.Fatalf("%s: %d %s %v", path, status, body, header)
			}
			return answers
		}
		t.Fatalf("%s: nobody refuses", path)
		return answers
	}
	here, there := s.from("127.0.0.1"), s.from("127.0.0.2")
	if n := until429(here, build); n < 4 {
		t.Errorf("%d answers at once", n)
	}
	if status, _, body := s.ask(here, build+"/events", "Accept: text/event-stream"); status != 200 || stable(body) != beyond {
		t.Errorf("a stream: %d %q", status, body)
	}
	if status, _, _ := s.ask(here, "/api/v1/openapi.json"); status != 429 {
		t.Errorf("what is public: %d", status)
	}
	if status, _, _ := s.ask(here, "/widgets.js"); status != 200 {
		t.Errorf("what is built in: %d", status)
	}
	reader := "Authorization: Bearer " + s.tokenFor("*", ci.ScopeRead)
	if n := until429(here, build, reader); n < 8 {
		t.Errorf("%d answers at once to a token", n)
	}
	if status, _, body := s.ask(there, build); status != 200 {
		t.Errorf("from another address: %d %s", status, body)
	}
	// Half a second is enough for the token to be answered again, and may pass on a
	// busy machine. By address there would be eight answers: of seven, one is refused.
	refused := false
	for range 7 {
		until429(here, build, reader)
		status, _, _ := s.ask(there, build, reader)
		refused = refused || status == 429
	}
	if !refused {
		t.Error("a token is counted by address")
	}
	report()
}

// Bad tokens are told apart from good ones however many come, and cost the
// database one look-up at a time.
func TestLimits_Failures(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{Failures: 3, Requests: -1})
	build := s.create(`{"project":"p"}`)
	bad := func() answer {
		return s.do("POST", build+"/updates", `{"updates":[]}`, "Authorization: Bearer "+ci.NewToken())
	}
	for i := range 3 {
		if a := bad(); a.status != 401 {
			t.Fatalf("bad token %d: %d %s", i, a.status, a.body)
		}
	}
	var bads sync.WaitGroup
	for range 20 {
		bads.Go(func() {
			if a := bad(); a.status != 429 || a.header.Get("Retry-After") == "" || a.problem().Limit != 3 {
				t.Errorf("one bad token more: %d %s", a.status, a.body)
			}
		})
	}
	if a := s.write(build+"/updates", `{"updates":[`+logText("a", 0, "x\n")+`]}`); a.status != 200 {
		t.Errorf("a good token among bad ones: %d %s", a.status, a.body)
	}
	bads.Wait()
	s.limits.suspects <- struct{}{} // a look-up that takes its time, and whoever waits behind it
	if a := s.write(build+"/updates", `{"updates":[`+logText("a", 2, "x\n")+`]}`); a.status != 200 {
		t.Errorf("a token that is known while another is looked up: %d %s", a.status, a.body)
	}
	<-s.limits.suspects
	if a := s.do("GET", build, "", "Authorization: Bearer stp_mistyped"); a.status != 429 {
		t.Errorf("a token that is none: %d %s", a.status, a.body)
	}
	if status, _, body := s.ask(s.from("127.0.0.2"), build, "Authorization: Bearer "+ci.NewToken()); status != 401 {
		t.Errorf("from another address: %d %s", status, body)
	}
	if got := s.limits.refused[limitFailures].Load(); got != 21 {
		t.Errorf("%d were refused", got)
	}
}

// Cookies of no session cost the database one look-up at a time, like tokens, and
// are told the same however many come.
func TestLimits_Cookies(t *testing.T) {
	t.Parallel()
	s := startWith(t, postgres.Config{URL: pgtest.New(t)}, Config{SignIn: true, Limits: Limits{Failures: 3, Requests: -1, Loopback: true}})
	build := s.create(`{"project":"p"}`)
	good := "Cookie: " + sessionCookie + "=" + s.session(s.token)
	for range 4 {
		if a := s.get(build, "Cookie: "+sessionCookie+"="+ci.NewSession()); a.status != 401 || a.problem().Type != "/problems/session-ended" {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	s.limits.suspects <- struct{}{} // somebody is looked for
	var bad, fine sync.WaitGroup
	waits := make(chan answer, 1)
	bad.Go(func() { waits <- s.get(build, "Cookie: "+sessionCookie+"="+ci.NewSession()) })
	fine.Go(func() {
		if status, _, body := s.ask(s.from("127.0.0.2"), build, good); status != 200 {
			t.Errorf("from another address: %d %s", status, body)
		}
	})
	fine.Wait()
	select {
	case a := <-waits:
		t.Errorf("another look-up beside it: %d %s", a.status, a.body)
	default:
	}
	<-s.limits.suspects
	bad.Wait()
	if a := s.get(build, good); a.status != 200 {
		t.Errorf("a good one among bad ones: %d %s", a.status, a.body)
	}
}

func TestLimits_Uploads(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{UploadsOfToken: 2})
	build := s.create(`{"project":"p"}`)
	first, second := s.upload(build+"/steps/a/log", "Upload-Offset: 0"), s.upload(build+"/steps/b/log", "Upload-Offset: 0")
	first.send("one\n")
	second.send("two\n")
	s.eventually(build+"/steps/a/log", "one\n")
	s.eventually(build+"/steps/b/log", "two\n")
	if text := s.upload(build + "/steps/c/log").rest(); !strings.HasPrefix(text, "HTTP/1.1 429 ") || !strings.Contains(text, `"limit":2`) || !strings.Contains(text, "\nRetry-After: ") {
		t.Errorf("the third: %s", text)
	}
	if a := s.do("PATCH", build+"/steps/c/log", "three\n", "Authorization: Bearer "+s.token, "Upload-Offset: 0"); a.status != 204 {
		t.Errorf("one that says how long it is: %d %s", a.status, a.body)
	}
	if a := s.write(build+"/updates", `{"updates":[`+logText("a", 4, "three\n")+`]}`); a.status != 200 {
		t.Errorf("updates: %d %s", a.status, a.body)
	}
	if status, offset := second.finish(); status != 204 || offset != "4" {
		t.Errorf("the second: %d %s", status, offset)
	}
	if status, offset := s.upload(build + "/steps/c/log").finish(); status != 204 || offset != "6" {
		t.Errorf("when the second is over: %d %s", status, offset)
	}
}

// However many tokens somebody has, they open no more uploads to a project's builds,
// from an address and of all together than these may.
func TestLimits_UploadsOfManyTokens(t *testing.T) {
	t.Parallel()
	for l, test := range map[limit]struct {
		limits Limits
		answer string
	}{
		limitUploadsOfProject: {Limits{UploadsOfProject: 2}, "HTTP/1.1 429 "},
		limitUploadsOfAddress: {Limits{UploadsOfAddress: 2, Loopback: true}, "HTTP/1.1 429 "},
		limitUploads:          {Limits{Uploads: 2}, "HTTP/1.1 503 "},
	} {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			s := limited(t, test.limits)
			build, other := s.create(`{"project":"p"}`), s.create(`{"project":"q"}`)
			open := func(log string) *uploader {
				token := s.addToken(postgres.Token{Name: "t", Scopes: []ci.Scope{ci.ScopeReport}, Project: "*"})
				return s.uploadAs(token, log, "Upload-Offset: 0")
			}
			first, second := open(build+"/steps/a/log"), open(build+"/steps/b/log")
			first.send("one\n")
			second.send("two\n")
			s.eventually(build+"/steps/a/log", "one\n")
			s.eventually(build+"/steps/b/log", "two\n")
			if text := open(build + "/steps/c/log").rest(); !strings.HasPrefix(text, test.answer) || !strings.Contains(text, `"limit":2`) || !strings.Contains(text, "\nRetry-After: ") {
				t.Errorf("the third: %s", text)
			}
			if n := s.limits.refused[l].Load(); n != 1 {
				t.Errorf("%d were counted", n)
			}
			if l == limitUploadsOfProject {
				third := open(other + "/steps/a/log")
				third.send("three\n")
				if status, _ := third.finish(); status != 204 {
					t.Errorf("to another project: %d", status)
				}
			}
			if status, _ := second.finish(); status != 204 {
				t.Errorf("the second: %d", status)
			}
			again := open(build + "/steps/c/log")
			again.send("three\n")
			if status, _ := again.finish(); status != 204 {
				t.Errorf("when the second is over: %d", status)
			}
		})
	}
}

// What comes through a trusted proxy counts to the client that it names.
func TestLimits_BehindAProxy(t *testing.T) {
	t.Parallel()
	s := startWith(t, postgres.Config{URL: pgtest.New(t)}, Config{
		Limits:  Limits{ConnsOfAddress: 1, Requests: 1, StreamsOfAddress: 1},
		Proxies: Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}},
	})
	build := s.create(`{"project":"p"}`)
	var conns []*raw
	for range 5 {
		conns = append(conns, s.connect())
	}
	for i, r := range conns { // of which none was closed to make room
		fmt.Fprintf(r.conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.%d\r\n\r\n", build, i)
		if res, err := http.ReadResponse(r.r, nil); err != nil || res.StatusCode != 200 {
			t.Fatalf("connection %d: %v, %v", i, res, err)
		}
	}
	statuses := map[int]int{}
	for range 10 {
		statuses[s.get(build, "X-Forwarded-For: 192.0.2.99").status]++
	}
	if statuses[200] < 4 || statuses[429] == 0 {
		t.Errorf("one client behind the proxy: %v", statuses)
	}
	for i, client := range []string{"192.0.2.100", "192.0.2.101"} {
		r, _, _ := s.dial(build+"/events", "X-Forwarded-For: "+client)
		r.until("live")
		again, _, _ := s.dial(build+"/events", "X-Forwarded-For: "+client)
		if rest := again.rest(); stable(rest) != beyond {
			t.Errorf("the second stream of client %d: %q", i, rest)
		}
	}
}
