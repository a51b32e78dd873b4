package server

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
)

// Of every long write: it goes out in pieces, and a peer that takes none of a
// piece for writeWait is disconnected. The deadline is renewed only once a
// second has gone by.
const (
	writePiece = 32 << 10 // bytes
	writeWait  = 10 * time.Second
	writeRenew = time.Second

	streamSendBuffer = 64 << 10         // bytes that the kernel may hold for a stalled reader
	streamVanished   = 20 * time.Second // after which a peer that acknowledges nothing is given up
)

// innermost is the writer below Echo's, whose Flush hides errors.
func innermost(r *echo.Response) http.ResponseWriter { return r.Writer }

// A sink is where a stream goes: a connection of its own, or, over HTTP/2, a
// response.
type sink interface {
	// write sends all of bufs, or fails for good.
	write(bufs [][]byte) error
	// try sends as much of data as it can without waiting. An error is left
	// for write to find.
	try(data []byte) (n int)
	// watch calls gone, once, when the peer has closed. It may block.
	watch(gone func())
	close()
}

// streamHeader is what every stream says of itself.
var streamHeader = [][2]string{
	{"Content-Type", "text/event-stream"},
	{"Cache-Control", "no-store, no-transform"},
	{"X-Accel-Buffering", "no"},
}

// openSink takes the connection over, so that a stream costs neither Echo's
// nor net/http's memory, or settles for the response. own tells which.
func openSink(c echo.Context) (out sink, own bool, err error) {
	w := innermost(c.Response())
	conn := http.NewResponseController(w)
	for _, h := range streamHeader {
		w.Header().Set(h[0], h[1])
	}
	if c.Request().ProtoMajor == 1 {
		taken, _, err := conn.Hijack() // what was read ahead would be a second request
		switch {
		case err == nil:
			prepare(taken)
			return newConnSink(taken, w.Header()), true, nil
		case !errors.Is(err, http.ErrNotSupported):
			return nil, false, err
		}
	}
	return &responseSink{w: w, conn: conn, ctx: c.Request().Context()}, false, nil
}

// prepare bounds what the kernel holds for a peer that is stalled or gone.
func prepare(conn net.Conn) {
	if tcp, ok := bare(conn).(*net.TCPConn); ok { // both are best effort: a bound, not a need
		tcp.SetWriteBuffer(streamSendBuffer)
		setUserTimeout(tcp, streamVanished)
	}
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

// head is the response of a taken-over connection, with the header that was set:
// the body ends where the connection does, in HTTP/1.0 and 1.1 alike.
func head(now time.Time, set http.Header) []byte {
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 200 OK\r\n")
	set.Write(&head) // into memory
	head.WriteString("Date: ")
	head.Write(now.UTC().AppendFormat(head.AvailableBuffer(), http.TimeFormat))
	head.WriteString("\r\nConnection: close\r\n\r\n")
	return head.Bytes()
}

// connSink is a connection that was taken over.
type connSink struct {
	conn  net.Conn
	until time.Time   // the deadline
	piece net.Buffers // scratch
	begun bool
	set   http.Header // until begun

	raw   syscall.RawConn // nil: only write works
	atRaw func(uintptr)   // writes trial and sets tried; made once
	trial []byte
	tried int
}

func newConnSink(conn net.Conn, set http.Header) *connSink {
	s := &connSink{conn: conn, set: set}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			s.raw, s.atRaw = raw, func(fd uintptr) { s.tried = sendNow(fd, s.trial) }
		}
	}
	return s
}

func (s *connSink) try(data []byte) int {
	if s.raw == nil || !s.begun {
		return 0
	}
	s.trial, s.tried = data, 0
	if err := s.raw.Control(s.atRaw); err != nil { // closed: write says so
		s.tried = 0
	}
	s.trial = nil
	return s.tried
}

func (s *connSink) write(bufs [][]byte) error {
	if !s.begun {
		s.begun = true
		bufs = append([][]byte{head(time.Now(), s.set)}, bufs...)
		s.set = nil
	}
	if len(bufs) == 1 && len(bufs[0]) <= writePiece { // nearly always
		s.renew()
		_, err := s.conn.Write(bufs[0])
		return err
	}
	for len(bufs) > 0 {
		pieces, size := s.piece[:0], 0
		for len(bufs) > 0 && size < writePiece {
			n := min(len(bufs[0]), writePiece-size)
			pieces = append(pieces, bufs[0][:n])
			size += n
			if bufs[0] = bufs[0][n:]; len(bufs[0]) == 0 {
				bufs = bufs[1:]
			}
		}
		s.piece = pieces
		s.renew()
		if _, err := pieces.WriteTo(s.conn); err != nil { // one writev; it eats its copy of the slice
			return err
		}
	}
	if clear(s.piece[:cap(s.piece)]); cap(s.piece) > 16 {
		s.piece = nil
	}
	return nil
}

func (s *connSink) renew() {
	if now := time.Now(); s.until.Sub(now) < writeWait-writeRenew {
		s.until = now.Add(writeWait)
		s.conn.SetWriteDeadline(s.until)
	}
}

// watch reads, which is how a connection tells that its peer has closed it.
func (s *connSink) watch(gone func()) {
	buf := make([]byte, 16)
	for {
		if _, err := s.conn.Read(buf); err != nil {
			gone()
			return
		}
	}
}

func (s *connSink) close() { s.conn.Close() }

// responseSink is a response whose handler lasts as long as the stream.
type responseSink struct {
	w    http.ResponseWriter
	conn *http.ResponseController
	ctx  context.Context // the request's
}

func (s *responseSink) write(bufs [][]byte) error {
	for _, data := range bufs {
		for len(data) > 0 {
			n := min(len(data), writePiece)
			if err := s.conn.SetWriteDeadline(time.Now().Add(writeWait)); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return err
			}
			if _, err := s.w.Write(data[:n]); err != nil {
				return err
			}
			data = data[n:]
		}
	}
	if err := s.conn.Flush(); err != nil {
		return err
	}
	return noDeadline(s.conn)
}

// noDeadline takes back the deadline of what was just written: over HTTP/2 it
// would end a response that waits for something to say.
func noDeadline(conn *http.ResponseController) error {
	if err := conn.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func (s *responseSink) try([]byte) int { return 0 }

func (s *responseSink) watch(gone func()) {
	context.AfterFunc(s.ctx, gone)
}

func (s *responseSink) close() {}
