package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/turns"
)

// detour sends a task to its build's lane, and a creation to that of its project: whoever
// knows a build's id may ask for it again and again, and holds up nobody who writes it.
// The caller holds mu.
func (c *committer) detour(t *task) {
	if t.create != nil {
		w := c.creations[t.create.Project]
		if w == nil {
			w = &waiting{}
			c.creations[t.create.Project] = w
		}
		c.join(w, t)
		return
	}
	k := c.known[t.build]
	if k == nil {
		k = &known{}
		c.known[t.build] = k
	}
	k.lane = true
	c.keep(k, nil) // the lane reads it
	c.join(&k.waiting, t)
}

// join queues a task in a lane and sees to it that the lane works. The caller
// holds mu.
func (c *committer) join(w *waiting, t *task) {
	w.tasks = append(w.tasks, t)
	if !w.busy {
		w.busy = true
		c.lanes.Go(func() { c.runLane(t, w) })
	}
}

// runLane writes what waits behind a first task for one build, each time with the build
// locked and read first. When nobody else wrote the build between two rounds, it goes
// back to the fast way. Or it makes what waits of a project's creations.
func (c *committer) runLane(first *task, of *waiting) {
	l := &lane{committer: c}
	for {
		c.mu.Lock()
		if len(of.tasks) == 0 {
			of.busy = false
			if first.create != nil {
				delete(c.creations, first.create.Project)
			} else {
				c.leaveLane(l, first.build)
			}
			c.mu.Unlock()
			return
		}
		from := of.tasks[0].from // whose the build is, or the creation that has waited longest
		c.mu.Unlock()
		l.state = nil // it is read again, and many lanes may wait for their turns
		leave, _ := c.turns.Enter(context.Background(), from)
		w := <-c.slots
		c.mu.Lock()
		tasks := of.tasks // those that have come meanwhile too
		of.tasks = nil
		c.mu.Unlock()
		l.round(w, tasks)
		c.slots <- w
		leave()
		if len(l.later) > 0 {
			c.mu.Lock()
			of.tasks = append(l.later, of.tasks...)
			c.mu.Unlock()
		}
	}
}

// leaveLane lets a build go the fast way again. The caller holds mu.
func (c *committer) leaveLane(l *lane, build ci.BuildID) {
	k := c.known[build] // it is there, since it has a lane
	k.lane = false
	if l.state != nil && l.quiet && l.epoch == c.store.presentEpoch() {
		c.keep(k, l.state)
	} else {
		c.drop(build)
	}
}

// lane is one build's slow way.
type lane struct {
	*committer
	state *ci.State  // as last committed or read here, if nothing waits behind it
	last  ci.EventID // its version; 0: none
	epoch ci.Epoch   // of state
	quiet bool       // nobody else wrote since
	later []*task    // what was too much for this round
}

// round takes one set of tasks to their end, or as many creations as are made in a
// while, each by itself and one of each sender after the other: others wait for the
// connection.
func (l *lane) round(w *writer, tasks []*task) {
	l.later = nil
	if l.over.Load() {
		fail(tasks, ending())
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	if err := l.store.ready(ctx, w); err != nil {
		fail(tasks, unavailable("connect", err))
		return
	}
	conn := w.conn
	var creations turns.Line[string, *task]
	var updates, losses, rest []*task
	for _, t := range tasks {
		switch {
		case t.create != nil:
			creations.Add(t.from, t)
		case t.lose != nil:
			losses = append(losses, t)
		default:
			updates = append(updates, t)
		}
	}
	for start := time.Now(); ; {
		if _, some := creations.First(); !some {
			break
		}
		if _, t := creations.Next(); len(rest) > 0 || time.Since(start) > decidedFor {
			rest = append(rest, t)
		} else {
			l.attempt(ctx, conn, []*task{t}, l.create)
		}
	}
	switch {
	case len(updates) > 0:
		fail(losses, errHeard) // somebody speaks: look again later
		l.attempt(ctx, conn, updates, l.update)
	case len(losses) > 0:
		l.attempt(ctx, conn, losses, l.update)
	}
	l.later = append(rest, l.later...)
}

// attempt runs one transaction and answers its tasks.
func (l *lane) attempt(ctx context.Context, conn *pgx.Conn, tasks []*task, transact func(context.Context, *pgx.Conn, []*task) error) {
	err := transact(ctx, conn, tasks)
	if len(tasks) == 1 && tasks[0].create != nil && outcomeOf(err) == refused {
		err = transact(ctx, conn, tasks) // another process was first with this id: now it is seen
	}
	if errors.Is(err, errRewound) {
		if err = l.store.renewEpoch(ctx); err == nil {
			l.state, l.last = nil, 0
			err = transact(ctx, conn, tasks)
		}
	}
	if err == nil {
		return
	}
	l.state, l.last, l.quiet, l.later = nil, 0, false, nil
	o := outcomeOf(err)
	if conn.PgConn().TxStatus() != 'I' || o == unknown {
		closeConn(conn)
	}
	switch {
	case o == refused && len(tasks) > 1: // for one member's sake: each alone
		for _, t := range tasks {
			if conn.IsClosed() {
				fail([]*task{t}, answer(unknown, err))
				continue
			}
			l.attempt(ctx, conn, []*task{t}, transact)
		}
		return
	case o == refused:
		l.store.log.Error("the database refused a checked write", "err", err, "build", tasks[0].build)
		fail(tasks, fmt.Errorf("write: %w", err))
		return
	case o == unknown:
		l.store.watcher.Dirty()
	}
	l.store.log.Error("a write failed", "err", err, "build", tasks[0].build)
	fail(tasks, answer(o, err))
}

// begin opens a transaction that runAndCommit ends.
func begin(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `BEGIN`)
	return err
}

func rollback(ctx context.Context, conn *pgx.Conn) {
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	if _, err := conn.Exec(ctx, `ROLLBACK`); err != nil {
		closeConn(conn)
	}
}

const lockHeadSQL = `
	SELECT h.last_id FROM build_heads h JOIN builds b ON b.id = h.build
	WHERE b.uuid = $1 FOR NO KEY UPDATE OF h`

// update locks the build, reads it, decides and commits. Tasks that are
// refused are answered; an error leaves the tasks unanswered. What would make the
// transaction too large is left for later.
func (l *lane) update(ctx context.Context, conn *pgx.Conn, tasks []*task) error {
	l.later = nil
	id, epoch := tasks[0].build, l.store.presentEpoch()
	if err := begin(ctx, conn); err != nil {
		return err
	}
	defer rollback(ctx, conn) // does nothing after the commit
	var last ci.EventID
	switch err := conn.QueryRow(ctx, lockHeadSQL, uuid.UUID(id)).Scan(&last); {
	case errors.Is(err, pgx.ErrNoRows):
		fail(tasks, notFound())
		return nil
	case err != nil:
		return err
	}
	states, err := loadStates(ctx, conn, []ci.BuildID{id})
	if err != nil {
		return err
	}
	state := states[id]
	if state == nil {
		fail(tasks, notFound())
		return nil
	}
	l.quiet = l.last == 0 || l.last == state.Last
	now := time.Now()
	w := &write{state: state, expect: state.Last}
	refusals := make(map[*task]error)
	size := 0
	for i, t := range tasks {
		if size > maxDecided || i > 0 && time.Since(now) > decidedFor {
			l.later = tasks[i:]
			break
		}
		state.Quotas = l.store.texts.quotas(state.Build.Project)
		change, err := t.decide(state, now)
		if err != nil {
			refusals[t] = err
			continue
		}
		size += weight(change)
		w.tasks, w.changes = append(w.tasks, t), append(w.changes, change)
	}
	if len(w.tasks) > 0 {
		if err := l.write(ctx, conn, w, now); err != nil {
			return err
		}
	}
	l.state, l.last, l.epoch = state, state.Last, epoch
	for t, refusal := range refusals {
		t.done <- result{err: refusal}
	}
	return nil
}

// write commits a decided build, whose locks this transaction holds.
func (l *lane) write(ctx context.Context, conn *pgx.Conn, w *write, now time.Time) error {
	b := &batch{epoch: l.store.presentEpoch()}
	b.add(w)
	done, err := b.runAndCommit(ctx, conn)
	if err != nil {
		return err
	}
	if len(done.missed) > 0 { // under the lock only a guard can do that: somebody was heard
		for i := len(w.changes) - 1; i >= 0; i-- {
			w.changes[i].Undo()
		}
		fail(w.tasks, errHeard)
		return nil
	}
	l.store.acknowledge(b.epoch, []*write{w}, done.feedBase, now)
	return nil
}

const lockProjectSQL = `SELECT id, name, public, last_number FROM projects WHERE lower(name) = lower($1) FOR NO KEY UPDATE`

const projectOfBuildSQL = `SELECT p.name FROM builds b JOIN projects p ON p.id = b.project WHERE b.uuid = $1`

const rowNumberSQL = `SELECT nextval('build_rows')`

// create locks the project and creates the build unless it is there.
func (l *lane) create(ctx context.Context, conn *pgx.Conn, tasks []*task) error {
	t := tasks[0]
	if err := begin(ctx, conn); err != nil {
		return err
	}
	defer rollback(ctx, conn) // a project of a refused creation goes with it
	if _, err := conn.Exec(ctx, addProjectsSQL, []string{t.create.Project}); err != nil {
		return err
	}
	var p project
	if err := conn.QueryRow(ctx, lockProjectSQL, t.create.Project).Scan(&p.id, &p.name, &p.public, &p.last); err != nil {
		return err
	}
	var owner string
	switch err := conn.QueryRow(ctx, projectOfBuildSQL, uuid.UUID(t.build)).Scan(&owner); {
	case err == nil && owner == t.create.Project:
		t.done <- result{} // it is there: the caller reads it
		return nil
	case err == nil:
		t.done <- result{err: &ci.Problem{Code: ci.BuildIDTaken, Field: "id", Detail: "This build id belongs to another project; choose another id."}}
		return nil
	case !errors.Is(err, pgx.ErrNoRows):
		return err
	}
	if p.name != t.create.Project {
		t.done <- result{err: &ci.Problem{Code: ci.ProjectCase, Field: "project", Detail: fmt.Sprintf("The project %s differs from the existing project %s by upper and lower case only; use that one.", t.create.Project, p.name)}}
		return nil
	}
	var log ci.LogID
	if err := conn.QueryRow(ctx, rowNumberSQL).Scan(&log); err != nil {
		return err
	}
	now := time.Now()
	state := newBuild(log, t.create, &p)
	change, err := state.Create(*t.create, now)
	if err != nil {
		t.done <- result{err: err}
		return nil
	}
	w := &write{state: state, project: &p, tasks: tasks, changes: []*ci.Change{change}}
	l.committer.mu.Lock()
	delete(l.projects, p.name) // its version has moved
	l.committer.mu.Unlock()
	return l.write(ctx, conn, w, now)
}
