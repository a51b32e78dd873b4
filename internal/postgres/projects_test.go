package postgres_test

import (
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// TestStore_ProjectsAreBounded lists all of many projects, some at a time, and of the
// texts of their newest builds no more than a list has room for.
func TestStore_ProjectsAreBounded(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	store, _ := open(t, url)
	conn := pgtest.Connect(t, url)
	const all, room = 4000, (8<<20)/3500 + 1 // with 3,500 bytes each
	for _, sql := range []string{
		`INSERT INTO projects (name, last_number) SELECT 'p' || to_char(n, 'FM0000'), 1 FROM generate_series(1, 4000) n`,
		`INSERT INTO builds (id, uuid, project, number, branch, title, author, url, status, created_at)
		SELECT id, gen_random_uuid(), id, 1, repeat('b', 250), repeat('t', 1000), repeat('a', 250), repeat('u', 2000), 'passed', now() FROM projects`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var projects []postgres.Project
	for page, err := range store.Projects(t.Context(), ci.Reach{All: true}) {
		if err != nil || len(page) == 0 || len(page) > 500 {
			t.Fatalf("a page of %d projects after %d, %v", len(page), len(projects), err)
		}
		projects = append(projects, page...)
	}
	if len(projects) != all {
		t.Fatalf("%d projects, want %d", len(projects), all)
	}
	for i, p := range projects {
		if with := i < room; (p.Latest != nil) != with || p.Cut == with {
			t.Fatalf("project %d of %d: with its build %v, cut %v; %d have room", i, all, p.Latest != nil, p.Cut, room)
		}
	}
}
