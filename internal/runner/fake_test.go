package runner

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/stepcast/stepcast/internal/ci"
)

// testToken is the one that a contract takes.
var testToken = ci.NewToken()

// contract is a handler that keeps the write side of the HTTP contract for
// clients to be tried against: offsets, statuses, all or nothing. Faults go in
// front of it.
type contract struct {
	mu       sync.Mutex
	builds   map[string]*fakeBuild
	requests []fakeRequest
	quota    int // bytes that are kept of a step's log; 0: all
	// fault, if set, sees each request first; true: it has answered.
	fault func(n int, w http.ResponseWriter, r *http.Request) bool
}

type fakeBuild struct {
	project, status, title string
	started                *time.Time
	steps                  map[string]*fakeStep
}

type fakeStep struct {
	Key      string `json:"key"`
	Status   string `json:"status"`
	LogBytes int    `json:"log_bytes"`
	log      []byte
	lost     [][2]int
	exit     *int
	closed   bool
	started  *time.Time
	name     string
	reporter string
	notes    []ci.Note
}

type fakeRequest struct {
	path, body string
	texts      int
	alive      bool
	packed     bool
}

func newContract() *contract { return &contract{builds: make(map[string]*fakeBuild)} }

func (c *contract) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	packed := r.Header.Get("Content-Encoding") == "zstd"
	body, _ := io.ReadAll(r.Body)
	if packed {
		z, _ := zstd.NewReader(nil)
		defer z.Close()
		body, _ = z.DecodeAll(body, nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, fakeRequest{path: r.URL.Path, body: string(body), packed: packed})
	if len(body) > 1<<20 {
		problem(w, 413, "too-large", nil)
		return
	}
	if c.fault != nil && c.fault(len(c.requests), w, r) {
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/builds"), "/")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+testToken:
		problem(w, 401, "unauthorized", nil)
	case len(parts) == 1:
		c.create(w, body)
	case c.builds[parts[1]] == nil:
		problem(w, 404, "not-found", nil)
	case r.Method == http.MethodGet:
		b := c.builds[parts[1]]
		steps := []*fakeStep{}
		for _, s := range b.steps {
			steps = append(steps, s)
		}
		json.NewEncoder(w).Encode(map[string]any{"id": parts[1], "project": b.project, "title": b.title, "status": b.status, "steps": steps})
	default:
		c.update(w, c.builds[parts[1]], body)
	}
}

func problem(w http.ResponseWriter, status int, code string, more map[string]any) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	p := map[string]any{"type": "/problems/" + code, "title": code, "status": status, "detail": "It is " + code + "."}
	for k, v := range more {
		p[k] = v
	}
	json.NewEncoder(w).Encode(p)
}

func (c *contract) create(w http.ResponseWriter, body []byte) {
	var b newBuild
	if err := strict(body, &b); err != nil {
		problem(w, 400, "invalid", nil)
		return
	}
	id := b.ID.String()
	if c.builds[id] == nil {
		build := &fakeBuild{project: b.Project, status: string(b.Status), title: b.Title, steps: make(map[string]*fakeStep)}
		for _, s := range b.Steps {
			build.steps[string(s.Key)] = &fakeStep{Key: string(s.Key), Status: "queued"}
		}
		c.builds[id] = build
		w.WriteHeader(201)
	}
	w.Write([]byte(`{"id":"` + id + `"}`))
}

func (c *contract) update(w http.ResponseWriter, b *fakeBuild, body []byte) {
	var req struct {
		Updates []struct {
			Step  *stepUpdate
			Build *buildUpdate
			Note  *noteUpdate
			Log   *struct {
				Step   string
				Offset int
				At     string
				Text   *string
				Base64 []byte
				Lost   int
			}
		}
		Alive []string
	}
	if err := strict(body, &req); err != nil {
		problem(w, 400, "invalid", nil)
		return
	}
	// All or nothing: on a copy.
	next := &fakeBuild{project: b.project, status: b.status, title: b.title, started: b.started, steps: make(map[string]*fakeStep)}
	for k, s := range b.steps {
		copied := *s
		copied.lost = slices.Clone(s.lost)
		next.steps[k] = &copied
	}
	step := func(key string) *fakeStep {
		if next.steps[key] == nil {
			next.steps[key] = &fakeStep{Key: key, Status: "queued"}
		}
		return next.steps[key]
	}
	logs, cut := map[string]int{}, map[string]ci.Quota{}
	last := &c.requests[len(c.requests)-1]
	for i, u := range req.Updates {
		switch {
		case u.Log != nil:
			s := step(u.Log.Step)
			text := u.Log.Base64
			if u.Log.Text != nil {
				text = []byte(*u.Log.Text)
			}
			end := u.Log.Offset + len(text) + u.Log.Lost
			switch {
			case c.quota > 0 && end > c.quota:
				logs[u.Log.Step], cut[u.Log.Step] = end, ci.Quota{Of: ci.OfBuild, Bytes: int64(c.quota)}
				continue
			case u.Log.Offset > s.LogBytes:
				problem(w, 409, "log-gap", map[string]any{"index": i, "offset": s.LogBytes})
				return
			case end > s.LogBytes && s.closed:
				problem(w, 409, "log-complete", map[string]any{"index": i, "offset": s.LogBytes})
				return
			case end > s.LogBytes:
				if u.Log.Lost > 0 {
					s.lost = append(s.lost, [2]int{s.LogBytes, end - s.LogBytes})
					text = bytes.Repeat([]byte{'?'}, u.Log.Lost)
				}
				s.log = append(s.log[:s.LogBytes], text[s.LogBytes-u.Log.Offset:]...)
				s.LogBytes = end
			}
			logs[u.Log.Step] = s.LogBytes
			last.texts++
		case u.Step != nil:
			s := step(string(u.Step.Key))
			if by := u.Step.Reporter; by != "" {
				if s.reporter != "" && s.reporter != by {
					problem(w, 409, "step-taken", map[string]any{"index": i})
					return
				}
				s.reporter = by
			}
			final := func(st string) bool { return st == "passed" || st == "failed" || st == "canceled" }
			switch to := string(u.Step.Status); {
			case final(s.Status) && final(to) && s.Status != to:
				problem(w, 409, "status-final", map[string]any{"index": i, "current_status": s.Status})
				return
			case to != "" && !final(s.Status):
				s.Status = to
				if to == "running" && (next.status == "" || next.status == "queued") {
					next.status = to
				}
			}
			if u.Step.ExitCode != nil {
				s.exit = u.Step.ExitCode
			}
			if u.Step.StartedAt != nil {
				s.started = u.Step.StartedAt
			}
			if u.Step.Name != "" {
				s.name = u.Step.Name
			}
			if n := u.Step.LogBytes; n != nil {
				if c.quota > 0 && int(*n) > s.LogBytes {
					s.LogBytes = int(*n)
				}
				if int(*n) > s.LogBytes {
					problem(w, 409, "log-incomplete", map[string]any{"index": i, "offset": s.LogBytes})
					return
				}
				if int(*n) < s.LogBytes {
					problem(w, 409, "log-longer", map[string]any{"index": i, "offset": s.LogBytes})
					return
				}
				s.closed = true
			}
		case u.Note != nil:
			s := step(string(u.Note.Step))
			switch n := int(u.Note.Number); {
			case n > len(s.notes):
				problem(w, 409, "note-gap", map[string]any{"index": i, "number": len(s.notes)})
				return
			case n == len(s.notes):
				s.notes = append(slices.Clip(s.notes), u.Note.Note)
			}
		default:
			next.status = string(u.Build.Status)
			if u.Build.StartedAt != nil {
				next.started = u.Build.StartedAt
			}
		}
	}
	last.alive = len(req.Alive) > 0
	for _, key := range req.Alive {
		if next.steps[key] == nil {
			problem(w, 400, "unknown-step", nil)
			return
		}
	}
	*b = *next
	json.NewEncoder(w).Encode(map[string]any{"last_event_id": "aaaaaa-1", "logs": logs, "cut": cut})
}

func strict(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// step returns the only step of the only build.
func (c *contract) step(t *testing.T) (fakeBuild, fakeStep) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.builds) != 1 {
		t.Fatalf("%d builds, want 1", len(c.builds))
	}
	for _, b := range c.builds {
		if len(b.steps) != 1 {
			t.Fatalf("%d steps, want 1", len(b.steps))
		}
		for _, s := range b.steps {
			return *b, *s
		}
	}
	panic("unreachable")
}

func (c *contract) bytes(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.builds {
		if s := b.steps[key]; s != nil {
			return s.LogBytes
		}
	}
	return 0
}

// serve puts the contract behind a socket.
func serve(t testing.TB, c *contract) *Client {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	client, err := NewClient(server.URL, testToken)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.HTTP.CloseIdleConnections)
	return client
}

// inMemory answers requests without a socket, for tests in a synctest bubble.
type inMemory struct{ http.Handler }

func (h inMemory) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil { // http.ErrAbortHandler: the connection broke, or who asked has gone
			resp, err = nil, cmp.Or(r.Context().Err(), fmt.Errorf("broken connection: %v", p))
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// say collects what the user is told.
type sayings struct {
	mu    sync.Mutex
	lines []string
}

func (s *sayings) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *sayings) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

func options(s *sayings) ReportOptions {
	return ReportOptions{Build: ci.NewBuildID(), Own: true, Project: "acme/api", Step: "test", Name: "make test", Say: s.say}
}

// clientOf is a client whose requests h answers without a socket.
func clientOf(t *testing.T, server string, h http.Handler) *Client {
	t.Helper()
	client, err := NewClient(server, testToken)
	if err != nil {
		t.Fatal(err)
	}
	client.HTTP.Transport = inMemory{h}
	return client
}
