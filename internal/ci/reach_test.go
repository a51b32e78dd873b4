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
		{Reach{Patterns: []string{"*"}}, "acme/api", true, true},
		{Reach{Patterns: []string{"acme/*"}}, "acme/api", true, true},
		{Reach{Patterns: []string{"acme/*"}}, "acme/api/deploy", true, true},
		{Reach{Patterns: []string{"acme/*"}}, "acme", false, true},
		{Reach{Patterns: []string{"acme/api"}}, "acme/api", true, true},
		{Reach{Patterns: []string{"acme/api"}}, "acme/api2", false, true},
		{Reach{Patterns: []string{"other"}}, "acme/api", false, true},
		{Reach{Patterns: []string{"other", "acme/*"}}, "acme/api", true, true},
		{Reach{Patterns: []string{"other", "acme/web"}}, "acme/api", false, true},
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
	for _, sight := range []*Sight{nil, {Reach{}, one}, {Reach{}, two}, {Reach{Patterns: []string{"a"}}, one}, {Reach{Patterns: []string{"b"}}, one}, {Reach{All: true}, one}} {
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

// TestSight_Changes tells a reader of the feed that other projects are public
// only if they concern what was asked for.
func TestSight_Changes(t *testing.T) {
	t.Parallel()
	at := func(number int64, projects map[string]Visibility) *Publics { return &Publics{projects, number} }
	before := at(1, map[string]Visibility{"acme/api": {Public: true, Since: 7}})
	for name, c := range map[string]struct {
		reach  Reach
		filter Filter
		then   *Publics
		same   bool
	}{
		"nothing":               {Reach{}, Filter{}, before, true},
		"read again":            {Reach{}, Filter{}, at(2, map[string]Visibility{"acme/api": {Public: true, Since: 7, Recent: true}}), true},
		"one more":              {Reach{}, Filter{}, at(2, map[string]Visibility{"acme/api": {Public: true, Since: 7}, "acme/web": {Public: true, Since: 9}}), false},
		"one less":              {Reach{}, Filter{}, at(2, map[string]Visibility{"acme/api": {Since: 9}}), false},
		"there and back":        {Reach{}, Filter{}, at(2, map[string]Visibility{"acme/api": {Public: true, Since: 9}}), false},
		"one less, gone":        {Reach{}, Filter{}, at(2, nil), false},
		"not asked for":         {Reach{}, Filter{Projects: []string{"other/*"}}, at(2, nil), true},
		"asked for":             {Reach{}, Filter{Projects: []string{"acme/*"}}, at(2, nil), false},
		"seen in any case":      {Reach{Patterns: []string{"acme/*"}}, Filter{}, at(2, nil), true},
		"another's in any case": {Reach{Patterns: []string{"acme/web"}}, Filter{}, at(2, nil), false},
	} {
		sight := Sight{c.reach, before}
		if got := sight.Same(&c.filter, c.then); got != c.same {
			t.Errorf("%s: %v", name, got)
		}
	}
	for after, holds := range map[EventID]bool{6: false, 7: false, 8: true} {
		sight := Sight{Reach{}, before}
		if got := sight.Holds(&Filter{}, after); got != holds {
			t.Errorf("after %d: %v", after, got)
		}
	}
	recent := Sight{Reach{}, at(2, map[string]Visibility{"acme/api": {Since: 7, Recent: true}, "old": {Public: true, Since: -1, Until: -1}})}
	if recent.Holds(&Filter{}, 100) || !recent.Holds(&Filter{Projects: []string{"old"}}, 0) {
		t.Error("what changed a moment ago may not be known everywhere; what never did is")
	}
}

func TestPublics_After(t *testing.T) {
	t.Parallel()
	first := &Publics{map[string]Visibility{"a": {Public: true, Recent: true}}, 1}
	if got := (&Publics{map[string]Visibility{"a": {Public: true, Recent: true}}, 2}).After(first); got != first {
		t.Errorf("unchanged: %+v", got)
	}
	if got := (&Publics{map[string]Visibility{"a": {Public: true}}, 2}).After(first); got.Number != 1 || got.Projects["a"].Recent {
		t.Errorf("no longer recent: %+v", got)
	}
	if got := (&Publics{nil, 2}).After(first); got.Number != 2 {
		t.Errorf("changed: %+v", got)
	}
}

func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	for origin, ok := range map[string]bool{
		"https://portal.example": true, "http://localhost:8080": true, "http://127.0.0.1": true, "http://[::1]:8080": true,
		"": false, "portal.example": false, "https://": false, "https://portal.example/": false, "https://portal.example/x": false, "ftp://x": false,
		"https://*.example": false, "https://u@portal.example": false, "https://PORTAL.example": false, "https://portal.example;script-src": false,
		"https://a b": false, "https://portal.example:": false, "https://portal.example:x": false, "null": false, "*": false, "https://portal.example\n": false, "https://x,https://y": false,
	} {
		if err := CheckOrigin(origin); (err == nil) != ok {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
