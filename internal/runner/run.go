package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// leaveTime is how long after its own report a run goes on with what earlier
// ones left behind.
const leaveTime = 2 * time.Second

// Run runs a command and reports it.
type Run struct {
	Command   Command
	Report    *Report    // nil: the command runs all the same
	Leftovers *Leftovers // delivered beside; nil: none are
	// Tests are the files, as patterns of filepath.Glob, in which the command
	// leaves test results: JUnit XML, TAP, or the events of go test.
	Tests []string
	// DrainTimeout is how long after the command's end the server may take for
	// the rest of the report.
	DrainTimeout time.Duration
	// Say shows one line to the user.
	Say func(line string)
}

// Do runs the command to its end and returns how it ended, after the report has
// been delivered or left to a later run. A signal ends the waiting for the
// server.
func (r *Run) Do(ctx context.Context) Result {
	if r.Report == nil {
		r.Command.Log = func() Log { return nowhere{} }
		return r.told(r.Command.Run())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := make(chan error, 1)
	go func() {
		defer restoreOnPanic()
		sent <- r.Report.Send(ctx)
	}()
	var beside sync.WaitGroup
	syncing, synced := context.WithCancel(context.WithoutCancel(ctx))
	beside.Go(func() { r.Report.Sync(syncing) })
	others, enough := context.WithCancel(ctx)
	beside.Go(func() { r.leftovers(others) })
	again := make(chan struct{})
	beside.Go(func() {
		defer close(again)
		r.again(others)
	})

	results := lookAtResults(r.Tests, r.Report.hideInFile)
	r.Command.Log = r.Report.Stream
	result := r.told(r.Command.Run())
	ended := time.Now() // whatever its results take to be read
	if result.Err != nil {
		r.Report.Note(result.Err.Error())
	}
	r.Report.AddTests(results.read(r.Say))
	r.Report.Finish(Ending{Status: result.Status(), ExitCode: result.Code, At: ended})
	err := r.drain(ctx, cancel, sent)
	if n := r.Report.Dropped(); n > 0 {
		r.Say(fmt.Sprintf("%s of the log were given up: there was no room to keep them until the server could take them", bytesText(n)))
	}
	r.leave(enough, again, err)
	synced()
	beside.Wait()
	if err := r.Report.Close(err == nil); err != nil {
		r.Say(fmt.Sprintf("the spool could not be put away: %v", err))
	}
	return result
}

// leave ends the delivering of what earlier runs left behind, which has a
// little time to end by itself; a signal ends it at once. If the server may
// have forgotten our build, its other steps on this machine come first. The error
// is that of our own report.
func (r *Run) leave(enough context.CancelFunc, again <-chan struct{}, err error) {
	defer enough()
	if r.Leftovers == nil || err != nil && (Passing(err) || refusesAll(err)) { // then no others are taken either
		return
	}
	r.Leftovers.hurry.Store(true)
	if err == nil && r.Report.created && !r.Report.id.Own {
		r.Report.othersAgain()
		select {
		case <-again:
		case <-time.After(max(leaveTime, r.DrainTimeout)):
		case <-r.Command.Signals:
			return
		}
	}
	select {
	case <-r.Leftovers.idle:
	case <-time.After(leaveTime):
	case <-r.Command.Signals:
	}
}

// nowhere is the log of a command that is not reported.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
func (nowhere) Held() int                   { return 0 }

func (r *Run) told(result Result) Result {
	if result.Err != nil {
		r.Say(result.Err.Error())
	}
	return result
}

// leftovers delivers what earlier runs left behind, as far as it goes.
func (r *Run) leftovers(ctx context.Context) {
	if r.Leftovers != nil {
		_, _ = r.Leftovers.Deliver(ctx) // what is left stays where it is, for `flush` to say more
		close(r.Leftovers.idle)
	}
}

// again delivers the build's other steps on this machine, once, when the server
// has forgotten it.
func (r *Run) again(ctx context.Context) {
	if r.Leftovers == nil {
		return
	}
	select {
	case build := <-r.Report.forgotten:
		select {
		case <-r.Leftovers.idle: // which looks at them too, and what somebody looks at is passed over
		case <-time.After(leaveTime):
		case <-ctx.Done():
		}
		_, _ = r.Leftovers.Again(ctx, build)
	case <-ctx.Done():
	}
}

// drain waits for the rest of the report. An error says that not all of it was
// delivered.
func (r *Run) drain(ctx context.Context, cancel context.CancelFunc, sent <-chan error) error {
	if r.DrainTimeout <= 0 {
		cancel()
	}
	hint := time.NewTimer(2 * time.Second)
	defer hint.Stop()
	limit := time.NewTimer(r.DrainTimeout)
	defer limit.Stop()
	for {
		select {
		case err := <-sent:
			if err != nil {
				r.sayLeft(err, ctx.Err() != nil)
			}
			return err
		case <-hint.C:
			r.Say(fmt.Sprintf("waiting up to %v for %s to take the rest of the log; Ctrl-C to leave it", r.DrainTimeout, r.Report.client.URL))
		case <-limit.C:
			cancel()
		case <-r.Command.Signals:
			cancel()
		}
	}
}

// sayLeft says how much the server does not have, and where that waits.
func (r *Run) sayLeft(err error, away bool) {
	what, left := "the end of the step", r.Report.Left()
	where, lost := r.Report.Kept()
	if where != "" {
		left -= lost
	}
	wait, them := "waits", "it"
	if left > 0 {
		what += " and " + bytesText(left) + " of its log"
		wait, them = "wait", "them"
	}
	but := ""
	if lost > 0 {
		but = ", but for " + bytesText(lost) + " that found no room there and are gone"
	}
	switch {
	case away && where == "":
		r.Say(fmt.Sprintf("%s is still away: %s could not be reported", r.Report.client.URL, what))
	case away:
		r.Say(fmt.Sprintf("%s is still away: %s %s in %s%s; `stepcast flush` sends %s, and so does the next `stepcast run`", r.Report.client.URL, what, wait, where, but, them))
	case where != "" && !errors.Is(err, ErrNoBuild):
		r.Say(fmt.Sprintf("%s %s in %s%s; when the cause is gone, `stepcast flush` sends %s", what, wait, where, but, them))
	}
}

func bytesText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	case n == 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
