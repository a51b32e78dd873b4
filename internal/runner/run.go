package runner

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Run runs a command and reports it.
type Run struct {
	Command Command
	Report  *Report // nil: the command runs all the same
	// DrainTimeout is how long after the command's end the server may take for
	// the rest of the report.
	DrainTimeout time.Duration
	// Say shows one line to the user.
	Say func(line string)
}

// Do runs the command to its end and returns how it ended, after the report has
// been delivered or given up. A signal ends the waiting for the server.
func (r *Run) Do(ctx context.Context) Result {
	if r.Report == nil {
		r.Command.Log = io.Discard
		return r.told(r.Command.Run())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- r.Report.Send(ctx) }()

	r.Command.Log = r.Report
	result := r.told(r.Command.Run())
	if result.Err != nil {
		fmt.Fprintf(r.Report, "stepcast: %v\n", result.Err)
	}
	r.Report.Finish(Ending{Status: result.Status(), ExitCode: result.Code, At: time.Now()})
	r.drain(ctx, cancel, sent)
	if n := r.Report.Dropped(); n > 0 {
		r.Say(fmt.Sprintf("%s of the log were given up: more had to wait for the server than the buffer holds", bytesText(n)))
	}
	return result
}

func (r *Run) told(result Result) Result {
	if result.Err != nil {
		r.Say(result.Err.Error())
	}
	return result
}

// drain waits for the rest of the report.
func (r *Run) drain(ctx context.Context, cancel context.CancelFunc, sent <-chan error) {
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
			if err != nil && ctx.Err() != nil {
				what := "the end of the step"
				if left := r.Report.Left(); left > 0 {
					what += " and " + bytesText(left) + " of its log"
				}
				r.Say(fmt.Sprintf("%s is still away: %s could not be reported", r.Report.client.URL, what))
			}
			return
		case <-hint.C:
			r.Say(fmt.Sprintf("waiting up to %v for %s to take the rest of the log; Ctrl-C to leave it", r.DrainTimeout, r.Report.client.URL))
		case <-limit.C:
			cancel()
		case <-r.Command.Signals:
			cancel()
		}
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
