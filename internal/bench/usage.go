//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// watched is what a server had used when somebody began to watch it.
type watched struct {
	s       *server
	pgPID   int
	at      time.Time
	cpu, pg time.Duration
}

// used is the CPU time of a server and, apart from it, of its PostgreSQL.
type used struct {
	server, pg, of time.Duration
}

func (u used) String() string {
	return fmt.Sprintf("CPU in %.1f s: server %.2f s, PostgreSQL %.2f s", u.of.Seconds(), u.server.Seconds(), u.pg.Seconds())
}

func watch(s *server) (*watched, error) {
	pid, err := s.postgresPID()
	if err != nil {
		return nil, err
	}
	cpu, err1 := cpuOf(s.pid())
	pg, err2 := cpuBelow(pid)
	return &watched{s, pid, time.Now(), cpu, pg}, errors.Join(err1, err2)
}

func (w *watched) since() (used, error) {
	cpu, err1 := cpuOf(w.s.pid())
	pg, err2 := cpuBelow(w.pgPID)
	return used{cpu - w.cpu, pg - w.pg, time.Since(w.at)}, errors.Join(err1, err2)
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connect opens a session on the server's own PostgreSQL.
func (s *server) connect(ctx context.Context) (*pgx.Conn, error) {
	url, err := s.databaseURL()
	if err != nil {
		return nil, err
	}
	return pgx.Connect(ctx, url)
}
