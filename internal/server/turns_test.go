package server

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/turns"
)

// TestReports_AreDecodedInTurn takes all places: what arrives is decoded after that.
func TestReports_AreDecodedInTurn(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	var leave func()
	for range runtime.GOMAXPROCS(0) {
		leave, _ = s.decoding.Enter(t.Context(), "another")
	}
	const reports = 20
	answered := make(chan int, 2*reports)
	for range reports {
		go func() { answered <- s.write(build+"/updates", `{"updates":[{"step":{"key":"a"}}]}`).status }()
		go func() { answered <- s.write("/api/v1/builds", `{"project":"p"}`).status }()
	}
	for s.decoding.Waiting() < 2*reports {
		if len(answered) > 0 {
			t.Fatal("a report was decoded, where all places are taken")
		}
		runtime.Gosched()
	}
	leave()
	for range 2 * reports {
		if status := <-answered; status != 200 && status != 201 {
			t.Errorf("a report that had waited was answered %d", status)
		}
	}
}

// TestAnswers_AreMadeInTurn takes all places: what is looked for among all builds, or may
// be long, is made after that, and the rest meanwhile.
func TestAnswers_AreMadeInTurn(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","status":"running","steps":[{"key":"a"}]}`)
	page := "/plain" + strings.TrimPrefix(build, "/api/v1")
	for _, one := range []struct {
		in    *turns.Turns
		paths []string
		free  string
	}{
		{s.lists, []string{"/api/v1/builds", "/api/v1/projects", "/api/v1/events", build + "/events", "/cc.xml", "/builds.atom", "/plain", "/embed/board?project=*", "/oembed?url=" + url.QueryEscape(s.url+"/?project=p")}, build},
		{s.logs, []string{build + "/steps/a/log", build + "/steps/a/lines", page + "/steps/a"}, build},
		{s.builds, []string{build, page, build + "/events?tail=1", build + "/notes"}, "/api/v1/builds"},
	} {
		var leave func()
		for range runtime.GOMAXPROCS(0) {
			leave, _ = one.in.Enter(t.Context(), "another")
		}
		answered := make(chan string, len(one.paths))
		for _, path := range one.paths {
			go func() {
				if a := s.get(path); a.status >= 400 && a.status != 401 { // as of the private project's embed
					t.Errorf("%s: %d %s", path, a.status, a.body)
				}
				answered <- path
			}()
		}
		for one.in.Waiting() < len(one.paths) {
			if len(answered) > 0 {
				t.Fatalf("%s was answered, where all places are taken", <-answered)
			}
			runtime.Gosched()
		}
		if a := s.get(one.free); a.status != 200 {
			t.Errorf("%s: %d %s", one.free, a.status, a.body)
		}
		leave()
		for range one.paths {
			<-answered
		}
	}
}

// TestEntrance_Yields has requests that follow each other at once, on the only processor:
// whoever else is to do something does it after the first. It is no parallel test, for the
// others.
func TestEntrance_Yields(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var served atomic.Int32
	var before int32
	h := New(Config{}).entrance(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) }))
	done := make(chan struct{})
	go func() {
		before = served.Load()
		close(done)
	}()
	for range 100 {
		h.ServeHTTP(nil, httptest.NewRequest(http.MethodGet, "/", nil))
	}
	if <-done; before > 1 {
		t.Errorf("another had its turn after %d requests", before)
	}
}

// Of an address that asks for very much over HTTP/2 a few requests are under way at a time,
// and another's comes after one of them; what has come in, or has its answer, is in
// nobody's way.
func TestEntrance_HasTurns(t *testing.T) {
	t.Parallel()
	s := New(Config{Limits: Limits{Loopback: true}})
	asked, goOn := make(chan *http.Request), make(chan bool)
	h := s.entrance(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- r
		if <-goOn {
			leaveEntrance(r)
			<-goOn
		}
	}))
	var all sync.WaitGroup
	ask := func(addr string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(t.Context())
		r.ProtoMajor, r.RemoteAddr = 2, addr+":1"
		all.Go(func() { h.ServeHTTP(nil, r) })
	}
	const many = 100
	for range many {
		ask("192.0.2.1")
	}
	places := runtime.GOMAXPROCS(0)
	for range places {
		<-asked
	}
	for s.coming.Waiting() < many-places {
		runtime.Gosched()
	}
	ask("192.0.2.2")
	for s.coming.Waiting() <= many-places {
		runtime.Gosched()
	}
	if len(asked) > 0 {
		t.Fatal("more are under way than there are places")
	}
	other := 0
	for other = range many {
		goOn <- other == 0 // the first has come in and is not over
		if r := <-asked; r.RemoteAddr == "192.0.2.2:1" {
			break
		}
	}
	if other > 1 {
		t.Errorf("another came in after %d of those", other)
	}
	close(goOn)
	go func() {
		for range asked { // the rest
		}
	}()
	all.Wait()
	close(asked)
}

// Who comes back, as all whose commit is done, has a turn again, and its place is free once
// it is over.
func TestEntrance_GoesOnInTurn(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	came, committed, back := make(chan bool), make(chan bool), make(chan bool)
	h := s.entrance(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaveEntrance(r)
		came <- true
		<-committed
		returnToEntrance(r)
		back <- true
	}))
	over := make(chan bool)
	go func() {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.ProtoMajor = 2
		h.ServeHTTP(nil, r)
		close(over)
	}()
	<-came
	var leave []func()
	for range runtime.GOMAXPROCS(0) {
		l, err := s.coming.Enter(t.Context(), "another")
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	close(committed)
	for s.coming.Waiting() == 0 {
		select {
		case <-back:
			t.Fatal("it went on without a place")
		default:
			runtime.Gosched()
		}
	}
	for _, l := range leave {
		l()
	}
	<-back
	<-over
	for range runtime.GOMAXPROCS(0) {
		if _, err := s.coming.Enter(t.Context(), "another"); err != nil {
			t.Fatal(err)
		}
	}
}

// A connection that brings more of an address than there may be is closed, one with a few
// is not, nor another's.
func TestEntrance_HasNoRoomForMore(t *testing.T) {
	t.Parallel()
	s := New(Config{Limits: Limits{Loopback: true}})
	goOn := make(chan struct{})
	h := s.entrance(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaveEntrance(r)
		<-goOn
		w.WriteHeader(http.StatusOK)
	}))
	var all sync.WaitGroup
	connect := func(addr string) (ask func() *httptest.ResponseRecorder, conn, peer net.Conn) {
		conn, peer = net.Pipe()
		return func() *httptest.ResponseRecorder {
			r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
			r = r.WithContext(withConn(t.Context(), conn))
			r.ProtoMajor, r.RemoteAddr = 2, addr+":1"
			all.Go(func() { h.ServeHTTP(w, r) })
			return w
		}, conn, peer
	}
	ask, _, peer := connect("192.0.2.1")
	for range mostUnderWay + 1 {
		ask()
	}
	if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("its connection: %v", err)
	}
	few, _, _ := connect("192.0.2.1")
	other, _, _ := connect("192.0.2.2")
	for name, w := range map[string]*httptest.ResponseRecorder{"a few on a connection": few(), "another's": other()} {
		defer func() {
			if w.Code != http.StatusOK {
				t.Errorf("%s: %d", name, w.Code)
			}
		}()
	}
	close(goOn)
	all.Wait()
	if len(s.limits.underWay.of)+len(s.limits.underWay.on) > 0 || s.limits.refused[limitUnderWay].Load() != 1 {
		t.Errorf("%+v, refused %d", s.limits.underWay.of, s.limits.refused[limitUnderWay].Load())
	}
}

// All that a connection has under way may be given up at once, and then it waits.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &answeringConn{TCPConn: new(net.TCPConn)}
		c.open, c.close = context.WithCancel(t.Context())
		g := &c.givenUp
		took := func() time.Duration {
			begun := time.Now()
			c.Read(nil) // there is nothing
			return time.Since(begun)
		}
		for range mostGivenUp {
			g.add(time.Now())
		}
		if d := took(); d > 0 {
			t.Errorf("after as many as may be it waits %v", d)
		}
		for range 3 {
			g.add(time.Now())
		}
		time.AfterFunc(givenUpEvery, func() { g.add(time.Now()) })
		if d := took(); d != 4*givenUpEvery {
			t.Errorf("after four too many it waits %v", d)
		}
		time.Sleep(time.Hour)
		for range mostGivenUp {
			g.add(time.Now())
		}
		if d := took(); d > 0 {
			t.Errorf("an hour later it waits %v", d)
		}
		g.add(time.Now())
		if c.close(); took() > 0 {
			t.Error("it waits, though it is closed")
		}
	})
}

// A request that was given up counts to its connection, unless that is everybody's, and is
// not worked on if it was before it came in.
func TestEntrance_CountsWhatIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, proxy := range []string{"192.0.2.1/32", "192.0.2.2/32"} {
		s := New(Config{Proxies: Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix(proxy)}}})
		below := new(answeringConn)
		ctx, cancel := context.WithCancel(withConn(t.Context(), tls.Server(below, nil)))
		served := 0
		h := s.entrance(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			served++
			cancel()
		}))
		for range 2 * mostGivenUp {
			r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
			r.ProtoMajor, r.RemoteAddr = 2, "192.0.2.1:1"
			h.ServeHTTP(nil, r)
		}
		everybodys := s.cfg.Proxies.trusts(netip.MustParseAddr("192.0.2.1"))
		if waits := time.Until(below.givenUp.upTo) > 0; served != 1 || waits == everybodys {
			t.Errorf("proxy %s: %d are served, the connection waits: %v", proxy, served, waits)
		}
		if n := s.limits.refused[limitGivenUp].Load(); (n == 0) != everybodys {
			t.Errorf("proxy %s: %d are counted", proxy, n)
		}
	}
}

// However many uploads there are, what has arrived of all of them is bounded.
func TestUploads_KeepTheirPart(t *testing.T) {
	t.Parallel()
	for uploads, want := range map[int64]int{0: 256 << 10, 1: 256 << 10, 256: 256 << 10, 1024: 64 << 10, 1 << 20: 16 << 10} {
		all := new(atomic.Int64)
		all.Store(uploads)
		if got := newIncoming(all).most(); got != want {
			t.Errorf("of %d uploads one keeps %d bytes, want %d", uploads, got, want)
		}
	}
}
