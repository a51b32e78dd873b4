package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/feed"
	"github.com/stepcast/stepcast/internal/sse"
)

// The pace of a stream.
const (
	pingAfter  = 15 * time.Second // of silence
	writeMost  = 256 << 10        // bytes at once
	writeOwn   = 32 << 10         // of these such as no one else has, about
	copyMost   = 8 << 10          // bytes of data that a frame has a copy of
	firstBatch = 3 * time.Second  // for which a stream that resumes waits to learn whether anything is left
	keepBufs   = 16               // slices that a quiet stream holds on to
)

// How long clients wait before they come back; drawn anew for each connection.
func retryUsual() time.Duration    { return between(2*time.Second, 5*time.Second) }
func retryShutdown() time.Duration { return between(2*time.Second, 8*time.Second) }
func retryOverload() time.Duration { return between(5*time.Second, 30*time.Second) }

func between(least, most time.Duration) time.Duration {
	return least + rand.N(most-least)
}

// A member is one log in a stream, with the filter and the cursor that the
// reader has for it.
type member struct {
	log     ci.LogID
	epoch   ci.Epoch // the history in which log has that name; zero for the feed
	name    ci.LogName
	filter  ci.Filter
	project string // of a build, as build is
	build   ci.BuildID
	text    bool      // of a build: its text is shown
	cursor  ci.Cursor // where the reader is; the prefix is empty while there is no knowing
	given   bool      // the reader came with a cursor
	payer   string    // in whose turns its pages and snapshots are read

	sub     *feed.Subscription // nil once all of a log that has ended was written
	first   *feed.Batch        // comes before what the subscription has
	reset   feed.Reason        // to be sent before anything else
	begin   []byte             // data of the snapshot that is to be sent first
	moves   int                // how often the log was looked up again since the last batch
	sending bool               // it gets no more before that was written which was read of the table for it
	ended   bool
}

// needs is what its reader has to be able to do while the project is private.
func (m *member) needs() access {
	if m.text {
		return read
	}
	return status
}

func (m *member) subscribe(tails *feed.Tails, ready func()) {
	m.sub = tails.Subscribe(m.epoch, m.log, m.name, m.cursor, m.filter)
	m.sub.OnBehalf(m.payer)
	m.sub.OnReady(ready)
}

// later puts back what there is no room or no patience for.
func (m *member) later(b feed.Batch) { m.first = &b }

// next takes what there is.
func (m *member) next() (b feed.Batch, ok bool, err error) {
	if m.first != nil {
		b, m.first = *m.first, nil
		return b, true, nil
	}
	return m.sub.TryNext()
}

// What may have happened to a stream while it slept.
const (
	peerGone   = 1 << iota // the peer has closed
	retire                 // the server shuts down
	pingIsDue              // pingAfter has gone by
	shut                   // the reader may not see all of it any more
	sightMoved             // other projects are public now
)

// A stream writes what its members yield. Everything that may concern it pokes
// it, and then somebody takes a turn: one of the few goroutines of writers, for
// a connection of its own, or the handler, for a response.
type stream struct {
	server  *Server
	members []*member
	several bool // of /streams: everything says of which log it is
	out     sink
	entry   closer
	public  atomic.Pointer[ci.Publics] // of the feed's reader: which it knows of; nil: it sees all
	ping    *time.Timer
	events  atomic.Uint32 // peerGone …
	driven  atomic.Bool   // by writers; else whoever has it waits at wake
	wake    chan struct{} // one slot
	state   atomic.Int32  // of a driven stream: idle …

	// Of whoever has the turn.
	written time.Time
	bufs    [][]byte // what is about to be written
	own     []byte   // of bufs, what is no one else's
	size    int      // bytes of bufs
	last    bool     // nothing follows what is about to be written
	from    int      // of members: who is first the next time
	one     [1]*member
	taken   func() // tells that the long snapshot that it begins with has gone out; nil: it has none
}

func (st *stream) poke() {
	if st.driven.Load() {
		st.queue()
		return
	}
	poke(st.wake)
}

func (st *stream) note(event uint32) {
	st.events.Or(event)
	st.poke()
}

// serveStream answers with a stream of the members.
func (s *Server) serveStream(c echo.Context, several bool, members ...*member) error {
	if c.Request().Method == http.MethodHead {
		for _, h := range streamHeader {
			c.Response().Header().Set(h[0], h[1])
		}
		return c.NoContent(http.StatusOK)
	}
	st := &stream{server: s, several: several, wake: make(chan struct{}, 1)}
	if long := beginning(members); long >= countUnread {
		taken, err := s.keep(c, long)
		if err != nil {
			return err
		}
		st.taken = taken
	}
	if st.members = members; len(members) == 1 {
		st.one[0] = members[0]
		st.members = st.one[:]
	}
	for _, m := range st.members {
		if m.filter.Sight != nil {
			st.public.Store(m.filter.Sight.Public)
		}
	}
	st.entry.close = func() { st.note(retire) }
	st.entry.slots = s.streamSlots(c, projectsOf(st.members)...)
	if err := s.watch(s.who(c), &st.entry, st); err != nil {
		st.tookSnapshot()
		return err
	}
	for _, m := range st.members {
		m.subscribe(s.tails, st.poke)
	}
	done, err := st.nothingLeft(c.Request().Context())
	if done || err != nil {
		st.release()
		if err == nil {
			c.Response().Header().Set("Cache-Control", "no-store")
			err = c.NoContent(http.StatusNoContent)
		}
		return err
	}
	out, own, err := openSink(c)
	if err != nil {
		st.release()
		return fmt.Errorf("open stream: %w", err)
	}
	st.out = out
	c.Set(lastingKey, true)
	st.begin()
	if own {
		st.state.Store(running)
		st.driven.Store(true)
		go st.drive(true) // the handler's stack, which is large, is given back
		go out.watch(func() { st.note(peerGone) })
		return nil
	}
	out.watch(func() { st.note(peerGone) })
	for st.turn(true) != over {
		<-st.wake
	}
	st.end()
	return nil
}

// beginning is how many bytes of snapshots members begin with.
func beginning(members []*member) (bytes int) {
	for _, m := range members {
		bytes += len(m.begin)
	}
	return bytes
}

// tookSnapshot counts what the stream began with no longer.
func (st *stream) tookSnapshot() {
	if st.taken != nil {
		st.taken()
		st.taken = nil
	}
}

// projectsOf are the projects of members' builds.
func projectsOf(members []*member) []string {
	projects := make([]string, len(members))
	for i, m := range members {
		projects[i] = m.project
	}
	return projects
}

func (st *stream) release() {
	for _, m := range st.members {
		if m.sub != nil {
			m.sub.Close()
		}
	}
	st.tookSnapshot()
	st.server.open.remove(&st.entry)
}

// nothingLeft tells whether a reader that resumes has everything of finished
// builds: then it is told never to come back.
func (st *stream) nothingLeft(ctx context.Context) (bool, error) {
	for _, m := range st.members {
		if !m.given || m.log == ci.FeedLog {
			return false, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, firstBatch)
	defer cancel()
	for _, m := range st.members {
		for m.first == nil {
			b, ok, err := m.sub.TryNext()
			if errors.Is(err, feed.ErrMoved) {
				if err = st.follow(m); err == nil {
					continue
				}
			}
			switch {
			case err != nil:
				return false, fmt.Errorf("resume stream: %w", err)
			case ok:
				m.later(b)
				continue
			}
			select {
			case <-st.wake:
			case <-ctx.Done():
				return false, nil
			}
		}
		if b := m.first; !b.End || b.Size > 0 || b.Reset != "" {
			return false, nil
		}
	}
	return true, nil
}

// begin puts together what every stream begins with.
func (st *stream) begin() {
	st.ping = time.AfterFunc(st.server.ping, func() { st.note(pingIsDue) })
	st.append(sse.AppendRetry(nil, retryUsual()))
	for _, m := range st.members {
		if m.reset != "" {
			st.frame(m, m.cursor, "reset", resetData(m.reset))
		}
		if m.begin != nil {
			st.frame(m, m.cursor, "snapshot", m.begin)
			m.begin = nil
		}
	}
}

func (st *stream) end() {
	st.ping.Stop()
	st.out.close()
	st.release()
}

// How a turn ends.
type turned int

const (
	caughtUp turned = iota // until the next poke
	over                   // for good
	handedOn               // to a goroutine that can wait
)

// turn writes all that there is. One who is not patient does not wait for the
// peer, but hands on a stream whose peer is slow or far behind.
func (st *stream) turn(patient bool) turned {
	for {
		events := st.events.Swap(0)
		if events&sightMoved != 0 {
			if !patient { // the database has to be asked
				st.events.Or(events)
				go st.drive(true)
				return handedOn
			}
			st.beginAnew()
		}
		switch {
		case events&peerGone != 0:
			return over
		case events&retire != 0:
			st.append(sse.AppendRetry(nil, retryShutdown()))
			st.last = true
		case events&shut != 0: // its next request is told why
			st.append(sse.AppendRetry(nil, retryUsual()))
			st.last = true
		case events&pingIsDue != 0:
			st.pinged()
		}
		what := theEnd
		if !st.last {
			what = st.gather(patient)
			st.last = what == theEnd
		}
		if what == wantsToWait || !patient && !st.try() {
			go st.drive(true)
			return handedOn
		}
		if st.size > 0 && st.flush() != nil {
			return over
		}
		switch {
		case st.last:
			return over
		case what == allThereIs && st.events.Load() == 0:
			return caughtUp
		}
	}
}

// pinged lets a silent stream say that it is alive and that nothing has
// happened. While that is not known it is silent: after three pings that did
// not come a reader says as of when it knows what it shows.
func (st *stream) pinged() {
	every := st.server.ping
	rest := every - time.Since(st.written)
	switch {
	case rest > 0:
	case st.server.tails.Blind():
		rest = every / 5
	default:
		rest = every
		st.catchUp()
		st.control("ping", "{}")
	}
	st.ping.Reset(rest)
}

// What gathering came to.
type gathered int

const (
	allThereIs  gathered = iota
	oneWrite             // there may be more, once it was written
	theEnd               // nothing will ever come
	wantsToWait          // the database has to be asked, by one who is patient
)

// gather collects what is ready, until it is full.
func (st *stream) gather(patient bool) gathered {
	what := theEnd
	for i := range st.members {
		m := st.members[(st.from+i)%len(st.members)]
		for !m.ended && !m.sending {
			if st.full() {
				st.from = (st.from + i + 1) % len(st.members) // a long log must not keep the others waiting
				return oneWrite
			}
			b, ok, err := m.next()
			if moved := errors.Is(err, feed.ErrMoved); !patient && (moved || b.Reset != "") {
				if !moved {
					m.later(b)
				}
				return wantsToWait
			} else if moved {
				if err = st.follow(m); err == nil {
					continue
				}
			}
			if err == io.EOF {
				m.ended = true
				break
			}
			if err == nil && ok && b.Reset != "" {
				err = st.reset(m, b)
			} else if err == nil && ok {
				st.take(m, &b)
			}
			if err != nil {
				st.unavailable(err)
				return theEnd
			}
			if !ok {
				break
			}
		}
		switch {
		case m.ended:
		case m.sending:
			what = oneWrite
		case what == theEnd:
			what = allThereIs
		}
	}
	return what
}

// full tells whether what was gathered is enough for one write.
func (st *stream) full() bool { return st.size >= writeMost || len(st.own) >= writeOwn }

// take puts a batch into the stream, or as much of it as there is room for, and
// the rest comes again.
func (st *stream) take(m *member, b *feed.Batch) {
	if st.several {
		if !st.takeEvents(m, b) {
			m.later(*b)
			return
		}
	} else {
		st.bufs = append(st.bufs, b.Frames...)
		st.size += b.Size
		st.server.delivered.events.Add(int64(b.Count))
	}
	m.cursor, m.moves, m.sending = b.Cursor, 0, b.Read
	if b.Live {
		st.frame(m, m.cursor, "live", []byte("{}"))
	}
	if b.End {
		st.frame(m, m.cursor, "end", []byte("{}"))
		m.ended = true
	}
}

// takeEvents says of each event of a batch which log it is of, while there is room.
func (st *stream) takeEvents(m *member, b *feed.Batch) (all bool) {
	// At once: what grows leaves its smaller selves to the frames that are in them.
	if more := min(2*b.Size, writeOwn+2*copyMost-len(st.own)); b.Size > copyMost && more > 0 {
		st.own = slices.Grow(st.own, more)
	}
	for b.Count > 0 {
		if st.full() {
			return false
		}
		e, _ := b.Take()
		st.frame(m, ci.Cursor{Prefix: b.Cursor.Prefix, ID: e.ID}, string(e.Kind), e.Data)
		st.server.delivered.events.Add(1)
	}
	return true
}

// lookupWait bounds the query that finds a log again.
const lookupWait = 5 * time.Second

// mostMoves is how often a log is looked up again in a row; then its reader is
// asked to come back.
const mostMoves = 5

// follow finds a log in the history that is now, after a rewind. What comes
// next is a reset. A build that this history does not have ends the stream:
// whoever comes back is told.
func (st *stream) follow(m *member) error {
	if m.moves++; m.moves > mostMoves {
		return &ci.Problem{Code: ci.Unavailable, Detail: "The database's history is being rewound; come back in a moment."}
	}
	m.sub.Close()
	if m.log != ci.FeedLog {
		ctx, cancel := context.WithTimeout(context.Background(), lookupWait)
		defer cancel()
		if err := st.server.find(ctx, m); err != nil {
			return err
		}
	}
	m.subscribe(st.server.tails, st.poke)
	return nil
}

// shut ends the stream; its reader's next request is told why.
func (st *stream) shut() { st.note(shut) }

// sees is of a watched stream: another calls it than whoever has the turn.
func (st *stream) sees(who *caller, now *ci.Publics) bool {
	for _, m := range st.members {
		if m.name == ci.FeedName {
			sight := ci.Sight{Reach: m.filter.Sight.Reach, Public: st.public.Load()}
			if !sight.Same(&m.filter, now) {
				st.public.Store(now)
				st.note(sightMoved)
			}
			continue
		}
		public := now.Projects[m.project].Public
		if !public && !who.may(m.needs(), http.MethodGet, m.project, m.build) {
			return false
		}
	}
	return true
}

// beginAnew begins the feed anew for a reader who sees other projects now.
func (st *stream) beginAnew() {
	for _, m := range st.members {
		if m.log != ci.FeedLog || m.ended {
			continue
		}
		m.filter.Sight = &ci.Sight{Reach: m.filter.Sight.Reach, Public: st.public.Load()}
		m.first = nil
		if err := st.reset(m, feed.Batch{Reset: sightChanged, Cursor: m.cursor}); err != nil {
			st.unavailable(err)
			st.last = true
		}
	}
}

// reset tells the reader to forget what it had of a log. The feed begins anew
// with a snapshot, a build's log with its first event.
func (st *stream) reset(m *member, b feed.Batch) error {
	st.frame(m, b.Cursor, "reset", resetData(b.Reset))
	if m.log != ci.FeedLog {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	m.sub.Close()
	if err := st.server.snapshot(ctx, m); err != nil {
		return err
	}
	taken, ok := st.server.limits.keep(m.payer, len(m.begin), true)
	if !ok {
		st.server.limits.refused[limitUnread].Add(1)
		return &ci.Problem{Code: tooManyRequests, Limit: mostUnread, Detail: tooMuchUnread}
	}
	before := st.taken
	st.taken = func() {
		if before != nil {
			before()
		}
		taken()
	}
	m.subscribe(st.server.tails, st.poke)
	st.frame(m, m.cursor, "snapshot", m.begin)
	m.begin = nil
	return nil
}

func resetData(r feed.Reason) []byte { return []byte(`{"reason":"` + string(r) + `"}`) }

// catchUp moves the cursors past what the filters have held back, so that a
// reader who comes back does not make the server look at it again.
func (st *stream) catchUp() {
	for _, m := range st.members {
		if m.ended || m.first != nil {
			continue
		}
		if at := m.sub.Cursor(); at.Prefix != "" {
			m.cursor = at
		}
	}
}

// unavailable ends the stream with the request to come back later.
func (st *stream) unavailable(err error) {
	if errors.Is(err, &ci.Problem{Code: ci.NotFound}) || errors.Is(err, &ci.Problem{Code: rewound}) { // its next request is told
		st.append(sse.AppendRetry(nil, retryUsual()))
		return
	}
	if !errors.Is(err, feed.ErrStopped) && !errors.Is(err, feed.ErrClosed) {
		st.server.log.Warn("stream: unavailable", "error", err)
	}
	st.append(unavailableFrames(retryOverload()))
}

func unavailableFrames(retry time.Duration) []byte {
	return sse.AppendFrame(sse.AppendRetry(nil, retry), "", "unavailable", []byte("{}"))
}

// frame appends a frame of one log, and says which where there are several. Data
// is one line. Where it is long it is not copied: readers who take nothing have it
// in common. Where it is short it is, and keeps nothing that lies around it.
func (st *stream) frame(m *member, at ci.Cursor, event string, data []byte) {
	m.cursor = at
	n := len(st.own)
	frame := sse.Open(st.own, st.id(), event)
	begin := len(frame)
	if st.several {
		frame = append(frame, `{"log":"`...)
		frame = append(frame, m.name...)
		frame = append(frame, '"')
		if data = data[1:]; len(data) > 1 {
			frame = append(frame, ',')
		}
	}
	if len(data) > copyMost {
		st.own = frame
		st.append(frame[n:])
		st.append(data)
		st.append(frameEnd)
		return
	}
	frame = append(frame, data...)
	frame = sse.Close(frame, begin)
	st.own = frame
	st.append(frame[n:])
}

var frameEnd = []byte("\n\n")

// control appends a frame of the stream as a whole.
func (st *stream) control(event, data string) {
	st.append(sse.AppendFrame(nil, st.id(), event, []byte(data)))
}

func (st *stream) append(frame []byte) {
	st.bufs = append(st.bufs, frame)
	st.size += len(frame)
}

// id is where the reader is in the whole stream: the list of its cursors.
func (st *stream) id() string {
	if len(st.members) == 1 {
		return memberID(st.members[0])
	}
	var id strings.Builder
	for i, m := range st.members {
		if i > 0 {
			id.WriteByte('.')
		}
		id.WriteString(memberID(m))
	}
	return id.String()
}

func memberID(m *member) string {
	if m.cursor == feed.BadCursor {
		return "?" // still none: whoever comes back with it gets the reset
	}
	if m.cursor.Prefix == "" {
		return ""
	}
	return m.cursor.String()
}

// flush writes what was gathered, in one write if it is not too long for one.
func (st *stream) flush() error {
	size := st.size
	err := st.out.write(st.bufs)
	if err == nil {
		st.server.delivered.bytes.Add(int64(size))
	}
	st.written = time.Now()
	st.flushed()
	return err
}

// try writes what was gathered if that does not mean to wait. It returns false
// if something is left.
func (st *stream) try() bool {
	if st.size == 0 {
		return true
	}
	if len(st.bufs) > 1 && st.size <= writePiece { // so that it is one write
		joined := make([]byte, 0, st.size)
		for _, buf := range st.bufs {
			joined = append(joined, buf...)
		}
		st.flushed()
		st.append(joined)
	}
	if len(st.bufs) > 1 {
		return false
	}
	n := st.out.try(st.bufs[0])
	if st.server.delivered.bytes.Add(int64(n)); n > 0 {
		st.written = time.Now()
	}
	if n == st.size {
		st.flushed()
		return true
	}
	st.bufs[0] = st.bufs[0][n:]
	st.size -= n
	return false
}

// flushed lets go of what was written.
func (st *stream) flushed() {
	st.tookSnapshot()
	st.size = 0
	for _, m := range st.members {
		if m.sending = false; m.ended && m.sub != nil { // it holds the last that it has yielded
			m.sub.Close()
			m.sub = nil
		}
	}
	if clear(st.bufs[:cap(st.bufs)]); cap(st.bufs) > keepBufs {
		st.bufs = nil
	}
	if st.bufs, st.own = st.bufs[:0], st.own[:0]; cap(st.own) > 4<<10 {
		st.own = nil
	}
}

// orUnavailable turns what will pass into an answer after which an EventSource
// comes back: anything but a 200 would end it for good.
func (s *Server) orUnavailable(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := h(c)
		if err == nil || c.Response().Committed || !wantsStream(c) {
			return err
		}
		p := s.problem(err, c)
		if status := problems[p.Code].status; status < 500 && status != http.StatusTooManyRequests {
			return p
		}
		retry := retryOverload()
		switch p.Code {
		case shuttingDown:
			retry = retryShutdown()
		case rewound:
			retry = retryUsual()
		}
		for _, h := range streamHeader {
			c.Response().Header().Set(h[0], h[1])
		}
		c.Response().Header().Set("Connection", "close")
		return c.Blob(http.StatusOK, "text/event-stream", unavailableFrames(retry))
	}
}

// wantsStream tells whether the answer is a stream: /streams has no other form.
func wantsStream(c echo.Context) bool {
	path := c.Path()
	return strings.HasSuffix(path, "/streams") || strings.HasSuffix(path, "/events") && strings.Contains(c.Request().Header.Get("Accept"), "text/event-stream")
}
