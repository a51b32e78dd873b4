package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// The snapshot has the newest build of each project and branch, whatever is
// asked for, and none that is out of reach.
func TestFeedSnapshot_TheNewestOfEach(t *testing.T) {
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
	for _, wanted := range [][]string{nil, {}, {"*"}, {"Acme/api"}, {"acme/api"}, {"Acme/*"}, {"Acme/api", "Acme/*", "Acme/web"}, {"Acme/api/*", "other"}, {"none"}} {
		for _, on := range [][]string{nil, {"main"}, {""}, {"z", "", "z", "none"}} {
			for _, reach := range []ci.Reach{{All: true}, {}, {Pattern: "Acme/api"}, {Pattern: "Acme/*"}} {
				f := ci.Filter{Projects: wanted, Branches: on}
				snap, err := s.FeedSnapshot(t.Context(), reach, f, 1000)
				if err != nil {
					t.Fatal(err)
				}
				var got, want []string
				for i, b := range snap.Builds {
					got = append(got, fmt.Sprint(b.Build.Project, " ", b.Build.Branch, " ", b.Build.ID, " ", len(b.Steps)))
					if i > 0 && b.Build.CreatedAt.After(snap.Builds[i-1].Build.CreatedAt) {
						t.Errorf("%v in reach of %v: the newest is not first", f, reach)
					}
				}
				for place, id := range newest {
					public := place[0] == "Acme/web" || place[0] == "other"
					if f.Match(&ci.Event{Kind: ci.KindBuild, Project: place[0], Branch: place[1]}) && reach.Sees(place[0], public) {
						want = append(want, fmt.Sprint(place[0], " ", place[1], " ", id, " ", 1))
					}
				}
				slices.Sort(got)
				if slices.Sort(want); !slices.Equal(got, want) || snap.Truncated {
					t.Errorf("%v in reach of %v: got\n%q, want\n%q", f, reach, got, want)
				}
			}
		}
	}
	snap, err := s.FeedSnapshot(t.Context(), ci.Reach{All: true}, ci.Filter{}, 3)
	if err != nil || len(snap.Builds) != 3 || !snap.Truncated {
		t.Errorf("got %d builds, truncated %v, %v", len(snap.Builds), snap.Truncated, err)
	}
}
