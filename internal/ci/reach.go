package ci

import (
	"fmt"
	"maps"
	"slices"
)

// Reach is which projects a caller may see: all of them, or the public ones and
// those that patterns cover. The zero Reach is a stranger's: what is public.
type Reach struct {
	All      bool
	Patterns []string // project patterns
}

// Sees tells whether the caller may see a project.
func (r Reach) Sees(project string, public bool) bool {
	return r.All || public || slices.ContainsFunc(r.Patterns, func(pattern string) bool { return MatchProject(pattern, project) })
}

// Visibility is whether a project is public, and since when.
type Visibility struct {
	Public bool
	Since  EventID // the feed's newest event when that changed; -1: it never did
	Until  EventID // the newest event at which a process may not have known of that; at least Since
	Recent bool    // there may be more such events to come
}

// Publics are the projects that are public, or ever were, as of one moment. It
// is shared, and never changed.
type Publics struct {
	Projects map[string]Visibility
	Number   int64 // tells what is seen by it from what is seen by others of this process
}

// After is p as what follows former: if nothing has changed, it is the former
// one, or has its number.
func (p *Publics) After(former *Publics) *Publics {
	if former == nil {
		return p
	}
	if maps.Equal(p.Projects, former.Projects) {
		return former
	}
	if maps.EqualFunc(p.Projects, former.Projects, func(a, b Visibility) bool { return a.Public == b.Public && a.Since == b.Since }) {
		return &Publics{Projects: p.Projects, Number: former.Number}
	}
	return p
}

// Sight is what a reach comes to for a reader of the feed, whose events do not
// say whether their project is public: it is true as of one moment.
type Sight struct {
	Reach  Reach
	Public *Publics
}

// Sees tells whether the reader may see a project.
func (s *Sight) Sees(project string) bool {
	return s.Reach.Sees(project, s.Public.Projects[project].Public)
}

// GoString tells a sight from any other, in the fingerprint of a filter: an
// address would not, since memory is used again.
func (s *Sight) GoString() string {
	if s == nil {
		return "all"
	}
	return fmt.Sprintf("%+v of %d", s.Reach, s.Public.Number)
}

// Same tells whether nothing that the filter lets pass has become public or
// private between what the reader sees and another moment.
func (s *Sight) Same(f *Filter, then *Publics) bool {
	if s.Public.Number == then.Number {
		return true
	}
	for _, one := range []struct{ from, to *Publics }{{s.Public, then}, {then, s.Public}} {
		for name, v := range one.from.Projects {
			other := one.to.Projects[name]
			if (v.Public != other.Public || v.Since != other.Since) && !s.Reach.Sees(name, false) && f.wants(name) {
				return false
			}
		}
	}
	return true
}

// Holds tells whether a reader who stopped after an event of the feed has seen
// what the filter lets pass as it is seen now.
func (s *Sight) Holds(f *Filter, after EventID) bool {
	for name, v := range s.Public.Projects {
		if (v.Recent || after <= max(v.Since, v.Until)) && !s.Reach.Sees(name, false) && f.wants(name) {
			return false
		}
	}
	return true
}
