package main

import (
	"context"
	"errors"
)

type runCmd struct {
	Command []string `arg:"" passthrough:"" help:"The command and its arguments, after --."`
}

// Run runs the command.
func (c *runCmd) Run(ctx context.Context, std stdio) error {
	return errors.New("run: not built yet")
}
