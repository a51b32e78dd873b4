package runner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/spool"
)

// Leftovers delivers what earlier runs on this machine left behind.
type Leftovers struct {
	Client *Client
	Root   string // where spools lie
	Spool  spool.Options
	Say    func(line string) // shows one line to the user
	hurry  atomic.Bool       // nothing that can wait is begun any more
	idle   chan struct{}     // closed by a run when Deliver has ended

	// Quiet is for a run that does this beside: it says only what is lost for
	// good, and looks only at the oldest of what was delivered.
	Quiet bool
}

// NewLeftovers returns what earlier runs left in a root, to be delivered with
// the client.
func NewLeftovers(client *Client, root string, opt spool.Options, say func(string)) *Leftovers {
	return &Leftovers{Client: client, Root: root, Spool: opt, Say: say, idle: make(chan struct{})}
}

// Tally is what became of the spools of a root.
type Tally struct {
	Delivered int   // reports that the server has now, and had not before
	Waiting   int   // reports that it has not
	Bytes     int64 // of their logs that it has not
	Busy      int   // reports of runs that go on
	Elsewhere int   // reports for other servers
	GivenUp   int   // reports that waited for too long, or whose build takes no more

	Servers []string // addresses of those elsewhere
}

// maxTidied is how many reports that were delivered before a run looks at: on a
// machine that has many, each run looks at the oldest.
const maxTidied = 20

// Deliver delivers one report after the other, the oldest first, until each is
// delivered or refused, or ctx ends. Reports of runs that go on are their own
// business. What was delivered before is only looked at: when its build has ended,
// it is removed.
func (l *Leftovers) Deliver(ctx context.Context) (Tally, error) {
	seen := make(map[ci.BuildID]*BuildState)
	return l.each(ctx, l.Quiet, func(ctx context.Context, r *Report) error { return l.bring(ctx, r, seen) })
}

// DeliverBuild delivers what is left of one build, or of the builds of a CI
// system's run, and what the server had of it and has not any more.
func (l *Leftovers) DeliverBuild(ctx context.Context, build ci.BuildID, run string) (Tally, error) {
	seen := make(map[ci.BuildID]*BuildState)
	return l.each(ctx, false, func(ctx context.Context, r *Report) error {
		if r.id.Build != build && (run == "" || r.id.Run != run) {
			return errNotThis
		}
		if r.spool.WasDelivered() && seen[r.id.Build] == nil {
			// Who ends the build has to know whether it lacks this.
			build, err := l.Client.GetBuild(ctx, r.id.Build)
			if IsNotFound(err) {
				return errNotThis // all of it comes again; see Again
			} else if err != nil {
				return err
			}
			seen[r.id.Build] = &build
		}
		return l.bring(ctx, r, seen)
	})
}

// bring delivers a report, and looks after one that was delivered. Builds that the
// server was asked for are kept in seen.
func (l *Leftovers) bring(ctx context.Context, r *Report, seen map[ci.BuildID]*BuildState) error {
	if r.spool.WasDelivered() {
		return l.tidy(ctx, r, seen)
	}
	return l.deliver(ctx, r)
}

// Again delivers what the server had of a build and has forgotten.
func (l *Leftovers) Again(ctx context.Context, build ci.BuildID) (Tally, error) {
	return l.each(ctx, false, func(ctx context.Context, r *Report) error {
		if r.id.Build != build || ctx.Err() != nil {
			return errNotThis
		}
		r.spool.Undelivered()
		return l.deliver(ctx, r)
	})
}

// Forget removes what is kept of a build in case that the server forgets it:
// it has ended.
func (l *Leftovers) Forget(build ci.BuildID) {
	_, _ = l.each(context.Background(), false, func(_ context.Context, r *Report) error {
		if r.id.Build != build || !r.spool.WasDelivered() {
			return errNotThis
		}
		return r.spool.Remove()
	})
}

// What a visitor of each may say of a spool beside that it failed.
var (
	errNotThis   = errors.New("not this one")
	errDelivered = errors.New("delivered")
	errGivenUp   = errors.New("given up")
)

// each opens one spool after the other, as the report that it is; of those that
// were delivered a few, or all. Once ctx has ended, or what the server says to one
// it says to all, visits go on with a context that has ended: the rest is counted.
func (l *Leftovers) each(ctx context.Context, few bool, visit func(context.Context, *Report) error) (t Tally, first error) {
	dirs, err := spool.List(l.Root)
	if err != nil {
		return t, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	kept := 0
	for _, dir := range dirs {
		stopped := ctx.Err() != nil
		if stopped && few {
			return t, first // nobody asks for the count
		}
		if spool.IsDelivered(dir) {
			if kept++; few && kept > maxTidied {
				continue
			}
		}
		s, err := spool.Open(dir, l.Spool)
		switch {
		case errors.Is(err, spool.ErrLocked):
			t.Busy++
			continue
		case errors.Is(err, spool.ErrGone):
			continue
		case err != nil:
			first = errors.Join(first, err)
			continue
		}
		err = l.one(ctx, s, visit, &t)
		s.Close()
		if !stopped {
			first = errors.Join(first, err)
		}
		if refusesAll(err) && l.Client.Exchange == nil { // else each build has a token of its own
			stop()
		}
	}
	return t, first
}

// refusesAll tells whether what was said to one report will be said to all. That
// the token is for other projects is not.
func refusesAll(err error) bool {
	var r *refusal
	return errors.As(err, &r) && (r.status == http.StatusUnauthorized || r.code == ci.TokenScope)
}

func (l *Leftovers) one(ctx context.Context, s *spool.Spool, visit func(context.Context, *Report) error, t *Tally) error {
	if len(s.Entries()) == 0 && s.End() == 0 {
		return s.Remove() // its owner was killed before it had said anything
	}
	old := ctx.Err() == nil && s.TooOld() // what is only counted was not tried
	say := l.Say
	if l.Quiet {
		say = nil
	}
	r, err := Resume(l.Client, s, say)
	switch {
	case err != nil && old:
		return s.Remove()
	case err != nil:
		return err
	case old:
		if !s.WasDelivered() {
			t.GivenUp++
			l.Say(fmt.Sprintf("%s of the log of step %s of build %s were given up: they waited for too long", bytesText(s.End()), r.key, r.id.Build))
		}
		return s.Remove()
	case r.id.Server != l.Client.URL:
		t.Elsewhere++
		if !slices.Contains(t.Servers, r.id.Server) {
			t.Servers = append(t.Servers, r.id.Server)
		}
		return nil
	}
	switch err = visit(ctx, r); {
	case errors.Is(err, errNotThis):
		return nil
	case errors.Is(err, errDelivered):
		t.Delivered++
		return nil
	case errors.Is(err, errGivenUp):
		t.GivenUp++
		return nil
	case err != nil:
		t.Waiting++
		t.Bytes += r.Left()
	}
	return err
}

func (l *Leftovers) deliver(ctx context.Context, r *Report) error {
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	if err := r.Send(ctx); err != nil {
		return err
	}
	if r.recreated {
		_, _ = l.Again(ctx, r.id.Build) // those before it were passed: the build was not there
	}
	if r.gone { // it was said
		return errors.Join(errGivenUp, r.Close(true))
	}
	if !l.Quiet {
		what := "the rest of step"
		if r.ending == nil {
			what = "what there is of step"
		}
		l.Say(fmt.Sprintf("delivered %s %s of %s", what, r.key, l.Client.BuildURL(r.id.Build)))
	}
	if err := r.Close(true); err != nil {
		return err
	}
	return errDelivered
}

// tidy removes what was delivered of a build that has ended, and delivers it
// again to a server that has less of it, because a backup was restored.
func (l *Leftovers) tidy(ctx context.Context, r *Report, seen map[ci.BuildID]*BuildState) error {
	build := seen[r.id.Build]
	if build == nil {
		if l.hurry.Load() {
			return errNotThis // a later run looks again
		}
		build = &BuildState{}
		if l.Client.about(ctx, r.id.Project, r.id.Build, func(c *Client) error {
			return c.do(ctx, http.MethodGet, "/api/v1/builds/"+r.id.Build.String(), nil, build)
		}) != nil {
			return errNotThis
		}
		seen[r.id.Build] = build
	}
	less := !build.Status.Final() // unless it has the step
	for _, s := range build.Steps {
		if s.Key == r.key {
			less = s.LogBytes < r.spool.End() || r.ending != nil && !s.Status.Final()
		}
	}
	if less && !r.spool.IsFinal() {
		r.spool.Undelivered()
		return l.deliver(ctx, r)
	}
	if build.Status.Final() || build.Status == ci.Lost {
		return r.spool.Remove()
	}
	return errNotThis
}

// known is what the reports in a root, those of runs that go on too, have of a build.
type known struct {
	steps []newStep  // that they are of, the oldest first
	build *described // what the newest that has learnt it says; nil: none has
}

// knownOf reads them, those for that server. What cannot be read says nothing.
func knownOf(server string, build ci.BuildID, root string) (k known) {
	dirs, _ := spool.List(root)
	for _, dir := range dirs {
		kept, _ := spool.Journal(dir)
		j, _ := readJournal(kept)
		if j.joined != nil {
			j.id.Build, j.id.Step = j.joined.Build, j.joined.Step
		}
		if j.id.Build != build || j.id.Server != server {
			continue
		}
		k.steps = append(k.steps, newStep{Key: j.id.Step, Name: j.id.Name})
		if d := j.described; d != nil && (k.build == nil || d.StartedAt != nil) {
			k.build = d
		}
	}
	return k
}
