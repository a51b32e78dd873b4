package postgres

import (
	"context"
	"slices"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/turns"
)

// Queries whose plans are tested.
var Plans = map[string]string{
	"standings":             standingsSQL,
	"standings on a branch": standingsOnBranchSQL,
	"standings of branches": standingsOfBranchesSQL,
	"a step":                stepSQL,
	"a step on a branch":    stepOnBranchSQL,
	"ended":                 endedSQL,
	"latest":                latestSQL,
	"latest on a branch":    latestOfBranchSQL,
}

// CountTexts is what a store does every few seconds.
func (s *Store) CountTexts(ctx context.Context) error { return s.countOnce(ctx) }

// SweepOnce is what a store does every few seconds.
func (s *Store) SweepOnce(ctx context.Context) (more bool, err error) { return s.sweepOnce(ctx) }

// TidySessions does what is done every few minutes.
func (s *Store) TidySessions(ctx context.Context) error { return s.tidySessions(ctx) }

// Turns are where who repeats a creation waits in its lane, and then to be answered.
func (s *Store) Turns(id ci.BuildID) (lanes, repeats *turns.Turns) {
	return s.committerOf(id).turns, s.repeats
}

// LaneWriters is how many places there are in lanes.
const LaneWriters = laneWriters

// Creations is how many creations wait in the lane of a project.
func (s *Store) Creations(project string) (n int) {
	for _, c := range s.committers {
		c.mu.Lock()
		if k := c.creations[project]; k != nil {
			n += len(k.tasks)
		}
		c.mu.Unlock()
	}
	return n
}

// InLane is how many tasks wait in a build's lane.
func (s *Store) InLane(id ci.BuildID) int {
	c := s.committerOf(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.known[id]; k != nil {
		return len(k.tasks)
	}
	return 0
}

// EndAtOnce lets a store that is told to end commit nothing more.
func (s *Store) EndAtOnce() { s.lastCommits = 0 }

// Over tells whether it commits nothing any more.
func (s *Store) Over() bool {
	return !slices.ContainsFunc(s.committers, func(c *committer) bool { return !c.over.Load() })
}
