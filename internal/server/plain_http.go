package server

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Of whoever speaks plain HTTP where HTTPS is spoken, so much more is read, for so long,
// after the answer.
const (
	plainRead = 256 << 10
	plainWait = 500 * time.Millisecond
)

// tlsHandshake is the first byte of what speaks TLS (RFC 8446, section 5.1).
const tlsHandshake = 0x16

// An answeringListener is one below TLS. Whoever speaks plain HTTP there is told so by
// net/http, and comes to read it: a connection that is closed with something of its peer's
// still unread is reset, and its peer may never see what was written.
type answeringListener struct{ net.Listener }

func (l answeringListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &answeringConn{TCPConn: tcp}, err
	}
	return conn, err
}

type answeringConn struct {
	*net.TCPConn
	read  atomic.Bool // something was
	plain atomic.Bool // and is no TLS
}

// NetConn is what bare looks for.
func (c *answeringConn) NetConn() net.Conn { return c.TCPConn }

func (c *answeringConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if n > 0 && !c.read.Swap(true) {
		c.plain.Store(b[0] != tlsHandshake)
	}
	return n, err
}

func (c *answeringConn) Close() error {
	if c.plain.Load() {
		c.SetReadDeadline(time.Now().Add(plainWait))
		c.CloseWrite()
		io.CopyN(io.Discard, c.TCPConn, plainRead) // until its peer closes, at best
	}
	return c.TCPConn.Close()
}

// bare is a connection without what is around it, TLS and its like.
func bare(conn net.Conn) net.Conn {
	for {
		around, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = around.NetConn()
	}
}
