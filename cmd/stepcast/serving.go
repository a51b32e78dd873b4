package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// servingLock is the file that a server has locked while its address is to be
// believed. The kernel frees it when the process ends, however that is, and so it
// tells what the address alone does not: that of a server that was killed is still
// there, and anybody on the machine may listen at it by then.
const servingLock = "serving"

// A heldListener has the lock until it is closed: what is asked at its address is
// answered by this server until then, and by anybody after it.
type heldListener struct {
	net.Listener
	release func()
}

// hold locks the address that a listener has. Where a client looks just now, or
// another server has the same data directory, the lock is had a little later, and on a
// file system that knows none never: nor does a client see one there.
func hold(ln net.Listener, dir string) *heldListener {
	lock := flock.New(filepath.Join(dir, servingLock), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !locked && err == nil {
			_, _ = lock.TryLockContext(ctx, 20*time.Millisecond)
		}
	}()
	return &heldListener{ln, sync.OnceFunc(func() {
		cancel()
		<-done
		_ = lock.Close()
	})}
}

// Close gives the lock back, and then the address.
func (l *heldListener) Close() error {
	l.release()
	return l.Listener.Close()
}

// served says what is wrong when the server that has its data in a directory is not
// what answers at an address. Nothing is, where that cannot be told, as of one of an
// earlier release.
func served(dir, address string) error {
	path := filepath.Join(dir, servingLock)
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	wrong := fmt.Errorf("what listens there is not, or not yet, the server that has its data in %s", dir)
	if !sameServer(readLine(dir, addressName), address) {
		return wrong // it has stopped, or moved
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY), flock.SetPermissions(0))
	if free, err := lock.TryRLock(); err != nil || !free {
		return nil
	}
	_ = lock.Close()
	return wrong
}
