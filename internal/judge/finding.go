package judge

import (
	"fmt"
	"strings"
)

// Kind names what is wrong with a history.
type Kind string

// The faults that the checker looks for.
const (
	Lost         Kind = "lost"          // acknowledged, never seen
	Duplicate    Kind = "duplicate"     // one reader saw an id twice, or something is stored twice
	Skip         Kind = "skip"          // a reader's ids are not consecutive
	NonMonotonic Kind = "non-monotonic" // an id after a higher one
	Inconsistent Kind = "inconsistent"  // two readers, one id, different data
	Phantom      Kind = "phantom"       // seen, never sent
	OffsetHole   Kind = "offset hole"   // a step's text is not contiguous
	Stale        Kind = "stale"         // a finished build whose end a reader never saw
	Refused      Kind = "refused"       // an answer that no fault excuses
	NeedlessDrop Kind = "reset"         // a reader was told to forget a history that stands
)

// Finding is one fault, with what is needed to look for its cause.
type Finding struct {
	Kind   Kind   `json:"kind"`
	Log    string `json:"log,omitempty"`    // a build's id, or "feed"
	Reader string `json:"reader,omitempty"` // who saw it, and on which connection
	ID     int64  `json:"id,omitempty"`     // the event's number
	Detail string `json:"detail"`
}

func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Kind, f.Detail)
	for _, part := range []struct{ name, value string }{{"log", f.Log}, {"reader", f.Reader}} {
		if part.value != "" {
			fmt.Fprintf(&b, ", %s %s", part.name, part.value)
		}
	}
	if f.ID != 0 {
		fmt.Fprintf(&b, ", event %d", f.ID)
	}
	return b.String()
}

// keptFindings bounds how many findings of one kind are kept; the rest are
// only counted. One broken promise tends to be found a million times.
const keptFindings = 20

// findings collects, bounded.
type findings struct {
	kept  []Finding
	count map[Kind]int64
}

func (f *findings) add(finding Finding) {
	if f.count == nil {
		f.count = map[Kind]int64{}
	}
	f.count[finding.Kind]++
	if f.count[finding.Kind] <= keptFindings {
		f.kept = append(f.kept, finding)
	}
}
