package postgres_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// A snapshot has the newest build of each project and branch, whatever is
// asked for, and by however many at once, and none that is out of reach.
func TestFeedSnapshots_TheNewestOfEach(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	chance := rand.New(rand.NewPCG(1, 1))
	projects := []string{"Acme/api", "Acme/api/deploy", "Acme/web", "acmeX", "other"}
	branches := []string{"", "main", "next", "release/1", "z"}
	newest := map[[2]string]ci.BuildID{}
	for range 60 {
		place := [2]string{projects[chance.IntN(len(projects))], branches[chance.IntN(len(branches))]}
		c := ci.Creation{ID: ci.NewBuildID(), Project: place[0], Steps: []ci.StepUpdate{{Key: "test"}}}
		if place[1] != "" {
			c.Branch = ci.Set(place[1])
		}
		if _, _, err := s.Create(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		newest[place] = c.ID
	}
	sqlExec(t, url, `UPDATE projects SET public = true WHERE name IN ('Acme/web', 'other')`)
	var queries []postgres.FeedQuery
	for _, wanted := range [][]string{nil, {}, {"*"}, {"Acme/api"}, {"acme/api"}, {"Acme/*"}, {"Acme/api", "Acme/*", "Acme/web"}, {"Acme/api/*", "other"}, {"none"}} {
		for _, on := range [][]string{nil, {}, {"main"}, {""}, {"", "none", "z", "z"}} {
			for _, reach := range []ci.Reach{{All: true}, {}, {Patterns: []string{"Acme/api"}}, {Patterns: []string{"Acme/*"}}} {
				queries = append(queries, postgres.FeedQuery{Reach: reach, Filter: ci.Filter{Projects: wanted, Branches: on}})
			}
		}
	}
	check := func(q postgres.FeedQuery, snap postgres.FeedSnapshot) {
		t.Helper()
		var got, want []string
		for i, b := range snap.Builds {
			got = append(got, fmt.Sprint(b.Build.Project, " ", b.Build.Branch, " ", b.Build.ID, " ", len(b.Steps)))
			if i > 0 && b.Build.CreatedAt.After(snap.Builds[i-1].Build.CreatedAt) {
				t.Errorf("%v: the newest is not first", q)
			}
		}
		for place, id := range newest {
			public := place[0] == "Acme/web" || place[0] == "other"
			if q.Filter.Match(&ci.Event{Kind: ci.KindBuild, Project: place[0], Branch: place[1]}) && q.Reach.Sees(place[0], public) {
				want = append(want, fmt.Sprint(place[0], " ", place[1], " ", id, " ", 1))
			}
		}
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) || snap.Truncated || snap.At == 0 || snap.Epoch == (ci.Epoch{}) {
			t.Errorf("%v: got\n%q, want\n%q", q, got, want)
		}
	}
	snaps, err := s.FeedSnapshots(t.Context(), queries, 1000, time.Minute)
	if err != nil || len(snaps) != len(queries) {
		t.Fatalf("%d of %d: %v", len(snaps), len(queries), err)
	}
	for i, q := range queries {
		check(q, snaps[i])
		alone, err := s.FeedSnapshots(t.Context(), []postgres.FeedQuery{q}, 1000, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		check(q, alone[0])
	}
	all := postgres.FeedQuery{Reach: ci.Reach{All: true}}
	few, err := s.FeedSnapshots(t.Context(), []postgres.FeedQuery{all, all}, 3, time.Minute)
	for _, snap := range few {
		if len(snap.Builds) != 3 || !snap.Truncated {
			t.Errorf("got %d builds, truncated %v", len(snap.Builds), snap.Truncated)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// TestFeedSnapshots_SayWhichBranchesAreBroken: by the last build before the newest
// that passed or failed, of its own branch.
func TestFeedSnapshots_SayWhichBranchesAreBroken(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	histories := []struct {
		builds []ci.Status
		broken bool
	}{
		{[]ci.Status{ci.Running}, false},
		{[]ci.Status{ci.Failed}, false},
		{[]ci.Status{ci.Failed, ci.Running}, true},
		{[]ci.Status{ci.Passed, ci.Failed, ci.Canceled, ci.Skipped, ci.Queued}, true},
		{[]ci.Status{ci.Failed, ci.Passed, ci.Canceled, ci.Running}, false},
		{[]ci.Status{ci.Canceled, ci.Running}, false},
	}
	want := map[string]bool{}
	add := func(project, branch string, status ci.Status) {
		c := ci.Creation{ID: ci.NewBuildID(), Project: project}
		if branch != "" {
			c.Branch = ci.Set(branch)
		}
		if _, _, err := s.Create(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if status != ci.Queued {
			must(t, s, c.ID, ci.Update{Build: &ci.BuildUpdate{Status: ci.Set(status)}})
		}
	}
	for i, h := range histories {
		project := fmt.Sprint("p", i)
		for _, branch := range []string{"", "main"} {
			want[project+" "+branch] = h.broken
			for _, status := range h.builds {
				add(project, branch, status)
			}
		}
		// What becomes of others tells nothing.
		for range 3 {
			add(project, "other", ci.Failed)
			add(project, "other", ci.Passed)
		}
		want[project+" other"] = true
	}
	snaps, err := s.FeedSnapshots(t.Context(), []postgres.FeedQuery{{Reach: ci.Reach{All: true}}}, 1000, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, b := range snaps[0].Builds {
		got[fmt.Sprint(b.Build.Project, " ", b.Build.Branch)] = b.Broken
	}
	if !maps.Equal(got, want) {
		t.Errorf("broken are %v, want %v", got, want)
	}
}

// What several come to at once has an end; each by itself is answered.
func TestFeedSnapshots_ComeToSoMuchAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	long := strings.Repeat("x", ci.MaxName)
	steps := make([]ci.Update, ci.MaxSteps)
	for key := range steps {
		steps[key].Step = &ci.StepUpdate{Key: ci.StepKey(fmt.Sprint(key)), Name: ci.Set(long)}
	}
	var queries []postgres.FeedQuery
	for i := range 24 {
		c := ci.Creation{ID: ci.NewBuildID(), Project: fmt.Sprint("p", i)}
		if _, _, err := s.Create(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		// In parts: with the race detector on a busy machine all of them at once take longer than a
		// transaction may pause.
		for part := range slices.Chunk(steps, 250) {
			if _, err := s.Append(t.Context(), ci.Request{Build: c.ID, Updates: part}); err != nil {
				t.Fatal(err)
			}
		}
		queries = append(queries, postgres.FeedQuery{Reach: ci.Reach{All: true}, Filter: ci.Filter{Projects: []string{c.Project}}})
	}
	if _, err := s.FeedSnapshots(t.Context(), queries, 1000, time.Minute); !postgres.IsTooMuch(err) {
		t.Errorf("all of them: %v", err)
	}
	few, err := s.FeedSnapshots(t.Context(), queries[:2], 1000, time.Minute)
	if err != nil || len(few[0].Builds[0].Steps) != ci.MaxSteps || len(few[1].Builds[0].Steps) != ci.MaxSteps {
		t.Errorf("two of them: %v", err)
	}
	if _, err := s.FeedSnapshots(t.Context(), []postgres.FeedQuery{{Reach: ci.Reach{All: true}}}, 1000, time.Minute); err != nil {
		t.Errorf("one of all: %v", err)
	}
	if _, err := s.FeedSnapshots(t.Context(), []postgres.FeedQuery{{Reach: ci.Reach{All: true}}}, 1000, time.Millisecond); !postgres.IsTooMuch(err) {
		t.Errorf("within a millisecond: %v", err)
	}
}
