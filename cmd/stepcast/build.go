package main

import (
	"context"
	"errors"
)

type buildCmd struct {
	Start  buildStartCmd  `cmd:"" help:"Start a build and print its id."`
	Finish buildFinishCmd `cmd:"" help:"End a build."`
}

type buildStartCmd struct{}

// Run starts a build.
func (c *buildStartCmd) Run(ctx context.Context, std stdio) error {
	return errors.New("build start: not built yet")
}

type buildFinishCmd struct{}

// Run ends a build.
func (c *buildFinishCmd) Run(ctx context.Context, std stdio) error {
	return errors.New("build finish: not built yet")
}
