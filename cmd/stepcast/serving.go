package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// servingLock is the file that a server has locked while its address is to be
// believed. The kernel frees it when the process ends, however that is, and so it
// tells what the address alone does not: that of a server that was killed is still
// there, and anybody on the machine may listen at it by then.
const servingLock = "serving"

// hold locks it until release. Where a client looks just now, or another server
// has the same data directory, it is had a little later.
func hold(ctx context.Context, dir string) (release func(), err error) {
	lock := flock.New(filepath.Join(dir, servingLock), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the address for the other commands: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !locked {
			_, _ = lock.TryLockContext(ctx, 20*time.Millisecond)
		}
	}()
	return func() {
		cancel()
		<-done
		_ = lock.Close()
	}, nil
}

// served says what is wrong when the server that has its data in a directory does
// not run. Nothing is, where that cannot be told, as of one of an earlier release.
func served(dir string) error {
	path := filepath.Join(dir, servingLock)
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY), flock.SetPermissions(0))
	free, err := lock.TryRLock()
	if err != nil || !free {
		return nil
	}
	_ = lock.Close()
	return fmt.Errorf("what listens there is not, or not yet, the server that has its data in %s", dir)
}
