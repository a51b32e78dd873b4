package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

type stepCmd struct {
	Set stepSetCmd `cmd:"" help:"Say where a step stands, without running anything."`
}

type stepSetCmd struct {
	reporterFlags
	spoolFlags
	Build    string        `help:"The build's id or address. Default: in a CI system, the build of its run." env:"STEPCAST_BUILD" placeholder:"ID" group:"Build"`
	Project  string        `help:"Of which project the build of the run is. Default: the CI system's." env:"STEPCAST_PROJECT" placeholder:"NAME" group:"Build"`
	Status   string        `help:"queued, running, passed, failed, canceled or skipped." placeholder:"STATUS" complete:"queued,running,passed,failed,canceled,skipped"`
	ExitCode *int          `help:"The exit code of what ran." placeholder:"N"`
	Name     string        `help:"What people read." placeholder:"TEXT"`
	Needs    []string      `help:"The keys of the steps that this one comes after." placeholder:"KEY" sep:","`
	Timeout  time.Duration `help:"How long to wait for the server. Default: 60s." default:"60s" placeholder:"TIME"`
	Key      string        `arg:"" help:"The step's key, such as deploy/staging."`
}

// Help is what --help says beyond the flags.
func (c *stepSetCmd) Help() string {
	return `For steps that no command of this machine is: an approval, a job elsewhere. A status goes forward only: queued, running, then one of the others.

  stepcast step set deploy --status running
  stepcast step set deploy --status passed`
}

// Run says it. A build that the server has forgotten is created again of what this
// machine still has of it.
func (c *stepSetCmd) Run(ctx context.Context, std stdio) error {
	if err := ci.CheckStepKey(c.Key); err != nil {
		return usage(std, exitUsage, badKey(err))
	}
	set := runner.StepSet{Key: ci.StepKey(c.Key), Name: c.Name, ExitCode: c.ExitCode}
	if c.Status != "" {
		var err error
		if set.Status, err = ci.ParseReported(c.Status); err != nil {
			return usage(std, exitUsage, sentence(err))
		}
	}
	for _, key := range c.Needs {
		if err := ci.CheckStepKey(key); err != nil {
			return usage(std, exitUsage, sentence(err))
		}
		set.Needs = append(set.Needs, ci.StepKey(key))
	}
	if set.Status == "" && set.Name == "" && set.Needs == nil && set.ExitCode == nil {
		return usage(std, exitUsage, errors.New("what is to be set? Such as --status passed"))
	}
	left, err := c.leftovers(std)
	if err != nil {
		return usage(std, exitUsage, err)
	}
	client, err := c.reporter(std.say, c.Project, c.SpoolDir)
	if err != nil {
		return err
	}
	left.Client, left.Quiet = client, true
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	id, run, err := whichPresent(c.Project, c.Build)
	if err != nil {
		return usage(std, exitUsage, err)
	}
	build, err := presentAgain(ctx, left, id, run)
	switch {
	case errors.Is(err, runner.ErrNoBuild):
		return errors.New("the step was not set: no job of this run has reported anything; begin with `stepcast build start`")
	case err == nil:
		err = client.SetStep(ctx, build.ID, set)
	}
	if err != nil {
		return fmt.Errorf("the step was not set: %w", unanswered(client, err))
	}
	return nil
}
