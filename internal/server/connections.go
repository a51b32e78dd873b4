package server

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// conns are the connections that are open, by address. Streams over HTTP/1.1 are
// not counted, nor are connections with an upload: those have limits of their own,
// and would else leave no room for the reports of who is at the same address.
type conns struct {
	mu    sync.Mutex
	of    map[netip.Addr]map[net.Conn]*held
	count uint64 // of those that ever were
}

// held is one of them.
type held struct {
	turn uint64 // in which it was opened, or has become idle or busy
	busy bool   // with a request
	sure bool   // of somebody who has shown who it is
}

// track is the ConnState of an HTTP server. Of an address that has too many, the
// connection that has been idle for longest makes room for a new one; when all
// are busy, the one that has been for longest with a request of nobody in
// particular; and when there is none either, the new one is closed before anything
// is read from it. So neither sockets that say nothing nor bodies that never end
// keep out who has a token. Trusted proxies are not counted: their connections are
// everybody's.
func (s *Server) track(conn net.Conn, state http.ConnState) {
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // one of no address is none
	addr, counted := s.limits.accountable(peer.Addr())
	if !counted || s.cfg.Proxies.trusts(plainAddr(peer.Addr())) {
		return
	}
	c := &s.limits.conns
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.of[addr][conn]
	switch {
	case state == http.StateHijacked || state == http.StateClosed:
		c.forget(addr, conn)
	case h != nil:
		c.count++
		h.turn, h.busy, h.sure = c.count, state == http.StateActive, false
	case state != http.StateActive: // it is new, or its uploads are over
		if c.of == nil {
			c.of = make(map[netip.Addr]map[net.Conn]*held)
		}
		if c.of[addr] == nil {
			c.of[addr] = make(map[net.Conn]*held)
		}
		c.count++
		c.of[addr][conn] = &held{turn: c.count}
		if len(c.of[addr]) > s.limits.ConnsOfAddress {
			s.limits.refused[limitConns].Add(1)
			goes := leastMissed(c.of[addr], conn)
			delete(c.of[addr], goes)
			hangUp(goes) // its own closed state follows
		}
	}
}

// hangUp closes a connection at once: TLS would wait for the peer to be told.
func hangUp(conn net.Conn) {
	if c := belowTLS(conn); c != nil {
		c.close() // what waits to be read on
	}
	bare(conn).Close()
}

// forget counts a connection no longer. mu is held.
func (c *conns) forget(addr netip.Addr, conn net.Conn) {
	if delete(c.of[addr], conn); len(c.of[addr]) == 0 {
		delete(c.of, addr)
	}
}

// connKey is of a request's connection, in its context.
type connKey struct{}

// withConn is the ConnContext of an HTTP server.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// uncount counts a request's connection no longer, until it is idle again.
func (s *Server) uncount(r *http.Request) {
	c := &s.limits.conns
	c.mu.Lock()
	defer c.mu.Unlock()
	if addr, conn := s.counted(r); conn != nil {
		c.forget(addr, conn)
	}
}

// ensure says that a request's connection is of somebody who has shown who it is.
func (s *Server) ensure(r *http.Request) {
	c := &s.limits.conns
	c.mu.Lock()
	defer c.mu.Unlock()
	addr, conn := s.counted(r)
	if h := c.of[addr][conn]; h != nil {
		h.sure = true
	}
}

// counted is a request's connection, and what it is counted to.
func (s *Server) counted(r *http.Request) (addr netip.Addr, conn net.Conn) {
	conn, ok := r.Context().Value(connKey{}).(net.Conn)
	if !ok { // a test's
		return addr, nil
	}
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr, _ = s.limits.accountable(peer.Addr())
	return addr, conn
}

// leastMissed is the connection that makes room for a new one, as track says.
func leastMissed(open map[net.Conn]*held, fresh net.Conn) net.Conn {
	goes, least := fresh, held{turn: math.MaxUint64, busy: true, sure: true}
	for conn, h := range open {
		if conn != fresh && !h.sure && (!h.busy && least.busy || h.busy == least.busy && h.turn < least.turn) {
			goes, least = conn, *h
		}
	}
	return goes
}
