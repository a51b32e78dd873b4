package server

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// TestTurns lets no more work at once than there are places, and nobody wait for
// another's second piece of work.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		places := newTurns(2)
		enter := func(who string) func() {
			leave, err := places.enter(t.Context(), who)
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
				if _, err := places.enter(gone, who); err == nil {
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
		if places.free != 2 || len(places.waiting)+len(places.order) > 0 {
			t.Errorf("all have left: %d places are free, want 2; %v wait", places.free, places.order)
		}
	})
}

// TestReports_AreDecodedInTurn takes all places: what arrives is decoded after that.
func TestReports_AreDecodedInTurn(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	var leave func()
	for range runtime.GOMAXPROCS(0) {
		leave, _ = s.decoding.enter(t.Context(), "another")
	}
	const reports = 20
	answered := make(chan int, 2*reports)
	for range reports {
		go func() { answered <- s.write(build+"/updates", `{"updates":[{"step":{"key":"a"}}]}`).status }()
		go func() { answered <- s.write("/api/v1/builds", `{"project":"p"}`).status }()
	}
	waiting := func() (n int) {
		s.decoding.mu.Lock()
		defer s.decoding.mu.Unlock()
		for _, of := range s.decoding.waiting {
			n += len(of)
		}
		return n
	}
	for waiting() < 2*reports {
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
