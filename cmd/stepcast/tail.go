package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/runner"
)

type tailCmd struct {
	serverFlags
	Step    []string `help:"Show the log of this step only; may be given several times." placeholder:"KEY" sep:"none"`
	Lines   int      `short:"n" help:"Begin with the last N lines of each step. Default: all." default:"-1" placeholder:"N"`
	Colour  *bool    `name:"color" negatable:"" help:"Let the colours and links of a log through. Default: if stdout is a terminal, and NO_COLOR is not set."`
	Project string   `help:"Of which project the latest build is meant." env:"STEPCAST_PROJECT" placeholder:"NAME"`
	Branch  string   `help:"Of which branch the latest build is meant." placeholder:"NAME"`
	Build   string   `arg:"" optional:"" env:"STEPCAST_BUILD" help:"The build's id, the address of its page, or 'latest'."`
}

// Help is what --help says beyond the flags.
func (c *tailCmd) Help() string {
	return `The log goes to stdout, what happens to the build and its steps to stderr. It goes on by itself when the server was away.

Exit codes: 0 the build passed, 1 it failed, was canceled or lost, 2 there is no such build.`
}

// Run follows the build.
func (c *tailCmd) Run(ctx context.Context, std stdio) error {
	if c.Build == "" {
		return usage(std, exitUsage, errors.New("which build? Give its id, the address of its page, or 'latest'"))
	}
	client, err := c.reader()
	if err != nil {
		return err
	}
	id, err := c.build(ctx, std, client)
	if err != nil {
		return err
	}
	follow := runner.Follow{Client: client, Build: id, Lines: c.Lines}
	for _, key := range c.Step {
		if err := ci.CheckStepKey(key); err != nil {
			return usage(std, exitUsage, sentence(err))
		}
		follow.Steps = append(follow.Steps, ci.StepKey(key))
	}

	p := runner.Printer{Out: std.Out, Status: std.Err, Alone: len(c.Step) == 1}
	if c.Colour != nil {
		p.Colour = *c.Colour
	} else {
		p.Colour = std.Out == os.Stdout && isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == ""
	}
	follow.Handle = p.Handle
	follow.Away = func(err error) {
		p.Say(fmt.Sprintf("%s is away (%v); going on when it is back", client.URL, err))
	}
	err = follow.Do(ctx)
	p.Close()
	switch {
	case errors.Is(err, runner.ErrNoBuild):
		return usage(std, exitUsage, fmt.Errorf("%s has no build %s, or it is not for you to see", client.URL, id))
	case errors.Is(err, context.Canceled):
		return exitCode(130)
	case err != nil:
		return fmt.Errorf("follow the build: %w", err)
	case p.Outcome != ci.Passed:
		return exitCode(exitFailed)
	}
	return nil
}

// build reads which build is meant.
func (c *tailCmd) build(ctx context.Context, std stdio, client *runner.Client) (ci.BuildID, error) {
	if c.Build != "latest" {
		id, err := parseBuild(c.Build)
		if err != nil {
			return id, usage(std, exitUsage, err)
		}
		return id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	b, err := client.LatestBuild(ctx, c.Project, c.Branch)
	switch {
	case errors.Is(err, runner.ErrNoBuild):
		return b.ID, usage(std, exitUsage, errors.New("there is no build yet"))
	case err != nil:
		return b.ID, unanswered(client, err)
	}
	return b.ID, nil
}
