package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// rowNumbers hands out row numbers of builds, which the database gives in
// blocks. Numbers that are not used leave a gap that nobody sees.
type rowNumbers struct{ free []ci.LogID }

// blockSize is the increment of the sequence.
const blockSize = 64

// maxUpdatesABatch is how many row numbers are at hand when a batch begins;
// creations beyond it go through their lanes.
const maxUpdatesABatch = 256

const rowBlocksSQL = `SELECT nextval('build_rows') FROM generate_series(1, $1)`

func (n *rowNumbers) left() int { return len(n.free) }

func (n *rowNumbers) take() ci.LogID {
	log := n.free[0]
	n.free = n.free[1:]
	return log
}

func (n *rowNumbers) fill(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, rowBlocksSQL, maxUpdatesABatch/blockSize)
	if err != nil {
		return fmt.Errorf("take row numbers: %w", err)
	}
	blocks, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("take row numbers: %w", err)
	}
	for _, start := range blocks {
		for i := range int64(blockSize) {
			n.free = append(n.free, ci.LogID(start+i))
		}
	}
	return nil
}

func lowered(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToLower(name)
	}
	return out
}
