package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stepcast/stepcast/internal/ci"
)

// Person is who has signed in at an OpenID provider, as it was then.
type Person struct {
	Issuer, Subject string // whom the provider means; empty: nobody
	Name, Email     string // to be shown; may be empty
	Groups          []string
}

// Session is what the database knows of a browser that has signed in.
type Session struct {
	ID        int64
	Person    Person  // the zero one: nobody
	Token     *Token  // that somebody signed in with; nil: none
	Links     []Token // whose addresses were opened
	CreatedAt time.Time
	ExpiresAt time.Time

	// Stale tells that its browser should be sent a fresh cookie.
	Stale bool
}

// The times of a session's cookie. The one that a browser is sent takes the
// place of the former when it comes back with it, so that an answer that gets
// lost costs nothing.
const (
	rotateAfter = time.Hour
	sendAgain   = time.Minute // a fresh one, if nobody has come with the last that was sent
	keepFormer  = time.Minute // for requests that are under way
)

// seenEvery is how often it is written down at most that a session is in use.
const seenEvery = 5 * time.Minute

// mostSeen bounds how many sessions are kept in mind as in use; of others
// nothing is written down.
const mostSeen = 10_000

// sessions is what the store keeps of them in memory.
type sessions struct {
	found   cache[[32]byte, Session] // by the cookie's sum
	writing chan struct{}            // one slot: who rotates or confirms, of whom none waits for another
	ways    chan struct{}            // a few slots: who signs in, or does what else anybody can ask for

	mu   sync.Mutex
	seen map[int64]bool // in use, and not yet written down
}

// whichSQL is which cookie of a session one is.
const whichSQL = `CASE $2::bytea WHEN sum THEN 'current' WHEN next THEN 'next' ELSE
		CASE WHEN former = $2 AND rotated_at > clock_timestamp() - make_interval(secs => $3) THEN 'former' ELSE 'stolen' END END`

const findSessionSQL = `
	SELECT id, coalesce(issuer, ''), coalesce(subject, ''), name, email, groups, token, created_at, expires_at, ` + whichSQL + `,
		sum = $2 AND rotated_at < clock_timestamp() - make_interval(secs => $4)
			AND (sent_at IS NULL OR sent_at < clock_timestamp() - make_interval(secs => $5)),
		seen_at < clock_timestamp() - make_interval(secs => $6)
	FROM sessions WHERE key = $1 AND expires_at > clock_timestamp()`

const tokensOfSessionSQL = `
	WITH its AS (SELECT id, token FROM sessions WHERE key = $1)
	SELECT ` + tokenColumns + ` FROM tokens
	WHERE sum = (SELECT token FROM its) OR sum IN (SELECT l.token FROM session_links l JOIN its ON its.id = l.session)`

// FindSession looks a session up by its cookie; ok is false when there is none,
// or none any more. Hits are cached for a moment. A cookie that was followed by
// another, which its browser has used since, ends the session: two hold it, and
// who is the right one cannot be known.
func (s *Store) FindSession(ctx context.Context, key ci.SessionKey) (v Session, ok bool, err error) {
	if v, ok := s.sessions.found.get(key.Sum); ok {
		return v, true, nil
	}
	generation := s.sessions.found.generation()
	var (
		sum    []byte
		which  string
		unseen bool
		tokens []Token
	)
	batch := new(pgx.Batch)
	batch.Queue(findSessionSQL, key.Name[:], key.Sum[:], keepFormer.Seconds(), rotateAfter.Seconds(), sendAgain.Seconds(), seenEvery.Seconds()).QueryRow(func(row pgx.Row) error {
		p := &v.Person
		return row.Scan(&v.ID, &p.Issuer, &p.Subject, &p.Name, &p.Email, &p.Groups, &sum, &v.CreatedAt, &v.ExpiresAt, &which, &v.Stale, &unseen)
	})
	batch.Queue(tokensOfSessionSQL, key.Name[:]).Query(func(rows pgx.Rows) (err error) {
		tokens, err = pgx.CollectRows(rows, scanToken)
		return err
	})
	switch err := s.read.SendBatch(ctx, batch).Close(); {
	case errors.Is(err, pgx.ErrNoRows):
		return Session{}, false, nil
	case err != nil:
		return Session{}, false, unavailable("look up a session", err)
	}
	for i := range tokens {
		if len(sum) == 32 && tokens[i].Sum == [32]byte(sum) {
			v.Token = &tokens[i]
		} else {
			v.Links = append(v.Links, tokens[i])
		}
	}
	switch which {
	case "stolen":
		return Session{}, false, s.endStolen(ctx, key, v)
	case "next":
		s.confirmSession(ctx, key)
	}
	if unseen {
		s.sessions.note(v.ID)
	}
	s.sessions.found.put(generation, key.Sum, v)
	return v, true, nil
}

const endStolenSQL = `DELETE FROM sessions WHERE key = $1 AND ` + whichSQL + ` = 'stolen'`

func (s *Store) endStolen(ctx context.Context, key ci.SessionKey, v Session) error {
	defer s.sessions.found.clear()
	return s.change(ctx, "end a session", func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, endStolenSQL, key.Name[:], key.Sum[:], keepFormer.Seconds())
		if err != nil || done.RowsAffected() == 0 {
			return err
		}
		s.log.Warn("a session was ended: somebody came with a former cookie of it, so that two have it", "session", v.ID)
		return v.audit(ctx, tx, Itself, SessionEnd, map[string]any{"reason": "a former cookie was used"})
	})
}

const confirmSessionSQL = `
	UPDATE sessions SET former = sum, sum = next, next = NULL, sent_at = NULL, rotated_at = clock_timestamp()
	WHERE key = $1 AND next = $2`

// confirmSession notes that a browser has come with the cookie that it was sent.
// If that fails, it will come again.
func (s *Store) confirmSession(ctx context.Context, key ci.SessionKey) {
	if _, err := s.inTurn(ctx, confirmSessionSQL, key.Name[:], key.Sum[:]); err != nil {
		s.log.Warn("the cookie of a session was not confirmed", "err", err)
	}
}

const renewSessionSQL = `
	UPDATE sessions SET next = $3, sent_at = clock_timestamp()
	WHERE key = $1 AND sum = $2 AND rotated_at < clock_timestamp() - make_interval(secs => $4)
	AND (sent_at IS NULL OR sent_at < clock_timestamp() - make_interval(secs => $5))`

// RenewSession notes that the browser of a stale session is about to be sent a
// fresh cookie, next; ok is false when it is not to be: another request does it,
// or the database has enough to do.
func (s *Store) RenewSession(ctx context.Context, key, next ci.SessionKey) (ok bool, err error) {
	n, err := s.inTurn(ctx, renewSessionSQL, key.Name[:], key.Sum[:], next.Sum[:], rotateAfter.Seconds(), sendAgain.Seconds())
	if n > 0 {
		s.sessions.found.drop(key.Sum) // it is stale no more
	}
	return n > 0, err
}

// inTurn changes what another request may change as well later on: it does
// nothing while another such change is under way. All browsers that come back
// after a restart at once take one connection.
func (s *Store) inTurn(ctx context.Context, sql string, args ...any) (n int64, err error) {
	select {
	case s.sessions.writing <- struct{}{}:
		defer func() { <-s.sessions.writing }()
	default:
		return 0, nil
	}
	err = s.administer(ctx, func(conn *pgx.Conn) error {
		done, err := conn.Exec(ctx, sql, args...)
		if err != nil {
			return unavailable("rotate the cookie of a session", err)
		}
		n = done.RowsAffected()
		return nil
	})
	return n, err
}

const addSessionSQL = `
	INSERT INTO sessions (key, sum, issuer, subject, name, email, groups, token, expires_at)
	VALUES ($1, $2, nullif($3, ''), nullif($4, ''), $5, $6, $7, $8, clock_timestamp() + make_interval(secs => $9))
	RETURNING id, created_at, expires_at`

// Links that somebody opened before signing in stay open. Those of a person do
// not pass to whoever signs in next.
const (
	keepLinksSQL = `
	UPDATE session_links l SET session = $2 FROM sessions s
	WHERE l.session = $1 AND s.id = $1 AND s.issuer IS NULL AND s.token IS NULL`
	endSessionSQL = `DELETE FROM sessions WHERE id = $1`
)

// AddSession stores a session that lasts for so long, in place of the one with
// the id instead, if that is not 0, which its browser had. That somebody signed
// in is told in the audit; that links were opened by nobody is not.
func (s *Store) AddSession(ctx context.Context, by Actor, key ci.SessionKey, v Session, lasts time.Duration, instead int64) (Session, error) {
	defer s.sessions.found.clear()
	err := s.welcome(ctx, "begin a session", func(tx pgx.Tx) error {
		if err := v.insert(ctx, tx, key, lasts, instead, keepLinksSQL); err != nil {
			return err
		}
		return v.audit(ctx, tx, by, SessionCreate, nil)
	})
	return v, err
}

// ReplaceSession stores a session that lasts for so long, in place of another and with all
// that it shows: whoever else has that one's cookie has nothing more.
func (s *Store) ReplaceSession(ctx context.Context, key ci.SessionKey, v Session, lasts time.Duration) (Session, error) {
	defer s.sessions.found.clear()
	err := s.welcome(ctx, "replace a session", func(tx pgx.Tx) error {
		return v.insert(ctx, tx, key, lasts, v.ID, moveLinksSQL)
	})
	return v, err
}

const moveLinksSQL = `UPDATE session_links SET session = $2 WHERE session = $1`

// insert stores a session, in place of another unless instead is 0, whose links it gets as
// links says.
func (v *Session) insert(ctx context.Context, tx pgx.Tx, key ci.SessionKey, lasts time.Duration, instead int64, links string) error {
	var token []byte
	if v.Token != nil {
		token = v.Token.Sum[:]
	}
	p := &v.Person
	row := tx.QueryRow(ctx, addSessionSQL, key.Name[:], key.Sum[:], p.Issuer, p.Subject, p.Name, p.Email, append([]string{}, p.Groups...), token, lasts.Seconds())
	if err := row.Scan(&v.ID, &v.CreatedAt, &v.ExpiresAt); err != nil || instead == 0 {
		return err
	}
	if _, err := tx.Exec(ctx, links, instead, v.ID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, endSessionSQL, instead)
	return err
}

// audit tells what becomes of the sessions of whoever a session is of; those of
// nobody are not told of.
func (v *Session) audit(ctx context.Context, tx pgx.Tx, by Actor, action Action, detail map[string]any) error {
	switch {
	case v.Person.Subject != "":
		if detail == nil {
			detail = make(map[string]any)
		}
		detail["issuer"], detail["subject"] = v.Person.Issuer, v.Person.Subject
		return audit(ctx, tx, by, action, WholeServer, v.Person.Name, detail)
	case v.Token != nil:
		return audit(ctx, tx, by, action, v.Token.Project, v.Token.ID, detail)
	}
	return nil
}

// EndSession ends a session. What is open on any process ends within seconds.
func (s *Store) EndSession(ctx context.Context, v Session) error {
	defer s.sessions.found.clear()
	return s.change(ctx, "end a session", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, endSessionSQL, v.ID)
		return err
	})
}

const (
	endPersonsSQL = `DELETE FROM sessions WHERE issuer = $1 AND subject = $2`
	endTokensSQL  = `DELETE FROM sessions WHERE token = $1`
)

// EndSessions ends every session of the person whom a session is of, or of who
// signed in with the same token.
func (s *Store) EndSessions(ctx context.Context, by Actor, v Session) error {
	sql, args := endSessionSQL, []any{v.ID}
	switch {
	case v.Person.Subject != "":
		sql, args = endPersonsSQL, []any{v.Person.Issuer, v.Person.Subject}
	case v.Token != nil:
		sql, args = endTokensSQL, []any{v.Token.Sum[:]}
	}
	defer s.sessions.found.clear()
	return s.change(ctx, "end sessions", func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return err
		}
		return v.audit(ctx, tx, by, SessionEnd, map[string]any{"sessions": done.RowsAffected()})
	})
}

// note keeps in mind that a session is in use.
func (s *sessions) note(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = make(map[int64]bool)
	}
	if len(s.seen) < mostSeen {
		s.seen[id] = true
	}
}

func (s *sessions) takeSeen() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := slices.Collect(maps.Keys(s.seen))
	s.seen = nil
	return seen
}

// keepSessions writes down which sessions are in use, and takes away what is
// over, until ctx is done.
func (s *Store) keepSessions(ctx context.Context) {
	tick := time.NewTicker(seenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.tidySessions(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("sessions were not tidied", "err", err)
		}
	}
}

const (
	mostTidied  = 10_000 // rows at once
	seenSQL     = `UPDATE sessions SET seen_at = clock_timestamp() WHERE id = ANY ($1)`
	sessionsSQL = `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`
	signInsSQL  = `DELETE FROM sign_ins WHERE sum IN (SELECT sum FROM sign_ins WHERE expires_at < clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`
)

func (s *Store) tidySessions(ctx context.Context) error {
	seen := s.sessions.takeSeen()
	return s.administer(ctx, func(conn *pgx.Conn) error {
		for {
			more := false
			count := func(done pgconn.CommandTag) error {
				more = more || done.RowsAffected() == mostTidied
				return nil
			}
			batch := new(pgx.Batch)
			if len(seen) > 0 {
				batch.Queue(seenSQL, seen)
			}
			batch.Queue(sessionsSQL, mostTidied).Exec(count)
			batch.Queue(signInsSQL, mostTidied).Exec(count)
			if err := conn.SendBatch(ctx, batch).Close(); err != nil {
				return fmt.Errorf("tidy sessions: %w", err)
			}
			if seen = nil; !more {
				return nil
			}
		}
	})
}

const addSignInSQL = `INSERT INTO sign_ins (sum, back, expires_at) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))`

// AddSignIn notes that somebody is on the way to a provider, and where to go on
// to when they come back, for which they have so long.
func (s *Store) AddSignIn(ctx context.Context, sum [32]byte, back string, lasts time.Duration) error {
	return s.onTheWay(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, addSignInSQL, sum[:], back, lasts.Seconds()); err != nil {
			return unavailable("begin a sign-in", err)
		}
		return nil
	})
}

const (
	isSignInSQL   = `SELECT EXISTS (SELECT FROM sign_ins WHERE sum = $1)`
	takeSignInSQL = `DELETE FROM sign_ins WHERE sum = $1 RETURNING back, expires_at > clock_timestamp()`
)

// TakeSignIn ends such a way; ok is false when there is none, or none any more.
// Each ends once. Whoever makes one up is told without waiting, and keeps nobody
// waiting.
func (s *Store) TakeSignIn(ctx context.Context, sum [32]byte) (back string, ok bool, err error) {
	var there bool
	if err := s.read.QueryRow(ctx, isSignInSQL, sum[:]).Scan(&there); err != nil {
		return "", false, unavailable("end a sign-in", err)
	}
	if !there {
		return "", false, nil
	}
	err = s.onTheWay(ctx, func(conn *pgx.Conn) error {
		err := conn.QueryRow(ctx, takeSignInSQL, sum[:]).Scan(&back, &ok)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return unavailable("end a sign-in", err)
		}
		return nil
	})
	return back, ok, err
}

// mostWays is how many of the connections for what is rare are for whoever comes.
const mostWays = mostRare / 2

// welcome is change for what anybody can ask for.
func (s *Store) welcome(ctx context.Context, doing string, do func(pgx.Tx) error) error {
	return s.onTheWay(ctx, func(conn *pgx.Conn) error { return changeOn(ctx, conn, doing, do) })
}

// onTheWay does what anybody can ask for, on a few connections at most: those
// that there are belong to who writes.
func (s *Store) onTheWay(ctx context.Context, do func(*pgx.Conn) error) error {
	select {
	case s.sessions.ways <- struct{}{}:
		defer func() { <-s.sessions.ways }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.administer(ctx, do)
}
