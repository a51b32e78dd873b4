package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
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
	Name      string
	Scopes    []Scope
	Project   string // a pattern
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

const findTokenSQL = `SELECT name, scopes, project, expires_at, revoked_at FROM tokens WHERE sum = $1`

// FindToken looks a token up by the SHA-256 of its text; ok is false when
// there is none. Hits are cached for a few seconds.
func (s *Store) FindToken(ctx context.Context, sum [32]byte) (t Token, ok bool, err error) {
	if t, ok := s.tokens.get(sum); ok {
		return t, true, nil
	}
	turn := s.tokens.turn()
	switch err := s.read.QueryRow(ctx, findTokenSQL, sum[:]).Scan(&t.Name, &t.Scopes, &t.Project, &t.ExpiresAt, &t.RevokedAt); {
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
	ON CONFLICT (sum) DO NOTHING`

// AddToken stores a token by the SHA-256 of its text. One that is there stays
// as it is.
func (s *Store) AddToken(ctx context.Context, sum [32]byte, t Token) error {
	conn, err := connectWriter(ctx, s.cfg.URL)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, addTokenSQL, sum[:], t.Name, t.Scopes, t.Project, t.ExpiresAt); err != nil {
		return fmt.Errorf("add a token: %w", err)
	}
	return nil
}
