package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Ref is what does not change about a build within one history. It is cached
// for a few seconds.
type Ref struct {
	ID      ci.BuildID
	Log     ci.LogID
	Epoch   ci.Epoch // the history in which Log is this build's
	Project string
	Public  bool
}

const lookupSQL = `SELECT b.id, p.name, p.public, present_epoch() FROM builds b JOIN projects p ON p.id = b.project WHERE b.uuid = $1`

// Lookup finds a build; a *ci.Problem with NotFound when there is none.
func (s *Store) Lookup(ctx context.Context, id ci.BuildID) (Ref, error) {
	if ref, ok := s.refs.get(id); ok {
		return ref, nil
	}
	ref := Ref{ID: id}
	turn := s.refs.turn()
	var epoch *uuid.UUID
	switch err := s.read.QueryRow(ctx, lookupSQL, uuid.UUID(id)).Scan(&ref.Log, &ref.Project, &ref.Public, &epoch); {
	case errors.Is(err, pgx.ErrNoRows):
		return ref, noBuild()
	case err != nil:
		return ref, unavailable("look up a build", err)
	case epoch == nil: // history was rewound and nobody noticed yet
		if err := s.renewEpoch(ctx); err != nil {
			return ref, unavailable("look up a build", err)
		}
		return s.Lookup(ctx, id)
	}
	ref.Epoch = ci.Epoch(*epoch)
	s.noticeEpoch(ref.Epoch)
	s.refs.put(turn, id, ref)
	return ref, nil
}

func noBuild() *ci.Problem {
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build."}
}

// Snapshot is a build as it was at one event.
type Snapshot struct {
	Build ci.Build
	Steps []ci.Step
	Last  ci.EventID
	Final bool // for good
	Epoch ci.Epoch
}

// Build reads one build in one database snapshot.
func (s *Store) Build(ctx context.Context, id ci.BuildID) (snap Snapshot, err error) {
	err = s.inSnapshot(ctx, func(tx pgx.Tx, epoch ci.Epoch) error {
		states, err := loadStates(ctx, tx, []ci.BuildID{id})
		if err != nil {
			return err
		}
		state := states[id]
		if state == nil {
			return noBuild()
		}
		snap = *snapshotOf(state, epoch, time.Now())
		return nil
	})
	return snap, err
}

// inSnapshot runs several queries over one snapshot of the database.
func (s *Store) inSnapshot(ctx context.Context, do func(pgx.Tx, ci.Epoch) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.read, options, func(tx pgx.Tx) error {
		var epoch *uuid.UUID
		if err := tx.QueryRow(ctx, presentEpochSQL).Scan(&epoch); err != nil {
			return err
		}
		if epoch == nil {
			return errRewound
		}
		return do(tx, ci.Epoch(*epoch))
	})
	if errors.Is(err, errRewound) {
		if err := s.renewEpoch(ctx); err != nil {
			return unavailable("read", err)
		}
		return s.inSnapshot(ctx, do)
	}
	if err != nil {
		return unavailable("read", err)
	}
	return nil
}

// BuildsQuery selects builds; zero members select all. Projects are patterns.
type BuildsQuery struct {
	Projects []string
	Branches []string
	Statuses []ci.Status
	Author   string
	Number   int64
	Limit    int    // at most so many; the caller bounds it
	Before   string // the opaque next of an earlier page
}

// Listed is a build in a list.
type Listed struct {
	Build ci.Build
	Steps []ci.Step
	ETA   *float64 // seconds until the build is expected to end; nil: nothing to go by, or not running
}

// A project pattern is either a name or, with its star cut off, a prefix; ""
// stands for all.
const projectMatchSQL = `(p.name = ANY ($1) OR EXISTS (SELECT FROM unnest($2::text[]) prefix WHERE starts_with(p.name, prefix)))`

func splitPatterns(patterns []string) (names, prefixes []string) {
	names, prefixes = []string{}, []string{}
	if patterns == nil {
		return names, []string{""}
	}
	for _, pattern := range patterns {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			prefixes = append(prefixes, prefix)
		} else {
			names = append(names, pattern)
		}
	}
	return names, prefixes
}

const buildsSQL = `
	SELECT ` + buildColumns + `
	FROM builds b JOIN projects p ON p.id = b.project
	WHERE ` + projectMatchSQL + `
	AND ($3::text[] IS NULL OR coalesce(b.branch, '') = ANY ($3))
	AND ($4::text[] IS NULL OR b.status = ANY ($4))
	AND ($5 = '' OR b.author = $5)
	AND ($6::bigint = 0 OR b.number = $6)
	AND (b.created_at, b.id) < ($7, $8)
	ORDER BY b.created_at DESC, b.id DESC LIMIT $9`

// What builds of the project and branch took when they passed, the median of
// the last ten.
const medianSQL = `
	SELECT id, extract(epoch FROM (
		SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM (
			SELECT e.finished_at - e.started_at AS took FROM builds e
			WHERE e.project = b.project AND e.branch IS NOT DISTINCT FROM b.branch AND e.status = 'passed'
			AND e.started_at IS NOT NULL AND e.finished_at IS NOT NULL
			ORDER BY e.number DESC LIMIT 10
		) last
	))::float8
	FROM builds b WHERE b.id = ANY ($1)`

// Builds lists builds, newest created first. next is empty at the end.
func (s *Store) Builds(ctx context.Context, q BuildsQuery) (builds []Listed, next string, err error) {
	before, beforeRow, err := parseBefore(q.Before)
	if err != nil {
		return nil, "", err
	}
	names, prefixes := splitPatterns(q.Projects)
	var statuses []string
	for _, status := range q.Statuses {
		statuses = append(statuses, string(status))
	}
	err = s.inSnapshot(ctx, func(tx pgx.Tx, _ ci.Epoch) error {
		rows, err := collectBuilds(ctx, tx, buildsSQL, names, prefixes, q.Branches, statuses, q.Author, q.Number, before, beforeRow, q.Limit+1)
		if err != nil {
			return err
		}
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			oldest := rows[q.Limit-1]
			next = formatBefore(oldest.build.CreatedAt, oldest.log)
		}
		builds, err = withSteps(ctx, tx, rows)
		return err
	})
	return builds, next, err
}

func collectBuilds(ctx context.Context, db querier, sql string, args ...any) ([]buildRow, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b buildRow, err error) {
		err = row.Scan(b.targets()...)
		b.utc()
		return b, err
	})
}

// withSteps adds steps, and how long the running ones will probably take.
func withSteps(ctx context.Context, tx pgx.Tx, rows []buildRow) ([]Listed, error) {
	logs, running := make([]ci.LogID, len(rows)), []ci.LogID{}
	for i, r := range rows {
		logs[i] = r.log
		if r.build.Status == ci.Running {
			running = append(running, r.log)
		}
	}
	steps, err := loadSteps(ctx, tx, loadStepsSQL, logs)
	if err != nil {
		return nil, err
	}
	medians := make(map[ci.LogID]*float64)
	if len(running) > 0 {
		found, err := tx.Query(ctx, medianSQL, running)
		if err != nil {
			return nil, err
		}
		var log ci.LogID
		var median *float64
		if _, err := pgx.ForEachRow(found, []any{&log, &median}, func() error { medians[log] = median; return nil }); err != nil {
			return nil, err
		}
	}
	out := make([]Listed, len(rows))
	for i, r := range rows {
		out[i].Build = r.build
		for _, step := range steps[r.log] {
			out[i].Steps = append(out[i].Steps, step.Step)
		}
		if median := medians[r.log]; median != nil && r.build.StartedAt != nil {
			left := max(0, *median-time.Since(*r.build.StartedAt).Seconds())
			out[i].ETA = &left
		}
	}
	return out, nil
}

func formatBefore(created time.Time, log ci.LogID) string {
	return strconv.FormatInt(created.UnixMicro(), 36) + "-" + strconv.FormatInt(int64(log), 36)
}

func parseBefore(s string) (time.Time, int64, error) {
	if s == "" {
		return time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), 0, nil
	}
	micros, row, ok := strings.Cut(s, "-")
	created, err := strconv.ParseInt(micros, 36, 64)
	log, err2 := strconv.ParseInt(row, 36, 64)
	if !ok || err != nil || err2 != nil || created < 0 || created > 253402300799e6 {
		return time.Time{}, 0, &ci.Problem{Code: ci.Invalid, Field: "before", Detail: "before is the next of an earlier page, as it was given."}
	}
	return time.UnixMicro(created), log, nil
}

const latestSQL = `
	SELECT b.uuid FROM builds b JOIN projects p ON p.id = b.project
	WHERE p.name = $1 AND ($2 = '' OR b.branch = $2) ORDER BY b.number DESC LIMIT 1`

// Latest finds the newest build of a project, on a branch unless that is
// empty; NotFound when there is none.
func (s *Store) Latest(ctx context.Context, project, branch string) (id ci.BuildID, err error) {
	switch err := s.read.QueryRow(ctx, latestSQL, project, branch).Scan((*uuid.UUID)(&id)); {
	case errors.Is(err, pgx.ErrNoRows):
		return id, &ci.Problem{Code: ci.NotFound, Detail: "That project has no build there yet."}
	case err != nil:
		return id, unavailable("find the latest build", err)
	}
	return id, nil
}

// Project is a project with its newest build.
type Project struct {
	Name   string
	Public bool
	Latest *Listed // nil: it has no build
}

const projectsSQL = `SELECT name, public FROM projects ORDER BY name`

const latestOfAllSQL = `
	SELECT ` + buildColumns + `
	FROM projects p JOIN builds b ON b.project = p.id AND b.number = p.last_number`

// Projects lists all projects by name.
func (s *Store) Projects(ctx context.Context) (projects []Project, err error) {
	err = s.inSnapshot(ctx, func(tx pgx.Tx, _ ci.Epoch) error {
		rows, err := tx.Query(ctx, projectsSQL)
		if err != nil {
			return err
		}
		projects, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Project, err error) {
			return p, row.Scan(&p.Name, &p.Public)
		})
		if err != nil {
			return err
		}
		found, err := collectBuilds(ctx, tx, latestOfAllSQL)
		if err != nil {
			return err
		}
		listed, err := withSteps(ctx, tx, found)
		if err != nil {
			return err
		}
		latest := make(map[string]*Listed, len(listed))
		for i := range listed {
			latest[listed[i].Build.Project] = &listed[i]
		}
		for i := range projects {
			projects[i].Latest = latest[projects[i].Name]
		}
		return nil
	})
	return projects, err
}

// FeedSnapshot is the newest build of each project and branch at one event of
// the feed.
type FeedSnapshot struct {
	Builds    []Snapshot
	Truncated bool
	At        ci.EventID
	Epoch     ci.Epoch
}

const newestSQL = `
	SELECT ` + buildColumns + ` FROM (
		SELECT DISTINCT ON (b.project, b.branch) b.* FROM builds b JOIN projects p ON p.id = b.project
		WHERE ` + projectMatchSQL + ` AND ($3::text[] IS NULL OR coalesce(b.branch, '') = ANY ($3))
		ORDER BY b.project, b.branch, b.number DESC
	) b JOIN projects p ON p.id = b.project
	ORDER BY b.created_at DESC, b.id DESC LIMIT $4`

const feedHeadSQL = `SELECT coalesce(max(id), 0) FROM feed`

const lastIDsSQL = `SELECT build, last_id FROM build_heads WHERE build = ANY ($1)`

// FeedSnapshot reads the newest build of each project and branch that the
// filter lets pass, at most limit, the newest created first.
func (s *Store) FeedSnapshot(ctx context.Context, f ci.Filter, limit int) (snap FeedSnapshot, err error) {
	names, prefixes := splitPatterns(f.Projects)
	err = s.inSnapshot(ctx, func(tx pgx.Tx, epoch ci.Epoch) error {
		snap = FeedSnapshot{Epoch: epoch}
		if err := tx.QueryRow(ctx, feedHeadSQL).Scan(&snap.At); err != nil {
			return err
		}
		rows, err := collectBuilds(ctx, tx, newestSQL, names, prefixes, f.Branches, limit+1)
		if err != nil {
			return err
		}
		if len(rows) > limit {
			rows, snap.Truncated = rows[:limit], true
		}
		logs := make([]ci.LogID, len(rows))
		for i, r := range rows {
			logs[i] = r.log
		}
		steps, err := loadSteps(ctx, tx, loadStepsSQL, logs)
		if err != nil {
			return err
		}
		last, err := lastIDs(ctx, tx, logs)
		if err != nil {
			return err
		}
		for _, r := range rows {
			one := Snapshot{Build: r.build, Last: last[r.log], Final: r.build.Status.Final(), Epoch: epoch}
			for _, step := range steps[r.log] {
				one.Steps = append(one.Steps, step.Step)
			}
			snap.Builds = append(snap.Builds, one)
		}
		return nil
	})
	return snap, err
}

func lastIDs(ctx context.Context, tx pgx.Tx, logs []ci.LogID) (map[ci.LogID]ci.EventID, error) {
	rows, err := tx.Query(ctx, lastIDsSQL, logs)
	if err != nil {
		return nil, err
	}
	last := make(map[ci.LogID]ci.EventID, len(logs))
	var log ci.LogID
	var id ci.EventID
	if _, err := pgx.ForEachRow(rows, []any{&log, &id}, func() error { last[log] = id; return nil }); err != nil {
		return nil, fmt.Errorf("read the last ids: %w", err)
	}
	return last, nil
}
