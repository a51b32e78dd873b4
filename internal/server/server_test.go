package server

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/feed"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/sweep"
)

// patience bounds whatever should be quick, on a machine that is busy.
const patience = time.Minute

// A testServer is a whole server on a database of its own.
type testServer struct {
	t     *testing.T
	url   string // http://127.0.0.1:port
	token string
	store *postgres.Store
	*Server
	stop      func()            // shuts down, and waits
	transport http.RoundTripper // of do; nil: the usual
}

func start(t *testing.T) *testServer {
	t.Helper()
	return startOn(t, pgtest.New(t))
}

// startOn starts one more process on a database, which is told what change
// says.
func startOn(t *testing.T, database string, change ...func(*Config)) *testServer {
	t.Helper()
	var cfg Config
	for _, change := range change {
		change(&cfg)
	}
	return startWith(t, postgres.Config{URL: database}, cfg)
}

// startWith is a server of which more is set than its database.
func startWith(t *testing.T, database postgres.Config, cfg Config) *testServer {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: sweep.LogLevel()}))
	database.Log = log
	store, err := postgres.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tails := feed.New(store, feed.Options{Log: log})
	cfg.Store, cfg.Tails, cfg.Log = store, tails, cmp.Or(cfg.Log, log)
	s := &testServer{t: t, url: "http://" + ln.Addr().String(), store: store, Server: New(cfg)}
	layers, down := context.WithCancel(context.Background())
	serving, stop := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error { return store.Run(layers, tails) })
	group.Go(func() error { tails.Run(layers); return nil })
	group.Go(func() error {
		defer down()
		return s.Serve(serving, ln)
	})
	s.stop = func() {
		stop()
		if err := group.Wait(); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	t.Cleanup(func() {
		s.Server.open.closeAll()
		s.stop()
		store.Close()
	})
	s.token = s.addToken(postgres.Token{Name: "test", Scopes: []ci.Scope{ci.ScopeReport, ci.ScopeRead, ci.ScopeAdmin}, Project: "*"})
	return s
}

func (s *testServer) addToken(t postgres.Token) string {
	s.t.Helper()
	text := ci.NewToken()
	sweep.Secret(s.t, text, slices.Equal(t.Scopes, []ci.Scope{ci.ScopeStatus}))
	sum, err := ci.ParseToken(text)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.store.AddToken(s.t.Context(), postgres.Actor{Name: "a test"}, sum, t); err != nil {
		s.t.Fatal(err)
	}
	return text
}

// An answer is a response that was read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) problem() (p struct {
	Type, Title, Detail, Field string
	Status                     int
	Index                      *int
	Offset                     *int64
	Limit                      int64
	Current                    string `json:"current_status"`
}) {
	json.Unmarshal([]byte(a.body), &p)
	return p
}

// do sends a request. Headers are "Name: value".
func (s *testServer) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	client := http.Client{Transport: s.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: patience}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{res.StatusCode, res.Header, string(text)}
	a.keep(s.t)
	return a
}

// keep keeps what is no success for the search for secrets, without the cookie,
// which is one.
func (a answer) keep(t *testing.T) {
	if a.status >= 300 && sweep.On() {
		header := a.header.Clone()
		header.Del("Set-Cookie")
		sweep.Keep(t, sweep.Answer, fmt.Sprint(a.status, " ", header, "\n", a.body))
	}
}

func (s *testServer) get(path string, headers ...string) answer {
	s.t.Helper()
	return s.do("GET", path, "", headers...)
}

// write sends JSON with the token.
func (s *testServer) write(path, body string, headers ...string) answer {
	s.t.Helper()
	return s.do("POST", path, body, append([]string{"Authorization: Bearer " + s.token, "Content-Type: application/json"}, headers...)...)
}

// create makes a build and returns its path.
func (s *testServer) create(body string) string {
	s.t.Helper()
	a := s.write("/api/v1/builds", body)
	if a.status != http.StatusCreated {
		s.t.Fatalf("create: %d %s", a.status, a.body)
	}
	return a.header.Get("Location")
}

// update posts updates that must be taken, and returns the last event id.
func (s *testServer) update(build, updates string) string {
	s.t.Helper()
	a := s.write(build+"/updates", `{"updates":[`+updates+`]}`)
	if a.status != http.StatusOK {
		s.t.Fatalf("update: %d %s", a.status, a.body)
	}
	var r struct {
		Last string `json:"last_event_id"`
	}
	json.Unmarshal([]byte(a.body), &r)
	return r.Last
}

// log is an update with text.
func logText(step string, offset int, text string) string {
	quoted, _ := json.Marshal(text)
	return fmt.Sprintf(`{"log":{"step":%q,"offset":%d,"at":"2026-11-22T10:00:00Z","text":%s}}`, step, offset, quoted)
}

// last returns the build's last event id.
func (s *testServer) last(build string) string {
	s.t.Helper()
	var b struct {
		Last string `json:"last_event_id"`
	}
	json.Unmarshal([]byte(s.get(build).body), &b)
	return b.Last
}

// A raw is a stream over a socket, byte for byte.
type raw struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func (s *testServer) connect() *raw {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &raw{s.t, conn, bufio.NewReader(conn)}
}

// dial asks for a stream by hand and returns the status and the headers.
func (s *testServer) dial(path string, headers ...string) (*raw, int, http.Header) {
	s.t.Helper()
	r := s.connect()
	conn := r.conn
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n", path)
	for _, h := range headers {
		fmt.Fprintf(conn, "%s\r\n", h)
	}
	fmt.Fprint(conn, "\r\n")
	res, err := http.ReadResponse(r.r, nil)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	return r, res.StatusCode, res.Header
}

// frame returns the next frame, without its empty line.
func (r *raw) frame() string {
	r.t.Helper()
	var frame strings.Builder
	for {
		line, err := r.r.ReadString('\n')
		if err != nil {
			r.t.Fatalf("after %q: %v", frame.String()+line, err)
		}
		if line == "\n" {
			return frame.String()
		}
		frame.WriteString(line)
	}
}

// until returns the frames up to and including the one of this event.
func (r *raw) until(event string) []string {
	r.t.Helper()
	var frames []string
	for {
		f := r.frame()
		frames = append(frames, f)
		if strings.Contains(f, "event: "+event+"\n") {
			return frames
		}
	}
}

// rest returns everything up to the end of the connection.
func (r *raw) rest() string {
	r.t.Helper()
	text, err := io.ReadAll(r.r)
	if err != nil {
		r.t.Fatalf("%v after %q", err, text)
	}
	return string(text)
}

// field returns the value of a frame's field.
func field(frame, name string) string {
	for line := range strings.Lines(frame) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSuffix(value, "\n")
		}
	}
	return ""
}

var update = os.Getenv("UPDATE") != ""

// golden compares bytes that others depend on with a file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (UPDATE=1 writes it anew); got:\n%s", path, got)
	}
}

// serveHandler serves a server that needs no database.
func serveHandler(t *testing.T, s *Server) string {
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return srv.URL
}
