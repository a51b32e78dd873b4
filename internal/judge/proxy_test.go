//go:build unix

package judge

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/pgtest"
)

// proxied is a database behind a proxy.
type proxied struct {
	*PGProxy
	address *url.URL
}

// through puts a proxy before a database that has a Unix socket.
func through(t *testing.T, database string) *proxied {
	t.Helper()
	address, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	socket := filepath.Join(query.Get("host"), ".s.PGSQL."+query.Get("port"))
	p, err := NewPGProxy(func() (net.Conn, error) { return net.Dial("unix", socket) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	address.Host = p.Addr()
	address.RawQuery = url.Values{"user": {query.Get("user")}, "sslmode": {"disable"}}.Encode()
	return &proxied{PGProxy: p, address: address}
}

func (p *proxied) connect(t *testing.T, app string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.address.String()+"&application_name="+app)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// Each strike does to a statement what it says, and only on connections of the
// name asked for.
func TestPGProxy_StrikesInsideAWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		strike Strike
		rows   []int // that may be there afterwards
	}{{CutInside, []int{0}}, {CutBefore, []int{0}}, {CutDuring, []int{0, 1}}, {CutAfter, []int{1}}}
	for _, test := range tests {
		t.Run(test.strike.String(), func(t *testing.T) {
			t.Parallel()
			p := through(t, pgtest.New(t))
			direct, writer := p.connect(t, "other"), p.connect(t, "writer")
			if _, err := direct.Exec(t.Context(), `CREATE TABLE written (body text)`); err != nil {
				t.Fatal(err)
			}
			sprung, release := p.Trap("writer", test.strike)
			defer release()
			body := strings.Repeat("x", appendSize)
			const insert = `INSERT INTO written VALUES ($1)`
			if _, err := direct.Exec(t.Context(), insert, body); err != nil {
				t.Errorf("another connection was struck: %v", err)
			}
			if _, err := writer.Exec(t.Context(), insert, body); err == nil {
				t.Error("the write was answered")
			}
			<-sprung
			// The backend of a connection that was cut may still be at work.
			var rows int
			err := pgx.BeginFunc(t.Context(), direct, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), `LOCK TABLE written`); err != nil {
					return err
				}
				return tx.QueryRow(t.Context(), `SELECT count(*) FROM written`).Scan(&rows)
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, ok := range test.rows {
				if rows-1 == ok {
					return
				}
			}
			t.Errorf("%d rows of the struck write, want one of %v", rows-1, test.rows)
		})
	}
}

func TestPGProxy_HangsAndLetsGo(t *testing.T) {
	t.Parallel()
	p := through(t, pgtest.New(t))
	hung, well := p.connect(t, "hung"), p.connect(t, "well")
	n, release := p.Hang("hung")
	if n != 1 {
		t.Fatalf("%d connections hang", n)
	}
	done := make(chan error, 1)
	go func() { done <- hung.Ping(t.Context()) }()
	if err := well.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		t.Errorf("a hung connection answered: %v", err)
	default:
	}
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPGProxy_InjectsUnnoticed(t *testing.T) {
	t.Parallel()
	p := through(t, pgtest.New(t))
	listener, notifier := p.connect(t, "listener"), p.connect(t, "notifier")
	for _, conn := range []*pgx.Conn{listener, notifier} {
		if _, err := conn.Exec(t.Context(), `LISTEN news`); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.Inject("listener", "UNLISTEN *"); n != 1 {
		t.Fatalf("injected into %d connections", n)
	}
	var open int
	if err := listener.QueryRow(t.Context(), `SELECT count(*) FROM pg_listening_channels()`).Scan(&open); err != nil || open != 0 {
		t.Errorf("after UNLISTEN *, %d channels, error %v", open, err)
	}
	if err := notifier.QueryRow(t.Context(), `SELECT count(*) FROM pg_listening_channels()`).Scan(&open); err != nil || open != 1 {
		t.Errorf("the other connection has %d channels, error %v", open, err)
	}
}

func TestPGProxy_Refuses(t *testing.T) {
	t.Parallel()
	p := through(t, pgtest.New(t))
	conn := p.connect(t, "listener")
	p.Refuse("listener")
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the old connection lives")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := pgx.Connect(ctx, p.address.String()+"&application_name=listener"); err == nil {
		t.Error("a new connection was let in")
	}
	p.Refuse("")
	p.connect(t, "listener")
}

func TestAnswerThief_StealsAfterTheDeed(t *testing.T) {
	t.Parallel()
	deeds := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deeds <- r.URL.Path
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusConflict)
		}
		_, _ = io.WriteString(w, "done")
	}))
	t.Cleanup(server.Close)
	thief, err := NewAnswerThief(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(thief.Close)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	get := func(path string) error {
		response, err := client.Post("http://"+thief.Addr()+path, "text/plain", nil)
		if err == nil {
			response.Body.Close()
		}
		<-deeds
		return err
	}
	if err := get("/good"); err != nil {
		t.Error(err)
	}
	thief.Steal(1)
	if err := get("/bad"); err != nil {
		t.Errorf("a refusal was stolen: %v", err)
	}
	if err := get("/good"); err == nil || thief.Stolen() != 1 {
		t.Errorf("the answer arrived, error %v; %d were stolen", err, thief.Stolen())
	}
	thief.Steal(0)
	if err := get("/good"); err != nil {
		t.Error(err)
	}
}
