//go:build linux

package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const singleClients = 32

// clock counts what clients do between a warm-up and the end.
type clock struct {
	from, until time.Time
	done        atomic.Int64
}

func newClock(d time.Duration) *clock {
	from := time.Now().Add(d / 10)
	return &clock{from: from, until: from.Add(d)}
}

// tick counts one thing done, and says whether there is time for another.
func (c *clock) tick() bool {
	now := time.Now()
	if now.After(c.from) && now.Before(c.until) {
		c.done.Add(1)
	}
	return now.Before(c.until)
}

func (c *clock) perSecond() float64 {
	return float64(c.done.Load()) / c.until.Sub(c.from).Seconds()
}

func measureSingles(ctx context.Context, r *round) ([]value, error) {
	lines := newSample(2, 2_000, 1, 128)
	shared, cpu, err := r.postSingles(ctx, lines, "server")
	if err != nil {
		return nil, err
	}
	each, _, err := r.postSingles(ctx, lines, "each", commitEach...)
	if err != nil {
		return nil, err
	}
	inserts, err := r.insertSingles(ctx, lines)
	if err != nil {
		return nil, err
	}
	v := []value{
		{got: shared, reference: inserts, ratio: shared / inserts, note: cpu},
		{got: shared, reference: each, ratio: shared / max(each, 1)},
	}
	if each == 0 {
		v[1] = value{skipped: "the server has no STEPCAST_COMMITTERS, which would give each of 32 builds a committer of its own"}
	}
	return v, nil
}

// commitEach makes a server commit each of the clients' posts by itself: with
// a committer for every build, and one request at a time for each build, there
// is nothing that a commit could be shared with.
var commitEach = []string{fmt.Sprintf("STEPCAST_COMMITTERS=%d", singleClients)}

// postSingles returns how many single-line posts a second the server takes, or
// 0 when it does not know the settings in env.
func (r *round) postSingles(ctx context.Context, lines *sample, name string, env ...string) (float64, string, error) {
	srv, err := r.startServerAt(ctx, name, env...)
	if err != nil {
		return 0, "", err
	}
	defer srv.stop()
	builds, err := srv.createBuilds(ctx, singleClients)
	if err != nil {
		return 0, "", err
	}
	use, err := watch(srv)
	if err != nil {
		return 0, "", err
	}
	var posts atomic.Int64 // those of the warm-up included
	clock := newClock(r.size.duration)
	var group errgroup.Group
	for i, build := range builds {
		p, err := newPoster(srv, build, "test")
		if err != nil {
			return 0, "", err
		}
		defer p.close()
		group.Go(func() error {
			for k := i; clock.tick() && ctx.Err() == nil; k++ {
				if err := p.post(lines.pieces[k%len(lines.pieces)]); err != nil {
					return err
				}
				posts.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, "", err
	}
	used, err := use.since()
	if err != nil {
		return 0, "", err
	}
	if len(env) > 0 {
		if known, err := commitsEach(ctx, srv); err != nil || !known {
			return 0, "", err
		}
	}
	each := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(posts.Load()) }
	note := fmt.Sprintf("%s; a post: server %.0f µs, PostgreSQL %.0f µs", used, each(used.server), each(used.pg))
	return clock.perSecond(), note, nil
}

const writersSQL = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stepcast-write'`

// commitsEach says whether each of the clients' builds had a connection of its
// own to be committed on.
func commitsEach(ctx context.Context, s *server) (bool, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	var n int
	err = conn.QueryRow(ctx, writersSQL).Scan(&n)
	return n >= singleClients, err
}

// insertSingles returns how many rows a second as many connections insert, one
// a transaction.
func (r *round) insertSingles(ctx context.Context, lines *sample) (float64, error) {
	ref, err := r.startReference(ctx)
	if err != nil {
		return 0, err
	}
	defer ref.stop()
	conns := make([]*pgx.Conn, singleClients)
	for i := range conns {
		if conns[i], err = pgx.Connect(ctx, ref.pg.URL()); err != nil {
			return 0, err
		}
		defer conns[i].Close(ctx)
	}
	clock := newClock(r.size.duration)
	var group errgroup.Group
	for i, conn := range conns {
		group.Go(func() error {
			for k := i; clock.tick(); k++ {
				line := string(lines.pieces[k%len(lines.pieces)].escaped)
				if _, err := conn.Exec(ctx, `INSERT INTO lines (build, line, text) VALUES ($1, $2, $3)`, i, k, line); err != nil {
					return fmt.Errorf("insert: %w", err)
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return clock.perSecond(), err
}
