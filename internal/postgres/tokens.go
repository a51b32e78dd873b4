package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Scope is what a token may do.
type Scope string

// The scopes.
const (
	ScopeReport Scope = "report" // write
	ScopeRead   Scope = "read"   // everything of a project
	ScopeStatus Scope = "status" // the status of builds and steps, never log text
	ScopeAdmin  Scope = "admin"
)

// Token is what the database knows of a token.
type Token struct {
	ID        string // see ci.TokenID
	Name      string
	Scopes    []Scope
	Project   string // a pattern
	CreatedAt time.Time
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// keepToken is how long it is taken for granted that a token is in force: with
// the time after which open streams are looked at, less than 5 s.
const keepToken = 2 * time.Second

const (
	tokenColumns = `sum, name, scopes, project, created_at, expires_at, revoked_at`
	findTokenSQL = `SELECT ` + tokenColumns + ` FROM tokens WHERE sum = $1`
)

func scanToken(row pgx.CollectableRow) (t Token, err error) {
	var sum []byte
	err = row.Scan(&sum, &t.Name, &t.Scopes, &t.Project, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt)
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
	INSERT INTO tokens (sum, name, scopes, project, expires_at) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (sum) DO UPDATE SET sum = excluded.sum
	RETURNING ` + tokenColumns

// AddToken stores a token by the SHA-256 of its text, and returns it as it is
// then: one that is there stays.
func (s *Store) AddToken(ctx context.Context, sum [32]byte, t Token) (stored Token, err error) {
	err = s.administer(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, addTokenSQL, sum[:], t.Name, t.Scopes, t.Project, t.ExpiresAt)
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

// Tokens lists the tokens for what a pattern covers, the newest first and at
// most 1,000: those that have ended too.
func (s *Store) Tokens(ctx context.Context, pattern string) ([]Token, error) {
	name, prefix := reachArgs(ci.Reach{Pattern: pattern})
	rows, err := s.read.Query(ctx, tokensSQL, name, prefix, mostTokens)
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

// RevokeToken ends a token for what a pattern covers, for good; NotFound when
// there is none. The other processes know within seconds.
func (s *Store) RevokeToken(ctx context.Context, pattern, id string) error {
	name, prefix := reachArgs(ci.Reach{Pattern: pattern})
	defer s.tokens.clear()
	return s.administer(ctx, func(conn *pgx.Conn) error {
		done, err := conn.Exec(ctx, revokeTokenSQL, name, prefix, id)
		switch {
		case err != nil:
			return unavailable("revoke a token", err)
		case done.RowsAffected() == 0:
			return &ci.Problem{Code: ci.NotFound, Detail: "There is no such token."}
		}
		return nil
	})
}
