package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/ci"
)

// loss is the suspicion that nobody reports a step, or a build, any more. It
// is decided like any update, and the database checks once more, with the
// build locked, that nobody was heard in the meantime.
type loss struct {
	key    ci.StepKey // empty: the build itself
	number int        // of the step; 0: the build itself
	silent time.Duration
}

// errHeard says that the reporter was heard after all.
var errHeard = errors.New("heard after all")

func (l *loss) decide(state *ci.State, now time.Time) *ci.Change {
	if l.key == "" {
		return state.LoseBuild(now)
	}
	return state.LoseStep(l.key, now)
}

// How often silence is looked for, and the gap between two looks after which
// no server can be said to have listened.
const (
	sweepEvery = 5 * time.Second
	deafAfter  = 20 * time.Second
)

// sweep sets silent steps and builds lost until ctx is done.
func (s *Store) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for failed := false; ; {
		more, err := s.sweepOnce(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			s.log.Warn("nobody looks for lost steps for now", "err", err)
		}
		if failed = err != nil; !failed {
			s.swept.Store(new(time.Now()))
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Silence counts from zero after a time in which no server could hear, and after one in
// which the database's clock was ahead, as is told.
const hearingSQL = `
	WITH was AS (SELECT at > clock_timestamp() AS ahead FROM hearing FOR UPDATE)
	UPDATE hearing SET
		since = CASE WHEN was.ahead OR at < clock_timestamp() - make_interval(secs => $1) THEN clock_timestamp() ELSE since END,
		at = clock_timestamp()
	FROM was RETURNING was.ahead`

// What was heard while that clock was ahead was heard now, or else nothing would be lost
// until the clock is there again.
const (
	heardStepsSQL  = `UPDATE steps s SET heard_at = clock_timestamp() FROM builds b WHERE b.id = s.build AND b.status = 'running' AND s.heard_at > clock_timestamp()`
	heardBuildsSQL = `UPDATE build_heads h SET heard_at = clock_timestamp() FROM builds b WHERE b.id = h.build AND b.status = 'running' AND h.heard_at > clock_timestamp()`
)

// A running step is lost when its reporter, who sends heartbeats, missed
// three; or when one who never sent any was silent for long. A running build
// without a running step is lost 90 s after a step of it was, if none is
// queued; else after the long silence. One of each project comes first, then one more:
// nobody waits for another's thousands.
const silentSQL = `
	WITH ear AS (SELECT since FROM hearing), limits AS (
		SELECT make_interval(secs => $1) AS beat, make_interval(secs => $2) AS long
	)
	, silent AS (
	SELECT b.project, b.uuid, s.key, s.number, s.beats
	FROM steps s JOIN builds b ON b.id = s.build, ear, limits
	WHERE s.status = 'running'
	AND greatest(s.heard_at, since) < clock_timestamp() - CASE WHEN s.beats THEN beat ELSE long END
	UNION ALL
	SELECT b.project, b.uuid, '', 0, quick.ok
	FROM builds b JOIN build_heads h ON h.build = b.id
	CROSS JOIN LATERAL (
		SELECT coalesce(bool_or(s.status = 'lost') AND NOT bool_or(s.status = 'queued'), false) AS ok, -- of no step: false
			max(s.heard_at) AS heard, max(s.ended_at) FILTER (WHERE s.status = 'lost') AS lost_at
		FROM steps s WHERE s.build = b.id
	) quick, ear, limits
	WHERE b.status = 'running'
	AND NOT EXISTS (SELECT FROM steps s WHERE s.build = b.id AND s.status = 'running')
	AND (
		quick.ok AND greatest(quick.lost_at, h.heard_at, since) < clock_timestamp() - beat
		OR greatest(quick.heard, h.heard_at, since) < clock_timestamp() - long
	)
	)
	SELECT uuid, key, number, beats FROM silent
	ORDER BY row_number() OVER (PARTITION BY project ORDER BY uuid, number) LIMIT $3`

// mostSilent is how many are looked at at once.
const mostSilent = 500

// sweepOnce sets what is silent lost, and tells whether there may be more of it.
func (s *Store) sweepOnce(ctx context.Context) (more bool, err error) {
	conn, err := s.acquireRare(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	var ahead bool
	if err := conn.QueryRow(ctx, hearingSQL, deafAfter.Seconds()).Scan(&ahead); err != nil {
		return false, err
	}
	if ahead {
		for _, sql := range []string{heardStepsSQL, heardBuildsSQL} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return false, err
			}
		}
	}
	rows, err := conn.Query(ctx, silentSQL, ci.BeatLostAfter.Seconds(), s.cfg.LostAfter.Seconds(), mostSilent)
	if err != nil {
		return false, err
	}
	tasks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*task, error) {
		t, quick := &task{lose: &loss{}}, false
		err := row.Scan((*uuid.UUID)(&t.build), &t.lose.key, &t.lose.number, &quick)
		t.lose.silent = s.cfg.LostAfter
		if quick {
			t.lose.silent = ci.BeatLostAfter
		}
		return t, err
	})
	if err != nil {
		return false, err
	}
	var all errgroup.Group // so that they share commits
	var lost atomic.Bool
	for _, t := range tasks {
		all.Go(func() error {
			switch res := s.submit(ctx, "", t, taskBytes); {
			case res.err == nil:
				lost.Store(true)
				if t.lose.number > 0 {
					s.counts.lost.Add(1)
				}
			case !errors.Is(res.err, errHeard):
				return res.err
			}
			return nil
		})
	}
	err = all.Wait()
	return err == nil && len(tasks) == mostSilent && lost.Load(), err
}

const touchSQL = `
	UPDATE steps s SET heard_at = clock_timestamp()
	FROM builds b WHERE b.id = s.build AND b.uuid = $1 AND s.key = $2 AND s.status = 'running'`

// touchTimeout is how long that may take: an upload waits for it, and so does
// who closes the store.
const touchTimeout = 5 * time.Second

// Touch notes that the reporter of a step is still there, without a heartbeat:
// an open PATCH.
func (s *Store) Touch(ctx context.Context, id ci.BuildID, step ci.StepKey) error {
	select { // each takes a connection, and hundreds of uploads that began together touch together
	case s.touching <- struct{}{}:
		defer func() { <-s.touching }()
	case <-ctx.Done():
		return fmt.Errorf("touch: %w", ctx.Err())
	}
	ctx, cancel := context.WithTimeout(ctx, touchTimeout)
	defer cancel()
	conn, err := s.acquireRare(ctx)
	if err != nil {
		return unavailable("touch", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, touchSQL, uuid.UUID(id), string(step)); err != nil {
		return unavailable("touch", err)
	}
	return nil
}
