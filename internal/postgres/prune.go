package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stepcast/stepcast/internal/ci"
)

// Pruning says which builds are deleted, of those that have ended.
type Pruning struct {
	OlderThan time.Duration // since their end, by the database's clock
	Project   string        // a pattern; "": of all projects
	Keep      int           // so many of each project's newest builds stay, however old they are
}

func (p Pruning) pattern() string { return cmp.Or(p.Project, WholeServer) }

// Pruned is what was deleted, or would be.
type Pruned struct {
	Before time.Time // builds that ended before this
	Builds int64
	Bytes  int64 // of log text
	Events int64 // of the feed
}

// PruneAfter is how old builds have to be at least: until then what belongs to
// one may still be delivered.
const PruneAfter = 24 * time.Hour

// One transaction deletes so many builds, and so much log text, but a build at
// least; and another one so many events of the feed.
const (
	pruneBuilds = 1000
	pruneBytes  = 256 << 20
	pruneEvents = 10_000
)

// Prune deletes old builds with everything of theirs, and the feed's events that
// are as old, or with dry only counts them. Where only some projects are asked
// for the feed stays: it has no holes. What was deleted when an error comes is
// returned too, and the next call goes on from there.
func Prune(ctx context.Context, url string, by Actor, p Pruning, dry bool) (Pruned, error) {
	conn, err := connectWriter(ctx, url)
	if err != nil {
		return Pruned{}, err
	}
	defer closeConn(conn)
	done, err := prune(ctx, conn, by, p, dry)
	if said := new(pgconn.PgError); errors.As(err, &said) {
		switch said.Code {
		case "42P01", "42703": // no such table, or column
			err = fmt.Errorf("%w: this is not the database of a server, or of one that has not started since the upgrade", err)
		case "42501":
			err = fmt.Errorf("%w: take the database's user that the server has", err)
		}
	}
	return done, err
}

// A write has others behind it; a deletion may take its time. A build may have
// millions of rows, and nobody else wants what is locked meanwhile.
const patientSQL = `SET statement_timeout = 0`

const beforeSQL = `SELECT clock_timestamp() - make_interval(secs => $1)`

func prune(ctx context.Context, conn *pgx.Conn, by Actor, p Pruning, dry bool) (done Pruned, err error) {
	if _, err := conn.Exec(ctx, patientSQL); err != nil {
		return done, fmt.Errorf("prune: %w", err)
	}
	if err := conn.QueryRow(ctx, beforeSQL, p.OlderThan.Seconds()).Scan(&done.Before); err != nil {
		return done, fmt.Errorf("prune: %w", err)
	}
	for last := ci.LogID(0); ; {
		old, err := oldBuilds(ctx, conn, p, done.Before, last)
		if err != nil {
			return done, fmt.Errorf("find old builds: %w", err)
		}
		if len(old) == 0 {
			break
		}
		last = old[len(old)-1].ID
		if !dry {
			if old, err = pruneSome(ctx, conn, by, p, done.Before, old); err != nil {
				return done, fmt.Errorf("delete old builds: %w", err)
			}
		}
		for _, b := range old {
			done.Builds++
			done.Bytes += b.Bytes
		}
	}
	if p.Project == "" {
		if done.Events, err = pruneFeed(ctx, conn, p.OlderThan, dry); err != nil {
			return done, fmt.Errorf("delete old events of the feed: %w", err)
		}
	}
	return done, nil
}

// oldBuild is one that may go.
type oldBuild struct {
	ID    ci.LogID
	Bytes int64 // of log text
}

var oldBuildsSQL = `
	SELECT b.id, (SELECT coalesce(sum(s.log_bytes - s.holes), 0)::bigint FROM steps s WHERE s.build = b.id)
	FROM build_heads h JOIN builds b ON b.id = h.build JOIN projects p ON p.id = b.project
	WHERE h.build > $1 AND h.ended_at < $2 AND b.number <= p.last_number - $3 AND ` + coversSQL("p.name", 4, 5) + `
	ORDER BY h.build LIMIT $6`

// oldBuilds are the next ones after last that may go, as many as one transaction
// deletes.
func oldBuilds(ctx context.Context, conn *pgx.Conn, p Pruning, before time.Time, last ci.LogID) ([]oldBuild, error) {
	names, prefixes := splitPatterns([]string{p.pattern()})
	rows, err := conn.Query(ctx, oldBuildsSQL, last, before, p.Keep, names, prefixes, pruneBuilds)
	if err != nil {
		return nil, err
	}
	old, err := pgx.CollectRows(rows, pgx.RowToStructByPos[oldBuild])
	if err != nil {
		return nil, err
	}
	size := int64(0)
	for i, b := range old {
		if size += b.Bytes; i > 0 && size > pruneBytes {
			return old[:i], nil
		}
	}
	return old, nil
}

// A build whose head is locked is somebody's at this moment, and left to the next
// time. What has its lock sees in the next statement all that was ever written to
// it: rows of events are only ever written under it.
const (
	lockOldSQL = `
	SELECT build FROM build_heads WHERE build = ANY ($1) AND ended_at < $2
	ORDER BY build FOR UPDATE SKIP LOCKED`
	deleteEventsSQL = `DELETE FROM events WHERE build = ANY ($1)`
	deleteBuildsSQL = `DELETE FROM builds WHERE id = ANY ($1)` // heads and steps go with them
)

// pruneSome deletes builds in one transaction, and returns which.
func pruneSome(ctx context.Context, conn *pgx.Conn, by Actor, p Pruning, before time.Time, old []oldBuild) (gone []oldBuild, err error) {
	size := make(map[ci.LogID]int64, len(old))
	ids := make([]ci.LogID, len(old))
	for i, b := range old {
		ids[i], size[b.ID] = b.ID, b.Bytes
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, lockOldSQL, ids, before)
		if err != nil {
			return err
		}
		locked, err := pgx.CollectRows(rows, pgx.RowTo[ci.LogID])
		if err != nil || len(locked) == 0 {
			return err
		}
		var bytes int64
		for _, id := range locked {
			gone = append(gone, oldBuild{id, size[id]})
			bytes += size[id]
		}
		for _, sql := range []string{deleteEventsSQL, deleteBuildsSQL} {
			if _, err := tx.Exec(ctx, sql, locked); err != nil {
				return err
			}
		}
		target := fmt.Sprintf("%d builds", len(locked))
		if len(locked) == 1 {
			target = "1 build"
		}
		return audit(ctx, tx, by, BuildPrune, p.pattern(), target, map[string]any{"log_bytes": bytes, "ended_before": before, "keep": p.Keep})
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// feedKept is for how long the feed keeps its events whatever is asked for: the
// seven days that are promised, and what accessSQL looks back on.
const feedKept = 8 * 24 * time.Hour

// The feed has no holes: it goes from its beginning up to the first event that is
// younger, and its newest event stays, or readers would take it for a restored
// backup.
const (
	oldFeedSQL = `
	SELECT coalesce(
		(SELECT id FROM feed WHERE at >= clock_timestamp() - make_interval(secs => $1) ORDER BY id LIMIT 1),
		(SELECT max(id) FROM feed), 0)`
	countFeedSQL  = `SELECT count(*) FROM feed WHERE id < $1`
	deleteFeedSQL = `DELETE FROM feed WHERE id < $1 AND id < (SELECT min(id) FROM feed) + $2`
)

func pruneFeed(ctx context.Context, conn *pgx.Conn, olderThan time.Duration, dry bool) (events int64, err error) {
	var end ci.EventID
	if err := conn.QueryRow(ctx, oldFeedSQL, max(olderThan, feedKept).Seconds()).Scan(&end); err != nil {
		return 0, err
	}
	if dry {
		err := conn.QueryRow(ctx, countFeedSQL, end).Scan(&events)
		return events, err
	}
	for {
		tag, err := conn.Exec(ctx, deleteFeedSQL, end, pruneEvents)
		if err != nil || tag.RowsAffected() == 0 {
			return events, err
		}
		events += tag.RowsAffected()
	}
}
