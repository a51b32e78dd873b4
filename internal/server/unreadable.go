package server

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/stepcast/stepcast/internal/ci"
)

// What net/http says of a request whose header it cannot read begins and goes on so; what a
// handler says has a date between.
const (
	bareBegin = "HTTP/1.1 400 Bad Request"
	bareRest  = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
)

// bareCauses is what net/http says is wrong, in words of ours. All else is a header's value.
var bareCauses = map[string]string{
	": invalid header name":          "The name of a header has a character that none may have.",
	": missing required Host header": "The request has no Host header.",
	": malformed Host header":        "The Host header is none: it has a host's name, and a port.",
}

// A tellingListener tells who sends what cannot be read what is wrong with it, where net/http
// has a bare line. It is for plain HTTP: below TLS nothing can be said in another's place.
type tellingListener struct{ net.Listener }

func (l tellingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &tellingConn{TCPConn: tcp}, err
	}
	return conn, err
}

type tellingConn struct {
	*net.TCPConn
	told atomic.Bool
}

// NetConn is what bare looks for.
func (c *tellingConn) NetConn() net.Conn { return c.TCPConn }

func (c *tellingConn) Write(b []byte) (int, error) {
	p := unreadable(b)
	if p == nil {
		return c.TCPConn.Write(b)
	}
	c.told.Store(true)
	k := problems[p.Code]
	var body, all bytes.Buffer
	writeProblem(&body, p, k)
	fmt.Fprintf(&all, "%s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s", bareBegin, body.Len(), body.Bytes())
	if _, err := c.TCPConn.Write(all.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (c *tellingConn) Close() error {
	if c.told.Load() {
		return leave(c.TCPConn, "")
	}
	return c.TCPConn.Close()
}

// unreadable is the problem that net/http says in its own words, nil if it is not that.
func unreadable(answer []byte) *ci.Problem {
	if !bytes.HasPrefix(answer, []byte(bareBegin)) {
		return nil
	}
	cause, rest, _ := strings.Cut(string(answer[len(bareBegin):]), "\r\n")
	if !strings.HasPrefix(rest, bareRest) {
		return nil
	}
	detail := bareCauses[cause]
	if detail == "" {
		detail = "The value of a header ends with a CR, or has another control character. A line of a file from Windows ends so, and Upload-Offset as curl -I shows it; tr -d '\\r' takes it off."
	}
	return &ci.Problem{Code: badHeader, Detail: detail}
}
