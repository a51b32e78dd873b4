//go:build !unix

package embedded

import (
	"context"
	"errors"
)

// Server is a running PostgreSQL; there is none on this system.
type Server struct{}

// Start refuses: the supervisor needs Unix signals and process groups.
func Start(context.Context, Config) (*Server, error) {
	return nil, errors.New("stepcast cannot run a PostgreSQL of its own on this system: set STEPCAST_DATABASE_URL to a database")
}

// Running finds none.
func Running(string) (string, error) { return "", errors.ErrUnsupported }

// URL is empty.
func (s *Server) URL() string { return "" }

// PID is 0.
func (s *Server) PID() int { return 0 }

// Run waits for ctx.
func (s *Server) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Stop has nothing to stop.
func (s *Server) Stop() error { return nil }

// DiskFree is not known.
func (s *Server) DiskFree() (uint64, error) { return 0, errors.ErrUnsupported }
