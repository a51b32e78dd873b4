package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// NotesQuery selects notes of a build.
type NotesQuery struct {
	Groups   bool
	Levels   []ci.Level   // annotations of these levels
	Statuses []ci.Status  // tests that ended so
	Steps    []ci.StepKey // of these steps only; nil: of all
	After    ci.EventID   // the Through of an earlier page
	Limit    int          // at most so many notes, and about 1 MiB; the caller bounds it
}

// Notes is a page of notes in the order in which they came, read in one
// database snapshot.
type Notes struct {
	Notes   [][]byte   // JSON objects: the data of their events, of groups with their ends
	Through ci.EventID // everything that was asked for up to here is in Notes
	More    bool       // there is something after it
	Last    ci.EventID // of the build, at that moment
	Epoch   ci.Epoch
}

// A page takes what it needs of each sort, in order, from the index of notes.
const (
	headSQL  = `SELECT b.id, h.last_id FROM builds b JOIN build_heads h ON h.build = b.id WHERE b.uuid = $1`
	notesSQL = `
		SELECT first_id, last_id, step, form, log_offset, body, more FROM (
			SELECT e.*, sum(e.log_bytes + (e.last_id - e.first_id + 1) * 128) OVER w - e.log_bytes AS before, lead(e.last_id) OVER w IS NOT NULL AS more
			FROM (
				SELECT e.* FROM unnest($3::smallint[]) wanted (sort) CROSS JOIN LATERAL (
					SELECT e.* FROM events e
					WHERE e.build = $1 AND e.kind = 3 AND e.form >> 4 = wanted.sort AND e.last_id > $2
					AND ($4::text[] IS NULL OR e.step IN (SELECT s.number FROM steps s WHERE s.build = $1 AND s.key = ANY ($4)))
					ORDER BY e.last_id LIMIT $5 + 1
				) e
				ORDER BY e.last_id LIMIT $5 + 1
			) e WINDOW w AS (ORDER BY e.last_id)
		) e WHERE before < 1048576 ORDER BY last_id`
	groupEndsSQL = `
		SELECT e.step, e.first_line, e.form, e.body
		FROM unnest($2::integer[], $3::bigint[]) g (step, number)
		JOIN events e ON e.build = $1 AND e.step = g.step AND e.first_line = g.number
		WHERE e.kind = 3 AND e.first_line IS NOT NULL
		ORDER BY e.last_id`
)

// Notes reads a page of a build's notes.
func (s *Store) Notes(ctx context.Context, id ci.BuildID, q NotesQuery) (page Notes, err error) {
	err = s.inSnapshot(ctx, func(tx pgx.Tx, epoch ci.Epoch) error {
		page = Notes{Through: q.After, Epoch: epoch}
		var log ci.LogID
		switch err := tx.QueryRow(ctx, headSQL, uuid.UUID(id)).Scan(&log, &page.Last); {
		case errors.Is(err, pgx.ErrNoRows):
			return noBuild()
		case err != nil:
			return err
		}
		groups, err := page.read(ctx, tx, log, &q)
		if err != nil {
			return err
		}
		return page.endGroups(ctx, tx, log, groups)
	})
	return page, err
}

const notesOfNumbersSQL = `
	SELECT w.nr, e.last_id - e.first_id + 1, e.log_offset, e.form, e.body
	FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY w (key, number, nr) CROSS JOIN LATERAL (
		SELECT e.* FROM events e
		WHERE e.build = $1 AND e.step = (SELECT number FROM steps WHERE build = $1 AND key = w.key) AND e.kind = 3 AND e.log_offset <= w.number
		ORDER BY e.log_offset DESC LIMIT 1
	) e ORDER BY w.nr`

// OtherNotes finds those of some repeated notes that are not what is kept under their
// numbers.
func (s *Store) OtherNotes(ctx context.Context, log ci.LogID, repeated []*ci.NoteUpdate) (others []*ci.NoteUpdate, err error) {
	keys, numbers := make([]string, len(repeated)), make([]int64, len(repeated))
	for i, u := range repeated {
		keys[i], numbers[i] = string(u.Step), u.Number
	}
	rows, err := s.read.Query(ctx, notesOfNumbersSQL, log, keys, numbers)
	if err != nil {
		return nil, unavailable("compare repeated notes", err)
	}
	var (
		nr, n, first int64
		b            body
	)
	_, err = pgx.ForEachRow(rows, []any{&nr, &n, &first, &b.form, &b.data}, func() error {
		events, err := decodeNotes(nil, b, int(n), ci.Event{})
		if err != nil {
			return err
		}
		u := repeated[nr-1]
		if i := u.Number - first; i < n && !u.Same(events[i].Data) {
			others = append(others, u)
		}
		return nil
	})
	if err != nil {
		return nil, unavailable("compare repeated notes", err)
	}
	return others, nil
}

// groupPlace is where a group stands: the step, and the number of the note that
// began it.
type groupPlace struct {
	step   int32
	number int64
}

// read fills the page, and tells which of its notes begin a group.
func (page *Notes) read(ctx context.Context, tx pgx.Tx, log ci.LogID, q *NotesQuery) (groups map[groupPlace]int, err error) {
	var keys []string
	if q.Steps != nil {
		keys = []string{}
	}
	for _, key := range q.Steps {
		keys = append(keys, string(key))
	}
	rows, err := tx.Query(ctx, notesSQL, log, q.After, q.sorts(), keys, q.Limit)
	if err != nil {
		return nil, err
	}
	groups = make(map[groupPlace]int)
	var (
		first, last ci.EventID
		step        int32
		number      int64
		b           body
	)
	_, err = pgx.ForEachRow(rows, []any{&first, &last, &step, &b.form, &number, &b.data, &page.More}, func() error {
		events, err := decodeNotes(nil, b, int(last-first)+1, ci.Event{ID: first})
		if err != nil {
			return fmt.Errorf("row %d of log %d: %w", last, log, err)
		}
		for i, e := range events {
			switch {
			case e.ID <= q.After: // the first row may straddle the cursor
				continue
			case len(page.Notes) == q.Limit:
				page.More = true
				return nil
			case noteSort(b.form>>formSort) == sortGroup:
				groups[groupPlace{step, number + int64(i)}] = len(page.Notes)
			}
			page.Notes, page.Through = append(page.Notes, append([]byte(nil), e.Data...)), e.ID
		}
		return nil
	})
	return groups, err
}

// sorts lists what is asked for.
func (q *NotesQuery) sorts() []int16 {
	sorts := []int16{}
	add := func(sort noteSort) {
		if !slices.Contains(sorts, int16(sort)) {
			sorts = append(sorts, int16(sort))
		}
	}
	if q.Groups {
		add(sortGroup)
	}
	for _, level := range q.Levels {
		add(sortOfLevel[level])
	}
	for _, status := range q.Statuses {
		add(sortOfStatus[status])
	}
	return sorts
}

// endGroups makes groups whole. The first end that was reported counts.
func (page *Notes) endGroups(ctx context.Context, tx pgx.Tx, log ci.LogID, groups map[groupPlace]int) error {
	if len(groups) == 0 {
		return nil
	}
	steps, numbers := make([]int32, 0, len(groups)), make([]int64, 0, len(groups))
	for place := range groups {
		steps, numbers = append(steps, place.step), append(numbers, place.number)
	}
	rows, err := tx.Query(ctx, groupEndsSQL, log, steps, numbers)
	if err != nil {
		return err
	}
	ends := make(map[groupPlace][]byte, len(groups))
	var (
		place groupPlace
		b     body
	)
	_, err = pgx.ForEachRow(rows, []any{&place.step, &place.number, &b.form, &b.data}, func() error {
		end, err := unpack(b)
		if err == nil && ends[place] == nil {
			ends[place] = append([]byte(nil), end...)
		}
		return err
	})
	if err != nil {
		return err
	}
	for place, i := range groups {
		page.Notes[i] = ci.WholeGroup(page.Notes[i], ends[place])
	}
	return nil
}
