package ci

import (
	"hash/maphash"
	"slices"
)

const (
	mostOdd    = 10 // oddities in one receipt
	unlinedLog = 32 // bytes from which on a log is thought to have lines
	twiceBytes = 64 // of a text, from which on, and
	twiceLines = 2  // lines, it is no accident that the next one is the same
	mostSeams  = 5  // texts without their last line end, from which on they were joined so
)

// notice looks over what the updates of a request came to, for what its sender is told.
func (c *Change) notice(updates []Update) {
	if b := c.state.Build.Status; b.Final() && b != c.undo.build.Status {
		c.noticeEnd(b)
	}
	for i := range updates {
		if b := updates[i].Build; b != nil && (b.Status.Value == Running || b.Status.Value == Queued) && c.state.Final(c.now) && !endsBuild(updates) {
			c.odd(Oddity{What: OddRerun})
		}
		u := updates[i].Step
		if u == nil {
			continue
		}
		step := c.state.byKey[u.Key]
		switch to := u.Status.Value; {
		case to.Final() && step.Newlines == 0 && step.LogBytes-step.Holes >= unlinedLog:
			c.odd(Oddity{Step: u.Key, What: OddUnlined})
		case to == Running && step.Status.Final() && !endsIn(updates, u.Key):
			c.odd(Oddity{Step: u.Key, What: OddAgain})
		}
	}
}

// noticeEnd looks at the steps of a build that has just ended.
func (c *Change) noticeEnd(as Status) {
	for _, step := range c.state.Steps {
		switch {
		case step.Status == Lost && !c.late(step):
			c.odd(Oddity{Step: step.Key, What: OddLost})
		case as != Passed:
		case step.Status == Failed:
			c.odd(Oddity{Step: step.Key, What: OddFailed})
		case step.Status == Skipped && step.Assumed:
			c.odd(Oddity{Step: step.Key, What: OddSkipped})
		default:
			for _, need := range step.Needs {
				if c.state.byKey[need] == nil {
					c.odd(Oddity{step.Key, OddNeed, need})
				}
			}
		}
		if len(c.Receipt.Odd) == mostOdd {
			break
		}
	}
}

func (c *Change) odd(o Oddity) {
	if len(c.Receipt.Odd) < mostOdd && !slices.Contains(c.Receipt.Odd, o) {
		c.Receipt.Odd = append(c.Receipt.Odd, o)
	}
}

// noticeText looks at a text that was just kept: who follows a build is told that nothing
// more comes when it ends; and a repeat that went on counting is a text of its own.
func (c *Change) noticeText(step *StepState, text *Chunk) {
	if c.undo.build.Status.Final() {
		c.odd(Oddity{Step: step.Key, What: OddLate})
	}
	c.noticeSeam(step, text)
	before := step.Newest
	step.Newest = 0
	if text.Bytes < twiceBytes || text.Lines < twiceLines {
		return
	}
	if step.Newest = maphash.Bytes(newestSeed, text.Body); step.Newest == before {
		c.odd(Oddity{Step: step.Key, What: OddTwice})
	}
}

// noticeSeam counts texts that have lines and end without a line end, one after the other
// and each of another length: who joins lines with line ends sends them without the last.
// Who reads so many bytes at a time sends texts of one length.
func (c *Change) noticeSeam(step *StepState, text *Chunk) {
	if text.Ended || text.Lines == 0 || text.Bytes == step.Unseamed {
		step.Seams, step.Unseamed = 0, text.Bytes
		return
	}
	step.Unseamed = text.Bytes
	if step.Seams++; step.Seams%mostSeams == 0 {
		c.odd(Oddity{Step: step.Key, What: OddSeams})
	}
}

var newestSeed = maphash.MakeSeed()

// endsBuild tells whether updates end the build, as endsIn does of a step.
func endsBuild(updates []Update) bool {
	return slices.ContainsFunc(updates, func(u Update) bool { return u.Build != nil && u.Build.Status.Value.Final() })
}

// endsIn tells whether updates end a step: then they are of what was, all of it.
func endsIn(updates []Update, key StepKey) bool {
	return slices.ContainsFunc(updates, func(u Update) bool {
		return u.Step != nil && u.Step.Key == key && u.Step.Status.Value.Final()
	})
}
