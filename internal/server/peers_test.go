package server

import (
	"net"
	"strings"
	"testing"
	"time"
)

// openStreams is how many there are.
func (s *testServer) openStreams() int { return s.open.count() }

// awaitStreams waits until this many are open, and returns how long it took.
func (s *testServer) awaitStreams(n int) time.Duration {
	s.t.Helper()
	begin := time.Now()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		now := s.openStreams()
		if now == n {
			return time.Since(begin)
		}
		if time.Since(begin) > patience {
			s.t.Fatalf("%d streams are open after %v, want %d", now, patience, n)
		}
		<-again.C
	}
}

// TestPeers_Closed has readers leave in every way that they can tell the
// server of. It lets go of each at once, and of no other; not only when it has
// something to send, which here is a ping, 15 s later.
func TestPeers_Closed(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"},{"key":"b"}]}`)
	id := strings.TrimPrefix(build, "/api/v1/builds/")
	s.update(build, logText("a", 0, "x\n"))
	paths := map[string]string{
		"a build":      build + "/events",
		"filtered":     build + "/events?step=b",
		"no logs":      build + "/events?logs=none",
		"the feed":     "/api/v1/events",
		"several logs": "/api/v1/streams?log=" + id + "&log=feed",
		"a log":        build + "/steps/a/log?follow=true",
	}
	ways := map[string]func(*net.TCPConn){
		"closes":        func(c *net.TCPConn) { c.Close() },
		"resets":        func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
		"half":          func(c *net.TCPConn) { c.CloseWrite() },
		"asks for more": func(c *net.TCPConn) { c.Write([]byte("GET / HTTP/1.1\r\n")); c.Close() },
	}
	open := func(path string) *raw {
		r, status, _ := s.dial(path)
		if status != 200 {
			t.Fatalf("%s: %d", path, status)
		}
		return r
	}
	for _, path := range paths { // those that stay
		open(path)
	}
	s.awaitStreams(len(paths))
	for what, path := range paths {
		for how, leave := range ways {
			if what == "a log" && how == "asks for more" {
				continue // net/http reads no further than a second request
			}
			r := open(path)
			s.awaitStreams(len(paths) + 1)
			leave(r.conn.(*net.TCPConn))
			took := s.awaitStreams(len(paths))
			t.Logf("%s, %s: let go of after %v", what, how, took.Round(time.Millisecond))
			if took > pingAfter-2*time.Second {
				t.Errorf("%s, %s: only a ping noticed", what, how)
			}
		}
	}
}
