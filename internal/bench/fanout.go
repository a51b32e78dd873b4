//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// fanoutRow is one build with many readers, and single-line posts at a rate:
// the server's CPU time, all threads, user and system, for each message that
// arrives at a reader, against that of the bare loop. Nothing is subtracted,
// so the server's includes the posts and the commits, but not PostgreSQL's.
func fanoutRow(name string, readers, rate int, limit float64) row {
	return row{
		name:  name,
		about: fmt.Sprintf("%d readers, %d messages a second: CPU a delivered message, against a bare loop of write(2)", readers, rate),
		figures: []figure{{
			name: fmt.Sprintf("fan-out, %d readers, %d/s", readers, rate), unit: "µs", limit: limit, atMost: true,
		}},
		measure: func(ctx context.Context, r *round) ([]value, error) {
			return measureFanout(ctx, r, max(readers/r.size.readers, 2), rate)
		},
	}
}

func measureFanout(ctx context.Context, r *round, readers, rate int) ([]value, error) {
	messages := max(int(r.size.duration.Seconds()*float64(rate)), 8)
	server, size, note, err := r.fanServer(ctx, readers, rate, messages)
	if err != nil {
		return nil, err
	}
	bare, err := r.fanWriter(ctx, readers, rate, messages, size)
	if err != nil {
		return nil, err
	}
	v := value{got: server.Seconds() * 1e6, reference: bare.Seconds() * 1e6, note: note}
	v.ratio = v.got / v.reference
	return []value{v}, nil
}

// fanServer returns the server's CPU time a message, and the size of one.
func (r *round) fanServer(ctx context.Context, readers, rate, messages int) (each time.Duration, size int, note string, err error) {
	srv, err := r.startServer(ctx)
	if err != nil {
		return 0, 0, "", err
	}
	defer srv.stop()
	build, err := srv.createBuild(ctx, 0)
	if err != nil {
		return 0, 0, "", err
	}
	crowd, err := connectReaders(ctx, srv, build, readers)
	if err != nil {
		return 0, 0, "", err
	}
	defer crowd.stop()

	// What the readers cost while nothing happens.
	idle, err := watch(srv)
	if err != nil {
		return 0, 0, "", err
	}
	if err := pause(ctx, r.size.duration/2); err != nil {
		return 0, 0, "", err
	}
	quiet, err := idle.since()
	if err != nil {
		return 0, 0, "", err
	}

	busy, err := watch(srv)
	if err != nil {
		return 0, 0, "", err
	}
	var group errgroup.Group
	var frames, bytes int
	group.Go(func() error {
		return crowd.ask(ctx, fmt.Sprintf("await log %d %d", messages, messages/rate+30), &frames, &bytes)
	})
	group.Go(func() error { return postPaced(ctx, srv, build, rate, messages) })
	if err := group.Wait(); err != nil {
		return 0, 0, "", err
	}
	used, err := busy.since()
	if err != nil {
		return 0, 0, "", err
	}
	if frames != readers*messages {
		return 0, 0, "", fmt.Errorf("%d messages arrived, not %d", frames, readers*messages)
	}
	note = fmt.Sprintf("%d messages of %d bytes; %s; with no messages %s", frames, bytes/frames, used, quiet)
	return used.server / time.Duration(frames), bytes / frames, note, nil
}

// connectReaders starts a process of idle readers of one build.
func connectReaders(ctx context.Context, s *server, build string, n int) (*helper, error) {
	crowd, err := startHelper("readers")
	if err != nil {
		return nil, err
	}
	var connected, frames, bytes int
	if err = crowd.ask(ctx, fmt.Sprintf("connect %s /api/v1/builds/%s/events %d", s.addr, build, n), &connected); err == nil {
		err = crowd.ask(ctx, "await live 1 60", &frames, &bytes)
	}
	if err != nil {
		crowd.stop()
		return nil, err
	}
	return crowd, nil
}

// postPaced posts single lines at a rate. A commit may take longer than the
// pace allows, so at high rates several steps of the build take turns.
func postPaced(ctx context.Context, s *server, build string, rate, messages int) error {
	const perReporter = 50 // a second
	lines := newSample(3, messages, 1, 128).pieces
	reporters := (rate + perReporter - 1) / perReporter
	var group errgroup.Group
	start, pace := time.Now(), time.Second/time.Duration(rate)
	for i := range reporters {
		p, err := newPoster(s, build, fmt.Sprint("step-", i))
		if err != nil {
			return err
		}
		group.Go(func() error {
			defer p.close()
			for k := i; k < messages; k += reporters {
				if err := pause(ctx, time.Until(start.Add(time.Duration(k)*pace))); err != nil {
					return err
				}
				if err := p.post(lines[k]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// fanWriter returns the bare loop's CPU time a message.
func (r *round) fanWriter(ctx context.Context, readers, rate, messages, size int) (time.Duration, error) {
	return r.fanWriterTo(ctx, readers, readers, rate, messages, size)
}

// fanWriterTo is fanWriter when each message goes to some of the readers only.
func (r *round) fanWriterTo(ctx context.Context, readers, some, rate, messages, size int) (time.Duration, error) {
	writer, err := startHelper("writer")
	if err != nil {
		return 0, err
	}
	defer writer.stop()
	crowd, err := startHelper("readers")
	if err != nil {
		return 0, err
	}
	defer crowd.stop()
	var address string
	if err := writer.ask(ctx, "listen", &address); err != nil {
		return 0, err
	}
	var group errgroup.Group
	group.Go(func() error { return crowd.ask(ctx, fmt.Sprintf("connect %s / %d", address, readers)) })
	group.Go(func() error { return writer.ask(ctx, fmt.Sprintf("accept %d", readers)) })
	if err := group.Wait(); err != nil {
		return 0, err
	}
	before, err := cpuOf(writer.pid())
	if err != nil {
		return 0, err
	}
	var writes, frames, bytes int
	group.Go(func() error {
		return crowd.ask(ctx, fmt.Sprintf("await log %d %d", messages*some/readers, messages/rate+30), &frames, &bytes)
	})
	group.Go(func() error {
		return writer.ask(ctx, fmt.Sprintf("send %d %d %d %d", messages, rate, size, some), &writes)
	})
	if err := group.Wait(); err != nil {
		return 0, err
	}
	after, err := cpuOf(writer.pid())
	if err != nil {
		return 0, err
	}
	return (after - before) / time.Duration(writes), nil
}
