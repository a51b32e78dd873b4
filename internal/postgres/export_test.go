package postgres

import "context"

// Queries whose plans are tested.
var Plans = map[string]string{
	"standings":             standingsSQL,
	"standings on a branch": standingsOnBranchSQL,
	"standings of branches": standingsOfBranchesSQL,
	"a step":                stepSQL,
	"a step on a branch":    stepOnBranchSQL,
	"ended":                 endedSQL,
}

// CountTexts is what a store does every few seconds.
func (s *Store) CountTexts(ctx context.Context) error { return s.countOnce(ctx) }

// TidySessions does what is done every few minutes.
func (s *Store) TidySessions(ctx context.Context) error { return s.tidySessions(ctx) }
