package server

import (
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
	ready, err := decoded(s, c, func(body []byte) (ready postgres.Ready, err error) {
		r, err := decodeUpdates(body, ndjson, time.Now())
		if err != nil {
			return ready, err
		}
		r.Build, r.From = ref.ID, s.who(c).holder()
		return s.store.Ready(r)
	})
	if err != nil {
		return allOrNothing(err)
	}
	r := *ready.Request
	receipt, err := s.store.AppendReady(c.Request().Context(), ready)
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
	if !reads {
		s.authors.learn(ref.Log, r.From, &receipt)
		s.authors.hide(ref.Log, r.From, &receipt)
	}
	found, _ := s.comparing(ctx, ref.Log, r.From, &receipt, &h)
	returnToEntrance(c.Request())
	differs := s.differed.recall(ref.ID, r.From, found.differs, r.Updates)
	if !reads {
		maps.DeleteFunc(differs, func(step ci.StepKey, at int64) bool {
			return !s.authors.wrote(authored{receipt.Epoch, ref.Log, step, r.From}, span{at, at + 1})
		})
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
		p.Detail += " If one was sent, " + headersEnd
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
