package runner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

const (
	flushBytes = 64 << 10               // so much text is sent at once
	flushAfter = 100 * time.Millisecond // the first unsent byte waits no longer
	flushPause = 10 * time.Millisecond  // nor less, so that one print is one request
	beatEvery  = 30 * time.Second
	// patience is how long a server that has answered before may be away
	// until we say so.
	patience = 5 * time.Second
	// DefaultBuffer is how much text may wait for the server, in bytes.
	DefaultBuffer = 64 << 20
)

// ReportOptions say what is reported, and as what.
type ReportOptions struct {
	Build   ci.BuildID
	Own     bool   // the build is this step's alone: it begins and ends with it
	Project string // of the build, if it has to be created; empty: Describe's
	Details Details
	Step    ci.StepKey
	Name    string // what people read: the command line
	Buffer  int64  // bytes of text that may wait for the server; 0: DefaultBuffer
	Watch   bool   // say where to watch, once there is something

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
// Write and Finish never wait for the server; Send does.
type Report struct {
	client  *Client
	opt     ReportOptions
	box     *outbox
	started time.Time

	mu     sync.Mutex
	ending *Ending

	acked   atomic.Int64 // bytes of the log that the server has
	dropped atomic.Int64 // bytes of the log that it never will

	// Of the goroutine that sends.
	key       ci.StepKey
	begun     bool
	begins    bool      // the build begins with this step
	proofless bool      // log_bytes is not sent
	lastBatch time.Time // when the last batch was put together
	lastBeat  time.Time
	taken     bool      // the server has something of the step
	answered  bool      // the server has answered once
	failing   time.Time // since when it has not
	said      map[string]bool
}

// NewReport begins the report of a step that starts now.
func NewReport(client *Client, opt ReportOptions) *Report {
	if opt.Buffer == 0 {
		opt.Buffer = DefaultBuffer
	}
	return &Report{client: client, opt: opt, box: newOutbox(opt.Buffer), key: opt.Step, started: time.Now(), said: make(map[string]bool)}
}

// Write takes log text. It never fails and keeps no reference to p.
func (r *Report) Write(p []byte) (int, error) {
	r.box.append(p, time.Now())
	return len(p), nil
}

// Finish ends the step: text that comes later is not part of its log.
func (r *Report) Finish(e Ending) {
	r.mu.Lock()
	r.ending = &e
	r.mu.Unlock()
	r.box.seal()
}

// Left tells how many bytes of the log the server does not have yet.
func (r *Report) Left() int64 {
	r.box.mu.Lock()
	defer r.box.mu.Unlock()
	return r.box.end - r.acked.Load()
}

// Dropped tells how many bytes of the log were given up because the buffer was
// full.
func (r *Report) Dropped() int64 { return r.dropped.Load() }

// Send sends until the server has everything (nil), refuses the report for
// good (said to the user; the text is dropped from then on), or ctx ends. It is
// called once.
func (r *Report) Send(ctx context.Context) error {
	err := r.open(ctx)
	for done := false; err == nil && !done; {
		r.waitDue(ctx)
		b := r.gather()
		err = r.deliver(ctx, b)
		done = b.final
		if err == nil && !r.taken {
			r.taken = true
			if r.opt.Watch {
				r.say("watch %s", r.client.BuildURL(r.opt.Build))
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		r.box.discard()
		r.sayRefused(err)
	}
	return err
}

func (r *Report) sayRefused(err error) {
	what, hint := "nothing of this run is reported", ""
	if r.taken {
		what = "the rest of this run is not reported"
	}
	var refused *refusal
	if errors.As(err, &refused) && (refused.status == http.StatusUnauthorized || refused.status == http.StatusForbidden) {
		hint = "; check --token or STEPCAST_TOKEN"
	}
	r.say("%s: %v%s", what, err, hint)
}

// open makes sure that the build exists, and settles the step's key.
func (r *Report) open(ctx context.Context) error {
	if !r.opt.Own {
		err := r.join(ctx)
		if !errors.Is(err, ErrNoBuild) {
			return err
		}
		// Its `build start` may not have reached the server: make up for it.
	}
	if r.opt.Describe != nil {
		project, d := r.opt.Describe(ctx)
		if r.opt.Project == "" {
			r.opt.Project = project
		}
		r.opt.Details = r.opt.Details.Or(d)
	}
	r.begins = true
	b := newBuild{ID: r.opt.Build, Project: r.opt.Project, Details: r.opt.Details.tidy(), Status: ci.Running}
	if r.opt.Own {
		b.Steps = []newStep{{Key: r.key, Name: printable(r.opt.Name, ci.MaxTitle)}}
	}
	body := mustJSON(b)
	return r.persist(ctx, func() error {
		return r.client.do(ctx, http.MethodPost, "/api/v1/builds", body, nil)
	})
}

// join looks at the build that the step is to be part of. A step that was
// tried before is a new step.
func (r *Report) join(ctx context.Context) error {
	var build BuildState
	err := r.persist(ctx, func() error {
		return r.client.do(ctx, http.MethodGet, "/api/v1/builds/"+r.opt.Build.String(), nil, &build)
	})
	if hasCode(err, ci.NotFound) {
		return ErrNoBuild
	}
	if err != nil {
		return err
	}
	r.begins = build.Status == ci.Queued
	taken := make(map[ci.StepKey]bool)
	for _, s := range build.Steps {
		taken[s.Key] = s.Status != ci.Queued || s.LogBytes > 0
	}
	for n := 2; taken[r.key]; n++ {
		r.key = ci.StepKey(fmt.Sprintf("%s-%d", r.opt.Step, n))
	}
	if r.key != r.opt.Step {
		r.say("the step %s has run already; this is reported as %s", r.opt.Step, r.key)
	}
	return nil
}

// waitDue returns when it is time to send: a status or 64 KiB of text at once,
// less text within flushAfter of its first byte, a heartbeat when there was
// none for long.
func (r *Report) waitDue(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n, since := r.box.waiting()
		if !r.begun || r.ended() != nil || n >= flushBytes {
			return
		}
		due := r.lastBeat.Add(beatEvery)
		if n > 0 {
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
		case <-r.box.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (r *Report) ended() *Ending {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ending
}

// gather takes what there is to say into one request.
func (r *Report) gather() *batch {
	now := time.Now()
	ending := r.ended() // first: what came before it is in the outbox
	b := &batch{key: r.key}
	if !r.begun {
		started := ci.Cut(r.started)
		if r.begins {
			// By the server's clock it began when the server heard of it, which
			// may be after its end.
			b.add(update{build: &buildUpdate{Status: ci.Running, StartedAt: &started}})
		}
		b.add(update{step: &stepUpdate{Key: r.key, Name: printable(r.opt.Name, ci.MaxTitle), Status: ci.Running, StartedAt: &started}})
	}
	more := true
	for more && b.room() >= 4<<10 {
		var p piece
		if p, more = r.box.next(b.room()); more {
			b.add(update{text: &p})
			r.dropped.Add(p.lost)
		}
	}
	if ending != nil && !more {
		b.final = true
		at := ci.Cut(ending.At)
		total := r.box.seal()
		end := &stepUpdate{Key: r.key, Status: ending.Status, ExitCode: &ending.ExitCode, FinishedAt: &at, LogBytes: &total}
		if r.proofless {
			end.LogBytes = nil
		}
		b.add(update{step: end})
		if r.opt.Own {
			b.add(update{build: &buildUpdate{Status: ending.Status, FinishedAt: &at}})
		}
	}
	b.alive = !b.final && (!r.begun || now.Sub(r.lastBeat) >= beatEvery)
	if b.alive {
		r.lastBeat = now
	}
	r.begun, r.lastBatch = true, now
	return b
}

// deliver repeats a request until it is stored.
func (r *Report) deliver(ctx context.Context, b *batch) error {
	path := "/api/v1/builds/" + r.opt.Build.String() + "/updates"
	// Each mending takes an update out or fills a hole; a server that is never
	// content is no reason to go round for ever.
	for range ci.MaxUpdates {
		if len(b.updates) == 0 && !b.alive {
			return nil
		}
		body := b.body()
		err := r.persist(ctx, func() error {
			return r.client.do(ctx, http.MethodPost, path, body, nil)
		})
		var refused *refusal
		switch {
		case err == nil:
			for _, u := range b.updates {
				if u.text != nil {
					r.acked.Store(u.text.end())
				}
			}
			return nil
		case !errors.As(err, &refused) || !r.mend(b, refused):
			return err
		}
	}
	return errors.New("the server asks for ever other text")
}

// mend brings a batch that was refused into a form that the server can take;
// false if there is none.
func (r *Report) mend(b *batch, refused *refusal) bool {
	switch refused.code {
	case ci.LogGap:
		// The server has less than it once said: a restored backup. What it
		// lacks was acknowledged and is not kept.
		i := slices.IndexFunc(b.updates, func(u update) bool { return u.text != nil })
		return i >= 0 && r.fill(b, i, refused.offset, b.updates[i].text.offset)
	case ci.LogIncomplete:
		i := slices.IndexFunc(b.updates, func(u update) bool { return u.step != nil && u.step.LogBytes != nil })
		return i >= 0 && r.fill(b, i, refused.offset, *b.updates[i].step.LogBytes)
	case ci.LogLonger:
		r.say("the server has more text of step %s than this run: something else reports it too", r.key)
		r.withoutProof(b)
		return true
	case ci.LogComplete:
		r.say("the log of step %s is closed already; the rest of it is not kept", r.key)
		r.box.discard()
		b.replace(slices.DeleteFunc(slices.Clone(b.updates), func(u update) bool { return u.text != nil }))
		r.withoutProof(b)
		return true
	case ci.StatusFinal:
		i := refused.index
		if i < 0 || i >= len(b.updates) || b.updates[i].text != nil {
			return false
		}
		what := "build"
		if b.updates[i].step != nil {
			what = "step " + string(r.key)
		}
		r.say("the %s is %s already and stays so", what, refused.present)
		b.replace(slices.Delete(slices.Clone(b.updates), i, i+1))
		return true
	}
	return false
}

// fill puts the news before update i that the text from have up to until is
// lost.
func (r *Report) fill(b *batch, i int, have *int64, until int64) bool {
	if have == nil || *have < 0 || *have >= until {
		return false
	}
	r.say("the server lacks text of step %s that it once had; the hole is shown there", r.key)
	r.dropped.Add(until - *have)
	b.replace(slices.Insert(slices.Clone(b.updates), i, update{text: &piece{offset: *have, at: time.Now(), lost: until - *have}}))
	return true
}

func (r *Report) withoutProof(b *batch) {
	r.proofless = true
	for _, u := range b.updates {
		if u.step != nil {
			u.step.LogBytes = nil
		}
	}
	b.replace(b.updates)
}

// persist repeats a request until it is answered for good or ctx ends.
func (r *Report) persist(ctx context.Context, request func() error) error {
	var pause backoff
	for {
		err := request()
		if err == nil || !Passing(err) {
			r.answered, r.failing = true, time.Time{}
			return err
		}
		if ctx.Err() != nil {
			return err
		}
		r.trouble(err)
		if pause.wait(ctx, err) != nil {
			return err
		}
	}
}

// trouble tells, once, that the server is away.
func (r *Report) trouble(err error) {
	now := time.Now()
	if r.failing.IsZero() {
		r.failing = now
	}
	if !r.answered || now.Sub(r.failing) >= patience {
		r.sayOnce("away", "%s is away (%v); the command goes on, its log follows when the server is back", r.client.URL, err)
	}
}

// say shows a line once, however often its cause comes back.
func (r *Report) say(format string, args ...any) { r.sayOnce(format, format, args...) }

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
