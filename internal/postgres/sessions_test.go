package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// begin begins a session and returns it with its key.
func begin(t *testing.T, s *postgres.Store, v postgres.Session) (postgres.Session, ci.SessionKey) {
	t.Helper()
	key, _ := ci.ParseSession(ci.NewSession())
	v, err := s.AddSession(t.Context(), postgres.Actor{Name: "Ada <ada@example.com>", Address: "192.0.2.1"}, key, v, time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	return v, key
}

// What is over is taken away, and who is in use is written down, now and then.
func TestSessions_Tidied(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	conn := pgtest.Connect(t, url)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	used, key := begin(t, s, postgres.Session{Person: postgres.Person{Issuer: "i", Subject: "used"}})
	idle, _ := begin(t, s, postgres.Session{Person: postgres.Person{Issuer: "i", Subject: "idle"}})
	over, overKey := begin(t, s, postgres.Session{Person: postgres.Person{Issuer: "i", Subject: "over"}})
	exec(`UPDATE sessions SET seen_at = seen_at - interval '10 minutes'`)
	exec(`UPDATE sessions SET expires_at = clock_timestamp() WHERE id = $1`, over.ID)
	if err := s.AddSignIn(t.Context(), [32]byte{1}, "/1", 0); err != nil {
		t.Fatal(err)
	}
	exec(`INSERT INTO sign_ins SELECT sha256(n::text::bytea), '/', clock_timestamp() FROM generate_series(1, 25000) n`) // of a siege
	if err := s.AddSignIn(t.Context(), [32]byte{2}, "/2", time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.FindSession(t.Context(), overKey); ok || err != nil {
		t.Errorf("one that is over: %v, %v", ok, err)
	}
	for range 3 {
		if v, ok, err := s.FindSession(t.Context(), key); !ok || err != nil || v.ID != used.ID {
			t.Fatalf("%+v, %v, %v", v, ok, err)
		}
	}
	if err := s.TidySessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, _ := conn.Query(t.Context(), `SELECT id, seen_at > clock_timestamp() - interval '5 minutes' FROM sessions ORDER BY id`)
	type seen struct {
		ID   int64
		Seen bool
	}
	left, err := pgx.CollectRows(rows, pgx.RowToStructByPos[seen])
	if want := fmt.Sprint([]seen{{used.ID, true}, {idle.ID, false}}); err != nil || fmt.Sprint(left) != want {
		t.Errorf("left are %v, %v, want %s", left, err, want)
	}
	var ways int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM sign_ins`).Scan(&ways); err != nil || ways != 1 {
		t.Errorf("%d ways are left, %v", ways, err)
	}
	for sum, want := range map[byte]string{1: "", 2: "/2"} {
		for range 2 {
			back, ok, err := s.TakeSignIn(t.Context(), [32]byte{sum})
			if err != nil || ok != (want != "") || back != want {
				t.Errorf("way %d: %q, %v, %v", sum, back, ok, err)
			}
			want = ""
		}
	}
}

// Signing in, and out everywhere, is told of in the audit, with nothing that
// would be of use to anybody.
func TestSessions_Audited(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	sum, _ := ci.ParseToken(ci.NewToken())
	token, err := s.AddToken(t.Context(), postgres.Itself, sum, postgres.Token{Name: "portal", Scopes: []ci.Scope{ci.ScopeRead}, Project: "acme/*"})
	if err != nil {
		t.Fatal(err)
	}
	person, _ := begin(t, s, postgres.Session{Person: postgres.Person{Issuer: "https://id.example", Subject: "7", Name: "Ada"}})
	begin(t, s, postgres.Session{Person: postgres.Person{Issuer: "https://id.example", Subject: "7", Name: "Ada"}})
	begin(t, s, postgres.Session{Person: postgres.Person{Issuer: "https://id.example", Subject: "8", Name: "Eve"}})
	begin(t, s, postgres.Session{Token: &token})
	begin(t, s, postgres.Session{}) // nobody
	if err := s.EndSessions(t.Context(), postgres.Actor{Name: "Ada <ada@example.com>"}, person); err != nil {
		t.Fatal(err)
	}
	entries, _, err := s.Audit(t.Context(), []string{"*"}, postgres.AuditQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if e.Action != postgres.TokenCreate {
			got = append(got, fmt.Sprintf("%s %s %s %s %s", e.By.Name, e.Action, e.Project, e.Target, e.Detail))
		}
	}
	want := []string{
		`Ada <ada@example.com> session.end * Ada {"issuer": "https://id.example", "subject": "7", "sessions": 2}`,
		`Ada <ada@example.com> session.create acme/* ` + token.ID + ` {}`,
		`Ada <ada@example.com> session.create * Eve {"issuer": "https://id.example", "subject": "8"}`,
		`Ada <ada@example.com> session.create * Ada {"issuer": "https://id.example", "subject": "7"}`,
		`Ada <ada@example.com> session.create * Ada {"issuer": "https://id.example", "subject": "7"}`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told is\n%q, want\n%q", got, want)
	}
}

// waiting is how many connections wait for a lock, as they are now: within a
// transaction PostgreSQL shows them as they were when it was first asked.
func waiting(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), `SELECT pg_stat_clear_snapshot()`); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Whoever comes to sign in, to open links or with an ID token takes some of the
// connections for what is rare and leaves the others: the database has not
// one for each.
func TestStore_WelcomesFewAtOnce(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s, _ := open(t, database)
	conn := pgtest.Connect(t, database)
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE sessions`); err != nil {
		t.Fatal(err)
	}
	const signIns = 40
	var all sync.WaitGroup
	for range signIns {
		all.Go(func() {
			key, _ := ci.ParseSession(ci.NewSession())
			if _, err := s.AddSession(t.Context(), ada, key, postgres.Session{}, time.Hour, 0); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting(t, conn) < 4 {
	}
	// An administrator has a connection all the same.
	sum, _ := ci.ParseToken(ci.NewToken())
	for range 3 {
		if _, err := s.AddToken(t.Context(), ada, sum, postgres.Token{Name: "t", Scopes: []ci.Scope{ci.ScopeRead}, Project: "p"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := waiting(t, conn); n != 4 {
		t.Errorf("%d of %d hold a connection", n, signIns)
	}
	if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	var n int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&n); err != nil || n != signIns {
		t.Errorf("%d of %d are signed in: %v", n, signIns, err)
	}
}

// Who comes back from a way that nobody took is told so though all have to wait
// who come to sign in.
func TestTakeSignIn_MadeUp(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s, _ := open(t, database)
	conn := pgtest.Connect(t, database)
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE sign_ins IN EXCLUSIVE MODE`); err != nil { // for whoever writes
		t.Fatal(err)
	}
	var honest sync.WaitGroup
	for n := range 8 {
		honest.Go(func() {
			if err := s.AddSignIn(t.Context(), [32]byte{1, byte(n)}, "/", time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting(t, conn) < 4 {
	}
	if _, ok, err := s.TakeSignIn(t.Context(), [32]byte{2}); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if _, err := conn.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	honest.Wait()
}
