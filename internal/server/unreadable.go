package server

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/stepcast/stepcast/internal/ci"
)

// What net/http says of a request that it cannot read begins so, and goes on so behind the
// cause, which may be missing.
const (
	bareBegin = "HTTP/1.1 400 Bad Request"
	bareRest  = "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
)

// bareCauses are causes that net/http names, in words of ours.
var bareCauses = map[string]string{
	": invalid header value":         "The value of a header has a character that none may have.",
	": invalid header name":          "The name of a header has a character that none may have.",
	": missing required Host header": "The request has no Host header.",
	": malformed Host header":        "The Host header is none: it has a host's name, and a port.",
	"":                               "The request cannot be read as HTTP. Mostly the value of a header ends with a CR, as a line of a file from Windows does, and Upload-Offset as curl -I shows it; tr -d '\\r' takes it off. Else it is the address, which has no blanks, or Content-Length, which is one number.",
}

// A tellingConn tells who sends what cannot be read what is wrong with it, where net/http has
// a bare line. It is for plain HTTP: below TLS nothing can be said in another's place. It
// looks at what is written until a handler has it: from then on that may be any text, a log's
// among others.
type tellingConn struct {
	*net.TCPConn
	handled atomic.Bool
	told    atomic.Bool
}

func telling(conn *net.TCPConn) net.Conn { return &tellingConn{TCPConn: conn} }

// NetConn is what bare looks for.
func (c *tellingConn) NetConn() net.Conn { return c.TCPConn }

// handling notes that a connection has brought a request that could be read.
func handling(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*tellingConn); ok {
			c.handled.Store(true)
		}
		next.ServeHTTP(w, r)
	})
}

func (c *tellingConn) Write(b []byte) (int, error) {
	if c.handled.Load() {
		return c.TCPConn.Write(b)
	}
	p := unreadable(b)
	if p == nil {
		return c.TCPConn.Write(b)
	}
	c.told.Store(true)
	k := problems[p.Code]
	var body, all bytes.Buffer
	writeProblem(&body, p, k)
	fmt.Fprintf(&all, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s", body.Len(), body.Bytes())
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

// unreadable is the problem that net/http says in its own words; nil: it is none of these.
func unreadable(answer []byte) *ci.Problem {
	said, of := strings.CutPrefix(string(answer[:min(len(answer), 512)]), bareBegin)
	cause, rest, _ := strings.Cut(said, "\r\n")
	detail := bareCauses[cause]
	if !of || detail == "" || !strings.HasPrefix(rest, bareRest) {
		return nil
	}
	return &ci.Problem{Code: unreadableRequest, Detail: detail}
}
