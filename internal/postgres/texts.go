package postgres

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/stepcast/stepcast/internal/ci"
)

// Texts is which steps of a build have text after an event, at one moment.
type Texts struct {
	Log   ci.LogID
	Steps []StepText // in the build's order
	Last  ci.EventID // of the build, at that moment
	Epoch ci.Epoch
}

// StepText is the text of a step, and the line in which what comes after the
// event begins, or an earlier one.
type StepText struct {
	Number int // of the step, from 1
	Key    ci.StepKey
	Line   int64
	Bytes  int64 // all there is, at that moment
}

const (
	allTextsSQL  = `SELECT number, key, 1::bigint, log_bytes FROM steps WHERE build = $1 AND log_bytes > 0 AND $2::bigint = 0 ORDER BY number`
	someTextsSQL = `
		SELECT DISTINCT ON (s.number) s.number, s.key, e.first_line, s.log_bytes
		FROM events e JOIN steps s ON s.build = e.build AND s.number = e.step
		WHERE e.build = $1 AND e.last_id > $2 AND e.kind = 2
		ORDER BY s.number, e.last_id`
)

// Texts finds the steps of a build that have text after an event; 0: all that
// have any.
func (s *Store) Texts(ctx context.Context, id ci.BuildID, after ci.EventID) (out Texts, err error) {
	err = s.inSnapshot(ctx, func(tx pgx.Tx, epoch ci.Epoch) error {
		out = Texts{Epoch: epoch}
		switch err := tx.QueryRow(ctx, headSQL, uuid.UUID(id)).Scan(&out.Log, &out.Last); {
		case errors.Is(err, pgx.ErrNoRows):
			return noBuild()
		case err != nil:
			return err
		}
		sql := someTextsSQL
		if after == 0 {
			sql = allTextsSQL
		}
		rows, err := tx.Query(ctx, sql, out.Log, after)
		if err != nil {
			return err
		}
		out.Steps, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t StepText, err error) {
			return t, row.Scan(&t.Number, &t.Key, &t.Line, &t.Bytes)
		})
		return err
	})
	return out, err
}

// A TextReader reads the text of a step, page by page. A log is only ever
// appended to, so that pages belong together though each is read for itself.
type TextReader struct {
	store *Store
	log   ci.LogID
	step  StepText
	at    int64 // the offset of the next row; -1: it is to be found
}

// ReadText begins at an event at or before the first byte of step.Line.
func (s *Store) ReadText(log ci.LogID, step StepText) *TextReader {
	r := &TextReader{store: s, log: log, step: step}
	if step.Line > 1 {
		r.at = -1
	}
	return r
}

// A TextPage is some consecutive events of a step's text, with the memory that
// they are in, which serves again and again.
type TextPage struct {
	Events []ci.Event
	buf    []byte
}

// pageRoom is enough for nearly all pages, which are 1 MiB and a row before
// their text is escaped; what is beyond has memory of its own.
const pageRoom = 2 << 20

// Next fills a page with the next events, at most about 1 MiB; none: that was
// all.
func (r *TextReader) Next(ctx context.Context, page *TextPage) error {
	if page.buf == nil {
		page.buf = make([]byte, 0, pageRoom)
	}
	page.Events, page.buf = page.Events[:0], page.buf[:0]
	if r.at < 0 {
		switch err := r.store.read.QueryRow(ctx, rowAtLineSQL, r.log, r.step.Number, r.step.Line).Scan(&r.at); {
		case errors.Is(err, pgx.ErrNoRows):
			return nil
		case err != nil:
			return unavailable("read a text", err)
		}
	}
	if r.at >= r.step.Bytes {
		return nil
	}
	rows, err := r.store.read.Query(ctx, logPageSQL, r.log, r.step.Number, r.at)
	if err != nil {
		return unavailable("read a text", err)
	}
	var (
		first, last  ci.EventID
		form         int16
		offset, line int64
		content      pgtype.DriverBytes // good until the next row
	)
	_, err = pgx.ForEachRow(rows, []any{&first, &last, &form, &offset, &line, &content}, func() error {
		room := page.buf[len(page.buf):]
		var data []byte
		if form&formZstd == 0 {
			data = append(room, content...)
		} else if data, err = decompress(body{form, content}, room); err != nil {
			return err
		}
		page.buf = page.buf[:min(len(page.buf)+len(data), cap(page.buf))]
		page.Events, err = decodePlain(page.Events, data, int(last-first)+1, ci.Event{ID: first, Kind: ci.KindLog, Step: r.step.Key, Offset: offset, Line: line})
		return err
	})
	if err != nil {
		return unavailable("read a text", err)
	}
	if n := len(page.Events); n > 0 {
		r.at = page.Events[n-1].Offset + page.Events[n-1].Bytes()
	}
	return nil
}
