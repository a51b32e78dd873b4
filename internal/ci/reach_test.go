package ci

import (
	"fmt"
	"testing"
)

func TestReach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reach           Reach
		project         string
		private, public bool // whether it is seen
	}{
		{Reach{}, "acme/api", false, true},
		{Reach{All: true}, "acme/api", true, true},
		{Reach{Pattern: "*"}, "acme/api", true, true},
		{Reach{Pattern: "acme/*"}, "acme/api", true, true},
		{Reach{Pattern: "acme/*"}, "acme/api/deploy", true, true},
		{Reach{Pattern: "acme/*"}, "acme", false, true},
		{Reach{Pattern: "acme/api"}, "acme/api", true, true},
		{Reach{Pattern: "acme/api"}, "acme/api2", false, true},
		{Reach{Pattern: "other"}, "acme/api", false, true},
	} {
		if got := c.reach.Sees(c.project, false); got != c.private {
			t.Errorf("%+v sees %s while private: %v", c.reach, c.project, got)
		}
		if got := c.reach.Sees(c.project, true); got != c.public {
			t.Errorf("%+v sees %s while public: %v", c.reach, c.project, got)
		}
	}
}

// TestSight_Fingerprint holds filters of readers who see different things to
// different fingerprints: by those, readers share pages.
func TestSight_Fingerprint(t *testing.T) {
	t.Parallel()
	one, two := &Publics{Number: 1}, &Publics{Number: 2}
	seen := map[string]*Sight{}
	for _, sight := range []*Sight{nil, {Reach{}, one}, {Reach{}, two}, {Reach{Pattern: "a"}, one}, {Reach{Pattern: "b"}, one}, {Reach{All: true}, one}} {
		key := fmt.Sprintf("%#v", Filter{Sight: sight})
		if other, there := seen[key]; there {
			t.Errorf("%+v and %+v are both %s", sight, other, key)
		}
		seen[key] = sight
	}
	if a, b := fmt.Sprintf("%#v", Filter{Sight: &Sight{Reach{}, one}}), fmt.Sprintf("%#v", Filter{Sight: &Sight{Reach{}, one}}); a != b {
		t.Errorf("the same sight is %s and %s", a, b)
	}
}
