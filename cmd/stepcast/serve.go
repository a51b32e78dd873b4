package main

import (
	"context"
	"errors"
)

// serveCmd runs the server.
type serveCmd struct{}

// Run serves until the context ends.
func (c *serveCmd) Run(ctx context.Context, std stdio) error {
	return errors.New("serve: not built yet")
}
