package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Standing is how a project stands, or a branch of it: its newest build, and
// the newest that has ended, which may be the same.
type Standing struct {
	Project string
	Branch  ci.Text // of the newest
	Newest  Stand
	Ended   *Stand // nil: none of the newest hundred has ended
}

// Stand is the little of a build that tells how it stands.
type Stand struct {
	ID         ci.BuildID
	Number     int64
	Status     ci.Status
	CreatedAt  time.Time
	FinishedAt *time.Time
}

// StandingsQuery selects standings.
type StandingsQuery struct {
	Projects   []string // patterns; nil: all
	Branch     string   // of this branch; empty: whatever the branch
	EachBranch bool     // one of each branch instead of one of each project
	Limit      int      // at most so many; the caller bounds it
}

// The queries below ask, for each project or branch, the index for the newest
// build and go down it to the first that has ended, a hundred builds at most.
const (
	standColumns = `b.uuid, b.number, b.status, b.created_at, b.finished_at`

	standSQL = `
	CROSS JOIN LATERAL (
		SELECT coalesce(b.branch, '') AS branch, ` + standColumns + ` FROM builds b WHERE {where} ORDER BY b.number DESC LIMIT 1
	) n
	LEFT JOIN LATERAL (
		SELECT * FROM (SELECT ` + standColumns + ` FROM builds b WHERE {where} ORDER BY b.number DESC LIMIT 100) b
		WHERE b.status NOT IN ('queued', 'running') ORDER BY b.number DESC LIMIT 1
	) e ON true`

	standingColumns = `
	p.name, n.branch, n.uuid, n.number, n.status, n.created_at, n.finished_at,
	e.uuid, e.number, e.status, e.created_at, e.finished_at`
)

// stand is standSQL of the builds that a condition holds for.
func stand(where string) string { return strings.ReplaceAll(standSQL, "{where}", where) }

var (
	standingsSQL = `
	SELECT ` + standingColumns + `
	FROM ` + matchedSQL + stand(`b.project = p.id`) + `
	WHERE ` + reachSQL(3, 4) + `
	ORDER BY p.name LIMIT $5`

	standingsOnBranchSQL = `
	SELECT ` + standingColumns + `
	FROM ` + matchedSQL + stand(`b.project = p.id AND b.branch = $6`) + `
	WHERE ` + reachSQL(3, 4) + `
	ORDER BY p.name LIMIT $5`

	// A project's branches are found one after the other, each by the index from
	// the one before it; what comes after the last is null, which stands for the
	// builds without a branch.
	standingsOfBranchesSQL = `
	WITH RECURSIVE places AS (
		SELECT p.id, p.name, (SELECT min(b.branch) FROM builds b WHERE b.project = p.id) AS branch
		FROM ` + matchedSQL + ` WHERE ` + reachSQL(3, 4) + `
		UNION ALL
		SELECT p.id, p.name, (SELECT min(b.branch) FROM builds b WHERE b.project = p.id AND b.branch > p.branch)
		FROM places p WHERE p.branch IS NOT NULL
	)
	SELECT * FROM (
		SELECT ` + standingColumns + ` FROM places p` + stand(`b.project = p.id AND b.branch = p.branch`) + ` WHERE p.branch IS NOT NULL
		UNION ALL
		SELECT ` + standingColumns + ` FROM places p` + stand(`b.project = p.id AND b.branch IS NULL`) + ` WHERE p.branch IS NULL
	) all_places ORDER BY name, branch LIMIT $5`
)

// Standings tells how projects within reach stand, by name; of those without a
// build, and without one on the branch asked for, there is nothing to tell.
func (s *Store) Standings(ctx context.Context, reach ci.Reach, q StandingsQuery) ([]Standing, error) {
	names, prefixes := splitPatterns(q.Projects)
	within, below := reachArgs(reach)
	sql, args := standingsSQL, []any{names, prefixes, within, below, q.Limit}
	switch {
	case q.EachBranch:
		sql = standingsOfBranchesSQL
	case q.Branch != "":
		sql, args = standingsOnBranchSQL, append(args, q.Branch)
	}
	rows, err := s.read.Query(ctx, sql, args...)
	if err != nil {
		return nil, unavailable("read how projects stand", err)
	}
	standings, err := pgx.CollectRows(rows, scanStanding)
	if err != nil {
		return nil, unavailable("read how projects stand", err)
	}
	return standings, nil
}

func scanStanding(row pgx.CollectableRow) (s Standing, err error) {
	var id *uuid.UUID
	var number *int64
	var status *ci.Status
	var created, finished *time.Time
	n := &s.Newest
	err = row.Scan(&s.Project, &s.Branch, (*uuid.UUID)(&n.ID), &n.Number, &n.Status, &n.CreatedAt, &n.FinishedAt,
		&id, &number, &status, &created, &finished)
	n.CreatedAt, n.FinishedAt = n.CreatedAt.UTC(), utc(n.FinishedAt)
	if id != nil {
		s.Ended = &Stand{ID: ci.BuildID(*id), Number: *number, Status: *status, CreatedAt: created.UTC(), FinishedAt: utc(finished)}
	}
	return s, err
}

// stepStandingSQL looks for a step among the newest hundred builds. A build may
// not have it yet, or no more.
func stepStandingSQL(where string) string {
	return `
	WITH near AS MATERIALIZED (
		SELECT b.number, s.status
		FROM projects p CROSS JOIN LATERAL (
			SELECT b.id, b.number FROM builds b WHERE ` + where + ` ORDER BY b.number DESC LIMIT 100
		) b JOIN steps s ON s.build = b.id AND s.key = $2
		WHERE lower(p.name) = lower($1) AND p.name = $1 AND ` + reachSQL(3, 4) + `
	)
	SELECT status, coalesce((SELECT status FROM near WHERE status NOT IN ('queued', 'running') ORDER BY number DESC LIMIT 1), '')
	FROM near ORDER BY number DESC LIMIT 1`
}

var (
	stepSQL         = stepStandingSQL(`b.project = p.id`)
	stepOnBranchSQL = stepStandingSQL(`b.project = p.id AND b.branch = $5`)
)

// StepStanding tells how a step stands in the newest build of a project that
// has it, and how it ended last; empty: it has not. With a branch, in builds of
// that branch. NotFound where none within reach has it.
func (s *Store) StepStanding(ctx context.Context, reach ci.Reach, project, branch string, step ci.StepKey) (newest, ended ci.Status, err error) {
	within, below := reachArgs(reach)
	sql, args := stepSQL, []any{project, step, within, below}
	if branch != "" {
		sql, args = stepOnBranchSQL, append(args, branch)
	}
	switch err := s.read.QueryRow(ctx, sql, args...).Scan(&newest, &ended); {
	case errors.Is(err, pgx.ErrNoRows):
		return "", "", &ci.Problem{Code: ci.NotFound, Detail: "No build there has that step."}
	case err != nil:
		return "", "", unavailable("read how a step stands", err)
	}
	return newest, ended, nil
}

// EndedQuery selects builds that have ended; zero members select all. Projects
// are patterns.
type EndedQuery struct {
	Projects []string
	Branches []string
	Statuses []ci.Status
	Limit    int    // at most so many; the caller bounds it
	Before   string // the opaque next of an earlier page
}

// Each project gives its last ones, found in the index alone; of those together
// the last are read.
var endedSQL = `
	SELECT ` + buildColumns + `
	FROM (
		SELECT e.id FROM ` + matchedSQL + ` CROSS JOIN LATERAL (
			SELECT b.id, b.finished_at FROM builds b
			WHERE b.project = p.id AND b.status NOT IN ('queued', 'running') AND b.finished_at IS NOT NULL
			AND ($5::text[] IS NULL OR coalesce(b.branch, '') = ANY ($5))
			AND ($6::text[] IS NULL OR b.status = ANY ($6))
			AND (b.finished_at, b.id) < ($7, $8)
			ORDER BY b.finished_at DESC, b.id DESC LIMIT $9
		) e
		WHERE ` + reachSQL(3, 4) + `
		ORDER BY e.finished_at DESC, e.id DESC LIMIT $9
	) e JOIN builds b ON b.id = e.id JOIN projects p ON p.id = b.project
	ORDER BY b.finished_at DESC, b.id DESC`

// lineageSQL is the first history of the database, which a restored dump keeps.
const lineageSQL = `SELECT epoch FROM epochs ORDER BY seq LIMIT 1`

// Ended lists the builds within reach that have ended, the last to do so first.
// next is empty at the end. lineage names this database and its copies: it
// never changes.
func (s *Store) Ended(ctx context.Context, reach ci.Reach, q EndedQuery) (builds []ci.Build, next string, lineage uuid.UUID, err error) {
	before, beforeRow, err := parseBefore(q.Before)
	if err != nil {
		return nil, "", lineage, err
	}
	names, prefixes := splitPatterns(q.Projects)
	within, below := reachArgs(reach)
	var statuses []string
	for _, status := range q.Statuses {
		statuses = append(statuses, string(status))
	}
	err = s.inSnapshot(ctx, func(tx pgx.Tx, _ ci.Epoch) error {
		if err := tx.QueryRow(ctx, lineageSQL).Scan(&lineage); err != nil {
			return fmt.Errorf("read the first epoch: %w", err)
		}
		rows, err := collectBuilds(ctx, tx, endedSQL, names, prefixes, within, below, q.Branches, statuses, before, beforeRow, q.Limit+1)
		if err != nil {
			return err
		}
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			oldest := rows[q.Limit-1]
			next = formatBefore(*oldest.build.FinishedAt, oldest.log)
		}
		for _, r := range rows {
			builds = append(builds, r.build)
		}
		return nil
	})
	return builds, next, lineage, err
}
