package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Token is what the database knows of a token.
type Token struct {
	ID        string // see ci.TokenID
	Name      string
	Scopes    []ci.Scope
	Project   string     // a pattern
	Build     ci.BuildID // the zero one: all of them
	MadeBy    string     // by whom; "": the server itself, or nobody knows
	CreatedAt time.Time
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// Grant is what a token gives to whoever holds it.
func (t *Token) Grant() ci.Grant {
	return ci.Grant{Scopes: t.Scopes, Project: t.Project, Build: t.Build}
}

// keepToken is how long it is taken for granted that a token is in force: with
// the time after which open streams are looked at, less than 5 s.
const keepToken = 2 * time.Second

const (
	tokenColumns = `sum, name, scopes, project, build, made_by, created_at, expires_at, revoked_at`
	findTokenSQL = `SELECT ` + tokenColumns + ` FROM tokens WHERE sum = $1`
)

func scanToken(row pgx.CollectableRow) (t Token, err error) {
	var sum []byte
	var build *uuid.UUID
	err = row.Scan(&sum, &t.Name, &t.Scopes, &t.Project, &build, &t.MadeBy, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt)
	if build != nil {
		t.Build = ci.BuildID(*build)
	}
	if len(sum) == 32 {
		t.ID = ci.TokenID([32]byte(sum))
	}
	return t, err
}

// FindToken looks a token up by the SHA-256 of its text; ok is false when
// there is none. Hits are cached for a moment.
func (s *Store) FindToken(ctx context.Context, sum [32]byte) (t Token, ok bool, err error) {
	if t, ok := s.tokens.get(sum); ok {
		return t, true, nil
	}
	turn := s.tokens.turn()
	rows, err := s.read.Query(ctx, findTokenSQL, sum[:])
	if err == nil {
		t, err = pgx.CollectExactlyOneRow(rows, scanToken)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return t, false, nil
	case err != nil:
		return t, false, unavailable("look up a token", err)
	}
	s.tokens.put(turn, sum, t)
	return t, true, nil
}

const addTokenSQL = `
	INSERT INTO tokens (sum, name, scopes, project, build, made_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (sum) DO UPDATE SET sum = excluded.sum
	RETURNING ` + tokenColumns

// AddToken stores a token by the SHA-256 of its text, and returns it as it is
// then: one that is there stays.
func (s *Store) AddToken(ctx context.Context, sum [32]byte, t Token) (stored Token, err error) {
	var build *uuid.UUID
	if g := t.Grant(); !g.Whole() {
		build = (*uuid.UUID)(&t.Build)
	}
	err = s.administer(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, addTokenSQL, sum[:], t.Name, t.Scopes, t.Project, build, t.MadeBy, t.ExpiresAt)
		if err == nil {
			stored, err = pgx.CollectExactlyOneRow(rows, scanToken)
		}
		if err != nil {
			return unavailable("add a token", err)
		}
		return nil
	})
	return stored, err
}

// mostTokens is how many are listed.
const mostTokens = 1000

var tokensSQL = `
	SELECT ` + tokenColumns + ` FROM tokens WHERE ` + coversSQL("project", 1, 2) + `
	ORDER BY created_at DESC, sum LIMIT $3`

// Tokens lists the tokens for what patterns cover, the newest first and at most
// 1,000: those that have ended too.
func (s *Store) Tokens(ctx context.Context, patterns []string) ([]Token, error) {
	names, prefixes := splitPatterns(append([]string{}, patterns...))
	rows, err := s.read.Query(ctx, tokensSQL, names, prefixes, mostTokens)
	if err != nil {
		return nil, unavailable("list tokens", err)
	}
	tokens, err := pgx.CollectRows(rows, scanToken)
	if err != nil {
		return nil, unavailable("list tokens", err)
	}
	return tokens, nil
}

var revokeTokenSQL = `
	UPDATE tokens SET revoked_at = coalesce(revoked_at, clock_timestamp())
	WHERE encode(substring(sum FOR 8), 'hex') = $3 AND ` + coversSQL("project", 1, 2)

// RevokeToken ends a token for what patterns cover, for good; NotFound when
// there is none. The other processes know within seconds.
func (s *Store) RevokeToken(ctx context.Context, patterns []string, id string) error {
	names, prefixes := splitPatterns(append([]string{}, patterns...))
	defer s.tokens.clear()
	return s.administer(ctx, func(conn *pgx.Conn) error {
		done, err := conn.Exec(ctx, revokeTokenSQL, names, prefixes, id)
		switch {
		case err != nil:
			return unavailable("revoke a token", err)
		case done.RowsAffected() == 0:
			return &ci.Problem{Code: ci.NotFound, Detail: "There is no such token."}
		}
		return nil
	})
}
