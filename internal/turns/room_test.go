package turns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// TestRoom lets who has taken all that there is for one wait, in order, and nobody else.
func TestRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		room := NewRoom(10)
		var mu sync.Mutex
		got := make(map[string]*Hold)
		var order []string
		take := func(ctx context.Context, name, who string, bytes int) {
			go func() {
				h, err := room.Take(ctx, who, bytes)
				if err != nil {
					name += fmt.Sprint(": ", err)
				}
				mu.Lock()
				defer mu.Unlock()
				got[name] = h
				order = append(order, name)
			}()
			synctest.Wait()
		}
		keep := func(name string, bytes int) {
			synctest.Wait()
			got[name].Keep(bytes)
		}
		check := func(what string, want ...string) {
			t.Helper()
			synctest.Wait()
			slices.Sort(order) // several may get theirs in one moment
			if !slices.Equal(order, want) {
				t.Errorf("%s: %v, want %v", what, order, want)
			}
			order = nil
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		take(ctx, "a", "one", 20) // more than there is for one, who has none
		take(ctx, "b", "one", 6)
		take(ctx, "c", "one", 5)
		take(ctx, "d", "one", 4)
		take(ctx, "e", "other", 10)
		take(ctx, "f", "", 1000)
		check("at once", "a", "e", "f")
		keep("a", 5)
		check("five bytes are free, the next wants six")
		keep("a", 0)
		keep("a", 0)
		check("all are free: the third does not fit and keeps the fourth waiting", "b")
		short, end := context.WithCancel(ctx)
		take(short, "g", "one", 6)
		keep("b", 1)
		check("nine are free", "c", "d")
		end()
		check("given up", "g: context canceled")
		keep("e", 10)
		keep("c", 0)
		keep("d", 0)
		keep("b", 0)
		keep("e", 0)
		keep("f", 0)
		if room.Waiting() != 0 || len(room.of) != 0 {
			t.Errorf("%d are known of, when all is over", len(room.of))
		}

		// Who gives up while it is being given to gives it back.
		take(ctx, "h", "one", 10)
		first, end := context.WithCancel(ctx)
		take(first, "i", "one", 10)
		take(ctx, "j", "one", 1)
		end()
		check("the one before has given up", "h", "i: context canceled")
		keep("h", 9)
		check("and left room", "j")
		cancel(errors.New("over"))

		keep("h", 0)
		keep("j", 0)
		grows, beside := room.Begin("one"), room.Begin("one")
		if !grows.Grow(8) || !grows.Grow(9) || beside.Grow(1) || !room.Begin("").Grow(1000) {
			t.Error("one alone may be of any size, and another has no room beside it")
		}
		if grows.Keep(9); !beside.Grow(1) || beside.Grow(2) || !room.Full("one", 1) || room.Full("other", 10) {
			t.Error("there is room for one more")
		}
		grows.Keep(0)
		beside.Keep(0)
		take(t.Context(), "k", "one", 0)
		keep("k", 0)
		if len(room.of) != 0 {
			t.Errorf("%d are known of, when all is over", len(room.of))
		}
	})
}

// TestLine_NextOf leaves out whose turn it may not be, and keeps their places.
func TestLine_NextOf(t *testing.T) {
	t.Parallel()
	var l Line[string, int]
	for i, who := range []string{"a", "a", "b", "c", "b"} {
		l.Add(who, i)
	}
	not := func(names ...string) func(string) bool {
		return func(who string) bool { return !slices.Contains(names, who) }
	}
	for _, one := range []struct {
		may  func(string) bool
		who  string
		what int
	}{{not("a"), "b", 2}, {not("a", "b"), "c", 3}, {not(), "a", 0}, {not("a"), "b", 4}, {not(), "a", 1}} {
		if who, what, some := l.NextOf(one.may); !some || who != one.who || what != one.what {
			t.Errorf("%s %d %v, want %s %d", who, what, some, one.who, one.what)
		}
	}
	if _, _, some := l.NextOf(not()); some {
		t.Error("something is left")
	}
	l.Add("a", 1)
	l.Add("b", 2)
	l.AddFirst("b", 3)
	l.AddFirst("c", 4)
	for _, want := range []int{1, 3, 4, 2} {
		if _, what := l.Next(); what != want {
			t.Errorf("%d is next, want %d", what, want)
		}
	}
}
