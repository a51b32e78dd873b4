//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/sse"
)

// A runner flushes ten times a second, so 20,000 lines a second from 20 builds
// are 200 posts of 100 lines, evenly spread.
const (
	latencyBuilds  = 20
	latencyReaders = 5 // of each build
	latencyPosts   = 10
	latencyLines   = 100
)

// latencies is when each post of a build was sent, and how long it took to
// each reader.
type latencies struct {
	mu   sync.Mutex
	sent []time.Time
	took []time.Duration
}

func (l *latencies) post() {
	l.mu.Lock()
	l.sent = append(l.sent, time.Now())
	l.mu.Unlock()
}

// see notes that a reader has the whole of event k.
func (l *latencies) see(k int) {
	now := time.Now()
	l.mu.Lock()
	l.took = append(l.took, now.Sub(l.sent[k]))
	l.mu.Unlock()
}

func measureLatency(ctx context.Context, r *round) ([]value, error) {
	fsync, err := fsyncTime(r.dir)
	if err != nil {
		return nil, err
	}
	loopback, err := loopbackTime()
	if err != nil {
		return nil, err
	}
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	builds, err := srv.createBuilds(ctx, latencyBuilds)
	if err != nil {
		return nil, err
	}
	perBuild := max(int(r.size.duration.Seconds()*latencyPosts), 2)
	sample := newSample(5, latencyBuilds*perBuild*latencyLines, latencyLines, 128)
	group, ctx := errgroup.WithContext(ctx)
	all := make([]latencies, len(builds))
	var live sync.WaitGroup
	live.Add(latencyBuilds * latencyReaders)
	for i, build := range builds {
		for range latencyReaders {
			group.Go(func() error { return follow(ctx, srv, build, perBuild, &all[i], live.Done) })
		}
	}
	group.Go(func() error {
		ready := make(chan struct{})
		go func() { live.Wait(); close(ready) }()
		select {
		case <-ready:
		case <-ctx.Done():
			return ctx.Err()
		}
		const interval = time.Second / latencyPosts
		start := time.Now().Add(interval)
		for i, build := range builds {
			p, err := newPoster(srv, build, "test")
			if err != nil {
				return err
			}
			group.Go(func() error {
				defer p.close()
				first := start.Add(time.Duration(i) * interval / latencyBuilds)
				for k := range perBuild {
					if err := pause(ctx, time.Until(first.Add(time.Duration(k)*interval))); err != nil {
						return err
					}
					all[i].post()
					if err := p.post(sample.pieces[i*perBuild+k]); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var took []time.Duration
	for i := range all {
		took = append(took, all[i].took...)
	}
	slices.Sort(took)
	at := func(part float64) float64 {
		return took[int(part*float64(len(took)-1))].Seconds() * 1e3
	}
	note := fmt.Sprintf("of %d events seen; p90 %.1f, p99.9 %.1f, longest %.1f ms; here an fsync takes %.1f ms (p99 %.1f) and a loopback round trip %.3f ms",
		len(took), at(.9), at(.999), at(1), ms(fsync[len(fsync)/2]), ms(fsync[len(fsync)*99/100]), ms(loopback))
	return []value{{got: at(.5), ratio: at(.5), note: note}, {got: at(.99), ratio: at(.99)}}, nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// follow reads a build's stream until it has seen so many log events.
func follow(ctx context.Context, s *server, build string, events int, seen *latencies, live func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/api/v1/builds/"+build+"/events", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	in := sse.NewReader(response.Body, 0)
	for k := 0; k < events; {
		event, err := in.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("a stream ended")
		}
		if err != nil {
			return err
		}
		switch event.Name {
		case "live":
			live()
		case "log":
			seen.see(k)
			k++
		}
	}
	return nil
}

// fsyncTime is how long it takes to make a small write durable, sorted.
func fsyncTime(dir string) ([]time.Duration, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	took := make([]time.Duration, 100)
	for i := range took {
		start := time.Now()
		if _, err := file.Write(make([]byte, 8192)); err != nil {
			return nil, err
		}
		if err := file.Sync(); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took, nil
}

// loopbackTime is the median round trip of one byte between two goroutines.
func loopbackTime() (time.Duration, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.Copy(conn, conn)
			conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	took, buf := make([]time.Duration, 1000), make([]byte, 1)
	for i := range took {
		start := time.Now()
		if _, err := conn.Write(buf); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			return 0, err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
