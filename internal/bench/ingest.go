//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

const linesPerPost = 200

// postAll posts a sample's pieces over so many connections, each into a build
// of its own, and returns the time from the first request to the last answer.
func postAll(ctx context.Context, s *server, pieces []text, connections int) (time.Duration, []string, error) {
	builds, err := s.createBuilds(ctx, connections)
	if err != nil {
		return 0, nil, err
	}
	posters := make([]*poster, connections)
	for i := range posters {
		if posters[i], err = newPoster(s, builds[i], "test"); err != nil {
			return 0, nil, err
		}
		defer posters[i].close()
	}
	var group errgroup.Group
	start := time.Now()
	for i, p := range posters {
		group.Go(func() error {
			for k := i; k < len(pieces) && ctx.Err() == nil; k += connections {
				if err := p.post(pieces[k]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	return time.Since(start), builds, err
}

// copyIn loads a sample into the reference with psql's \copy.
func (r *round) copyIn(ctx context.Context, ref *reference, s *sample) (time.Duration, error) {
	path := filepath.Join(r.dir, "lines.txt")
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(s.rows(file), file.Close()); err != nil {
		return 0, fmt.Errorf("write the lines: %w", err)
	}
	return ref.psql(ctx, `\copy lines from '`+path+`'`)
}

func measureIngest(ctx context.Context, r *round) ([]value, error) {
	const connections = 8
	sample := newSample(1, r.size.lines, linesPerPost, 128)
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	use, err := watch(srv)
	if err != nil {
		return nil, err
	}
	took, _, err := postAll(ctx, srv, sample.pieces, connections)
	used, useErr := use.since()
	srv.stop()
	if err = errors.Join(err, useErr); err != nil {
		return nil, err
	}
	ref, err := r.startReference(ctx)
	if err != nil {
		return nil, err
	}
	defer ref.stop()
	copied, err := r.copyIn(ctx, ref, sample)
	if err != nil {
		return nil, err
	}
	v := value{got: float64(sample.lines) / took.Seconds(), reference: float64(sample.lines) / copied.Seconds(), note: used.String()}
	v.ratio = v.got / v.reference
	return []value{v}, nil
}
