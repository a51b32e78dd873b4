package judge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Dial makes a connection to what a proxy stands before.
type Dial func() (net.Conn, error)

// proxy accepts connections and pairs each with one to the other side.
type proxy struct {
	listener net.Listener
	dial     Dial
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // nil: closed
}

func newProxy(dial Dial) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &proxy{listener: listener, dial: dial, conns: map[net.Conn]bool{}}, nil
}

// start begins to accept; serve carries one connection to its end.
func (p *proxy) start(serve func(client, server net.Conn)) {
	p.running.Go(func() { p.accept(serve) })
}

// Addr is where the proxy listens, as host:port.
func (p *proxy) Addr() string { return p.listener.Addr().String() }

func (p *proxy) accept(serve func(client, server net.Conn)) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() {
			defer client.Close()
			server, err := p.dial()
			if err != nil {
				return // the client sees a connection that ends at once
			}
			defer server.Close()
			if !p.keep(client, server) {
				return
			}
			defer p.drop(client, server)
			serve(client, server)
		})
	}
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		return false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	return true
}

func (p *proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// Close ends the proxy and all its connections.
func (p *proxy) Close() {
	p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		c.Close()
	}
	p.conns = nil
	p.mu.Unlock()
	p.running.Wait()
}

// AnswerThief is a proxy before a server's HTTP port that swallows answers:
// the write is done and durable, and the writer never hears of it.
type AnswerThief struct {
	*proxy
	every  atomic.Int64 // steal one in so many answers; 0: none
	count  atomic.Int64
	stolen atomic.Int64
}

// NewAnswerThief puts a proxy before addr (host:port).
func NewAnswerThief(addr string) (*AnswerThief, error) {
	p, err := newProxy(func() (net.Conn, error) { return net.DialTimeout("tcp", addr, 5*time.Second) })
	if err != nil {
		return nil, err
	}
	t := &AnswerThief{proxy: p}
	t.start(t.carry)
	return t, nil
}

// Steal swallows one in n of the 2xx answers from now on; 0 stops it.
func (t *AnswerThief) Steal(n int64) { t.every.Store(n) }

// Stolen counts the 2xx answers that were swallowed.
func (t *AnswerThief) Stolen() int64 { return t.stolen.Load() }

func (t *AnswerThief) carry(client, server net.Conn) {
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if answer := string(buf[:n]); strings.HasPrefix(answer, "HTTP/1.1 20") && t.mine() {
			t.stolen.Add(1)
			return
		}
		if _, writeErr := client.Write(buf[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

func (t *AnswerThief) mine() bool {
	every := t.every.Load()
	return every > 0 && t.count.Add(1)%every == 0
}

// PGProxy is a proxy before a PostgreSQL. It knows the protocol well enough to
// tell connections by their application_name, and to strike between two
// messages or inside one.
type PGProxy struct {
	*proxy
	sessions map[*session]bool // guarded by proxy.mu
	refused  string            // application_name that gets no connection; guarded by proxy.mu
	trap     atomic.Pointer[trap]
}

// NewPGProxy puts a proxy before a PostgreSQL.
func NewPGProxy(dial Dial) (*PGProxy, error) {
	below, err := newProxy(dial)
	if err != nil {
		return nil, err
	}
	p := &PGProxy{proxy: below, sessions: map[*session]bool{}}
	p.start(p.carry)
	return p, nil
}

// Strike is what happens to a connection in the middle of a write.
type Strike int

// The strikes.
const (
	CutInside  Strike = iota // half of the statement arrives, then the connection is gone
	CutBefore                // the statement arrives and runs, and is never committed
	CutDuring                // all arrives, and the connection is gone while it commits
	CutAfter                 // it is committed, and the answer never arrives
	HangInside               // half of the statement arrives, and nothing more until Release
)

func (s Strike) String() string {
	return [...]string{"inside the statement", "before the commit", "during the commit", "after the commit", "hung inside the statement"}[s]
}

// trap waits for the next append on a connection.
type trap struct {
	app    string
	strike Strike
	sprung chan struct{} // closed when it struck
	free   chan struct{} // closed by Release
}

// appendSize tells the statement that appends from small ones such as pings:
// with its many parameters it is never smaller, even when they are empty.
const appendSize = 600

// Trap lets a strike happen at the next append of a connection with this
// application_name. The channel is closed once it did; release ends a hang, and
// takes back a trap that nobody stepped into.
func (p *PGProxy) Trap(app string, strike Strike) (sprung <-chan struct{}, release func()) {
	t := &trap{app: app, strike: strike, sprung: make(chan struct{}), free: make(chan struct{})}
	p.trap.Store(t)
	return t.sprung, sync.OnceFunc(func() {
		p.trap.CompareAndSwap(t, nil)
		close(t.free)
	})
}

// spring takes the trap, if it is set for this append.
func (p *PGProxy) spring(s *session, m message) *trap {
	t := p.trap.Load()
	isAppend := m.kind == 'B' && len(m.bytes) >= appendSize || m.kind == 'Q' && strings.HasPrefix(strings.ToLower(string(m.bytes[5:])), "commit")
	if t == nil || t.app != s.app || !isAppend || !p.trap.CompareAndSwap(t, nil) {
		return nil
	}
	return t
}

// Hang stops what the server says on all connections with this
// application_name, while TCP stays as it is; release lets it through again.
// It returns how many connections hang.
func (p *PGProxy) Hang(app string) (n int, release func()) {
	gate := make(chan struct{})
	for _, s := range p.named(app) {
		s.mu.Lock()
		s.hang = gate
		s.mu.Unlock()
		n++
	}
	return n, sync.OnceFunc(func() { close(gate) })
}

// Inject runs a simple query on every idle connection with this
// application_name, without its owner's knowledge. It returns on how many.
func (p *PGProxy) Inject(app, query string) (n int) {
	for _, s := range p.named(app) {
		if s.inject(query) {
			n++
		}
	}
	return n
}

// Cut ends all connections with this application_name, and says how many.
func (p *PGProxy) Cut(app string) (n int) {
	for _, s := range p.named(app) {
		s.client.Close()
		s.server.Close()
		n++
	}
	return n
}

// Refuse ends all connections with this application_name, now and whenever
// they come again, until it is called with another; "" refuses nobody.
func (p *PGProxy) Refuse(app string) (n int) {
	p.mu.Lock()
	p.refused = app
	p.mu.Unlock()
	if app == "" {
		return 0
	}
	return p.Cut(app)
}

// Connections counts the connections with this application_name.
func (p *PGProxy) Connections(app string) int { return len(p.named(app)) }

func (p *PGProxy) named(app string) (named []*session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sessions {
		if s.app == app {
			named = append(named, s)
		}
	}
	return named
}

// session is one connection through the proxy.
type session struct {
	app            string
	client, server net.Conn
	over           chan struct{} // closed at its end

	mu      sync.Mutex    // held while a message goes to the server
	owed    int           // answers (ReadyForQuery) that the server owes
	swallow int           // of these, the first so many are to our own queries
	hang    chan struct{} // nil, or what the server says waits for its close
	muted   chan struct{} // not nil: answers are swallowed; closed with the last one owed
}

func (p *PGProxy) carry(client, server net.Conn) {
	s := &session{client: client, server: server, over: make(chan struct{})}
	if err := s.startup(); err != nil {
		return
	}
	p.mu.Lock()
	refused := s.app == p.refused
	p.sessions[s] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.sessions, s)
		p.mu.Unlock()
	}()
	if refused {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.fromServer()
		client.Close()
		server.Close()
	}()
	p.fromClient(s)
	close(s.over)
	client.Close()
	server.Close()
	<-done
}

// startup forwards the first packets, and reads the application's name.
// Encryption is refused, so that messages can be read.
func (s *session) startup() error {
	for {
		var size [4]byte
		if _, err := io.ReadFull(s.client, size[:]); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(size[:])
		if n < 8 || n > 10_000 {
			return errors.New("unreadable startup packet")
		}
		packet := make([]byte, n)
		copy(packet, size[:])
		if _, err := io.ReadFull(s.client, packet[4:]); err != nil {
			return err
		}
		switch code := binary.BigEndian.Uint32(packet[4:]); code {
		case 80877103, 80877104: // SSLRequest, GSSENCRequest
			if _, err := s.client.Write([]byte{'N'}); err != nil {
				return err
			}
			continue
		case 80877102: // CancelRequest: no session follows
			_, err := s.server.Write(packet)
			if err == nil {
				err = io.EOF
			}
			return err
		}
		fields := strings.Split(string(packet[8:]), "\x00")
		for i := 0; i+1 < len(fields); i += 2 {
			if fields[i] == "application_name" {
				s.app = fields[i+1]
			}
		}
		s.owed = 1 // the end of the startup
		_, err := s.server.Write(packet)
		return err
	}
}

// message is one message of the protocol, its type and length included.
type message struct {
	kind  byte
	bytes []byte
}

func readMessage(r io.Reader, buf []byte) (message, []byte, error) {
	if cap(buf) < 5 {
		buf = make([]byte, 4096)
	}
	buf = buf[:5]
	if _, err := io.ReadFull(r, buf); err != nil {
		return message{}, buf, err
	}
	n := int(binary.BigEndian.Uint32(buf[1:5])) + 1
	if n < 5 || n > 64<<20 {
		return message{}, buf, errors.New("unreadable message")
	}
	if cap(buf) < n {
		buf = append(make([]byte, 0, n), buf...)
	}
	buf = buf[:n]
	_, err := io.ReadFull(r, buf[5:])
	return message{kind: buf[0], bytes: buf}, buf, err
}

// fromClient carries messages to the server, and springs traps.
func (p *PGProxy) fromClient(s *session) {
	var buf []byte
	var sprung *trap // set from the append to its Sync
	for {
		var m message
		var err error
		if m, buf, err = readMessage(s.client, buf); err != nil {
			return
		}
		if sprung == nil {
			sprung = p.spring(s, m)
		}
		if sprung != nil {
			ended := m.kind == 'S' || m.kind == 'Q'
			switch sprung.strike {
			case CutInside, HangInside:
				_ = s.send(m.bytes[:len(m.bytes)/2], false)
				close(sprung.sprung)
				if sprung.strike == HangInside {
					s.wait(sprung.free)
				}
				return
			case CutBefore:
				if ended {
					close(sprung.sprung)
					return
				}
			case CutDuring:
				if ended {
					_ = s.send(m.bytes, true)
					close(sprung.sprung)
					return
				}
			case CutAfter:
				if ended {
					answered := make(chan struct{})
					s.mu.Lock()
					s.muted = answered
					s.mu.Unlock()
					_ = s.send(m.bytes, true)
					s.wait(answered)
					close(sprung.sprung)
					return
				}
			}
		}
		if s.send(m.bytes, m.kind == 'S' || m.kind == 'Q' || m.kind == 'F') != nil {
			return
		}
	}
}

// wait waits for a channel, but not beyond the end of the connection to the
// server by more than it takes to notice.
func (s *session) wait(c <-chan struct{}) {
	select {
	case <-c:
	case <-time.After(time.Minute):
	}
}

func (s *session) send(bytes []byte, owes bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if owes {
		s.owed++
	}
	_, err := s.server.Write(bytes)
	return err
}

// inject sends a query of our own, if nothing else is under way.
func (s *session) inject(query string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owed > 0 {
		return false
	}
	m := append([]byte{'Q', 0, 0, 0, 0}, query...)
	m = append(m, 0)
	binary.BigEndian.PutUint32(m[1:], uint32(len(m)-1))
	if _, err := s.server.Write(m); err != nil {
		return false
	}
	s.owed++
	s.swallow++
	return true
}

// fromServer carries messages to the client, but for those that are ours.
func (s *session) fromServer() {
	var buf []byte
	for {
		var m message
		var err error
		if m, buf, err = readMessage(s.server, buf); err != nil {
			s.answered()
			return
		}
		s.mu.Lock()
		mine, mute, hang := s.swallow > 0, s.muted != nil, s.hang
		if m.kind == 'Z' {
			s.owed--
			if mine {
				s.swallow--
			}
		}
		last := s.owed == 0
		s.mu.Unlock()
		if mute && last {
			s.answered()
		}
		if hang != nil {
			select {
			case <-hang:
			case <-s.over:
				return
			}
		}
		asynchronous := m.kind == 'A' || m.kind == 'N' || m.kind == 'S'
		if mute || mine && !asynchronous {
			continue
		}
		if _, err := s.client.Write(m.bytes); err != nil {
			return
		}
	}
}

// answered says that the answer to wait for has come, or never will.
func (s *session) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.muted != nil {
		close(s.muted)
		s.muted = nil
	}
}
