//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

func measureMemory(ctx context.Context, r *round) ([]value, error) {
	var values []value
	for _, readers := range []int{1000, 5000} {
		v, err := r.memoryOfReaders(ctx, max(readers/r.size.readers, 2))
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// memoryOfReaders is what each of n idle readers adds to a fresh server's
// resident memory.
func (r *round) memoryOfReaders(ctx context.Context, n int) (value, error) {
	srv, err := r.startServerAt(ctx, fmt.Sprint("server-", n))
	if err != nil {
		return value{}, err
	}
	defer srv.stop()
	build, err := srv.createBuild(ctx, 0)
	if err != nil {
		return value{}, err
	}
	before, err := memoryOf(srv.pid())
	if err != nil {
		return value{}, err
	}
	crowd, err := connectReaders(ctx, srv, build, n)
	if err != nil {
		return value{}, err
	}
	defer crowd.stop()
	if err := pause(ctx, min(r.size.duration, 2*time.Second)); err != nil {
		return value{}, err
	}
	after, err := memoryOf(srv.pid())
	if err != nil {
		return value{}, err
	}
	each := float64(after-before) / float64(n) / (1 << 10)
	note := fmt.Sprintf("from %.1f to %.1f MiB", float64(before)/(1<<20), float64(after)/(1<<20))
	return value{got: each, ratio: each, note: note}, nil
}
