package runner

import (
	"context"
	"os"
	"path/filepath"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/outline"
	"github.com/stepcast/stepcast/internal/spool"
)

// maxNotesWaiting is how many notes may wait for the server before more text is
// looked at.
const maxNotesWaiting = 5_000

// notes are what a report understands of its log. They are made of the log's
// bytes, as these are sent, and at its end of how the command ended, and so need not
// be kept: whoever reads the same log makes the same notes, with the same numbers.
type notes struct {
	options outline.Options
	parser  *outline.Parser
	read    int64           // bytes of the log that the parser has
	ended   bool            // the parser has all of it, and the test results of files
	waiting []ci.NoteUpdate // the server does not have them
	off     bool            // the server takes none, or the log's beginning is gone
}

func (n *notes) reset() {
	n.parser = outline.New(n.options, func(u ci.NoteUpdate) { n.waiting = append(n.waiting, u) })
	n.read, n.ended, n.waiting = 0, false, nil
}

// see takes the next piece of the log, or one that was seen before.
func (n *notes) see(p *spool.Piece) {
	if n.off || p.End() <= n.read || p.Offset > n.read {
		return
	}
	if n.parser == nil {
		n.reset()
	}
	if p.Lost == 0 { // a hole has no lines
		n.parser.Write(p.Data[max(0, n.read-p.Offset):], p.At)
	}
	n.read = p.End()
}

// seeNotes shows the notes the next piece of the log, and before it what they
// have not seen: a report that was left behind goes on where the server is, but
// its notes are numbered from the log's beginning.
func (r *Report) seeNotes(ctx context.Context, p *spool.Piece) {
	if !r.readNotes(ctx, p.Offset) && ctx.Err() == nil {
		r.notes.stop()
	}
	r.notes.see(p)
}

// readNotes reads the log from where the notes are up to an offset; false if
// that is not there any more, and the numbers would be others, or ctx is done.
func (r *Report) readNotes(ctx context.Context, until int64) bool {
	n := &r.notes
	for !n.off && n.read < until {
		p, ok := r.spool.Read(n.read, pieceBytes)
		if !ok || p.Lost > 0 || ctx.Err() != nil {
			return false
		}
		n.see(&p)
	}
	return true
}

// end takes the end of the log, and what was found in files.
func (n *notes) end(e *ending, tests []ci.Test) {
	if n.off || n.ended {
		return
	}
	if n.parser == nil {
		n.reset()
	}
	n.parser.Close(e.At, e.Status == ci.Failed)
	n.parser.Add(tests, e.At)
	n.ended = true
}

// has notes that the server has the first so many of those that wait.
func (n *notes) has(count int) { n.waiting = n.waiting[count:] }

// stop gives the notes up.
func (n *notes) stop() { n.off, n.parser, n.waiting = true, nil, nil }

// rewindNotes makes the notes from a number on once more: the server has fewer
// than it once said.
func (r *Report) rewindNotes(ctx context.Context, from int64) bool {
	n := &r.notes
	until, ended := n.read, n.ended
	n.reset()
	if !r.readNotes(ctx, until) {
		return false
	}
	if end := r.ended(); ended && end != nil {
		n.end(end, r.tests)
	}
	skip := 0
	for skip < len(n.waiting) && n.waiting[skip].Number < from {
		skip++
	}
	n.has(skip)
	return true
}

// pieceBytes is as much as a spool hands out at once.
const pieceBytes = ci.MaxChunkBytes

// outlineOptions is what helps to read the log of a command that was started in
// a directory.
func outlineOptions(dir string, buildkite bool) outline.Options {
	o := outline.Options{Dir: dir, Buildkite: buildkite}
	if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
		o.Module = outline.GoModule(mod)
	}
	return o
}

// AddTests adds test results that the command left in files. It is called
// before Finish.
func (r *Report) AddTests(tests []ci.Test) {
	for i := range tests {
		t := &tests[i]
		t.Suite, t.Name, t.Message = r.hide(t.Suite), r.hide(t.Name), r.hide(t.Message)
	}
	// In entries of the journal that are far below its limit, whatever the
	// escapes of their texts make of them.
	const together = 64 << 10
	for rest := tests; len(rest) > 0; {
		n, bytes := 0, 0
		for n < len(rest) && bytes < together {
			note := ci.NoteUpdate{Note: ci.Note{Test: &rest[n]}}
			bytes += 100 + int(note.Bytes())
			n++
		}
		_ = r.record(entry{Tests: rest[:n]})
		rest = rest[n:]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tests = append(r.tests, tests...)
}
