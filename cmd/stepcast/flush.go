package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

type flushCmd struct {
	reporterFlags
	spoolFlags
	Timeout time.Duration `help:"How long to wait for the server. Default: 60s." default:"60s" placeholder:"TIME"`
}

// Help is what --help says beyond the flags.
func (c *flushCmd) Help() string {
	return `'stepcast run' keeps on disk what the server does not have yet. When it ended before the server took everything, or was killed, this sends the rest; the next 'stepcast run' on this machine does too. What waited for a day is given up.

Exit codes: 0 nothing is left, 1 something is; the last line says how much, and where.`
}

// Run delivers what was left behind.
func (c *flushCmd) Run(ctx context.Context, std stdio) error {
	left, err := c.leftovers(std)
	if err != nil {
		return usage(std, exitUsage, err)
	}
	if left.Client, err = c.reporter(std.say, "", c.SpoolDir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	t, err := left.Deliver(ctx)
	if t.Elsewhere > 0 {
		left.Say(fmt.Sprintf("%s in %s for another server: name it with --url %s", reports(t.Elsewhere), left.Root, strings.Join(t.Servers, " or --url ")))
	}
	if t.Busy > 0 {
		left.Say(fmt.Sprintf("%s of a run that still goes on, and sent by it", reports(t.Busy)))
	}
	switch {
	case t.Waiting == 0 && t.Elsewhere > 0:
		return exitCode(exitFailed)
	case t.Waiting > 0:
		left.Say(fmt.Sprintf("%s left in %s, %d bytes of logs", reports(t.Waiting), left.Root, t.Bytes))
		return exitCode(exitFailed)
	case err != nil && !errors.Is(err, context.Canceled):
		return fmt.Errorf("look for what was left behind: %w", err)
	case t.Delivered == 0 && t.Elsewhere+t.Busy+t.GivenUp == 0:
		left.Say("nothing was left behind")
	}
	return nil
}

func reports(n int) string {
	if n == 1 {
		return "one report is"
	}
	return fmt.Sprintf("%d reports are", n)
}
