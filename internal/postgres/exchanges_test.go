package postgres_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// TestExchange_IsForgotten keeps an exchange for as long as its ID token or its
// token is good, and a token that was made to last longer for as long as that.
func TestExchange_IsForgotten(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s, _ := open(t, database)
	conn := pgtest.Connect(t, database)
	exchange := func(idToken, token string, build ci.BuildID, lifetime time.Duration) error {
		t.Helper()
		_, err := s.Exchange(t.Context(), ada, postgres.Exchange{
			IDToken: sha256.Sum256([]byte(idToken)), Expires: time.Now().Add(5 * time.Minute), Sum: sha256.Sum256([]byte(token)), Lifetime: lifetime,
			Token: postgres.Token{Name: token, Project: "acme/api", Build: build},
		})
		return err
	}
	// pass lets two days pass, as far as these rows can tell.
	pass := func() {
		t.Helper()
		for _, table := range []string{"exchanges", "tokens"} {
			if _, err := conn.Exec(t.Context(), `UPDATE `+table+` SET expires_at = expires_at - interval '2 days'`); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func() (exchanges, tokens int) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM exchanges), (SELECT count(*) FROM tokens)`).Scan(&exchanges, &tokens); err != nil {
			t.Fatal(err)
		}
		return exchanges, tokens
	}
	short, long := ci.NewBuildID(), ci.NewBuildID()
	for _, c := range []struct {
		idToken, token string
		build          ci.BuildID
		lifetime       time.Duration
		code           ci.Code
	}{
		{"1", "short", short, time.Hour, ""},
		{"2", "long", long, time.Hour, ""},
		{"2", "long", long, 72 * time.Hour, ""}, // lasts longer
		{"3", "long", long, time.Hour, ""},      // and no shorter for another
		{"1", "another", short, time.Hour, postgres.Replayed},
	} {
		if err := exchange(c.idToken, c.token, c.build, c.lifetime); c.code == "" && err != nil || c.code != "" && !errors.Is(err, &ci.Problem{Code: c.code}) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	pass()
	if err := exchange("4", "next", ci.NewBuildID(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if e, n := count(); e != 3 || n != 2 { // 2 and 3 for one that lasts, 4
		t.Errorf("%d exchanges, %d tokens", e, n)
	}
	if err := exchange("2", "another", long, time.Hour); !errors.Is(err, &ci.Problem{Code: postgres.Replayed}) {
		t.Errorf("an ID token whose token is good: %v", err)
	}
	pass()
	pass()
	if err := exchange("5", "last", ci.NewBuildID(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if e, n := count(); e != 1 || n != 1 {
		t.Errorf("in the end %d exchanges, %d tokens", e, n)
	}
}

// After a day of many jobs and a quiet one the first job is not held up by what
// the others have left, and each after it takes some of it away.
func TestExchange_AfterMany(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s, _ := open(t, database)
	conn := pgtest.Connect(t, database)
	const jobs = 20_000
	for _, sql := range []string{
		`INSERT INTO tokens (sum, name, scopes, project, build, expires_at)
			SELECT sha256(n::text::bytea), 'job', '{report}', 'acme/api', gen_random_uuid(), clock_timestamp() - interval '2 days' FROM generate_series(1, $1::integer) n`,
		// Two of each, as of a job that asked again.
		`INSERT INTO exchanges (sum, token, expires_at)
			SELECT sha256((n || ' of ' || k)::bytea), sha256(n::text::bytea), clock_timestamp() - k * interval '2 days' FROM generate_series(1, $1::integer) n, generate_series(1, 2) k`,
	} {
		if _, err := conn.Exec(t.Context(), sql, jobs); err != nil {
			t.Fatal(err)
		}
	}
	made := 0
	exchange := func(wantExchanges, wantTokens int) {
		t.Helper()
		made++
		_, err := s.Exchange(t.Context(), ada, postgres.Exchange{
			IDToken: sha256.Sum256([]byte{byte(made)}), Expires: time.Now().Add(time.Minute), Sum: sha256.Sum256([]byte{1, byte(made)}), Lifetime: time.Hour,
			Token: postgres.Token{Name: "job", Project: "acme/api", Build: ci.NewBuildID()},
		})
		if err != nil {
			t.Fatal(err)
		}
		var exchanges, tokens int
		if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM exchanges), (SELECT count(*) FROM tokens)`).Scan(&exchanges, &tokens); err != nil {
			t.Fatal(err)
		}
		if exchanges != wantExchanges || tokens != wantTokens {
			t.Errorf("after %d: %d exchanges, want %d; %d tokens, want %d", made, exchanges, wantExchanges, tokens, wantTokens)
		}
	}
	exchange(2*jobs-99, jobs+1) // the older ones of two
	exchange(2*jobs-198, jobs+2)
	if _, err := conn.Exec(t.Context(), `DELETE FROM exchanges WHERE expires_at BETWEEN clock_timestamp() - interval '3 days' AND clock_timestamp() - interval '1 day'`); err != nil {
		t.Fatal(err)
	}
	exchange(jobs-297, jobs-97) // the last of each, and with it its token
}
