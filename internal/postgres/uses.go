package postgres

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	everyUse  = time.Minute     // at most so often the use of one token is written down
	gatherUse = time.Second     // for which uses gather before they are
	lastUses  = 2 * time.Second // that writing the last ones may take, at the end
	mostUses  = 10_000          // tokens whose uses are kept in mind; of others used meanwhile nothing is
)

// uses are when tokens were used last, and from where, as far as this process
// knows: those of a minute, and what is to be written down of them. Who uses a
// token waits for nothing here.
type uses struct {
	mu     sync.Mutex
	latest map[[32]byte]use
	due    chan struct{} // one slot: something is to be written
}

type use struct {
	at      time.Time
	from    netip.Addr
	written bool
}

// TokenUsed notes that a token, or a link, given by its sum, was used from an
// address. It is written down a moment later, and once a minute at most.
func (s *Store) TokenUsed(sum [32]byte, from netip.Addr) {
	if s.uses.note(sum, from, time.Now()) {
		select {
		case s.uses.due <- struct{}{}:
		default:
		}
	}
}

// note tells whether there is something to do: to write, or to make room.
func (u *uses) note(sum [32]byte, from netip.Addr, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	last, known := u.latest[sum]
	switch {
	case known && now.Sub(last.at) < everyUse:
		return false
	case known || len(u.latest) < mostUses:
		u.latest[sum] = use{at: now, from: from}
	}
	return true
}

// unwritten are the uses that are to be written, by the sum of their token.
// What is older than a minute, and written, is forgotten.
func (u *uses) unwritten(now time.Time) map[[32]byte]use {
	u.mu.Lock()
	defer u.mu.Unlock()
	some := make(map[[32]byte]use)
	for sum, use := range u.latest {
		switch {
		case !use.written:
			some[sum] = use
		case now.Sub(use.at) >= everyUse:
			delete(u.latest, sum)
		}
	}
	return some
}

// wrote notes that uses were written.
func (u *uses) wrote(some map[[32]byte]use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for sum, use := range some {
		if u.latest[sum] == use {
			use.written = true
			u.latest[sum] = use
		}
	}
}

// keepUses writes uses down until ctx is done, and then the last.
func (s *Store) keepUses(ctx context.Context) {
	failed := false
	for ended := false; !ended; {
		select {
		case <-s.uses.due:
			select {
			case <-time.After(gatherUse):
			case <-ctx.Done():
				ended = true
			}
		case <-ctx.Done():
			ended = true
		}
		writing, cancel := ctx, context.CancelFunc(func() {})
		if ended {
			writing, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastUses)
		}
		err := s.writeUses(writing)
		cancel()
		if err != nil && !failed {
			s.log.Warn("when tokens were used is not written down for now", "err", err)
		}
		if failed = err != nil; failed {
			select {
			case s.uses.due <- struct{}{}:
			default:
			}
		}
	}
}

// Several processes write of one token: that they do once a minute together, and
// none of them waits for another, nor for who revokes one.
const writeUsesSQL = `
	WITH used AS (SELECT * FROM unnest($1::bytea[], $2::float8[], $3::text[]) u(sum, ago, address)),
	due AS (
		SELECT sum, clock_timestamp() - make_interval(secs => ago) AS at, address
		FROM tokens t JOIN used USING (sum)
		WHERE t.used_at IS NULL OR t.used_at < clock_timestamp() - make_interval(secs => ago + $4)
		FOR NO KEY UPDATE OF t SKIP LOCKED
	)
	UPDATE tokens t SET used_at = due.at, used_from = due.address FROM due WHERE t.sum = due.sum`

func (s *Store) writeUses(ctx context.Context) error {
	now := time.Now()
	some := s.uses.unwritten(now)
	if len(some) == 0 {
		return nil
	}
	var sums [][]byte
	var ages []float64
	var addresses []string
	for sum, use := range some {
		sums, ages = append(sums, sum[:]), append(ages, now.Sub(use.at).Seconds())
		address := ""
		if use.from.IsValid() {
			address = use.from.String()
		}
		addresses = append(addresses, address)
	}
	err := s.administer(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, writeUsesSQL, sums, ages, addresses, everyUse.Seconds()); err != nil {
			return unavailable("write the uses of tokens", err)
		}
		return nil
	})
	if err == nil {
		s.uses.wrote(some)
	}
	return err
}
