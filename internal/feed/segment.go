package feed

import (
	"strconv"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/sse"
)

// segmentBytes is what a tail's segment is filled to. A larger frame has a
// segment of its own.
const segmentBytes = 64 << 10

// segment holds ready frames, one after the other, in order. It is appended to
// and never overwritten, so that what was once handed out can be shared by any
// number of readers, and read without a lock.
type segment struct {
	buf     []byte
	entries []entry
}

// entry is one frame of a segment, with what a filter looks at.
type entry struct {
	id              ci.EventID
	data, end       int // in buf: where the frame's data begins, and the next frame
	kind            ci.Kind
	step            ci.StepKey
	project, branch string
}

func (e *entry) pass(f *ci.Filter) bool {
	return f.Match(&ci.Event{ID: e.id, Kind: e.kind, Step: e.step, Project: e.project, Branch: e.branch})
}

// add appends the event's frame.
func (s *segment) add(prefix string, e *ci.Event) {
	var id [32]byte
	s.buf = sse.Open(s.buf, strconv.AppendInt(append(append(id[:0], prefix...), '-'), int64(e.ID), 10), string(e.Kind))
	data := len(s.buf)
	s.buf = sse.Close(e.AppendData(s.buf), data)
	s.entries = append(s.entries, entry{e.ID, data, len(s.buf), e.Kind, e.Step, e.Project, e.Branch})
}

// copy appends frame i of another segment.
func (s *segment) copy(from *segment, i int) {
	e, start, at := from.entries[i], from.start(i), len(s.buf)
	s.buf = append(s.buf, from.buf[start:e.end]...)
	e.data += at - start
	e.end += at - start
	s.entries = append(s.entries, e)
}

// start is where frame i begins.
func (s *segment) start(i int) int {
	if i == 0 {
		return 0
	}
	return s.entries[i-1].end
}

// pick appends to parts, of which size bytes are taken already, frames i to to-1
// as far as they pass the filter (nil: all), until there are maxBatch bytes,
// but at least one frame. It returns the first that it did not look at.
func (s *segment) pick(parts []part, i, to, size int, f *ci.Filter) (_ []part, next, taken int, full bool) {
	run := i // frames from here to i pass and are not in parts yet
	for ; i < to; i++ {
		e := &s.entries[i]
		if f != nil && !e.pass(f) {
			parts = s.appendPart(parts, run, i)
			run = i + 1
			continue
		}
		length := e.end - s.start(i)
		if full = size > 0 && size+length > maxBatch; full {
			break
		}
		size += length
	}
	return s.appendPart(parts, run, i), i, size, full
}

// appendPart appends frames i to j-1, if that is any.
func (s *segment) appendPart(parts []part, i, j int) []part {
	if i >= j {
		return parts
	}
	start, end := s.start(i), s.entries[j-1].end
	return append(parts, part{s.buf[start:end:end], s.entries[i:j:j], start})
}

// part is a run of frames of one segment.
type part struct {
	frames  []byte
	entries []entry
	start   int // of frames in the segment, which is what entries count from
}

// frameSize is about how long the event's frame becomes, at most.
func frameSize(e *ci.Event) int { return 240 + len(e.Data) + e.Chunk.LiteralBytes() + len(e.Step) }

// page is a ci.Page made ready, shared by the readers at one place.
type page struct {
	segment
	log     ci.LogID
	prefix  string
	filter  string     // fingerprint
	after   ci.EventID // what was asked for
	through ci.EventID
	head    ci.Head
	first   ci.EventID
	holders map[asker]int // how many subscriptions of each hold it; of queue.mu
}

func newPage(log ci.LogID, name ci.LogName, after ci.EventID, filter string, from *ci.Page) *page {
	p := &page{
		log: log, prefix: ci.CursorPrefix(from.Epoch, name), filter: filter, after: after,
		through: max(after, from.Through), head: from.Head, first: from.First,
	}
	size := 0
	for i := range from.Events {
		size += frameSize(&from.Events[i])
	}
	p.buf = make([]byte, 0, size)
	p.entries = make([]entry, 0, len(from.Events))
	for i := range from.Events {
		p.add(p.prefix, &from.Events[i])
	}
	return p
}

// weight is about how much memory it takes, in bytes.
func (s *segment) weight() int { return cap(s.buf) + 100*len(s.entries) + 300 }
