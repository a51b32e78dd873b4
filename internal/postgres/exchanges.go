package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// The refusals of an exchange.
const (
	Replayed     ci.Code = "token-replayed" // the ID token was exchanged for another one
	TokenTaken   ci.Code = "token-taken"    // the text is that of a token of another kind
	TokenRevoked ci.Code = "token-revoked"
)

// Exchange is an ID token that is to be exchanged for a token of one build.
type Exchange struct {
	IDToken  [32]byte  // tells it from any other
	Expires  time.Time // when it does
	Sum      [32]byte  // of the token's text
	Token    Token     // Name, Project, Build; its only scope is report
	Lifetime time.Duration
}

const (
	// A token that is there stays, if it is the same, and lasts longer.
	exchangedTokenSQL = `
	INSERT INTO tokens (sum, name, scopes, project, build, made_by, expires_at)
	VALUES ($1, $2, '{report}', $3, $4, $5, clock_timestamp() + $6)
	ON CONFLICT (sum) DO UPDATE SET expires_at = greatest(tokens.expires_at, excluded.expires_at)
		WHERE tokens.scopes = excluded.scopes AND tokens.project = excluded.project AND tokens.build = excluded.build
		AND NOT tokens.link AND tokens.revoked_at IS NULL
	RETURNING ` + tokenColumns

	// Each ID token has one row, whoever comes first, until it and its token have
	// expired. xmax is 0 in a row that was not there.
	exchangeSQL = `
	INSERT INTO exchanges (sum, token, expires_at) VALUES ($1, $2, greatest($3::timestamptz, $4::timestamptz))
	ON CONFLICT (sum) DO UPDATE SET expires_at = greatest(exchanges.expires_at, excluded.expires_at) WHERE exchanges.token = excluded.token
	RETURNING xmax = 0`

	// A build of another project, or one that is over, is none to begin with.
	exchangeForSQL = `SELECT p.name = $2, b.status FROM builds b JOIN projects p ON p.id = b.project WHERE b.uuid = $1`

	// Whoever has a token revoked means the job that has it, and that can make up
	// the text for another one.
	revokedForSQL = `SELECT EXISTS (SELECT FROM tokens WHERE build = $1 AND NOT link AND revoked_at IS NOT NULL)`

	// By nobody's clock any of them is good still. Each exchange makes one, and
	// takes away some, however many there were before a quiet weekend. now() is
	// what an index can be searched for.
	forgetExchangesSQL = `
	WITH gone AS (
		DELETE FROM exchanges WHERE sum IN (
			SELECT sum FROM exchanges WHERE expires_at < now() - interval '1 day' ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
		RETURNING sum, token)
	DELETE FROM tokens t WHERE t.sum IN (SELECT token FROM gone) AND t.expires_at < now() - interval '1 day'
		AND NOT EXISTS (SELECT FROM sessions s WHERE s.token = t.sum)
		AND NOT EXISTS (SELECT FROM exchanges e WHERE e.token = t.sum AND e.sum NOT IN (SELECT sum FROM gone))`
)

// mostForgotten is how many old exchanges one takes away.
const mostForgotten = 100

// Exchange stores the token that an ID token is exchanged for, and returns it.
// The same exchange again gets the same token, which then lasts longer, and so
// does another ID token of the same run. An ID token is good for one token only:
// Replayed for another, TokenTaken where its text is something else's. A new
// token is not made for a build of another project (BuildIDTaken) or one that is
// over (BuildFinished), nor for one of whose tokens one was revoked (TokenRevoked),
// and the ID token stays good.
func (s *Store) Exchange(ctx context.Context, by Actor, x Exchange) (t Token, err error) {
	defer s.tokens.clear() // one that is there lasts longer
	err = s.welcome(ctx, "exchange an ID token", func(tx pgx.Tx) error {
		t, err = exchange(ctx, tx, by, x)
		return err
	})
	return t, err
}

func exchange(ctx context.Context, tx pgx.Tx, by Actor, x Exchange) (t Token, err error) {
	if _, err := tx.Exec(ctx, forgetExchangesSQL, mostForgotten); err != nil {
		return t, fmt.Errorf("forget exchanges: %w", err)
	}
	var known bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tokens WHERE sum = $1)`, x.Sum[:]).Scan(&known); err != nil {
		return t, fmt.Errorf("look for the token: %w", err)
	}
	rows, err := tx.Query(ctx, exchangedTokenSQL, x.Sum[:], x.Token.Name, x.Token.Project, uuid.UUID(x.Token.Build), by.Name, x.Lifetime)
	if err == nil {
		t, err = pgx.CollectExactlyOneRow(rows, scanToken)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return t, otherToken(ctx, tx, x)
	} else if err != nil {
		return t, fmt.Errorf("store the token: %w", err)
	}
	var first bool
	err = tx.QueryRow(ctx, exchangeSQL, x.IDToken[:], x.Sum[:], x.Expires, *t.ExpiresAt).Scan(&first)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, &ci.Problem{Code: Replayed, Detail: "This ID token was exchanged already, for another token; let the job ask for a new one, and if nobody of yours has used it, look into who did."}
	} else if err != nil {
		return t, fmt.Errorf("store the exchange: %w", err)
	}
	if !known {
		if err := mayBegin(ctx, tx, x.Token); err != nil {
			return t, err
		}
	}
	if first {
		return t, audit(ctx, tx, by, TokenExchange, t.Project, t.ID, map[string]any{"build": t.Build, "expires_at": t.ExpiresAt})
	}
	return t, nil
}

// mayBegin says why no token is made for a build.
func mayBegin(ctx context.Context, tx pgx.Tx, t Token) error {
	var revoked bool
	if err := tx.QueryRow(ctx, revokedForSQL, uuid.UUID(t.Build)).Scan(&revoked); err != nil {
		return fmt.Errorf("look for revoked tokens: %w", err)
	}
	if revoked {
		return &ci.Problem{Code: TokenRevoked, Detail: "A token of this build was revoked, so that no other one is made for its run's jobs."}
	}
	var own bool
	var status ci.Status
	switch err := tx.QueryRow(ctx, exchangeForSQL, uuid.UUID(t.Build), t.Project).Scan(&own, &status); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("look for the build: %w", err)
	case !own:
		return &ci.Problem{Code: ci.BuildIDTaken, Field: "build", Detail: "A build of another project has this id; take the next one of the run."}
	case status.Final():
		return &ci.Problem{Code: ci.BuildFinished, Field: "build", Detail: "The build has ended, and takes no new steps; take the next one of the run."}
	}
	return nil
}

// otherToken says why a token is not the one that is wanted.
func otherToken(ctx context.Context, tx pgx.Tx, x Exchange) error {
	rows, err := tx.Query(ctx, findTokenSQL, x.Sum[:])
	if err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanToken)
	switch {
	case err != nil:
		return fmt.Errorf("read the token: %w", err)
	case t.RevokedAt != nil && t.Build == x.Token.Build && t.Project == x.Token.Project:
		return &ci.Problem{Code: TokenRevoked, Detail: "The token of this job was revoked."}
	}
	return &ci.Problem{Code: TokenTaken, Field: "token", Detail: "The token's text is in use for something else; make up another one for each build."}
}
