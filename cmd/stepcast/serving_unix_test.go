//go:build unix

package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gofrs/flock"
)

// closes tells what was the case when a listener was closed.
type closes struct {
	net.Listener
	then func()
}

func (c closes) Close() error { c.then(); return nil }

// TestServed: an address is to be believed while its server has the lock, and that is
// given back before anybody else can listen there.
func TestServed(t *testing.T) {
	t.Parallel()
	const here, moved = "http://127.0.0.1:8080", "http://127.0.0.1:9090"
	dir := t.TempDir()
	leave := func(address string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, addressName), []byte(address+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	leave(here)
	if err := served(dir, here); err != nil {
		t.Errorf("a server of an earlier release, which has no lock: %v", err)
	}
	// A client looks while the server starts.
	looks := flock.New(filepath.Join(dir, servingLock), flock.SetPermissions(0o600))
	if ok, err := looks.TryRLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	closed := false
	ln := hold(closes{then: func() {
		if closed = true; served(dir, here) == nil {
			t.Error("the address was given back before the lock")
		}
	}}, dir)
	if err := served(dir, here); err == nil {
		t.Error("a server that has no lock yet is believed")
	}
	looks.Close()
	if !eventually(func() bool { return served(dir, here) == nil && served(dir, "http://localhost:8080") == nil }) {
		t.Error("a server that runs is not believed")
	}
	if err := served(dir, moved); err == nil {
		t.Error("where no server is, one is believed")
	}
	leave(moved)
	if err := served(dir, here); err == nil {
		t.Error("where the server was before it moved, it is believed")
	}
	leave(here)
	if ln.Close(); !closed {
		t.Error("the listener is not closed")
	}
	if err := served(dir, here); err == nil {
		t.Error("a server that has stopped is believed")
	}
}

func TestListener(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://127.0.0.1:8080": "127.0.0.1:8080", "http://[::1]:8080": "[::1]:8080", "http://10.0.0.1": "10.0.0.1:80",
		"http://[::]:8080": "", "http://0.0.0.0:8080": "", "http://ci.example:8080": "", "": "",
	} {
		if got := listener(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// TestServed_UntilTheLast lets the commands of this machine work while a server that was
// told to end still answers.
func TestServed_UntilTheLast(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.do(0, "run", "--project", "acme/api", "--", "echo", "on")
	reader, err := http.Get(s.url + "/api/v1/streams?log=feed")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Body.Close()
	if reader.StatusCode != http.StatusOK {
		t.Fatalf("the feed is answered %d", reader.StatusCode)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return strings.Contains(s.log.String(), "stopping") }) {
		t.Fatal("it does not end")
	}
	_, stderr, code := output(t, stepcast(t, s.env, "list"))
	if resp, err := http.Get(s.url + "/healthz"); err == nil {
		if resp.Body.Close(); code != 0 {
			t.Errorf("the server answers, and list ends with %d: %s", code, stderr)
		}
	}
}
