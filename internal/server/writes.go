package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// postUpdates stores a list of updates, all or nothing.
func (s *Server) postUpdates(c echo.Context, ref postgres.Ref) error {
	kind := announced(c.Request())
	ndjson := slices.Contains(lineTypes, kind)
	if !ndjson && kind != "application/json" {
		return &ci.Problem{Code: mediaType, Detail: fmt.Sprintf("The body is announced as %s; send it as application/json or, with one update a line, as application/x-ndjson.", printable(kind))}
	}
	r, err := decoded(s, c, func(body []byte) (ci.Request, error) { return decodeUpdates(body, ndjson, time.Now()) })
	if err != nil {
		return allOrNothing(err)
	}
	r.Build, r.From = ref.ID, s.who(c).holder()
	receipt, err := s.store.Append(c.Request().Context(), r)
	if err != nil {
		returnToEntrance(c.Request()) // as do all of a commit
		s.gaps.remember(r, err)
		return allOrNothing(fmt.Errorf("append updates: %w", err))
	}
	answer := make([]byte, 0, 96)
	answer = append(answer, `{"last_event_id":"`...)
	answer = append(answer, ci.Cursor{Prefix: ci.CursorPrefix(receipt.Epoch, ref.ID.Name()), ID: receipt.Last}.String()...)
	answer = appendCounts(append(answer, `","logs":`...), receipt.Logs)
	if receipt.Cut != nil {
		answer = append(answer, `,"cut":`...)
		cut, err := json.Marshal(receipt.Cut)
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		answer = append(answer, cut...)
	}
	ctx := c.Request().Context()
	var h hints
	reads := s.readsText(c, ref)
	s.authors.learn(ref.ID, r.From, reads, &receipt)
	found, _ := s.comparing(ctx, ref.Log, r.From, &receipt, &h)
	returnToEntrance(c.Request())
	differs := s.differed.recall(ref.ID, found.differs, r.Updates)
	if !reads {
		maps.DeleteFunc(differs, func(step ci.StepKey, _ int64) bool { return !s.authors.wrote(ref.ID, step, r.From) })
	}
	if found.differs = differs; len(differs) > 0 {
		answer = appendCounts(append(answer, `,"differs":`...), differs)
	}
	if receipt.Notes != nil {
		answer = appendCounts(append(answer, `,"notes":`...), receipt.Notes)
	}
	h.texts(found)
	h.overlaps(r.Updates)
	h.moved(&s.gaps, r)
	h.ends(r.Updates)
	h.odd(receipt.Odd)
	h.encodings(r.Updates)
	for i := range r.Updates {
		if b := r.Updates[i].Build; b != nil {
			h.branch(b.Branch)
		}
	}
	h.times(r.Updates, time.Now())
	if answer, err = h.append(answer); err != nil {
		return err
	}
	answer = append(answer, "}\n"...)
	header := c.Response().Header()
	header["Content-Type"] = []string{"application/json"}
	header["Content-Length"] = []string{strconv.Itoa(len(answer))}
	c.Response().WriteHeader(http.StatusOK)
	c.Response().Write(answer)
	return nil
}

// allOrNothing makes the refusal of one update say what became of the others.
func allOrNothing(err error) error {
	if p := ci.AsProblem(err); p != nil && p.Index != nil && !strings.Contains(p.Detail, "othing of the request was stored") {
		p.Detail += " Nothing of the request was stored."
	}
	return err
}

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

// authors are who wrote the first text of a log, lately and through this process: of who
// may not read it, they alone are told whether what they send again is what is there. Who
// else is could read it byte by byte.
type authors struct {
	of recent[logOfStep, string] // their tokens
}

// mostAuthors is of how many logs they are remembered, half of them or all.
const mostAuthors = 10_000

// learn remembers which logs somebody began, as a receipt says, and hides in it from who may
// not read the build what authors alone are told.
func (a *authors) learn(build ci.BuildID, who string, reads bool, receipt *ci.Receipt) {
	for _, step := range receipt.Began {
		a.of.remember(logOfStep{build, step}, who)
	}
	if !reads {
		a.hide(build, who, receipt)
	}
}

func (a *authors) wrote(build ci.BuildID, step ci.StepKey, who string) bool {
	author, known := a.of.recall(logOfStep{build, step})
	return known && author == who
}

// hide leaves of what was sent again what its sender may have compared, or know to be the
// same.
func (a *authors) hide(build ci.BuildID, who string, receipt *ci.Receipt) {
	receipt.Repeated = slices.DeleteFunc(receipt.Repeated, func(r ci.Repeated) bool { return !a.wrote(build, r.Step, who) })
	receipt.Odd = slices.DeleteFunc(receipt.Odd, func(o ci.Oddity) bool {
		return (o.What == ci.OddTwice || o.What == ci.OddWhole) && !a.wrote(build, o.Step, who)
	})
	receipt.RepeatedNotes = slices.DeleteFunc(receipt.RepeatedNotes, func(u *ci.NoteUpdate) bool { return !a.wrote(build, u.Step, who) })
}

// differed are the logs that a sender was told of lately, on this process: it is told
// again with the proof of their length, which holds all the same.
type differed struct {
	at recent[logOfStep, int64]
}

type logOfStep struct {
	build ci.BuildID
	step  ci.StepKey
}

// mostDiffered is how many are remembered.
const mostDiffered = 1000

func (d *differed) remember(build ci.BuildID, step ci.StepKey, at int64) {
	d.at.change(logOfStep{build, step}, func(before int64, known bool) int64 {
		if known {
			return min(before, at)
		}
		return at
	})
}

// recall remembers what differs, and adds what did where updates say how long a log is.
func (d *differed) recall(build ci.BuildID, differs map[ci.StepKey]int64, updates []ci.Update) map[ci.StepKey]int64 {
	for step, at := range differs {
		d.remember(build, step, at)
	}
	for i := range updates {
		step := updates[i].Step
		if step == nil || !step.LogBytes.Present {
			continue
		}
		at, did := d.at.recall(logOfStep{build, step.Key})
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

// decoded reads the body of a report and decodes it. A few KiB can be of a hundred
// thousand needs: what arrived is unpacked and decoded when it has its turn, and what
// comes of it counts from then on as waiting for the database.
func decoded[T any](s *Server, c echo.Context, decode func(body []byte) (T, error)) (report T, err error) {
	a, done, err := s.receiveOf(c.Request(), s.who(c).holder())
	if err != nil {
		return report, err
	}
	defer done()
	leave, err := s.decoding.Enter(c.Request().Context(), s.who(c).holder())
	if err != nil {
		return report, fmt.Errorf("wait to decode: %w", err)
	}
	defer leave()
	body, err := a.unpack()
	if err != nil {
		return report, err
	}
	report, err = decode(body)
	if p := ci.AsProblem(err); p != nil && unannounced(c.Request()) && c.Request().ProtoMajor == 1 {
		p.Detail += " " + headersEnd
	}
	return report, err
}

// appendCounts appends an object of numbers by step, whose keys need no
// escaping.
func appendCounts(dst []byte, counts map[ci.StepKey]int64) []byte {
	dst = append(dst, '{')
	for key, n := range counts {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, key...)
		dst = append(dst, `":`...)
		dst = strconv.AppendInt(dst, n, 10)
	}
	return append(dst, '}')
}
