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
	last recent[logOfStep, refusedText]
	seed maphash.Seed
}

type refusedText struct {
	offset int64
	text   uint64 // its hash
}

// remember remembers of a request that was refused which text it was refused for, if it was.
func (g *gaps) remember(build ci.BuildID, updates []ci.Update, err error) {
	p := ci.AsProblem(err)
	if p == nil || p.Code != ci.LogGap || p.Index == nil {
		return
	}
	if u := updates[*p.Index].Log; u.Lost == 0 {
		g.last.remember(logOfStep{build, u.Step}, refusedText{u.Offset, maphash.Bytes(g.seed, u.Chunk.Body)})
	}
}

// closed tells at which offset a text was refused that is now at another one.
func (g *gaps) closed(build ci.BuildID, u *ci.LogUpdate) (before int64, is bool) {
	last, known := g.last.recall(logOfStep{build, u.Step})
	if !known || u.Lost > 0 || u.Offset == ci.AtEnd || u.Offset >= last.offset || maphash.Bytes(g.seed, u.Chunk.Body) != last.text {
		return 0, false
	}
	return last.offset, true
}

// movedText is what is said of such a text.
const movedText = "Text of step %s that was refused at offset %d is at %d now. If something belonged between, it is missing in the log for good: a gap is closed by what is missing, sent at the offset that the refusal names, and then the text after it. If the offset alone was wrong, all is well."

// moved says which texts were refused at another offset.
func (h *hints) moved(g *gaps, build ci.BuildID, updates []ci.Update) {
	for i := range updates {
		if u := updates[i].Log; u != nil {
			if before, is := g.closed(build, u); is {
				h.add(movedText, u.Step, before, u.Offset)
			}
		}
	}
}
