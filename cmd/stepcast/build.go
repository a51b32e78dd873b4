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
  stepcast build finish`
}

type buildStartCmd struct {
	serverFlags
	describeFlags
	Steps   []string      `help:"The keys of the steps to come, in order." placeholder:"KEY" sep:","`
	Timeout time.Duration `help:"How long to wait for the server." default:"10s" placeholder:"10s"`
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
	client, err := c.client()
	if err != nil {
		return err
	}
	project, details := describe(ctx)
	if c.Project != "" {
		project = c.Project
	}
	given := c.details()
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	id := ci.NewBuildID()
	err = client.StartBuild(ctx, id, project, given.Or(details), steps)
	switch {
	case err != nil && runner.Passing(err) && context.Cause(ctx) == context.DeadlineExceeded:
		fmt.Fprintf(std.Err, "stepcast: %s is away (%v); the build appears when a step of it reaches the server, without the project, branch and planned steps given here: set STEPCAST_PROJECT to keep the project\n", client.URL, err)
	case err != nil:
		return fmt.Errorf("the build was not started: %w", err)
	default:
		fmt.Fprintf(std.Err, "stepcast: watch %s\n", client.BuildURL(id))
	}
	fmt.Fprintln(std.Out, id)
	return nil
}

type buildFinishCmd struct {
	serverFlags
	Status  string        `help:"How it ended: passed, failed or canceled. Default: as its steps did." placeholder:"STATUS"`
	Timeout time.Duration `help:"How long to wait for the server." default:"60s" placeholder:"60s"`
	Build   string        `arg:"" optional:"" env:"STEPCAST_BUILD" help:"The build's id or address."`
}

// Run ends a build.
func (c *buildFinishCmd) Run(ctx context.Context, std stdio) error {
	if c.Build == "" {
		return usage(std, exitUsage, errors.New("which build? Give its id, or set STEPCAST_BUILD"))
	}
	id, err := parseBuild(c.Build)
	if err != nil {
		return usage(std, exitUsage, err)
	}
	status := ci.Status(c.Status)
	switch status {
	case "", ci.Passed, ci.Failed, ci.Canceled:
	default:
		return usage(std, exitUsage, fmt.Errorf("--status is passed, failed or canceled, not %q", c.Status))
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if status == "" {
		build, err := client.GetBuild(ctx, id)
		if err != nil {
			return fmt.Errorf("the build was not finished: %w", unanswered(client, err))
		}
		status = build.Outcome()
	}
	if err := client.FinishBuild(ctx, id, status); err != nil {
		return fmt.Errorf("the build was not finished: %w", unanswered(client, err))
	}
	fmt.Fprintf(std.Err, "stepcast: %s %s\n", status, client.BuildURL(id))
	return nil
}
