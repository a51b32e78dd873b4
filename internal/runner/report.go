package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/mask"
	"github.com/stepcast/stepcast/internal/spool"
)

const (
	flushBytes = 64 << 10               // so much text is sent at once
	flushAfter = 100 * time.Millisecond // the first unsent byte waits no longer
	flushPause = 10 * time.Millisecond  // nor less, so that one print is one request
	beatEvery  = 30 * time.Second
	// patience is how long a server that has answered before may be away
	// until we say so.
	patience = 5 * time.Second
	// sayAwayEvery is how long we say nothing then of a server that comes and goes.
	sayAwayEvery = time.Minute
	// mostPlanned is how many steps of a build that have ended, and how many
	// others, are kept with a report: each of them has one.
	mostPlanned = 100
)

// ReportOptions say what is reported, and as what.
type ReportOptions struct {
	Build   ci.BuildID
	Run     string // what Build is derived from; empty: nothing
	Own     bool   // the build is this step's alone: it begins and ends with it
	Project string // of the build, if it has to be created; empty: Describe's
	Guessed bool   // Project was not named for this build, which may be another's
	Details Details
	Step    ci.StepKey
	Name    string // what people read; empty: the key
	Needs   []ci.StepKey
	Watch   bool // say where to watch, once there is something
	Told    bool // whoever made a build that is here already has said so

	Buildkite bool // the log has that system's marks of groups

	Masker *mask.Masker // hides values before anything is kept; nil: nothing does

	SpoolRoot string // where spools lie; empty: in memory alone
	Spool     spool.Options

	// Describe finds out what Project and Details leave empty. It runs beside
	// the command. Nil: nothing is added.
	Describe func(context.Context) (project string, d Details)

	// Say shows one line to the user.
	Say func(line string)
}

// Ending is how the command ended.
type Ending struct {
	Status   ci.Status // passed, failed or canceled
	ExitCode int
	At       time.Time
}

// Report tells a server about one step: that it runs, its log, how it ended.
// What it has to tell is in its spool before it is sent, and stays there until
// the server has it. Write and Finish never wait for the server; Send does.
type Report struct {
	client *Client
	opt    ReportOptions
	id     identity
	named  string // the project that the user named; empty: none
	spool  *spool.Spool
	left   bool // behind, by a process that has ended

	mu     sync.Mutex
	ending *ending
	tests  []ci.Test // that the command left in files

	over    chan struct{} // closed when the step has ended, and the run waits for the server
	endLost bool          // the disk did not take the ending

	acked   atomic.Int64 // bytes of the log that the server has
	dropped atomic.Int64 // bytes of the log that it never will

	// Of the goroutine that sends.
	key       ci.StepKey
	series    int             // place of the build's id among those derived from the run
	described bool            // project and details are settled
	planned   []planned       // the steps of a build that others began
	startedAt *time.Time      // and when it began
	joined    bool            // the build is there, and the key is settled
	begun     bool            // the server knows that the step runs
	claims    bool            // the reporter is named, though the step has begun
	created   bool            // we created it, or created it again: it may have been forgotten
	recreated bool            // the server had forgotten the build, and it was created again
	forgotten chan ci.BuildID // gets the build then, for its other steps on this machine
	closed    bool            // the server takes no more text
	notes     notes
	proofless bool     // log_bytes is not sent
	settled   bool     // the step has an end that is not ours
	finished  bool     // the build has
	gone      bool     // the build has ended without the step
	cut       ci.Quota // of log text, that the server says is used up
	pace      pace
	lastBatch time.Time // when the last batch was put together
	history   string    // of the build, as the last receipt names it: another one after a restore
	rewound   bool      // it was another one with the batch before
	lastBeat  time.Time
	taken     bool      // the server has something of the step
	answered  bool      // the server has answered once
	failing   time.Time // since when it has not
	pause     backoff   // before it is tried again
	away      bool      // that it does not was said
	awayAt    time.Time // when, the last time
	said      map[string]bool
}

// NewReport begins the report of a step that starts now. Where the spool cannot
// be used, it says so and keeps the text in memory.
func NewReport(client *Client, opt ReportOptions) *Report {
	r := &Report{client: client, opt: opt, key: opt.Step, over: make(chan struct{}), forgotten: make(chan ci.BuildID, 1), said: make(map[string]bool)}
	r.id = identity{
		Server: client.URL, Build: opt.Build, Run: opt.Run, Own: opt.Own, Project: opt.Project, Guessed: opt.Guessed, Details: r.hideIn(opt.Details),
		Dir: workingDir(), Step: opt.Step, Name: ci.OneLine(r.hide(opt.Name), ci.MaxTitle), Needs: opt.Needs, Started: ci.Cut(time.Now()),
		Reporter: rand.Text(), Buildkite: opt.Buildkite,
	}
	r.named = r.id.named()
	r.notes.options = outlineOptions(r.id.Dir, opt.Buildkite)
	first := mustJSON(entry{Open: &r.id})
	if opt.SpoolRoot != "" {
		s, err := spool.Create(opt.SpoolRoot, opt.Spool, first)
		if err == nil {
			r.spool = s
			return r
		}
		r.say("the spool %s cannot be used (%v): what the server does not have yet is kept in memory only", opt.SpoolRoot, err)
	}
	r.spool = spool.Memory(opt.Spool, first)
	return r
}

// hide hides in a text what is to be hidden.
func (r *Report) hide(text string) string {
	if r.opt.Masker == nil {
		return text
	}
	return r.opt.Masker.Text(text)
}

func (r *Report) hideIn(d Details) Details {
	for _, text := range d.texts() {
		*text = r.hide(*text)
	}
	return d
}

// hideInFile hides in a file's content what is to be hidden.
func (r *Report) hideInFile(content io.Reader) io.ReadCloser {
	if r.opt.Masker == nil {
		return io.NopCloser(content)
	}
	from, to := io.Pipe()
	go func() {
		var err error // of whoever reads no further
		s := r.opt.Masker.Stream(func(p []byte) {
			if err == nil {
				_, err = to.Write(p)
			}
		})
		buf := make([]byte, 64<<10)
		for err == nil {
			n, readErr := content.Read(buf)
			s.Write(buf[:n])
			if readErr != nil {
				s.Close()
				to.CloseWithError(readErr)
				return
			}
		}
	}()
	return from
}

// Note adds a line of our own to the log.
func (r *Report) Note(line string) { r.Write([]byte(r.hide("stepcast: "+line) + "\n")) }

// Write takes log text. It never fails and keeps no reference to p.
func (r *Report) Write(p []byte) (int, error) {
	r.spool.Append(p, time.Now())
	return len(p), nil
}

// Stream returns what takes one output of the command. Values to hide are
// hidden there, before anything is kept.
func (r *Report) Stream() Log {
	if r.opt.Masker == nil {
		return maskedOutput{r, nil}
	}
	m := r.opt.Masker.Stream(func(p []byte) { r.Write(p) })
	m.Commands(func(err error) { r.opt.Say("::add-mask::: " + err.Error()) })
	return maskedOutput{r, m}
}

type maskedOutput struct {
	report *Report
	mask   *mask.Stream // nil: nothing is to be hidden
}

func (s maskedOutput) Write(p []byte) (int, error) {
	if s.mask != nil {
		return s.mask.Write(p)
	}
	return s.report.Write(p)
}

func (s maskedOutput) Held() int {
	if s.mask != nil {
		return s.mask.Held()
	}
	return 0
}

func (s maskedOutput) Close() error {
	if s.mask != nil {
		s.mask.Close()
	}
	return nil
}

// Finish ends the step: text that comes later is not part of its log.
func (r *Report) Finish(e Ending) {
	end := &ending{Status: e.Status, ExitCode: e.ExitCode, At: ci.Cut(e.At), Bytes: r.spool.Seal()}
	err := r.record(entry{End: end})
	r.mu.Lock()
	r.ending, r.endLost = end, err != nil
	r.mu.Unlock()
	close(r.over)
	r.spool.Seal() // wakes Send, which may have looked before
}

// Sync keeps what was written on the disk, until ctx is done.
func (r *Report) Sync(ctx context.Context) { _ = r.spool.Run(ctx) }

// Left tells how many bytes of the log the server does not have yet, of those
// that were not given up.
func (r *Report) Left() int64 { return r.spool.Held(r.acked.Load()) }

// Kept tells where what the server does not have waits for it (empty: nowhere),
// but for so many bytes of the log that are in memory only.
func (r *Report) Kept() (dir string, but int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.endLost {
		return "", 0
	}
	return r.spool.Dir(), r.spool.InMemory(r.acked.Load())
}

// Dropped tells how many bytes of the log were given up because there was no
// room for them.
func (r *Report) Dropped() int64 {
	acked := r.acked.Load()
	return r.dropped.Load() + r.spool.End() - acked - r.spool.Held(acked)
}

// Close ends the use of the spool. What was delivered is removed, or kept in
// case that the server forgets the build before its end; else all of it stays
// for a later process.
func (r *Report) Close(delivered bool) error {
	switch {
	case delivered && (r.id.Own || r.gone):
		return r.spool.Remove()
	case delivered:
		err := r.spool.Delivered(r.closed || r.settled)
		r.spool.Close()
		return err
	}
	err := r.spool.Sync()
	r.spool.Close()
	return err
}

// Send sends until the server has everything (nil), refuses the report for
// good (said to the user), or ctx ends. It is called once.
func (r *Report) Send(ctx context.Context) error {
	if r.pace.bytes == 0 {
		r.pace.bytes = maxBody
	}
	err := r.open(ctx)
	for done := false; err == nil && !done; {
		r.waitDue(ctx)
		done, err = r.deliver(ctx)
		if err == nil && !r.taken {
			r.taken = true
			if r.opt.Watch && (r.created || r.id.Own || !r.opt.Told) {
				r.say("watch %s", r.client.BuildURL(r.id.Build))
			}
		}
		r.sayTrouble()
	}
	if err != nil && ctx.Err() == nil {
		r.sayRefused(err)
	}
	return err
}

func (r *Report) sayTrouble() {
	if err := r.spool.Trouble(); err != nil {
		r.sayOnce("spool", "the spool %s cannot take more (%v): what the server does not have yet is kept in memory only", r.spool.Dir(), err)
	}
}

func (r *Report) sayRefused(err error) {
	what, hint := "nothing of this run is reported", ""
	if r.taken {
		what = "the rest of this run is not reported"
	}
	var refused *refusal
	if errors.As(err, &refused) && r.client.Exchange == nil && (refused.status == http.StatusUnauthorized || refused.status == http.StatusForbidden) {
		hint = "; check --token or STEPCAST_TOKEN"
	}
	if r.left {
		r.say("the report of step %s of build %s is not taken: %v%s", r.key, r.id.Build, err, hint)
		return
	}
	r.say("%s: %v%s", what, err, hint)
}

// open makes sure that the build exists, and settles the step's key.
func (r *Report) open(ctx context.Context) error {
	if r.joined {
		return nil
	}
	build := BuildState{}
	err := error(ErrNoBuild)
	recalled := false
	if !r.id.Own && r.id.Run == "" {
		// If its `build start` did not reach the server, make up for it.
		switch build, err = r.look(ctx); {
		case err == nil:
			r.learn(build)
		case errors.Is(err, ErrNoBuild):
			recalled = r.recall()
		}
	}
	if errors.Is(err, ErrNoBuild) {
		r.describe(ctx)
		if r.described && !r.id.Own && r.id.Run == "" && !recalled && r.named == "" {
			r.say("the server does not know the build %s; it is to be one of project %s, unless STEPCAST_PROJECT names another", r.id.Build, r.id.Project)
		}
		build, err = r.create(ctx)
	}
	if err != nil {
		return err
	}
	if recalled {
		r.recreated = true
		r.othersAgain()
	}
	if !r.id.Own {
		r.settleKey(build)
	}
	r.joined = true
	_ = r.record(entry{Joined: &joined{Build: r.id.Build, Series: r.series, Step: r.key}})
	return nil
}

// look asks for the build; ErrNoBuild if it is not there.
func (r *Report) look(ctx context.Context) (build BuildState, err error) {
	err = r.persist(ctx, func(c *Client) error {
		return c.do(ctx, http.MethodGet, "/api/v1/builds/"+r.id.Build.String(), nil, &build)
	})
	if hasCode(err, ci.NotFound) {
		err = ErrNoBuild
	}
	return build, err
}

// learn keeps what a build is that somebody else has begun, in case that the
// server forgets it: neither the directory nor git knows. A project that the user
// named stays, with what is known of it.
func (r *Report) learn(build BuildState) {
	if build.ID != r.id.Build || r.named != "" && r.named != build.Project {
		return
	}
	r.id.Project, r.id.Details, r.planned = build.Project, r.hideIn(build.Details), nil
	if r.startedAt = build.StartedAt; r.startedAt == nil {
		r.startedAt = &r.id.Started
	}
	var ended, others int
	for _, s := range build.Steps {
		kept := planned{newStep{Key: s.Key, Name: r.hide(s.Name)}, s.Status != ci.Queued && s.Status != ci.Running}
		n := &others
		if kept.Ended {
			n = &ended
		}
		if *n++; *n <= mostPlanned {
			r.planned = append(r.planned, kept)
		}
	}
	r.described = true
	r.recordDescribed()
}

// recall is what it learns of a build that the server has forgotten between two
// steps: what this machine's other reports know, if there are any.
func (r *Report) recall() bool {
	d := knownOf(r.id.Server, r.id.Build, r.spool.Root()).build
	if d == nil || r.named != "" && r.named != d.Project {
		return false
	}
	r.id.Project, r.id.Details, r.planned, r.startedAt = d.Project, d.Details, d.Planned, d.StartedAt
	r.described = true
	r.recordDescribed()
	return true
}

func (r *Report) recordDescribed() {
	_ = r.record(entry{Described: &described{Project: r.id.Project, Details: r.id.Details, Planned: r.planned, StartedAt: r.startedAt}})
}

// catchUp finds out what the server has of a report that was left behind, so
// that only the rest is sent. The step may be another's meanwhile: its reporter
// is named once more, and nothing else of it, which would bring a lost step
// back to life.
func (r *Report) catchUp(ctx context.Context) error {
	if !r.joined {
		return nil
	}
	build, err := r.look(ctx)
	if errors.Is(err, ErrNoBuild) {
		return nil // Send creates it again
	}
	for _, s := range build.Steps {
		if s.Key == r.key && s.Status != ci.Queued && s.Status != ci.Skipped {
			r.begun, r.claims = true, true
			r.acked.Store(min(s.LogBytes, r.spool.End()))
		}
	}
	return err
}

// create creates the build, or finds it. If another project has its id, the
// next one of the series is it, the same for every job of the run.
func (r *Report) create(ctx context.Context) (build BuildState, err error) {
	r.describe(ctx)
	for {
		b := newBuild{ID: r.id.Build, Project: r.id.Project, Details: r.id.Details.tidy()}
		if r.id.Own {
			b.Status = ci.Running
			b.Steps = []newStep{{Key: r.key, Name: r.id.Name}}
		} else {
			b.Steps = r.toCome()
		}
		body := mustJSON(b)
		err = r.persist(ctx, func(c *Client) (err error) {
			r.created, err = c.create(ctx, body, &build)
			return err
		})
		if hasCode(err, ci.BuildFinished) && r.id.Run != "" {
			r.say("the build has ended; this is reported into another one of the same run")
		}
		if !isAnothers(err) || r.series+1 >= ci.MaxSeries || !r.id.Own && r.id.Run == "" {
			return build, err
		}
		r.nextID()
	}
}

// toCome is what is created with a build that the server has forgotten, so that
// its steps stand in the order in which they did: those of which more is to come,
// those that had ended and are reported again, because their report lies here
// too, and those that began later here. Of another one nothing would come but
// that it was skipped.
func (r *Report) toCome() (steps []newStep) {
	if r.startedAt == nil {
		return nil // nothing was learnt
	}
	here := knownOf(r.id.Server, r.id.Build, r.spool.Root()).steps
	is := func(key ci.StepKey) func(newStep) bool { return func(s newStep) bool { return s.Key == key } }
	for _, s := range r.planned {
		if !s.Ended || slices.ContainsFunc(here, is(s.Key)) {
			steps = append(steps, s.newStep)
		}
	}
	for _, s := range here {
		if !slices.ContainsFunc(steps, is(s.Key)) {
			steps = append(steps, s)
		}
	}
	return steps
}

// nextID goes on to the next id of the series.
func (r *Report) nextID() {
	r.series++
	if r.id.Own {
		r.id.Build = ci.NewBuildID()
	} else {
		r.id.Build = ci.DerivedBuildID(r.id.Run, r.series)
	}
}

// restart says all of the step again, in the build as it is now.
func (r *Report) restart() {
	_ = r.record(entry{Joined: &joined{Build: r.id.Build, Series: r.series, Step: r.key}})
	r.begun, r.claims, r.taken = false, false, false
	r.history = ""
	r.closed, r.proofless, r.settled, r.finished = false, false, false, false
	r.dropped.Store(0)
	r.acked.Store(0)
	if !r.notes.off {
		r.notes.reset()
	}
}

// describe settles what the build is of.
func (r *Report) describe(ctx context.Context) {
	if r.described {
		return
	}
	if r.opt.Describe != nil {
		project, d := r.opt.Describe(ctx)
		if ctx.Err() != nil {
			return // git was cut off: a later process looks again
		}
		if r.id.Project == "" {
			r.id.Project = project
		}
		r.id.Details = r.id.Details.Or(r.hideIn(d))
	}
	r.described = true
	r.recordDescribed()
}

// settleKey makes a step that was tried before a new step.
func (r *Report) settleKey(build BuildState) {
	taken := make(map[ci.StepKey]bool)
	for _, s := range build.Steps {
		taken[s.Key] = s.Status != ci.Queued && s.Status != ci.Skipped || s.LogBytes > 0
	}
	for taken[r.key] {
		r.key = r.nextKey()
	}
	if r.key != r.id.Step {
		r.sayOnce("key "+string(r.key), "the step %s has run already; this is reported as %s", r.id.Step, r.key)
	}
}

// nextKey is the key for a step whose key is taken.
func (r *Report) nextKey() ci.StepKey {
	n := 2
	if rest, ok := strings.CutPrefix(string(r.key), string(r.id.Step)+"-"); ok {
		if have, err := strconv.Atoi(rest); err == nil {
			n = have + 1
		}
	}
	return ci.StepKey(fmt.Sprintf("%s-%d", r.id.Step, n))
}

// waitDue returns when it is time to send: a status or 64 KiB of text at once,
// less text within flushAfter of its first byte, a heartbeat when there was
// none for long.
func (r *Report) waitDue(ctx context.Context) {
	if r.left || len(r.notes.waiting) > 0 { // more than one batch has room for
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n, since := r.spool.Waiting(r.acked.Load())
		if !r.begun || r.ended() != nil || n >= flushBytes && !r.closed {
			return
		}
		due := r.lastBeat.Add(beatEvery)
		if n > 0 && !r.closed {
			due = earlier(due, since.Add(flushAfter))
			due = earlier(due, later(since.Add(flushPause), r.lastBatch.Add(flushAfter)))
		}
		wait := time.Until(due)
		if wait <= 0 {
			return
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-r.spool.Wake():
		case <-ctx.Done():
			return
		}
	}
}

func (r *Report) ended() *ending {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ending
}

// gather puts what there is to say into one request. It changes nothing: what
// was said is settled when the server has it.
func (r *Report) gather(ctx context.Context) *batch {
	end := r.ended() // first: what came before it is in the spool
	b := &batch{key: r.key, limit: r.pace.bytes, from: r.acked.Load()}
	if !r.begun {
		// By the server's clock a build began when the server heard of it, which may be
		// after its end.
		switch {
		case r.id.Own && !r.finished:
			b.add(update{build: &buildUpdate{Status: ci.Running, StartedAt: &r.id.Started}})
		case !r.id.Own && r.created && r.startedAt != nil:
			b.add(update{build: &buildUpdate{Status: ci.Running, StartedAt: r.startedAt}})
		}
		b.add(update{step: &stepUpdate{Key: r.key, Reporter: r.id.Reporter, Name: r.id.Name, Needs: r.id.Needs, Status: ci.Running, StartedAt: &r.id.Started}})
	}
	if r.claims {
		b.add(update{step: &stepUpdate{Key: r.key, Reporter: r.id.Reporter}})
	}
	b.upTo = b.from
	whole := r.closed || r.gatherText(ctx, b, end)
	whole = r.gatherNotes(ctx, b, end, whole) && whole
	switch {
	case !whole:
	case end != nil:
		b.last = true
		r.addEnd(b, end)
	case r.left: // nobody knows how it ended: a heartbeat with what is new, and then silence
		b.last, b.alive = true, b.upTo > b.from || !r.begun
	}
	if !b.last && (!r.begun || time.Since(r.lastBeat) >= beatEvery) {
		b.alive = true
	}
	return b
}

// gatherText takes text into the batch until it is full, or true, there is no
// more.
func (r *Report) gatherText(ctx context.Context, b *batch, end *ending) bool {
	for !b.full(0) && len(r.notes.waiting) < maxNotesWaiting {
		p, more := r.spool.Read(b.upTo, b.room())
		if !more {
			// What was in the memory of a process that has ended is gone.
			if end == nil || b.upTo >= end.Bytes {
				return true
			}
			p = spool.Piece{Offset: b.upTo, At: end.At, Lost: end.Bytes - b.upTo}
		}
		b.add(update{text: &p})
		b.upTo = p.End()
		r.seeNotes(ctx, &p)
	}
	return false
}

// gatherNotes takes notes into the batch until it is full, or true, there are
// no more.
func (r *Report) gatherNotes(ctx context.Context, b *batch, end *ending, whole bool) bool {
	if whole && end != nil {
		if !r.closed && !r.readNotes(ctx, b.upTo) && ctx.Err() == nil {
			r.notes.stop()
		}
		r.notes.end(end, r.tests)
	}
	for i := range r.notes.waiting {
		if len(b.updates) > 0 && b.full(r.notes.waiting[i].Bytes()) {
			return false
		}
		b.add(update{note: &r.notes.waiting[i]})
	}
	return true
}

func (r *Report) addEnd(b *batch, end *ending) {
	if !r.settled {
		last := &stepUpdate{Key: r.key, Status: end.Status, ExitCode: &end.ExitCode, FinishedAt: &end.At}
		if !r.proofless {
			last.LogBytes = &end.Bytes
		}
		b.add(update{step: last})
	}
	if r.id.Own && !r.finished {
		b.add(update{build: &buildUpdate{Status: end.Status, FinishedAt: &end.At}})
	}
}

// mostMendings is how often in a row what the server says against a batch is settled. Each mending
// settles something; a server that is never content is no reason to go round for ever.
const mostMendings = 1000

// deliver says what there is to say, and repeats it until it is stored. done
// tells that nothing is left.
func (r *Report) deliver(ctx context.Context) (done bool, err error) {
	for range mostMendings {
		b := r.gather(ctx)
		r.lastBatch = time.Now()
		if len(b.updates) == 0 && !b.alive || r.gone {
			return r.gone || b.last, nil
		}
		body, shorter := b.body(), false
		err := r.persist(ctx, func(c *Client) (err error) {
			if shorter {
				return errTooLong
			}
			shorter, err = r.postPaced(ctx, c, b, body)
			return err
		})
		switch {
		case errors.Is(err, errTooLong):
			continue
		case err == nil:
			r.settle(b)
			return b.last, nil
		}
		var refused *refusal
		if !errors.As(err, &refused) {
			return false, err
		}
		mended, err := r.mend(ctx, b, refused)
		if !mended {
			return false, err
		}
	}
	return false, errors.New("the server asks for ever other text")
}

// errTooLong is of a body that was too long for the way to the server: a shorter one is tried.
var errTooLong = errors.New("the way to the server is too slow for so much at once")

// postPaced posts a batch, and has the next ones be as long as arrives. shorter tells that this
// one is not to be repeated as it is.
func (r *Report) postPaced(ctx context.Context, c *Client, b *batch, body []byte) (shorter bool, err error) {
	began := time.Now()
	err = r.post(ctx, c, b, body)
	took := time.Since(began)
	var refused *refusal
	switch errors.As(err, &refused); {
	case err == nil:
		r.pace.arrived(len(body), took)
	case ctx.Err() != nil || errors.As(err, new(unconnected)):
	case refused == nil: // it was cut off, or not answered
		shorter = r.pace.lost(len(body), took, false)
	case refused.status == http.StatusRequestTimeout || refused.status == http.StatusRequestEntityTooLarge:
		if r.pace.lost(len(body), took, true) {
			return true, errTooLong // there is no need to wait
		}
	case refused.code == "" && refused.status >= 500 && refused.status != http.StatusServiceUnavailable: // a proxy waited in vain
		shorter = r.pace.lost(len(body), took, false)
	}
	return shorter, err
}

// post sends a batch, and takes nothing for its receipt but that.
func (r *Report) post(ctx context.Context, c *Client, b *batch, body []byte) error {
	var receipt struct {
		Last string                  `json:"last_event_id"`
		Logs map[ci.StepKey]int64    `json:"logs"`
		Cut  map[ci.StepKey]ci.Quota `json:"cut"`
	}
	err := c.do(ctx, http.MethodPost, "/api/v1/builds/"+r.id.Build.String()+"/updates", body, &receipt)
	if err == nil && (receipt.Last == "" || b.upTo > b.from && receipt.Logs[r.key] < b.upTo) {
		err = notStepcast()
	}
	if err != nil {
		return err
	}
	if cut, ok := receipt.Cut[r.key]; ok {
		r.cut = cut
	}
	b.history, _, _ = strings.Cut(receipt.Last, "-")
	return nil
}

// settle notes that the server has what a batch said.
func (r *Report) settle(b *batch) {
	r.begun, r.claims = true, false
	if r.history != "" && r.history != b.history && !r.rewound {
		// A backup was restored: what there was of the build since is to be said again, that this step
		// has begun too. Once: two servers of two databases may answer in turn.
		r.begun, r.rewound = false, true
		r.othersAgain()
	} else {
		r.rewound = false
	}
	r.history = b.history
	if b.alive {
		r.lastBeat = r.lastBatch
	}
	said := 0
	for _, u := range b.updates {
		switch {
		case u.text != nil:
			r.dropped.Add(u.text.Lost)
		case u.note != nil:
			said++
		}
	}
	r.notes.has(said)
	r.acked.Store(b.upTo)
	r.spool.Release(b.upTo)
	if b.last && r.cut != (ci.Quota{}) {
		r.say("the end of the log of step %s was not kept: %s", r.key, r.cut.Why())
	}
}

// mend settles what the server says against a batch, so that the next one is
// another. If there is no way, it returns the refusal.
func (r *Report) mend(ctx context.Context, b *batch, refused *refusal) (bool, error) {
	if i := refused.index; i >= 0 && i < len(b.updates) && b.updates[i].note != nil {
		r.mendNotes(ctx, refused)
		return true, nil
	}
	switch refused.code {
	case ci.NotFound:
		return r.createAgain(ctx, refused)
	case ci.UnknownStep:
		r.begun = false // it had begun: a backup was restored
		return true, nil
	case ci.NeedsCycle:
		if r.id.Needs == nil {
			return false, refused
		}
		r.say("--needs is left out: %v", refused)
		r.id.Needs = nil
		return true, nil
	case ci.StepTaken:
		r.key = r.nextKey()
		r.sayOnce("key "+string(r.key), "the step %s is somebody else's; this is reported as %s", r.id.Step, r.key)
		r.restart()
		return true, nil
	case ci.LogGap, ci.LogIncomplete:
		// It has less than it once said: a restored backup. The spool may have
		// what it lacks, and knows what it has not.
		if refused.offset == nil || *refused.offset < 0 || *refused.offset >= b.upTo {
			return false, refused
		}
		if *refused.offset < b.from {
			r.say("the server lacks text of step %s that it once had; it gets what is still here", r.key)
			r.begun = false // when it began, too: the text would begin it now
		}
		r.acked.Store(*refused.offset)
		return true, nil
	case ci.LogLonger:
		r.say("the server has more text of step %s than this run: something else reports it too", r.key)
		r.proofless = true
		return true, nil
	case ci.LogComplete:
		r.say("the log of step %s is closed already; the rest of it is not kept", r.key)
		if r.closed && r.proofless {
			return false, refused
		}
		r.closed, r.proofless = true, true
		return true, nil
	case ci.BuildFinished:
		if r.id.Run != "" && r.series+1 < ci.MaxSeries {
			// A job that is tried again after its build's end: the next build of
			// the series is that of all such jobs.
			r.say("the build has ended; this is reported into another one of the same run")
			r.nextID()
			if _, err := r.create(ctx); err != nil {
				return false, err
			}
			r.restart()
			return true, nil
		}
		r.say("the build %s has ended without the step %s, and takes no more; this run is not reported (is STEPCAST_BUILD of an earlier build?)", r.id.Build, r.key)
		r.gone = true
		return true, nil
	case ci.StatusFinal:
		return r.mendStatus(b, refused)
	}
	if refused.status == http.StatusRequestEntityTooLarge && slices.ContainsFunc(b.updates, func(u update) bool { return u.note != nil }) {
		r.mendNotes(ctx, refused)
		return true, nil
	}
	return false, refused
}

// mendNotes gives the notes that the server has not, or none any more.
func (r *Report) mendNotes(ctx context.Context, refused *refusal) {
	if refused.code == ci.NoteGap && refused.number != nil && r.rewindNotes(ctx, *refused.number) {
		return
	}
	r.say("what was found in the log of step %s, such as test results, is not kept: %v", r.key, refused)
	r.notes.stop()
}

func (r *Report) mendStatus(b *batch, refused *refusal) (bool, error) {
	i := refused.index
	if i < 0 || i >= len(b.updates) || b.updates[i].text != nil {
		return false, refused
	}
	if b.updates[i].step != nil && refused.present == ci.Skipped {
		// Somebody said so, and it was no guess of the server's: this is another.
		r.key = r.nextKey()
		r.sayOnce("key "+string(r.key), "the step %s was skipped; this is reported as %s", r.id.Step, r.key)
		r.restart()
		return true, nil
	}
	if b.updates[i].step != nil {
		r.say("the step %s is %s already and stays so", r.key, refused.present)
		r.settled = true
		return true, nil
	}
	r.say("the build is %s already and stays so", refused.present)
	r.finished = true
	return true, nil
}

// createAgain creates a build that the server does not know any more, once,
// and says all of the step again.
func (r *Report) createAgain(ctx context.Context, refused *refusal) (bool, error) {
	if r.recreated {
		return false, refused
	}
	r.recreated = true
	if _, err := r.create(ctx); err != nil {
		return false, err
	}
	r.say("the server does not know the build any more; it is created again")
	r.restart()
	r.othersAgain()
	return true, nil
}

// othersAgain has what this machine reported of the build delivered again; once.
func (r *Report) othersAgain() {
	select {
	case r.forgotten <- r.id.Build:
	default: // it was, or nobody would
	}
}

// persist repeats a request about the build until it is answered for good or
// ctx ends.
func (r *Report) persist(ctx context.Context, request func(*Client) error) error {
	if r.failing.IsZero() {
		r.pause = backoff{awaited: r.over}
	}
	for {
		began := time.Now()
		var refused *refusal
		err := r.client.about(ctx, r.id.Project, r.id.Build, request)
		switch {
		case errors.Is(err, errTooLong):
			return err
		case err == nil || !Passing(err):
			if err == nil || errors.As(err, &refused) && refused.code != "" {
				r.sayBack()
			}
			r.answered, r.failing = true, time.Time{}
			return err
		}
		if ctx.Err() != nil {
			return err
		}
		r.trouble(began, err)
		r.sayTrouble()
		if r.pause.wait(ctx, err) != nil {
			return err
		}
	}
}

// trouble tells that the server is away, to which an attempt that began then was in vain.
func (r *Report) trouble(began time.Time, err error) {
	var refused *refusal
	var wait time.Duration // that it asks for
	if errors.As(err, &refused) {
		wait = refused.wait
	}
	if r.failing.IsZero() {
		r.failing = began
		if refused != nil { // it is there, and slow
			r.failing = time.Now()
		}
	}
	var noToken noIDToken
	switch {
	case r.answered && time.Since(r.failing)+wait < patience:
	case errors.As(err, &noToken):
		r.sayOnce("no token", "%v; the command goes on, its log follows when there is one", err)
		r.awayAt = time.Now() // what the server says for want of a token is no news
	case r.left:
		r.sayAway("%s is away (%v); trying again", r.client.URL, err)
	default:
		r.sayAway("%s is away (%v); the command goes on, its log follows when the server is back", r.client.URL, err)
	}
}

// sayAway tells it once for as long as the server is away. One that comes and goes is told
// of once a minute.
func (r *Report) sayAway(format string, args ...any) {
	if r.away || r.opt.Say == nil || !r.awayAt.IsZero() && time.Since(r.awayAt) < sayAwayEvery {
		return
	}
	r.away, r.awayAt = true, time.Now()
	r.opt.Say(fmt.Sprintf(format, args...))
}

// sayBack tells that the server is there again, where it was said that it is away.
func (r *Report) sayBack() {
	if r.away {
		r.away = false
		r.opt.Say(r.client.URL + " is back")
	}
}

// say shows a line, unless it was shown before.
func (r *Report) say(format string, args ...any) {
	r.sayOnce(fmt.Sprintf(format, args...), format, args...)
}

// sayOnce shows one line of a cause, however often that comes back and whatever there is to
// say of it then.
func (r *Report) sayOnce(cause, format string, args ...any) {
	if r.said[cause] || r.opt.Say == nil {
		return
	}
	r.said[cause] = true
	r.opt.Say(fmt.Sprintf(format, args...))
}

func hasCode(err error, code ci.Code) bool {
	var r *refusal
	return errors.As(err, &r) && r.code == code
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
