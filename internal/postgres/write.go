package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/groupcommit"
	"github.com/stepcast/stepcast/internal/turns"
)

// Bounds of the committer's queue, of one batch and of what is known between batches.
const (
	maxQueued = 64 << 20 // the queue holds at most so many bytes of request bodies
	maxBatch  = 4 << 20  // a batch takes at most so many of them

	maxDecided  = 4 << 20 // a batch may become so many bytes, as status events repeat whole steps
	eventBytes  = 256     // an event takes the database as long as so many bytes of log text, beside its own
	statusBytes = 2 << 10 // an event of status takes as long as so many more
	turnBytes   = 4 << 10 // and text of another step than the one before it in a request, which begins a row
	heardBytes  = 1 << 10 // a step that was heard takes as long as so many

	taskBytes = 512 // a task takes so much memory beside its text
	needBytes = 24  // a name in a list takes so much beside its text

	maxCached   = 4096     // the states of so many builds are kept between batches
	cachedBytes = 64 << 20 // these states take about so much memory at most
	stepBytes   = 512      // a step of a state takes so much beside its names

	mostLoaded     = 64      // the states of so many builds are read for one batch
	loadedTogether = 8       // so many states are read at once at most
	loadedBytes    = 1 << 20 // no more states are read once those that were take about so much memory

	mostRows = 200     // what becomes more rows than that is written by itself,
	mostSlow = 8 << 20 // of each sender at most so many bytes at once

	laneWriters = 4 // there are so many connections for these, and for builds that other processes write too
)

// decidedFor is how long a batch may take to be decided: a few bytes may be of needs that
// lead through a whole build. What comes then is left for the next one.
const decidedFor = 20 * time.Millisecond

// task is one write that a caller waits for. Exactly one of request, create
// and lose says what.
type task struct {
	build   ci.BuildID
	request *ci.Request
	create  *ci.Creation
	lose    *loss
	ready   []prepared
	done    chan result // one slot

	from  string // whose it is, and how large it is, in the queue
	size  int64
	apart bool // it becomes so many rows that nobody else is to wait for it
}

type result struct {
	receipt ci.Receipt
	created *Snapshot
	err     error
}

// Ready is a request whose rows are made.
type Ready struct {
	*ci.Request
	rows []prepared
	size int64
}

// Ready makes the rows of a request, if there is room for it. They may be thousands, and
// as large as their text until they are written: the caller has turns for it.
func (s *Store) Ready(r ci.Request) (Ready, error) {
	size := sizeOf(&r)
	if !s.committerOf(r.Build).queue.Takes(r.From, size) {
		return Ready{}, s.overloaded()
	}
	return Ready{&r, prepare(&r), size}, nil
}

// AppendReady commits one request. The error is a *ci.Problem when the request is
// refused, or could not be taken now (Overloaded, Unavailable, DiskFull,
// OutcomeUnknown).
func (s *Store) AppendReady(ctx context.Context, r Ready) (ci.Receipt, error) {
	res := s.submit(ctx, r.From, &task{build: r.Build, request: r.Request, ready: r.rows}, r.size)
	return res.receipt, res.err
}

// Append commits one request whose rows are few.
func (s *Store) Append(ctx context.Context, r ci.Request) (ci.Receipt, error) {
	ready, err := s.Ready(r)
	if err != nil {
		return ci.Receipt{}, err
	}
	return s.AppendReady(ctx, ready)
}

// CheckNew tells whether there is room for a creation, and what is wrong with it by
// itself. It may have thousands of steps: the caller has turns for it.
func (s *Store) CheckNew(c *ci.Creation) error {
	size := sizeOfNew(c)
	if !s.committerOf(c.ID).queue.Takes(c.From, size) || len(c.Steps) > mostRows && s.slow.Full(c.From, int(size)) {
		return s.overloaded()
	}
	_, err := newBuild(0, c, &project{name: c.Project}).Create(*c, time.Now())
	c.Checked = err == nil
	return err
}

// Create stores a new build. When the id is there already in the same project,
// that build is returned as it is and created is false; of the creation's steps the keys
// are left then.
func (s *Store) Create(ctx context.Context, c ci.Creation) (b Snapshot, created bool, err error) {
	if !c.Checked { // what is wrong with it is found before its project is stored
		if err := s.CheckNew(&c); err != nil {
			return b, false, err
		}
	}
	res := s.submit(ctx, c.From, &task{build: c.ID, create: &c}, sizeOfNew(&c))
	if res.err != nil {
		return b, false, res.err
	}
	if res.created != nil {
		return *res.created, true, nil
	}
	// It may have thousands of steps: who repeats many creations at once is answered as
	// many at a time as there are processors, and others in between. What waits for that
	// keeps none of what it said of its steps.
	for i := range c.Steps {
		c.Steps[i] = ci.StepUpdate{Key: c.Steps[i].Key}
	}
	leave, err := s.repeats.Enter(ctx, c.From)
	if err != nil {
		return b, false, fmt.Errorf("wait to read the build: %w", err)
	}
	defer leave()
	b, err = s.Build(ctx, c.ID)
	return b, false, err
}

// sizeOf is about how many bytes of memory a request takes while it waits.
func sizeOf(r *ci.Request) int64 {
	size := int64(taskBytes)
	for _, key := range r.Alive {
		size += needBytes + int64(len(key))
	}
	for _, u := range r.Updates {
		size += taskBytes / 4
		switch {
		case u.Step != nil:
			size += sizeOfStep(u.Step)
		case u.Log != nil:
			size += int64(len(u.Log.Chunk.Body))
		case u.Note != nil:
			size += u.Note.Bytes()
		case u.Build != nil:
			size += sizeOfBuild(u.Build)
		}
	}
	return size
}

// sizeOfNew is the same of a creation.
func sizeOfNew(c *ci.Creation) int64 {
	size := taskBytes + sizeOfBuild(&c.BuildUpdate)
	for i := range c.Steps {
		size += sizeOfStep(&c.Steps[i])
	}
	return size
}

func sizeOfStep(u *ci.StepUpdate) int64 {
	size := taskBytes/2 + len(u.Key) + len(u.Name.Value)
	for _, need := range u.Needs.Value {
		size += needBytes + len(need)
	}
	return int64(size)
}

func sizeOfBuild(u *ci.BuildUpdate) int64 {
	return taskBytes/2 + int64(len(u.Branch.Value)+len(u.Commit.Value)+len(u.Title.Value)+len(u.Author.Value)+len(u.URL.Value)+len(u.Trigger.Value))
}

func (s *Store) submit(ctx context.Context, from string, t *task, size int64) result {
	if s.diskIsFull() {
		return result{err: diskFull()}
	}
	t.done, t.from, t.size = make(chan result, 1), from, size
	var slow *turns.Hold
	if t.apart = t.rows() > mostRows; t.apart { // it leaves the queue for a lane, and waits there
		if slow = s.slow.Begin(from); !slow.Grow(int(size)) {
			return result{err: s.overloaded()}
		}
	}
	switch err := s.committerOf(t.build).queue.Add(from, t, size); {
	case errors.Is(err, groupcommit.ErrFull):
		slow.Keep(0)
		return result{err: s.overloaded()}
	case err != nil:
		slow.Keep(0)
		return result{err: &ci.Problem{Code: ci.Unavailable, Detail: "The server is shutting down; send the same request again."}}
	}
	select {
	case res := <-t.done:
		slow.Keep(0)
		return res
	case <-ctx.Done(): // the commit goes on without its caller
		if slow != nil {
			go func() { <-t.done; slow.Keep(0) }()
		}
		return result{err: fmt.Errorf("wait for the commit: %w", ctx.Err())}
	}
}

// committerOf is the one that writes a build.
func (s *Store) committerOf(build ci.BuildID) *committer {
	return s.committers[int(build[15])%len(s.committers)]
}

// overloaded counts a refusal, and says why.
func (s *Store) overloaded() *ci.Problem {
	s.counts.full.Add(1)
	return &ci.Problem{Code: ci.Overloaded, Detail: "The server has more to write than it can take; keep the text and send the same request again."}
}

// committer turns tasks into commits. Most builds are written by one process:
// their state is known from the last commit, and a whole batch of them is
// decided here and goes out as one statement. A build that another process
// wrote in between has a lane of its own, where it is locked and read first.
type committer struct {
	store *Store
	queue *groupcommit.Queue[*task]
	writer
	rows  rowNumbers
	lanes sync.WaitGroup
	slots chan *writer // idle connections of the lanes
	turns *turns.Turns // for them, by sender
	over  atomic.Bool  // nothing is committed any more

	mu     sync.Mutex
	known  map[ci.BuildID]*known
	cached int // bytes that the states in known take, about
	// What waits for the lane of creations that do not go the fast way, by project.
	creations map[string]*waiting
	// Projects by name. Only the version is ever out of date.
	projects map[string]*project
}

// known is what this process knows of a build between commits.
type known struct {
	state *ci.State // as committed; nil: it is to be read
	bytes int       // the memory that the state takes, about
	plan  int       // what of bytes is known without a look at each step; when it is another, that is taken
	lane  bool      // other processes write the build too
	waiting
}

// waiting is what waits for a lane: of one build, or of a project's creations.
type waiting struct {
	tasks []*task
	busy  bool // the lane is at work
}

func newCommitter(s *Store) *committer {
	c := &committer{store: s, queue: groupcommit.New[*task](maxQueued, maxBatch), known: make(map[ci.BuildID]*known), creations: make(map[string]*waiting), projects: make(map[string]*project), slots: make(chan *writer, laneWriters), turns: turns.New(laneWriters)}
	for range laneWriters {
		c.slots <- &writer{}
	}
	return c
}

// lastCommits is for how long what waits is committed when the process ends. Nobody waits
// for an answer then, and what takes longer, such as thousands of reports of builds with
// very many needs, is repeated by its senders, and would keep the next process away.
const lastCommits = 5 * time.Second

func ending() error {
	return &ci.Problem{Code: ci.Unavailable, Detail: "The server ends; send the same request again."}
}

// run works until ctx is done, and then until the queue is empty, or for lastCommits.
// Commits have a context of their own.
func (c *committer) run(ctx context.Context) {
	context.AfterFunc(ctx, func() { time.AfterFunc(c.store.lastCommits, func() { c.over.Store(true) }) })
	c.queue.Run(ctx, c.commit)
	c.lanes.Wait()
	closeConn(c.conn)
	for range laneWriters {
		closeConn((<-c.slots).conn)
	}
}

// writer is a connection that commits.
type writer struct {
	conn *pgx.Conn // nil: to be made
	used time.Time // when it was wanted last
}

// A connection that rested for longer is asked whether it is still there. Those
// of a PostgreSQL that has started again are not, and would each cost somebody
// a write of unknown outcome, one after the other as they are wanted.
const restedLong = time.Second

// ready sees to it that w has a connection, or says why there is none.
func (s *Store) ready(ctx context.Context, w *writer) (err error) {
	rested := time.Since(w.used)
	w.used = time.Now()
	if w.conn != nil && rested > restedLong && w.conn.Ping(ctx) != nil {
		closeConn(w.conn)
	}
	if w.conn == nil || w.conn.IsClosed() {
		if w.conn, err = connectWriter(ctx, s.cfg.DirectURL); err != nil {
			if !s.away.Swap(true) {
				s.log.Error("no connection to write", "err", err)
			}
			return err
		}
	}
	if s.away.Swap(false) {
		s.log.Info("there is a connection to write again")
	}
	return nil
}

func closeConn(conn *pgx.Conn) {
	if conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}
}

// forget drops all that is known: history was rewound.
func (c *committer) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.known {
		c.drop(id)
	}
	clear(c.projects)
}

func fail(tasks []*task, err error) {
	for _, t := range tasks {
		t.done <- result{err: err}
	}
}

// commit takes one batch through the fast way; what cannot go it is handed to
// the lanes. A few bytes may be of builds that take long to read, or become
// megabytes: what is too much for one transaction goes back to the queue, and others
// have their turn before it.
func (c *committer) commit(tasks []*task) {
	if c.over.Load() {
		fail(tasks, ending())
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	if err := c.store.ready(ctx, &c.writer); err != nil {
		fail(tasks, unavailable("connect", err))
		return
	}
	epoch := c.store.presentEpoch()
	tasks, later, err := c.load(ctx, tasks)
	if err != nil {
		c.broken(append(tasks, later...), err)
		return
	}
	now := time.Now()
	b := &batch{epoch: epoch}
	writes, rest := c.decide(tasks, now)
	for _, w := range writes {
		b.add(w)
	}
	if len(b.writes) > 0 {
		if w, err := b.run(ctx, c.conn); err != nil {
			c.notWritten(b, err)
		} else {
			c.finish(b, w, now)
		}
	}
	c.makeRoom()
	for _, t := range slices.Backward(append(rest, later...)) {
		c.queue.PutBack(t.from, t, t.size)
	}
}

// load reads the states that the batch needs and that are not known, hands
// tasks of builds with a lane over to it, and answers those for builds that do
// not exist. It returns the tasks that remain, and those for which too much
// would be read at once.
func (c *committer) load(ctx context.Context, tasks []*task) (remain, later []*task, err error) {
	var missing []ci.BuildID // each once
	unread := make(map[ci.BuildID]bool)
	var newcomers []ci.BuildID // builds of projects that are not known yet
	creations := false
	rest := tasks[:0]
	c.mu.Lock()
	for _, t := range tasks {
		k := c.known[t.build]
		if k != nil && k.lane {
			c.detour(t)
			continue
		}
		if t.create != nil {
			creations = true
			if c.projects[t.create.Project] == nil {
				newcomers = append(newcomers, t.build)
			}
		} else if k == nil || k.state == nil {
			if !unread[t.build] {
				missing, unread[t.build] = append(missing, t.build), true
			}
		}
		rest = append(rest, t)
	}
	c.mu.Unlock()
	tasks = rest
	if creations {
		if tasks, err = c.loadProjects(ctx, tasks, newcomers); err != nil {
			return tasks, later, err
		}
	}
	if len(missing) == 0 {
		return tasks, later, nil
	}
	absent := make(map[ci.BuildID]bool)
	missing = missing[:min(len(missing), mostLoaded)]
	// One, and more and more, as long as they are small: more of the large ones than a
	// batch decides would be read in vain.
	for bytes, n := 0, 1; len(missing) > 0 && bytes < loadedBytes; n = min(2*n, loadedTogether) {
		some := missing[:min(n, len(missing))]
		missing = missing[len(some):]
		states, err := loadStates(ctx, c.conn, some)
		if err != nil {
			return tasks, later, err
		}
		c.mu.Lock()
		for id, state := range states {
			c.remember(id, state)
			bytes += c.known[id].bytes
		}
		c.mu.Unlock()
		for _, id := range some {
			delete(unread, id)
			absent[id] = states[id] == nil
		}
	}
	rest = tasks[:0:0]
	for _, t := range tasks {
		switch {
		case unread[t.build]:
			later = append(later, t)
		case t.create == nil && absent[t.build]: // and not one whose lane has ended meanwhile
			t.done <- result{err: notFound()}
		default:
			rest = append(rest, t)
		}
	}
	return rest, later, nil
}

func notFound() *ci.Problem {
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build; create it first with POST /api/v1/builds."}
}

// remember keeps a committed state. The caller holds mu.
func (c *committer) remember(id ci.BuildID, state *ci.State) {
	if c.known[id] == nil {
		c.known[id] = &known{}
	}
	c.keep(c.known[id], state)
}

// keep keeps a state, nil for none. The caller holds mu.
func (c *committer) keep(k *known, state *ci.State) {
	c.cached -= k.bytes
	k.state = state
	plan := 0
	if state != nil {
		plan = state.Plan + stepBytes*(1+len(state.Steps))
	}
	if plan != k.plan { // only then, which is seldom, are the needs counted, of which there may be many
		k.bytes, k.plan = plan, plan
		if state != nil {
			for _, step := range state.Steps {
				k.bytes += needBytes * len(step.Needs)
			}
		}
	}
	c.cached += k.bytes
}

// makeRoom forgets states, when they have become too many or too large, until
// there is some room. It does so between batches: what a batch has read it needs.
func (c *committer) makeRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) <= maxCached && c.cached <= cachedBytes {
		return
	}
	for id, k := range c.known {
		if len(c.known) <= maxCached*3/4 && c.cached <= cachedBytes*3/4 {
			return
		}
		if !k.lane {
			c.drop(id)
		}
	}
}

// drop forgets the state of a build. The caller holds mu.
func (c *committer) drop(id ci.BuildID) {
	if k := c.known[id]; k != nil {
		c.keep(k, nil)
		if !k.lane {
			delete(c.known, id)
		}
	}
}

// decide applies the tasks to the known states. What is refused goes to the
// build's lane: a refusal must come from state just read.
// What would make the batch too large is left for the next one.
func (c *committer) decide(tasks []*task, now time.Time) (writes []*write, rest []*task) {
	byBuild := make(map[ci.BuildID]*write, len(tasks))
	size, start := 0, time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range tasks {
		if size > maxDecided || i > 0 && time.Since(start) > decidedFor {
			return writes, tasks[i:]
		}
		w := byBuild[t.build]
		if t.apart {
			c.detour(t)
			continue
		}
		if t.create != nil {
			if w = c.decideCreation(t, byBuild, now); w != nil {
				byBuild[t.build] = w
				writes = append(writes, w)
				size += weight(w.changes[0])
			}
			continue
		}
		if w == nil {
			k := c.known[t.build]
			if k == nil || k.lane || k.state == nil { // went to a lane in this very loop
				c.detour(t)
				continue
			}
			w = &write{state: k.state, expect: k.state.Last}
		}
		w.state.Quotas = c.store.texts.quotas(w.state.Build.Project)
		change, err := t.decide(w.state, now)
		if err != nil {
			c.detour(t)
			continue
		}
		size += weight(change)
		w.tasks, w.changes = append(w.tasks, t), append(w.changes, change)
		if byBuild[t.build] == nil {
			byBuild[t.build] = w
			writes = append(writes, w)
		}
	}
	return writes, nil
}

// weight is about how long a change takes the database, in bytes of log text that take
// as long. Events take longer than their size tells: each may be a row, and one of status
// goes into the build's log and into the feed, and its step or build is written anew; so
// is the time at which a step was heard.
func weight(change *ci.Change) (bytes int) {
	bytes = heardBytes * len(change.Heard)
	for i := range change.Events {
		e := &change.Events[i]
		bytes += len(e.Data) + len(e.Chunk.Body) + eventBytes
		switch {
		case e.Kind.OfStatus():
			bytes += len(e.Data) + statusBytes
		case i > 0 && e.Step != change.Events[i-1].Step:
			bytes += turnBytes
		}
	}
	return bytes
}

// rows is about how many rows a task becomes.
func (t *task) rows() int {
	if t.create != nil {
		return len(t.create.Steps)
	}
	if t.request == nil {
		return 0
	}
	n := len(t.ready)
	var noted ci.StepKey // of the update before, if that was a note
	for i := range t.request.Updates {
		switch u := &t.request.Updates[i]; {
		case u.Log != nil:
			noted = ""
		case u.Note == nil:
			noted = ""
			n++
		case u.Note.Step != noted:
			noted = u.Note.Step
			n++
		}
	}
	return n
}

func (t *task) decide(state *ci.State, now time.Time) (*ci.Change, error) {
	if t.lose != nil {
		return t.lose.decide(state, now), nil
	}
	return state.Decide(*t.request, now)
}

func (c *committer) decideCreation(t *task, byBuild map[ci.BuildID]*write, now time.Time) *write {
	p := c.projects[t.create.Project]
	if p == nil || c.known[t.build] != nil || byBuild[t.build] != nil || c.rows.left() == 0 {
		c.detour(t) // most likely a repeated one
		return nil
	}
	state := newBuild(c.rows.take(), t.create, p)
	change, err := state.Create(*t.create, now)
	if err != nil {
		c.detour(t)
		return nil
	}
	p.last++
	return &write{state: state, project: p, tasks: []*task{t}, changes: []*ci.Change{change}}
}

func newBuild(log ci.LogID, create *ci.Creation, p *project) *ci.State {
	return ci.NewState(log, 0, ci.Build{ID: create.ID, Project: p.name, Number: p.last + 1}, time.Time{}, nil)
}

// broken answers tasks whose batch did not get as far as writing.
func (c *committer) broken(tasks []*task, err error) {
	c.store.log.Error("a batch was not written", "err", err)
	if outcomeOf(err) == unknown {
		closeConn(c.conn)
	}
	fail(tasks, unavailable("write", err))
}

// notWritten deals with a batch that failed as a whole.
func (c *committer) notWritten(b *batch, err error) {
	rewound := errors.Is(err, errRewound)
	o := outcomeOf(err)
	if rewound {
		o = refused
	}
	c.mu.Lock()
	for _, w := range b.writes {
		c.drop(w.state.Build.ID)
		if w.project != nil {
			delete(c.projects, w.project.name)
		}
	}
	c.mu.Unlock()
	switch {
	case rewound:
		if err := c.store.renewEpoch(context.Background()); err != nil {
			c.store.log.Error("no new epoch", "err", err)
		}
		c.detourAll(b)
	case o == refused: // for one member's sake: try each alone
		c.store.log.Warn("a batch was refused, its members are tried one by one", "err", err)
		c.detourAll(b)
	default:
		if o == unknown {
			closeConn(c.conn)
			c.store.watcher.Dirty()
		}
		c.store.log.Error("a batch was not written", "err", err, "builds", len(b.writes))
		for _, w := range b.writes {
			fail(w.tasks, answer(o, err))
		}
	}
}

func (c *committer) detourAll(b *batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range b.writes {
		for _, t := range w.tasks {
			c.detour(t)
		}
	}
}

// finish hands over, answers and notifies what was committed, in this order,
// and sends what missed its version to the lanes.
func (c *committer) finish(b *batch, done written, now time.Time) {
	missed := make(map[ci.LogID]bool, len(done.missed))
	for _, log := range done.missed {
		missed[ci.LogID(log)] = true
	}
	var through []*write
	c.mu.Lock()
	for _, w := range b.writes {
		id := w.state.Build.ID
		if !missed[w.state.Log] {
			if k := c.known[id]; k == nil || !k.lane {
				c.remember(id, w.state)
			} else {
				c.keep(k, nil)
			}
			through = append(through, w)
			continue
		}
		c.drop(id)
		if w.project != nil {
			delete(c.projects, w.project.name)
		}
		for _, t := range w.tasks {
			c.detour(t)
		}
	}
	c.mu.Unlock()
	c.store.acknowledge(b.epoch, through, done.feedBase, now)
}

// acknowledge is what follows every commit.
func (s *Store) acknowledge(epoch ci.Epoch, writes []*write, feedBase ci.EventID, now time.Time) {
	grown := make([]growth, 0, len(writes)+1)
	s.counts.commits.Add(1)
	var feed []ci.Event
	for _, w := range writes {
		var events []ci.Event
		for _, change := range w.changes {
			events = append(events, change.Events...)
			s.texts.add(w.state.Build.Project, change)
		}
		if len(events) == 0 {
			continue
		}
		s.counts.events.Add(int64(len(events)))
		head := ci.Head{Last: w.state.Last, Final: w.state.Final(now)}
		s.watcher.Committed(epoch, w.state.Log, events, head)
		grown = append(grown, growth{w.state.Log, head.Last})
		for i := range w.feed {
			feedBase++
			w.feed[i].ID = feedBase
		}
		feed = append(feed, w.feed...)
	}
	if len(feed) > 0 {
		s.watcher.Committed(epoch, ci.FeedLog, feed, ci.Head{Last: feedBase})
		grown = append(grown, growth{ci.FeedLog, feedBase})
	}
	for _, w := range writes {
		for i, t := range w.tasks {
			res := result{receipt: w.changes[i].Receipt}
			res.receipt.Epoch = epoch
			if t.create != nil {
				res.created = snapshotOf(w.state, epoch, now)
			}
			t.done <- res
		}
	}
	s.notifier.add(grown)
}

func snapshotOf(state *ci.State, epoch ci.Epoch, now time.Time) *Snapshot {
	snap := &Snapshot{Build: state.Build, Last: state.Last, Final: state.Final(now), Epoch: epoch}
	for _, step := range state.Steps {
		snap.Steps = append(snap.Steps, step.Step)
	}
	return snap
}

const projectsByNameSQL = `SELECT id, name, public, last_number FROM projects WHERE lower(name) = ANY ($1)`

const addProjectsSQL = `INSERT INTO projects (name) SELECT unnest($1::text[]) AS name ORDER BY name ON CONFLICT DO NOTHING`

const takenSQL = `SELECT uuid FROM builds WHERE uuid = ANY ($1)`

// loadProjects makes the projects of new builds known, new projects included,
// and sees to it that row numbers are at hand. A build whose id is there
// already takes its lane, so that no project is made for it. A project that
// differs from an existing one by case stays unknown; its creations are
// refused in their lanes.
func (c *committer) loadProjects(ctx context.Context, tasks []*task, newcomers []ci.BuildID) ([]*task, error) {
	if c.rows.left() < maxUpdatesABatch {
		if err := c.rows.fill(ctx, c.conn); err != nil {
			return tasks, err
		}
	}
	if len(newcomers) == 0 {
		return tasks, nil
	}
	rows, err := c.conn.Query(ctx, takenSQL, uuids(newcomers))
	if err != nil {
		return tasks, fmt.Errorf("look for taken ids: %w", err)
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return tasks, fmt.Errorf("look for taken ids: %w", err)
	}
	c.mu.Lock()
	var names []string
	rest := tasks[:0:0]
	for _, t := range tasks {
		if t.create != nil && slices.Contains(taken, uuid.UUID(t.build)) {
			c.detour(t)
			continue
		}
		if t.create != nil && c.projects[t.create.Project] == nil {
			names = append(names, t.create.Project)
		}
		rest = append(rest, t)
	}
	c.mu.Unlock()
	if len(names) == 0 {
		return rest, nil
	}
	found, err := findProjects(ctx, c.conn, names)
	if err != nil {
		return rest, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range found {
		c.projects[p.name] = p
	}
	return rest, nil
}

// findProjects reads projects by name, after it has added those that are new.
func findProjects(ctx context.Context, conn *pgx.Conn, names []string) (map[string]*project, error) {
	if _, err := conn.Exec(ctx, addProjectsSQL, names); err != nil {
		return nil, fmt.Errorf("add projects: %w", err)
	}
	rows, err := conn.Query(ctx, projectsByNameSQL, lowered(names))
	if err != nil {
		return nil, fmt.Errorf("read projects: %w", err)
	}
	found := make(map[string]*project, len(names))
	var p project
	_, err = pgx.ForEachRow(rows, []any{&p.id, &p.name, &p.public, &p.last}, func() error {
		one := p
		found[p.name] = &one
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read projects: %w", err)
	}
	return found, nil
}
