package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// reported runs a report in a synctest bubble against the contract in memory.
func reported(t *testing.T, c *contract, opt ReportOptions, command func(r *Report)) error {
	t.Helper()
	r := NewReport(clientOf(t, "http://127.0.0.1:1", c), opt)
	sent := make(chan error, 1)
	go func() { sent <- r.Send(t.Context()) }()
	command(r)
	return <-sent
}

func passed(r *Report) { r.Finish(Ending{Status: ci.Passed, At: time.Now()}) }

func TestReport_ABuildOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, "hello\n")
			time.Sleep(time.Second)
			fmt.Fprint(r, "bad \xff byte\n")
			r.Finish(Ending{Status: ci.Failed, ExitCode: 3, At: time.Now()})
			fmt.Fprint(r, "too late\n")
		})
		build, step := c.step(t)
		if err != nil || len(said.all()) > 0 {
			t.Errorf("error %v, said %q", err, said.all())
		}
		if build.project != "acme/api" || build.status != "failed" {
			t.Errorf("the build is %+v", build)
		}
		if build.started == nil || step.started == nil || build.started.After(*step.started) {
			t.Errorf("the build began at %v, its step at %v", build.started, step.started)
		}
		if step.Key != "test" || step.name != "make test" || step.Status != "failed" || *step.exit != 3 || !step.closed {
			t.Errorf("the step is %+v", step)
		}
		if want := "hello\nbad \xff byte\n"; string(step.log) != want {
			t.Errorf("the log is %q, want %q", step.log, want)
		}
	})
}

// A server that keeps only so much takes all of it, and the user is told once,
// when the command is over.
func TestReport_ALogThatIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		c.quota = 100
		err := reported(t, c, options(said), func(r *Report) {
			for i := range 1000 {
				fmt.Fprintf(r, "line %d\n", i)
				time.Sleep(time.Millisecond)
			}
			if got := said.all(); len(got) > 0 {
				t.Errorf("said %q while the command ran", got)
			}
			passed(r)
		})
		_, step := c.step(t)
		want := []string{"the end of the log of step test was not kept: this build's log quota of 100 bytes is used up"}
		if err != nil || !slices.Equal(said.all(), want) || step.Status != "passed" || !step.closed || step.LogBytes != 8890 {
			t.Errorf("error %v, said %q, the step is %+v", err, said.all(), step)
		}
	})
}

// Lines that only say that they are errors are none of a command that passed, or was
// ended.
func TestReport_LooseErrors(t *testing.T) {
	t.Parallel()
	for status, want := range map[ci.Status]int{ci.Passed: 0, ci.Canceled: 0, ci.Failed: 1} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			err := reported(t, c, options(said), func(r *Report) {
				fmt.Fprint(r, "fatal: Could not read from remote repository.\n")
				r.Finish(Ending{Status: status, At: time.Now()})
			})
			if _, step := c.step(t); err != nil || len(step.notes) != want {
				t.Errorf("%s: error %v, notes %+v", status, err, step.notes)
			}
		})
	}
}

// The timer is armed by the first unsent byte: a step that prints all the time
// is seen all the time.
func TestReport_FlushesWithin100ms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContract()
		err := reported(t, c, options(&sayings{}), func(r *Report) {
			for i := range 2000 {
				fmt.Fprintf(r, "line %d\n", i)
				written := r.Left() + r.acked.Load()
				time.Sleep(time.Duration(1+i%30) * time.Millisecond)
				synctest.Wait()
				if i%50 == 49 { // and after a pause of 100 ms, all of it is there
					time.Sleep(flushAfter)
					synctest.Wait()
					if got := int64(c.bytes("test")); got != written {
						t.Fatalf("%d of %d bytes after 100 ms", got, written)
					}
				}
			}
			passed(r)
		})
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if n := len(c.requests); n > 500 {
			t.Errorf("%d requests for 35 s of output", n)
		}
	})
}

func TestReport_FirstByteIsSeenSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContract()
		reported(t, c, options(&sayings{}), func(r *Report) {
			synctest.Wait()
			if _, step := c.step(t); step.Status != "running" {
				t.Errorf("the step is %s before any text", step.Status)
			}
			time.Sleep(time.Second)
			fmt.Fprint(r, "x\n")
			time.Sleep(flushPause)
			synctest.Wait()
			if c.bytes("test") != 2 {
				t.Error("a single line after a silence waits for nothing")
			}
			fmt.Fprint(r, strings.Repeat("y", flushBytes))
			synctest.Wait()
			if c.bytes("test") != 2+flushBytes {
				t.Error("64 KiB wait for the timer")
			}
			passed(r)
		})
	})
}

func TestReport_BeatsWhileSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContract()
		reported(t, c, options(&sayings{}), func(r *Report) {
			time.Sleep(5*time.Minute + time.Second)
			passed(r)
		})
		beats := 0
		for _, q := range c.requests {
			if q.alive {
				beats++
			}
		}
		if beats != 11 { // one with the start
			t.Errorf("%d heartbeats in 5 minutes, want 11", beats)
		}
	})
}

// faulty answers with every fault there is, at random: errors, lost answers
// after a commit, broken connections, Retry-After.
func faulty(c *contract, rate float64) {
	c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if rand.Float64() >= rate {
			return false
		}
		switch rand.N(5) {
		case 0:
			problem(w, 503, "unavailable", nil)
		case 1:
			w.Header().Set("Retry-After", "1")
			problem(w, 429, "overloaded", nil)
		case 2: // a proxy that has no server for the moment
			w.WriteHeader(404)
			w.Write([]byte("<html>no route</html>"))
		case 3: // stored, but the answer is lost
			last := &c.requests[len(c.requests)-1]
			if b := c.builds[strings.Split(r.URL.Path+"///", "/")[4]]; b != nil && r.Method == http.MethodPost {
				c.update(discardWriter{}, b, []byte(last.body))
			}
			panic(http.ErrAbortHandler)
		default:
			panic(http.ErrAbortHandler)
		}
		return true
	}
}

type discardWriter struct{}

func (discardWriter) Header() http.Header         { return http.Header{} }
func (discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (discardWriter) WriteHeader(int)             {}

func TestReport_SurvivesFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			c := newContract()
			faulty(c, 0.5)
			random := rand.New(rand.NewPCG(seed, 1))
			var want []byte
			err := reported(t, c, options(&sayings{}), func(r *Report) {
				for range 60 {
					p := make([]byte, random.IntN(8000))
					for i := range p {
						p[i] = byte(random.Uint32())
					}
					if random.IntN(2) == 0 {
						p = bytes.Repeat([]byte("日本\x00\n"), len(p)/10)
					}
					r.Write(p)
					want = append(want, p...)
					time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond)
				}
				passed(r)
			})
			build, step := c.step(t)
			if err != nil || build.status != "passed" || !step.closed || len(step.lost) > 0 {
				t.Errorf("error %v, build %s, step %s", err, build.status, step.Status)
			}
			if !bytes.Equal(step.log, want) {
				t.Errorf("the log has %d bytes, not the %d that were written", len(step.log), len(want))
			}
		})
	}
}

func TestReport_ServerAwayForAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		begin := time.Now()
		c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if time.Since(begin) > time.Hour {
				return false
			}
			panic(http.ErrAbortHandler)
		}
		var want strings.Builder
		err := reported(t, c, options(said), func(r *Report) {
			for i := 0; time.Since(begin) < time.Hour; i++ {
				line := fmt.Sprintf("line %d\n", i)
				fmt.Fprint(r, line)
				want.WriteString(line)
				time.Sleep(time.Second)
			}
			passed(r)
		})
		_, step := c.step(t)
		if err != nil || string(step.log) != want.String() || step.Status != "passed" {
			t.Errorf("error %v; %d of %d bytes", err, len(step.log), want.Len())
		}
		if lines := said.all(); len(lines) != 2 || !strings.Contains(lines[0], "is away") || !strings.HasSuffix(lines[1], " is back") {
			t.Errorf("said %q, want that it is away, and is back", lines)
		}
		if n := len(c.requests); n > 600 {
			t.Errorf("%d requests, most of them in vain", n)
		}
	})
}

// A server that takes requests and answers none is away as one that takes none: the
// first that it does not answer says so.
func TestReport_ServerHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		begin := time.Now()
		c.fault = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
			if since := time.Since(begin); since > time.Second && since < attemptTimeout {
				<-r.Context().Done()
				panic(http.ErrAbortHandler)
			}
			return false
		}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprintln(r, "a")
			time.Sleep(2 * time.Second)
			fmt.Fprintln(r, "b")
			time.Sleep(attemptTimeout + time.Second)
			if lines := said.all(); len(lines) != 2 || !strings.Contains(lines[0], "is away (no answer within 30s)") || !strings.HasSuffix(lines[1], " is back") {
				t.Errorf("said %q", lines)
			}
			passed(r)
		})
		if _, step := c.step(t); err != nil || string(step.log) != "a\nb\n" {
			t.Errorf("error %v; %q", err, step.log)
		}
	})
}

// What a proxy's page asks for while the server is away is no promise: it may be back sooner, and
// is asked once the command has ended.
func TestReport_AProxyAsksForAPause(t *testing.T) {
	t.Parallel()
	for _, runs := range []time.Duration{5 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			begin := time.Now()
			c.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				if since := time.Since(begin); since < time.Second || since > 3*time.Second {
					return false
				}
				w.Header().Set("Retry-After", "300")
				http.Error(w, "<h1>Down for maintenance</h1>", http.StatusServiceUnavailable)
				return true
			}
			err := reported(t, c, options(said), func(r *Report) {
				fmt.Fprintln(r, "a")
				time.Sleep(2 * time.Second)
				fmt.Fprintln(r, "b")
				time.Sleep(runs)
				passed(r)
			})
			if _, step := c.step(t); err != nil || string(step.log) != "a\nb\n" {
				t.Errorf("error %v; %q", err, step.log)
			}
			if took := time.Since(begin); took > runs+4*time.Second {
				t.Errorf("a command of %v was reported after %v", runs, took)
			}
			if lines := said.all(); len(lines) != 2 || !strings.HasSuffix(lines[1], " is back") {
				t.Errorf("said %q", lines)
			}
		})
	}
}

// A server that goes away again is said to, but not more often than once a minute.
func TestReport_ServerComesAndGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		var away atomic.Bool
		c.fault = func(int, http.ResponseWriter, *http.Request) bool {
			if away.Load() {
				panic(http.ErrAbortHandler)
			}
			return false
		}
		lines := 0
		err := reported(t, c, options(said), func(r *Report) {
			outage := func(pause time.Duration, want int) {
				t.Helper()
				time.Sleep(pause)
				for _, gone := range []bool{false, true, false} {
					away.Store(gone)
					fmt.Fprintln(r, "a line")
					lines++
					time.Sleep(40 * time.Second)
				}
				if all := said.all(); len(all) != want || !strings.HasSuffix(all[len(all)-1], " is back") {
					t.Errorf("said %q", all)
				}
			}
			outage(0, 2)
			outage(0, 4)
			sayings := len(said.all())
			for range 10 {
				away.Store(true)
				fmt.Fprintln(r, "a line")
				time.Sleep(8 * time.Second)
				away.Store(false)
				time.Sleep(2 * time.Second)
				lines++
			}
			if n := len(said.all()) - sayings; n == 0 || n > 4 {
				t.Errorf("said %d lines in 100 s, in which it went ten times", n)
			}
			passed(r)
		})
		if _, step := c.step(t); err != nil || len(step.log) != lines*len("a line\n") {
			t.Errorf("error %v, %d bytes", err, len(step.log))
		}
	})
}

// On a way that is cut when a body takes long, whoever cuts it, text comes in shorter ones.
func TestReport_WayThatIsCut(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		bound int // of the bodies that arrive, in bytes
		cut   func(http.ResponseWriter)
	}{
		"without a word":       {60_000, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }},
		"soon":                 {3_000, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }},
		"by a proxy":           {60_000, func(w http.ResponseWriter) { http.Error(w, "<h1>Gateway Timeout</h1>", http.StatusGatewayTimeout) }},
		"by a proxy's bound":   {20_000, func(w http.ResponseWriter) { http.Error(w, "<h1>Too Large</h1>", http.StatusRequestEntityTooLarge) }},
		"by one that is small": {3_000, func(w http.ResponseWriter) { http.Error(w, "<h1>Too Large</h1>", http.StatusRequestEntityTooLarge) }},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			cuts, longest := 0, 0
			c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				body := len(c.requests[n-1].body)
				if body > way.bound {
					time.Sleep(3 * time.Second)
					cuts++
					way.cut(w)
					return true
				}
				longest = max(longest, body)
				return false
			}
			text := strings.Repeat("\x1b[31m0123456789abcdefghijklmnopqrstuvwxyz\x1b[0m\xff\n", 2_000)
			err := reported(t, c, options(said), func(r *Report) {
				fmt.Fprint(r, text)
				passed(r)
			})
			if _, step := c.step(t); err != nil || string(step.log) != text {
				t.Errorf("%s: error %v, %d bytes", name, err, len(step.log))
			}
			if cuts == 0 || cuts > 12 || longest < way.bound/8 {
				t.Errorf("%s: %d bodies were cut, the longest of the others had %d bytes", name, cuts, longest)
			}
		})
	}
}

// Test results are as many in a body as it may have, whatever the text before them was; and what
// arrived once may be too long later.
func TestReport_NotesAndAWayThatChanges(t *testing.T) {
	t.Parallel()
	const many = 2_000
	text := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz\n", 20_000)
	for _, way := range []struct {
		name     string
		bound    int // of the bodies that arrive after a minute, in bytes
		cut      func(http.ResponseWriter)
		requests int // at most, after that
	}{
		{"as it was", maxBody, nil, 5},
		{"cut", 30_000, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, 150},
		{"a proxy's bound", 30_000, func(w http.ResponseWriter) {
			http.Error(w, "<h1>Too Large</h1>", http.StatusRequestEntityTooLarge)
		}, 150},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			begin, requests := time.Now(), 0
			c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if time.Since(begin) < time.Minute {
					return false
				}
				if requests++; len(c.requests[n-1].body) > way.bound {
					way.cut(w)
				}
				return len(c.requests[n-1].body) > way.bound
			}
			err := reported(t, c, options(said), func(r *Report) {
				fmt.Fprint(r, text)
				time.Sleep(time.Minute)
				fmt.Fprintln(r, strings.Repeat("summary ", 40))
				var tests []ci.Test
				for i := range many {
					tests = append(tests, ci.Test{Suite: "pkg", Name: fmt.Sprint("test", i), Status: ci.Failed, Message: strings.Repeat("at line 12 ", 20)})
				}
				r.AddTests(tests)
				passed(r)
			})
			_, step := c.step(t)
			if err != nil || string(step.log) != text+strings.Repeat("summary ", 40)+"\n" || len(step.lost) > 0 || len(step.notes) != many {
				t.Errorf("%s: error %v, %d bytes, lost %v, %d notes", way.name, err, len(step.log), step.lost, len(step.notes))
			}
			if requests > way.requests {
				t.Errorf("%s: %d requests", way.name, requests)
			}
		})
	}
}

// What fails for another reason than its length leaves bodies as long as they were, or nearly:
// a server that is away behind a proxy, and a proxy that takes only so many requests.
func TestReport_FailuresThatAreNoMatterOfLength(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz\n", 150_000)
	for name, fail := range map[string]func(since time.Duration, n int) int{
		"away for 10 s": func(since time.Duration, _ int) int {
			if since < 10*time.Second {
				return http.StatusBadGateway
			}
			return 0
		},
		"every third": func(_ time.Duration, n int) int {
			if n%3 == 0 {
				return http.StatusBadGateway
			}
			return 0
		},
		"ten in three seconds": func(since time.Duration, n int) int {
			if n > 10*(int(since/(3*time.Second))+1) {
				return http.StatusServiceUnavailable
			}
			return 0
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newContract()
			begin := time.Now()
			taken, requests := 0, 0
			c.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
				time.Sleep(100 * time.Millisecond)
				requests++
				if status := fail(time.Since(begin), taken+1); status != 0 {
					http.Error(w, "<h1>Later</h1>", status)
					if status == http.StatusBadGateway {
						taken++
					}
					return true
				}
				taken++
				return false
			}
			err := reported(t, c, options(&sayings{}), func(r *Report) {
				fmt.Fprint(r, text)
				passed(r)
			})
			if _, step := c.step(t); err != nil || string(step.log) != text {
				t.Errorf("%s: error %v, %d bytes", name, err, len(step.log))
			}
			if requests > 40 { // 6 are needed
				t.Errorf("%s: %d requests in %v", name, requests, time.Since(begin))
			}
		})
	}
}

// Over a way that is too slow for a long body, whether that is said or nothing is, text comes in
// shorter ones, and in long ones again when it is quick.
func TestReport_SlowWay(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		answered bool
		rate     time.Duration // bytes a second
		late     int
	}{{true, 20_000, 3}, {false, 20_000, 3}, {true, 3_000, 9}, {false, 2_000, 9}} {
		answered := way.answered
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			begin := time.Now()
			var late, longest int
			c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				body := len(c.requests[n-1].body)
				if time.Since(begin) >= time.Hour {
					longest = max(longest, body)
					return false
				}
				takes := time.Duration(body) * time.Second / way.rate
				if given := 5*time.Second + time.Duration(body)*time.Second/(32<<10); answered && takes > given {
					late++
					time.Sleep(given)
					problem(w, 408, "body-too-slow", nil)
					return true
				}
				select {
				case <-time.After(takes):
					return false
				case <-r.Context().Done():
					late++
					panic(http.ErrAbortHandler)
				}
			}
			text := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz\n", 17_000)
			err := reported(t, c, options(said), func(r *Report) {
				fmt.Fprint(r, text)
				time.Sleep(time.Hour)
				for range 5 {
					fmt.Fprint(r, text)
				}
				passed(r)
			})
			_, step := c.step(t)
			if err != nil || string(step.log) != strings.Repeat(text, 6) {
				t.Errorf("answered %v: error %v, %d bytes", answered, err, len(step.log))
			}
			if late == 0 || late > way.late || longest < maxBody/2 {
				t.Errorf("answered %v at %d B/s: %d bodies were too long, and %d bytes in one when it is quick", answered, way.rate, late, longest)
			}
			if lines := said.all(); answered && len(lines) > 0 {
				t.Errorf("said %q", lines)
			}
		})
	}
}

// A server that asks for a long pause is said to be away before that, and not after it; one
// that asks for a short one is not.
func TestReport_ServerAsksForAPause(t *testing.T) {
	t.Parallel()
	for pause, want := range map[string]int{"60": 1, "2": 0} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			begin := time.Now()
			var refused atomic.Int32
			c.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				if time.Since(begin) < time.Second || refused.Load() > 0 {
					return false
				}
				refused.Add(1)
				w.Header().Set("Retry-After", pause)
				problem(w, 503, "overloaded", nil)
				return true
			}
			err := reported(t, c, options(said), func(r *Report) {
				fmt.Fprintln(r, "a")
				time.Sleep(2 * time.Second)
				fmt.Fprintln(r, "b")
				time.Sleep(time.Second)
				if lines := said.all(); refused.Load() != 1 || len(lines) != want {
					t.Errorf("asked for %s s: %d refused, said %q", pause, refused.Load(), lines)
				}
				passed(r)
			})
			if _, step := c.step(t); err != nil || string(step.log) != "a\nb\n" {
				t.Errorf("error %v; %q", err, step.log)
			}
		})
	}
}

// When the command has ended somebody waits: the next attempt is at once, and none is late.
func TestReport_TriesAtOnceWhenTheCommandHasEnded(t *testing.T) {
	t.Parallel()
	for back, late := range map[time.Duration]time.Duration{9 * time.Second: 0, 14 * time.Second: maxAwaited, 60 * time.Second: maxAwaited} {
		for range 20 { // the pauses are random
			synctest.Test(t, func(t *testing.T) {
				c, begin := newContract(), time.Now()
				c.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
					if time.Since(begin) < back {
						panic(http.ErrAbortHandler)
					}
					return false
				}
				err := reported(t, c, options(&sayings{}), func(r *Report) {
					time.Sleep(10 * time.Second)
					passed(r)
				})
				if took := time.Since(begin); err != nil || took > max(back, 10*time.Second)+late {
					t.Errorf("the server was back after %v, and had the report after %v: %v", back, took, err)
				}
				if n := len(c.requests); n > 200 {
					t.Errorf("%d requests, most of them in vain", n)
				}
			})
		}
	}
}

func TestReport_AFullBufferDropsTheOldest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContract()
		begin := time.Now()
		c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if time.Since(begin) < 10*time.Second {
				problem(w, 503, "unavailable", nil)
				return true
			}
			return false
		}
		opt := options(&sayings{})
		opt.Spool.Memory = 1 << 20
		var want []byte
		var dropped int64
		err := reported(t, c, opt, func(r *Report) {
			for i := range 100_000 {
				line := fmt.Appendf(nil, "line %d of a step that prints a lot\n", i)
				want = append(want, line...)
				r.Write(line)
			}
			time.Sleep(time.Minute)
			passed(r)
			time.Sleep(time.Minute)
			dropped = r.Dropped()
		})
		_, step := c.step(t)
		if err != nil || step.LogBytes != len(want) || len(step.lost) == 0 || !step.closed {
			t.Fatalf("error %v; %d of %d bytes, lost %v", err, step.LogBytes, len(want), step.lost)
		}
		lost := 0
		for _, hole := range step.lost {
			lost += hole[1]
			copy(want[hole[0]:], bytes.Repeat([]byte{'?'}, hole[1]))
		}
		if !bytes.Equal(step.log, want) || int64(lost) != dropped {
			t.Errorf("the text beside the holes differs, or %d are said to be dropped of %d", dropped, lost)
		}
		if kept := len(want) - lost; kept < 15<<15 { // half of a record is its header where lines are that short
			t.Errorf("only %d bytes were kept in 1 MiB", kept)
		}
	})
}

func TestReport_WaitsAsLongAsItIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newContract()
		begin := time.Now()
		c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				w.Header().Set("Retry-After", "7")
				problem(w, 503, "overloaded", nil)
				return true
			}
			if n == 2 && time.Since(begin) < 7*time.Second {
				t.Errorf("the second attempt came after %v", time.Since(begin))
			}
			return false
		}
		reported(t, c, options(&sayings{}), passed)
	})
}

// A restored backup: the server has less than it has acknowledged, and gets
// the rest once more.
func TestReport_RewindsToWhatTheServerHas(t *testing.T) {
	t.Parallel()
	for _, atEnd := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, said := newContract(), &sayings{}
			err := reported(t, c, options(said), func(r *Report) {
				fmt.Fprint(r, "first line\n")
				time.Sleep(time.Second)
				synctest.Wait()
				c.mu.Lock()
				for _, b := range c.builds {
					b.steps["test"].LogBytes = 5
				}
				c.mu.Unlock()
				if !atEnd {
					fmt.Fprint(r, "second line\n")
				}
				passed(r)
			})
			want := "first line\n"
			if !atEnd {
				want += "second line\n"
			}
			_, step := c.step(t)
			if err != nil || string(step.log) != want || !step.closed {
				t.Errorf("error %v; the log is %q, want %q", err, step.log, want)
			}
			if len(said.all()) != 1 {
				t.Errorf("said %q", said.all())
			}
		})
	}
}

func TestReport_RefusedForGood(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter){
		"401": func(w http.ResponseWriter) { problem(w, 401, "unauthorized", nil) },
		"403": func(w http.ResponseWriter) { w.WriteHeader(403) },
		"400": func(w http.ResponseWriter) { problem(w, 400, "invalid", nil) },
		"404": func(w http.ResponseWriter) { problem(w, 404, "not-found", nil) },
		"413": func(w http.ResponseWriter) { w.WriteHeader(413) },
		"301": func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example")
			w.WriteHeader(301)
		},
	} {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " later=", later), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c, said := newContract(), &sayings{}
					c.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
						if later && n < 4 {
							return false
						}
						answer(w)
						return true
					}
					err := reported(t, c, options(said), func(r *Report) {
						for i := range 100 {
							fmt.Fprintf(r, "line %d\n", i)
							time.Sleep(time.Second)
						}
						passed(r)
					})
					var refused *refusal
					if !errors.As(err, &refused) {
						t.Errorf("error %v", err)
					}
					if lines := said.all(); len(lines) != 1 || !strings.Contains(lines[0], name) {
						t.Errorf("said %q, want one line with %s", lines, name)
					}
				})
			})
		}
	}
}

func TestReport_TheBuildWasEndedByOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		err := reported(t, c, options(said), func(r *Report) {
			fmt.Fprint(r, "text\n")
			time.Sleep(time.Second)
			synctest.Wait()
			c.mu.Lock()
			for _, b := range c.builds {
				b.steps["test"].Status = "canceled"
			}
			c.mu.Unlock()
			fmt.Fprint(r, "more\n")
			passed(r)
		})
		_, step := c.step(t)
		if err != nil || step.Status != "canceled" || string(step.log) != "text\nmore\n" {
			t.Errorf("error %v; step %s with %q", err, step.Status, step.log)
		}
		if lines := said.all(); len(lines) != 1 || lines[0] != "the step test is canceled already and stays so" {
			t.Errorf("said %q", lines)
		}
	})
}

func TestReport_TheLogWasClosedByOthers(t *testing.T) {
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
			for range 50 {
				fmt.Fprint(r, "more\n")
				time.Sleep(150 * time.Millisecond)
			}
			passed(r)
		})
		_, step := c.step(t)
		if err != nil || step.Status != "passed" || string(step.log) != "text\n" {
			t.Errorf("error %v; step %s with %q", err, step.Status, step.log)
		}
		if len(said.all()) != 1 {
			t.Errorf("said %q", said.all())
		}
	})
}

func TestReport_AStepOfASharedBuild(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		opt := options(said)
		opt.Own = false
		c.builds[opt.Build.String()] = &fakeBuild{project: "acme/api", status: "queued", steps: map[string]*fakeStep{
			"test": {Key: "test", Status: "queued"},
		}}
		for i, want := range []string{"test", "test-2", "test-3"} {
			if err := reported(t, c, opt, func(r *Report) {
				fmt.Fprintf(r, "run %d\n", i)
				passed(r)
			}); err != nil {
				t.Fatal(err)
			}
			b := c.builds[opt.Build.String()]
			if s := b.steps[want]; s == nil || string(s.log) != fmt.Sprintf("run %d\n", i) || s.Status != "passed" {
				t.Errorf("step %s is %+v", want, s)
			}
			if b.status != "running" || b.started != nil {
				t.Errorf("the build is %s since %v: its status is not for a step to say", b.status, b.started)
			}
		}
		if lines := said.all(); len(lines) != 2 {
			t.Errorf("said %q", lines)
		}
	})
}

// The id of a build whose start did not reach the server is good all the same.
func TestReport_MakesUpForAStartThatWasLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, said := newContract(), &sayings{}
		opt := options(said)
		opt.Own, opt.Project, opt.Guessed = false, "", true
		opt.Describe = func(context.Context) (string, Details) { return "acme/found", Details{Title: "A title\n"} }
		if err := reported(t, c, opt, passed); err != nil {
			t.Fatal(err)
		}
		b, s := c.step(t)
		if b.project != "acme/found" || b.title != "A title" || b.status != "running" || s.Status != "passed" {
			t.Errorf("the build is %+v", b)
		}
		if lines := said.all(); !slices.ContainsFunc(lines, func(line string) bool {
			return strings.Contains(line, "to be one of project acme/found, unless STEPCAST_PROJECT")
		}) {
			t.Errorf("said %q", lines)
		}
	})
}

func TestReport_BodiesStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"plain": "some plain text\n", "controls": "\x00\x01", "binary": "\xff\xfe", "short lines": "\n", "wide": "🙂"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, said := newContract(), &sayings{}
			client := serve(t, c)
			r := NewReport(client, options(said))
			want := bytes.Repeat([]byte(text), 3<<20/len(text))
			r.Write(want)
			passed(r)
			if err := r.Send(t.Context()); err != nil {
				t.Fatal(err, said.all())
			}
			_, step := c.step(t)
			if !bytes.Equal(step.log, want) {
				t.Errorf("the log has %d bytes, want %d", len(step.log), len(want))
			}
			if n := len(c.requests); n > 40 {
				t.Errorf("%d requests for 3 MiB", n)
			}
		})
	}
}

func TestClient_CompressesForOtherMachines(t *testing.T) {
	t.Parallel()
	c := newContract()
	r := NewReport(clientOf(t, "http://ci.example", c), options(&sayings{}))
	want := bytes.Repeat([]byte("some plain text\n"), 10000)
	r.Write(want)
	passed(r)
	if err := r.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, step := c.step(t); !bytes.Equal(step.log, want) || !c.requests[len(c.requests)-1].packed {
		t.Errorf("%d bytes, packed: %v", len(step.log), c.requests[len(c.requests)-1].packed)
	}
}
