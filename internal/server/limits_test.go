package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"
	"pgregory.net/rapid"

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

// No key is let through more often than its rate and its burst allow, the wait
// that is told is enough and no more, and the table is bounded, however many
// keys come.
func TestRates_Promises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		every, burst := float64(rapid.IntRange(1, 100).Draw(t, "rate")), rapid.IntRange(1, 50).Draw(t, "burst")
		r := newRates[int](rate.Limit(every), burst)
		start := time.Unix(1_700_000_000, 0)
		now, let := start, map[int]int{}
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "ms")) * time.Millisecond)
			key := rapid.IntRange(0, 3).Draw(t, "key")
			wait := r.take(key, now)
			if wait == 0 {
				let[key]++
			}
			if most := float64(burst) + every*now.Sub(start).Seconds() + 1e-6; float64(let[key]) > most {
				t.Fatalf("%d of key %d in %v, at most %f", let[key], key, now.Sub(start), most)
			}
			if wait > 0 {
				if r.take(key, now.Add(wait/2)) == 0 {
					t.Fatalf("told to wait for %v, and half of it is enough", wait)
				}
				if now = now.Add(wait + time.Microsecond); r.take(key, now) > 0 { // a wait is cut to whole nanoseconds
					t.Fatalf("told to wait for %v, which is not enough", wait)
				}
				let[key]++
			}
		}
	})
}

func TestRates_AreBounded(t *testing.T) {
	t.Parallel()
	r := newRates[int](1, 2)
	now := time.Unix(1_700_000_000, 0)
	for key := range 3 * mostRates {
		r.take(key, now)
	}
	if len(r.of) != mostRates {
		t.Fatalf("%d keys are kept", len(r.of))
	}
	if r.take(4*mostRates, now) == 0 {
		t.Error("those beyond share one, which is used up")
	}
	if r.take(0, now) > 0 {
		t.Error("one of those that are kept has to wait for others")
	}
	now = now.Add(time.Minute) // all of them have as much as they may: they are as good as new
	if r.take(4*mostRates, now) > 0 || len(r.of) != 1 {
		t.Errorf("%d keys are kept after a minute", len(r.of))
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

// createLong makes a build of so many steps with names of 480 bytes, all of which an
// answer with it has.
func (s *testServer) createLong(steps int) (build string) {
	s.t.Helper()
	list := make([]string, steps)
	for i := range list {
		list[i] = fmt.Sprintf(`{"key":"%d","name":"%s"}`, i, strings.Repeat("x", 480))
	}
	return s.create(`{"project":"p","steps":[` + strings.Join(list, ",") + `]}`)
}

// TestLimits_Unread asks for a long answer while it is being sent the one before,
// again and again: what one address may leave unread has an end, for another there
// is room, and afterwards nothing is counted any more.
func TestLimits_Unread(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{Requests: -1})
	build := s.createLong(ci.MaxSteps)
	ask := func(addr string, then func()) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.url+build, nil)
		r.RemoteAddr = addr + ":1"
		w := &firstWrite{ResponseRecorder: httptest.NewRecorder(), then: then}
		s.Handler().ServeHTTP(w, r)
		return w.ResponseRecorder
	}
	refused, bytes := s.limits.refused[limitUnread], 0
	var again func()
	again = func() {
		w := ask("192.0.2.1", func() {
			if refused.Load() == 0 {
				again()
			}
		})
		switch w.Code {
		case http.StatusOK:
			bytes += w.Body.Len()
		case http.StatusTooManyRequests:
			if w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"limit":67108864`) {
				t.Errorf("refused with %v %s", w.Header(), w.Body)
			}
			if w := ask("192.0.2.2", nil); w.Code != http.StatusOK {
				t.Errorf("another address: %d", w.Code)
			}
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	again()
	if bytes > mostUnread || bytes < mostUnread/4 || refused.Load() != 1 || len(s.limits.unread) != 0 {
		t.Errorf("%d bytes were sent, %d refused, %v are left", bytes, refused.Load(), s.limits.unread)
	}
}

// TestLimits_UnreadAnswersToWrites repeats a creation, which is answered with all of the
// build, while the answer before is being sent: that has an end, too.
func TestLimits_UnreadAnswersToWrites(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{Requests: -1})
	build := s.createLong(ci.MaxSteps)
	again := `{"project":"p","id":"` + strings.TrimPrefix(build, "/api/v1/builds/") + `"}`
	refused, answered := s.limits.refused[limitUnread], 0
	var repeat func()
	repeat = func() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/builds", strings.NewReader(again))
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Authorization", "Bearer "+s.token)
		w := &firstWrite{ResponseRecorder: httptest.NewRecorder(), then: func() {
			if refused.Load() == 0 {
				repeat()
			}
		}}
		s.Handler().ServeHTTP(w, r)
		if answered++; w.Code != http.StatusOK && w.Code != http.StatusTooManyRequests || answered > 100 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	repeat()
	if refused.Load() != 1 || len(s.limits.unread) != 0 {
		t.Errorf("%d of %d were refused, %v are left", refused.Load(), answered, s.limits.unread)
	}
}

// eachWrite is a peer who looks at what it takes.
type eachWrite struct {
	*httptest.ResponseRecorder
	look func(data string)
}

func (w *eachWrite) Write(data []byte) (int, error) {
	w.look(string(data))
	return w.ResponseRecorder.Write(data)
}

// TestLimits_UnreadSnapshots opens streams of the feed, which begin with a long snapshot:
// who has left as much unread as one may is told to come back, and others are not. What
// has gone out counts no longer.
func TestLimits_UnreadSnapshots(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{Requests: -1})
	s.createLong(200)
	counted := func() int {
		s.limits.mu.Lock()
		defer s.limits.mu.Unlock()
		return s.limits.unread["192.0.2.1"]
	}
	open := func(path string) (text string, during int) {
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
		r.Header.Set("Accept", "text/event-stream")
		r.RemoteAddr = "192.0.2.1:1"
		defer cancel()
		w := &eachWrite{ResponseRecorder: httptest.NewRecorder(), look: func(data string) {
			if strings.Contains(data, "event: snapshot") { // before it there may be retry: alone
				during = counted()
				cancel()
			}
		}}
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
		return w.Body.String(), during
	}
	for _, path := range []string{"/api/v1/events", "/api/v1/streams?log=feed", "/api/v1/events?after=zz"} { // the last one is told to begin anew
		if text, during := open(path); !strings.Contains(text, "event: snapshot") || during < 100_000 || counted() != 0 {
			t.Errorf("%s: %.200s, %d are counted while it goes out, and %d then", path, text, during, counted())
		}
		s.limits.unread["192.0.2.1"] = mostUnread
		if text, _ := open(path); strings.Contains(text, "event: snapshot") || !strings.Contains(text, "event: unavailable") || counted() != mostUnread {
			t.Errorf("%s, with much unread: %.200s, %d are counted", path, text, counted())
		}
		delete(s.limits.unread, "192.0.2.1")
	}
}

// Sockets of one address that say nothing make room for those that do; when all
// are busy, one more is closed.
func TestLimits_Connections(t *testing.T) {
	t.Parallel()
	const most = 5
	s := limited(t, Limits{ConnsOfAddress: most, Requests: -1})
	build := s.create(`{"project":"p"}`)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for range 3 { // a stream is counted as one, and as no connection
		r, _, _ := s.dial(build + "/events")
		r.until("live")
	}
	closed := make(chan struct{}, 100)
	for range 20 {
		conn := s.connect().conn
		go func() {
			if n, _ := conn.Read(make([]byte, 1)); n == 0 {
				closed <- struct{}{}
			}
		}()
	}
	for range 20 - most {
		<-closed
	}
	there := s.from("127.0.0.1")
	for range 10 {
		if status, _, body := s.ask(there, build); status != 200 {
			t.Fatalf("among idle sockets: %d %s", status, body)
		}
	}
	for range most { // one of which came with each of the requests
		<-closed
	}

	var uploads []*uploader
	for i := range 2 * most { // which are no connections either
		log := fmt.Sprintf("%s/steps/s%d/log", build, i)
		u := s.upload(log, "Upload-Offset: 0")
		u.send("live\n")
		s.eventually(log, "live\n")
		uploads = append(uploads, u)
	}
	if a := s.write(build+"/updates", `{"updates":[]}`); a.status != 200 {
		t.Errorf("a report among uploads: %d %s", a.status, a.body)
	}
	// slowly sends a request whose body is being read, and comes no further.
	slowly := func(request string, length int, headers ...string) *raw {
		r := s.connect()
		fmt.Fprintf(r.conn, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n%s\r\n", request, length, strings.Join(headers, ""))
		if line, err := r.r.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%s: %q, %v", request, line, err)
		}
		r.r.ReadString('\n')
		return r
	}
	for range most {
		slowly("POST /sign-in", 9000, "Content-Type: application/x-www-form-urlencoded\r\n")
	}
	for range 3 {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if a := s.write(build+"/updates", `{"updates":[]}`); a.status != 200 {
			t.Errorf("a report among slow bodies: %d %s", a.status, a.body)
		}
	}
	for sure := true; sure; { // until the last report is over for the server too
		sure = false
		s.limits.conns.mu.Lock()
		for _, open := range s.limits.conns.of {
			for _, h := range open {
				sure = sure || h.sure
			}
		}
		s.limits.conns.mu.Unlock()
	}
	var busy []*raw
	body := strings.Repeat(" ", 512<<10) + `{"updates":[]}` // as much gives it time
	for range most {
		r := slowly("POST "+build+"/updates", len(body), "Authorization: Bearer "+s.token+"\r\n")
		fmt.Fprint(r.conn, body[:len(body)-1])
		busy = append(busy, r)
	}
	conn := s.connect().conn
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("one more than are busy: %d bytes, %v", n, err)
	}
	if status, _, _ := s.ask(s.from("127.0.0.2"), build); status != 200 {
		t.Errorf("from another address: %d", status)
	}
	for _, r := range busy {
		fmt.Fprint(r.conn, body[len(body)-1:])
		if res, err := http.ReadResponse(r.r, nil); err != nil || res.StatusCode != 200 {
			t.Errorf("a request that was busy: %v, %v", res, err)
		}
	}
	for _, u := range uploads {
		if status, _ := u.finish(); status != 204 {
			t.Errorf("an upload: %d", status)
		}
	}
	if s.limits.refused[limitConns].Load() == 0 {
		t.Error("nothing is counted")
	}
	if a := s.write(build+"/updates", `{"updates":[]}`); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
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

// What trickles is closed, on every route but an upload to a log that its token
// may write: headers, bodies that are read, and bodies that nobody reads.
func TestLimits_TricklingBodies(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	auth := "\r\nAuthorization: Bearer " + s.token
	requests := []string{
		"POST /api/v1/builds HTTP/1.1\r\nHost: localhost", // a header without an end
		"PATCH " + build + "/steps/a/log HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + ci.NewToken() + "\r\nContent-Length: 100000\r\n\r\n",
		"PATCH " + build + "/steps/a/lines HTTP/1.1\r\nHost: localhost" + auth + "\r\nContent-Length: 100000\r\n\r\n",
		"GET " + build + " HTTP/1.1\r\nHost: localhost" + auth + "\r\nContent-Length: 100000\r\n\r\n",
		"BREW /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
	}
	id := strings.TrimPrefix(build, "/api/v1/builds/")
	for _, r := range s.routes() {
		if r.method == "GET" || r.method == "PATCH" && strings.HasSuffix(r.path, "/log") {
			continue
		}
		path := strings.NewReplacer(":id", id, ":token", "x", ":link", "x", "*", "p").Replace(r.path)
		requests = append(requests, r.method+" "+path+" HTTP/1.1\r\nHost: localhost"+auth+"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
	}
	var trickles sync.WaitGroup
	for _, request := range requests {
		for range 3 {
			conn := s.connect().conn
			trickles.Go(func() {
				first, _, _ := strings.Cut(request, "\r\n")
				fmt.Fprint(conn, request)
				answered := make(chan error, 1)
				go func() {
					_, err := io.Copy(io.Discard, conn)
					answered <- err
				}()
				drip := time.NewTicker(200 * time.Millisecond)
				defer drip.Stop()
				for {
					select {
					case err := <-answered:
						if ne, ok := err.(net.Error); ok && ne.Timeout() {
							t.Errorf("%s: still open", first)
						}
						return
					case <-drip.C:
						conn.Write([]byte(" "))
					}
				}
			})
		}
	}
	u := s.upload(build+"/steps/a/log", "Upload-Offset: 0")
	trickles.Wait()
	u.send("slow")
	if status, offset := u.finish(); status != 204 || offset != "4" {
		t.Errorf("an upload that took its time: %d %s", status, offset)
	}
	if s.limits.refused[limitSlow].Load() == 0 {
		t.Error("nothing is counted")
	}
}

// bombs are 10 GiB of zeros, as small as they get; nested is one in another.
func bombs() map[string][]byte {
	const size = 10 << 30
	// A zstd frame (RFC 8878) of blocks that each say: 128 KiB of zeros.
	z := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58} // magic, no content size, a window of 2 MiB
	for n := 0; n < size; n += 128 << 10 {
		block := uint32(128<<10)<<3 | 1<<1
		if n+128<<10 >= size {
			block |= 1
		}
		z = append(binary.LittleEndian.AppendUint32(z, block)[:len(z)+3], 0)
	}
	gz := func(parts ...[]byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		for _, part := range parts {
			w.Write(part)
		}
		w.Close()
		return out.Bytes()
	}
	// Members one after the other are one stream (RFC 1952): each is a
	// thousandth of what it unpacks to.
	member := gz(bytes.Repeat([]byte{0}, 10<<20))
	g := bytes.Repeat(member, size/(10<<20))
	return map[string][]byte{"zstd": z, "gzip": g, "gzip of zstd": gz(z), "gzip of gzip": gz(g)}
}

// TestBody_Bombs sends 10 GiB. It is cut off at what a request may have.
func TestBody_Bombs(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for name, bomb := range bombs() {
		encoding, _, _ := strings.Cut(name, " ")
		conn := s.connect().conn
		go func() { // which may be answered before all of it is sent
			w := bufio.NewWriter(conn)
			fmt.Fprintf(w, "POST %s/updates HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n", build, s.token, encoding)
			for len(bomb) > 0 {
				n := min(len(bomb), 64<<10)
				fmt.Fprintf(w, "%x\r\n%s\r\n", n, bomb[:n])
				bomb = bomb[n:]
			}
			io.WriteString(w, "0\r\n\r\n")
			w.Flush()
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// What is unpacked once is no JSON, or too long.
		if res.StatusCode != 413 && !(strings.Contains(name, " of ") && res.StatusCode == 400) {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		conn.Close()
	}
	if got := s.limits.refused[limitBody].Load(); got < 2 {
		t.Errorf("%d are counted", got)
	}
}
