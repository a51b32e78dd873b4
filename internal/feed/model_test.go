package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/stepcast/stepcast/internal/ci"
)

// histories remembers every event there ever was, by the prefix of its epoch,
// and so what a reader that was shown an id must have got.
type histories struct {
	mu      sync.Mutex
	events  map[string][]ci.Event // number i is event i+1
	expired map[string]ci.EventID // up to here they are no longer kept
}

func newHistories() *histories {
	return &histories{events: map[string][]ci.Event{}, expired: map[string]ci.EventID{}}
}

func (h *histories) note(prefix string, e ci.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events[prefix] = append(h.events[prefix], e)
}

func (h *histories) of(prefix string) []ci.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events[prefix]
}

func (h *histories) gone(prefix string) ci.EventID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.expired[prefix]
}

func (h *histories) expire(prefix string, id ci.EventID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expired[prefix] = max(h.expired[prefix], id)
}

// checker is a reader that knows what must come next.
type checker struct {
	all    *histories
	sub    *Subscription
	filter ci.Filter
	cursor ci.Cursor // up to here everything came or is filtered out
	fresh  bool      // it may begin after events that are no longer kept
	live   bool
	over   bool
	waits  bool // it was told that there is nothing now
	came   int
	who    string // in whose turns its pages are read
}

// check says what is wrong with a batch, if anything is.
func (c *checker) check(b Batch) error {
	if b.Reset != "" {
		c.cursor, c.live = b.Cursor, false
		return nil
	}
	if c.cursor.Prefix == "" {
		c.cursor.Prefix = b.Cursor.Prefix
	}
	if b.Cursor.Prefix != c.cursor.Prefix {
		return fmt.Errorf("went from %v to %v without a reset", c.cursor, b.Cursor)
	}
	history := c.all.of(b.Cursor.Prefix)
	if c.fresh {
		c.fresh = false
		c.cursor.ID = b.Cursor.ID // of a batch without events
		for e := range b.Events() {
			c.cursor.ID = min(c.cursor.ID, e.ID-1)
		}
		c.cursor.ID = min(c.cursor.ID, c.all.gone(b.Cursor.Prefix))
	}
	for e := range b.Events() {
		if err := c.skipTo(history, e.ID); err != nil {
			return err
		}
		want := &history[e.ID-1]
		if got := string(e.Data); got != string(want.AppendData(nil)) || e.Kind != want.Kind || !c.filter.Match(want) {
			return fmt.Errorf("event %d is %s %s", e.ID, e.Kind, got)
		}
		c.cursor.ID = e.ID
		c.came++
	}
	if err := c.skipTo(history, b.Cursor.ID+1); err != nil {
		return err
	}
	c.cursor = b.Cursor
	if b.Live && c.live {
		return errors.New("live came twice")
	}
	c.live = c.live || b.Live
	c.over = b.End
	return nil
}

// skipTo checks that everything before id is filtered out.
func (c *checker) skipTo(history []ci.Event, id ci.EventID) error {
	if id <= c.cursor.ID && id != 0 && id != c.cursor.ID+1 {
		return fmt.Errorf("event %d came at %v", id, c.cursor)
	}
	if int(id)-1 > len(history) {
		return fmt.Errorf("event %d came, of %d", id, len(history))
	}
	for i := c.cursor.ID + 1; i < id; i++ {
		if c.filter.Match(&history[i-1]) {
			return fmt.Errorf("event %d was skipped: %v then %d", i, c.cursor, id)
		}
	}
	return nil
}

var errBroken = errors.New("broken")

// kind is a kind of log, with what may be in it and how it may be read.
type kind struct {
	log     ci.LogID
	name    ci.LogName
	events  []string
	filters []ci.Filter
}

var (
	aBuild = kind{
		aLog, aName,
		[]string{"log/a", "log/a", "log/b", "log/b", "note/a", "note/b", "step/a", "build"},
		[]ci.Filter{{}, {}, {NoLogs: true}, {Steps: []ci.StepKey{"a"}}, {Since: map[ci.StepKey]ci.EventID{"a": 7}}},
	}
	theFeed = kind{
		ci.FeedLog, ci.FeedName,
		[]string{"feed/acme/api", "feed/acme/web", "feed/acme/web/deploy", "feed/other", "feed/rare"},
		[]ci.Filter{{}, {Projects: []string{"rare"}}, {Projects: []string{"acme/*"}}, {Projects: []string{"*", "acme/web"}}, {Projects: []string{"acme/web", "acme/web/*", "rare"}}, {Branches: []string{"main"}}, {Branches: []string{"dev"}}},
	}
)

// Whatever is committed, lost, late, hinted at, forgotten or rewound, and
// whoever comes and goes meanwhile: every reader gets what the slice has, once
// and in order, and within a poll all of it.
func TestSubscription_Model(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]kind{"build": aBuild, "feed": theFeed} {
		for _, events := range []int{-1, 1, 1000} {
			t.Run(fmt.Sprint(name, ", tail ", events), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					// Without the method Deadline, which is not for a bubble.
					rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) { model(t, rt, k, events) })
				})
			})
		}
	}
}

func model(t *testing.T, rt *rapid.T, k kind, tailEvents int) {
	tb := newTable(rapid.IntRange(1, 5).Draw(rt, "page"))
	tails := New(tb, Options{
		TailEvents: tailEvents,
		TailBytes:  rapid.SampledFrom([]int{300, 1 << 20}).Draw(rt, "bytes"),
		Room:       rapid.SampledFrom([]int{1, 300, 1 << 20}).Draw(rt, "room"),
		Held:       rapid.SampledFrom([]int{1, 700, 1 << 20}).Draw(rt, "held"),
		Reads:      rapid.SampledFrom([]int{1, 8}).Draw(rt, "reads"),
		Log:        slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { tails.Run(ctx) })
	defer running.Wait()
	defer cancel()

	all := newHistories()
	prefix := func() string { return ci.CursorPrefix(tb.epoch, k.name) }
	type late struct {
		epoch  ci.Epoch
		events []ci.Event
		head   ci.Head
	}
	var pending []late
	var readers []*checker
	write := func(what string) late {
		epoch, e, head := tb.append(k.log, what)
		all.note(prefix(), e)
		return late{epoch, []ci.Event{e}, head}
	}
	subscribe := func(c *checker) {
		c.sub = tails.Subscribe(tb.present(), k.log, k.name, c.cursor, c.filter)
		c.sub.OnBehalf(c.who)
	}
	step := func(c *checker) (more bool) {
		b, ok, err := c.sub.TryNext()
		c.waits = !ok && err == nil
		if errors.Is(err, ErrMoved) {
			c.sub.Close()
			c.live = false
			subscribe(c)
			return true
		}
		if err == io.EOF && c.over || errors.Is(err, errBroken) || errors.Is(err, context.DeadlineExceeded) {
			return false
		}
		if err != nil {
			rt.Fatalf("TryNext: %v", err)
		}
		if ok {
			if err := c.check(b); err != nil {
				rt.Fatal(err)
			}
		}
		return ok
	}
	letGo := func() {
		if tb.hold != nil {
			close(tb.hold)
			tb.set(func() { tb.hold = nil })
		}
	}
	one := func() *checker { return rapid.SampledFrom(readers).Draw(rt, "reader") }

	rt.Repeat(map[string]func(*rapid.T){
		"commit": func(rt *rapid.T) {
			b := write(rapid.SampledFrom(k.events).Draw(rt, "kind"))
			for range rapid.IntRange(0, 2).Draw(rt, "more") {
				next := write(rapid.SampledFrom(k.events).Draw(rt, "kind"))
				b.events, b.head = append(b.events, next.events...), next.head
			}
			tails.Committed(b.epoch, k.log, b.events, b.head)
		},
		"lose": func(rt *rapid.T) { write(rapid.SampledFrom(k.events).Draw(rt, "kind")) },
		"commit late": func(rt *rapid.T) {
			pending = append(pending, write(rapid.SampledFrom(k.events).Draw(rt, "kind")))
		},
		"arrive": func(rt *rapid.T) {
			if len(pending) == 0 {
				rt.Skip()
			}
			b := rapid.SampledFrom(pending).Draw(rt, "which") // and perhaps again
			tails.Committed(b.epoch, k.log, b.events, b.head)
		},
		"hint": func(rt *rapid.T) {
			tails.Hint(k.log, ci.EventID(rapid.IntRange(0, 30).Draw(rt, "last")))
		},
		"share": func(rt *rapid.T) { tails.share() },
		"dirty": func(rt *rapid.T) { tails.Dirty() },
		"empty": func(rt *rapid.T) { tails.Empty(k.log) },
		"wait": func(rt *rapid.T) {
			time.Sleep(time.Duration(rapid.SampledFrom([]int{1, 10, 20, 500}).Draw(rt, "ms")) * time.Millisecond)
		},
		"break": func(rt *rapid.T) { tb.set(func() { tb.err = errBroken }) },
		"mend":  func(rt *rapid.T) { tb.set(func() { tb.err = nil }) },
		"hold": func(rt *rapid.T) {
			if tb.hold != nil || rapid.Bool().Draw(rt, "not now") {
				rt.Skip()
			}
			tb.set(func() { tb.hold = make(chan struct{}) })
		},
		"let go": func(rt *rapid.T) { letGo() },
		"settle": func(rt *rapid.T) { synctest.Wait() },
		"end": func(rt *rapid.T) {
			if k.log == ci.FeedLog {
				rt.Skip()
			}
			b := write("end")
			tails.Committed(b.epoch, k.log, b.events, b.head)
		},
		"rewind": func(rt *rapid.T) {
			tb.mu.Lock()
			s := tb.logs[k.log]
			tb.mu.Unlock()
			if s == nil || rapid.IntRange(0, 3).Draw(rt, "really") != 0 {
				rt.Skip()
			}
			former, gone := all.of(prefix()), all.gone(prefix())
			last := ci.EventID(rapid.IntRange(0, int(s.last)).Draw(rt, "to"))
			if int(last) < int(s.first()) {
				last = s.last
			}
			tb.rewind(k.log, last, false)
			for _, e := range former[:last] {
				all.note(prefix(), e)
			}
			all.expire(prefix(), gone)
		},
		"expire": func(rt *rapid.T) {
			tb.mu.Lock()
			s := tb.logs[k.log]
			tb.mu.Unlock()
			if s == nil || rapid.IntRange(0, 3).Draw(rt, "really") != 0 {
				rt.Skip()
			}
			to := ci.EventID(rapid.IntRange(0, int(s.last)).Draw(rt, "to"))
			tb.expire(k.log, to)
			all.expire(prefix(), to)
		},
		"subscribe": func(rt *rapid.T) {
			if len(readers) == 6 {
				rt.Skip()
			}
			c := &checker{all: all, fresh: true, who: rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "who"), filter: rapid.SampledFrom(k.filters).Draw(rt, "filter")}
			if history := all.of(prefix()); rapid.Bool().Draw(rt, "resumes") {
				c.fresh = false
				c.cursor = ci.Cursor{Prefix: prefix(), ID: ci.EventID(rapid.IntRange(0, len(history)).Draw(rt, "cursor"))}
			}
			subscribe(c)
			readers = append(readers, c)
		},
		"close": func(rt *rapid.T) {
			if len(readers) == 0 {
				rt.Skip()
			}
			c := one()
			c.sub.Close()
			readers = slices.DeleteFunc(readers, func(other *checker) bool { return other == c })
		},
		"next": func(rt *rapid.T) {
			if len(readers) == 0 {
				rt.Skip()
			}
			step(one())
		},
		// After each of these.
		"": func(rt *rapid.T) {
			if held, _, waiting, ok := tails.Held(k.log); ok && len(readers) == 0 || held > max(0, tailEvents) || waiting > len(readers) {
				rt.Fatalf("the tail holds %d events, %d of %d readers wait at it; it is there: %v", held, waiting, len(readers), ok)
			}
		},
	})

	// A poll and a beat later every reader has everything.
	tb.set(func() { tb.err = nil })
	letGo()
	synctest.Wait()
	time.Sleep(time.Second)
	for beats := 0; beats < 3; { // together: one may wait for room that another takes
		quiet := true
		for _, c := range readers {
			select { // whoever waits is woken, or there is nothing for it
			case <-c.sub.Ready():
				c.waits, quiet = false, false
			default:
			}
			for !c.waits && step(c) {
			}
			synctest.Wait()
		}
		if quiet {
			beats++
			time.Sleep(25 * time.Millisecond)
		}
	}
	for _, c := range readers {
		last := ci.Cursor{Prefix: prefix(), ID: ci.EventID(len(all.of(prefix())))}
		if at := c.sub.Cursor(); !c.over && last.ID > 0 && at != last {
			rt.Fatalf("a reader ends at %v, the log at %v", at, last)
		}
		if !c.over && !c.live {
			rt.Fatalf("live never came")
		}
		c.sub.Close()
	}
	if len(tails.queue.held) > 0 {
		rt.Fatalf("%v is held by nobody", tails.queue.held)
	}
	if _, _, _, ok := tails.Held(k.log); ok {
		rt.Fatal("the tail outlived its readers")
	}
}

// Everything at once, on real threads and real time, for the race detector.
func TestTails_Stress(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]kind{"build": aBuild, "feed": theFeed} {
		for _, tailEvents := range []int{-1, 1, 1000} {
			t.Run(fmt.Sprint(name, ", tail ", tailEvents), func(t *testing.T) {
				t.Parallel()
				stress(t, k, tailEvents)
			})
		}
	}
}

func stress(t *testing.T, k kind, tailEvents int) {
	const events = 3000
	tb := newTable(64)
	tails := New(tb, Options{TailEvents: tailEvents, Beat: 200 * time.Microsecond, Poll: 5 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var running sync.WaitGroup
	running.Go(func() { tails.Run(ctx) })
	defer running.Wait()
	defer cancel()

	all := newHistories()
	prefix := ci.CursorPrefix(tb.epoch, k.name)
	for id := range ci.EventID(events) { // known beforehand, so that readers need no lock to check them
		what := k.events[int(id)%len(k.events)]
		if id == events-1 {
			what = "end"
		}
		all.note(prefix, event(id+1, what))
	}
	var written atomic.Int64
	var writers sync.WaitGroup
	var order sync.Mutex
	for n := range 3 {
		writers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 1))
			for {
				order.Lock()
				id := written.Add(1)
				if id > events {
					order.Unlock()
					return
				}
				what := k.events[int(id-1)%len(k.events)]
				if id == events {
					what = "end"
				}
				epoch, e, head := tb.append(k.log, what)
				order.Unlock()
				switch rng.IntN(10) {
				case 0: // lost
				case 1:
					tails.Hint(k.log, e.ID)
				case 2:
					tails.Empty(k.log)
					tails.Dirty()
				default:
					tails.Committed(epoch, k.log, []ci.Event{e}, head)
				}
			}
		})
	}
	var readers sync.WaitGroup
	for n := range 20 {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 2))
			c := &checker{all: all, filter: k.filters[n%len(k.filters)]}
			for !c.over {
				c.sub, c.live = tails.Subscribe(tb.present(), k.log, k.name, c.cursor, c.filter), false
				for stay := rng.IntN(100); stay >= 0 && !c.over; stay-- {
					b, err := c.sub.Next(ctx)
					if err == nil {
						err = c.check(b)
					}
					if err == nil && b.Reset != "" {
						err = fmt.Errorf("a reset: %s", b.Reset)
					}
					if err != nil {
						t.Error(err)
						c.sub.Close()
						return
					}
				}
				c.sub.Close()
			}
			want := 0
			for _, e := range all.of(prefix) {
				if c.filter.Match(&e) {
					want++
				}
			}
			if c.came != want {
				t.Errorf("a reader got %d events of %d", c.came, want)
			}
		})
	}
	writers.Wait()
	readers.Wait()
}
