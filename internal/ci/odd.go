package ci

import (
	"bytes"
	"hash/maphash"
	"slices"
)

const (
	mostOdd    = 10      // oddities in one receipt
	unlinedLog = 32      // bytes from which on a log is thought to have lines
	twiceBytes = 64      // of a text, from which on, and
	twiceLines = 2       // lines, it is no accident that the next one is the same
	blindBytes = 10      // the same of one that goes to the end, wherever that is
	mostSeams  = 5       // texts in a row without their last line end, from which on they were joined so,
	seamHead   = 3       // if most of them begin with as many bytes as a line before or behind does
	mostShreds = 10      // texts of a log without a line end, nor a carriage return, from which on, and
	shredBytes = 1 << 10 // bytes of it, it will have none
	leastHead  = 24      // bytes of a log's first text, which has a line end, from which on it is no
	mostHead   = 4 << 10 // accident that another begins so; more than so many are not looked at
)

// Noticed is what is remembered of a step's texts to tell of them. It is not stored, and of
// what another process has kept, or this one before its start, there is nothing.
type Noticed struct {
	Shreds  int    // texts that came before the first line end
	Unlined bool   // that was told
	Seams   int    // texts that came last, had lines and no line end
	Starts  int    // of which so many begin as a line does,
	Start   string // and this is how the last one begins
	Newest  uint64 // hash of the text that came last; 0: none that is compared
	Head    uint64 // hash of the first text
	Heads   int    // bytes of it, as they came; 0: it is not compared, or not known
}

// notice looks over what the updates of a request came to, for what its sender is told.
func (c *Change) notice(updates []Update) {
	if b := c.state.Build.Status; b.Final() && b != c.undo.build.Status {
		c.noticeEnd(b)
	}
	for i := range updates {
		if b := updates[i].Build; b != nil && (b.Status.Value == Running || b.Status.Value == Queued) && c.state.Final(c.now) && !endsBuild(updates) {
			c.odd(Oddity{What: OddRerun})
		}
		if b := updates[i].Build; b != nil && b.Status.Value == "" && !b.FinishedAt.Value.IsZero() && !c.state.Build.Status.Final() {
			c.odd(Oddity{What: OddGoesOn})
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
		case to == "" && !step.Status.Final() && (!u.FinishedAt.Value.IsZero() || u.ExitCode.Present && !u.ExitCode.Null):
			c.odd(Oddity{Step: u.Key, What: OddOpen})
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
func (c *Change) noticeText(step *StepState, text *Chunk, blind bool) {
	switch {
	case c.undo.build.Status.Final():
		c.odd(Oddity{Step: step.Key, What: OddLate})
	case step.Status.Final():
		c.odd(Oddity{Step: step.Key, What: OddTail})
	}
	if step.Newlines == 0 && !returns(text) {
		if step.Noticed.Shreds++; step.Noticed.Shreds >= mostShreds && step.LogBytes-step.Holes >= shredBytes && !step.Noticed.Unlined {
			step.Noticed.Unlined = true
			c.odd(Oddity{Step: step.Key, What: OddUnlined})
		}
	}
	c.noticeSeam(step, text)
	switch {
	case step.Noticed.again(text, blind):
		c.odd(Oddity{Step: step.Key, What: OddTwice})
	case step.Noticed.whole(text, step.LogBytes-text.Bytes):
		c.odd(Oddity{Step: step.Key, What: OddWhole})
	}
}

// returns tells whether a text has a carriage return, as a progress bar has in place of line
// ends.
func returns(text *Chunk) bool {
	if text.Escaped {
		return bytes.Contains(text.Body, []byte(`\r`))
	}
	return bytes.IndexByte(text.Body, '\r') >= 0
}

// again tells whether a text is the one that came right before it. Of one that goes to the
// end, wherever that is, a few bytes are enough, unless they are one line again and again.
func (n *Noticed) again(text *Chunk, blind bool) bool {
	before := n.Newest
	n.Newest = 0
	if text.Lines < twiceLines || text.Bytes < blindBytes || text.Bytes < twiceBytes && !blind {
		return false
	}
	if _, rest, _ := bytes.Cut(text.Body, feed(text)); text.Bytes < twiceBytes && bytes.HasPrefix(text.Body, rest) {
		return false
	}
	n.Newest = maphash.Bytes(textSeed, text.Body)
	return n.Newest == before
}

// whole tells whether a text begins with the whole first text of the log that had so many
// bytes before, and is as long as that: a file that grows, sent whole where only the rest was
// wanted.
func (n *Noticed) whole(text *Chunk, before int64) bool {
	if before == 0 {
		if n.Heads = len(text.Body); n.Heads < leastHead || n.Heads > mostHead || text.Lines == 0 {
			n.Heads = 0
			return false
		}
		n.Head = maphash.Bytes(textSeed, text.Body)
		return false
	}
	return n.Heads > 0 && len(text.Body) >= n.Heads && text.Bytes >= before && maphash.Bytes(textSeed, text.Body[:n.Heads]) == n.Head
}

// noticeSeam counts texts that have lines and end without a line end, one after the other:
// who joins lines with line ends sends them without the last. Who cuts text at any byte does
// that too, but then it seldom begins as lines do.
func (c *Change) noticeSeam(step *StepState, text *Chunk) {
	n := &step.Noticed
	if text.Ended || text.Lines == 0 {
		n.Seams, n.Starts, n.Start = 0, 0, ""
		return
	}
	start, begins := startOf(text)
	n.Seams++
	if begins || start != "" && start == n.Start {
		n.Starts++
	}
	n.Start = start
	if n.Seams%mostSeams == 0 && 3*n.Starts >= 2*n.Seams {
		c.odd(Oddity{Step: step.Key, What: OddSeams})
	}
}

// startOf is how a text begins, and whether another of its first lines begins so. It is empty
// where that says nothing: of blanks and of escapes many lines begin, and of a row of dots or
// of dashes all its pieces do.
func startOf(text *Chunk) (start string, begins bool) {
	body := text.Body[:min(len(text.Body), mostHead)]
	head := body[:min(len(body), seamHead)]
	if len(head) < seamHead || head[0] <= ' ' || head[0] == '\\' || bytes.Count(head, head[:1]) == seamHead {
		return "", false
	}
	return string(head), bytes.Contains(body, slices.Concat(feed(text), head))
}

// feed is a line feed as it stands in a text's body.
func feed(text *Chunk) []byte {
	if text.Escaped {
		return []byte(`\n`)
	}
	return []byte("\n")
}

var textSeed = maphash.MakeSeed()

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
