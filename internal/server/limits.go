package server

import (
	"context"
	"fmt"
	"math"
	"net"
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
	Uploads          int  // of logs, open at once, of all together
	UploadsOfAddress int  // open at once
	UploadsOfToken   int  // open at once
	UploadsOfProject int  // open at once, to its builds
	Loopback         bool // hold loopback addresses to those of an address too
}

// defaults are in place of zeros.
func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		limit *int
		value int
	}{
		{&l.Streams, 20_000}, {&l.StreamsOfAddress, 250}, {&l.StreamsOfToken, 1000}, {&l.StreamsOfProject, 10_000},
		{&l.ConnsOfAddress, 500}, {&l.Requests, 50}, {&l.Reads, 100}, {&l.Failures, 30},
		{&l.Uploads, 10_000}, {&l.UploadsOfAddress, 2000}, {&l.UploadsOfToken, 500}, {&l.UploadsOfProject, 2000},
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
	limitUploads          limit = "uploads"
	limitUploadsOfAddress limit = "uploads_per_address"
	limitUploadsOfToken   limit = "uploads_per_token"
	limitUploadsOfProject limit = "uploads_per_project"
	limitUnread           limit = "unread"
	limitArriving         limit = "arriving"
	limitUnderWay         limit = "requests_under_way"
	limitGivenUp          limit = "requests_given_up"
	limitBody             limit = "body_size"
	limitSlow             limit = "body_pace"
)

// refusals counts what was refused, by limit.
type refusals map[limit]*atomic.Int64

func newRefusals() refusals {
	r := make(refusals)
	for _, l := range []limit{
		limitStreams, limitStreamsOfAddress, limitStreamsOfToken, limitStreamsOfProject, limitConns,
		limitRequests, limitReads, limitFailures, limitSignIns,
		limitUploads, limitUploadsOfAddress, limitUploadsOfToken, limitUploadsOfProject, limitUnread, limitArriving, limitUnderWay, limitGivenUp, limitBody, limitSlow,
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
