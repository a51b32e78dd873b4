package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

func TestSubscription_ReplayThenLive(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a", "log/a", "log/a", "log/b")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, 2, 3, 4, 5, "live")
		r.take().want()
		w.commit("log/a")
		r.take().want(6)
		w.settle()
		w.commit("log/a", "step/a")
		w.commit("log/b")
		w.settle()
		r.take().want(7, 8, 9)
	})
}

// A reader that is cut off after every event, or in the middle of a batch, and
// comes back with the last id it has, ends with exactly 1..1000.
func TestSubscription_DisconnectsAtEveryEvent(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		rng := rand.New(rand.NewPCG(1, 2))
		var got []ci.EventID
		cursor := ci.Cursor{}
		what := []string{"log/a", "log/b", "step/a"}
		w.pageSize = 50
		for connections := 0; len(got) < 1000; connections++ {
			if connections > 5000 {
				w.Fatalf("only %d events after %d connections", len(got), connections)
			}
			for range rng.IntN(4) {
				if w.length() == 1000 {
					break
				}
				if one := what[rng.IntN(3)]; rng.IntN(3) == 0 {
					w.lose(one)
				} else {
					w.commit(one)
				}
			}
			sub := w.subscribe(aLog, aName, cursor, ci.Filter{})
			for range 1 + rng.IntN(3) {
				ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
				b, err := sub.Next(ctx)
				cancel()
				if errors.Is(err, context.DeadlineExceeded) {
					break
				}
				if err != nil {
					w.Fatal(err)
				}
				stay := rng.IntN(6)
				for e := range b.Events() {
					if stay--; stay < 0 {
						break
					}
					got = append(got, e.ID)
					cursor = ci.Cursor{Prefix: b.Cursor.Prefix, ID: e.ID}
				}
				if stay < 0 {
					break
				}
			}
			sub.Close()
		}
		for i, id := range got {
			if id != ci.EventID(i+1) {
				w.Fatalf("event %d came as number %d", id, i+1)
			}
		}
	})
}

// With nothing handed over and nothing heard, everything still comes within a
// poll.
func TestSubscription_LostNotifications(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		w.lose("step/a", "log/a", "log/a", "log/a", "log/a", "step/a")
		r.take().want()
		time.Sleep(time.Second)
		r.take()
		w.settle() // what ends in text waits for a beat
		r.take().want(2, 3, 4, 5, 6, 7)
		w.lose("end")
		time.Sleep(time.Second)
		r.take().want(8, "end")
	})
}

func TestTails_HintBringsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		w.lose("log/a", "step/a")
		start := time.Now()
		w.tails.Hint(aLog, 3)
		w.tails.Hint(aLog, 2)
		w.tails.Hint(99, 5)
		r.take().want(2, 3)
		if time.Since(start) != 0 {
			w.Errorf("it took %v", time.Since(start))
		}
	})
}

// A hint may be wrong, of a rewound history say. It costs one read.
func TestTails_HintBeyondTheEnd(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		before := w.count()
		w.tails.Hint(aLog, 1000)
		w.settle()
		if n := w.count() - before; n != 1 {
			w.Errorf("a wrong hint cost %d pages", n)
		}
		w.commit("end")
		r.take().want(2, "end")
	})
}

func TestTails_DirtyLooksAtOnce(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		start := time.Now()
		w.lose("step/a")
		w.tails.Dirty()
		r.take().want(2)
		if time.Since(start) != 0 {
			w.Errorf("it took %v", time.Since(start))
		}
	})
}

// One query a second looks at every watched log, and none when nobody watches.
func TestTails_PollIsOneQuery(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		time.Sleep(5 * time.Second)
		if w.heads != 0 {
			w.Errorf("%d polls with nobody there", w.heads)
		}
		var subs []*Subscription
		for log := range ci.LogID(100) {
			subs = append(subs, w.subscribe(log, aName, ci.Cursor{}, ci.Filter{}))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if w.heads < 9 || w.heads > 11 {
			w.Errorf("%d polls in 10 s", w.heads)
		}
		for _, sub := range subs {
			sub.Close()
		}
	})
}

func TestTails_RepeatedAndReordered(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		type batch struct {
			events []ci.Event
			head   ci.Head
		}
		var batches []batch
		for range 20 {
			var b batch
			for range 3 {
				_, e, head := w.append(aLog, "step/a")
				b.events, b.head = append(b.events, e), head
			}
			batches = append(batches, b)
		}
		rng := rand.New(rand.NewPCG(3, 4))
		for range 5 {
			for _, i := range rng.Perm(len(batches)) {
				b := batches[i]
				w.tails.Committed(w.epoch, aLog, b.events, b.head)
				// Overlapping: only the end of a batch, and the head alone.
				w.tails.Committed(w.epoch, aLog, b.events[1:], b.head)
				w.tails.Committed(w.epoch, aLog, nil, b.head)
				if rng.IntN(3) == 0 {
					r.take()
				}
			}
		}
		r.take()
		var want []any
		for id := 2; id <= 61; id++ {
			want = append(want, id)
		}
		r.want(want...)
	})
}

// What is above the head shows a gap: it is read from the table, by one read
// at a time, and then it goes on from memory.
func TestTails_GapIsReadOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		before := w.count()
		hold := make(chan struct{})
		w.set(func() { w.table.hold = hold })
		w.lose("step/a")
		for range 50 {
			w.commit("step/a")
			synctest.Wait()
		}
		if n := w.count() - before; n != 1 {
			t.Errorf("%d reads were in flight for one gap", n)
		}
		w.set(func() { w.pageSize, w.table.hold = 256, nil })
		close(hold)
		r.take()
		if len(r.got) != 51 {
			t.Errorf("got %d events of 51", len(r.got))
		}
		before = w.count()
		w.commit("step/a")
		r.take()
		if len(r.got) != 52 || w.count() != before {
			t.Errorf("got %d events of 52, with %d reads more", len(r.got), w.count()-before)
		}
	})
}

// Two committers of one process, and another process, write one log at once.
func TestTails_TwoCommitters(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		var writers sync.WaitGroup
		for n := range 3 {
			writers.Go(func() {
				for i := range 200 {
					epoch, e, head := w.append(aLog, "log/a")
					if i%7 == n {
						time.Sleep(time.Duration(i%5) * time.Millisecond)
					}
					if n < 2 {
						w.tails.Committed(epoch, aLog, []ci.Event{e}, head)
					}
				}
			})
		}
		var got []ci.EventID
		sub := w.subscribe(aLog, aName, ci.Cursor{}, ci.Filter{})
		defer sub.Close()
		for len(got) < 600 {
			b, err := sub.Next(w.Context())
			if err != nil {
				w.Fatal(err)
			}
			for e := range b.Events() {
				got = append(got, e.ID)
			}
		}
		writers.Wait()
		for i, id := range got {
			if id != ci.EventID(i+1) {
				w.Fatalf("event %d came as number %d", id, i+1)
			}
		}
	})
}

func TestSubscription_Filters(t *testing.T) {
	t.Parallel()
	everything := []string{"build", "step/a", "log/a", "log/b", "log/a", "log/c", "note/b", "log/b"}
	for name, c := range map[string]struct {
		filter ci.Filter
		want   []any // of everything
		then   []any // of everything once more
	}{
		"all":      {ci.Filter{}, []any{1, 2, 3, 4, 5, 6, 7, 8, "live"}, []any{9, 10, 11, 12, 13, 14, 15, 16}},
		"no logs":  {ci.Filter{NoLogs: true}, []any{1, 2, "live"}, []any{9, 10}},
		"one step": {ci.Filter{Steps: []ci.StepKey{"a"}}, []any{1, 2, 3, 5, "live"}, []any{9, 10, 11, 13}},
		"no step":  {ci.Filter{Steps: []ci.StepKey{}}, []any{1, 2, "live"}, []any{9, 10}},
		"the tail": {ci.Filter{Since: map[ci.StepKey]ci.EventID{"a": 5, "b": 8}}, []any{1, 2, 5, 6, 8, "live"}, []any{9, 10, 11, 12, 13, 14, 15, 16}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorlds(t, func(w *world) {
				w.lose(everything...)
				r := w.read(ci.Cursor{}, c.filter)
				defer r.sub.Close()
				r.take().want(c.want...)
				if at := r.sub.Cursor(); at != w.at(8) {
					w.Errorf("the cursor is %v and should be %v", at, w.at(8))
				}
				w.commit(everything...)
				w.settle()
				r.take().want(c.then...)
				if at := r.sub.Cursor(); at != w.at(16) {
					w.Errorf("the cursor is %v and should be %v", at, w.at(16))
				}
				w.commit("end")
				r.take().want(17, "end")
			})
		})
	}
}

// A stream that has everything filtered out moves on and ends.
func TestSubscription_EndWithNothingToShow(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "end", "log/a", "log/a", "log/a", "log/a", "log/a")
		r := w.read(w.at(2), ci.Filter{NoLogs: true})
		defer r.sub.Close()
		r.take().want("live", "end")
		if r.cursor != w.at(7) {
			w.Errorf("the end is at %v, not at %v", r.cursor, w.at(7))
		}
	})
}

func TestSubscription_FeedFilters(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		feed := func(projects ...string) {
			for _, p := range projects {
				epoch, e, head := w.append(ci.FeedLog, "feed/"+p)
				w.tails.Committed(epoch, ci.FeedLog, []ci.Event{e}, head)
			}
		}
		sub := func(f ci.Filter) *Subscription {
			return w.subscribe(ci.FeedLog, ci.FeedName, ci.Cursor{}, f)
		}
		ids := func(s *Subscription) (got []ci.EventID) {
			(&reader{w: w, sub: s}).each(func(e Event) { got = append(got, e.ID) })
			return got
		}
		feed("acme/api", "acme/web", "other")
		acme, main, dev := sub(ci.Filter{Projects: []string{"acme/*"}}), sub(ci.Filter{Branches: []string{"main"}}), sub(ci.Filter{Branches: []string{"dev"}})
		defer acme.Close()
		defer main.Close()
		defer dev.Close()
		check := func(s *Subscription, want ...ci.EventID) {
			w.Helper()
			if got := ids(s); !slices.Equal(got, want) {
				w.Errorf("got %v, want %v", got, want)
			}
		}
		check(acme, 1, 2)
		check(main, 1, 2, 3)
		check(dev)
		feed("other", "acme/api")
		check(acme, 5)
		check(main, 4, 5)
		check(dev)
		if at := dev.Cursor().ID; at != 5 {
			w.Errorf("the cursor stands at %d", at)
		}
	})
}

// A change of the feed wakes those who asked for it and nobody else; the others
// are past it all the same.
func TestTails_WakesWhomAChangeConcerns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{TailEvents: 2})
		commit := func(projects ...string) {
			for _, p := range projects {
				epoch, e, head := w.append(ci.FeedLog, "feed/"+p)
				w.tails.Committed(epoch, ci.FeedLog, []ci.Event{e}, head)
			}
		}
		commit("acme/api")
		woken := map[string]int{}
		subs := map[string]*Subscription{}
		for name, f := range map[string]ci.Filter{
			"all": {}, "star": {Projects: []string{"*"}}, "api": {Projects: []string{"acme/api"}}, "acme": {Projects: []string{"acme/*", "acme/api"}},
			"deep": {Projects: []string{"acme/api/*"}}, "other": {Projects: []string{"other"}}, "main": {Branches: []string{"main"}},
			"dev": {Branches: []string{"dev"}}, "api on dev": {Projects: []string{"acme/api"}, Branches: []string{"dev"}},
		} {
			s := w.subscribe(ci.FeedLog, ci.FeedName, ci.Cursor{}, f)
			defer s.Close()
			s.OnReady(func() { woken[name]++ })
			subs[name] = s
		}
		drain := func() {
			for range 10 {
				for _, s := range subs {
					for ok := true; ok; {
						_, ok, _ = s.TryNext()
					}
				}
				w.settle()
			}
			clear(woken)
		}
		check := func(want ...string) {
			t.Helper()
			got := slices.Sorted(maps.Keys(woken))
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Errorf("woken were %q, not %q", got, want)
			}
			for name, s := range subs {
				if woken[name] == 0 && s.Cursor().ID != w.tails.tails[ci.FeedLog].end {
					t.Errorf("%s is still at %v", name, s.Cursor())
				}
			}
			drain()
		}
		drain()
		commit("acme/api")
		check("all", "star", "api", "acme", "main")
		commit("acme/api/deploy")
		check("all", "star", "acme", "deep", "main")
		commit("acme")
		check("all", "star", "main")

		// Of one place much happens at once: that is held against filters once.
		waiters := &w.tails.tails[ci.FeedLog].waiters
		before := waiters.places
		var events []ci.Event
		var epoch ci.Epoch
		var head ci.Head
		for range 2 {
			var e ci.Event
			epoch, e, head = w.append(ci.FeedLog, "feed/acme")
			events = append(events, e)
		}
		w.tails.Committed(epoch, ci.FeedLog, events, head)
		check("all", "star", "main")
		if n := waiters.places - before; n != 1 {
			t.Errorf("two events of one place were held against filters %d times", n)
		}

		// Much happens that is for others: who comes back to it asks the table for nothing.
		for range 20 {
			commit("acme/web")
		}
		drain()
		pages := w.count()
		commit("other")
		check("all", "star", "other", "main")
		if more := w.count() - pages; more != 0 {
			t.Errorf("%d pages were read", more)
		}
	})
}

// Whoever comes while the tail is behind is live once it has caught up, also
// when none of what came is meant for it.
func TestSubscription_LiveWithNothingToShow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.append(ci.FeedLog, "feed/acme/api")
		first := w.subscribe(ci.FeedLog, ci.FeedName, ci.Cursor{}, ci.Filter{})
		defer first.Close()
		(&reader{w: w, sub: first}).take()
		hold := make(chan struct{})
		w.set(func() { w.hold = hold })
		w.append(ci.FeedLog, "feed/acme/api")
		epoch, e, head := w.append(ci.FeedLog, "feed/acme/api")
		w.tails.Committed(epoch, ci.FeedLog, []ci.Event{e}, head) // one is missing, and on its way
		second := w.subscribe(ci.FeedLog, ci.FeedName, ci.Cursor{Prefix: ci.CursorPrefix(epoch, ci.FeedName), ID: 1}, ci.Filter{Projects: []string{"other"}})
		defer second.Close()
		if b, ok, err := second.TryNext(); ok || err != nil {
			t.Fatalf("got %+v, %v", b, err)
		}
		w.set(func() { w.hold = nil })
		close(hold)
		synctest.Wait()
		<-second.Ready()
		if b, _, err := second.TryNext(); !b.Live || b.Cursor.ID != 3 {
			t.Errorf("got %+v, %v", b, err)
		}
	})
}

// Whatever they ask for, readers at one place of the feed share a page of it.
func TestSubscription_FeedPagesAreShared(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		for _, p := range []string{"a", "b", "c"} {
			w.append(ci.FeedLog, "feed/"+p)
		}
		after := ci.Cursor{Prefix: ci.CursorPrefix(w.present(), ci.FeedName)}
		for _, f := range []ci.Filter{{Projects: []string{"a"}}, {Projects: []string{"c"}}, {Projects: []string{"b"}, Branches: []string{"main"}}, {}, {Branches: []string{"dev"}}} {
			s := w.subscribe(ci.FeedLog, ci.FeedName, after, f)
			defer s.Close()
			var got []string
			(&reader{w: w, sub: s}).each(func(e Event) { got = append(got, string(e.Data)) })
			var want []string
			for i, p := range []string{"a", "b", "c"} {
				if e := event(ci.EventID(i+1), "feed/"+p); f.Match(&e) {
					want = append(want, string(e.Data))
				}
			}
			if !slices.Equal(got, want) {
				w.Errorf("%v got %q, not %q", f, got, want)
			}
		}
		if n := w.count(); n != 1 {
			w.Errorf("%d pages were read", n)
		}
	})
}

func TestSubscription_Resets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cursor func(w *world) ci.Cursor
		want   Reason
	}{
		"beyond the end":     {func(w *world) ci.Cursor { return w.at(9) }, UnknownCursor},
		"far beyond the end": {func(w *world) ci.Cursor { return w.at(1 << 62) }, UnknownCursor},
		"without a prefix":   {func(w *world) ci.Cursor { return ci.Cursor{ID: 3} }, UnknownCursor},
		"not a cursor":       {func(w *world) ci.Cursor { return BadCursor }, UnknownCursor},
		"of another log": {func(w *world) ci.Cursor {
			return ci.Cursor{Prefix: ci.CursorPrefix(w.epoch, "feed"), ID: 3}
		}, WrongLog},
		"of a former history": {func(w *world) ci.Cursor {
			return ci.Cursor{Prefix: ci.CursorPrefix(w.former[0], aName), ID: 3}
		}, Rewound},
	} {
		for _, watched := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, watched %v", name, watched), func(t *testing.T) {
				t.Parallel()
				inWorlds(t, func(w *world) {
					w.newEpoch()
					w.lose("build", "step/a", "log/a", "log/a")
					if watched {
						other := w.read(ci.Cursor{}, ci.Filter{})
						defer other.sub.Close()
						other.take().want(1, 2, 3, 4, "live")
					}
					r := w.read(c.cursor(w), ci.Filter{})
					defer r.sub.Close()
					r.take().want("reset "+string(c.want), 1, 2, 3, 4, "live")
					w.commit("end")
					r.take().want(5, "end")
				})
			})
		}
	}
}

// Where the log's beginning is no longer kept, a reader without a cursor
// begins with what is, and one with a cursor is told.
func TestSubscription_Expired(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a", "step/a", "step/a", "step/a", "step/a")
		w.expire(aLog, 3)
		check := func(cursor ci.Cursor, want ...any) {
			w.Helper()
			r := w.read(cursor, ci.Filter{})
			defer r.sub.Close()
			r.take().want(want...)
		}
		check(ci.Cursor{}, 4, 5, 6, "live")
		check(w.at(0), "reset expired", 4, 5, 6, "live")
		check(w.at(2), "reset expired", 4, 5, 6, "live")
		check(w.at(3), 4, 5, 6, "live")
		check(w.at(6), "live")
		check(w.at(7), "reset unknown_cursor", 4, 5, 6, "live")

		r := w.read(w.at(1), ci.Filter{})
		b, err := r.sub.Next(w.Context())
		if err != nil || b.Cursor != w.at(3) {
			w.Errorf("the reset is at %v, %v, not before the first event that is kept", b.Cursor, err)
		}
		r.sub.Close()

		w.expire(aLog, 6)
		time.Sleep(3 * time.Second) // no page is kept for so long
		check(ci.Cursor{}, "live")
		check(w.at(5), "reset expired", "live")
		check(w.at(6), "live")
	})
}

// A reader that lags while its events expire is told too.
func TestSubscription_ExpiresWhileReading(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a", "step/a", "step/a", "step/a", "step/a", "step/a")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		b, err := r.sub.Next(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		r.note(b)
		r.want(1, 2, 3)
		w.expire(aLog, 5)
		r.take().want("reset expired", 6, 7, "live")
	})
}

// A gap whose events have expired meanwhile is told of, too, and closes.
func TestSubscription_GapExpires(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		w.lose("step/a", "step/a", "step/a", "step/a")
		w.expire(aLog, 3)
		w.tails.Hint(aLog, 5)
		r.take().want("reset expired", 4, 5, "live")
		w.expire(aLog, 5)
		w.lose("step/a", "step/a")
		w.expire(aLog, 7)
		time.Sleep(time.Second)
		r.take().want("reset expired", "live")
		w.commit("step/a")
		r.take().want(8)
	})
}

// A page that lay ready for long says nothing about what came since.
func TestSubscription_TakesAPageLate(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a")
		r := w.read(w.at(2), ci.Filter{})
		defer r.sub.Close()
		if _, ok, err := r.sub.TryNext(); ok || err != nil {
			w.Fatal("there should be nothing yet", err)
		}
		synctest.Wait() // the page has come, and is not taken
		w.commit("step/a")
		w.commit("step/a")
		r.take().want(3, 4, "live")
	})
}

// The table knows better than the tail: another process may be ahead.
func TestSubscription_CursorAheadOfTheTail(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		other := w.read(ci.Cursor{}, ci.Filter{})
		defer other.sub.Close()
		other.take().want(1, "live")
		w.lose("step/a", "step/a")
		r := w.read(w.at(3), ci.Filter{})
		defer r.sub.Close()
		r.take().want("live")
		other.take().want(2, 3)
		w.commit("step/a")
		r.take().want(4)
		other.take().want(4)
	})
}

// A page that was asked for before the event existed says nothing about a
// cursor that points at it.
func TestSubscription_SharesNoPageThatIsTooOld(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		hold := make(chan struct{})
		w.set(func() { w.table.hold = hold })
		bogus := w.read(w.at(2), ci.Filter{})
		defer bogus.sub.Close()
		bogus.take().want()
		w.lose("step/a") // now 2 exists, and a reader that has it comes over from another process
		r := w.read(w.at(2), ci.Filter{})
		defer r.sub.Close()
		r.take().want()
		w.set(func() { w.table.hold = nil })
		close(hold)
		r.take().want("live")
		bogus.take().want("reset unknown_cursor", 1, 2, "live")
	})
}

func TestTails_Rewound(t *testing.T) {
	t.Parallel()
	for name, notice := range map[string]func(w *world){
		"by a poll":  func(w *world) { time.Sleep(time.Second) },
		"by a batch": func(w *world) { w.commit("step/b") },
		"by a batch of another log": func(w *world) {
			epoch, e, head := w.append(99, "build")
			w.tails.Committed(epoch, 99, []ci.Event{e}, head)
		},
		"by a page": func(w *world) {
			sub := w.subscribe(98, "other", ci.Cursor{}, ci.Filter{})
			defer sub.Close()
			if _, err := sub.Next(w.Context()); err != nil {
				w.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorlds(t, func(w *world) {
				w.lose("build", "step/a", "step/a", "step/a", "step/a")
				waits, lags := w.read(ci.Cursor{}, ci.Filter{}), w.read(ci.Cursor{}, ci.Filter{})
				new := w.read(w.at(5), ci.Filter{}) // has not begun yet
				defer waits.sub.Close()
				defer lags.sub.Close()
				defer new.sub.Close()
				waits.take().want(1, 2, 3, 4, 5, "live")
				b, err := lags.sub.Next(w.Context())
				if err != nil {
					w.Fatal(err)
				}
				lags.note(b)
				lags.want(1, 2, 3)
				former := w.epoch

				w.rewind(aLog, 2, false)
				w.lose("log/x") // another event 3 than before
				notice(w)
				want := []any{"reset rewound", 1, 2, 3}
				if w.length() == 4 {
					want = append(want, 4)
				}
				want = append(want, "live")
				waits.take().want(want...)
				lags.take().want(want...)
				new.take().want(want...)
				if p := waits.cursor.Prefix; p != w.at(0).Prefix {
					w.Errorf("ids still begin with %q", p)
				}

				// What comes late of the former history does nothing.
				e := event(4, "step/late")
				w.tails.Committed(former, aLog, []ci.Event{e, event(5, "step/late")}, ci.Head{Last: 5})
				w.commit("step/b")
				last := int(w.length())
				waits.take().want(last)
				lags.take().want(last)
			})
		})
	}
}

// A rewind that left the epoch as it was shows when a query that was sent
// after a head had been seen returns a lower one.
func TestTails_RewoundUnnoticed(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a", "step/a", "step/a")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, 2, 3, 4, "live")
		w.rewind(aLog, 2, true)
		time.Sleep(time.Second)
		r.take().want("reset rewound", 1, 2, "live")
		if len(w.former) != 1 {
			w.Errorf("the epoch was replaced %d times", len(w.former))
		}

		w.rewind(aLog, 1, true)
		other := w.read(w.at(0), ci.Filter{NoLogs: true}) // asks for a page
		defer other.sub.Close()
		other.take().want("reset rewound", 1, "live")
		r.take().want("reset rewound", 1, "live")
	})
}

// A page that was asked for in the former history and comes after the rewind
// is not taken for the new one, nor does it bring the former one back.
func TestTails_StalePage(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a", "step/a", "step/a")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, 2, 3, 4, "live")
		hold := make(chan struct{})
		w.set(func() { w.table.hold = hold })
		late := w.read(w.at(0), ci.Filter{NoLogs: true})
		defer late.sub.Close()
		late.take().want()
		w.rewind(aLog, 1, false)
		w.set(func() { w.table.hold = nil })
		w.commit("step/new")
		r.take().want("reset rewound", 1, 2, "live")
		late.take().want("reset rewound", 1, 2, "live")
		close(hold)
		w.settle()
		r.take().want()
		late.take().want()
		w.commit("step/new")
		r.take().want(3)
		late.take().want(3)
	})
}

func TestSubscription_EndAndSecondEnd(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a")
		r := w.read(ci.Cursor{}, ci.Filter{})
		r.take().want(1, 2, "live")
		w.commit("log/a", "step/a", "end")
		r.take().want(3, 4, 5, "end")
		for range 2 {
			if _, err := r.sub.Next(w.Context()); err != io.EOF {
				w.Errorf("after the end: %v", err)
			}
		}
		r.sub.Close()

		again := w.read(r.cursor, ci.Filter{}) // the answer to which is a 204
		again.take().want("live", "end")
		again.sub.Close()

		open := w.read(w.at(4), ci.Filter{})
		open.take().want(5, "live", "end")
		w.commit("log/a") // text that comes late
		resumed := w.read(r.cursor, ci.Filter{})
		resumed.take().want(6, "live", "end")
		resumed.sub.Close()
		open.sub.Close()
	})
}

// There is no end before everything has been sent, however the news of it
// arrive.
func TestSubscription_NoEndBeforeEverything(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		hold := make(chan struct{})
		w.set(func() { w.table.hold = hold })
		w.lose("log/a", "log/a", "log/a", "log/a")
		w.commit("end")
		r.take().want()
		w.set(func() { w.table.hold = nil })
		close(hold)
		w.settle()
		r.take().want(2, 3, 4, 5, 6, "end")
	})
}

// A build that is lost for a day becomes final without an event.
func TestSubscription_EndByAge(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, 2, "live")
		time.Sleep(10 * time.Second)
		r.take().want()
		w.set(func() { w.logs[aLog].final = true })
		time.Sleep(time.Second)
		r.take().want("end")
	})
}

// Who reads many logs does not keep others from a page of theirs, nor from one of the
// same that both wait for.
func TestTails_ReadsInTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Reads: 1})
		hold := make(chan struct{})
		w.set(func() { w.hold = hold })
		read := func(who string, log ci.LogID) {
			sub := w.subscribe(log, aName, ci.Cursor{}, ci.Filter{})
			sub.OnBehalf(who)
			t.Cleanup(sub.Close)
			if _, ok, err := sub.TryNext(); ok || err != nil {
				t.Fatalf("log %d: %v, %v", log, ok, err)
			}
			synctest.Wait()
		}
		read("many", 100) // is being read
		for log := ci.LogID(101); log < 150; log++ {
			read("many", log)
		}
		read("one", 200)
		read("another", 149)
		w.set(func() { w.hold = nil })
		close(hold)
		synctest.Wait()
		w.set(func() {
			if want := []ci.LogID{100, 101, 200, 149, 102, 103}; len(w.order) != 51 || !slices.Equal(w.order[:len(want)], want) {
				t.Errorf("%d pages are read in the order %v, want 51 that begin with %v", len(w.order), w.order, want)
			}
		})
	})
}

// Whose readers do not take the pages that were read for them, or have taken them and do
// not come for more, as while they write to a slow peer, gets no more of them, and nobody
// else waits for that.
func TestTails_WhoHoldsMuchWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Held: 1, Reads: 1})
		for log := ci.LogID(100); log < 103; log++ {
			for range 3 {
				w.append(log, "log/a")
			}
		}
		sub := func(who string, log ci.LogID) *Subscription {
			s := w.subscribe(log, aName, ci.Cursor{}, ci.Filter{})
			s.OnBehalf(who)
			t.Cleanup(s.Close)
			if _, ok, err := s.TryNext(); ok || err != nil {
				t.Fatalf("log %d: %v, %v", log, ok, err)
			}
			return s
		}
		check := func(what string, s *Subscription, want int) {
			t.Helper()
			synctest.Wait()
			if b, ok, err := s.TryNext(); err != nil || ok != (want > 0) || b.Count != want {
				t.Errorf("%s: %d events, %v, %v, want %d", what, b.Count, ok, err, want)
			}
		}
		hold := make(chan struct{})
		w.set(func() { w.hold = hold })
		first, shared := sub("many", 100), sub("many", 100)
		w.set(func() { w.hold = nil })
		close(hold)
		synctest.Wait()
		second, third := sub("many", 101), sub("many", 102)
		other := sub("other", 101)
		check("another's", other, 3)
		check("the second, whose page the other has read too, while the first is held", second, 0)
		check("the third, while the first is held", third, 0)
		for range 100 { // those who leave leave nothing behind
			s := w.subscribe(100, aName, w.at(1), ci.Filter{NoLogs: true})
			s.OnBehalf("many")
			s.TryNext()
			s.Close()
		}
		if n := len(w.tails.tails[100].reads); n > 0 {
			t.Errorf("%d reads are left, for which nobody waits", n)
		}
		check("the first", first, 3)
		check("the first, which comes for more", first, 0)
		check("the second, while who shares it holds it", second, 0)
		check("who shares it", shared, 3)
		check("the second, while that is being sent", second, 0)
		shared.Close()
		check("the third, which has waited longest, when nobody holds any", third, 3)
		check("the second, while that is being sent", second, 0)
		check("the third, which comes for more", third, 0)
		check("the second, when nobody holds any", second, 3)
		if held := w.tails.queue.held; len(held) != 2 || held[asker{who: "many"}] <= 0 || held[asker{who: "other"}] <= 0 {
			t.Errorf("%v bytes are held while two send the last", held)
		}
		check("the second, which comes for more", second, 0)
		other.Close()
		if len(w.tails.queue.held) > 0 {
			t.Errorf("%v bytes are held when all have been sent", w.tails.queue.held)
		}
	})
}

// Readers that come with cursors of another history, and hold the page that told so, do not
// wait for room that they take themselves.
func TestTails_ForeignCursorsHaveRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Held: 1})
		var subs []*Subscription
		for log := ci.LogID(100); log < 104; log++ {
			w.append(log, "log/a")
			s := w.subscribe(log, aName, ci.Cursor{Prefix: "zzzzzz", ID: 1}, ci.Filter{})
			s.OnBehalf("one")
			t.Cleanup(s.Close)
			subs = append(subs, s)
		}
		events := make([]int, len(subs))
		for range 100 { // nobody is slow
			for i, s := range subs {
				for ok := true; ok; {
					b, more, err := s.TryNext()
					if err != nil {
						t.Fatal(err)
					}
					events[i], ok = events[i]+b.Count, more
				}
			}
			synctest.Wait()
		}
		if !slices.Equal(events, []int{1, 1, 1, 1}) {
			t.Errorf("%v events came", events)
		}
	})
}

// A reader that takes nothing costs its cursor: no queue, no place among those
// who are woken, and a tail that stays within its bounds.
func TestSubscription_FallsBehind(t *testing.T) {
	t.Parallel()
	for _, events := range []int{-1, 1, 1000} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{TailEvents: events, TailBytes: 50_000})
			w.pageSize = 256
			w.lose("build")
			quick, slow := w.read(ci.Cursor{}, ci.Filter{}), w.read(ci.Cursor{}, ci.Filter{})
			defer quick.sub.Close()
			defer slow.sub.Close()
			quick.take().want(1, "live")
			slow.take().want(1, "live")
			for i := range 5000 {
				w.commit("log/a")
				if i%10 == 0 {
					w.settle()
					quick.take()
				}
				held, bytes, waiting, _ := w.tails.Held(aLog)
				if held > max(0, events) || bytes > 50_000+segmentBytes || waiting > 2 {
					t.Fatalf("the tail holds %d events, %d bytes, and %d wait", held, bytes, waiting)
				}
			}
			w.settle()
			quick.take()
			slow.take()
			if len(quick.got) != 5000 || !slices.Equal(quick.got, slow.got) {
				t.Errorf("the quick one got %d events, the slow one %d", len(quick.got), len(slow.got))
			}
			if s := slow.sub; s.page != nil || len(s.parts) > 0 || len(s.frames) > 0 {
				t.Errorf("an idle subscription holds on to %v %v %v", s.page, s.parts, s.frames)
			}
		})
	}
}

// Many tails share one room: within a poll none holds more than its part where all of them
// hold too much, and readers have everything all the same.
func TestTails_ShareTheirRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const logs, room = 8, 4 * segmentBytes
		w := newWorld(t, Options{Room: room, Beat: -1})
		var subs []*Subscription
		text := bytes.Repeat([]byte("0123456789abcde\n"), 20_000/16)
		for log := range ci.LogID(logs) {
			log += 100
			w.append(log, "build")
			s := w.subscribe(log, aName, ci.Cursor{}, ci.Filter{})
			t.Cleanup(s.Close)
			subs = append(subs, s)
			s.TryNext() // so that there is a tail
			synctest.Wait()
			for range 10 {
				epoch, e, head := w.append(log, "log/a")
				e.Chunk = ci.NewChunk(text)
				w.set(func() { w.logs[log].events[e.ID-1] = e })
				w.tails.Committed(epoch, log, []ci.Event{e}, head)
			}
		}
		held := func() (all int) {
			for log := range ci.LogID(logs) {
				_, bytes, _, _ := w.tails.Held(100 + log)
				all += bytes
			}
			return all
		}
		if held() <= room {
			t.Fatalf("%d bytes are held, want more than %d to begin with", held(), room)
		}
		time.Sleep(time.Second + time.Millisecond) // a poll
		synctest.Wait()
		if held() > room {
			t.Errorf("%d bytes are held after a poll, want %d at most", held(), room)
		}
		for i, s := range subs {
			events := 0
			for last := ci.EventID(0); last < 11; synctest.Wait() {
				b, _, err := s.TryNext()
				if err != nil {
					t.Fatal(err)
				}
				events, last = events+b.Count, max(last, b.Cursor.ID)
			}
			if events != 11 {
				t.Errorf("reader %d got %d events, want 11", i, events)
			}
		}
	})
}

func TestTails_BoundedInBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{TailEvents: 1000, TailBytes: 150_000, Beat: -1})
		w.pageSize = 4
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		big := bytes.Repeat([]byte("0123456789abcde\n"), ci.MaxChunkBytes/16)
		for i := range 20 {
			epoch, e, head := w.append(aLog, "log/a")
			e.Chunk = ci.NewChunk(big)
			w.set(func() { w.logs[aLog].events[e.ID-1] = e })
			w.tails.Committed(epoch, aLog, []ci.Event{e}, head)
			if _, bytes, _, _ := w.tails.Held(aLog); bytes > 150_000 {
				t.Fatalf("the tail holds %d bytes", bytes)
			}
			if i%5 == 4 {
				r.take()
			}
		}
		if len(r.got) != 20 {
			t.Errorf("got %d events of 20", len(r.got))
		}
	})
}

// A batch is about 256 KiB at most, from the tail and from pages alike, and an
// event that is larger goes alone.
func TestSubscription_BatchesAreBounded(t *testing.T) {
	t.Parallel()
	for _, events := range []int{-1, 1000} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, Options{TailEvents: events, TailBytes: 64 << 20, Beat: -1})
			w.pageSize = 4
			w.lose("build")
			sub := w.subscribe(aLog, aName, ci.Cursor{}, ci.Filter{})
			defer sub.Close()
			if b, err := sub.Next(t.Context()); err != nil || !b.Live {
				t.Fatalf("%+v, %v", b, err)
			}
			const all = 120
			for i := range all {
				epoch, e, head := w.append(aLog, "log/a")
				e.Chunk = ci.NewChunk(make([]byte, ci.MaxChunkBytes>>(i/4%4))) // \u0000 is six times as long
				w.set(func() { w.logs[aLog].events[e.ID-1] = e })
				w.tails.Committed(epoch, aLog, []ci.Event{e}, head)
			}
			several := 0
			for n := 0; n < all; {
				b, err := sub.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				here := 0
				for range b.Events() {
					here++
				}
				n += here
				if here > 1 {
					several++
				}
				if b.Size > maxBatch && here > 1 {
					t.Errorf("%d events of %d bytes came at once", here, b.Size)
				}
			}
			if several == 0 {
				t.Error("no batch had several events")
			}
			if w.tails.kept.bytes > keepBytes {
				t.Errorf("%d bytes of pages are kept", w.tails.kept.bytes)
			}
		})
	}
}

// Correctness does not depend on the tail at any moment.
func TestTails_EmptiedAtAnyMoment(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")
		rng := rand.New(rand.NewPCG(5, 6))
		for range 300 {
			switch rng.IntN(4) {
			case 0:
				w.tails.Empty(aLog)
			case 1:
				w.commit("log/a", "step/a", "log/a")
			case 2:
				w.commit("log/a")
			case 3:
				r.take()
			}
		}
		w.settle()
		r.take()
		for i, got := range r.got {
			if want := w.line(ci.EventID(i + 2)); got != want {
				w.Fatalf("got %q, want %q", got, want)
			}
		}
		if len(r.got) != int(w.length())-1 {
			w.Errorf("got %d events of %d", len(r.got), w.length()-1)
		}
	})
}

// The tail is there for as long as somebody subscribes to its log.
func TestTails_DropsWithTheLastReader(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a")
		a, b := w.read(ci.Cursor{}, ci.Filter{}), w.read(ci.Cursor{}, ci.Filter{})
		a.take().want(1, 2, "live")
		w.commit("log/a")
		w.commit("log/a") // the beat is on
		a.sub.Close()
		a.sub.Close()
		if _, _, _, ok := w.tails.Held(aLog); !ok {
			w.Error("the tail went with the first reader")
		}
		b.sub.Close()
		if _, _, _, ok := w.tails.Held(aLog); ok {
			w.Error("the tail is still there")
		}
		if _, err := b.sub.Next(w.Context()); err != ErrClosed {
			w.Errorf("after Close: %v", err)
		}
		w.commit("step/a")
		w.settle()
		before := w.heads
		time.Sleep(3 * time.Second)
		if w.heads != before {
			w.Error("it is still polled for")
		}
		again := w.read(w.at(2), ci.Filter{})
		defer again.sub.Close()
		again.take().want(3, 4, 5, "live")
	})
}

// Readers that come and go on a quiet log leave nothing behind.
func TestTails_ForgetsWhoHasLeft(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		stays := w.read(ci.Cursor{}, ci.Filter{})
		defer stays.sub.Close()
		stays.take().want(1, "live")
		for range 100 {
			a, b := w.read(w.at(1), ci.Filter{}), w.read(w.at(1), ci.Filter{})
			a.take().want("live")
			b.take().want("live")
			a.sub.Close()
			b.sub.Close()
		}
		if _, _, waiting, _ := w.tails.Held(aLog); waiting != 1 {
			w.Errorf("%d wait, and one is there", waiting)
		}
		w.commit("step/a")
		stays.take().want(2)
	})
}

// A commit that is handed over while the tail is being born is not lost, and
// does not wait for the poll.
func TestTails_CommitDuringBirth(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		hold := make(chan struct{})
		w.set(func() { w.table.hold = hold })
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want()
		w.commit("step/a")
		w.set(func() { w.table.hold = nil })
		start := time.Now()
		close(hold)
		r.take().want(1, 2, "live")
		if time.Since(start) != 0 {
			w.Errorf("it took %v", time.Since(start))
		}
	})
}

// Leading edge at once, then a beat; a status takes everything before it along.
func TestTails_Beat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.lose("build")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, "live")

		w.commit("log/a")
		r.take().want(2)
		for range 4 {
			time.Sleep(4 * time.Millisecond)
			w.commit("log/a")
			r.take().want()
		}
		time.Sleep(4 * time.Millisecond)
		r.take().want(3, 4, 5, 6)

		w.commit("note/a")
		r.take().want()
		w.commit("log/a", "step/a", "note/a")
		r.take().want(7, 8, 9)
		time.Sleep(20 * time.Millisecond)
		r.take().want(10)

		w.commit("step/a")
		w.commit("build")
		r.take().want(11, 12)

		time.Sleep(time.Minute)
		w.commit("log/a", "log/a")
		r.take().want(13, 14)
	})
}

// A thousand readers at one place cost one query a page, and never more than
// so many at once.
func TestTails_ReadersShareReads(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.pageSize = 10
		for range 50 {
			w.lose("step/a")
		}
		var readers []*reader
		for range 1000 {
			r := w.read(w.at(0), ci.Filter{})
			defer r.sub.Close()
			readers = append(readers, r)
		}
		var all sync.WaitGroup
		for _, r := range readers {
			all.Go(func() {
				for n := 0; n < 50; {
					b, err := r.sub.Next(w.Context())
					if err != nil {
						w.Error(err)
						return
					}
					for range b.Events() {
						n++
					}
				}
			})
		}
		all.Wait()
		if n := w.count(); n > 10 {
			w.Errorf("1000 readers of 5 pages cost %d reads", n)
		}
	})
}

func TestTails_FewReadsAtOnce(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		for range 100 {
			w.lose("step/a")
		}
		hold := make(chan struct{})
		w.set(func() { w.table.hold = hold })
		var readers []*reader
		for id := range ci.EventID(50) {
			r := w.read(w.at(id), ci.Filter{})
			readers = append(readers, r.take())
		}
		synctest.Wait()
		if w.atOnce != 8 {
			w.Errorf("%d pages were read at once", w.atOnce)
		}
		for _, r := range readers[25:] {
			r.sub.Close() // nobody waits for these any more
		}
		w.set(func() { w.table.hold = nil })
		close(hold)
		for _, r := range readers[:25] {
			r.take()
			if r.cursor != w.at(100) {
				w.Errorf("a reader stands at %v", r.cursor)
			}
			r.sub.Close()
		}
		if w.atOnce != 8 {
			w.Errorf("%d pages were read at once", w.atOnce)
		}
	})
}

// While the source hangs, nothing else does.
func TestTails_NothingWaitsForTheSource(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a")
		hold := make(chan struct{})
		r := w.read(ci.Cursor{}, ci.Filter{})
		r.take().want(1, 2, "live")
		w.set(func() { w.table.hold = hold })
		start := time.Now()
		for range 20 {
			w.commit("step/a", "log/a")
			w.lose("log/a")
			w.tails.Hint(aLog, w.length())
			w.tails.Dirty()
			other := w.read(w.at(1), ci.Filter{})
			other.take()
			other.sub.Close()
			r.take()
		}
		if time.Since(start) != 0 {
			w.Errorf("something waited for %v", time.Since(start))
		}
		w.set(func() { w.table.hold = nil })
		close(hold)
		w.settle()
		r.take()
		if len(r.got) != 60 {
			w.Errorf("got %d events of 60", len(r.got))
		}
		r.sub.Close()
	})
}

// A source that fails is the business of those who need a page. Who is up to
// date waits, and goes on once it is back.
func TestSubscription_SourceFails(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, 2, "live")
		broken := errors.New("broken")
		w.set(func() { w.err = broken })
		other := w.read(w.at(0), ci.Filter{NoLogs: true})
		defer other.sub.Close()
		for range 2 {
			if _, err := other.sub.Next(w.Context()); !errors.Is(err, broken) {
				w.Errorf("got %v", err)
			}
		}
		w.lose("step/a")
		w.tails.Hint(aLog, 3)
		before := w.count()
		time.Sleep(10 * time.Second)
		r.take().want()
		if n := w.count() - before; n > 1 {
			w.Errorf("a broken source was asked for %d pages in 10 s", n)
		}
		if !w.tails.Blind() {
			w.Errorf("not blind while nothing can be read")
		}
		w.set(func() { w.err = nil })
		time.Sleep(time.Second)
		r.take().want(3)
		other.take().want(1, 2, 3, "live")
		time.Sleep(time.Second)
		if w.tails.Blind() {
			w.Errorf("blind though all can be read")
		}
	})
}

func TestSubscription_NextIsInterrupted(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		next := func(ctx context.Context) (*Subscription, chan error) {
			sub, ended := w.subscribe(aLog, aName, ci.Cursor{}, ci.Filter{}), make(chan error, 1)
			go func() {
				for {
					if _, err := sub.Next(ctx); err != nil {
						ended <- err
						return
					}
				}
			}()
			synctest.Wait()
			return sub, ended
		}
		ctx, cancel := context.WithCancel(w.Context())
		canceled, canceledEnd := next(ctx)
		closed, closedEnd := next(w.Context())
		stopped, stoppedEnd := next(w.Context())
		reading, readingEnd := func() (*Subscription, chan error) {
			w.set(func() { w.table.hold = make(chan struct{}) })
			w.lose("step/a")
			return next(w.Context())
		}()
		cancel()
		if err := <-canceledEnd; err != context.Canceled {
			w.Errorf("canceled: %v", err)
		}
		closed.Close()
		if err := <-closedEnd; err != ErrClosed {
			w.Errorf("closed: %v", err)
		}
		w.stop()
		if err := <-stoppedEnd; err != ErrStopped {
			w.Errorf("stopped: %v", err)
		}
		if err := <-readingEnd; err != ErrStopped {
			w.Errorf("stopped while a page was on its way: %v", err)
		}
		late, lateEnd := next(w.Context())
		if err := <-lateEnd; err != ErrStopped {
			w.Errorf("subscribed after the end: %v", err)
		}
		for _, sub := range []*Subscription{canceled, stopped, reading, late} {
			sub.Close()
		}
		w.tails.Committed(w.epoch, aLog, []ci.Event{event(2, "step/a")}, ci.Head{Last: 2})
		w.tails.Hint(aLog, 3)
		w.tails.Dirty()
	})
}

// A hook takes the place of Ready, and is called with no lock held.
func TestSubscription_OnReady(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build")
		sub := w.subscribe(aLog, aName, ci.Cursor{}, ci.Filter{})
		defer sub.Close()
		ready := make(chan struct{}, 1000)
		sub.OnReady(func() {
			w.tails.Held(aLog) // takes the locks
			ready <- struct{}{}
		})
		var got []ci.EventID
		drain := func() {
			for {
				b, ok, err := sub.TryNext()
				if err != nil {
					w.Fatal(err)
				}
				if !ok {
					return
				}
				for e := range b.Events() {
					got = append(got, e.ID)
				}
			}
		}
		drain()
		for len(got) < 20 {
			<-ready
			drain()
			if len(got) > 0 {
				w.commit("step/a")
			}
		}
	})
}

// A build's log has its number within one history only. Whoever looked it up
// in a former one is told so, and reads nothing under that number.
func TestSubscribe_WithANumberOfAFormerHistory(t *testing.T) {
	t.Parallel()
	inWorlds(t, func(w *world) {
		w.lose("build", "step/a")
		r := w.read(ci.Cursor{}, ci.Filter{})
		defer r.sub.Close()
		r.take().want(1, 2, "live")
		former := w.present()
		w.rewind(aLog, 1, false)
		time.Sleep(time.Second) // a poll notices
		r.take().want("reset rewound", 1, "live")
		late := w.tails.Subscribe(former, aLog, "another build", ci.Cursor{}, ci.Filter{})
		defer late.Close()
		if b, ok, err := late.TryNext(); ok || !errors.Is(err, ErrMoved) {
			t.Fatalf("it got %+v, %v, want ErrMoved", b, err)
		}
	})
}
