package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Actor is by whom something is changed, as the audit tells of it. Every method
// that changes who may see or do what takes one.
type Actor struct {
	Name    string // as people tell of them: "token portal (0123456789abcdef)", "Ada <ada@example.com>"
	Address string // of the client, without a port; "": none
}

// Itself is the server where nobody asked it to.
var Itself = Actor{Name: "the server"}

// Action is what was done.
type Action string

// The actions.
const (
	TokenCreate   Action = "token.create"
	TokenRevoke   Action = "token.revoke"
	TokenExchange Action = "token.exchange" // of a runner's identity for a token
	LinkCreate    Action = "link.create"
	LinkRevoke    Action = "link.revoke"
	ProjectSet    Action = "project.set"
	SessionCreate Action = "session.create" // by a person
	SessionEnd    Action = "session.end"    // of all that a person has
	BuildPrune    Action = "build.prune"    // of builds that are old
)

// Entry is one line of the audit: what it was, of what, and who did it. There
// is no secret in any.
type Entry struct {
	ID      int64
	At      time.Time
	By      Actor
	Action  Action
	Project string          // a project, or a pattern; WholeServer
	Target  string          // by what it is known: an id, a name
	Detail  json.RawMessage // a JSON object
}

// WholeServer is the project of an entry that is of no project: whoever
// administers all of them sees it.
const WholeServer = "*"

const auditSQL = `INSERT INTO audit (actor, address, action, project, target, detail) VALUES ($1, $2, $3, $4, $5, $6)`

// maxTold bounds each text of an entry, in bytes.
const maxTold = 500

// audit appends an entry in the transaction of the change that it tells of, so
// that there is neither without the other. detail is marshaled.
func audit(ctx context.Context, tx pgx.Tx, by Actor, action Action, project, target string, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	// Names come from elsewhere, and none may be what keeps a change from being
	// told of: jsonb takes no NUL.
	_, err = tx.Exec(ctx, auditSQL, told(by.Name), told(by.Address), action, project, told(target), strings.ReplaceAll(string(text), `\u0000`, `\ufffd`))
	if err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

// told is a text as it may stand in an entry.
func told(s string) string {
	if len(s) > maxTold {
		s = s[:maxTold] + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// AuditQuery selects entries.
type AuditQuery struct {
	Project string // a pattern, of what it covers; "": of everything
	Limit   int    // at most so many; the caller bounds it
	Before  string // the opaque next of an earlier page
}

const entryColumns = `id, at, actor, address, action, project, target, detail`

// What somebody asks for may be a few lines of very many. So the projects that
// there are lines of are found by the index, one after the other, and of each
// that is asked for its newest lines: that costs as much as there are projects,
// however many lines there are. Of everything it is the newest lines.
var (
	entriesSQL = `
	WITH RECURSIVE projects AS (
		(SELECT project FROM audit ORDER BY project LIMIT 1)
		UNION ALL
		SELECT (SELECT project FROM audit WHERE project > p.project ORDER BY project LIMIT 1) FROM projects p WHERE p.project IS NOT NULL
	)
	SELECT e.* FROM projects p CROSS JOIN LATERAL (
		SELECT ` + entryColumns + ` FROM audit WHERE project = p.project AND id < $1 ORDER BY id DESC LIMIT $2
	) e
	WHERE ` + coversSQL("p.project", 3, 4) + ` AND ` + coversSQL("p.project", 5, 6) + `
	ORDER BY e.id DESC LIMIT $2`
	allEntriesSQL = `SELECT ` + entryColumns + ` FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2`
)

// Audit lists entries of what some patterns cover, the newest first; next is
// empty at the end. Entries get their place when they are written, and are seen
// when they are committed: one may appear a moment later than one after it.
func (s *Store) Audit(ctx context.Context, within []string, q AuditQuery) (entries []Entry, next string, err error) {
	before := int64(math.MaxInt64)
	if q.Before != "" {
		if before, err = strconv.ParseInt(q.Before, 36, 64); err != nil {
			return nil, "", badBefore()
		}
	}
	if q.Project == "" {
		q.Project = WholeServer
	}
	sql, args := allEntriesSQL, []any{before, q.Limit + 1}
	if q.Project != WholeServer || !slices.Contains(within, WholeServer) {
		names, prefixes := splitPatterns(append([]string{}, within...))
		askedNames, askedPrefixes := splitPatterns([]string{q.Project})
		sql, args = entriesSQL, append(args, names, prefixes, askedNames, askedPrefixes)
	}
	rows, err := s.read.Query(ctx, sql, args...)
	if err == nil {
		entries, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Entry, err error) {
			err = row.Scan(&e.ID, &e.At, &e.By.Name, &e.By.Address, &e.Action, &e.Project, &e.Target, &e.Detail)
			return e, err
		})
	}
	if err != nil {
		return nil, "", unavailable("read the audit", err)
	}
	if len(entries) > q.Limit {
		entries = entries[:q.Limit]
		next = strconv.FormatInt(entries[q.Limit-1].ID, 36)
	}
	return entries, next, nil
}

func badBefore() *ci.Problem {
	return &ci.Problem{Code: ci.Invalid, Field: "before", Detail: "before is the next of an earlier page, as it was given."}
}

// change does what is rare, and audited, in one transaction whose commit is on
// disk when it is acknowledged.
func (s *Store) change(ctx context.Context, doing string, do func(pgx.Tx) error) error {
	return s.administer(ctx, func(conn *pgx.Conn) error { return changeOn(ctx, conn, doing, do) })
}

func changeOn(ctx context.Context, conn *pgx.Conn, doing string, do func(pgx.Tx) error) error {
	if err := pgx.BeginFunc(ctx, conn, do); err != nil {
		return unavailable(doing, err)
	}
	return nil
}
