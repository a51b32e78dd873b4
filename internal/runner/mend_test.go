package runner

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/mask"
	"github.com/stepcast/stepcast/internal/spool"
)

// A server that does not know the build any more gets it again, once, with all
// that the spool has: not only what it lacked.
func TestReport_ABuildThatWasForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, "::group::one\nfirst line\n")
			time.Sleep(time.Second)
			synctest.Wait()
			c.mu.Lock()
			clear(c.builds)
			c.mu.Unlock()
			fmt.Fprint(r, "second line\n")
			passed(r)
		})
		build, step := c.step(t)
		if err != nil || string(step.log) != "::group::one\nfirst line\nsecond line\n" || !step.closed || build.status != "passed" || build.project != "acme/api" {
			t.Errorf("error %v; build %s with %q", err, build.status, step.log)
		}
		if len(step.notes) != 2 || step.notes[0].Group.Name != "one" || step.notes[1].GroupEnd == nil {
			t.Errorf("notes %+v", step.notes)
		}
		if lines := said.all(); len(lines) != 1 || lines[0] != "the server does not know the build any more; it is created again" {
			t.Errorf("said %q", lines)
		}
	})
}

// A step that the server does not know any more, as after a dump from before it, is there
// again with the next heartbeat, though it says nothing.
func TestReport_AStepThatWasForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, "first line\n")
			time.Sleep(time.Second)
			synctest.Wait()
			c.mu.Lock()
			for _, b := range c.builds {
				clear(b.steps)
			}
			c.mu.Unlock()
			time.Sleep(2 * beatEvery)
			synctest.Wait()
			if _, step := c.step(t); step.Status != "running" || step.started == nil {
				t.Errorf("the step is %s, and began at %v", step.Status, step.started)
			}
			passed(r)
		})
		if _, step := c.step(t); err != nil || string(step.log) != "first line\n" || step.Status != "passed" {
			t.Errorf("error %v; the step is %s with %q", err, step.Status, step.log)
		}
	})
}

// What is kept of a build of others, in case that it is forgotten, has nothing in it that is
// to be hidden, and a bound; and it is nothing but a build's own word.
func TestReport_ABuildOfOthersThatWasForgotten(t *testing.T) {
	t.Parallel()
	for _, friendly := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			opt := options(said)
			opt.Own, opt.Guessed, opt.Masker = false, true, mask.New()
			if err := opt.Masker.Add("s3cret"); err != nil {
				t.Fatal(err)
			}
			id := opt.Build.String()
			theirs := &fakeBuild{project: "acme/theirs", title: "All of s3cret", status: "running", steps: map[string]*fakeStep{}}
			for n := range 2 * mostPlanned {
				key := fmt.Sprint(n)
				theirs.steps[key] = &fakeStep{Key: key, Status: "queued"}
			}
			c.builds[id] = theirs
			c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if friendly && n == 1 {
					fmt.Fprint(w, `{"project":"acme/nobody","title":"Sign in"}`)
				}
				return friendly && n == 1
			}
			err := reported(t, c, opt, func(r *Report) {
				fmt.Fprint(r, "first line\n")
				time.Sleep(time.Second)
				synctest.Wait()
				c.mu.Lock()
				clear(c.builds)
				c.mu.Unlock()
				passed(r)
			})
			b, want := c.builds[id], fmt.Sprintf("acme/theirs, All of ***, %d", mostPlanned+1)
			if friendly {
				want = "acme/api, , 1"
			}
			if got := fmt.Sprintf("%s, %s, %d", b.project, b.title, len(b.steps)); err != nil || got != want || b.steps["test"].Status != "passed" {
				t.Errorf("error %v; the build is %s, want %s; said %q", err, got, want, said.all())
			}
		})
	}
}

// A server that forgets for ever is believed at the second time.
func TestReport_ABuildThatIsForgottenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			clear(c.builds)
			return false
		}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, "text\n")
			passed(r)
		})
		if !hasCode(err, ci.NotFound) || len(c.requests) != 4 {
			t.Errorf("error %v after %d requests; said %q", err, len(c.requests), said.all())
		}
	})
}

// An id that another project has: the next of a series that is the same on
// every job; and of a build of our own, any other.
func TestReport_TheNextIDOfTheSeries(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			opt := options(said)
			if opt.Own = own; !own {
				opt.Run = "a run"
				opt.Build = ci.DerivedBuildID(opt.Run, 0)
			}
			taken := 0
			c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n <= 2 {
					taken++
					problem(w, 409, "build-id-taken", nil)
				}
				return n <= 2
			}
			if err := reported(t, c, opt, passed); err != nil || taken != 2 {
				t.Fatal(err, said.all())
			}
			_, step := c.step(t)
			if step.Status != "passed" {
				t.Errorf("step %+v", step)
			}
			if want := ci.DerivedBuildID("a run", 2).String(); !own && c.builds[want] == nil {
				t.Errorf("builds %v, want %s", c.builds, want)
			}
		})
	}
}

// Two reporters of one key never share a log.
func TestReport_AStepOfAnotherReporter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		opt := options(said)
		opt.Own = false
		c.builds[opt.Build.String()] = &fakeBuild{status: "running", steps: map[string]*fakeStep{}}
		c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 { // between our look and our first word
				c.builds[opt.Build.String()].steps["test"] = &fakeStep{Key: "test", Status: "running", reporter: "another", log: []byte("theirs"), LogBytes: 6}
			}
			return false
		}
		err := reported(t, c, opt, func(r *Report) {
			fmt.Fprint(r, "ours\n")
			passed(r)
		})
		steps := c.builds[opt.Build.String()].steps
		if err != nil || string(steps["test"].log) != "theirs" || string(steps["test-2"].log) != "ours\n" || steps["test-2"].Status != "passed" {
			t.Errorf("error %v, steps %+v", err, steps)
		}
		if lines := said.all(); len(lines) != 1 || lines[0] != "the step test is somebody else's; this is reported as test-2" {
			t.Errorf("said %q", lines)
		}
	})
}

// A build that ends meanwhile is another one from then on, and where that is to be watched
// is said as well.
func TestReport_WatchesTheNextBuild(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		opt := options(said)
		opt.Own, opt.Watch, opt.Run = false, true, "a run"
		opt.Build = ci.DerivedBuildID(opt.Run, 0)
		c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			ended := strings.Contains(r.URL.Path, opt.Build.String()) && strings.Contains(c.requests[len(c.requests)-1].body, "late")
			if ended {
				problem(w, 409, string(ci.BuildFinished), nil)
			}
			return ended
		}
		err := reported(t, c, opt, func(r *Report) {
			fmt.Fprint(r, "text\n")
			time.Sleep(time.Second)
			synctest.Wait()
			fmt.Fprint(r, "late\n")
			passed(r)
		})
		lines := said.all()
		if err != nil || len(lines) != 3 || !strings.HasSuffix(lines[0], opt.Build.String()) || !strings.HasPrefix(lines[2], "watch ") || !strings.HasSuffix(lines[2], ci.DerivedBuildID(opt.Run, 1).String()) {
			t.Errorf("error %v; said %q", err, lines)
		}
	})
}

// A server that is never content is given up.
func TestReport_NeverContent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		updates := 0
		c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/updates") {
				return false
			}
			updates++
			problem(w, 409, string(ci.LogLonger), nil)
			return true
		}
		if err := reported(t, c, options(said), func(r *Report) { passed(r) }); err == nil || updates != mostMendings {
			t.Errorf("error %v after %d requests", err, updates)
		}
		if lines := said.all(); len(lines) != 2 {
			t.Errorf("said %q", lines)
		}
	})
}

// A proxy that takes only small bodies gets small ones.
func TestReport_SmallerBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			if len(c.requests[len(c.requests)-1].body) > 100_000 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return true
			}
			return false
		}
		want := strings.Repeat("some plain text\n", 100_000)
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, want)
			passed(r)
		})
		if _, step := c.step(t); err != nil || string(step.log) != want || len(said.all()) != 0 {
			t.Errorf("error %v; %d of %d bytes; said %q", err, len(step.log), len(want), said.all())
		}
	})
}

// A restored backup that lacks notes too gets the same ones again.
func TestReport_NotesOnceMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		err := reported(t, c, options(said), func(r *Report) {
			for i := range 5 {
				fmt.Fprintf(r, "main.go:%d:1: undefined: x%d\n", i+1, i)
				fmt.Fprintf(r, "::group::%d\n", i)
				time.Sleep(time.Second)
			}
			synctest.Wait()
			c.mu.Lock()
			for _, b := range c.builds {
				b.steps["test"].notes = b.steps["test"].notes[:3]
			}
			c.mu.Unlock()
			fmt.Fprint(r, "::group::last\n")
			passed(r)
		})
		_, step := c.step(t)
		var got []string
		for _, n := range step.notes {
			switch {
			case n.Group != nil:
				got = append(got, n.Group.Name)
			case n.GroupEnd != nil:
				got = append(got, fmt.Sprintf("/%d", n.GroupEnd.Group))
			}
		}
		if want := "0 /1 1 /4 2 /7 3 /10 4 /13 last /15"; err != nil || strings.Join(got, " ") != want {
			t.Errorf("error %v; notes %q, want %q; said %q", err, got, want, said.all())
		}
	})
}

// A server of an earlier release refuses the first note: the log goes on.
func TestReport_AServerWithoutNotes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			body := c.requests[len(c.requests)-1].body
			i := strings.Index(body, `{"note":`)
			if i >= 0 {
				problem(w, 400, "invalid", map[string]any{"index": strings.Count(body[:i], `{"log":`) + strings.Count(body[:i], `{"step":{`) + strings.Count(body[:i], `{"build":{`)})
			}
			return i >= 0
		}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, "::group::one\n")
			passed(r)
		})
		if _, step := c.step(t); err != nil || string(step.log) != "::group::one\n" || !step.closed || len(said.all()) != 1 {
			t.Errorf("error %v; step %+v; said %q", err, step, said.all())
		}
	})
}

// What a process that was killed has left is delivered by the next one, from
// where the server is, and with the words that it had in mind.
func TestResume_GoesOnWhereTheOtherEnded(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{true, false} {
		t.Run(fmt.Sprint("ended=", ended), func(t *testing.T) {
			t.Parallel()
			c, said := newContract(), &sayings{}
			client := serve(t, c)
			opt := options(said)
			opt.SpoolRoot = filepath.Join(t.TempDir(), "spool")
			r := NewReport(client, opt)
			fmt.Fprint(r, "::group::one\nsent\n")
			ctx, kill := context.WithCancel(t.Context())
			killed := make(chan error)
			go func() { killed <- r.Send(ctx) }()
			for c.bytes("test") == 0 {
				runtime.Gosched()
			}
			refused := make(chan struct{}, 1000)
			c.mu.Lock()
			c.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				refused <- struct{}{}
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
			c.mu.Unlock()
			fmt.Fprint(r, "not sent\n")
			if ended {
				r.AddTests([]ci.Test{{Name: "one", Status: ci.Passed}})
				r.Finish(Ending{Status: ci.Failed, ExitCode: 3, At: time.Now()})
			} else {
				r.spool.Seal()
			}
			<-refused
			kill()
			<-killed
			r.spool.Close()

			c.mu.Lock()
			c.fault = nil
			c.mu.Unlock()
			left := Leftovers{Client: client, Root: opt.SpoolRoot, Say: said.say}
			tally, err := left.Deliver(t.Context())
			if err != nil || tally.Delivered != 1 {
				t.Fatalf("%+v, %v; said %q", tally, err, said.all())
			}
			_, step := c.step(t)
			if string(step.log) != "::group::one\nsent\nnot sent\n" {
				t.Errorf("the log is %q", step.log)
			}
			if ended && (step.Status != "failed" || !step.closed || *step.exit != 3 || len(step.notes) != 3) {
				t.Errorf("the step is %+v", step)
			}
			if !ended && (step.Status != "running" || step.closed || len(step.notes) != 1) {
				t.Errorf("the step is %+v", step)
			}
			if dirs, _ := spool.List(opt.SpoolRoot); len(dirs) != 0 {
				t.Errorf("left: %v", dirs)
			}
		})
	}
}

// The step that a dead process had in mind is another's by now: its log is not
// touched, and nothing of ours is lost.
func TestResume_NeverWritesIntoAnothersStep(t *testing.T) {
	t.Parallel()
	c, said := newContract(), &sayings{}
	client := serve(t, c)
	opt := options(said)
	opt.SpoolRoot, opt.Own = filepath.Join(t.TempDir(), "spool"), false
	r := NewReport(client, opt)
	fmt.Fprint(r, "ours, and more than theirs\n")
	_ = r.record(entry{Joined: &joined{Build: opt.Build, Step: "test"}})
	r.Finish(Ending{Status: ci.Failed, ExitCode: 3, At: time.Now()})
	r.spool.Close()
	c.builds[opt.Build.String()] = &fakeBuild{status: "running", steps: map[string]*fakeStep{
		"test": {Key: "test", Status: "running", reporter: "another", log: []byte("theirs\n"), LogBytes: 7},
	}}
	if tally, err := NewLeftovers(client, opt.SpoolRoot, opt.Spool, said.say).Deliver(t.Context()); err != nil || tally.Delivered != 1 {
		t.Fatalf("%+v, %v; said %q", tally, err, said.all())
	}
	steps := c.builds[opt.Build.String()].steps
	if got := string(steps["test"].log); got != "theirs\n" {
		t.Errorf("their log is %q", got)
	}
	if s := steps["test-2"]; s == nil || string(s.log) != "ours, and more than theirs\n" || s.Status != "failed" {
		t.Errorf("ours is %+v", s)
	}
}

// One report that is refused holds up no other, unless what is said to it is said
// to all; what is left is counted either way.
func TestLeftovers_WhatMayGoGoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		status    int
		code      string
		delivered int
		bytes     int64
		asked     int // how often the server was
	}{
		{"a token for other projects", 403, "token-project", 2, 4, 5},
		{"a proxy", 403, "", 2, 4, 5},
		{"a token that reports nothing", 403, "token-scope", 0, 15, 1},
		{"an unknown token", 401, "token-unknown", 0, 15, 1},
	} {
		for _, quiet := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, ", quiet ", quiet), func(t *testing.T) {
				t.Parallel()
				server, said := newContract(), &sayings{}
				client, root := serve(t, server), filepath.Join(t.TempDir(), "spool")
				for i, text := range []string{"one\n", "three\n", "five\n"} {
					opt := options(said)
					opt.SpoolRoot = root
					if i == 0 {
						opt.Project = "acme/other"
					}
					r := NewReport(client, opt)
					fmt.Fprint(r, text)
					passed(r)
					if err := r.Close(false); err != nil {
						t.Fatal(err)
					}
				}
				server.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
					if !strings.Contains(server.requests[n-1].body, "acme/other") {
						return false
					}
					if c.code == "" {
						w.WriteHeader(c.status)
					} else {
						problem(w, c.status, c.code, nil)
					}
					return true
				}
				left := NewLeftovers(client, root, spool.Options{}, said.say)
				left.Quiet = quiet
				tally, err := left.Deliver(t.Context())
				if err == nil || tally.Delivered != c.delivered || len(server.requests) != c.asked {
					t.Errorf("%+v, %v, asked %d times", tally, err, len(server.requests))
				}
				if !quiet && (tally.Waiting != 3-c.delivered || tally.Bytes != c.bytes) {
					t.Errorf("%+v", tally)
				}
				lines := said.all()
				if quiet && len(lines) > 0 || !quiet && (len(lines) != 1+c.delivered || !strings.HasPrefix(lines[0], "the report of step test of build ")) {
					t.Errorf("said %q", lines)
				}
				if dirs, _ := spool.List(root); len(dirs) != 3-c.delivered {
					t.Errorf("left: %v", dirs)
				}
			})
		}
	}
}

// A server that is away is waited for with the oldest report; the others are
// counted, and have not begun to grow old.
func TestLeftovers_AreCountedWithoutAServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		said, root := &sayings{}, filepath.Join(t.TempDir(), "spool")
		client := clientOf(t, "http://ci.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		for range 3 {
			opt := options(said)
			opt.SpoolRoot = root
			r := NewReport(client, opt)
			fmt.Fprint(r, "text\n")
			passed(r)
			if err := r.Close(false); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		tally, _ := NewLeftovers(client, root, spool.Options{}, said.say).Deliver(ctx)
		if tally.Waiting != 3 || tally.Bytes != 15 || len(said.all()) != 1 {
			t.Errorf("%+v; said %q", tally, said.all())
		}
		if seen, err := filepath.Glob(filepath.Join(root, "*", "seen")); err != nil || len(seen) != 1 {
			t.Errorf("looked at: %v, %v", seen, err)
		}
	})
}

// A proxy that answers 200 to everything has stored nothing.
func TestReport_BelievesOnlyReceipts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		// The last word of all, which nothing that follows would mend.
		friendly := 0
		c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
			body := c.requests[len(c.requests)-1].body
			if !strings.Contains(body, `"log_bytes"`) {
				return false
			}
			friendly++
			switch friendly {
			case 1:
				fmt.Fprint(w, "<html>Sign in to our network</html>")
			case 2:
				fmt.Fprint(w, `{"ok":true}`)
			case 3: // of the text that comes with it, it says that it has none
				fmt.Fprint(w, `{"last_event_id":"aaaaaa-9","logs":{}}`)
			default:
				return false
			}
			return true
		}
		err := reported(t, c, options(said), func(r *Report) {
			for range 5 {
				time.Sleep(time.Second)
				fmt.Fprint(r, "text\n")
			}
			passed(r)
		})
		if _, step := c.step(t); err != nil || friendly != 4 || string(step.log) != strings.Repeat("text\n", 5) || step.Status != "passed" {
			t.Errorf("error %v after %d friendly answers; the step is %s with %q", err, friendly, step.Status, step.log)
		}
	})
}

// A closed log is no reason to go round and round.
func TestReport_RestsAfterTheLogWasClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, "text\n")
			time.Sleep(time.Second)
			synctest.Wait()
			c.mu.Lock()
			for _, b := range c.builds {
				b.steps["test"].closed = true
			}
			c.mu.Unlock()
			fmt.Fprint(r, strings.Repeat("more\n", flushBytes))
			time.Sleep(time.Minute) // in the bubble, time stands still for whoever spins
			passed(r)
		})
		if err != nil || len(c.requests) > 10 {
			t.Errorf("error %v after %d requests", err, len(c.requests))
		}
	})
}
