package main

import (
	"context"
	"errors"
)

type tailCmd struct {
	Build string `arg:"" help:"The build id."`
}

// Run follows the build.
func (c *tailCmd) Run(ctx context.Context, std stdio) error {
	return errors.New("tail: not built yet")
}
