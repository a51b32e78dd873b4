package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// Ref is what does not change about a build within one history, and whether its
// project is public. It is cached for a few seconds.
type Ref struct {
	ID      ci.BuildID
	Log     ci.LogID
	Epoch   ci.Epoch // the history in which Log is this build's
	Project string
	Public  bool
	Kept    bool // it was known already, and the database not asked
}

const lookupSQL = `SELECT b.id, p.name, p.public, present_epoch() FROM builds b JOIN projects p ON p.id = b.project WHERE b.uuid = $1`

// KnewBuild returns what Lookup found lately. It asks nobody.
func (s *Store) KnewBuild(id ci.BuildID) (Ref, bool) { return s.refs.get(id) }

// Lookup finds a build; a *ci.Problem with NotFound when there is none.
func (s *Store) Lookup(ctx context.Context, id ci.BuildID) (Ref, error) {
	if ref, ok := s.refs.get(id); ok {
		return ref, nil
	}
	ref := Ref{ID: id}
	generation := s.refs.generation()
	var epoch *uuid.UUID
	switch err := s.read.QueryRow(ctx, lookupSQL, uuid.UUID(id)).Scan(&ref.Log, &ref.Project, &ref.Public, &epoch); {
	case errors.Is(err, pgx.ErrNoRows):
		return ref, noBuild()
	case err != nil:
		return ref, unavailable("look up a build", err)
	case epoch == nil: // history was rewound and nobody noticed yet
		if err := s.renewEpoch(ctx); err != nil {
			return ref, unavailable("look up a build", err)
		}
		return s.Lookup(ctx, id)
	}
	ref.Epoch = ci.Epoch(*epoch)
	s.noticeEpoch(ref.Epoch)
	kept := ref
	kept.Kept = true
	s.refs.put(generation, id, kept)
	return ref, nil
}

func noBuild() *ci.Problem {
	return &ci.Problem{Code: ci.NotFound, Detail: "There is no such build."}
}

// Snapshot is a build as it was at one event.
type Snapshot struct {
	Build    ci.Build
	Steps    []ci.Step
	Last     ci.EventID
	Final    bool // for good
	Epoch    ci.Epoch
	Expected *float64 // seconds that the build will probably take; nil: nothing to go by, or just created
}

// Build reads one build in one database snapshot.
func (s *Store) Build(ctx context.Context, id ci.BuildID) (snap Snapshot, err error) {
	err = s.inSnapshot(ctx, func(tx pgx.Tx, epoch ci.Epoch) error {
		states, err := loadStates(ctx, tx, []ci.BuildID{id})
		if err != nil {
			return err
		}
		state := states[id]
		if state == nil {
			return noBuild()
		}
		snap = *snapshotOf(state, epoch, time.Now())
		seconds, err := expected(ctx, tx, []ci.LogID{state.Log})
		snap.Expected = seconds[state.Log]
		return err
	})
	return snap, err
}

// inSnapshot runs several queries over one snapshot of the database.
func (s *Store) inSnapshot(ctx context.Context, do func(pgx.Tx, ci.Epoch) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.read, options, func(tx pgx.Tx) error {
		var epoch *uuid.UUID
		if err := tx.QueryRow(ctx, presentEpochSQL).Scan(&epoch); err != nil {
			return err
		}
		if epoch == nil {
			return errRewound
		}
		return do(tx, ci.Epoch(*epoch))
	})
	if errors.Is(err, errRewound) {
		if err := s.renewEpoch(ctx); err != nil {
			return unavailable("read", err)
		}
		return s.inSnapshot(ctx, do)
	}
	if err != nil {
		return unavailable("read", err)
	}
	return nil
}

// BuildsQuery selects builds; zero members select all. Projects are patterns.
type BuildsQuery struct {
	Projects []string
	Branches []string
	Statuses []ci.Status
	Author   string
	Number   int64
	Limit    int    // at most so many; the caller bounds it
	Before   string // the opaque next of an earlier page
}

// Listed is a build in a list.
type Listed struct {
	Build    ci.Build
	Steps    []ci.Step
	Expected *float64 // seconds that the build will probably take; nil: nothing to go by
	ETA      *float64 // seconds until it is expected to end; nil: nothing to go by, or not running
	Bare     bool     // without its steps: the list was large enough before it
	Broken   bool     // of the feed's: the last one before it that passed or failed, of its branch, failed

	bytes int // about so many of its steps
}

// A project pattern is either a name or, with its star cut off, a prefix; ""
// stands for all.
var projectMatchSQL = coversSQL("p.name", 1, 2)

// splitPatterns leaves out what another pattern covers: no project is found twice.
func splitPatterns(patterns []string) (names, prefixes []string) {
	names, prefixes = []string{}, []string{}
	if patterns == nil {
		return names, []string{""}
	}
	var all []string
	for _, pattern := range patterns {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			all = append(all, prefix)
		}
	}
	slices.Sort(all)
	for _, prefix := range all { // what begins with another comes right after it
		if n := len(prefixes); n == 0 || !strings.HasPrefix(prefix, prefixes[n-1]) {
			prefixes = append(prefixes, prefix)
		}
	}
	for _, pattern := range patterns {
		covered := func(prefix string) bool { return strings.HasPrefix(pattern, prefix) }
		if !strings.HasSuffix(pattern, "*") && !slices.ContainsFunc(prefixes, covered) {
			names = append(names, pattern)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), prefixes
}

// isNamedSQL and isBelowSQL hold for projects p of a name, and for those whose name begins
// with a prefix, by the index of their names: among many projects few are looked at. No
// name has a ~ in it.
func isNamedSQL(name string) string {
	return strings.ReplaceAll(`lower(p.name) = lower({x}) AND p.name = {x}`, "{x}", name)
}

func isBelowSQL(prefix string) string {
	return strings.ReplaceAll(`lower(p.name) >= lower({x}) AND lower(p.name) < lower({x}) || '~' AND starts_with(p.name, {x})`, "{x}", prefix)
}

// matchedSQL are the projects that some patterns match, as p; the parameters 1 and 2 are
// what splitPatterns gives.
var matchedSQL = `(
		SELECT p.* FROM unnest($1::text[]) named (name) JOIN projects p ON ` + isNamedSQL("named.name") + `
		UNION ALL
		SELECT p.* FROM unnest($2::text[]) prefixed (prefix) JOIN projects p ON ` + isBelowSQL("prefixed.prefix") + `
	) p`

var buildsSQL = `
	SELECT ` + buildColumns + `
	FROM builds b JOIN projects p ON p.id = b.project
	WHERE ` + projectMatchSQL + ` AND ` + reachSQL(10, 11) + `
	AND ($3::text[] IS NULL OR coalesce(b.branch, '') = ANY ($3))
	AND ($4::text[] IS NULL OR b.status = ANY ($4))
	AND ($5 = '' OR b.author = $5)
	AND ($6::bigint = 0 OR b.number = $6)
	AND (b.created_at, b.id) < ($7, $8)
	ORDER BY b.created_at DESC, b.id DESC LIMIT $9`

// What a build will probably take: the median of the last ten before it that
// passed, of its project and branch, else of its project. They are looked for
// among the hundred before it, so that a branch that never passes costs no more.
const expectedSQL = `
	SELECT b.id, extract(epoch FROM coalesce(
		(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM (
			SELECT finished_at - started_at AS took FROM (
				SELECT e.* FROM builds e
				WHERE e.project = b.project AND e.branch = b.branch AND e.number < b.number
				ORDER BY e.number DESC LIMIT 100
			) near
			WHERE status = 'passed' AND finished_at >= started_at ORDER BY number DESC LIMIT 10
		) last),
		(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM (
			SELECT finished_at - started_at AS took FROM (
				SELECT e.* FROM builds e
				WHERE e.project = b.project AND e.number < b.number
				ORDER BY e.number DESC LIMIT 100
			) near
			WHERE status = 'passed' AND finished_at >= started_at ORDER BY number DESC LIMIT 10
		) last)
	))::float8
	FROM builds b WHERE b.id = ANY ($1)`

// expected tells what builds will probably take, in seconds; nil where there is
// nothing to go by.
func expected(ctx context.Context, tx pgx.Tx, logs []ci.LogID) (map[ci.LogID]*float64, error) {
	rows, err := tx.Query(ctx, expectedSQL, logs)
	if err != nil {
		return nil, err
	}
	seconds := make(map[ci.LogID]*float64, len(logs))
	var log ci.LogID
	var median *float64
	if _, err := pgx.ForEachRow(rows, []any{&log, &median}, func() error { seconds[log] = median; return nil }); err != nil {
		return nil, fmt.Errorf("read what builds took: %w", err)
	}
	return seconds, nil
}

// brokenSQL selects builds whose branch was broken before them. It is looked for among
// the hundred before each, as in expectedSQL.
const brokenSQL = `
	SELECT b.id FROM builds b WHERE b.id = ANY ($1) AND 'failed' = (
		SELECT status FROM (
			(SELECT e.status, e.number FROM builds e
				WHERE e.project = b.project AND e.branch = b.branch AND e.number < b.number
				ORDER BY e.number DESC LIMIT 100)
			UNION ALL
			(SELECT e.status, e.number FROM builds e
				WHERE b.branch IS NULL AND e.project = b.project AND e.branch IS NULL AND e.number < b.number
				ORDER BY e.number DESC LIMIT 100)
		) near
		WHERE status IN ('passed', 'failed') ORDER BY number DESC LIMIT 1
	)`

// Builds lists the builds within reach, newest created first. next is empty at
// the end.
func (s *Store) Builds(ctx context.Context, reach ci.Reach, q BuildsQuery) (builds []Listed, next string, err error) {
	before, beforeRow, err := parseBefore(q.Before)
	if err != nil {
		return nil, "", err
	}
	names, prefixes := splitPatterns(q.Projects)
	within, below := reachArgs(reach)
	var statuses []string
	for _, status := range q.Statuses {
		statuses = append(statuses, string(status))
	}
	err = s.inSnapshot(ctx, func(tx pgx.Tx, _ ci.Epoch) error {
		rows, err := collectBuilds(ctx, tx, buildsSQL, names, prefixes, q.Branches, statuses, q.Author, q.Number, before, beforeRow, q.Limit+1, within, below)
		if err != nil {
			return err
		}
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			oldest := rows[q.Limit-1]
			next = formatBefore(oldest.build.CreatedAt, oldest.log)
		}
		if builds, err = withSteps(ctx, tx, rows, nil, listedBytes); err != nil {
			return err
		}
		if n := slices.IndexFunc(builds, func(b Listed) bool { return b.Bare }); n > 0 { // the first one never is
			builds, next = builds[:n], formatBefore(rows[n-1].build.CreatedAt, rows[n-1].log)
		}
		return nil
	})
	return builds, next, err
}

func collectBuilds(ctx context.Context, db querier, sql string, args ...any) ([]buildRow, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b buildRow, err error) {
		err = row.Scan(b.targets()...)
		b.utc()
		return b, err
	})
}

// listedBytes is about how many bytes the steps of a list's builds may have: a
// build may have 2,000 of them, and a list 1,000 builds. The builds' own texts may
// have as many, where a list has no end.
const listedBytes = 8 << 20

// The steps of some builds, in the order in which these are named, of each list
// at most so many. They are looked up build by build, so that no others are read.
const listedStepsSQL = `
	SELECT ` + stepColumns + `
	FROM (SELECT DISTINCT list FROM unnest($2::int[]) list) lists CROSS JOIN LATERAL (
		SELECT own.*, named.place
		FROM unnest($1::bigint[], $2::int[]) WITH ORDINALITY named(build, list, place)
		CROSS JOIN LATERAL (SELECT * FROM steps WHERE steps.build = named.build ORDER BY steps.number) own
		WHERE named.list = lists.list LIMIT $3
	) s
	ORDER BY s.place, s.number`

// withSteps adds steps, and how long the builds will probably take. Once the
// steps of a list have as many bytes as there is room for, the builds that are left
// of it stay bare. lists tells for each build which of several lists it is of; nil:
// all are of one.
func withSteps(ctx context.Context, tx pgx.Tx, rows []buildRow, lists []int, room int) ([]Listed, error) {
	logs := logsOf(rows)
	if lists == nil {
		lists = make([]int, len(rows))
	}
	place := make(map[ci.LogID]int, len(rows))
	for i, log := range logs {
		place[log] = i
	}
	out := make([]Listed, len(rows))
	bytes, last := make(map[int]int), make(map[int]int) // of a list: how large it is, and the build that made it large enough
	if room > 0 {
		most := room/stepBytes + ci.MaxSteps // as many as are enough by their number alone, and a last build's
		err := eachStep(ctx, tx, func(log ci.LogID, step *ci.StepState) {
			i, size := place[log], stepBytes+step.Plan()
			list := lists[i]
			if end, full := last[list]; full && i != end {
				return
			}
			out[i].Steps = append(out[i].Steps, step.Step)
			out[i].bytes += size
			if bytes[list] += size; bytes[list] >= room {
				last[list] = i
			}
		}, listedStepsSQL, logs, lists, most)
		if err != nil {
			return nil, err
		}
	}
	seconds, err := expected(ctx, tx, logs)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		end, full := last[lists[i]]
		out[i].Build, out[i].Expected, out[i].Bare = r.build, seconds[r.log], room <= 0 || full && i > end
		if whole := out[i].Expected; whole != nil && r.build.Status == ci.Running && r.build.StartedAt != nil {
			left := max(0, *whole-time.Since(*r.build.StartedAt).Seconds())
			out[i].ETA = &left
		}
	}
	return out, nil
}

func logsOf(rows []buildRow) []ci.LogID {
	logs := make([]ci.LogID, len(rows))
	for i, r := range rows {
		logs[i] = r.log
	}
	return logs
}

func formatBefore(created time.Time, log ci.LogID) string {
	return strconv.FormatInt(created.UnixMicro(), 36) + "-" + strconv.FormatInt(int64(log), 36)
}

func parseBefore(s string) (time.Time, int64, error) {
	if s == "" {
		return time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), 0, nil
	}
	i := max(0, strings.LastIndexByte(s, '-')) // the time may be before 1970
	created, err := strconv.ParseInt(s[:i], 36, 64)
	log, err2 := strconv.ParseInt(s[min(i+1, len(s)):], 36, 64)
	if err != nil || err2 != nil || created < -62135596800e6 || created > 253402300799e6 {
		return time.Time{}, 0, &ci.Problem{Code: ci.Invalid, Field: "before", Detail: "before is the next of an earlier page, as it was given."}
	}
	return time.UnixMicro(created), log, nil
}

// The newest build is the first that an index has, of the project or of its branch.
var (
	latestSQL         = latestOf("")
	latestOfBranchSQL = latestOf(" AND b.branch = $4")
)

func latestOf(branch string) string {
	return `
	SELECT b.uuid FROM projects p CROSS JOIN LATERAL (
		SELECT b.uuid FROM builds b WHERE b.project = p.id` + branch + ` ORDER BY b.number DESC LIMIT 1) b
	WHERE ` + isNamedSQL("$1") + ` AND ` + reachSQL(2, 3)
}

// Latest finds the newest build of a project, on a branch unless that is
// empty; NotFound when there is none within reach.
func (s *Store) Latest(ctx context.Context, reach ci.Reach, project, branch string) (id ci.BuildID, err error) {
	within, below := reachArgs(reach)
	sql, args := latestSQL, []any{project, within, below}
	if branch != "" {
		sql, args = latestOfBranchSQL, append(args, branch)
	}
	switch err := s.read.QueryRow(ctx, sql, args...).Scan((*uuid.UUID)(&id)); {
	case errors.Is(err, pgx.ErrNoRows):
		return id, &ci.Problem{Code: ci.NotFound, Detail: "That project has no build there yet."}
	case err != nil:
		return id, unavailable("find the latest build", err)
	}
	return id, nil
}

// Project is a project with its newest build.
type Project struct {
	Name   string
	Public bool
	Latest *Listed // nil: it has no build, or that is left out
	Cut    bool    // it is left out: the list was large enough before it
}

// pageProjects is how many projects a page has at most. With pageBytes of steps it
// ends early, but not within a build.
const pageProjects = 500

// The order is that of the index, in which names are whatever their case: a page is
// a walk along it from where the one before ended, however many projects there are.
var (
	projectsSQL = `SELECT p.* FROM projects p WHERE ` + reachSQL(1, 2) + ` AND lower(p.name) > lower($3) ORDER BY lower(p.name) LIMIT $4`

	projectNamesSQL = `SELECT p.name, p.public FROM (` + projectsSQL + `) p ORDER BY lower(p.name)`

	latestOfAllSQL = `
	SELECT ` + buildColumns + `
	FROM (` + projectsSQL + `) p JOIN builds b ON b.project = p.id AND b.number = p.last_number
	ORDER BY lower(p.name)`
)

// ProjectNames lists the first of the projects within reach by name, without their
// builds.
func (s *Store) ProjectNames(ctx context.Context, reach ci.Reach, limit int) ([]Project, error) {
	within, below := reachArgs(reach)
	projects, err := projectNames(ctx, s.read, within, below, "", limit)
	if err != nil {
		return nil, unavailable("list projects", err)
	}
	return projects, nil
}

func projectNames(ctx context.Context, db querier, args ...any) ([]Project, error) {
	rows, err := db.Query(ctx, projectNamesSQL, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Project, err error) {
		err = row.Scan(&p.Name, &p.Public)
		return p, err
	})
}

// Projects lists the projects within reach by name, a page at a time: each is read
// when whoever asks has done with the one before it, and is true then. Once the
// texts of their newest builds are as many bytes as a list may have, those that are
// left are left out.
func (s *Store) Projects(ctx context.Context, reach ci.Reach) iter.Seq2[[]Project, error] {
	return func(yield func([]Project, error) bool) {
		list := projectList{reach: reach, more: true, texts: listedBytes, steps: listedBytes}
		for list.more {
			var page []Project
			err := s.inSnapshot(ctx, func(tx pgx.Tx, _ ci.Epoch) (err error) {
				page, err = list.next(ctx, tx)
				return err
			})
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// projectList is a list of projects of which some pages have been read.
type projectList struct {
	reach        ci.Reach
	after        string // the last one's name
	more         bool
	texts, steps int // bytes for which there is room
}

// next reads a page.
func (l *projectList) next(ctx context.Context, tx pgx.Tx) ([]Project, error) {
	within, below := reachArgs(l.reach)
	args := []any{within, below, l.after, pageProjects + 1}
	page, err := projectNames(ctx, tx, args...)
	if err != nil {
		return nil, err
	}
	rows, err := collectBuilds(ctx, tx, latestOfAllSQL, args...)
	if err != nil {
		return nil, err
	}
	more := len(page) > pageProjects
	page = page[:min(len(page), pageProjects)]
	listed, err := withSteps(ctx, tx, rows, nil, min(l.steps, pageBytes))
	if err != nil {
		return nil, err
	}
	for i := range page {
		p := &page[i]
		if len(rows) == 0 || rows[0].build.Project != p.Name {
			continue
		}
		if p.Cut = l.texts <= 0; !p.Cut {
			if p.Latest = &listed[0]; p.Latest.Bare && l.steps > 0 { // it begins the next page
				page, more = page[:i], true
				break
			}
			l.texts -= rows[0].texts()
			l.steps -= p.Latest.bytes
		}
		rows, listed = rows[1:], listed[1:]
	}
	if l.more = more; more {
		l.after = page[len(page)-1].Name
	}
	return page, nil
}

// FeedQuery is what a reader of the feed begins with: the newest build of each
// project and branch that its filter lets pass and that is within its reach.
type FeedQuery struct {
	Reach  ci.Reach
	Filter ci.Filter // of the feed
}

// FeedSnapshot is the answer to a FeedQuery as of one event of the feed.
type FeedSnapshot struct {
	Builds    []Listed // the newest created first
	Truncated bool     // there are more, or some are bare
	At        ci.EventID
	Epoch     ci.Epoch
}

// The newest builds of the wanted projects p: each is one step down the index
// by branch, however many builds there have been. Where no branch is named it is a
// walk from one branch to the next; those without a branch come last there. Each
// query has a number, under which its parts stand beside each other in arrays.
var newestSQL = `
	WITH queries AS (SELECT * FROM unnest($1::int[], $2::bool[]) q(number, every)),
	reaches AS MATERIALIZED (SELECT * FROM unnest($3::int[], $4::text[], $12::bool[]) r(query, name, above)), -- above: of what is below it
	branches AS MATERIALIZED (SELECT DISTINCT * FROM unnest($9::int[], $10::text[]) b(query, branch)),
	wanted AS MATERIALIZED (
		SELECT q.number AS query, q.every, p.id, p.name
		FROM unnest($5::int[], $6::text[]) named(query, name) JOIN queries q ON q.number = named.query
		JOIN projects p ON ` + isNamedSQL("named.name") + `
		WHERE p.public OR EXISTS (SELECT FROM reaches r WHERE r.query = q.number AND CASE WHEN r.above THEN starts_with(p.name, r.name) ELSE p.name = r.name END)
		UNION
		SELECT q.number, q.every, p.id, p.name
		FROM unnest($7::int[], $8::text[]) prefixed(query, prefix) JOIN queries q ON q.number = prefixed.query
		JOIN projects p ON ` + isBelowSQL("prefixed.prefix") + `
		WHERE p.public OR EXISTS (SELECT FROM reaches r WHERE r.query = q.number AND CASE WHEN r.above THEN starts_with(p.name, r.name) ELSE p.name = r.name END)
	),
	newest AS (
		SELECT p.query, row_number() OVER (PARTITION BY p.query ORDER BY b.created_at DESC, b.id DESC) AS place, ` + buildColumns + `
		FROM wanted p, LATERAL (
			WITH RECURSIVE walk AS (
				(SELECT b.* FROM builds b WHERE p.every AND b.project = p.id AND b.branch IS NOT NULL ORDER BY b.branch, b.number DESC LIMIT 1)
				UNION ALL
				SELECT next.* FROM walk, LATERAL (
					SELECT b.* FROM builds b WHERE b.project = p.id AND b.branch > walk.branch ORDER BY b.branch, b.number DESC LIMIT 1
				) next
			)
			SELECT * FROM walk
			UNION ALL
			(SELECT b.* FROM builds b
				WHERE (p.every OR EXISTS (SELECT FROM branches WHERE query = p.query AND branch = ''))
				AND b.project = p.id AND b.branch IS NULL ORDER BY b.number DESC LIMIT 1)
			UNION ALL
			SELECT named.* FROM branches, LATERAL (
				SELECT b.* FROM builds b WHERE b.project = p.id AND b.branch = branches.branch ORDER BY b.number DESC LIMIT 1
			) named WHERE branches.query = p.query
		) b
	)
	SELECT * FROM newest WHERE place <= $11 ORDER BY query, place`

const (
	feedHeadSQL = `SELECT coalesce(max(id), 0) FROM feed`
	withinSQL   = `SELECT set_config('statement_timeout', $1, true)`
)

// FeedSnapshots answers some queries at once, each with at most limit builds. What takes
// longer than within is ended, with an error that is IsTooMuch; and so it is where the
// answers to several come to more than twice what one may have.
func (s *Store) FeedSnapshots(ctx context.Context, queries []FeedQuery, limit int, within time.Duration) (snaps []FeedSnapshot, err error) {
	var numbers, reachOf, nameOf, prefixOf, branchOf []int32
	var every, above []bool
	var reaches, names, prefixes, branches []string
	add := func(to []string, of []int32, number int32, more []string) ([]string, []int32) {
		return append(to, more...), append(of, slices.Repeat([]int32{number}, len(more))...)
	}
	for i, q := range queries {
		number := int32(i)
		numbers, every = append(numbers, number), append(every, q.Filter.Branches == nil)
		exactly, below := reachArgs(q.Reach)
		reaches, reachOf = add(reaches, reachOf, number, append(exactly, below...))
		above = append(append(above, make([]bool, len(exactly))...), slices.Repeat([]bool{true}, len(below))...)
		named, prefixed := splitPatterns(q.Filter.Projects)
		names, nameOf = add(names, nameOf, number, named)
		prefixes, prefixOf = add(prefixes, prefixOf, number, prefixed)
		branches, branchOf = add(branches, branchOf, number, q.Filter.Branches)
	}
	err = s.inSnapshot(ctx, func(tx pgx.Tx, epoch ci.Epoch) error {
		snaps = make([]FeedSnapshot, len(queries))
		if _, err := tx.Exec(ctx, withinSQL, strconv.FormatInt(within.Milliseconds(), 10)); err != nil {
			return err
		}
		var at ci.EventID
		if err := tx.QueryRow(ctx, feedHeadSQL).Scan(&at); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, newestSQL, numbers, every, reachOf, reaches, nameOf, names, prefixOf, prefixes, branchOf, branches, limit+1, above)
		if err != nil {
			return err
		}
		type answer struct {
			query int
			row   buildRow
		}
		answers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a answer, err error) {
			var place int64
			err = row.Scan(append([]any{&a.query, &place}, a.row.targets()...)...)
			a.row.utc()
			return a, err
		})
		if err != nil {
			return err
		}
		distinct := make(map[ci.LogID]*Listed)
		var all []buildRow
		var queryOf []int
		for _, a := range answers {
			if distinct[a.row.log] == nil {
				distinct[a.row.log] = new(Listed)
				all, queryOf = append(all, a.row), append(queryOf, a.query)
			}
		}
		room, several := listedBytes, len(queries) > 1
		if several {
			queryOf, room = nil, 2*listedBytes
		}
		listed, err := withSteps(ctx, tx, all, queryOf, room)
		if err != nil {
			return err
		}
		for i, r := range all {
			*distinct[r.log] = listed[i]
		}
		bytes := 0
		for _, a := range answers {
			b := distinct[a.row.log]
			if bytes += a.row.texts() + b.bytes; several && (b.Bare || bytes > room) {
				return errTooMuch
			}
		}
		rows, err = tx.Query(ctx, brokenSQL, logsOf(all))
		if err != nil {
			return err
		}
		var log ci.LogID
		if _, err := pgx.ForEachRow(rows, []any{&log}, func() error { distinct[log].Broken = true; return nil }); err != nil {
			return fmt.Errorf("read which branches were broken: %w", err)
		}
		for i := range snaps {
			snaps[i].At, snaps[i].Epoch = at, epoch
		}
		for _, a := range answers {
			if snap, b := &snaps[a.query], distinct[a.row.log]; len(snap.Builds) < limit {
				snap.Builds = append(snap.Builds, *b)
				snap.Truncated = snap.Truncated || b.Bare
			} else {
				snap.Truncated = true
			}
		}
		return nil
	})
	return snaps, err
}
