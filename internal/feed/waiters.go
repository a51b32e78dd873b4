package feed

import (
	"iter"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// waiters are the subscriptions of a log that have everything which is released,
// and wait for more. All is guarded by the tail's mu.
//
// A change wakes whom it concerns. A thousand pages that show a project each
// follow the same feed, and each would otherwise wake for every change of all the
// others, only to find that it is not meant.
type waiters struct {
	eager []*Subscription // are woken by whatever comes
	spare []*Subscription // an empty slice that eager can become
	choosy
}

// choosy are those that wait for an event which passes their filter of the feed.
type choosy struct {
	waiting []*Subscription
	// tested is the newest event that was held against their filters: who waits
	// has, or is not meant to have, everything up to there.
	tested ci.EventID
	places uint64 // projects and branches that were held against filters, each once for all its events in a batch
	// byProject has the subscriptions with such a filter, whether or not they
	// wait, by what they ask for: a project, or what stands before a pattern's star.
	byProject map[string]map[*Subscription]struct{}
}

// enroll notes what a subscription asks for.
func (c *choosy) enroll(s *Subscription) {
	if c.byProject == nil {
		c.byProject = make(map[string]map[*Subscription]struct{})
	}
	for key := range asked(&s.filter) {
		if c.byProject[key] == nil {
			c.byProject[key] = make(map[*Subscription]struct{})
		}
		c.byProject[key][s] = struct{}{}
	}
}

func (c *choosy) dismiss(s *Subscription) {
	for key := range asked(&s.filter) {
		if delete(c.byProject[key], s); len(c.byProject[key]) == 0 {
			delete(c.byProject, key)
		}
	}
}

// asked are the keys of byProject that lead to a filter.
func asked(f *ci.Filter) iter.Seq[string] {
	return func(yield func(string) bool) {
		if f.Projects == nil {
			yield("")
			return
		}
		for _, pattern := range f.Projects {
			if !yield(strings.TrimSuffix(pattern, "*")) {
				return
			}
		}
	}
}

// meant are the keys of byProject that an event of a project may concern.
func meant(project string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield("") || project == "" || !yield(project) {
			return
		}
		for i := range len(project) {
			if project[i] == '/' && !yield(project[:i+1]) {
				return
			}
		}
	}
}

// wait puts a subscription among those that are woken by the next change that
// concerns it. One that still waits to be live has to hear of all.
func (w *waiters) wait(s *Subscription) {
	if s.place >= 0 {
		return
	}
	s.patient = s.sifted != nil && s.live
	list := w.list(s)
	s.place = len(*list)
	*list = append(*list, s)
}

// unwait takes it out again.
func (w *waiters) unwait(s *Subscription) {
	if s.place < 0 {
		return
	}
	list := w.list(s)
	last := len(*list) - 1
	(*list)[s.place] = (*list)[last]
	(*list)[s.place].place = s.place
	(*list)[last] = nil
	*list = (*list)[:last]
	w.catchUp(s)
	s.place = -1
}

func (w *waiters) list(s *Subscription) *[]*Subscription {
	if s.patient {
		return &w.waiting
	}
	return &w.eager
}

// catchUp moves a waiting subscription past what was held back while it waited.
func (w *waiters) catchUp(s *Subscription) {
	if s.place >= 0 && s.patient {
		s.cursor = max(s.cursor, w.tested)
	}
}

// concerned takes out those that are to be woken. mu is held.
func (t *tail) concerned() []*Subscription {
	w := &t.waiters
	woken := w.eager
	w.eager, w.spare = w.spare, nil
	for _, s := range woken {
		s.place = -1
	}
	if t.over != nil || t.final || t.base > w.tested { // it concerns all, or what came is not here to be held against a filter
		for _, s := range w.waiting {
			w.catchUp(s)
			s.place = -1
		}
		woken = append(woken, w.waiting...)
		clear(w.waiting)
		w.waiting = w.waiting[:0]
	} else if len(w.waiting) > 0 {
		type place struct{ project, branch string }
		seen := make(map[place]struct{})
		for e := range t.entries(w.tested, t.released) {
			at := place{e.project, e.branch}
			if _, again := seen[at]; again {
				continue
			}
			seen[at] = struct{}{}
			w.places++
			for key := range meant(e.project) {
				for s := range w.byProject[key] {
					if s.place < 0 || !s.patient || s.held == w.places {
						continue
					}
					if s.held = w.places; e.pass(&s.filter) {
						w.unwait(s)
						woken = append(woken, s)
					}
				}
			}
		}
	}
	w.tested = t.released
	return woken
}
