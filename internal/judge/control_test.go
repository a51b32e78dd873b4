//go:build unix

package judge

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stepcast/stepcast/internal/pgtest"
)

// The control that must fail: ids from a bare sequence are given before the
// commit, so a reader with a cursor goes past ids that are not yet to be seen.
// With a counter that stays locked until the commit, the same writers and the
// same reader are right. Without this, an exactness run that finds nothing
// would prove nothing.
func TestControl_BareSequenceSkips(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		insert string
		skips  bool
	}{
		{"bare sequence", `INSERT INTO bare DEFAULT VALUES RETURNING id`, true},
		{"locked counter", `
			WITH next AS (UPDATE counter SET last_id = last_id + 1 RETURNING last_id)
			INSERT INTO bare (id) SELECT last_id FROM next RETURNING id`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			events := 3_000
			if long {
				events = 50_000
			}
			skips := controlRun(t, test.insert, events)
			t.Logf("%d of %d events were never delivered", skips, events)
			if (skips > 0) != test.skips {
				t.Errorf("%d skips", skips)
			}
		})
	}
}

const controlSQL = `
	CREATE TABLE bare (id bigserial PRIMARY KEY);
	CREATE TABLE counter (last_id bigint NOT NULL);
	INSERT INTO counter VALUES (0)`

// controlRun writes events with 16 writers while a reader follows them by
// cursor, and returns how many the reader never got.
func controlRun(t *testing.T, insert string, events int) (missed int) {
	t.Helper()
	url, ctx := pgtest.New(t), t.Context()
	pool, err := pgxpool.New(ctx, url+"&pool_max_conns=16")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	reader, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(context.Background())
	if _, err := reader.Exec(ctx, controlSQL); err != nil {
		t.Fatal(err)
	}

	const writers = 16
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range events / writers / 2 {
				// Two rows a transaction: between them the first one's id waits.
				err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					if _, err := tx.Exec(ctx, insert); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, insert)
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	written := make(chan struct{})
	go func() {
		writing.Wait()
		close(written)
	}()

	c := NewChecker()
	c.Sending("control", Claim{Build: "control", Status: "running"}).Answered(Answer{Status: 200})
	v := c.View("control", "control", Watch{})
	seen := 0
	for over := false; !over; {
		select {
		case <-written: // what follows is the last look
			over = true
		default:
		}
		rows, err := reader.Query(ctx, `SELECT id FROM bare WHERE id > $1 ORDER BY id`, v.Last())
		if err != nil {
			t.Fatal(err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			v.Event(1, fmt.Sprintf("abcdef-%d", id), "build", fmt.Appendf(nil, `{"status":"running","started_at":"%d"}`, id))
			seen++
		}
	}
	_, count := c.Findings()
	missed = events/writers/2*2*writers - seen
	if (count[Skip] > 0) != (missed > 0) {
		t.Errorf("%d events were missed, and the checker found %v", missed, count)
	}
	return missed
}

// The other control: a row is taken out of the table behind the server's back.
// If the judge did not notice, it would notice nothing.
func TestControl_MissingRowIsFound(t *testing.T) {
	t.Parallel()
	a := newArena(t, 1)
	a.load(Plan{Shared: 2, Readers: 3, Pace: 10 * time.Millisecond})
	a.progress(50)
	result, err := a.sql().Exec(t.Context(), `
		DELETE FROM events WHERE (build, last_id) = (SELECT build, last_id FROM events WHERE kind = 2 ORDER BY last_id OFFSET 10 LIMIT 1)`)
	a.must(err)
	if result.RowsAffected() != 1 {
		t.Fatalf("%d rows were taken out", result.RowsAffected())
	}
	a.progress(10)
	report, err := a.judge.Finish(15 * time.Second)
	a.must(err)
	t.Log(report)
	// The log is either shown to be too short, or not shown at all.
	if report.Counts[Skip] == 0 || report.Counts[Lost]+report.Counts[Refused] == 0 {
		t.Errorf("found: %v", report.Counts)
	}
}
