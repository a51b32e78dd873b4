package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
)

// createLong makes a build of so many steps with names of 450 bytes, all of which an
// answer with it has. The steps come in parts: with the race detector on a busy machine
// the most that a build may have takes longer than a transaction may pause.
func (s *testServer) createLong(project string, steps int) (build string) {
	s.t.Helper()
	build = s.create(`{"project":"` + project + `"}`)
	list := make([]string, steps)
	for i := range list {
		list[i] = fmt.Sprintf(`{"step":{"key":"%d","name":"%s"}}`, i, strings.Repeat("x", 450))
	}
	for part := range slices.Chunk(list, 250) {
		s.update(build, strings.Join(part, ","))
	}
	return build
}

// TestLimits_Unread asks for a long answer while it is being sent the one before,
// again and again: what one address may leave unread has an end, for another there
// is room, and afterwards nothing is counted any more.
func TestLimits_Unread(t *testing.T) {
	t.Parallel()
	s := limited(t, Limits{Requests: -1})
	build := s.createLong("p", ci.MaxSteps)
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
	build := s.createLong("p", ci.MaxSteps)
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
	s.createLong("p", 200)
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

// TestStreams_Unread opens many streams of one long log whose readers take nothing. All
// that each costs is what is its own: the text is there once.
func TestStreams_Unread(t *testing.T) { // alone, so that the heap is its own
	s := limited(t, Limits{Requests: -1})
	build := s.create(`{"project":"p"}`)
	for i := range 8 {
		s.update(build, logText("a", i*200_000, strings.Repeat(strings.Repeat("x", 3_999)+"\n", 50)))
	}
	id := strings.TrimPrefix(build, "/api/v1/builds/")
	heap := func() int {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int(stats.HeapAlloc)
	}
	const readers = 40
	unread := func(path string) (grown int) {
		before, release := heap(), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var stalled, over sync.WaitGroup
		stalled.Add(readers)
		for range readers {
			first := sync.OnceFunc(func() {
				stalled.Done()
				<-release
				cancel()
			})
			w := &eachWrite{ResponseRecorder: httptest.NewRecorder(), look: func(data string) {
				if strings.Contains(data, "event: log") {
					first()
				}
			}}
			over.Go(func() {
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
				r.Header.Set("Accept", "text/event-stream")
				s.Handler().ServeHTTP(w, r)
			})
		}
		stalled.Wait()
		grown = heap() - before
		close(release)
		over.Wait()
		return grown
	}
	for _, path := range []string{"/api/v1/streams?log=" + id + ";after=", build + "/events"} {
		if grown := unread(path); grown > readers*(128<<10)+(8<<20) {
			t.Errorf("%d readers of %s that take nothing cost %d MiB", readers, path, grown>>20)
		}
	}
}
