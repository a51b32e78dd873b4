package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// colours finds the colours in force at a place of a log. What is in force
// depends on everything before, so it reads backwards until it knows: most
// often a reset is near. Where it had to read far it remembers what it found on
// the way, for the next who asks.
type colours struct {
	store *postgres.Store
	far   int64 // bytes

	mu    sync.Mutex
	marks map[logName][]mark // ascending
	count int                // of all
}

// logName names a step's log for good.
type logName struct {
	epoch ci.Epoch
	log   ci.LogID
	step  ci.StepKey
}

// A mark is what is in force at a place, by the sequences that begin before it.
type mark struct {
	place int64
	set   string // as parameters
}

// Bounds of what is remembered. Beyond the second, all is forgotten.
const (
	farBack   = 2 << 20
	mostMarks = 100_000
)

// Rows read at once, the first time and at most; most often the first has it.
const (
	firstRowsBack = 1
	mostRowsBack  = 256
)

// at returns what is in force at a byte of a log. Its place has to be within
// the extent.
func (c *colours) at(ctx context.Context, extent *postgres.StepLog, place int64) (sgr, error) {
	name := logName{extent.Epoch, extent.Log, extent.Step.Key}
	begin := c.before(name, place)
	type stretch struct {
		from, to int64
		sgr            // what the sequences say that begin in it
		over     int64 // the last of them has ended by there
	}
	var read []stretch // the last one first
	var found sgr
	at := place
	for most := firstRowsBack; at > begin.place && !found.whole(); most = min(16*most, mostRowsBack) {
		events, err := c.store.EscapesBack(ctx, extent.Log, extent.Step.Key, begin.place, at, most)
		if err != nil {
			return found, err
		}
		if len(events) == 0 {
			at = begin.place
			break
		}
		said, over, err := c.said(ctx, extent, events, place)
		if err != nil {
			return found, err
		}
		read = append(read, stretch{events[0].Offset, at, said, over})
		found.precede(&said)
		at = events[0].Offset
	}
	start := begin.sgr()
	found.precede(&start)
	if place-at < c.far {
		return found, nil
	}
	marks, set, over := make([]mark, 0, len(read)+1), start, at
	if len(read) == 0 {
		marks = append(marks, mark{place, set.String()})
	}
	for _, s := range slices.Backward(read) {
		s.precede(&set)
		set, over = s.sgr, max(over, s.over)
		if s.to >= over {
			marks = append(marks, mark{s.to, set.String()})
		}
	}
	c.remember(name, marks)
	return found, nil
}

// said returns what the sequences say that begin in events and end before
// place, and where all of them are over: beyond place if one goes on there.
// Events in which none begins may be left out between them.
func (c *colours) said(ctx context.Context, extent *postgres.StepLog, events []ci.Event, place int64) (said sgr, over int64, err error) {
	var raw []byte
	end := events[0].Offset
	for i := range events {
		e := &events[i]
		if e.Offset >= place {
			break
		}
		if _, err := c.goOn(ctx, extent, &said, end, e.Offset); err != nil {
			return said, 0, err
		}
		end = min(e.End(), place)
		if e.Lost > 0 {
			said.inSequence = false
		} else if said.inSequence || !e.Chunk.Plain() {
			raw = e.Chunk.AppendRaw(raw[:0])
			said.write(raw[:end-e.Offset])
		}
	}
	if over, err = c.goOn(ctx, extent, &said, end, place); said.inSequence {
		over = place + 1
	}
	return said, over, err
}

// goOn follows a sequence that has begun, from one byte of a log to another at
// the most, and tells how far it looked. A hole ends it.
func (c *colours) goOn(ctx context.Context, extent *postgres.StepLog, said *sgr, from, to int64) (int64, error) {
	for said.inSequence && from < to {
		events, err := c.store.LogChunks(ctx, extent.Log, extent.Step.Key, from)
		if err == nil && len(events) == 0 {
			err = fmt.Errorf("nothing at %d of %d", from, to)
		}
		if err != nil {
			return from, err
		}
		for i := range events {
			e := &events[i]
			if !said.inSequence || from >= to {
				break
			}
			raw := e.Chunk.AppendRaw(nil)
			raw = raw[min(from-e.Offset, int64(len(raw))):min(to-e.Offset, int64(len(raw)))]
			next := bytes.IndexByte(raw, 0x1b)
			if next < 0 {
				next = len(raw)
			}
			said.write(raw[:next])
			said.inSequence = said.inSequence && next == len(raw) && e.Lost == 0 // another cuts it off
			from = min(e.End(), to)
		}
	}
	return from, nil
}

// before returns the last mark at or before a place.
func (c *colours) before(name logName, place int64) mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	marks := c.marks[name]
	i, found := slices.BinarySearchFunc(marks, place, mark.compare)
	switch {
	case found:
		return marks[i]
	case i > 0:
		return marks[i-1]
	}
	return mark{}
}

func (c *colours) remember(name logName, marks []mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.marks == nil || c.count+len(marks) > mostMarks {
		c.marks, c.count = make(map[logName][]mark), 0
	}
	for _, m := range marks[:min(len(marks), mostMarks)] {
		i, found := slices.BinarySearchFunc(c.marks[name], m.place, mark.compare)
		if !found {
			c.marks[name] = slices.Insert(c.marks[name], i, m)
			c.count++
		}
	}
}

func (m mark) compare(place int64) int { return cmp.Compare(m.place, place) }

func (m mark) sgr() (s sgr) {
	s.reset()
	if m.set != "" {
		s.apply([]byte(m.set))
	}
	return s
}
