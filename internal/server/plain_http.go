package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Of whoever speaks plain HTTP where HTTPS is spoken, or what is no HTTP, so much more is
// read, for so long, after the answer.
const (
	plainRead = 256 << 10
	plainWait = 500 * time.Millisecond
)

// plainAnswer is what net/http says.
const plainAnswer = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

// tlsHandshake is the first byte of what speaks TLS (RFC 8446, section 5.1).
const tlsHandshake = 0x16

// An aroundListener puts something around each connection of TCP.
type aroundListener struct {
	net.Listener
	around func(*net.TCPConn) net.Conn
}

func (l aroundListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		return l.around(tcp), err
	}
	return conn, err
}

// An answeringConn is one below TLS. Whoever speaks plain HTTP there is told so by net/http,
// and comes to read it: a connection that is closed with something of its peer's still unread
// is reset, and its peer may never see what was written.
type answeringConn struct {
	*net.TCPConn
	read   atomic.Bool // something was
	plain  atomic.Bool // and is no TLS
	silent atomic.Bool // and net/http does not know it for HTTP, as it is of PATCH or DELETE

	givenUp givenUp
	open    context.Context // until it is closed
	close   context.CancelFunc
}

func answering(conn *net.TCPConn) net.Conn {
	c := &answeringConn{TCPConn: conn}
	c.open, c.close = context.WithCancel(context.Background())
	return c
}

// belowTLS is what is below a connection of TLS; nil: it is none.
func belowTLS(conn net.Conn) *answeringConn {
	if around, ok := conn.(*tls.Conn); ok {
		c, _ := around.NetConn().(*answeringConn)
		return c
	}
	return nil
}

// NetConn is what bare looks for.
func (c *answeringConn) NetConn() net.Conn { return c.TCPConn }

func (c *answeringConn) Read(b []byte) (int, error) {
	c.givenUp.wait(c.open)
	n, err := c.TCPConn.Read(b)
	if n > 0 && !c.read.Swap(true) {
		c.plain.Store(b[0] != tlsHandshake)
		c.silent.Store(bytes.HasPrefix(b[:n], []byte("PATC")) || bytes.HasPrefix(b[:n], []byte("DELE")))
	}
	return n, err
}

func (c *answeringConn) Close() error {
	c.close()
	switch {
	case c.silent.Load():
		return leave(c.TCPConn, plainAnswer)
	case c.plain.Load():
		return leave(c.TCPConn, "")
	}
	return c.TCPConn.Close()
}

// leave says a last word and closes once the peer has, at best. net/http may hold a lock, so
// it does not take long.
func leave(conn *net.TCPConn, last string) error {
	conn.SetDeadline(time.Now().Add(plainWait))
	io.WriteString(conn, last)
	conn.CloseWrite()
	io.CopyN(io.Discard, conn, plainRead)
	return conn.Close()
}
