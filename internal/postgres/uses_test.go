package postgres

import (
	"net/netip"
	"testing"
	"time"
)

func TestUses(t *testing.T) {
	t.Parallel()
	u := uses{latest: make(map[[32]byte]use)}
	now := time.Now()
	one, two := [32]byte{1}, [32]byte{2}
	from := netip.MustParseAddr("192.0.2.1")
	if !u.note(one, from, now) || u.note(one, from, now.Add(everyUse-1)) || !u.note(two, from, now.Add(time.Second)) {
		t.Error("the first use of a minute is not all that is noted")
	}
	some := u.unwritten(now)
	if len(some) != 2 || len(u.unwritten(now)) != 2 {
		t.Errorf("what was not written yet is forgotten: %v", some)
	}
	if u.note(one, from, now.Add(everyUse)); u.latest[one].written { // while it is being written
		t.Error("the next use is taken for the one before")
	}
	u.wrote(some)
	if some = u.unwritten(now.Add(everyUse)); len(some) != 1 || !some[one].at.Equal(now.Add(everyUse)) {
		t.Errorf("to be written are %v", some)
	}
	if u.unwritten(now.Add(2 * everyUse)); len(u.latest) != 1 {
		t.Errorf("what is long past is kept: %v", u.latest)
	}
}

// However many tokens are used, memory is bounded, and there is room again a
// minute later.
func TestUses_Bounded(t *testing.T) {
	t.Parallel()
	u := uses{latest: make(map[[32]byte]use)}
	now := time.Now()
	sum := func(n int) [32]byte { return [32]byte{byte(n), byte(n >> 8), byte(n >> 16)} }
	for n := range 2 * mostUses {
		u.note(sum(n), netip.Addr{}, now)
	}
	if len(u.latest) != mostUses {
		t.Fatalf("%d are kept", len(u.latest))
	}
	u.wrote(u.unwritten(now))
	later := now.Add(everyUse)
	if !u.note(sum(3*mostUses), netip.Addr{}, later) {
		t.Error("nothing is done for want of room")
	}
	u.unwritten(later)
	if u.note(sum(3*mostUses), netip.Addr{}, later); len(u.latest) != 1 {
		t.Errorf("%d are kept", len(u.latest))
	}
}
