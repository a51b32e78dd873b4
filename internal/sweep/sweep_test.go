package sweep_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/sweep"
)

// found searches what a test keeps, and returns "kind, place" of each finding.
func found(t *testing.T, leaky func(t *testing.T)) []string {
	t.Helper()
	t.Setenv(sweep.Env, t.TempDir())
	sweep.Secret(t, ci.NewToken(), false)
	t.Run("leaky", leaky)
	r, err := sweep.Search(os.Getenv(sweep.Env))
	if err != nil {
		t.Fatal(err)
	}
	var where []string
	for _, f := range r.Findings {
		place, _, _ := strings.Cut(filepath.Base(f.Place), "#") // the second of a name has a number
		where = append(where, fmt.Sprintf("%s, %s", f.Kind, place))
	}
	return slices.Compact(where)
}

// TestSearch_FindsALeakOfEachKind leaks in each way, one at a time.
func TestSearch_FindsALeakOfEachKind(t *testing.T) {
	jwt := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOmFjbWUvYXBpIn0.c2lnbmF0dXJlIG9mIGl0IGFsbA"
	for _, kind := range sweep.Kinds {
		for name, secret := range map[string]string{"token": ci.NewToken(), "link": ci.NewLink(), "session": ci.NewSession(), "JWT": jwt} {
			got := found(t, func(t *testing.T) {
				sweep.Keep(t, kind, "nothing here\n")
				sweep.Keep(t, kind, `{"said":"x`+secret+`"}`)
			})
			if want := []string{string(kind) + ", leaky"}; !slices.Equal(got, want) {
				t.Errorf("a %s in %s: found in %q", name, kind, got)
			}
		}
	}
}

// TestSearch_KnowsEncodings leaks known secrets where no form shows.
func TestSearch_KnowsEncodings(t *testing.T) {
	token, client := ci.NewToken(), "the secret of an OIDC client"
	for name, text := range map[string]string{
		"a Basic header": "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+token)),
		"digits":         fmt.Sprintf("%x", token),
		"another form":   "client_secret=the%20secret%20of%20an%20OIDC%20client",
	} {
		got := found(t, func(t *testing.T) {
			sweep.Secret(t, token, false)
			sweep.Secret(t, client, false)
			sweep.Keep(t, sweep.Log, text)
		})
		if !slices.Equal(got, []string{"log, leaky"}) {
			t.Errorf("%s: found in %q", name, got)
		}
	}
}

// TestSearch_KnowsWhereATokenMayBe: in addresses, when it is for them.
func TestSearch_KnowsWhereATokenMayBe(t *testing.T) {
	status, report := ci.NewToken(), ci.NewToken()
	keep := func(kind sweep.Kind, token string) []string {
		return found(t, func(t *testing.T) {
			sweep.Secret(t, status, true)
			sweep.Secret(t, report, false)
			sweep.Keep(t, kind, "https://stepcast.example/badge/acme/api.svg?token="+token)
		})
	}
	if got := keep(sweep.Address, status); len(got) > 0 {
		t.Errorf("a status token in an address is found in %q", got)
	}
	for what, got := range map[string][]string{"a status token in a log": keep(sweep.Log, status), "another in an address": keep(sweep.Address, report)} {
		if len(got) != 1 {
			t.Errorf("%s: found in %q", what, got)
		}
	}
	typo := []byte(report)
	typo[8] ^= 1
	if got := keep(sweep.Log, string(typo)); len(got) > 0 {
		t.Errorf("what is no token is found in %q", got)
	}
}

// TestSearch_KnowsWhereALinkMayBe: in the address that opens it.
func TestSearch_KnowsWhereALinkMayBe(t *testing.T) {
	link := ci.NewLink()
	opening := "http://127.0.0.1:8080/builds/0198c0de-0000-7000-8000-000000000001?link=" + link
	for _, c := range []struct {
		kind sweep.Kind
		text string
		want int
	}{
		{sweep.Address, opening, 0},
		{sweep.Log, opening, 1},
		{sweep.Address, "GET " + opening, 1},
		{sweep.Address, opening + "&next=1", 1},
		{sweep.Address, strings.Replace(opening, "/builds/", "/api/v1/builds/", 1), 1},
		{sweep.Address, strings.Replace(opening, "?link=", "?token=", 1), 1},
		{sweep.Address, strings.Replace(opening, link, ci.NewToken(), 1), 1},
	} {
		got := found(t, func(t *testing.T) {
			sweep.Keep(t, c.kind, "http://127.0.0.1:8080/")
			sweep.Keep(t, c.kind, c.text)
			sweep.Keep(t, c.kind, "http://127.0.0.1:8080/app.js")
		})
		if len(got) != c.want {
			t.Errorf("%s, %s: found in %q", c.kind, c.text, got)
		}
	}
}

// TestKeep_ADatabase leaks into a database, as it stands and packed as events
// are, and into what PostgreSQL says of a statement that it refuses.
func TestKeep_ADatabase(t *testing.T) {
	pack, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	event := []byte(`{"text":"` + strings.Repeat("like many other lines\\n", 50) + ci.NewToken() + `"}`)
	for name, c := range map[string]struct {
		sql  string
		arg  any
		want []string
	}{
		"text":             {"INSERT INTO leaks (said) VALUES ($1)", ci.NewToken(), []string{"database, leaky"}},
		"bytes":            {"INSERT INTO leaks (bytes) VALUES ($1)", event, []string{"database, leaky"}},
		"compressed bytes": {"INSERT INTO leaks (bytes) VALUES ($1)", pack.EncodeAll(event, nil), []string{"database, leaky"}},
		"a refusal":        {"SELECT '" + ci.NewToken() + "'::integer WHERE $1 = ''", "", []string{"log, leaky"}},
		"nothing":          {"INSERT INTO leaks (said) VALUES ($1)", "stp_" + strings.Repeat("0", 36), nil},
	} {
		got := found(t, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), pgtest.New(t))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			if _, err := conn.Exec(t.Context(), "CREATE TABLE leaks (said text, bytes bytea)"); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Exec(t.Context(), c.sql, c.arg); (err != nil) != (name == "a refusal") {
				t.Fatal(err)
			}
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found in %q, want %q", name, got, c.want)
		}
	}
}

func TestKeepFiles(t *testing.T) {
	for name, want := range map[string][]string{"spool/1/log": {"disk, leaky"}, "token": nil, "spool/tokens/1": nil} {
		got := found(t, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("text "+ci.NewToken()), 0o666); err != nil {
				t.Fatal(err)
			}
			sweep.KeepFiles(t, sweep.Disk, dir, "token", "tokens")
			sweep.KeepFiles(t, sweep.Disk, filepath.Join(dir, "nowhere"))
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s: found in %q, want %q", name, got, want)
		}
	}
}

func TestSearch_WithoutASecret(t *testing.T) {
	t.Parallel()
	if _, err := sweep.Search(t.TempDir()); err == nil {
		t.Error("where nothing was kept, nothing is missed")
	}
}
