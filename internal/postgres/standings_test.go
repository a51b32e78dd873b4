package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

var everything = ci.Reach{All: true}

// fill makes builds of projects p1, p2 … on branches b1, b2 …, the newest last.
func fill(t *testing.T, url string, projects, branches, builds int) *pgx.Conn {
	t.Helper()
	conn := pgtest.Connect(t, url)
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO projects (name, public, last_number) SELECT 'p' || i, i %% 2 = 0, %d FROM generate_series(1, %d) i`, builds/projects, projects),
		fmt.Sprintf(`INSERT INTO builds (id, uuid, project, number, branch, status, created_at, finished_at)
			SELECT i, gen_random_uuid(), p.id, i / %[1]d + 1, nullif('b' || i / %[1]d %% %[2]d, 'b0'), s.status, at, CASE WHEN s.status <> 'running' THEN at + interval '1 min' END
			FROM generate_series(0, %[3]d - 1) i JOIN projects p ON p.name = 'p' || i %% %[1]d + 1,
			LATERAL (SELECT timestamptz '2026-11-01' + i * interval '1 s' AS at) t,
			LATERAL (SELECT CASE WHEN i / %[1]d %% 7 = 6 THEN 'failed' WHEN i >= %[3]d - %[1]d THEN 'running' ELSE 'passed' END AS status) s`, projects, branches, builds),
		`INSERT INTO build_heads (build, last_id, status) SELECT id, 1, status FROM builds`,
		`INSERT INTO steps (build, number, key, status) SELECT id, 1, 'test', status FROM builds`,
		`VACUUM ANALYZE`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// TestStandings_Plans: however many builds there are, none of these queries
// reads them all.
func TestStandings_Plans(t *testing.T) {
	t.Parallel()
	conn := fill(t, pgtest.New(t), 200, 50, 100_000)
	none, all := []string{}, []string{""}
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, args := range map[string][]any{
		"standings":             {none, all, none, all, 20_000},
		"standings on a branch": {none, all, none, all, 20_000, "b3"},
		"standings of branches": {none, all, none, all, 20_000},
		"a step":                {"p1", "test", none, all},
		"a step on a branch":    {"p1", "test", none, all, "b3"},
		"ended":                 {none, all, none, all, nil, nil, far, 0, 51},
		"latest":                {"p1", none, all},
		"latest on a branch":    {"p1", none, all, "b3"},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			if _, err := conn.Exec(t.Context(), "SET plan_cache_mode = "+mode); err != nil {
				t.Fatal(err)
			}
			rows, err := conn.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS) "+postgres.Plans[name], args...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			plan := strings.Join(lines, "\n")
			if strings.Contains(plan, "Seq Scan on builds") || strings.Contains(plan, "Seq Scan on steps") {
				t.Errorf("%s, %s:\n%s", name, mode, plan)
			}
			t.Logf("%s, %s: %s", name, mode, lines[len(lines)-1])
		}
	}
}

func TestStandings(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	fill(t, url, 2, 3, 42)
	store, _ := open(t, url)
	show := func(reach ci.Reach, q postgres.StandingsQuery) string {
		t.Helper()
		q.Limit = 100
		all, err := store.Standings(t.Context(), reach, q)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, s := range all {
			fmt.Fprintf(&b, "%s %s #%d %s", s.Project, s.Branch, s.Newest.Number, s.Newest.Status)
			if s.Ended != nil {
				fmt.Fprintf(&b, " after #%d %s", s.Ended.Number, s.Ended.Status)
			}
			b.WriteString("; ")
		}
		return b.String()
	}
	// 21 builds each: the 7th, 14th and 21st failed, on the branches none, b1, b2.
	for _, c := range []struct {
		name  string
		reach ci.Reach
		q     postgres.StandingsQuery
		want  string
	}{
		{"all", everything, postgres.StandingsQuery{}, "p1 b2 #21 failed after #21 failed; p2 b2 #21 failed after #21 failed; "},
		{"a stranger's", ci.Reach{}, postgres.StandingsQuery{}, "p2 b2 #21 failed after #21 failed; "},
		{"with a token", ci.Reach{Patterns: []string{"p1"}}, postgres.StandingsQuery{Projects: []string{"p1"}}, "p1 b2 #21 failed after #21 failed; "},
		{"on a branch", everything, postgres.StandingsQuery{Projects: []string{"p1"}, Branch: "b1"}, "p1 b1 #20 passed after #20 passed; "},
		{"of branches", everything, postgres.StandingsQuery{Projects: []string{"p1"}, EachBranch: true}, "p1  #19 passed after #19 passed; p1 b1 #20 passed after #20 passed; p1 b2 #21 failed after #21 failed; "},
		{"of nothing", everything, postgres.StandingsQuery{Projects: []string{"p3"}}, ""},
		{"on no branch", everything, postgres.StandingsQuery{Branch: "b9"}, ""},
	} {
		if got := show(c.reach, c.q); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}

	// A newer one that runs leaves the last result where it is.
	id := create(t, store, "p1")
	if got, want := show(everything, postgres.StandingsQuery{Projects: []string{"p1"}}), "p1  #22 queued after #21 failed; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, c := range []struct {
		reach           ci.Reach
		project, branch string
		want            string
	}{
		{everything, "p1", "", "failed failed"}, // the newest has no such step yet
		{everything, "p1", "b1", "passed passed"},
		{everything, "p1", "b7", "not-found"},
		{ci.Reach{}, "p1", "", "not-found"},
		{ci.Reach{}, "p2", "b2", "failed failed"},
	} {
		newest, ended, err := store.StepStanding(t.Context(), c.reach, c.project, c.branch, "test")
		got := fmt.Sprint(newest, " ", ended)
		if p := ci.AsProblem(err); p != nil {
			got = string(p.Code)
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if _, err := store.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{{Step: &ci.StepUpdate{Key: "test", Status: ci.Set(ci.Running)}}}}); err != nil {
		t.Fatal(err)
	}
	if newest, ended, err := store.StepStanding(t.Context(), everything, "p1", "", "test"); newest != ci.Running || ended != ci.Failed || err != nil {
		t.Errorf("%s after %s, %v", newest, ended, err)
	}
}

func TestEnded_Pages(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	conn := fill(t, url, 2, 3, 200)
	if _, err := conn.Exec(t.Context(), `UPDATE builds SET finished_at = '0815-03-15' WHERE id = 20; UPDATE builds SET finished_at = '1815-12-10' WHERE id = 21`); err != nil {
		t.Fatal(err)
	}
	store, _ := open(t, url)
	seen := map[ci.BuildID]bool{}
	q := postgres.EndedQuery{Limit: 7}
	for last := (time.Time{}); ; {
		builds, next, _, err := store.Ended(t.Context(), everything, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range builds {
			if seen[b.ID] || !last.IsZero() && b.FinishedAt.After(last) || !b.Status.Final() {
				t.Fatalf("%+v after %v", b, last)
			}
			seen[b.ID], last = true, *b.FinishedAt
		}
		if q.Before = next; next == "" {
			break
		}
	}
	if len(seen) < 190 || len(seen) == 200 {
		t.Errorf("%d builds", len(seen))
	}
	for _, c := range []struct {
		reach ci.Reach
		q     postgres.EndedQuery
	}{
		{ci.Reach{}, postgres.EndedQuery{}},
		{everything, postgres.EndedQuery{Projects: []string{"p2"}, Branches: []string{"b1", "b2"}, Statuses: []ci.Status{ci.Failed}}},
	} {
		c.q.Limit = 200
		builds, _, _, err := store.Ended(t.Context(), c.reach, c.q)
		if err != nil || len(builds) == 0 {
			t.Fatal(builds, err)
		}
		for _, b := range builds {
			if b.Project != "p2" || c.q.Statuses != nil && (b.Status != ci.Failed || b.Branch == "") {
				t.Errorf("%+v: %+v", c, b)
			}
		}
	}
	if _, _, _, err := store.Ended(t.Context(), everything, postgres.EndedQuery{Before: "x", Limit: 1}); !errors.Is(err, &ci.Problem{Code: ci.Invalid}) {
		t.Error(err)
	}
}
