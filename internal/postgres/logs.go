package postgres

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stepcast/stepcast/internal/ci"
)

// Hole is a range of a step's log that is gone for good.
type Hole struct{ Offset, Bytes int64 }

// mostHoles is how many holes of a log are told, as many as a header has room for, and
// how many rows are looked at for them: some requests make thousands.
const mostHoles = 64

// StepLog is the extent of a step's log at one moment.
type StepLog struct {
	Log   ci.LogID
	Step  ci.Step    // LogBytes and LogLines are of the same moment
	Over  bool       // no more text will be taken
	Holes []Hole     // the first of them,
	More  bool       // and there are more
	Last  ci.EventID // of the build, at that moment
	Epoch ci.Epoch
}

const holeRowsSQL = `
	SELECT first_id, last_id, form, log_offset, first_line, body FROM events
	WHERE build = $1 AND step = $2 AND kind = 2 AND form & 2 <> 0 ORDER BY log_offset LIMIT $3`

const loadStepSQL = `SELECT ` + stepColumns + ` FROM steps s WHERE s.build = ANY ($1) AND s.key = $2`

// StepLog reads the extent of a step's log. A step that does not exist is a
// *ci.Problem with UnknownStep.
func (s *Store) StepLog(ctx context.Context, id ci.BuildID, key ci.StepKey) (out StepLog, err error) {
	err = s.inSnapshot(ctx, func(tx pgx.Tx, epoch ci.Epoch) error {
		states, err := loadParts(ctx, tx, []ci.BuildID{id}, loadStepSQL, string(key)) // a build may have thousands
		if err != nil {
			return err
		}
		state := states[id]
		if state == nil {
			return noBuild()
		}
		step := state.Step(key)
		if step == nil {
			return &ci.Problem{Code: ci.UnknownStep, Detail: "The build has no such step."}
		}
		out = StepLog{Log: state.Log, Step: step.Step, Last: state.Last, Epoch: epoch}
		out.Over = step.LogComplete || !step.EndedAt.IsZero() && time.Since(step.EndedAt) >= ci.LateFor
		out.Holes, out.More, err = holes(ctx, tx, state.Log, step.Number)
		return err
	})
	return out, err
}

// holes finds the first holes of a log, those that touch as one.
func holes(ctx context.Context, tx pgx.Tx, log ci.LogID, step int) (found []Hole, more bool, err error) {
	rows, err := tx.Query(ctx, holeRowsSQL, log, step, mostHoles+1)
	if err != nil {
		return nil, false, err
	}
	var events []ci.Event // of one row
	read := 0
	err = eachLogRow(rows, "", func(b body, n int, first ci.Event) (err error) {
		if read++; more || read > mostHoles {
			more = true
			return nil
		}
		events, err = decodeBody(events[:0], b, n, first)
		for i := range events {
			if found, more = addHole(found, &events[i]); more {
				break
			}
		}
		return err
	})
	return found, more, err
}

// addHole adds the hole that an event is, if it is one. full tells that there was no room.
func addHole(found []Hole, e *ci.Event) (_ []Hole, full bool) {
	switch n := len(found); {
	case e.Lost == 0:
	case n > 0 && found[n-1].Offset+found[n-1].Bytes == e.Offset:
		found[n-1].Bytes += e.Lost
	case n == mostHoles:
		return found, true
	default:
		found = append(found, Hole{e.Offset, e.Lost})
	}
	return found, false
}

// eachLogRow calls use with each log row: its body, how many events are in it, and the
// first as far as it does not stand in the body. The body is not to be kept.
func eachLogRow(rows pgx.Rows, key ci.StepKey, use func(b body, n int, first ci.Event) error) error {
	var (
		b     body
		last  ci.EventID
		first = ci.Event{Kind: ci.KindLog, Step: key}
	)
	_, err := pgx.ForEachRow(rows, []any{&first.ID, &last, &b.form, &first.Offset, &first.Line, (*pgtype.DriverBytes)(&b.data)}, func() error {
		return use(b, int(last-first.ID)+1, first)
	})
	return err
}

func collectLogRows(rows pgx.Rows, key ci.StepKey) (events []ci.Event, err error) {
	err = eachLogRow(rows, key, func(b body, n int, first ci.Event) (err error) {
		if b.form&formZstd == 0 {
			b.data = append([]byte(nil), b.data...)
		}
		events, err = decodeBody(events, b, n, first)
		return err
	})
	return events, err
}

// mostCompared is how many rows of a log a repeated piece is compared with.
const mostCompared = 64

const rowsOfBytesSQL = `
	SELECT first_id, last_id, form, log_offset, first_line, body FROM events
	WHERE build = $1 AND step = (SELECT number FROM steps WHERE build = $1 AND key = $2) AND kind = 2
	AND log_offset < $4 AND log_offset >= (
		SELECT max(log_offset) FROM events
		WHERE build = $1 AND step = (SELECT number FROM steps WHERE build = $1 AND key = $2) AND kind = 2 AND log_offset <= $3
	)
	ORDER BY log_offset LIMIT $5`

// Comparison is what came of comparing a piece of text with what a log has there.
type Comparison struct {
	Same    int64 // bytes that are the same
	Differs int64 // the first byte of the log that is something else; -1: none
	Lost    int64 // the first byte of it that is lost there; -1: none

	// The offset lies within a piece that came before, as many bytes behind its start as that
	// has characters, and before its end: where one who counts those would go on.
	Characters bool
}

// Compare compares the beginning of a repeated piece, up to some rows of the log, with what
// is kept there.
func (s *Store) Compare(ctx context.Context, log ci.LogID, r *ci.Repeated) (c Comparison, err error) {
	c.Differs, c.Lost = -1, -1
	rows, err := s.read.Query(ctx, rowsOfBytesSQL, log, string(r.Step), r.Offset, r.Offset+r.Bytes, mostCompared)
	if err != nil {
		return c, unavailable("compare a repeated text", err)
	}
	events, err := collectLogRows(rows, r.Step)
	if err != nil {
		return c, unavailable("compare a repeated text", err)
	}
	said := r.Chunk.AppendRaw(nil)
	for i := range events {
		e := &events[i]
		from, to := max(e.Offset, r.Offset), min(e.End(), r.Offset+r.Bytes)
		if from >= to {
			continue
		}
		if e.Lost > 0 {
			if c.Lost < 0 {
				c.Lost = from
			}
			continue
		}
		kept := e.Chunk.AppendRaw(nil)
		if r.Offset > e.Offset {
			c.Characters = countsCharacters(kept, r.Offset-e.Offset)
		}
		kept, sent := kept[from-e.Offset:to-e.Offset], said[from-r.Offset:to-r.Offset]
		if bytes.Equal(kept, sent) {
			c.Same += to - from
			continue
		}
		for i := range kept {
			if kept[i] != sent[i] {
				c.Differs = from + int64(i)
				return c, nil
			}
		}
	}
	return c, nil
}

// countsCharacters tells whether n, which is less than a text's bytes, is the number of
// its characters, or of the units of UTF-16 that JavaScript counts.
func countsCharacters(text []byte, n int64) bool {
	var runes, units int64
	for _, r := range string(text) {
		runes++
		units += int64(utf16.RuneLen(r))
	}
	return n == runes || n == units
}

const (
	// Text may have come byte by byte, and each piece is an event.
	rowWeight  = `e.log_bytes + (e.last_id - e.first_id + 1) * 64`
	logPageSQL = `
		SELECT first_id, last_id, form, log_offset, first_line, body FROM (
			SELECT e.*, sum(` + rowWeight + `) OVER (ORDER BY e.log_offset) - (` + rowWeight + `) AS before FROM (
				SELECT e.* FROM events e
				WHERE e.build = $1 AND e.step = $2 AND e.kind = 2 AND e.log_offset >= $3
				ORDER BY e.log_offset LIMIT 256
			) e
		) e WHERE before < 1048576 ORDER BY log_offset`
	rowAtOffsetSQL = `
		SELECT log_offset FROM events WHERE build = $1 AND step = $2 AND kind = 2 AND log_offset <= $3
		ORDER BY log_offset DESC LIMIT 1`
	stepNumberSQL = `SELECT number FROM steps WHERE build = $1 AND key = $2`
)

// rowOfLineSQL finds where the row begins in which a line does: every line but the first
// begins in the row in which the one before it ended, or at the start of the next one. Of
// a step without text there is none.
//
// The place is halved until it is found. To go back from the end takes a step for each
// row, and a line may be a million of them.
func rowOfLineSQL(build, step, line string) string {
	return strings.NewReplacer("{build}", build, "{step}", step, "{line}", line).Replace(`
	WITH RECURSIVE look (low, high) AS (
		SELECT 0::bigint, (SELECT log_offset + 1 FROM events WHERE build = {build} AND step = {step} AND kind = 2 ORDER BY log_offset DESC LIMIT 1)
		UNION ALL
		SELECT CASE WHEN r.first_line < {line} THEN (l.low + l.high) / 2 ELSE l.low END, CASE WHEN r.first_line < {line} THEN l.high ELSE r.log_offset END
		FROM look l CROSS JOIN LATERAL (
			SELECT e.log_offset, e.first_line FROM events e
			WHERE e.build = {build} AND e.step = {step} AND e.kind = 2 AND e.log_offset <= (l.low + l.high) / 2
			ORDER BY e.log_offset DESC LIMIT 1
		) r WHERE l.high - l.low > 1
	)
	SELECT e.log_offset FROM events e
	WHERE e.build = {build} AND e.step = {step} AND e.kind = 2 AND e.log_offset <= (SELECT max(low) FROM look)
	ORDER BY e.log_offset DESC LIMIT 1`)
}

var rowAtLineSQL = rowOfLineSQL("$1", "$2", "$3")

// LogChunks reads the log events of a step that overlap the bytes from offset
// on: the next at most 1 MiB of them, each with what goes around it, whole.
// None: the log ends at or before offset.
func (s *Store) LogChunks(ctx context.Context, log ci.LogID, key ci.StepKey, offset int64) ([]ci.Event, error) {
	events, err := s.chunks(ctx, log, key, rowAtOffsetSQL, offset)
	for len(events) > 0 && events[0].Offset+events[0].Bytes() <= offset {
		events = events[1:]
	}
	return events, err
}

// LineChunks is LogChunks from an event at or before the first byte of a line,
// 1-based. Of a line beyond the end it returns the last events.
func (s *Store) LineChunks(ctx context.Context, log ci.LogID, key ci.StepKey, line int64) ([]ci.Event, error) {
	events, err := s.chunks(ctx, log, key, rowAtLineSQL, line)
	for len(events) > 1 && events[1].Line < line {
		events = events[1:]
	}
	return events, err
}

func (s *Store) chunks(ctx context.Context, log ci.LogID, key ci.StepKey, startSQL string, place int64) ([]ci.Event, error) {
	var number int
	if err := s.read.QueryRow(ctx, stepNumberSQL, log, string(key)).Scan(&number); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, nil
		}
		return nil, unavailable("read a log", err)
	}
	var start int64
	if err := s.read.QueryRow(ctx, startSQL, log, number, place).Scan(&start); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, nil
		}
		return nil, unavailable("read a log", err)
	}
	rows, err := s.read.Query(ctx, logPageSQL, log, number, start)
	if err != nil {
		return nil, unavailable("read a log", err)
	}
	events, err := collectLogRows(rows, key)
	if err != nil {
		return nil, unavailable("read a log", err)
	}
	return events, nil
}

const rowsBackSQL = `
	SELECT first_id, last_id, form, log_offset, first_line, body FROM (
		SELECT e.*, sum(` + rowWeight + `) OVER (ORDER BY e.log_offset DESC) - (` + rowWeight + `) AS behind FROM (
			SELECT e.* FROM events e
			WHERE e.build = $1 AND e.step = (SELECT number FROM steps WHERE build = $1 AND key = $2) AND e.kind = 2
			AND e.form & 4 = 0 AND e.log_offset < $4 AND e.log_offset >= (
				SELECT max(log_offset) FROM events
				WHERE build = $1 AND step = (SELECT number FROM steps WHERE build = $1 AND key = $2) AND kind = 2 AND log_offset <= $3
			)
			ORDER BY e.log_offset DESC LIMIT $5
		) e
	) e WHERE behind < 1048576 ORDER BY log_offset`

// EscapesBack reads backwards what may hold escape sequences: of the rows of a
// step's log that overlap the bytes between two places, the last at most `most`,
// and about 1 MiB. Rows in which none begins are left out; the events are in
// order all the same.
func (s *Store) EscapesBack(ctx context.Context, log ci.LogID, key ci.StepKey, from, to int64, most int) ([]ci.Event, error) {
	rows, err := s.read.Query(ctx, rowsBackSQL, log, string(key), from, to, most)
	if err != nil {
		return nil, unavailable("read a log backwards", err)
	}
	events, err := collectLogRows(rows, key)
	if err != nil {
		return nil, unavailable("read a log backwards", err)
	}
	return events, nil
}

var tailRowsSQL = `
	SELECT s.key, s.newlines + s.unended::int - $2 + 1, e.first_id, e.last_id, e.form, e.log_offset, e.first_line, e.body
	FROM steps s
	CROSS JOIN LATERAL (` + rowOfLineSQL("s.build", "s.number", "s.newlines + s.unended::int - $2 + 1") + `) row
	CROSS JOIN LATERAL (
		SELECT e.* FROM events e WHERE e.build = s.build AND e.step = s.number AND e.kind = 2 AND e.log_offset = row.log_offset LIMIT 1
	) e
	WHERE s.build = $1 AND s.log_bytes > 0
	UNION ALL
	SELECT s.key, 0, e.first_id, 0, 0, 0, 0, NULL
	FROM steps s CROSS JOIN LATERAL (
		SELECT e.first_id FROM events e
		WHERE e.build = s.build AND e.step = s.number AND e.kind = 3
		ORDER BY e.log_offset LIMIT 1
	) e
	WHERE s.build = $1 AND s.log_bytes = 0 AND s.notes > 0`

// TailStart finds, for each step of a build's log, the event at which its last
// lines begin, as of now, or, if it has no text, its first note; for use as a
// Filter's Since.
func (s *Store) TailStart(ctx context.Context, log ci.LogID, lines int) (map[ci.StepKey]ci.EventID, error) {
	rows, err := s.read.Query(ctx, tailRowsSQL, log, lines)
	if err != nil {
		return nil, unavailable("find the tails", err)
	}
	since := make(map[ci.StepKey]ci.EventID)
	var (
		key          ci.StepKey
		want         int64
		first, last  ci.EventID
		form         int16
		offset, line int64
		content      []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&key, &want, &first, &last, &form, &offset, &line, &content}, func() error {
		if content == nil {
			since[key] = first
			return nil
		}
		events, err := decodeBody(nil, body{form, content}, int(last-first)+1, ci.Event{ID: first, Kind: ci.KindLog, Offset: offset, Line: line})
		for _, e := range events {
			// A line begins in the event in which the one before it ended.
			if e.Line < want || since[key] == 0 {
				since[key] = e.ID
			}
			if e.Chunk.Ended && e.Line+e.Chunk.Lines == want {
				since[key] = e.ID + 1 // or just behind it
			}
		}
		return err
	})
	if err != nil {
		return nil, unavailable("find the tails", err)
	}
	return since, nil
}
