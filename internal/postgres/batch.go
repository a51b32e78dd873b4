package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// batch collects what several decided builds write, as the parameters of one
// call of append_batch.
type batch struct {
	epoch  ci.Epoch
	writes []*write

	projects struct{ id, expect, last []int64 }
	created  struct {
		build   []int64
		uuid    []uuid.UUID
		project []int64
		number  []int64
		at      []time.Time
	}
	heads struct {
		build, expect, last []int64
		status              []string
		ended               []*time.Time
	}
	guards struct {
		build  []int64
		step   []int32
		silent []float64
	}
	builds struct {
		build                                       []int64
		branch, commit, title, author, url, trigger []*string
		started, finished                           []*time.Time
	}
	steps struct {
		build                    []int64
		number                   []int32
		key                      []string
		name, needs              []*string
		status                   []string
		exit                     []*int64
		started, finished, ended []*time.Time
		assumed, complete        []bool
		reporter                 []*string
	}
	notes struct {
		build                     []int64
		number                    []int32
		notes                     []int32
		errors, warnings, notices []int32
		passed, failed, skipped   []int32
	}
	logs struct {
		build           []int64
		number          []int32
		bytes, newlines []int64
		unended         []bool
		heard, beat     []bool
	}
	quotas struct {
		build  []int64
		number []int32
		holes  []int64
		cut    []*string
	}
	events struct {
		build, last, first  []int64
		step                []int32
		kind, form          []int16
		offset, bytes, line []*int64
		body                [][]byte
	}
	feed struct {
		build           []int64
		project, branch []string
		kind            []int16
		step            []string
		body            [][]byte
	}
}

// write is what one build's part of a batch is made of.
type write struct {
	state   *ci.State
	expect  ci.EventID // the version that it was decided from; 0: a new build
	project *project   // of a new build
	tasks   []*task
	changes []*ci.Change // one for each task

	feed []ci.Event // its events in the feed, without ids
}

// project is a project as the committer knows it; last is its version for
// creations.
type project struct {
	id     int64
	name   string
	public bool
	last   int64
}

// add takes a decided build into the batch.
func (b *batch) add(w *write) {
	b.writes = append(b.writes, w)
	s, log := w.state, int64(w.state.Log)
	b.heads.build = append(b.heads.build, log)
	b.heads.expect = append(b.heads.expect, int64(w.expect))
	b.heads.last = append(b.heads.last, int64(s.Last))
	b.heads.status = append(b.heads.status, string(s.Build.Status))
	b.heads.ended = append(b.heads.ended, nullTime(s.EndedAt))
	if w.project != nil {
		b.addCreation(w)
	}
	number := func(key ci.StepKey) int {
		if key == "" {
			return 0
		}
		return s.Step(key).Number
	}
	var rows []row
	touched := make(map[*ci.StepState]*signs)
	build := false
	for i, change := range w.changes {
		rows = rowsOf(rows, change, w.tasks[i].ready, number)
		build = build || change.Build
		for _, step := range change.Touched {
			signsOf(touched, step)
		}
		for _, heard := range change.Heard {
			sign := signsOf(touched, heard.Step)
			sign.heard, sign.beat = true, sign.beat || heard.Beat
		}
		for k := range change.Events {
			e := &change.Events[k]
			if e.Kind.OfStatus() {
				w.feed = append(w.feed, feedEvent(&s.Build, e))
			}
			switch e.Kind {
			case ci.KindStep:
				signsOf(touched, s.Step(e.Step)).described = true
			case ci.KindNote:
				signsOf(touched, s.Step(e.Step)).noted = true
			case ci.KindLog:
				if e.Lost > 0 {
					signsOf(touched, s.Step(e.Step)).holed = true
				}
			}
		}
		if guard := w.tasks[i].lose; guard != nil {
			b.guards.build = append(b.guards.build, log)
			b.guards.step = append(b.guards.step, int32(guard.number))
			b.guards.silent = append(b.guards.silent, guard.silent.Seconds())
		}
	}
	for _, r := range rows {
		b.addRow(log, r)
	}
	for step, sign := range touched {
		b.addStep(log, step, sign)
	}
	if build {
		b.addBuild(log, &s.Build)
	}
	for _, e := range w.feed {
		b.addFeed(log, &e)
	}
}

// signs is what is to be written of a step.
type signs struct{ heard, beat, described, noted, holed bool }

func signsOf(touched map[*ci.StepState]*signs, step *ci.StepState) *signs {
	sign := touched[step]
	if sign == nil {
		sign = &signs{}
		touched[step] = sign
	}
	return sign
}

func feedEvent(b *ci.Build, e *ci.Event) ci.Event {
	return ci.Event{
		Kind: e.Kind, Step: e.Step, At: e.At, Build: b.ID, Project: b.Project, Branch: string(b.Branch),
		Data: ci.FeedData(e.Kind, b.ID, b.Project, e.Data),
	}
}

func (b *batch) addCreation(w *write) {
	c, p, s := &b.created, &b.projects, w.state
	c.build = append(c.build, int64(s.Log))
	c.uuid = append(c.uuid, uuid.UUID(s.Build.ID))
	c.project = append(c.project, w.project.id)
	c.number = append(c.number, s.Build.Number)
	c.at = append(c.at, s.Build.CreatedAt)
	if i := slices.Index(p.id, w.project.id); i >= 0 {
		p.last[i] = s.Build.Number
		return
	}
	p.id = append(p.id, w.project.id)
	p.expect = append(p.expect, s.Build.Number-1)
	p.last = append(p.last, s.Build.Number)
}

func (b *batch) addRow(log int64, r row) {
	e := &b.events
	e.build = append(e.build, log)
	e.last = append(e.last, int64(r.last))
	e.first = append(e.first, int64(r.first))
	e.step = append(e.step, int32(r.step))
	e.kind = append(e.kind, r.kind)
	e.form = append(e.form, r.form)
	e.offset = append(e.offset, r.offset)
	e.bytes = append(e.bytes, r.bytes)
	e.line = append(e.line, r.line)
	e.body = append(e.body, r.body)
}

func (b *batch) addStep(log int64, step *ci.StepState, sign *signs) {
	if sign.described {
		s := &b.steps
		s.build = append(s.build, log)
		s.number = append(s.number, int32(step.Number))
		s.key = append(s.key, string(step.Key))
		s.name = append(s.name, nullText(step.Name))
		s.needs = append(s.needs, joinKeys(step.Needs))
		s.status = append(s.status, string(step.Status))
		s.exit = append(s.exit, wide(step.ExitCode))
		s.started = append(s.started, step.StartedAt)
		s.finished = append(s.finished, step.FinishedAt)
		s.ended = append(s.ended, nullTime(step.EndedAt))
		s.assumed = append(s.assumed, step.Assumed)
		s.complete = append(s.complete, step.LogComplete)
		s.reporter = append(s.reporter, nullText(ci.Text(step.Reporter)))
	}
	if sign.noted {
		n := &b.notes
		n.build = append(n.build, log)
		n.number = append(n.number, int32(step.Number))
		n.notes = append(n.notes, int32(step.Notes))
		n.errors = append(n.errors, int32(step.Annotations.Error))
		n.warnings = append(n.warnings, int32(step.Annotations.Warning))
		n.notices = append(n.notices, int32(step.Annotations.Notice))
		n.passed = append(n.passed, int32(step.Tests.Passed))
		n.failed = append(n.failed, int32(step.Tests.Failed))
		n.skipped = append(n.skipped, int32(step.Tests.Skipped))
	}
	if sign.holed {
		q := &b.quotas
		q.build = append(q.build, log)
		q.number = append(q.number, int32(step.Number))
		q.holes = append(q.holes, step.Holes)
		q.cut = append(q.cut, nullText(ci.Text(step.Cut.String())))
	}
	l := &b.logs
	l.build = append(l.build, log)
	l.number = append(l.number, int32(step.Number))
	l.bytes = append(l.bytes, step.LogBytes)
	l.newlines = append(l.newlines, step.Newlines)
	l.unended = append(l.unended, step.Unended)
	l.heard = append(l.heard, sign.heard)
	l.beat = append(l.beat, sign.beat)
}

func wide(n *int) *int64 {
	if n == nil {
		return nil
	}
	w := int64(*n)
	return &w
}

func (b *batch) addBuild(log int64, build *ci.Build) {
	n := &b.builds
	n.build = append(n.build, log)
	n.branch = append(n.branch, nullText(build.Branch))
	n.commit = append(n.commit, nullText(build.Commit))
	n.title = append(n.title, nullText(build.Title))
	n.author = append(n.author, nullText(build.Author))
	n.url = append(n.url, nullText(build.URL))
	n.trigger = append(n.trigger, nullText(build.Trigger))
	n.started = append(n.started, build.StartedAt)
	n.finished = append(n.finished, build.FinishedAt)
}

func (b *batch) addFeed(log int64, e *ci.Event) {
	f, kind := &b.feed, kindBuild
	if e.Kind == ci.KindStep {
		kind = kindStep
	}
	f.build = append(f.build, log)
	f.project = append(f.project, e.Project)
	f.branch = append(f.branch, e.Branch)
	f.kind = append(f.kind, kind)
	f.step = append(f.step, string(e.Step))
	f.body = append(f.body, e.Data)
}

const appendSQL = appendSQLStart + `)`

// appendHolesSQL is of a batch with holes.
const appendHolesSQL = appendSQLStart + `,
		$72, $73, $74, $75)`

const appendSQLStart = `
	SELECT epoch_ok, missed, coalesce(feed_base, 0) FROM append_batch(
		$1,
		$2, $3, $4,
		$5, $6, $7, $8, $9,
		$10, $11, $12, $13, $14,
		$15, $16, $17,
		$18, $19, $20, $21, $22, $23, $24, $25, $26,
		$27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39,
		$40, $41, $42, $43, $44, $45, $46,
		$47, $48, $49, $50, $51, $52, $53, $54, $55,
		$56, $57, $58, $59, $60, $61, $62, $63, $64, $65,
		$66, $67, $68, $69, $70, $71`

// written is the answer of append_batch.
type written struct {
	missed   []int64 // builds that had moved on
	feedBase ci.EventID
}

func (b *batch) args() []any {
	p, c, h, g, n, s, l, t, e, f := &b.projects, &b.created, &b.heads, &b.guards, &b.builds, &b.steps, &b.logs, &b.notes, &b.events, &b.feed
	return []any{
		uuid.UUID(b.epoch),
		list(p.id), list(p.expect), list(p.last),
		list(c.build), list(c.uuid), list(c.project), list(c.number), list(c.at),
		list(h.build), list(h.expect), list(h.last), list(h.status), list(h.ended),
		list(g.build), list(g.step), list(g.silent),
		list(n.build), list(n.branch), list(n.commit), list(n.title), list(n.author), list(n.url), list(n.trigger), list(n.started), list(n.finished),
		list(s.build), list(s.number), list(s.key), list(s.name), list(s.needs), list(s.status), list(s.exit), list(s.started), list(s.finished), list(s.ended), list(s.assumed), list(s.complete), list(s.reporter),
		list(l.build), list(l.number), list(l.bytes), list(l.newlines), list(l.unended), list(l.heard), list(l.beat),
		list(t.build), list(t.number), list(t.notes), list(t.errors), list(t.warnings), list(t.notices), list(t.passed), list(t.failed), list(t.skipped),
		list(e.build), list(e.last), list(e.first), list(e.step), list(e.kind), list(e.form), list(e.offset), list(e.bytes), list(e.line), list(e.body),
		list(f.build), list(f.project), list(f.branch), list(f.kind), list(f.step), list(f.body),
	}
}

// list makes a parameter of a slice. An empty one goes as NULL, which is the
// same to append_batch: most lists of most batches are empty, and a slice in an
// interface is an allocation each.
func list[T any](s []T) any {
	if len(s) == 0 {
		return nil
	}
	return s
}

func scanWritten(row pgx.Row) (w written, err error) {
	var ok bool
	if err := row.Scan(&ok, &w.missed, &w.feedBase); err != nil {
		return w, err
	}
	if !ok {
		return w, errRewound
	}
	return w, nil
}

// run commits the batch as a transaction of its own.
func (b *batch) run(ctx context.Context, conn *pgx.Conn) (written, error) {
	if q := &b.quotas; len(q.build) > 0 {
		return scanWritten(conn.QueryRow(ctx, appendHolesSQL, append(b.args(), q.build, q.number, q.holes, q.cut)...))
	}
	return scanWritten(conn.QueryRow(ctx, appendSQL, b.args()...))
}

// runAndCommit ends the open transaction with the batch. COMMIT is a message of
// its own: while the server waits for it, its timeout for idle transactions
// runs, and a process that stalls here holds its locks for two seconds. In one
// pipeline with the append no timeout would.
func (b *batch) runAndCommit(ctx context.Context, conn *pgx.Conn) (written, error) {
	w, err := b.run(ctx, conn)
	if err != nil {
		return w, err
	}
	_, err = conn.Exec(ctx, `COMMIT`)
	return w, err
}
