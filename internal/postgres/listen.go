package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/ci"
)

// One channel for everything. A payload is a list of log:last_id, where log 0
// is the feed; "*" when the list is too long; or a ping with the name of its
// sender.
const (
	channel    = "stepcast"
	everything = "*"
	pingPrefix = "ping:"
	maxPayload = 7500 // PostgreSQL takes less than 8,000 bytes
)

// A first notification goes out at once; those that follow within the beat are
// gathered.
const notifyBeat = 10 * time.Millisecond

// A LISTEN that is not heard for this long is taken for dead. Nothing cheaper
// proves it: TCP does not notice a hung connection, SELECT 1 no UNLISTEN.
const (
	pingEvery   = 500 * time.Millisecond
	listenDead  = 2 * time.Second
	reconnectIn = 200 * time.Millisecond
)

// growth says how far a log has grown.
type growth struct {
	log  ci.LogID
	last ci.EventID
}

// notifier tells the other processes what was committed, on a connection of
// its own: inside the transaction NOTIFY takes a lock on the whole cluster.
type notifier struct {
	store *Store
	name  string        // tells our pings from those of others
	wake  chan struct{} // one slot
	ping  chan struct{} // one slot: LISTEN wants to be proven

	mu      sync.Mutex
	pending map[ci.LogID]ci.EventID
}

func newNotifier(s *Store) *notifier {
	return &notifier{store: s, name: strconv.FormatUint(rand.Uint64(), 36), wake: make(chan struct{}, 1), ping: make(chan struct{}, 1), pending: make(map[ci.LogID]ci.EventID)}
}

// add queues what has grown. It never blocks: a log needs only its newest.
func (n *notifier) add(grown []growth) {
	n.mu.Lock()
	for _, g := range grown {
		n.pending[g.log] = max(n.pending[g.log], g.last)
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run sends until ctx is done, then once more what is left.
func (n *notifier) run(ctx context.Context) {
	var conn *pgx.Conn
	defer func() { closeConn(conn) }()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for over := false; !over; {
		payload := ""
		select {
		case <-ctx.Done():
			payload, over = n.take(), true
		case <-tick.C:
			payload = pingPrefix + n.name
		case <-n.ping:
			payload = pingPrefix + n.name
		case <-n.wake:
			payload = n.take()
		}
		if payload == "" {
			continue
		}
		// A lost notification costs a poll's delay, nothing else.
		conn = n.send(conn, payload)
		if payload[0] != pingPrefix[0] {
			pause(ctx, notifyBeat)
		}
	}
}

func (n *notifier) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b strings.Builder
	for log, last := range n.pending {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(int64(log), 10))
		b.WriteByte(':')
		b.WriteString(strconv.FormatInt(int64(last), 10))
	}
	clear(n.pending)
	if b.Len() > maxPayload {
		return everything
	}
	return b.String()
}

const notifySQL = `SELECT pg_notify('` + channel + `', $1)`

func (n *notifier) send(conn *pgx.Conn, payload string) *pgx.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), listenDead)
	defer cancel()
	if conn == nil {
		cfg, err := connConfig(n.store.cfg.DirectURL, "stepcast-notify")
		if err != nil {
			return nil
		}
		if conn, err = pgx.ConnectConfig(ctx, cfg); err != nil {
			return nil
		}
	}
	if _, err := conn.Exec(ctx, notifySQL, payload); err != nil {
		closeConn(conn)
		return nil
	}
	return conn
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// listener hears what was committed anywhere, on one connection outside the
// pool and never inside a transaction.
type listener struct {
	store *Store
	heard atomic.Int64 // unix nanoseconds of our last ping that came back

	renewing time.Time // since when the log says that LISTEN is renewed; zero: it is not
}

// age is the time since LISTEN last proved to be alive; negative: it never did.
func (l *listener) age() time.Duration {
	heard := l.heard.Load()
	if heard == 0 {
		return -1
	}
	return time.Since(time.Unix(0, heard))
}

func (l *listener) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if l.renewing.IsZero() {
			l.renewing = time.Now()
			l.store.log.Warn("LISTEN is renewed until it is heard", "err", err)
		}
		pause(ctx, reconnectIn)
	}
}

var errSilent = errors.New("our own notifications do not come back")

// listen hears until the connection is of no more use.
func (l *listener) listen(ctx context.Context) error {
	cfg, err := connConfig(l.store.cfg.DirectURL, listenName)
	if err != nil {
		return err
	}
	cfg.ConnectTimeout = listenDead
	conn, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	start, cancel := context.WithTimeout(ctx, listenDead)
	defer cancel()
	if _, err := conn.Exec(start, "LISTEN "+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	// First LISTEN, then look: what was committed before is in the tables.
	l.store.watcher.Dirty()
	select {
	case l.store.notifier.ping <- struct{}{}:
	default:
	}
	heard := time.Now()
	for {
		wait, cancel := context.WithDeadline(ctx, heard.Add(listenDead))
		notification, err := conn.WaitForNotification(wait)
		silent := wait.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err != nil && silent:
			return errSilent
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		}
		if name, ok := strings.CutPrefix(notification.Payload, pingPrefix); ok {
			if name == l.store.notifier.name {
				heard = time.Now()
				l.heard.Store(heard.UnixNano())
				if !l.renewing.IsZero() {
					l.store.log.Info("LISTEN is heard again", "after", heard.Sub(l.renewing).Round(time.Millisecond))
					l.renewing = time.Time{}
				}
			}
			continue
		}
		l.deliver(notification.Payload)
	}
}

func (l *listener) deliver(payload string) {
	for item := range strings.SplitSeq(payload, ",") {
		log, last, ok := strings.Cut(item, ":")
		id, err := strconv.ParseInt(log, 10, 64)
		n, err2 := strconv.ParseInt(last, 10, 64)
		if !ok || err != nil || err2 != nil { // "*", or a later version's word
			l.store.watcher.Dirty()
			return
		}
		l.store.watcher.Hint(ci.LogID(id), ci.EventID(n))
	}
}
