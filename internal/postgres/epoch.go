package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// errRewound says that a statement met an epoch that is no longer in force.
var errRewound = errors.New("the database's history was rewound")

const presentEpochSQL = `SELECT present_epoch()`

// ensureEpoch returns the epoch in force and begins a new one when the
// database's history is another than the one that the newest epoch was made
// for. The table's lock lets one process do it.
func ensureEpoch(ctx context.Context, conn *pgx.Conn) (ci.Epoch, error) {
	return replaceEpoch(ctx, conn, func(context.Context, pgx.Tx) (bool, error) { return false, nil })
}

const lockEpochsSQL = `LOCK TABLE epochs IN EXCLUSIVE MODE`

// A dump that is being restored has its rows before its keys: a row of ours in
// between would keep the key from being made. To name it is to wait for it.
const addEpochSQL = `INSERT INTO epochs (epoch, place) VALUES ($1, here()) ON CONFLICT (seq) DO NOTHING`

// replaceEpoch begins a new epoch when there is none in force, or when
// rewound, asked under the lock, says so.
func replaceEpoch(ctx context.Context, conn *pgx.Conn, rewound func(context.Context, pgx.Tx) (bool, error)) (ci.Epoch, error) {
	var epoch ci.Epoch
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockEpochsSQL); err != nil {
			return err
		}
		var present *uuid.UUID
		if err := tx.QueryRow(ctx, presentEpochSQL).Scan(&present); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if present != nil {
			epoch = ci.Epoch(*present)
			if again, err := rewound(ctx, tx); err != nil || !again {
				return err
			}
		}
		epoch = ci.NewEpoch()
		_, err := tx.Exec(ctx, addEpochSQL, uuid.UUID(epoch))
		return err
	})
	if err != nil {
		return epoch, fmt.Errorf("ensure the epoch: %w", err)
	}
	return epoch, nil
}

// NewEpoch begins a new epoch, whatever the database looks like: every reader
// gets `reset`. It is for a restore that nothing can notice, such as a disk
// snapshot put back while everything was down.
func NewEpoch(ctx context.Context, url string) error {
	conn, err := connectWriter(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = replaceEpoch(ctx, conn, func(context.Context, pgx.Tx) (bool, error) { return true, nil })
	return err
}

const headOfSQL = `
	SELECT CASE WHEN $1 = 0 THEN (SELECT coalesce(max(id), 0) FROM feed)
	ELSE coalesce((SELECT last_id FROM build_heads WHERE build = $1), 0) END`

// Rewound is called when a query that was sent after a log's head had been
// seen returned a lower one. If the table really ends before seen, a new epoch
// begins. It returns the epoch in force.
func (s *Store) Rewound(ctx context.Context, log ci.LogID, seen ci.EventID) (ci.Epoch, error) {
	conn, err := s.acquireRare(ctx)
	if err != nil {
		return ci.Epoch{}, err
	}
	defer conn.Release()
	epoch, err := replaceEpoch(ctx, conn.Conn(), func(ctx context.Context, tx pgx.Tx) (bool, error) {
		var last ci.EventID
		err := tx.QueryRow(ctx, headOfSQL, log).Scan(&last)
		if last == 0 && log != ci.FeedLog {
			return false, noBuild() // it was deleted, which rewinds nothing
		}
		return last < seen, err
	})
	if err == nil {
		s.setEpoch(epoch)
	}
	return epoch, err
}

const epochsSQL = `SELECT epoch FROM epochs ORDER BY seq DESC LIMIT 100`

// Epochs returns the present epoch and the former ones, newest first.
func (s *Store) Epochs(ctx context.Context) (current ci.Epoch, former []ci.Epoch, err error) {
	rows, err := s.read.Query(ctx, epochsSQL)
	if err != nil {
		return current, nil, unavailable("read the epochs", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return current, nil, unavailable("read the epochs", err)
	}
	if len(all) == 0 {
		return current, nil, fmt.Errorf("read the epochs: %w", errRewound)
	}
	for _, e := range all[1:] {
		former = append(former, ci.Epoch(e))
	}
	return ci.Epoch(all[0]), former, nil
}

// Runners that were at work when history was rewound create their builds again
// within recreation: that is twice the longest pause between two attempts.
const recreation = time.Minute

const rewindsSQL = `
	SELECT place = here(), made_at > clock_timestamp() - make_interval(secs => $1)
	FROM epochs ORDER BY seq DESC LIMIT 2`

// Awaited tells whether a build that a reader has seen, and that is not there, may be
// about to be: the present history has followed another so lately that its runner may not
// have come back yet.
func (s *Store) Awaited(ctx context.Context) (bool, error) {
	type history struct{ InForce, Young bool }
	rows, err := s.read.Query(ctx, rewindsSQL, recreation.Seconds())
	if err != nil {
		return false, unavailable("read the epochs", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[history])
	if err != nil {
		return false, unavailable("read the epochs", err)
	}
	if len(all) == 0 || !all[0].InForce { // history was rewound and nobody noticed yet
		if err := s.renewEpoch(ctx); err != nil {
			return false, unavailable("read the epochs", err)
		}
		return len(all) > 0, nil
	}
	return all[0].Young && len(all) > 1, nil
}

// renewEpoch is called by whoever met a history that is not the known one.
func (s *Store) renewEpoch(ctx context.Context) error {
	before := s.epoch.Load()
	s.renewing.Lock()
	defer s.renewing.Unlock()
	if s.epoch.Load() != before {
		return nil // somebody else was faster
	}
	conn, err := s.acquireRare(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	epoch, err := ensureEpoch(ctx, conn.Conn())
	if err == nil {
		s.setEpoch(epoch)
	}
	return err
}

// setEpoch takes note of the epoch in force. What was cached of another one is
// of no use any more.
func (s *Store) setEpoch(epoch ci.Epoch) {
	if old := s.epoch.Load(); old != nil && *old == epoch {
		return
	}
	// Forgotten before, so that nobody decides in the new epoch from what was
	// known in the old one; and after, for what came late.
	s.forget()
	s.epoch.Store(&epoch)
	s.forget()
}

// noticeEpoch takes note of an epoch that a query found in force. Another
// process may have been the first to notice a rewind.
func (s *Store) noticeEpoch(epoch ci.Epoch) {
	if epoch != s.presentEpoch() {
		s.setEpoch(epoch)
	}
}

func (s *Store) presentEpoch() ci.Epoch { return *s.epoch.Load() }
