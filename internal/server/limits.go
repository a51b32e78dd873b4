package server

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/turns"
)

// Limits bound what one address, one token and one project may take. A zero is
// the default, which the flags of stepcast serve state; what is negative bounds
// nothing. An address is an IPv4 address, or the /64 of an IPv6 one, which is
// what one customer gets.
//
// None of them ever stops a running build's status updates: writes with a token
// for them have no rate, since the committer's queue, which answers 503 when it
// is full, is the bound that fits what they cost.
type Limits struct {
	Streams          int  // open at once, of all together
	StreamsOfAddress int  // open at once
	StreamsOfToken   int  // open at once, of one token or session
	StreamsOfProject int  // open at once, of its builds
	ConnsOfAddress   int  // open at once, streams over HTTP/1.1 and uploads not counted
	Requests         int  // a second, of an address, by callers who show nothing
	Reads            int  // a second, of one token or session
	Failures         int  // a minute, of an address: tokens, links and cookies that are no good
	UploadsOfToken   int  // open at once
	Loopback         bool // hold loopback addresses to those of an address too
}

// defaults are in place of zeros.
func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		limit *int
		value int
	}{
		{&l.Streams, 20_000}, {&l.StreamsOfAddress, 250}, {&l.StreamsOfToken, 1000}, {&l.StreamsOfProject, 10_000},
		{&l.ConnsOfAddress, 500}, {&l.Requests, 50}, {&l.Reads, 100}, {&l.Failures, 30}, {&l.UploadsOfToken, 500},
	} {
		switch {
		case *d.limit == 0:
			*d.limit = d.value
		case *d.limit < 0:
			*d.limit = math.MaxInt
		}
	}
	return l
}

// A limit is the name of one, as metrics have it.
type limit string

// All that may refuse something here. What the store refuses is counted there.
const (
	limitStreams          limit = "streams"
	limitStreamsOfAddress limit = "streams_per_address"
	limitStreamsOfToken   limit = "streams_per_token"
	limitStreamsOfProject limit = "streams_per_project"
	limitConns            limit = "connections_per_address"
	limitRequests         limit = "requests_per_address"
	limitReads            limit = "reads_per_token"
	limitFailures         limit = "failures_per_address"
	limitSignIns          limit = "sign_ins_per_address"
	limitUploads          limit = "uploads_per_token"
	limitUnread           limit = "unread"
	limitArriving         limit = "arriving"
	limitUnderWay         limit = "requests_under_way"
	limitBody             limit = "body_size"
	limitSlow             limit = "body_pace"
)

// refusals counts what was refused, by limit.
type refusals map[limit]*atomic.Int64

func newRefusals() refusals {
	r := make(refusals)
	for _, l := range []limit{
		limitStreams, limitStreamsOfAddress, limitStreamsOfToken, limitStreamsOfProject, limitConns,
		limitRequests, limitReads, limitFailures, limitSignIns, limitUploads, limitUnread, limitArriving, limitUnderWay, limitBody, limitSlow,
	} {
		r[l] = new(atomic.Int64)
	}
	return r
}

// limitOf is the limit that a problem says was passed; "": it says nothing of
// the kind, or the limit counts for itself.
var limitOf = map[ci.Code]limit{tooLarge: limitBody, tooSlow: limitSlow, tooManyTries: limitSignIns}

// limits is where everybody stands.
type limits struct {
	Limits
	refused  refusals
	requests rates[netip.Addr]
	reads    rates[string]
	failures rates[netip.Addr]
	signIns  rates[netip.Addr]
	openings rates[netip.Addr] // of links: any page can have a browser open one
	suspects chan struct{}     // one in it for each look-up for an address with too many failures
	strange  chan struct{}     // the same of ID tokens, for which an issuer may be asked
	conns    conns
	underWay underWay

	mu      sync.Mutex
	uploads tally
	unread  map[string]int // bytes that are kept of long answers, by who asked for them
}

func newLimits(l Limits) *limits {
	l = l.withDefaults()
	return &limits{
		Limits: l, refused: newRefusals(), underWay: underWay{of: make(map[string]int), on: make(map[net.Conn]int)}, suspects: make(chan struct{}, 1), strange: make(chan struct{}, 1), uploads: make(tally), unread: make(map[string]int),
		requests: newRates[netip.Addr](rate.Limit(l.Requests), 4*l.Requests),
		reads:    newRates[string](rate.Limit(l.Reads), 4*l.Reads),
		failures: newRates[netip.Addr](rate.Limit(float64(l.Failures)/60), l.Failures),
		signIns:  newRates[netip.Addr](1, attemptsAtOnce),
		openings: newRates[netip.Addr](1, attemptsAtOnce),
	}
}

// accountable is what an address is counted as; ok is false when it is not
// counted. An address that cannot be known is one like any other.
func (l *limits) accountable(addr netip.Addr) (of netip.Addr, ok bool) {
	return network(addr), l.Loopback || !addr.Unmap().IsLoopback()
}

// network is the address itself, or the first of the /64 of an IPv6 one.
func network(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		all, _ := addr.Prefix(64) // of an IPv6 address there is one
		addr = all.Addr()
	}
	return addr
}

// holder names the token or the session of a caller; "": it has none. Whoever has
// a link begins as many sessions with it as they like: those of one address are
// one.
func (w *caller) holder() string {
	switch {
	case w.token != nil:
		return w.token.ID
	case w.guest != "":
		return w.guest
	case w.session != nil:
		return "session " + strconv.FormatInt(w.session.ID, 10)
	}
	return ""
}

// owner names whose token or session it is: who signs in often is still one. ""
// is whoever is at an address: who has a link as well, or several, is no second one.
func (w *caller) owner() string {
	switch v := w.session; {
	case w.guest != "":
		return ""
	case v == nil:
	case v.Token != nil:
		return v.Token.ID
	case v.Person.Subject != "":
		return "person " + v.Person.Issuer + " " + v.Person.Subject
	}
	return w.holder()
}

// payer names to whom the searches and the answers of a request are counted: the
// owner of its token or session, else its address; "": to nobody. Who is nil where
// nobody has asked who it is.
func (s *Server) payer(c echo.Context, who *caller) string {
	if who != nil && who.owner() != "" {
		return who.owner()
	}
	if addr, counted := s.limits.accountable(s.clientAddr(c)); counted {
		return addr.String()
	}
	return ""
}

// refuse counts a refusal, and makes the answer. A wait of zero is one that
// nobody knows.
func (l *limits) refuse(c echo.Context, by limit, most int, wait time.Duration, format string, args ...any) error {
	l.refused[by].Add(1)
	if wait > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	return &ci.Problem{Code: tooManyRequests, Limit: int64(most), Detail: fmt.Sprintf(format, args...)}
}

// builtIn are the routes that answer with what is part of the program: a page has
// many such files, browsers keep them, and each costs next to nothing.
var builtIn = []string{"/assets/*", "/widgets.js", "/embed.js", page.StylePath}

// admit counts a request of a caller, or refuses it for now. What is public is
// counted to the address whoever asks, but for an exchange, which counts by what
// it shows.
func (s *Server) admit(c echo.Context, a access, who *caller) error {
	l := s.limits
	if path, _ := c.Get(routeKey).(string); path == exchangePath || slices.Contains(builtIn, path) {
		return nil
	}
	if who != nil && who.shows() {
		s.ensure(c.Request())
		if a == report {
			return nil // the committer's queue is the bound
		}
		if wait := l.reads.take(who.holder(), time.Now()); wait > 0 {
			return l.refuse(c, limitReads, l.Reads, wait, "This token has asked for more than %d answers a second; ask again after Retry-After.", l.Reads)
		}
		return nil
	}
	addr, counted := l.accountable(s.clientAddr(c))
	if !counted {
		return nil
	}
	if wait := l.requests.take(addr, time.Now()); wait > 0 {
		return l.refuse(c, limitRequests, l.Requests, wait, "Your address has asked for more than %d answers a second; ask again after Retry-After.", l.Requests)
	}
	return nil
}

// suspect holds up a look-up of a token, a link or a session for an address that
// has shown too many that are no good: one for all such addresses at a time, so
// that guesses cost the database little. Whoever comes from there with a good one
// for the first time has to wait, and gets in; a token that was found lately is
// not held up. done is called after the look-up.
func (s *Server) suspect(ctx context.Context, addr netip.Addr) (done func(), err error) {
	return s.oneOfSuspects(ctx, addr, s.limits.suspects)
}

func (s *Server) oneOfSuspects(ctx context.Context, addr netip.Addr, turn chan struct{}) (done func(), err error) {
	l := s.limits
	if of, counted := l.accountable(addr); !counted || !l.failures.spent(of, time.Now()) {
		return func() {}, nil
	}
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// failed counts that a caller showed what is no good, and returns why, or with
// too many of them that it has to wait.
func (s *Server) failed(c echo.Context, why error) error {
	l := s.limits
	addr, counted := l.accountable(s.clientAddr(c))
	if !counted {
		return why
	}
	if wait := l.failures.take(addr, time.Now()); wait > 0 {
		return l.refuse(c, limitFailures, l.Failures, wait, "Your address has shown more than %d tokens in a minute that are no good; try again after Retry-After.", l.Failures)
	}
	return why
}

// countFailure counts a cookie that is no good. Its browser is told the same each
// time, for it may be of a session that has ended.
func (s *Server) countFailure(c echo.Context) {
	if addr, counted := s.limits.accountable(s.clientAddr(c)); counted {
		s.limits.failures.take(addr, time.Now())
	}
}

// rates are how fast each of some keys may go on. They take no more memory than
// for mostRates of them: once so many have something to wait for, the rest
// shares one.
type rates[K comparable] struct {
	every rate.Limit
	burst int

	mu    sync.Mutex
	of    map[K]*rate.Limiter
	rest  *rate.Limiter
	swept time.Time
}

// mostRates is of about a hundred bytes each.
const mostRates = 10_000

func newRates[K comparable](every rate.Limit, burst int) rates[K] {
	if burst < 0 || burst > math.MaxInt/2 { // of no limit, or past what a number holds
		every, burst = rate.Inf, math.MaxInt32
	}
	return rates[K]{every: every, burst: burst, of: make(map[K]*rate.Limiter), rest: rate.NewLimiter(every, burst)}
}

// take uses one up, or tells how long to wait until there is one.
func (r *rates[K]) take(key K, now time.Time) (wait time.Duration) {
	if r.every == rate.Inf {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.limiter(key, now).ReserveN(now, 1)
	if wait = one.DelayFrom(now); wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// spent tells whether a key has none left.
func (r *rates[K]) spent(key K, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of[key]
	return one != nil && one.TokensAt(now) < 1
}

// limiter is that of a key. mu is held.
func (r *rates[K]) limiter(key K, now time.Time) *rate.Limiter {
	if one := r.of[key]; one != nil {
		return one
	}
	if len(r.of) >= mostRates && now.Sub(r.swept) >= time.Second {
		r.swept = now
		for key, one := range r.of {
			if one.TokensAt(now) >= float64(r.burst) { // as good as new
				delete(r.of, key)
			}
		}
	}
	if len(r.of) >= mostRates {
		return r.rest
	}
	one := rate.NewLimiter(r.every, r.burst)
	r.of[key] = one
	return one
}

// A slot is what something open counts to: a limit, and whose it is.
type slot struct {
	limit limit
	of    string
	most  int
}

// tally counts what is open, by slot.
type tally map[slot]int

// take counts something open to all of its slots; one that is full is returned,
// and then it counts to none.
func (t tally) take(slots []slot) (full slot, ok bool) {
	for _, s := range slots {
		if t[s] >= s.most {
			return s, false
		}
	}
	for _, s := range slots {
		t[s]++
	}
	return slot{}, true
}

func (t tally) give(slots []slot) {
	for _, s := range slots {
		if t[s]--; t[s] <= 0 {
			delete(t, s)
		}
	}
}

// streamSlots are what a stream of some projects' builds counts to.
func (s *Server) streamSlots(c echo.Context, projects ...string) (slots []slot) {
	l := s.limits
	if addr, counted := l.accountable(s.clientAddr(c)); counted {
		slots = append(slots, slot{limitStreamsOfAddress, addr.String(), l.StreamsOfAddress})
	}
	if holder := s.who(c).holder(); holder != "" {
		slots = append(slots, slot{limitStreamsOfToken, holder, l.StreamsOfToken})
	}
	for i, project := range projects {
		if project != "" && !slices.Contains(projects[:i], project) {
			slots = append(slots, slot{limitStreamsOfProject, project, l.StreamsOfProject})
		}
	}
	return slots
}

// tooManyOpen is the refusal of something that would be one more of its slot.
func (l *limits) tooManyOpen(full slot) error {
	l.refused[full.limit].Add(1)
	whose := map[limit]string{
		limitStreamsOfAddress: "Your address has %d streams open",
		limitStreamsOfToken:   "This token has %d streams open",
		limitStreamsOfProject: "The project's builds have %d streams open",
		limitUploads:          "This token has %d uploads open",
	}[full.limit]
	return &ci.Problem{Code: tooManyRequests, Limit: int64(full.most), Detail: fmt.Sprintf(whose+", which is as many as it may; close one, or come back later.", full.most)}
}

// openUpload counts an upload to its token until done. Those that say how long
// they are come to an end, and are counted by themselves: however many go on for
// as long as their commands do, a whole log gets in.
func (s *Server) openUpload(c echo.Context) (done func(), err error) {
	l := s.limits
	holder := s.who(c).holder()
	if c.Request().ContentLength >= 0 {
		holder += " sized"
	}
	slots := []slot{{limitUploads, holder, l.UploadsOfToken}}
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.uploads.take(slots); !ok {
		return nil, l.tooManyOpen(full)
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.uploads.give(slots)
	}, nil
}

const tooMuchUnread = "Of the answers that were asked for here, so many bytes have not been taken yet; read those first, ask for them compressed, or come back later."

// inTurn is for routes whose answers may be looked for among all builds, or be long: they
// are made in turns, of one caller after the other. Many who ask at once would take all
// that the database and this process have. The turn is over when the answer begins to go
// out.
func (s *Server) inTurn(in *turns.Turns, h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		leave, err := s.enter(c, in)
		if err != nil {
			return err
		}
		defer leave()
		c.Response().Before(leave)
		return h(c)
	}
}

// enter waits for a caller's turn. To leave twice is to leave once.
func (s *Server) enter(c echo.Context, in *turns.Turns) (leave func(), err error) {
	who, _ := c.Get(callerKey).(*caller)
	if leave, err = in.Enter(c.Request().Context(), s.payer(c, who)); err != nil {
		return nil, fmt.Errorf("wait for a turn: %w", err)
	}
	return sync.OnceFunc(leave), nil
}

// mostUnread is how many bytes are kept of long answers, until they were taken, for
// one address, or one token or person; countUnread is from how many on one is long.
const (
	mostUnread  = 64 << 20
	countUnread = 64 << 10
)

// keep counts an answer, or a part of it, to who asked for it until done: each is
// kept for as long as its peer takes some of it now and then, and many slow ones
// would fill the memory. One alone may be of any length.
func (s *Server) keep(c echo.Context, bytes int) (done func(), err error) {
	who, _ := c.Get(callerKey).(*caller)
	refusable := safe(c.Request().Method) || c.Get(repeatedKey) != nil // what was written is not refused any more
	done, ok := s.limits.keep(s.payer(c, who), bytes, refusable)
	if !ok {
		return nil, s.limits.refuse(c, limitUnread, mostUnread, 0, tooMuchUnread)
	}
	return done, nil
}

// keep counts so many bytes to somebody until done, or tells that they are too many.
func (l *limits) keep(holder string, bytes int, refusable bool) (done func(), ok bool) {
	if bytes < countUnread || holder == "" {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if others := l.unread[holder]; others > 0 && others+bytes > mostUnread && refusable {
		return nil, false
	}
	l.unread[holder] += bytes
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.unread[holder] -= bytes; l.unread[holder] == 0 {
			delete(l.unread, holder)
		}
	}, true
}

// conns are the connections that are open, by address. Streams over HTTP/1.1 are
// not counted, nor are connections with an upload: those have limits of their own,
// and would else leave no room for the reports of who is at the same address.
type conns struct {
	mu    sync.Mutex
	of    map[netip.Addr]map[net.Conn]*held
	count uint64 // of those that ever were
}

// held is one of them.
type held struct {
	turn uint64 // in which it was opened, or has become idle or busy
	busy bool   // with a request
	sure bool   // of somebody who has shown who it is
}

// track is the ConnState of an HTTP server. Of an address that has too many, the
// connection that has been idle for longest makes room for a new one; when all
// are busy, the one that has been for longest with a request of nobody in
// particular; and when there is none either, the new one is closed before anything
// is read from it. So neither sockets that say nothing nor bodies that never end
// keep out who has a token. Trusted proxies are not counted: their connections are
// everybody's.
func (s *Server) track(conn net.Conn, state http.ConnState) {
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // one of no address is none
	addr, counted := s.limits.accountable(peer.Addr())
	if !counted || s.cfg.Proxies.trusts(plainAddr(peer.Addr())) {
		return
	}
	c := &s.limits.conns
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.of[addr][conn]
	switch {
	case state == http.StateHijacked || state == http.StateClosed:
		c.forget(addr, conn)
	case h != nil:
		c.count++
		h.turn, h.busy, h.sure = c.count, state == http.StateActive, false
	case state != http.StateActive: // it is new, or its uploads are over
		if c.of == nil {
			c.of = make(map[netip.Addr]map[net.Conn]*held)
		}
		if c.of[addr] == nil {
			c.of[addr] = make(map[net.Conn]*held)
		}
		c.count++
		c.of[addr][conn] = &held{turn: c.count}
		if len(c.of[addr]) > s.limits.ConnsOfAddress {
			s.limits.refused[limitConns].Add(1)
			goes := leastMissed(c.of[addr], conn)
			delete(c.of[addr], goes)
			hangUp(goes) // its own closed state follows
		}
	}
}

// hangUp closes a connection at once: TLS would wait for the peer to be told.
func hangUp(conn net.Conn) { bare(conn).Close() }

// forget counts a connection no longer. mu is held.
func (c *conns) forget(addr netip.Addr, conn net.Conn) {
	if delete(c.of[addr], conn); len(c.of[addr]) == 0 {
		delete(c.of, addr)
	}
}

// connKey is of a request's connection, in its context.
type connKey struct{}

// withConn is the ConnContext of an HTTP server.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// uncount counts a request's connection no longer, until it is idle again.
func (s *Server) uncount(r *http.Request) {
	c := &s.limits.conns
	c.mu.Lock()
	defer c.mu.Unlock()
	if addr, conn := s.counted(r); conn != nil {
		c.forget(addr, conn)
	}
}

// ensure says that a request's connection is of somebody who has shown who it is.
func (s *Server) ensure(r *http.Request) {
	c := &s.limits.conns
	c.mu.Lock()
	defer c.mu.Unlock()
	addr, conn := s.counted(r)
	if h := c.of[addr][conn]; h != nil {
		h.sure = true
	}
}

// counted is a request's connection, and what it is counted to.
func (s *Server) counted(r *http.Request) (addr netip.Addr, conn net.Conn) {
	conn, ok := r.Context().Value(connKey{}).(net.Conn)
	if !ok { // a test's
		return addr, nil
	}
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr, _ = s.limits.accountable(peer.Addr())
	return addr, conn
}

// leastMissed is the connection that makes room for a new one, as track says.
func leastMissed(open map[net.Conn]*held, fresh net.Conn) net.Conn {
	goes, least := fresh, held{turn: math.MaxUint64, busy: true, sure: true}
	for conn, h := range open {
		if conn != fresh && !h.sure && (!h.busy && least.busy || h.busy == least.busy && h.turn < least.turn) {
			goes, least = conn, *h
		}
	}
	return goes
}
