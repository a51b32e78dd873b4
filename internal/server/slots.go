package server

import (
	"fmt"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
)

// A slot is what something open counts to: a limit, and whose it is.
type slot struct {
	limit limit
	of    string
	most  int
}

// tally counts what is open, by slot.
type tally map[slot]int

// take counts something open to all of its slots; one that is full is returned,
// and then it counts to none.
func (t tally) take(slots []slot) (full slot, ok bool) {
	for _, s := range slots {
		if t[s] >= s.most {
			return s, false
		}
	}
	for _, s := range slots {
		t[s]++
	}
	return slot{}, true
}

func (t tally) give(slots []slot) {
	for _, s := range slots {
		if t[s]--; t[s] <= 0 {
			delete(t, s)
		}
	}
}

// streamSlots are what a stream of some projects' builds counts to.
func (s *Server) streamSlots(c echo.Context, projects ...string) (slots []slot) {
	l := s.limits
	if addr, counted := l.accountable(s.clientAddr(c)); counted {
		slots = append(slots, slot{limitStreamsOfAddress, addr.String(), l.StreamsOfAddress})
	}
	if holder := s.who(c).holder(); holder != "" {
		slots = append(slots, slot{limitStreamsOfToken, holder, l.StreamsOfToken})
	}
	for i, project := range projects {
		if project != "" && !slices.Contains(projects[:i], project) {
			slots = append(slots, slot{limitStreamsOfProject, project, l.StreamsOfProject})
		}
	}
	return slots
}

// tooManyOpen is the refusal of something that would be one more of its slot.
func (l *limits) tooManyOpen(full slot) error {
	l.refused[full.limit].Add(1)
	if full.limit == limitUploads {
		return &ci.Problem{Code: ci.Overloaded, Limit: int64(full.most), Detail: fmt.Sprintf("The server has %d uploads open and takes no more; come back later.", full.most)}
	}
	whose := map[limit]string{
		limitStreamsOfAddress: "Your address has %d streams open",
		limitStreamsOfToken:   "This token has %d streams open",
		limitStreamsOfProject: "The project's builds have %d streams open",
		limitUploadsOfAddress: "Your address has %d uploads open",
		limitUploadsOfToken:   "This token has %d uploads open",
		limitUploadsOfProject: "The project's builds have %d uploads open",
	}[full.limit]
	return &ci.Problem{Code: tooManyRequests, Limit: int64(full.most), Detail: fmt.Sprintf(whose+", which is as many as it may; close one, or come back later.", full.most)}
}

// openUpload counts an upload to a build of a project until done. Those that say how
// long they are come to an end, and are counted by themselves: however many go on for
// as long as their commands do, a whole log gets in.
func (s *Server) openUpload(c echo.Context, project string) (done func(), err error) {
	l, kind := s.limits, ""
	if c.Request().ContentLength >= 0 {
		kind = " sized"
	}
	slots := []slot{
		{limitUploadsOfToken, s.who(c).holder() + kind, l.UploadsOfToken},
		{limitUploadsOfProject, project + kind, l.UploadsOfProject},
		{limitUploads, kind, l.Uploads},
	}
	if addr, counted := l.accountable(s.clientAddr(c)); counted {
		slots = append(slots, slot{limitUploadsOfAddress, addr.String() + kind, l.UploadsOfAddress})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.uploads.take(slots); !ok {
		return nil, l.tooManyOpen(full)
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.uploads.give(slots)
	}, nil
}
