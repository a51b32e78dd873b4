package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Bounds of a page: what one read may cost and keep in memory. An event counts
// its text and what goes around it in a frame. The text of a control character has six
// times its bytes there, and whoever does not read keeps a page.
const (
	pageEvents    = 256
	pageBytes     = 1 << 20
	eventOverhead = 128
)

// Page reads the events of a log after a cursor: at most about 256 rows and 1
// MiB, but at least one event, if any among the next 20,000 rows.
func (s *Store) Page(ctx context.Context, log ci.LogID, after ci.EventID, f ci.Filter) (ci.Page, error) {
	return s.page(ctx, log, after, f, pageEvents)
}

// PageN is Page with at most limit events.
func (s *Store) PageN(ctx context.Context, log ci.LogID, after ci.EventID, f ci.Filter, limit int) (ci.Page, error) {
	page, err := s.page(ctx, log, after, f, limit)
	if err == nil && len(page.Events) > limit {
		page.Events = page.Events[:limit]
		page.Through = page.Events[limit-1].ID
	}
	return page, err
}

func (s *Store) page(ctx context.Context, log ci.LogID, after ci.EventID, f ci.Filter, rows int) (ci.Page, error) {
	read := s.buildPage
	if log == ci.FeedLog {
		read = s.feedPage
	}
	page, err := read(ctx, log, after, f, rows)
	if err != nil {
		return page, unavailable("read a page", err)
	}
	if log != ci.FeedLog && page.Head.Last == 0 {
		return page, noBuild()
	}
	if page.Epoch == (ci.Epoch{}) { // history was rewound and nobody noticed yet
		if err := s.renewEpoch(ctx); err != nil {
			return page, unavailable("read a page", err)
		}
		page.Epoch = s.presentEpoch()
	}
	s.noticeEpoch(page.Epoch)
	return page, nil
}

// What a page's rows are taken from: all rows of the log, or status events and
// some of the log and note rows. The first never looks at a condition row by
// row; the second reads status events from their own index. $5 is where the
// others can begin at the earliest. It looks at so many rows and goes no further: of a
// step in a log of millions of rows there may be none.
const (
	mostLooked = 20_000
	anyRowsSQL = `SELECT NULL::bigint AS id`
	nearSQL    = `
		SELECT (SELECT e.last_id FROM events e WHERE e.build = $1 AND e.last_id > greatest($2::bigint, $5::bigint) ORDER BY e.last_id OFFSET $8 LIMIT 1) AS id`
	allRowsSQL = `
		SELECT e.* FROM events e
		WHERE e.build = $1 AND e.last_id > $2
		ORDER BY e.last_id LIMIT $3 + 1`
	someRowsSQL = `
		(SELECT e.* FROM events e WHERE e.build = $1 AND e.last_id > $2 AND e.kind < 2 AND e.last_id <= coalesce((SELECT id FROM bound), 9223372036854775807) ORDER BY e.last_id LIMIT $3 + 1)
		UNION ALL
		(SELECT e.* FROM events e
			JOIN steps s ON s.build = e.build AND s.number = e.step
			LEFT JOIN unnest($6::text[], $7::bigint[]) since (key, id) ON since.key = s.key
			WHERE e.build = $1 AND e.last_id > greatest($2, $5) AND e.kind >= 2
			AND e.last_id <= coalesce((SELECT id FROM bound), 9223372036854775807)
			AND ($4::text[] IS NULL OR s.key = ANY ($4)) AND e.last_id >= coalesce(since.id, 0)
			ORDER BY e.last_id LIMIT $3 + 1)
		ORDER BY last_id LIMIT $3 + 1`

	pageSQLHead = `
	WITH now AS MATERIALIZED (SELECT present_epoch() AS epoch),
	head AS MATERIALIZED (
		SELECT last_id, status IN ('passed', 'failed', 'canceled', 'skipped')
			OR status = 'lost' AND ended_at <= clock_timestamp() - interval '24 hours' AS final
		FROM build_heads WHERE build = $1
	),
	bound AS MATERIALIZED (`
	pageSQLRows = `),
	page AS (`
	pageSQLTail = `),
	sized AS (
		SELECT page.*,
			sum(coalesce(log_bytes, octet_length(body)) + (last_id - first_id + 1) * 128) OVER w AS until_here,
			row_number() OVER w AS place, lead(last_id) OVER w IS NOT NULL AS more
		FROM page WINDOW w AS (ORDER BY last_id)
	)
	SELECT now.epoch, coalesce(head.last_id, 0), coalesce(head.final, false),
		coalesce((SELECT first_id FROM events WHERE build = $1 ORDER BY last_id LIMIT 1), 0),
		e.first_id, e.last_id, e.kind, s.key, e.form, e.log_offset, e.first_line, e.body, e.more, bound.id
	FROM now CROSS JOIN bound LEFT JOIN head ON true
	LEFT JOIN (
		SELECT * FROM sized
		WHERE place = 1 OR place <= $3 AND until_here <= 1048576
	) e ON true
	LEFT JOIN steps s ON s.build = $1 AND s.number = e.step
	ORDER BY e.last_id`

	allPageSQL  = pageSQLHead + anyRowsSQL + pageSQLRows + allRowsSQL + pageSQLTail
	somePageSQL = pageSQLHead + nearSQL + pageSQLRows + someRowsSQL + pageSQLTail
)

// buildPage reads a page of a build's log in one statement, so in one
// snapshot.
func (s *Store) buildPage(ctx context.Context, log ci.LogID, after ci.EventID, f ci.Filter, limit int) (page ci.Page, err error) {
	sql, args := allPageSQL, []any{log, after, limit}
	if !f.All() {
		keys, sinceKeys, sinceIDs, floor := rowFilter(&f)
		sql, args = somePageSQL, []any{log, after, limit, keys, floor, sinceKeys, sinceIDs, mostLooked}
	}
	rows, err := s.read.Query(ctx, sql, args...)
	if err != nil {
		return page, err
	}
	var (
		epoch         *uuid.UUID
		firstKept     ci.EventID
		first, last   *int64
		kind, form    *int16
		key           *string
		offset, line  *int64
		content       []byte
		more, hasMore *bool
		bound         *int64
	)
	size, full := 0, false
	_, err = pgx.ForEachRow(rows, []any{
		&epoch, &page.Head.Last, &page.Head.Final, &firstKept, &first, &last, &kind, &key, &form, &offset, &line, &content, &more, &bound,
	}, func() error {
		if last == nil || full {
			return nil
		}
		page.Through, hasMore = ci.EventID(*last), more
		event := ci.Event{ID: ci.EventID(*first), Kind: ci.KindBuild}
		if key != nil {
			event.Step = ci.StepKey(*key)
		}
		if *kind < kindLog {
			if *kind == kindStep {
				event.Kind = ci.KindStep
			}
			event.Data = append([]byte(nil), content...)
			page.Events = append(page.Events, event)
			full = fit(&page, len(page.Events)-1, &size)
			return nil
		}
		b := body{form: *form, data: content}
		if b.form&formZstd == 0 {
			b.data = append([]byte(nil), content...)
		}
		start, n := len(page.Events), int(*last-*first)+1
		if *kind == kindNote {
			event.Kind = ci.KindNote
			page.Events, err = decodeNotes(page.Events, b, n, event)
		} else {
			event.Kind, event.Offset, event.Line = ci.KindLog, *offset, *line
			page.Events, err = decodeBody(page.Events, b, n, event)
		}
		if err != nil {
			return fmt.Errorf("row %d of log %d: %w", *last, log, err)
		}
		page.Events = keep(page.Events, start, after, &f)
		full = fit(&page, start, &size)
		return nil
	})
	if err != nil {
		return page, err
	}
	if epoch != nil {
		page.Epoch = ci.Epoch(*epoch)
	}
	switch {
	case full, hasMore != nil && *hasMore:
	case bound != nil:
		page.Through = ci.EventID(*bound)
	default:
		page.Through = max(page.Head.Last, after)
	}
	if page.First = firstKept; firstKept == 0 {
		page.First = page.Head.Last + 1
	}
	return page, nil
}

// fit cuts a page off before the first event, from start on, that makes it larger than it
// may be, but for one, and tells whether it did. size is of those before.
func fit(page *ci.Page, start int, size *int) (full bool) {
	for i := start; i < len(page.Events); i++ {
		e := &page.Events[i]
		if *size += e.Chunk.LiteralBytes() + len(e.Data) + eventOverhead; *size > pageBytes && i > 0 {
			page.Events, page.Through = page.Events[:i], page.Events[i-1].ID
			return true
		}
	}
	return false
}

// keep drops, of the events from start on, those at or before the cursor (the
// first row may straddle it) and those that the filter holds back.
func keep(events []ci.Event, start int, after ci.EventID, f *ci.Filter) []ci.Event {
	kept := events[:start]
	for i := start; i < len(events); i++ {
		if events[i].ID > after && f.Match(&events[i]) {
			kept = append(kept, events[i])
		}
	}
	return kept
}

// rowFilter turns a filter into what the query wants.
func rowFilter(f *ci.Filter) (keys, sinceKeys []string, sinceIDs []int64, floor int64) {
	if f.NoLogs {
		return []string{}, []string{}, []int64{}, math.MaxInt64
	}
	for _, key := range f.Steps {
		keys = append(keys, string(key))
	}
	if f.Steps != nil && keys == nil {
		keys = []string{}
	}
	sinceKeys, sinceIDs = []string{}, []int64{}
	floor = math.MaxInt64
	for key, id := range f.Since {
		sinceKeys, sinceIDs = append(sinceKeys, string(key)), append(sinceIDs, int64(id))
		floor = min(floor, int64(id)-1)
	}
	if len(f.Since) == 0 {
		floor = 0
	}
	return keys, sinceKeys, sinceIDs, floor
}

const feedPageSQL = `
	WITH now AS MATERIALIZED (SELECT present_epoch() AS epoch, coalesce((SELECT max(id) FROM feed), 0) AS head, coalesce((SELECT min(id) FROM feed), 0) AS first),
	page AS (
		SELECT id, build, project, branch, kind, step, body, sum(octet_length(body) + 128) OVER w AS until_here,
			row_number() OVER w AS place, lead(id) OVER w IS NOT NULL AS more
		FROM (SELECT * FROM feed WHERE id > $1 ORDER BY id LIMIT $2 + 1) f WINDOW w AS (ORDER BY id)
	)
	SELECT now.epoch, now.head, now.first, f.id, b.uuid, coalesce(f.project, ''), coalesce(f.branch, ''), coalesce(f.kind, 0), coalesce(f.step, ''), f.body, coalesce(f.more, false)
	FROM now
	LEFT JOIN (SELECT * FROM page WHERE place = 1 OR place <= $2 AND until_here <= 1048576) f ON true
	LEFT JOIN builds b ON b.id = f.build
	ORDER BY f.id`

func (s *Store) feedPage(ctx context.Context, _ ci.LogID, after ci.EventID, f ci.Filter, limit int) (page ci.Page, err error) {
	rows, err := s.read.Query(ctx, feedPageSQL, after, limit)
	if err != nil {
		return page, err
	}
	var (
		epoch, build *uuid.UUID
		id           *int64
		kind         int16
		e            ci.Event
		data         []byte
		more         bool
	)
	_, err = pgx.ForEachRow(rows, []any{&epoch, &page.Head.Last, &page.First, &id, &build, &e.Project, &e.Branch, &kind, &e.Step, &data, &more}, func() error {
		if id == nil {
			return nil
		}
		event := e
		event.ID, event.Kind, event.Data = ci.EventID(*id), ci.KindBuild, append([]byte(nil), data...)
		if kind == kindStep {
			event.Kind = ci.KindStep
		}
		if build != nil {
			event.Build = ci.BuildID(*build)
		}
		page.Through = event.ID
		if f.Match(&event) {
			page.Events = append(page.Events, event)
		}
		return nil
	})
	if err != nil {
		return page, err
	}
	if epoch != nil {
		page.Epoch = ci.Epoch(*epoch)
	}
	if !more {
		page.Through = max(page.Head.Last, after)
	}
	if page.First == 0 {
		page.First = page.Head.Last + 1
	}
	return page, nil
}

const headsSQL = `
	SELECT (SELECT present_epoch()), 0, coalesce((SELECT max(id) FROM feed), 0), false
	UNION ALL
	SELECT NULL, build, last_id, status IN ('passed', 'failed', 'canceled', 'skipped')
		OR status = 'lost' AND ended_at <= clock_timestamp() - interval '24 hours'
	FROM build_heads WHERE build = ANY ($1)`

// Heads reads where logs end, and the feed with them, all in one query. Logs
// that do not exist are left out.
func (s *Store) Heads(ctx context.Context, logs []ci.LogID) (map[ci.LogID]ci.Head, ci.Epoch, error) {
	rows, err := s.read.Query(ctx, headsSQL, logs)
	if err != nil {
		return nil, ci.Epoch{}, unavailable("read the heads", err)
	}
	heads := make(map[ci.LogID]ci.Head, len(logs)+1)
	var (
		epoch, one *uuid.UUID
		log        ci.LogID
		head       ci.Head
	)
	_, err = pgx.ForEachRow(rows, []any{&one, &log, &head.Last, &head.Final}, func() error {
		if log == ci.FeedLog {
			epoch = one
		}
		heads[log] = head
		return nil
	})
	if err != nil {
		return nil, ci.Epoch{}, unavailable("read the heads", err)
	}
	if epoch == nil {
		if err := s.renewEpoch(ctx); err != nil {
			return nil, ci.Epoch{}, unavailable("read the heads", err)
		}
		return heads, s.presentEpoch(), nil
	}
	s.noticeEpoch(ci.Epoch(*epoch))
	return heads, ci.Epoch(*epoch), nil
}
