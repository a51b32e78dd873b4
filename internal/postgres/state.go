package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// querier is what reads: a connection, a pool or a transaction.
type querier interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}

const buildColumns = `
	b.id, b.uuid, p.name, b.number, coalesce(b.branch, ''), coalesce(b.commit, ''), coalesce(b.title, ''), coalesce(b.author, ''),
	coalesce(b.url, ''), coalesce(b.trigger, ''), b.status, b.created_at, b.started_at, b.finished_at`

// buildRow is a build as the builds table has it.
type buildRow struct {
	log   ci.LogID
	build ci.Build
}

// texts is how many bytes the texts of the build have that others chose.
func (r *buildRow) texts() int {
	b := &r.build
	return len(b.Branch) + len(b.Commit) + len(b.Title) + len(b.Author) + len(b.URL) + len(b.Trigger)
}

func (r *buildRow) targets() []any {
	b := &r.build
	return []any{
		&r.log, (*uuid.UUID)(&b.ID), &b.Project, &b.Number, &b.Branch, &b.Commit, &b.Title, &b.Author,
		&b.URL, &b.Trigger, &b.Status, &b.CreatedAt, &b.StartedAt, &b.FinishedAt,
	}
}

func (r *buildRow) utc() {
	b := &r.build
	b.CreatedAt, b.StartedAt, b.FinishedAt = b.CreatedAt.UTC(), utc(b.StartedAt), utc(b.FinishedAt)
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

const loadBuildsSQL = `
	SELECT ` + buildColumns + `, h.last_id, h.ended_at
	FROM builds b JOIN projects p ON p.id = b.project JOIN build_heads h ON h.build = b.id
	WHERE b.uuid = ANY ($1)`

const stepColumns = `
	s.build, s.number, s.key, coalesce(s.name, ''), s.needs, s.status, s.exit_code, s.started_at, s.finished_at, s.ended_at, s.assumed,
	s.log_bytes, s.newlines, s.unended, s.log_complete, s.notes, s.errors, s.warnings, s.notices,
	s.tests_passed, s.tests_failed, s.tests_skipped, coalesce(s.reporter, ''), s.holes, coalesce(s.cut, '')`

const loadStepsSQL = `SELECT ` + stepColumns + ` FROM steps s WHERE s.build = ANY ($1) ORDER BY s.build, s.number`

// loadStates reads builds with their steps. The heads are read first: if a
// build moves in between, its version shows it.
func loadStates(ctx context.Context, db querier, ids []ci.BuildID) (map[ci.BuildID]*ci.State, error) {
	return loadParts(ctx, db, ids, loadStepsSQL)
}

// loadParts is loadStates with those steps alone that a query finds; its first parameter
// are the builds' row numbers.
func loadParts(ctx context.Context, db querier, ids []ci.BuildID, sql string, args ...any) (map[ci.BuildID]*ci.State, error) {
	heads, err := db.Query(ctx, loadBuildsSQL, uuids(ids))
	if err != nil {
		return nil, fmt.Errorf("load builds: %w", err)
	}
	type head struct {
		buildRow
		last  ci.EventID
		ended *time.Time
	}
	builds, err := pgx.CollectRows(heads, func(row pgx.CollectableRow) (h head, err error) {
		err = row.Scan(append(h.targets(), &h.last, &h.ended)...)
		h.utc()
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("load builds: %w", err)
	}
	logs := make([]ci.LogID, len(builds))
	for i, b := range builds {
		logs[i] = b.log
	}
	steps, err := loadSteps(ctx, db, sql, append([]any{logs}, args...)...)
	if err != nil {
		return nil, err
	}
	states := make(map[ci.BuildID]*ci.State, len(builds))
	for _, b := range builds {
		states[b.build.ID] = ci.NewState(b.log, b.last, b.build, zeroTime(b.ended), steps[b.log])
	}
	return states, nil
}

func loadSteps(ctx context.Context, db querier, sql string, args ...any) (map[ci.LogID][]*ci.StepState, error) {
	steps := make(map[ci.LogID][]*ci.StepState)
	err := eachStep(ctx, db, func(log ci.LogID, step *ci.StepState) { steps[log] = append(steps[log], step) }, sql, args...)
	return steps, err
}

// eachStep hands over the steps that a query finds, one after the other.
func eachStep(ctx context.Context, db querier, take func(ci.LogID, *ci.StepState), sql string, args ...any) error {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("load steps: %w", err)
	}
	var (
		log   ci.LogID
		s     ci.StepState
		needs []string
		ended *time.Time
		cut   string
	)
	_, err = pgx.ForEachRow(rows, []any{
		&log, &s.Number, &s.Key, &s.Name, &needs, &s.Status, &s.ExitCode, &s.StartedAt, &s.FinishedAt, &ended, &s.Assumed,
		&s.LogBytes, &s.Newlines, &s.Unended, &s.LogComplete, &s.Notes, &s.Annotations.Error, &s.Annotations.Warning, &s.Annotations.Notice,
		&s.Tests.Passed, &s.Tests.Failed, &s.Tests.Skipped, &s.Reporter, &s.Holes, &cut,
	}, func() error {
		step := s
		step.Cut, _ = ci.ParseQuota(cut)
		step.StartedAt, step.FinishedAt, step.EndedAt = utc(s.StartedAt), utc(s.FinishedAt), zeroTime(ended)
		step.Needs = nil
		for _, need := range needs {
			step.Needs = append(step.Needs, ci.StepKey(need))
		}
		step.LogLines = step.Newlines
		if step.Unended {
			step.LogLines++
		}
		if s.ExitCode != nil {
			code := *s.ExitCode
			step.ExitCode = &code
		}
		take(log, &step)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load steps: %w", err)
	}
	return nil
}

func zeroTime(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func nullText(t ci.Text) *string {
	if t == "" {
		return nil
	}
	s := string(t)
	return &s
}

func joinKeys(keys []ci.StepKey) *string {
	if len(keys) == 0 {
		return nil
	}
	var b strings.Builder
	for i, key := range keys {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(key))
	}
	joined := b.String()
	return &joined
}

func uuids(ids []ci.BuildID) []uuid.UUID {
	out := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		out[i] = uuid.UUID(id)
	}
	return out
}
