package server

import (
	"context"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// compareWait bounds what is added to an answer for the sake of differing.
const compareWait = 500 * time.Millisecond

// compared is what came of comparing repeated texts with what is there: for each step a
// byte of its log.
type compared struct {
	differs    map[ci.StepKey]int64 // that is something else
	lost       map[ci.StepKey]int64 // that was reported lost
	characters map[ci.StepKey]int64 // that is where one would go on who counts characters
}

// comparing compares texts, as compare does, and says which notes are others; all is false
// where it was not looked at all of it. It has turns: a byte may lie in a row of a
// megabyte, to be read and unpacked for it.
func (s *Server) comparing(ctx context.Context, log ci.LogID, who string, receipt *ci.Receipt, h *hints) (found compared, all bool) {
	if len(receipt.Repeated)+len(receipt.RepeatedNotes) == 0 {
		return compared{}, true
	}
	ctx, cancel := context.WithTimeout(ctx, compareWait)
	defer cancel()
	leave, err := s.compares.Enter(ctx, who)
	if err != nil {
		return compared{}, false
	}
	defer leave()
	found = compare(ctx, s.store, log, receipt.Repeated)
	h.notes(ctx, s.store, log, receipt)
	return found, ctx.Err() == nil
}

// compare finds, for each step, at which byte repeated text is not what the log has: the
// first write has won, and this one's sender counts offsets wrongly, or is not alone. And
// it finds where what was sent is lost there. It is for their author alone; what cannot be
// compared now is as if it were the same.
func compare(ctx context.Context, store *postgres.Store, log ci.LogID, repeated []ci.Repeated) compared {
	found := compared{make(map[ci.StepKey]int64), make(map[ci.StepKey]int64), make(map[ci.StepKey]int64)}
	for i := range repeated {
		r := &repeated[i]
		if _, known := found.differs[r.Step]; known {
			continue
		}
		one, err := store.Compare(ctx, log, r)
		if err != nil {
			break
		}
		if one.Differs >= 0 {
			found.differs[r.Step] = one.Differs
		}
		if _, known := found.lost[r.Step]; !known && one.Lost >= 0 {
			found.lost[r.Step] = one.Lost
		}
		if one.Characters {
			found.characters[r.Step] = r.Offset
		}
	}
	return found
}

// readsText tells whether the caller may read the text of a build.
func (s *Server) readsText(c echo.Context, ref postgres.Ref) bool {
	return s.nobody().open || s.who(c).text(ref.Project, ref.ID, ref.Public)
}

// authors are which bytes of logs, and which notes, senders wrote who may not read them,
// lately and through this process: of these they are told whether what they send again is
// what is there. Of what others wrote they are told nothing: who asked byte by byte would
// have read it.
type authors struct {
	texts, notes recent[authored, spans]
}

// authored is a step's log, or its notes, and who wrote there. A build that was deleted and
// is made again has another log.
type authored struct {
	epoch ci.Epoch
	log   ci.LogID
	step  ci.StepKey
	who   string // the token
}

// mostAuthors is of how many logs they are remembered, half of them or all.
const mostAuthors = 10_000

// spans are apart from each other, in their order.
type spans []span

type span struct{ from, to int64 }

// mostSpans is how many are remembered, the last ones: what is sent again is mostly new.
const mostSpans = 32

// with are the spans and another one.
func (s spans) with(one span) spans {
	before := slices.IndexFunc(s, func(of span) bool { return of.to >= one.from })
	if before < 0 {
		before = len(s)
	}
	behind := before
	for behind < len(s) && s[behind].from <= one.to {
		one.from, one.to = min(one.from, s[behind].from), max(one.to, s[behind].to)
		behind++
	}
	all := slices.Concat(s[:before], spans{one}, s[behind:])
	return all[max(0, len(all)-mostSpans):]
}

func (s spans) has(one span) bool {
	return slices.ContainsFunc(s, func(of span) bool { return of.from <= one.from && one.to <= of.to })
}

// learn remembers what somebody who may not read a build wrote there, as a receipt says.
func (a *authors) learn(log ci.LogID, who string, receipt *ci.Receipt) {
	for _, of := range []struct {
		known *recent[authored, spans]
		added []ci.Added
	}{{&a.texts, receipt.Texts}, {&a.notes, receipt.Noted}} {
		for _, one := range of.added {
			of.known.change(authored{receipt.Epoch, log, one.Step, who}, func(before spans, _ bool) spans {
				return before.with(span{one.From, one.To})
			})
		}
	}
}

// hide leaves of what was sent again, in a receipt, what its sender may have compared, or
// know to be the same.
func (a *authors) hide(log ci.LogID, who string, receipt *ci.Receipt) {
	receipt.Repeated = slices.DeleteFunc(receipt.Repeated, func(r ci.Repeated) bool {
		return !a.wrote(authored{receipt.Epoch, log, r.Step, who}, span{r.Offset, r.Offset + r.Bytes})
	})
	receipt.Odd = slices.DeleteFunc(receipt.Odd, func(o ci.Oddity) bool {
		compares := o.What == ci.OddTwice || o.What == ci.OddWhole || o.What == ci.OddSeams
		return compares && !a.wrote(authored{receipt.Epoch, log, o.Step, who}, span{0, receipt.Logs[o.Step]})
	})
	receipt.RepeatedNotes = slices.DeleteFunc(receipt.RepeatedNotes, func(u *ci.NoteUpdate) bool {
		return !wrote(&a.notes, authored{receipt.Epoch, log, u.Step, who}, span{u.Number, u.Number + 1})
	})
}

// wrote tells whether somebody wrote these bytes of a step's log.
func (a *authors) wrote(of authored, bytes span) bool { return wrote(&a.texts, of, bytes) }

func wrote(known *recent[authored, spans], of authored, one span) bool {
	all, _ := known.recall(of)
	return all.has(one)
}

// differed are the logs that a sender was told of lately, on this process: it is told
// again with the proof of their length, which holds all the same.
type differed struct {
	at recent[logBy, int64]
}

type logOfStep struct {
	build ci.BuildID
	step  ci.StepKey
}

// mostDiffered is how many are remembered.
const mostDiffered = 1000

func (d *differed) remember(of logBy, at int64) {
	d.at.change(of, func(before int64, known bool) int64 {
		if known {
			return min(before, at)
		}
		return at
	})
}

// recall remembers what differs, and adds what did where updates say how long a log is.
func (d *differed) recall(build ci.BuildID, who string, differs map[ci.StepKey]int64, updates []ci.Update) map[ci.StepKey]int64 {
	for step, at := range differs {
		d.remember(logBy{logOfStep{build, step}, who}, at)
	}
	for i := range updates {
		step := updates[i].Step
		if step == nil || !step.LogBytes.Present {
			continue
		}
		at, did := d.at.recall(logBy{logOfStep{build, step.Key}, who})
		if _, told := differs[step.Key]; !did || told {
			continue
		}
		if differs == nil {
			differs = make(map[ci.StepKey]int64)
		}
		differs[step.Key] = at
	}
	return differs
}
