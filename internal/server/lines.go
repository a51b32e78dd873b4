package server

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Bounds of an answer with lines. A chunk counts its text and what goes around
// it.
const (
	mostLines     = 10_000
	linesBytes    = 1 << 20
	chunkOverhead = 128
)

// getLines answers with lines of a step's log as chunks, in the form of log
// events: a window of the log for a reader who goes on from there, or back.
func (s *Server) getLines(c echo.Context, ref postgres.Ref) error {
	key, err := stepKey(c)
	if err != nil {
		return err
	}
	want, err := parseLinesQuery(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	extent, err := s.store.StepLog(ctx, ref.ID, key)
	if err != nil {
		return fmt.Errorf("read the extent of a log: %w", err)
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	if notModified(c, logETag(&extent, ref.ID)) {
		return c.NoContent(http.StatusNotModified)
	}
	if want.tail > 0 {
		want.first, want.last = max(1, extent.Step.LogLines-want.tail+1), extent.Step.LogLines
	}
	chunks, err := s.lines(ctx, &extent, want.first, min(want.last, want.first+mostLines-1))
	if n := len(chunks); err == nil && want.tail > 0 && n > 0 && chunks[n-1].End() < extent.Step.LogBytes {
		// Of lines at the end the last ones count.
		if want.first, err = s.lastLines(ctx, &extent); err == nil {
			chunks, err = s.lines(ctx, &extent, want.first, want.last)
		}
	}
	if err != nil {
		return fmt.Errorf("read lines: %w", err)
	}
	var colours sgr
	if len(chunks) > 0 {
		if colours, err = s.colours.at(ctx, &extent, chunks[0].Offset); err != nil {
			return fmt.Errorf("find the colours of line %d: %w", want.first, err)
		}
	}
	body := fmt.Appendf(nil, `{"lines":%d,"bytes":%d,"sgr":"`, extent.Step.LogLines, extent.Step.LogBytes)
	body = ci.AppendEscaped(body, []byte(colours.String()))
	body = append(body, `","chunks":[`...)
	for i := range chunks {
		if i > 0 {
			body = append(body, ',')
		}
		body = chunks[i].AppendData(body)
	}
	return s.jsonBody(c, http.StatusOK, append(body, "]}\n"...))
}

// linesQuery is which lines are asked for: from first to last, 1-based, or
// those at the end.
type linesQuery struct{ first, last, tail int64 }

func parseLinesQuery(c echo.Context) (want linesQuery, err error) {
	q, err := query(c, "from", "to", "tail")
	if err != nil {
		return want, err
	}
	if want.tail, err = wholeParam(q, "tail", 0, 1, mostLines); err != nil {
		return want, err
	}
	if want.tail > 0 && (q.Has("from") || q.Has("to")) {
		return want, &ci.Problem{Code: ci.Invalid, Field: "tail", Detail: "Lines are asked for by from and to, or by tail; leave out one of them."}
	}
	if want.first, err = wholeParam(q, "from", 1, 1, ci.MaxLogBytes); err != nil {
		return want, err
	}
	if want.last, err = wholeParam(q, "to", ci.MaxLogBytes, 1, ci.MaxLogBytes); err != nil {
		return want, err
	}
	if want.last < want.first {
		return want, &ci.Problem{Code: ci.Invalid, Field: "to", Detail: "The parameter to is the last line wanted, so it is not smaller than from."}
	}
	return want, nil
}

// lines reads the lines from first to last of a log as it was at its extent,
// at most about linesBytes of them. Text is cut, but not decoded.
func (s *Server) lines(ctx context.Context, extent *postgres.StepLog, first, last int64) (chunks []ci.Event, err error) {
	size := 0
	for e, err := range chunksFromLine(ctx, s.store, extent, first) {
		if err != nil {
			return nil, err
		}
		if e.Line > last || size >= linesBytes {
			break
		}
		e.KeepLines(last - e.Line + 1)
		chunks = append(chunks, e)
		size += chunkSize(&e)
	}
	return chunks, nil
}

// lastLines is where as many lines at the end of a log begin as an answer takes
// whole, when that is not all. The last line it is at least.
func (s *Server) lastLines(ctx context.Context, extent *postgres.StepLog) (int64, error) {
	type piece struct {
		line int64
		size int
	}
	var pieces []piece
	for at := max(0, extent.Step.LogBytes-linesBytes); at < extent.Step.LogBytes; {
		events, err := s.store.LogChunks(ctx, extent.Log, extent.Step.Key, at)
		if err == nil && len(events) == 0 {
			err = fmt.Errorf("nothing at %d of %d", at, extent.Step.LogBytes)
		}
		if err != nil {
			return 0, err
		}
		for i := range events {
			if at >= extent.Step.LogBytes {
				break
			}
			pieces, at = append(pieces, piece{events[i].Line, chunkSize(&events[i])}), events[i].End()
		}
	}
	first, size := int64(0), 0
	for _, p := range slices.Backward(pieces) {
		if size += p.size; size > linesBytes && first > 0 {
			break // with lines of this piece the answer would end before the log does
		}
		first = p.line + 1 // its own may have begun before it
	}
	return min(first, extent.Step.LogLines), nil
}

// chunkSize is what a chunk takes of an answer, about.
func chunkSize(e *ci.Event) int { return len(e.Chunk.Body) + chunkOverhead }

// chunksFromLine yields the events of a log, as far as it had come at its
// extent, from the first byte of a line on.
func chunksFromLine(ctx context.Context, store *postgres.Store, extent *postgres.StepLog, first int64) iter.Seq2[ci.Event, error] {
	return func(yield func(ci.Event, error) bool) {
		events, err := store.LineChunks(ctx, extent.Log, extent.Step.Key, first)
		for at := int64(0); at < extent.Step.LogBytes; events, err = store.LogChunks(ctx, extent.Log, extent.Step.Key, at) {
			if err == nil && len(events) == 0 {
				err = fmt.Errorf("nothing at %d of %d", at, extent.Step.LogBytes)
			}
			if err != nil {
				yield(ci.Event{}, err)
				return
			}
			for _, e := range events {
				if at = e.End(); at > extent.Step.LogBytes {
					return
				}
				if (e.Line >= first || e.SkipLines(first-e.Line)) && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// logETag tells how long a log is: what is there of it never changes.
func logETag(extent *postgres.StepLog, id ci.BuildID) string {
	return fmt.Sprintf(`"%s-%d"`, ci.CursorPrefix(extent.Epoch, id.Name()), extent.Step.LogBytes)
}
