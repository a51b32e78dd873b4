package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

type buildCmd struct {
	Start  buildStartCmd  `cmd:"" help:"Start a build of several steps and print its id."`
	Finish buildFinishCmd `cmd:"" help:"End a build."`
}

// Help is what --help says beyond the flags.
func (c *buildCmd) Help() string {
	return `A pipeline of several steps:

  export STEPCAST_BUILD=$(stepcast build start --steps lint,test)
  stepcast run --step lint -- make lint
  stepcast run --step test -- make test
  stepcast build finish

The steps may run on several machines, and side by side.`
}

type buildStartCmd struct {
	reporterFlags
	describeFlags
	Steps   []string      `help:"The keys of the steps to come, in order. They show as queued until they run." placeholder:"KEY" sep:","`
	Eval    bool          `help:"Print lines for eval \"$(…)\", which set STEPCAST_BUILD and STEPCAST_URL, instead of the id."`
	Timeout time.Duration `help:"How long to wait for the server. Default: 10s." default:"10s" placeholder:"TIME"`
}

// Help is what --help says beyond the flags.
func (c *buildStartCmd) Help() string {
	return `The id goes to stdout, where to watch to stderr.

  export STEPCAST_BUILD=$(stepcast build start --project acme/api --steps lint,test)`
}

// Run starts a build: its id goes to stdout, its address to stderr. If the
// server is away, the id is good all the same: the first `run` that reaches
// the server makes the build, of what it knows itself.
func (c *buildStartCmd) Run(ctx context.Context, std stdio) error {
	if err := c.check(); err != nil {
		return usage(std, exitUsage, err)
	}
	var steps []ci.StepKey
	for _, key := range c.Steps {
		key = strings.TrimSpace(key)
		if err := ci.CheckStepKey(key); err != nil {
			return usage(std, exitUsage, sentence(err))
		}
		steps = append(steps, ci.StepKey(key))
	}
	w, err := c.which("")
	if err != nil {
		return usage(std, exitUsage, err)
	}
	client, err := c.reporter(std.say, w.project, "")
	if err != nil {
		return err
	}
	project, details := describe(ctx)
	if w.project != "" {
		project = w.project
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	id, err := client.StartBuild(ctx, w.id, w.run, project, w.details.Or(details), steps)
	switch {
	case err != nil && runner.Passing(err) && context.Cause(ctx) == context.DeadlineExceeded:
		fmt.Fprintf(std.Err, "stepcast: %s is away (%v); the build appears when a step of it reaches the server, without the project, branch and planned steps given here: set STEPCAST_PROJECT to keep the project\n", client.URL, err)
	case err != nil:
		return fmt.Errorf("the build was not started: %w", err)
	default:
		fmt.Fprintf(std.Err, "stepcast: watch %s\n", client.BuildURL(id))
	}
	if c.Eval {
		fmt.Fprintf(std.Out, "export STEPCAST_BUILD=%s\nexport STEPCAST_URL=%s\n", id, runner.CommandLine([]string{client.URL}))
		return nil
	}
	fmt.Fprintln(std.Out, id)
	return nil
}

type buildFinishCmd struct {
	reporterFlags
	spoolFlags
	Status  string        `help:"How it ended: passed, failed, canceled, or auto: as its steps did. Default: auto." placeholder:"STATUS" default:"auto" complete:"passed,failed,canceled,auto"`
	Project string        `help:"Of which project the build of the run is. Default: the CI system's." env:"STEPCAST_PROJECT" placeholder:"NAME"`
	Timeout time.Duration `help:"How long to wait for the server. Default: 60s." default:"60s" placeholder:"TIME"`
	Build   string        `arg:"" optional:"" env:"STEPCAST_BUILD" help:"The build's id, or the address of its page. Default: in a CI system, the build of its run."`
}

// Help is what --help says beyond the flags.
func (c *buildFinishCmd) Help() string {
	return `With auto, the build failed if a step failed or was lost, else it was canceled if a step was, else it passed. Steps that never ran are skipped.

  stepcast build finish
  stepcast build finish --status canceled 0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10`
}

// Run ends a build. One that the server has forgotten is created again of what
// this machine still has of it.
func (c *buildFinishCmd) Run(ctx context.Context, std stdio) error {
	status := ci.Status(c.Status)
	switch status {
	case "", "auto", ci.Passed, ci.Failed, ci.Canceled:
	default:
		return usage(std, exitUsage, fmt.Errorf("--status is passed, failed, canceled or auto, not %q", c.Status))
	}
	left, err := c.leftovers(std)
	if err != nil {
		return usage(std, exitUsage, err)
	}
	client, err := c.reporter(std.say, c.Project, c.SpoolDir)
	if err != nil {
		return err
	}
	left.Client = client
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	id, run, err := whichPresent(c.Project, c.Build)
	if err != nil {
		return usage(std, exitUsage, err)
	}
	left.Quiet = true
	// How its steps ended is said by those of this machine first.
	waiting, _ := left.DeliverBuild(ctx, id, run)
	build, err := presentAgain(ctx, left, id, run)
	if auto := status == "" || status == "auto"; err == nil && auto && waiting.Waiting > 0 {
		return fmt.Errorf("the build was not finished: %s still in %s, and without them it is not known how it ended; run `stepcast flush` and finish it again, or say --status", reports(waiting.Waiting), left.Root)
	}
	switch {
	case errors.Is(err, runner.ErrEnded):
		fmt.Fprintf(std.Err, "stepcast: %v\n", err)
		return nil
	case errors.Is(err, runner.ErrNoBuild):
		return errors.New("the build was not finished: no job of this run has reported anything")
	case err != nil:
		return fmt.Errorf("the build was not finished: %w", unanswered(client, err))
	}
	if status == "" || status == "auto" {
		status = build.Outcome()
	}
	if err := client.FinishBuild(ctx, build.ID, status); err != nil {
		return fmt.Errorf("the build was not finished: %w", unanswered(client, err))
	}
	left.Forget(build.ID)
	fmt.Fprintf(std.Err, "stepcast: %s %s\n", status, client.BuildURL(build.ID))
	return nil
}
