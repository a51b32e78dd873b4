package ci

import (
	"fmt"
	"maps"
)

// Reach is which projects a caller may see: all of them, or the public ones and
// those that a pattern covers. The zero Reach is a stranger's: what is public.
type Reach struct {
	All     bool
	Pattern string // a project pattern; "": none
}

// Sees tells whether the caller may see a project.
func (r Reach) Sees(project string, public bool) bool {
	return r.All || public || r.Pattern != "" && MatchProject(r.Pattern, project)
}

// Sight is what a reach comes to for a reader of the feed, whose events do not
// say whether their project is public: it is true as of one moment.
type Sight struct {
	Reach  Reach
	Public *Publics
}

// Sees tells whether the reader may see a project.
func (s *Sight) Sees(project string) bool { return s.Reach.Sees(project, s.Public.Names[project]) }

// GoString tells a sight from any other, in the fingerprint of a filter: an
// address would not, since memory is used again.
func (s *Sight) GoString() string {
	if s == nil {
		return "all"
	}
	return fmt.Sprintf("%+v of %d", s.Reach, s.Public.Number)
}

// Publics are the public projects as of one moment. It is shared, and never
// changed.
type Publics struct {
	Names  map[string]bool
	Number int64 // tells it from every other of this process
}

// Same tells whether the same projects were public at both moments.
func (p *Publics) Same(other *Publics) bool { return maps.Equal(p.Names, other.Names) }
