package judge

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Plan says what a load does. Durations are in nanoseconds on the wire.
type Plan struct {
	Servers []string `json:"servers"`            // base URLs that are read from
	WriteTo []string `json:"write_to,omitempty"` // base URLs that are written to; none: Servers
	Token   string   `json:"token"`
	Seed    uint64   `json:"seed"`
	Project string   `json:"project"`

	Shared  int `json:"shared"`  // writers into one build, a step each
	Others  int `json:"others"`  // writers into builds of their own
	Readers int `json:"readers"` // of builds: the shared one, one other, or several at once
	Feeds   int `json:"feeds"`   // readers of the feed
	Cut     Cut `json:"cut"`     // how the readers' connections end

	Lines   int64         `json:"lines"`   // lines that each writer writes; 0: until Finish
	Updates int           `json:"updates"` // log updates of one request, at most; 0: 8
	Span    int           `json:"span"`    // lines of one update, at most; 0: 3
	Pace    time.Duration `json:"pace"`    // a writer's pause between requests, at most
	Timeout time.Duration `json:"timeout"` // after which a write's outcome is unknown; 0: 5 s
	Careful bool          `json:"careful"` // nothing is sent twice on purpose
	Quota   int64         `json:"quota"`   // bytes of text that the servers keep of a build; 0: all
}

// Report is what came of a load.
type Report struct {
	Findings []Finding      `json:"findings"` // at most 20 of a kind
	Counts   map[Kind]int64 `json:"counts"`
	Status
	Seconds  float64          `json:"seconds"`
	Events   int64            `json:"events"`     // in all builds' logs
	AckP50Ms float64          `json:"ack_p50_ms"` // of acknowledged writes, from the request to the answer
	AckP99Ms float64          `json:"ack_p99_ms"`
	AckMaxMs float64          `json:"ack_max_ms"`
	Answers  map[string]int64 `json:"answers"` // writes by status; "0" is unknown
}

// Status is how far a load is.
type Status struct {
	Acked       int64 `json:"acked"`
	AckedBytes  int64 `json:"acked_bytes"`
	Unknown     int64 `json:"unknown"`
	Later       int64 `json:"later"`
	Repeated    int64 `json:"repeated"`
	Gaps        int64 `json:"gaps"`
	Seen        int64 `json:"seen"`
	Connections int64 `json:"connections"`
	Resets      int64 `json:"resets"`
	Open        int64 `json:"open"`
	InFlight    int   `json:"in_flight"`
	Written     bool  `json:"written"` // all writers have written their lines
}

// Load is a running plan.
type Load struct {
	plan    Plan
	checker *Checker
	stats   *Stats
	client  *client
	builds  []string // the shared one first, if any
	keys    map[string][]string
	began   time.Time

	finish   atomic.Bool  // writers come to an end
	gate     sync.RWMutex // held by Pause; writers pass it before each request
	writing  sync.WaitGroup
	written  chan struct{} // closed when all builds are finished
	reading  sync.WaitGroup
	stopRead context.CancelFunc
	stopAll  context.CancelFunc
	ctx      context.Context // for the requests that end the load; done when ctx of Run is
}

// Run creates the plan's builds and starts its writers and readers.
func Run(ctx context.Context, plan Plan) (*Load, error) {
	plan.defaults()
	ctx, stopAll := context.WithCancel(ctx)
	l := &Load{plan: plan, checker: NewChecker(), stats: &Stats{}, keys: map[string][]string{}, began: time.Now(), written: make(chan struct{}), stopAll: stopAll, ctx: ctx}
	l.checker.quota = plan.Quota
	l.client = newClient(l.checker, plan.WriteTo, plan.Token, plan.Timeout, l.stats)

	readCtx, stopRead := context.WithCancel(ctx)
	l.stopRead = stopRead
	for i := range plan.Feeds { // before there are builds, so that they see all of them begin
		l.read(readCtx, i, fmt.Sprintf("feed%d", i), []string{Feed})
	}
	if err := l.awaitFeeds(ctx); err != nil {
		stopAll()
		return nil, err
	}
	if err := l.createBuilds(ctx); err != nil {
		stopAll()
		return nil, err
	}
	for i := range plan.Readers {
		l.read(readCtx, i, fmt.Sprintf("reader%d", i), l.choose(i))
	}
	l.write(ctx)
	return l, nil
}

func (p *Plan) defaults() {
	if len(p.WriteTo) == 0 {
		p.WriteTo = p.Servers
	}
	if p.Seed == 0 {
		p.Seed = mathrand.Uint64()
	}
	if p.Project == "" {
		p.Project = "judge/" + rand.Text()[:8]
	}
	if p.Updates == 0 {
		p.Updates = 8
	}
	if p.Span == 0 {
		p.Span = 3
	}
	if p.Timeout == 0 {
		p.Timeout = 5 * time.Second
	}
}

// awaitFeeds waits until every reader of the feed has its beginning.
func (l *Load) awaitFeeds(ctx context.Context) error {
	deadline := time.Now().Add(20 * time.Second)
	for _, v := range slices.Clone(l.checker.views) {
		for !v.begun() {
			if time.Now().After(deadline) {
				return fmt.Errorf("no snapshot from the feed within 20 s; findings so far: %v", l.checker.kept)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return nil
}

func (l *Load) createBuilds(ctx context.Context) error {
	rng := l.rng("create")
	add := func(steps ...string) error {
		id := uuid.NewString()
		l.builds = append(l.builds, id)
		l.keys[id] = steps
		return l.client.create(ctx, rng, id, l.plan.Project)
	}
	if l.plan.Shared > 0 {
		steps := make([]string, l.plan.Shared)
		for i := range steps {
			steps[i] = fmt.Sprintf("shared/%d", i)
		}
		if err := add(steps...); err != nil {
			return err
		}
	}
	for range l.plan.Others {
		if err := add("test"); err != nil {
			return err
		}
	}
	return nil
}

// choose gives the i-th reader its logs: a third read the first build, a third
// one other, the rest several in one stream.
func (l *Load) choose(i int) []string {
	rest := l.builds[1:]
	switch {
	case i%3 == 0 || len(rest) == 0:
		return l.builds[:1]
	case i%3 == 1:
		return []string{rest[i/3%len(rest)]}
	}
	n := min(8, len(rest))
	logs := []string{l.builds[0]}
	for j := range n {
		logs = append(logs, rest[(i/3*n+j)%len(rest)])
	}
	return logs
}

func (l *Load) rng(name string) *mathrand.Rand {
	return mathrand.New(mathrand.NewPCG(l.plan.Seed, hashOf(name)))
}

// read starts a reader. Some of those of one log poll for pages instead of
// keeping a stream open.
func (l *Load) read(ctx context.Context, i int, name string, logs []string) {
	r := newReader(l.checker, name, l.plan.Servers, logs, l.plan.Cut, l.plan.Seed, l.stats)
	follow := r.run
	if i%6 == 4 && len(logs) == 1 {
		follow = r.poll
	}
	l.reading.Go(func() { follow(ctx) })
}

// write starts the writers, and what finishes each build after its last one.
func (l *Load) write(ctx context.Context) {
	for _, build := range l.builds {
		var writers sync.WaitGroup
		for _, key := range l.keys[build] {
			writers.Go(func() { l.writeStep(ctx, build, key) })
		}
		l.writing.Go(func() {
			writers.Wait()
			b := &batch{build: build}
			b.finish("passed")
			l.send(ctx, l.rng(build), b)
		})
	}
	go func() {
		l.writing.Wait()
		close(l.written)
	}()
}

// send passes the gate and sends a batch until it is answered.
func (l *Load) send(ctx context.Context, rng *mathrand.Rand, b *batch) outcome {
	l.gate.RLock()
	defer l.gate.RUnlock()
	o := l.client.send(ctx, rng, b)
	if o.missing { // a restored history may be older than the build
		if err := l.client.create(ctx, rng, b.build, l.plan.Project); err != nil {
			return outcome{gaveUp: true}
		}
	}
	return o
}

// writeStep writes the log of one step, and ends it.
func (l *Load) writeStep(ctx context.Context, build, key string) {
	rng, text := l.rng(build+key), TextOf(build, key)
	goal := l.plan.Lines * text.Width()
	var end, reached int64 // acknowledged up to here; and ever, before history was rewound
	var notes int64        // acknowledged
	var before *batch
	for first := true; ; first = false {
		b := &batch{build: build}
		if first {
			b.step(key, "running", nil)
		}
		over := end >= reached && (l.finish.Load() || l.plan.Lines > 0 && end >= goal)
		next := end
		if over {
			b.step(key, "passed", &end)
		} else {
			next = l.compose(rng, b, text, key, end, goal)
		}
		noted := l.annotate(rng, b, key, notes)
		o := l.send(ctx, rng, b)
		switch {
		case o.gaveUp:
			return
		case o.missing:
			end, notes = 0, 0
			continue
		case !o.acked && o.noteGap:
			notes = o.gap
			continue
		case !o.acked:
			end = o.gap
			continue
		case over:
			return
		}
		notes = noted
		l.stats.AckedBytes.Add(next - end)
		end, reached = next, max(reached, next)
		if before != nil && !l.plan.Careful && rng.IntN(32) == 0 {
			l.stats.Repeated.Add(1)
			l.send(ctx, rng, before)
		}
		before = b
		if l.plan.Pace > 0 {
			pause(ctx, rng, l.plan.Pace)
		}
	}
}

// compose fills a batch with text from end on, sometimes from a little before
// it, in updates of whole lines, of which the last may end inside a line. It
// returns where the text ends.
func (l *Load) compose(rng *mathrand.Rand, b *batch, text Text, key string, end, goal int64) int64 {
	from := end
	if !l.plan.Careful && rng.IntN(16) == 0 {
		from = max(0, (end/text.Width()-rng.Int64N(4))*text.Width())
	}
	for range 1 + rng.IntN(l.plan.Updates) {
		line := from / text.Width()
		to := (line + 1 + rng.Int64N(int64(l.plan.Span))) * text.Width()
		if goal > 0 {
			to = min(to, goal)
		}
		if to <= from {
			break
		}
		b.text(text, key, from, to-from)
		from = to
	}
	if from < end || len(b.updates) == 0 { // only what is there already
		b.text(text, key, from, max(end, from+text.Width())-from)
		from = max(end, from+text.Width())
	}
	if from%text.Width() == 0 && from != goal && rng.IntN(8) == 0 {
		n := 1 + rng.Int64N(int64(len(key))) // the key is ASCII: no character is cut
		b.text(text, key, from, n)
		from += n
	}
	return from
}

// annotate adds notes to some batches, the last of a step among them, and
// sometimes one that is there already. It returns how many there are then.
func (l *Load) annotate(rng *mathrand.Rand, b *batch, key string, have int64) int64 {
	if rng.IntN(4) > 0 {
		return have
	}
	if have > 0 && !l.plan.Careful && rng.IntN(4) == 0 {
		b.note(key, have-1)
	}
	for range 1 + rng.IntN(3) {
		b.note(key, have)
		have++
	}
	return have
}

// InFlight counts the writes to a server (any, when empty) that were under way
// at a moment.
func (l *Load) InFlight(server string, at time.Time) int { return l.checker.InFlight(server, at) }

// Pause returns when no write is in flight, and none is sent until Resume.
func (l *Load) Pause() { l.gate.Lock() }

// Resume ends a Pause.
func (l *Load) Resume() { l.gate.Unlock() }

// Rewound says that history was rewound on purpose.
func (l *Load) Rewound() { l.checker.Rewound() }

// Status says how far the load is.
func (l *Load) Status() Status {
	s := l.stats
	status := Status{
		Acked: s.Acked.Load(), AckedBytes: s.AckedBytes.Load(), Unknown: s.Unknown.Load(), Later: s.Later.Load(),
		Repeated: s.Repeated.Load(), Gaps: s.Gaps.Load(), Seen: s.Seen.Load(), Connections: s.Connections.Load(),
		Resets: s.Resets.Load(), Open: s.Open.Load(),
	}
	select {
	case <-l.written:
		status.Written = true
	default:
		status.InFlight = l.InFlight("", time.Now())
	}
	return status
}

// Finish lets the writers end their builds and the readers see those ends,
// reads every log once more from its beginning on every server, and reports.
// Whatever is not done after patience is in the findings.
func (l *Load) Finish(patience time.Duration) Report {
	defer l.stopAll()
	deadline := time.Now().Add(patience)
	l.finish.Store(true)
	select {
	case <-l.written:
	case <-time.After(time.Until(deadline)):
		l.checker.complain(Refused, fmt.Sprintf("writers were still waiting for answers after %v", patience))
	}
	for time.Now().Before(deadline) && !l.checker.readersDone() {
		time.Sleep(5 * time.Millisecond)
	}
	l.checker.settleFeeds(deadline)
	l.stopRead()
	l.reading.Wait()
	l.sweep(patience)
	return l.report()
}

// sweep reads every log from its beginning on every server, as streams and as
// bytes.
func (l *Load) sweep(patience time.Duration) {
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	slots := make(chan struct{}, 8)
	var readers sync.WaitGroup
	for i, server := range l.plan.Servers {
		for _, build := range l.builds {
			slots <- struct{}{}
			readers.Go(func() {
				defer func() { <-slots }()
				newReader(l.checker, fmt.Sprintf("sweep of server %d", i), []string{server}, []string{build}, Cut{}, l.plan.Seed, l.stats).run(ctx)
				for _, key := range l.keys[build] {
					l.compareBytes(ctx, server, build, key)
				}
			})
		}
	}
	readers.Wait()
}

// compareBytes reads a step's log as bytes.
func (l *Load) compareBytes(ctx context.Context, server, build, key string) {
	fail := func(kind Kind, format string, args ...any) {
		l.checker.complain(kind, fmt.Sprintf("the log of %s/%s on %s: ", build, key, server)+fmt.Sprintf(format, args...))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/builds/"+build+"/steps/"+key+"/log", nil)
	must(err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fail(Refused, "%v", err)
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		fail(Refused, "answered %d", response.StatusCode)
		return
	}
	text, offset := TextOf(build, key), int64(0)
	body := io.Reader(response.Body)
	var cut, rest int64 // where the text was, and how much of it is not kept
	if _, err := fmt.Sscanf(response.Header.Get("Stepcast-Holes"), "%d+%d", &cut, &rest); err == nil && l.plan.Quota > 0 {
		body = io.LimitReader(body, cut)
	}
	buf := make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = io.ReadFull(body, buf)
		if at := text.Mismatch(offset, string(buf[:n])); at >= 0 {
			fail(Inconsistent, "wrong from byte %d on", at)
			return
		}
		offset += int64(n)
	}
	if rest > 0 {
		if says, err := io.ReadAll(response.Body); err != nil || !strings.HasPrefix(strings.TrimSpace(string(says)), "[stepcast: the rest was not kept: ") {
			fail(Inconsistent, "of the rest it says %q, %v", says, err)
		}
		offset += rest
	}
	if want := l.checker.ackedBytes(build, key); offset != want {
		fail(Lost, "%d bytes, acknowledged were %d", offset, want)
	}
}

func (l *Load) report() Report {
	status := l.Status()
	r := Report{Status: status, Seconds: time.Since(l.began).Seconds(), Events: l.checker.events()}
	r.AckP50Ms, r.AckP99Ms, r.AckMaxMs, r.Answers = l.checker.latencies()
	r.Findings, r.Counts = l.checker.Findings()
	return r
}

// String is the report in a few lines.
func (r Report) String() string {
	s := fmt.Sprintf("%d events, %d writes acknowledged (p50 %.0f ms, p99 %.0f ms, max %.0f ms), %d unknown, %d told to come later, %d repeated; %d events seen over %d connections, %d resets, in %.1f s",
		r.Events, r.Acked, r.AckP50Ms, r.AckP99Ms, r.AckMaxMs, r.Unknown, r.Later, r.Repeated, r.Seen, r.Connections, r.Resets, r.Seconds)
	if len(r.Counts) == 0 {
		return s + "; findings: none"
	}
	s += fmt.Sprintf("; findings: %v", r.Counts)
	for _, f := range r.Findings {
		s += "\n  " + f.String()
	}
	return s
}
