package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// countEvery is how often processes tell the database how much text they have
// kept, and learn how much others have. By as much a project may go over its
// quota.
const countEvery = 5 * time.Second

// countedFor is how long a project is counted that keeps nothing more.
const countedFor = 10 * time.Minute

// texts is how much log text is kept. What a build keeps is part of its state;
// what a project keeps in a day, of all its builds on all processes, is counted
// beside the commits, so that no commit waits for a count.
type texts struct {
	build, project int64 // the quotas in bytes; 0: none

	mu       sync.Mutex
	projects map[string]*projectText // those that have kept text lately
	kept     int64                   // bytes of text, since the start
	over     int64
}

// projectText is how much one project has used of its quota within the last day.
type projectText struct {
	told  int64 // by all processes, when they were last asked
	fresh int64 // by this one since
	at    time.Time
}

// quotas are those that an update of a project's build is decided with.
func (t *texts) quotas(project string) ci.Quotas {
	q := ci.Quotas{Build: t.build, Project: t.project}
	if t.project > 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
		if p := t.projects[project]; p != nil {
			q.Spent = p.told + p.fresh
		}
	}
	return q
}

// add counts what a commit has kept, and what it has taken and not kept.
func (t *texts) add(project string, change *ci.Change) {
	if change.Spent == 0 && change.Over == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept, t.over = t.kept+change.Kept, t.over+change.Over
	if t.project == 0 {
		return
	}
	p := t.projects[project]
	if p == nil {
		p = &projectText{}
		if t.projects == nil {
			t.projects = make(map[string]*projectText)
		}
		t.projects[project] = p
	}
	p.fresh, p.at = p.fresh+change.Spent, time.Now()
}

// countTexts exchanges counts with the database until ctx is done, and tells it
// the last ones.
func (s *Store) countTexts(ctx context.Context) {
	if s.texts.project == 0 {
		return
	}
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for failed := false; ; {
		var last bool
		select {
		case <-ctx.Done():
			last = true
		case <-tick.C:
		}
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), countEvery)
		err := s.countOnce(bounded)
		cancel()
		if err != nil && !failed {
			s.log.Warn("log text is not counted for now", "err", err)
		}
		failed = err != nil
		if last {
			return
		}
	}
}

// What is added now is not seen by the sum beside it. Hours of the day before
// yesterday are of no use to anybody.
const countSQL = `
	WITH fresh AS (
		SELECT p.id, f.name, f.bytes
		FROM unnest($1::text[], $2::bigint[]) f (name, bytes) JOIN projects p ON lower(p.name) = lower(f.name)
	), added AS (
		INSERT INTO project_texts (project, hour, bytes)
		SELECT id, date_trunc('hour', clock_timestamp(), 'UTC'), bytes FROM fresh WHERE bytes > 0 ORDER BY id
		ON CONFLICT (project, hour) DO UPDATE SET bytes = project_texts.bytes + excluded.bytes
	), old AS (
		DELETE FROM project_texts t USING fresh WHERE t.project = fresh.id AND t.hour < clock_timestamp() - interval '2 days'
	)
	SELECT name, fresh.bytes + coalesce((
		SELECT sum(t.bytes)::bigint FROM project_texts t
		WHERE t.project = fresh.id AND t.hour > clock_timestamp() - interval '1 day'
	), 0)
	FROM fresh`

// countOnce tells what this process has kept, and learns what all have.
func (s *Store) countOnce(ctx context.Context) error {
	names, fresh := s.texts.take(time.Now())
	if len(names) == 0 {
		return nil
	}
	told, err := s.exchangeCounts(ctx, names, fresh)
	if err != nil {
		s.texts.putBack(names, fresh) // counted twice, if it was counted: a little less is kept
		return fmt.Errorf("count log text: %w", err)
	}
	s.texts.learn(told)
	return nil
}

func (s *Store) exchangeCounts(ctx context.Context, names []string, fresh []int64) (told map[string]int64, err error) {
	conn, err := s.acquireRare(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, countSQL, names, fresh)
	if err != nil {
		return nil, err
	}
	told = make(map[string]int64, len(names))
	var name string
	var bytes int64
	_, err = pgx.ForEachRow(rows, []any{&name, &bytes}, func() error { told[name] = bytes; return nil })
	return told, err
}

// take returns what was kept since it was last told, and forgets projects that
// have kept nothing for long.
func (t *texts) take(now time.Time) (names []string, fresh []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, p := range t.projects {
		if p.fresh == 0 && now.Sub(p.at) > countedFor {
			delete(t.projects, name)
			continue
		}
		names, fresh = append(names, name), append(fresh, p.fresh)
		p.told, p.fresh = p.told+p.fresh, 0
	}
	return names, fresh
}

func (t *texts) putBack(names []string, fresh []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, name := range names {
		if p := t.projects[name]; p != nil {
			p.told, p.fresh = p.told-fresh[i], p.fresh+fresh[i]
		}
	}
}

func (t *texts) learn(told map[string]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, p := range t.projects {
		if n, ok := told[name]; ok {
			p.told = n
		}
	}
}
