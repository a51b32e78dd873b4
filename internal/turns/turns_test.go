package turns

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"weak"
)

// TestLine_KeepsNothing takes something large out, of whom more waits.
func TestLine_KeepsNothing(t *testing.T) {
	t.Parallel()
	var l Line[string, *[1 << 20]byte]
	l.Add("who", new([1 << 20]byte))
	l.Add("who", new([1 << 20]byte))
	_, first := l.Next()
	gone := weak.Make(first)
	first = nil
	runtime.GC()
	if gone.Value() != nil {
		t.Error("what has left is still there")
	}
	if _, some := l.First(); !some {
		t.Error("nothing waits")
	}
}

// TestTurns lets no more work at once than there are places, and nobody wait for
// another's second piece of work.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		places := New(2)
		enter := func(who string) func() {
			leave, err := places.Enter(t.Context(), who)
			if err != nil {
				t.Error(err)
			}
			return leave
		}
		first, second := enter("much"), enter("much")
		var got []string
		work := func(who string, n int) {
			go func() {
				defer enter(who)()
				got = append(got, fmt.Sprint(who, n))
			}()
			synctest.Wait()
		}
		for i := range 3 {
			work("much", i)
		}
		work("little", 0)
		work("other", 0)
		work("little", 1)
		if len(got) > 0 {
			t.Fatalf("%v at work, where all places are taken", got)
		}
		gone, leave := context.WithCancel(t.Context())
		for _, who := range []string{"much", "gone"} {
			go func() {
				if _, err := places.Enter(gone, who); err == nil {
					t.Errorf("%s, who has gone, has a turn", who)
				}
			}()
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		first()
		synctest.Wait()
		if got, want := strings.Join(got, " "), "much0 little0 other0 much1 little1 much2"; got != want {
			t.Errorf("turns were had in the order %s, want %s", got, want)
		}
		second()
		if places.free != 2 || len(places.line.waiting)+len(places.line.order) > 0 {
			t.Errorf("all have left: %d places are free, want 2; %v wait", places.free, places.line.order)
		}
	})
}
