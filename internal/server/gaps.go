package server

import (
	"hash/maphash"

	"github.com/stepcast/stepcast/internal/ci"
)

// mostGaps is how many texts beyond the end of a log are remembered.
const mostGaps = 1000

// gaps are the texts that came beyond the end of a log lately, on this process. One that
// comes again at another place may do so in place of what was missing before it.
type gaps struct {
	last recent[logBy, refusedText]
	seed maphash.Seed
}

// logBy is a log, and who writes it: of what anybody else was told nobody is.
type logBy struct {
	logOfStep
	from string
}

// The zero refusedText is none.
type refusedText struct {
	offset int64
	text   uint64 // its hash
}

// remember remembers of a request that was refused which text it was refused for, if it was,
// and that is not one which comes again by chance.
func (g *gaps) remember(r ci.Request, err error) {
	p := ci.AsProblem(err)
	if p == nil || p.Code != ci.LogGap || p.Index == nil {
		return
	}
	if u := r.Updates[*p.Index].Log; u.Lost == 0 && u.Chunk.Bytes >= worthTelling {
		g.last.remember(logBy{logOfStep{r.Build, u.Step}, r.From}, refusedText{u.Offset, maphash.Bytes(g.seed, u.Chunk.Body)})
	}
}

// closed tells, once, at which offset a text was refused that is now at another one. Once
// there is text where it was refused the gap is closed as it should be.
func (g *gaps) closed(r ci.Request, u *ci.LogUpdate) (before int64, is bool) {
	of := logBy{logOfStep{r.Build, u.Step}, r.From}
	last, known := g.last.recall(of)
	if !known || last.offset == 0 || u.Offset == ci.AtEnd {
		return 0, false
	}
	if u.Offset < last.offset && (u.Lost > 0 || maphash.Bytes(g.seed, u.Chunk.Body) != last.text) {
		return 0, false
	}
	g.last.remember(of, refusedText{})
	return last.offset, u.Offset < last.offset
}

// movedText is what is said of such a text.
const movedText = "Text of step %s that was refused at offset %d is at %d now. If something belonged between, it is missing in the log for good: a gap is closed by what is missing, sent at the offset that the refusal names, and then the text after it. If the offset alone was wrong, all is well."

// moved says which texts were refused at another offset.
func (h *hints) moved(g *gaps, r ci.Request) {
	for i := range r.Updates {
		if u := r.Updates[i].Log; u != nil {
			if before, is := g.closed(r, u); is {
				h.add(movedText, u.Step, before, u.Offset)
			}
		}
	}
}
