package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/stepcast/stepcast/internal/ci"
)

// A log row's body is a table of the events in the row, then their texts. It
// says nothing of where they stand, neither id nor offset nor line, so that it
// can be made, and compressed, before anybody knows; the columns of the row
// hold that. For each event the table has
//
//	varint   at, in microseconds: of 1970 for the first, of the one before for the rest
//	uvarint  bytes of the step's log that the event stands for
//	uvarint  newlines in them
//	uvarint  length of the text that follows the table
//	byte     flags
//
// All of it is one zstd frame if the form says so. The form also tells whether
// any of the events is a hole, so that those can be found, and whether it is
// known that no escape sequence begins in any, so that whoever looks for those
// need not read the row. Rows of releases before this one lack that.
const (
	formZstd  = 1 << 0
	formHoles = 1 << 1
	formPlain = 1 << 2

	flagEnded   = 1 << 0 // the last byte is a newline
	flagEscaped = 1 << 1 // the text is the inside of a JSON string, else raw bytes
	flagLost    = 1 << 2 // these bytes are gone for good; the text is the quota's that was used up, if that is why
)

// A note row's body is the data of its events, a line for each: JSON encoded
// as ours has no line end in it. It too is one zstd frame if the form says so.
// All notes of a row are of one sort, which the form tells, so that whoever
// asks for the tests that failed does not unpack those that passed.
const formSort = 4 // the bit from which on the form is the sort

type noteSort int16

// They are stored: a new one gets a new number, and none is used again.
const (
	sortGroup noteSort = 1 + iota
	sortGroupEnd
	sortError
	sortWarning
	sortNotice
	sortPassed
	sortFailed
	sortSkipped
)

var (
	sortOfLevel  = map[ci.Level]noteSort{ci.LevelError: sortError, ci.LevelWarning: sortWarning, ci.LevelNotice: sortNotice}
	sortOfStatus = map[ci.Status]noteSort{ci.Passed: sortPassed, ci.Failed: sortFailed, ci.Skipped: sortSkipped}
)

func sortOf(n *ci.Note) noteSort {
	switch {
	case n.Group != nil:
		return sortGroup
	case n.GroupEnd != nil:
		return sortGroupEnd
	case n.Annotation != nil:
		return sortOfLevel[n.Annotation.Level]
	}
	return sortOfStatus[n.Test.Status]
}

// Bounds of one row. A page holds at least one row, so a row is small against
// a page.
const (
	maxRowBytes  = ci.MaxChunkBytes
	maxRowEvents = 256
	minCompress  = 512 // bytes below which zstd does not pay
)

// Decoded rows are at most this long: the largest chunk, every byte of it
// escaped as \u0000, in the largest row, and its table.
const maxBody = 6*(maxRowBytes+ci.MaxChunkBytes) + maxRowEvents*40

var (
	zstdEncoder = must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true)))
	zstdDecoder = must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBody)))

	scratch = sync.Pool{New: func() any { b := make([]byte, 0, 2*maxRowBytes); return &b }}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// entry is what one event puts into a row's body.
type entry struct {
	at    time.Time
	chunk ci.Chunk
	lost  int64
	quota ci.Quota // of lost
}

// text is what follows the table.
func (e *entry) text() []byte {
	if e.lost > 0 {
		return []byte(e.quota.String())
	}
	return e.chunk.Body
}

// body is the encoded body of a row and how it is encoded.
type body struct {
	form int16
	data []byte
}

// encodeBody makes the body of a row of log events.
func encodeBody(entries []entry) body {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	plain, before, form := (*buf)[:0], int64(0), int16(formPlain)
	for _, e := range entries {
		if e.lost > 0 {
			form |= formHoles
		}
		if !e.chunk.Plain() {
			form &^= formPlain
		}
		micros := e.at.UnixMicro()
		plain = binary.AppendVarint(plain, micros-before)
		before = micros
		plain = binary.AppendUvarint(plain, uint64(e.chunk.Bytes+e.lost))
		plain = binary.AppendUvarint(plain, uint64(e.chunk.Lines))
		plain = binary.AppendUvarint(plain, uint64(len(e.text())))
		plain = append(plain, flags(e))
	}
	for _, e := range entries {
		plain = append(plain, e.text()...)
	}
	*buf = plain
	return pack(form, plain)
}

// pack compresses a body if that pays. The body does not share plain.
func pack(form int16, plain []byte) body {
	if len(plain) >= minCompress {
		if packed := zstdEncoder.EncodeAll(plain, make([]byte, 0, len(plain)/3)); len(packed) < len(plain) {
			return body{form | formZstd, packed}
		}
	}
	return body{form, append([]byte(nil), plain...)}
}

// unpack returns what was packed; a body that is not compressed is shared.
func unpack(b body) ([]byte, error) {
	if b.form&formZstd == 0 {
		return b.data, nil
	}
	return decompress(b, nil)
}

// decompress returns what was packed and compressed, in room if that is enough.
func decompress(b body, room []byte) ([]byte, error) {
	data, err := zstdDecoder.DecodeAll(b.data, room)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	return data, nil
}

// encodeNotes makes the body of a row of note events of one sort, and tells how
// long it is unpacked.
func encodeNotes(sort noteSort, events []ci.Event) (b body, size int64) {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	plain := (*buf)[:0]
	for i := range events {
		if i > 0 {
			plain = append(plain, '\n')
		}
		plain = append(plain, events[i].Data...)
	}
	*buf = plain
	return pack(int16(sort)<<formSort, plain), int64(len(plain))
}

// decodeNotes appends the n events of a note row's body to events. The first
// has the id given, the others follow. The events share data.
func decodeNotes(events []ci.Event, b body, n int, first ci.Event) ([]ci.Event, error) {
	data, err := unpack(b)
	if err != nil {
		return nil, err
	}
	next := first
	for i := range n {
		line, rest, more := bytes.Cut(data, []byte{'\n'})
		if len(line) == 0 || more != (i < n-1) {
			return nil, errBody
		}
		next.Data = line[:len(line):len(line)]
		events, data = append(events, next), rest
		next.ID++
	}
	return events, nil
}

func flags(e entry) (f byte) {
	if e.chunk.Ended {
		f |= flagEnded
	}
	if e.chunk.Escaped {
		f |= flagEscaped
	}
	if e.lost > 0 {
		f |= flagLost
	}
	return f
}

var errBody = errors.New("a row's body is damaged")

// decodeBody appends the events of a row's body to events. The first has the
// id, offset and line given, the others follow. The events share data.
func decodeBody(events []ci.Event, b body, n int, first ci.Event) ([]ci.Event, error) {
	data, err := unpack(b)
	if err != nil {
		return nil, err
	}
	return decodePlain(events, data, n, first)
}

// decodePlain is decodeBody of a body that is unpacked.
func decodePlain(events []ci.Event, data []byte, n int, first ci.Event) ([]ci.Event, error) {
	start := len(events)
	next, before := first, int64(0)
	lengths := make([]uint64, 0, 8)
	for range n {
		micros, a := binary.Varint(data)
		if a <= 0 {
			return nil, errBody
		}
		bytes, b := binary.Uvarint(data[a:])
		if b <= 0 {
			return nil, errBody
		}
		lines, c := binary.Uvarint(data[a+b:])
		if c <= 0 {
			return nil, errBody
		}
		length, d := binary.Uvarint(data[a+b+c:])
		if d <= 0 || len(data) <= a+b+c+d {
			return nil, errBody
		}
		flags := data[a+b+c+d]
		data = data[a+b+c+d+1:]
		before += micros
		event := next
		event.At = time.UnixMicro(before).UTC()
		if flags&flagLost != 0 {
			event.Lost = int64(bytes)
		} else {
			event.Chunk = ci.Chunk{Escaped: flags&flagEscaped != 0, Bytes: int64(bytes), Lines: int64(lines), Ended: flags&flagEnded != 0}
		}
		events, lengths = append(events, event), append(lengths, length)
		next.ID++
		next.Offset += int64(bytes)
		next.Line += int64(lines)
	}
	for i, length := range lengths {
		if uint64(len(data)) < length {
			return nil, errBody
		}
		if e := &events[start+i]; e.Lost == 0 {
			e.Chunk.Body = data[:length:length]
		} else if length > 0 {
			e.Quota, _ = ci.ParseQuota(string(data[:length]))
		}
		data = data[length:]
	}
	if len(data) > 0 {
		return nil, errBody
	}
	return events, nil
}

// prepared is a row body made before the commit, in the goroutine of the
// request, for a run of log updates of one step that are expected to become
// one event each.
type prepared struct {
	entries []entry
	body    body
}

// prepare makes the bodies of all rows that the request will become if nothing
// of it is there already. What turns out otherwise is encoded again later.
func prepare(r *ci.Request) []prepared {
	var out []prepared
	var run []entry
	var size int64
	flush := func() {
		if len(run) > 0 {
			out = append(out, prepared{run, encodeBody(run)})
		}
		run, size = nil, 0
	}
	var step ci.StepKey
	for _, u := range r.Updates {
		if u.Log == nil {
			flush()
			continue
		}
		whole := u.Log.Lost > 0 || fits(&u.Log.Chunk)
		if u.Log.Step != step || !whole || !rowTakes(len(run), size, u.Log.Chunk.Bytes) {
			flush()
		}
		step = u.Log.Step
		if whole && u.Log.Chunk.Bytes+u.Log.Lost > 0 {
			run = append(run, entry{at: u.Log.At, chunk: u.Log.Chunk, lost: u.Log.Lost})
			size += u.Log.Chunk.Bytes
		}
	}
	flush()
	return out
}

// fits tells whether a chunk becomes one event.
func fits(c *ci.Chunk) bool {
	return c.Bytes <= ci.MaxChunkBytes && (c.Lines < ci.MaxChunkLines || c.Lines == ci.MaxChunkLines && c.Ended)
}

// rowTakes tells whether a row of n events and size bytes takes another chunk.
func rowTakes(n int, size, chunk int64) bool {
	return n == 0 || n < maxRowEvents && size+chunk <= maxRowBytes
}

// row is a row of the events table.
type row struct {
	first, last ci.EventID
	step        int
	kind        int16
	form        int16
	offset      *int64 // of log and note rows only, as the next two
	bytes       *int64
	line        *int64
	body        []byte
}

// The kind column.
const (
	kindBuild int16 = 0
	kindStep  int16 = 1
	kindLog   int16 = 2
	kindNote  int16 = 3
)

// rowsOf turns the events of one change into rows, with the bodies that were
// prepared where they fit.
func rowsOf(rows []row, change *ci.Change, ready []prepared, number func(ci.StepKey) int) []row {
	for events := change.Events; len(events) > 0; {
		e := &events[0]
		if e.Kind == ci.KindNote {
			n := runOfNotes(events)
			rows = append(rows, noteRow(events[:n], number(e.Step)))
			events = events[n:]
			continue
		}
		if e.Kind != ci.KindLog {
			kind := kindBuild
			if e.Kind == ci.KindStep {
				kind = kindStep
			}
			rows = append(rows, row{first: e.ID, last: e.ID, step: number(e.Step), kind: kind, body: e.Data})
			events = events[1:]
			continue
		}
		n, bytes := runOf(events)
		var made body
		if made, ready = take(ready, events[:n]); made.data == nil {
			entries := make([]entry, n)
			for i := range entries {
				entries[i] = entry{events[i].At, events[i].Chunk, events[i].Lost, events[i].Quota}
			}
			made = encodeBody(entries)
		}
		offset, line := e.Offset, e.Line
		rows = append(rows, row{
			first: e.ID, last: events[n-1].ID, step: number(e.Step), kind: kindLog,
			form: made.form, offset: &offset, bytes: &bytes, line: &line, body: made.data,
		})
		events = events[n:]
	}
	return rows
}

// runOf counts the events that share a row with the first, and their bytes.
func runOf(events []ci.Event) (n int, bytes int64) {
	var size int64
	for n < len(events) && events[n].Kind == ci.KindLog && events[n].Step == events[0].Step && rowTakes(n, size, events[n].Chunk.Bytes) {
		size += events[n].Chunk.Bytes
		bytes += events[n].Bytes()
		n++
	}
	return n, bytes
}

// runOfNotes counts the events that share a row with the first.
func runOfNotes(events []ci.Event) (n int) {
	sort, size := sortOf(&events[0].Note.Note), int64(0)
	for n < len(events) && events[n].Kind == ci.KindNote && events[n].Step == events[0].Step && sortOf(&events[n].Note.Note) == sort {
		length := int64(len(events[n].Data))
		if !rowTakes(n, size, length) || n > 0 && sort == sortGroupEnd {
			break
		}
		size += length
		n++
	}
	return n
}

func noteRow(events []ci.Event, step int) row {
	first := events[0].Note
	sort := sortOf(&first.Note)
	made, size := encodeNotes(sort, events)
	r := row{
		first: events[0].ID, last: events[len(events)-1].ID, step: step, kind: kindNote,
		form: made.form, offset: &first.Number, bytes: &size, body: made.data,
	}
	if sort == sortGroupEnd {
		r.line = &first.Note.GroupEnd.Group
	}
	return r
}

// take finds the prepared body of exactly these events; what was prepared for
// something else before it is dropped.
func take(ready []prepared, events []ci.Event) (body, []prepared) {
	for i, p := range ready {
		if !p.entries[0].is(&events[0]) {
			continue
		}
		if len(p.entries) == len(events) {
			for k := range events {
				if !p.entries[k].is(&events[k]) {
					return body{}, ready[i+1:]
				}
			}
			return p.body, ready[i+1:]
		}
		return body{}, ready[i+1:]
	}
	return body{}, ready
}

// is tells whether the event came from this very entry, uncut.
func (e *entry) is(event *ci.Event) bool {
	a, b := e.chunk.Body, event.Chunk.Body
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) && e.lost == event.Lost && e.quota == event.Quota && e.at.Equal(event.At)
}
