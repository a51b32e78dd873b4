package runner

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/certtest"
)

// What a router has forgotten takes bytes and brings none, without an error: the way to the
// server is there again with the next connection, over HTTP/2 as well, where all attempts
// would share the old one.
func TestClient_AConnectionThatDiedWithoutAWord(t *testing.T) {
	authority := certtest.New(t)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now := time.Now()
	authority.Issue(certFile, keyFile, now.Add(time.Hour), "stepcast.example")
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []struct {
		protocol string
		pings    bool // it answers those, and nothing else
	}{{"http/1.1", false}, {"h2", false}, {"h2", true}} {
		protocol := way.protocol
		t.Run(fmt.Sprint(protocol, " with pings: ", way.pings), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mute atomic.Bool
				accepted := 0
				pipe := &piping{accept: make(chan net.Conn), closed: make(chan struct{})}
				server := &http.Server{
					Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if mute.Load() && r.Context().Value(first{}) != nil {
							<-r.Context().Done()
						}
						io.WriteString(w, `{"protocol":"`+r.Proto+`"}`)
					}),
					TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{protocol}},
					ErrorLog:  log.New(io.Discard, "", 0),
					ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
						if accepted++; accepted == 1 {
							ctx = context.WithValue(ctx, first{}, true)
						}
						return ctx
					},
				}
				go server.ServeTLS(pipe, "", "")
				defer server.Close()

				client, err := NewClient("https://stepcast.example", "")
				if err != nil {
					t.Fatal(err)
				}
				transport := client.HTTP.Transport.(*http.Transport)
				transport.DialContext = pipe.dial
				transport.Proxy = nil
				// The bubble's clock begins in the year 2000.
				transport.TLSClientConfig = &tls.Config{RootCAs: authority.Pool, Time: func() time.Time { return now }}
				defer transport.CloseIdleConnections()

				ask := func() error {
					var answer struct{ Protocol string }
					err := client.do(t.Context(), http.MethodGet, "/", nil, &answer)
					if want := map[string]string{"http/1.1": "HTTP/1.1", "h2": "HTTP/2.0"}[protocol]; err == nil && answer.Protocol != want {
						t.Errorf("asked over %s, not %s", answer.Protocol, want)
					}
					return err
				}
				if err := ask(); err != nil {
					t.Fatal(err)
				}
				if mute.Store(way.pings); !way.pings {
					pipe.newest.dead.Store(true)
				}
				attempts := 1
				for err := ask(); err != nil && attempts < 5; attempts++ {
					if said := err.Error(); said != "the connection brings nothing any more" && said != "no answer within 30s" {
						t.Errorf("it fails by %q", said)
					}
					time.Sleep(firstBackoff) // as between all attempts
					err = ask()
				}
				if attempts > 2 || pipe.dialed != 2 {
					t.Errorf("%d attempts over %d connections; want one attempt to find out, and the next over a new connection", attempts, pipe.dialed)
				}
			})
		})
	}
}

// first marks what comes over the first connection.
type first struct{}

// piping is a way to a server, within the process.
type piping struct {
	accept chan net.Conn
	closed chan struct{}
	dialed int
	newest *mortal
}

func (p *piping) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.dialed++
	p.newest = &mortal{Conn: near}
	p.accept <- far
	return p.newest, nil
}

func (p *piping) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *piping) Close() error   { close(p.closed); return nil }
func (p *piping) Addr() net.Addr { return &net.IPAddr{} }

// mortal is a connection that takes what is written once it is dead, and passes nothing on.
type mortal struct {
	net.Conn
	dead atomic.Bool
}

func (m *mortal) Write(b []byte) (int, error) {
	if m.dead.Load() {
		return len(b), nil
	}
	return m.Conn.Write(b)
}
