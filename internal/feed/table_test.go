package feed

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/stepcast/stepcast/internal/ci"
)

// table is a Source of slices. It counts its reads, and can fail, be held up,
// forget old events, and be rewound.
type table struct {
	mu       sync.Mutex
	epoch    ci.Epoch
	former   []ci.Epoch
	logs     map[ci.LogID]*stored
	pageSize int
	err      error
	hold     chan struct{} // not nil: pages and heads, once read, wait for it to be closed
	pages    int
	order    []ci.LogID // of the pages
	heads    int
	reading  int
	atOnce   int // the most pages read at once
}

type stored struct {
	events []ci.Event // dense, ending at last
	last   ci.EventID
	final  bool
}

func newTable(pageSize int) *table {
	return &table{epoch: ci.NewEpoch(), logs: map[ci.LogID]*stored{}, pageSize: pageSize}
}

func (s *stored) first() ci.EventID { return s.last - ci.EventID(len(s.events)) + 1 }
func (s *stored) head() ci.Head     { return ci.Head{Last: s.last, Final: s.final} }

// append stores one event and returns it. Kind and step are chosen by what.
func (tb *table) append(log ci.LogID, what string) (ci.Epoch, ci.Event, ci.Head) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	s := tb.logs[log]
	if s == nil {
		s = &stored{}
		tb.logs[log] = s
	}
	s.last++
	e := event(s.last, what)
	if what == "end" {
		s.final = true
	}
	s.events = append(s.events, e)
	return tb.epoch, e, s.head()
}

// event makes the event that a test means by "build", "end", "step/<key>",
// "log/<key>", "note/<key>" or "feed/<project>".
func event(id ci.EventID, what string) ci.Event {
	kind, name := what, ""
	for i := range what {
		if what[i] == '/' {
			kind, name = what[:i], what[i+1:]
			break
		}
	}
	e := ci.Event{ID: id}
	switch kind {
	case "log":
		e.Kind, e.Step = ci.KindLog, ci.StepKey(name)
		e.Line, e.Offset = int64(id), int64(id)*10
		e.Chunk = ci.NewChunk(fmt.Appendf(nil, "line %d\n\r\x00é", id))
	case "note":
		e.Kind, e.Step = ci.KindNote, ci.StepKey(name)
		e.Data = fmt.Appendf(nil, `{"step":%q,"n":%d}`, name, id)
	case "step":
		e.Kind, e.Step = ci.KindStep, ci.StepKey(name)
		e.Data = fmt.Appendf(nil, `{"key":%q,"n":%d}`, name, id)
	case "feed":
		e.Kind, e.Project, e.Branch = ci.KindBuild, name, "main"
		e.Data = fmt.Appendf(nil, `{"project":%q,"n":%d}`, name, id)
	default:
		e.Kind = ci.KindBuild
		e.Data = fmt.Appendf(nil, `{"status":%q,"n":%d}`, kind, id)
	}
	return e
}

// expire forgets the events up to id.
func (tb *table) expire(log ci.LogID, id ci.EventID) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	s := tb.logs[log]
	s.events = slices.Clone(s.events[max(0, id-s.first()+1):])
}

// present is the epoch in force.
func (tb *table) present() ci.Epoch {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.epoch
}

// rewind takes the log back to last. Unless quietly, the epoch changes.
func (tb *table) rewind(log ci.LogID, last ci.EventID, quietly bool) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	s := tb.logs[log]
	s.events = slices.Clone(s.events[:last-s.first()+1])
	s.last, s.final = last, false
	if !quietly {
		tb.newEpoch()
	}
}

func (tb *table) newEpoch() {
	tb.former = append(tb.former, tb.epoch)
	tb.epoch = ci.NewEpoch()
}

func (tb *table) set(f func()) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	f()
}

func (tb *table) Page(ctx context.Context, log ci.LogID, after ci.EventID, f ci.Filter) (ci.Page, error) {
	tb.mu.Lock()
	tb.pages++
	tb.order = append(tb.order, log)
	tb.reading++
	tb.atOnce = max(tb.atOnce, tb.reading)
	page, err := tb.page(log, after, f)
	hold := tb.hold
	tb.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	tb.mu.Lock()
	tb.reading--
	tb.mu.Unlock()
	return page, err
}

func (tb *table) page(log ci.LogID, after ci.EventID, f ci.Filter) (ci.Page, error) {
	if tb.err != nil {
		return ci.Page{}, tb.err
	}
	s := tb.logs[log]
	if s == nil {
		s = &stored{}
	}
	p := ci.Page{Head: s.head(), First: s.first(), Epoch: tb.epoch, Through: max(after, s.last)}
	for i := max(0, after+1-s.first()); int(i) < len(s.events); i++ {
		if len(p.Events) == tb.pageSize {
			p.Through = s.events[i-1].ID
			break
		}
		if f.Match(&s.events[i]) {
			p.Events = append(p.Events, s.events[i])
		}
	}
	return p, nil
}

func (tb *table) Heads(ctx context.Context, logs []ci.LogID) (map[ci.LogID]ci.Head, ci.Epoch, error) {
	tb.mu.Lock()
	tb.heads++
	heads, epoch, err, hold := map[ci.LogID]ci.Head{}, tb.epoch, tb.err, tb.hold
	for _, log := range logs {
		if s := tb.logs[log]; s != nil {
			heads[log] = s.head()
		}
	}
	tb.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return heads, epoch, err
}

func (tb *table) Rewound(_ context.Context, log ci.LogID, seen ci.EventID) (ci.Epoch, error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if s := tb.logs[log]; tb.err == nil && (s == nil || s.last < seen) {
		tb.newEpoch()
	}
	return tb.epoch, tb.err
}

func (tb *table) Epochs(context.Context) (ci.Epoch, []ci.Epoch, error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return tb.epoch, slices.Clone(tb.former), tb.err
}
