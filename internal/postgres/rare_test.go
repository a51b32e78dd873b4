package postgres_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// lostHost passes connections on to a database until its host vanishes: those that
// there are get no answer any more, not even that they have ended, and a new one
// leads to another host, as after a failover, or ends at its first question.
type lostHost struct {
	network, address string

	mu    sync.Mutex
	gone  chan struct{} // closed when the host vanishes
	cross bool          // new connections end at their first question
}

// losing returns an address that leads to the database by a host that can vanish.
func losing(t *testing.T, url string) (*lostHost, string) {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	h := &lostHost{network: "tcp", address: net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))), gone: make(chan struct{})}
	if strings.HasPrefix(cfg.Host, "/") {
		h.network, h.address = "unix", cfg.Host+"/.s.PGSQL."+strconv.Itoa(int(cfg.Port))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go h.pass(conn)
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	via := "host=127.0.0.1 port=" + port + " user=" + cfg.User + " dbname=" + cfg.Database + " sslmode=disable"
	if cfg.Password != "" {
		via += " password=" + cfg.Password
	}
	return h, via
}

func (h *lostHost) vanish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.gone)
	h.gone = make(chan struct{})
}

func (h *lostHost) setCross() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cross = true
}

func (h *lostHost) pass(client net.Conn) {
	server, err := net.Dial(h.network, h.address)
	if err != nil {
		_ = client.Close()
		return
	}
	h.mu.Lock()
	gone := h.gone
	h.mu.Unlock()
	carry := func(to, from net.Conn, asks bool) {
		buf := make([]byte, 64<<10)
		for {
			n, err := from.Read(buf)
			h.mu.Lock()
			cross := h.cross
			h.mu.Unlock()
			select {
			case <-gone:
				return // and leave both as they are
			default:
			}
			if err != nil || cross && asks && (buf[0] == 'P' || buf[0] == 'Q') {
				_, _ = to.Close(), from.Close()
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				_ = from.Close()
				return
			}
		}
	}
	go carry(server, client, true)
	carry(client, server, false)
}

func writeRarely(ctx context.Context, s *postgres.Store) error {
	sum, _ := ci.ParseToken(ci.NewToken())
	_, err := s.AddToken(ctx, ada, sum, postgres.Token{Name: "t", Scopes: []ci.Scope{ci.ScopeRead}, Project: "p"})
	return err
}

// someRested makes the store keep several connections for what is rare.
func someRested(t *testing.T, s *postgres.Store) {
	t.Helper()
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if err := writeRarely(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// The database's host vanishes, and its address leads to another: what is rarely
// written goes there after one look, however many connections led to the first.
func TestStore_WritesRarelyAfterAHostVanished(t *testing.T) {
	t.Parallel()
	h, via := losing(t, pgtest.New(t))
	s, _ := open(t, via)
	someRested(t, s)
	h.vanish()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // what leads to nobody leads there for a quarter of an hour
	defer cancel()
	for range 3 {
		if err := writeRarely(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.SweepOnce(ctx); err != nil {
		t.Error(err)
	}
}

// The same, and what it leads to is of another history: builds are written on.
func TestStore_WritesOnAfterAHostVanishedAndHistoryWas(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	h, via := losing(t, url)
	s, r := open(t, via)
	id := create(t, s, "acme/api")
	must(t, s, id, text("test", 0, "x"))
	someRested(t, s)
	h.vanish()
	sqlExec(t, url, `UPDATE epochs SET place = 'elsewhere'`)
	waitFor(t, r, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := s.Append(ctx, ci.Request{Build: id, Updates: []ci.Update{text("test", 1, "y")}})
		return err == nil
	})
}

// A connection that ends at its first question says why there is none.
func TestStore_SaysWhyWhatIsRareIsNotWritten(t *testing.T) {
	t.Parallel()
	h, via := losing(t, pgtest.New(t))
	s, _ := open(t, via)
	h.setCross()
	h.vanish()
	err := writeRarely(t.Context(), s)
	if p := ci.AsProblem(err); p == nil || p.Code != ci.Unavailable || !strings.Contains(err.Error(), "durability settings") {
		t.Errorf("error %v", err)
	}
}
