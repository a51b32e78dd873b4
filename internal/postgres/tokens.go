package postgres

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Token is what the database knows of a token, or of a link, which is a token
// for one build whose text opens it in a browser and does nothing else.
type Token struct {
	Sum       [32]byte // SHA-256 of its text; see ci.ParseToken
	ID        string   // see ci.TokenID
	Name      string
	Scopes    []ci.Scope
	Project   string     // a pattern
	Build     ci.BuildID // the zero one: all of them
	Link      bool
	MadeBy    string // by whom, as Actor.Name has it; "": nobody knows
	CreatedAt time.Time
	ExpiresAt *time.Time
	RevokedAt *time.Time
	UsedAt    *time.Time // the last time, a minute late at most; nil: never
	UsedFrom  string     // the address of whoever did
}

// Grant is what a token gives to whoever holds it.
func (t *Token) Grant() ci.Grant {
	return ci.Grant{Scopes: t.Scopes, Project: t.Project, Build: t.Build}
}

// keepToken is how long it is taken for granted that a token is in force: with
// the time after which open streams are looked at, less than 5 s.
const keepToken = 2 * time.Second

const (
	tokenColumns = `sum, name, scopes, project, build, link, made_by, created_at, expires_at, revoked_at, used_at, coalesce(used_from, '')`
	findTokenSQL = `SELECT ` + tokenColumns + ` FROM tokens WHERE sum = $1`
)

func scanToken(row pgx.CollectableRow) (t Token, err error) {
	var sum []byte
	var build *uuid.UUID
	err = row.Scan(&sum, &t.Name, &t.Scopes, &t.Project, &build, &t.Link, &t.MadeBy, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt, &t.UsedAt, &t.UsedFrom)
	if build != nil {
		t.Build = ci.BuildID(*build)
	}
	if len(sum) == 32 {
		t.Sum, t.ID = [32]byte(sum), ci.TokenID([32]byte(sum))
	}
	return t, err
}

// askTimeout bounds a question that several wait for.
const askTimeout = 10 * time.Second

// FindToken looks a token up by the SHA-256 of its text; ok is false when
// there is none. Hits are cached for a moment.
func (s *Store) FindToken(ctx context.Context, sum [32]byte) (t Token, ok bool, err error) {
	if t, ok := s.tokens.get(sum); ok {
		return t, true, nil
	}
	generation := s.tokens.generation()
	if !s.tokens.had(sum) { // it may be a guess, and each of those another
		t, err = s.askToken(ctx, generation, sum)
		return foundToken(t, err)
	}
	// All that ask at the same time, of which there may be as many as there are requests,
	// ask once; but for those that ask after something of it was changed.
	asked := s.asked.DoChan(string(sum[:])+strconv.Itoa(generation), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout) // others wait for it too
		defer cancel()
		return s.askToken(ctx, generation, sum)
	})
	select {
	case <-ctx.Done():
		return t, false, fmt.Errorf("look up a token: %w", ctx.Err())
	case found := <-asked:
		return foundToken(found.Val.(Token), found.Err)
	}
}

// askToken asks the database, and keeps a hit.
func (s *Store) askToken(ctx context.Context, generation int, sum [32]byte) (t Token, err error) {
	rows, err := s.read.Query(ctx, findTokenSQL, sum[:])
	if err != nil {
		return t, err
	}
	if t, err = pgx.CollectExactlyOneRow(rows, scanToken); err == nil {
		s.tokens.put(generation, sum, t)
	}
	return t, err
}

func foundToken(t Token, err error) (Token, bool, error) {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return t, false, nil
	case err != nil:
		return t, false, unavailable("look up a token", err)
	}
	return t, true, nil
}

// KnewToken tells whether FindToken has lately found a token. It asks nobody.
func (s *Store) KnewToken(sum [32]byte) bool { return s.tokens.had(sum) }

const addTokenSQL = `
	INSERT INTO tokens (sum, name, scopes, project, build, link, made_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
	ON CONFLICT DO NOTHING`

// AddToken stores a token, or a link, by the SHA-256 of its text, and returns it
// as it is then: one that is there stays.
func (s *Store) AddToken(ctx context.Context, by Actor, sum [32]byte, t Token) (stored Token, err error) {
	err = s.change(ctx, "add a token", func(tx pgx.Tx) error {
		made, err := addToken(ctx, tx, by, sum, t)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, findTokenSQL, sum[:])
		if err == nil {
			stored, err = pgx.CollectExactlyOneRow(rows, scanToken)
		}
		if err != nil || !made {
			return err
		}
		if t.Link {
			return audit(ctx, tx, by, LinkCreate, t.Project, stored.ID, map[string]any{"build": t.Build.String(), "scope": t.Scopes[0], "expires_at": t.ExpiresAt})
		}
		return audit(ctx, tx, by, TokenCreate, t.Project, stored.ID, map[string]any{"name": t.Name, "scopes": t.Scopes, "expires_at": t.ExpiresAt})
	})
	return stored, err
}

// addToken tells whether the token was not there.
func addToken(ctx context.Context, tx pgx.Tx, by Actor, sum [32]byte, t Token) (made bool, err error) {
	var build *uuid.UUID
	if g := t.Grant(); !g.Whole() {
		build = (*uuid.UUID)(&t.Build)
	}
	done, err := tx.Exec(ctx, addTokenSQL, sum[:], t.Name, t.Scopes, t.Project, build, t.Link, told(by.Name), t.ExpiresAt)
	return done.RowsAffected() == 1, err
}

// mostLinks is how many links are open in one session.
const mostLinks = 100

const (
	// Those that last longest stay.
	closeLinksSQL = `
	DELETE FROM session_links WHERE session = $1 AND token <> $3 AND token NOT IN (
		SELECT l.token FROM session_links l JOIN tokens t ON t.sum = l.token
		WHERE l.session = $1 AND l.token <> $3 AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp()
		ORDER BY t.expires_at DESC LIMIT $2)`
	openLinkSQL = `INSERT INTO session_links (session, token) VALUES ($1, $2) ON CONFLICT DO NOTHING`
)

// OpenLink lets a session, given by its id, see what a link is for. Of many that
// it has opened the 100 that last longest stay.
func (s *Store) OpenLink(ctx context.Context, session int64, link Token) error {
	defer s.sessions.found.clear()
	return s.welcome(ctx, "open a link", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, closeLinksSQL, session, mostLinks-1, link.Sum[:]); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, openLinkSQL, session, link.Sum[:])
		return err
	})
}

// TokensQuery selects tokens, or the links to a build.
type TokensQuery struct {
	Links    ci.BuildID // the build; the zero one: no links, but tokens
	OfBuilds bool       // tokens for one build too, of which runners get one for each
	Limit    int        // at most so many; the caller bounds it
	Before   string     // the opaque next of an earlier page
}

var (
	tokensSQL = `
	SELECT ` + tokenColumns + ` FROM tokens WHERE ` + coversSQL("project", 1, 2) + ` AND NOT link AND ($6 OR build IS NULL)
	AND (created_at, sum) < ($3, $4) ORDER BY created_at DESC, sum DESC LIMIT $5`
	linksSQL = `
	SELECT ` + tokenColumns + ` FROM tokens WHERE ` + coversSQL("project", 1, 2) + ` AND link AND build = $6
	AND (created_at, sum) < ($3, $4) ORDER BY created_at DESC, sum DESC LIMIT $5`
)

// Tokens lists the tokens for what patterns cover, the newest first, those that
// have ended too; next is empty at the end.
func (s *Store) Tokens(ctx context.Context, within []string, q TokensQuery) (tokens []Token, next string, err error) {
	created, sum, err := parseTokenBefore(q.Before)
	if err != nil {
		return nil, "", err
	}
	names, prefixes := splitPatterns(append([]string{}, within...))
	sql, which := tokensSQL, any(q.OfBuilds)
	if q.Links != (ci.BuildID{}) {
		sql, which = linksSQL, uuid.UUID(q.Links)
	}
	rows, err := s.read.Query(ctx, sql, names, prefixes, created, sum, q.Limit+1, which)
	if err == nil {
		tokens, err = pgx.CollectRows(rows, scanToken)
	}
	if err != nil {
		return nil, "", unavailable("list tokens", err)
	}
	if len(tokens) > q.Limit {
		tokens = tokens[:q.Limit]
		oldest := tokens[q.Limit-1]
		next = strconv.FormatInt(oldest.CreatedAt.UnixMicro(), 36) + "-" + oldest.ID
	}
	return tokens, next, nil
}

var tokensForSQL = `
	SELECT ` + tokenColumns + ` FROM tokens WHERE ` + coversSQL("project", 1, 2) + ` AND project = ANY ($3)
	AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
	ORDER BY created_at DESC, sum DESC LIMIT $4`

// TokensFor lists the tokens in force that are good for a project, and the links
// to its builds, of those for what some patterns cover, the newest first.
func (s *Store) TokensFor(ctx context.Context, within []string, project string, limit int) ([]Token, error) {
	names, prefixes := splitPatterns(append([]string{}, within...))
	rows, err := s.read.Query(ctx, tokensForSQL, names, prefixes, ci.PatternsOf(project), limit)
	if err != nil {
		return nil, unavailable("list tokens", err)
	}
	tokens, err := pgx.CollectRows(rows, scanToken)
	if err != nil {
		return nil, unavailable("list tokens", err)
	}
	return tokens, nil
}

var tokenByIDSQL = `
	SELECT ` + tokenColumns + ` FROM tokens WHERE sum BETWEEN $3 AND $4 AND link = $5 AND ` + coversSQL("project", 1, 2)

// TokenByID finds a token, or a link, among those for what some patterns cover;
// NotFound when there is none.
func (s *Store) TokenByID(ctx context.Context, within []string, id string, link bool) (t Token, err error) {
	least, greatest, ok := sumsOf(id)
	if !ok {
		return t, noToken(link)
	}
	names, prefixes := splitPatterns(append([]string{}, within...))
	rows, err := s.read.Query(ctx, tokenByIDSQL, names, prefixes, least, greatest, link)
	if err == nil {
		t, err = pgx.CollectExactlyOneRow(rows, scanToken)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return t, noToken(link)
	case err != nil:
		return t, unavailable("look up a token", err)
	}
	return t, nil
}

func noToken(link bool) error {
	if link {
		return &ci.Problem{Code: ci.NotFound, Detail: "There is no such link."}
	}
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such token."}
}

func parseTokenBefore(s string) (created time.Time, sum []byte, err error) {
	if s == "" {
		return time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), nil, nil
	}
	at, id, _ := strings.Cut(s, "-")
	micros, err := strconv.ParseInt(at, 36, 64)
	least, _, ok := sumsOf(id)
	if err != nil || !ok || micros < 0 || micros > 253402300799e6 {
		return created, nil, badBefore()
	}
	return time.UnixMicro(micros), least, nil
}

// sumsOf are the least and the greatest sum of the tokens of that id.
func sumsOf(id string) (least, greatest []byte, ok bool) {
	first, err := hex.DecodeString(id)
	if err != nil || len(first) != 8 || id != strings.ToLower(id) {
		return nil, nil, false
	}
	least = append(first[:8:8], make([]byte, 24)...)
	return least, append(first[:8:8], bytes.Repeat([]byte{0xff}, 24)...), true
}

var (
	endingSQL = `
	SELECT sum, name, project, build, revoked_at IS NULL FROM tokens
	WHERE sum BETWEEN $3 AND $4 AND link = $5 AND ` + coversSQL("project", 1, 2) + ` FOR NO KEY UPDATE`
	revokeSQL = `UPDATE tokens SET revoked_at = clock_timestamp() WHERE sum = $1`
)

// RevokeToken ends a token for what patterns cover, for good; NotFound when
// there is none. The other processes know within seconds.
func (s *Store) RevokeToken(ctx context.Context, by Actor, within []string, id string) error {
	return s.revoke(ctx, by, within, id, false)
}

// RevokeLink does that to a link.
func (s *Store) RevokeLink(ctx context.Context, by Actor, within []string, id string) error {
	return s.revoke(ctx, by, within, id, true)
}

func (s *Store) revoke(ctx context.Context, by Actor, within []string, id string, link bool) error {
	least, greatest, ok := sumsOf(id)
	if !ok {
		return noToken(link)
	}
	names, prefixes := splitPatterns(append([]string{}, within...))
	defer s.tokens.clear()
	return s.change(ctx, "revoke a token", func(tx pgx.Tx) error {
		var sum []byte
		var name, project string
		var build *uuid.UUID
		var inForce bool
		switch err := tx.QueryRow(ctx, endingSQL, names, prefixes, least, greatest, link).Scan(&sum, &name, &project, &build, &inForce); {
		case errors.Is(err, pgx.ErrNoRows):
			return noToken(link)
		case err != nil || !inForce:
			return err
		}
		if _, err := tx.Exec(ctx, revokeSQL, sum); err != nil {
			return err
		}
		if link {
			return audit(ctx, tx, by, LinkRevoke, project, id, map[string]any{"build": build})
		}
		return audit(ctx, tx, by, TokenRevoke, project, id, map[string]any{"name": name})
	})
}
