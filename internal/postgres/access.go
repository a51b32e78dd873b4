package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// reachSQL holds for the projects p that a caller may see; a and b are the
// parameters that reachArgs gives.
func reachSQL(a, b int) string {
	return fmt.Sprintf("(p.public OR %s)", coversSQL("p.name", a, b))
}

// coversSQL holds for names, and for patterns, that patterns cover; a and b are
// the parameters that splitPatterns gives.
func coversSQL(column string, a, b int) string {
	return fmt.Sprintf("(%s = ANY ($%d::text[]) OR %s ^@ ANY ($%d::text[]))", column, a, column, b)
}

// reachArgs are the names and the prefixes of what a reach covers besides the
// public projects.
func reachArgs(r ci.Reach) (names, prefixes []string) {
	if r.All {
		return splitPatterns(nil)
	}
	return splitPatterns(append([]string{}, r.Patterns...))
}

// A change of visibility is recent for longer than any process takes to hear of
// it. Until then readers of one that had not heard may have come far beyond the
// event at the change. That is looked up for as long as the feed promises to keep
// events, seven days.
const accessSQL = `
	SELECT name, public, coalesce(visibility_event, -1),
		CASE WHEN visibility_at > clock_timestamp() - interval '8 days' THEN coalesce(
			(SELECT id - 1 FROM feed WHERE id > visibility_event AND at > visibility_at + interval '15 seconds' ORDER BY id LIMIT 1),
			(SELECT max(id) FROM feed), 0)
		ELSE coalesce(visibility_event, -1) END,
		coalesce(visibility_at > clock_timestamp() - interval '15 seconds', false), NULL::bytea, NULL::bigint
	FROM projects WHERE public OR visibility_at IS NOT NULL
	UNION ALL
	SELECT NULL, false, 0, 0, false, sum, NULL FROM tokens
	WHERE sum = ANY ($1) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
	UNION ALL
	SELECT NULL, false, 0, 0, false, NULL, id FROM sessions
	WHERE id = ANY ($2) AND expires_at > clock_timestamp()`

var publicsNumber atomic.Int64

// Shown is what callers have shown of themselves: tokens, by their sums, and
// sessions, by their ids.
type Shown struct {
	Tokens   map[[32]byte]bool
	Sessions map[int64]bool
}

// Access reads which projects are public and what of that which was shown is in
// force, in one query.
func (s *Store) Access(ctx context.Context, shown Shown) (*ci.Publics, Shown, error) {
	sums := make([][]byte, 0, len(shown.Tokens))
	for sum := range shown.Tokens {
		sums = append(sums, sum[:])
	}
	inForce := Shown{make(map[[32]byte]bool), make(map[int64]bool)}
	rows, err := s.read.Query(ctx, accessSQL, sums, slices.Collect(maps.Keys(shown.Sessions)))
	if err != nil {
		return nil, inForce, unavailable("read who may see what", err)
	}
	public := &ci.Publics{Projects: make(map[string]ci.Visibility), Number: publicsNumber.Add(1)}
	var (
		name    *string
		v       ci.Visibility
		sum     []byte
		session *int64
	)
	_, err = pgx.ForEachRow(rows, []any{&name, &v.Public, &v.Since, &v.Until, &v.Recent, &sum, &session}, func() error {
		switch {
		case name != nil:
			public.Projects[*name] = v
		case session != nil:
			inForce.Sessions[*session] = true
		default:
			inForce.Tokens[[32]byte(sum)] = true
		}
		return nil
	})
	if err != nil {
		return nil, inForce, unavailable("read who may see what", err)
	}
	if len(inForce.Tokens) < len(shown.Tokens) { // whose readers are about to come back
		s.tokens.clear()
		s.sessions.found.clear() // which were made with them
	}
	if len(inForce.Sessions) < len(shown.Sessions) {
		s.sessions.found.clear()
	}
	return public, inForce, nil
}

// Settings are what can be set of a project.
type Settings struct {
	Project        string
	Public         bool
	FrameAncestors []string // origins; nil: any
}

const settingsOfSQL = `SELECT name, public, frame_ancestors FROM projects WHERE name = $1`

// Settings reads those of a project; NotFound when there is none.
func (s *Store) Settings(ctx context.Context, project string) (Settings, error) {
	return scanSettings("read settings", s.read.QueryRow(ctx, settingsOfSQL, project))
}

func scanSettings(doing string, row pgx.Row) (v Settings, err error) {
	switch err := row.Scan(&v.Project, &v.Public, &v.FrameAncestors); {
	case errors.Is(err, pgx.ErrNoRows):
		return v, &ci.Problem{Code: ci.NotFound, Detail: "There is no such project; the first report makes it."}
	case err != nil:
		return v, unavailable(doing, err)
	}
	return v, nil
}

var framersSQL = `SELECT DISTINCT frame_ancestors FROM ` + matchedSQL + ` WHERE ` + reachSQL(3, 4)

// Framers reads who may frame what is embedded of the projects within reach
// that some patterns match: the lists of origins that there are, each once; nil
// is any. Without such a project there is no list.
func (s *Store) Framers(ctx context.Context, reach ci.Reach, patterns []string) ([][]string, error) {
	names, prefixes := splitPatterns(append([]string{}, patterns...))
	within, below := reachArgs(reach)
	rows, err := s.read.Query(ctx, framersSQL, names, prefixes, within, below)
	if err != nil {
		return nil, unavailable("read who may frame", err)
	}
	lists, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
	if err != nil {
		return nil, unavailable("read who may frame", err)
	}
	return lists, nil
}

// SettingsChange is what is to be set; what is not present stays.
type SettingsChange struct {
	Public         ci.Field[bool]
	FrameAncestors ci.Field[[]string]
}

const (
	lockSettingsSQL   = settingsOfSQL + ` FOR NO KEY UPDATE`
	changeSettingsSQL = `
	UPDATE projects SET
		visibility_event = CASE WHEN public = coalesce($2, public) THEN visibility_event ELSE (SELECT coalesce(max(id), 0) FROM feed) END,
		visibility_at = CASE WHEN public = coalesce($2, public) THEN visibility_at ELSE clock_timestamp() END,
		public = coalesce($2, public),
		frame_ancestors = CASE WHEN $3 THEN $4::text[] ELSE frame_ancestors END
	WHERE name = $1 RETURNING name, public, frame_ancestors`
)

// ChangeSettings changes those of a project and returns them as they are then;
// NotFound when there is none. The other processes know within seconds.
func (s *Store) ChangeSettings(ctx context.Context, by Actor, project string, change SettingsChange) (v Settings, err error) {
	err = s.change(ctx, "change settings", func(tx pgx.Tx) error {
		var public *bool
		if change.Public.Present {
			public = &change.Public.Value
		}
		before, err := scanSettings("read settings", tx.QueryRow(ctx, lockSettingsSQL, project))
		if err != nil {
			return err
		}
		if v, err = scanSettings("change settings", tx.QueryRow(ctx, changeSettingsSQL, project, public, change.FrameAncestors.Present, change.FrameAncestors.Value)); err != nil {
			return err
		}
		changed := before.changesTo(v)
		if len(changed) == 0 {
			return nil
		}
		return audit(ctx, tx, by, ProjectSet, project, project, changed)
	})
	s.refs.clear()
	return v, err
}

// changesTo are the settings that differ, each with what it was and what it is.
func (v Settings) changesTo(now Settings) map[string]any {
	visibility := map[bool]string{true: "public", false: "private"}
	changed := make(map[string]any)
	if v.Public != now.Public {
		changed["visibility"] = map[string]any{"from": visibility[v.Public], "to": visibility[now.Public]}
	}
	if (v.FrameAncestors == nil) != (now.FrameAncestors == nil) || !slices.Equal(v.FrameAncestors, now.FrameAncestors) {
		changed["frame_ancestors"] = map[string]any{"from": v.FrameAncestors, "to": now.FrameAncestors}
	}
	return changed
}

// administer does what is rare and asked for on a connection whose commits are on
// disk when they are acknowledged.
func (s *Store) administer(ctx context.Context, do func(*pgx.Conn) error) error {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	conn, err := s.acquireRare(ctx)
	if err != nil {
		return unavailable("connect", err)
	}
	defer conn.Release()
	return do(conn.Conn())
}
